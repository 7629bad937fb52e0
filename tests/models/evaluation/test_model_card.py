"""The model card: every item of TRIPOD+AI, nothing invented, the same in three languages."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.knowledge import load_program, load_wording
from casestrat.models import (
    PointScorecard,
    RiskClassifier,
    compare_models,
    drift,
    evaluate,
    label_warnings,
    model_card,
    optimism_corrected,
)
from casestrat.models.evaluation.model_card import SECTIONS

PROGRAM = load_program("geriatric")


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(3)
    index = pd.Index([f"P{i:03}" for i in range(300)], name="person_id")
    X = pd.DataFrame({"falls_180d": rng.poisson(1, 300).astype(float), "age": rng.normal(82, 6, 300)}, index=index)
    return X, (X["falls_180d"] + rng.normal(size=300) > 1.4).astype(float)


@pytest.fixture(scope="module")
def model(people):
    return RiskClassifier().fit(*people)


@pytest.fixture(scope="module")
def report(people, model):
    X, y = people
    groups = {"sex": np.where(np.arange(300) % 3 == 0, "m", "f")}
    notes = label_warnings(PROGRAM.outcomes["unplanned_stay"])
    return evaluate(y, model.predict_proba(X)[:, 1], capacity=40, groups=groups, n_boot=20, notes=notes)


@pytest.fixture(scope="module")
def card(people, model, report):
    X, y = people
    data = {
        "source": "an agency",
        "as_of": ["2026-01-01", "2025-01-01"],
        "split": "temporal",
        "data_start": "2024-01-01",
        "setting": "home care",
        "recorded_at": "observed_at",
        "n_people": 300,
        "fingerprint": "a" * 32,
    }
    return model_card(
        model,
        report,
        PROGRAM,
        data=data,
        optimism=optimism_corrected(RiskClassifier(n_folds=2), X, y, n_boot=3),
        comparison=compare_models({"a": RiskClassifier(), "b": RiskClassifier(C=1)}, X, y, n_boot=5),
        drift=drift(X[:150], X[150:].assign(falls_180d=9.0)),
        told={"17": "approved by the committee of the region", "18a": {"en": "public funds", "fr": "fonds publics"}},
    )  # fmt: skip


def test_every_item_stands_in_its_order_and_has_a_heading(card):
    ids = [item.id for item in card.items]
    assert len(ids) == len(set(ids)) == 52
    assert ids == [one for section in SECTIONS.values() for one in section]
    assert all(item.heading and item.content for item in card.items)


def test_what_nobody_told_is_said_to_be_not_reported():
    bare = model_card(PointScorecard.from_table(pd.DataFrame({"item": ["a"], "condition": [">= 1"], "points": [1]})))
    silent = {item.id for item in bare.items if not item.is_reported}
    assert {
        "3a",
        "3c",
        "5a",
        "5b",
        "6a",
        "6c",
        "8a",
        "8b",
        "12f",
        "17",
        "18a",
        "19",
        "20a",
        "23a",
        "25",
        "27c",
    } <= silent
    assert all(bare.item(one).content == ("not reported",) for one in silent)
    assert bare.item("26").content[0] == "It has not been judged on people of this site"
    assert bare.n_reported == 52 - len(silent)


def test_the_numbers_are_those_of_the_evaluation(card, report, model):
    auc = report.summary.set_index("metric").loc["auc"]
    told = " ".join(card.item("23a").content)
    assert f"AUC {auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f})" in told
    assert "sex f: AUC" in told
    assert "b beside a: AUC" in told
    assert "corrected for optimism" in told
    assert f"{report.n_events} with the outcome" in " ".join(card.item("20a").content)
    assert model.fingerprint in " ".join(card.item("22").content)
    assert f"{model.n_events_} events in 300 rows" in " ".join(card.item("10").content)
    assert card.item("23b").content[0].startswith("a: over 5 tests")


def test_program_data_and_what_the_site_says_stand_on_it(card):
    assert card.title.startswith("unplanned hospital stay within 90 days: foretold by a penalised logistic")
    assert "death" in " ".join(card.item("8a").content)
    assert "falls in 180 days" in card.item("9b").content[0]
    assert card.item("5a").content[0] == "an agency"
    assert card.item("5b").content == (
        "The data run from 1 January 2024 to not known",
        "Risks as of 2 dates, 1 January 2025 to 1 January 2026",
    )
    assert card.item("6a").content == ("home care",)
    assert card.item("17").content == ("approved by the committee of the region",)
    assert "the past" in card.item("12a").content[0]


def test_warnings_reach_the_limits(card):
    limits = " ".join(card.item("26").content)
    for words in ("stands in for need", "recorded the day after", "falls_180d: the people differ much"):
        assert words in limits


def test_a_small_sample_and_no_signal_reach_the_card():
    rng = np.random.default_rng(0)
    y = np.tile([0.0, 1.0], 30)
    X = pd.DataFrame(rng.normal(size=(60, 4)), columns=list("abcd"))
    model = RiskClassifier(calibration="none").fit(X, y)
    card = model_card(model, evaluate(y, rng.random(60), n_boot=50))
    limits = " ".join(card.item("26").content)
    assert "small sample: 30 with and 30 without" in limits
    assert "no signal" in limits
    assert card.item("25").is_reported
    assert "fewer than the" in " ".join(card.item("10").content)


def test_labels_shaped_by_help_are_told_where_tripod_asks_for_it(people):
    X, y = people
    notes = label_warnings(y=y, is_followed=np.arange(300) < 120)
    card = model_card(None, evaluate(y, X["age"] / 200, n_boot=0, notes=notes))
    assert card.item("6c").content[0].startswith("labels shaped by help: 120 of 300")


def test_a_shipped_card_says_where_it_comes_from_and_that_it_gives_no_percentage():
    card = model_card(PointScorecard.from_table("geriatric_default"), program=PROGRAM)
    assert "no data were used" in card.item("9a").content[0]
    assert card.item("15").content == ("Points from 0 to 20; no percentage",)
    assert card.item("16").is_reported
    assert "expert opinion, not validated" in " ".join(card.item("26").content)
    assert "adds no points" in card.item("11").content[0]


def test_a_card_with_risks_and_one_without_a_program_name_their_outcome():
    rows = pd.DataFrame({"item": ["a"], "condition": [">= 1"], "points": [1]})
    risky = PointScorecard.from_table(rows, risk_table=pd.DataFrame({"points": [0, 1], "risk": [0.1, 0.2]}))
    assert "the risk that goes with them" in model_card(risky).item("15").content[0]
    risky.card_ = {"outcome": "readmission", "horizon_days": 30}
    assert model_card(risky).item("8a").content == ("readmission; within 30 days",)
    assert model_card(risky).title.startswith("readmission: foretold by a scorecard")


@pytest.mark.parametrize(("findings", "words"), [([], "nothing found"), ([{"feature": "age"}], "look ahead: age")])
def test_the_audit_for_leakage_is_told(model, findings, words):
    audit = SimpleNamespace(content=lambda: {"verdict": "x", "findings": findings})
    card = model_card(model, audit=audit)
    assert any(words in one for one in card.item("9b").content)
    assert any("look ahead" in one for one in card.item("26").content) == bool(findings)


def test_what_was_stored_beside_a_model_is_used(people):
    model = RiskClassifier().fit(*people)
    model.stored_ = {"audit": {"findings": []}, "definitions": [], "versions": {"casestrat": "9.9"}}
    card = model_card(model, data={"split": "our own dates"})
    assert "9.9" in card.item("18f").content[0]
    assert card.item("12a").content == ("our own dates",)


def test_tables_tell_their_dates():
    tables = SimpleNamespace(
        extract=SimpleNamespace(data_start=pd.Timestamp("2024-01-01"), data_end=None, recorded_at="column"),
        persons=[1, 2, 3],
        fingerprint="f" * 32,
    )
    card = model_card(None, data=tables)
    assert "1 January 2024" in card.item("5b").content[0]
    assert "3 people" in card.item("20a").content[0]
    assert "a model of the class NoneType" in card.title


def test_more_features_than_can_be_named_are_counted():
    many = SimpleNamespace(feature_names_in_=[f"f{i}" for i in range(50)])
    assert model_card(many).item("9b").content == ("50 features; the file of the model lists them",)


def test_the_card_is_said_in_three_languages_and_kept_as_markdown_and_json(card):
    french = card.in_language("fr")
    assert french.title.startswith("hospitalisation non programmée")
    assert french.item("18a").content == ("fonds publics",)
    assert french.item("17").content == card.item("17").content
    assert [one.is_reported for one in french.items] == [one.is_reported for one in card.items]
    text = card.in_language("it").to_markdown()
    assert text.count("\n## ") == len(SECTIONS)
    assert "**8a Esito.**" in text
    told = json.loads(card.to_json())
    assert told["format"] == "casestrat-model-card/1"
    assert len(told["items"]) == 52
    assert card.to_json() == card.in_language("en").to_json()


def test_a_card_is_frozen_and_refuses_what_it_has_no_place_for(card, model):
    with pytest.raises(AttributeError):
        card.lang = "fr"
    with pytest.raises(UsageError, match="no item 99"):
        model_card(model, told={"99": "x"})
    with pytest.raises(UsageError, match="nothing on the card holds colour"):
        model_card(model, data={"colour": "blue"})
    with pytest.raises(UsageError, match="no item is called 'x'"):
        card.item("x")
    with pytest.raises(UsageError, match="no wording"):
        card.in_language("de")


def test_figures_are_said_with_their_digits_in_the_language(card):
    assert "," in card.in_language("fr").item("2").content[0].split("AUC")[1]
    assert load_wording("en")("card.not_reported") == "not reported"
