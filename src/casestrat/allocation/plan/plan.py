"""A plan: who follows whom, who is left over and why, each case manager's workload, and how good each level is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from casestrat.allocation.plan.choices import NOBODY, Choices
from casestrat.allocation.plan.ledger import ledger
from casestrat.errors import UsageError
from casestrat.knowledge import FrozenMap, Sentence, load_wording, say_each
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from casestrat.allocation.problem.instance import Asked
    from casestrat.allocation.problem.problem import AllocationProblem
    from casestrat.allocation.solve import LevelResult

    Wholes: TypeAlias = NDArray[np.int64]

_TIERS = ("high", "medium", "low")
_CLOSED = 1e-7
_ASSIGNED = ["case_id", "person_id", "kind", "cm_id", "minutes", "is_new"]


@dataclass(frozen=True, eq=False, repr=False)
class Plan:
    """Who follows whom, and what is known of how good that is; made by :func:`casestrat.allocate`.

    Parameters
    ----------
    assignments : pandas.DataFrame
        One row per case with a case manager, by case_id: case_id, person_id, kind, cm_id, minutes, is_new, why,
        runner_up (the next best case manager with room, blank where there is none), as_of.
    unassigned : pandas.DataFrame
        One row per case without one, by case_id: case_id, person_id, kind, minutes, rule, reason, relaxation, as_of.
    workload : pandas.DataFrame
        One row per case manager, by cm_id (never a ranking): team, capacity_minutes, minutes_before, minutes_after,
        cases_before, cases_after, utilisation_before, utilisation_after, n_high, n_medium, n_low, as_of.
    levels : pandas.DataFrame
        One row per level, in order: level, value (of this plan), bound (no plan can be lower, given the levels
        before), gap (relative), is_optimal (proven; on the two values of level 2, up to the share ``delta`` by which
        level 3 may raise them).
    beside : Choices
        Who else could follow each case, worked out when it is asked for.
    sentences : mapping of str to mapping
        Column → case → what it says of the case, in no language yet.
    is_cut : bool
        Whether the time limit ended a search that had steps left, so that another run may find another plan.
    """

    assignments: pd.DataFrame
    unassigned: pd.DataFrame
    workload: pd.DataFrame
    levels: pd.DataFrame
    beside: Choices = field(repr=False)
    sentences: Mapping[str, Mapping[str, Sentence]] = field(default=FrozenMap())
    is_cut: bool = False

    @property
    def choices(self) -> pd.DataFrame:
        """One row per case to place and case manager whom the hard rules allow, made anew at every call.

        Where cases are many, ask for those of a few: ``plan.beside.of(case_ids)``.
        """
        return self.beside.every()

    def __repr__(self) -> str:
        open_gaps = self.levels.loc[~self.levels["is_optimal"], "level"].tolist()
        proof = "every level optimal" if not open_gaps else f"gap open at {', '.join(open_gaps)}"
        cut = "; cut by the time limit" if self.is_cut else ""
        return f"Plan({len(self.assignments)} cases assigned, {len(self.unassigned)} not; {proof}{cut})"

    def in_language(self, lang: str) -> Plan:
        """Return the same plan with its reasons in another language.

        Parameters
        ----------
        lang : {"en", "fr", "it"}
            The language of ``why``, ``reason`` and ``relaxation``; codes stay.

        Returns
        -------
        Plan
            The same cases and case managers.
        """
        wording = load_wording(lang)
        said = {column: say_each(sentences, wording) for column, sentences in self.sentences.items()}
        return replace(
            self,
            assignments=_with_words(self.assignments, said, ("why",)),
            unassigned=_with_words(self.unassigned, said, ("reason", "relaxation")),
        )

    def explain(self, case_id: str) -> pd.DataFrame:
        """Return who could follow a case, and what speaks against each.

        Parameters
        ----------
        case_id : str
            A case of the problem.

        Returns
        -------
        pandas.DataFrame
            One row per case manager that the hard rules allow, the chosen one first: cm_id, is_chosen, has_room,
            cost, missed (what the pair misses, in words), minutes, utilisation_after. For a case left over, one row
            with rule, reason and relaxation.

        Raises
        ------
        UsageError
            If no case has this id.

        Examples
        --------
        >>> from casestrat.allocation import AllocationProblem, allocate
        >>> plan = allocate(AllocationProblem(
        ...     cases=pd.DataFrame({"case_id": ["C1", "C2", "C3"], "minutes": [40, 60, 40]}),
        ...     case_managers=pd.DataFrame({"cm_id": ["CM1", "CM2"], "capacity_minutes": [100, 80]}),
        ... ))
        >>> plan.explain("C2")[["cm_id", "is_chosen", "has_room", "utilisation_after"]]
          cm_id  is_chosen  has_room  utilisation_after
        0   CM2       True      True               0.75
        1   CM1      False     False               1.40
        """
        left = self.unassigned[self.unassigned["case_id"] == case_id]
        if len(left):
            return left[["case_id", "rule", "reason", "relaxation"]].reset_index(drop=True)
        placed = self.assignments[self.assignments["case_id"] == case_id]
        if placed.empty:
            raise UsageError("no case has this id", where="argument `case_id`", do="take an id of `plan.assignments`")
        rows = self.beside.of([case_id])
        if rows.empty:  # a fixed case is not dealt out
            rows = placed.assign(is_chosen=True, has_room=True, cost=0.0, missed="", utilisation_after=np.nan)
        order = ["is_chosen", "has_room", "cost", "utilisation_after", "cm_id"]
        columns = ["cm_id", "is_chosen", "has_room", "cost", "missed", "minutes", "utilisation_after"]
        return rows.sort_values(order, ascending=[False, False, True, True, True], ignore_index=True)[columns]


def make_plan(problem: AllocationProblem, asked: Asked, plan: Wholes, levels: tuple[LevelResult, ...]) -> Plan:
    """Return the frames of a plan.

    Parameters
    ----------
    problem : AllocationProblem
        The checked problem.
    asked : Asked
        Its classes and the rules' answers.
    plan : numpy.ndarray of int
        Row of the case manager of each case to place, -1 for nobody, in the order of ``asked.rows``.
    levels : tuple of LevelResult
        Value and bound of each level.

    Returns
    -------
    Plan
        Frames in the types of the output contracts.
    """
    as_of = problem.first_day if problem.first_day is not None else pd.NaT
    load, count = _after(problem, asked, plan)
    beside = Choices(problem, asked, plan, load, count)
    stamp = pd.Series([as_of], dtype="datetime64[us]")
    assignments, why = _assignments(problem, asked, plan, beside)
    unassigned, told = ledger(problem, asked, plan)
    frames = [
        assignments.assign(why="")[[*_ASSIGNED, "why", "runner_up"]],
        unassigned.assign(reason="", relaxation=""),
        _workload(problem, asked, plan, load, count),
    ]
    for frame in frames:
        frame["as_of"] = stamp.repeat(len(frame)).to_numpy()
    sentences = {
        "why": why,
        "reason": {case: one.reason for case, one in told.items()},
        "relaxation": {case: one.relaxation for case, one in told.items()},
    }
    made = Plan(frames[0], frames[1], frames[2], _levels(levels), beside, sentences)
    return made.in_language("en")


def _with_words(frame: pd.DataFrame, said: Mapping[str, Mapping[str, str]], columns: tuple[str, ...]) -> pd.DataFrame:
    """Return a frame with what is said of each case."""
    words = {name: pd.array([said[name][case] for case in frame["case_id"]], dtype=TEXT) for name in columns}
    return frame.assign(**words)


def _after(problem: AllocationProblem, asked: Asked, plan: Wholes) -> tuple[Wholes, Wholes]:
    """Minutes and cases of each case manager under the plan."""
    load, count = problem.minutes_before.copy(), problem.cases_before.copy()
    placed = np.flatnonzero(plan >= 0)
    np.add.at(load, plan[placed], asked.weight[asked.group[placed], plan[placed]])
    np.add.at(count, plan[placed], 1)
    return load, count


def _assignments(
    problem: AllocationProblem, asked: Asked, plan: Wholes, beside: Choices
) -> tuple[pd.DataFrame, dict[str, Sentence]]:
    """List fixed cases with their lead, and placed cases with their case manager; and the reason of each."""
    cases, holder = problem.cases, _holders(problem, asked, plan)
    minutes = cases["minutes"].to_numpy(dtype=np.int64, copy=True)
    placed = np.flatnonzero(plan >= 0)
    minutes[asked.rows[placed]] = asked.weight[asked.group[placed], plan[placed]]
    runner = np.full(len(cases), NOBODY)
    runner[asked.rows] = beside.runners_up()
    at = np.flatnonzero(holder != NOBODY)
    names = np.append(problem.case_managers["cm_id"].to_numpy(dtype=object), "")  # nobody is the last
    fixed = cases["is_fixed"].to_numpy(dtype=bool)
    is_new = ~fixed[at] & (cases["cm_id"].to_numpy(dtype=object)[at] != names[holder[at]])
    rows = cases[["case_id", "person_id", "kind"]].iloc[at].reset_index(drop=True)
    rows["cm_id"] = pd.array(names[holder[at]], dtype=TEXT)
    rows["minutes"] = pd.array(minutes[at], dtype="Int64")
    rows["is_new"] = pd.array(is_new.astype(bool), dtype="boolean")
    rows["runner_up"] = pd.array(names[runner[at]], dtype=TEXT)
    kept = Sentence.of("allocation.why_kept")
    return rows, dict.fromkeys(cases["case_id"][fixed].tolist(), kept) | beside.reasons()


def _holders(problem: AllocationProblem, asked: Asked, plan: Wholes) -> Wholes:
    """Row of the case manager of each case of the problem, fixed or placed; -1 for nobody."""
    holder = np.full(len(problem.cases), NOBODY, dtype=np.int64)
    holder[asked.rows] = plan
    row_of = {cm_id: row for row, cm_id in enumerate(problem.case_managers["cm_id"])}
    fixed = np.flatnonzero(problem.cases["is_fixed"].to_numpy(dtype=bool))
    if len(fixed):
        holder[fixed] = [row_of[cm_id] for cm_id in problem.cases["cm_id"].iloc[fixed]]
    return holder


def _workload(problem: AllocationProblem, asked: Asked, plan: Wholes, load: Wholes, count: Wholes) -> pd.DataFrame:
    """Minutes and cases before and after, ordered by the id of the case manager."""
    staff, capacity = problem.case_managers, problem.capacity
    able = np.where(capacity > 0, capacity, 1)

    def share(minutes: Wholes) -> NDArray[np.float64]:
        return np.where(capacity > 0, minutes / able, np.nan)

    holder, tier = _holders(problem, asked, plan), problem.cases["tier"].to_numpy(dtype=object)
    held = holder != NOBODY
    numbers = {
        f"n_{name}": np.bincount(holder[held & np.array(tier == name, dtype=bool)], minlength=len(staff))
        for name in _TIERS
    }
    wholes = {
        "capacity_minutes": capacity, "minutes_before": problem.minutes_before, "minutes_after": load,
        "cases_before": problem.cases_before, "cases_after": count,
    }  # fmt: skip
    typed = {name: pd.array(values, dtype="Int64") for name, values in (wholes | numbers).items()}
    return pd.DataFrame({
        "cm_id": staff["cm_id"], "team": staff["team"], **{name: typed[name] for name in wholes},
        "utilisation_before": share(problem.minutes_before), "utilisation_after": share(load),
        **{name: typed[name] for name in numbers},
    })  # fmt: skip


def _levels(levels: tuple[LevelResult, ...]) -> pd.DataFrame:
    """Value, bound and gap of each level."""
    value = np.array([level.value for level in levels], dtype=np.float64)
    bound = np.array([level.bound for level in levels], dtype=np.float64)
    reached = np.array([level.reached for level in levels], dtype=np.float64)
    return pd.DataFrame({
        "level": pd.Series([level.level for level in levels], dtype=TEXT), "value": value, "bound": bound,
        "gap": _relative_gap(value, bound), "is_optimal": _relative_gap(reached, bound) == 0.0,
    })  # fmt: skip


def _relative_gap(value: NDArray[np.float64], bound: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of values above bounds, relative to the greater; 0 where it is rounding."""
    scale = np.maximum(np.maximum(np.abs(value), np.abs(bound)), 1e-9)
    gap = np.maximum(value - bound, 0.0) / scale
    return np.where(gap <= _CLOSED, 0.0, gap)
