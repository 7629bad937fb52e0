"""Laws of what is told of staffing beside a plan, and of limits on sorts of cases."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from casestrat.allocation import AllocationProblem, allocate, binding, check_plan, what_would_help
from casestrat.allocation.admission.wants import fewest_rules
from casestrat.knowledge import AllocationRules, CaseMixLimit

pytestmark = pytest.mark.usefixtures("unhurried")

FEW = settings(
    max_examples=4, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],
)  # fmt: skip


@st.composite
def problems(draw: st.DrawFn) -> AllocationProblem:
    """A few cases of different tiers and languages, two or three case managers, limits on sorts, experience."""
    n, m = draw(st.integers(1, 6)), draw(st.integers(1, 3))

    def pick(values: list, size: int) -> list:
        return [draw(st.sampled_from(values)) for _ in range(size)]

    cases = pd.DataFrame({
        "case_id": [f"C{i}" for i in range(n)], "person_id": [f"P{i}" for i in range(n)],
        "minutes": pick([10, 20, 30], n), "priority": pick([1.0, 2.0, 5.0], n), "tier": pick(["high", "low", None], n),
        "kind": pick(["open", "proposed"], n), "language": pick(["fr", "it", None], n),
        "jurisdiction": pick(["J1", "J1;J2", None], n),
    })  # fmt: skip
    managers = pd.DataFrame({
        "cm_id": [f"M{j}" for j in range(m)], "team": pick(["a", "b"], m), "profession": pick(["nurse", "other"], m),
        "capacity_minutes": pick([0, 30, 50], m), "languages": pick(["fr", "fr;it"], m),
        "experience_months": pick([0, 24, None], m), "max_cases": pick([None, 1, 3], m),
    })  # fmt: skip
    licenses = pd.DataFrame({"cm_id": pick(managers["cm_id"].tolist(), 2), "profession": "nurse",
                             "jurisdiction": pick(["J1", "J2"], 2)})  # fmt: skip
    rules = AllocationRules(
        licensed_professions=("nurse",), experience={"high": draw(st.sampled_from([0, 12]))},
        case_mix=(CaseMixLimit(draw(st.integers(0, 2)), tier="high"), CaseMixLimit(2, kind="proposed")),
    )  # fmt: skip
    return AllocationProblem(cases, managers, licenses=licenses, rules=rules)


@FEW
@given(problems())
def test_limits_on_sorts_are_kept_order_changes_nothing_and_who_is_left_over_is_held_up(
    problem: AllocationProblem,
) -> None:
    plan = allocate(problem, time_limit_s=0.2)
    assert check_plan(problem, plan).empty
    assert (plan.levels["bound"] <= plan.levels["value"] + 1e-6).all()
    other = AllocationProblem(
        problem.cases[::-1], problem.case_managers[::-1], licenses=problem.licenses[::-1], rules=problem.rules
    )
    pd.testing.assert_frame_equal(allocate(other, time_limit_s=0.2).assignments, plan.assignments)
    told = binding(problem, plan)
    assert told.empty == plan.unassigned.empty
    assert (told.loc[told["kind"] == "rule", "n_cases"] <= len(plan.unassigned)).all()


@FEW
@given(problems(), st.integers(0, 80))
def test_a_hire_of_more_minutes_places_no_fewer(problem: AllocationProblem, minutes: int) -> None:
    plan = allocate(problem, time_limit_s=0.2)
    some, roomy = (what_would_help(problem, plan, minutes=one) for one in (minutes, 10_000))
    assert some["minutes_placed"].between(0, plan.unassigned["minutes"].sum()).all()
    assert (some["cases_placed"] <= len(plan.unassigned)).all()
    assert roomy["minutes_placed"].sum() >= some["minutes_placed"].sum()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=5))
def test_of_the_fewest_rules_none_can_be_left_out(rows: list[list[bool]]) -> None:
    allowed = {f"rule{number}": np.array(row) for number, row in enumerate(rows)}
    kept = fewest_rules(allowed)
    everyone = np.logical_and.reduce(list(allowed.values()))
    assert (kept == ()) == everyone.any()
    if kept:
        assert not np.logical_and.reduce([allowed[name] for name in kept]).any()
        for name in kept[:]:
            rest = [allowed[other] for other in kept if other != name]
            assert not rest or np.logical_and.reduce(rest).any()
