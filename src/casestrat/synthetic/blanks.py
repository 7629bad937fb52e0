"""Columns with blanks: values where something is known, missing where it is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from casestrat.tables import TEXT

Codes = NDArray[np.object_]


def only_where(known: NDArray[np.bool_], values: ArrayLike) -> Codes:
    """Return the values where they are known, nothing elsewhere.

    Examples
    --------
    >>> only_where(np.array([True, False]), ["yes", "no"]).tolist()
    ['yes', None]
    """
    out: Codes = np.full(len(known), None, dtype=object)
    filled = np.broadcast_to(np.asarray(values, dtype=object), known.shape)
    out[known] = filled[known]
    return out


def numbers_where(known: NDArray[np.bool_], values: ArrayLike) -> pd.Series[Any]:
    """Return whole numbers where they are known, missing elsewhere."""
    column = pd.Series(np.where(known, np.asarray(values, dtype=np.int64), 0)).astype("Int64")
    return column.mask(~known)


def flags_where(known: NDArray[np.bool_], values: ArrayLike) -> pd.Series[Any]:
    """Return flags where they are known, unknown elsewhere."""
    column = pd.Series(np.asarray(values, dtype=bool) & known).astype("boolean")
    return column.mask(~known)


def taken(words: ArrayLike, places: NDArray[np.int64]) -> pd.Series[Any]:
    """Return a column of text from places in a list of words; -1 is missing. Fast for millions of rows.

    Examples
    --------
    >>> taken(["no", "yes"], np.array([1, 0, -1])).tolist()
    ['yes', 'no', nan]
    """
    known = pd.array(np.asarray(words, dtype=object), dtype=TEXT)
    return pd.Series(pd.api.extensions.take(known, places, allow_fill=True))
