"""From proposals to assignments: a move counts when a person accepts it, by name and for a reason, and can be undone.

Nothing is overwritten: a row that ends is recorded again with its last day and reason, a row that is taken back is
recorded again as void. Each open episode keeps exactly one active lead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from casestrat.allocation.acceptance.assignment_file import (
    DECISIONS,
    ROLES,
    Row,
    plain_row,
    read_assignment_decisions,
)
from casestrat.errors import UsageError
from casestrat.tables import CONTRACTS, TEXT, Tables, fingerprint_of
from casestrat.timeline import known

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping
    from datetime import date
    from pathlib import Path

    from casestrat.tables.decision_files import Fault

_SECOND = pd.Timedelta(seconds=1)
_DAY = pd.Timedelta(days=1)
_EVER = pd.Timestamp("2262-01-01")  # after every row


@dataclass(frozen=True, eq=False, repr=False)
class Acceptance:
    """What became of decisions about moves; made by :func:`casestrat.allocation.accept_moves`.

    Parameters
    ----------
    rows : pandas.DataFrame
        New rows of the table ``assignments``, in its columns: those that end recorded again, those that begin.
    assignments : pandas.DataFrame
        The table with the new rows.
    refused : pandas.DataFrame
        One row per broken rule: row (of the decisions, from 1), case_id, column, rule, expected.
    standing : pandas.DataFrame
        One row per decision that stands, by row: row, case_id, decision, assignment_id (of the row that begins or is
        taken back), is_new.
    """

    rows: pd.DataFrame
    assignments: pd.DataFrame
    refused: pd.DataFrame
    standing: pd.DataFrame

    def __repr__(self) -> str:
        n_new = int(self.standing["is_new"].sum())
        lost = self.refused["row"].nunique()
        return f"Acceptance({len(self.standing)} decisions stand, {n_new} of them new; {lost} do not)"

    def undo(self, by: str, decided_on: date | str | pd.Timestamp, reason: str) -> Acceptance:
        """Take back every new assignment of this acceptance.

        Parameters
        ----------
        by : str
            Who takes it back.
        decided_on : date
            When.
        reason : str
            Why.

        Returns
        -------
        Acceptance
            The rows that make each lead again what it was; nothing is deleted.
        """
        mine = self.standing[self.standing["is_new"] & self.standing["decision"].isin(["accept", "change"])]
        decisions = pd.DataFrame({"case_id": mine["case_id"], "decision": "undo", "decided_by": by, "reason": reason})
        return record_assignments(self.assignments, decisions.assign(decided_at=pd.Timestamp(decided_on)))


def accept_moves(
    assignments: Tables | pd.DataFrame,
    moves: pd.DataFrame,
    accepted: Iterable[str],
    by: str,
    decided_on: date | str | pd.Timestamp,
    *,
    from_on: date | str | pd.Timestamp | None = None,
) -> Acceptance:
    """Return the rows of ``assignments`` that accepted moves make; a proposal nobody accepts changes nothing.

    Parameters
    ----------
    assignments : Tables or DataFrame
        The checked tables, or the table ``assignments`` alone (then only it is looked at).
    moves : pandas.DataFrame
        ``moves`` of a re-allocation.
    accepted : iterable of str
        Cases whose move is accepted.
    by : str
        Who accepts.
    decided_on : date
        When.
    from_on : date, optional
        First day with the new case manager; by default the day of the decision.

    Returns
    -------
    Acceptance
        The new rows, and what was refused: a case without a move, a lead who is no longer the one the move was made
        for, an episode that is not open.

    Raises
    ------
    UsageError
        If nobody is named.

    Examples
    --------
    >>> assignments = pd.DataFrame({"assignment_id": ["A1"], "episode_id": ["E1"], "person_id": ["P1"],
    ...     "cm_id": ["CM1"], "role": ["lead"], "from_on": ["2026-01-10"], "recorded_at": ["2026-01-10"]})
    >>> moves = pd.DataFrame({"case_id": ["E1"], "person_id": ["P1"], "from_cm": ["CM1"], "to_cm": ["CM2"],
    ...                       "reason": ["leaver"], "until": [pd.NaT]})
    >>> done = accept_moves(assignments, moves, ["E1"], by="team lead", decided_on="2026-10-02")
    >>> done.rows[["cm_id", "from_on", "to_on", "end_reason"]]
      cm_id    from_on      to_on end_reason
    0   CM1 2026-01-10 2026-10-01     leaver
    1   CM2 2026-10-02        NaT        NaN
    """
    if not isinstance(by, str) or not by.strip():
        raise UsageError("nobody is named who accepts the moves", where="argument `by`", do="say who decided")
    proposed = {row["case_id"]: row for row in moves.to_dict("records")}
    decisions = []
    for case in accepted:
        move = proposed.get(case)
        said = {"case_id": case, "decision": "accept", "decided_by": by, "decided_at": decided_on, "from_on": from_on}
        decisions.append(said | ({} if move is None else _of_move(move)))
    return record_assignments(assignments, pd.DataFrame(decisions) if decisions else pd.DataFrame(columns=["case_id"]))


def _of_move(move: Mapping[Hashable, Any]) -> dict[str, Any]:
    """Return the part of a decision that a move says."""
    role = "temporary" if move["reason"] == "absence" else "lead"
    return {
        "from_cm": move["from_cm"],
        "to_cm": move["to_cm"],
        "reason": move["reason"],
        "until": move.get("until"),
        "role": role,
    }


def record_assignments(
    assignments: Tables | pd.DataFrame, decisions: pd.DataFrame | Mapping[str, Any] | Path | str
) -> Acceptance:
    """Check what people decided about moves, and return the rows of ``assignments`` that it makes.

    Recording the same decisions again changes nothing.

    Parameters
    ----------
    assignments : Tables or DataFrame
        The checked tables, or the table ``assignments`` alone.
    decisions : pandas.DataFrame, mapping, Path or str
        One row a decision; or a file of format ``casestrat-assignments/1``.

    Returns
    -------
    Acceptance
        The new rows, and the decisions that do not stand, with every reason.
    """
    book = _Book(assignments)
    refused: list[tuple[int, str | None, Fault]] = []
    standing: list[dict[str, Any]] = []
    for number, raw in enumerate(read_assignment_decisions(decisions), start=1):
        row, faults = plain_row(raw)
        faults = faults or list(book.faults_of(row))
        if faults:
            refused += [(number, row["case_id"], fault) for fault in faults]
        else:
            assignment_id, is_new = book.take(row)
            standing.append({"row": number, "case_id": row["case_id"], "decision": row["decision"],
                             "assignment_id": assignment_id, "is_new": is_new})  # fmt: skip
    return Acceptance(book.new_rows(), book.table(), _refused(refused), _standing(standing))


class _Book:
    """The table of assignments with decisions being written into it.

    Parameters
    ----------
    assignments : Tables or DataFrame
        The tables, or the one table.
    """

    def __init__(self, assignments: Tables | pd.DataFrame) -> None:
        self.tables = assignments if isinstance(assignments, Tables) else None
        frame = assignments.assignments if isinstance(assignments, Tables) else _typed(assignments)
        self.before = frame.reset_index(drop=True)
        self.added: list[dict[str, Any]] = []
        self.open_episodes: dict[str, str] | None = None
        if self.tables is not None:
            episodes = known(self.tables.episodes, "episode_id", _EVER)
            still = episodes[episodes["closed_on"].isna()]
            self.open_episodes = dict(zip(still["episode_id"], still["person_id"], strict=True))
        versions = self.before.sort_values(["recorded_at"], kind="stable").to_dict("records")
        self.history: dict[str, list[dict[str, Any]]] = {}
        for version in versions:
            self.history.setdefault(version["assignment_id"], []).append({str(k): v for k, v in version.items()})

    def live(self, episode: str) -> list[dict[str, Any]]:
        """Return the latest version of each assignment of an episode that is not void."""
        last = [versions[-1] for versions in self.history.values() if versions[-1]["episode_id"] == episode]
        return [row for row in last if not (pd.notna(row["is_void"]) and row["is_void"])]

    def lead(self, episode: str, day: pd.Timestamp) -> dict[str, Any] | None:
        """Return the lead of an episode on a day; the latest where several are recorded."""
        leads = [row for row in self.live(episode) if row["role"] == "lead" and not row["to_on"] < day]
        return max(leads, key=lambda row: (row["from_on"], row["recorded_at"], row["assignment_id"]), default=None)

    def faults_of(self, row: Row) -> Iterable[Fault]:
        """Return every rule that a decision breaks."""
        faults = list(_plain_faults(row))
        if faults or row["decision"] == "hold":
            return faults
        if row["decision"] == "undo":
            return (
                []
                if self._undoable(row)
                else [("case_id", "nothing_to_undo", "a case whose accepted move still stands")]
            )
        if self._is_there(row):
            return []
        return [*self._about_episode(row), *self._about_staff(row), *self._about_lead(row)]

    def _about_episode(self, row: Row) -> Iterable[Fault]:
        if self.open_episodes is not None and row["case_id"] not in self.open_episodes:
            yield "case_id", "no_open_episode", "an open episode; a person who is proposed has none yet"
        if self.open_episodes is None and not self.live(row["case_id"]):
            yield "case_id", "unknown_episode", "an episode of the table assignments"

    def _about_staff(self, row: Row) -> Iterable[Fault]:
        if self.tables is None:
            return
        staff = self.tables.case_managers
        if row["to_cm"] not in set(staff["cm_id"]):
            yield "to_cm", "unknown_case_manager", "an id of the table case_managers"
        conflicts = known(self.tables.conflicts, ["person_id", "cm_id"], _EVER)
        pairs = set(zip(conflicts["person_id"], conflicts["cm_id"], strict=True))
        if ((self.open_episodes or {}).get(row["case_id"]), row["to_cm"]) in pairs:
            yield "to_cm", "conflict", "somebody without a recorded conflict with the person"

    def _about_lead(self, row: Row) -> Iterable[Fault]:
        lead = self.lead(row["case_id"], _first_day(row))
        holder = None if lead is None else lead["cm_id"]
        if holder != row["from_cm"]:
            yield "from_cm", "stale", "the present lead: the proposal is out of date, make it anew"
        if holder is not None and holder == row["to_cm"]:
            yield "to_cm", "same_lead", "somebody other than the present lead"

    def _is_there(self, row: Row) -> bool:
        """Whether this very decision was recorded before and still stands."""
        versions = self.history.get(_assignment_id(row))
        return versions is not None and not (pd.notna(versions[-1]["is_void"]) and versions[-1]["is_void"])

    def _undoable(self, row: Row) -> dict[str, Any] | None:
        """Return the accepted assignment that stands for the case, if its lead has not changed since."""
        made = [one for one in self.live(row["case_id"]) if str(one["assignment_id"]).startswith("AM-")]
        made = [one for one in made if pd.isna(one["end_reason"])]
        last = max(made, key=lambda one: (one["recorded_at"], one["assignment_id"]), default=None)
        if last is None or last["role"] != "lead":
            return last
        lead = self.lead(row["case_id"], last["from_on"])
        return last if lead is not None and lead["assignment_id"] == last["assignment_id"] else None

    def take(self, row: Row) -> tuple[str | None, bool]:
        """Write a decision that stands into the table; return the assignment, and whether it is new."""
        if row["decision"] == "hold":
            return None, False
        if row["decision"] == "undo" and (made := self._undoable(row)) is not None:
            return self._undo(row, made), True
        if self._is_there(row):
            return _assignment_id(row), False
        return self._open(row), True

    def _open(self, row: Row) -> str:
        """End the present lead's row and begin the new one."""
        first = _first_day(row)
        lead = self.lead(row["case_id"], first)
        person = lead["person_id"] if lead is not None else self._person(row["case_id"])
        moment = self._moment(row, row["case_id"])
        if lead is not None and row["role"] != "temporary":
            last = max(first - _DAY, lead["from_on"])
            self._write(lead | {"to_on": last, "end_reason": row["reason"], "recorded_at": moment})
        new = _assignment_id(row)
        self._write({
            "assignment_id": new, "episode_id": row["case_id"], "person_id": person, "cm_id": row["to_cm"],
            "role": row["role"] or "lead", "from_on": first, "to_on": row["until"] or pd.NaT, "end_reason": None,
            "recorded_at": moment, "is_void": False,
        })  # fmt: skip
        return new

    def _undo(self, row: Row, made: dict[str, Any]) -> str:
        """Make the accepted row void, and the row that it had ended what it was before."""
        moment = self._moment(row, row["case_id"])
        for versions in list(self.history.values()):
            last = versions[-1]
            ended_by_it = last["episode_id"] == row["case_id"] and last["recorded_at"] == made["recorded_at"]
            if ended_by_it and last["assignment_id"] != made["assignment_id"] and len(versions) > 1:
                self._write(versions[-2] | {"recorded_at": moment})
        self._write(made | {"is_void": True, "end_reason": row["reason"], "recorded_at": moment})
        return str(made["assignment_id"])

    def _person(self, episode: str) -> str | None:
        """Return whose episode it is, where nobody leads it."""
        rows = self.live(episode)
        return (self.open_episodes or {}).get(episode) or (rows[0]["person_id"] if rows else None)

    def _moment(self, row: Row, episode: str) -> pd.Timestamp:
        """Return when the rows are recorded: at the decision, and after every row of the episode."""
        latest = max(
            (v["recorded_at"] for vs in self.history.values() for v in vs if v["episode_id"] == episode), default=None
        )
        decided = row["decided_at"]
        moment: pd.Timestamp = decided if latest is None or latest < decided else latest + _SECOND
        return moment

    def _write(self, row: dict[str, Any]) -> None:
        self.history.setdefault(row["assignment_id"], []).append(row)
        self.added.append(row)

    def new_rows(self) -> pd.DataFrame:
        """Return the rows that were added, in the columns of the table."""
        return _typed(pd.DataFrame(self.added, columns=list(self.before.columns)))[list(self.before.columns)]

    def table(self) -> pd.DataFrame:
        """Return the table with the rows that were added."""
        if not self.added:
            return self.before
        return pd.concat([self.before, self.new_rows()], ignore_index=True)


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows of the table in its columns and types; other columns are kept."""
    columns = {
        column.name: pd.Series(frame.get(column.name), index=frame.index, dtype=object).astype(column.dtype)
        for column in CONTRACTS["assignments"].columns
    }
    rest = frame[[name for name in frame.columns if name not in columns]]
    return pd.DataFrame(columns, index=frame.index).join(rest)


def _plain_faults(row: Row) -> Iterable[Fault]:
    """Return the rules that a decision breaks by itself."""
    if row["case_id"] is None:
        yield "case_id", "no_case", "the case that is decided about"
    if row["decision"] not in DECISIONS:
        yield "decision", "decision", f"one of {', '.join(DECISIONS)}"
    if row["decision"] == "hold":  # nothing is decided yet
        return
    if row["decided_by"] is None:
        yield "decided_by", "no_decider", "who decided; a plan decides nothing"
    if row["decided_at"] is None:
        yield "decided_at", "no_moment", "when it was decided"
    if row["role"] not in {*ROLES, None}:
        yield "role", "role", f"one of {', '.join(ROLES)}"
    if row["decision"] in {"accept", "change"} and row["to_cm"] is None:
        yield "to_cm", "no_case_manager", "who takes the case; only cases with a proposed move can be accepted"
    if row["reason"] is None:
        yield "reason", "no_reason", "why the lead changes"
    if row["until"] is not None and row["decided_at"] is not None and row["until"] < _first_day(row):
        yield "until", "ends_before_it_begins", "a day on or after the first"


def _first_day(row: Row) -> pd.Timestamp:
    """Return the first day with the new case manager."""
    day: pd.Timestamp = row["from_on"] if row["from_on"] is not None else row["decided_at"].normalize()
    return day


def _assignment_id(row: Row) -> str:
    """Return the id of the assignment that a decision makes: the same decision, the same id."""
    parts = [
        row["case_id"],
        row["from_cm"],
        row["to_cm"],
        row["role"] or "lead",
        f"{_first_day(row):%Y-%m-%d}",
        row["decided_by"],
    ]
    return f"AM-{fingerprint_of(parts)[:16]}"


def _refused(faults: list[tuple[int, str | None, Fault]]) -> pd.DataFrame:
    """Return the rules that decisions break; they name row, case and column, and show no other value."""
    return pd.DataFrame({
        "row": pd.array([number for number, _, _ in faults], dtype="Int64"),
        "case_id": pd.array([case for _, case, _ in faults], dtype=TEXT),
        "column": pd.array([fault[0] for *_, fault in faults], dtype=TEXT),
        "rule": pd.array([fault[1] for *_, fault in faults], dtype=TEXT),
        "expected": pd.array([fault[2] for *_, fault in faults], dtype=TEXT),
    })  # fmt: skip


def _standing(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the decisions that stand."""
    frame = pd.DataFrame(rows, columns=["row", "case_id", "decision", "assignment_id", "is_new"])
    return frame.astype({"row": "Int64", "case_id": TEXT, "decision": TEXT, "assignment_id": TEXT, "is_new": "boolean"})


def lead_faults(tables: Tables, as_of: date | str | pd.Timestamp) -> pd.DataFrame:
    """Return the open episodes that do not have exactly one active lead.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    as_of : date
        Only what was recorded before it counts.

    Returns
    -------
    pandas.DataFrame
        One row per open episode with no lead or several, by case_id: case_id, person_id, n_leads.
    """
    day = pd.Timestamp(as_of).normalize()
    episodes, rows = known(tables.episodes, "episode_id", day), known(tables.assignments, "assignment_id", day)
    is_open = (episodes["admitted_on"] <= day) & ~(episodes["closed_on"] <= day)
    active = (rows["role"] == "lead").fillna(value=False) & (rows["from_on"] <= day) & ~(rows["to_on"] < day)
    number = rows[active.astype(bool)].groupby("episode_id").size()
    told = episodes[is_open.astype(bool)][["episode_id", "person_id"]].rename(columns={"episode_id": "case_id"})
    told["n_leads"] = told["case_id"].map(number).fillna(0).astype("Int64")
    return told[told["n_leads"] != 1].sort_values("case_id", ignore_index=True)
