"""The numbers of process charts: what is usual variation, and which months stand out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

INDIVIDUALS_FACTOR = 2.66  # 3 / 1.128: three standard deviations from the mean range of two (Shewhart)
RANGES_FACTOR = 3.267  # D4 for ranges of two


def xmr_limits(values: ArrayLike, *, lowest: float | None = None) -> pd.DataFrame:
    """Return the natural process limits of a series of individual values (XmR chart).

    Parameters
    ----------
    values : array_like of float
        Values in order of time, such as admissions a month; missing ones are left out of the limits.
    lowest : float, optional
        The least value there can be, such as 0 for counts; the lower limit is not below it.

    Returns
    -------
    pandas.DataFrame
        One row per value: value, centre (mean), lower and upper (centre ∓ 2.66 × mean moving range), moving_range,
        range_centre, range_upper (3.267 × mean moving range), is_signal (value or moving range outside). The limits
        are missing where there are fewer than two values.

    Raises
    ------
    UsageError
        A value is infinite.

    References
    ----------
    Wheeler, D. J. (1993). Understanding Variation: The Key to Managing Chaos.

    Examples
    --------
    >>> limits = xmr_limits([10, 12, 11, 13, 30])
    >>> limits[["centre", "upper", "range_upper"]].iloc[0].round(2).tolist()
    [15.2, 29.83, 17.97]
    >>> limits["is_signal"].tolist()
    [False, False, False, False, True]
    """
    series = np.asarray(values, dtype="float64").ravel()
    if np.isinf(series).any():
        raise UsageError("values must be finite", do="leave out infinite values")
    ranges = _moving_ranges(series)
    there = ~np.isnan(series)
    mean = float(series[there].mean()) if there.any() else float("nan")
    spread = float(np.nanmean(ranges)) if (~np.isnan(ranges)).any() else float("nan")
    low, high = mean - INDIVIDUALS_FACTOR * spread, mean + INDIVIDUALS_FACTOR * spread
    low = low if lowest is None else max(low, lowest)
    top = RANGES_FACTOR * spread
    with np.errstate(invalid="ignore"):
        is_signal = (series < low) | (series > high) | (ranges > top)
    return pd.DataFrame(
        {
            "value": series,
            "centre": mean,
            "lower": low,
            "upper": high,
            "moving_range": ranges,
            "range_centre": spread,
            "range_upper": top,
            "is_signal": is_signal,
        }
    )


def _moving_ranges(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance of each value from the last one before it that was not missing."""
    ranges = np.full(len(series), np.nan)
    places = np.flatnonzero(~np.isnan(series))
    ranges[places[1:]] = np.abs(np.diff(series[places]))
    return ranges
