"""Level 3 by exchanges of many case managers at once: of all that two can give one another, what saves the most."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from casestrat.allocation.at_scale.trades import Offers, apart, bundles_of, cut, exchange, number_of
from casestrat.allocation.problem.objective import sum_of_squares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.allocation.at_scale.tally import Tally
    from casestrat.allocation.at_scale.trades import Bundles, Market
    from casestrat.allocation.solver.relaxation import Limits

    Numbers: TypeAlias = NDArray[np.float64]
    Wholes: TypeAlias = NDArray[np.int64]

_ROUNDS = 400
_EASE = 1e-9


def cheapen(tally: Tally, market: Market, limits: Limits) -> bool:
    """Lower the cost of level 3 until no exchange of two case managers lowers it, within the limits.

    Parameters
    ----------
    tally : Tally
        A plan in counts, within the limits; changed in place.
    market : Market
        What may change hands.
    limits : Limits
        What earlier levels have settled.

    Returns
    -------
    bool
        Whether the search was made; not where case weights have too many sums.
    """
    bundles = bundles_of(market) if len(market.gives) else None
    if bundles is None:
        return False
    m = tally.instance.m
    active = np.ones(len(market.first), dtype=bool)
    open_ = Offers(market, tally)
    for _ in range(_ROUNDS):
        among = np.flatnonzero(active)
        free = tally.limit - tally.load
        parts = [
            best_of(tally, market, bundles, open_, part, (free[market.first[part]], free[market.second[part]]))
            for part in cut(among)
        ]
        gain, out, back = (np.concatenate([part[k] for part in parts]) for k in range(3))
        found = np.flatnonzero(gain > _EASE)
        active[:] = False
        couples = among[found]
        chosen = apart(market.first[couples], market.second[couples], gain[found], m)
        moved = _moved(market, bundles, out[found[chosen]], back[found[chosen]])
        chosen = chosen[_within_squares(tally, market, couples[chosen], moved, limits)]
        if not len(chosen):
            return True
        at, kept = couples[chosen], found[chosen]
        changed = exchange(tally, open_, at, bundles, out[kept], back[kept])
        active[couples] = True  # who was passed over this round is looked at again as well
        active |= changed[market.first] | changed[market.second]
    return True


def _moved(market: Market, bundles: Bundles, out: Wholes, back: Wholes) -> Wholes:
    """Minutes that go from the first to the second of each couple."""
    return np.asarray(market.unit * (bundles.cell[out] - bundles.cell[back]), dtype=np.int64)


def _within_squares(tally: Tally, market: Market, couples: Wholes, moved: Wholes, limits: Limits) -> Wholes:
    """Keep the exchanges that together leave the squares within their limit, the first ones first."""
    if limits.squares is None:
        return np.arange(len(couples))
    capacity = np.maximum(tally.instance.capacity, 1).astype(np.float64)
    a, b = market.first[couples], market.second[couples]
    load = tally.load.astype(np.float64)
    more = ((load[a] - moved) ** 2 - load[a] ** 2) / capacity[a] + ((load[b] + moved) ** 2 - load[b] ** 2) / capacity[b]
    slack = limits.squares - sum_of_squares(tally.load, tally.instance.capacity)
    return np.flatnonzero((more <= 0) | (np.cumsum(np.maximum(more, 0.0)) <= slack))


def _priced(bundles: Bundles, market: Market, table: Wholes, open_: Offers) -> tuple[Numbers, Wholes]:
    """For each couple and sum of minutes, the least change of cost, and the bundle that makes it."""
    # the last column stands for no case at all
    once = np.pad(market.dearer[open_.way[table]], ((0, 0), (0, 1)))
    again = np.pad(market.dearer[open_.again[table]], ((0, 0), (0, 1)))
    one, two = bundles.one, bundles.two
    value = once[:, one] + np.where((one == two) & (two >= 0), again[:, two], once[:, two])
    value = value[:, bundles.in_cells]
    starts = np.flatnonzero(np.diff(bundles.cell[bundles.in_cells], prepend=-1))
    least = np.minimum.reduceat(value, starts, axis=1)
    size = np.diff(np.r_[starts, len(one)])
    place = np.where(value == np.repeat(least, size, axis=1), np.arange(len(one)), len(one))
    filled = bundles.cell[bundles.in_cells][starts]
    cost = np.full((len(table), bundles.cells), np.inf)
    chosen = np.full(cost.shape, -1, dtype=np.int64)
    cost[:, filled] = least
    first = np.minimum.reduceat(place, starts, axis=1)  # of those that cost the same, fewer cases
    chosen[:, filled] = np.where(np.isfinite(least), bundles.in_cells[first], -1)
    return cost, chosen


def best_of(
    tally: Tally, market: Market, bundles: Bundles, open_: Offers, couples: Wholes, room: tuple[Wholes, Wholes]
) -> tuple[Numbers, Wholes, Wholes]:
    """Return what the best exchange of each couple saves, and the bundles that both hand over.

    Parameters
    ----------
    tally : Tally
        A plan in counts.
    market : Market
        What may change hands.
    bundles : Bundles
        What may be handed over at once.
    open_ : Offers
        What is there.
    couples : numpy.ndarray of int
        The couples asked for.
    room : tuple of two numpy.ndarray of int
        Minutes that the first and the second of each couple can still take; below 0: minutes that must go.

    Returns
    -------
    tuple of arrays
        One value per couple: change of cost, negated (−inf where there is no exchange), and both bundles.
    """
    a, b = market.first[couples], market.second[couples]
    cost_out, out = _priced(bundles, market, market.out[couples], open_)
    cost_back, back = _priced(bundles, market, market.back[couples], open_)
    least = np.ceil(-room[0] / market.unit).astype(np.int64)  # cells that must go from a to b
    most = np.floor(room[1] / market.unit).astype(np.int64)
    cells = np.arange(bundles.cells)
    left = np.clip(cells[None, :] - most[:, None], 0, bundles.cells)
    right = np.clip(cells[None, :] - least[:, None], -1, bundles.cells - 1)
    at = _least_between(cost_back, left, right)
    rows = np.arange(len(couples))
    total = np.where(at >= 0, cost_out + cost_back[rows[:, None], at], np.inf)
    best = total.argmin(axis=1)
    gain = -total[rows, best]
    chosen_out, chosen_back = out[rows, best], back[rows, at[rows, best]]
    fine = np.isfinite(gain) & (chosen_out >= 0) & (chosen_back >= 0)
    chosen_out, chosen_back = np.where(fine, chosen_out, 0), np.where(fine, chosen_back, 0)
    more = number_of(bundles, chosen_out) - number_of(bundles, chosen_back)
    fine &= (more <= tally.places[b]) & (-more <= tally.places[a])
    return np.where(fine, gain, -np.inf), chosen_out, chosen_back


def _least_between(values: Numbers, left: Wholes, right: Wholes) -> Wholes:
    """For each row and range of columns, both ends included, the column of the least value; −1 for an empty range."""
    rows, width = values.shape
    of_row = np.arange(rows)[:, None]
    steps: list[Wholes] = [np.broadcast_to(np.arange(width, dtype=np.int64), values.shape)]
    while 2 ** len(steps) <= width:
        last, half = steps[-1], 2 ** (len(steps) - 1)
        near, far = last[:, : last.shape[1] - half], last[:, half:]
        steps.append(np.where(values[of_row, far] < values[of_row, near], far, near))
    length = right - left + 1
    at = np.full(left.shape, -1, dtype=np.int64)
    depth = np.floor(np.log2(np.maximum(length, 1))).astype(np.int64)
    for step, best in enumerate(steps):
        row, column = np.nonzero((length > 0) & (depth == step))
        near, far = best[row, left[row, column]], best[row, right[row, column] - 2**step + 1]
        at[row, column] = np.where(values[row, far] < values[row, near], far, near)
    return at
