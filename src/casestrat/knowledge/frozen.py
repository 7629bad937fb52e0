"""A mapping that cannot be changed, can be hashed, and travels to worker processes."""

from __future__ import annotations

from collections.abc import Hashable, ItemsView, Iterator, Mapping
from dataclasses import fields
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Labels = Mapping[str, str]  # language → words; "en" is always there


class FrozenMap(Mapping[K, V], Generic[K, V]):
    """A read-only mapping with the order in which it was written.

    Parameters
    ----------
    content : mapping or iterable of pairs, optional
        What it holds; values should be immutable, or the map cannot be hashed (see :func:`freeze`).

    Examples
    --------
    >>> rates = FrozenMap({"high": 4.0, "low": 1.0})
    >>> rates["high"], dict(rates), hash(rates) == hash(FrozenMap({"low": 1.0, "high": 4.0}))
    (4.0, {'high': 4.0, 'low': 1.0}, True)
    """

    __slots__ = ("_content",)

    _content: dict[K, V]

    def __init__(self, content: Mapping[K, V] | tuple[tuple[K, V], ...] = ()) -> None:
        object.__setattr__(self, "_content", dict(content))

    def __getitem__(self, key: K) -> V:
        return self._content[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)

    def items(self) -> ItemsView[K, V]:
        """Return the pairs, in the order in which they were written.

        Returns
        -------
        ItemsView
            Keys with their values.
        """
        return self._content.items()

    def __hash__(self) -> int:
        return hash(frozenset(self._content.items()))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a FrozenMap cannot be changed")

    def __reduce__(self) -> tuple[type[FrozenMap[K, V]], tuple[dict[K, V]]]:
        return FrozenMap, (self._content,)

    def __repr__(self) -> str:
        return f"FrozenMap({self._content!r})"


def freeze(value: Any) -> Any:
    """Return the value with every mapping in it a :class:`FrozenMap` and every list a tuple.

    Parameters
    ----------
    value : object
        What is to be frozen, however deeply nested.

    Returns
    -------
    object
        The frozen value; what is neither mapping, list nor tuple stays as it is.

    Examples
    --------
    >>> freeze({"where": {"kind": ["fall", "crisis"]}})
    FrozenMap({'where': FrozenMap({'kind': ('fall', 'crisis')})})
    """
    if isinstance(value, Mapping):
        return FrozenMap({key: freeze(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in value)
    return value


class FrozenParts:
    """Makes the mappings and lists that a frozen object was given immutable, so that it can be hashed and pickled."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for part in fields(self):  # type: ignore[arg-type]  # every subclass is a dataclass
            object.__setattr__(self, part.name, freeze(getattr(self, part.name)))
