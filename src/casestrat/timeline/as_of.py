"""The one engine: which rows of a table were known, and in the window, on each date asked for.

A question is a *spine*: one row a person and date. The rules are the same everywhere and have no switch:

- a row is **known** on a date when it was recorded before it (``recorded_at < as_of``), so the day itself never counts;
- a row is **in the window** when it was observed in ``[as_of − window, as_of)``;
- of several versions of a row (the same key recorded again) the last one known counts; a void version retracts the row;
- of rows observed at the same moment, the later recorded comes last, and then the greater key.

How it works: the rows of a table are sorted once by person, moment observed, moment recorded and key, so that the rows
before a date are one slice of the person's rows. Slices are found by a bisection of all dates at once and reduced by
numpy, whatever their number. A row that was observed before a date but recorded after it, or replaced before it, breaks
a slice: only the dates that meet such a row have their slice copied out, without the rows that do not count.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from casestrat.errors import UsageError
from casestrat.timeline.sorted_rows import (
    CHUNK_PAIRS,
    DAY,
    MISSING,
    NEVER,
    arrow_text,
    bisected,
    chunks,
    expanded,
    is_increasing,
    is_void,
    microseconds,
    replaced_at,
    sorted_order,
)
from casestrat.timeline.windows import Windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Whole = NDArray[np.int64]


def known(frame: pd.DataFrame, key: str | Sequence[str], as_of: pd.Timestamp | str) -> pd.DataFrame:
    """Return the rows of a table that were known on one date, each in the version that counted then.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows with ``recorded_at`` and, where rows can be retracted, ``is_void``.
    key : str or sequence of str
        The columns that tell one row from another; rows that share them are versions of one row.
    as_of : Timestamp or str
        The date; what was recorded on it or later does not count.

    Returns
    -------
    pandas.DataFrame
        One row per key that was known and not void, in the order of ``frame``.

    Examples
    --------
    >>> falls = pd.DataFrame({
    ...     "event_id": ["E1", "E1", "E2"],
    ...     "detail": ["kitchen", "stairs", "street"],
    ...     "recorded_at": pd.to_datetime(["2026-01-02", "2026-03-01", "2026-02-01"]),
    ... })
    >>> known(falls, "event_id", "2026-02-15")["detail"].tolist()
    ['kitchen', 'street']
    """
    columns = [key] if isinstance(key, str) else list(key)
    rows = frame.loc[(frame["recorded_at"] < pd.Timestamp(as_of)).to_numpy(dtype=bool)]
    if not is_increasing(rows, columns):
        order = np.argsort(microseconds(rows["recorded_at"]), kind="stable")
        is_last = ~rows[columns].iloc[order].duplicated(keep="last").to_numpy()
        rows = rows.iloc[np.sort(order[is_last])]
    return rows.loc[~is_void(rows)]


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A spine as sorted arrays: who is asked about, and when.

    Parameters
    ----------
    people : pyarrow.Array
        The different people, in the order of their codes.
    person : numpy.ndarray
        Code of the person, one per spine row, rising.
    as_of : numpy.ndarray
        Date asked for, in microseconds, one per spine row, rising within a person.
    order : numpy.ndarray
        Place in the spine of each sorted row.
    starts : numpy.ndarray
        Where a person's rows begin; one more entry than people.
    coded : dict of int to (pandas.DataFrame, numpy.ndarray)
        Frames whose people's codes are known already, by identity.
    """

    people: pa.Array
    person: NDArray[np.int64]
    as_of: NDArray[np.int64]
    order: NDArray[np.int64]
    starts: NDArray[np.int64]
    coded: dict[int, tuple[pd.DataFrame, NDArray[np.int64]]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, spine: pd.DataFrame) -> Asked:
        """Sort a spine.

        Parameters
        ----------
        spine : pandas.DataFrame
            Columns ``person_id`` and ``as_of``, any number of dates a person.

        Returns
        -------
        Asked
            The same questions as sorted arrays.

        Raises
        ------
        UsageError
            A column is missing, a value is missing, or ``as_of`` is not a naive date.
        """
        frame = checked_spine(spine)
        codes, people = pd.factorize(frame["person_id"])
        dates = microseconds(frame["as_of"])
        order = np.lexsort((dates, codes))
        _refuse_twice(codes[order], dates[order])
        starts = np.zeros(len(people) + 1, dtype="int64")
        np.cumsum(np.bincount(codes, minlength=len(people)), out=starts[1:])
        return cls(arrow_text(pd.Series(people)), codes[order].astype("int64"), dates[order], order, starts)

    def __len__(self) -> int:
        return len(self.order)

    @property
    def has_one_date_each(self) -> bool:
        """Whether no person is asked about on two dates."""
        return len(self.order) == len(self.starts) - 1

    def codes(self, person_id: pd.Series) -> NDArray[np.int64]:
        """Return the codes of people, −1 for those not asked about.

        Parameters
        ----------
        person_id : pandas.Series
            Ids, such as the column of a table.

        Returns
        -------
        numpy.ndarray of int
            One code per id.
        """
        if not len(self.people):
            return np.full(len(person_id), -1, dtype="int64")
        ids = arrow_text(person_id).cast(self.people.type)
        found = pc.fill_null(pc.index_in(ids, value_set=self.people), -1)
        return np.asarray(found.to_numpy(zero_copy_only=False), dtype="int64")

    def codes_of(self, frame: pd.DataFrame) -> NDArray[np.int64]:
        """Return the codes of the people of a frame's rows, −1 for those not asked about.

        Parameters
        ----------
        frame : pandas.DataFrame
            Rows with ``person_id``.

        Returns
        -------
        numpy.ndarray of int
            One code per row.
        """
        known_already = self.coded.get(id(frame))
        return self.codes(frame["person_id"]) if known_already is None else known_already[1]

    def restored(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return values that stand in sorted order in the order of the spine.

        Parameters
        ----------
        values : numpy.ndarray
            One value per sorted row.

        Returns
        -------
        numpy.ndarray
            One value per spine row.
        """
        out = np.empty_like(values)
        out[self.order] = values
        return out


def checked_spine(spine: pd.DataFrame) -> pd.DataFrame:
    """Return a spine's two columns, the date as a naive moment; refuse one that cannot be used.

    Parameters
    ----------
    spine : pandas.DataFrame
        Columns ``person_id`` and ``as_of``, or an index of these names.

    Returns
    -------
    pandas.DataFrame
        One row per question: ``person_id`` and ``as_of`` (``datetime64[us]``).

    Raises
    ------
    UsageError
        A column or a value is missing, ``as_of`` carries a time zone, or a person and date stand there twice.
    """
    frame = spine
    if not {"person_id", "as_of"} <= set(frame.columns) and {"person_id", "as_of"} <= set(frame.index.names):
        frame = frame.index.to_frame(index=False)
    absent = [name for name in ("person_id", "as_of") if name not in frame.columns]
    if absent:
        raise UsageError(f"a spine needs person_id and as_of; not found: {', '.join(absent)}", do="use make_spine")
    frame = frame[["person_id", "as_of"]].reset_index(drop=True)
    dates = pd.to_datetime(frame["as_of"])
    if dates.dt.tz is not None:
        raise UsageError("the spine's as_of has a time zone", do="give naive dates, local to the agency")
    if frame.isna().any(axis=None):
        raise UsageError("the spine has rows without a person or a date", do="drop them")
    return frame.assign(as_of=dates.dt.as_unit("us"))


def _refuse_twice(person: Whole, dates: Whole) -> None:
    """Stop at a person and date that are asked about again, from sorted rows."""
    twice = int(((person[1:] == person[:-1]) & (dates[1:] == dates[:-1])).sum())
    if twice:
        raise UsageError(
            f"the spine asks again about the same person and date in {twice} rows", do="drop_duplicates() first"
        )


class History:
    """The rows of one table about the people asked for, sorted once for any number of windows.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows with ``person_id``, ``recorded_at``, the column ``observed`` and the columns of ``key``.
    asked : Asked
        The spine.
    observed : str
        The column that says when the row was true.
    key : sequence of str
        The columns that tell one row from another; rows that share them are versions of one row.
    until : str, optional
        A column after which the row is true no more (a fact's ``valid_to``); the day itself still counts.
    chunk_pairs : int, optional
        The most pairs of a date and a row that are held at once.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        asked: Asked,
        *,
        observed: str = "observed_at",
        key: Sequence[str] = ("event_id",),
        until: str | None = None,
        chunk_pairs: int = CHUNK_PAIRS,
    ) -> None:
        self.asked, self.chunk_pairs = asked, chunk_pairs
        person = asked.codes_of(frame)
        moment, recorded = microseconds(frame[observed]), microseconds(frame["recorded_at"])
        ended = replaced_at(frame, list(key), recorded, moment)
        if until is not None:
            ended = np.minimum(ended, microseconds(frame[until], missing=NEVER))
        rows = self._countable(person, moment, recorded, ended, is_void(frame))
        order, self._packing, self._packed = sorted_order(
            person[rows], moment[rows], recorded[rows], frame, list(key), rows
        )
        self.rows = rows = rows[order]  # places in the frame
        self.observed = moment[rows]
        self._starts = np.zeros(len(asked.starts), dtype="int64")
        np.cumsum(np.bincount(person[rows], minlength=len(asked.starts) - 1), out=self._starts[1:])
        self._lows: dict[int | None, Whole] = {None: self._starts[asked.person]}
        self._after = self._first_from(asked.as_of)
        self._broken = np.zeros(0, dtype="int64")
        if not asked.has_one_date_each:  # with one, every row that is left counts on its person's only date
            self._recorded, self._ended = recorded[rows], ended[rows]
            self._broken = self._broken_dates(person[rows])

    def _countable(self, person: Whole, moment: Whole, recorded: Whole, ended: Whole, void: NDArray[np.bool_]) -> Whole:
        """Places of the rows that count on at least one date of their person."""
        asked = self.asked
        if not len(asked):
            return np.zeros(0, dtype="int64")
        first, last = asked.as_of[asked.starts[:-1]], asked.as_of[asked.starts[1:] - 1]
        if first.min() == last.max():  # one date for all: no need to look each person's up
            first, last = first[0], last[0]
            keep = person >= 0
        else:
            keep, at = person >= 0, np.maximum(person, 0)
            first, last = first[at], last[at]
        keep &= (moment < last) & (recorded < last) & (moment != MISSING) & (recorded != MISSING)
        if void.any():
            keep &= ~void
        if len(ended) and ended.min() != NEVER:
            keep &= (ended >= first) & (recorded < ended)
        return np.flatnonzero(keep)

    def _first_from(self, moments: NDArray[np.int64]) -> NDArray[np.int64]:
        """Place of each asked person's first row observed at or after a moment."""
        person = self.asked.person
        if self._packing is not None:
            return self._packing.first_from(self._packed, person, moments)
        return bisected(self.observed, self._starts[person], self._starts[person + 1], moments)

    def _low(self, window_days: int | None) -> NDArray[np.int64]:
        """Place of the first row in the window of each question."""
        if window_days not in self._lows:
            self._lows[window_days] = self._first_from(self.asked.as_of - (window_days or 0) * DAY)
        return self._lows[window_days]

    def _broken_dates(self, person: Whole) -> NDArray[np.int64]:
        """Places of the sorted dates whose slice holds a row that does not count on them."""
        marks = np.zeros(len(self.asked) + 1, dtype="int64")
        late = np.flatnonzero(self._recorded > self.observed)
        self._mark(marks, person[late], self.observed[late], self._recorded[late])
        over = np.flatnonzero(self._ended != NEVER)
        self._mark(marks, person[over], np.maximum(self._ended[over], self.observed[over]), None)
        return np.flatnonzero(np.cumsum(marks[:-1]))

    def _mark(self, marks: Whole, person: Whole, after: Whole, upto: Whole | None) -> None:
        """Mark the dates of each row's person that lie in ``(after, upto]``."""
        asked = self.asked
        first, end = asked.starts[person], asked.starts[person + 1]
        begin = bisected(asked.as_of, first, end, after + 1)
        stop = end if upto is None else bisected(asked.as_of, first, end, upto + 1)
        some = stop > begin
        marks += np.bincount(begin[some], minlength=len(marks)) - np.bincount(stop[some], minlength=len(marks))

    def windows(self, window_days: int | None = None, mask: NDArray[np.bool_] | None = None) -> Windows:
        """Find the rows that count for each question.

        Parameters
        ----------
        window_days : int, optional
            Length of the window before the date; without it, all that was known.
        mask : numpy.ndarray of bool, optional
            Which rows of the frame may count (a condition on their columns).

        Returns
        -------
        Windows
            For each spine row, a slice of rows.
        """
        low, high = self._low(window_days), self._after
        if mask is None and not len(self._broken):
            return Windows(self.asked, self.rows, self.observed, low, high, window_days, self.chunk_pairs)
        chosen = np.arange(len(self.rows))
        if mask is not None:
            chosen = np.flatnonzero(mask[self.rows])
            low, high = np.searchsorted(chosen, low), np.searchsorted(chosen, high)
        if len(self._broken):
            chosen, low, high = self._mended(chosen, low.copy(), high.copy())
        return Windows(self.asked, self.rows[chosen], self.observed[chosen], low, high, window_days, self.chunk_pairs)

    def _mended(self, chosen: Whole, low: Whole, high: Whole) -> tuple[Whole, Whole, Whole]:
        """Copy the slices of broken dates to the end, without the rows that do not count."""
        parts, size = [chosen], len(chosen)
        for dates in chunks(self._broken, (high - low)[self._broken], self.chunk_pairs):
            which, place = expanded(low[dates], high[dates])
            rows, date = chosen[place], self.asked.as_of[dates[which]]
            counts = (self._recorded[rows] < date) & (date <= self._ended[rows])
            kept = np.bincount(which[counts], minlength=len(dates))
            parts.append(rows[counts])
            high[dates] = size + np.cumsum(kept)
            low[dates] = high[dates] - kept
            size += int(kept.sum())
        return np.concatenate(parts), low, high
