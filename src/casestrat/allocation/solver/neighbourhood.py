"""A few case managers at a time: their cases are dealt out anew, exactly, while everyone else's stay where they are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.sparse import csr_array

from casestrat.allocation.problem.objective import FIT, LARGEST, UNASSIGNED, largest_utilisation, sum_of_squares
from casestrat.allocation.solver.bounds import is_closed
from casestrat.allocation.solver.draft import NOBODY
from casestrat.allocation.solver.exact import Effort, is_inside, optimise
from casestrat.allocation.solver.relaxation import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from casestrat.allocation.problem.instance import Instance

    Numbers: TypeAlias = NDArray[np.float64]
    Wholes: TypeAlias = NDArray[np.int64]

GROUP = 6  # case managers whose cases are dealt out together
_ROUND_PAIRS = 50  # of class and case manager that one round is meant for
_LEFT = 16  # cases left over that are dealt out with them, those of greatest priority


def level_value(instance: Instance, level: str, plan: Wholes) -> float:
    """Return the value of one level of a plan.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    level : str
        One of the four levels.
    plan : numpy.ndarray of int, shape (n,)
        Case manager of each case, -1 for nobody.

    Returns
    -------
    float
        Smaller is better.
    """
    if level == UNASSIGNED:
        return instance.unassigned_value(plan)
    if level == FIT:
        return instance.fit_value(plan)
    measure = largest_utilisation if level == LARGEST else sum_of_squares
    return measure(instance.loads(plan), instance.capacity)


def is_better(instance: Instance, level: str, new: Wholes, old: Wholes) -> bool:
    """Return whether a plan beats another on a level by more than rounding.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    level : str
        One of the four levels.
    new, old : numpy.ndarray of int, shape (n,)
        The plans.

    Returns
    -------
    bool
        True where the first is better.
    """
    value = level_value(instance, level, old)
    return level_value(instance, level, new) < value - 1e-9 * max(1.0, abs(value))


def deal_anew(
    instance: Instance,
    level: str,
    limits: Limits,
    plan: Wholes,
    floor: float,
    rounds: float,
    effort: Effort,
    rng: np.random.Generator,
) -> Wholes:
    """Return the plan after a number of small groups of case managers were dealt their cases anew.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    level : str
        The level to better.
    limits : Limits
        What earlier levels have settled.
    plan : numpy.ndarray of int, shape (n,)
        A plan within the limits.
    floor : float
        A bound on the level; a plan that meets it ends the search.
    rounds : float
        Most groups to try; a large group counts as several.
    effort : Effort
        Nodes of each, and the moment at which to stop all of them.
    rng : numpy.random.Generator
        Settles which groups are tried once the promising ones are through.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        A plan within the limits, no worse on the level.
    """
    links = _links(instance)
    failed: set[bytes] = set()
    while rounds > 0:
        if is_closed(level_value(instance, level, plan), floor):
            break
        among = next((g for g in _groups(instance, level, plan, links, rng) if g.tobytes() not in failed), None)
        if among is None or effort.deadline.is_over(0.2):
            break
        rounds -= max(1.0, _pairs_of(instance, plan, among) / _ROUND_PAIRS)
        new = deal(instance, level, limits, plan, among, effort)
        if new is not None and is_inside(instance, limits, new) and is_better(instance, level, new, plan):
            plan = new
            failed.clear()
        else:
            failed.add(among.tobytes())
    return plan


def _pairs_of(instance: Instance, plan: Wholes, among: Wholes) -> int:
    """Count the pairs of the classes that a group of case managers has with the group."""
    held = np.unique(instance.group[np.isin(plan, among)])
    return int(instance.allowed[np.ix_(held, among)].sum())


def _links(instance: Instance) -> Numbers:
    """Count the cases that each two case managers could both follow."""
    groups, managers = np.nonzero(instance.allowed)
    shape = instance.allowed.shape
    reach = csr_array((np.ones(len(groups)), (groups, managers)), shape)
    held = csr_array((instance.sizes[groups].astype(np.float64), (groups, managers)), shape)
    links: Numbers = (reach.T @ held).toarray()
    np.fill_diagonal(links, 0.0)
    return links


def _groups(instance: Instance, level: str, plan: Wholes, links: Numbers, rng: np.random.Generator) -> Iterator[Wholes]:
    """List groups of case managers worth trying, the most promising first, then some at random."""
    load = instance.loads(plan)
    use = np.where(instance.capacity > 0, load / np.maximum(instance.capacity, 1), 1.0)
    if level == UNASSIGNED:
        left = np.flatnonzero((plan == NOBODY) & ~instance.hopeless)
        for case in left[np.argsort(-instance.priority[left], kind="stable")][:20]:
            able = np.flatnonzero(instance.allowed[instance.group[case]])
            yield _grown(able[np.argsort(use[able], kind="stable")][:4], links * (1.001 - np.minimum(use, 1.0)))
            yield _grown(able[:2], links)
    elif level == FIT:
        yield from _regretful(instance, plan, links)
    else:
        for peak in np.argsort(-use, kind="stable")[:3]:
            yield _grown(np.array([peak]), (links > 0) * (1.001 + use[peak] - use))
            yield _grown(np.array([peak]), links)
    for _ in range(20):
        yield _grown(rng.integers(0, instance.m, 1), links * rng.random(instance.m))


def _regretful(instance: Instance, plan: Wholes, links: Numbers) -> Iterator[Wholes]:
    """List groups around the case managers whose cases would cost less elsewhere, the dearest first."""
    placed = np.flatnonzero(plan >= 0)
    groups, holders = instance.group[placed], plan[placed]
    costs = np.where(instance.allowed, instance.cost, np.inf)[groups]
    regret = instance.cost[groups, holders] - costs.min(axis=1)
    wanted = costs.argmin(axis=1)
    flow = np.zeros((instance.m, instance.m))
    np.add.at(flow, (holders, wanted), regret)
    both = flow + flow.T
    for holder in np.argsort(-flow.sum(axis=1), kind="stable"):
        if flow[holder].sum() > 0:
            yield _grown(np.array([holder]), both + 1e-6 * links)
            yield _grown(np.array([holder]), both * (links > 0) + 0.05 * links)


def _grown(seed: Wholes, closeness: Numbers) -> Wholes:
    """Grow a group from its first members by those closest to them."""
    group = list(dict.fromkeys(int(manager) for manager in seed))
    while len(group) < min(GROUP, len(closeness)):
        near = closeness[group].sum(axis=0)
        near[group] = -1.0
        best = int(np.argmax(near))
        if near[best] <= 0:
            break
        group.append(best)
    return np.array(sorted(group), dtype=np.int64)


def deal(instance: Instance, level: str, limits: Limits, plan: Wholes, among: Wholes, effort: Effort) -> Wholes | None:
    """Deal the cases of a group of case managers out anew, all of them again to the same group.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    level : str
        The level to better.
    limits : Limits
        What earlier levels have settled.
    plan : numpy.ndarray of int, shape (n,)
        A plan within the limits.
    among : numpy.ndarray of int
        The group.
    effort : Effort
        How much to do.

    Returns
    -------
    numpy.ndarray of int or None
        A plan, shape (n,); None where nothing was found.
    """
    mine = np.isin(plan, among)
    if level == UNASSIGNED:
        able = np.asarray(instance.allowed[:, among].any(axis=1))
        left = np.flatnonzero((plan == NOBODY) & able[instance.group])
        mine[left[np.argsort(-instance.priority[left], kind="stable")][:_LEFT]] = True
    cases = np.flatnonzero(mine)
    if len(cases) == 0:
        return None
    part, inside = _part(instance, limits, plan, cases, among)
    place = np.full(instance.m + 1, NOBODY, dtype=np.int64)
    place[among] = np.arange(len(among))
    floor = largest_utilisation(part.before, part.capacity)
    rest = np.delete(np.arange(instance.m), among)
    others = largest_utilisation(instance.loads(plan)[rest], instance.capacity[rest])
    found = optimise(part, level, inside, place[plan[cases]], max(floor, others if level == LARGEST else 0.0), effort)
    if found.plan is None:
        return None
    new = plan.copy()
    new[cases] = np.where(found.plan >= 0, among[np.maximum(found.plan, 0)], NOBODY)
    return new


def _part(instance: Instance, limits: Limits, plan: Wholes, cases: Wholes, among: Wholes) -> tuple[Instance, Limits]:
    """Cut out the problem of some cases and case managers alone, and what the limits leave them."""
    kept, group = np.unique(instance.group[cases], return_inverse=True)
    load = instance.loads(plan)
    rest = np.delete(np.arange(instance.m), among)
    squares = None
    if limits.squares is not None:
        squares = limits.squares - sum_of_squares(load[rest], instance.capacity[rest])
    part = replace(
        instance, case_rows=cases, cm_rows=among, group=group.reshape(-1), priority=instance.priority[cases],
        weight=instance.weight[np.ix_(kept, among)], allowed=instance.allowed[np.ix_(kept, among)],
        cost=instance.cost[np.ix_(kept, among)], capacity=instance.capacity[among], before=instance.before[among],
        free=instance.free[among], slots=instance.slots[among],
        mix=None if instance.mix is None else instance.mix.part(kept, among),
    )  # fmt: skip
    return part, Limits(limits.load[among], None if limits.left is None else 0.0, squares)
