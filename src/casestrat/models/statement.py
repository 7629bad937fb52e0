"""One thing that is said of a model, kept so that it can be said in each language."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from casestrat.knowledge.frozen import FrozenMap
from casestrat.knowledge.wording import load_wording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casestrat.knowledge.wording import Wording


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with the digits it is told with.

    Parameters
    ----------
    value : float
        The number; missing is said as a dash.
    decimals : int, default 2
        Digits after the mark.
    is_share : bool, default False
        Whether it is told as a percentage.
    """

    value: float
    decimals: int = 2
    is_share: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence: its key in the wordings, and what its placeholders stand for.

    Parameters
    ----------
    key : str
        Section and name of the words, such as ``"warnings.small_sample"``.
    values : mapping of str to object
        What its placeholders stand for: numbers, texts, figures, further statements, tuples of these, or a label (a
        mapping of languages to text, of which the reader's is said).

    Examples
    --------
    >>> Statement("warnings.missing_label", {"n": 3}).words()
    '3 rows left out: the outcome is not known'
    """

    key: str
    values: Mapping[str, Any] = field(default_factory=FrozenMap)

    def words(self, lang: str = "en") -> str:
        """Say it.

        Parameters
        ----------
        lang : {"en", "fr", "it"}
            The language.

        Returns
        -------
        str
            The sentence.
        """
        wording = load_wording(lang)
        return wording(self.key, **{name: _in(value, wording) for name, value in self.values.items()})


def _in(value: Any, wording: Wording) -> Any:
    """Return a value as it is read: of a label the language's own, of several values a list, of a figure its digits."""
    if isinstance(value, Figure):
        tell = wording.percent if value.is_share else wording.number
        return tell(value.value, value.decimals)
    if isinstance(value, Statement):
        return value.words(wording.language)
    if isinstance(value, tuple):
        return wording("format.list_separator").join(str(_in(one, wording)) for one in value)
    if not hasattr(value, "keys"):
        return value
    labels = dict(value)
    return labels.get(wording.language) or labels.get("en") or next(iter(labels.values()), "")
