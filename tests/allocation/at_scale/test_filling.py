import numpy as np
import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem
from casestrat.allocation.at_scale.filling import exchanged, filled, gather, redealt
from casestrat.allocation.at_scale.tally import Tally
from casestrat.allocation.at_scale.trades import bundles_of, open_market
from casestrat.allocation.solver.draft import NOBODY, hard_limit
from casestrat.allocation.solver.exact import is_inside
from casestrat.allocation.solver.relaxation import Limits
from casestrat.allocation.solver.search import construct
from casestrat.knowledge.program import AllocationRules
from casestrat.knowledge.program_allocation import CaseMixLimit


def problem_of(minutes, priority, capacity, **more):
    cases = pd.DataFrame({
        "case_id": [f"C{i}" for i in range(len(minutes))], "minutes": minutes, "priority": priority,
        **more.pop("own", {}),
    })  # fmt: skip
    managers = pd.DataFrame({"cm_id": [f"M{j}" for j in range(len(capacity))], "capacity_minutes": capacity})
    return AllocationProblem(cases, managers, **more)


def by_minutes(instance, minutes):
    return [int(np.flatnonzero(instance.weight[instance.group, 0] == one)[0]) for one in minutes]


def test_two_cases_left_over_take_the_place_of_one_that_matters_less(instance_of):
    instance = instance_of(problem_of([60, 40, 52], [10, 8, 9], [100]))
    large, small, middle = by_minutes(instance, [60, 40, 52])
    plan = np.full(3, NOBODY)
    plan[middle] = 0
    new = exchanged(instance, plan, hard_limit(instance))
    assert new[large] == new[small] == 0
    assert new[middle] == NOBODY
    assert (exchanged(instance, new, hard_limit(instance)) == new).all()


def test_a_case_kept_by_its_case_manager_is_not_given_back_for_a_little_priority(instance_of):
    own = {"cm_id": ["M0", "M1"]}
    instance = instance_of(problem_of([60, 60], [10, 11], [60, 0], own=own))
    plan = np.where(instance.priority == 10, int(np.argmax(instance.capacity)), NOBODY)
    limit = hard_limit(instance)
    assert instance.unassigned_value(exchanged(instance, plan, limit)) == 10
    assert instance.unassigned_value(exchanged(instance, plan, limit, dear=5.0)) == 11


def test_the_most_cases_of_a_sort_bind_exchanges_with_those_left_over(instance_of):
    rules = AllocationRules(case_mix=(CaseMixLimit(most=1, kind="open"),))
    own = {"kind": ["open", "open", "proposed"]}
    instance = instance_of(problem_of([40, 40, 30], [5, 9, 4], [80], own=own, rules=rules))
    plan = np.where(instance.priority == 5, 0, NOBODY)
    new = exchanged(instance, plan, hard_limit(instance))
    assert is_inside(instance, Limits(hard_limit(instance)), new)


def test_minutes_that_two_have_left_become_one_piece(instance_of):
    instance = instance_of(problem_of([40, 40, 60, 60, 20, 20], [1] * 6, [140, 140]))
    plan = np.zeros(6, dtype=np.int64)
    for minutes in (40, 60, 20):
        plan[np.flatnonzero(instance.weight[instance.group, 0] == minutes)[1]] = 1
    assert instance.loads(plan).tolist() == [120, 120]
    tally = Tally(instance, plan, hard_limit(instance))
    market = open_market(tally)
    gather(tally, market, bundles_of(market), np.ones(2, dtype=bool), np.random.default_rng(0))
    assert sorted(tally.load.tolist()) == [100, 140]


def test_cases_of_a_class_are_dealt_anew_without_a_change_of_loads(sized, instance_of):
    instance = instance_of(sized(120, 8, seed=3, load=1.1))
    plan = construct(instance, by_priority=True)
    new = redealt(instance, plan, np.random.default_rng(1))
    assert ((new < 0) == (plan < 0)).all()
    assert (instance.loads(new) == instance.loads(plan)).all()
    assert is_inside(instance, Limits(hard_limit(instance)), new)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_filling_leaves_less_over_and_keeps_every_rule(sized, instance_of, seed):
    instance = instance_of(sized(200, 12, seed=seed, load=1.2)).without_costs()
    limit = hard_limit(instance)
    plan = construct(instance, by_priority=True, makes_room=False)
    everyone = np.ones(instance.m, dtype=bool)
    new, again = (filled(instance, plan, limit, everyone, np.random.default_rng(0)) for _ in range(2))
    assert is_inside(instance, Limits(limit), new)
    assert instance.unassigned_value(new) < instance.unassigned_value(plan)
    assert (new == again).all()


def test_weights_of_too_many_sums_are_filled_without_gathering(instance_of):
    instance = instance_of(problem_of([901, 557, 344], [3, 2, 2], [901, 100]))
    plan = np.where(instance.priority == 3, int(np.argmax(instance.capacity)), NOBODY)
    new = filled(instance, plan, hard_limit(instance), np.ones(2, dtype=bool), np.random.default_rng(0))
    assert instance.unassigned_value(new) == 3
