import numpy as np
import pandas as pd

from casestrat.allocation import AllocationProblem
from casestrat.allocation.solver.draft import Draft, hard_limit
from casestrat.allocation.solver.exact import is_inside
from casestrat.allocation.solver.relaxation import Limits
from casestrat.allocation.solver.search import Price, construct, make_room, replace_lesser, replaced


def left(instance, plan):
    return instance.unassigned_value(plan)


def test_scarce_cases_come_first(instance_of):
    cases = pd.DataFrame({"case_id": list("AB"), "minutes": [50, 60], "skills": ["rare", None]})
    managers = pd.DataFrame({"cm_id": ["X", "Y"], "capacity_minutes": [60, 60], "skills": ["rare", None]})
    instance = instance_of(AllocationProblem(cases, managers))
    assert left(instance, construct(instance, by_priority=False)) == 0


def test_one_case_is_shifted_to_make_room(instance_of):
    cases = pd.DataFrame({"case_id": list("ABC"), "minutes": [30, 30, 60]})
    managers = pd.DataFrame({"cm_id": ["X", "Y"], "capacity_minutes": [60, 60]})
    instance = instance_of(AllocationProblem(cases, managers))
    small = np.flatnonzero(instance.weight[instance.group, 0] == 30)
    plan = np.full(3, -1)
    plan[small] = [0, 1]
    assert left(instance, make_room(Draft(instance, plan, hard_limit(instance)))) == 0


def test_two_case_managers_exchange_cases_to_make_room(instance_of):
    cases = pd.DataFrame({"case_id": list("ABCDE"), "minutes": [30, 20, 25, 20, 25], "skills": ["rare", *[None] * 4]})
    managers = pd.DataFrame({"cm_id": ["X", "Y"], "capacity_minutes": [70, 64], "skills": ["rare", None]})
    instance = instance_of(AllocationProblem(cases, managers))
    weights = instance.weight[instance.group, 0]
    twenty, more = np.flatnonzero(weights == 20), np.flatnonzero(weights == 25)
    plan = np.full(5, -1)
    plan[[twenty[0], more[0]]] = 0
    plan[[twenty[1], more[1]]] = 1  # no single shift fits: 20 more would be one minute too many
    assert left(instance, make_room(Draft(instance, plan, hard_limit(instance)))) == 0


def test_a_lesser_case_gives_way_to_a_greater_one(instance_of):
    cases = pd.DataFrame({"case_id": list("AB"), "minutes": [50, 50], "priority": [1.0, 9.0]})
    managers = pd.DataFrame({"cm_id": ["X"], "capacity_minutes": [60]})
    instance = instance_of(AllocationProblem(cases, managers))
    plan = np.where(instance.priority == 1.0, 0, -1)
    assert left(instance, make_room(Draft(instance, plan, hard_limit(instance)))) == 1.0


def test_a_greater_case_does_not_give_way(instance_of):
    cases = pd.DataFrame({"case_id": list("ABC"), "minutes": [50, 20, 30], "priority": [3.0, 2.0, 2.0]})
    managers = pd.DataFrame({"cm_id": ["X"], "capacity_minutes": [50], "max_cases": [2]})
    instance = instance_of(AllocationProblem(cases, managers))
    plan = np.where(instance.priority == 2.0, 0, -1)
    assert left(instance, make_room(Draft(instance, plan, hard_limit(instance)))) == 3.0


def test_places_are_freed_as_well_as_minutes(instance_of):
    cases = pd.DataFrame({"case_id": list("AB"), "minutes": [10, 10], "priority": [1.0, 9.0]})
    managers = pd.DataFrame({"cm_id": ["X"], "capacity_minutes": [60], "max_cases": [1]})
    instance = instance_of(AllocationProblem(cases, managers))
    plan = np.where(instance.priority == 1.0, 0, -1)
    assert left(instance, make_room(Draft(instance, plan, hard_limit(instance)))) == 1.0


def test_first_plans_keep_every_rule(sized, instance_of):
    instance = instance_of(sized(150, 8, seed=4, load=1.1))
    for by_priority in (False, True):
        plan = construct(instance, by_priority=by_priority)
        assert is_inside(instance, Limits(hard_limit(instance)), plan)


def test_who_is_left_over_takes_the_place_of_the_least_case_that_makes_room(instance_of):
    cases = pd.DataFrame({"case_id": list("ABC"), "minutes": 40, "priority": [3.0, 5.0, 9.0]})
    managers = pd.DataFrame({"cm_id": ["X", "Y"], "capacity_minutes": [40, 40]})
    instance = instance_of(AllocationProblem(cases, managers))
    plan = np.where(instance.priority == 9, -1, np.where(instance.priority == 5, 0, 1))
    assert left(instance, replace_lesser(Draft(instance, plan, hard_limit(instance)))) == 3


def test_replacing_never_leaves_more_and_keeps_every_rule(sized, instance_of):
    instance = instance_of(sized(150, 8, seed=4, load=1.2))
    plan = construct(instance, by_priority=False, makes_room=False)
    better = replace_lesser(Draft(instance, plan, hard_limit(instance)))
    assert left(instance, better) < left(instance, plan)
    assert is_inside(instance, Limits(hard_limit(instance)), better)


def test_whoever_is_passed_over_as_too_dear_could_not_have_been_replaced(sized, instance_of):
    instance = instance_of(sized(150, 8, seed=4, load=1.2))
    limit = hard_limit(instance)
    plan = construct(instance, by_priority=False, makes_room=False)
    plan = replace_lesser(Draft(instance, plan, limit))  # many left over, few with a place to give
    tried = 0
    for case in np.flatnonzero((plan == -1) & ~instance.hopeless).tolist():
        affordable = Price(Draft(instance, plan, limit)).affordable(case)
        for manager in set(np.flatnonzero(instance.allowed[instance.group[case]])) - set(affordable):
            assert not replaced(Draft(instance, plan, limit), case, int(manager))
            tried += 1
    assert tried > 50
