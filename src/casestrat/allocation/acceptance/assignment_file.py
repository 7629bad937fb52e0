"""Reads what people decided about proposed moves: a frame, or the file that the caseload page exports.

The file is JSON::

    {"format": "casestrat-assignments/1", "as_of": "2026-10-01",
     "decisions": [{"case_id": "E1", "from_cm": "CM1", "to_cm": "CM2", "decision": "accept", "role": "lead",
                    "reason": "leaver", "note": null, "decided_by": "team lead", "decided_at": "2026-10-01T15:00:00",
                    "from_on": "2026-10-05", "until": null, "told_on": "2026-10-02"}]}

``decision`` is ``accept``, ``change`` (accepted with another ``to_cm``), ``hold`` (nothing happens yet) or ``undo`` (an
acceptance is taken back). ``role`` is ``lead`` (the default) or ``temporary``: the lead stays the lead. ``from_on`` is
the first day with the new case manager, by default the day of the decision.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from casestrat.errors import UsageError

FILE_FORMAT: Final = "casestrat-assignments/1"
DECISIONS: Final = ("accept", "change", "hold", "undo")
ROLES: Final = ("lead", "temporary")
TEXTS: Final = ("case_id", "from_cm", "to_cm", "decision", "role", "reason", "note", "decided_by")
DAYS: Final = ("decided_at", "from_on", "until", "told_on")
FIELDS: Final = (*TEXTS, *DAYS)

_DO = "export the decisions from the caseload page again"
_EXPECTED = f"a JSON object with format {FILE_FORMAT} and a list of decisions"

Row = dict[str, Any]
Fault = tuple[str, str, str]  # column, rule, what was expected


def read_assignment_decisions(source: pd.DataFrame | Mapping[str, Any] | Path | str) -> list[Mapping[str, Any]]:
    """Return the decisions of a frame, of a decision file, of its path or of its text.

    Parameters
    ----------
    source : pandas.DataFrame, mapping, Path or str
        One row a decision; or a file of format ``casestrat-assignments/1``.

    Returns
    -------
    list of mapping
        One a decision, not yet checked.

    Raises
    ------
    UsageError
        There is no such file, it is no JSON, or it has another format.

    Examples
    --------
    >>> read_assignment_decisions('{"format": "casestrat-assignments/1", "decisions": []}')
    []
    """
    if isinstance(source, pd.DataFrame):
        return [{str(name): value for name, value in row.items()} for row in source.to_dict("records")]
    where, content = ("", source) if isinstance(source, Mapping) else _content(source)
    if not isinstance(content, Mapping) or not isinstance(content.get("decisions"), list):
        raise UsageError(f"the decisions are not {_EXPECTED}", where=where or None, do=_DO)
    if content.get("format") != FILE_FORMAT:
        raise UsageError(f"the decisions do not say that their format is {FILE_FORMAT}", where=where or None, do=_DO)
    return list(content["decisions"])


def _content(source: Path | str) -> tuple[str, Any]:
    """Return where the decisions stand, and their content."""
    where = ""
    if isinstance(source, str) and source.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
        text = source.lstrip("\ufeff")
    else:
        where = str(source)
        try:
            text = Path(source).read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            raise UsageError("there is no such decision file", where=where, do="check its path") from None
        except (OSError, ValueError):
            raise UsageError("the decision file cannot be read as text", where=where, do=_DO) from None
    try:
        return where, json.loads(text)
    except (ValueError, RecursionError):
        raise UsageError(f"the decisions are not {_EXPECTED}", where=where or None, do=_DO) from None


def plain_row(raw: object) -> tuple[Row, list[Fault]]:
    """Return a decision's fields as text, moments and None, with a fault for each that is none of these.

    Parameters
    ----------
    raw : object
        One decision as it stands.

    Returns
    -------
    tuple of dict and list
        Every field (None where it is not given), and the faults.

    Examples
    --------
    >>> row, faults = plain_row({"case_id": "E1", "decision": "accept", "decided_at": "soon"})
    >>> row["decision"], row["role"], faults
    ('accept', None, [('decided_at', 'type', 'YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS')])
    """
    if not isinstance(raw, Mapping):
        return dict.fromkeys(FIELDS), [("decisions", "type", "an object with the fields of a decision")]
    row: Row = {}
    faults: list[Fault] = []
    for name in TEXTS:
        value = _none(raw.get(name))
        row[name] = value.strip() or None if isinstance(value, str) else None
        if value is not None and not isinstance(value, str):
            faults.append((name, "type", "text"))
    for name in DAYS:
        row[name], is_fine = _moment(raw.get(name), is_day=name != "decided_at")
        if not is_fine:
            faults.append((name, "type", "YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS" if name == "decided_at" else "YYYY-MM-DD"))
    return row, faults


def _none(value: object) -> object:
    """Return None for what is missing."""
    is_gap = value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value))
    return None if is_gap else value


def _moment(value: object, *, is_day: bool) -> tuple[pd.Timestamp | None, bool]:
    """Return a naive moment, or the day of it; and whether there was one or nothing."""
    value = _none(value)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None, True
    if isinstance(value, bool | int | float):
        return None, False
    try:
        moment = pd.Timestamp(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None, False
    if moment.tzinfo is not None:
        moment = moment.tz_localize(None)
    return (moment.normalize() if is_day else moment.floor("s")), True
