"""Dates as the room reads them."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.priority.dates import moment_of


@pytest.mark.parametrize("value", ["2026-10-01", date(2026, 10, 1), pd.Timestamp("2026-10-01")])
def test_a_date_of_any_kind_is_one_moment(value: object) -> None:
    moment = moment_of(value, "as_of")
    assert moment_of(moment.to_pydatetime(), "as_of") == moment
    assert moment == pd.Timestamp("2026-10-01")
    assert moment.unit == "us"


def test_a_zone_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="`today` has a time zone"):
        moment_of(pd.Timestamp("2026-10-01", tz="UTC"), "today")
