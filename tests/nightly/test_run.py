"""What a run says of itself in its log."""

from __future__ import annotations

import time

from casestrat.nightly.run import _log_lines


def test_the_log_says_that_the_clock_has_cut_the_plan_and_nothing_where_it_has_not() -> None:
    whole = _log_lines(time.perf_counter(), 2, 0, [], "local")
    cut = _log_lines(time.perf_counter(), 2, 0, [], "local", is_cut=True)
    assert not [line for line in whole if "cut by its time limit" in line]
    assert "cut by its time limit" in cut[-1]
