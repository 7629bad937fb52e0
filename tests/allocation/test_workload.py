import pandas as pd
import pytest

from casestrat.allocation.workload import available_minutes, case_minutes, minutes_for_cases, share_present
from casestrat.knowledge import load_program

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
