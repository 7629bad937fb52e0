"""Bootstrap draws of whole persons, and the intervals that come of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class PersonDraws:
    """Bootstrap draws of whole persons: how often each row counts, the same each time they are asked for.

    Attributes
    ----------
    person : array or None
        The person of each row; None where each row is one.
    n_rows : int
        Number of rows.
    n_boot : int
        Number of draws.
    random_state : int
        Seed.
    """

    person: Any
    n_rows: int
    n_boot: int
    random_state: int

    def __call__(self) -> Iterator[np.ndarray]:
        """Give the draws.

        Yields
        ------
        numpy.ndarray
            How often each row counts.
        """
        rng = np.random.default_rng(self.random_state)
        codes = np.arange(self.n_rows) if self.person is None else pd.factorize(pd.Index(self.person), sort=True)[0]
        n_persons = int(codes.max()) + 1
        for _ in range(self.n_boot):
            drawn = np.bincount(rng.integers(0, n_persons, n_persons), minlength=n_persons)
            yield drawn[codes].astype(float)


def percentile_interval(values: np.ndarray) -> tuple[float, float]:
    """Return the middle 95 % of bootstrap values.

    Parameters
    ----------
    values : numpy.ndarray
        One value per draw; NaN where a draw could not be told.

    Returns
    -------
    tuple of float
        Bounds; NaN where fewer than half of the draws could be told.
    """
    told = values[np.isfinite(values)]
    if not len(told) or len(told) * 2 < len(values):
        return np.nan, np.nan
    low, high = np.percentile(told, [2.5, 97.5])
    return float(low), float(high)


def error_interval(values: np.ndarray, value: float) -> tuple[float, float]:
    """Return the 95 % interval of an error that cannot fall below 0, freed of the noise that a draw adds to it.

    A draw is scattered about people who are scattered themselves, so that its smoothed errors are greater than theirs:
    the middle 95 % is moved down by as much as the draws are greater on the whole.

    Parameters
    ----------
    values : numpy.ndarray
        One value per draw; NaN where a draw could not be told.
    value : float
        The error of the people themselves.

    Returns
    -------
    tuple of float
        Bounds, 0 or more; NaN where fewer than half of the draws could be told.
    """
    low, high = percentile_interval(values)
    if np.isnan(low) or np.isnan(value):
        return low, high
    excess = max(0.0, float(np.median(values[np.isfinite(values)])) - value)
    return max(0.0, low - excess), max(value, high - excess)


def metric_interval(metric: str, values: np.ndarray, value: float) -> tuple[float, float]:
    """Return the interval of a measure, by the way that suits it.

    Parameters
    ----------
    metric : str
        Its name.
    values : numpy.ndarray
        One value per draw.
    value : float
        Its value for the people themselves.

    Returns
    -------
    tuple of float
        Bounds.
    """
    return error_interval(values, value) if metric in {"ici", "e50", "e90"} else percentile_interval(values)


def percentile_intervals(drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the middle 95 % along the first axis.

    Parameters
    ----------
    drawn : numpy.ndarray
        Draws by whatever was measured; NaN where a draw could not be told.

    Returns
    -------
    tuple of numpy.ndarray
        Bounds, of the shape of one draw; NaN where fewer than half of the draws could be told.
    """
    shape = drawn.shape[1:]
    low, high = np.full(shape, np.nan), np.full(shape, np.nan)
    for place in np.ndindex(shape):
        low[place], high[place] = percentile_interval(drawn[(slice(None), *place)])
    return low, high
