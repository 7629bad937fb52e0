"""How evenly work is spread: one number for a whole team, never a table of its members."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from casestrat.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def gini(values: ArrayLike) -> float:
    """Return the Gini index of amounts: 0 when all are equal, towards 1 when one has everything.

    Parameters
    ----------
    values : array_like of float
        Amounts, none negative; missing ones do not count.

    Returns
    -------
    float
        Half the mean difference of all pairs over the mean; missing for no values, 0 where all are 0.

    Raises
    ------
    UsageError
        A value is negative or infinite.

    Examples
    --------
    >>> gini([30, 30, 30]), round(gini([10, 20, 60]), 4)
    (0.0, 0.3704)
    """
    amounts = np.sort(_amounts(values))
    n, total = len(amounts), amounts.sum()
    if not n:
        return float("nan")
    if not total:
        return 0.0
    place = np.arange(1, n + 1)
    index = ((2 * place - n - 1) * amounts).sum() / (n * total)
    return float(np.clip(index, 0.0, 1.0))


def coefficient_of_variation(values: ArrayLike) -> float:
    """Return the standard deviation (n − 1) over the mean; missing for fewer than two values, 0 where all are 0.

    Parameters
    ----------
    values : array_like of float
        Amounts, none negative; missing ones do not count.

    Returns
    -------
    float
        0 when all are equal.

    Raises
    ------
    UsageError
        A value is negative or infinite.

    Examples
    --------
    >>> coefficient_of_variation([20, 40]) == (200 ** 0.5) / 30
    True
    """
    amounts = _amounts(values)
    if len(amounts) < 2:
        return float("nan")
    mean = amounts.mean()
    return float(amounts.std(ddof=1) / mean) if mean else 0.0


def _amounts(values: ArrayLike) -> NDArray[np.float64]:
    """Return the amounts that are there."""
    given = np.asarray(values, dtype="float64").ravel()
    amounts: NDArray[np.float64] = given[~np.isnan(given)]
    if (amounts < 0).any() or np.isinf(amounts).any():
        raise UsageError("amounts must be finite and not negative", do="give minutes or shares of capacity")
    return amounts
