from itertools import combinations, product

import numpy as np
import pytest

from casestrat.allocation.own_costs.knapsacks import Costs, best_caseloads, best_taken, forced_costs


@pytest.fixture(params=range(6))
def small(request):
    rng = np.random.default_rng(request.param)
    cost = rng.integers(1, 20, (7, 3)).astype(float)
    cost[rng.random((7, 3)) < 0.15] = np.inf
    cost[np.isinf(cost).all(axis=1), 0] = 5.0
    return Costs(cost, rng.integers(0, 9, (7, 3)), rng.integers(8, 25, 3)), rng.integers(0, 20, 7).astype(float)


def caseloads_of(costs, manager):
    able = np.flatnonzero(costs.allowed[:, manager])
    for size in range(len(able) + 1):
        for cases in combinations(able.tolist(), size):
            if costs.weight[list(cases), manager].sum() <= costs.room[manager]:
                yield cases


def values_of(costs, prices, manager):
    gain = costs.cost[:, manager] - prices
    return sorted(sum(gain[case] for case in cases) for cases in caseloads_of(costs, manager))


def test_the_bound_is_the_sum_of_the_best_caseloads(small):
    costs, prices = small
    expected = prices.sum() + sum(values_of(costs, prices, manager)[0] for manager in range(costs.m))
    taken = best_taken(costs, prices)
    assert taken.bound == pytest.approx(expected)
    load = np.where(taken.pairs, costs.weight, 0).sum(axis=0)
    assert np.all(load <= costs.room)
    found = prices.sum() + np.where(taken.pairs, np.where(taken.pairs, costs.cost, 0) - prices[:, None], 0).sum()
    assert found == pytest.approx(expected)


def test_no_plan_costs_less_than_the_bound(small):
    costs, prices = small
    bound = best_taken(costs, prices).bound
    plans = (np.array(plan) for plan in product(range(costs.m), repeat=costs.n))
    assert all(costs.value(plan) >= bound - 1e-9 for plan in plans if costs.fits(plan))


@pytest.mark.parametrize("most", [1, 5, 40])
def test_the_best_caseloads_are_those_of_all_caseloads(small, most):
    costs, prices = small
    for manager in range(costs.m):
        gain = costs.cost[:, manager] - prices
        listed = best_caseloads(costs, prices, manager, most)
        assert len({tuple(row) for row in listed.tolist()}) == len(listed)
        values = [gain[row].sum() for row in listed]
        assert values == pytest.approx(values_of(costs, prices, manager)[:most])


def test_caseloads_within_a_distance_are_all_listed(small):
    costs, prices = small
    for manager in range(costs.m):
        values = np.array(values_of(costs, prices, manager))
        listed = best_caseloads(costs, prices, manager, 10_000, within=6.0)
        assert len(listed) == int((values <= values[0] + 6.0 + 1e-9).sum())


def test_forcing_a_pair_raises_the_bound_by_what_the_best_caseload_with_it_costs_more(small):
    costs, prices = small
    rises = forced_costs(costs, prices)
    for manager in range(costs.m):
        gain = costs.cost[:, manager] - prices
        best = values_of(costs, prices, manager)[0]
        for case in range(costs.n):
            with_it = [sum(gain[c] for c in cases) for cases in caseloads_of(costs, manager) if case in cases]
            expected = min(with_it) - best if with_it else np.inf
            assert rises[case, manager] == pytest.approx(expected)
