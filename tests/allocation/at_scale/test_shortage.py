from itertools import product

import numpy as np
import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem, allocate, check_plan, solve
from casestrat.allocation.at_scale.shortage import may_be_left, minutes_worth, seated
from casestrat.allocation.at_scale.tally import Tally
from casestrat.allocation.at_scale.trades import open_market
from casestrat.allocation.problem.objective import FIT, UNASSIGNED
from casestrat.allocation.solver.bounds import forced_left, relaxed_bound, squares_bound, utilisation_bound
from casestrat.allocation.solver.clock import Clock
from casestrat.allocation.solver.draft import NOBODY, hard_limit
from casestrat.allocation.solver.exact import is_inside
from casestrat.allocation.solver.relaxation import Limits, build, solve_relaxation
from casestrat.allocation.solver.search import construct

pytestmark = pytest.mark.usefixtures("unhurried")


@pytest.fixture
def every_problem_is_the_largest(monkeypatch):
    """Take the way of problems too large for groups to be dealt anew."""
    monkeypatch.setattr(solve, "WIDE_PAIRS", 0)
    monkeypatch.setattr(solve, "_DEALT_PAIRS", 0)


@pytest.mark.parametrize("seed", [4, 5])
def test_where_minutes_lack_the_plan_is_sound_close_and_the_same_again(sized, seed, every_problem_is_the_largest):
    problem = sized(300, 18, seed=seed, load=1.1)
    plan, again = (allocate(problem, time_limit_s=5, random_state=1) for _ in range(2))
    pd.testing.assert_frame_equal(plan.assignments, again.assignments)
    pd.testing.assert_frame_equal(plan.levels, again.levels)
    assert check_plan(problem, plan).empty
    levels = plan.levels.set_index("level")
    assert (levels["bound"] <= levels["value"] + 1e-9).all()
    assert levels.loc["unassigned", "gap"] < 0.08


def small(seed):
    rng = np.random.default_rng(seed)
    cases = pd.DataFrame({
        "case_id": [f"C{i}" for i in range(7)], "minutes": rng.choice([20, 30, 40], 7),
        "priority": rng.integers(1, 9, 7), "cm_id": rng.choice(["X", "Y"], 7), "language": rng.choice(["fr", "it"], 7),
    })  # fmt: skip
    managers = pd.DataFrame({"cm_id": ["X", "Y"], "capacity_minutes": [70, 80], "languages": ["fr", "fr;it"]})
    return AllocationProblem(cases, managers)


def every_plan(instance):
    for choice in product(range(-1, instance.m), repeat=instance.n):
        plan = np.array(choice)
        placed = plan >= 0
        if instance.allowed[instance.group[placed], plan[placed]].all():
            yield plan


@pytest.mark.parametrize("seed", range(6))
def test_prices_of_a_model_that_lets_few_be_left_over_prove_a_bound_on_every_plan(instance_of, seed):
    instance = instance_of(small(seed))
    hard = hard_limit(instance)
    plans = [plan for plan in every_plan(instance) if is_inside(instance, Limits(hard), plan)]
    best = min(plans, key=instance.unassigned_value)
    left = instance.unassigned_value(best) - forced_left(instance)
    scarce = solve_relaxation(build(instance, UNASSIGNED, Limits(hard)), 5.0, Clock()).prices
    leavable = may_be_left(instance, best, scarce)
    for slack in (0, 2):
        limits = Limits(hard, left + slack)
        model = build(instance, FIT, limits, leavable=leavable)
        fractions = solve_relaxation(model, 5.0, Clock())
        value = min(instance.fit_value(plan) for plan in plans if is_inside(instance, limits, plan))
        assert relaxed_bound(instance, FIT, limits, fractions.prices) <= value + 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_without_costs_the_first_levels_have_the_same_bounds(sized, instance_of, seed):
    instance = instance_of(sized(90, 6, seed=seed, load=1.1))
    plain = instance.without_costs()
    assert len(plain.allowed) < len(instance.allowed)
    plan = construct(instance, by_priority=True)
    limits = Limits(hard_limit(instance))
    assert (plain.loads(plan) == instance.loads(plan)).all()
    assert is_inside(plain, limits, plan)
    one, other = (solve_relaxation(build(own, UNASSIGNED, limits), 5.0, Clock()) for own in (instance, plain))
    assert other.value == pytest.approx(one.value)
    left = instance.unassigned_value(plan) - forced_left(instance)
    for bound in (
        lambda own: relaxed_bound(own, UNASSIGNED, limits, other.prices),
        lambda own: utilisation_bound(own, plan, left, other.prices),
        lambda own: squares_bound(own, plan, Limits(limits.load, left)),
    ):
        assert bound(plain) == pytest.approx(bound(instance))
    assert plain.without_costs() is plain


def test_minutes_are_worth_nothing_where_they_do_not_lack(instance_of):
    instance = instance_of(small(0))
    scarce = solve_relaxation(build(instance, UNASSIGNED, Limits(hard_limit(instance) * 9)), 5.0, Clock()).prices
    assert (minutes_worth(instance, scarce) == 0).all()
    plan = np.where(np.arange(instance.n) == 0, NOBODY, 1)
    assert may_be_left(instance, plan, scarce).tolist() == [True] + [False] * (instance.n - 1)


def test_others_near_by_make_room_for_a_case_whose_minutes_do_not_lack(instance_of):
    cases = pd.DataFrame({
        "case_id": ["A", "B", "C", "D"], "minutes": [40, 40, 40, 40], "territory": ["north", "both", "both", "south"],
    })  # fmt: skip
    managers = pd.DataFrame({
        "cm_id": ["X", "Y"], "capacity_minutes": [80, 120], "territories": ["north;both", "south;both"],
    })  # fmt: skip
    instance = instance_of(AllocationProblem(cases, managers))
    north = int(np.flatnonzero(instance.allowed[instance.group].sum(axis=1) == 1)[0])
    x, y = (int(np.flatnonzero(instance.capacity == minutes)[0]) for minutes in (80, 120))
    only = instance.allowed[instance.group].sum(axis=1) == 1
    is_north = only & instance.allowed[instance.group, x]
    plan = np.where(only & ~is_north, y, x)
    plan[is_north] = NOBODY
    limit = hard_limit(instance)
    market = open_market(Tally(instance, plan, limit))
    new = seated(instance, plan, limit, market, np.zeros(instance.n))
    assert north >= 0
    assert (new >= 0).all()
    assert is_inside(instance, Limits(limit), new)
