import datetime as dt

import numpy as np
import pandas as pd

from casestrat.synthetic.calendar_days import (
    NEVER,
    as_dates,
    as_moments,
    as_records,
    date_of,
    day_number,
    record_days,
)
from casestrat.synthetic.draws import Draws

DAY = day_number(dt.date(2026, 10, 1))


def test_a_date_goes_there_and_back():
    assert date_of(DAY) == dt.date(2026, 10, 1)


def test_days_become_dates_and_days_that_never_come_are_missing():
    column = as_dates(np.array([DAY, NEVER]))
    assert column.dtype == "datetime64[us]"
    assert column.tolist()[0] == pd.Timestamp("2026-10-01")
    assert column.isna().tolist() == [False, True]


def test_a_moment_has_its_minute():
    assert as_moments(np.array([DAY]), np.array([870]))[0] == pd.Timestamp("2026-10-01 14:30")


def test_records_of_the_same_day_are_written_in_the_evening_and_later_ones_in_the_morning():
    records = as_records(np.array([DAY, DAY]), np.array([DAY, DAY + 2]))
    assert records.tolist() == [pd.Timestamp("2026-10-01 18:00"), pd.Timestamp("2026-10-03 09:00")]


def test_what_never_happens_is_never_recorded():
    days = record_days(Draws(0), np.array([DAY, NEVER]), (1.0, 6.0, 0.0, 60))
    assert days.tolist() == [DAY, NEVER]
