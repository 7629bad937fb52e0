"""From the scored partitions to every frame of a run: criteria, lists, allocation, indicators."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from casestrat.allocation import AllocationProblem, Plan, allocate
from casestrat.caseload import contacts_due, flow, indicators
from casestrat.models import assign_tiers
from casestrat.nightly.files import to_contract
from casestrat.nightly.partition import PartTask, collect
from casestrat.nightly.waiting import make_waiting
from casestrat.priority import (
    Meeting,
    assess_first,
    check_criteria,
    mark_places,
    open_meeting,
    rank_waiting_list,
)  # fmt: skip
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from casestrat.knowledge import PriorityPolicy, Program
    from casestrat.nightly.manifest import RunInputs
    from casestrat.tables import Tables

ALLOCATION_SECONDS = 60.0  # a safety limit: the search is bounded by counts, so that a slow machine makes the same plan


@dataclass(frozen=True, slots=True)
class CommitteeList:
    """The list of one meeting, or of everyone whose territory has no meeting planned (``meeting`` is then None)."""

    territory: str
    held_on: pd.Timestamp | None
    places: int | None
    ranked: pd.DataFrame
    assess_first: pd.DataFrame
    meeting: Meeting | None


@dataclass(frozen=True, slots=True)
class Results:
    """Everything a run found out, as frames that keep the contracts of the outputs."""

    program: Program
    tables: Tables
    inputs: RunInputs
    frames: dict[str, pd.DataFrame]
    lists: tuple[CommitteeList, ...]
    flow: pd.DataFrame
    contacts: pd.DataFrame
    parts: int
    left_out: tuple[str, ...]  # outputs that the extract's tables do not allow
    plan: Plan | None = None  # keeps what it says by key, so that it can be said in every language
    counts: dict[str, Any] = field(default_factory=dict)


def assemble(
    tables: Tables,
    program: Program,
    policy: PriorityPolicy,
    model: Any,
    tasks: list[PartTask],
    inputs: RunInputs,
) -> Results:
    """Bring the scored partitions together and rank, allocate and count once over all of them.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        The program.
    policy : PriorityPolicy
        The policy, with the lottery's seed.
    model : PointScorecard or RiskClassifier
        What scored, for the words about it.
    tasks : list of PartTask
        The partitions, all done.
    inputs : RunInputs
        What the run depends on.

    Returns
    -------
    Results
        The frames of the run.
    """
    date = pd.Timestamp(inputs.as_of)
    X = collect(tasks, "features").set_index(["person_id", "as_of"])
    tiers = assign_tiers(collect(tasks, "scores").set_index(["person_id", "as_of"]), program)
    criteria = check_criteria(tables, program, date, features=X)
    waiting = make_waiting(tables, program, X, tiers, date, criteria=criteria)
    lists = tuple(_committee_lists(tables, program, policy, waiting, X, inputs))
    ranked = pd.concat([one.ranked for one in lists], ignore_index=True)
    plan, left_out = _allocate(tables, program, ranked, date)
    workload = plan.workload if plan is not None else None
    frames = {
        "waiting_list": ranked,
        "assess_first": pd.concat([one.assess_first for one in lists], ignore_index=True),
        "risk": _risk(tiers, model),
        "reasons": collect(tasks, "reasons"),
        "criteria": criteria,
        "caseload": indicators(tables, program, date, tiers=tiers, workload=workload),
        "set_aside": tables.set_aside,
    }
    if plan is not None:
        frames |= {"allocation": plan.assignments, "unassigned": plan.unassigned, "workload": plan.workload}
    shaped = {name: to_contract(_dated(frame, name, date), name) for name, frame in frames.items()}
    counts = _count(tables, shaped, lists, plan)
    return Results(
        program, tables, inputs, shaped, lists, flow(tables, program, date), contacts_due(tables, program, date),
        len(tasks), left_out, plan, counts,
    )  # fmt: skip


def _committee_lists(
    tables: Tables,
    program: Program,
    policy: PriorityPolicy,
    waiting: pd.DataFrame,
    X: pd.DataFrame,
    inputs: RunInputs,
) -> list[CommitteeList]:
    """One list a planned meeting, and one for the territories that have none."""
    date = pd.Timestamp(inputs.as_of)
    meetings = next_meetings(tables, date)
    left = waiting
    lists = []
    for row in meetings.itertuples(index=False):
        mine = (
            left["territory"].eq(str(row.territory)).fillna(False)
            if row.territory
            else pd.Series(True, index=left.index)
        )
        lists.append(_one_list(left[mine], row, program, policy, X, inputs))
        left = left[~mine]
    if len(left) or not lists:
        lists.append(_one_list(left, None, program, policy, X, inputs))
    return lists


def next_meetings(tables: Tables, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the next planned meeting of each territory on or after a date, those of one territory first.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    as_of : pandas.Timestamp
        The date.

    Returns
    -------
    pandas.DataFrame
        One row a territory with a planned meeting: meeting_id, held_on, territory (empty: all others), places.
    """
    planned = tables.committee_meetings
    planned = planned[planned["held_on"] >= as_of].sort_values(["held_on", "meeting_id"])
    planned = planned.assign(territory=planned["territory"].fillna(""))
    first = planned.drop_duplicates("territory")[["meeting_id", "held_on", "territory", "places"]]
    first = first.assign(_all=first["territory"].eq(""))
    return first.sort_values(["_all", "territory"], ignore_index=True).drop(columns="_all")


def _one_list(
    waiting: pd.DataFrame, row: Any, program: Program, policy: PriorityPolicy, X: pd.DataFrame, inputs: RunInputs
) -> CommitteeList:
    date = pd.Timestamp(inputs.as_of)
    places = None if row is None or pd.isna(row.places) else int(row.places)
    ranked = mark_places(rank_waiting_list(waiting, policy, date), places)
    first = _with_missing_items(assess_first(waiting, policy, date), X)
    if row is None:
        return CommitteeList("", None, None, ranked.assign(meeting_id=None), first, None)
    fingerprints = {
        "extract": inputs.extract, "program": inputs.program, "model": inputs.model, "policy": inputs.policy,
    }  # fmt: skip
    meeting = open_meeting(
        ranked, places=places, held_on=row.held_on, program=program, territory=row.territory,
        fingerprints=fingerprints, meeting_id=row.meeting_id,
    )  # fmt: skip
    ranked = ranked.assign(meeting_id=row.meeting_id)
    return CommitteeList(row.territory, row.held_on, places, ranked, first, meeting)


def _with_missing_items(first: pd.DataFrame, X: pd.DataFrame) -> pd.DataFrame:
    """Name, for each person to assess first, the features that are not known."""
    unknown = X.droplevel("as_of").reindex(first["person_id"]).isna()
    names = [", ".join(unknown.columns[row]) for row in unknown.to_numpy(dtype=bool)]
    not_scored = ~first["person_id"].isin(X.index.get_level_values("person_id")).to_numpy(dtype=bool)
    words = ["objects_to_scoring" if no else name for no, name in zip(not_scored, names, strict=True)]
    return first.assign(missing_items=pd.array(words, dtype=TEXT))


def _allocate(
    tables: Tables, program: Program, ranked: pd.DataFrame, date: pd.Timestamp
) -> tuple[Plan | None, tuple[str, ...]]:
    """Allocate, or say which outputs the extract does not allow."""
    if not tables.has("case_managers"):
        return None, ("allocation", "unassigned", "workload")
    problem = AllocationProblem.from_tables(tables, program, ranked, date)
    return allocate(problem, time_limit_s=ALLOCATION_SECONDS, random_state=0), ()


def _risk(tiers: pd.DataFrame, model: Any) -> pd.DataFrame:
    frame = tiers.reset_index()
    for bound in ("risk_low", "risk_high"):
        if bound not in frame.columns:
            frame[bound] = float("nan")
    return frame.assign(model=model.fingerprint)


def _dated(frame: pd.DataFrame, name: str, date: pd.Timestamp) -> pd.DataFrame:
    return frame if name == "set_aside" or "as_of" in frame.columns else frame.assign(as_of=date)


def _count(
    tables: Tables, frames: dict[str, pd.DataFrame], lists: tuple[CommitteeList, ...], plan: Plan | None
) -> dict[str, Any]:
    aside = tables.rows_set_aside()
    return {
        "people_read": int(tables.persons["person_id"].nunique()),
        "rows_read": int(sum(len(frame) for frame in tables.frames().values())),
        "rows_set_aside": int(aside.sum()),
        "rows_set_aside_by_table": {str(name): int(n) for name, n in aside.items()},
        "scored": len(frames["risk"]),
        "ranked": len(frames["waiting_list"]),
        "assess_first": len(frames["assess_first"]),
        "places": sum(one.places or 0 for one in lists),
        "proposed": int(frames["waiting_list"]["is_proposed"].fillna(False).sum()),
        "assigned": 0 if plan is None else len(plan.assignments),
        "unassigned": 0 if plan is None else len(plan.unassigned),
        "minutes_balanced": 0 if plan is None else int(plan.workload["minutes_after"].sum()),
        "warnings": {str(rule): int(n) for rule, n in tables.warnings.groupby("rule")["n"].sum().items()},
    }
