import numpy as np
import pandas as pd
import pytest

from casestrat.timeline import followed_until, is_observed


def _spine(person, *dates):
    return pd.DataFrame({"person_id": person, "as_of": pd.to_datetime(list(dates))})


def _persons(**columns):
    return [{"person_id": "P1", "recorded_at": "2020-01-01", **columns}]


def test_where_nobody_says_anything_everybody_is_observed(made):
    tables = made(persons=_persons())
    assert is_observed(tables, _spine("P1", "2026-01-01"), 365).all()
    assert followed_until(tables, _spine("P1", "2026-01-01"))[0] == np.iinfo(np.int64).max


def test_the_window_must_lie_between_the_first_and_the_last_day_observed(made):
    tables = made(persons=_persons(observed_from="2026-01-01", observed_until="2026-01-31"))
    spine = _spine("P1", "2026-01-10", "2026-01-11", "2026-02-01", "2026-02-02")
    assert is_observed(tables, spine, 10).tolist() == [False, True, True, False]


def test_a_person_of_whom_nothing_is_said_is_not_observed_where_others_are(made):
    tables = made(persons=[*_persons(observed_from="2020-01-01"), {"person_id": "P2", "recorded_at": "2020-01-01"}])
    assert not is_observed(tables, _spine("P2", "2026-01-11"), 10).any()


def test_enrolments_that_touch_are_one_and_a_gap_breaks_them(made):
    rows = [
        {"person_id": "P1", "from_on": "2026-01-01", "to_on": "2026-01-10", "recorded_at": "2025-12-01"},
        {"person_id": "P1", "from_on": "2026-01-11", "to_on": "2026-01-20", "recorded_at": "2025-12-01"},
        {"person_id": "P1", "from_on": "2026-01-22", "to_on": None, "recorded_at": "2025-12-01"},
    ]
    tables = made(enrollments=rows)
    spine = _spine("P1", "2026-01-16", "2026-01-22", "2026-01-26", "2026-02-02")
    assert is_observed(tables, spine, 10).tolist() == [True, False, False, True]
    ends = pd.to_datetime(followed_until(tables, _spine("P1", "2026-01-05", "2026-01-21")), unit="us")
    assert ends.strftime("%Y-%m-%d").tolist() == ["2026-01-21", "2026-01-21"]  # the second is not enrolled that day


def test_only_enrolments_known_on_the_date_count(made):
    rows = [{"person_id": "P1", "from_on": "2026-01-01", "recorded_at": "2026-02-01"}]
    tables = made(enrollments=rows)
    others = [{"person_id": "P2", "from_on": "2025-01-01", "recorded_at": "2025-01-01"}]
    assert is_observed(made(enrollments=rows + others), _spine("P1", "2026-02-01", "2026-02-02"), 10).tolist() == [
        False,
        True,
    ]
    # By the first date nobody's enrolment was recorded at all: only then does everybody count as observed.
    assert is_observed(tables, _spine("P1", "2026-02-01", "2026-02-02"), 10).tolist() == [True, True]


def test_both_sources_must_agree(made):
    rows = [{"person_id": "P1", "from_on": "2026-01-01", "recorded_at": "2025-12-01"}]
    tables = made(persons=_persons(observed_from="2026-01-05"), enrollments=rows)
    assert is_observed(tables, _spine("P1", "2026-01-12", "2026-01-15"), 10).tolist() == [False, True]


def test_the_end_of_the_data_ends_all_follow_up(made):
    tables = made(persons=_persons(), extract={"data_start": "2025-01-01", "data_end": "2026-01-31"})
    end = pd.to_datetime(followed_until(tables, _spine("P1", "2026-01-01")), unit="us")
    assert end[0] == pd.Timestamp("2026-02-01")


@pytest.mark.parametrize(("as_of", "is_followed"), [("2026-01-01", False), ("2026-01-10", True)])
def test_nobody_is_followed_before_observation_began(made, as_of, is_followed):
    tables = made(persons=_persons(observed_from="2026-01-05", observed_until="2026-03-01"))
    start = pd.Timestamp(as_of).value // 1000
    assert (followed_until(tables, _spine("P1", as_of))[0] > start) == is_followed


def test_people_who_are_in_no_table_are_not_followed(made):
    cover = {"person_id": "P1", "from_on": "2026-01-01", "to_on": "2026-01-31", "recorded_at": "2026-01-01"}
    nobody = made(enrollments=[cover]).for_persons([])
    assert not is_observed(nobody, _spine("P1", "2026-01-01")).any()  # of whom nothing is known, nothing was seen
    start = pd.Timestamp("2026-01-01").value // 1000
    assert followed_until(nobody, _spine("P1", "2026-01-01")).tolist() == [start]
    assert followed_until(made(persons=_persons()), _spine("P9", "2026-01-01")).tolist() == [start]


def test_people_unknown_on_the_date_are_not_observed(made):
    tables = made(persons=[{"person_id": "P1", "recorded_at": "2026-02-01", "observed_from": "2020-01-01"}])
    assert is_observed(tables, _spine("P1", "2026-02-01", "2026-02-02"), 30).tolist() == [False, True]
