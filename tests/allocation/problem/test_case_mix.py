"""Limits on sorts of cases, from the problem to the plan."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem, allocate, check_plan
from casestrat.allocation.problem.instance import ask, canonical
from casestrat.allocation.solver.draft import Draft, hard_limit
from casestrat.knowledge import AllocationRules, CaseMixLimit

LIMITS = (CaseMixLimit(1, tier="high"), CaseMixLimit(2, kind="proposed"))


def problem_of(seed, limits=LIMITS):
    """Five or six small cases, some high and some proposed, and two case managers of different reach."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(4, 7)), 2
    cases = pd.DataFrame({
        "case_id": [f"C{i}" for i in range(n)], "minutes": rng.choice([10, 20, 30], n),
        "priority": rng.integers(1, 6, n),
        "tier": rng.choice(["high", "low"], n), "kind": rng.choice(["open", "proposed"], n),
        "territory": rng.choice(["T1", "T2"], n), "cm_id": rng.choice(["M0", "M1"], n),
        "is_fixed": rng.random(n) < 0.15,
    })  # fmt: skip
    managers = pd.DataFrame({
        "cm_id": [f"M{j}" for j in range(m)], "capacity_minutes": rng.choice([40, 60, 90], m),
        "territories": rng.choice(["T1", "T1;T2"], m),
    })  # fmt: skip
    return AllocationProblem(cases, managers, rules=AllocationRules(case_mix=limits))


def least_left(problem):
    """Level 1 of the best of all plans, tried one by one."""
    cases, managers = problem.cases.to_dict("records"), problem.case_managers.to_dict("records")
    options = [
        [j for j, manager in enumerate(managers) if manager["cm_id"] == case["cm_id"]]
        if case["is_fixed"]
        else [-1, 0, 1]
        for case in cases
    ]
    best = np.inf
    for plan in itertools.product(*options):
        held = [[case for case, to in zip(cases, plan, strict=True) if to == j] for j in range(len(managers))]
        if all(is_sound(problem, manager, own) for manager, own in zip(managers, held, strict=True)):
            best = min(best, sum(case["priority"] for case, to in zip(cases, plan, strict=True) if to < 0))
    return best


def is_sound(problem, manager, held):
    new = [case for case in held if not case["is_fixed"]]
    if any(case["territory"] not in manager["territories"].split(";") for case in new):
        return False
    if new and sum(case["minutes"] for case in held) > manager["capacity_minutes"]:
        return False
    for limit in problem.rules.case_mix:
        of_sort = [c for c in held if limit.tier in (None, c["tier"]) and limit.kind in (None, c["kind"])]
        if len(of_sort) > limit.most and any(not case["is_fixed"] for case in of_sort):
            return False
    return True


@pytest.mark.parametrize("seed", range(6))
def test_the_best_plan_within_the_limits_is_found_and_its_bound_holds(seed):
    problem = problem_of(seed)
    plan = allocate(problem, time_limit_s=1)
    first = plan.levels.iloc[0]
    assert first["value"] == pytest.approx(least_left(problem))
    assert (plan.levels["bound"] <= plan.levels["value"] + 1e-6).all()


def test_a_plan_that_was_changed_by_hand_beyond_a_limit_is_found_out():
    cases = pd.DataFrame({"case_id": ["A", "B"], "minutes": [10, 10], "tier": ["high", "high"]})
    managers = pd.DataFrame({"cm_id": ["X", "Y"], "capacity_minutes": [100, 100]})
    problem = AllocationProblem(cases, managers, rules=AllocationRules(case_mix=(CaseMixLimit(1, tier="high"),)))
    plan = allocate(problem)
    assert set(plan.assignments["cm_id"]) == {"X", "Y"}
    forged = replace(plan, assignments=plan.assignments.assign(cm_id="X"))
    assert "case_mix" in set(check_plan(problem, forged)["rule"])


def test_experience_and_certificates_of_a_forged_pair_are_found_out():
    cases = pd.DataFrame({"case_id": ["A"], "minutes": [10], "tier": ["high"]})
    managers = pd.DataFrame({"cm_id": ["X", "Y"], "capacity_minutes": [100, 100], "experience_months": [20, 5]})
    held = pd.DataFrame({"cm_id": ["X"], "credential": ["B"]})
    rules = AllocationRules(experience={"high": 12}, credentials=("A|B",))
    problem = AllocationProblem(cases, managers, credentials=held, rules=rules)
    plan = allocate(problem)
    assert plan.assignments["cm_id"].tolist() == ["X"]
    forged = replace(plan, assignments=plan.assignments.assign(cm_id="Y"))
    assert {"experience", "credentials"} <= set(check_plan(problem, forged)["rule"])


def test_own_costs_of_the_program_decide_what_is_missed():
    cases = pd.DataFrame({"case_id": ["A"], "minutes": [10], "territory": ["T1"], "cm_id": ["X"]})
    managers = pd.DataFrame({"cm_id": ["X", "Y"], "capacity_minutes": [100, 100], "territories": ["T2", "T1"]})
    usual = AllocationRules(territory="preferred")
    stays = allocate(AllocationProblem(cases, managers, rules=usual))
    assert (stays.assignments["cm_id"].tolist(), stays.levels["value"].iloc[-1]) == (["X"], 2.0)
    dear = replace(usual, costs=replace(usual.costs, travel=9, continuity=5))
    moves = allocate(AllocationProblem(cases, managers, rules=dear))
    assert (moves.assignments["cm_id"].tolist(), moves.levels["value"].iloc[-1]) == (["Y"], 5.0)


def test_a_draft_keeps_count_of_every_sort():
    problem = problem_of(3)
    instance = canonical(problem, ask(problem))
    draft = Draft(instance, np.full(instance.n, -1), hard_limit(instance))
    rng = np.random.default_rng(0)
    for _ in range(40):
        case = int(rng.integers(instance.n))
        takers = draft.takers(case) if draft.plan[case] < 0 else []
        draft.put(case, int(rng.choice(takers)) if len(takers) else -1)
        assert (draft.mix == instance.mix.left(instance.group, draft.plan)).all()
        assert (draft.mix >= 0).all()


def test_limits_that_bind_nobody_change_nothing():
    free = problem_of(1, ())
    wide = problem_of(1, (CaseMixLimit(99, tier="high"),))
    pd.testing.assert_frame_equal(allocate(free).assignments, allocate(wide).assignments)
