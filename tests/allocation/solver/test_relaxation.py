import numpy as np
import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem
from casestrat.allocation.problem.objective import FIT, LARGEST, SQUARES, UNASSIGNED, sum_of_squares
from casestrat.allocation.solver.clock import Clock
from casestrat.allocation.solver.draft import hard_limit
from casestrat.allocation.solver.relaxation import (
    Limits,
    Prices,
    bound_of,
    build,
    cuts_at,
    minute_unit,
    solve_relaxation,
    tranches,
)


@pytest.fixture
def instance(sized, instance_of):
    return instance_of(sized(120, 8, seed=2, load=0.9))


def test_cases_alike_are_counted_together(instance):
    group, priority, number = tranches(instance)
    assert number.sum() == (~instance.hopeless).sum()
    assert (number * priority).sum() == pytest.approx(instance.priority[~instance.hopeless].sum())
    assert len(group) == len(priority)


@pytest.mark.parametrize("level", [UNASSIGNED, LARGEST, FIT])
def test_the_prices_prove_the_value_of_the_relaxation(instance, level):
    limits = Limits(hard_limit(instance), None if level == UNASSIGNED else 500.0)
    fractions = solve_relaxation(build(instance, level, limits), 10, Clock())
    assert bound_of(instance, level, limits, fractions.prices) == pytest.approx(fractions.value, rel=1e-6, abs=1e-6)
    assert (fractions.load <= instance.capacity + 1e-6).all()


@pytest.mark.parametrize("level", [SQUARES, FIT])
def test_prices_prove_a_bound_with_squares_too(instance, level):
    hard = hard_limit(instance)
    peak = solve_relaxation(build(instance, LARGEST, Limits(hard, 500.0)), 10, Clock())
    cuts = cuts_at(instance, peak.load, (-8, -4, -1, 0, 3, 9))
    squares = sum_of_squares(peak.load, instance.capacity) * 1.02
    limits = Limits(hard, 500.0, squares if level == FIT else None)
    fractions = solve_relaxation(build(instance, level, limits, cuts), 10, Clock())
    bound = bound_of(instance, level, limits, fractions.prices)
    # Lines lie below the curve between whole loads, so the curve's own bound is never lower by more than rounding.
    assert bound <= fractions.value * 1.02 + 1e-6 or level == SQUARES
    assert bound >= 0.9 * fractions.value - 1e-6


def test_any_prices_of_0_or_more_prove_a_bound(instance):
    rng = np.random.default_rng(0)
    limits = Limits(hard_limit(instance), 0.0)
    value = solve_relaxation(build(instance, LARGEST, limits), 10, Clock())
    best = 1.0 if value is None else value.value
    for _ in range(20):
        prices = Prices(rng.random(instance.m), rng.random(instance.m) * 0.01)
        assert bound_of(instance, LARGEST, limits, prices) <= best + 1e-9


def test_prices_of_squares_without_a_limit_prove_nothing(instance):
    slopes = np.ones(instance.m)
    prices = Prices(slopes, np.zeros(instance.m), slopes=slopes)
    assert bound_of(instance, FIT, Limits(hard_limit(instance), 0.0), prices) == -np.inf


def test_no_time_and_no_pairs_give_no_relaxation(instance, three, instance_of):
    model = build(instance, UNASSIGNED, Limits(hard_limit(instance)))
    assert solve_relaxation(model, 0.0, Clock()) is None
    nobody = instance_of(AllocationProblem(three[0].assign(skills="rare"), three[1]))
    assert solve_relaxation(build(nobody, UNASSIGNED, Limits(hard_limit(nobody))), 5.0, Clock()) is None


def test_a_relaxation_without_a_solution_gives_none(instance_of):
    cases = pd.DataFrame({"case_id": ["A", "B"], "minutes": [60, 60]})
    instance = instance_of(AllocationProblem(cases, pd.DataFrame({"cm_id": ["X"], "capacity_minutes": [100]})))
    assert solve_relaxation(build(instance, FIT, Limits(hard_limit(instance), 0.0)), 5.0, Clock()) is None


def test_cuts_touch_the_curve_at_whole_loads_and_never_lie_above_it(instance):
    load = instance.before + 3.0 * minute_unit(instance)
    capacity = instance.capacity.astype(float)
    for cut in cuts_at(instance, load, (0, 1, 5)):
        for k in range(12):
            at = instance.before + k * minute_unit(instance)
            assert (cut.slope * at - cut.offset <= at**2 / capacity + 1e-9).all()
    first = cuts_at(instance, load, (0,))[0]
    np.testing.assert_allclose(first.slope * load - first.offset, load**2 / capacity)


def test_the_minute_unit_divides_every_weight(instance):
    unit = minute_unit(instance)
    assert unit == 2
    assert (instance.weight[instance.allowed] % unit == 0).all()
