"""What is asked of the rows that count: each answer is one number or place per question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.timeline.sorted_rows import CHUNK_PAIRS, DAY, MISSING, NEVER, chunks, expanded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from casestrat.timeline.as_of import Asked

    Whole = NDArray[np.int64]
    Numbers = NDArray[np.float64]
    Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """The rows that count for each question, as slices of sorted rows; every answer is in the order of the spine.

    Parameters
    ----------
    asked : Asked
        The spine.
    rows : numpy.ndarray
        Places in the table's frame, sorted by moment within a slice.
    observed : numpy.ndarray
        When each of these rows was true, in microseconds.
    low, high : numpy.ndarray
        Where the slice of each sorted spine row begins and ends.
    window_days : int, optional
        Length of the window before the date; without it, all that was known.
    chunk_pairs : int
        The most pairs of a date and a row that are held at once.
    """

    asked: Asked
    rows: Whole
    observed: Whole
    low: Whole
    high: Whole
    window_days: int | None = None
    chunk_pairs: int = CHUNK_PAIRS

    def count(self) -> Whole:
        """Return how many rows count.

        Returns
        -------
        numpy.ndarray of int
            One number per spine row.
        """
        return self.asked.restored(self.high - self.low)

    def last(self, back: int = 0) -> Whole:
        """Return the frame's place of the last row, or of one before it.

        Parameters
        ----------
        back : int, default 0
            How many rows before the last; 0 or more.

        Returns
        -------
        numpy.ndarray of int
            One place per spine row, −1 where there is none.
        """
        return self._picked(self.high - 1 - back)

    def first(self) -> Whole:
        """Return the frame's place of the first row.

        Returns
        -------
        numpy.ndarray of int
            One place per spine row, −1 where there is none.
        """
        return self._picked(self.low)

    def days_since_last(self) -> Numbers:
        """Return the days from the last row's moment to the date.

        Returns
        -------
        numpy.ndarray
            One number per spine row, missing where there is none.
        """
        return self._days_since(self.high - 1)

    def days_since_first(self) -> Numbers:
        """Return the days from the first row's moment to the date.

        Returns
        -------
        numpy.ndarray
            One number per spine row, missing where there is none.
        """
        return self._days_since(self.low)

    def reduced(self, values: Numbers, by: np.ufunc) -> Numbers:
        """Return ``by`` (``np.add``, ``np.minimum`` …) over each slice, missing where it is empty.

        Parameters
        ----------
        values : numpy.ndarray
            One number per row of the table's frame; those that count must not be missing.
        by : numpy.ufunc
            What to reduce with.

        Returns
        -------
        numpy.ndarray
            One number per spine row.
        """
        out = np.full(len(self.asked), np.nan)
        some = np.flatnonzero(self.high > self.low)
        if len(some):
            low = self.low[some]
            if (low[1:] < low[:-1]).any():  # reduceat needs rising ends, or it reduces gaps for nothing
                some = some[np.argsort(low, kind="stable")]
            numbers = np.append(values[self.rows], 0.0)  # an end may stand one past the last row
            ends = np.empty(2 * len(some), dtype="int64")
            ends[::2], ends[1::2] = self.low[some], self.high[some]
            out[some] = by.reduceat(numbers, ends)[::2]
        return self.asked.restored(out)

    def mean(self, values: Numbers) -> Numbers:
        """Return the mean over each slice.

        Parameters
        ----------
        values : numpy.ndarray
            One number per row of the table's frame; those that count must not be missing.

        Returns
        -------
        numpy.ndarray
            One number per spine row, missing where the slice is empty.
        """
        count = self.count()
        return self.reduced(values, np.add) / np.where(count > 0, count, 1)

    def deviation(self, values: Numbers) -> Numbers:
        """Return the standard deviation (of a sample) over each slice.

        Parameters
        ----------
        values : numpy.ndarray
            One number per row of the table's frame; those that count must not be missing.

        Returns
        -------
        numpy.ndarray
            One number per spine row, missing under two rows.
        """
        out = np.full(len(self.asked), np.nan)
        for dates, which, place in self._expanded(least=2):
            y = values[self.rows[place]]
            n = np.bincount(which)
            y = y - (np.bincount(which, y) / n)[which]
            out[dates] = np.sqrt(np.bincount(which, y * y) / (n - 1))
        return self.asked.restored(out)

    def slope(self, values: Numbers) -> Numbers:
        """Return the least-squares slope a day over each slice, missing under two different moments.

        Parameters
        ----------
        values : numpy.ndarray
            One number per row of the table's frame; those that count must not be missing.

        Returns
        -------
        numpy.ndarray
            One number per spine row, in units of the values a day.
        """
        out = np.full(len(self.asked), np.nan)
        for dates, which, place in self._expanded(least=2):
            x = (self.observed[place] - self.observed[self.low[dates]][which]) / DAY
            y = values[self.rows[place]]
            n = np.bincount(which)
            x = x - (np.bincount(which, x) / n)[which]
            y = y - (np.bincount(which, y) / n)[which]
            spread, together = np.bincount(which, x * x), np.bincount(which, x * y)
            out[dates] = np.divide(together, spread, out=np.full(len(dates), np.nan), where=spread > 0)
        return self.asked.restored(out)

    def distinct(self, codes: Whole) -> Whole:
        """Return how many different codes each slice holds.

        Parameters
        ----------
        codes : numpy.ndarray
            One whole number from 0 on per row of the table's frame.

        Returns
        -------
        numpy.ndarray
            One number per spine row.
        """
        out = np.zeros(len(self.asked), dtype="int64")
        size = int(codes.max(initial=0)) + 1
        for dates, which, place in self._expanded():
            pairs = np.unique(which * size + codes[self.rows[place]])
            out[dates] = np.bincount(pairs // size, minlength=len(dates))
        return self.asked.restored(out)

    def longest_gap(self) -> Numbers:
        """Return the longest time in days without a row: between rows, and from the last to the date.

        A window's own start counts as well: without a row the gap is the whole window. Without a window the gap is
        missing where there is no row.

        Returns
        -------
        numpy.ndarray
            One number of days per spine row.
        """
        as_of = self.asked.as_of
        start = None if self.window_days is None else as_of - self.window_days * DAY
        out = np.full(len(as_of), np.nan if start is None else float(self.window_days or 0))
        for dates, which, place in self._expanded():
            moment = self.observed[place]
            before = np.append(moment[:1], moment[:-1])
            is_first = np.append(True, which[1:] != which[:-1])
            before[is_first] = moment[is_first] if start is None else start[dates]
            between = np.zeros(len(dates), dtype="int64")
            np.maximum.at(between, which, moment - before)
            out[dates] = np.maximum(between, as_of[dates] - self.observed[self.high[dates] - 1]) / DAY
        return self.asked.restored(out)

    def streak(self, flags: Flags) -> Whole:
        """Return how many rows at the end of each slice meet a condition without a break.

        Parameters
        ----------
        flags : numpy.ndarray of bool
            One entry per row of the table's frame.

        Returns
        -------
        numpy.ndarray
            One number per spine row, 0 where the last row does not meet it.
        """
        met = flags[self.rows]
        broken = np.maximum.accumulate(np.where(met, -1, np.arange(len(met))))
        out = np.zeros(len(self.asked), dtype="int64")
        some = np.flatnonzero(self.high > self.low)
        last = self.high[some] - 1
        out[some] = last - np.maximum(broken[last], self.low[some] - 1)
        return self.asked.restored(out)

    def longest_streak(self, flags: Flags) -> Whole:
        """Return the most rows in a row of each slice that meet a condition.

        Parameters
        ----------
        flags : numpy.ndarray of bool
            One entry per row of the table's frame.

        Returns
        -------
        numpy.ndarray of int
            One number per spine row, 0 where no row meets it.
        """
        out = np.zeros(len(self.asked), dtype="int64")
        for dates, which, place in self._expanded():
            met = flags[self.rows[place]]
            at = np.arange(len(met))
            is_first = np.append(True, which[1:] != which[:-1])
            reset = np.where(met, np.where(is_first, at - 1, -1), at)
            longest = np.zeros(len(dates), dtype="int64")
            np.maximum.at(longest, which, at - np.maximum.accumulate(reset))
            out[dates] = longest
        return self.asked.restored(out)

    def decayed(self, half_life_days: float) -> Numbers:
        """Return the number of rows, each worth half for every half-life that has passed since.

        Parameters
        ----------
        half_life_days : float
            Days after which a row is worth one half.

        Returns
        -------
        numpy.ndarray
            One number per spine row, 0 where there is no row.
        """
        out = np.zeros(len(self.asked))
        for dates, which, place in self._expanded():
            age = (self.asked.as_of[dates][which] - self.observed[place]) / DAY
            out[dates] = np.bincount(which, np.exp2(-age / half_life_days), minlength=len(dates))
        return self.asked.restored(out)

    def days_inside(self, ends: Whole, window_days: int | None, open_days: int | None = None) -> Numbers:
        """Return the days of each window that lie inside a spell, where spells overlap once.

        Parameters
        ----------
        ends : numpy.ndarray
            When each row of the table's frame ended, in microseconds; an open-ended one is ``MISSING``.
        window_days : int or None
            Length of the window before the date; None counts all that was known. The slices must reach back beyond it,
            for a spell that began before the window may reach into it.
        open_days : int, optional
            The longest that an open-ended spell is taken to last; without it, until the date.

        Returns
        -------
        numpy.ndarray
            One number per spine row, 0 where no spell reaches into the window.
        """
        out = np.zeros(len(self.asked))
        for dates, which, place in self._expanded():
            begin, end = self._clipped(dates, which, place, ends, open_days)
            if window_days is not None:
                begin = np.maximum(begin, (self.asked.as_of[dates] - window_days * DAY)[which])
            end = np.maximum(begin, end)
            reach = pd.Series(end).groupby(which).cummax().to_numpy()
            is_first = np.append(True, which[1:] != which[:-1])
            until = np.where(is_first, begin, np.append(begin[:1], reach[:-1]))
            inside = np.maximum(end - np.maximum(begin, until), 0) / DAY
            out[dates] = np.bincount(which, inside, minlength=len(dates))
        return self.asked.restored(out)

    def is_inside(self, ends: Whole, open_days: int | None = None) -> Flags:
        """Return whether a spell was known to last until the date.

        Parameters
        ----------
        ends : numpy.ndarray
            When each row of the table's frame ended, in microseconds; an open-ended one is ``MISSING``.
        open_days : int, optional
            The longest that an open-ended spell is taken to last; without it, until the date.

        Returns
        -------
        numpy.ndarray of bool
            One flag per spine row.
        """
        out = np.zeros(len(self.asked), dtype=bool)
        for dates, which, place in self._expanded():
            _, end = self._clipped(dates, which, place, ends, open_days)
            out[dates] = np.bincount(which, end >= self.asked.as_of[dates][which], minlength=len(dates)) > 0
        return self.asked.restored(out)

    def pairs(self) -> tuple[Whole, Whole]:
        """Return every pair of a spine row and a row that counts for it.

        Returns
        -------
        tuple of two numpy.ndarray
            Their places in the spine, and in the frame; one entry per pair.
        """
        which, place = expanded(self.low, self.high)
        return self.asked.order[which], self.rows[place]

    def _clipped(
        self, dates: Whole, which: Whole, place: Whole, ends: Whole, open_days: int | None
    ) -> tuple[Whole, Whole]:
        """Begin and end of each spell, the end at the date at the latest."""
        begin, end = self.observed[place], ends[self.rows[place]]
        last = NEVER if open_days is None else begin + open_days * DAY
        return begin, np.minimum(np.where(end == MISSING, last, end), self.asked.as_of[dates][which])

    def _days_since(self, places: Whole) -> Numbers:
        out = np.full(len(self.asked), np.nan)
        some = self.high > self.low
        out[some] = (self.asked.as_of[some] - self.observed[places[some]]) / DAY
        return self.asked.restored(out)

    def _expanded(self, least: int = 1) -> Iterator[tuple[Whole, Whole, Whole]]:
        """Give the slices of at least so many rows, in chunks: the dates, and for each row the date and the place."""
        size = self.high - self.low
        several = np.flatnonzero(size >= least)
        for dates in chunks(several, size[several], self.chunk_pairs):
            yield dates, *expanded(self.low[dates], self.high[dates])

    def _picked(self, places: Whole) -> Whole:
        out = np.full(len(self.asked), -1, dtype="int64")
        some = (places >= self.low) & (places < self.high)
        out[some] = self.rows[places[some]]
        return self.asked.restored(out)
