"""Reads what a committee decided, from a frame, a file or text, into plain rows; says what no row can be read from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.priority.dates import local_moment

FILE_FORMAT: Final = "casestrat-decisions/1"
TEXTS: Final = (
    "referral_id", "person_id", "outcome", "reason", "note", "decided_by", "override_reason", "relay", "relay_status",
    "response", "meeting_id", "list_fingerprint",
)  # fmt: skip
DATES: Final = ("defer_until", "relay_due_on", "relay_confirmed_on", "respond_by")
MOMENTS: Final = ("decided_at",)
FIELDS: Final = (*TEXTS, *DATES, *MOMENTS)

_EXPECTED = "a JSON object with format, meeting_id, list_fingerprint and a list of decisions"
_LONGEST_PATH = 250  # characters
_DO = "export the decisions from the committee page again"

Row = dict[str, str | datetime | None]
Fault = tuple[str, str, str]  # column, rule, what was expected


@dataclass(frozen=True, slots=True)
class DecisionFile:
    """What was read: the list it speaks of, and its rows as they stand.

    Parameters
    ----------
    meeting_id, list_fingerprint : str or None
        What the file says it belongs to; None where a frame says it row by row or not at all.
    rows : list of mapping
        One mapping a decision, values as given.
    """

    meeting_id: str | None
    list_fingerprint: str | None
    rows: list[Mapping[str, Any]]


def read_decisions(source: pd.DataFrame | Mapping[str, Any] | Path | str) -> DecisionFile:
    """Read decisions from a frame, a decision file, its path, its text or its parsed content.

    Parameters
    ----------
    source : pandas.DataFrame, mapping, Path or str
        One row a decision; or a decision file (format ``casestrat-decisions/1``).

    Returns
    -------
    DecisionFile
        The rows, not yet checked.

    Raises
    ------
    UsageError
        There is no such file, it is no JSON, or it has another format.

    Examples
    --------
    >>> head = '{"format": "casestrat-decisions/1", "meeting_id": "M1", "list_fingerprint": "9f", "decisions": []}'
    >>> read_decisions(head)
    DecisionFile(meeting_id='M1', list_fingerprint='9f', rows=[])
    """
    if isinstance(source, pd.DataFrame):
        return DecisionFile(None, None, source.to_dict("records"))  # type: ignore[arg-type]
    file, content = ("", source) if isinstance(source, Mapping) else _content_of(source)
    if not isinstance(content, Mapping):
        raise UsageError(f"the decisions are not {_EXPECTED}", where=file or None, do=_DO)
    if content.get("format") != FILE_FORMAT:
        where = _within(file, "format")
        raise UsageError(f"the decisions do not say that their format is {FILE_FORMAT}", where=where, do=_DO)
    for name in ("meeting_id", "list_fingerprint"):
        if not isinstance(content.get(name), str):
            raise UsageError(f"the decisions have no `{name}`", where=_within(file, name), do=_DO)
    rows = content.get("decisions")
    if not isinstance(rows, list):
        raise UsageError("the decisions hold no list of decisions", where=_within(file, "decisions"), do=_DO)
    return DecisionFile(content["meeting_id"], content["list_fingerprint"], rows)


def _within(file: str, place: str) -> str:
    """Return a place, with the file that it is in where there is one."""
    return f"{file}, {place}" if file else place


def _content_of(source: object) -> tuple[str, Any]:
    """Return the name of the file, where there is one, and its content; or the content of a text."""
    if isinstance(source, str) and source.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
        return "", parsed_json(source.lstrip("\ufeff"), "the decisions", _DO)
    if not isinstance(source, str | Path):
        raise UsageError("decisions are a frame, a path, or the text of a decision file", do="give one of these")
    file = _named(source)
    try:
        text = Path(source).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError("the decision file is not text in UTF-8", where=file or None, do=_DO) from None
    except FileNotFoundError:
        raise UsageError("there is no such decision file", where=file or None, do="check its path") from None
    except (OSError, ValueError):
        do = "check its path, and that you may read it"
        raise UsageError("the decision file cannot be read", where=file or None, do=do) from None
    return file, parsed_json(text, "the decisions", _DO, file)


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
        where = _within(file, f"line {error.lineno}, column {error.colno}")
        raise UsageError(f"{what} are not JSON", where=where, do=do) from None
    except (ValueError, RecursionError):
        raise UsageError(f"{what} are not JSON that can be read", where=file or None, do=do) from None


def plain_row(raw: object) -> tuple[Row, list[Fault]]:
    """Return a decision's fields as text, dates and None, with a fault for each that is none of these.

    Parameters
    ----------
    raw : object
        One decision as it stands in the file.

    Returns
    -------
    tuple of dict and list
        The fields (all of them, None where not given), and the faults.

    Examples
    --------
    >>> row, faults = plain_row({"referral_id": "R1", "outcome": "admit", "decided_by": 7})
    >>> row["outcome"], row["note"], faults
    ('admit', None, [('decided_by', 'type', 'text')])
    """
    if not isinstance(raw, Mapping):
        return dict.fromkeys(FIELDS), [("decisions", "type", "an object with the fields of a decision")]
    row: Row = {}
    faults: list[Fault] = []
    for name in TEXTS:
        row[name], is_fine = _plain_text(raw.get(name))
        if not is_fine:
            faults.append((name, "type", "text"))
    for name in (*DATES, *MOMENTS):
        row[name], is_fine = _plain_moment(raw.get(name), is_day=name in DATES)
        if not is_fine:
            faults.append((name, "type", "YYYY-MM-DD" if name in DATES else "YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS"))
    return row, faults


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
