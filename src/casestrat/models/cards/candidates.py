"""The rows that a learned card may take: each item cut into bins, and each condition a run of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from casestrat.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casestrat.models.cards.settings import Limits
    from casestrat.models.inputs.columns import Column

_ROUNDING = 0.25  # a cut may lie this far from its quantile, in quantiles, so that it can be a round number
_LEAST_SHARE = 0.1  # in a small file the least number of people is at most this share of them


@dataclass(frozen=True, slots=True)
class Candidates:
    """Conditions on binned items: condition j holds where the item's bin lies in ``[first[j], last[j])``.

    Attributes
    ----------
    bins : numpy.ndarray of int, shape (n, items)
        Bin of each value, counted through all items.
    n_bins : int
        How many bins all items have together.
    item : numpy.ndarray of int
        Item of each condition.
    first, last : numpy.ndarray of int
        The bins for which it holds.
    words : list of str
        The condition as a card writes it.
    way : numpy.ndarray of int
        1 for a threshold from below upwards, -1 from above downwards, 0 for a code or a missing value.
    is_free : numpy.ndarray of bool
        Whether its points may be below 0: a level among three or more without an order.
    order : numpy.ndarray of int
        Place of a level in its declared order, from 0 (best); -1 where none was declared.
    names : list of str
        Names of the items.
    """

    bins: np.ndarray
    n_bins: int
    item: np.ndarray
    first: np.ndarray
    last: np.ndarray
    words: list[str]
    way: np.ndarray
    is_free: np.ndarray
    order: np.ndarray
    names: list[str]

    def holds(self, candidate: int) -> np.ndarray:
        """Return for whom a condition holds."""
        bins = self.bins[:, self.item[candidate]]
        return np.asarray((bins >= self.first[candidate]) & (bins < self.last[candidate]))

    def take(self, rows: np.ndarray) -> Candidates:
        """Return the same conditions on these rows."""
        return Candidates(
            self.bins[rows], self.n_bins, self.item, self.first, self.last, self.words, self.way, self.is_free,
            self.order, self.names,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Cut:
    """One item in bins, and the conditions on them: (words, first bin, last bin, way, is_free, order)."""

    bins: np.ndarray
    n_bins: int
    conditions: list[tuple[str, int, int, int, bool, int]]


def make_candidates(columns: Sequence[Column], names: Sequence[str], weight: np.ndarray, limits: Limits) -> Candidates:
    """Cut every item into bins and list the conditions that hold for enough people.

    Parameters
    ----------
    columns : sequence of Column
        The items.
    names : sequence of str
        Their names.
    weight : numpy.ndarray
        How many people each row stands for.
    limits : Limits
        What the card may look at.

    Returns
    -------
    Candidates
        Conditions in the order of the items; the bins of ``columns``.

    Raises
    ------
    UsageError
        The declared levels of an item leave out one that it has.
    """
    least = min(float(limits.least_people), _LEAST_SHARE * weight.sum())
    bins = np.zeros((len(weight), len(columns)), dtype=np.int32)
    told: list[tuple[int, str, int, int, int, bool, int]] = []
    offset = 0
    for j, (column, name) in enumerate(zip(columns, names, strict=True)):
        cut = _cut(column, name, weight, limits)
        bins[:, j] = cut.bins + offset
        held = np.bincount(cut.bins, weights=weight, minlength=cut.n_bins)
        for words, first, last, way, is_free, order in cut.conditions:
            people = held[first:last].sum()
            if name not in limits.excluded and min(people, held.sum() - people) >= max(least, 1e-9):
                told.append((j, words, first + offset, last + offset, way, is_free, order))
        offset += cut.n_bins
    item, words_of, first_of, last_of, ways, free, orders = zip(*told, strict=True) if told else ((),) * 7
    whole = [np.array(values, dtype=np.int64) for values in (item, first_of, last_of, ways, orders)]
    return Candidates(
        bins, offset, whole[0], whole[1], whole[2], list(words_of), whole[3], np.array(free, dtype=bool), whole[4],
        list(names),
    )  # fmt: skip


def _cut(column: Column, name: str, weight: np.ndarray, limits: Limits) -> _Cut:
    """Cut one item into bins; the last bin holds the missing values."""
    if column.kind == "text":
        return _cut_text(column, name, limits)
    if column.numbers is None or column.kind == "unknown":
        return _Cut(np.zeros(len(column.is_missing), dtype=np.int32), 1, [])
    return _cut_numbers(column, limits.directions.get(name, "either"), weight, limits)


def _cut_numbers(column: Column, direction: str, weight: np.ndarray, limits: Limits) -> _Cut:
    """Cut numbers at round values near their quantiles."""
    numbers = np.asarray(column.numbers)
    known = ~column.is_missing
    values, inverse = np.unique(numbers[known], return_inverse=True)
    is_flag = len(values) <= 2 and bool(np.isin(values, (0.0, 1.0)).all())
    held = np.bincount(inverse, weights=weight[known], minlength=len(values))
    cuts = _cuts(values, held, limits.max_thresholds)
    missing = len(cuts) + 1
    bins = np.full(len(numbers), missing, dtype=np.int32)
    bins[known] = np.searchsorted(cuts, numbers[known], side="right")
    conditions = []
    for place, cut in enumerate(cuts, start=1):
        if direction != "lower":
            conditions.append(("= 1" if is_flag else f">= {_said(cut)}", place, missing, 1, False, -1))
        if direction != "higher":
            conditions.append(("= 0" if is_flag else f"< {_said(cut)}", 0, place, -1, False, -1))
    return _with_missing(bins, missing, conditions, limits)


def _cut_text(column: Column, name: str, limits: Limits) -> _Cut:
    """Give every level of a text its bin, in the declared order where there is one."""
    codes = np.asarray(column.codes)
    order = [str(level) for level in limits.levels.get(name, ())]
    others = sorted(set(column.levels) - set(order))
    if order and others:
        raise UsageError(
            f"the declared levels of '{name}' leave out {len(others)} levels that X holds",
            where="levels", do="declare every level, from best to worst",
        )  # fmt: skip
    levels = order or others
    place = np.array([levels.index(level) for level in column.levels] + [len(levels)], dtype=np.int32)
    free = not order and len(levels) > 2
    conditions = [
        (f"= {level}", i, i + 1, 0, free, i if order else -1) for i, level in enumerate(levels) if i or not order
    ]
    return _with_missing(place[codes], len(levels), conditions, limits)


def _with_missing(bins: np.ndarray, missing: int, conditions: list[Any], limits: Limits) -> _Cut:
    """Add the row for missing values."""
    if limits.missing_rows:
        conditions = [*conditions, ("is missing", missing, missing + 1, 0, False, -1)]
    return _Cut(bins, missing + 1, conditions)


def _cuts(values: np.ndarray, held: np.ndarray, most: int) -> np.ndarray:
    """Return thresholds: every distinct value but the lowest where they are few, else round ones at quantiles."""
    if len(values) - 1 <= most:
        return values[1:]
    reached = np.cumsum(held) / held.sum()
    shares = np.arange(1, most + 1) / (most + 1)
    low, high = (np.searchsorted(reached, shares + way * _ROUNDING / (most + 1)) for way in (-1, 1))
    rounded = []
    for i, j in zip(low, np.minimum(high, len(values) - 1), strict=True):
        if i:  # where one value holds all that is near the quantile, the cut parts it from the value before
            below = values[i - 1] if i == j else values[i]
            rounded.append(_roundest(below, values[j]))
    cuts = np.unique(rounded)
    return np.asarray(cuts[(cuts > values[0]) & (cuts <= values[-1])])


def _roundest(below: float, upto: float) -> float:
    """Return the number with the fewest digits in (below, upto]."""
    for digits in range(-15, 16):
        step = 10.0**-digits
        number = float(np.floor(upto / step)) * step
        number = float(f"{number:.{max(digits, 0)}f}")
        if below < number <= upto:
            return number
    return float(upto)


def _said(cut: float) -> str:
    """Write a threshold as it reads back to the same number."""
    return str(int(cut)) if float(cut).is_integer() and abs(cut) < 1e15 else repr(float(cut))
