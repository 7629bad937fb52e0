"""A sentence that is made once and said in any language: the key of its words, and what is put into them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, TypeAlias, Union

from casestrat.knowledge.frozen import FrozenMap

if TYPE_CHECKING:
    from casestrat.knowledge.wording import Wording

Value: TypeAlias = Union[str, int, float, date, "Figure", "Sentence", Mapping[str, str], "tuple[Value, ...]"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number in a sentence, with the digits it is told with.

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
class Sentence:
    """A sentence in no language yet.

    Make one with :meth:`of`, where the words are chosen, and say it with :meth:`said`, where they are read.

    Parameters
    ----------
    key : str
        Section and name of its words.
    values : tuple of (str, value)
        What the placeholders stand for, by name.

    Examples
    --------
    >>> from casestrat.knowledge import load_wording
    >>> room = Sentence.of("allocation.relaxation_one_case", cm="CM3")
    >>> room.said(load_wording("en")), room.said(load_wording("fr"))
    ('one more case with CM3', 'une situation de plus pour CM3')
    """

    key: str
    values: tuple[tuple[str, Value], ...] = ()

    @classmethod
    def of(cls, key: str, /, **values: Value) -> Sentence:
        """Return a sentence.

        Parameters
        ----------
        key : str
            Section and name of its words; where they differ by number, without ``.one`` or ``.other``.
        **values
            What the placeholders stand for: text, numbers (``n`` chooses singular or plural), figures with their
            digits, days, labels (language → text, of which the reader's is said), other sentences, or a tuple of any of
            these, which are listed.

        Returns
        -------
        Sentence
            The sentence; equal keys and values are equal sentences.
        """
        frozen = {name: FrozenMap(dict(v)) if isinstance(v, Mapping) else v for name, v in values.items()}
        return cls(key, tuple(sorted(frozen.items())))

    def said(self, wording: Wording) -> str:
        """Return the sentence in a language.

        Parameters
        ----------
        wording : Wording
            The words of the language.

        Returns
        -------
        str
            The sentence, its numbers and the sentences in it in the same language.
        """
        values = {name: _said(value, wording) for name, value in self.values}
        if self.key not in wording and "n" in values:
            return wording.count(self.key, int(float(str(values.pop("n")))), **values)
        return wording(self.key, **values)


def say_each(sentences: Mapping[str, Sentence], wording: Wording) -> dict[str, str]:
    """Return every sentence in a language; each different one is put into words once.

    Parameters
    ----------
    sentences : mapping of str to Sentence
        What each is about → the sentence.
    wording : Wording
        The words of the language.

    Returns
    -------
    dict of str to str
        The same keys → the words.
    """
    words = {sentence: sentence.said(wording) for sentence in set(sentences.values())}
    return {key: words[sentence] for key, sentence in sentences.items()}


def _said(value: Value, wording: Wording) -> str | int | float | date:
    if isinstance(value, Sentence):
        return value.said(wording)
    if isinstance(value, Figure):
        tell = wording.percent if value.is_share else wording.number
        return tell(value.value, value.decimals)
    if isinstance(value, tuple):
        return wording("format.list_separator").join(str(_said(one, wording)) for one in value)
    if isinstance(value, Mapping):
        return value.get(wording.language) or value.get("en") or next(iter(value.values()), "")
    return value
