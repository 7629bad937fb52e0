"""Whether a person was under observation: only then is nothing seen a zero.

Two sources say so: ``persons.observed_from`` and ``observed_until``, and ``enrollments``. Both name whole days, the
last one included. On dates by which neither was recorded for anybody, everybody in `persons` counts as
observed. Of whom nothing was known on the date, nothing was seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.tables import CONTRACTS, Tables, observation_recorded
from casestrat.timeline.as_of import Asked, History, known
from casestrat.timeline.sorted_rows import DAY, NEVER, microseconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]

_ALWAYS = -NEVER
_END = pd.Timestamp("2262-01-01")  # later than anything recorded


def history_of(tables: Tables, name: str, asked: Asked, until: str | None = None) -> History:
    """Return a table's history for a spine, by what its contract says of keys and moments.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    name : str
        The table's name. Where it has no moment of its own, the moment recorded takes its place.
    asked : Asked
        The spine.
    until : str, optional
        A column after which a row is true no more.

    Returns
    -------
    History
        The rows about the people asked for.
    """
    contract = CONTRACTS[name]
    frame = getattr(tables, name)
    return History(frame, asked, observed=contract.observed or "recorded_at", key=contract.key, until=until)


class Observation:
    """When each person of a spine was under observation, as far as was known on the date.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    asked : Asked
        The spine.
    """

    def __init__(self, tables: Tables, asked: Asked) -> None:
        self._date = asked.restored(asked.as_of)
        recorded = observation_recorded(tables)
        last_day = tables.extract.data_end
        self._data_end = None if last_day is None else whole_days_end(pd.Series([last_day]))[0]
        self._has_spans = self._since_then(recorded.persons)
        self._has_enrollments = self._since_then(recorded.enrollments)
        last = history_of(tables, "persons", asked).windows().last()
        self._is_known = last >= 0
        if self._has_spans.any():
            self._since, self._until, self._is_given = _person_spans(tables.persons, last)
        if self._has_enrollments.any():
            row, place = history_of(tables, "enrollments", asked).windows().pairs()
            self._blocks = spans_united(row, *_enrolled_spans(tables.enrollments.iloc[place]))

    def _since_then(self, recorded: pd.Timestamp | None) -> NDArray[np.bool_]:
        """Which dates lie after the first moment at which a source told of anybody's observation."""
        if recorded is None:
            return np.zeros(len(self._date), dtype=bool)
        return np.asarray(self._date > microseconds(pd.Series([recorded]))[0])

    def over(self, window_days: int | None = None) -> NDArray[np.bool_]:
        """Tell whether each person was observed over the whole window before the date.

        Parameters
        ----------
        window_days : int, optional
            Length of the window; without it, only the day before the date is asked for.

        Returns
        -------
        numpy.ndarray of bool
            One entry per spine row.
        """
        end = self._date
        start = end - (1 if window_days is None else window_days) * DAY
        out = self._is_known.copy()
        if window_days is not None and self._data_end is not None:
            out &= start < self._data_end  # nothing could have been seen in a window after the last day of the data
        if self._has_spans.any():
            covered = (self._since <= start) & (self._until >= end)
            out &= np.where(self._has_spans, covered & (self._is_given | self._has_enrollments), True)
        if self._has_enrollments.any():
            at = self._blocks["row"].to_numpy()
            covers = (self._blocks["start"].to_numpy() <= start[at]) & (self._blocks["end"].to_numpy() >= end[at])
            enrolled = np.zeros(len(end), dtype=bool)
            enrolled[at[covers]] = True
            out &= np.where(self._has_enrollments, enrolled, True)
        return out


def is_observed(tables: Tables, spine: pd.DataFrame, window_days: int | None = None) -> NDArray[np.bool_]:
    """Tell whether each person was observed over the whole window before the date, as far as was known then.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    spine : pandas.DataFrame
        Columns ``person_id`` and ``as_of``.
    window_days : int, optional
        Length of the window; without it, only the day before the date is asked for.

    Returns
    -------
    numpy.ndarray of bool
        One entry per spine row.
    """
    return Observation(tables, Asked.of(spine)).over(window_days)


def followed_until(tables: Tables, spine: pd.DataFrame) -> NDArray[np.int64]:
    """Return the moment until which each person was observed without a break from the date on.

    Unlike :func:`is_observed` this looks ahead: it uses all that the extract knows.

    Parameters
    ----------
    tables : Tables
        The checked tables; ``tables.extract.data_end`` ends everybody's observation.
    spine : pandas.DataFrame
        Columns ``person_id`` and ``as_of``.

    Returns
    -------
    numpy.ndarray
        Microseconds since 1970, one number per spine row; the date itself where the person was not observed on it or
        is not in `persons`.
    """
    asked = Asked.of(spine)
    start = asked.restored(asked.as_of)
    codes = asked.restored(asked.person)
    persons = known(tables.persons, "person_id", _END)
    of_person = np.full(len(asked.people), -1, dtype="int64")
    found = asked.codes(persons["person_id"])
    of_person[found[found >= 0]] = np.flatnonzero(found >= 0)
    since, until, _ = _person_spans(persons, of_person[codes])
    until = np.where((since <= start) & (of_person[codes] >= 0), until, start)
    if len(tables.enrollments):
        until = np.minimum(until, _enrolled_until(tables.enrollments, asked, codes, start))
    return np.asarray(np.maximum(np.minimum(until, data_ends(tables)), start))


def data_ends(tables: Tables) -> int:
    """Return the moment after the last day of the extract, in microseconds since 1970; never, where it tells none.

    Parameters
    ----------
    tables : Tables
        The checked tables.

    Returns
    -------
    int
        One moment.
    """
    return int(whole_days_end(pd.Series([tables.extract.data_end], dtype="datetime64[us]"))[0])


def _enrolled_until(enrollments: pd.DataFrame, asked: Asked, codes: Whole, start: Whole) -> Whole:
    """End of the time enrolled that holds the date, the date itself where none does."""
    rows = known(enrollments, CONTRACTS["enrollments"].key, _END)
    left = pd.DataFrame({"code": codes, "row": np.arange(len(codes))})
    both = left.merge(pd.DataFrame({"code": asked.codes(rows["person_id"]), "place": np.arange(len(rows))}), on="code")
    block = spans_united(both["row"].to_numpy(), *_enrolled_spans(rows.iloc[both["place"].to_numpy()]))
    at = block["row"].to_numpy()
    holds = (block["start"].to_numpy() <= start[at]) & (block["end"].to_numpy() > start[at])
    out = start.copy()
    out[at[holds]] = block["end"].to_numpy()[holds]
    return out


def _person_spans(persons: pd.DataFrame, place: Whole) -> tuple[Whole, Whole, NDArray[np.bool_]]:
    """First and last moment observed of the persons at these places, and whether either is recorded."""
    if not len(persons):
        shape = np.zeros(len(place), dtype="int64")
        return shape + _ALWAYS, shape + NEVER, np.zeros(len(place), dtype=bool)
    rows = persons[["observed_from", "observed_until"]].iloc[np.maximum(place, 0)]
    is_given = rows.notna().any(axis=1).to_numpy() & (place >= 0)
    since = np.where(place >= 0, microseconds(rows["observed_from"], missing=_ALWAYS), _ALWAYS)
    until = np.where(place >= 0, whole_days_end(rows["observed_until"]), NEVER)
    return since, until, is_given


def _enrolled_spans(rows: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return microseconds(rows["from_on"]), whole_days_end(rows["to_on"])


def whole_days_end(last: pd.Series) -> NDArray[np.int64]:
    """Return the moment after a last day (whole days count to their end); never, where it is missing.

    Parameters
    ----------
    last : pandas.Series
        Last days, or moments.

    Returns
    -------
    numpy.ndarray
        Microseconds since 1970, one number per entry.
    """
    values = microseconds(last, missing=NEVER)
    return np.where((values != NEVER) & (values % DAY == 0), values + DAY, values)


def spans_united(row: NDArray[np.int64], start: NDArray[np.int64], end: NDArray[np.int64]) -> pd.DataFrame:
    """Unite spans of a row that touch or overlap.

    Parameters
    ----------
    row : numpy.ndarray
        Whose span it is.
    start, end : numpy.ndarray
        First moment, and the moment after the last.

    Returns
    -------
    pandas.DataFrame
        One row per span that stands apart, by row and start: ``row``, ``start``, ``end``.
    """
    spans = pd.DataFrame({"row": row, "start": start, "end": end}).sort_values(["row", "start"], kind="stable")
    reach = spans.groupby("row", sort=False)["end"].cummax()
    is_new = (spans["row"] != spans["row"].shift()) | (spans["start"] > reach.shift())
    block = is_new.cumsum()
    return spans.groupby(block).agg(row=("row", "first"), start=("start", "first"), end=("end", "max"))
