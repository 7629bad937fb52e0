import numpy as np
import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem
from casestrat.allocation.problem.objective import largest_utilisation, sum_of_squares
from casestrat.allocation.solver.balance import balance, even_out, lower_peak, peak_limit
from casestrat.allocation.solver.draft import Draft, hard_limit


@pytest.fixture
def uneven(instance_of):
    """Twelve cases, all with the first of three case managers."""
    cases = pd.DataFrame({"case_id": [f"C{i:02d}" for i in range(12)], "minutes": [54, 40, 18] * 4})
    managers = pd.DataFrame({"cm_id": ["X", "Y", "Z"], "capacity_minutes": [600, 300, 300]})
    instance = instance_of(AllocationProblem(cases, managers))
    return Draft(instance, np.full(12, int(np.argmax(instance.capacity))), hard_limit(instance))


def test_everyone_ends_up_equally_busy(uneven):
    balance(uneven)
    use = uneven.load / uneven.instance.capacity
    assert use.max() - use.min() < 0.02


def test_evening_out_never_raises_the_squares(uneven):
    before = sum_of_squares(uneven.load, uneven.instance.capacity)
    even_out(uneven)
    assert sum_of_squares(uneven.load, uneven.instance.capacity) < before


def test_lowering_the_peak_never_raises_it(uneven):
    before = largest_utilisation(uneven.load, uneven.instance.capacity)
    lower_peak(uneven)
    assert largest_utilisation(uneven.load, uneven.instance.capacity) < before


def test_limits_are_kept(uneven):
    uneven.limit = uneven.limit.copy()
    small = int(np.argmin(uneven.instance.capacity))
    uneven.limit[small] = 20
    balance(uneven)
    assert uneven.load[small] <= 20


def test_a_peak_in_minutes_is_rounded_down_but_for_rounding():
    assert peak_limit(np.array([100, 30]), 0.55).tolist() == [55, 16]
    assert peak_limit(np.array([90]), 63 / 90).tolist() == [63]
