from itertools import product
from pathlib import Path

import numpy as np
import pytest

from casestrat.allocation.areas import own_weights
from casestrat.allocation.areas.own_weights import balance_types
from casestrat.errors import UsageError

INSTANCES = Path(__file__).resolve().parents[3] / ".." / "shared" / "instances" / "bnwp_nursedep"


def least_there_is(numbers, weights, fewest, most, load):
    """Try every table of counts."""
    weights = np.asarray(weights, dtype=float)
    ranges = [range(number + 1) for number in numbers]
    parts = [np.array(part) for part in product(*ranges) if fewest <= sum(part) <= most]
    best, total = np.inf, np.inf
    for first in product(parts, repeat=len(weights) - 1):
        last = np.array(numbers) - sum(first)
        table = np.array([*first, last])
        loads = (table * weights).sum(axis=1)
        if (last >= 0).all() and fewest <= last.sum() <= most and (loads <= load).all():
            best, total = min(best, (loads**2).sum()), min(total, loads.sum())
    return best, total


CASES = [
    ([3, 2], [[10, 30], [12, 20]], {}),
    ([3, 2, 2], [[4, 9, 5], [6, 6, 6], [1, 20, 3]], {}),
    ([3, 2, 2], [[4, 9, 5], [6, 6, 6], [1, 20, 3]], {"min_cases": 2, "max_cases": 3}),
    ([4, 3], [[4, 9], [6, 6]], {"max_load": 25}),
    ([4, 3], [[0.5, 1.25], [0.75, 1.0]], {}),
    ([2, 0], [[5, 5], [3, 1]], {}),
]


@pytest.mark.parametrize("by_solver", [False, True])
@pytest.mark.parametrize(("numbers", "weights", "limits"), CASES)
def test_a_small_plan_is_the_best_of_all_plans_in_either_way(monkeypatch, numbers, weights, limits, by_solver):
    if by_solver:
        monkeypatch.setattr(own_weights, "_MOST_STEPS", 0)
    plan = balance_types(numbers, weights, **limits)
    fewest, most = limits.get("min_cases", 1), limits.get("max_cases", sum(numbers))
    best, total = least_there_is(numbers, weights, fewest, most, limits.get("max_load", np.inf))
    assert plan.counts.sum(axis=0).tolist() == list(numbers)
    assert ((plan.counts.sum(axis=1) >= fewest) & (plan.counts.sum(axis=1) <= most)).all()
    assert plan.loads == pytest.approx((plan.counts * np.asarray(weights)).sum(axis=1))
    assert plan.loads.max() <= limits.get("max_load", np.inf)
    assert plan.sum_of_squares == pytest.approx(best, rel=1e-6)
    assert plan.bound <= plan.sum_of_squares
    assert plan.least_total == pytest.approx(total)
    assert plan.total >= plan.least_total - 1e-9
    assert plan.is_optimal or (by_solver and 0 < plan.gap < 0.02)
    spread = plan.total**2 / len(plan.loads) + len(plan.loads) * plan.standard_deviation**2
    assert plan.sum_of_squares == pytest.approx(spread)


def test_many_types_and_case_managers_are_given_with_a_bound():
    rng = np.random.default_rng(0)
    numbers, weights = rng.integers(4, 20, 8), rng.integers(5, 40, (9, 8))
    plan = balance_types(numbers, weights)
    assert plan.counts.sum(axis=0).tolist() == numbers.tolist()
    assert 0 < plan.bound <= plan.sum_of_squares
    assert plan.gap < 0.05


def test_the_order_of_case_managers_and_types_changes_no_value():
    numbers, weights = [5, 3, 4], np.array([[4, 9, 5], [6, 6, 6], [1, 20, 3]])
    plan = balance_types(numbers, weights)
    other = balance_types(numbers[::-1], weights[::-1, ::-1])
    assert other.sum_of_squares == plan.sum_of_squares


@pytest.mark.parametrize(
    ("numbers", "weights", "limits", "words"),
    [
        ([1, 2], [[1, 2, 3]], {}, "n_of_type has shape"),
        ([], [[]], {}, "n_of_type has shape"),
        (["x"], [[1]], {}, "must be numbers"),
        ([1.5], [[1]], {}, "1 numbers of cases are not whole"),
        ([-1], [[1]], {}, "1 numbers of cases are not whole"),
        ([1], [[np.nan]], {}, "1 weights are negative, missing"),
        ([1], [[-1]], {}, "1 weights are negative, missing"),
        ([1], [[1], [1]], {}, "cannot share 1 cases"),
        ([3], [[1]], {"min_cases": 3, "max_cases": 2}, "cannot share 3 cases"),
        ([9], [[1], [1]], {"max_cases": 4}, "cannot share 9 cases"),
        ([2], [[1]], {"max_load": float("nan")}, "cannot share"),
        ([2, 2], [[5, 5], [5, 5]], {"max_load": 8}, "no plan keeps max_load"),
    ],
)
def test_what_cannot_be_is_refused_in_words(numbers, weights, limits, words):
    with pytest.raises(UsageError, match=words) as refused:
        balance_types(numbers, weights, **limits)
    assert refused.value.do


def test_the_solver_tells_too_that_no_plan_is_within_the_limits(monkeypatch):
    monkeypatch.setattr(own_weights, "_MOST_CASELOADS", 0)
    with pytest.raises(UsageError, match="no plan was found"):
        balance_types([2, 2], [[5, 5], [5, 5]], max_load=8)


@pytest.mark.parametrize("path", sorted(INSTANCES.glob("*.txt")) or [INSTANCES], ids=lambda path: path.stem)
def test_published_instances_are_proven_and_the_solver_agrees(monkeypatch, path):
    if not path.is_file():
        pytest.skip("the published instances have no licence; they are read where they lie beside the checkout")
    read = np.array(path.read_text(encoding="utf-8").split(), dtype=int)
    (m, n, types, fewest, most), numbers = read[:5].tolist(), read[5 : 5 + read[2]]
    weights = read[5 + types :].reshape(m, types)
    assert numbers.sum() == n
    plan = balance_types(numbers, weights, fewest, most)
    assert plan.is_optimal
    if m > 3:  # the solver's way takes longer, and was compared once for all of them
        return
    monkeypatch.setattr(own_weights, "_MOST_STEPS", 0)
    other = balance_types(numbers, weights, fewest, most)
    assert other.bound <= plan.sum_of_squares <= other.sum_of_squares
