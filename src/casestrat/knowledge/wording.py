"""The words that people read, by key, in English, French and Italian; and how each writes numbers and dates."""

from __future__ import annotations

import math
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, Final

from casestrat.errors import KnowledgeError, UsageError
from casestrat.knowledge.frozen import FrozenMap
from casestrat.knowledge.toml_file import LANGUAGES, nearest, read_toml

FALLBACK: Final = "en"
_MOST_DECIMALS: Final = 2  # of a number nobody gave decimals for


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of one language; what it lacks is said in English.

    Load one with :func:`casestrat.knowledge.load_wording`.

    Parameters
    ----------
    language : {"en", "fr", "it"}
        The language.
    words : mapping of str to str
        Its words, by dotted key.
    fallback : mapping of str to str
        The English words, for the keys that it lacks.

    Examples
    --------
    >>> words = load_wording("fr")
    >>> words.number(12.5), words.date("2026-10-12")
    ('12,5', '12 octobre 2026')
    """

    language: str
    words: Mapping[str, str]
    fallback: Mapping[str, str]

    def __call__(self, key: str, /, **values: Any) -> str:
        """Return the words of a key, with the values put in; numbers and dates are written as the language does.

        Parameters
        ----------
        key : str
            Section and name, such as ``"committee_page.title"``.
        **values
            What the placeholders of the words stand for.

        Returns
        -------
        str
            The words.

        Raises
        ------
        KnowledgeError
            If no language has the key, or a placeholder has no value.
        """
        text = self.words.get(key) or self.fallback.get(key)
        if text is None:
            raise KnowledgeError(f"no words are kept under {key!r}", where="wordings", do=nearest(key, self.fallback))
        return _Filled(self).format(text, **values) if "{" in text else text

    def __contains__(self, key: object) -> bool:
        return key in self.words or key in self.fallback

    def section(self, name: str) -> dict[str, str]:
        """Return all words of a section, by their names inside it, English where the language lacks them.

        Parameters
        ----------
        name : str
            Such as ``"committee_page"``.

        Returns
        -------
        dict of str to str
            Unfilled words; empty where there is no such section.
        """
        prefix = f"{name}."
        keys = [key for key in {**self.fallback, **self.words} if key.startswith(prefix)]
        return {key.removeprefix(prefix): self.words.get(key) or self.fallback[key] for key in keys}

    def count(self, key: str, n: int, **values: Any) -> str:
        """Return the words for a number of things: ``key.one`` or ``key.other``, with ``{n}`` put in.

        Parameters
        ----------
        key : str
            Such as ``"units.case_managers"``.
        n : int
            How many.
        **values
            The other placeholders.

        Returns
        -------
        str
            Such as ``"1 case manager"``; in French, 0 takes the singular.
        """
        is_one = abs(n) < 2 if self.language == "fr" else abs(n) == 1
        return self(f"{key}.{'one' if is_one else 'other'}", n=n, **values)

    def number(self, value: float | None, decimals: int | None = None) -> str:
        """Return a number as the language writes it.

        Parameters
        ----------
        value : float
            The number; missing gives a dash.
        decimals : int, optional
            Digits after the mark, all shown; without it up to two, without trailing zeros.

        Returns
        -------
        str
            Such as ``"12,345.6"`` in English.
        """
        if _is_missing(value):
            return self("format.missing")
        digits = _MOST_DECIMALS if decimals is None else decimals
        text = f"{float(value) + 0.0:,.{digits}f}"  # type: ignore[arg-type]
        if decimals is None and "." in text:
            text = text.rstrip("0").rstrip(".")
        if text.strip("-0.,") == "":
            text = text.lstrip("-")
        marks = str.maketrans({",": self("format.thousands"), ".": self("format.decimal"), "-": "−"})
        return text.translate(marks)

    def percent(self, value: float | None, decimals: int = 0) -> str:
        """Return a share as a percentage.

        Parameters
        ----------
        value : float
            A share, 0.31 for 31 %; missing gives a dash.
        decimals : int
            Digits after the mark.

        Returns
        -------
        str
            Such as ``"31%"`` in English.
        """
        if _is_missing(value):
            return self("format.missing")
        return self("format.percent", number=self.number(100 * float(value), decimals))  # type: ignore[arg-type]

    def date(self, value: date | datetime | str | None) -> str:
        """Return a day as the language writes it.

        Parameters
        ----------
        value : date, datetime, Timestamp or ISO text
            The day; missing gives a dash.

        Returns
        -------
        str
            Such as ``"12 October 2026"``.

        Raises
        ------
        UsageError
            If the text is not an ISO day.
        """
        if value is None or value != value:
            return self("format.missing")
        if isinstance(value, str):
            try:
                value = date.fromisoformat(value[:10])
            except ValueError as error:
                raise UsageError("a day that is not written as 2026-10-12", do="give an ISO day") from error
        first = self("format.first_day")
        return f"{first if value.day == 1 else value.day} {self(f'months.{value.month}')} {value.year}"


def load_wording(language: str) -> Wording:
    """Load the words of a language.

    Parameters
    ----------
    language : {"en", "fr", "it"}
        The language.

    Returns
    -------
    Wording
        Its words, English standing in for what it lacks.

    Raises
    ------
    UsageError
        If no wording is kept in that language.

    Examples
    --------
    >>> load_wording("fr").count("units.case_managers", 2)
    '2 gestionnaires de cas'
    """
    if language not in LANGUAGES:
        raise UsageError(f"no wording is kept in {language!r}", do=nearest(str(language), LANGUAGES))
    return Wording(language, _words(language), _words(FALLBACK))


@cache
def _words(language: str) -> FrozenMap[str, str]:
    file = read_toml(language, "wordings", "wording")
    return FrozenMap(dict(_flat(file.content, "")))


def _flat(content: Mapping[str, Any], path: str) -> list[tuple[str, str]]:
    """Return a nested table's words under dotted keys."""
    pairs: list[tuple[str, str]] = []
    for name, value in content.items():
        key = f"{path}{name}"
        if isinstance(value, Mapping):
            pairs += _flat(value, f"{key}.")
        elif isinstance(value, str):
            pairs.append((key, value))
        else:
            raise KnowledgeError(f"{key!r} is not words", where="wordings", do="put the words in quotes")
    return pairs


def _is_missing(value: Any) -> bool:
    """Tell what is no number: None, NaN, a masked value."""
    return (not isinstance(value, int | float) and not hasattr(value, "__float__")) or math.isnan(float(value))


class _Filled(string.Formatter):
    """Puts values into words, numbers and dates as the language writes them."""

    def __init__(self, wording: Wording) -> None:
        self.wording = wording

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if key not in kwargs:
            raise KnowledgeError(f"the placeholder {{{key}}} has no value", where="wordings", do=f"give `{key}`")
        return kwargs[str(key)]

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, date | datetime):
            return self.wording.date(value)
        if format_spec or isinstance(value, str | bool) or not hasattr(value, "__float__"):
            return str(super().format_field(value, format_spec))
        return self.wording.number(value)
