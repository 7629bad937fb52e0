import numpy as np
import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem
from casestrat.allocation.problem.objective import FIT, LARGEST, UNASSIGNED, largest_utilisation, sum_of_squares
from casestrat.allocation.solver.balance import balance
from casestrat.allocation.solver.bounds import (
    blocks,
    forced_left,
    is_closed,
    level_use,
    relaxed_bound,
    rounded_up,
    squares_bound,
    utilisation_bound,
)
from casestrat.allocation.solver.clock import Clock
from casestrat.allocation.solver.draft import Draft, hard_limit
from casestrat.allocation.solver.relaxation import Limits, build, solve_relaxation
from casestrat.allocation.solver.search import construct


def test_hopeless_cases_are_left_by_every_plan(three, instance_of):
    cases, managers = three
    cases = cases.assign(priority=[2.0, 3.0, 5.0], skills=["rare", None, "rare"])
    assert forced_left(instance_of(AllocationProblem(cases, managers))) == 7.0


@pytest.mark.parametrize(
    ("bound", "expected"),
    [(0.0, 0.0), (0.5, 2.0), (2.0, 2.0), (2.5, 4.0), (3.0, 4.0), (4.6, 5.0)],
)
def test_a_bound_on_what_is_left_rises_to_what_whole_cases_can_come_to(three, instance_of, bound, expected):
    cases, managers = three
    instance = instance_of(AllocationProblem(cases.assign(priority=[2.0, 5.0, 7.0]), managers))
    assert rounded_up(instance, UNASSIGNED, bound) == expected


def test_a_bound_on_whole_costs_is_rounded_up_and_others_are_not(instance_of):
    whole = instance_of(AllocationProblem.from_costs([[1, 2]], [1, 1], [5]))
    split = instance_of(AllocationProblem.from_costs([[1, 2.5]], [1, 1], [5]))
    assert rounded_up(whole, FIT, 1.2) == 2.0
    assert rounded_up(split, FIT, 1.2) == 1.2
    assert rounded_up(whole, LARGEST, 0.2) == 0.2
    assert rounded_up(whole, FIT, -np.inf) == -np.inf


@pytest.mark.parametrize("load", [0.7, 0.9, 1.1])
def test_bounds_of_level_2_are_close_and_below(sized, instance_of, load):
    instance = instance_of(sized(160, 8, seed=7, load=load))
    plan = construct(instance, by_priority=load > 1)
    left = instance.unassigned_value(plan) - forced_left(instance)
    draft = Draft(instance, plan, hard_limit(instance))
    balance(draft)
    limits = Limits(hard_limit(instance), left)
    peak, squares = (f(draft.load, instance.capacity) for f in (largest_utilisation, sum_of_squares))
    bound = utilisation_bound(instance, draft.plan, left, None)
    assert 0.85 * peak <= bound <= peak + 1e-9
    prices = solve_relaxation(build(instance, LARGEST, limits), 10, Clock()).prices
    assert bound - 1e-9 <= max(bound, utilisation_bound(instance, draft.plan, left, prices)) <= peak + 1e-9
    assert relaxed_bound(instance, LARGEST, limits, prices) <= peak + 1e-9
    assert 0.85 * squares <= squares_bound(instance, draft.plan, limits) <= squares + 1e-6


def test_the_steps_of_whole_cases_raise_the_bound(instance_of):
    cases = pd.DataFrame({"case_id": list("ABC"), "minutes": [40, 40, 40]})
    managers = pd.DataFrame({"cm_id": ["X", "Y"], "capacity_minutes": [100, 100]})
    instance = instance_of(AllocationProblem(cases, managers))
    assert utilisation_bound(instance, np.array([0, 0, 1]), 0.0, None) == pytest.approx(0.8)


def test_work_already_there_is_a_bound(instance_of):
    cases = pd.DataFrame({"case_id": ["A"], "minutes": [10]})
    managers = pd.DataFrame({"cm_id": ["X", "Y"], "capacity_minutes": [100, 100], "minutes_committed": [130, 0]})
    instance = instance_of(AllocationProblem(cases, managers))
    assert utilisation_bound(instance, np.full(1, -1), 0.0, None) == pytest.approx(1.3)


def test_blocks_join_those_equally_busy_who_could_exchange(instance_of):
    cases = pd.DataFrame({"case_id": list("ABC"), "minutes": 40, "territory": ["T1", "T1", "T2"]})
    managers = pd.DataFrame({"cm_id": list("XYZ"), "capacity_minutes": 100, "territories": ["T1", "T1", "T2"]})
    problem = AllocationProblem(cases, managers)
    instance = instance_of(problem)
    plan = construct(instance, by_priority=False)
    block = blocks(instance, plan, 0.01)
    assert len(set(block.tolist())) == 2
    np.testing.assert_allclose(level_use(instance, plan, np.inf), 0.4)


def test_a_gap_of_rounding_is_closed():
    assert is_closed(1.0, 1.0 - 1e-10)
    assert is_closed(0.0, 0.0)
    assert not is_closed(1.0, 0.99)
