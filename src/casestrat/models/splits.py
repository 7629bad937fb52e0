"""Parting people into learning and testing: never one person on both sides, never the future before the past."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Splits:
    """What scikit-learn asks of whatever parts rows: how many times it does."""

    n_splits: int

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return how often the rows are parted.

        Parameters
        ----------
        X, y, groups : object
            Not used; they are there because scikit-learn passes them.

        Returns
        -------
        int
            ``n_splits``.
        """
        return self.n_splits


class PersonGroupedSplit(_Splits):
    """K folds, shuffled, with all rows of a person in one fold.

    The folds depend on who is there and on the seed, not on the order of the rows: a file sorted by age, site or
    outcome does no harm. Where ``y`` tells two classes, people with and without an event are dealt out evenly.

    Parameters
    ----------
    n_splits : int, default 5
        Number of folds, 2 or more.
    random_state : int, default 0
        Seed of the shuffle.
    level : str, default "person_id"
        Index level of X that tells the person, where ``groups`` is not given.

    Examples
    --------
    >>> people = pd.DataFrame({"x": range(6)}, index=pd.Index(list("AABBCC"), name="person_id"))
    >>> [sorted(set(people.index[test])) for _, test in PersonGroupedSplit(n_splits=3).split(people)]
    [['C'], ['A'], ['B']]
    """

    def __init__(self, n_splits: int = 5, *, random_state: int = 0, level: str = "person_id") -> None:
        self.n_splits, self.random_state, self.level = n_splits, random_state, level

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Give the rows to learn from and the rows to test on, fold by fold.

        Parameters
        ----------
        X : pandas.DataFrame or array
            One row per person and date.
        y : array, optional
            Labels, to deal out events evenly.
        groups : array, optional
            The person of each row; without it the index level is used.

        Yields
        ------
        tuple of numpy.ndarray
            Row positions to learn from, row positions to test on.

        Raises
        ------
        UsageError
            No person is told, or there are fewer persons than folds.
        """
        persons = level_or_groups(X, groups, self.level)
        codes, uniques = pd.factorize(persons, sort=True)
        if (codes < 0).any():
            raise UsageError(f"each row needs a person; {int((codes < 0).sum())} rows have none", where=self.level)
        if self.n_splits < 2 or len(uniques) < self.n_splits:
            raise UsageError(f"expected 2 folds or more and as many persons; found {self.n_splits} and {len(uniques)}")
        fold_of_row = self._folds(len(uniques), _has_event(codes, len(uniques), y))[codes]
        for fold in range(self.n_splits):
            is_test = fold_of_row == fold
            yield np.flatnonzero(~is_test), np.flatnonzero(is_test)

    def _folds(self, n_persons: int, has_event: np.ndarray) -> np.ndarray:
        """Return the fold of each person: shuffled, those with an event first, then dealt out in turn."""
        shuffled = np.random.default_rng(self.random_state).permutation(n_persons)
        dealt = shuffled[np.argsort(~has_event[shuffled], kind="stable")]
        folds = np.empty(n_persons, dtype=int)
        folds[dealt] = np.arange(n_persons) % self.n_splits
        return folds


class TemporalSplit(_Splits):
    """Learn on the past, test on later dates, with a gap as long as the label takes to mature.

    The dates are cut into ``n_splits`` + 1 blocks of about equally many dates. Each block but the first is a test; to
    learn, it has the rows whose label was known by then: those dated ``gap_days`` or more before its first date.

    Parameters
    ----------
    n_splits : int, default 3
        Number of tests, 1 or more.
    gap_days : int
        Days until a label is known: the horizon of the outcome, and what it takes to be recorded.
    level : str, default "as_of"
        Index level of X that tells the date, where ``groups`` is not given.

    Examples
    --------
    >>> days = pd.to_datetime(["2025-01-01", "2025-04-01", "2025-07-01", "2025-10-01"])
    >>> spine = pd.DataFrame({"x": range(4)}, index=pd.Index(days, name="as_of"))
    >>> [(list(map(int, a)), list(map(int, b))) for a, b in TemporalSplit(n_splits=2, gap_days=90).split(spine)]
    [([0, 1], [2]), ([0, 1, 2], [3])]
    """

    def __init__(self, n_splits: int = 3, *, gap_days: int, level: str = "as_of") -> None:
        self.n_splits, self.gap_days, self.level = n_splits, gap_days, level

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Give the rows to learn from and the rows to test on, the earliest test first.

        Parameters
        ----------
        X : pandas.DataFrame or array
            One row per person and date.
        y : array, optional
            Not used.
        groups : array, optional
            The date of each row; without it the index level is used.

        Yields
        ------
        tuple of numpy.ndarray
            Row positions to learn from, row positions to test on.

        Raises
        ------
        UsageError
            No date is told, there are too few dates, or no row is old enough to learn from.
        """
        if self.n_splits < 1 or self.gap_days < 0:
            raise UsageError(
                f"expected 1 test or more and a gap of 0 days or more; found {self.n_splits}, {self.gap_days}"
            )
        dates = pd.to_datetime(pd.Series(np.asarray(level_or_groups(X, groups, self.level))))
        if dates.isna().any():
            raise UsageError(f"each row needs a date; {int(dates.isna().sum())} rows have none", where=self.level)
        days = np.sort(dates.unique())
        if len(days) <= self.n_splits:
            raise UsageError(f"{self.n_splits} tests need {self.n_splits + 1} dates or more; found {len(days)}")
        for block in np.array_split(days, self.n_splits + 1)[1:]:
            known_by = pd.Timestamp(block[0]) - pd.Timedelta(days=self.gap_days)
            learn = np.flatnonzero(dates <= known_by)
            if not len(learn):
                begins = pd.Timestamp(block[0]).date()
                raise UsageError(
                    f"no row is {self.gap_days} days older than the test that begins on {begins}",
                    do="take earlier dates into the spine, or fewer tests",
                )
            yield learn, np.flatnonzero((dates >= block[0]) & (dates <= block[-1]))


def level_or_groups(X: Any, groups: Any, level: str) -> Any:
    """Return what tells rows apart: ``groups`` if given, else the index level of X.

    Parameters
    ----------
    X : pandas.DataFrame or array
        One row per person and date.
    groups : array or None
        One value per row.
    level : str
        Name of the index level.

    Returns
    -------
    array
        One value per row.

    Raises
    ------
    UsageError
        Neither is there, or ``groups`` has another length.
    """
    if groups is not None:
        if len(groups) != len(X):
            raise UsageError(f"expected {len(X)} groups, one per row; found {len(groups)}", where="groups")
        return pd.Index(groups)
    if isinstance(X, pd.DataFrame | pd.Series) and level in X.index.names:
        return X.index.get_level_values(level)
    raise UsageError(f"nothing tells the {level} of each row", do=f"give groups=, or an index level {level}")


def folds_for(n_splits: int, persons: Any, y: np.ndarray) -> int:
    """Return the number of folds that the rarer class can fill: at most ``n_splits``, 0 where under 2.

    Parameters
    ----------
    n_splits : int
        Folds wished for.
    persons : array
        The person of each row.
    y : numpy.ndarray
        One flag per row.

    Returns
    -------
    int
        Folds that have an event and a non-event each.
    """
    codes, uniques = pd.factorize(pd.Index(persons))
    with_event = int(_has_event(codes, len(uniques), y).sum())
    # A person with an event may also hold rows without one, so rows without an event are counted on their own.
    without_event = len(np.unique(codes[~np.asarray(y, dtype=bool)]))
    folds = min(n_splits, with_event, without_event)
    return folds if folds >= 2 else 0


def _has_event(codes: np.ndarray, n_persons: int, y: Any) -> np.ndarray:
    """Which persons have a row of the higher class; none where y does not tell two classes."""
    flags = np.zeros(n_persons, dtype=bool)
    if y is not None:
        labels = np.asarray(y)
        classes = np.unique(labels[~pd.isna(labels)])
        if len(classes) == 2:
            flags[codes[labels == classes[1]]] = True
    return flags
