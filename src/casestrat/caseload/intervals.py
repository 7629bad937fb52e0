"""How sure a share is."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from casestrat.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def wilson_interval(
    numerator: ArrayLike, denominator: ArrayLike, level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the Wilson interval of shares.

    Parameters
    ----------
    numerator, denominator : array_like of float
        How many of how many; same shape.
    level : float, default 0.95
        Probability that the interval holds the true share, in (0, 1).

    Returns
    -------
    tuple of two numpy.ndarray
        Lower and upper ends, in [0, 1]; missing where the denominator is 0 or missing.

    Raises
    ------
    UsageError
        A numerator is negative or greater than its denominator, or the level is out of range.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. JASA 22, 209–212.

    Examples
    --------
    >>> low, high = wilson_interval([3, 0], [10, 0])
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.1078, nan], [0.6032, nan])
    """
    if not 0 < level < 1:
        raise UsageError("level must lie between 0 and 1", do="give a level such as 0.95")
    hits, n = np.broadcast_arrays(np.asarray(numerator, dtype="float64"), np.asarray(denominator, dtype="float64"))
    if (hits < 0).any() or (hits > n).any():
        raise UsageError("a numerator must lie between 0 and its denominator", do="check which column is which")
    z = NormalDist().inv_cdf((1 + level) / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(n > 0, hits / n, np.nan)
        middle = (share + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = np.clip(middle - half, 0.0, 1.0), np.clip(middle + half, 0.0, 1.0)
    # Rounding must not leave the share itself outside.
    return np.fmin(low, share), np.fmax(high, share)
