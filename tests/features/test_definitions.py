import json
import pickle

import pytest

from casestrat.errors import UsageError
from casestrat.features import Age, Count, Fact, InstrumentOutput, InstrumentTotal, Last, Person, Referral, Slope, Sum
from casestrat.features.definitions import KINDS, definition_of, feature_from_spec, feature_of
from casestrat.knowledge import FEATURE_KINDS, load_program

FALLS = Count("events", where={"kind": "fall"}, window_days=180, name="falls_180d", worse="higher", label="falls")


def test_every_kind_of_the_toml_has_its_class_and_the_same_options():
    assert set(KINDS) == set(FEATURE_KINDS)


def test_features_without_a_name_get_one_from_their_options():
    names = {
        Count("events", where={"kind": ["fall", "crisis"]}, window_days=30).name: "count_events_fall_crisis_30d",
        Sum("events", "amount", window_days=365).name: "sum_events_amount_365d",
        Last("measurements", "value", where={"kind": "weight"}).name: "last_measurements_value_weight",
        InstrumentTotal("cesd").name: "cesd_total",
        InstrumentOutput("aggir", "gir").name: "aggir_gir",
        Age().name: "age",
        Person("birth_year").name: "birth_year",
        Fact("setting").name: "setting",
        Referral("urgency").name: "urgency",
    }
    assert list(names) == list(names.values())


def test_a_definition_survives_json_and_pickle():
    for feature in (
        FALLS,
        Slope("measurements", "value", where={"kind": {"weight"}}),
        InstrumentOutput("aggir", "gir"),
    ):
        definition = json.loads(json.dumps(definition_of(feature)))
        assert feature_of(**definition) == feature
        assert pickle.loads(pickle.dumps(feature)) == feature
        assert hash(feature) == hash(feature_of(**definition))


def test_every_line_of_a_program_becomes_a_feature():
    program = load_program("geriatric")
    features = [feature_from_spec(spec) for spec in program.features]
    assert [feature.name for feature in features] == [spec.name for spec in program.features]
    assert [feature.kind for feature in features] == [spec.kind for spec in program.features]


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("cuont", {}, "did you mean count"),
        ("count", {"table": "event"}, "did you mean event"),
        ("count", {"table": "persons"}, "cannot read table 'persons'"),
        ("count", {}, "needs table"),
        ("sum", {"table": "events"}, "needs column|needs the column"),
        ("count", {"table": "events", "window": 3}, "has no option 'window'"),
        ("age", {"column": "x"}, "has no option 'column'"),
        ("count", {"table": "events", "window_days": 0}, "window_days must be a whole number"),
        ("count", {"table": "events", "window_days": -3}, "window_days must be a whole number"),
        ("count", {"table": "events", "window_days": 1.5}, "window_days must be a whole number"),
        ("count", {"table": "events", "window_days": True}, "window_days must be a whole number"),
        ("instrument_total", {"instrument": "cesd", "valid_days": 0}, "valid_days must be a whole number"),
        ("age", {"worse": "up"}, "must be 'higher' or 'lower'"),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_can(kind, options, words):
    with pytest.raises(UsageError, match=words):
        feature_of(kind, **options)


def test_a_plain_label_is_english():
    assert FALLS.label == {"en": "falls"}
