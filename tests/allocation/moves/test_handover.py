"""Tests of handover sheets and of who should not be moved just now."""

import pandas as pd
import pytest

from casestrat.allocation import handover, sensitive_cases
from casestrat.knowledge import load_program
from casestrat.tables import Tables

ON = "2026-10-05"
PEOPLE = [f"P{i}" for i in range(1, 6)]


def tables_of(**more: pd.DataFrame) -> Tables:
    """Return five people who are followed intensively since the start of the year."""
    at = {"recorded_at": "2026-01-10"}
    return Tables.from_frames({
        "persons": pd.DataFrame({"person_id": PEOPLE, **at}),
        "referrals": pd.DataFrame({"referral_id": ["R1"], "person_id": ["P1"], "referred_on": ["2026-01-02"], **at}),
        "episodes": pd.DataFrame({"episode_id": [f"E{i}" for i in range(1, 6)], "person_id": PEOPLE,
                                  "admitted_on": "2026-01-09", "intensity": "intensive", **at}),
    } | more)  # fmt: skip


@pytest.fixture(scope="module")
def agency():
    """Five people: a crisis, a planned contact, a contact long due, a review due first, and an old crisis."""
    events = pd.DataFrame({
        "event_id": ["V1", "V2", "V3", "V4", "V5"], "person_id": ["P1", "P5", "P2", "P3", "P4"],
        "kind": ["crisis", "crisis", "hospital_stay", "hospital_stay", "setting_change"],
        "observed_at": ["2026-09-28", "2026-05-01", "2026-09-01", "2026-09-30", "2026-09-20"],
        "ended_at": [None, None, "2026-09-12", None, None], "recorded_at": "2026-10-01",
    })  # fmt: skip
    contacts = pd.DataFrame({
        "contact_id": ["K1", "K2", "K3", "K4", "K5"], "episode_id": ["E1", "E2", "E2", "E3", "E4"],
        "person_id": ["P1", "P2", "P2", "P3", "P4"], "cm_id": "A",
        "kind": ["home_visit", "phone", "home_visit", "no_show", "home_visit"],
        "occurred_at": ["2026-09-30T10:00", "2026-09-29T09:00", "2026-10-06T09:00", "2026-10-01T09:00", "2026-10-04"],
        "outcome": ["reached", "reached", None, None, "reached"], "is_planned": [True, False, True, True, True],
        "recorded_at": "2026-10-04T12:00",
    })  # fmt: skip
    plans = pd.DataFrame({"plan_id": ["L4"], "episode_id": ["E4"], "person_id": ["P4"], "version": "1",
                          "starts_on": "2026-02-01", "review_due_on": "2026-10-08",
                          "recorded_at": "2026-02-01"})  # fmt: skip
    return tables_of(events=events, contacts=contacts, plans=plans)


def moves_of(*cases: str) -> pd.DataFrame:
    """Return moves of these cases."""
    return pd.DataFrame({"case_id": list(cases), "person_id": [f"P{case[1:]}" for case in cases], "from_cm": "A",
                         "to_cm": "B", "kind": "forced", "until": pd.NaT})  # fmt: skip


def test_who_must_be_seen_first_comes_first_and_the_sheet_says_why(agency):
    sheet = handover(agency, load_program("geriatric"), moves_of("E5", "E4", "E3", "E2", "E1"), ON, told=["E2"])
    assert sheet["case_id"].tolist() == ["E1", "E3", "E5", "E2", "E4"]
    assert sheet["because"].tolist() == ["crisis", "contact_due", "contact_due", "planned_contact", "plan_review"]
    rows = sheet.set_index("case_id")
    assert rows.loc["E1", ["open_crisis", "crisis_on", "see_by"]].tolist() == [
        True,
        pd.Timestamp("2026-09-28"),
        pd.Timestamp(ON),
    ]
    assert not rows.loc["E5", "open_crisis"]  # a crisis of May without an end is over
    assert rows.loc["E3", "last_contact_on"] is pd.NaT  # who did not come was not reached
    assert rows.loc["E3", "contact_due_on"] == pd.Timestamp("2026-01-23")  # two weeks after admission
    assert rows.loc["E2", ["last_contact_kind", "next_contact_on"]].tolist() == ["phone", pd.Timestamp("2026-10-06")]
    assert rows["was_told"].tolist() == [False, False, False, True, False]


def test_what_the_extract_does_not_tell_stays_unknown():
    sheet = handover(tables_of(), load_program("geriatric"), moves_of("E1"), ON)
    assert sheet[["open_crisis", "was_told", "last_contact_on", "review_due_on"]].isna().all(axis=None)
    assert sheet["because"].tolist() == ["contact_due"]


def test_people_in_crisis_or_transition_are_named_with_the_reason(agency):
    told = sensitive_cases(agency, load_program("geriatric"), ON)
    assert told[["case_id", "reason"]].to_numpy().tolist() == [
        ["E1", "crisis"], ["E2", "hospital_stay"], ["E3", "hospital_stay"], ["E4", "setting_change"],
    ]  # fmt: skip
    until = told.set_index("case_id")["until"]
    assert until["E2"] == pd.Timestamp("2026-10-12")
    assert pd.isna(until["E3"])  # still in hospital
    assert sensitive_cases(agency, load_program("geriatric"), ON, days=5)["case_id"].tolist() == ["E1", "E3"]
    assert sensitive_cases(tables_of(), load_program("geriatric"), ON).empty
