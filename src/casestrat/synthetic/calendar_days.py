"""Days as whole numbers since 1970, and the ways to and from pandas: fast, exact and without a time zone."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from casestrat.synthetic.draws import Draws, Ints

NEVER = np.int64(1) << 40
"""A day that never comes."""

_DAY_US = 86_400_000_000
_MINUTE_US = 60_000_000
_EVENING = 18 * 60  # the record of the same day is written at 18:00
_MORNING = 9 * 60
_EPOCH = dt.date(1970, 1, 1)


def day_number(when: dt.date) -> int:
    """Return the whole number of a date."""
    return (when - _EPOCH).days


def date_of(day: int) -> dt.date:
    """Return the date of a whole number."""
    return _EPOCH + dt.timedelta(days=int(day))


def as_dates(days: Ints) -> pd.Series:
    """Return a column of dates; days that never come are missing."""
    return as_moments(days, np.zeros(len(days), dtype=np.int64))


def as_moments(days: Ints, minutes: Ints) -> pd.Series:
    """Return a column of moments at a minute of the day; days that never come are missing."""
    days = np.asarray(days, dtype=np.int64)
    missing = days >= NEVER // 2
    micros = np.where(missing, np.int64(0), days) * _DAY_US + np.asarray(minutes, dtype=np.int64) * _MINUTE_US
    stamps = micros.astype("datetime64[us]")
    stamps[missing] = np.datetime64("NaT")
    return pd.Series(stamps)


def record_days(draws: Draws, days: Ints, lag: tuple[float, float, float, int]) -> Ints:
    """Return the days on which facts came to be known; lag is same-day share, mean, late share and late days."""
    days = np.asarray(days, dtype=np.int64)
    return np.where(days >= NEVER // 2, NEVER, days + draws.lag_days(len(days), *lag))


def as_records(days: Ints, recorded: Ints) -> pd.Series:
    """Return the moments of record: 18:00 on the day itself, 9:00 on a later day."""
    return as_moments(recorded, np.where(recorded > days, _MORNING, _EVENING))
