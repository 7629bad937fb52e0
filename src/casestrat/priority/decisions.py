"""What a decision must say before it counts, and what follows from it. No rule here makes a decision: people do."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from casestrat.tables import CONTRACTS, TEXT, fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from casestrat.knowledge.program import DecisionReason
    from casestrat.priority.frozen_list import Entry
    from casestrat.tables.decision_files import Fault, Row

OUTCOMES: Final = ("admit", "defer", "refuse")
RESPONSES: Final = ("accepted", "declined", "no_answer")
TO_FIND: Final = "to_find"
_ID = re.compile(r"[A-Za-z0-9._:/-]{1,64}")

# What a decision says itself; the same in an export read again, whatever was derived from it.
CONTENT: Final = (
    "outcome", "reason", "note", "decided_by", "decided_at", "override_reason", "defer_until", "relay", "relay_due_on",
    "relay_status", "relay_confirmed_on", "response", "respond_by",
)  # fmt: skip


def is_override(entry: Entry, outcome: str | None, has_cut: bool) -> bool:
    """Say whether a decision differs from the list that was shown.

    A decision is an override when it differs from the first *k* of a list with *k* places: someone outside the places
    is admitted, or someone within them is deferred or refused. A person passed over is thus told of once, where they
    were passed over, and not again on everyone admitted below (:meth:`Meeting.out_of_sequence` lists these). Someone
    who was added to the list had no rank, and the reason is the addition's own; a list without a cut proposes nobody,
    so that nothing can differ from it.

    Parameters
    ----------
    entry : Entry
        The row of the list.
    outcome : str or None
        What was decided.
    has_cut : bool
        Whether the list has places.

    Returns
    -------
    bool
        Whether it needs an ``override_reason``.

    Examples
    --------
    >>> from casestrat.priority.frozen_list import Entry
    >>> first, last = Entry("R1", "P1", rank=1, is_proposed=True), Entry("R9", "P9", rank=9)
    >>> is_override(first, "admit", True), is_override(first, "defer", True), is_override(last, "admit", True)
    (False, True, True)
    """
    if entry.rank is None or not has_cut:
        return False
    return (outcome == "admit") != entry.is_proposed


def with_consequence(row: Row, reasons: Mapping[str, DecisionReason], held_on: datetime) -> Row:
    """Return a decision with what it leaves to be derived: its moment, and how long a deferral lasts.

    A decision without a moment was taken at the meeting. A deferral without an end lasts the days that its reason parks
    a referral, and at least until the next day.

    Parameters
    ----------
    row : dict
        The fields of the decision.
    reasons : mapping of str to DecisionReason
        The program's reasons by code.
    held_on : datetime.datetime
        Day of the meeting.

    Returns
    -------
    dict
        The fields, filled in.
    """
    decided = row["decided_at"] if isinstance(row["decided_at"], datetime) else held_on
    filled: Row = {**row, "decided_at": decided}
    reason = reasons.get(str(row["reason"]))
    days = None if reason is None else reason.days_parked
    if row["outcome"] == "defer" and row["defer_until"] is None and days is not None:
        filled["defer_until"] = _day(decided) + timedelta(days=max(1, days))
    return filled


def faults_of(row: Row, entry: Entry, reasons: Mapping[str, DecisionReason], *, has_cut: bool) -> list[Fault]:
    """Return every rule that a decision breaks.

    Parameters
    ----------
    row : dict
        The fields of the decision, consequences filled in.
    entry : Entry
        The row of the list that it is about.
    reasons : mapping of str to DecisionReason
        The program's reasons by code.
    has_cut : bool
        Whether the list has places.

    Returns
    -------
    list of tuple
        Column, rule and what was expected, one entry a broken rule.
    """
    faults = [*_about_whom(row, entry), *_about_reason(row, entry, reasons), *_about_answer(row)]
    if row["outcome"] == "refuse":
        faults += _about_relay(row)
    if row["outcome"] == "defer":
        faults += _about_deferral(row)
    if (
        is_override(entry, str(row["outcome"]), has_cut)
        and row["outcome"] in OUTCOMES
        and row["override_reason"] is None
    ):
        faults.append(("override_reason", "override_without_reason", "why the decision differs from the list"))
    return faults


def _about_whom(row: Row, entry: Entry) -> Iterator[Fault]:
    if row["person_id"] is not None and row["person_id"] != entry.person_id:
        yield "person_id", "other_person", "the person of the referral"
    if row["decided_by"] is None:
        yield "decided_by", "no_decider", "who decided; a list decides nothing"


def _about_reason(row: Row, entry: Entry, reasons: Mapping[str, DecisionReason]) -> Iterator[Fault]:
    if row["outcome"] not in OUTCOMES:
        yield "outcome", "outcome", f"one of {', '.join(OUTCOMES)}"
        codes = sorted(reasons)
    else:
        codes = sorted(code for code, reason in reasons.items() if reason.outcome == row["outcome"])
    reason = reasons.get(str(row["reason"]))
    if row["reason"] is None:
        yield "reason", "no_reason", f"a reason: {', '.join(codes)}"
    elif row["reason"] not in codes:
        yield "reason", "other_reason", f"a reason of that outcome: {', '.join(codes)}"
    if row["note"] is None:
        if reason is not None and reason.needs_note:
            yield "note", "reason_needs_note", "a note: this reason needs one"
        if entry.in_tied_zone:
            yield "note", "tied_zone_needs_note", "a note: the place is too close to call"
        if entry.criteria == "ask":
            yield "note", "unknown_criterion_needs_note", "a note: a criterion is unknown"


def _about_relay(row: Row) -> Iterator[Fault]:
    relay, due, decided = row["relay"], row["relay_due_on"], row["decided_at"]
    if relay is None:
        yield "relay", "refuse_without_relay", f"a relay for each refusal: a service_id, or {TO_FIND}"
    elif not isinstance(relay, str) or not _ID.fullmatch(relay):
        yield "relay", "relay", f"a service_id, or {TO_FIND}"
    if relay == TO_FIND and due is None:
        yield "relay_due_on", "to_find_without_due", f"the day by which the relay is to be found, where it is {TO_FIND}"
    is_late = isinstance(due, datetime) and isinstance(decided, datetime) and due < _day(decided)
    if relay == TO_FIND and is_late:
        yield "relay_due_on", "due_before_decision", "a day not before the decision"


def _about_deferral(row: Row) -> Iterator[Fault]:
    until, decided = row["defer_until"], row["decided_at"]
    if not isinstance(until, datetime):
        yield "defer_until", "defer_without_end", "until when; the reason given does not say it"
    elif isinstance(decided, datetime) and until <= _day(decided):
        yield "defer_until", "defer_not_after", "a day after decided_at"


def _about_answer(row: Row) -> Iterator[Fault]:
    if row["response"] is not None and row["response"] not in RESPONSES:
        yield "response", "response", f"one of {', '.join(RESPONSES)}"


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def standing_row(row: Row, entry: Entry, meeting_id: str, sequence: int, *, has_cut: bool) -> dict[str, Any]:
    """Return a checked decision with what is derived: its id, the rank shown, and whether it is an override.

    Parameters
    ----------
    row : dict
        The fields of the decision, consequences filled in.
    entry : Entry
        The row of the list that it is about.
    meeting_id : str
        The meeting.
    sequence : int
        How many decisions on this referral the meeting holds already.
    has_cut : bool
        Whether the list has places.

    Returns
    -------
    dict
        The columns of the table ``decisions``.
    """
    return {
        "decision_id": f"D-{fingerprint_of([meeting_id, entry.referral_id, sequence])[:16]}",
        "meeting_id": meeting_id,
        "referral_id": entry.referral_id,
        "person_id": entry.person_id,
        **{name: row[name] for name in CONTENT},
        "rank_shown": entry.rank,
        "is_override": is_override(entry, str(row["outcome"]), has_cut),
        "supersedes": None,
        "recorded_at": row["decided_at"],
        "is_void": False,
    }


def decisions_frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return decisions as the table ``decisions``, its columns and types.

    Parameters
    ----------
    rows : list of dict
        One dict a decision.

    Returns
    -------
    pandas.DataFrame
        One row per decision, in the order given.
    """
    columns = CONTRACTS["decisions"].columns
    return pd.DataFrame({
        column.name: pd.Series([row.get(column.name) for row in rows], dtype=object).astype(column.dtype)
        for column in columns
    })  # fmt: skip


def refused_frame(faults: list[tuple[int, str | None, Fault]]) -> pd.DataFrame:
    """Return the rules that rows of a decision file break; it names row and referral, and never shows another value.

    Parameters
    ----------
    faults : list of tuple
        Number of the row (from 1), the referral where it is one of the list, and the fault.

    Returns
    -------
    pandas.DataFrame
        One row per broken rule: row, referral_id, column, rule, expected.
    """
    return pd.DataFrame({
        "row": pd.array([number for number, _, _ in faults], dtype="Int64"),
        "referral_id": pd.array([referral for _, referral, _ in faults], dtype=TEXT),
        "column": pd.array([fault[0] for *_, fault in faults], dtype=TEXT),
        "rule": pd.array([fault[1] for *_, fault in faults], dtype=TEXT),
        "expected": pd.array([fault[2] for *_, fault in faults], dtype=TEXT),
    })  # fmt: skip
