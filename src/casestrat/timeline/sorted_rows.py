"""Arrays of rows: sorting by person and moment, slices, bisection, and which version of a row holds when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]

DAY = 86_400_000_000  # microseconds
NEVER = np.iinfo(np.int64).max
MISSING = np.iinfo(np.int64).min  # how numpy writes a missing moment
CHUNK_PAIRS = 4_000_000  # pairs of (date, row) held at once


def microseconds(moments: pd.Series, missing: int = MISSING) -> NDArray[np.int64]:
    """Return moments as whole microseconds since 1970.

    Parameters
    ----------
    moments : pandas.Series
        Naive moments of any resolution.
    missing : int, optional
        What a missing moment becomes.

    Returns
    -------
    numpy.ndarray
        One whole number per moment.

    Examples
    --------
    >>> microseconds(pd.Series(pd.to_datetime(["1970-01-02", None])), missing=-1)
    array([86400000000,          -1])
    """
    values = moments.to_numpy(dtype="datetime64[us]").astype("int64")
    return values if missing == MISSING else np.where(values == MISSING, missing, values)


def expanded(low: NDArray[np.int64], high: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return every place of every slice, with the number of its slice.

    Parameters
    ----------
    low, high : numpy.ndarray
        Where each slice begins and ends.

    Returns
    -------
    tuple of numpy.ndarray
        The slice's number and the place, one entry per place.

    Examples
    --------
    >>> expanded(np.array([4, 0]), np.array([6, 1]))
    (array([0, 0, 1]), array([4, 5, 0]))
    """
    sizes = high - low
    which = np.repeat(np.arange(len(low)), sizes)
    begins = np.cumsum(sizes) - sizes
    return which, np.arange(len(which)) - (begins - low)[which]


def chunks(items: NDArray[np.int64], sizes: NDArray[np.int64], most: int) -> list[NDArray[np.int64]]:
    """Cut items so that each part's sizes sum to about ``most``; never an empty part."""
    if not len(items):
        return []
    part = (np.cumsum(sizes) - sizes) // max(most, 1)
    return np.split(items, np.flatnonzero(np.diff(part)) + 1)


def bisected(values: Whole, low: Whole, high: Whole, target: Whole) -> Whole:
    """Place of the first value in ``[low, high)`` that is not below the target, for all targets at once."""
    low, high = low.copy(), high.copy()
    for _ in range(int(np.max(high - low, initial=0)).bit_length()):
        middle = (low + high) >> 1
        is_open = low < high
        below = is_open & (values[np.where(is_open, middle, 0)] < target)
        low = np.where(below, middle + 1, low)
        high = np.where(is_open & ~below, middle, high)
    return low


@dataclass(frozen=True, slots=True)
class Packing:
    """How a person and a moment become one whole number that sorts the same way.

    Parameters
    ----------
    start : int
        The earliest moment, in units.
    unit : int
        Microseconds a unit: a day where all moments are whole days, else a second or one.
    size : int
        Units from the first moment to beyond the last.
    """

    start: int
    unit: int
    size: int

    @classmethod
    def of(cls, person: Whole, moment: Whole) -> Packing | None:
        """Choose a packing of these rows; None where 63 bits are not enough."""
        if not len(person):
            return cls(0, DAY, 1)
        start, end = int(moment.min()), int(moment.max())
        unit = next(unit for unit in (DAY, 1_000_000, 1) if unit == 1 or not (moment % unit).any())
        packing = cls(start // unit, unit, (end - start) // unit + 1)
        return packing if packing.size * (int(person.max()) + 1) < 2**63 else None

    def packed(self, person: Whole, moment: Whole) -> Whole:
        """Pack rows."""
        return person * self.size + (moment // self.unit - self.start)

    def first_from(self, rows: Whole, person: Whole, moment: Whole) -> Whole:
        """Place of each person's first packed row, of sorted ones, that is at or after a moment."""
        steps = -(-moment // self.unit) - self.start  # a part of a unit counts as a whole one: later than its start
        return np.searchsorted(rows, person * self.size + np.clip(steps, 0, self.size))


def sorted_order(
    person: Whole, moment: Whole, recorded: Whole, frame: pd.DataFrame, key: list[str], rows: Whole
) -> tuple[Whole, Packing | None, Whole]:
    """Order rows by person, moment observed, moment recorded and key; only ties look further than the moment.

    Returns
    -------
    tuple
        The order, how person and moment were packed, and the packed rows in that order (empty where they were not).
    """
    packing = Packing.of(person, moment)
    if packing is None:
        order, packed = np.lexsort((moment, person)), np.zeros(0, dtype="int64")
        same = (np.diff(person[order]) == 0) & (np.diff(moment[order]) == 0)
    else:
        packed = packing.packed(person, moment)
        is_sorted = bool(np.all(packed[1:] >= packed[:-1]))
        order = np.arange(len(rows)) if is_sorted else np.argsort(packed)
        packed = packed[order]
        same = packed[1:] == packed[:-1]
    if same.any():
        tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
        places = order[tied]
        levels = [pd.factorize(frame[name].iloc[rows[places]], sort=True)[0] for name in reversed(key)]
        order[tied] = places[np.lexsort((*levels, recorded[places], moment[places], person[places]))]
    return order, packing, packed


def replaced_at(frame: pd.DataFrame, key: list[str], recorded: Whole, moment: Whole) -> Whole:
    """When each version of a row was replaced by the next, in microseconds; never for the last."""
    out = np.full(len(frame), NEVER, dtype="int64")
    if is_increasing(frame, key):
        return out
    again = np.flatnonzero(frame.duplicated(key, keep=False).to_numpy())
    if len(again):
        codes = frame.iloc[again].groupby(key, sort=False, dropna=False).ngroup().to_numpy()
        order = np.lexsort((moment[again], recorded[again], codes))
        places, codes = again[order], codes[order]
        same = np.flatnonzero(codes[1:] == codes[:-1])
        out[places[same]] = recorded[places[same + 1]]
    return out


def is_increasing(frame: pd.DataFrame, key: list[str]) -> bool:
    """Whether the key rises from row to row, so that no row has two versions (the usual case, cheap to see)."""
    if len(key) != 1 or len(frame) < 2:
        return len(frame) < 2
    ids = arrow_text(frame[key[0]])
    rises = pc.all(pc.less(ids.slice(0, len(ids) - 1), ids.slice(1)), skip_nulls=False)
    return rises.as_py() is True


def arrow_text(column: pd.Series) -> Any:
    """Return a text column as one Arrow array, without a copy where pandas already holds one."""
    array = pa.array(column.array, from_pandas=True) if column.dtype != object else pa.array(column, from_pandas=True)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    return array


def is_void(frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Which rows are retractions."""
    if "is_void" not in frame.columns:
        return np.zeros(len(frame), dtype=bool)
    return frame["is_void"].to_numpy(dtype="bool", na_value=False)
