"""What every feature says of itself: name, part of life, direction, words and unit."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from casestrat.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Feature:
    """What every feature says of itself.

    Parameters
    ----------
    name : str
        Column of the feature; without it, a name made of the options.
    domain : str
        Part of life it belongs to, such as ``function`` or ``social``.
    is_actionable : bool
        Whether something can be done about it.
    worse : {"higher", "lower"}, optional
        Which direction means more need.
    label : mapping of str to str
        Language → words for people; a plain text counts as English.
    unit : str
        Unit of the value.
    """

    kind: ClassVar[str] = ""
    name: str = ""
    domain: str = "other"
    is_actionable: bool = False
    worse: Literal["higher", "lower"] | None = None
    label: Mapping[str, str] = field(default_factory=dict, hash=False)
    unit: str = ""

    def __post_init__(self) -> None:
        label = {"en": self.label} if isinstance(self.label, str) else dict(self.label)
        object.__setattr__(self, "label", label)
        if self.worse not in (None, "higher", "lower"):
            raise UsageError(f"`worse` must be 'higher' or 'lower', found {self.worse!r}", where=self.name)
        self._check()
        if not self.name:
            object.__setattr__(self, "name", self._own_name())

    def _check(self) -> None:
        """Refuse options that cannot be used."""

    def _own_name(self) -> str:
        """Make a name of the options."""
        return self.kind

    def options(self) -> dict[str, Any]:
        """Return the options of this kind that differ from their defaults, as plain values.

        Returns
        -------
        dict
            Option → value; what every feature may say of itself is not among them.
        """
        out = {}
        for one in fields(self):
            value = getattr(self, one.name)
            default = one.default_factory() if one.default_factory is not MISSING else one.default
            if one.name not in COMMON and value != default:
                out[one.name] = value
        return out


COMMON = frozenset(f.name for f in fields(Feature))


def check_days(days: object, option: str, where: str) -> None:
    """Refuse a length that is not a whole number of days above 0; None is no limit."""
    if days is not None:
        check_whole(days, option, where, "days above 0")


def check_whole(number: object, option: str, where: str, of: str = "above 0") -> None:
    """Refuse what is not a whole number above 0."""
    if isinstance(number, bool) or not isinstance(number, int) or number <= 0:
        words = f"a whole number of {of}" if of != "above 0" else "a whole number above 0"
        raise UsageError(f"{option} must be {words}", where=where, do=f"mend {option}")


def plain_condition(where: Mapping[str, Any]) -> dict[str, Any]:
    """Return a condition as plain values that JSON can hold."""
    return {key: list(v) if isinstance(v, tuple | set | frozenset) else v for key, v in dict(where).items()}


def condition_words(where: Mapping[str, Any]) -> list[str]:
    """Return the values of a condition, for a name made of options."""
    values = [v if isinstance(v, list) else [v] for v in where.values()]
    return [str(one) for several in values for one in several]
