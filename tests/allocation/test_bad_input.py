"""Whatever is brought along, there is a clear error or a sound plan with its ledger: never a bare "infeasible"."""

import math

import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem, allocate, check_plan
from casestrat.errors import UsageError
from casestrat.knowledge import AllocationCosts, AllocationRules, CaseMixLimit

START = "2026-10-01"


def frames(**changes):
    cases = pd.DataFrame({
        "case_id": ["A", "B", "C"], "person_id": ["PA", "PB", "PC"], "minutes": [40, 50, 60],
        "priority": [3.0, 2.0, 1.0], "language": "fr", "jurisdiction": "J1",
    })  # fmt: skip
    managers = pd.DataFrame({
        "cm_id": ["X", "Y"], "capacity_minutes": [100, 70], "languages": "fr", "profession": "nurse",
    })  # fmt: skip
    tables = {"cases": cases, "case_managers": managers}
    for name, value in changes.items():
        table, _, column = name.partition("__")
        tables[table] = tables[table].assign(**{column: value})
    return tables


def sound(problem, **more):
    """Return a plan that says of every case either who follows it or what stands in the way."""
    plan = allocate(problem, **more)
    assert check_plan(problem, plan).empty
    assert len(plan.assignments) + len(plan.unassigned) == len(problem.cases)
    for column in ("rule", "reason", "relaxation"):
        assert plan.unassigned[column].str.len().gt(0).all()
    assert not plan.unassigned["reason"].str.contains("infeasible").any()
    return plan


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"case_managers__capacity_minutes": [-1, 70]}, "0 or more"),
        ({"case_managers__max_cases": [-1, 2]}, "0 or more"),
        ({"case_managers__experience_months": [-5, 2]}, "0 or more"),
        ({"case_managers__cm_id": ["X", "X"]}, "unique"),
        ({"cases__case_id": ["A", "A", "C"]}, "unique"),
        ({"cases__minutes": [40, math.nan, 60]}, "missing on 1 of 3 rows"),
        ({"cases__minutes": [40, math.inf, 60]}, "whole numbers"),
        ({"cases__minutes": [40, 50.5, 60]}, "whole numbers"),
        ({"cases__minutes": [40, -50, 60]}, "0 or more"),
        ({"cases__priority": [3.0, math.nan, 1.0]}, "finite number above 0"),
        ({"cases__priority": [3.0, math.inf, 1.0]}, "finite number above 0"),
        ({"cases__priority": [3.0, 0.0, 1.0]}, "finite number above 0"),
        ({"case_managers__ends_on": pd.to_datetime(["2026-01-01", None]),
          "case_managers__starts_on": pd.to_datetime(["2026-02-01", None])}, "on or after"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_what_to_do(changes, message):
    with pytest.raises(UsageError, match=message) as caught:
        AllocationProblem(**frames(**changes), starts_on=START)
    assert "What to do" in str(caught.value)


@pytest.mark.parametrize("table", ["licenses", "credentials"])
def test_rights_that_end_before_they_begin_are_refused(table):
    right = pd.DataFrame({
        "cm_id": ["X"], "profession": "nurse", "jurisdiction": "J1", "credential": "CCM",
        "valid_from": pd.Timestamp("2026-05-01"), "valid_to": pd.Timestamp("2026-04-01"),
    })  # fmt: skip
    with pytest.raises(UsageError, match=f"{table}.valid_to"):
        AllocationProblem(**frames(), **{table: right}, starts_on=START)


@pytest.mark.parametrize(
    ("pins", "message"),
    [
        ([("A", "X"), ("A", "Y")], "contradictory"),
        ([("A", "nobody")], "one of `case_managers`"),
        ([("unknown", "X")], "a case of `cases`"),
    ],
)
def test_pins_that_make_no_sense_are_refused(pins, message):
    with pytest.raises(UsageError, match=message):
        AllocationProblem(**frames(), pins=pd.DataFrame(pins, columns=["case_id", "cm_id"]))


def test_a_pin_against_a_conflict_is_told_as_such():
    problem = AllocationProblem(
        **frames(),
        pins=pd.DataFrame({"case_id": ["A"], "cm_id": ["X"]}),
        conflicts=pd.DataFrame({"person_id": ["PA"], "cm_id": ["X"]}),
    )
    left = sound(problem).unassigned.set_index("case_id")
    assert left.loc["A", "rule"] == "pins"
    assert "release the pin" in left.loc["A", "relaxation"] or "conflict" in left.loc["A", "relaxation"]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"case_managers__capacity_minutes": [0, 0]}, "capacity"),
        ({"case_managers__max_cases": [0, 0]}, "max_cases"),
        ({"case_managers__languages": [None, "it"]}, "language"),
        ({"cases__minutes": [1_000, 2_000, 10**12]}, "capacity"),
        ({"cases__skills": "none has it"}, "skills"),
        ({"case_managers__starts_on": pd.to_datetime(["2027-01-01", "2027-01-01"])}, "active"),
    ],
)
def test_where_nobody_can_follow_anybody_there_is_a_ledger(changes, rule):
    plan = sound(AllocationProblem(**frames(**changes), starts_on=START))
    assert plan.assignments.empty
    assert set(plan.unassigned["rule"]) == {rule}
    assert plan.levels["is_optimal"].iloc[0]


def test_existing_work_beyond_a_capacity_is_a_plan_that_adds_none():
    problem = AllocationProblem(**frames(case_managers__minutes_committed=[500, 70]))
    plan = sound(problem)
    assert plan.assignments.empty
    assert plan.workload["minutes_after"].tolist() == [500, 70]


@pytest.mark.parametrize("limit", [0, 0.0, 1e-9])
def test_no_time_at_all_still_gives_a_sound_plan(limit):
    plan = sound(AllocationProblem(**frames()), time_limit_s=limit)
    assert (plan.levels["bound"] <= plan.levels["value"] + 1e-6).all()
    assert len(plan.assignments) == 3


@pytest.mark.parametrize("limit", [-1, math.nan, math.inf])
def test_a_time_limit_that_is_none_is_refused(limit):
    with pytest.raises(UsageError, match="time_limit_s"):
        allocate(AllocationProblem(**frames()), time_limit_s=limit)


@pytest.mark.parametrize(
    "rules",
    [
        {"delta": -0.1}, {"delta": math.nan}, {"horizon_days": 0}, {"min_experience_months": -1},
        {"experience": {"high": -1}}, {"case_mix": (CaseMixLimit(-1, tier="high"),)},
        {"costs": AllocationCosts(continuity=-1)}, {"costs": AllocationCosts(travel=0.5)},
    ],
)  # fmt: skip
def test_rules_that_no_program_could_write_are_refused(rules):
    with pytest.raises(UsageError, match=f"rules.{next(iter(rules))}"):
        AllocationProblem(**frames(), rules=AllocationRules(**rules))


def test_costs_of_nothing_are_a_level_of_nothing():
    rules = AllocationRules(territory="preferred", costs=AllocationCosts(0, 0, 0, 0))
    plan = sound(AllocationProblem(**frames(cases__cm_id="X", cases__territory="T"), rules=rules))
    assert plan.levels.set_index("level").loc["fit", "value"] == 0


def test_a_licence_that_ends_within_the_follow_up_is_told():
    licenses = pd.DataFrame({
        "cm_id": ["X", "Y"], "profession": "nurse", "jurisdiction": "J1", "valid_from": pd.Timestamp("2020-01-01"),
        "valid_to": pd.to_datetime(["2026-12-01", "2026-10-01"]),
    })  # fmt: skip
    rules = AllocationRules(licensed_professions=("nurse",))
    plan = sound(AllocationProblem(**frames(), licenses=licenses, rules=rules, starts_on=START))
    assert set(plan.unassigned["rule"]) == {"licence"}
    assert plan.unassigned["relaxation"].str.contains("renew a licence").all()
