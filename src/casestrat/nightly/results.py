"""From the scored partitions to every frame of a run: criteria, lists, allocation, indicators."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from casestrat.allocation import AllocationProblem, Plan, allocate
from casestrat.caseload import contacts_due, flow, indicators
from casestrat.nightly.files import to_contract
from casestrat.nightly.partition import PartTask, collect
from casestrat.nightly.ranking import CommitteeList, Ranking, rank_scored
from casestrat.nightly.shadow import shadow_frame, shadow_summary
from casestrat.nightly.staffing import STAFFING, Staffing, staffing_of

if TYPE_CHECKING:
    from casestrat.knowledge import PriorityPolicy, Program
    from casestrat.nightly.manifest import RunInputs
    from casestrat.tables import Tables

ALLOCATION_SECONDS = 60.0  # a safety limit: the search is bounded by counts, so that a slow machine makes the same plan


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
    problem: AllocationProblem | None = None  # that the plan solves
    staffing: Staffing | None = None  # reports beside the plan
    counts: dict[str, Any] = field(default_factory=dict)
    shadow: dict[str, Any] | None = None  # what a candidate would change, in counts


def assemble(
    tables: Tables,
    program: Program,
    policy: PriorityPolicy,
    model: Any,
    tasks: list[PartTask],
    inputs: RunInputs,
    previous: pd.DataFrame | None = None,
    shadow: tuple[Any, list[PartTask]] | None = None,
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
    previous : pandas.DataFrame, optional
        The tier of each person in the run before: person_id, tier, tier_since.
    shadow : tuple, optional
        A candidate and the partitions that it scored; it changes nothing but what is told of it.

    Returns
    -------
    Results
        The frames of the run.
    """
    date = pd.Timestamp(inputs.as_of)

    def ranked_by(scorer: Any, parts: list[PartTask]) -> Ranking:
        """Rank those who wait by what a model says in these parts."""
        X, scores = (collect(parts, name).set_index(["person_id", "as_of"]) for name in ("features", "scores"))
        return rank_scored(
            tables, program, policy, scorer, X, scores, inputs.fingerprints, as_of=date, previous=previous,
            learned_ranking_reason=inputs.learned_ranking_reason,
        )  # fmt: skip

    ranking = ranked_by(model, tasks)
    lists, ranked, tiers = ranking.lists, ranking.ranked, ranking.tiers
    plan, problem, left_out = _allocate(tables, program, ranked, date)
    workload = plan.workload if plan is not None else None
    frames = {
        "waiting_list": ranked,
        "assess_first": ranking.assess_first,
        "risk": _risk(tiers, model),
        "reasons": collect(tasks, "reasons"),
        "criteria": ranking.criteria,
        "caseload": indicators(tables, program, date, tiers=tiers, workload=workload),
        "set_aside": tables.set_aside,
    }
    staffing = None
    if plan is not None and problem is not None:
        staffing = staffing_of(tables, program, ranked, date, plan, problem)
        frames |= {"allocation": plan.assignments, "unassigned": plan.unassigned, "workload": plan.workload}
        frames |= staffing.frames("en")
    told_of_shadow = None
    if shadow is not None:
        candidate = ranked_by(*shadow)
        frames["shadow"] = shadow_frame(frames, candidate, date)
        told_of_shadow = shadow_summary(frames, candidate, shadow[0])
    shaped = {name: to_contract(_dated(frame, name, date), name) for name, frame in frames.items()}
    counts = _count(tables, shaped, lists, plan)
    return Results(
        program, tables, inputs, shaped, lists, flow(tables, program, date), contacts_due(tables, program, date),
        len(tasks), left_out, plan, problem, staffing, counts, told_of_shadow,
    )  # fmt: skip


def _allocate(
    tables: Tables, program: Program, ranked: pd.DataFrame, date: pd.Timestamp
) -> tuple[Plan | None, AllocationProblem | None, tuple[str, ...]]:
    """Allocate, or say which outputs the extract does not allow."""
    if not tables.has("case_managers"):
        return None, None, ("allocation", "unassigned", "workload", *STAFFING)
    problem = AllocationProblem.from_tables(tables, program, ranked, date)
    return allocate(problem, time_limit_s=ALLOCATION_SECONDS, random_state=0), problem, ()


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
        "step_downs_to_review": int(frames["risk"]["review_step_down"].fillna(False).sum()),
        "tiers_by_rule": int(frames["risk"]["tier_rule"].fillna("").str.startswith("rule ").sum()),
        "rules_left_open": int(frames["risk"]["unknown_inputs"].fillna("").ne("").sum()),
        "ranked": len(frames["waiting_list"]),
        "assess_first": len(frames["assess_first"]),
        "places": sum(one.places or 0 for one in lists),
        "proposed": int(frames["waiting_list"]["is_proposed"].fillna(False).sum()),
        "assigned": 0 if plan is None else len(plan.assignments),
        "unassigned": 0 if plan is None else len(plan.unassigned),
        "minutes_balanced": 0 if plan is None else int(plan.workload["minutes_after"].sum()),
        "warnings": {str(rule): int(n) for rule, n in tables.warnings.groupby("rule")["n"].sum().items()},
    }
