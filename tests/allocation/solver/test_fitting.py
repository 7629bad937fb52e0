import numpy as np
import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem
from casestrat.allocation.problem.objective import FIT, UNASSIGNED, sum_of_squares
from casestrat.allocation.solver.clock import Clock
from casestrat.allocation.solver.draft import Draft, hard_limit
from casestrat.allocation.solver.exact import is_inside
from casestrat.allocation.solver.fitting import descend, rounded
from casestrat.allocation.solver.relaxation import Limits, build, solve_relaxation


@pytest.fixture
def pair(instance_of):
    """Two cases of 40 minutes, each with the case manager that the other would like to keep."""
    cases = pd.DataFrame({"case_id": ["A", "B"], "minutes": 40, "cm_id": ["X", "Y"]})

    def make(capacity):
        managers = pd.DataFrame({"cm_id": ["X", "Y"], "capacity_minutes": capacity})
        instance = instance_of(AllocationProblem(cases, managers))
        plan = np.array([int(np.argmax(instance.cost[group])) for group in instance.group])
        return instance, plan

    return make


def test_cases_are_swapped_where_neither_could_move_alone(pair):
    instance, plan = pair([50, 50])
    draft = Draft(instance, plan, hard_limit(instance))
    assert instance.fit_value(descend(draft, Limits(draft.limit, 0.0))) == 0.0


def test_cases_are_moved_where_there_is_room(pair):
    instance, plan = pair([80, 80])
    draft = Draft(instance, plan, hard_limit(instance))
    assert instance.fit_value(descend(draft, Limits(draft.limit, 0.0))) == 0.0


def test_the_limit_on_the_squares_is_kept(instance_of):
    cases = pd.DataFrame({"case_id": ["A", "B"], "minutes": 40, "cm_id": ["X", "X"]})
    instance = instance_of(AllocationProblem(cases, pd.DataFrame({"cm_id": ["X", "Y"], "capacity_minutes": 100})))
    plan = np.array([0, 1])
    squares = sum_of_squares(instance.loads(plan), instance.capacity)
    draft = Draft(instance, plan, hard_limit(instance))
    assert instance.fit_value(descend(draft, Limits(draft.limit, 0.0, squares))) == 4.0
    assert instance.fit_value(descend(draft, Limits(draft.limit, 0.0, 3 * squares))) == 0.0


@pytest.mark.parametrize("level", [UNASSIGNED, FIT])
def test_rounding_a_relaxation_gives_a_plan_within_the_rules(sized, instance_of, level):
    instance = instance_of(sized(160, 8, seed=3, load=0.8 if level == FIT else 1.1))
    limits = Limits(hard_limit(instance), None if level == UNASSIGNED else 1e9)
    model = build(instance, level, limits)
    fractions = solve_relaxation(model, 10, Clock())
    plan = rounded(model, fractions)
    assert is_inside(instance, limits, plan)
    if level == FIT:
        assert (plan >= 0).mean() > 0.5
    else:
        assert instance.unassigned_value(plan) >= fractions.value - 1e-6
