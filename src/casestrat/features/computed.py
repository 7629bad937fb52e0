"""A feature's values and where they came from, and what every kind does with a column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api import types

from casestrat.errors import UsageError
from casestrat.tables import TEXT
from casestrat.timeline.matching import known_column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.features.reading import Reading
    from casestrat.timeline import Windows

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


def column_meant(feature: Any) -> str | None:
    """Name the column meant: answers are text, and are read as numbers by the kinds that need numbers."""
    reads_text = feature.kind in ("count", "last", "first", "nth_last", "days_since", "days_since_first", "distinct")
    is_answer = feature.table == "responses" and feature.column == "value"
    return "number" if is_answer and not reads_text else feature.column


def numbers_of(feature: Any, reading: Reading) -> NDArray[np.float64]:
    """Return a column as numbers."""
    column = known_column(reading.frame(feature.table), column_meant(feature) or "", feature.table)
    if not (types.is_numeric_dtype(column.dtype) or types.is_bool_dtype(column.dtype)):
        raise UsageError(
            f"{feature.kind!r} needs numbers; the column {feature.column!r} holds {column.dtype}",
            where=f"feature {feature.name!r}, table {feature.table}",
            do="choose a column of numbers, or the kind last or count",
        )
    return column.to_numpy(dtype="float64", na_value=np.nan)


def zero_where_observed(values: NDArray[Any], feature: Any, reading: Reading, windows: Windows) -> NDArray[np.float64]:
    """Values, where nothing was seen only if the person was observed."""
    is_none = windows.count() == 0
    return np.where(
        is_none & ~reading.is_observed(feature.window_days, feature.table), np.nan, values.astype("float64")
    )


def taken(column: pd.Series, places: NDArray[np.int64], table: str, name: str) -> Computed:
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
    return Computed(without_unknown(text), table, places)


def without_unknown(text: Any) -> Any:
    """Return text in which ``unknown`` is missing."""
    series = pd.Series(text, dtype=TEXT)
    return series.mask(series == _UNKNOWN).array
