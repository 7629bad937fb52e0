"""Tests of the vacancy scenario: who is left week by week, and how many minutes lack."""

import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem, vacancy
from casestrat.errors import UsageError


@pytest.fixture
def problem():
    """A post of three cases, of which one fits elsewhere, one in an overload, and one nowhere."""
    cases = pd.DataFrame({"case_id": ["C1", "C2", "C3", "C4"], "person_id": ["P1", "P2", "P3", "P4"],
                          "minutes": [10, 40, 45, 85], "priority": [1, 1, 2, 1],
                          "cm_id": ["A", "A", "A", "B"]})  # fmt: skip
    staff = pd.DataFrame({"cm_id": ["A", "B"], "capacity_minutes": [100, 100]})
    return AllocationProblem(cases, staff, starts_on="2026-10-05")


def test_an_overload_covers_as_long_as_it_lasts_and_then_minutes_lack(problem):
    overloads = pd.DataFrame(
        {"cm_id": ["B"], "limit_minutes": [45], "ends_on": ["2026-10-20"], "approver": "head", "reason": "post"}
    )
    empty = vacancy(problem, None, "A", weeks=4, overloads=overloads)
    weeks = empty.weeks
    assert weeks["starts_on"].dt.strftime("%m-%d").tolist() == ["10-05", "10-12", "10-19", "10-26"]
    assert weeks["n_cases"].eq(3).all()
    assert weeks["n_placed"].eq(1).all()
    assert weeks["n_covered"].tolist() == [1, 1, 0, 0]
    assert weeks["n_left"].tolist() == [1, 1, 2, 2]
    assert weeks["minutes_lacking"].tolist() == [40, 40, 85, 85]
    assert weeks["minutes_lacking_so_far"].tolist() == [40, 80, 165, 250]
    assert empty.left["case_id"].tolist() == ["C2", "C3"]
    assert empty.left["covered_until"].tolist() == [pd.NaT, pd.Timestamp("2026-10-20")]
    assert "250 minutes lacking in all" in repr(empty)


def test_without_cover_the_reason_is_told(problem):
    empty = vacancy(problem, None, "A", weeks=1)
    assert empty.left["rule"].tolist() == ["capacity", "capacity"]
    assert empty.left["reason"].notna().all()


def test_an_unknown_post_or_number_of_weeks_is_refused(problem):
    with pytest.raises(UsageError, match="no case manager is called 'Z'"):
        vacancy(problem, None, "Z", weeks=1)
    for weeks in (0, 1.5, True):
        with pytest.raises(UsageError, match="weeks is"):
            vacancy(problem, None, "A", weeks=weeks)
