import numpy as np
import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem
from casestrat.allocation.problem.objective import (
    FIT,
    LARGEST,
    SQUARES,
    UNASSIGNED,
    largest_utilisation,
    sum_of_squares,
)
from casestrat.allocation.solver.clock import Clock
from casestrat.allocation.solver.draft import hard_limit
from casestrat.allocation.solver.exact import Effort, is_inside, optimise, spread
from casestrat.allocation.solver.relaxation import Limits, build


def effort(nodes=500, seconds=20.0):
    return Effort(nodes, Clock().after(seconds))


@pytest.fixture
def split(instance_of):
    """Cases of 10, 20, 30, 40 minutes and two equal case managers: 50 and 50 is best."""
    cases = pd.DataFrame({"case_id": list("ABCD"), "minutes": [10, 20, 30, 40], "priority": [1.0, 2.0, 3.0, 4.0]})
    return instance_of(AllocationProblem(cases, pd.DataFrame({"cm_id": ["X", "Y"], "capacity_minutes": 100})))


def test_the_peak_and_the_squares_are_brought_to_their_least(split):
    limits = Limits(hard_limit(split), 0.0)
    all_with_one = np.zeros(4, dtype=int)
    found = optimise(split, LARGEST, limits, all_with_one, 0.0, effort())
    assert largest_utilisation(split.loads(found.plan), split.capacity) == 0.5
    assert found.bound == pytest.approx(0.5)
    found = optimise(split, SQUARES, limits, all_with_one, 0.0, effort())
    assert sum_of_squares(split.loads(found.plan), split.capacity) == 50.0
    assert found.is_complete


def test_the_least_priority_is_left_over(instance_of):
    cases = pd.DataFrame({"case_id": list("ABCD"), "minutes": 40, "priority": [1.0, 2.0, 3.0, 4.0]})
    instance = instance_of(AllocationProblem(cases, pd.DataFrame({"cm_id": ["X"], "capacity_minutes": [100]})))
    nobody = np.full(4, -1)
    found = optimise(instance, UNASSIGNED, Limits(hard_limit(instance)), nobody, 0.0, effort())
    assert instance.unassigned_value(found.plan) == 3.0
    assert found.bound == pytest.approx(3.0)


def test_the_squares_limit_of_level_3_is_kept_exactly(instance_of):
    cases = pd.DataFrame({"case_id": list("ABCD"), "minutes": 20, "cm_id": "X"})
    instance = instance_of(AllocationProblem(cases, pd.DataFrame({"cm_id": ["X", "Y"], "capacity_minutes": 100})))
    even = np.array([0, 0, 1, 1])
    for squares, cost in ((32.0, 8.0), (40.0, 4.0), (64.0, 0.0)):
        found = optimise(instance, FIT, Limits(hard_limit(instance), 0.0, squares), even, 0.0, effort())
        assert instance.fit_value(found.plan) == cost
        assert is_inside(instance, Limits(hard_limit(instance), 0.0, squares), found.plan)


def test_no_time_and_no_pairs_find_nothing(split, instance_of, three):
    assert optimise(split, FIT, Limits(hard_limit(split), 0.0), np.zeros(4, int), 0.0, effort(seconds=0.0)).plan is None
    nobody = instance_of(AllocationProblem(three[0].assign(skills="rare"), three[1]))
    assert optimise(nobody, UNASSIGNED, Limits(hard_limit(nobody)), np.full(3, -1), 0.0, effort()).plan is None


def test_what_cannot_be_is_found_out(split):
    limits = Limits(np.minimum(hard_limit(split), 40), 0.0)
    found = optimise(split, FIT, limits, np.zeros(4, int), 0.0, effort())
    assert found.plan is None
    assert found.is_complete


def test_a_peak_that_is_already_least_is_proven_so(split):
    found = optimise(split, LARGEST, Limits(hard_limit(split), 0.0), np.array([0, 1, 1, 0]), 0.3, effort())
    assert found.plan is None
    assert found.bound == pytest.approx(0.5)


def test_counts_become_a_plan_that_leaves_the_least_priority(instance_of):
    cases = pd.DataFrame({"case_id": list("ABC"), "minutes": 10, "priority": [1.0, 5.0, 3.0]})
    managers = pd.DataFrame({"cm_id": ["X"], "capacity_minutes": [100]})
    instance = instance_of(AllocationProblem(cases, managers))
    plan = spread(build(instance, UNASSIGNED, Limits(hard_limit(instance))), np.array([2]))
    assert instance.priority[plan < 0].tolist() == [1.0]


def test_a_plan_outside_the_limits_is_seen(split):
    hard = hard_limit(split)
    inside = np.array([0, 1, 1, 0])
    assert is_inside(split, Limits(hard, 0.0, 50.0), inside)
    assert not is_inside(split, Limits(hard - 51, 0.0), inside)
    assert not is_inside(split, Limits(hard, 0.0), np.array([-1, 1, 1, 0]))
    assert not is_inside(split, Limits(hard, 0.0, 49.0), inside)
