"""Ids looked up in the column of another table, a million in a moment."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as arrow
import pyarrow.compute as compute

Positions = npt.NDArray[np.int64]


def positions_of(values: pd.Series, among: pd.Series) -> Positions:
    """Return where each value is first found among others.

    Parameters
    ----------
    values : pandas.Series
        Text; missing values are not found.
    among : pandas.Series
        Text to look in.

    Returns
    -------
    numpy.ndarray of int
        One position a value, -1 where it is not found.

    Examples
    --------
    >>> positions_of(pd.Series(["P3", "P9", None]), pd.Series(["P1", "P2", "P3"])).tolist()
    [2, -1, -1]
    """
    found = compute.index_in(_text(values), value_set=_text(among.dropna()))
    kept = np.append(np.flatnonzero(among.notna().to_numpy()), -1)
    places = kept[np.asarray(compute.fill_null(found, len(kept) - 1))]
    return np.where(values.isna().to_numpy(), -1, places).astype(np.int64)


def is_among(values: pd.Series, among: pd.Series) -> npt.NDArray[np.bool_]:
    """Tell which values are found among others; missing values are not."""
    return positions_of(values, among) >= 0


def taken(column: pd.Series, places: npt.NDArray[np.signedinteger], index: pd.Index) -> pd.Series:
    """Return the column's value at each place, missing at -1, under another index."""
    return column.set_axis(pd.RangeIndex(len(column))).reindex(places).set_axis(index)


def values_of(values: pd.Series, frame: pd.DataFrame, key: str, column: str) -> pd.Series:
    """Return, for each value, the column of the row that has it as its key."""
    return taken(frame[column], positions_of(values, frame[key]), values.index)


def _text(values: pd.Series) -> arrow.Array:
    """Return the values as one Arrow array of text."""
    found = arrow.array(values.array, type=arrow.large_string(), from_pandas=True)
    return found.combine_chunks() if isinstance(found, arrow.ChunkedArray) else found
