import numpy as np
import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem, allocate, check_plan, solve
from casestrat.allocation.at_scale.wide import fractions_within
from casestrat.allocation.solver.clock import Clock
from casestrat.allocation.solver.relaxation import Limits

pytestmark = pytest.mark.usefixtures("unhurried")


@pytest.fixture
def every_problem_is_large(monkeypatch):
    """Take the way of large problems."""
    monkeypatch.setattr(solve, "WIDE_PAIRS", 0)


@pytest.mark.parametrize("load", [0.85, 0.93, 1.15])
def test_a_large_problem_is_solved_soundly_and_closely(sized, load, every_problem_is_large):
    problem = sized(200, 12, seed=4, load=load)
    plan = allocate(problem, time_limit_s=5)
    assert check_plan(problem, plan).empty
    levels = plan.levels.set_index("level")
    assert (levels["bound"] <= levels["value"] + 1e-9).all()
    assert levels.loc["unassigned", "gap"] < 0.15
    assert levels.loc["largest_utilisation", "gap"] < 0.03
    if load < 1:
        assert levels.loc["unassigned", "is_optimal"]
        assert levels.loc["fit", "gap"] < 0.25  # of the few case managers nobody has room


def test_a_large_problem_has_the_same_plan_for_the_same_seed(sized, every_problem_is_large):
    problem = sized(100, 7, seed=5, load=1.05)
    one, two = (allocate(problem, time_limit_s=2, random_state=1) for _ in range(2))
    pd.testing.assert_frame_equal(one.assignments, two.assignments)
    pd.testing.assert_frame_equal(one.levels, two.levels)


def test_a_large_problem_without_time_is_sound_and_bounded(sized, monkeypatch):
    monkeypatch.setattr(solve, "WIDE_PAIRS", 0)
    problem = sized(150, 10, seed=6, load=0.95)
    plan = allocate(problem, time_limit_s=0)
    assert check_plan(problem, plan).empty
    assert (plan.levels["bound"] <= plan.levels["value"]).all()


def test_case_weights_of_too_many_sums_are_placed_all_the_same(every_problem_is_large):
    rng = np.random.default_rng(1)
    cases = pd.DataFrame({
        "case_id": [f"C{i:02d}" for i in range(60)], "minutes": rng.integers(301, 900, 60),
        "cm_id": rng.choice(["X", "Y", "Z"], 60),
    })  # fmt: skip
    managers = pd.DataFrame({"cm_id": list("XYZ"), "capacity_minutes": int(cases["minutes"].sum() / 2.6)})
    problem = AllocationProblem(cases, managers)
    plan = allocate(problem, time_limit_s=1)
    assert check_plan(problem, plan).empty
    assert plan.unassigned.empty


def test_lines_are_laid_where_the_squares_are_too_great(instance_of):
    cases = pd.DataFrame({"case_id": [f"C{i:02d}" for i in range(20)], "minutes": 50, "cm_id": "X"})
    managers = pd.DataFrame({"cm_id": ["X", "Y"], "capacity_minutes": 1_000})
    instance = instance_of(AllocationProblem(cases, managers))
    plan = np.arange(20) % 2
    free, most = fractions_within(instance, plan, Limits(instance.capacity, 0.0), 10.0, Clock())
    model, fractions = fractions_within(instance, plan, Limits(instance.capacity, 0.0, 600.0), 10.0, Clock())
    assert not free.cuts
    assert model.cuts
    assert (most.load**2 / instance.capacity).sum() == pytest.approx(1_000)
    assert (fractions.load**2 / instance.capacity).sum() <= 610
    assert fractions.value > most.value


def test_level_3_of_a_large_problem_is_not_searched_where_nobody_has_a_wish(every_problem_is_large, monkeypatch):
    cases = pd.DataFrame({"case_id": [f"C{i:02d}" for i in range(40)], "minutes": [30, 42] * 20})
    managers = pd.DataFrame({"cm_id": list("XYZ"), "capacity_minutes": 600})
    monkeypatch.setattr(solve, "fitted", lambda *_: pytest.fail("there is nothing to search for"))
    fit = allocate(AllocationProblem(cases, managers), time_limit_s=2).levels.set_index("level").loc["fit"]
    assert fit["value"] == fit["bound"] == 0
