"""Risks of people whom the model had not seen: the past foretells later dates, folds of persons, or a site left out."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from casestrat.errors import UsageError
from casestrat.models.cards.scorecard import PointScorecard
from casestrat.models.site_split import LeaveSiteOut
from casestrat.models.splits import PersonGroupedSplit, TemporalSplit
from casestrat.tables.columns import TEXT

if TYPE_CHECKING:
    from collections.abc import Callable

    Progress = Callable[[str, int, int], object]

SPLITS = ("auto", "temporal", "person", "site")


@dataclass(frozen=True, slots=True)
class Fold:
    """One parting of the rows: its name, and the positions to learn from and to test on."""

    name: str
    learn: np.ndarray
    test: np.ndarray


def cross_validated_risks(
    estimator: Any,
    X: Any,
    y: Any,
    split: Any = "auto",
    *,
    groups: Any = None,
    sites: Any = None,
    gap_days: int | None = None,
    n_splits: int | None = None,
    refit: bool | None = None,
    random_state: int = 0,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Give each person the risk by a model that had not seen this person, or not this date.

    Parameters
    ----------
    estimator : estimator
        What is learned anew in each fold; a copy is, never itself.
    X : pandas.DataFrame or array
        One row per person and date.
    y : pandas.Series or array
        1 with the outcome, 0 without, missing where not known: such rows are tested and not learned from.
    split : {"auto", "temporal", "person", "site"} or splitter
        ``temporal`` learns on the past and tests on later dates; ``person`` deals persons out into folds; ``site``
        leaves each site out once. ``auto`` is temporal where the index level ``as_of`` tells several dates, else by
        person. Anything with ``split(X, y, groups)`` will do too.
    groups : array, optional
        The person of each row; without it the index level ``person_id`` tells, and without that each row is a person.
    sites : array, optional
        The site of each row, for ``split="site"``; without it the index level ``site``.
    gap_days : int, optional
        Days until a label is known, the horizon of the outcome: needed where dates part the rows.
    n_splits : int, optional
        Tests: 3 dates or 5 folds where not given.
    refit : bool, optional
        False applies the model as it is. Without it everything is learned anew but a card made from a table, which
        has nothing to learn.
    random_state : int, default 0
        Seed of the folds.
    progress : callable, optional
        Told of each fold: its name, how many are done, and of how many.

    Returns
    -------
    pandas.DataFrame
        One row per row of X, with its index: test (name of the fold; missing where the row was never tested, as those
        of the earliest dates), risk (missing where the model gives none), points (of a card, else missing).

    Raises
    ------
    UsageError
        The rows cannot be parted so, or what is learned from has one class only.

    Examples
    --------
    >>> from casestrat.models import RiskClassifier
    >>> people = pd.DataFrame({"falls": [0, 1, 2, 3] * 15}, index=pd.Index(range(60), name="person_id"))
    >>> held_out = cross_validated_risks(RiskClassifier(), people, [0, 0, 1, 1] * 15)
    >>> held_out["test"].value_counts().sort_index().to_dict()
    {'fold 1': 12, 'fold 2': 12, 'fold 3': 12, 'fold 4': 12, 'fold 5': 12}
    """
    labels = as_labels(X, y)
    persons = persons_of(X, groups)
    folds = part(X, labels, split, groups=persons, sites=sites, gap_days=gap_days, n_splits=n_splits,
                 random_state=random_state)  # fmt: skip
    return risks_of_folds(estimator, X, labels, folds, persons, refit=refit, progress=progress)


def risks_of_folds(
    estimator: Any,
    X: Any,
    labels: np.ndarray,
    folds: list[Fold],
    persons: np.ndarray,
    *,
    refit: bool | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Score the tests of folds that were made before, so that several models can share them.

    Parameters
    ----------
    estimator : estimator
        What is learned.
    X : pandas.DataFrame or array
        One row per person and date.
    labels : numpy.ndarray
        1, 0 or NaN.
    folds : list of Fold
        The folds.
    persons : numpy.ndarray
        The person of each row.
    refit : bool, optional
        See ``cross_validated_risks``.
    progress : callable, optional
        Told of each fold.

    Returns
    -------
    pandas.DataFrame
        As of ``cross_validated_risks``.
    """
    is_learned = not is_ready_card(estimator) if refit is None else refit
    tell = progress or (lambda _step, _done, _of: None)
    test = np.full(len(labels), None, dtype=object)
    risk, points = np.full(len(labels), np.nan), np.full(len(labels), np.nan)
    for done, fold in enumerate(folds, start=1):
        model = estimator
        if is_learned:
            seen = fold.learn[~np.isnan(labels[fold.learn])]
            if len(np.unique(labels[seen])) < 2:
                raise UsageError(
                    f"what is learned from holds {len(np.unique(labels[seen]))} classes of labels; expected 2",
                    where=fold.name,
                    do="take more dates or people, or fewer tests",
                )
            model = learn(estimator, rows_of(X, seen), labels[seen], persons[seen])
        test[fold.test] = fold.name
        risk[fold.test], points[fold.test] = scores_of(model, rows_of(X, fold.test))
        tell(fold.name, done, len(folds))
    index = X.index if isinstance(X, pd.DataFrame) else pd.RangeIndex(len(labels))
    frame = pd.DataFrame(
        {"test": pd.Series(test, index=index, dtype=TEXT), "risk": risk, "points": points}, index=index
    )
    return frame.astype({"points": "Int64"})


def part(
    X: Any,
    labels: np.ndarray,
    split: Any = "auto",
    *,
    groups: np.ndarray,
    sites: Any = None,
    gap_days: int | None = None,
    n_splits: int | None = None,
    random_state: int = 0,
) -> list[Fold]:
    """Part rows into what is learned from and what is tested on, each test with a name.

    Parameters
    ----------
    X : pandas.DataFrame or array
        One row per person and date.
    labels : numpy.ndarray
        1, 0 or NaN.
    split : str or splitter
        See ``cross_validated_risks``.
    groups : numpy.ndarray
        The person of each row.
    sites : array, optional
        The site of each row.
    gap_days : int, optional
        Days until a label is known.
    n_splits : int, optional
        Number of tests.
    random_state : int, default 0
        Seed.

    Returns
    -------
    list of Fold
        In the order of the tests: ``fold 1``, the first and the last date of a temporal one, or the site.

    Raises
    ------
    UsageError
        The rows cannot be parted so.
    """
    if not isinstance(split, str):
        pairs = list(split.split(X, labels, groups))
        return [Fold(f"fold {i}", a, b) for i, (a, b) in enumerate(pairs, start=1)]
    if split not in SPLITS:
        raise UsageError(f"no split is called {split!r}", where="split", do=f"choose one of: {', '.join(SPLITS)}")
    kind = ("temporal" if _has_dates(X) else "person") if split == "auto" else split
    if kind == "temporal":
        return _by_date(X, gap_days, n_splits or 3)
    if kind == "site":
        splitter = LeaveSiteOut(gap_days=gap_days)
        names = splitter.blocks(X, sites)["block"].tolist()
        return [Fold(name, *pair) for name, pair in zip(names, splitter.split(X, groups=sites), strict=True)]
    pairs = list(PersonGroupedSplit(n_splits or 5, random_state=random_state).split(X, labels, groups=groups))
    return [Fold(f"fold {i}", a, b) for i, (a, b) in enumerate(pairs, start=1)]


def _has_dates(X: Any) -> bool:
    """Whether the index tells several dates."""
    return isinstance(X, pd.DataFrame) and "as_of" in X.index.names and X.index.unique("as_of").size > 1


def _by_date(X: Any, gap_days: int | None, n_splits: int) -> list[Fold]:
    """Return temporal folds, named by their dates."""
    if gap_days is None:
        raise UsageError(
            "dates part the rows and nothing tells how long a label takes to be known",
            where="gap_days",
            do="give the horizon of the outcome in days, or split='person'",
        )
    if not (isinstance(X, pd.DataFrame) and "as_of" in X.index.names):
        raise UsageError("nothing tells the date of each row", where="X", do="give an index level as_of")
    dates = pd.to_datetime(pd.Series(X.index.get_level_values("as_of")))
    n_tests = min(n_splits, dates.nunique() - 1)  # two dates are one test
    folds = []
    for a, b in TemporalSplit(max(1, n_tests), gap_days=gap_days).split(X):
        first, last = dates.iloc[b].min().date(), dates.iloc[b].max().date()
        folds.append(Fold(f"{first}" if first == last else f"{first} – {last}", a, b))
    return folds


def as_labels(X: Any, y: Any) -> np.ndarray:
    """Return labels as 1, 0 and NaN, beside the rows of X.

    Parameters
    ----------
    X : pandas.DataFrame or array
        One row per person and date.
    y : pandas.Series or array
        The labels.

    Returns
    -------
    numpy.ndarray
        One float per row.

    Raises
    ------
    UsageError
        They are about other rows, or others than 0 and 1.
    """
    if isinstance(X, pd.DataFrame) and isinstance(y, pd.Series) and not X.index.equals(y.index):
        raise UsageError("X and y are about different rows: their indexes differ", do="use X.loc[y.index]")
    if len(X) != len(y):
        raise UsageError(f"expected {len(X)} labels, one per row; found {len(y)}", where="y")
    labels = pd.to_numeric(pd.Series(np.asarray(y, dtype=object)), errors="coerce").to_numpy(dtype="float64")
    n_unread = int((np.isnan(labels) & pd.notna(np.asarray(y, dtype=object))).sum())
    if n_unread or not np.isin(labels[~np.isnan(labels)], (0, 1)).all():
        raise UsageError("labels must be 1 (with the outcome), 0 (without) or missing; found others", where="y")
    return labels


def persons_of(X: Any, groups: Any = None) -> np.ndarray:
    """Return the person of each row as a number: as given, else by the index, else each row its own.

    Parameters
    ----------
    X : pandas.DataFrame or array
        One row per person and date.
    groups : array, optional
        The person of each row.

    Returns
    -------
    numpy.ndarray of int
        One number per row, in the order of the ids.

    Raises
    ------
    UsageError
        A row has no person, or ``groups`` has another length.
    """
    if groups is None and isinstance(X, pd.DataFrame) and "person_id" in X.index.names:
        groups = X.index.get_level_values("person_id")
    if groups is None:
        return np.arange(len(X))
    if len(groups) != len(X):
        raise UsageError(f"expected {len(X)} groups, one per row; found {len(groups)}", where="groups")
    codes = pd.factorize(pd.Index(groups), sort=True)[0]
    if (codes < 0).any():
        raise UsageError(f"each row needs a person; {int((codes < 0).sum())} rows have none", where="groups")
    return np.asarray(codes)


def rows_of(X: Any, rows: np.ndarray) -> Any:
    """Return some rows of a frame or an array.

    Parameters
    ----------
    X : pandas.DataFrame or array
        All rows.
    rows : numpy.ndarray of int
        Their positions.

    Returns
    -------
    pandas.DataFrame or array
        The rows.
    """
    return X.iloc[rows] if isinstance(X, pd.DataFrame) else np.asarray(X)[rows]


def learn(estimator: Any, X: Any, y: np.ndarray, persons: np.ndarray) -> Any:
    """Learn with a copy of an estimator, telling it the persons where it asks for them.

    Parameters
    ----------
    estimator : estimator
        What is copied.
    X : pandas.DataFrame or array
        One row per person and date.
    y : numpy.ndarray
        Labels, none missing.
    persons : numpy.ndarray
        The person of each row.

    Returns
    -------
    estimator
        The copy, ready.

    Raises
    ------
    UsageError
        It cannot learn.
    """
    if not hasattr(estimator, "fit"):
        raise UsageError(f"{type(estimator).__name__} cannot learn", do="give refit=False to apply it as it is")
    model = clone(estimator)
    asked = {"groups": persons} if "groups" in inspect.signature(model.fit).parameters else {}
    return model.fit(X, y.astype(int), **asked)


def is_ready_card(estimator: Any) -> bool:
    """Tell a card that was made from a table, and has nothing to learn.

    Parameters
    ----------
    estimator : estimator
        Any model.

    Returns
    -------
    bool
        False for a card that was learned, and for every other model.
    """
    if not (isinstance(estimator, PointScorecard) and hasattr(estimator, "rows_")):
        return False
    return not hasattr(estimator, "path_") and str(estimator.card_.get("kind", "")) != "learned"


def scores_of(model: Any, X: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return risk and points of each row; NaN for what a model does not give.

    Parameters
    ----------
    model : estimator
        Ready to score.
    X : pandas.DataFrame or array
        One row per person and date.

    Returns
    -------
    tuple of numpy.ndarray
        Risks and points.
    """
    nothing = np.full(len(X), np.nan)
    points = model.points(X).to_numpy(dtype="float64") if isinstance(model, PointScorecard) else nothing
    has_risk = not isinstance(model, PointScorecard) or len(model.risk_points_) > 0
    return (np.asarray(model.predict_proba(X))[:, 1] if has_risk else nothing), points
