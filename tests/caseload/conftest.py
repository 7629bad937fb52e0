"""Small tables whose counts can be told by heart, and the shipped example."""

import pandas as pd
import pytest

from casestrat.knowledge import load_program
from casestrat.synthetic import load_example
from casestrat.tables import Tables

AS_OF = pd.Timestamp("2026-10-01")


@pytest.fixture(scope="session")
def geriatric():
    return load_program("geriatric")


@pytest.fixture(scope="session")
def example():
    return load_example("geriatric")


def frame(columns, *rows):
    return pd.DataFrame([dict(zip(columns.split(), row, strict=True)) for row in rows])


@pytest.fixture(scope="session")
def hand(geriatric):
    """Six people: E1 to E4 followed by CM1 (north) or CM2 (south), one of them closed; P5 and P6 wait."""
    people = ["P1", "P2", "P3", "P4", "P5", "P6"]
    places = ["north", "north", "south", "south", "north", None]
    frames = {
        "persons": pd.DataFrame({"person_id": people, "territory": places, "recorded_at": "2025-01-01"}),
        "referrals": frame(
            "referral_id person_id referred_on is_complete recorded_at",
            ("R1", "P1", "2026-01-05", "true", "2026-01-05"),
            ("R2", "P2", "2026-01-05", "true", "2026-01-05"),
            ("R5", "P5", "2026-09-01", "true", "2026-09-02"),
            ("R6", "P6", "2026-08-22", "", "2026-08-23"),
        ),
        "episodes": frame(
            "episode_id person_id referral_id admitted_on closed_on close_reason intensity state recorded_at",
            ("E1", "P1", "R1", "2026-02-01", None, None, "intensive", "active", "2026-02-01"),
            ("E2", "P2", "R2", "2026-02-10", "2026-09-20", "moved", "standard", "active", "2026-02-10"),
            ("E3", "P3", None, "2026-03-01", None, None, "watch", "active", "2026-03-01"),
            ("E4", "P4", None, "2026-09-15", None, None, None, "active", "2026-09-15"),
        ),
        "case_managers": frame(
            "cm_id team fte minutes_per_week max_cases starts_on ends_on",
            ("CM2", "south", 0.5, 1000, None, "2025-01-01", None),
            ("CM1", "north", 1.0, 2000, 30, "2025-01-01", None),
            ("CM3", "south", 1.0, 2000, 30, "2025-01-01", "2026-06-30"),
        ),
        "assignments": frame(
            "assignment_id episode_id person_id cm_id role from_on to_on recorded_at",
            ("G1", "E1", "P1", "CM1", "lead", "2026-02-01", None, "2026-02-01"),
            ("G2", "E2", "P2", "CM1", "lead", "2026-02-10", "2026-09-20", "2026-02-10"),
            ("G3", "E3", "P3", "CM3", "lead", "2026-03-01", "2026-06-30", "2026-03-01"),
            ("G4", "E3", "P3", "CM2", "lead", "2026-07-01", None, "2026-07-01"),
            ("G5", "E1", "P1", "CM2", "backup", "2026-02-01", None, "2026-02-01"),
        ),
        "contacts": frame(
            "contact_id episode_id person_id cm_id occurred_at kind outcome recorded_at",
            ("K1", "E1", "P1", "CM1", "2026-09-10T10:00:00", "home_visit", "reached", "2026-09-10"),
            ("K2", "E1", "P1", "CM1", "2026-09-24T10:00:00", "home_visit", "unable_to_reach", "2026-09-24"),
            ("K3", "E1", "P1", "CM1", "2026-10-04T10:00:00", "home_visit", None, "2026-09-24"),
            ("K4", "E3", "P3", "CM2", "2026-08-01T10:00:00", "home_visit", "reached", "2026-08-01"),
            ("K5", "E3", "P3", "CM2", "2026-09-30T10:00:00", "phone", "reached", "2026-10-02"),
            ("K6", "E1", "P1", "CM1", "2026-09-12T10:00:00", "phone", "reached", "2026-09-12"),
        ),
        "decisions": frame(
            "decision_id referral_id person_id outcome reason decided_at decided_by recorded_at",
            ("D1", "R1", "P1", "admit", "criteria_met", "2026-01-25T14:00:00", "committee", "2026-01-25"),
            ("D2", "R2", "P2", "admit", "criteria_met", "2026-01-25T14:00:00", "committee", "2026-01-25"),
        ),
    }
    tables = Tables.from_frames(frames, geriatric)
    assert not len(tables.set_aside), tables.set_aside
    return tables
