"""One small agency by hand, that every test of the features reads."""

import pandas as pd
import pytest

from casestrat.knowledge import load_program
from casestrat.tables import Extract, Tables


def _rows(columns, *rows):
    return pd.DataFrame(rows, columns=columns.split())


@pytest.fixture(scope="session")
def frames():
    return {
        "persons": _rows(
            "person_id birth_year birth_month neurodegenerative sex observed_from recorded_at",
            ("P1", 1940, 6, True, "f", "2024-01-01", "2024-01-01"),
            ("P2", 1950, None, None, "m", "2025-12-01", "2024-01-01"),
            ("P3", None, None, False, "f", "2024-01-01", "2024-01-01"),
        ),
        "referrals": _rows(
            "referral_id person_id referred_on recorded_at urgency source no_capable_entourage is_complete consent",
            ("R1", "P1", "2025-06-01", "2025-06-01", 2, "gp", True, True, "yes"),
            ("R2", "P1", "2025-09-01", "2025-09-01", 3, "hospital", False, True, "yes"),
            ("R3", "P2", "2025-06-01", "2025-06-01", 1, "gp", None, True, "no"),
        ),
        "events": _rows(
            "event_id person_id kind observed_at recorded_at is_planned amount ended_at",
            ("E1", "P1", "fall", "2025-10-01", "2025-10-01", None, None, None),
            ("E2", "P1", "fall", "2025-12-20", "2025-12-21", None, None, None),
            ("E3", "P1", "fall", "2025-12-30", "2026-01-01", None, None, None),  # recorded on the date: not known
            ("E4", "P1", "hospital_stay", "2025-11-01", "2025-11-02", False, 100.0, "2025-11-08"),
            ("E5", "P1", "hospital_stay", "2025-11-11", "2025-11-12", True, 50.5, None),
            ("E6", "P2", "hospital_stay", "2025-12-15", "2025-12-15", None, 9.0, "2025-12-20"),
        ),
        "measurements": _rows(
            "measurement_id person_id kind value unit observed_at recorded_at",
            ("M1", "P1", "weight", 60.0, "kg", "2025-10-01", "2025-10-01"),
            ("M2", "P1", "weight", 58.0, "kg", "2025-10-11", "2025-10-11"),
            ("M3", "P1", "weight", 57.0, "kg", "2025-10-31", "2025-10-31"),
            ("M4", "P2", "weight", 80.0, "kg", "2025-12-20", "2025-12-20"),
        ),
        "person_facts": _rows(
            "person_id fact value valid_from valid_to recorded_at",
            ("P1", "lives_alone", "no", "2024-01-01", "2025-12-01", "2024-01-01"),
            ("P1", "lives_alone", "yes", "2025-12-02", None, "2025-12-05"),
            ("P2", "lives_alone", "unknown", "2024-01-01", None, "2024-01-01"),
            ("P1", "setting", "home", "2024-01-01", None, "2024-01-01"),
            ("P2", "setting", "unknown", "2024-01-01", None, "2024-01-01"),
            ("P1", "caregiver", "2", "2024-01-01", None, "2024-01-01"),
        ),
        "assessments": _rows(
            "assessment_id person_id instrument observed_at recorded_at total",
            ("A1", "P1", "cesd", "2025-10-01", "2025-10-01", 12),
            ("A2", "P1", "cesd", "2025-12-01", "2025-12-01", 24),
            ("A3", "P1", "cesd", "2025-12-20", "2025-12-20", None),  # no score: not valid
            ("A4", "P2", "cesd", "2024-06-01", "2024-06-01", 30),
        ),
    }


@pytest.fixture(scope="session")
def tables(frames):
    tables = Tables.from_frames(
        frames, program=load_program("geriatric"), extract=Extract(program="geriatric", data_start="2024-01-01")
    )
    assert set(tables.set_aside["table"]) <= {"measurements"}, tables.set_aside.to_string()
    return tables


@pytest.fixture(scope="session")
def spine():
    return pd.DataFrame(
        {"person_id": ["P1", "P2", "P3", "P1"], "as_of": pd.to_datetime(["2026-01-01"] * 3 + ["2025-11-05"])}
    )
