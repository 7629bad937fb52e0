"""What a partition gives for each person: risk with its range where the model has draws, points where it has none."""

import numpy as np
import pandas as pd
import pytest

from casestrat.models import BootstrapEnsemble, ChallengerClassifier, HorizonRisk, PointScorecard, RiskClassifier
from casestrat.nightly.partition import score_people


@pytest.fixture(scope="module")
def people() -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product(
        [[f"P{i:03}" for i in range(200)], [pd.Timestamp("2026-09-01")]], names=["person_id", "as_of"]
    )
    X = pd.DataFrame({"falls": rng.poisson(1, 200).astype(float), "age": rng.normal(80, 8, 200)}, index=index)
    return X, rng.random(200) < 1 / (1 + np.exp(2 - X["falls"]))


@pytest.mark.filterwarnings("ignore::casestrat.models.SmallSampleWarning")
@pytest.mark.parametrize(
    "model",
    [RiskClassifier(), BootstrapEnsemble(n_draws=10), PointScorecard(max_rows=2)],
    ids=lambda model: type(model).__name__,
)
def test_a_model_with_draws_gives_a_range_that_holds_the_risk(model, people):
    X, y = people
    scores, reasons = score_people(model.fit(X, y), X)
    assert scores.index.equals(X.index)
    assert (scores["risk_low"] <= scores["risk"]).all()
    assert (scores["risk"] <= scores["risk_high"]).all()
    assert (scores["risk_high"] - scores["risk_low"]).min() > 0
    assert set(reasons["item"]) <= {"falls", "age"}


def test_a_model_without_draws_gives_its_risk_without_a_range(people):
    X, y = people
    scores, _ = score_people(ChallengerClassifier(max_trees=10, n_folds=2).fit(X, y), X)
    assert scores["risk"].notna().all()
    assert scores[["risk_low", "risk_high"]].isna().all(axis=None)


def test_a_card_without_a_risk_table_gives_points_only(people):
    X, _ = people
    card = PointScorecard.from_table(pd.DataFrame({"item": ["falls"], "condition": [">= 1"], "points": [2]}))
    scores, _ = score_people(card, X)
    assert scores[["risk", "risk_low", "risk_high"]].isna().all(axis=None)
    assert scores["points"].max() == 2


def test_a_model_of_time_gives_the_risk_of_its_first_horizon_with_a_range(people):
    X, y = people
    days = np.where(y, 20.0, 60.0)
    model = HorizonRisk(horizons_days=(30, 60)).fit(X, days, event=y.astype(int))
    scores, _ = score_people(model, X)
    np.testing.assert_allclose(scores["risk"], model.predict_risk(X).iloc[:, 0])
    assert (scores["risk_low"] <= scores["risk_high"]).all()


def test_nobody_to_score_is_no_fault():
    scores, reasons = score_people(PointScorecard.from_table("geriatric_default"), _nobody())
    assert (len(scores), len(reasons)) == (0, 0)
    assert {"risk_low", "risk_high"} <= set(scores.columns)


def _nobody() -> pd.DataFrame:
    index = pd.MultiIndex.from_arrays([[], pd.to_datetime([])], names=["person_id", "as_of"])
    items = PointScorecard.from_table("geriatric_default").items_
    return pd.DataFrame(index=index, columns=list(items), dtype="float64")
