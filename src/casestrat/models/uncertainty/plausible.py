"""Values that others have, and rows in which they stand in the place of a person's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.models.inputs.columns import read_values
from casestrat.models.inputs.weighted import weighted_quantiles
from casestrat.tables.columns import TEXT

_FEW = 5  # distinct numbers that are all plausible
_RARE = 0.02  # texts of fewer than one in fifty are not


def as_learned(model: Any, rows: pd.DataFrame) -> Any:
    """Return rows as a model takes them: a frame, or an array where it learned from one.

    Parameters
    ----------
    model : estimator
        Ready to score.
    rows : pandas.DataFrame
        One row per person and date.

    Returns
    -------
    pandas.DataFrame or numpy.ndarray
        The same rows.
    """
    return rows if hasattr(model, "feature_names_in_") else rows.to_numpy(dtype="float64")


def plausible_rows(values: pd.Series, shares: np.ndarray) -> np.ndarray:
    """Return the positions of rows whose values are plausible for others, lowest number first.

    Parameters
    ----------
    values : pandas.Series
        One feature.
    shares : numpy.ndarray
        Where among the known numbers the plausible ones stand, 0 to 1; five distinct numbers or fewer are all
        plausible, and of texts each level of one in fifty or more.

    Returns
    -------
    numpy.ndarray of int
        One position per value; none where nothing is known.
    """
    column = read_values(values, values.name)
    known = np.flatnonzero(~column.is_missing)
    if not len(known):
        return known
    if column.numbers is None:
        codes = np.asarray(column.codes)[known]
        count = np.bincount(codes, minlength=len(column.levels))
        kept = np.flatnonzero(count >= max(1, min(_RARE * len(known), count.max())))
        return known[[int(np.argmax(codes == code)) for code in kept]]
    numbers = column.numbers[known]
    distinct = np.unique(numbers)
    tried = distinct if len(distinct) <= _FEW else np.unique(weighted_quantiles(numbers, np.ones(len(numbers)), shares))
    return known[[int(np.argmax(numbers == value)) for value in tried]]


def with_values(rows: pd.DataFrame, name: str, source: pd.Series, chosen: np.ndarray) -> pd.DataFrame:
    """Return rows with one feature set to values of others.

    Parameters
    ----------
    rows : pandas.DataFrame
        One row per person and date.
    name : str
        The feature.
    source : pandas.Series
        The others' values.
    chosen : numpy.ndarray of int
        Position in the source, one per row.

    Returns
    -------
    pandas.DataFrame
        The same rows.
    """
    return rows.assign(**{name: filled(rows[name], source, np.arange(len(rows)), chosen)})


def filled(values: pd.Series, source: pd.Series, rows: np.ndarray, chosen: np.ndarray) -> pd.Series:
    """Return a feature with some values set to those of others.

    Parameters
    ----------
    values : pandas.Series
        One feature.
    source : pandas.Series
        The others' values.
    rows : numpy.ndarray of int
        Positions that are set.
    chosen : numpy.ndarray of int
        Position in the source, one for each of them.

    Returns
    -------
    pandas.Series
        One value per value.

    Raises
    ------
    UsageError
        The one is text and the other numbers.
    """
    taken, column = read_values(source, source.name), read_values(values, values.name)
    if taken.numbers is None:
        levels = np.array([*taken.levels, None], dtype=object)
        words = values.astype(object).to_numpy(copy=True)
        words[rows] = levels[np.asarray(taken.codes)[chosen]]
        return pd.Series(words, index=values.index, name=values.name, dtype=TEXT)
    if column.numbers is None:
        raise UsageError("a feature is text in X and a number in the reference", where=f"column {values.name}")
    numbers = column.numbers.copy()
    numbers[rows] = taken.numbers[chosen]
    return pd.Series(numbers, index=values.index, name=values.name)
