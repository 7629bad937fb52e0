"""Features of the caregiver and of the household: whom a fact named on the date, and nobody else."""

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.features import Age, Caregiver, Count, FeatureBuilder, Household, HouseholdSize, Last, feature_of
from casestrat.features.definitions import definition_of
from casestrat.tables import Extract, Tables


@pytest.fixture(scope="module")
def family():
    """P1 and P2 share a household until P2 moves on 1 March; P3 cares for P1; P4 lives alone; P5 is no person."""
    days = {"recorded_at": "2025-01-01"}
    facts = [
        ("P1", "household", "H1", "2025-01-01", None, "2025-01-01"),
        ("P2", "household", "H1", "2025-01-01", "2026-02-28", "2025-01-01"),
        ("P2", "household", "H2", "2026-03-01", None, "2026-03-05"),
        ("P3", "household", "H1", "2025-01-01", None, "2025-01-01"),
        ("P4", "household", "H4", "2025-01-01", None, "2025-01-01"),
        ("P1", "caregiver_id", "P3", "2025-01-01", None, "2025-01-01"),
        ("P4", "caregiver_id", "P5", "2025-01-01", None, "2025-01-01"),
    ]
    events = [
        ("E1", "P2", "crisis", "2026-01-10"),
        ("E2", "P3", "crisis", "2026-02-01"),
        ("E3", "P3", "fall", "2026-01-01"),
    ]
    return Tables.from_frames(
        {
            "persons": pd.DataFrame([
                {"person_id": f"P{n}", "birth_year": 1930 + 10 * n, "birth_month": 1, **days} for n in range(1, 5)
            ]),
            "referrals": pd.DataFrame({"referral_id": ["R1"], "person_id": ["P1"], "referred_on": ["2025-02-01"],
                                       "recorded_at": ["2025-02-01"]}),
            "person_facts": pd.DataFrame(facts, columns=["person_id", "fact", "value", "valid_from", "valid_to",
                                                         "recorded_at"]),
            "events": pd.DataFrame(events, columns=["event_id", "person_id", "kind", "observed_at"]).assign(
                recorded_at=[day for *_, day in events]),
        },
        extract=Extract(data_start="2025-01-01"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def asked():
    return pd.DataFrame({
        "person_id": ["P1", "P1", "P2", "P4", "P3"],
        "as_of": pd.to_datetime(["2026-02-15", "2026-03-15", "2026-03-15", "2026-02-15", "2026-01-20"]),
    })  # fmt: skip


CRISES = Count("events", where={"kind": "crisis"}, window_days=90, name="crises")


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        (Caregiver(Age()), [66 + 1 / 12, 66 + 2 / 12, np.nan, np.nan, np.nan]),
        (Caregiver(CRISES), [1, 1, np.nan, np.nan, np.nan]),
        (Household(CRISES, how="sum"), [2, 1, np.nan, np.nan, 1]),
        (Household(CRISES, how="max"), [1, 1, np.nan, np.nan, 1]),
        (Household(Age(), how="min"), [66 + 1 / 12, 66 + 2 / 12, np.nan, np.nan, 76]),
        (HouseholdSize(), [3, 2, 1, 1, 3]),
    ],
    ids=lambda value: value.name if hasattr(value, "name") else "",
)
def test_those_whom_a_fact_names_on_the_date_are_asked_as_of_that_date(family, asked, feature, expected):
    np.testing.assert_allclose(FeatureBuilder([feature]).build(family, asked).iloc[:, 0], expected)


def test_words_of_a_caregiver_stay_words(family, asked):
    X = FeatureBuilder([Caregiver(Last("events", "kind"), name="what")]).build(family, asked)
    assert X["what"].fillna("-").tolist() == ["crisis", "crisis", "-", "-", "-"]


def test_chunks_of_people_find_the_others_too(family, asked):
    features = [Caregiver(Age()), CRISES, Household(CRISES, how="sum"), HouseholdSize()]
    builder = FeatureBuilder(features)
    for at_once in (1, 2, 3):
        chunked = builder.build(family, asked, people_at_once=at_once)
        pd.testing.assert_frame_equal(chunked, builder.build(family, asked))


def test_text_cannot_be_summed_over_a_household(family, asked):
    with pytest.raises(UsageError, match="text, which cannot be united"):
        FeatureBuilder([Household(Last("events", "kind"), how="sum")]).build(family, asked)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Household(Age(), how="median"), "cannot be united by 'median'"),
        (lambda: Caregiver(Household(Age())), "goes too far"),
        (lambda: Caregiver("age"), "needs the feature that is computed"),
    ],
)
def test_what_makes_no_sense_is_refused(make, words):
    with pytest.raises(UsageError, match=words):
        make()


def test_the_definition_of_another_s_feature_survives():
    feature = Household(CRISES, how="sum", name="around", label={"en": "crises around"})
    assert feature_of(**definition_of(feature)) == feature
    assert FeatureBuilder([feature]).describe("fr").loc[0, "table"] == "person_facts"


def test_an_audit_column_of_another_is_refused_too():
    with pytest.raises(UsageError, match="audit column"):
        FeatureBuilder([Caregiver(feature_of("person", column="sex"))])
