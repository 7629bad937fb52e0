"""What a rule asks for: an English text that knows what it is made of, and so can be said in French and Italian too."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd


class Phrase(str):
    """A text in English, with the key of its words and what is put in.

    Parameters
    ----------
    key : str
        Section and name of the words, as in ``phrases.toml``.
    **values
        What the placeholders stand for: text, numbers, or phrases.

    Examples
    --------
    >>> words = Phrase("expected.found", column="person_id", table="persons")
    >>> words, words.said("it")
    ('person_id found in persons', 'person_id presente in persons')
    """

    __slots__ = ("key", "values")

    key: str
    values: dict[str, Any]

    def __new__(cls, key: str, /, **values: Any) -> Phrase:
        """Return the English text."""
        made = super().__new__(cls, _words("en")[key].format(**values))
        made.key, made.values = key, values
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what a worker process makes it of again."""
        return _phrase, (self.key, self.values)

    def said(self, lang: str) -> str:
        """Return the text in a language.

        Parameters
        ----------
        lang : str
            The language; English stands in for one that is not kept.

        Returns
        -------
        str
            The text, and the phrases in it, in that language.
        """
        said = {name: value.said(lang) if isinstance(value, Phrase) else value for name, value in self.values.items()}
        return _words(lang)[self.key].format(**said)


def phrase_or(text: str, key: str) -> str:
    """Return the phrase of a key where there is one, else the text as it is."""
    return Phrase(key) if key in _words("en") else text


def phrases_of(texts: Iterable[str]) -> dict[str, Phrase]:
    """Return the phrases among texts, by their English."""
    return {str(text): text for text in texts if isinstance(text, Phrase)}


def in_language(set_aside: pd.DataFrame, phrases: Mapping[str, Phrase], lang: str) -> pd.DataFrame:
    """Return rows set aside with ``rule`` and ``expected`` in the words of a language.

    Parameters
    ----------
    set_aside : pandas.DataFrame
        One row per broken rule.
    phrases : mapping of str to Phrase
        The phrases it was made of, by their English; a text that is none of them stays.
    lang : str
        The language.

    Returns
    -------
    pandas.DataFrame
        The same rows; names of tables and columns stay.
    """
    words = _words(lang)
    rules = {rule: words.get(f"rule.{rule}", str(rule)) for rule in set_aside["rule"].unique()}
    expected = {text: phrases[text].said(lang) if text in phrases else text for text in set_aside["expected"].unique()}
    return set_aside.assign(
        rule=set_aside["rule"].map(rules).astype(set_aside["rule"].dtype),
        expected=set_aside["expected"].map(expected).astype(set_aside["expected"].dtype),
    )


def _phrase(key: str, values: dict[str, Any]) -> Phrase:
    return Phrase(key, **values)


@cache
def _words(lang: str) -> dict[str, str]:
    """Return the words of a language by section and name, English where it lacks them."""
    content = tomllib.loads(resources.files("casestrat.tables").joinpath("phrases.toml").read_text(encoding="utf-8"))
    found = {**content["en"], **content.get(lang, {})}
    return {f"{section}.{name}": text for section, words in found.items() for name, text in words.items()}
