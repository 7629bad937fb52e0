"""What is too small to be told, and what more must be left out so that totals do not give it away."""

from __future__ import annotations

import numpy as np


def is_small(counts: np.ndarray, small_cell: int) -> np.ndarray:
    """Tell which counts are neither none nor many.

    Parameters
    ----------
    counts : numpy.ndarray
        Numbers of people.
    small_cell : int
        Counts from 1 to one less than this are small.

    Returns
    -------
    numpy.ndarray of bool
        One flag per count.
    """
    return np.asarray((counts > 0) & (counts < small_cell))


def hide_complements(hidden: np.ndarray, counts: np.ndarray, small_cell: int) -> np.ndarray:
    """Hide further parts of a whole until the total less what is told gives no small count away.

    Parameters
    ----------
    hidden : numpy.ndarray of bool
        Parts that are too small to be told.
    counts : numpy.ndarray
        People in each part.
    small_cell : int
        What is hidden must be at least two parts, and together at least this many people.

    Returns
    -------
    numpy.ndarray of bool
        The parts that are hidden: those given, and as few and small others as it takes.

    Examples
    --------
    >>> hide_complements(np.array([True, False, False]), np.array([5, 60, 90]), 11).tolist()
    [True, True, False]
    """
    hidden = hidden.copy()
    while hidden.any() and not hidden.all() and (hidden.sum() == 1 or counts[hidden].sum() < small_cell):
        others = np.flatnonzero(~hidden)
        hidden[others[np.argmin(counts[others])]] = True
    return hidden
