"""How each kind of feature is computed: one short function a kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api import types

from casestrat.errors import UsageError
from casestrat.knowledge import load_instrument
from casestrat.tables import TEXT
from casestrat.timeline import ReferralScope, Windows
from casestrat.timeline.matching import choices_like, known_column

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from casestrat.features.definitions import Feature
    from casestrat.features.reading import Reading

_FLAGS = {
    "t": 1.0, "true": 1.0, "yes": 1.0, "1": 1.0, "f": 0.0, "false": 0.0, "no": 0.0, "0": 0.0,
    "u": np.nan, "unknown": np.nan, "": np.nan,
}  # fmt: skip
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, eq=False)
class Computed:
    """A feature's values and where they came from.

    Parameters
    ----------
    column : numpy.ndarray or pandas array
        One value per spine row: float64 with missing as NaN, or text.
    table : str
        The table the values came from.
    places : numpy.ndarray or None
        Place in the table of the row that is shown for each spine row, −1 where there is none.
    is_flag : bool
        Whether 1 and 0 mean true and false.
    """

    column: Any
    table: str
    places: NDArray[np.int64]
    is_flag: bool = False


def computed(feature: Feature, reading: Reading) -> Computed:
    """Compute one feature.

    Parameters
    ----------
    feature : Feature
        What to compute.
    reading : Reading
        The tables for one spine.

    Returns
    -------
    Computed
        One value per spine row.

    Raises
    ------
    UsageError
        A column is not known or not of the type the kind needs, or the window begins before the data.
    """
    return _HOW[feature.kind](feature, reading)


def _windows(feature: Any, reading: Reading) -> Windows:
    reading.check_window(feature.window_days, feature.name)
    return reading.windows(feature.table, _column(feature), feature.where, feature.window_days)


def _column(feature: Any) -> str | None:
    """Name the column meant: answers are text, and are read as numbers by the kinds that need numbers."""
    reads_text = feature.kind in ("count", "last", "first", "days_since")
    is_answer = feature.table == "responses" and feature.column == "value"
    return "number" if is_answer and not reads_text else feature.column


def _numbers(feature: Any, reading: Reading) -> NDArray[np.float64]:
    """Return a column as numbers."""
    column = known_column(reading.frame(feature.table), _column(feature) or "", feature.table)
    if not (types.is_numeric_dtype(column.dtype) or types.is_bool_dtype(column.dtype)):
        raise UsageError(
            f"{feature.kind!r} needs numbers; the column {feature.column!r} holds {column.dtype}",
            where=f"feature {feature.name!r}, table {feature.table}",
            do="choose a column of numbers, or the kind last or count",
        )
    return column.to_numpy(dtype="float64", na_value=np.nan)


def _count(feature: Any, reading: Reading) -> Computed:
    windows = _windows(feature, reading)
    return Computed(_zero_where_observed(windows.count(), feature, reading, windows), feature.table, windows.last())


def _sum(feature: Any, reading: Reading) -> Computed:
    windows, numbers = _windows(feature, reading), _numbers(feature, reading)
    values = np.where(windows.count() > 0, windows.reduced(numbers, np.add), 0.0)
    return Computed(_zero_where_observed(values, feature, reading, windows), feature.table, windows.last())


def _zero_where_observed(values: NDArray[Any], feature: Any, reading: Reading, windows: Windows) -> NDArray[np.float64]:
    """Values, where nothing was seen only if the person was observed."""
    is_none = windows.count() == 0
    return np.where(is_none & ~reading.is_observed(feature.window_days), np.nan, values.astype("float64"))


def _mean(feature: Any, reading: Reading) -> Computed:
    windows, numbers = _windows(feature, reading), _numbers(feature, reading)
    count = windows.count()
    values = windows.reduced(numbers, np.add) / np.where(count > 0, count, 1)
    return Computed(values, feature.table, windows.last())


def _reducing(by: np.ufunc) -> Callable[[Any, Reading], Computed]:
    def reduced(feature: Any, reading: Reading) -> Computed:
        windows = _windows(feature, reading)
        return Computed(windows.reduced(_numbers(feature, reading), by), feature.table, windows.last())

    return reduced


def _range(feature: Any, reading: Reading) -> Computed:
    windows, numbers = _windows(feature, reading), _numbers(feature, reading)
    values = windows.reduced(numbers, np.maximum) - windows.reduced(numbers, np.minimum)
    return Computed(values, feature.table, windows.last())


def _last(feature: Any, reading: Reading) -> Computed:
    return _picked(feature, reading, _windows(feature, reading).last())


def _first(feature: Any, reading: Reading) -> Computed:
    return _picked(feature, reading, _windows(feature, reading).first())


def _picked(feature: Any, reading: Reading, places: NDArray[np.int64]) -> Computed:
    column = known_column(reading.frame(feature.table), feature.column, feature.table)
    return _taken(column, places, feature.table, feature.name)


def _taken(column: pd.Series, places: NDArray[np.int64], table: str, name: str) -> Computed:
    """Take a column's values at these places: numbers, flags as 1 and 0, or text without ``unknown``."""
    if types.is_datetime64_any_dtype(column.dtype):
        raise UsageError(
            f"the column {column.name!r} holds dates, which are no feature",
            where=f"feature {name!r}, table {table}",
            do="use days_since",
        )
    if types.is_numeric_dtype(column.dtype) or types.is_bool_dtype(column.dtype):
        numbers = np.append(column.to_numpy(dtype="float64", na_value=np.nan), np.nan)  # place −1 is missing
        return Computed(numbers[places], table, places, types.is_bool_dtype(column.dtype))
    text = column.astype(TEXT).array.take(places, allow_fill=True)
    return Computed(_without_unknown(text), table, places)


def _without_unknown(text: Any) -> Any:
    series = pd.Series(text, dtype=TEXT)
    return series.mask(series == _UNKNOWN).array


def _days_since(feature: Any, reading: Reading) -> Computed:
    windows = _windows(feature, reading)
    return Computed(windows.days_since_last(), feature.table, windows.last())


def _change(feature: Any, reading: Reading) -> Computed:
    windows = _windows(feature, reading)
    numbers = np.append(_numbers(feature, reading), np.nan)
    return Computed(numbers[windows.last()] - numbers[windows.last(back=1)], feature.table, windows.last())


def _slope(feature: Any, reading: Reading) -> Computed:
    windows = _windows(feature, reading)
    return Computed(windows.slope(_numbers(feature, reading)), feature.table, windows.last())


def _instrument(feature: Any, reading: Reading) -> Computed:
    column = {"instrument_total": "total", "instrument_band": "band"}.get(feature.kind) or feature.output
    scores = reading.frame("scores")
    if column not in scores.columns:  # nobody was assessed with it, or there is no such output
        outputs = load_instrument(feature.instrument).outputs
        if column not in outputs:
            what = f"instrument {feature.instrument!r} has no output {column!r}"
            raise UsageError(what, where=f"feature {feature.name!r}", do=choices_like(column, outputs))
        nowhere = np.full(len(reading.spine), -1, dtype="int64")
        return Computed(np.full(len(nowhere), np.nan), "scores", nowhere)
    where = {"instrument": feature.instrument, "is_valid": True}
    windows = reading.windows("scores", column, where, feature.valid_days)
    return _taken(scores[column], windows.last(), "scores", feature.name)


def _person(feature: Any, reading: Reading) -> Computed:
    places = reading.windows("persons").last()
    return _taken(known_column(reading.tables.persons, feature.column, "persons"), places, "persons", feature.name)


def _age(feature: Any, reading: Reading) -> Computed:
    places = reading.windows("persons").last()
    year = _taken(reading.tables.persons["birth_year"], places, "persons", feature.name).column
    month = _taken(reading.tables.persons["birth_month"], places, "persons", feature.name).column
    dates = pd.DatetimeIndex(reading.as_of.astype("datetime64[us]"))
    years = dates.year.to_numpy() - year
    by_month = years + (dates.month.to_numpy() - month) / 12
    return Computed(np.where(np.isnan(month), years - 0.5, by_month), "persons", places)


def _fact(feature: Any, reading: Reading) -> Computed:
    windows = reading.windows("person_facts", where={"fact": feature.fact})
    places = windows.last()
    value = reading.tables.person_facts["value"]
    text = pd.Series(value.array.take(places, allow_fill=True), dtype=TEXT)
    flags = text.str.strip().str.lower()
    if feature.worse is not None:  # ordered, so a number: a flag, or a level written as one
        numbers = flags.map(_FLAGS).astype("float64").to_numpy(dtype="float64", na_value=np.nan)
        levels = pd.to_numeric(flags, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
        return Computed(np.where(np.isnan(numbers), levels, numbers), "person_facts", places, _is_flag(flags))
    used = value.iloc[np.unique(windows.rows)].str.strip().str.lower()
    if _is_flag(used) and used.map(_FLAGS).notna().any():
        return Computed(flags.map(_FLAGS).to_numpy(dtype="float64", na_value=np.nan), "person_facts", places, True)
    return Computed(_without_unknown(text), "person_facts", places)


def _is_flag(values: pd.Series) -> bool:
    """Whether all values that are there mean yes, no or unknown."""
    return bool(values.dropna().isin(list(_FLAGS)).all())


def _referral(feature: Any, reading: Reading) -> Computed:
    places = reading.referral_places(ReferralScope(feature.program, feature.professional_only))
    column = known_column(reading.tables.referrals, feature.column, "referrals")
    return _taken(column, places, "referrals", feature.name)


_HOW: dict[str, Callable[[Any, Reading], Computed]] = {
    "count": _count,
    "sum": _sum,
    "mean": _mean,
    "min": _reducing(np.minimum),
    "max": _reducing(np.maximum),
    "range": _range,
    "last": _last,
    "first": _first,
    "days_since": _days_since,
    "change": _change,
    "slope": _slope,
    "instrument_total": _instrument,
    "instrument_band": _instrument,
    "instrument_output": _instrument,
    "person": _person,
    "age": _age,
    "fact": _fact,
    "referral": _referral,
}
