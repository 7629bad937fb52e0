"""Whether a risk of 20 % comes true in 20 of 100: slope, intercept, smoothed error, bins, and recalibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import isotonic_regression
from scipy.special import expit, logit
from scipy.stats import chi2

from casestrat.errors import UsageError
from casestrat.models.measures.posterior import posterior_covariance

_EDGE = 1e-8  # a risk of exactly 0 or 1 has no log-odds: it counts as this far from the edge
_STEPS = 100
_MOST_POINTS = 1_000  # more distinct risks than this are smoothed as this many groups of like risks
_INVERTED_Z = -3.0  # a slope this many standard errors below zero is no chance finding
_NO_CHANCE = 0.999


class NoSignalWarning(UserWarning):
    """On people held out, the risks ordered nobody better than chance."""


@dataclass(frozen=True, slots=True)
class Recalibration:
    """A line on the log-odds scale: observed log-odds = intercept + slope × foretold log-odds.

    Attributes
    ----------
    intercept, slope : float
        0 and 1 where the risks are right; a slope below 1 tells risks that are too extreme. NaN where the risks do not
        vary or part the two classes wholly.
    slope_se : float
        Standard error of the slope.
    """

    intercept: float
    slope: float
    slope_se: float


@dataclass(frozen=True, slots=True)
class IsotonicSteps:
    """Rising steps from log-odds to risk, straight between them.

    Attributes
    ----------
    at : list of float
        Log-odds, rising.
    risk : list of float
        The risk there, never falling, above 0 and below 1.
    """

    at: list[float]
    risk: list[float]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the risk at these log-odds."""
        return np.asarray(np.interp(x, self.at, self.risk))


def log_odds(risk: np.ndarray) -> np.ndarray:
    """Return the log-odds of risks.

    Parameters
    ----------
    risk : numpy.ndarray
        From 0 to 1; the very edges count as 1e-8 from them.

    Returns
    -------
    numpy.ndarray
        One finite number per risk.
    """
    return np.asarray(logit(np.clip(risk, _EDGE, 1 - _EDGE)))


def recalibrate(x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> Recalibration:
    """Fit the logistic line of labels on log-odds, without penalty, by Newton's method.

    Parameters
    ----------
    x : numpy.ndarray
        Foretold log-odds.
    y : numpy.ndarray
        Labels 0 and 1, or targets between.
    weight : numpy.ndarray, optional
        How often each row counts.

    Returns
    -------
    Recalibration
        Intercept and slope to 1e-9, or NaN.

    References
    ----------
    Cox DR (1958). Two further applications of a model for binary regression. Biometrika 45, 562–565.

    Examples
    --------
    >>> line = recalibrate(np.array([-1.0, -1, -1, -1, 1, 1, 1, 1]), np.array([0, 0, 0, 1, 0, 1, 1, 1]))
    >>> round(line.slope, 6)  # 3 of 4 is a log-odds of 1.0986
    1.098612
    """
    weight = np.ones(len(x)) if weight is None else weight
    used = weight > 0
    x, y, weight = x[used], y[used], weight[used]
    nothing = Recalibration(np.nan, np.nan, np.nan)
    if not len(x) or _has_no_slope(x, y):
        return nothing
    middle, spread = np.average(x, weights=weight), x.std()
    z = np.column_stack([np.ones(len(x)), (x - middle) / spread])
    beta = np.array([log_odds(np.average(y, weights=weight)), 0.0])
    loss = _loss(z, y, weight, beta)
    for _ in range(_STEPS):
        foretold = expit(z @ beta)
        gradient = z.T @ (weight * (y - foretold))
        information = (z * (weight * foretold * (1 - foretold))[:, None]).T @ z
        step = np.linalg.lstsq(information, gradient, rcond=None)[0]
        while (tried := _loss(z, y, weight, beta + step)) > loss + 1e-12 * abs(loss) and np.abs(step).max() > 1e-14:
            step = step / 2
        beta, loss = beta + step, tried
        if np.abs(step).max() < 1e-11:
            break
    slope = beta[1] / spread
    return Recalibration(float(beta[0] - slope * middle), float(slope), float(_slope_error(information) / spread))


def calibration_intercept(x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Return by how much the log-odds are too low all over (above 0) or too high (below 0), at a slope of 1.

    Parameters
    ----------
    x : numpy.ndarray
        Foretold log-odds.
    y : numpy.ndarray
        Labels 0 and 1.
    weight : numpy.ndarray, optional
        How often each row counts.

    Returns
    -------
    float
        The intercept with the log-odds as offset; NaN where only one class is there.
    """
    weight = np.ones(len(x)) if weight is None else weight
    observed = np.sum(weight * y)
    if observed in {0, np.sum(weight)}:
        return np.nan
    # The sum of the risks rises with the shift: Newton inside a bracket that always holds the root.
    low, high, shift = -60.0, 60.0, 0.0
    for _ in range(_STEPS):
        foretold = expit(x + shift)
        excess = np.sum(weight * foretold) - observed
        low, high = (low, shift) if excess > 0 else (shift, high)
        slope = np.sum(weight * foretold * (1 - foretold))
        moved = shift - excess / slope if slope > 0 else np.inf
        moved = moved if low < moved < high else (low + high) / 2
        if abs(moved - shift) < 1e-12:
            break
        shift = moved
    return float(shift)


def fit_calibrator(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, persons: np.ndarray | None = None, n_folds: int = 0
) -> Recalibration:
    """Fit the line that turns held-out log-odds into calibrated ones; refuse one that turns them upside down.

    Parameters
    ----------
    x : numpy.ndarray
        Log-odds of people the model had not seen.
    y : numpy.ndarray
        Labels 0 and 1.
    weight : numpy.ndarray, optional
        How often each row counts.
    persons : numpy.ndarray, optional
        The person of each row: ten rows of one person do not make a slope ten times as sure.
    n_folds : int, default 0
        How many folds foretold the log-odds; 0: one model did, of other people. The scores of folds hang together: a
        fold of which the others know nothing is scored by what it lacks, so that noise slopes downwards. With folds
        the slope must lie further below 0 than noise brings it.

    Returns
    -------
    Recalibration
        A slope above 0; a slope of exactly 0 (everybody at the mean risk) where nothing was foretold.

    Raises
    ------
    UsageError
        The slope is clearly below 0: the folds do not hold like people, or labels and features do not match.

    References
    ----------
    Platt J (2000). Probabilities for SV machines. In: Advances in large margin classifiers, 61–74. (The targets.)
    """
    weight = np.ones(len(x)) if weight is None else weight
    events, others = float(np.sum(weight[y == 1])), float(np.sum(weight[y == 0]))
    line = recalibrate(x, np.where(y == 1, (events + 1) / (events + 2), 1 / (others + 2)), weight)
    if line.slope > 0:
        return line
    error = line.slope_se
    if persons is not None and not np.isnan(line.slope):
        matrix = np.column_stack([np.ones(len(x)), x])
        risk = expit(line.intercept + line.slope * x)
        error = max(error, float(np.sqrt(posterior_covariance(matrix, risk, y, weight, np.zeros(2), persons)[1, 1])))
    # of folds whose differences cancel out, z is minus the root of a chi square of as many degrees, at one feature
    least = -float(np.sqrt(chi2.ppf(_NO_CHANCE, 2 * n_folds))) if n_folds else _INVERTED_Z
    if np.isnan(line.slope) or line.slope > least * error:
        return Recalibration(float(log_odds(np.array(events / (events + others)))), 0.0, error)
    raise UsageError(
        "the calibrator came out inverted: people held out at a higher risk had the outcome less often",
        where=f"calibration slope {line.slope:.3g}, standard error {error:.3g}",
        do="check that labels and features are of the same rows, and that groups= tells persons",
    )


def fit_isotonic(x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> IsotonicSteps:
    """Fit the steps, never falling, that turn held-out log-odds into calibrated risks.

    Parameters
    ----------
    x : numpy.ndarray
        Log-odds of people the model had not seen.
    y : numpy.ndarray
        Labels 0 and 1, both there.
    weight : numpy.ndarray, optional
        How often each row counts.

    Returns
    -------
    IsotonicSteps
        No risk is 0 or 1: each is kept half a row's share away from the edge.

    References
    ----------
    Zadrozny B, Elkan C (2002). Transforming classifier scores into accurate multiclass probability estimates. KDD, 694–
    699.

    Examples
    --------
    >>> steps = fit_isotonic(np.array([-1.0, 0.0, 1.0, 2.0]), np.array([1.0, 0.0, 1.0, 1.0]))
    >>> steps.at, steps.risk
    ([-1.0, 0.0, 1.0, 2.0], [0.5, 0.5, 0.875, 0.875])
    """
    weight = np.ones(len(x)) if weight is None else weight
    at, code = np.unique(x, return_inverse=True)
    count = np.bincount(code, weights=weight)
    share = np.bincount(code, weights=weight * y) / count
    steps = isotonic_regression(share, weights=count)
    edge = 0.5 / count.sum()
    level = np.clip(steps.x, edge, 1 - edge)
    # a step needs its two ends only
    ends = np.unique(np.concatenate([steps.blocks[:-1], steps.blocks[1:] - 1]))
    return IsotonicSteps([float(v) for v in at[ends]], [float(v) for v in level[ends]])


def smooth_observed(
    risk: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, *, most_points: int = _MOST_POINTS
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the share observed along the risks: local quadratic regression, span 0.75, tricube weights.

    Parameters
    ----------
    risk : numpy.ndarray
        Foretold risks, 0 to 1.
    y : numpy.ndarray
        Labels 0 and 1.
    weight : numpy.ndarray, optional
        How often each row counts.
    most_points : int, default 1000
        More distinct risks than this are first gathered into this many groups of like risks.

    Returns
    -------
    tuple of numpy.ndarray
        Distinct risks, the share observed there (0 to 1), and how many rows stand there.
    """
    at, share, count = _gather(risk, y, np.ones(len(risk)) if weight is None else weight, most_points)
    distance = np.abs(at[:, None] - at)
    order = np.argsort(distance, axis=1, kind="stable")
    # the width of a window is the distance of the row that completes three quarters of all rows
    reached = (np.cumsum(count[order], axis=1) < np.floor(0.75 * count.sum() + 1e-9)).sum(axis=1)
    farthest = np.take_along_axis(order, np.minimum(reached, len(at) - 1)[:, None], axis=1)
    width = np.take_along_axis(distance, farthest, axis=1)
    stands_alone = width[:, 0] == 0
    width[stands_alone] = 1.0
    kernel = count * np.clip(1 - (distance / width) ** 3, 0, None) ** 3
    z = (at - at[:, None]) / width
    moments = [(kernel * z**power).sum(axis=1) for power in range(5)]
    left = np.stack([np.stack(moments[i : i + 3], axis=-1) for i in range(3)], axis=-2)
    right = np.stack([(kernel * z**power * share).sum(axis=1) for power in range(3)], axis=-1)
    smoothed = np.einsum("ij,ij->i", np.linalg.pinv(left, rcond=1e-10, hermitian=True)[:, 0, :], right)
    return at, np.clip(np.where(stands_alone, share, smoothed), 0, 1), count


def calibration_errors(
    risk: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, *, most_points: int = _MOST_POINTS
) -> tuple[float, float, float]:
    """Return ICI, E50 and E90: mean, median and 90th percentile of |risk − smoothed share observed|.

    Parameters
    ----------
    risk : numpy.ndarray
        Foretold risks, 0 to 1.
    y : numpy.ndarray
        Labels 0 and 1.
    weight : numpy.ndarray, optional
        How often each row counts.
    most_points : int, default 1000
        See ``smooth_observed``.

    Returns
    -------
    tuple of float
        The three errors, each from 0 (right) to 1; greater is worse.

    References
    ----------
    Austin PC, Steyerberg EW (2019). The Integrated Calibration Index (ICI) and related metrics. Statistics in Medicine
    38, 4051–4065.
    """
    at, observed, count = smooth_observed(risk, y, weight, most_points=most_points)
    error = np.abs(at - observed)
    order = np.argsort(error)
    reached = np.cumsum(count[order]) / count.sum()
    e50, e90 = (error[order[np.searchsorted(reached, share - 1e-12)]] for share in (0.5, 0.9))
    return float(np.average(error, weights=count)), float(e50), float(e90)


def calibration_bins(risk: np.ndarray, y: np.ndarray, n_bins: int = 10) -> pd.DataFrame:
    """Return foretold against observed in bins of about equally many people; equal risks stay together.

    Parameters
    ----------
    risk : numpy.ndarray
        Foretold risks.
    y : numpy.ndarray
        Labels 0 and 1.
    n_bins : int, default 10
        The most bins.

    Returns
    -------
    pandas.DataFrame
        One row per bin, lowest risk first: bin, n, events, mean_risk, observed, low, high (95 % Wilson interval).
    """
    _, code, count = np.unique(risk, return_inverse=True, return_counts=True)
    middle = (np.cumsum(count) - count / 2) / len(risk)
    _, dense = np.unique(np.floor(middle * n_bins), return_inverse=True)
    bin_of_row = dense[code]
    n = np.bincount(bin_of_row)
    events = np.bincount(bin_of_row, weights=y)
    low, high = wilson_interval(events, n)
    return pd.DataFrame(
        {
            "bin": np.arange(1, len(n) + 1),
            "n": n,
            "events": events.astype("int64"),
            "mean_risk": np.bincount(bin_of_row, weights=risk) / n,
            "observed": events / n,
            "low": low,
            "high": high,
        }
    )


def wilson_interval(events: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the 95 % interval of a share by Wilson's score.

    Parameters
    ----------
    events, n : numpy.ndarray
        How many of how many; n above 0.

    Returns
    -------
    tuple of numpy.ndarray
        Lower and upper bounds, 0 to 1.

    Examples
    --------
    >>> low, high = wilson_interval(np.array([8]), np.array([40]))
    >>> round(float(low[0]), 6), round(float(high[0]), 6)
    (0.105, 0.347573)
    """
    z = 1.959963984540054
    centre = (events + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * np.sqrt(events * (n - events) / n + z * z / 4)
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def _has_no_slope(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether no finite slope exists: constant log-odds, one class, or two classes that do not overlap."""
    if x.max() == x.min() or y.max() == y.min():
        return True
    if not np.isin(y, (0, 1)).all():
        return False
    zeros, ones = x[y == 0], x[y == 1]
    return bool(zeros.max() <= ones.min() or ones.max() <= zeros.min())


def _loss(z: np.ndarray, y: np.ndarray, weight: np.ndarray, beta: np.ndarray) -> float:
    """Minus the log-likelihood."""
    eta = z @ beta
    return float(np.sum(weight * (np.logaddexp(0, eta) - y * eta)))


def _slope_error(information: np.ndarray) -> float:
    """Return standard error of the slope from the information matrix."""
    return float(np.sqrt(np.linalg.pinv(information, hermitian=True)[1, 1]))


def _gather(
    risk: np.ndarray, y: np.ndarray, weight: np.ndarray, most: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct risks with the share observed and the weight at each; like risks together where there are too many."""
    at, code = np.unique(risk, return_inverse=True)
    count = np.bincount(code, weights=weight, minlength=len(at))
    hits = np.bincount(code, weights=weight * y, minlength=len(at))
    total = count * at
    if len(at) > most:
        group = np.floor((np.cumsum(count) - count / 2) / count.sum() * most).astype(int)
        count, hits, total = (np.bincount(group, weights=values) for values in (count, hits, total))
    there = count > 0
    count, hits, total = count[there], hits[there], total[there]
    # total / count would move a risk that stands alone by a rounding error
    return (at[there] if len(at) == len(there) else total / count), hits / count, count
