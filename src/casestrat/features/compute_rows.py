"""How the features of a table's rows are computed: one short function a kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api import types

from casestrat.errors import UsageError
from casestrat.features.computed import Computed, column_meant, numbers_of, taken, zero_where_observed
from casestrat.timeline import Windows, rows_matching
from casestrat.timeline.matching import choices_like, known_column
from casestrat.timeline.sorted_rows import microseconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from casestrat.features.reading import Reading

    How = Callable[[Any, Reading], Computed]


def _windows(feature: Any, reading: Reading) -> Windows:
    """Rows in the window; where a further condition is asked of them, those that can answer it."""
    reading.check_window(feature.window_days, feature.name)
    columns = [name for name in (column_meant(feature), *getattr(feature, "of", ())) if name]
    return reading.windows(feature.table, columns, feature.where, feature.window_days)


def _numbered(answer: Callable[[Windows, NDArray[np.float64]], NDArray[np.float64]]) -> How:
    """Return how a kind is computed that asks the rows that count one thing of their numbers."""

    def of_numbers(feature: Any, reading: Reading) -> Computed:
        windows = _windows(feature, reading)
        return Computed(answer(windows, numbers_of(feature, reading)), feature.table, windows.last())

    return of_numbers


def _timed(answer: Callable[[Windows], NDArray[np.float64]], place: Callable[[Windows], Any] = Windows.last) -> How:
    """Return how a kind is computed that asks only when the rows that count were."""

    def of_moments(feature: Any, reading: Reading) -> Computed:
        windows = _windows(feature, reading)
        return Computed(answer(windows), feature.table, place(windows))

    return of_moments


def _counted(answer: Callable[[Any, Reading, Windows], NDArray[Any]]) -> How:
    """Return how a kind is computed that is 0 where nothing was seen of a person who was observed."""

    def of_count(feature: Any, reading: Reading) -> Computed:
        windows = _windows(feature, reading)
        values = zero_where_observed(answer(feature, reading, windows), feature, reading, windows)
        return Computed(values, feature.table, windows.last())

    return of_count


def _picking(place: Callable[[Any, Windows], Any]) -> How:
    """Return how a kind is computed that shows one row's value."""

    def of_row(feature: Any, reading: Reading) -> Computed:
        places = place(feature, _windows(feature, reading))
        column = known_column(reading.frame(feature.table), feature.column, feature.table)
        return taken(column, places, feature.table, feature.name)

    return of_row


def _difference(earlier: Callable[[Windows], Any]) -> How:
    """Return how the last value less an earlier one is computed, missing where the two are one."""

    def of_two(feature: Any, reading: Reading) -> Computed:
        windows = _windows(feature, reading)
        numbers, last = np.append(numbers_of(feature, reading), np.nan), windows.last()
        before = np.where(windows.count() > 1, earlier(windows), -1)
        return Computed(numbers[last] - numbers[before], feature.table, last)

    return of_two


def _sum(feature: Any, reading: Reading, windows: Windows) -> NDArray[np.float64]:
    return np.where(windows.count() > 0, windows.reduced(numbers_of(feature, reading), np.add), 0.0)


def _distinct(feature: Any, reading: Reading, windows: Windows) -> NDArray[np.int64]:
    column = known_column(reading.frame(feature.table), feature.column, feature.table)
    return windows.distinct(pd.factorize(column)[0])


def _of(feature: Any, reading: Reading) -> NDArray[np.bool_]:
    """Which rows of the table meet the further condition."""
    met = rows_matching(reading.frame(feature.table), feature.of, feature.table)
    assert met is not None  # a feature without the further condition is refused when it is made
    return met


def _share(feature: Any, reading: Reading) -> Computed:
    windows = _windows(feature, reading)
    return Computed(windows.mean(_of(feature, reading).astype("float64")), feature.table, windows.last())


def _longest_gap(feature: Any, reading: Reading) -> Computed:
    windows = _windows(feature, reading)
    gap = windows.longest_gap()
    is_unseen = (windows.count() == 0) & ~reading.is_observed(feature.window_days, feature.table)
    return Computed(np.where(is_unseen, np.nan, gap), feature.table, windows.last())


def _ends(feature: Any, reading: Reading) -> NDArray[np.int64]:
    """When each row ended, in microseconds."""
    frame = reading.frame(feature.table)
    column = known_column(frame, feature.ends, feature.table)
    if not types.is_datetime64_any_dtype(column.dtype):
        moments = [str(name) for name in frame if types.is_datetime64_any_dtype(frame[name].dtype)]
        raise UsageError(
            f"{feature.kind!r} needs the column that says when a row ended; {feature.ends!r} holds {column.dtype}",
            where=f"feature {feature.name!r}, table {feature.table}",
            do=choices_like(feature.ends, moments),
        )
    return microseconds(column)


def _spells(feature: Any, reading: Reading) -> Windows:
    """Every row known: one that began before the window may reach into it."""
    reading.check_window(feature.window_days, feature.name)
    return reading.windows(feature.table, column_meant(feature), feature.where)


def _spell_days(feature: Any, reading: Reading) -> Computed:
    windows = _spells(feature, reading)
    days = windows.days_inside(_ends(feature, reading), feature.window_days, feature.open_days)
    is_unseen = (days == 0) & ~reading.is_observed(feature.window_days, feature.table)
    return Computed(np.where(is_unseen, np.nan, days), feature.table, windows.last())


def _in_spell(feature: Any, reading: Reading) -> Computed:
    windows = _spells(feature, reading)
    lasts = windows.is_inside(_ends(feature, reading), feature.open_days)
    values = np.where(~lasts & ~reading.is_observed(None, feature.table), np.nan, lasts.astype("float64"))
    return Computed(values, feature.table, windows.last(), is_flag=True)


OF_ROWS: dict[str, How] = {
    "count": _counted(lambda _feature, _reading, windows: windows.count()),
    "sum": _counted(_sum),
    "distinct": _counted(_distinct),
    "decayed_count": _counted(lambda feature, _reading, windows: windows.decayed(feature.half_life_days)),
    "streak": _counted(lambda feature, reading, windows: windows.streak(_of(feature, reading))),
    "longest_streak": _counted(lambda feature, reading, windows: windows.longest_streak(_of(feature, reading))),
    "mean": _numbered(Windows.mean),
    "min": _numbered(lambda windows, numbers: windows.reduced(numbers, np.minimum)),
    "max": _numbered(lambda windows, numbers: windows.reduced(numbers, np.maximum)),
    "range": _numbered(
        lambda windows, numbers: windows.reduced(numbers, np.maximum) - windows.reduced(numbers, np.minimum)
    ),
    "deviation": _numbered(Windows.deviation),
    "slope": _numbered(Windows.slope),
    "last": _picking(lambda _feature, windows: windows.last()),
    "first": _picking(lambda _feature, windows: windows.first()),
    "nth_last": _picking(lambda feature, windows: windows.last(back=feature.n - 1)),
    "change": _difference(lambda windows: windows.last(back=1)),
    "change_since_first": _difference(Windows.first),
    "days_since": _timed(Windows.days_since_last),
    "days_since_first": _timed(Windows.days_since_first, Windows.first),
    "longest_gap": _longest_gap,
    "share": _share,
    "spell_days": _spell_days,
    "in_spell": _in_spell,
}
