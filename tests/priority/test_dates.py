"""Dates as the room reads them."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.priority.dates import local_moment, moment_of


@pytest.mark.parametrize("value", ["2026-10-01", date(2026, 10, 1), pd.Timestamp("2026-10-01")])
def test_a_date_of_any_kind_is_one_moment(value: object) -> None:
    moment = moment_of(value, "as_of")
    assert moment_of(moment.to_pydatetime(), "as_of") == moment
    assert moment == pd.Timestamp("2026-10-01")
    assert moment.unit == "us"


def test_the_clock_that_a_file_was_written_by_counts() -> None:
    assert local_moment("2026-10-12T14:03:00+02:00") == pd.Timestamp("2026-10-12T14:03").to_pydatetime()
    for odd in ("", "soon", None, 3, pd.NaT, "0001-01-01", "9999-12-31", "2026-13-01"):
        assert local_moment(odd) is None


def test_a_zone_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="`today` has a time zone"):
        moment_of(pd.Timestamp("2026-10-01", tz="UTC"), "today")
