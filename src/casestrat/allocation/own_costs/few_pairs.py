"""Plans at least cost on few pairs: the pairs that prices speak for, for everyone at once or a group at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy import sparse

from casestrat.allocation.own_costs.knapsacks import best_values
from casestrat.allocation.solver.partition import choose

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.allocation.own_costs.case_prices import Menu
    from casestrat.allocation.own_costs.knapsacks import Costs
    from casestrat.allocation.solver.clock import Deadline
    from casestrat.allocation.solver.partition import Choice

    Flags: TypeAlias = NDArray[np.bool_]
    Numbers: TypeAlias = NDArray[np.float64]
    Wholes: TypeAlias = NDArray[np.int64]

_EASE = 1e-6
_SAFE = 0.6  # share of the seconds left that a search is given: the solver may overrun them
_LISTED = 2_000  # groups listed; of more, so many are drawn
_NODES_A_ROUND = 600  # times cases


def deal_on(
    costs: Costs, pairs: Flags, cases: Wholes, among: Wholes, nodes: int, deadline: Deadline
) -> tuple[Wholes | None, Choice]:
    """Return who of a group gets each of some cases, at least cost on the given pairs; and what the solver said.

    Parameters
    ----------
    costs : Costs
        The problem; the group's whole room is for these cases.
    pairs : numpy.ndarray of bool, shape (n, m)
        Pairs to choose from.
    cases, among : numpy.ndarray of int
        The cases and the case managers.
    nodes : int
        Most nodes of the search tree.
    deadline : Deadline
        A safety beside it.

    Returns
    -------
    tuple of numpy.ndarray of int (or None) and Choice
        Case manager of each of the cases, None where nothing was found; and the solver's answer.
    """
    rows, columns = np.nonzero(pairs[np.ix_(cases, among)])
    n, m, number = len(cases), len(among), np.arange(len(rows))
    weight = costs.weight[cases[rows], among[columns]].astype(np.float64)
    matrix = sparse.csc_array(
        (np.concatenate([np.ones(len(rows)), weight]), (np.concatenate([rows, n + columns]), np.tile(number, 2))),
        shape=(n + m, len(rows)),
    )
    room = costs.room[among].astype(np.float64)
    low, high = np.concatenate([np.ones(n), np.zeros(m)]), np.concatenate([np.ones(n), room])
    found = choose(
        matrix, costs.cost[cases[rows], among[columns]], low, high, nodes, _SAFE * deadline.left, deadline.clock
    )
    if found.taken is None or not np.array_equal(rows[found.taken], np.arange(n)):
        return None, found
    return among[columns[found.taken]], found


def on_pairs(costs: Costs, plan: Wholes, pairs: Flags, nodes: int, deadline: Deadline) -> tuple[Wholes, float]:
    """Return the plan, or a better one on the given pairs; and a bound on any plan on these.

    Parameters
    ----------
    costs : Costs
        The problem.
    plan : numpy.ndarray of int, shape (n,)
        Case manager of each case.
    pairs : numpy.ndarray of bool, shape (n, m)
        Pairs to choose from.
    nodes : int
        Most nodes of the search tree.
    deadline : Deadline
        Moment at which to stop in any case.

    Returns
    -------
    tuple of numpy.ndarray of int and float
        A plan, no dearer; the bound is infinite where the pairs allow no plan.
    """
    new, found = deal_on(costs, pairs, np.arange(costs.n), np.arange(costs.m), nodes, deadline)
    return cheaper(costs, plan, new), found.bound


def cheaper(costs: Costs, plan: Wholes, new: Wholes | None) -> Wholes:
    """Return the new plan where it keeps everyone's room and costs less, and the old one otherwise.

    Parameters
    ----------
    costs : Costs
        The problem.
    plan, new : numpy.ndarray of int, shape (n,)
        Case manager of each case.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        One of the two.
    """
    is_better = new is not None and costs.fits(new) and costs.value(new) < costs.value(plan) - _EASE
    return new if is_better and new is not None else plan


@dataclass(slots=True)
class Budget:
    """What is left of a search: rounds (groups and their nodes), most nodes of each, and the clock's deadline."""

    rounds: float
    nodes: int
    deadline: Deadline

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left."""
        return self.rounds <= 0 or self.deadline.is_over()


def deal_group(costs: Costs, plan: Wholes, pairs: Flags, among: Wholes, budget: Budget) -> Wholes | None:
    """Return the plan with the cases of one group dealt anew among the group, or None where nothing was found.

    Parameters
    ----------
    costs : Costs
        The problem.
    plan : numpy.ndarray of int, shape (n,)
        Case manager of each case.
    pairs : numpy.ndarray of bool, shape (n, m)
        Pairs to choose from, beside those of the plan.
    among : numpy.ndarray of int
        The group.
    budget : Budget
        A round is taken off, and more for nodes.

    Returns
    -------
    numpy.ndarray of int or None
        A plan, which may be dearer.
    """
    cases = np.flatnonzero(np.isin(plan, among))
    open_pairs = pairs.copy()
    open_pairs[cases, plan[cases]] = True
    dealt, found = deal_on(costs, open_pairs, cases, among, budget.nodes, budget.deadline)
    budget.rounds -= 1 + found.nodes * len(cases) / _NODES_A_ROUND
    if dealt is None:
        return None
    new = plan.copy()
    new[cases] = dealt
    return new


def group_by_group(
    costs: Costs, plan: Wholes, pairs: Flags, prices: Numbers, size: int, budget: Budget, rng: np.random.Generator
) -> Wholes:
    """Return the plan after groups of case managers were dealt their cases anew, until no group gains.

    What a group can gain is at most what its caseloads cost above the best ones at the prices; the group with the most
    to gain comes first.

    Parameters
    ----------
    costs : Costs
        The problem.
    plan : numpy.ndarray of int, shape (n,)
        Case manager of each case.
    pairs : numpy.ndarray of bool, shape (n, m)
        Pairs to choose from, beside those of the plan.
    prices : numpy.ndarray of float, shape (n,)
        What placing each case is worth.
    size : int
        Case managers of a group.
    budget : Budget
        What may be done; used up.
    rng : numpy.random.Generator
        Settles which groups are listed where there are many.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        A plan, no dearer.
    """
    groups = _groups(costs.m, size, rng)
    least = best_values(costs, prices)
    gain, is_open = _gains(costs, plan, prices, least), np.ones(len(groups), dtype=bool)
    while is_open.any() and not budget.is_spent:
        possible = np.where(is_open, gain[groups].sum(axis=1), -np.inf)
        at = int(np.argmax(possible))
        if possible[at] <= _EASE:
            break
        is_open[at] = False
        better = cheaper(costs, plan, deal_group(costs, plan, pairs, groups[at], budget))
        if better is not plan:
            changed = np.zeros(costs.m, dtype=bool)
            changed[plan[plan != better]] = changed[better[plan != better]] = True
            is_open |= changed[groups].any(axis=1)
            is_open[at] = False
            plan, gain = better, _gains(costs, better, prices, least)
    return plan


def _gains(costs: Costs, plan: Wholes, prices: Numbers, least: Numbers) -> Numbers:
    """How much each caseload of a plan is above the best one at the prices."""
    cases = np.arange(costs.n)
    return np.bincount(plan, weights=costs.cost[cases, plan] - prices, minlength=costs.m) - least


def kicked(
    costs: Costs, plan: Wholes, pairs: Flags, size: int, noise: float, budget: Budget, rng: np.random.Generator
) -> Wholes:
    """Return the plan after one group was dealt anew at costs that are a little wrong: a way out of a dead end.

    Parameters
    ----------
    costs : Costs
        The problem.
    plan : numpy.ndarray of int, shape (n,)
        Case manager of each case.
    pairs : numpy.ndarray of bool, shape (n, m)
        Pairs to choose from, beside those of the plan.
    size : int
        Case managers of the group.
    noise : float
        Most that is added to a cost.
    budget : Budget
        A round is taken off, and more for nodes.
    rng : numpy.random.Generator
        Settles the group and the noise.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        A plan within everyone's room, mostly dearer.
    """
    wrong = replace(costs, cost=costs.cost + noise * rng.random(costs.cost.shape))
    among = np.sort(rng.choice(costs.m, size, replace=False))
    new = deal_group(wrong, plan, pairs, among, budget)
    return new if new is not None and costs.fits(new) else plan


def _groups(m: int, size: int, rng: np.random.Generator) -> Wholes:
    """List groups: all of them, or some that are drawn where they are many."""
    if comb(m, size) <= _LISTED:
        return np.array(list(combinations(range(m), size)), dtype=np.int64).reshape(-1, size)
    drawn = np.argsort(rng.random((_LISTED, m)), axis=1, kind="stable")[:, :size]
    return np.unique(np.sort(drawn, axis=1), axis=0).astype(np.int64)


def from_menu(costs: Costs, plan: Wholes, menu: Menu, nodes: int, deadline: Deadline) -> tuple[Wholes, float]:
    """Return the plan, or a better one out of whole caseloads; and a bound on any plan out of these.

    Parameters
    ----------
    costs : Costs
        The problem.
    plan : numpy.ndarray of int, shape (n,)
        Case manager of each case; its caseloads are added to the menu.
    menu : Menu
        Caseloads to choose from, at most one per case manager, so that every case is in one.
    nodes : int
        Most nodes of the search tree.
    deadline : Deadline
        Moment at which to stop in any case.

    Returns
    -------
    tuple of numpy.ndarray of int and float
        A plan, no dearer.
    """
    menu.add_taken(plan[:, None] == np.arange(costs.m))
    matrix, value = menu.columns()
    n, m = costs.n, costs.m
    low, high = np.concatenate([np.ones(n), np.zeros(m)]), np.ones(n + m)
    found = choose(matrix, value, low, high, nodes, _SAFE * deadline.left, deadline.clock)
    if found.taken is None:
        return plan, found.bound
    new = np.full(n, -1, dtype=np.int64)
    for at in np.flatnonzero(found.taken):
        new[menu.cases[at]] = menu.managers[at]
    return cheaper(costs, plan, new), found.bound
