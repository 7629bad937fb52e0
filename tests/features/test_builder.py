import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

from casestrat.errors import UsageError
from casestrat.features import (
    Age,
    Count,
    Fact,
    FeatureBuilder,
    InstrumentTotal,
    Last,
    Person,
    Referral,
    future_rows_change_nothing,
)
from casestrat.knowledge import load_program

FEATURES = [
    Age(worse="higher", label={"en": "age", "fr": "âge"}),
    Count("events", where={"kind": ["fall", "crisis"]}, window_days=180, name="falls", domain="function"),
    Fact("lives_alone", worse="higher", read_as="flag"),
    Fact("setting"),
    InstrumentTotal("cesd", valid_days=365),
    Last("measurements", "value", where={"kind": "weight"}, name="weight", unit="kg"),
    Referral("urgency"),
    Person("neurodegenerative"),
]


def test_a_program_brings_its_own_features(tables, spine):
    program = load_program("geriatric")
    builder = FeatureBuilder(program)
    X = builder.build(tables, spine[spine["as_of"] >= "2026-01-01"])
    assert tuple(X.columns) == builder.feature_names == tuple(spec.name for spec in program.features)
    assert X.index.names == ["person_id", "as_of"]
    assert X["no_capable_entourage"].tolist()[0] == 1.0
    assert repr(builder).startswith("FeatureBuilder(['age'")


def test_a_builder_from_definitions_gives_the_same_features_without_the_program(tables, spine):
    builder = FeatureBuilder(load_program("geriatric"))
    again = FeatureBuilder.from_definitions(json.loads(json.dumps(builder.definitions())))
    late = spine[spine["as_of"] >= "2026-01-01"]
    pd.testing.assert_frame_equal(again.build(tables, late), builder.build(tables, late))
    assert again.fingerprint == builder.fingerprint
    assert again.definitions() == builder.definitions()


def test_another_window_has_another_fingerprint():
    short, long = (FeatureBuilder([Count("events", window_days=days, name="n")]) for days in (30, 31))
    assert short.fingerprint != long.fingerprint


def test_the_rows_stand_in_the_order_of_the_spine(tables, spine):
    builder = FeatureBuilder(FEATURES)
    places = [2, 0, 3, 1]
    mixed = builder.build(tables, spine.iloc[places])
    pd.testing.assert_frame_equal(mixed, builder.build(tables, spine).iloc[places])


def test_each_person_alone_gets_the_same_features(tables, spine):
    builder = FeatureBuilder(FEATURES)
    whole = builder.build(tables, spine)
    parts = [builder.build(tables.for_persons([p]), spine[spine["person_id"] == p]) for p in ("P1", "P2", "P3")]
    pd.testing.assert_frame_equal(pd.concat(parts).sort_index(), whole.sort_index())


def test_nothing_after_the_date_changes_a_feature(tables, spine):
    program = load_program("geriatric")
    builder = FeatureBuilder([*FEATURES, *FeatureBuilder(program).features[1:3]], program)
    proof = future_rows_change_nothing(tables, spine, builder)
    assert set(proof["table"]) == {
        "persons",
        "referrals",
        "events",
        "measurements",
        "person_facts",
        "assessments",
    } & set(proof["table"])
    assert (proof["rows_added"] > 0).all()
    assert proof["n_changed"].sum() == 0


def test_the_proof_finds_a_builder_that_looks_ahead(tables, spine):
    class Ahead(FeatureBuilder):
        def build(self, tables, spine):
            return super().build(tables, spine.assign(as_of=spine["as_of"] + pd.Timedelta(days=2)))

    proof = future_rows_change_nothing(tables, spine, Ahead(FEATURES))
    assert proof.loc[proof["table"] == "events", "n_changed"].sum() > 0


def test_the_dictionary_says_what_each_feature_means(tables):
    book = FeatureBuilder(FEATURES).describe().set_index("name")
    assert book.loc["age", "meaning"] == "age"
    assert book.loc["falls", ["table", "window_days", "condition", "domain"]].tolist() == [
        "events", 180, "kind = fall / crisis", "function",
    ]  # fmt: skip
    assert book.loc["falls", "meaning"] == "number of rows of events with kind = fall / crisis in 180 days"
    assert "0 only where the person was observed" in book.loc["falls", "missing"]
    assert book.loc["cesd_total", ["table", "window_days"]].tolist() == ["assessments", 365]
    assert book.loc["weight", "unit"] == "kg"
    assert book.loc["urgency", "table"] == "referrals"
    french = FeatureBuilder(FEATURES).describe("fr").set_index("name")
    assert french.loc["age", "meaning"] == "âge"
    assert french.loc["falls", "missing"].startswith("0 seulement")
    assert FeatureBuilder([]).describe().empty


def test_the_sources_say_what_is_shown_and_where_it_came_from(tables, spine):
    long = FeatureBuilder(FEATURES).sources(tables, spine.iloc[:2])
    assert list(long.columns) == ["person_id", "as_of", "feature", "value", "source", "observed_on"]
    assert long["feature"].tolist() == [feature.name for feature in FEATURES] * 2
    first = long[long["person_id"] == "P1"].set_index("feature")
    shown = first["value"].to_dict()
    assert shown == {"age": "85.58", "falls": "2", "lives_alone": "true", "setting": "home", "cesd_total": "24",
                     "weight": "57", "urgency": "2", "neurodegenerative": "true"}  # fmt: skip
    assert first.loc["falls", "source"] == "events: kind = fall / crisis"
    assert first.loc["cesd_total", "source"] == "assessments: instrument = cesd"
    days = first["observed_on"].dt.strftime("%Y-%m-%d").to_dict()
    assert days["falls"] == "2025-12-20"
    assert days["lives_alone"] == "2025-12-02"
    assert days["cesd_total"] == "2025-12-01"
    assert days["urgency"] == "2025-06-01"
    assert pd.isna(first.loc["age", "observed_on"])
    assert long[long["person_id"] == "P2"].set_index("feature")["value"].isna()["falls"]


def test_features_and_sources_may_be_had_in_one_pass(tables, spine):
    builder = FeatureBuilder(FEATURES)
    X, sources = builder.build_with_sources(tables, spine)
    pd.testing.assert_frame_equal(X, builder.build(tables, spine))
    pd.testing.assert_frame_equal(sources, builder.sources(tables, spine))


def test_no_features_have_no_sources(tables, spine):
    assert FeatureBuilder([]).sources(tables, spine).empty
    assert FeatureBuilder([]).build(tables, spine).shape == (4, 0)


@pytest.mark.parametrize("column", ["territory", "language", "interpreter_needed"])
def test_a_snapshot_without_history_is_no_feature(column):
    with pytest.raises(UsageError, match="person_facts"):
        FeatureBuilder([Person(column)])


@pytest.mark.parametrize("column", ["sex", "died_on", "observed_until", "brth_year"])
def test_only_columns_whose_role_allows_it_are_features(column):
    with pytest.raises(UsageError, match="person"):
        FeatureBuilder([Person(column)])


def test_an_audit_column_of_the_program_is_never_a_feature(tables):
    program = load_program("geriatric")
    privacy = dataclasses.replace(program.privacy, column_roles={"lives_alone": "audit", "sex": "both"})
    site = dataclasses.replace(program, privacy=privacy)
    with pytest.raises(UsageError, match="audit column"):
        FeatureBuilder([Fact("lives_alone")], site)
    with pytest.raises(UsageError, match="audit column"):
        FeatureBuilder([Last("assessments", "mode")])
    assert FeatureBuilder([Person("sex")], site).feature_names == ("sex",)


def test_two_features_of_one_name_and_things_that_are_none_are_refused():
    with pytest.raises(UsageError, match="two features"):
        FeatureBuilder([Age(), Age()])
    with pytest.raises(UsageError, match="no feature"):
        FeatureBuilder(["age"])


def test_bound_to_tables_it_is_a_transformer_for_a_pipeline(tables, spine):
    bound = FeatureBuilder([Age(), Referral("urgency")]).bind(tables)
    copy = clone(bound.set_output(transform="pandas"))
    assert copy.tables is tables
    pd.testing.assert_frame_equal(copy.fit_transform(spine), bound.transform(spine))
    assert clone(FeatureBuilder([Age()]).bind(tables)).transform(spine).shape == (4, 1)
    filled = make_pipeline(bound, SimpleImputer()).fit_transform(spine)
    assert not np.isnan(np.asarray(filled)).any()
    assert bound.get_feature_names_out().tolist() == ["age", "urgency"]
