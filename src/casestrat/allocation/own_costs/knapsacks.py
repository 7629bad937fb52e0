"""The best caseloads of each case manager at given prices of cases: knapsacks, solved exactly in whole minutes.

With a price for each case, nothing binds case managers to one another any more: each takes the cases whose cost is
furthest below their price, within the minutes there are. The values add up to a bound that no plan can beat.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Flags: TypeAlias = NDArray[np.bool_]
    Numbers: TypeAlias = NDArray[np.float64]
    Wholes: TypeAlias = NDArray[np.int64]

_EASE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Costs:
    """An assignment problem in plain arrays: every case goes to one case manager, at least cost.

    ``cost`` is infinite where a pair is not allowed, ``weight`` in whole steps of minutes, ``room`` in the same steps.
    """

    cost: Numbers  # (n, m)
    weight: Wholes  # (n, m)
    room: Wholes  # (m,)

    @property
    def n(self) -> int:
        """Number of cases."""
        return len(self.cost)

    @property
    def m(self) -> int:
        """Number of case managers."""
        return len(self.room)

    @property
    def allowed(self) -> Flags:
        """Pairs that are allowed and fit into an empty week, shape (n, m)."""
        return np.isfinite(self.cost) & (self.weight <= self.room)

    def value(self, plan: Wholes) -> float:
        """Add up the cost of a plan (case manager of each case)."""
        return float(self.cost[np.arange(self.n), plan].sum())

    def fits(self, plan: Wholes) -> bool:
        """Whether a plan places every case with someone who is allowed it, within everyone's room."""
        cases = np.arange(self.n)
        if bool((plan < 0).any()) or not bool(np.isfinite(self.cost[cases, plan]).all()):
            return False
        load = np.bincount(plan, weights=self.weight[cases, plan], minlength=self.m)
        return bool(np.all(load <= self.room))


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """What the case managers would take at some prices: the bound, and who takes which cases."""

    bound: float
    pairs: Flags  # (n, m)


def best_taken(costs: Costs, prices: Numbers) -> Taken:
    """Return what each case manager would take at given prices, and the bound that this proves.

    Parameters
    ----------
    costs : Costs
        The problem.
    prices : numpy.ndarray of float, shape (n,)
        What placing each case is worth.

    Returns
    -------
    Taken
        No plan costs less than its bound.
    """
    bound, pairs = float(prices.sum()), np.zeros((costs.n, costs.m), dtype=bool)
    gains = np.where(costs.allowed, costs.cost - prices[:, None], np.inf)
    for manager in range(costs.m):
        items = np.flatnonzero(gains[:, manager] < 0)
        value, chosen = _knapsack(gains[items, manager], costs.weight[items, manager], int(costs.room[manager]))
        bound += value
        pairs[items[chosen], manager] = True
    return Taken(bound, pairs)


def best_values(costs: Costs, prices: Numbers) -> Numbers:
    """Return what the best caseload of each case manager comes to at given prices.

    Parameters
    ----------
    costs : Costs
        The problem.
    prices : numpy.ndarray of float, shape (n,)
        What placing each case is worth.

    Returns
    -------
    numpy.ndarray of float, shape (m,)
        0 or less: its cost less the prices of its cases.
    """
    pairs = best_taken(costs, prices).pairs
    return np.asarray(np.where(pairs, np.where(pairs, costs.cost, 0.0) - prices[:, None], 0.0).sum(axis=0))


def _tables(gains: Numbers, weights: Wholes, room: int) -> Numbers:
    """Least summed gain of the first k items within each room, one row per k."""
    tables = np.zeros((len(gains) + 1, room + 1))
    for k, (gain, weight) in enumerate(zip(gains.tolist(), weights.tolist(), strict=True)):
        below, above = tables[k], tables[k + 1]
        above[:weight] = below[:weight]
        np.minimum(below[weight:], below[: room + 1 - weight] + gain, out=above[weight:])
    return tables


def _knapsack(gains: Numbers, weights: Wholes, room: int) -> tuple[float, Wholes]:
    """Solve one knapsack of items that all gain (negative numbers): its value and the items taken."""
    if int(weights.sum()) <= room:
        return float(gains.sum()), np.arange(len(gains))
    sure, open_items = _settled(gains, weights, room)
    left = room - int(weights[sure].sum())
    open_items = open_items[weights[open_items] <= left]
    tables = _tables(gains[open_items], weights[open_items], left)
    chosen, at = [], left
    for k in range(len(open_items) - 1, -1, -1):
        if tables[k + 1, at] < tables[k, at] - _EASE:
            chosen.append(open_items[k])
            at -= int(weights[open_items[k]])
    return float(tables[-1, left] + gains[sure].sum()), np.concatenate([sure, np.array(chosen, dtype=np.int64)])


def _settled(gains: Numbers, weights: Wholes, room: int) -> tuple[Wholes, Wholes]:
    """Items that every best choice takes, and those that are open: a price of room settles all others."""
    order = np.argsort(gains / np.maximum(weights, _EASE), kind="stable")  # most gain a step of room first
    used = np.cumsum(weights[order])
    fits = int(np.searchsorted(used, room, side="right"))  # of these the last does not fit any more
    price = -float(gains[order[fits]]) / float(weights[order[fits]])
    reduced = gains + price * weights
    slack = _slack(reduced[order], weights[order], fits, room - (int(used[fits - 1]) if fits else 0), price)
    return np.flatnonzero(reduced < -slack - _EASE), np.flatnonzero(np.abs(reduced) <= slack + _EASE)


def _slack(reduced: Numbers, weights: Wholes, fits: int, left: int, price: float) -> float:
    """Return how far the first items, one of them exchanged for a later one, are from what the price proves."""
    out, gone = np.append(-reduced[:fits], 0.0), np.append(weights[:fits], 0)  # the last stands for none
    more, come = np.append(reduced[fits:], 0.0), np.append(weights[fits:], 0)
    over = left + gone[:, None] - come[None, :]
    missed = np.where(over >= 0, out[:, None] + more[None, :] + price * over, np.inf)
    return float(missed.min())


def best_caseloads(costs: Costs, prices: Numbers, manager: int, most: int, within: float = np.inf) -> Flags:
    """Return the best caseloads of one case manager at given prices, the best first.

    Parameters
    ----------
    costs : Costs
        The problem.
    prices : numpy.ndarray of float, shape (n,)
        What placing each case is worth.
    manager : int
        The case manager.
    most : int
        How many to list.
    within : float, optional
        How far a caseload may be from the best one.

    Returns
    -------
    numpy.ndarray of bool, shape (caseloads, n)
        The cases of each; exactly the `most` best, or all there are.
    """
    gain = np.where(costs.allowed[:, manager], costs.cost[:, manager] - prices, np.inf)
    items = np.flatnonzero(np.isfinite(gain))
    gains, weights, room = gain[items], costs.weight[items, manager], int(costs.room[manager])
    rest = _tables(np.minimum(gains[::-1], 0.0), weights[::-1], room)[::-1]  # what the items from k on can still bring
    ceiling = rest[0, room] + within + _EASE
    left, value, held = np.array([room]), np.zeros(1), np.zeros((1, len(items)), dtype=bool)
    for k, weight in enumerate(weights):
        fits = left >= weight
        more = held[fits]
        more[:, k] = True
        left = np.concatenate([left, left[fits] - weight])
        value = np.concatenate([value, value[fits] + gains[k]])
        held = np.concatenate([held, more])
        best = value + rest[k + 1][left]  # each beginning has an end of its own that comes to this
        kept = np.flatnonzero(best <= ceiling)
        kept = kept if len(kept) <= most else kept[np.argpartition(best[kept], most - 1)[:most]]
        left, value, held = left[kept], value[kept], held[kept]
    caseloads = np.zeros((len(value), costs.n), dtype=bool)
    caseloads[:, items] = held[np.argsort(value, kind="stable")]
    return caseloads


def forced_costs(costs: Costs, prices: Numbers) -> Numbers:
    """Return by how much the bound rises where a pair is forced into the plan.

    Parameters
    ----------
    costs : Costs
        The problem.
    prices : numpy.ndarray of float, shape (n,)
        What placing each case is worth.

    Returns
    -------
    numpy.ndarray of float, shape (n, m)
        0 or more; infinite where the pair is not allowed. A pair whose rise closes the gap is in no better plan.
    """
    allowed = costs.allowed
    gains = np.where(allowed, costs.cost - prices[:, None], np.inf)
    rises = np.full((costs.n, costs.m), np.inf)
    for manager in range(costs.m):
        gain, weight, room = gains[:, manager], costs.weight[:, manager], int(costs.room[manager])
        items = np.flatnonzero(gain < 0)
        before = _tables(gain[items], weight[items], room)
        after = _tables(gain[items[::-1]], weight[items[::-1]], room)[::-1]
        best = before[-1, room]
        others = np.flatnonzero(allowed[:, manager] & (gain >= 0))
        rises[others, manager] = gain[others] + before[-1][room - weight[others]] - best
        for k, item in enumerate(items):
            left = room - int(weight[item])
            apart = before[k][: left + 1] + after[k + 1][left::-1]
            rises[item, manager] = gain[item] + apart.min() - best
    return np.asarray(np.maximum(rises, 0.0), dtype=np.float64)
