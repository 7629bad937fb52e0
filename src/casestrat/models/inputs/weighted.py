"""Medians, quantiles and distinct values in which a row may count more than once."""

from __future__ import annotations

import numpy as np

_ROUNDING = 1e-9


def weighted_median(values: np.ndarray, weight: np.ndarray) -> float:
    """Return the median; between two middle values, their mean, as of rows that are repeated.

    Parameters
    ----------
    values : numpy.ndarray
        One number or more, none missing.
    weight : numpy.ndarray
        How often each counts, above 0.

    Returns
    -------
    float
        The median.

    Examples
    --------
    >>> weighted_median(np.array([1.0, 5.0, 9.0]), np.array([1.0, 1.0, 2.0]))
    7.0
    """
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weight[order])
    half = reached[-1] / 2
    slack = _ROUNDING * reached[-1]
    low = values[order][np.searchsorted(reached, half - slack)]
    high = values[order][min(np.searchsorted(reached, half + slack, side="right"), len(values) - 1)]
    return float((low + high) / 2)


def weighted_quantiles(values: np.ndarray, weight: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return the least observed values at which these shares of the weight are reached.

    Parameters
    ----------
    values : numpy.ndarray
        One number or more, none missing.
    weight : numpy.ndarray
        How often each counts, above 0.
    shares : numpy.ndarray
        From 0 to 1.

    Returns
    -------
    numpy.ndarray
        One of the values per share.

    Examples
    --------
    >>> weighted_quantiles(np.array([4.0, 1.0, 3.0, 2.0]), np.ones(4), np.array([0.0, 0.5, 1.0]))
    array([1., 2., 4.])
    """
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weight[order]) / weight.sum()
    return np.asarray(values[order][np.minimum(np.searchsorted(reached, shares - _ROUNDING), len(values) - 1)])
