"""Laws of the audit: a feature that looks ahead is always named, whatever stands beside it, and a sound one never."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from casestrat.features import Count, DaysSince, FeatureBuilder, audit_leakage
from casestrat.knowledge import load_program
from casestrat.tables import Tables

PROGRAM = load_program("geriatric")
AS_OF = pd.Timestamp("2026-02-01")
SOUND = FeatureBuilder([
    Count("events", where={"kind": "fall"}, window_days=20, name="falls"),
    DaysSince("events", name="days_since"),
])  # fmt: skip
LAW = settings(max_examples=4, deadline=None)
PEOPLE = [f"P{i}" for i in range(5)]


def spine_of(*dates):
    return pd.DataFrame([(person, date) for date in dates for person in PEOPLE], columns=["person_id", "as_of"])


def by_person(rows, spine, how):
    return spine["person_id"].map(how(rows.groupby("person_id")))


def in_order(rows):
    return rows.sort_values(["observed_at", "event_id"])


def before(rows, column, days=0):
    return rows.loc[rows[column] < AS_OF + pd.Timedelta(days=days)]


LEAKS = {
    "counts all rows there are": lambda e, s: by_person(e, s, lambda g: g.size()),
    "takes the last value there is": lambda e, s: by_person(in_order(e), s, lambda g: g["amount"].last()),
    "takes the mean of all": lambda e, s: by_person(e, s, lambda g: g["amount"].mean()),
    "takes the least of all": lambda e, s: by_person(e, s, lambda g: g["amount"].min()),
    "takes the greatest of all": lambda e, s: by_person(e, s, lambda g: g["amount"].max()),
    "takes the last day there is": lambda e, s: (AS_OF - by_person(e, s, lambda g: g["observed_at"].max())).dt.days,
    "tells whether there is any": lambda e, s: s["person_id"].isin(e["person_id"]).astype(float),
    "does not ask when it was told": lambda e, s: by_person(before(e, "observed_at"), s, lambda g: g.size()),
    "takes in the day itself": lambda e, s: by_person(e[e["recorded_at"] <= AS_OF], s, lambda g: g.size()),
    "looks a week ahead": lambda e, s: by_person(before(e, "recorded_at", 7), s, lambda g: g.size()),
}


@st.composite
def agencies(draw):
    """A few people with events around the date, told on the day or days later; at least one event."""
    n = draw(st.integers(1, 12))
    day = st.integers(-40, 30)
    rows = [
        (f"E{i}", f"P{draw(st.integers(0, 4))}", draw(st.sampled_from(["fall", "ed_visit"])), draw(day),
         draw(st.integers(0, 9)), float(draw(st.integers(0, 50))))
        for i in range(n)
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["event_id", "person_id", "kind", "day", "later", "amount"])
    observed = AS_OF + pd.to_timedelta(frame["day"], unit="D")
    recorded = observed + pd.to_timedelta(frame["later"], unit="D")
    return Tables.from_frames(
        {
            "persons": pd.DataFrame({"person_id": PEOPLE, "recorded_at": "2025-01-01"}),
            "referrals": pd.DataFrame({"referral_id": ["R0"], "person_id": ["P0"], "referred_on": ["2025-12-01"],
                                       "recorded_at": ["2025-12-01"]}),
            "events": frame[["event_id", "person_id", "kind", "amount"]].assign(
                observed_at=observed, recorded_at=recorded
            ),
        },
        program=PROGRAM,
    )  # fmt: skip


@LAW
@given(agencies(), st.sampled_from(sorted(LEAKS)), st.integers(0, 2))
def test_a_feature_that_looks_ahead_is_always_named_and_no_sound_one_beside_it(tables, leak, place):
    def builder(tables, spine):
        features = SOUND.build(tables, spine)
        features.insert(place, "mine", LEAKS[leak](tables.events, spine).to_numpy(dtype="float64"))
        return features

    audit = audit_leakage(tables, PROGRAM, spine=spine_of(AS_OF), builder=builder)
    assert audit.leaking == ("mine",), str(audit)


@LAW
@given(agencies())
def test_sound_features_are_never_named(tables):
    audit = audit_leakage(tables, PROGRAM, spine=spine_of(AS_OF, AS_OF + pd.Timedelta(days=9)), builder=SOUND)
    assert audit.is_clean, str(audit)
    proofs = audit.table[audit.table["feature"].notna()]
    assert (proofs["verdict"] == "proved").all()
    assert np.isclose(proofs["value"], 0).all()
