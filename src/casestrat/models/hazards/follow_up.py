"""The rows that a model of time to an event learns from: features, follow-up, weights, persons."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.utils import column_or_1d

from casestrat.errors import UsageError
from casestrat.models.hazards.competing_risks import OUTCOME, read_follow_up
from casestrat.models.inputs.features import persons_of, read_features

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

    from casestrat.models.inputs.columns import Column


class FollowUpWarning(UserWarning):
    """A risk was asked for that lies beyond the last day on which anybody was seen."""


@dataclass(frozen=True, eq=False, slots=True)
class FollowUpRows:
    """Rows to learn from, ordered by what they hold, so that the order of the file changes nothing.

    Attributes
    ----------
    columns : list of Column
        The features.
    days : numpy.ndarray
        Days to the first event, or to the end of follow-up.
    event : numpy.ndarray of int
        0 censored, 1 the outcome, 2 and more what competes.
    weight : numpy.ndarray
        How often each row counts, above 0.
    persons : numpy.ndarray of int, or None
        The person of each row; None where each row is one.
    """

    columns: list[Column]
    days: np.ndarray
    event: np.ndarray
    weight: np.ndarray
    persons: np.ndarray | None

    @property
    def n_persons(self) -> int:
        """Number of persons."""
        return len(self.days) if self.persons is None else len(np.unique(self.persons))


def read_rows(estimator: BaseEstimator, X: Any, days: Any, event: Any, groups: Any, weight: Any) -> FollowUpRows:
    """Read and check what a model of time to an event is given; rows of weight 0 are left out.

    Parameters
    ----------
    estimator : estimator
        Its features are learned now.
    X : pandas.DataFrame or array of shape (n, features)
        One row per person and date.
    days : array of shape (n,), or pandas.DataFrame
        Days; or a frame of labels, with the columns days and event.
    event : array of shape (n,), optional
        Codes; without it everybody had the outcome.
    groups : array of shape (n,), optional
        The person of each row.
    weight : array of shape (n,), optional
        How often each row counts.

    Returns
    -------
    FollowUpRows
        The rows.

    Raises
    ------
    UsageError
        Features, follow-up, persons or weights cannot be used, or nobody had the outcome.
    """
    columns = read_features(estimator, X, reset=True)
    if days is None:
        raise UsageError(f"{type(estimator).__name__} requires y to be passed, but the target y is None")
    days, event = _days_and_events(days, event)
    for name, series in (("days", days), ("event", event)):
        if isinstance(X, pd.DataFrame) and isinstance(series, pd.Series) and not X.index.equals(series.index):
            raise UsageError(
                f"X and {name} are about different rows: their indexes differ", do="use X.loc[labels.index]"
            )
    n_rows = len(columns[0].is_missing) if columns else len(X)
    found, codes, weights = read_follow_up(days, event, weight)
    if len(found) != n_rows:
        raise UsageError(f"inconsistent numbers of samples: {n_rows} rows of X, {len(found)} of days", where="days")
    persons = _person_codes(X, groups, n_rows)
    used = np.flatnonzero(weights > 0)
    if not (codes[used] == OUTCOME).any():
        raise UsageError(
            f"one class only: none of {len(used)} rows had the outcome (event 1)",
            where="event",
            do="widen the spine or the horizon, or check which code is the outcome",
        )
    order = used[_order(columns, found, codes, weights, persons, used)]
    repeats = persons is not None and len(np.unique(persons[order])) < len(order)
    return FollowUpRows(
        [column.take(order) for column in columns],
        found[order],
        codes[order],
        weights[order],
        persons[order] if persons is not None and repeats else None,
    )


def read_waited(waited_days: Any, index: pd.Index, longest: float) -> np.ndarray:
    """Return the days that each row has waited; warns of those too long for the horizons.

    Parameters
    ----------
    waited_days : float or array of shape (n,)
        Days, 0 or more.
    index : pandas.Index
        Of the rows that are asked about.
    longest : float
        The longest time waited after which every horizon still ends by the last day on which anybody was seen.

    Returns
    -------
    numpy.ndarray of shape (n,)
        Days.

    Raises
    ------
    UsageError
        They are missing somewhere, negative, or of another length or index.
    """
    if isinstance(waited_days, pd.Series) and not waited_days.index.equals(index):
        raise UsageError("X and waited_days are about different rows: their indexes differ", where="waited_days")
    values = np.full(len(index), waited_days) if np.ndim(waited_days) == 0 else column_or_1d(waited_days)
    waited = pd.Series(values).astype("float64").to_numpy()
    if len(waited) != len(index):
        raise UsageError(f"expected {len(index)} values, one per row; found {len(waited)}", where="waited_days")
    if not (waited >= 0).all():
        raise UsageError("waited_days are days, 0 or more, none missing", where="waited_days")
    short = int(((waited > 0) & (waited > longest)).sum())
    if short:
        warnings.warn(
            f"{short} rows have waited so long that the longest horizon ends after the last day on which anybody was "
            "seen; the risk is told up to there",
            FollowUpWarning,
            stacklevel=3,
        )
    return waited


def _days_and_events(days: Any, event: Any) -> tuple[Any, Any]:
    """Return days and events, also where both stand in one frame."""
    if not isinstance(days, pd.DataFrame):
        return days, event
    if "days" not in days.columns:
        raise UsageError("expected a frame with the columns days and event; it has no column days", where="days")
    if event is None and "event" in days.columns:
        event = days["event"]
    return days["days"], event


def _person_codes(X: Any, groups: Any, n_rows: int) -> np.ndarray | None:
    """Return the number of each row's person; None where nothing tells persons."""
    if groups is None and not (isinstance(X, pd.DataFrame) and "person_id" in X.index.names):
        return None
    named = persons_of(X, groups, n_rows)
    if len(named) != n_rows:
        raise UsageError(f"expected {n_rows} groups, one per row; found {len(named)}", where="groups")
    codes = pd.factorize(named, sort=True)[0]
    if (codes < 0).any():
        raise UsageError(f"each row needs a person; {int((codes < 0).sum())} rows have none", where="groups")
    return np.asarray(codes)


def _order(
    columns: list[Column],
    days: np.ndarray,
    event: np.ndarray,
    weight: np.ndarray,
    persons: np.ndarray | None,
    used: np.ndarray,
) -> np.ndarray:
    """Return the order of the rows by what they hold: person, days, event, weight, features."""
    keys = [_key(column)[used] for column in columns] + [weight[used], event[used], days[used]]
    return np.lexsort([*keys, *([] if persons is None else [persons[used]])])


def _key(column: Column) -> np.ndarray:
    """Return numbers that order a column's values."""
    if column.numbers is not None:
        return np.where(column.is_missing, np.inf, column.numbers)
    ranks = np.append(np.argsort(np.argsort(np.array(column.levels))), len(column.levels))
    return np.asarray(ranks[column.codes])
