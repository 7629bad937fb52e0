"""What a model of bins adds for each bin, and each pair of bins: read off its scores, exactly.

A model whose trees look at one feature each is a sum of one function a feature, and a function of few bins is known
when it is known at each of them. The same holds for pairs where trees look at two features at most.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_NOTHING = 1e-12


def main_effects(score: Callable[[np.ndarray], np.ndarray], sizes: Sequence[int]) -> tuple[float, list[np.ndarray]]:
    """Return the score of the first bins, and what another bin of one feature adds to it.

    Parameters
    ----------
    score : callable
        Bins, rows by features → one score per row.
    sizes : sequence of int
        Number of bins of each feature; the number itself stands for missing.

    Returns
    -------
    tuple of (float, list of numpy.ndarray)
        The score of the row of first bins; for each feature what each bin adds, missing last.

    Examples
    --------
    >>> main_effects(lambda bins: 1.0 + bins @ np.array([10.0, 5.0]), [1, 2])
    (1.0, [array([ 0., 10.]), array([ 0.,  5., 10.])])
    """
    base = np.zeros((1, len(sizes)), dtype=int)
    grids = []
    for feature, size in enumerate(sizes):
        grid = np.repeat(base, size + 1, axis=0)
        grid[:, feature] = np.arange(size + 1)
        grids.append(grid)
    scores = score(np.concatenate([base, *grids]))
    parts = np.split(scores[1:] - scores[0], np.cumsum([len(grid) for grid in grids])[:-1])
    return float(scores[0]), parts


def pair_effects(
    score: Callable[[np.ndarray], np.ndarray], sizes: Sequence[int], base: float, mains: Sequence[np.ndarray]
) -> list[tuple[int, int, np.ndarray]]:
    """Return what two bins add together, beside what each adds alone.

    Parameters
    ----------
    score : callable
        Bins, rows by features → one score per row.
    sizes : sequence of int
        Number of bins of each feature.
    base : float
        The score of the row of first bins.
    mains : sequence of numpy.ndarray
        What each bin adds alone.

    Returns
    -------
    list of tuple of (int, int, numpy.ndarray)
        First and second feature, and the table of their bins; pairs that add nothing are left out.

    Examples
    --------
    >>> def score(bins):
    ...     return 3.0 * bins[:, 0] * bins[:, 1]
    >>> pair_effects(score, [1, 1], *main_effects(score, [1, 1]))
    [(0, 1, array([[0., 0.],
           [0., 3.]]))]
    """
    found = []
    for first, second in combinations(range(len(sizes)), 2):
        shape = sizes[first] + 1, sizes[second] + 1
        grid = np.zeros((shape[0] * shape[1], len(sizes)), dtype=int)
        grid[:, first], grid[:, second] = (axis.ravel() for axis in np.indices(shape))
        together = score(grid).reshape(shape) - base - mains[first][:, None] - mains[second]
        if np.abs(together).max() > _NOTHING:
            found.append((first, second, together))
    return found
