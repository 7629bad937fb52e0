"""From how things stand to the arrays that are searched, and back to ids."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from casestrat.allocation.moves.moving import Moving, State, Value, polished
from casestrat.allocation.moves.moving_model import SMALL_PAIRS, Allowance, MoveModel, Proven, prove
from casestrat.allocation.problem.instance import Instance, ask, canonical
from casestrat.allocation.solver.draft import NOBODY
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.allocation.moves.standing import Standing
    from casestrat.allocation.problem.problem import AllocationProblem
    from casestrat.allocation.solver.clock import Deadline

    Wholes: TypeAlias = NDArray[np.int64]


class Arrays:
    """The arrays of a problem in which everybody may move, and the way back to its ids.

    Parameters
    ----------
    standing : Standing
        How things stand.
    problem : AllocationProblem
        The standing's problem, or the same with more minutes.
    """

    def __init__(self, standing: Standing, problem: AllocationProblem) -> None:
        self.asked = ask(problem)
        self.instance: Instance = canonical(problem, self.asked)
        self.problem = problem
        self.moving = self._moving(standing)

    def _moving(self, standing: Standing) -> Moving:
        instance, cases = self.instance, standing.cases
        forced = cases["why_forced"].notna().to_numpy()[instance.case_rows]
        home = np.where(forced, NOBODY, self.plan_of(cases["holder"]))
        kept = cases["is_kept"].to_numpy(dtype=bool)[instance.case_rows]
        there, number = instance.loads(home), instance.counts(home)
        is_closed = (there > instance.capacity) | (number > instance.slots)
        limit = np.where(is_closed, np.maximum(there, instance.capacity), instance.capacity)
        places = np.where(is_closed, np.maximum(number, instance.slots), instance.slots)
        return Moving(instance, home, ~forced & ~kept, limit.astype(np.int64), places.astype(np.int64), is_closed)

    def plan_of(self, holder: pd.Series) -> Wholes:
        """Return a plan in the order of the arrays from who has each case, in the order of the problem's cases."""
        place = np.empty(len(self.instance.cm_rows), dtype=np.int64)
        place[self.instance.cm_rows] = np.arange(len(place))
        row_of = pd.Series(place, index=self.problem.case_managers["cm_id"])
        rows = holder.map(row_of).fillna(NOBODY).to_numpy(dtype=np.int64)
        return np.asarray(rows[self.instance.case_rows], dtype=np.int64)

    def holders(self, plan: Wholes) -> pd.Series:
        """Return who has each case, in the order of the problem's cases, from a plan in the order of the arrays."""
        names = np.array([*self.problem.case_managers["cm_id"], None], dtype=object)
        at = np.where(plan >= 0, np.append(self.instance.cm_rows, NOBODY)[plan], NOBODY)
        held = np.empty(len(plan), dtype=object)
        held[self.instance.case_rows] = names[at]
        return pd.Series(held, dtype=TEXT)


def proven(
    model: MoveModel, plans: list[Wholes], values: list[Value], effort: Allowance
) -> tuple[list[Wholes], list[Value], list[Value]]:
    """Return the plans of a small problem after whole-number optimisation; none is worse than the one before.

    Parameters
    ----------
    model : MoveModel
        Kinds and pairs; few of them.
    plans : list of numpy.ndarray
        One plan per budget, from 0.
    values : list of Value
        What each is worth.
    effort : Allowance
        What may be done; used up.

    Returns
    -------
    tuple of list, list and list
        Plans, values, and the bound of each value, 0 where a level was not proven.
    """
    is_small = model.n_pairs <= SMALL_PAIRS
    levels = ("left", "peak", "squares") if is_small else ("left", "peak")
    better: list[Wholes] = []
    bounds: list[Value] = []
    values = list(values)
    last = _proven_one(model, plans[-1], len(plans) - 1, effort, levels)
    plans = [*plans[:-1], last.plan]
    for budget, plan in enumerate(plans):
        if better and values[budget - 1].is_below(values[budget]):
            plan = better[-1]
        bound = last.bound
        if last.bound.is_below(State(model.moving, plan).value()):
            bound = Value(last.bound.left, 0.0, 0.0)  # later levels' bounds hold for the last budget alone
            if not effort.is_spent:
                found, proved = _proven_one(model, plan, budget, effort, levels)
                is_taken = _is_no_worse(model.moving, found, better[-1] if better else plan)
                plan, bound = (found, proved) if is_taken else (plan, Value(proved.left, proved.peak, 0.0))
        better.append(plan)
        bounds.append(bound)
        values[budget] = State(model.moving, plan).value()
    return better, values, bounds


def with_more_placed(
    model: MoveModel, plans: list[Wholes], values: list[Value], budgets: tuple[int, ...], deadline: Deadline
) -> tuple[list[Wholes], list[Value]]:
    """Return the plans after whole-number optimisation of level 1 alone, under a few budgets, in a large problem.

    Parameters
    ----------
    model : MoveModel
        Kinds and pairs.
    plans : list of numpy.ndarray
        One plan per budget, from 0.
    values : list of Value
        What each is worth.
    budgets : tuple of int
        Those to work on, the most wanted first.
    deadline : Deadline
        Moment at which to stop in any case.

    Returns
    -------
    tuple of list and list
        Plans and values; none is worse than the one before.
    """
    moving, plans, values = model.moving, list(plans), list(values)
    hopeless = float(moving.instance.priority[moving.is_forced & moving.instance.hopeless].sum())
    for budget in budgets:
        if values[budget].left > hopeless and not deadline.is_over():
            found = prove(model, plans[budget], budget, Allowance(np.inf, deadline), ("left",)).plan
            plans[budget] = polished(moving, found, budget, deadline)
            values[budget] = State(moving, plans[budget]).value()
    for budget in range(1, len(plans)):
        if not values[budget].is_below(values[budget - 1]):
            plans[budget], values[budget] = plans[budget - 1], values[budget - 1]
    return plans, values


def _proven_one(model: MoveModel, plan: Wholes, budget: int, effort: Allowance, levels: tuple[str, ...]) -> Proven:
    """Improve one plan; where squares are not proven, the search goes on from the peak that is."""
    found = prove(model, plan, budget, effort, levels)
    if "squares" in levels:
        return found
    return found._replace(plan=polished(model.moving, found.plan, budget, effort.deadline))


def _is_no_worse(moving: Moving, plan: Wholes, before: Wholes) -> bool:
    """Whether a plan is not above another in any value, once as many are left over."""
    new, old = State(moving, plan).value(), State(moving, before).value()
    return new.left < old.left - 1e-9 or not (new.peak > old.peak + 1e-12 or new.squares > old.squares + 1e-6)


def raised(problem: AllocationProblem, agreed: pd.DataFrame, used: set[str]) -> AllocationProblem:
    """Return the problem with the agreed minutes, and cases, added where they are used.

    Parameters
    ----------
    problem : AllocationProblem
        The problem.
    agreed : pandas.DataFrame
        Checked overloads.
    used : set of str
        Case managers whose overload is in force.

    Returns
    -------
    AllocationProblem
        The problem itself where nobody's is.
    """
    if not used:
        return problem
    more = agreed[agreed["cm_id"].isin(used)].set_index("cm_id")
    staff = problem.case_managers
    minutes, cases = (
        staff["cm_id"].map(more[name]).fillna(0).astype("Int64") for name in ("limit_minutes", "limit_cases")
    )
    return replace(
        problem,
        case_managers=staff.assign(
            capacity_minutes=staff["capacity_minutes"] + minutes,
            max_cases=staff["max_cases"] + cases,  # who has no limit keeps none
        ),
    )
