"""Place every case at least cost, where costs were brought along: prices, few pairs, groups, whole caseloads.

Effort is counted in steps, rounds and nodes that the time limit sets beforehand; the clock only ends a search that
takes longer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from casestrat.allocation.own_costs.case_prices import Menu, by_caseloads, by_steps
from casestrat.allocation.own_costs.few_pairs import Budget, cheaper, from_menu, group_by_group, kicked, on_pairs
from casestrat.allocation.own_costs.knapsacks import Costs, best_caseloads, forced_costs
from casestrat.allocation.problem.objective import FIT
from casestrat.allocation.solver.bounds import relaxed_bound
from casestrat.allocation.solver.draft import Draft
from casestrat.allocation.solver.exact import is_inside
from casestrat.allocation.solver.fitting import descend, rounded
from casestrat.allocation.solver.relaxation import build, minute_unit, solve_relaxation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.allocation.problem.instance import Instance
    from casestrat.allocation.solver.clock import Deadline
    from casestrat.allocation.solver.relaxation import Limits

    Numbers: TypeAlias = NDArray[np.float64]
    Wholes: TypeAlias = NDArray[np.int64]

_FEWEST_PAIRS, _MOST_PAIRS = 200, 400_000  # between which this way is taken
_MOST_CELLS = 60_000_000  # cases times steps of room, all case managers together, likewise
_STEPS, _MOST_STEPS = 15_000, 300  # of the prices, times pairs, a second of time limit
_FEW = 8  # cases a case manager up to which whole caseloads make the prices
_ROUNDS, _EACH = 20, 60  # of generating caseloads, and caseloads a round and case manager
_MENU, _MENU_NODES = 2_400, 10  # caseloads to choose from
_CORE_CASES = 2.5  # pairs a case in the core
_OPEN_CASES = 3  # likewise, where they are to prove a bound
_CORE_NODES, _OPEN_NODES = 3.0, 6.0  # a second of time limit
_GROUP_CASES = 30  # cases dealt anew together
_GROUP_ROUNDS, _GROUP_NODES = 6.0, 150  # a second of time limit; of each
_TRIES = 8  # pairs a case open to a group


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A plan, and the bound that no plan can beat."""

    plan: Wholes
    bound: float


def place(
    instance: Instance, limits: Limits, plan: Wholes, time_limit_s: float, deadline: Deadline, rng: np.random.Generator
) -> Placed | None:
    """Return a plan at little cost, and the bound; None where the general way is the better one.

    The general way is for cases left over (who could be exchanged as well), for problems so small that they are solved
    as a whole, and for those too large for one price a case.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    limits : Limits
        What earlier levels have settled; nobody may be left over who can be placed.
    plan : numpy.ndarray of int, shape (n,)
        A plan within the limits; with a case left over, the answer is None.
    time_limit_s : float
        Decides how many steps are taken.
    deadline : Deadline
        Moment at which to stop in any case.
    rng : numpy.random.Generator
        Settles which groups are tried.

    Returns
    -------
    Placed or None
        A plan within the limits.
    """
    if limits.left != 0.0 or not _FEWEST_PAIRS < instance.n_pairs <= _MOST_PAIRS:
        return None
    able, unit = np.flatnonzero(~instance.hopeless), minute_unit(instance)
    if (plan[able] < 0).any():
        return None
    room = np.maximum(limits.load - instance.before, 0) // unit
    weight = instance.weight[instance.group[able]] // unit
    if len(able) * int(np.minimum(room, weight.max(axis=1).sum()).sum()) > _MOST_CELLS:
        return None
    start = _started(instance, limits, plan, deadline)
    costs = Costs(np.where(instance.allowed, instance.cost, np.inf)[instance.group[able]], weight, room)
    placing = Placing(costs, start.plan[able], time_limit_s, deadline, rng)
    found = placing.run(start.prices[instance.group[able]], start.bound)
    new = plan.copy()
    new[able] = found.plan
    # a limit on the number of cases, or on one sort of them, is not in the arrays: its breach is rare here
    return Placed(new, found.bound) if is_inside(instance, limits, new) else None


@dataclass(frozen=True, slots=True, eq=False)
class _Start:
    """A plan to begin with, a price of a case by class, and the bound of the linear relaxation."""

    plan: Wholes
    prices: Numbers
    bound: float


def _started(instance: Instance, limits: Limits, plan: Wholes, deadline: Deadline) -> _Start:
    """Solve the linear relaxation and round it."""
    plan = descend(Draft(instance, plan, limits.load), limits)
    bound, minutes = relaxed_bound(instance, FIT, limits, None), np.zeros(instance.m)
    model = build(instance, FIT, limits)
    fractions = solve_relaxation(model, max(deadline.left, 1.0), deadline.clock)
    if fractions is not None:
        minutes = fractions.prices.minutes
        bound = max(bound, relaxed_bound(instance, FIT, limits, fractions.prices))
        other = rounded(model, fractions)
        if is_inside(instance, limits, other):
            other = descend(Draft(instance, other, limits.load), limits)
            plan = other if instance.fit_value(other) < instance.fit_value(plan) else plan
    priced = np.where(instance.allowed, instance.cost + minutes * instance.weight, np.inf)
    prices = priced.min(axis=1, initial=np.inf)
    return _Start(plan, np.where(np.isfinite(prices), prices, 0.0), bound)


class Placing:
    """Betters a plan step by step.

    Parameters
    ----------
    costs : Costs
        The problem.
    plan : numpy.ndarray of int, shape (n,)
        Case manager of each case; within everyone's room.
    time_limit_s : float
        Decides how many steps are taken.
    deadline : Deadline
        Moment at which to stop in any case.
    rng : numpy.random.Generator
        Settles which groups are tried.
    """

    def __init__(
        self, costs: Costs, plan: Wholes, time_limit_s: float, deadline: Deadline, rng: np.random.Generator
    ) -> None:
        self.costs, self.plan = costs, plan
        self.time_limit_s, self.deadline, self.rng = time_limit_s, deadline, rng
        self.whole = bool(np.all(costs.cost[costs.allowed] == np.round(costs.cost[costs.allowed])))

    def run(self, prices: Numbers, bound: float) -> Placed:
        """Return a better plan and a better bound, from prices of the cases and a bound to begin with."""
        self.bound, self.tried, self.chosen = bound, np.inf, np.inf
        self.better_prices(prices)
        first = [self.choose_caseloads] if self.costs.n <= _FEW * self.costs.m else [self.on_core, self.on_open_pairs]
        for work in (*first, self.by_groups, self.on_open_pairs, self.choose_caseloads):
            if not self.is_closed:
                work()
        return Placed(self.plan, self.bound)

    @property
    def is_closed(self) -> bool:
        """Whether no plan can be better."""
        return self.costs.value(self.plan) <= self.bound + 1e-7 * max(abs(self.bound), 1.0)

    def raise_bound(self, bound: float) -> None:
        """Note a bound, rounded up where all costs are whole."""
        raised = float(np.ceil(bound - 1e-6 - 1e-9 * abs(bound))) if self.whole and np.isfinite(bound) else bound
        self.bound = max(self.bound, raised)

    def better_prices(self, prices: Numbers) -> None:
        """Prices by steps, and by caseloads where each case manager has few cases."""
        costs = self.costs
        steps = min(int(_STEPS * self.time_limit_s / (costs.n * costs.m)) + 1, _MOST_STEPS)
        priced = by_steps(costs, prices, costs.value(self.plan), steps, self.deadline)
        if costs.n <= _FEW * costs.m:
            rounds = int(np.ceil(_ROUNDS * min(1.0, self.time_limit_s / 10)))
            priced = by_caseloads(costs, priced, Menu(costs), rounds, _EACH, self.deadline)
        self.priced = priced
        self.raise_bound(priced.bound)
        self.rise = forced_costs(costs, priced.prices)
        least = min(max(2, round(_GROUP_CASES * costs.m / costs.n)), costs.m)
        dearer = min(1.0, (1.2 * _GROUP_CASES * costs.m / (least * costs.n)) ** 2)
        rounds = int(_GROUP_ROUNDS * self.time_limit_s * dearer) + 1
        nodes = int(_GROUP_NODES * min(1.0, _GROUP_CASES * costs.m / (least * costs.n))) + 1
        self.size, self.budget = least, Budget(rounds, nodes, self.deadline)

    def on_core(self) -> None:
        """Everyone at once, on the pairs that raise the bound the least."""
        costs = self.costs
        least = np.sort(self.rise, axis=None)[: int(_CORE_CASES * costs.n)]
        pairs = (self.rise <= least[-1]) & np.isfinite(self.rise)
        self.plan, _ = on_pairs(costs, self.plan, pairs, self.nodes(_CORE_NODES), self.deadline)

    def on_open_pairs(self) -> None:
        """Everyone at once, on all pairs that a better plan could have, where they are few: this proves a bound."""
        costs = self.costs
        pairs = (self.rise <= self.within) & np.isfinite(self.rise)
        if self.within >= self.tried or pairs.sum() > _OPEN_CASES * costs.n:
            return
        self.tried = self.within
        self.plan, bound = on_pairs(costs, self.plan, pairs, self.nodes(_OPEN_NODES), self.deadline)
        self.raise_bound(min(bound, costs.value(self.plan)))

    @property
    def within(self) -> float:
        """Return how far a better plan can be above the bound that the prices prove."""
        return self.costs.value(self.plan) - (1.0 - 1e-6 if self.whole else 0.0) - self.priced.bound

    def nodes(self, a_second: float) -> int:
        """Return the nodes of a search over everyone at once."""
        return int(a_second * self.time_limit_s * min(1.0, 200 / self.costs.n)) + 1

    def by_groups(self) -> None:
        """Deal groups of case managers anew: small ones, then larger ones, then again after a kick."""
        costs, rise = self.costs, self.rise
        rank = np.argsort(np.argsort(rise, axis=1, kind="stable"), axis=1)
        pairs = np.isfinite(rise) & (rank < _TRIES)
        second = np.sort(rise, axis=1)[:, min(1, costs.m - 1)]
        noise = float(np.median(second[np.isfinite(second)])) if np.isfinite(second).any() else 0.0
        budget = replace(self.budget)
        plan = self.plan
        while not self.is_closed and not budget.is_spent:
            for size in range(max(2, self.size - 1), min(self.size + 1, costs.m) + 1):
                plan = group_by_group(costs, plan, pairs, self.priced.prices, size, budget, self.rng)
            self.plan = cheaper(costs, self.plan, plan)
            if costs.m <= self.size:
                break
            plan = kicked(costs, self.plan, pairs, self.size, noise, budget, self.rng)

    def choose_caseloads(self) -> None:
        """Choose among all caseloads that a better plan could have, where they are few enough to list."""
        costs, menu = self.costs, Menu(self.costs)
        if self.within >= self.chosen:
            return
        self.chosen, is_complete = self.within, True
        for manager in range(costs.m):
            listed = best_caseloads(costs, self.priced.prices, manager, _MENU // costs.m, self.within)
            is_complete &= len(listed) < _MENU // costs.m
            menu.add(manager, listed)
        if is_complete or costs.n <= _FEW * costs.m:
            self.plan, bound = from_menu(costs, self.plan, menu, _MENU_NODES, self.deadline)
            if is_complete:
                self.raise_bound(min(bound, costs.value(self.plan)))
