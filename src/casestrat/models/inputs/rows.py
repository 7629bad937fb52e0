"""The rows that an estimator learns from: features, outcome, weight, person and date, in an order of their own.

The order depends on what the rows hold, not on how the file was sorted, so that the same people give the same model to
the last digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.utils import check_consistent_length

from casestrat.errors import UsageError
from casestrat.models.inputs.features import persons_of, read_features, read_labels

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

    from casestrat.models.inputs.columns import Column

_MIX = np.uint64(1_099_511_628_211)


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """Rows to learn from.

    Attributes
    ----------
    columns : list of Column
        The features.
    event : numpy.ndarray of bool
        Who had the outcome.
    weight : numpy.ndarray
        How often each row counts, above 0.
    persons : numpy.ndarray of int
        The person of each row.
    dates : pandas.DatetimeIndex or None
        The date of each row, where the index tells one.
    repeats : bool
        Whether a person has several rows.
    """

    columns: list[Column]
    event: np.ndarray
    weight: np.ndarray
    persons: np.ndarray
    dates: pd.DatetimeIndex | None
    repeats: bool

    def take(self, rows: np.ndarray) -> TrainingRows:
        """Return some of the rows.

        Parameters
        ----------
        rows : numpy.ndarray of int
            Row positions.

        Returns
        -------
        TrainingRows
            One row per position.
        """
        return TrainingRows(
            [column.take(rows) for column in self.columns],
            self.event[rows],
            self.weight[rows],
            self.persons[rows],
            None if self.dates is None else self.dates[rows],
            self.repeats,
        )


def read_training(
    estimator: BaseEstimator, X: Any, y: Any, groups: Any, sample_weight: Any
) -> tuple[TrainingRows, np.ndarray]:
    """Read and check what an estimator is given to learn from; rows of weight 0 are left out.

    Parameters
    ----------
    estimator : estimator
        Its features are learned now.
    X : pandas.DataFrame or array of shape (n, features)
        One row per person and date.
    y : array of shape (n,)
        Two classes.
    groups : array of shape (n,), optional
        The person of each row.
    sample_weight : array of shape (n,), optional
        How often each row counts.

    Returns
    -------
    tuple of (TrainingRows, numpy.ndarray)
        The rows in their own order, and the two classes, the outcome second.

    Raises
    ------
    UsageError
        Features, labels, persons or weights cannot be used.
    """
    columns = read_features(estimator, X, reset=True)
    labels = read_labels(estimator, X, y)
    n = len(columns[0].is_missing)
    check_consistent_length(labels, columns[0].is_missing)
    weight = read_weights(sample_weight, n)
    named = persons_of(X, groups, n)
    check_consistent_length(labels, named)
    classes = np.unique(labels)
    event = labels == classes[1]
    is_named = groups is not None or (isinstance(X, pd.DataFrame) and "person_id" in X.index.names)
    persons, people = pd.factorize(named, sort=True) if is_named else (np.zeros(n, dtype=np.int64), np.arange(n))
    if (persons < 0).any():
        raise UsageError(f"each row needs a person; {int((persons < 0).sum())} rows have none", where="groups")
    used = np.flatnonzero(weight > 0)
    if len(np.unique(event[used])) < 2:
        raise UsageError("expected two classes of labels; found one class among the rows with a weight above 0")
    order = used[np.lexsort((weight[used], event[used], _marks(columns)[used], persons[used]))]
    # without names each row is a person, told by its place in the order: rows that are alike can be exchanged
    codes = persons[order] if is_named else np.arange(len(order))
    dates = X.index.get_level_values("as_of") if isinstance(X, pd.DataFrame) and "as_of" in X.index.names else None
    when = None if dates is None else pd.DatetimeIndex(pd.to_datetime(dates))
    rows = TrainingRows(columns, event, weight, persons, when, is_named and len(people) < n).take(order)
    return TrainingRows(rows.columns, rows.event, rows.weight, codes, rows.dates, rows.repeats), classes


def read_weights(sample_weight: Any, n_rows: int) -> np.ndarray:
    """Return how often each row counts.

    Parameters
    ----------
    sample_weight : array of shape (n,), or None
        Finite numbers, 0 or more, not all 0.
    n_rows : int
        How many rows there are.

    Returns
    -------
    numpy.ndarray
        One number per row; 1 where nothing was given.

    Raises
    ------
    UsageError
        They are not one number a row, or a number is missing, infinite or below 0.
    """
    if sample_weight is None:
        return np.ones(n_rows)
    weight = np.asarray(sample_weight, dtype="float64")
    if weight.shape != (n_rows,):
        raise UsageError(f"expected {n_rows} weights, one per row; found shape {weight.shape}", where="sample_weight")
    if not np.isfinite(weight).all() or (weight < 0).any():
        raise UsageError("weights are finite numbers, 0 or more", where="sample_weight")
    if not weight.any():
        raise UsageError("every weight is zero: no row is left to learn from", where="sample_weight")
    return weight


def rank_rows(columns: list[Column], event: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return a number of each row by what it holds, whatever their order in the file.

    Parameters
    ----------
    columns : list of Column
        The features.
    event : numpy.ndarray of bool
        Who had the outcome.
    weight : numpy.ndarray
        How often each row counts.

    Returns
    -------
    numpy.ndarray of int
        A number per row, each once; rows that are alike can be exchanged.
    """
    ranks = np.empty(len(event), dtype=np.int64)
    ranks[np.lexsort((weight, event, _marks(columns)))] = np.arange(len(event))
    return ranks


def _marks(columns: list[Column]) -> np.ndarray:
    """Return a number that tells what a row holds, the same on every machine."""
    total = np.zeros(len(columns[0].is_missing), dtype=np.uint64)
    for column in columns:
        if column.numbers is not None:
            known = np.where(column.is_missing, 0.0, column.numbers) + 0.0  # one zero, and no NaN
            mark = pd.util.hash_array(known) + column.is_missing
        else:
            words = np.array([*column.levels, "\x00missing"], dtype=object)
            mark = pd.util.hash_array(words, categorize=False)[np.asarray(column.codes)]
        total = total * _MIX ^ mark
    return total
