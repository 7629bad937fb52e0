"""From fractions to whole cases; and where nobody has room for one, two case managers exchange others to make it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from casestrat.allocation.at_scale.bargains import best_of
from casestrat.allocation.at_scale.tally import Tally
from casestrat.allocation.at_scale.trades import Offers, bundles_of, exchange, open_market
from casestrat.allocation.problem.objective import FIT
from casestrat.allocation.solver.draft import NOBODY
from casestrat.allocation.solver.exact import spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.allocation.at_scale.trades import Bundles, Market
    from casestrat.allocation.solver.relaxation import CountModel, Fractions

    Numbers: TypeAlias = NDArray[np.float64]
    Wholes: TypeAlias = NDArray[np.int64]

_EASE = 1e-6
# Exchanges that one call may think of, with room for them or not; greatest priority first.
_LOOKS = 30_000_000


def rounded_in(model: CountModel, fractions: Fractions) -> Tally:
    """Return the plan of the whole parts of fractions, with the other cases wherever room is found or made.

    Parameters
    ----------
    model : CountModel
        The model whose relaxation was solved.
    fractions : Fractions
        Its optimum.

    Returns
    -------
    Tally
        The plan in counts; it may leave cases over that a better plan would not.
    """
    tally = Tally(model.instance, spread(model, np.floor(fractions.counts + _EASE).astype(np.int64)), model.limits.load)
    place_left(tally, model, fractions)
    return tally


def place_left(tally: Tally, model: CountModel, fractions: Fractions) -> None:
    """Place cases that nobody has wherever room is found or made: at level 3 where the prices speak for it.

    Parameters
    ----------
    tally : Tally
        A plan in counts; changed in place.
    model : CountModel
        The model whose relaxation was solved.
    fractions : Fractions
        Its optimum.
    """
    instance, groups, managers = tally.instance, tally.groups, tally.managers
    priced = None
    if model.level == FIT:
        minutes = fractions.prices.minutes[managers] * instance.weight[groups, managers]
        priced = instance.cost[groups, managers] + minutes
    left = np.flatnonzero((tally.plan == NOBODY) & ~instance.hopeless)
    size = _least_minutes(tally)[instance.group[left]]
    first = -size.astype(np.float64) if model.level == FIT else -instance.priority[left] / np.maximum(size, 1)
    fill(tally, left[np.argsort(first, kind="stable")], priced)


def fill(tally: Tally, cases: Wholes, priced: Numbers | None) -> None:
    """Place cases one after the other: where the priced cost is least, or whoever is least loaded, if there is room.

    Parameters
    ----------
    tally : Tally
        A plan in counts; changed in place.
    cases : numpy.ndarray of int
        Cases that nobody has, in their order.
    priced : numpy.ndarray of float or None
        Cost of each pair of the tally; None: the utilisation counts.
    """
    starts = np.searchsorted(tally.groups, np.arange(len(tally.instance.allowed) + 1))
    over = []
    for case in cases:
        pairs = np.arange(*starts[tally.instance.group[case] : tally.instance.group[case] + 2])
        if not _put(tally, int(case), pairs, priced):
            over.append(int(case))
    if over:
        _squeeze(tally, sorted(over, key=lambda case: -tally.instance.priority[case]), starts)


def _least_minutes(tally: Tally) -> Wholes:
    """Least minutes of each class with anyone who may follow it."""
    least = np.full(len(tally.instance.allowed), np.iinfo(np.int64).max)
    np.minimum.at(least, tally.groups, tally.instance.weight[tally.groups, tally.managers])
    return least


def _put(tally: Tally, case: int, pairs: Wholes, priced: Numbers | None) -> bool:
    """Place a case with someone who has room."""
    instance, managers = tally.instance, tally.managers[pairs]
    group = instance.group[case]
    after = tally.load[managers] + instance.weight[group, managers]
    able = np.flatnonzero((after <= tally.limit[managers]) & tally.has_places(pairs))
    if not len(able):
        return False
    use = after[able] / np.maximum(instance.capacity[managers[able]], 1)
    worth = use if priced is None else priced[pairs[able]] + 1e-6 * use
    tally.put(case, int(pairs[able[np.argmin(worth)]]))
    return True


def crowd(tally: Tally, cases: Wholes) -> None:
    """Place cases where they cost least and crowd the least, whether there is room for their minutes or not.

    Parameters
    ----------
    tally : Tally
        A plan in counts; changed in place, and then above some limits.
    cases : numpy.ndarray of int
        Cases that nobody has.
    """
    instance = tally.instance
    for case in cases:
        group = int(instance.group[case])
        pairs = np.arange(*np.searchsorted(tally.groups, [group, group + 1]))
        pairs = pairs[tally.has_places(pairs)]
        if len(pairs):
            managers = tally.managers[pairs]
            over = np.maximum(tally.load[managers] + instance.weight[group, managers] - tally.limit[managers], 0)
            worth = instance.cost[group, managers] + over / np.maximum(instance.weight[group, managers], 1)
            tally.put(int(case), int(pairs[np.argmin(worth)]))


def _squeeze(tally: Tally, cases: list[int], starts: Wholes) -> None:
    """Place cases one after the other by an exchange of two case managers that makes room for it.

    What is looked at is counted: however many the cases are, a call ends after the same number of steps.
    """
    market = open_market(tally)
    bundles = bundles_of(market) if market is not None and len(market.gives) else None
    if market is None or bundles is None:
        return
    open_ = Offers(market, tally)
    together = _free_together(tally, market)
    n_couples = np.bincount(np.r_[market.first, market.second], minlength=tally.instance.m)
    looks = _LOOKS
    for case in cases:
        if looks <= 0:
            break
        pairs = np.arange(*starts[tally.instance.group[case] : tally.instance.group[case] + 2])
        pairs = pairs[tally.has_places(pairs)]
        looks -= bundles.cells * int(n_couples[tally.managers[pairs]].sum())
        found = _room_for(tally, market, bundles, open_, _with_room(tally, market, pairs, together))
        if found is not None:
            pair, couple, out, back = found
            tally.put(case, pair)  # first, so that what the exchange looks up again counts it
            exchange(tally, open_, np.array([couple]), bundles, np.array([out]), np.array([back]))
            together = _free_together(tally, market)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Couples who together have room for a case: the pair of class and case manager it would go to, and their room."""

    pairs: Wholes
    couples: Wholes
    room: tuple[Wholes, Wholes]


def _free_together(tally: Tally, market: Market) -> Wholes:
    """Minutes that the two of each couple have free."""
    free = tally.limit - tally.load
    return np.asarray(free[market.first] + free[market.second])


def _with_room(tally: Tally, market: Market, pairs: Wholes, together: Wholes) -> _Asked:
    """Keep the couples whose free minutes add up to the case: an exchange moves minutes, it makes none.

    In a market a case weighs the same with everyone, and where minutes lack hardly a couple in a hundred is kept.
    """
    instance, managers = tally.instance, tally.managers[pairs]
    needed = instance.weight[tally.groups[pairs], managers]
    pair_of = np.full(instance.m, -1, dtype=np.int64)
    pair_of[managers] = pairs
    roomy = np.flatnonzero(together >= needed.min(initial=0)) if len(pairs) else np.zeros(0, dtype=np.int64)
    taken_by = [pair_of[side[roomy]] for side in (market.first, market.second)]
    kept = [to >= 0 for to in taken_by]
    to, couples = (np.concatenate([of[k] for of, k in zip(ofs, kept, strict=True)])
                   for ofs in (taken_by, (roomy, roomy)))  # fmt: skip
    free, minutes = tally.limit - tally.load, instance.weight[tally.groups[to], tally.managers[to]]
    first, second = market.first[couples], market.second[couples]
    by_first = first == tally.managers[to]
    room = (free[first] - np.where(by_first, minutes, 0), free[second] - np.where(by_first, 0, minutes))
    fits = np.flatnonzero(np.ceil(-room[0] / market.unit) <= np.floor(room[1] / market.unit))
    fits = fits[np.argsort(to[fits], kind="stable")]  # of exchanges that cost the same, that of the first pair is taken
    return _Asked(to[fits], couples[fits], (room[0][fits], room[1][fits]))


def _room_for(
    tally: Tally, market: Market, bundles: Bundles, open_: Offers, asked: _Asked
) -> tuple[int, int, int, int] | None:
    """Find the cheapest exchange that makes room for a case: pair, couple, both bundles."""
    if not len(asked.pairs):
        return None
    gain, out, back = best_of(tally, market, bundles, open_, asked.couples, asked.room)
    saved = gain - tally.instance.cost[tally.groups[asked.pairs], tally.managers[asked.pairs]]
    at = int(np.argmax(saved))
    if not np.isfinite(saved[at]):
        return None
    return int(asked.pairs[at]), int(asked.couples[at]), int(out[at]), int(back[at])
