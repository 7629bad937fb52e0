"""How uncertain learned weights are: the covariance of a penalised logistic regression, and draws from it."""

from __future__ import annotations

import numpy as np


def posterior_covariance(
    matrix: np.ndarray,
    risk: np.ndarray,
    event: np.ndarray,
    weight: np.ndarray,
    penalty: np.ndarray,
    persons: np.ndarray,
) -> np.ndarray:
    """Return the covariance of the coefficients of a penalised logistic regression.

    Where each person has one row of weight 1 it is the inverse of the penalised information: the normal approximation
    of the posterior, with the ridge as the prior. Else the scatter of the persons' scores stands in its middle, so
    that ten rows of one person do not count as ten people.

    Parameters
    ----------
    matrix : numpy.ndarray of shape (n, k)
        The design, a column of ones included.
    risk : numpy.ndarray
        Fitted risk of each row.
    event : numpy.ndarray
        1 with the outcome, else 0.
    weight : numpy.ndarray
        How often each row counts.
    penalty : numpy.ndarray of shape (k,)
        Precision of the prior of each coefficient, 0 where there is none.
    persons : numpy.ndarray of int
        The person of each row, numbered.

    Returns
    -------
    numpy.ndarray of shape (k, k)
        Symmetric.

    References
    ----------
    Le Cessie S, van Houwelingen JC (1992). Ridge estimators in logistic regression. Applied Statistics 41, 191–201.
    Liang KY, Zeger SL (1986). Longitudinal data analysis using generalized linear models. Biometrika 73, 13–22.
    """
    information = (matrix * (weight * risk * (1 - risk))[:, None]).T @ matrix
    bread = np.linalg.pinv(information + np.diag(penalty), hermitian=True)
    codes, counts = np.unique(persons, return_inverse=True, return_counts=True)[1:]
    if counts.max() == 1 and (weight == 1).all():
        return np.asarray(bread)
    scores = np.zeros((len(counts), matrix.shape[1]))
    np.add.at(scores, codes, matrix * (weight * (event - risk))[:, None])
    middle = scores.T @ scores * len(counts) / max(len(counts) - 1, 1) + np.diag(penalty)
    covariance = bread @ middle @ bread
    return np.asarray((covariance + covariance.T) / 2)


def normal_draws(mean: np.ndarray, covariance: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Turn standard normal noise into draws of that mean and covariance.

    Parameters
    ----------
    mean : numpy.ndarray of shape (k,)
        The centre.
    covariance : numpy.ndarray of shape (k, k)
        Symmetric; it may lack full rank.
    noise : numpy.ndarray of shape (draws, k)
        Standard normal.

    Returns
    -------
    numpy.ndarray of shape (draws, k)
        One row per draw.
    """
    size = np.sqrt(np.clip(np.diag(covariance), 0, None))
    scale = np.where(size > 0, size, 1.0)
    shape = covariance / np.outer(scale, scale) + 1e-10 * np.eye(len(mean))
    values, vectors = np.linalg.eigh(shape)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T  # the symmetric root: no sign is left to choose
    return np.asarray(mean + (noise @ root) * size)
