from dataclasses import replace

import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem, allocate, check_plan
from casestrat.allocation.plan.checker import require_sound
from casestrat.errors import CasestratError

START = "2026-10-01"


@pytest.fixture
def solved(rules):
    """A problem with every kind of rule, and its plan."""
    cases = pd.DataFrame({
        "case_id": list("ABCDE"), "person_id": ["PA", "PB", "PC", "PD", "PE"], "minutes": [40, 30, 20, 10, 10],
        "territory": ["T1", "T1", "T2", None, None], "jurisdiction": "J1", "language": ["fr", "it", "fr", "it", "fr"],
        "interpreter_needed": [False, False, False, True, False], "skills": [None, "rare", None, None, None],
        "cm_id": [None, None, None, None, "X"], "is_fixed": [False] * 4 + [True],
        "required": [None, None, None, "language=fr", None], "payer": ["plan", None, "unknown", "state", None],
        "clearances": [None, "part2", None, None, None], "guardian_language": [None, None, "ar", None, None],
    })  # fmt: skip
    managers = pd.DataFrame({
        "cm_id": ["X", "Y", "Z"], "capacity_minutes": [60, 60, 100], "profession": ["nurse", "nurse", "other"],
        "languages": ["fr", "fr;it", "fr;ar"], "skills": [None, "rare", "interpreter"],
        "territories": ["T1", "T1", None],
        "starts_on": pd.to_datetime([START, START, "2026-01-01"]), "gender": ["f", "m", "f"], "max_cases": [3, 3, 2],
    })  # fmt: skip
    problem = AllocationProblem(
        cases, managers,
        licenses=pd.DataFrame({
            "cm_id": ["X", "Y"], "profession": "nurse", "jurisdiction": ["J1", "J2"], "compact": "NLC",
            "valid_from": pd.Timestamp("2020-01-01"), "valid_to": pd.Timestamp("2030-01-01"),
        }),
        credentials=pd.DataFrame({
            "cm_id": list("XYZXY"), "credential": ["DIU", "DIU", "DIU", "contract", "part2"],
            "valid_from": pd.Timestamp("2020-01-01"),
        }),
        conflicts=pd.DataFrame({"person_id": ["PC"], "cm_id": ["X"]}),
        preferences=pd.DataFrame({
            "person_id": ["PA", "PC"], "kind": "gender", "value": "f", "is_required": [True, False],
        }),
        pins=pd.DataFrame({"case_id": ["D"], "cm_id": ["Z"]}),
        rules=rules(
            professions=("nurse", "other"), licensed_professions=("nurse",), credentials=("DIU",),
            payer_contracts={"plan": "contract", "state": ""}, guardian_language="beside",
        ),
        starts_on=START,
    )  # fmt: skip
    return problem, allocate(problem)


def moved(plan, case_id, cm_id):
    """The plan with one case given to another case manager by hand."""
    rows = plan.assignments.copy()
    rows.loc[rows["case_id"] == case_id, "cm_id"] = cm_id
    return replace(plan, assignments=rows)


def broken(problem, plan):
    return set(check_plan(problem, plan)["rule"])


def test_a_sound_plan_has_no_faults(solved):
    problem, plan = solved
    assert check_plan(problem, plan).empty
    assert require_sound(problem, plan) is plan
    assert len(plan.assignments) == 5


@pytest.mark.parametrize(
    ("case_id", "cm_id", "rule"),
    [
        ("C", "X", "territory"),
        ("C", "X", "conflicts"),
        ("C", "Y", "guardian"),
        ("A", "Z", "payer"),
        ("B", "X", "confidentiality"),
        ("B", "Z", "skills"),
        ("B", "Z", "language"),
        ("A", "Y", "preferences"),
        ("D", "X", "pins"),
        ("D", "X", "language"),
        ("E", "Z", "fixed"),
        ("C", "Q", "known"),
        ("C", "X", "workload"),
    ],
)
def test_a_case_given_to_the_wrong_one_is_found(solved, case_id, cm_id, rule):
    problem, plan = solved
    assert rule in broken(problem, moved(plan, case_id, cm_id))


@pytest.mark.parametrize(
    ("frame", "changes", "rule"),
    [
        ("case_managers", {"profession": "lawyer"}, "profession"),
        ("case_managers", {"starts_on": pd.Timestamp("2026-10-05")}, "active"),
        ("case_managers", {"ends_on": pd.Timestamp("2026-10-05")}, "active"),
        ("case_managers", {"capacity_minutes": 5}, "capacity"),
        ("case_managers", {"max_cases": 0}, "max_cases"),
        ("licenses", {"valid_to": pd.Timestamp("2026-11-05")}, "licence"),
        ("licenses", {"compact": None}, "licence"),
        ("credentials", {"valid_to": pd.Timestamp("2026-11-05")}, "credentials"),
        ("credentials", {"valid_to": pd.Timestamp("2026-11-05")}, "payer"),
        ("credentials", {"valid_to": pd.Timestamp("2026-11-05")}, "confidentiality"),
        ("cases", {"payer": "no contract"}, "payer"),
        ("cases", {"guardian_language": "de"}, "guardian"),
    ],
)
def test_a_plan_that_was_made_for_other_facts_is_found(solved, frame, changes, rule):
    problem, plan = solved
    changed = replace(problem, **{frame: getattr(problem, frame).assign(**changes)})
    assert rule in broken(changed, plan)


def test_a_case_that_appears_twice_or_not_at_all_is_found(solved):
    problem, plan = solved
    twice = replace(plan, assignments=pd.concat([plan.assignments, plan.assignments.head(1)]))
    lost = replace(plan, assignments=plan.assignments.head(3))
    assert "once" in broken(problem, twice)
    assert "once" in broken(problem, lost)


def test_values_and_bounds_that_are_wrong_are_found(solved):
    problem, plan = solved
    for changes in ({"value": plan.levels["value"] + 1}, {"bound": plan.levels["value"] + 1}):
        assert "levels" in broken(problem, replace(plan, levels=plan.levels.assign(**changes)))


def test_a_workload_out_of_order_is_found(solved):
    problem, plan = solved
    assert "workload" in broken(problem, replace(plan, workload=plan.workload[::-1]))


def test_capacity_is_worked_out_again_from_absences(solved):
    problem, plan = solved
    away = pd.DataFrame({"cm_id": ["X", "X", "Y"], "from_on": ["2026-09-20", "2026-10-05", "2026-11-01"],
                         "to_on": ["2026-10-07", "2026-10-14", None]})  # fmt: skip
    absent = replace(problem, absences=away)
    assert absent.capacity.tolist() == [30, 60, 100]
    assert check_plan(absent, allocate(absent)).empty
    assert {"capacity", "workload", "levels"} <= broken(absent, plan)
    absent.__dict__["capacity"] = problem.capacity  # a fault of the program must not hide itself
    assert {"capacity", "workload", "levels"} <= broken(absent, plan)


def test_a_plan_with_faults_is_not_handed_out(solved):
    problem, plan = solved
    with pytest.raises(CasestratError, match="breaks"):
        require_sound(problem, moved(plan, "C", "X"))


def test_own_costs_are_added_up_again():
    problem = AllocationProblem.from_costs([[3, 1], [1, 2]], [[10, 20], [30, 40]], [50, 50])
    plan = allocate(problem)
    assert check_plan(problem, plan).empty
    assert broken(problem, moved(plan, "C1", "CM1")) >= {"levels", "workload"}


def test_soft_terms_are_added_up_again(rules):
    cases = pd.DataFrame({"case_id": ["A"], "minutes": 10, "language": "it", "territory": "T2", "cm_id": "gone"})
    managers = pd.DataFrame({"cm_id": ["X"], "capacity_minutes": 60, "languages": "fr", "territories": "T1"})
    problem = AllocationProblem(cases, managers, rules=rules(language="preferred", territory="preferred"))
    plan = allocate(problem)
    assert plan.levels["value"].iloc[3] == 5.0
    assert check_plan(problem, plan).empty


@pytest.mark.parametrize(("way", "cost"), [("ignored", 3.0), ("beside", 6.0), ("instead", 3.0)])
def test_every_language_that_counts_and_is_only_preferred_is_added_up_again(rules, way, cost):
    cases = pd.DataFrame({
        "case_id": ["A", "B"], "minutes": 10, "language": ["it", "fr"], "guardian_language": ["ar", None],
    })  # fmt: skip
    managers = pd.DataFrame({"cm_id": ["X"], "capacity_minutes": 60, "languages": "fr"})
    problem = AllocationProblem(cases, managers, rules=rules(language="preferred", guardian_language=way))
    plan = allocate(problem)
    assert plan.levels["value"].iloc[3] == cost
    assert check_plan(problem, plan).empty
