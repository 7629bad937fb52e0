"""Exchanges of many case managers at once: each two give one another up to two cases, and no one trades twice a round.

Cases of one class are exchangeable, so what two case managers can hand over is a short list of minutes, and the best
exchange of every two is found by looking all of them up together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from casestrat.allocation.solver.relaxation import minute_unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.allocation.at_scale.tally import Tally

    Flags: TypeAlias = NDArray[np.bool_]
    Numbers: TypeAlias = NDArray[np.float64]
    Wholes: TypeAlias = NDArray[np.int64]

_ROUNDS = 400
_RELIEF_ROUNDS = 120
_FARTHEST = 3  # steps from who is above the limit that exchanges go
_EASE = 1e-9
_MOST_CELLS = 400  # sums of minutes that are told apart
_MOST_KINDS = 20  # different case weights that are also tried in twos
_MOST_TRANSFERS = 6_000_000
_AT_ONCE = 4_000  # pairs of case managers looked at together


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """Every way to hand one case over: from a pair of class and case manager to another pair of the class.

    Ways between the same two case managers with the same minutes are one *lot*; two case managers are one *couple*.
    """

    gives: Wholes  # (t,) pair that loses a case
    takes: Wholes  # (t,) pair that gets it
    dearer: Numbers  # (t + 1,) change of cost; the last entry stands for no way
    lot: Wholes  # (t,) lot of each way
    starts: Wholes  # (lots,) first way of each
    kinds: Wholes  # (W,) the different minutes
    out: Wholes  # (couples, W) lot by which the first hands over, -1 for none
    back: Wholes  # (couples, W) lot by which the second does
    first: Wholes  # (couples,)
    second: Wholes  # (couples,)
    unit: int  # minutes of which every case weight is a multiple


def open_market(tally: Tally, *, keeps_cost: bool = False) -> Market | None:
    """Return the ways to hand cases over, or None where there are too many, or a case weighs not the same everywhere.

    Parameters
    ----------
    tally : Tally
        A plan in counts.
    keeps_cost : bool, optional
        Whether only ways count that leave the cost as it is.

    Returns
    -------
    Market or None
        What may change hands between whom.
    """
    instance, groups, managers = tally.instance, tally.groups, tally.managers
    weight = instance.weight[groups, managers]
    number = np.bincount(groups, minlength=len(instance.allowed))
    starts = np.cumsum(number) - number
    least = np.minimum.reduceat(weight, starts[number > 0]) if len(weight) else weight
    if int((number * (number - 1)).sum()) > _MOST_TRANSFERS or not np.array_equal(least[_rank(groups)], weight):
        return None
    gives = np.repeat(np.arange(len(groups)), number[groups])
    nth = np.arange(len(gives)) - np.repeat(np.cumsum(number[groups]) - number[groups], number[groups])
    takes = starts[groups[gives]] + nth
    dearer = np.asarray(instance.cost[groups[takes], managers[takes]] - instance.cost[groups[gives], managers[gives]])
    kept = (takes != gives) & ((dearer == 0) | (not keeps_cost))
    gives, takes, dearer = gives[kept], takes[kept], dearer[kept].astype(np.float64)
    kinds, kind = np.unique(weight[gives], return_inverse=True)
    a, b = managers[gives], managers[takes]
    key = (a * instance.m + b) * max(len(kinds), 1) + kind
    order = np.lexsort((dearer, key))
    lots, first_way, lot = np.unique(key[order], return_index=True, return_inverse=True)
    between, kind = np.divmod(lots, max(len(kinds), 1))
    a, b = np.divmod(between, max(instance.m, 1))
    couples, at = np.unique(np.minimum(a, b) * instance.m + np.maximum(a, b), return_inverse=True)
    table = np.full((2, len(couples), len(kinds)), -1, dtype=np.int64)
    table[(a > b).astype(np.int64), at, kind] = np.arange(len(lots))
    first, second = np.divmod(couples, max(instance.m, 1))
    return Market(
        gives[order], takes[order], np.r_[dearer[order], np.inf], lot, first_way, kinds, table[0], table[1], first,
        second, minute_unit(instance),
    )  # fmt: skip


def _rank(groups: Wholes) -> Wholes:
    """Count, for values in order, the different ones before each."""
    return np.cumsum(np.r_[False, groups[1:] != groups[:-1]]) if len(groups) else groups


class Offers:
    """What every lot has on offer: its cheapest way, and the next one (or the same again); −1 for none.

    Parameters
    ----------
    market : Market
        What may change hands.
    tally : Tally
        The plan in counts.
    """

    def __init__(self, market: Market, tally: Tally) -> None:
        self.market, self.tally = market, tally
        managers = tally.managers[market.gives]
        self.first_way = np.searchsorted(managers, np.arange(tally.instance.m + 1))  # ways are in order of their givers
        self.first_lot = np.searchsorted(managers[market.starts], np.arange(tally.instance.m + 1))
        self.way = np.full(len(market.starts) + 1, -1)  # the last entry stands for no lot
        self.again = self.way.copy()
        self.refresh(np.arange(tally.instance.m))

    def refresh(self, managers: Wholes) -> None:
        """Look up again what some case managers have on offer."""
        market, tally = self.market, self.tally
        ways, lots = _ranges(self.first_way, managers), _ranges(self.first_lot, managers)
        if not len(ways):
            return
        there = tally.counts[market.gives[ways]]
        free = there > 0
        if tally.mix is not None:
            free &= tally.has_spare_places(market.takes[ways])
        starts = np.searchsorted(ways, market.starts[lots])
        at, n = np.arange(len(ways)), len(ways)
        way = np.minimum.reduceat(np.where(free, at, n), starts)
        is_way = np.zeros(n + 1, dtype=bool)
        is_way[way] = True
        again = np.minimum.reduceat(np.where(free & (~is_way[:n] | (there > 1)), at, n), starts)
        padded = np.r_[ways, -1]
        self.way[lots], self.again[lots] = padded[way], padded[again]


def _ranges(starts: Wholes, rows: Wholes) -> Wholes:
    """Concatenate the ranges ``starts[row] … starts[row + 1]`` of rows in order."""
    size = starts[rows + 1] - starts[rows]
    first = np.repeat(starts[rows] - (np.cumsum(size) - size), size)
    return np.asarray(np.arange(int(size.sum())) + first, dtype=np.int64)


def apart(first: Wholes, second: Wholes, gain: Numbers, m: int) -> Wholes:
    """Choose exchanges in which nobody takes part twice, the best first."""
    order = np.argsort(-gain, kind="stable")
    place = np.full(m, len(order))
    rank = np.arange(len(order))
    np.minimum.at(place, first[order], rank)
    np.minimum.at(place, second[order], rank)
    return np.asarray(order[(place[first[order]] == rank) & (place[second[order]] == rank)], dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Bundles:
    """None, one or two cases: the lots' kinds (−1: none), summed minutes in units, by preference."""

    one: Wholes
    two: Wholes
    cell: Wholes
    cells: int
    in_cells: Wholes  # the bundles in the order of their cells, fewer cases first


def bundles_of(market: Market) -> Bundles | None:
    """List what can be handed over at once; None where the sums are too many to be told apart."""
    size = market.kinds // market.unit
    w = len(size)
    one, two = [np.array([-1]), np.arange(w)], [np.full(w + 1, -1)]
    if w <= _MOST_KINDS:
        twice = np.triu_indices(w)
        one, two = [*one, twice[0]], [*two, twice[1]]
    ones, twos = np.concatenate(one), np.concatenate(two)
    padded = np.r_[size, 0]
    cell = padded[ones] + padded[twos]
    most = int(cell.max(initial=0)) + 1
    return None if most > _MOST_CELLS else Bundles(ones, twos, cell, most, np.argsort(cell, kind="stable"))


def _offered(bundles: Bundles, table: Wholes, open_: Offers) -> Wholes:
    """For each couple and sum of minutes, the bundle that makes it, −1 for none; shape (couples, cells)."""
    offers = np.full((len(table), bundles.cells), -1, dtype=np.int64)
    way, again = open_.way[table] >= 0, open_.again[table] >= 0
    for number in range(len(bundles.one) - 1, -1, -1):  # fewer cases are preferred
        one, two = bundles.one[number], bundles.two[number]
        if one < 0:
            offers[:, bundles.cell[number]] = number
            continue
        there = way[:, one] if two < 0 else (again[:, one] if one == two else way[:, one] & way[:, two])
        offers[there, bundles.cell[number]] = number
    return offers


def _nearest(there: Flags) -> tuple[Wholes, Wholes]:
    """For each cell, the nearest filled one at or below, and at or above; −1 and the number of cells for none."""
    cells = there.shape[1]
    at = np.arange(cells)
    below = np.maximum.accumulate(np.where(there, at, -1), axis=1)
    above = np.minimum.accumulate(np.where(there, at, cells)[:, ::-1], axis=1)[:, ::-1]
    return below, above


def even_out(tally: Tally, market: Market) -> bool:
    """Lower Σ load²/capacity until no exchange of two case managers lowers it, within the limits.

    Parameters
    ----------
    tally : Tally
        A plan in counts; changed in place.
    market : Market
        What may change hands.

    Returns
    -------
    bool
        Whether the search was made; not where case weights have too many sums.
    """
    bundles = bundles_of(market) if len(market.gives) else None
    if bundles is None:
        return False
    active = np.ones(len(market.first), dtype=bool)
    open_ = Offers(market, tally)
    for _ in range(_ROUNDS):
        among = np.flatnonzero(active & _is_uneven(tally, market))
        traded = _trade_once(tally, market, bundles, open_, among)
        if traded is None:
            return True
        active[:] = False
        active[traded[0]] = True  # who was passed over this round is looked at again as well
        active |= traded[1][market.first] | traded[1][market.second]
    return True


def _trade_once(
    tally: Tally, market: Market, bundles: Bundles, open_: Offers, among: Wholes
) -> tuple[Wholes, Flags] | None:
    """Make the best exchanges in which nobody takes part twice: who could gain, and who changed; None where none is."""
    if not len(among):
        return None
    parts = [_evened(tally, market, bundles, open_, part) for part in cut(among)]
    gain, out, back = (np.concatenate([part[k] for part in parts]) for k in range(3))
    found = np.flatnonzero(gain > _EASE)
    if not len(found):
        return None
    couples = among[found]
    chosen = apart(market.first[couples], market.second[couples], gain[found], tally.instance.m)
    at, kept = couples[chosen], found[chosen]
    return couples, exchange(tally, open_, at, bundles, out[kept], back[kept])


def relieve(tally: Tally, market: Market) -> bool:
    """Bring everyone within their limits, by exchanges with those near by.

    Parameters
    ----------
    tally : Tally
        A plan in counts in which some are above their limits; changed in place.
    market : Market
        What may change hands.

    Returns
    -------
    bool
        Whether all are within their limits now.
    """
    bundles = bundles_of(market) if len(market.gives) else None
    if bundles is None:
        return False
    open_, reach = Offers(market, tally), 0
    for _ in range(_RELIEF_ROUNDS):
        is_near = tally.load > tally.limit
        if not is_near.any():
            return True
        for _ in range(reach):
            touched = is_near[market.first] | is_near[market.second]
            is_near[market.first[touched]] = is_near[market.second[touched]] = True
        among = np.flatnonzero((is_near[market.first] | is_near[market.second]) & _is_uneven(tally, market))
        if _trade_once(tally, market, bundles, open_, among) is None:
            if reach == _FARTHEST:
                return False
            reach += 1
    return False


def _is_uneven(tally: Tally, market: Market) -> Flags:
    """Whether moving the smallest number of minutes there is could lower the squares of two case managers."""
    capacity, a, b = tally.instance.capacity, market.first, market.second
    slope = np.abs(tally.load[a] * capacity[b] - tally.load[b] * capacity[a])
    return np.asarray(2 * slope > market.unit * (capacity[a] + capacity[b]), dtype=bool)


def cut(among: Wholes) -> list[Wholes]:
    """Cut couples into parts that are looked at together."""
    return [among[start : start + _AT_ONCE] for start in range(0, max(len(among), 1), _AT_ONCE)]


def exchange(tally: Tally, open_: Offers, couples: Wholes, bundles: Bundles, out: Wholes, back: Wholes) -> Flags:
    """Let both of each couple hand their bundle over, look up their offers again, and tell who took part."""
    market, changed = open_.market, np.zeros(tally.instance.m, dtype=bool)
    _hand_over(tally, market, open_, market.out[couples], bundles, out)
    _hand_over(tally, market, open_, market.back[couples], bundles, back)
    changed[market.first[couples]] = changed[market.second[couples]] = True
    open_.refresh(np.flatnonzero(changed) if tally.mix is None else np.arange(tally.instance.m))
    return changed


def _hand_over(tally: Tally, market: Market, open_: Offers, table: Wholes, bundles: Bundles, chosen: Wholes) -> None:
    """Hand the chosen bundles over, one per row of the table of lots."""
    rows = np.arange(len(chosen))
    one, two = bundles.one[chosen], bundles.two[chosen]
    has_one, has_two = one >= 0, two >= 0
    ways = open_.way[table[rows[has_one], one[has_one]]]
    lots = table[rows[has_two], two[has_two]]
    more = np.where(one[has_two] == two[has_two], open_.again[lots], open_.way[lots])
    all_ways = np.r_[ways, more]
    tally.move(market.gives[all_ways], market.takes[all_ways])


def _evened(
    tally: Tally, market: Market, bundles: Bundles, open_: Offers, couples: Wholes
) -> tuple[Numbers, Wholes, Wholes]:
    """For each couple, how much the best exchange lowers the squares, and the bundles of both."""
    instance = tally.instance
    a, b = market.first[couples], market.second[couples]
    unit = float(market.unit)
    cap = np.maximum(instance.capacity, 1).astype(np.float64)
    load = tally.load.astype(np.float64)
    wished = (load[a] * cap[b] - load[b] * cap[a]) / (cap[a] + cap[b])  # minutes from a to b that would make both even
    most = np.maximum(tally.limit, tally.load)  # who is above the limit may stay so for now
    wished = np.clip(wished, load[a] - most[a], most[b] - load[b])
    out, back = (_offered(bundles, table[couples], open_) for table in (market.out, market.back))
    below, above = _nearest(back >= 0)
    cells = np.arange(bundles.cells)
    wanted = cells[None, :] - wished[:, None] / unit  # of what comes back, for each sum that goes out
    rows = np.arange(len(couples))
    best_gain, best_out, best_back = np.zeros(len(couples)), np.zeros(len(couples), int), np.zeros(len(couples), int)
    for near, whole in ((below, np.floor), (above, np.ceil)):
        asked = np.clip(whole(wanted), 0, bundles.cells - 1).astype(np.int64)
        cell = near[rows[:, None], asked]
        moved = unit * (cells[None, :] - cell)
        fits = (out >= 0) & (cell >= 0) & (cell < bundles.cells)
        fits &= (load[b][:, None] + moved <= most[b][:, None]) & (load[a][:, None] - moved <= most[a][:, None])
        slope = 2 * (load[a] / cap[a] - load[b] / cap[b])
        gain = moved * slope[:, None] - moved**2 * (1 / cap[a] + 1 / cap[b])[:, None]
        gain = np.where(fits, gain, -np.inf)
        at = gain.argmax(axis=1)
        value = gain[rows, at]
        is_best = value > best_gain
        best_gain = np.where(is_best, value, best_gain)
        best_out = np.where(is_best, out[rows, at], best_out)
        best_back = np.where(is_best, back[rows, np.clip(cell[rows, at], 0, bundles.cells - 1)], best_back)
    more = number_of(bundles, best_out) - number_of(bundles, best_back)
    has_places = (more <= tally.places[b]) & (-more <= tally.places[a])
    able = (instance.capacity[a] > 0) & (instance.capacity[b] > 0) & has_places
    return np.where(able, best_gain, 0.0), best_out, best_back


def number_of(bundles: Bundles, chosen: Wholes) -> Wholes:
    """Count the cases of bundles."""
    return (bundles.one[chosen] >= 0).astype(np.int64) + (bundles.two[chosen] >= 0)
