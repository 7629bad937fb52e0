import numpy as np
import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem
from casestrat.allocation.problem.objective import FIT, LARGEST, LEVELS, UNASSIGNED
from casestrat.allocation.solver.clock import Clock
from casestrat.allocation.solver.draft import hard_limit
from casestrat.allocation.solver.exact import Effort, is_inside
from casestrat.allocation.solver.neighbourhood import deal_anew, is_better, level_value
from casestrat.allocation.solver.relaxation import Limits
from casestrat.allocation.solver.search import construct


def dealt(instance, level, limits, plan, rounds=8, floor=-np.inf):
    effort = Effort(200, Clock().after(60))
    return deal_anew(instance, level, limits, plan, floor, rounds, effort, np.random.default_rng(0))


@pytest.fixture
def instance(sized, instance_of):
    return instance_of(sized(100, 8, seed=5, load=0.9))


@pytest.mark.parametrize("level", LEVELS)
def test_dealing_anew_never_makes_a_level_worse(instance, level):
    plan = construct(instance, by_priority=False)
    left = instance.unassigned_value(plan)
    limits = Limits(hard_limit(instance), None if level == UNASSIGNED else left)
    new = dealt(instance, level, limits, plan, rounds=3)
    assert level_value(instance, level, new) <= level_value(instance, level, plan) + 1e-9
    assert is_inside(instance, limits, new)
    if level != UNASSIGNED:
        assert (new < 0).sum() == (plan < 0).sum()


def test_a_bad_fit_gets_better(instance):
    plan = construct(instance, by_priority=False)
    limits = Limits(hard_limit(instance), instance.unassigned_value(plan))
    assert is_better(instance, FIT, dealt(instance, FIT, limits, plan), plan)


def test_a_plan_at_its_bound_and_a_search_without_time_stay_as_they_are(instance):
    plan = construct(instance, by_priority=False)
    limits = Limits(hard_limit(instance), 1e9)
    assert dealt(instance, FIT, limits, plan, floor=np.inf) is plan
    stopped = Effort(10, Clock().after(-1))
    assert deal_anew(instance, FIT, limits, plan, 0.0, 5, stopped, np.random.default_rng(0)) is plan


def test_a_peak_is_lowered_through_a_third_case_manager(instance_of):
    # X may give to Y alone, and Y is as busy: only when Y hands a case on to Z does X's peak come down.
    cases = pd.DataFrame({
        "case_id": list("ABCDE"), "minutes": 40, "territory": ["T1", "T1", "T1", "T2", "T2"],
    })  # fmt: skip
    managers = pd.DataFrame({"cm_id": list("XYZ"), "capacity_minutes": 120, "territories": ["T1", "T1;T2", "T2"]})
    problem = AllocationProblem(cases, managers)
    instance = instance_of(problem)
    cm_ids = problem.case_managers["cm_id"].to_numpy()[instance.cm_rows]
    place = {cm_id: int(np.flatnonzero(cm_ids == cm_id)[0]) for cm_id in "XYZ"}
    case_ids = problem.cases["case_id"].to_numpy()[instance.case_rows]
    start = dict(zip("ABCDE", "XXXYY", strict=True))
    plan = np.array([place[start[case_id]] for case_id in case_ids])
    new = dealt(instance, LARGEST, Limits(hard_limit(instance), 0.0), plan)
    assert level_value(instance, LARGEST, new) == pytest.approx(80 / 120)
