"""Draws, intervals, and their way into the ranking."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from casestrat.errors import UsageError
from casestrat.knowledge import PriorityPolicy
from casestrat.models import BootstrapEnsemble, ChallengerClassifier, RiskClassifier, risk_interval
from casestrat.priority import rank_uncertainty


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {"falls": rng.poisson(1.5, 300).astype(float), "age": rng.normal(80, 8, 300)},
        index=pd.Index([f"P{i // 2:03}" for i in range(300)], name="person_id"),
    )
    return X, pd.Series(rng.random(300) < expit(X["falls"] - 2), index=X.index)


@pytest.fixture(scope="module")
def ensemble(people):
    return BootstrapEnsemble(n_draws=30).fit(*people)


def test_an_interval_holds_its_share_of_the_draws():
    draws = np.random.default_rng(0).random((1000, 3))
    bounds = risk_interval(draws, level=0.8)
    inside = ((draws >= bounds["risk_low"].to_numpy()) & (draws <= bounds["risk_high"].to_numpy())).mean(axis=0)
    np.testing.assert_allclose(inside, 0.8, atol=0.002)


@pytest.mark.parametrize(
    ("draws", "level"), [([0.1, 0.2], 0.9), ([[np.nan]], 0.9), (np.empty((0, 2)), 0.9), ([[0.1]], 1)]
)
def test_draws_or_levels_that_cannot_be_used_are_refused(draws, level):
    with pytest.raises(UsageError):
        risk_interval(draws, level)


def test_the_risk_and_reasons_are_those_of_the_model_learned_on_everybody(ensemble, people):
    X, y = people
    model = RiskClassifier().fit(X, y)
    np.testing.assert_array_equal(ensemble.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(ensemble.decision_function(X), model.decision_function(X))
    np.testing.assert_array_equal(ensemble.predict(X), model.predict(X))
    assert ensemble.explain(X, top=1).equals(model.explain(X, top=1))
    assert (ensemble.schema_, ensemble.warnings_, ensemble.intercept_) == (
        model.schema_, model.warnings_, model.intercept_,
    )  # fmt: skip


def test_the_bootstrap_spreads_as_the_posterior_does(people):
    X, y = people
    drawn = BootstrapEnsemble(n_draws=60).fit(X, y).risk_draws(X, n_draws=60).std(axis=0).mean()
    posterior = RiskClassifier().fit(X, y).risk_draws(X).std(axis=0).mean()
    assert drawn == pytest.approx(posterior, rel=0.35)


def test_draws_are_the_same_for_the_same_seed_and_may_be_more_than_the_copies(ensemble, people):
    X, _ = people
    drawn = ensemble.risk_draws(X, n_draws=70)
    assert drawn.shape == (70, 300)
    np.testing.assert_array_equal(drawn[:30], drawn[30:60])
    np.testing.assert_array_equal(ensemble.risk_draws(X, n_draws=70), drawn)
    assert not np.array_equal(ensemble.risk_draws(X, n_draws=70, random_state=1), drawn)
    assert len(np.unique(drawn[:, 0])) > 20
    with pytest.raises(UsageError, match="n_draws"):
        ensemble.risk_draws(X, n_draws=0)


def test_persons_are_drawn_whole_and_the_order_of_rows_changes_nothing(people):
    X, y = people
    order = np.random.default_rng(1).permutation(len(X))
    for frame, labels in ((X, y), (X.reset_index(drop=True), y.reset_index(drop=True))):
        one = BootstrapEnsemble(n_draws=3).fit(frame, labels)
        other = BootstrapEnsemble(n_draws=3).fit(frame.iloc[order], labels.iloc[order])
        assert one.fingerprint == other.fingerprint
    whole = BootstrapEnsemble(n_draws=3).fit(X, y)
    assert all(member.n_rows_ == 2 * member.n_persons_ for member in whole.members_)


def test_trees_get_draws_by_their_bootstrap(people):
    X, y = people
    ensemble = BootstrapEnsemble(ChallengerClassifier(max_trees=10, n_folds=2), n_draws=4).fit(X, y)
    drawn = ensemble.risk_draws(X, n_draws=4)
    assert drawn.std(axis=0).max() > 0
    assert ensemble.fingerprint != BootstrapEnsemble(n_draws=4).fit(X, y).fingerprint


def test_a_draw_of_one_class_is_drawn_again():
    X = np.arange(12.0).reshape(-1, 1)
    with pytest.raises(UsageError, match="n_draws must"):
        BootstrapEnsemble(n_draws=1).fit(X, np.arange(12) > 9)
    X = pd.DataFrame({"falls": [0.0, 1, 2, 0]}, index=pd.Index(list("ABBA"), name="person_id"))
    ensemble = BootstrapEnsemble(RiskClassifier(calibration="none"), n_draws=20).fit(X, [0, 1, 1, 0])
    assert len(ensemble.members_) == 20  # a draw of A alone or of B alone is drawn again


def test_draws_go_into_the_ranking(people):
    X, y = people
    model = RiskClassifier().fit(X, y)
    some = X.iloc[::2].head(40)
    waiting = pd.DataFrame({
        "person_id": some.index, "referral_id": [f"R{i}" for i in range(40)], "tier": "low",
        "risk": model.predict_proba(some)[:, 1], "referred_on": pd.Timestamp("2026-09-01"), "completeness": 1.0,
    })  # fmt: skip
    policy = PriorityPolicy(weights={"risk": 100})
    sure = rank_uncertainty(waiting, policy, "2026-10-01", k=10, draws=model.risk_draws(some))
    assert sure["p_topk"].sum() == pytest.approx(10)
    assert (sure["rank_low"] <= sure["rank_high"]).all()
    ranged = waiting.assign(**risk_interval(model.risk_draws(some)).to_dict("list"))
    wide = rank_uncertainty(ranged, policy, "2026-10-01", k=10)
    # people of like features move together in the draws, which intervals person by person cannot tell
    assert (wide["rank_high"] - wide["rank_low"]).mean() > (sure["rank_high"] - sure["rank_low"]).mean()
