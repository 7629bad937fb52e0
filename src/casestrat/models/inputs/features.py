"""What every estimator is given to learn from, read and checked the same way: features, labels, persons, weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.utils import assert_all_finite, column_or_1d
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import validate_data

from casestrat.errors import UsageError
from casestrat.models.inputs.columns import Column, read_values

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator


def names_of(estimator: BaseEstimator) -> list[str]:
    """Return the names of an estimator's features, generated where it learned from an array.

    Parameters
    ----------
    estimator : estimator
        It has seen its features.

    Returns
    -------
    list of str
        One name per feature.
    """
    if hasattr(estimator, "feature_names_in_"):
        return [str(name) for name in estimator.feature_names_in_]
    return [f"x{j}" for j in range(estimator.n_features_in_)]


def read_features(estimator: BaseEstimator, X: Any, *, reset: bool) -> list[Column]:
    """Return the features as columns of numbers or text, checked against what the estimator learned.

    Parameters
    ----------
    estimator : estimator
        Its ``feature_names_in_`` and ``n_features_in_`` are set, or compared with X.
    X : pandas.DataFrame or array of shape (n, features)
        One row per person and date.
    reset : bool
        Whether the estimator learns its features now.

    Returns
    -------
    list of Column
        One per feature.

    Raises
    ------
    UsageError
        There is no row, or a column holds moments or infinity.
    ValueError
        The columns are not those that were learned.
    """
    if isinstance(X, pd.DataFrame):
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        if not len(X):
            raise UsageError("expected one row or more; found 0 sample(s)", where="X")
        return [read_values(X.iloc[:, j], name) for j, name in enumerate(names_of(estimator))]
    array = validate_data(estimator, X, reset=reset, dtype="numeric", ensure_all_finite="allow-nan")
    return [read_values(pd.Series(array[:, j]), name) for j, name in enumerate(names_of(estimator))]


def read_labels(estimator: BaseEstimator, X: Any, y: Any) -> np.ndarray:
    """Return the labels of two classes as an array.

    Parameters
    ----------
    estimator : estimator
        Who asks, for the message.
    X : pandas.DataFrame or array
        The features: a Series of labels must have their index.
    y : array of shape (n,)
        Two classes, none missing.

    Returns
    -------
    numpy.ndarray
        One label per row.

    Raises
    ------
    UsageError
        A label is missing, there are not two classes, or labels and features are about different rows.
    """
    if y is None:
        raise UsageError(f"{type(estimator).__name__} requires y to be passed, but the target y is None")
    if isinstance(X, pd.DataFrame) and isinstance(y, pd.Series) and not X.index.equals(y.index):
        raise UsageError("X and y are about different rows: their indexes differ", do="use X.loc[y.index]")
    n_missing = int(pd.isna(np.asarray(column_or_1d(y, warn=True), dtype=object)).sum())
    if n_missing:
        raise UsageError(f"y contains NaN: {n_missing} labels are missing", do="drop the rows without a label")
    is_number = isinstance(y, pd.Series) and pd.api.types.is_numeric_dtype(y.dtype)
    labels = y.to_numpy(dtype="float64") if is_number else column_or_1d(np.asarray(y))
    assert_all_finite(labels, input_name="y")
    kind = type_of_target(labels, input_name="y", raise_unknown=True)
    if kind != "binary":
        raise UsageError(f"Only binary classification is supported. The type of the target is {kind}.")
    if len(np.unique(labels)) < 2:
        raise UsageError("expected two classes of labels; found one class", do="widen the spine or the horizon")
    return np.asarray(labels)


def persons_of(X: Any, groups: Any, n_rows: int) -> Any:
    """Return the person of each row: as given, else by the index, else each row its own.

    Parameters
    ----------
    X : pandas.DataFrame or array
        The features.
    groups : array or None
        The person of each row.
    n_rows : int
        How many rows there are.

    Returns
    -------
    array
        One person per row.
    """
    if groups is not None:
        return pd.Index(groups)
    if isinstance(X, pd.DataFrame) and "person_id" in X.index.names:
        return X.index.get_level_values("person_id")
    return np.arange(n_rows)
