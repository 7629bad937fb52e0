"""Split the cases of one zone among a number of case managers, with the least sum of squared loads.

First a search deals the cases of two case managers anew, exactly, as long as that evens their loads out. Where each has
few cases, all caseloads are then listed: linear prices of the cases prove a bound and rule most caseloads out, and the
few that are left are chosen among exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from casestrat.allocation.solver.clock import Clock
from casestrat.allocation.solver.partition import choose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Numbers: TypeAlias = NDArray[np.float64]
    Wholes: TypeAlias = NDArray[np.int64]

_EASE = 1e-7  # relative
_MOST_CASELOADS = 30_000  # of a zone, up to which all are listed
_MOST_LEFT = 6_000  # up to which those not ruled out are chosen among
_NODES, _SECONDS = 2_000, 60.0  # of that choice; the seconds are only a safety
_MOST_MINUTES = 200_000  # of two case managers together, up to which their cases are dealt anew exactly
_KICKS = 30
_PARTNERS = 12  # case managers tried with each, those furthest from it in load


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many cases, and how much, each case manager may have."""

    fewest: int
    most: int
    load: float


@dataclass(slots=True)
class Split:
    """The best split known (None: none is), its sum of squares, and a bound on any split."""

    bins: tuple[tuple[int, ...], ...] | None
    value: float
    bound: float


def squares(weights: Numbers, bins: Sequence[Sequence[int]]) -> float:
    """Return the sum of squared loads.

    Parameters
    ----------
    weights : numpy.ndarray of float
        Of the cases.
    bins : sequence of sequences of int
        Cases of each case manager.

    Returns
    -------
    float
        Smaller is more even.
    """
    return float(sum(sum(weights[case] for case in cases) ** 2 for cases in bins))


def least_squares(weights: Numbers, number: int, *, is_whole: bool) -> float:
    """Return a bound on the sum of squared loads: a case heavier than an even share stands alone, the rest is even.

    Parameters
    ----------
    weights : numpy.ndarray of float
        Of the cases.
    number : int
        Case managers, 1 or more.
    is_whole : bool
        Whether all weights are whole numbers, and so the loads.

    Returns
    -------
    float
        No split has less.

    Examples
    --------
    >>> least_squares(np.array([9.0, 1.0, 1.0, 1.0]), 3, is_whole=True)
    86.0
    """
    heavy, rest, left = 0.0, float(weights.sum()), number
    for weight in np.sort(weights)[::-1]:
        if left <= 1 or weight * left <= rest:
            break
        heavy, rest, left = heavy + float(weight) ** 2, rest - float(weight), left - 1
    if not is_whole:
        return heavy + rest**2 / left
    even, over = divmod(round(rest), left)
    return heavy + float(over * (even + 1) ** 2 + (left - over) * even**2)


@dataclass(slots=True)
class Zone:
    """The cases of one zone; splits among different numbers of case managers share what is found out."""

    weights: Numbers  # in descending order
    bounds: Bounds
    is_whole: bool
    _listed: tuple[sparse.csc_array, Numbers] | None = None
    _splits: dict[int, Split] = field(default_factory=dict)
    _proven: set[int] = field(default_factory=set)

    def is_possible(self, number: int) -> bool:
        """Return whether counts and summed load allow this number of case managers."""
        n, bounds = len(self.weights), self.bounds
        enough = number * bounds.load >= float(self.weights.sum()) * (1 - _EASE)
        return number >= 1 and number * bounds.fewest <= n <= number * bounds.most and enough

    def least(self, number: int) -> float:
        """Return the bound that is known so far."""
        if not self.is_possible(number):
            return np.inf
        if number in self._splits:
            return self._splits[number].bound
        return least_squares(self.weights, number, is_whole=self.is_whole)

    def known(self, number: int) -> Split | None:
        """Return the split found so far."""
        return self._splits.get(number)

    def is_done(self, number: int) -> bool:
        """Return whether nothing more can be found out."""
        return number in self._proven

    def advance(self, number: int) -> None:
        """Search, and solve the linear bound; the next time, choose exactly."""
        split = self._splits.get(number)
        if split is None:
            found = search(self.weights, number, self.bounds, self.least(number), whole=self.is_whole)
            value = np.inf if found is None else squares(self.weights, found)
            self._splits[number] = split = Split(found, value, self.least(number))
            if not self._is_closed(split) and self._columns() is not None:
                self._prices(number, split)
            if self._is_closed(split) or self._columns() is None:
                self._proven.add(number)
            return
        self._choose(number, split)
        self._proven.add(number)

    def _is_closed(self, split: Split) -> bool:
        return split.value <= split.bound * (1 + _EASE)

    def _raise(self, split: Split, bound: float) -> None:
        """Note a bound, rounded up where loads are whole."""
        raised = float(np.ceil(bound * (1 - _EASE))) if self.is_whole and np.isfinite(bound) else bound
        split.bound = min(max(split.bound, raised), split.value)

    def _columns(self) -> tuple[sparse.csc_array, Numbers] | None:
        """List all caseloads: a column each with its cases and a 1 in the last row, and the squared loads."""
        n, bounds = len(self.weights), self.bounds
        sizes = range(bounds.fewest, min(bounds.most, n) + 1)
        if self._listed is None and sum(comb(n, size) for size in sizes) <= _MOST_CASELOADS:
            self._listed = _caseloads(self.weights, sizes, bounds.load)
        return self._listed

    def _solve_prices(self, number: int) -> tuple[Numbers, float] | None:
        """Reduced costs of all caseloads, and the value of the best mixture; None: there is none."""
        rows, value = self._columns() or (sparse.csc_array((1, 0)), np.zeros(0))
        if not len(value):
            return None
        needs = np.concatenate([np.ones(len(self.weights)), [float(number)]])
        solved = linprog(value, A_eq=rows, b_eq=needs, bounds=(0, None), method="highs")
        if solved.status != 0:
            return None
        # the caseloads can all be dearer or cheaper by the solver's rounding: the least is taken as 0
        reduced = value - rows.T @ solved.eqlin.marginals
        return np.asarray(reduced - min(float(reduced.min()), 0.0)), float(solved.fun)

    def _prices(self, number: int, split: Split) -> None:
        """Raise the bound by the linear prices; no mixture at all means no split at all."""
        found = self._solve_prices(number)
        if found is None:
            split.bound = np.inf if split.bins is None else split.bound
            self._proven.add(number)
            return
        self._raise(split, found[1])

    def _choose(self, number: int, split: Split) -> None:
        """Choose exactly among the caseloads that the prices do not rule out."""
        found, listed = self._solve_prices(number), self._columns()
        if found is None or listed is None:
            return
        reduced, linear = found
        rows, value = listed
        kept = np.flatnonzero(reduced <= split.value - linear + _EASE * max(abs(linear), 1.0))
        if len(kept) > _MOST_LEFT and np.isfinite(split.value):
            return
        needs = np.concatenate([np.ones(len(self.weights)), [float(number)]])
        columns = sparse.csc_array(rows[:, kept])
        chosen = choose(columns, value[kept], needs, needs, _NODES, _SECONDS, Clock())
        if chosen.taken is not None:
            bins = tuple(tuple(columns[:, [at]].nonzero()[0][:-1].tolist()) for at in np.flatnonzero(chosen.taken))
            if squares(self.weights, bins) < split.value:
                split.bins, split.value = bins, squares(self.weights, bins)
        self._raise(split, split.value if chosen.is_complete else chosen.bound)
        if chosen.is_complete and split.bins is None:
            split.bound = np.inf


def _caseloads(weights: Numbers, sizes: range, load: float) -> tuple[sparse.csc_array, Numbers]:
    """List the caseloads of some sizes within a load."""
    n, columns, loads = len(weights), [], []
    for size in sizes:
        members = np.array(list(combinations(range(n), size)), dtype=np.int64).reshape(-1, size)
        sums = weights[members].sum(axis=1)
        kept = sums <= load * (1 + 1e-12)
        columns.append(np.concatenate([members[kept], np.full((int(kept.sum()), 1), n)], axis=1))
        loads.append(sums[kept])
    value = np.concatenate([*loads, np.zeros(0)]) ** 2
    rows = np.concatenate([part.ravel() for part in columns] or [np.zeros(0, dtype=np.int64)])
    lengths = np.concatenate([np.full(len(part), part.shape[1]) for part in columns] or [np.zeros(0, dtype=np.int64)])
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return sparse.csc_array((np.ones(len(rows)), rows, starts), shape=(n + 1, len(value))), value


def search(
    weights: Numbers, number: int, bounds: Bounds, least: float, *, whole: bool
) -> tuple[tuple[int, ...], ...] | None:
    """Return an even split, or None where the search finds none within the greatest load.

    Parameters
    ----------
    weights : numpy.ndarray of float
        Of the cases, in descending order.
    number : int
        Case managers.
    bounds : Bounds
        Of each case manager.
    least : float
        A bound on the sum of squares that ends the search.
    whole : bool
        Whether all weights are whole numbers.

    Returns
    -------
    tuple of tuples of int or None
        Cases of each case manager.
    """
    rng, best, best_key = np.random.default_rng(0), None, (np.inf, np.inf)
    bins = _dealt(weights, number, bounds)
    for _ in range(_KICKS):
        bins = _evened(weights, bins, bounds, whole=whole)
        key = (_excess(weights, bins, bounds), squares(weights, bins))
        if key < best_key:
            best, best_key = bins, key
        if number == 1 or best is None or (best_key[0] <= 0 and best_key[1] <= least * (1 + _EASE)):
            break
        bins = _mixed(best, rng)
    return None if best is None or best_key[0] > 0 else tuple(tuple(sorted(cases)) for cases in best)


def _excess(weights: Numbers, bins: list[list[int]], bounds: Bounds) -> float:
    """Sum of loads above the greatest load, but for rounding."""
    over = [float(weights[cases].sum()) - bounds.load for cases in bins]
    return sum(value for value in over if value > 1e-9 * max(bounds.load, 1.0)) if np.isfinite(bounds.load) else 0.0


def _dealt(weights: Numbers, number: int, bounds: Bounds) -> list[list[int]]:
    """Deal the heaviest first to whoever has least, within the counts."""
    bins: list[list[int]] = [[] for _ in range(number)]
    load = np.zeros(number)
    count = np.zeros(number, dtype=np.int64)
    for case, weight in enumerate(weights):
        needed = int(np.maximum(bounds.fewest - count, 0).sum())
        able = count < (bounds.fewest if needed >= len(weights) - case else bounds.most)
        taker = int(np.argmin(np.where(able, load, np.inf)))
        bins[taker].append(case)
        load[taker] += weight
        count[taker] += 1
    return bins


def _evened(weights: Numbers, bins: list[list[int]], bounds: Bounds, *, whole: bool) -> list[list[int]]:
    """Deal the cases of two case managers anew as long as that brings their loads nearer."""
    bins = [list(cases) for cases in bins]
    load = np.array([float(weights[cases].sum()) for cases in bins])
    tried: dict[tuple[int, int], tuple[float, float]] = {}
    step = 1.0 if whole else _EASE * max(float(load.max(initial=0.0)), 1.0)
    improved = True
    while improved:
        improved = False
        for a in np.argsort(-load, kind="stable").tolist():
            for b in np.argsort(-np.abs(load - load[a]), kind="stable")[:_PARTNERS].tolist():
                gap = abs(load[a] - load[b])
                if a == b or gap <= step or tried.get((a, b)) == (load[a], load[b]):
                    continue
                tried[a, b] = (load[a], load[b])
                pool = bins[a] + bins[b]
                mine = (_halved if whole else _swapped)(weights, bins[a], bins[b], bounds)
                new = float(weights[mine].sum())
                if abs(2 * new - load[a] - load[b]) < gap - step / 2:
                    held = set(mine)
                    bins[a], bins[b] = mine, [case for case in pool if case not in held]
                    load[a], load[b] = new, float(weights[bins[b]].sum())
                    improved = True
    return bins


def _halved(weights: Numbers, first: list[int], second: list[int], bounds: Bounds) -> list[int]:
    """Return those of two case managers' cases whose load is nearest to half, by all sums that there are."""
    pool = first + second
    sizes = [round(float(weights[case])) for case in pool]
    total, n = sum(sizes), len(pool)
    fewest, most = max(bounds.fewest, n - bounds.most), min(bounds.most, n - bounds.fewest)
    if total > _MOST_MINUTES:
        return _swapped(weights, first, second, bounds)
    reached = [[1] + [0] * most]  # bit s of entry c: c of the first cases can weigh s
    for size in sizes:
        last = reached[-1]
        reached.append([last[0]] + [last[c] | (last[c - 1] << size) for c in range(1, most + 1)])
    best = min(
        ((abs(2 * at - total), count, at) for count in range(fewest, most + 1)
         for at in _nearest(reached[-1][count], total)),
        default=None,
    )  # fmt: skip
    if best is None:
        return first
    _, count, at = best
    mine = []
    for k in range(n - 1, -1, -1):
        if not (reached[k][count] >> at) & 1:
            mine.append(pool[k])
            count, at = count - 1, at - sizes[k]
    return mine


def _nearest(sums: int, total: int) -> list[int]:
    """List the sums among the bits that are nearest to half the total, from below and from above."""
    half = total // 2
    below, above = sums & ((1 << (half + 1)) - 1), sums >> (half + 1)
    found = [below.bit_length() - 1] if below else []
    return found + ([half + (above & -above).bit_length()] if above else [])


def _swapped(weights: Numbers, first: list[int], second: list[int], bounds: Bounds) -> list[int]:
    """Return the first's cases after the one swap or move that brings the loads nearest to each other."""
    gap = float(weights[first].sum() - weights[second].sum())
    mine, theirs = weights[first], weights[second]
    shift = mine[:, None] - theirs[None, :]
    best, change = np.inf, first
    if shift.size:
        i, j = divmod(int(np.argmin(np.abs(gap - 2 * shift))), len(second))
        best = abs(gap - 2 * float(shift[i, j]))
        change = [case for at, case in enumerate(first) if at != i] + [second[j]]
    if len(first) > bounds.fewest and len(second) < bounds.most and len(first):
        i = int(np.argmin(np.abs(gap - 2 * mine)))
        if abs(gap - 2 * float(mine[i])) < best:
            best, change = abs(gap - 2 * float(mine[i])), [case for at, case in enumerate(first) if at != i]
    if len(second) > bounds.fewest and len(first) < bounds.most and len(second):
        j = int(np.argmin(np.abs(gap + 2 * theirs)))
        if abs(gap + 2 * float(theirs[j])) < best:
            change = [*first, second[j]]
    return change


def _mixed(bins: list[list[int]], rng: np.random.Generator) -> list[list[int]]:
    """Swap a few cases at random: a way out of a dead end."""
    bins = [list(cases) for cases in bins]
    for _ in range(max(2, len(bins) // 4)):
        a, b = rng.choice(len(bins), 2, replace=False).tolist()
        if bins[a] and bins[b]:
            i, j = int(rng.integers(len(bins[a]))), int(rng.integers(len(bins[b])))
            bins[a][i], bins[b][j] = bins[b][j], bins[a][i]
    return bins
