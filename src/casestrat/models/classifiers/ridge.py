"""Logistic regression with a ridge, by Newton's method: quick on the few columns of a design."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

_STEPS = 100
_CLOSE = 1e-10
_NEVER_SINGULAR = 1e-12


def ridge_logistic(matrix: np.ndarray, event: np.ndarray, weight: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    """Return the coefficients of the greatest penalised likelihood.

    Parameters
    ----------
    matrix : numpy.ndarray of shape (n, k)
        The design, a column of ones included.
    event : numpy.ndarray of bool
        Who had the outcome; both classes are there.
    weight : numpy.ndarray
        How often each row counts, above 0.
    penalty : numpy.ndarray of shape (k,)
        What half the square of each coefficient costs, 0 for none.

    Returns
    -------
    numpy.ndarray of shape (k,)
        The coefficients, to 1e-10.

    Examples
    --------
    >>> design = np.array([[1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [1.0, 1.0]])
    >>> found = ridge_logistic(design, np.array([False, True, True, True]), np.ones(4), np.array([0.0, 1.0]))
    >>> found.round(4).tolist()
    [1.1842, 0.5834]
    """
    y = event.astype(float)
    share = np.average(y, weights=weight)
    beta = np.zeros(matrix.shape[1])
    beta[0] = np.log(share / (1 - share))
    loss = _loss(matrix, y, weight, penalty, beta)
    for _ in range(_STEPS):
        risk = expit(matrix @ beta)
        gradient = matrix.T @ (weight * (y - risk)) - penalty * beta
        information = (matrix * (weight * risk * (1 - risk))[:, None]).T @ matrix
        information[np.diag_indices_from(information)] += penalty + _NEVER_SINGULAR
        step = np.linalg.solve(information, gradient)
        while (tried := _loss(matrix, y, weight, penalty, beta + step)) > loss + 1e-12 * abs(loss):
            step = step / 2
            if np.abs(step).max() < _CLOSE:
                break
        beta, loss = beta + step, tried
        if np.abs(step).max() < _CLOSE:
            break
    return np.asarray(beta)


def _loss(matrix: np.ndarray, y: np.ndarray, weight: np.ndarray, penalty: np.ndarray, beta: np.ndarray) -> float:
    """Return minus the penalised log-likelihood."""
    eta = matrix @ beta
    return float(weight @ (np.logaddexp(0, eta) - y * eta) + penalty @ beta**2 / 2)
