import time

import pytest

from casestrat.allocation.solver import clock as clocks
from casestrat.allocation.solver.clock import Clock


@pytest.fixture
def times(monkeypatch):
    """Return seconds computed and seconds of the wall, to be set by hand."""
    told = {"computed": 0.0, "wall": 0.0}
    monkeypatch.setattr(time, "thread_time", lambda: told["computed"])
    monkeypatch.setattr(time, "monotonic", lambda: told["wall"])
    return told


def test_only_seconds_of_computing_count(times):
    clock = Clock(began=0.0, wall_began=0.0)
    deadline = clock.after(2.0)
    times["wall"] = 600.0  # a machine busy with other work
    assert deadline.left == 2.0
    assert not deadline.is_over()
    assert not clock.has_cut
    times["computed"] = 1.95
    assert deadline.is_over(0.1)
    assert clock.has_cut
    times["computed"] = 3.0
    assert deadline.left == 0.0


def test_a_solver_that_watches_the_wall_is_given_more_on_a_busy_machine(times):
    clock = Clock(began=0.0, wall_began=0.0)
    with clock.watching(3.0) as seconds:
        assert seconds == 6.0
    times["wall"], times["computed"] = 10.0, 1.0
    with clock.watching(3.0) as seconds:
        assert seconds == 60.0
        times["wall"] += 59.0
    assert not clock.has_cut
    times["computed"] = 0.01
    with clock.watching(3.0) as seconds:
        assert seconds == 3.0 * clocks._EASE * clocks._SLOWEST
        times["wall"] += seconds
    assert clock.has_cut
