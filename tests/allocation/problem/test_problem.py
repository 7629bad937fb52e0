import numpy as np
import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem, allocate
from casestrat.errors import UsageError
from casestrat.knowledge.program import AllocationRules


def test_rows_are_put_in_the_order_of_their_ids(three):
    cases, managers = three
    problem = AllocationProblem(cases[::-1], managers[::-1])
    assert problem.cases["case_id"].tolist() == ["C1", "C2", "C3"]
    assert problem.case_managers["cm_id"].tolist() == ["CM1", "CM2"]
    assert "3 cases of 140 minutes" in repr(problem)


def test_fixed_cases_and_other_work_use_up_minutes_and_places(three):
    cases, managers = three
    cases = cases.assign(cm_id=["CM1", None, "CM2"], is_fixed=[True, False, True])
    managers = managers.assign(minutes_committed=[10, 70], cases_committed=[1, 2], max_cases=[2, 9])
    problem = AllocationProblem(cases, managers)
    assert problem.minutes_before.tolist() == [50, 110]
    assert problem.free_minutes.tolist() == [50, 0]
    assert problem.cases_before.tolist() == [2, 3]
    assert problem.free_slots.tolist() == [0, 6]


def test_the_arrays_cannot_be_written_to(three):
    problem = AllocationProblem(*three)
    with pytest.raises(ValueError, match="read-only"):
        problem.capacity[0] = 7
    with pytest.raises(AttributeError):
        problem.rules = AllocationRules()


def test_absences_lower_the_capacity(three):
    away = pd.DataFrame({"cm_id": ["CM1"], "from_on": ["2026-10-01"], "to_on": ["2026-10-14"]})
    assert AllocationProblem(*three, absences=away, starts_on="2026-10-01").capacity.tolist() == [50, 80]


def test_a_share_delta_that_is_no_share_is_refused(three):
    with pytest.raises(UsageError, match="delta"):
        AllocationProblem(*three, rules=AllocationRules(delta=1.5))


def test_own_costs_leave_level_2_out():
    problem = AllocationProblem.from_costs([[3, 1, 2], [1, 2, 9]], minutes=[30, 30, 40], capacity=[60, 70])
    plan = allocate(problem)
    assert plan.levels["level"].tolist() == ["unassigned", "fit"]
    assert plan.levels["value"].tolist() == [0.0, 5.0]
    assert plan.levels["is_optimal"].all()
    assert plan.assignments["cm_id"].tolist() == ["CM2", "CM1", "CM2"] or plan.levels["value"].iloc[1] == 5.0


def test_own_costs_may_name_rows_and_columns_and_bar_pairs():
    cost = pd.DataFrame([[np.nan, 1.0], [5.0, np.inf]], index=["B", "A"], columns=["X", "W"])
    minutes = [[10, 20], [30, 40]]
    plan = allocate(AllocationProblem.from_costs(cost, minutes, capacity=[20, 30]))
    assert plan.assignments[["case_id", "cm_id", "minutes"]].to_numpy().tolist() == [["W", "B", 20], ["X", "A", 30]]


def test_a_case_that_fits_nobody_is_left_over_with_its_reason():
    cost = pd.DataFrame([[np.nan, 1.0]], index=["A"], columns=["X", "W"])
    plan = allocate(AllocationProblem.from_costs(cost, [10, 50], capacity=[20]))
    assert plan.assignments.empty
    assert plan.unassigned["case_id"].tolist() == ["W", "X"]
    assert plan.unassigned["rule"].tolist() == ["capacity", "cost"]


@pytest.mark.parametrize(
    ("cost", "minutes", "capacity", "message"),
    [
        ([1, 2, 3], [1, 2, 3], [5], "shape"),
        ([[1, 2, 3]], [1, 2], [5], "shape"),
        ([[1, 2]], [1, -2], [5], "whole numbers"),
        ([[1, 2]], [1, 2.5], [5], "whole numbers"),
        ([[1, 2]], [1, float("nan")], [5], "whole numbers"),
        ([[1, 2]], [1, 2], [-5], "0 or more"),
    ],
)
def test_matrices_that_do_not_fit_are_refused(cost, minutes, capacity, message):
    with pytest.raises(UsageError, match=message):
        AllocationProblem.from_costs(cost, minutes, capacity)
