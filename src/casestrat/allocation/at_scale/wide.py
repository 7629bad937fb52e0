"""Levels of large problems: class relaxation, whole parts, and exchanges of many case managers at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from casestrat.allocation.at_scale.bargains import cheapen
from casestrat.allocation.at_scale.squeeze import crowd, fill, place_left, rounded_in
from casestrat.allocation.at_scale.tally import Tally
from casestrat.allocation.at_scale.trades import even_out, open_market, relieve
from casestrat.allocation.problem.objective import FIT
from casestrat.allocation.solver.draft import NOBODY
from casestrat.allocation.solver.exact import is_inside
from casestrat.allocation.solver.relaxation import Limits, build, cuts_at, solve_relaxation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from casestrat.allocation.problem.instance import Instance
    from casestrat.allocation.solver.clock import Clock
    from casestrat.allocation.solver.relaxation import CountModel, Cut, Fractions

    Numbers: TypeAlias = NDArray[np.float64]
    Wholes: TypeAlias = NDArray[np.int64]

WIDE_PAIRS = 4_000  # of class and case manager, above which a problem is large
# Shares of the limits that are kept free while fractions are rounded.
_MARGINS = (0.004, 0.003, 0.001, 0.002, 0.0035, 0.0015, 0.0025, 0.0)
_FULL_MARGINS = (0.001, 0.0005, 0.0015, 0.0002, 0.002, 0.0)  # likewise, where some are left as minutes lack
_CUT_ROUNDS = 4
_FIRST_STEPS = (-20, -8, -1, 0, 8, 20)  # where squares are first held, in minute units from the load


def squeezed(instance: Instance, plan: Wholes, limit: Wholes) -> Wholes:
    """Return the plan with cases left over placed wherever two case managers can make room.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    plan : numpy.ndarray of int, shape (n,)
        Case manager of each case, -1 for nobody.
    limit : numpy.ndarray of int, shape (m,)
        Most minutes of each case manager.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        A plan that leaves no one over whom the other places.
    """
    left = np.flatnonzero((plan == NOBODY) & ~instance.hopeless)
    if not len(left):
        return plan
    tally = Tally(instance, plan, limit)
    fill(tally, left[np.argsort(-instance.priority[left], kind="stable")], None)
    return tally.dealt()


def levelled(instance: Instance, plan: Wholes, limit: Wholes, *, keeps_cost: bool = False) -> Wholes | None:
    """Return the plan evened out by exchanges of many at once; None where case weights do not allow it.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    plan : numpy.ndarray of int, shape (n,)
        Case manager of each case, -1 for nobody.
    limit : numpy.ndarray of int, shape (m,)
        Most minutes of each case manager.
    keeps_cost : bool, optional
        Whether the cost of every case stays.

    Returns
    -------
    numpy.ndarray of int or None
        A plan of the same cases, shape (n,), its squares no greater.
    """
    tally = Tally(instance, plan, limit)
    market = open_market(tally, keeps_cost=keeps_cost)
    if market is None or not even_out(tally, market):
        return None
    return tally.dealt()


def fitted(
    instance: Instance, plan: Wholes, limits: Limits, seconds: float, tries: int, clock: Clock
) -> Iterator[Wholes]:
    """Give plans within the limits that place the same cases at less cost.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    plan : numpy.ndarray of int, shape (n,)
        A plan within the limits.
    limits : Limits
        What earlier levels have settled.
    seconds : float
        For each relaxation.
    tries : int
        How many margins to try.
    clock : Clock
        Notes whether the seconds were used up.

    Yields
    ------
    numpy.ndarray of int, shape (n,)
        Plans within the limits, in no order.
    """
    placed = np.flatnonzero(plan >= 0)
    part, _, inside = placed_alone(instance, plan, limits)
    other = np.full(instance.n, NOBODY, dtype=np.int64)
    found = False
    is_short = bool(limits.left)
    for margin in (_FULL_MARGINS if is_short else _MARGINS)[:tries]:
        for holds_squares in (False, True):
            rounded = _fitted(part, plan[placed], inside, margin, (seconds, clock), holds_squares=holds_squares)
            if rounded is None:
                break
            other[placed] = rounded
            if is_inside(instance, limits, other):
                found = True
                yield other.copy()
            if found or limits.squares is None or _squares(instance, instance.loads(other)) <= limits.squares:
                break
        if found and is_short:  # one more margin seldom gives more than the first that serves
            break
    if not found:
        tally = Tally(part, plan[placed], limits.load)
        market = open_market(tally)
        if market is not None and cheapen(tally, market, inside):
            other[placed] = tally.dealt()
            yield other


def placed_alone(instance: Instance, plan: Wholes, limits: Limits) -> tuple[Instance, Wholes, Limits]:
    """Return the problem of the cases that a plan places, all of which stay placed.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    plan : numpy.ndarray of int, shape (n,)
        Case manager of each case, -1 for nobody.
    limits : Limits
        What earlier levels have settled.

    Returns
    -------
    tuple of Instance, numpy.ndarray of int and Limits
        The problem, its plan and its limits.
    """
    placed = np.flatnonzero(plan >= 0)
    part = replace(
        instance, case_rows=instance.case_rows[placed], group=instance.group[placed],
        priority=instance.priority[placed],
    )  # fmt: skip
    return part, plan[placed], Limits(limits.load, 0.0, limits.squares)


def _fitted(
    part: Instance, plan: Wholes, limits: Limits, margin: float, time: tuple[float, Clock], *, holds_squares: bool
) -> Wholes | None:
    """Round the relaxation within limits a little tighter, then exchange within the limits themselves.

    The squares are mostly brought within their limit by exchanges that cost nothing; only where that fails need the
    relaxation hold them too, which takes several times as long.
    """
    tight = np.maximum(((1 - margin) * limits.load).astype(np.int64), np.minimum(part.before, limits.load))
    squares = None if limits.squares is None or not holds_squares else (1 - margin / 4) * limits.squares
    model, fractions = fractions_within(part, plan, Limits(tight, 0.0, squares), *time)
    if fractions is None:
        return None
    model = replace(model, limits=limits)
    tally = rounded_in(model, fractions)
    market, at_no_cost = open_market(tally), open_market(tally, keeps_cost=True)
    if market is None or at_no_cost is None:
        return tally.dealt()
    even_out(tally, at_no_cost)
    if not cheapen(tally, market, limits):
        return tally.dealt()
    if (tally.plan == NOBODY).any():
        place_left(tally, model, fractions)
        left = np.flatnonzero((tally.plan == NOBODY) & ~part.hopeless)
        crowd(tally, left)
        if relieve(tally, market):
            even_out(tally, at_no_cost)
            cheapen(tally, market, limits)
    return tally.dealt()


def fractions_within(
    instance: Instance, plan: Wholes, limits: Limits, seconds: float, clock: Clock
) -> tuple[CountModel, Fractions | None]:
    """Solve the relaxation of level 3, its squares held from below by lines only where they are too great.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    plan : numpy.ndarray of int, shape (n,)
        A plan near whose loads lines are laid.
    limits : Limits
        What earlier levels have settled.
    seconds : float
        For each of the few times that it is solved.
    clock : Clock
        Notes whether they were used up.

    Returns
    -------
    tuple of CountModel and Fractions or None
        The last model and its optimum.
    """
    cuts: tuple[Cut, ...] = ()
    model = build(instance, FIT, Limits(limits.load, limits.left))
    fractions = solve_relaxation(model, seconds, clock)
    for _ in range(_CUT_ROUNDS):
        if fractions is None or limits.squares is None:
            break
        if _squares(instance, fractions.load) <= limits.squares:
            break
        if not cuts:
            cuts = cuts_at(instance, instance.loads(plan).astype(np.float64), _FIRST_STEPS)
        cuts += cuts_at(instance, fractions.load, (-1, 0))
        other = build(instance, FIT, limits, cuts)
        found = solve_relaxation(other, seconds, clock)
        if found is None:
            break
        model, fractions = other, found
    return model, fractions


def _squares(instance: Instance, load: Numbers | Wholes) -> float:
    """Second value of level 2 of loads, also in fractions."""
    able = instance.capacity > 0
    return float((load[able] ** 2 / instance.capacity[able]).sum())
