"""Where minutes lack, none should lie idle: small pieces are gathered, and filled by exchanging who is left over."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from casestrat.allocation.at_scale.bargains import best_of
from casestrat.allocation.at_scale.tally import Tally
from casestrat.allocation.at_scale.trades import Offers, apart, bundles_of, cut, exchange, open_market
from casestrat.allocation.solver.draft import NOBODY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.allocation.at_scale.trades import Bundles, Market
    from casestrat.allocation.problem.instance import Instance

    Flags: TypeAlias = NDArray[np.bool_]
    Numbers: TypeAlias = NDArray[np.float64]
    Wholes: TypeAlias = NDArray[np.int64]

_EASE = 1e-9
_CYCLES = 10
_FRUITLESS = 4  # cycles without a gain that end the search
_GATHERINGS = 3  # rounds in which two case managers' pieces become one
_MOST_OPTIONS = 500  # sets of up to three cases that a case manager could give up, or get
_AT_ONCE = 3
_WHOLE = 0.5  # share of exchanges that move all that one has to spare


def filled(
    instance: Instance, plan: Wholes, limit: Wholes, among: Flags, rng: np.random.Generator, dear: float = 0.0
) -> Wholes:
    """Return the plan with less priority left over, by exchanges with those left over.

    In turns, two case managers exchange cases so that the minutes which both have left become one piece, and each case
    manager gives up to three cases back for up to three of those left over, whichever such exchange gains the most.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem; case weights are the same with everyone.
    plan : numpy.ndarray of int, shape (n,)
        Case manager of each case, -1 for nobody.
    limit : numpy.ndarray of int, shape (m,)
        Most minutes of each case manager.
    among : numpy.ndarray of bool, shape (m,)
        The case managers whose minutes lack.
    rng : numpy.random.Generator
        Settles whose pieces are gathered with whom.
    dear : float, optional
        Priority that a unit of cost counts in the choice between exchanges.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        A plan whose level 1 is no worse.
    """
    tally = Tally(instance, plan, limit)
    market = open_market(tally)
    bundles = bundles_of(market) if market is not None and len(market.gives) else None
    idle = 0
    for _ in range(_CYCLES):
        before = instance.unassigned_value(plan)
        plan = exchanged(instance, redealt(instance, plan, rng), limit, dear)
        idle = 0 if instance.unassigned_value(plan) < before - _EASE else idle + 1
        if idle == _FRUITLESS or market is None or bundles is None:
            break
        tally = Tally(instance, plan, limit)
        gather(tally, market, bundles, among, rng)
        plan = tally.dealt()
    return plan


def gather(tally: Tally, market: Market, bundles: Bundles, among: Flags, rng: np.random.Generator) -> None:
    """Fill one of two case managers to the limit by what the other has, so that the minutes left are in one piece.

    Parameters
    ----------
    tally : Tally
        A plan in counts; changed in place.
    market : Market
        What may change hands.
    bundles : Bundles
        What may be handed over at once.
    among : numpy.ndarray of bool
        The case managers of whom one takes part in every exchange.
    rng : numpy.random.Generator
        Settles who hands how much over to whom.
    """
    open_, unit = Offers(market, tally), market.unit
    for _ in range(_GATHERINGS):
        pieces = np.clip(tally.limit - tally.load, 0, market.kinds[-1]) // unit
        is_in = among[market.first] | among[market.second]
        couples = np.flatnonzero(is_in & (pieces[market.first] + pieces[market.second] > 0))
        if not len(couples):
            return
        moved = _moved(market, pieces, rng)
        parts = [best_of(tally, market, bundles, open_, part, (-moved[part], moved[part])) for part in cut(couples)]
        saved, out, back = (np.concatenate([part[k] for part in parts]) for k in range(3))
        found = np.flatnonzero(np.isfinite(saved))
        if not len(found):
            return
        first, second = market.first[couples[found]], market.second[couples[found]]
        gain = (pieces[first] * pieces[second] + 1.0) * rng.random(len(first))
        chosen = found[apart(first, second, gain, tally.instance.m)]
        exchange(tally, open_, couples[chosen], bundles, out[chosen], back[chosen])


def _moved(market: Market, pieces: Wholes, rng: np.random.Generator) -> Wholes:
    """Draw what the first of each couple hands over to the second: all, or some, of what one of them has to spare."""
    first, second = pieces[market.first], pieces[market.second]
    to_first = rng.random(len(first)) < 0.5
    share = np.where(rng.random(len(first)) < _WHOLE, 1.0, rng.random(len(first)))
    return np.asarray(market.unit * np.ceil(share * np.where(to_first, -first, second)), dtype=np.int64)


def redealt(instance: Instance, plan: Wholes, rng: np.random.Generator) -> Wholes:
    """Return the plan with the cases of each class dealt anew to those who have them, the least ones to one of them.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    plan : numpy.ndarray of int, shape (n,)
        Case manager of each case, -1 for nobody.
    rng : numpy.random.Generator
        Settles who gets the cases of least priority.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        A plan of the same loads that leaves the same cases over.
    """
    placed = np.flatnonzero(plan >= 0)
    groups = instance.group[placed]
    place = rng.permutation(instance.m)
    new = plan.copy()
    by_priority = np.lexsort((-instance.priority[placed], groups))
    new[placed[by_priority]] = plan[placed[np.lexsort((place[plan[placed]], groups))]]
    return new


def exchanged(instance: Instance, plan: Wholes, limit: Wholes, dear: float = 0.0) -> Wholes:
    """Return the plan after each case manager gave some cases back for others left over that matter more in all.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    plan : numpy.ndarray of int, shape (n,)
        Case manager of each case, -1 for nobody.
    limit : numpy.ndarray of int, shape (m,)
        Most minutes of each case manager.
    dear : float, optional
        Priority that a unit of cost counts in the choice between exchanges.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        A plan whose level 1 is no worse.
    """
    plan = plan.copy()
    load, places = instance.loads(plan), instance.slots - instance.counts(plan)
    left = np.flatnonzero((plan == NOBODY) & ~instance.hopeless)
    order = np.argsort(plan, kind="stable")
    starts = np.searchsorted(plan[order], np.arange(instance.m + 1))
    for manager in np.flatnonzero(instance.allowed[np.unique(instance.group[left])].any(axis=0)).tolist():
        held = order[starts[manager] : starts[manager + 1]]
        able = left[instance.allowed[instance.group[left], manager]]
        gone, come = _options(instance, held, manager, 1.0, dear), _options(instance, able, manager, -1.0, dear)
        pair = _best(gone, come, int(limit[manager] - load[manager]), int(places[manager]))
        if pair is None:
            continue
        away, new = gone.cases[pair[0]], come.cases[pair[1]]
        away, new = away[away >= 0], new[new >= 0]
        if not _keeps_mix(instance, plan, manager, away, new):
            continue
        plan[away], plan[new] = NOBODY, manager
        load[manager] += come.minutes[pair[1]] - gone.minutes[pair[0]]
        places[manager] += len(away) - len(new)
        left = np.r_[np.setdiff1d(left, new), away]
    return plan


@dataclass(frozen=True, slots=True, eq=False)
class _Sets:
    """Sets of up to three cases that could come or go together; a case of −1 is none."""

    cases: Wholes  # (sets, 3)
    minutes: Wholes
    priority: Numbers
    worth: Numbers  # less what they cost


def _options(instance: Instance, cases: Wholes, manager: int, sign: float, dear: float) -> _Sets:
    """List the sets worth looking at: of those that weigh the same, the ones of least (or greatest) priority."""
    groups = instance.group[cases]
    weight, priority = instance.weight[groups, manager], instance.priority[cases]
    worth = priority - dear * instance.cost[groups, manager]
    order = np.lexsort((sign * worth, weight))
    kinds, first, number = np.unique(weight[order], return_index=True, return_counts=True)
    taken = next((k for k in (_AT_ONCE, 2, 1) if _sets_of(len(kinds), k) <= _MOST_OPTIONS), 1)
    picks = np.array(list(combinations_with_replacement(range(len(kinds) + 1), taken)), dtype=np.int64)  # last: none
    nth = np.cumsum(picks[:, :, None] == picks[:, None, :], axis=2)[:, np.arange(taken), np.arange(taken)] - 1
    is_none = picks == len(kinds)
    there = np.r_[number, _AT_ONCE]
    fine = (nth < there[picks]).all(axis=1)
    at = np.minimum(np.r_[first, 0][picks] + nth, max(len(cases) - 1, 0))[fine]
    rows = np.where(is_none[fine], NOBODY, order[at]) if len(cases) else np.full((1, taken), NOBODY)
    chosen = np.where(rows >= 0, cases[rows], NOBODY) if len(cases) else rows
    minutes = np.where(rows >= 0, np.r_[weight, 0][rows], 0).sum(axis=1)
    summed = (np.where(rows >= 0, np.r_[one, 0.0][rows], 0.0).sum(axis=1) for one in (priority, worth))
    return _Sets(chosen, minutes, *summed)


def _sets_of(kinds: int, most: int) -> int:
    """Count the sets of up to so many cases of some kinds."""
    total = 1
    for k in range(1, most + 1):
        total = total * (kinds + k) // k
    return total


def _best(gone: _Sets, come: _Sets, free: int, places: int) -> tuple[int, int] | None:
    """Find the exchange that gains the most priority within the minutes and places; None where none does."""
    gain = come.priority[None, :] - gone.priority[:, None]
    more = (come.cases >= 0).sum(axis=1)[None, :] - (gone.cases >= 0).sum(axis=1)[:, None]
    fits = (come.minutes[None, :] - gone.minutes[:, None] <= free) & (more <= places)
    fits &= gain > _EASE * max(float(come.priority.max()), 1.0)
    worth = np.where(fits, come.worth[None, :] - gone.worth[:, None], 0.0)
    at = np.unravel_index(int(np.argmax(worth)), worth.shape)
    return (int(at[0]), int(at[1])) if worth[at] > 0 else None


def _keeps_mix(instance: Instance, plan: Wholes, manager: int, away: Wholes, new: Wholes) -> bool:
    """Whether a case manager keeps to the most cases of each sort."""
    if instance.mix is None:
        return True
    counted = instance.mix.counted
    held = instance.group[np.r_[np.setdiff1d(np.flatnonzero(plan == manager), away), new]]
    return bool(np.all(counted[:, held].sum(axis=1) <= instance.mix.room[:, manager]))
