"""A tiny agency of three people, as text cells, that every test changes to its liking."""

# ruff: noqa: E501  tables are drawn one row a line

from __future__ import annotations

import pandas as pd
import pytest

from casestrat.knowledge import load_program
from casestrat.tables import Extract, Tables

DAY = "2026-01-02"


def agency_frames() -> dict[str, pd.DataFrame]:
    """Three people; the first is followed, the second waits, the third was deferred."""
    tables = {
        "persons": """
            person_id birth_year sex territory jurisdiction language interpreter_needed neurodegenerative objects_to_scoring
            P1 1940 f north FR fr false false false
            P2 1935 m north FR fr false true false
            P3 1951 f south FR it true false false""",
        "referrals": """
            referral_id person_id referred_on source is_professional consent urgency reasons is_complete
            R1 P1 2025-03-01 hospital true yes 2 falls true
            R2 P2 2025-11-01 gp true yes 1 falls;isolation true
            R3 P3 2025-10-01 family false represented 0 isolation true""",
        "case_managers": """
            cm_id team profession fte minutes_per_week languages skills territories starts_on
            C1 a nurse 1 2100 fr;it dementia north;south 2020-01-01
            C2 a social_worker 0.5 1050 fr housing north 2021-01-01""",
        "licenses": """
            cm_id profession jurisdiction valid_from valid_to
            C1 nurse FR 2020-01-01 2027-12-31""",
        "episodes": """
            episode_id person_id referral_id admitted_on state
            E1 P1 R1 2025-04-01 active""",
        "assignments": """
            assignment_id episode_id person_id cm_id role from_on
            A1 E1 P1 C1 lead 2025-04-02""",
        "services": """
            service_id domain territory
            S1 housing north""",
        "committee_meetings": """
            meeting_id held_on territory places
            M1 2025-03-20 north 3
            M2 2025-12-20 south 2""",
        "decisions": """
            decision_id meeting_id referral_id person_id outcome reason decided_by decided_at rank_shown is_override defer_until
            D1 M1 R1 P1 admit criteria_met chair 2025-03-20 1 false .
            D2 M2 R3 P3 defer ask_information chair 2025-12-20 1 false 2026-01-10""",
        "events": """
            event_id person_id kind observed_at is_planned amount
            V1 P1 fall 2025-05-01 . .
            V2 P2 hospital_stay 2025-06-01T10:30:00 false 1200.5
            V3 P2 fall 2025-07-01 . .
            V4 P3 ed_visit 2025-08-01 . .""",
        "contacts": """
            contact_id episode_id person_id cm_id occurred_at kind minutes travel_minutes is_planned
            T1 E1 P1 C1 2025-05-02T09:00:00 home_visit 60 20 true""",
        "assessments": """
            assessment_id person_id instrument observed_at assessor_role mode
            G1 P1 katz 2025-04-10 nurse face""",
        "responses": """
            assessment_id person_id item value
            G1 P1 bathing 1
            G1 P1 dressing 0""",
        "measurements": """
            measurement_id person_id kind value unit observed_at
            B1 P1 weight 61.5 kg 2025-05-02
            B2 P1 weight 60.5 kg 2025-06-02""",
        "plans": """
            plan_id episode_id person_id version starts_on review_due_on
            L1 E1 P1 1 2025-05-01 2025-11-01""",
    }  # fmt: skip
    frames = {name: _drawn(text) for name, text in tables.items()}
    people = ("person_id", "assessment_id")
    return {
        name: frame.assign(recorded_at=DAY) if any(column in frame for column in people) else frame
        for name, frame in frames.items()
    }


def _drawn(text: str) -> pd.DataFrame:
    """Return a table drawn as text: words apart by blanks, a point for nothing."""
    header, *rows = [line.split() for line in text.strip().splitlines()]
    return pd.DataFrame([["" if cell == "." else cell for cell in row] for row in rows], columns=header)


@pytest.fixture(scope="session")
def geriatric():
    return load_program("geriatric")


@pytest.fixture
def frames() -> dict[str, pd.DataFrame]:
    """The whole agency."""
    return agency_frames()


@pytest.fixture
def few(frames) -> dict[str, pd.DataFrame]:
    """The tables that most rules can be shown on; a check of them is quicker."""
    return {name: frames[name] for name in ("persons", "referrals", "events")}


@pytest.fixture
def check():
    """Check frames, with the first and last day given."""

    def checked(frames: dict[str, pd.DataFrame], program=None, **extract) -> Tables:
        days = {"data_start": "2020-01-01", "data_end": "2025-12-31"}
        return Tables.from_frames(frames, program, Extract(**{**days, **extract}))

    return checked


@pytest.fixture
def reasons():
    """Return what was set aside as a list of (table, line, column, rule)."""

    def listed(tables: Tables) -> list[tuple[str, int, str, str]]:
        rows = tables.set_aside[["table", "line", "column", "rule"]]
        return [tuple(row) for row in rows.itertuples(index=False)]

    return listed
