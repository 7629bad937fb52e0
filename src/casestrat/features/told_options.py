"""The docstring of a kind of feature, completed by the options that it inherits, each of which is written once."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from casestrat.features.feature import Feature

_TITLE = re.compile(r"^(\w+)\n-+\n", re.MULTILINE)
_OPTION = re.compile(r"^(\w+) : .*(?:\n[ \n].*)*", re.MULTILINE)


def tell_inherited(kind: type[Feature]) -> None:
    """Let the docstring of a kind tell all its options, in the order of its signature.

    Parameters
    ----------
    kind : type
        A class of features; what its bases tell of an option counts for it.

    Examples
    --------
    >>> from casestrat.features import Count
    >>> "window_days : int, optional" in Count.__doc__
    True
    """
    if kind.__doc__ is None:  # Python was asked to drop docstrings
        return
    told: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        text = _sections(vars(base).get("__doc__") or "").get("Parameters", "")
        told |= {found[1]: found[0].rstrip() for found in _OPTION.finditer(text)}
    own = _sections(kind.__doc__)
    options = [told[name] for name in inspect.signature(kind).parameters if name in told]
    after = {title: text for title, text in own.items() if title not in ("", "Parameters")}
    titled = {"Parameters": "\n".join(options), **after}
    parts = [own[""], *(f"{title}\n{'-' * len(title)}\n{text}" for title, text in titled.items())]
    kind.__doc__ = "\n\n".join(part.rstrip() for part in parts) + "\n"


def _sections(text: str) -> dict[str, str]:
    """Return the sections of a docstring by title; what comes before the first has none."""
    parts = _TITLE.split(inspect.cleandoc(text))
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}
