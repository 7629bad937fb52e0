from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from casestrat.allocation.problem.case_weights import case_weights, measured_minutes, rate_of
from casestrat.knowledge import load_program
from casestrat.tables import Tables

AS_OF = pd.Timestamp("2026-10-01")
KNOWN = pd.Timestamp("2026-03-01")


def agency(n=30, weeks=20, minutes=30, *, travel=10, intensity="intensive", spread=0, seed=0):
    """Return tables of people, each with one contact a week of about so many minutes."""
    rng = np.random.default_rng(seed)
    ids = [f"P{i:03d}" for i in range(n)]
    people = pd.DataFrame({"person_id": ids, "recorded_at": KNOWN})
    referrals = people.assign(referral_id=[f"R{i}" for i in ids], referred_on=KNOWN)
    episodes = people.assign(
        episode_id=[f"E{i}" for i in ids], admitted_on=AS_OF - pd.Timedelta(weeks=weeks), intensity=intensity,
        state="active",
    )  # fmt: skip
    contacts = [
        {
            "contact_id": f"K{i}-{week}", "person_id": i, "episode_id": f"E{i}", "cm_id": "CM1", "kind": "home_visit",
            "occurred_at": AS_OF - pd.Timedelta(days=7 * week + 1), "minutes": max(minutes + int(extra), 0),
            "travel_minutes": travel, "recorded_at": AS_OF - pd.Timedelta(days=7 * week),
        }
        for i, extra in zip(ids, rng.integers(-spread, spread + 1, n), strict=True)
        for week in range(1, weeks)
    ]  # fmt: skip
    return {"persons": people, "referrals": referrals, "episodes": episodes, "contacts": pd.DataFrame(contacts)}


@pytest.fixture(scope="module")
def program():
    return load_program("geriatric")


@pytest.fixture(scope="module")
def steady(program):
    """Tables of people whose contacts are all alike."""
    return Tables.from_frames(agency(), program)


def row(of, program, intensity="intensive", **more):
    tables = of if isinstance(of, Tables) else Tables.from_frames(of, program)
    told = case_weights(tables, program, AS_OF, **more)
    return told.set_index("intensity").loc[intensity]


def test_minutes_of_contacts_and_travel_are_shared_over_the_weeks_of_the_episodes(program, steady):
    found = row(steady, program)
    assert found["minutes_a_week"] == pytest.approx(40 * 19 / 20)
    assert (found["tier"], found["n_cases"], found["weeks"]) == ("high", 30, 600)
    assert found["low"] == found["high"] == found["minutes_a_week"]  # all alike: nothing is uncertain
    assert found["standard"] == program.intensities["intensive"].minutes_per_week == found["used"]


def test_the_interval_holds_the_value_and_widens_with_the_spread(program):
    some, much = (row(agency(spread=spread), program) for spread in (5, 25))
    for found in (some, much):
        assert found["low"] < found["minutes_a_week"] < found["high"]
    assert much["high"] - much["low"] > some["high"] - some["low"]


def test_intervals_hold_the_true_weight_about_as_often_as_they_say():
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(80):
        weeks = rng.uniform(2, 26, 40)
        minutes = weeks * 40 * rng.lognormal(-0.125, 0.5, 40)  # 40 minutes a week in the mean, busy cases among them
        rate, low, high = rate_of(np.stack([minutes, weeks], axis=1), rng)
        assert low <= rate <= high
        held += low <= 40 <= high
    assert held >= 68  # of 95 in 100, a little fewer with forty people


def test_the_same_seed_gives_the_same_interval(program):
    tables = Tables.from_frames(agency(spread=9), program)
    pd.testing.assert_series_equal(row(tables, program), row(tables, program))
    assert row(tables, program, random_state=1)["low"] != row(tables, program)["low"]


def test_few_people_are_not_shown_and_the_standard_counts_for_them(program):
    measured = replace(program, allocation=replace(program.allocation, weights="measured"))
    found = row(agency(n=program.privacy.small_cell - 1), measured)
    assert found["is_suppressed"]
    assert found[["n_cases", "weeks", "minutes_a_week", "low", "high"]].isna().all()
    assert found["used"] == found["standard"]


def test_measured_weights_are_used_where_the_program_says_so(program, steady):
    tables = steady
    assert measured_minutes(tables, program, AS_OF)["intensive"] == program.intensities["intensive"].minutes_per_week
    measured = replace(program, allocation=replace(program.allocation, weights="measured", recorded_share=0.5))
    assert measured_minutes(tables, measured, AS_OF)["intensive"] == 76  # 38 recorded, half of the work
    assert measured_minutes(tables, measured, AS_OF)["watch"] == program.intensities["watch"].minutes_per_week


def test_what_lies_outside_the_window_or_was_not_known_does_not_count(program, steady, exchanged):
    short = replace(program, allocation=replace(program.allocation, measured_days=70))
    assert row(steady, short)["weeks"] == 300
    assert row(steady, short)["minutes_a_week"] == pytest.approx(40 * 9 / 10)
    late = steady.contacts.assign(recorded_at=AS_OF)
    assert row(exchanged(steady, contacts=late), program)["minutes_a_week"] == 0


def test_a_contact_without_minutes_counts_as_the_mean_of_its_kind(program, steady, exchanged):
    gaps = steady.contacts.copy()
    gaps.loc[::3, "minutes"] = pd.NA
    assert row(exchanged(steady, contacts=gaps), program)["minutes_a_week"] == pytest.approx(40 * 19 / 20)


def test_episodes_of_another_program_do_not_count(program, steady, exchanged):
    other = steady.episodes.assign(program="another")
    assert row(exchanged(steady, episodes=other), program)["n_cases"] == 0
