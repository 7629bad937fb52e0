import pandas as pd
import pytest

import casestrat
from casestrat.errors import UsageError
from casestrat.timeline import landmarks, make_spine


def _days(dates):
    assert dates.dtype == "datetime64[us]"
    return dates.strftime("%Y-%m-%d").tolist()


@pytest.mark.parametrize(
    ("start", "end", "every", "expected"),
    [
        ("2026-01-01", "2026-04-01", "month", ["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01"]),
        ("2026-01-15", "2026-04-14", "month", ["2026-01-15", "2026-02-15", "2026-03-15"]),
        ("2023-12-31", "2024-03-31", "month", ["2023-12-31", "2024-01-31", "2024-02-29", "2024-03-31"]),
        ("2026-01-01", "2026-01-29", 14, ["2026-01-01", "2026-01-15", "2026-01-29"]),
        ("2026-01-01", "2026-01-28", 14, ["2026-01-01", "2026-01-15"]),
        ("2026-01-01", "2026-01-01", "month", ["2026-01-01"]),
        (pd.Timestamp("2026-01-01"), pd.Timestamp("2026-01-02"), 1, ["2026-01-01", "2026-01-02"]),
    ],
)
def test_landmarks_go_from_the_first_date_to_the_last_both_in_it(start, end, every, expected):
    assert _days(landmarks(start, end, every)) == expected


def test_two_years_of_months_are_25_dates_on_the_first_of_each():
    dates = casestrat.landmarks("2024-01-01", "2026-01-01")
    assert len(dates) == 25
    assert (dates.day == 1).all()


@pytest.mark.parametrize(
    ("start", "end", "every", "words"),
    [
        ("2026-02-01", "2026-01-01", "month", "comes before the first"),
        ("soon", "2026-01-01", "month", "start is not a date"),
        ("2026-01-01", None, "month", "end is missing"),
        ("2026-01-01", pd.Timestamp("2026-02-01", tz="Europe/Paris"), "month", "time zone"),
        ("2026-01-01", "2026-02-01", 0, "number of days"),
        ("2026-01-01", "2026-02-01", True, "number of days"),
        ("2026-01-01", "2026-02-01", "week", "every='month' or a number of days"),
    ],
)
def test_landmarks_that_cannot_be_made_are_refused(start, end, every, words):
    with pytest.raises(UsageError, match=words):
        landmarks(start, end, every)


def test_a_spine_of_landmarks_asks_about_each_person_as_long_as_they_wait_or_are_enrolled(made, geriatric):
    tables = made(
        persons=[{"person_id": person, "recorded_at": "2025-01-01"} for person in ("P1", "P2")],
        referrals=[{"referral_id": "R1", "person_id": "P1", "referred_on": "2026-02-10", "recorded_at": "2026-02-10",
                    "withdrawn_on": "2026-04-20", "is_complete": True}],
        enrollments=[{"person_id": "P2", "from_on": "2025-12-01", "to_on": "2026-02-28", "recorded_at": "2025-11-01"}],
    )  # fmt: skip
    dates = landmarks("2026-01-01", "2026-06-01")
    waiting = make_spine(tables, geriatric, dates)
    assert waiting["as_of"].dt.month.tolist() == [3, 4]
    enrolled = make_spine(tables, geriatric, dates, "enrolled_not_followed")
    assert list(zip(enrolled["person_id"], enrolled["as_of"].dt.month, strict=True)) == [("P2", 1), ("P2", 2)]
    assert not waiting.duplicated().any()
