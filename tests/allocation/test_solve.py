import itertools

import numpy as np
import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem, allocate, check_plan
from casestrat.allocation.solver import clock
from casestrat.errors import UsageError

pytestmark = pytest.mark.usefixtures("unhurried")


def same(one, two):
    for name in ("assignments", "unassigned", "workload", "levels"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(two, name))


def test_a_problem_without_cases_gives_an_empty_plan(three):
    cases, managers = three
    plan = allocate(AllocationProblem(cases.head(0), managers))
    assert plan.assignments.empty
    assert plan.unassigned.empty
    assert plan.workload["utilisation_after"].tolist() == [0.0, 0.0]
    assert plan.levels["is_optimal"].all()


def test_a_problem_without_case_managers_gives_a_ledger(three):
    cases, managers = three
    plan = allocate(AllocationProblem(cases, managers.head(0)))
    assert plan.unassigned["rule"].tolist() == ["no_case_managers"] * 3
    assert plan.levels["value"].tolist() == [3.0, 0.0, 0.0, 0.0]


def test_an_empty_problem_is_a_plan(three):
    cases, managers = three
    assert allocate(AllocationProblem(cases.head(0), managers.head(0))).workload.empty


def test_case_managers_without_minutes_get_nothing(three):
    cases, managers = three
    plan = allocate(AllocationProblem(cases, managers.assign(capacity_minutes=0)))
    assert plan.unassigned["rule"].tolist() == ["capacity"] * 3
    assert plan.workload["utilisation_after"].isna().all()


def test_a_case_heavier_than_any_case_manager_is_named(three):
    cases, managers = three
    plan = allocate(AllocationProblem(cases.assign(minutes=[40, 400, 40]), managers))
    assert plan.unassigned[["case_id", "rule"]].to_numpy().tolist() == [["C2", "capacity"]]


def test_no_eligible_pair_at_all_is_a_ledger(three):
    cases, managers = three
    plan = allocate(AllocationProblem(cases.assign(skills="rare"), managers))
    assert plan.unassigned["rule"].tolist() == ["skills"] * 3
    assert plan.levels["is_optimal"].all()


def test_cases_of_no_minutes_can_be_placed(three):
    cases, managers = three
    plan = allocate(AllocationProblem(cases.assign(minutes=0), managers))
    assert len(plan.assignments) == 3


@pytest.mark.parametrize("limit", [-1, float("nan"), float("inf")])
def test_a_time_limit_that_is_none_is_refused(three, limit):
    with pytest.raises(UsageError, match="time_limit_s"):
        allocate(AllocationProblem(*three), time_limit_s=limit)


def test_a_time_limit_of_0_still_gives_a_sound_plan_with_bounds(sized):
    problem = sized(120, 8, seed=1, load=0.95)
    plan = allocate(problem, time_limit_s=0)
    assert check_plan(problem, plan).empty
    assert (plan.levels["bound"] <= plan.levels["value"]).all()


@pytest.mark.parametrize("load", [0.85, 1.15])
def test_the_same_seed_gives_the_same_plan_however_busy_the_machine(sized, load, monkeypatch):
    problem = sized(60, 5, seed=9, load=load)
    plan = allocate(problem, 4.0, random_state=3)
    passed = itertools.count(step=100)  # seconds of the wall between any two looks at it
    monkeypatch.setattr(clock.time, "monotonic", lambda: float(next(passed)))
    other = allocate(problem, 4.0, random_state=3)
    same(plan, other)
    assert not plan.is_cut


def test_a_plan_says_when_the_time_limit_ended_its_search(sized):
    cut = allocate(sized(60, 5, seed=9, load=1.15), time_limit_s=0)
    assert cut.is_cut
    assert "cut by the time limit" in repr(cut)
    assert "cut" not in repr(allocate(sized(10, 2, seed=9, load=0.5)))


def test_the_scarce_and_the_first_come_first_when_minutes_lack(instance_of):
    cases = pd.DataFrame({"case_id": list("ABCD"), "minutes": 40, "priority": [1.0, 2.0, 3.0, 9.0]})
    managers = pd.DataFrame({"cm_id": ["X", "Y"], "capacity_minutes": [80, 40]})
    assert allocate(AllocationProblem(cases, managers)).unassigned["case_id"].tolist() == ["A"]


def test_a_lead_is_kept_where_balance_allows_it():
    cases = pd.DataFrame({"case_id": list("ABCD"), "minutes": 40, "cm_id": ["Y", "X", "Y", "X"]})
    managers = pd.DataFrame({"cm_id": ["X", "Y"], "capacity_minutes": [100, 100]})
    plan = allocate(AllocationProblem(cases, managers))
    assert plan.assignments["cm_id"].tolist() == ["Y", "X", "Y", "X"]
    assert not plan.assignments["is_new"].any()


def test_delta_lets_the_fit_cost_a_little_balance(rules):
    cases = pd.DataFrame({"case_id": list("ABCD"), "minutes": [50, 50, 49, 51], "cm_id": ["X", None, "X", None]})
    managers = pd.DataFrame({"cm_id": ["X", "Y"], "capacity_minutes": 200})
    strict = allocate(AllocationProblem(cases, managers, rules=rules(delta=0.0))).levels.set_index("level")["value"]
    loose = allocate(AllocationProblem(cases, managers, rules=rules(delta=0.02))).levels.set_index("level")["value"]
    assert strict["largest_utilisation"] == 0.5
    assert strict["fit"] == 4.0
    assert loose["largest_utilisation"] == pytest.approx(0.505)
    assert loose["fit"] == 0.0


def test_level_3_gives_back_the_balance_it_does_not_need(rules):
    cases = pd.DataFrame(
        {"case_id": [f"C{i}" for i in range(20)], "minutes": [30, 42] * 10, "cm_id": ["X"] + [None] * 19}
    )
    managers = pd.DataFrame({"cm_id": ["X", "Y"], "capacity_minutes": 720})
    levels = allocate(AllocationProblem(cases, managers, rules=rules(delta=0.2))).levels.set_index("level")["value"]
    assert levels["fit"] == 0.0
    assert levels["largest_utilisation"] == 0.5


def test_a_realistic_problem_leaves_nobody_avoidably_and_is_even(sized):
    problem = sized(200, 10, seed=1, load=0.85)
    plan = allocate(problem, time_limit_s=10)
    levels = plan.levels.set_index("level")
    assert levels.loc["unassigned", "gap"] == 0.0
    assert levels.loc["largest_utilisation", "gap"] < 0.01
    assert levels.loc["fit", "gap"] < 0.1


def test_a_larger_problem_is_close_to_its_bounds(sized):
    problem = sized(300, 20, seed=1, load=0.85)
    levels = allocate(problem, time_limit_s=5).levels.set_index("level")
    assert levels.loc["unassigned", "is_optimal"]
    assert levels.loc["largest_utilisation", "gap"] < 0.02
    assert levels.loc["fit", "gap"] < 0.1


def test_where_minutes_lack_most_is_still_placed(sized):
    problem = sized(150, 12, seed=2, load=1.1)
    plan = allocate(problem, time_limit_s=2)
    assert plan.levels.loc[0, "gap"] < 0.15
    assert (plan.unassigned["rule"] == "capacity").any()


def test_own_costs_are_met_closely_on_many_pairs():
    rng = np.random.default_rng(5)
    minutes = rng.integers(5, 26, (6, 100))
    cost = 111 - minutes + rng.integers(-10, 11, (6, 100))  # dear where it is light: the hard kind
    capacity = np.full(6, int(0.8 * minutes.sum() / 36))
    plan = allocate(AllocationProblem.from_costs(cost, minutes, capacity), time_limit_s=3)
    assert plan.levels["value"].iloc[0] == 0.0
    assert plan.levels["gap"].iloc[1] < 0.02
