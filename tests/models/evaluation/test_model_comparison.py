"""Models side by side: the same people, the same folds, the same draws."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from casestrat.errors import UsageError
from casestrat.models import PointScorecard, RiskClassifier, compare_models, cross_validated_risks


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(6)
    dates = pd.to_datetime(["2025-01-01", "2025-05-01", "2025-09-01"])
    index = pd.MultiIndex.from_product([[f"P{i:03}" for i in range(120)], dates], names=["person_id", "as_of"])
    X = pd.DataFrame({"falls": rng.poisson(1, 360).astype(float), "noise": rng.normal(size=360)}, index=index)
    return X, (X["falls"] + rng.normal(size=360) > 1.5).astype(float)


@pytest.fixture(scope="module")
def card():
    rows = pd.DataFrame({"item": ["falls", "falls"], "condition": [">= 1", ">= 3"], "points": [1, 2]})
    return PointScorecard.from_table(rows)


@pytest.fixture(scope="module")
def compared(people, card):
    models = {"card": card, "ridge": RiskClassifier(), "weak": RiskClassifier(C=1e-4)}
    return compare_models(models, *people, gap_days=100, n_boot=40)


def test_each_model_is_judged_on_people_that_it_had_not_seen(people, compared):
    X, y = people
    held_out = cross_validated_risks(RiskClassifier(), X, y, gap_days=100).dropna(subset="risk")
    told = compared.by_fold.query("model == 'ridge' and metric == 'auc'").set_index("fold")
    assert told.loc["all", "value"] == pytest.approx(roc_auc_score(y.loc[held_out.index], held_out["risk"]), abs=1e-12)
    assert told.index.tolist() == ["all", "2025-05-01", "2025-09-01"]
    for fold, rows in held_out.groupby("test"):
        assert told.loc[fold, "value"] == pytest.approx(roc_auc_score(y.loc[rows.index], rows["risk"]), abs=1e-12)
        assert (told.loc[fold, "n"], told.loc[fold, "events"]) == (len(rows), y.loc[rows.index].sum())
    assert compared.risks["ridge"].dropna().equals(held_out["risk"].rename("ridge"))
    assert compared.n_used == len(held_out)


def test_differences_are_paired_and_their_interval_is_narrower_than_chance(compared):
    pairs = compared.differences.set_index(["model", "reference", "metric"])
    values = compared.by_fold.query("fold == 'all'").set_index(["model", "metric"])["value"]
    assert pairs.loc[("weak", "ridge", "auc"), "difference"] == pytest.approx(
        values["weak", "auc"] - values["ridge", "auc"]
    )
    auc = compared.by_fold.query("fold == 'all' and metric == 'auc' and model == 'ridge'").iloc[0]
    width = pairs.loc[("weak", "ridge", "auc"), "high"] - pairs.loc[("weak", "ridge", "auc"), "low"]
    assert width < auc["high"] - auc["low"]  # the two order people nearly alike: paired draws know it
    assert set(compared.differences["metric"][compared.differences["reference"] == "card"]) == {
        "auc",
        "average_precision",
    }


def test_a_card_without_risks_is_judged_by_its_order_and_has_no_decision_curve(compared, people, card):
    X, _ = people
    assert compared.is_probability == (False, True, True)
    tested = compared.risks["test"].notna()
    assert compared.risks.loc[tested, "card"].tolist() == card.points(X)[tested.to_numpy()].tolist()
    assert set(compared.net_benefit["model"]) == {"ridge", "weak"}
    assert not compared.by_fold.query("model == 'card' and metric == 'brier'").shape[0]


def test_nothing_is_drawn_where_no_interval_is_asked_for_and_progress_is_told(people, card):
    said = []
    told = compare_models({"card": card}, *people, splits="person", n_boot=0, progress=lambda *one: said.append(one))
    assert told.by_fold["low"].isna().all()
    assert told.differences.empty
    assert told.net_benefit.empty
    assert said == [("card", i, 5) for i in range(1, 6)]


def test_too_many_draws_to_be_held_give_the_same_intervals(people, card, monkeypatch):
    models = {"card": card, "ridge": RiskClassifier()}
    held = compare_models(models, *people, splits="person", n_boot=10)
    monkeypatch.setattr("casestrat.models.evaluation.model_comparison._HELD", 0)
    drawn = compare_models(models, *people, splits="person", n_boot=10)
    pd.testing.assert_frame_equal(held.by_fold, drawn.by_fold)


def test_what_cannot_be_compared_is_refused(people, card):
    X, y = people
    with pytest.raises(UsageError, match="one model or more"):
        compare_models({}, X, y)
    with pytest.raises(UsageError, match="nobody tested"):
        compare_models({"card": card}, X, y * np.nan, splits="person")
