import numpy as np
import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem
from casestrat.allocation.at_scale import squeeze
from casestrat.allocation.at_scale.bargains import cheapen
from casestrat.allocation.at_scale.squeeze import crowd, fill, rounded_in
from casestrat.allocation.at_scale.tally import Tally
from casestrat.allocation.at_scale.trades import even_out, open_market, relieve
from casestrat.allocation.problem.objective import FIT, LARGEST, sum_of_squares
from casestrat.allocation.solver.clock import Clock
from casestrat.allocation.solver.draft import NOBODY, hard_limit
from casestrat.allocation.solver.exact import is_inside, spread
from casestrat.allocation.solver.relaxation import Limits, build, solve_relaxation
from casestrat.allocation.solver.search import construct
from casestrat.knowledge.program_allocation import CaseMixLimit


@pytest.fixture
def agency(sized, instance_of):
    """Arrays of 300 cases and 20 case managers, and a plan of them."""
    instance = instance_of(sized(300, 20, seed=3, load=0.9))
    return instance, construct(instance, by_priority=False)


def squares(instance, plan):
    return sum_of_squares(instance.loads(plan), instance.capacity)


def holds_true(tally):
    """Whether the counts, minutes and places of a tally are those of the plan it stands for."""
    again = Tally(tally.instance, tally.dealt(), tally.limit)
    return all(np.array_equal(getattr(tally, name), getattr(again, name)) for name in ("counts", "load", "places"))


def test_a_tally_gives_back_its_plan(agency):
    instance, plan = agency
    again = Tally(instance, plan, hard_limit(instance)).dealt()
    assert np.array_equal(again == NOBODY, plan == NOBODY)
    assert np.array_equal(instance.loads(again), instance.loads(plan))


def test_moved_and_added_cases_are_counted(agency):
    instance, plan = agency
    plan[5] = NOBODY
    tally = Tally(instance, plan, hard_limit(instance))
    pairs = np.flatnonzero(tally.groups == instance.group[5])
    tally.put(5, int(pairs[0]))
    assert tally.dealt()[5] != NOBODY
    assert holds_true(tally)
    tally.move(pairs[tally.counts[pairs] > 0][:1], pairs[-1:])
    assert holds_true(tally)


def test_evening_out_lowers_the_squares_and_breaks_no_rule(agency):
    instance, plan = agency
    limit = hard_limit(instance)
    tally = Tally(instance, plan, limit)
    assert even_out(tally, open_market(tally))
    new = tally.dealt()
    assert squares(instance, new) < squares(instance, plan)
    assert is_inside(instance, Limits(limit), new)
    assert holds_true(tally)
    assert np.array_equal(new == NOBODY, plan == NOBODY)


def test_evening_out_can_leave_the_cost_as_it_is(agency):
    instance, plan = agency
    tally = Tally(instance, plan, hard_limit(instance))
    even_out(tally, open_market(tally, keeps_cost=True))
    assert instance.fit_value(tally.dealt()) == instance.fit_value(plan)
    assert squares(instance, tally.dealt()) <= squares(instance, plan)


def test_two_small_cases_go_for_a_large_one(instance_of):
    cases = pd.DataFrame({"case_id": list("ABC"), "minutes": [60, 30, 30]})
    managers = pd.DataFrame({"cm_id": ["X", "Y"], "capacity_minutes": [70, 210], "skills": None})
    instance = instance_of(AllocationProblem(cases, managers))
    small = int(np.argmin(instance.capacity))
    plan = np.where(instance.weight[instance.group].max(axis=1) == 60, small, 1 - small)
    tally = Tally(instance, plan, hard_limit(instance))
    even_out(tally, open_market(tally))
    assert sorted(tally.load.tolist()) == [30, 90]


def test_bargains_lower_the_cost_within_every_limit(agency):
    instance, plan = agency
    limits = Limits(hard_limit(instance), 0.0, 1.01 * squares(instance, plan))
    tally = Tally(instance, plan, limits.load)
    assert cheapen(tally, open_market(tally), limits)
    new = tally.dealt()
    assert instance.fit_value(new) < 0.5 * instance.fit_value(plan)
    assert is_inside(instance, limits, new)


def test_a_bargain_that_the_squares_do_not_allow_is_not_made(agency):
    instance, plan = agency
    tally = Tally(instance, plan, hard_limit(instance))
    even_out(tally, open_market(tally))
    limits = Limits(hard_limit(instance), 0.0, sum_of_squares(tally.load, instance.capacity))
    cheapen(tally, open_market(tally), limits)
    assert is_inside(instance, limits, tally.dealt())


def test_limits_on_sorts_of_cases_hold_in_every_exchange(instance_of, rules):
    rng = np.random.default_rng(0)
    cases = pd.DataFrame({
        "case_id": [f"C{i:02d}" for i in range(40)], "minutes": rng.choice([20, 30, 44], 40),
        "tier": rng.choice(["high", "low"], 40), "cm_id": rng.choice(["X", "Y"], 40),
    })  # fmt: skip
    managers = pd.DataFrame({"cm_id": list("XYZW"), "capacity_minutes": [600, 500, 400, 400]})
    mixed = rules(case_mix=(CaseMixLimit(most=7, tier="high"),))
    instance = instance_of(AllocationProblem(cases, managers, rules=mixed))
    plan = construct(instance, by_priority=False)
    limits = Limits(hard_limit(instance), 0.0)
    tally = Tally(instance, plan, limits.load)
    even_out(tally, open_market(tally))
    cheapen(tally, open_market(tally), limits)
    assert is_inside(instance, limits, tally.dealt())
    assert (instance.mix.left(instance.group, tally.dealt()) == tally.mix).all()


def test_fractions_become_a_plan_that_places_everyone(agency):
    instance, _ = agency
    hard = hard_limit(instance)
    model = build(instance, LARGEST, Limits(hard, 0.0))
    fractions = solve_relaxation(model, 10, Clock())
    whole = spread(model, np.floor(fractions.counts + 1e-6).astype(np.int64))
    plan = rounded_in(model, fractions).dealt()
    assert ((whole >= 0) <= (plan >= 0)).all()
    assert np.array_equal(plan == NOBODY, instance.hopeless)
    assert is_inside(instance, Limits(hard, 0.0), plan)


def test_room_is_made_for_a_case_by_an_exchange_as_long_as_steps_are_left(instance_of, monkeypatch):
    cases = pd.DataFrame({"case_id": list("ABCD"), "minutes": [50, 30, 20, 40], "skills": [None, None, None, "rare"]})
    managers = pd.DataFrame({"cm_id": ["X", "Y"], "capacity_minutes": [90, 60], "skills": ["rare", None]})
    instance = instance_of(AllocationProblem(cases, managers))
    x = int(np.argmax(instance.capacity))
    minutes = instance.weight[instance.group].max(axis=1)
    plan = np.select([minutes == 50, minutes == 40], [1 - x, NOBODY], x)  # X: 30 + 20, Y: 50; the rare one is left
    plan[minutes == 50], plan[minutes == 30], plan[minutes == 20] = x, x, 1 - x
    tally = Tally(instance, plan, hard_limit(instance))
    monkeypatch.setattr(squeeze, "_LOOKS", 0)  # no step is left to look for an exchange
    fill(tally, np.flatnonzero(minutes == 40), None)
    assert (tally.dealt() < 0).sum() == 1
    monkeypatch.undo()
    fill(tally, np.flatnonzero(minutes == 40), None)
    assert (tally.dealt() >= 0).all()
    assert is_inside(instance, Limits(hard_limit(instance), 0.0), tally.dealt())


def test_who_is_crowded_above_a_limit_is_relieved(agency):
    instance, plan = agency
    load = instance.loads(plan)
    left = np.flatnonzero(plan >= 0)[::40]
    placed = plan >= 0
    plan[left] = NOBODY
    tally = Tally(instance, plan, hard_limit(instance))
    crowd(tally, left)
    assert relieve(tally, open_market(tally))
    assert np.array_equal(tally.dealt() >= 0, placed)
    assert (tally.load <= tally.limit).all()
    assert tally.load.sum() == load.sum()


def test_case_weights_of_too_many_sums_are_left_to_others(instance_of):
    cases = pd.DataFrame({"case_id": [f"C{i:02d}" for i in range(30)], "minutes": 400 + np.arange(30) ** 2})
    managers = pd.DataFrame({"cm_id": ["X", "Y"], "capacity_minutes": 9_000})
    instance = instance_of(AllocationProblem(cases, managers))
    tally = Tally(instance, construct(instance, by_priority=False), hard_limit(instance))
    market = open_market(tally)
    assert not even_out(tally, market)
    assert not cheapen(tally, market, Limits(tally.limit, 0.0))
    assert not relieve(tally, market)


def test_minutes_that_differ_between_case_managers_are_left_to_others(instance_of):
    problem = AllocationProblem.from_costs([[1, 2], [2, 1]], [[10, 20], [20, 10]], [50, 50])
    instance = instance_of(problem)
    assert open_market(Tally(instance, np.array([0, 1]), hard_limit(instance))) is None


def test_the_relaxation_of_the_cost_is_rounded_closely(agency):
    instance, _ = agency
    limits = Limits(hard_limit(instance), 0.0)
    model = build(instance, FIT, limits)
    fractions = solve_relaxation(model, 10, Clock())
    tally = rounded_in(model, fractions)
    cheapen(tally, open_market(tally), limits)
    assert instance.fit_value(tally.dealt()) <= 1.1 * fractions.value + 4


def test_only_couples_without_room_for_a_case_are_passed_over(agency):
    instance, plan = agency
    tally = Tally(instance, plan, hard_limit(instance))
    market = open_market(tally)
    together = squeeze._free_together(tally, market)
    free = tally.limit - tally.load
    n_asked = n_couples = 0
    for group in range(len(instance.allowed)):
        pairs = np.flatnonzero(tally.groups == group)
        asked = squeeze._with_room(tally, market, pairs, together)
        wanted = {
            (int(pair), couple)
            for pair in pairs
            for couple, two in enumerate(zip(market.first.tolist(), market.second.tolist(), strict=True))
            if tally.managers[pair] in two
            and sum(free[list(two)] // market.unit) * market.unit >= instance.weight[group, tally.managers[pair]]
        }
        assert set(zip(asked.pairs.tolist(), asked.couples.tolist(), strict=True)) == wanted
        for side, room in zip((market.first, market.second), asked.room, strict=True):
            takes = side[asked.couples] == tally.managers[asked.pairs]
            needed = np.where(takes, instance.weight[group, tally.managers[asked.pairs]], 0)
            assert np.array_equal(room, free[side[asked.couples]] - needed)
        n_asked, n_couples = n_asked + len(wanted), n_couples + len(pairs) * (instance.m - 1)
    assert 0 < n_asked < n_couples
