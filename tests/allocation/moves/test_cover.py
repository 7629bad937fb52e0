"""Tests of cover: overloads by name, backup leads, step-down candidates; nobody is simply left."""

from dataclasses import replace

import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem, backups_of, check_plan, reallocate, step_down_candidates
from casestrat.errors import UsageError
from casestrat.knowledge import load_program
from casestrat.knowledge.program import AllocationRules
from casestrat.tables import Tables

ON = "2026-10-05"


@pytest.fixture
def full():
    """Two case managers without room for what a third leaves behind."""
    cases = pd.DataFrame({
        "case_id": ["C1", "C2", "C3", "C4"], "person_id": ["P1", "P2", "P3", "P4"], "minutes": [40, 50, 90, 90],
        "priority": [1, 2, 1, 1], "jurisdiction": "J1", "cm_id": ["A", "A", "B", "C"],
    })  # fmt: skip
    staff = pd.DataFrame({"cm_id": ["A", "B", "C"], "capacity_minutes": [100, 100, 100], "profession": "nurse"})
    licenses = pd.DataFrame(
        {"cm_id": ["A", "B"], "profession": "nurse", "jurisdiction": "J1", "valid_to": ["2027-12-31"] * 2}
    )
    return AllocationProblem(
        cases, staff, licenses=licenses, rules=AllocationRules(licensed_professions=("nurse",)), starts_on=ON
    )


def overload(**changes: object) -> pd.DataFrame:
    """One agreed overload, with something changed."""
    row = {"cm_id": "B", "limit_minutes": 40, "ends_on": "2026-11-30", "approver": "team lead", "reason": "post empty"}
    return pd.DataFrame([{**row, **changes}])


def test_an_agreed_overload_covers_somebody_until_its_end_and_no_longer(full):
    assert len(reallocate(full, leaver="A", max_moves=0).unassigned) == 2
    moved = reallocate(full, leaver="A", max_moves=0, overloads=overload())
    assert check_plan(moved.problem, moved).empty
    assert moved.unassigned["case_id"].tolist() == ["C1"]
    told = moved.cover.iloc[0]
    assert told[["case_id", "cm_id", "for_cm", "how", "approver", "reason"]].tolist() == [
        "C2", "B", "A", "overload", "team lead", "post empty",
    ]  # fmt: skip
    assert told["until"] == pd.Timestamp("2026-11-30")
    assert moved.moves.set_index("case_id").loc["C2", "until"] == pd.Timestamp("2026-11-30")
    assert moved.workload.set_index("cm_id").loc["B", "capacity_minutes"] == 140


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ({}, ["C1", "C2"]),  # minutes alone do not raise the number of cases
        ({"limit_cases": 1}, ["C1"]),
        ({"limit_cases": 2, "limit_minutes": 80}, []),
        ({"limit_cases": 1, "limit_minutes": 0}, ["C1", "C2"]),  # nor a number of cases the minutes
    ],
)
def test_more_cases_than_the_most_are_only_taken_where_they_were_agreed_too(full, changes, left):
    limited = replace(full, case_managers=full.case_managers.assign(max_cases=[9, 1, 1]))
    moved = reallocate(limited, leaver="A", max_moves=0, overloads=overload(**changes))
    assert check_plan(moved.problem, moved).empty
    assert moved.unassigned["case_id"].tolist() == left
    used = len(left) < 2
    most = moved.problem.case_managers.set_index("cm_id").loc["B", "max_cases"]
    assert most == 1 + changes.get("limit_cases", 0) * used
    assert moved.cover["how"].tolist() == ["overload"] * (2 - len(left))


def test_an_overload_of_cases_alone_takes_what_the_minutes_allow(full):
    roomy = replace(full, cases=full.cases.assign(minutes=[5, 5, 90, 90]),
                    case_managers=full.case_managers.assign(max_cases=[9, 1, 1]))  # fmt: skip
    moved = reallocate(roomy, leaver="A", max_moves=0, overloads=overload(limit_minutes=0, limit_cases=1))
    assert moved.unassigned["case_id"].tolist() == ["C1"]
    assert moved.cover[["case_id", "cm_id", "how"]].to_numpy().tolist() == [["C2", "B", "overload"]]


def test_a_backup_lead_without_contract_or_clearance_covers_nobody(full):
    asked = replace(full, cases=full.cases.assign(payer=["plan", None, None, None], clearances=[None, "part2"] * 2),
                    rules=replace(full.rules, payer_contracts={"plan": "contract"}))  # fmt: skip
    backups = pd.DataFrame({"case_id": ["C1", "C2"], "cm_id": ["B", "B"]})
    assert reallocate(asked, leaver="A", max_moves=0, backups=backups).cover.empty
    held = pd.DataFrame({"cm_id": "B", "credential": ["contract", "part2"]})
    moved = reallocate(replace(asked, credentials=held), leaver="A", max_moves=0, backups=backups)
    assert moved.cover["how"].tolist() == ["backup", "backup"]


def test_an_overload_that_nobody_needs_is_not_used(full):
    roomy = AllocationProblem(
        full.cases.assign(minutes=[5, 5, 90, 90]),
        full.case_managers,
        licenses=full.licenses,
        rules=full.rules,
        starts_on=ON,
    )
    moved = reallocate(roomy, leaver="A", max_moves=0, overloads=overload())
    assert moved.cover.empty
    assert moved.workload.set_index("cm_id").loc["B", "capacity_minutes"] == 100


def test_a_backup_lead_covers_who_is_still_left_if_the_law_allows_it(full):
    backups = pd.DataFrame({"case_id": ["C1", "C1", "C2", "C2"], "cm_id": ["C", "B", "A", "C"]})
    moved = reallocate(full, leaver="A", max_moves=0, backups=backups)
    assert moved.cover[["case_id", "cm_id", "how"]].to_numpy().tolist() == [["C1", "B", "backup"]]  # C has no licence
    assert moved.cover["until"].iloc[0] == pd.Timestamp("2026-11-01")  # four weeks
    assert moved.uncovered["case_id"].tolist() == ["C2"]
    assert moved.unassigned["case_id"].tolist() == ["C1", "C2"]  # a backup is no lead


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ends_on": None}, "`overloads.ends_on` is missing"),
        ({"approver": None}, "`overloads.approver` is missing"),
        ({"approver": " "}, "`overloads.approver` must be told"),
        ({"reason": ""}, "`overloads.reason` must be told"),
        ({"limit_minutes": 0}, "1 or more minutes"),
        ({"limit_minutes": -1, "limit_cases": 1}, "0 or more"),
        ({"limit_cases": -1}, "0 or more"),
        ({"cm_id": "A"}, "a case manager who stays"),
        ({"cm_id": "Z"}, "a case manager who stays"),
        ({"ends_on": "2026-09-01"}, "on or after the first day"),
    ],
)
def test_an_overload_needs_a_name_a_limit_an_end_an_approver_and_a_reason(full, changes, message):
    with pytest.raises(UsageError, match=message):
        reallocate(full, leaver="A", overloads=overload(**changes))


def test_overloads_and_backups_that_make_no_sense_are_refused(full):
    with pytest.raises(UsageError, match="unique"):
        reallocate(full, leaver="A", overloads=pd.concat([overload(), overload()]))
    with pytest.raises(UsageError, match="a case of `cases`"):
        reallocate(full, backups=pd.DataFrame({"case_id": ["C9"], "cm_id": ["B"]}))
    with pytest.raises(UsageError, match="one of `case_managers`"):
        reallocate(full, backups=pd.DataFrame({"case_id": ["C1"], "cm_id": ["Z"]}))
    undated = AllocationProblem(full.cases, full.case_managers)
    with pytest.raises(UsageError, match="a backup lead needs an end"):
        reallocate(undated, backups=pd.DataFrame({"case_id": ["C1"], "cm_id": ["B"]}))


@pytest.fixture(scope="module")
def agency():
    """Three people, two of them with plans to review, one with a backup lead."""
    at = {"recorded_at": "2026-01-10"}
    people = ["P1", "P2", "P3"]
    return Tables.from_frames({
        "persons": pd.DataFrame({"person_id": people, **at}),
        "referrals": pd.DataFrame({"referral_id": ["R1"], "person_id": ["P1"], "referred_on": ["2026-01-02"], **at}),
        "episodes": pd.DataFrame({"episode_id": ["E1", "E2", "E3"], "person_id": people, "admitted_on": "2026-01-09",
                                  "intensity": ["watch", "watch", "intensive"], **at}),
        "case_managers": pd.DataFrame({"cm_id": ["A", "B"], "minutes_per_week": [500, 500]}),
        "assignments": pd.DataFrame({
            "assignment_id": ["1", "2", "3"], "episode_id": ["E1", "E1", "E2"], "person_id": ["P1", "P1", "P2"],
            "cm_id": ["A", "B", "A"], "role": ["lead", "backup", "backup"], "from_on": "2026-01-10",
            "to_on": [None, None, "2026-02-01"], **at}),
        "plans": pd.DataFrame({"plan_id": ["L1", "L2", "L3"], "episode_id": ["E1", "E2", "E3"], "person_id": people,
                               "version": "1", "starts_on": "2026-01-15",
                               "review_due_on": ["2026-09-20", "2026-12-01", "2026-03-01"], **at}),
    })  # fmt: skip


def test_backup_leads_are_those_on_file_that_have_not_ended(agency):
    assert backups_of(agency, ON)[["case_id", "cm_id"]].to_numpy().tolist() == [["E1", "B"]]


def test_reviews_that_are_due_in_the_lowest_tier_are_listed_and_nobody_is_stepped_down(agency):
    program = load_program("geriatric")
    problem = AllocationProblem.from_tables(agency, program, None, ON)
    due = step_down_candidates(problem, agency, program, ON)
    assert due[["case_id", "cm_id", "tier", "days_overdue"]].to_numpy().tolist() == [["E1", "A", "low", 15]]
