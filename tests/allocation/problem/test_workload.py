from dataclasses import replace

import pandas as pd
import pytest

from casestrat.allocation.problem.workload import (
    available_minutes,
    case_minutes,
    contracted_minutes,
    minutes_for_cases,
    months_between,
    share_by_months,
    share_present,
    visits_a_week,
)
from casestrat.knowledge import AllocationRules, CapacityStep, load_program

START = pd.Timestamp("2026-10-01")


def test_the_episode_s_intensity_comes_before_the_tier_s():
    program = load_program("geriatric")
    intensity = pd.Series(["onboarding", None, None, "no such intensity"], dtype="str")
    tier = pd.Series(["low", "high", None, "low"], dtype="str")
    minutes = case_minutes(intensity, tier, program)
    weights = {name: standard.minutes_per_week for name, standard in program.intensities.items()}
    middle = program.tiers[len(program.tiers) // 2].intensity
    by_tier = {rule.id: weights[rule.intensity] for rule in program.tiers}
    assert minutes.tolist() == [weights["onboarding"], by_tier["high"], weights[middle], by_tier["low"]]


def test_contracted_minutes_lose_the_share_that_is_not_about_cases():
    assert minutes_for_cases(pd.Series([2100, 0], dtype="Int64"), 0.25).tolist() == [1575, 0]


def test_days_away_count_once_and_only_in_the_coming_four_weeks():
    away = pd.DataFrame({
        "cm_id": ["CM1", "CM1", "CM2", "CM9", "CM3"],
        "from_on": pd.to_datetime(["2026-09-01", "2026-10-03", "2026-12-01", "2026-10-01", "2026-10-22"]),
        "to_on": pd.to_datetime(["2026-10-07", "2026-10-05", "2026-12-31", "2026-10-28", None]),
    })  # fmt: skip
    shares = share_present(pd.Series(["CM1", "CM2", "CM3"]), away, START)
    assert shares.tolist() == pytest.approx([0.75, 1.0, 0.75])


def test_an_absence_that_is_over_changes_nothing():
    away = pd.DataFrame(
        {"cm_id": ["CM1"], "from_on": [pd.Timestamp("2026-08-01")], "to_on": [pd.Timestamp("2026-08-09")]}
    )
    staff = pd.DataFrame({"cm_id": ["CM1"], "capacity_minutes": pd.array([100], dtype="Int64")})
    assert available_minutes(staff, away, START).tolist() == [100]


def test_who_is_away_throughout_has_no_minutes():
    away = pd.DataFrame({"cm_id": ["CM1"], "from_on": [pd.Timestamp("2026-08-01")], "to_on": [pd.NaT]})
    staff = pd.DataFrame({"cm_id": ["CM1", "CM2"], "capacity_minutes": pd.array([100, 90], dtype="Int64")})
    assert available_minutes(staff, away, START).tolist() == [0, 90]


def test_travel_to_a_territory_is_added_by_home_visit():
    program = load_program("geriatric")
    program = replace(program, allocation=replace(program.allocation, travel={"far": 30, "near": 0}))
    intensity = pd.Series(["intensive", "intensive", "watch", "intensive"], dtype="str")
    tier, territory = pd.Series([None] * 4, dtype="str"), pd.Series(["far", "near", "far", None], dtype="str")
    weights = {name: one.minutes_per_week for name, one in program.intensities.items()}
    assert visits_a_week(program.intensities["watch"]) == 0  # followed by phone
    minutes = case_minutes(intensity, tier, program, territory)
    assert minutes.tolist() == [weights["intensive"] + 15, weights["intensive"], weights["watch"], weights["intensive"]]


def test_measured_weights_stand_in_for_the_standard_where_there_are_any():
    program = load_program("geriatric")
    intensity, tier = pd.Series(["intensive", "watch"], dtype="str"), pd.Series([None, None], dtype="str")
    assert case_minutes(intensity, tier, program, weights={"intensive": 61}).tolist() == [
        61, program.intensities["watch"].minutes_per_week,
    ]  # fmt: skip


def test_full_time_stands_in_for_missing_minutes():
    staff = pd.DataFrame({
        "minutes_per_week": pd.array([1000, None, None], dtype="Int64"), "fte": [1.0, 0.8, None],
    })  # fmt: skip
    minutes = contracted_minutes(staff, AllocationRules(full_time_minutes=2000))
    assert minutes_for_cases(minutes, 0.25).tolist() == [750, 1200, 0]


def test_a_newcomer_s_minutes_grow_step_by_step_and_are_never_negative():
    steps = (CapacityStep(1, 0.0), CapacityStep(3, 0.5))
    share = share_by_months(pd.Series([0, 1, 2, 3, 40, None]), steps)
    assert share.tolist() == [0.0, 0.5, 0.5, 1.0, 1.0, 1.0]
    assert minutes_for_cases(pd.Series([-100, 100, 100, 100, 100, None]), 0.25, share).tolist() == [
        0,
        37,
        37,
        75,
        75,
        0,
    ]


def test_months_count_when_they_are_full():
    first = pd.Series(pd.to_datetime(["2026-09-01", "2026-09-02", "2024-10-01", "2027-01-01", None]))
    assert months_between(first, START).tolist()[:4] == [1, 0, 24, 0]
    assert months_between(first, START).isna().tolist() == [False] * 4 + [True]
