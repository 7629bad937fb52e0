"""Dates and moments as people write them."""

from __future__ import annotations

import pandas as pd

from casestrat.tables.moments import local_moment


def test_the_clock_that_a_file_was_written_by_counts() -> None:
    assert local_moment("2026-10-12T14:03:00+02:00") == pd.Timestamp("2026-10-12T14:03").to_pydatetime()
    for odd in ("", "soon", None, 3, pd.NaT, "0001-01-01", "9999-12-31", "2026-13-01"):
        assert local_moment(odd) is None
