"""The hazard of each event by any classifier, instead of the logistic regression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from casestrat.models.hazards.periods import interval_features, person_periods

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casestrat.models.hazards.periods import Periods

_CERTAIN = 1e-12  # a chance nearer to 1 than this has no odds


def learn_classifier(estimator: Any, periods: Periods, matrix: np.ndarray, cause: int) -> Any:
    """Return a classifier that has learned one event against living on.

    Parameters
    ----------
    estimator : scikit-learn classifier
        Not fitted; it is left as it is.
    periods : Periods
        The follow-up of the rows of ``matrix``.
    matrix : numpy.ndarray of shape (n, columns)
        The design.
    cause : int
        Code of the event.

    Returns
    -------
    scikit-learn classifier or None
        None where the event never came.
    """
    features, targets, weights = person_periods(periods, matrix, cause)
    if targets.all() or not targets.any():
        return None
    return clone(estimator).fit(features, targets, sample_weight=weights)


def classifier_log_odds(classifiers: Sequence[Any], matrix: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Return the log-odds of each event against living on.

    Parameters
    ----------
    classifiers : sequence of scikit-learn classifier or None
        One per event.
    matrix : numpy.ndarray of shape (n, columns)
        The design.
    cuts : numpy.ndarray
        Last day of each interval.

    Returns
    -------
    numpy.ndarray of shape (n, events, intervals)
        Log-odds; −inf where an event cannot come.
    """
    about = interval_features(cuts)
    found = np.full((len(matrix), len(classifiers), len(about)), -np.inf)
    features = np.hstack([np.repeat(matrix, len(about), axis=0), np.tile(about, (len(matrix), 1))])
    for k, classifier in enumerate(classifiers):
        if classifier is None:
            continue
        chance = np.clip(classifier.predict_proba(features)[:, 1], 0.0, 1.0 - _CERTAIN)
        with np.errstate(divide="ignore"):
            found[:, k] = np.log(chance / (1.0 - chance)).reshape(len(matrix), len(about))
    return found
