"""Laws of the features: nothing after the date, no order, no chunk and no company changes a value."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casestrat.errors import UsageError
from casestrat.features import (
    ChangeSinceFirst,
    Count,
    DecayedCount,
    FeatureBuilder,
    InSpell,
    InstrumentDays,
    InstrumentValid,
    LongestGap,
    Share,
    SpellDays,
    Status,
    StatusDays,
    Streak,
    WaitedDays,
    future_rows_change_nothing,
)
from casestrat.knowledge import load_program
from casestrat.synthetic import synthesize
from casestrat.tables import Extract, Tables

LAW = settings(max_examples=3, deadline=None)
PROGRAM = load_program("geriatric")
STAYS = {"where": {"kind": "hospital_stay"}}
MORE = [
    SpellDays("events", window_days=180, name="stay_days", **STAYS),
    InSpell("events", name="in_hospital", **STAYS),
    DecayedCount("events", half_life_days=60, name="recent"),
    LongestGap("contacts", name="gap"),
    Streak("contacts", of={"kind": "no_show"}, name="missed"),
    Share("contacts", of={"kind": "home_visit"}, name="at_home"),
    ChangeSinceFirst("assessments", "total", name="change"),
    Status(name="status"),
    StatusDays(name="status_days"),
    WaitedDays(name="waited"),
    InstrumentDays("aggir", name="since_aggir"),
    InstrumentValid("aggir", valid_days=365, name="aggir_stands"),
]


@cache  # no fixture: Hypothesis would print the tables with every example
def _agency():
    return synthesize("geriatric", people=40, random_state=3).tables


BUILDER = FeatureBuilder([*FeatureBuilder(PROGRAM).features, *MORE], PROGRAM)


@st.composite
def _spines(draw):
    asked = draw(st.lists(st.tuples(st.integers(0, 39), st.integers(0, 11)), min_size=1, max_size=8, unique=True))
    dates = pd.date_range("2025-06-01", periods=12, freq="MS")
    return asked, dates


def _spine(drawn):
    asked, dates = drawn
    ids = _agency().persons["person_id"].drop_duplicates().tolist()
    return pd.DataFrame({
        "person_id": [ids[who % len(ids)] for who, _ in asked], "as_of": [dates[when] for _, when in asked]
    }).drop_duplicates(ignore_index=True)  # fmt: skip


@LAW
@given(_spines(), st.integers(2, 5))
def test_chunks_of_people_equal_the_whole_to_the_bit(drawn, at_once):
    spine = _spine(drawn)
    pd.testing.assert_frame_equal(
        BUILDER.build(_agency(), spine, people_at_once=at_once), BUILDER.build(_agency(), spine)
    )


@LAW
@given(_spines())
def test_many_dates_equal_one_date_at_a_time(drawn):
    spine = _spine(drawn)
    single = [BUILDER.build(_agency(), rows) for _, rows in spine.groupby("as_of", sort=False)]
    pd.testing.assert_frame_equal(
        pd.concat(single).loc[pd.MultiIndex.from_frame(spine)], BUILDER.build(_agency(), spine)
    )


@LAW
@given(_spines(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_of_questions_changes_nothing(drawn, random):
    spine = _spine(drawn)
    places = random.sample(range(len(spine)), len(spine))
    mixed = {
        name: getattr(_agency(), name).sample(frac=1, random_state=random.randrange(99)).reset_index(drop=True)
        for name in ("events", "assessments", "responses", "person_facts", "referrals", "contacts")
    }
    other = BUILDER.build(replace(_agency(), **mixed), spine.iloc[places].reset_index(drop=True))
    pd.testing.assert_frame_equal(other, BUILDER.build(_agency(), spine).iloc[places])


def test_rows_recorded_on_or_after_the_dates_change_nothing_whatever_they_hold():
    spine = pd.DataFrame(
        {"person_id": _agency().persons["person_id"].drop_duplicates(), "as_of": pd.Timestamp("2026-01-01")}
    )
    assert future_rows_change_nothing(_agency(), spine, BUILDER)["n_changed"].sum() == 0


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/New_York"])
def test_moments_with_a_zone_and_plain_dates_of_the_agency_agree(zone):
    plain = {
        "persons": pd.DataFrame({"person_id": ["P1", "P2"], "recorded_at": "2025-01-01"}),
        "referrals": pd.DataFrame({"referral_id": ["R1"], "person_id": ["P1"], "referred_on": ["2025-02-01"],
                                   "recorded_at": ["2025-02-01"]}),
        "events": pd.DataFrame({"event_id": ["E1", "E2", "E3"], "person_id": ["P1", "P1", "P2"], "kind": "fall",
                                "observed_at": ["2026-01-01", "2026-03-29", "2026-02-01"],
                                "recorded_at": ["2026-01-01", "2026-03-29", "2026-02-01"]}),
    }  # fmt: skip
    zoned = dict(plain)
    moments = {
        name: pd.to_datetime(plain["events"][name]).dt.tz_localize(zone) for name in ("observed_at", "recorded_at")
    }
    zoned["events"] = plain["events"].assign(**moments)
    spine = pd.DataFrame({"person_id": ["P1", "P1", "P2"],
                          "as_of": pd.to_datetime(["2026-03-29", "2026-03-30", "2026-02-01"])})  # fmt: skip
    builder = FeatureBuilder([Count("events", window_days=90, name="n"), LongestGap("events", name="gap")])
    extract = Extract(timezone=zone)
    expected = builder.build(Tables.from_frames(plain, extract=extract), spine)
    assert expected["n"].tolist() == [1.0, 2.0, 0.0]
    pd.testing.assert_frame_equal(builder.build(Tables.from_frames(zoned, extract=extract), spine), expected)


def test_a_spine_that_asks_twice_is_refused_and_an_unknown_person_is_missing_never_zero():
    builder = FeatureBuilder([Count("events", window_days=30, name="n")])
    spine = pd.DataFrame({"person_id": ["P-nobody"], "as_of": [pd.Timestamp("2026-01-01")]})
    assert builder.build(_agency(), spine)["n"].isna().all()
    with pytest.raises(UsageError, match="again about the same person"):
        builder.build(_agency(), pd.concat([spine, spine]))


def test_a_window_after_the_last_day_of_the_data_is_missing_never_zero():
    builder = FeatureBuilder([Count("events", window_days=30, name="n"), Count("events", window_days=400, name="year")])
    late = _agency().extract.data_end + pd.Timedelta(days=60)
    spine = pd.DataFrame({"person_id": _agency().persons["person_id"].drop_duplicates(), "as_of": late})
    X = builder.build(_agency(), spine)
    assert X["n"].isna().all()
    assert np.isfinite(X["year"]).any()
