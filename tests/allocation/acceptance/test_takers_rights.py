"""Tests of who may take a case over: contracts with payers and clearances, from the first day to the last."""

from dataclasses import replace

import pandas as pd
import pytest

from casestrat.allocation.acceptance.takers_rights import takers_without_rights
from casestrat.knowledge import Clearance, load_program
from casestrat.tables import Tables

AT = {"recorded_at": "2026-01-10"}
CONTRACT = {"payer_contracts": {"plan": "contract"}}
PART2 = {"confidential": (Clearance("part2", "neurodegenerative"),)}


@pytest.fixture(scope="module")
def agency():
    """One person whose payer changes in November, one whose records are open; B's contract ends with October."""
    people = {"person_id": ["P1", "P2"], **AT}
    return Tables.from_frames({
        "persons": pd.DataFrame({**people, "neurodegenerative": [True, False]}),
        "referrals": pd.DataFrame({"referral_id": ["R1"], "person_id": ["P1"], "referred_on": ["2026-01-02"], **AT}),
        "episodes": pd.DataFrame({"episode_id": ["E1", "E2"], **people, "admitted_on": "2026-01-09"}),
        "case_managers": pd.DataFrame({"cm_id": ["B", "C"], "minutes_per_week": 500}),
        "credentials": pd.DataFrame({"cm_id": ["B", "C"], "credential": ["contract", "part2"],
                                     "valid_from": "2026-01-01", "valid_to": ["2026-10-31", None]}),
        "enrollments": pd.DataFrame({"person_id": ["P1", "P1"], "from_on": ["2026-01-01", "2026-11-01"],
                                     "to_on": ["2026-10-31", None], "payer": ["plan", "unknown"], **AT}),
    })  # fmt: skip


@pytest.fixture
def refused(agency):
    """Return the rules that assignments break: case, case manager, first day and last."""

    def ask(changes, *rows):
        program = load_program("geriatric")
        program = replace(program, allocation=replace(program.allocation, **changes))
        frame = pd.DataFrame(rows, columns=["episode_id", "cm_id", "from_on", "to_on"])
        days = {name: frame[name].astype("datetime64[us]") for name in ("from_on", "to_on")}
        ids = [f"A{number}" for number in range(len(frame))]
        told = takers_without_rights(agency, program, frame.assign(assignment_id=ids, **days))
        return told[["assignment_id", "rule"]].to_numpy().tolist()

    return ask


def test_a_contract_must_hold_as_long_as_the_assignment_does(refused):
    rows = [
        ("E1", "B", "2026-10-01", "2026-10-31"), ("E1", "B", "2026-10-02", None), ("E1", "B", "2026-12-01", None),
        ("E2", "C", "2026-10-01", None),
    ]  # fmt: skip
    assert refused(CONTRACT, *rows) == [["A1", "payer"]]
    assert refused({}, *rows) == []
    assert refused(CONTRACT) == []


def test_records_that_are_confidential_go_to_those_who_are_cleared(refused):
    rows = [("E1", "B", "2026-10-01", None), ("E1", "C", "2026-10-01", None), ("E2", "B", "2026-10-01", None)]
    assert refused(PART2, *rows) == [["A0", "confidentiality"]]
    assert refused(PART2 | CONTRACT, *rows) == [["A0", "payer"], ["A1", "payer"], ["A0", "confidentiality"]]


def test_who_is_unknown_is_left_to_the_other_rules(refused):
    assert refused(PART2, ("E1", "Z", "2026-10-01", None), ("E9", "B", "2026-10-01", None)) == []
