"""One thing that is said of a model, kept so that it can be said in each language."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from casestrat.knowledge.frozen import FrozenMap
from casestrat.knowledge.wording import load_wording

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence: its key in the wordings, and what its placeholders stand for.

    Parameters
    ----------
    key : str
        Section and name of the words, such as ``"warnings.small_sample"``.
    values : mapping of str to object
        What its placeholders stand for; a mapping of languages to text is said in the reader's language.

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
        return wording(self.key, **{name: _in(value, lang) for name, value in self.values.items()})


def _in(value: Any, lang: str) -> Any:
    """Return a value, or of a label in several languages the one that is read."""
    if not hasattr(value, "keys"):
        return value
    labels = dict(value)
    return labels.get(lang) or labels.get("en") or next(iter(labels.values()), "")
