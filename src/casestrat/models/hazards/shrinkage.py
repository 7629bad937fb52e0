"""Weights of a hazard shrunk by how far they hold for people who were not learned from."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from casestrat.models.hazards.likelihood import Regression, regress
from casestrat.models.splits import PersonGroupedSplit, folds_for

if TYPE_CHECKING:
    from casestrat.models.hazards.likelihood import Settings
    from casestrat.models.hazards.periods import Periods

_MOST = 2.0  # a slope above this is a rounding error or a feature that parts the events wholly
_CLOSE = 1e-7  # how near to its end a fit need come that only the slope is read from
_FREE = 1e-9  # next to no penalty on the slope itself


def fit_hazard(
    periods: Periods, matrix: np.ndarray, cause: int, settings: Settings, n_folds: int, random_state: int
) -> tuple[Regression, float]:
    """Fit the hazard of one event; its weights times the slope of held-out log-odds, its levels fitted again.

    Parameters
    ----------
    periods : Periods
        The follow-up of the rows of ``matrix``.
    matrix : numpy.ndarray of shape (n, columns)
        The design, centred.
    cause : int
        Code of the event.
    settings : Settings
        How the hazard is fitted.
    n_folds : int
        Folds of people, fewer where fewer had the event; 0 leaves the weights as they are.
    random_state : int
        Seed of the folds.

    Returns
    -------
    tuple of (Regression, float)
        The hazard, and the slope: 1 where nothing was shrunk, 0 where nobody was ordered better than chance.
    """
    fit = regress(periods, matrix, cause, settings)
    persons = np.arange(len(matrix)) if settings.persons is None else settings.persons
    had_it = periods.cause == cause
    folds = folds_for(n_folds, persons, had_it) if n_folds and fit.weights.any() else 0
    if not folds:
        return fit, 1.0
    plain = dataclasses.replace(settings, persons=None, with_covariance=False, tolerance=_CLOSE)
    held_out = np.empty(len(matrix))
    for learn, test in PersonGroupedSplit(folds, random_state=random_state).split(matrix, had_it, groups=persons):
        part = regress(periods.take(learn), matrix[learn], cause, plain, begin=fit)
        held_out[test] = matrix[test] @ part.weights
    slope = _slope(periods, held_out, cause, plain)
    weights = slope * fit.weights
    settings_of_levels = dataclasses.replace(settings, persons=None, with_covariance=False)
    levels = regress(periods, np.empty((len(matrix), 0)), cause, settings_of_levels, offset=matrix @ weights).levels
    return Regression(levels, weights, _scaled(fit.covariance, len(weights), slope), fit.converged), slope


def _slope(periods: Periods, held_out: np.ndarray, cause: int, plain: Settings) -> float:
    """Return the slope of held-out log-odds, 0 to 2."""
    spread = float(held_out.std())
    if spread < _FREE:
        return 0.0
    line = regress(periods, held_out[:, None] / spread, cause, dataclasses.replace(plain, penalty=_FREE))
    return float(np.clip(line.weights[0] / spread, 0.0, _MOST))


def _scaled(covariance: np.ndarray, n_weights: int, slope: float) -> np.ndarray:
    """Return the covariance with the weights scaled."""
    scale = np.ones(len(covariance))
    scale[len(scale) - n_weights :] = slope
    return covariance * np.outer(scale, scale)
