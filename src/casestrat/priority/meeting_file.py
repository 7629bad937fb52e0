"""A meeting as text: JSON with the same bytes for the same meeting, and the way back."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from casestrat.errors import UsageError
from casestrat.knowledge.program import DecisionReason
from casestrat.priority.dates import moment_of
from casestrat.priority.frozen_list import Entry
from casestrat.tables.decision_files import parsed_json
from casestrat.tables.moments import local_moment

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT: Final = "casestrat-meeting/1"
_MOMENTS = (
    "decided_at", "recorded_at", "defer_until", "relay_due_on", "relay_confirmed_on", "respond_by", "added_at",
    "amended_at",
)  # fmt: skip
_DO = "take the file from the run's folder again"
_TEXT_OR_NONE, _NUMBER_OR_NONE = (str, type(None)), (int, float, type(None))
_KINDS: dict[str, Any] = {
    "referral_id": str, "person_id": str, "rank": int, "tier": _TEXT_OR_NONE, "priority": _NUMBER_OR_NONE,
    "completeness": _NUMBER_OR_NONE, "criteria": _TEXT_OR_NONE, "is_proposed": bool, "in_tied_zone": bool,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class MeetingContent:
    """What a meeting file holds: the head, from which the meeting is made, and its logs."""

    head: dict[str, Any]
    list_fingerprint: str
    decisions: list[dict[str, Any]]
    addenda: list[dict[str, Any]]
    amendments: list[dict[str, Any]]


def reason_fields(reason: DecisionReason) -> dict[str, Any]:
    """Return a reason of the program as plain fields.

    Parameters
    ----------
    reason : DecisionReason
        The reason.

    Returns
    -------
    dict
        Its fields; labels by language.
    """
    return {f.name: getattr(reason, f.name) for f in fields(reason) if f.name != "label"} | {
        "label": dict(reason.label)
    }


def to_json(content: Mapping[str, Any]) -> str:
    """Return the text of a meeting file.

    Parameters
    ----------
    content : mapping
        Plain content and dates.

    Returns
    -------
    str
        JSON with sorted keys, one line a value.
    """
    whole = {"format": FORMAT, **content}
    return json.dumps(whole, default=_dated, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def _dated(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"no JSON form for {type(value).__name__}")


def from_json(text: str) -> MeetingContent:
    """Return the content of a meeting file, checked.

    Parameters
    ----------
    text : str
        The text of the file.

    Returns
    -------
    MeetingContent
        The head and the logs.

    Raises
    ------
    UsageError
        It is no meeting file.
    """
    if not isinstance(text, str):
        raise UsageError("a meeting file is given by its text", do="read the file first")
    content = parsed_json(text, "the contents of the meeting file", _DO)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UsageError(f"the meeting file does not say that its format is {FORMAT}", where="format", do=_DO)
    try:
        return _content(content)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UsageError("the meeting file lacks a part or has one of another kind", do=_DO) from None


def _content(content: Mapping[str, Any]) -> MeetingContent:
    head = {
        "meeting_id": _text(content["meeting_id"]),
        "held_on": moment_of(content["held_on"], "held_on"),
        "territory": _text(content["territory"]),
        "places": content["places"] if content["places"] is None else _typed(content["places"], int),
        "program": {str(key): _text(value) for key, value in content["program"].items()},
        "fingerprints": {str(key): _text(value) for key, value in content["fingerprints"].items()},
        "entries": tuple(_entry(row) for row in content["list"]),
        "reasons": tuple(DecisionReason(**row) for row in content["decision_reasons"]),
    }
    logs = {name: [_log_row(row) for row in content[name]] for name in ("decisions", "addenda", "amendments")}
    _check_logs(logs)
    return MeetingContent(head, _text(content["list_fingerprint"]), **logs)


def _entry(row: Mapping[str, Any]) -> Entry:
    return Entry(**{name: _typed(row[name], kind) for name, kind in _KINDS.items()})


def _log_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of a log, its moments read."""
    plain = dict(row)
    for name in _MOMENTS:
        if plain.get(name) is not None:
            plain[name] = local_moment(_text(plain[name]))
            if plain[name] is None:
                raise ValueError(name)
    return plain


def _check_logs(logs: Mapping[str, list[dict[str, Any]]]) -> None:
    needed = {
        "decisions": ("decision_id", "referral_id", "person_id", "outcome", "reason", "decided_by"),
        "addenda": ("person_id", "reason", "by"),
        "amendments": ("decision_id", "supersedes", "reason", "by"),
    }
    for name, rows in logs.items():
        for row in rows:
            for key in needed[name]:
                _text(row[key])
    for row in logs["addenda"]:
        _typed(row["referral_id"], _TEXT_OR_NONE)
    if any(not isinstance(row["decided_at"], datetime) for row in logs["decisions"]):
        raise ValueError("decided_at")


def _text(value: object) -> str:
    text: str = _typed(value, str)
    text.encode("utf-8")
    return text


def _typed(value: Any, kind: Any) -> Any:
    """Return the value, if it is of that kind; a flag is no number."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(str(kind))
    return value
