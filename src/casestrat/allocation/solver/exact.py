"""Whole-number optimisation of one level by HiGHS, on counts of exchangeable cases.

The solver's word is not taken: its counts are turned into a plan, and the plan's values are computed again. Effort is
bounded by nodes, which are the same on every machine; seconds are only a safety.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from casestrat.allocation.problem.objective import FIT, LARGEST, SQUARES, largest_utilisation, sum_of_squares
from casestrat.allocation.solver.balance import peak_limit
from casestrat.allocation.solver.bounds import is_closed
from casestrat.allocation.solver.draft import NOBODY
from casestrat.allocation.solver.indices import in_32_bits
from casestrat.allocation.solver.relaxation import CountModel, Cut, Limits, build, cuts_at, minute_unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.allocation.problem.instance import Instance
    from casestrat.allocation.solver.clock import Deadline

    Numbers: TypeAlias = NDArray[np.float64]
    Wholes: TypeAlias = NDArray[np.int64]

_OPTIMAL, _INFEASIBLE = 0, 2  # status codes of scipy's milp
_TINY_PAIRS = 25  # up to which a level is searched to its end
_CUT_ROUNDS = 3
_PEAK_TRIES = 4
_TINY_ROUNDS = 12  # of either
_STEPS = (-13, -8, -5, -3, -2, -1, 0, 1, 2, 4, 7, 12)  # where squares are first held, in minute units from the load
_LEAST_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Effort:
    """How much a call may do: branch-and-bound nodes, and the moment at which to stop in any case."""

    nodes: int
    deadline: Deadline


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a search of one level found: a plan or none, the bound that was proven, and whether the search ended."""

    plan: Wholes | None
    bound: float = -np.inf
    is_complete: bool = False


_NOTHING = Outcome(None)


def optimise(instance: Instance, level: str, limits: Limits, plan: Wholes, floor: float, effort: Effort) -> Outcome:
    """Return the best plan of one level that the effort finds, within what earlier levels have settled.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    level : str
        One of the four levels.
    limits : Limits
        What earlier levels have settled.
    plan : numpy.ndarray of int, shape (n,)
        The best plan known, within the limits.
    floor : float
        A bound already proven.
    effort : Effort
        How much to do.

    Returns
    -------
    Outcome
        A plan inside the limits, not always better than the given one; and a valid bound.
    """
    if not instance.n_pairs or effort.deadline.is_over(_LEAST_SECONDS):
        return _NOTHING
    if level == LARGEST:
        return _lower_peak(instance, limits, plan, floor, effort)
    if level == SQUARES or (level == FIT and limits.squares is not None):
        return _with_cuts(instance, level, limits, plan, effort)
    return _solve(build(instance, level, limits), effort)


def _solve(model: CountModel, effort: Effort) -> Outcome:
    """Solve one model and turn its counts into a plan."""
    if effort.deadline.is_over(_LEAST_SECONDS):
        return _NOTHING
    rows = sparse.csc_array(sparse.vstack([model.a_ub, model.a_eq]))
    in_32_bits(rows)
    low = np.concatenate([np.full(len(model.b_ub), -np.inf), model.b_eq])
    high = np.concatenate([model.b_ub, model.b_eq])
    is_whole = np.zeros(len(model.c))
    is_whole[: model.n_pairs] = 1
    with effort.deadline.clock.watching(effort.deadline.left / 2) as seconds:  # HiGHS may overrun what it is given
        solved = milp(
            model.c, constraints=LinearConstraint(rows, low, high), bounds=Bounds(0, model.upper), integrality=is_whole,
            options={"time_limit": seconds, "node_limit": effort.nodes, "mip_rel_gap": 0.0},
        )  # fmt: skip
    if solved.status == _INFEASIBLE:
        return Outcome(None, np.inf, is_complete=True)
    bound = -np.inf if solved.mip_dual_bound is None else float(solved.mip_dual_bound)
    if solved.x is None:
        return Outcome(None, bound)
    counts = np.round(solved.x[: model.n_pairs]).astype(np.int64)
    return Outcome(spread(model, counts), bound, is_complete=solved.status == _OPTIMAL)


def spread(model: CountModel, counts: Wholes) -> Wholes:
    """Return the plan that counts stand for; of a class, those of least priority are left over.

    Parameters
    ----------
    model : CountModel
        The model whose pairs are counted.
    counts : numpy.ndarray of int
        Cases of the pair's class that go to the pair's case manager, one per pair.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        Case manager of each case, -1 for nobody.
    """
    instance = model.instance
    plan = np.full(instance.n, NOBODY, dtype=np.int64)
    order = np.lexsort((-instance.priority, instance.group))  # within a class the greater priority comes first
    sizes = instance.sizes
    starts = np.cumsum(sizes) - sizes
    by_group = np.argsort(model.groups, kind="stable")
    groups = np.repeat(model.groups[by_group], counts[by_group])
    managers = np.repeat(model.managers[by_group], counts[by_group])
    number = np.bincount(groups, minlength=len(sizes))
    nth = np.arange(len(groups)) - np.repeat(np.cumsum(number) - number, number)
    fits = nth < sizes[groups]
    plan[order[(starts[groups] + nth)[fits]]] = managers[fits]
    return plan


def is_inside(instance: Instance, limits: Limits, plan: Wholes) -> bool:
    """Return whether a plan keeps every hard rule and what earlier levels have settled.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    limits : Limits
        What earlier levels have settled.
    plan : numpy.ndarray of int, shape (n,)
        Case manager of each case, -1 for nobody.

    Returns
    -------
    bool
        True where nothing is broken.
    """
    placed = plan >= 0
    load = instance.loads(plan)
    hopeless = float(instance.priority[instance.hopeless].sum())
    left = np.inf if limits.left is None else limits.left + hopeless
    value = instance.unassigned_value(plan)
    checks = (
        bool(instance.allowed[instance.group[placed], plan[placed]].all()),
        bool(np.all((load <= limits.load) | (load <= instance.before))),
        bool(np.all(instance.counts(plan) <= instance.slots)),
        instance.mix is None or bool(np.all(instance.mix.left(instance.group, plan) >= 0)),
        value <= left + 1e-9 * max(1.0, value),
        limits.squares is None or sum_of_squares(load, instance.capacity) <= limits.squares * (1 + 1e-9) + 1e-9,
    )
    return all(checks)


def _with_cuts(instance: Instance, level: str, limits: Limits, plan: Wholes, effort: Effort) -> Outcome:
    """Solve with the squares held from below by lines, adding lines at each answer until they are exact there."""
    load = instance.loads(plan).astype(np.float64)
    cuts = cuts_at(instance, load, _STEPS) + _spaced_cuts(instance)
    best, bound = None, -np.inf
    for _ in range(_TINY_ROUNDS if instance.n_pairs <= _TINY_PAIRS else _CUT_ROUNDS):
        found = _solve(build(instance, level, limits, cuts), effort)
        bound = max(bound, found.bound)
        if found.plan is None:
            return Outcome(best, bound)
        load = instance.loads(found.plan).astype(np.float64)
        if level == FIT and is_inside(instance, limits, found.plan):
            return found
        if level == SQUARES:
            best = found.plan if best is None else min(best, found.plan, key=lambda p: _squares(instance, p))
            if is_closed(_squares(instance, best), found.bound) or not found.is_complete:
                return Outcome(best, bound, is_complete=found.is_complete)
        cuts += cuts_at(instance, load, (-1, 0))
    return Outcome(best, bound)


def _squares(instance: Instance, plan: Wholes) -> float:
    """Second value of level 2."""
    return sum_of_squares(instance.loads(plan), instance.capacity)


def _spaced_cuts(instance: Instance) -> tuple[Cut, ...]:
    """Lines at a few loads between nothing and everything, so that no load is without one nearby."""
    unit = minute_unit(instance)
    room = instance.free // unit
    return tuple(
        cut
        for share in (0.0, 0.2, 0.4, 0.6, 0.8)
        for cut in cuts_at(instance, instance.before + np.floor(room * share) * unit, (0,))
    )


def _lower_peak(instance: Instance, limits: Limits, plan: Wholes, floor: float, effort: Effort) -> Outcome:
    """Ask for plans below ever lower peaks: all peaks that are possible, halved again and again."""
    peak = largest_utilisation(instance.loads(plan), instance.capacity)
    peaks = _possible_peaks(instance, floor, peak)
    low, high, best = 0, len(peaks), None
    for _ in range(_TINY_ROUNDS if instance.n_pairs <= _TINY_PAIRS else _PEAK_TRIES):
        if low >= high:
            break
        middle = low if low == 0 and best is None else (low + high) // 2  # the bound itself is tried first
        within = np.minimum(limits.load, np.maximum(peak_limit(instance.capacity, peaks[middle]), instance.before))
        model = build(instance, FIT, Limits(within, limits.left))
        found = _solve(replace(model, c=np.zeros(len(model.c))), effort)
        if found.plan is not None and is_inside(instance, Limits(within, limits.left), found.plan):
            best, high = found.plan, middle
        else:
            if found.is_complete and found.plan is None:  # no plan has this peak, nor a lower one
                floor = max(floor, peaks[middle + 1] if middle + 1 < len(peaks) else peak)
            low = middle + 1
    return Outcome(best, floor)


def _possible_peaks(instance: Instance, floor: float, peak: float) -> list[float]:
    """Utilisations that a case manager can have, from the bound to below the present peak, in order."""
    unit = minute_unit(instance)
    able = np.flatnonzero(instance.capacity > 0)
    values: list[Numbers] = [np.zeros(0)]
    for manager in able:
        capacity, before = float(instance.capacity[manager]), float(instance.before[manager])
        first = max(int(np.ceil((floor * capacity - before) / unit - 1e-9)), 0)
        last = int(np.floor((peak * capacity - before) / unit + 1e-9))
        values.append(np.asarray((before + unit * np.arange(first, last + 1)) / capacity, dtype=np.float64))
    among = np.unique(np.concatenate(values))
    return [float(value) for value in among[(among >= floor * (1 - 1e-12)) & (among < peak * (1 - 1e-9))]]
