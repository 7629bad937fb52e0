"""Reads what people decided, from a page's file, its text or its parsed content, into plain rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.tables.moments import local_moment

_LONGEST_PATH = 250  # characters

Row = dict[str, str | datetime | None]
Fault = tuple[str, str, str]  # column, rule, what was expected


@dataclass(frozen=True, slots=True)
class DecisionFormat:
    """What the file of a page looks like.

    Attributes
    ----------
    name : str
        What the file says its format is.
    expected : str
        What it holds, for messages.
    do : str
        What to do where it holds something else.
    texts, days, moments : tuple of str
        The fields of a decision.
    """

    name: str
    expected: str
    do: str
    texts: tuple[str, ...]
    days: tuple[str, ...]
    moments: tuple[str, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field of a decision."""
        return (*self.texts, *self.days, *self.moments)

    def read(self, source: Mapping[str, Any] | Path | str) -> tuple[str, Mapping[str, Any], list[Any]]:
        """Return the file's name, what it says of itself, and its decisions as they stand.

        Parameters
        ----------
        source : mapping, Path or str
            The content, a path, or the text of a file.

        Returns
        -------
        tuple of str, mapping and list
            Name ("" where there is none), content and decisions.

        Raises
        ------
        UsageError
            There is no such file, it is no JSON, or it has another format.
        """
        file, content = ("", source) if isinstance(source, Mapping) else self._content(source)
        if not isinstance(content, Mapping):
            raise UsageError(f"the decisions are not {self.expected}", where=file or None, do=self.do)
        if content.get("format") != self.name:
            what = f"the decisions do not say that their format is {self.name}"
            raise UsageError(what, where=within(file, "format"), do=self.do)
        rows = content.get("decisions")
        if not isinstance(rows, list):
            raise UsageError("the decisions hold no list of decisions", where=within(file, "decisions"), do=self.do)
        return file, content, rows

    def _content(self, source: object) -> tuple[str, Any]:
        """Return the name of the file, where there is one, and its content; or the content of a text."""
        if isinstance(source, str) and source.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
            return "", parsed_json(source.lstrip("\ufeff"), "the decisions", self.do)
        if not isinstance(source, str | Path):
            raise UsageError("decisions are a frame, a path, or the text of a decision file", do="give one of these")
        file = _named(source)
        try:
            text = Path(source).read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise UsageError("the decision file is not text in UTF-8", where=file or None, do=self.do) from None
        except FileNotFoundError:
            raise UsageError("there is no such decision file", where=file or None, do="check its path") from None
        except (OSError, ValueError):
            do = "check its path, and that you may read it"
            raise UsageError("the decision file cannot be read", where=file or None, do=do) from None
        return file, parsed_json(text, "the decisions", self.do, file)

    def plain_row(self, raw: object) -> tuple[Row, list[Fault]]:
        """Return a decision's fields as text, dates and None, with a fault for each that is none of these.

        Parameters
        ----------
        raw : object
            One decision as it stands.

        Returns
        -------
        tuple of dict and list
            The fields (all of them, None where not given), and the faults.

        Examples
        --------
        >>> answers = DecisionFormat("answers/1", "answers", "export again", ("who", "answer"), (), ("at",))
        >>> row, faults = answers.plain_row({"who": "P1", "answer": 7})
        >>> row, faults
        ({'who': 'P1', 'answer': None, 'at': None}, [('answer', 'type', 'text')])
        """
        if not isinstance(raw, Mapping):
            return dict.fromkeys(self.fields), [("decisions", "type", "an object with the fields of a decision")]
        row: Row = {}
        faults: list[Fault] = []
        for name in self.texts:
            row[name], is_fine = _plain_text(raw.get(name))
            if not is_fine:
                faults.append((name, "type", "text"))
        for name in (*self.days, *self.moments):
            is_day = name in self.days
            row[name], is_fine = _plain_moment(raw.get(name), is_day=is_day)
            if not is_fine:
                faults.append((name, "type", "YYYY-MM-DD" if is_day else "YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS"))
        return row, faults


def within(file: str, place: str) -> str:
    """Return a place, with the file that it is in where there is one.

    Parameters
    ----------
    file : str
        A file's name, or "".
    place : str
        A place in it.

    Returns
    -------
    str
        Both.
    """
    return f"{file}, {place}" if file else place


def _named(source: str | Path) -> str:
    """Return the name of the file; nothing where a text may be no path at all, and then is not repeated."""
    text = str(source)
    is_path = isinstance(source, Path) or (text.endswith(".json") and text.isprintable() and len(text) <= _LONGEST_PATH)
    return text if is_path else ""


def parsed_json(text: str, what: str, do: str, file: str = "") -> Any:
    """Return the content of JSON text.

    Parameters
    ----------
    text : str
        The text.
    what : str
        What it is, for the message.
    do : str
        What to do where it is no JSON.
    file : str, optional
        The file that it was read from.

    Returns
    -------
    object
        The content.

    Raises
    ------
    UsageError
        It is no JSON, or nested too deep.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = within(file, f"line {error.lineno}, column {error.colno}")
        raise UsageError(f"{what} are not JSON", where=where, do=do) from None
    except (ValueError, RecursionError):
        raise UsageError(f"{what} are not JSON that can be read", where=file or None, do=do) from None


def _is_missing(value: object) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value))


def _plain_text(value: object) -> tuple[str | None, bool]:
    if _is_missing(value):
        return None, True
    if not isinstance(value, str):
        return None, False
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return None, False
    return value.strip() or None, True


def _plain_moment(value: object, *, is_day: bool) -> tuple[datetime | None, bool]:
    if _is_missing(value) or (isinstance(value, str) and not value.strip()):
        return None, True
    moment = local_moment(value)
    if moment is not None:
        moment = moment.replace(hour=0, minute=0, second=0) if is_day else moment
        moment = moment.replace(microsecond=0)
    return moment, moment is not None
