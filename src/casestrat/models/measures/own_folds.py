"""Calibration on people held out: folds of our own, never a person on both sides, never the order of the file."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit

from casestrat.errors import UsageError
from casestrat.models.measures.calibration import IsotonicSteps, NoSignalWarning, fit_calibrator, fit_isotonic, log_odds
from casestrat.models.measures.posterior import normal_draws, posterior_covariance
from casestrat.models.splits import PersonGroupedSplit, TemporalSplit, folds_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from casestrat.models.inputs.rows import TrainingRows

KINDS = ("sigmoid", "isotonic", "none")
SPLITS = ("shuffled", "temporal")
FEWEST_FOR_STEPS = 200
NO_SIGNAL = "no signal: on people held out the features ordered nobody better than chance; all get the mean risk"
Folds = list[tuple[np.ndarray, np.ndarray]]


def check_calibration(kind: str, split: str, n_folds: int, gap_days: int | None) -> None:
    """Refuse settings of the calibration outside their range.

    Parameters
    ----------
    kind : str
        One of ``KINDS``.
    split : str
        One of ``SPLITS``.
    n_folds : int
        2 or more.
    gap_days : int or None
        Days until a label is known; needed by ``temporal``.

    Raises
    ------
    UsageError
        One of them cannot be used.
    """
    if kind not in KINDS:
        raise UsageError(f"calibration must be 'sigmoid', 'isotonic' or 'none'; found {kind!r}")
    if split not in SPLITS:
        raise UsageError(f"calibration_split must be 'shuffled' or 'temporal'; found {split!r}")
    if n_folds < 2:
        raise UsageError(f"n_folds must be 2 or more; found {n_folds}")
    if split == "temporal" and (gap_days is None or gap_days < 0):
        raise UsageError(
            f"calibration_split='temporal' needs gap_days, 0 or more; found {gap_days}",
            do="give the days until a label is known: the horizon of the outcome, and what it takes to be recorded",
        )


def make_folds(rows: TrainingRows, split: str, n_folds: int, gap_days: int | None, random_state: int) -> Folds:
    """Part the rows into learning and testing.

    Parameters
    ----------
    rows : TrainingRows
        The rows.
    split : {"shuffled", "temporal"}
        Persons dealt out at random, or the past against later dates.
    n_folds : int
        Folds wished for; fewer where a class has fewer people, or the dates allow no more.
    gap_days : int or None
        Days until a label is known, for ``temporal``.
    random_state : int
        Seed of the shuffle.

    Returns
    -------
    list of tuple of numpy.ndarray
        Row positions to learn from and to test on, one pair a fold; empty where a class has fewer than two people.

    Raises
    ------
    UsageError
        ``temporal``, and there are no dates, or none is old enough to learn from.
    """
    if split == "temporal":
        return _by_date(rows, n_folds, gap_days or 0)
    possible = folds_for(n_folds, rows.persons, rows.event)
    if not possible:
        return []
    return list(PersonGroupedSplit(possible, random_state=random_state).split(rows.event, rows.event, rows.persons))


def foretell_held_out(
    rows: TrainingRows, folds: Folds, foretell: Callable[[TrainingRows, TrainingRows], np.ndarray]
) -> np.ndarray:
    """Score the rows of each fold by a model of the others, all at the level of the whole.

    A fold that happens to hold many with the outcome leaves few to learn from, so that its scores come out low: what
    the share with the outcome among those learned from does to the level is taken out. Else scores of noise would look
    turned upside down.

    Parameters
    ----------
    rows : TrainingRows
        The rows.
    folds : list of tuple of numpy.ndarray
        What :func:`make_folds` returned.
    foretell : callable
        Rows to learn from, rows to score → log-odds, rows by candidates.

    Returns
    -------
    numpy.ndarray of shape (n, candidates)
        Log-odds; NaN for rows that no fold tests.
    """
    level = _level(rows)
    parts = []
    for learn, test in folds:
        known = rows.take(learn)
        parts.append((test, foretell(known, rows.take(test)) + level - _level(known)))
    held_out = np.full((len(rows.event), parts[0][1].shape[1]), np.nan)
    for test, scores in parts:
        held_out[test] = scores
    return held_out


def best_candidate(held_out: np.ndarray, rows: TrainingRows) -> int:
    """Return the candidate with the least deviance on people held out, the first among equals.

    Parameters
    ----------
    held_out : numpy.ndarray of shape (n, candidates)
        Log-odds, the more cautious candidate first; NaN for rows that no fold tests.
    rows : TrainingRows
        The rows.

    Returns
    -------
    int
        Position of the candidate.
    """
    tested = ~np.isnan(held_out[:, 0])
    scores, event, weight = held_out[tested], rows.event[tested], rows.weight[tested]
    deviance = weight @ (np.logaddexp(0, scores) - event[:, None] * scores) / weight.sum()
    return int(np.flatnonzero(deviance <= deviance.min() + 1e-9)[0])


def calibrate(held_out: np.ndarray, rows: TrainingRows, kind: str, n_folds: int) -> dict[str, Any]:
    """Fit the calibrator on people held out.

    Parameters
    ----------
    held_out : numpy.ndarray of shape (n,)
        Log-odds; NaN for rows that no fold tests.
    rows : TrainingRows
        The rows.
    kind : {"sigmoid", "isotonic"}
        A line on the log-odds, or steps.
    n_folds : int
        How many folds there were, to be told.

    Returns
    -------
    dict
        Names kind, intercept, slope, slope_se, covariance (of intercept and slope), n_folds; for steps also at, risk.

    Raises
    ------
    UsageError
        The calibrator came out inverted, or there are too few people for steps.
    """
    tested = np.flatnonzero(~np.isnan(held_out))
    seen, x = rows.take(tested), held_out[tested]
    y = seen.event.astype(float)
    line = fit_calibrator(x, y, seen.weight, seen.persons, n_folds)
    told: dict[str, Any] = {"kind": "sigmoid", "n_folds": n_folds}
    if kind == "isotonic" and line.slope > 0:
        _check_enough(seen)
        steps = fit_isotonic(x, y, seen.weight)
        return {**not_calibrated(), **told, "kind": "isotonic", "at": steps.at, "risk": steps.risk}
    covariance = _line_covariance(x, y, seen, line.intercept, line.slope)
    told |= {"intercept": line.intercept, "slope": line.slope, "slope_se": line.slope_se}
    return told | {"covariance": covariance.tolist()}


def not_calibrated() -> dict[str, Any]:
    """Return the calibrator that leaves log-odds as they are.

    Returns
    -------
    dict
        As of :func:`calibrate`.
    """
    told = {"kind": "none", "n_folds": 0, "intercept": 0.0, "slope": 1.0, "slope_se": float("nan")}
    return told | {"covariance": [[0.0, 0.0], [0.0, 0.0]]}


def warn_no_signal(calibrator: dict[str, Any]) -> list[str]:
    """Say that nobody was ordered better than chance, where that is so; called by ``fit`` itself.

    Parameters
    ----------
    calibrator : dict
        What :func:`calibrate` returned.

    Returns
    -------
    list of str
        The sentence, or nothing.
    """
    if calibrator["slope"] != 0:
        return []
    warnings.warn(NO_SIGNAL, NoSignalWarning, stacklevel=3)
    return [NO_SIGNAL]


def risk_of(score: np.ndarray, calibrator: dict[str, Any]) -> np.ndarray:
    """Turn the log-odds that a model shows into risks.

    Parameters
    ----------
    score : numpy.ndarray
        Log-odds, with the calibrating line, where there is one.
    calibrator : dict
        What :func:`calibrate` returned.

    Returns
    -------
    numpy.ndarray
        Risks, 0 to 1.
    """
    if calibrator["kind"] == "isotonic":
        return IsotonicSteps(calibrator["at"], calibrator["risk"])(score)
    return np.asarray(expit(score))


def line_draws(calibrator: dict[str, Any], noise: np.ndarray) -> np.ndarray:
    """Return draws of the calibrating line.

    Parameters
    ----------
    calibrator : dict
        What :func:`calibrate` returned, of the kind ``sigmoid`` or ``none``.
    noise : numpy.ndarray of shape (draws, 2)
        Standard normal.

    Returns
    -------
    numpy.ndarray of shape (draws, 2)
        Intercept and slope, the slope 0 or more.
    """
    mean = np.array([calibrator["intercept"], calibrator["slope"]])
    drawn = normal_draws(mean, np.array(calibrator["covariance"]), noise)
    return np.column_stack([drawn[:, 0], np.clip(drawn[:, 1], 0, None)])


def _level(rows: TrainingRows) -> float:
    """Return the log-odds of the share with the outcome."""
    return float(log_odds(np.average(rows.event, weights=rows.weight)))


def _by_date(rows: TrainingRows, n_folds: int, gap_days: int) -> Folds:
    """Folds of the past against later dates: as many as the dates allow."""
    if rows.dates is None:
        raise UsageError(
            "calibration_split='temporal' needs the date of each row, and the index of X has no level as_of",
            do="give X the index (person_id, as_of), or use calibration_split='shuffled'",
        )
    frame = pd.DataFrame(index=pd.Index(rows.dates, name="as_of"))
    most = min(n_folds, rows.dates.nunique() - 1)
    for count in range(most, 0, -1):
        try:
            folds = list(TemporalSplit(n_splits=count, gap_days=gap_days).split(frame))
        except UsageError:  # no row is old enough for the first test: fewer and longer blocks begin later
            continue
        if all(0 < rows.event[learn].sum() < len(learn) for learn, _ in folds):
            return folds
    raise UsageError(
        f"no date leaves rows of both classes that are {gap_days} days older to learn from",
        where="the index level as_of",
        do="take earlier dates into the spine, or use calibration_split='shuffled'",
    )


def _check_enough(rows: TrainingRows) -> None:
    """Refuse steps where too few people would make them."""
    rarer = min(rows.event.sum(), (~rows.event).sum())
    if rarer < FEWEST_FOR_STEPS:
        raise UsageError(
            f"calibration='isotonic' needs {FEWEST_FOR_STEPS} rows of each class held out; found {rarer}",
            do="use calibration='sigmoid'",
        )


def _line_covariance(x: np.ndarray, y: np.ndarray, rows: TrainingRows, intercept: float, slope: float) -> np.ndarray:
    """Covariance of intercept and slope; where the slope is 0, of the intercept alone."""
    risk = expit(intercept + slope * x)
    matrix = np.ones((len(x), 1)) if slope == 0 else np.column_stack([np.ones(len(x)), x])
    size = matrix.shape[1]
    found = posterior_covariance(matrix, risk, y, rows.weight, np.zeros(size), rows.persons)
    covariance = np.zeros((2, 2))
    covariance[:size, :size] = found
    return covariance
