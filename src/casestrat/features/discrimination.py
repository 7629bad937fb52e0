"""How well features tell apart who had an outcome, measured on people left out: one at a time and all together."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.float64]

MISSING_TEXT = "(missing)"
_COMMON, _MOST_TEXTS = 5, 50  # rows that a text needs for a column of its own, and columns at most


def auc_of(y: Flags, score: Numbers) -> float:
    """Return the area under the curve: how often a score is higher with the outcome than without, ties half.

    Parameters
    ----------
    y : numpy.ndarray of bool
        Who had the outcome.
    score : numpy.ndarray
        One number a row, without gaps.

    Returns
    -------
    float
        0 to 1; NaN where nobody, or everybody, had the outcome.
    """
    n_with, n_without = int(y.sum()), int((~y).sum())
    if not n_with or not n_without:
        return float("nan")
    ranks = rankdata(score)
    return float((ranks[y].sum() - n_with * (n_with + 1) / 2) / (n_with * n_without))


def folded(auc: float) -> float:
    """Return an area under the curve whichever way the feature points: 0.3 tells as much as 0.7."""
    return max(auc, 1 - auc)


def as_predictors(X: pd.DataFrame) -> pd.DataFrame:
    """Return features as numbers (dates in their order, flags as 1 and 0) and text, missing as NaN.

    Parameters
    ----------
    X : pandas.DataFrame
        One row per person and date, one column per feature, of any type.

    Returns
    -------
    pandas.DataFrame
        The same rows and columns; each float64 or object.
    """
    columns = {str(name): _as_predictor(X[name]) for name in X.columns}
    return pd.DataFrame(columns, index=X.index)


def _as_predictor(column: pd.Series) -> pd.Series:
    is_length = pd.api.types.is_timedelta64_dtype(column)
    if is_length or pd.api.types.is_datetime64_any_dtype(column):
        units = column.to_numpy(dtype="timedelta64[us]" if is_length else "datetime64[us]").astype("int64")
        return pd.Series(units.astype("float64"), index=column.index).where(column.notna())
    try:
        numbers = pd.Series(column.to_numpy(dtype="float64", na_value=np.nan), index=column.index)
        return numbers.where(np.isfinite(numbers))
    except (ValueError, TypeError):
        return column.astype(object).where(column.notna(), np.nan).map(str, na_action="ignore").astype(object)


def person_folds(persons: Any, y: Flags, n_folds: int, random_state: int) -> NDArray[np.int64]:
    """Deal people into folds, whole, those with the outcome first, so that each fold has its share of them.

    Parameters
    ----------
    persons : array of length n
        The person of each row.
    y : numpy.ndarray of bool
        Who had the outcome.
    n_folds : int
        How many folds at most.
    random_state : int
        Seed of the order.

    Returns
    -------
    numpy.ndarray of int
        The fold of each row; all rows of a person have the same.
    """
    codes, people = pd.factorize(pd.Index(persons))
    has_outcome = np.zeros(len(people), dtype=bool)
    has_outcome[codes[y]] = True
    order = np.random.default_rng(random_state).permutation(len(people))
    order = order[np.argsort(~has_outcome[order], kind="stable")]
    fold = np.empty(len(people), dtype="int64")
    fold[order] = np.arange(len(people)) % n_folds
    return fold[codes]


def feature_auc(feature: pd.Series, y: Flags, fold: NDArray[np.int64]) -> tuple[float, int]:
    """Return how well one feature alone tells, on the rows where it is known, and how many they are.

    Parameters
    ----------
    feature : pandas.Series
        Numbers or text, as :func:`as_predictors` gives them.
    y : numpy.ndarray of bool
        Who had the outcome.
    fold : numpy.ndarray of int
        The fold of each row; a text counts as the share with the outcome among people of other folds.

    Returns
    -------
    auc : float
        0.5 to 1; NaN where it cannot be told.
    n : int
        Rows where the feature is known.
    """
    is_known = feature.notna().to_numpy()
    values: NDArray[Any] = feature.to_numpy()[is_known]
    y, fold = y[is_known], fold[is_known]
    scores = values if feature.dtype == "float64" else _rates(values, y, fold)
    return folded(auc_of(y, np.asarray(scores, dtype="float64"))), int(is_known.sum())


def _rates(values: NDArray[Any], y: Flags, fold: NDArray[np.int64]) -> Numbers:
    """Return for each text the share with the outcome among the rows of other folds that have it."""
    codes, names = pd.factorize(values)
    share = y.mean() if len(y) else 0.0
    out = np.full(len(values), share)
    for one in np.unique(fold):
        rest = fold != one
        n = np.bincount(codes[rest], minlength=len(names))
        hits = np.bincount(codes[rest], weights=y[rest], minlength=len(names))
        out[~rest] = ((hits + share) / (n + 1))[codes[~rest]]
    return out


def gap_auc(feature: pd.Series, y: Flags) -> float:
    """Return how well it tells whether the feature is filled at all, 0.5 to 1."""
    return folded(auc_of(y, feature.notna().to_numpy().astype("float64")))


def design_of(X: pd.DataFrame, is_learned_from: Flags) -> Numbers:
    """Return features as the columns of a regression: gaps filled and flagged, on one scale, one column per text.

    Parameters
    ----------
    X : pandas.DataFrame
        Features, as :func:`as_predictors` gives them.
    is_learned_from : numpy.ndarray of bool
        The rows whose medians, scales and texts are used; nothing is learned from the others.

    Returns
    -------
    numpy.ndarray
        One row per row of ``X``.
    """
    numbers = X.select_dtypes("float64").to_numpy()
    seen = numbers[is_learned_from]
    is_gap = np.isnan(numbers)
    gaps = is_gap[:, is_gap[is_learned_from].any(axis=0)].astype("float64")
    median = np.array([np.median(column[~np.isnan(column)]) if (column == column).any() else 0.0 for column in seen.T])
    filled = np.where(is_gap, median.reshape(1, -1), numbers)
    columns = np.hstack([filled, gaps, *(_flags_of(X[name], is_learned_from) for name in X if X[name].dtype == object)])
    mean, scale = columns[is_learned_from].mean(axis=0), columns[is_learned_from].std(axis=0)
    # Ten scales out is far enough for any value: one wild value must not carry the fit.
    return np.asarray(np.clip((columns - mean) / np.where(scale > 0, scale, 1.0), -10, 10))


def _flags_of(column: pd.Series, is_learned_from: Flags) -> Numbers:
    """Return one column per common text, gaps being one."""
    values = column.where(column.notna(), MISSING_TEXT)
    common = values[is_learned_from].value_counts()
    names = sorted(common[common >= _COMMON].index[:_MOST_TEXTS])
    return np.column_stack([np.zeros(len(values)), *((values == name).to_numpy(dtype="float64") for name in names)])


def designs_of(X: pd.DataFrame, fold: NDArray[np.int64]) -> list[tuple[Flags, Numbers]]:
    """Return for each fold who is left out, and the columns of a regression as the others give them.

    Parameters
    ----------
    X : pandas.DataFrame
        Features, as :func:`as_predictors` gives them.
    fold : numpy.ndarray of int
        The fold of each row.

    Returns
    -------
    list of tuple
        For each fold: a flag per row, and one row of numbers per row.
    """
    return [(fold == one, design_of(X, fold != one)) for one in np.unique(fold)]


def left_out_auc(designs: list[tuple[Flags, Numbers]], y: Flags) -> tuple[float, float]:
    """Return how well all features together tell, on people left out of a penalised logistic regression.

    Parameters
    ----------
    designs : list of tuple
        As :func:`designs_of` gives them.
    y : numpy.ndarray of bool
        Who had the outcome.

    Returns
    -------
    auc : float
        Mean over the folds that hold people with the outcome and without; NaN where none does.
    standard_error : float
        What chance alone would make it vary by, were there nothing to tell.
    """
    areas, variances = [], []
    for is_left_out, design in designs:
        here, rest = y[is_left_out], y[~is_left_out]
        n_with, n_without = int(here.sum()), int((~here).sum())
        if not n_with or not n_without or len(np.unique(rest)) < 2:
            continue
        # With few columns this solver needs a handful of steps, whatever the number of rows.
        model = LogisticRegression(C=1.0, solver="newton-cholesky")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a fit that stops early, on columns that say the same, still ranks
            model.fit(design[~is_left_out], rest)
        areas.append(auc_of(here, model.decision_function(design[is_left_out])))
        variances.append((n_with + n_without + 1) / (12 * n_with * n_without))
    if not areas:
        return float("nan"), float("nan")
    return float(np.mean(areas)), float(np.sqrt(np.sum(variances)) / len(areas))


def permuted_auc(
    designs: list[tuple[Flags, Numbers]], y: Flags, n_permutations: int, random_state: int
) -> tuple[float, float]:
    """Return what is told of labels dealt out at random: one half, but for chance.

    Parameters
    ----------
    designs : list of tuple
        As :func:`designs_of` gives them.
    y : numpy.ndarray of bool
        Who had the outcome.
    n_permutations : int
        How often the labels are dealt anew.
    random_state : int
        Seed.

    Returns
    -------
    auc : float
        Mean over the permutations.
    standard_error : float
        Of that mean, were nothing told.
    """
    deal = np.random.default_rng(random_state)
    found = np.array([left_out_auc(designs, deal.permutation(y)) for _ in range(n_permutations)])
    return float(found[:, 0].mean()), float(np.sqrt((found[:, 1] ** 2).sum()) / n_permutations)
