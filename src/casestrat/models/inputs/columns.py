"""What a model is given: the columns of a feature frame as numbers or as text, with what is missing told apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

_NUMBERS_IN_OBJECTS = {"integer", "floating", "mixed-integer-float", "boolean", "decimal"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of features: as numbers, as coded text, or (all of it missing) as either.

    Attributes
    ----------
    numbers : numpy.ndarray or None
        Floats, NaN where missing; None for a column of text.
    codes : numpy.ndarray or None
        Position of each value in ``levels``, −1 where missing; None for a column of numbers.
    levels : tuple of str
        The texts that occur.
    is_missing : numpy.ndarray
        One flag per row.
    """

    numbers: np.ndarray | None
    codes: np.ndarray | None
    levels: tuple[str, ...]
    is_missing: np.ndarray

    @property
    def kind(self) -> str:
        """``numeric``, ``text``, or ``unknown`` where every value is missing."""
        if self.numbers is not None and self.codes is not None:
            return "unknown"
        return "text" if self.numbers is None else "numeric"

    def take(self, rows: np.ndarray) -> Column:
        """Return these rows of the column.

        Parameters
        ----------
        rows : numpy.ndarray of int
            Row positions.

        Returns
        -------
        Column
            One value per position.
        """
        numbers = None if self.numbers is None else self.numbers[rows]
        codes = None if self.codes is None else self.codes[rows]
        return Column(numbers, codes, self.levels, self.is_missing[rows])


def read_column(frame: pd.DataFrame, name: Any) -> Column:
    """Return the column of that name as numbers or text.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per person and date.
    name : str
        The column; it must stand in the frame once.

    Returns
    -------
    Column
        One value per row; flags count as 1 and 0.

    Raises
    ------
    UsageError
        The column is absent, stands twice, holds moments, or holds an infinite number.
    """
    if name not in frame.columns:
        raise UsageError(f"the model needs a column '{name}' and the frame has none", where=f"column {name}")
    values = frame[name]
    if isinstance(values, pd.DataFrame):
        raise UsageError(f"column '{name}' stands in the frame {values.shape[1]} times", where=f"column {name}")
    return read_values(values, name)


def read_values(values: pd.Series, name: Any) -> Column:
    """Return one column of features as numbers or text.

    Parameters
    ----------
    values : pandas.Series
        One value per row: numbers, flags, text or a categorical.
    name : str
        What the column is called, for messages.

    Returns
    -------
    Column
        One value per row; flags count as 1 and 0.

    Raises
    ------
    UsageError
        The column holds moments or an infinite number.
    """
    is_missing = values.isna().to_numpy(dtype=bool)
    if is_missing.all():
        return Column(np.full(len(values), np.nan), np.full(len(values), -1), (), is_missing)
    if _holds_numbers(values):
        return Column(_numbers(values, name), None, (), is_missing)
    return _text(values, name, is_missing)


def as_frame(X: Any, names: Sequence[Any]) -> pd.DataFrame:
    """Return X as a frame: as it is, or an array given the names in their order.

    Parameters
    ----------
    X : pandas.DataFrame or array of shape (n, len(names))
        The features.
    names : sequence of str
        Names for the columns of an array.

    Returns
    -------
    pandas.DataFrame
        One row per row of X.

    Raises
    ------
    UsageError
        The array has another number of columns.
    """
    if isinstance(X, pd.DataFrame):
        return X
    array = np.asarray(X)
    if array.ndim != 2 or array.shape[1] != len(names):
        raise UsageError(
            f"expected a frame, or an array of {len(names)} columns; found an array of shape {array.shape}",
            do="give a DataFrame with named columns",
        )
    return pd.DataFrame(array, columns=list(names))


def _holds_numbers(values: pd.Series) -> bool:
    """Whether a column holds numbers or flags, whatever it is stored as."""
    if values.dtype == object:
        return pd.api.types.infer_dtype(values, skipna=True) in _NUMBERS_IN_OBJECTS
    is_number = pd.api.types.is_numeric_dtype(values.dtype) and not isinstance(values.dtype, pd.CategoricalDtype)
    return is_number or pd.api.types.is_bool_dtype(values.dtype)


def _numbers(values: pd.Series, name: Any) -> np.ndarray:
    """Return a column as floats, NaN where missing."""
    if values.dtype == object:  # Python numbers and flags: each told by itself
        floats = np.array([np.nan if pd.isna(value) else float(value) for value in values])
    else:
        floats = values.to_numpy(dtype="float64", na_value=np.nan)
    if np.isinf(floats).any():
        raise UsageError(f"column '{name}' holds infinity (inf); numbers must be finite or missing", where=f"{name}")
    return floats


def _text(values: pd.Series, name: Any, is_missing: np.ndarray) -> Column:
    """Return a column as coded text."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype) or pd.api.types.is_timedelta64_dtype(values.dtype):
        raise UsageError(
            f"column '{name}' holds moments; a model needs numbers or text",
            where=f"column {name}",
            do="turn it into a number of days before the date, as the feature kind days_since does",
        )
    codes, levels = pd.factorize(values)
    return Column(None, codes, tuple(str(level) for level in levels), is_missing)
