import numpy as np
import pandas as pd

from casestrat.allocation import AllocationProblem
from casestrat.allocation.problem.instance import ask


def test_cases_that_nothing_tells_apart_are_one_class(three, instance_of):
    cases, managers = three
    instance = instance_of(AllocationProblem(cases.assign(territory=["T1", "T2", "T3"]), managers))
    assert sorted(instance.sizes.tolist()) == [1, 2]
    assert instance.n_pairs == 4


def test_fixed_cases_are_not_dealt_out(three):
    cases, managers = three
    problem = AllocationProblem(cases.assign(cm_id=["CM1", None, None], is_fixed=[True, False, False]), managers)
    assert problem.cases["case_id"].iloc[ask(problem).rows].tolist() == ["C2", "C3"]


def test_loads_counts_and_values_of_a_plan(three, instance_of):
    cases, managers = three
    problem = AllocationProblem(cases.assign(priority=[1.0, 2.0, 4.0]), managers.assign(minutes_committed=[5, 0]))
    instance = instance_of(problem)
    nobody = np.full(3, -1)
    assert instance.loads(nobody).tolist() == instance.before.tolist()
    assert instance.unassigned_value(nobody) == 7.0
    assert instance.fit_value(nobody) == 0.0
    placed = np.zeros(3, dtype=int)
    assert instance.loads(placed)[0] == instance.before[0] + 140
    assert instance.counts(placed).tolist() == [3, 0]


def test_names_decide_only_between_what_is_alike(instance_of):
    cases = pd.DataFrame({"case_id": ["A", "B", "C"], "minutes": [30, 10, 20]})
    managers = pd.DataFrame({"cm_id": ["X", "Y"], "capacity_minutes": [50, 40]})
    renamed = cases.assign(case_id=["Z", "Y", "A"]), managers.assign(cm_id=["B", "A"])
    one, two = instance_of(AllocationProblem(cases, managers)), instance_of(AllocationProblem(*renamed))
    np.testing.assert_array_equal(one.weight, two.weight)
    np.testing.assert_array_equal(one.capacity, two.capacity)
    np.testing.assert_array_equal(one.group, two.group)


def test_a_case_that_nobody_may_follow_is_hopeless(three, instance_of):
    cases, managers = three
    instance = instance_of(AllocationProblem(cases.assign(skills=["rare", None, None]), managers))
    assert instance.hopeless.sum() == 1


def test_costs_that_are_whole_are_seen(instance_of):
    whole = AllocationProblem.from_costs([[1, 2]], [1, 1], [5])
    split = AllocationProblem.from_costs([[1, 2.5]], [1, 1], [5])
    assert instance_of(whole).has_whole_costs
    assert not instance_of(split).has_whole_costs
