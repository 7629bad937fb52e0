"""How things stand before a re-allocation: who has each case, who is leaving or away, and which cases may not move."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from casestrat.allocation.moves.cover import checked_backups, checked_overloads
from casestrat.allocation.moves.days import days_of
from casestrat.allocation.problem import frames
from casestrat.errors import UsageError
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from casestrat.allocation.plan.plan import Plan
    from casestrat.allocation.problem.problem import AllocationProblem

    Ids: TypeAlias = str | Iterable[str] | None

LEAVER, ABSENCE, NO_LEAD, NEWCOMER, ROOM, BALANCE = "leaver", "absence", "no_lead", "newcomer", "room", "balance"
_AWAY = {
    "cm_id": frames.Field("text", frames.NEEDED),
    "from_on": frames.Field("day"),
    "to_on": frames.Field("day"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What is to change, as the caller says it; see :func:`casestrat.reallocate`."""

    leaver: Ids = None
    newcomer: pd.DataFrame | Sequence[str] | None = None
    absent: pd.DataFrame | None = None
    overloads: pd.DataFrame | None = None
    backups: pd.DataFrame | None = None
    protected: Any = None


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """The problem with everybody free to move, and what is known of each case.

    ``cases`` has one row per case, by case_id: case_id, holder (missing: nobody), why_forced (code, missing where the
    case need not move), until (day on which the cover ends), is_kept (may not move).
    """

    problem: AllocationProblem
    cases: pd.DataFrame
    gone: frozenset[str]
    newcomers: frozenset[str]
    overloads: pd.DataFrame
    backups: pd.DataFrame
    workload: pd.DataFrame


def take_stock(problem: AllocationProblem, plan: Plan | None, change: Change) -> Standing:
    """Return how things stand, checked.

    Parameters
    ----------
    problem : AllocationProblem
        Cases, case managers and rules.
    plan : Plan or None
        The plan that stands; None: the leads that the problem's cases have.
    change : Change
        What is to change.

    Returns
    -------
    Standing
        The problem of everybody who may move, and each case's standing.

    Raises
    ------
    UsageError
        If ids are unknown, the plan is another problem's, or a frame of the change breaks a rule.
    """
    if problem.has_own_costs:
        raise UsageError(
            "a problem with own costs cannot be re-allocated: it has no balance to keep",
            do="give cases with minutes, and case managers with capacity_minutes",
        )
    staff, newcomers = _with_newcomers(problem.case_managers, change.newcomer)
    leavers = _leavers(change.leaver, staff)
    away = _away(change.absent, staff)
    gone = leavers | frozenset(away)
    told = pd.DataFrame({"case_id": problem.cases["case_id"]})
    told["holder"] = told["case_id"].map(_holders(problem, plan)).astype(TEXT)
    told["why_forced"] = _why_forced(told["holder"], leavers, frozenset(away))
    told["until"] = days_of(told["holder"], away)
    told["is_kept"] = _is_kept(problem, told, change.protected)
    stays = told["holder"].mask(told["holder"].isin(gone))  # nobody can keep a case manager who has gone
    cases = problem.cases.assign(cm_id=stays, is_fixed=False)
    free = replace(problem, cases=cases, case_managers=_without(staff, gone, problem.first_day))
    return Standing(
        free, told, gone, newcomers,
        checked_overloads(change.overloads, free, gone), checked_backups(change.backups, free, gone),
        _workload_now(problem, free, told),
    )  # fmt: skip


def _with_newcomers(
    staff: pd.DataFrame, newcomer: pd.DataFrame | Sequence[str] | None
) -> tuple[pd.DataFrame, frozenset[str]]:
    """Add those who are coming."""
    if newcomer is None or not len(newcomer):
        return staff, frozenset()
    if not isinstance(newcomer, pd.DataFrame):  # who is among the case managers already
        for cm_id in newcomer:
            known_cm(str(cm_id), staff["cm_id"], "argument `newcomer`")
        return staff, frozenset(map(str, newcomer))
    typed = frames.typed_frame("newcomer", newcomer, frames.CASE_MANAGERS)
    frames.refuse_rows("newcomer.cm_id", typed["cm_id"].isin(staff["cm_id"]), "new: nobody of `case_managers`",
                       "give an id of their own; who is there already takes cases unnamed")  # fmt: skip
    return pd.concat([staff, typed], ignore_index=True), frozenset(typed["cm_id"])


def known_cm(cm_id: str, cm_ids: Iterable[str], argument: str) -> None:
    """Raise a `UsageError` that names the case managers there are, where an id is none of theirs.

    Parameters
    ----------
    cm_id : str
        The id asked for; ids of staff are no person's value.
    cm_ids : iterable of str
        Those there are.
    argument : str
        Where it was given.

    Raises
    ------
    UsageError
        If the id is unknown.
    """
    there = sorted(map(str, cm_ids))
    if cm_id not in there:
        some = ", ".join(there[:40]) + (f" and {len(there) - 40} more" if len(there) > 40 else "")
        raise UsageError(
            f"no case manager is called {cm_id!r}", where=argument, do=f"choose one of: {some or 'there is none'}"
        )


def _leavers(leaver: Ids, staff: pd.DataFrame) -> frozenset[str]:
    """Ids of those who leave."""
    ids = () if leaver is None else (leaver,) if isinstance(leaver, str) else tuple(leaver)
    for cm_id in ids:
        known_cm(str(cm_id), staff["cm_id"], "argument `leaver`")
    return frozenset(map(str, ids))


def _away(absent: pd.DataFrame | None, staff: pd.DataFrame) -> dict[str, Any]:
    """Last day away of each who is on leave, by id; the latest where several spans are given."""
    rows = frames.typed_frame("absent", absent, _AWAY)
    for cm_id in rows["cm_id"].unique():
        known_cm(str(cm_id), staff["cm_id"], "argument `absent`")
    frames.check_spans("absent", rows, "from_on", "to_on")
    spans = rows.groupby("cm_id")["to_on"]
    return {str(cm_id): days.max() if days.notna().all() else pd.NaT for cm_id, days in spans}


def _without(staff: pd.DataFrame, gone: frozenset[str], first_day: pd.Timestamp | None) -> pd.DataFrame:
    """Leave those who are gone no minutes, no places and, where the plan has a date, no day."""
    is_gone = staff["cm_id"].isin(gone)
    changed = staff.assign(
        capacity_minutes=staff["capacity_minutes"].mask(is_gone, 0), max_cases=staff["max_cases"].mask(is_gone, 0)
    )
    if first_day is None:
        return changed
    last = first_day - pd.Timedelta(days=1)
    return changed.assign(
        starts_on=staff["starts_on"].mask(is_gone, pd.NaT), ends_on=staff["ends_on"].mask(is_gone, last)
    )


def _holders(problem: AllocationProblem, plan: Plan | None) -> pd.Series:
    """Who has each case, by case_id."""
    if plan is None:
        lead = problem.cases["cm_id"].where(problem.cases["cm_id"].isin(problem.case_managers["cm_id"]))
        return pd.Series(lead.to_numpy(), index=problem.cases["case_id"], dtype=TEXT)
    told = sorted([*plan.assignments["case_id"], *plan.unassigned["case_id"]])
    if (
        told != sorted(problem.cases["case_id"])
        or not plan.assignments["cm_id"].isin(problem.case_managers["cm_id"]).all()
    ):
        raise UsageError(
            "the plan has other cases or case managers than the problem",
            where="argument `plan`",
            do="give the plan of this very problem, or None for the leads that the cases have",
        )
    return plan.assignments.set_index("case_id")["cm_id"]


def _why_forced(holder: pd.Series, leavers: frozenset[str], away: frozenset[str]) -> pd.Series:
    """Why a case must change hands; missing where it need not."""
    why = pd.Series(pd.NA, index=holder.index, dtype=TEXT)
    why = why.mask(holder.isna(), NO_LEAD).mask(holder.isin(away), ABSENCE)
    return why.mask(holder.isin(leavers), LEAVER)


def _is_kept(problem: AllocationProblem, told: pd.DataFrame, protected: Any) -> pd.Series:
    """Whether a case may not be moved: it is pinned where it is, or protected."""
    pin = told["case_id"].map(problem.pins.drop_duplicates("case_id").set_index("case_id")["cm_id"])
    ids = protected["case_id"] if isinstance(protected, pd.DataFrame) else protected
    shielded = set(() if ids is None else map(str, ids))
    unknown = len(shielded - set(told["case_id"]))
    if unknown:
        raise UsageError(
            f"{unknown} of {len(shielded)} protected cases are no cases of the problem",
            where="argument `protected`",
            do="give ids of `cases.case_id`",
        )
    return ((pin == told["holder"]).fillna(value=False) | told["case_id"].isin(shielded)).astype(bool)


def _workload_now(problem: AllocationProblem, free: AllocationProblem, told: pd.DataFrame) -> pd.DataFrame:
    """Minutes and cases of each case manager as things stand, by id, with the capacity that they had."""
    held = pd.DataFrame({"cm_id": told["holder"], "minutes": free.cases["minutes"].astype("int64")}).dropna()
    by = held.groupby("cm_id")["minutes"]
    staff = free.case_managers.set_index("cm_id")
    capacity = pd.Series(problem.capacity, index=problem.case_managers["cm_id"]).reindex(staff.index)
    capacity = capacity.fillna(pd.Series(free.capacity, index=free.case_managers["cm_id"])).astype("float64")
    minutes = staff["minutes_committed"].astype("int64").add(by.sum().reindex(staff.index, fill_value=0))
    cases = staff["cases_committed"].astype("int64").add(by.size().reindex(staff.index, fill_value=0))
    use = (minutes / capacity.where(capacity > 0)).astype("float64")
    return pd.DataFrame({
        "minutes_before": minutes.astype("Int64"), "cases_before": cases.astype("Int64"),
        "utilisation_before": use.where(np.isfinite(use)),
    }).sort_index()  # fmt: skip
