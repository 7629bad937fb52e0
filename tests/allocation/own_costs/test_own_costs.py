import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from casestrat.allocation import AllocationProblem, allocate
from casestrat.allocation.own_costs.case_prices import Menu, Priced, by_caseloads, by_steps
from casestrat.allocation.own_costs.few_pairs import (
    Budget,
    cheaper,
    deal_on,
    from_menu,
    group_by_group,
    kicked,
    on_pairs,
)
from casestrat.allocation.own_costs.knapsacks import Costs, best_caseloads, best_taken
from casestrat.allocation.own_costs.own_costs import Placing, place
from casestrat.allocation.solve import Ladder
from casestrat.allocation.solver.clock import Clock
from casestrat.allocation.solver.draft import hard_limit
from casestrat.allocation.solver.exact import is_inside
from casestrat.allocation.solver.relaxation import Limits
from casestrat.allocation.solver.search import construct

INSTANCES = Path(__file__).resolve().parents[3] / ".." / "shared" / "instances" / "gap"


def later():
    return Clock().after(60)


def made(seed, n=7, m=3, slack=1.25):
    rng = np.random.default_rng(seed)
    cost, weight = rng.integers(10, 60, (n, m)).astype(float), rng.integers(3, 12, (n, m))
    return Costs(cost, weight, np.full(m, int(np.ceil(slack * weight.mean() * n / m))))


def best_value(costs):
    plans = (np.array(plan) for plan in product(range(costs.m), repeat=costs.n))
    return min((costs.value(plan) for plan in plans if costs.fits(plan)), default=np.inf)


def first_plan(costs):
    everyone = np.ones((costs.n, costs.m), dtype=bool)
    wrong = Costs(np.ones_like(costs.cost), costs.weight, costs.room)
    return deal_on(wrong, everyone, np.arange(costs.n), np.arange(costs.m), 100, later())[0]


@pytest.mark.parametrize("seed", range(5))
def test_small_problems_are_placed_at_the_least_cost_there_is(seed):
    costs = made(seed)
    placing = Placing(costs, first_plan(costs), 5.0, later(), np.random.default_rng(0))
    found = placing.run(costs.cost.min(axis=1), -np.inf)
    assert costs.fits(found.plan)
    assert costs.value(found.plan) == best_value(costs)
    assert found.bound <= costs.value(found.plan)


def test_steps_and_caseloads_only_raise_the_bound():
    costs = made(3, n=12, m=4, slack=0.85)
    prices = costs.cost.min(axis=1)
    start = best_taken(costs, prices).bound
    stepped = by_steps(costs, prices, start * 1.1, 40, later())
    menu = Menu(costs)
    generated = by_caseloads(costs, stepped, menu, 10, 20, later())
    assert start < stepped.bound <= generated.bound
    assert best_taken(costs, generated.prices).bound == pytest.approx(generated.bound)
    assert len(menu) == len({(m, tuple(c)) for m, c in zip(menu.managers, menu.cases, strict=True)})


def test_steps_stop_at_the_deadline():
    costs = made(1)
    assert by_steps(costs, costs.cost.min(axis=1), 1e6, 10, Clock().after(-1)).bound == -np.inf
    start = Priced(costs.cost.min(axis=1), 0.0)
    assert by_caseloads(costs, start, Menu(costs), 5, 5, Clock().after(-1)) is start


def test_a_menu_of_all_caseloads_holds_the_best_plan():
    costs = made(4)
    menu = Menu(costs)
    for manager in range(costs.m):
        menu.add(manager, best_caseloads(costs, np.zeros(costs.n), manager, 10_000))
    plan, bound = from_menu(costs, first_plan(costs), menu, 1_000, later())
    assert costs.value(plan) == pytest.approx(best_value(costs)) == pytest.approx(bound)


def test_a_menu_of_nothing_keeps_the_plan():
    costs = made(4)
    plan = first_plan(costs)
    kept, _ = from_menu(costs, plan, Menu(costs), 10, later())
    assert np.array_equal(kept, plan)


def test_pairs_that_allow_no_plan_prove_that_none_is_better():
    costs = made(5)
    plan = first_plan(costs)
    none = np.zeros((costs.n, costs.m), dtype=bool)
    none[:, 0] = True  # more than the first could carry
    kept, bound = on_pairs(costs, plan, none, 10, later())
    assert np.array_equal(kept, plan)
    assert bound == np.inf


def test_a_plan_that_breaks_a_room_is_never_taken():
    costs = made(6)
    plan = first_plan(costs)
    assert cheaper(costs, plan, None) is plan
    assert cheaper(costs, plan, np.zeros(costs.n, dtype=np.int64)) is plan
    assert cheaper(costs, plan, np.full(costs.n, -1)) is plan


@pytest.mark.parametrize("m", [4, 30])
def test_groups_dealt_anew_only_better_a_plan_and_kicks_keep_the_rooms(m):
    costs = made(7, n=60, m=m)
    plan, pairs = first_plan(costs), np.ones((60, m), dtype=bool)
    rng, budget = np.random.default_rng(0), Budget(15, 20, later())
    prices = np.sort(costs.cost, axis=1)[:, 1]
    new = group_by_group(costs, plan, pairs, prices, 3, budget, rng)
    assert costs.fits(new)
    assert costs.value(new) < costs.value(plan)
    assert budget.rounds <= 0 or m == 4
    assert costs.fits(kicked(costs, new, pairs, 3, 20.0, budget, rng))


def test_no_time_means_no_change():
    costs = made(7, n=30, m=4)
    plan, pairs = first_plan(costs), np.ones((30, 4), dtype=bool)
    spent = Budget(10, 20, Clock().after(-1))
    assert group_by_group(costs, plan, pairs, costs.cost.min(axis=1), 2, spent, np.random.default_rng(0)) is plan
    assert np.array_equal(kicked(costs, plan, pairs, 2, 1.0, spent, np.random.default_rng(0)), plan)


def problem_of(costs):
    return AllocationProblem.from_costs(costs.cost.T, costs.weight.T, costs.room)


def test_the_same_seed_gives_the_same_plan_whatever_the_order_of_the_cases(instance_of):
    costs = made(9, n=60, m=5)
    turned = Costs(costs.cost[::-1], costs.weight[::-1], costs.room)
    values = []
    for given in (costs, costs, turned):
        instance = instance_of(problem_of(given))
        start, limits = construct(instance, by_priority=False), Limits(hard_limit(instance), 0.0)
        found = place(instance, limits, start, 0.1, later(), np.random.default_rng(3))
        values.append((instance.fit_value(found.plan), found.bound, found.plan.tolist()))
    assert values[0] == values[1]
    assert values[2][:2] == values[0][:2]


def test_costs_with_fractions_get_a_bound_that_is_not_rounded():
    costs = made(10, n=60, m=5)
    problem = problem_of(Costs(costs.cost + 0.25, costs.weight, costs.room))
    levels = allocate(problem, time_limit_s=1.0).levels.set_index("level")
    assert levels.loc["fit", "bound"] <= levels.loc["fit", "value"]
    assert levels.loc["fit", "gap"] < 0.02


def test_an_hour_short_is_left_to_the_general_way(instance_of):
    instance = instance_of(problem_of(made(11, n=60, m=5)))
    plan = np.zeros(instance.n, dtype=np.int64)
    rng = np.random.default_rng(0)
    assert place(instance, Limits(hard_limit(instance), 1.0), plan, 1.0, later(), rng) is None
    assert place(instance, Limits(hard_limit(instance), 0.0), plan - 1, 1.0, later(), rng) is None


def test_minutes_too_many_for_knapsacks_are_left_to_the_general_way(instance_of):
    costs = made(11, n=60, m=5)
    instance = instance_of(problem_of(Costs(costs.cost, costs.weight * 1_000_003 + 1, costs.room * 1_000_003 + 60)))
    rng = np.random.default_rng(0)
    assert place(instance, Limits(hard_limit(instance), 0.0), np.zeros(60, dtype=np.int64), 1.0, later(), rng) is None


def published(name):
    path = INSTANCES / f"{name}.json"
    if not path.exists():
        pytest.skip("the published instances have no licence; they are read where they lie beside the checkout")
    given = json.loads(path.read_text(encoding="utf-8"))
    return AllocationProblem.from_costs(given["cost"], given["resource"], given["capacity"]), given["best_known"]


@pytest.mark.parametrize("name", ["a05100", "a10100", "gap0515-1", "gap0515-2", "gap0515-3"])
def test_easy_published_instances_are_placed_at_the_best_known(instance_of, monkeypatch, name):
    problem, best_known = published(name)
    monkeypatch.setattr("casestrat.allocation.own_costs.own_costs._FEWEST_PAIRS", 10)
    instance = instance_of(problem)
    limits = Limits(hard_limit(instance), 0.0)
    start = Ladder(instance, 1.0, 0).place_all(limits.load)
    found = place(instance, limits, start, 1.0, later(), np.random.default_rng(0))
    assert is_inside(instance, limits, found.plan)
    assert found.bound == best_known == instance.fit_value(found.plan)


@pytest.mark.parametrize(("name", "above"), [("d10100", 0.1), ("c10400", 0.1)])
def test_hard_published_instances_are_placed_near_the_best_known(name, above):
    problem, best_known = published(name)
    levels = allocate(problem, time_limit_s=1.0).levels.set_index("level")
    assert levels.loc["unassigned", "value"] == 0
    assert levels.loc["fit", "bound"] <= best_known <= levels.loc["fit", "value"] <= best_known * (1 + above)
