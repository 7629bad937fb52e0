"""The challenger: small boosted trees kept as tables, monotone, with exact reasons."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from casestrat.errors import UsageError
from casestrat.knowledge import load_program
from casestrat.models import ChallengerClassifier, NoSignalWarning, RiskClassifier, worse_directions
from casestrat.models.inputs.sample_size import SmallSampleWarning
from casestrat.models.measures.calibration import recalibrate


def draw(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "falls": rng.poisson(1.5, n).astype(float),
            "age": rng.uniform(60, 100, n),
            "setting": rng.choice(["home", "hospital", "residence"], n),
            "alone": pd.array(rng.random(n) < 0.4, dtype="boolean"),
            "same": 1.0,
            "never_asked": np.nan,
        },
        index=pd.Index([f"P{i:05}" for i in range(n)], name="person_id"),
    )
    score = -2 + 0.6 * frame["falls"] + 0.004 * (frame["age"] - 80) ** 2 + 1.0 * (frame["setting"] == "hospital")
    y = rng.random(n) < expit(score)
    frame.loc[rng.random(n) < 0.15, "age"] = np.nan
    frame.loc[rng.random(n) < 0.1, "setting"] = None
    return frame, y.to_numpy()


@pytest.fixture(scope="module")
def people():
    return draw(1500, 1)


@pytest.fixture(scope="module")
def model(people):
    return ChallengerClassifier(directions={"falls": "higher"}).fit(*people)


@pytest.fixture(scope="module")
def paired(people):
    return ChallengerClassifier(interactions=True, max_trees=40, max_bins=8, n_folds=3).fit(*people)


def test_it_finds_what_bends_and_what_is_text(model):
    X, y = draw(3000, 2)
    risk = model.predict_proba(X)[:, 1]
    plain = RiskClassifier().fit(*draw(1500, 1)).predict_proba(X)[:, 1]
    assert roc_auc_score(y, risk) > roc_auc_score(y, plain) + 0.02
    assert recalibrate(model.decision_function(X), y.astype(float)).slope == pytest.approx(1, abs=0.2)
    assert risk.mean() == pytest.approx(y.mean(), abs=0.03)
    setting = model.shapes_.query("feature == 'setting'").set_index("bin")["effect"]
    assert setting["= hospital"] > setting["= home"] + 0.4
    assert model.dropped_ == {"same": "constant", "never_asked": "all missing"}


@pytest.mark.parametrize("which", ["model", "paired"])
def test_contributions_sum_to_the_log_odds_less_the_intercept(which, people, request):
    fitted = request.getfixturevalue(which)
    X, _ = people
    why = fitted.explain(X)
    total = why.groupby("person_id")["contribution"].sum().loc[X.index]
    np.testing.assert_allclose(total, fitted.decision_function(X) - fitted.intercept_, atol=1e-9)
    assert fitted.decision_function(X).mean() == pytest.approx(fitted.intercept_, abs=1e-8)
    missing = why[why["value_is_missing"] & (why["item"] == "age")]
    assert len(missing) == X["age"].isna().sum()


@pytest.mark.parametrize("settings", [{}, {"interactions": True, "max_trees": 15, "max_bins": 6}])
def test_the_tables_are_the_trees(settings, people):
    X, y = people
    fitted = ChallengerClassifier(calibration="none", n_folds=2, directions={"falls": 1}, **settings).fit(X, y)
    grown = {}
    boost = ChallengerClassifier._boost

    class Watched(ChallengerClassifier):
        def _boost(self, rows, n_trees, ways):
            trees = boost(self, rows, n_trees, ways)
            grown["trees"], grown["codes"] = trees, self._codes_of(rows.columns)
            return trees

    watched = Watched(calibration="none", n_folds=2, directions={"falls": 1}, **settings).fit(X, y)
    sizes = np.array([len(effect) - 1 for effect in watched.effects_])
    floats = np.where(grown["codes"] == sizes, np.nan, grown["codes"].astype(float))
    by_trees = grown["trees"].decision_function(floats)
    by_tables = watched.intercept_ + watched._contributions(grown["codes"]).sum(axis=1)
    np.testing.assert_allclose(by_tables, by_trees, atol=1e-8)
    np.testing.assert_allclose(np.sort(fitted.decision_function(X)), np.sort(by_trees), atol=1e-8)


def test_a_worse_value_never_lowers_the_risk(model, people):
    X, _ = people
    risks = [model.predict_proba(X.head(200).assign(falls=float(falls)))[:, 1] for falls in range(8)]
    assert (np.diff(risks, axis=0) >= 0).all()
    lower = ChallengerClassifier(directions={"falls": -1}, max_trees=20, n_folds=2)
    falling = lower.fit(*people)
    effect = falling.shapes_.query("feature == 'falls'")["effect"].to_numpy()[:-1]
    assert (np.diff(effect) <= 0).all()


def test_an_unseen_level_counts_as_missing(model, people):
    one = people[0].head(3)
    np.testing.assert_array_equal(
        model.predict_proba(one.assign(setting="prison")), model.predict_proba(one.assign(setting=None))
    )


def test_a_weight_of_two_is_the_row_twice_and_the_order_of_rows_changes_nothing(people):
    X, y = people[0].head(400), people[1][:400]
    weight = np.random.default_rng(0).integers(0, 3, 400)
    rows = np.repeat(np.arange(400), weight)
    settings = {"max_trees": 20, "n_folds": 3}
    weighted = ChallengerClassifier(**settings).fit(X, y, sample_weight=weight)
    repeated = ChallengerClassifier(**settings).fit(X.iloc[rows], y[rows])
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-8)
    order = np.random.default_rng(1).permutation(400)
    plain = ChallengerClassifier(**settings).fit(X, y)
    assert ChallengerClassifier(**settings).fit(X.iloc[order], y[order]).fingerprint == plain.fingerprint
    half = ChallengerClassifier(**settings).fit(X, y, sample_weight=np.full(400, 0.5))
    assert roc_auc_score(y, half.predict_proba(X)[:, 1]) > 0.6


def test_a_file_sorted_by_age_or_outcome_does_no_harm(people):
    X, y = people[0].reset_index(drop=True), people[1]
    settings = {"max_trees": 30, "n_folds": 3}
    shuffled = roc_auc_score(y, ChallengerClassifier(**settings).fit(X, y).predict_proba(X)[:, 1])
    for by in (X["age"].fillna(0).to_numpy(), y):
        order = np.argsort(by, kind="stable")
        again = ChallengerClassifier(**settings).fit(X.iloc[order], y[order])
        assert roc_auc_score(y, again.predict_proba(X)[:, 1]) == pytest.approx(shuffled, abs=0.005)


def test_what_was_learned_is_plain(model, paired):
    def plain(value):
        if isinstance(value, dict):
            return all(map(plain, value.values()))
        if isinstance(value, list):
            return all(map(plain, value))
        return isinstance(value, np.ndarray | str | int | float)

    for fitted in (model, paired):
        assert [name for name, value in vars(fitted).items() if name.endswith("_") and not plain(value)] == []
    assert paired.pairs_
    assert model.pairs_ == []


def test_noise_is_told_and_gives_the_mean_risk():
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = np.tile([0, 1], 30)
    with pytest.warns(NoSignalWarning):
        fitted = ChallengerClassifier(min_rows=40).fit(X, y)
    np.testing.assert_allclose(fitted.predict_proba(X)[:, 1], 0.5)
    assert "no signal" in fitted.warnings_[-1]


def test_too_few_people_leave_it_small_and_not_calibrated():
    X = np.arange(40.0).reshape(-1, 1)
    fitted = ChallengerClassifier().fit(X, np.arange(40) == 39)
    assert fitted.calibrator_["kind"] == "none"
    assert fitted.n_trees_ == 5
    assert [note.partition(":")[0] for note in fitted.warnings_] == ["small sample", "not calibrated"]
    with pytest.raises(UsageError, match="isotonic needs two"):
        ChallengerClassifier(calibration="isotonic").fit(X, np.arange(40) == 39)
    with pytest.warns(SmallSampleWarning):
        ChallengerClassifier(calibration="none").fit(np.random.default_rng(0).normal(size=(30, 20)), np.arange(30) % 2)


def test_steps_may_calibrate_it(people):
    X, y = people
    fitted = ChallengerClassifier(calibration="isotonic", max_trees=20, n_folds=3).fit(X, y)
    risk = fitted.predict_proba(X)[:, 1]
    assert (np.diff(risk[np.argsort(fitted.decision_function(X))]) >= 0).all()
    assert risk.mean() == pytest.approx(y.mean(), abs=0.02)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"max_trees": 0}, "max_trees"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"max_bins": 1}, "max_bins"),
        ({"calibration": "beta"}, "calibration"),
        ({"directions": {"nothing": 1}}, "no feature: nothing"),
        ({"directions": {"falls": "up"}}, "a direction is"),
        ({"directions": {"setting": 1}}, "no order"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(settings, words, people):
    with pytest.raises(UsageError, match=words):
        ChallengerClassifier(**settings).fit(*people)


def test_bad_input_is_refused(model, people):
    X, y = people
    with pytest.raises(UsageError, match="no feature tells"):
        ChallengerClassifier().fit(X[["same", "never_asked"]], y)
    with pytest.raises(UsageError, match="one class"):
        ChallengerClassifier().fit(X, y * 0)
    with pytest.raises(UsageError, match="column falls"):
        model.predict(X.assign(falls="many"))
    with pytest.raises(UsageError, match="column setting"):
        model.predict(X.assign(setting=1.0))
    with pytest.raises(ValueError, match="feature names"):
        model.predict(X[X.columns[::-1]])
    with pytest.raises(UsageError, match="infin"):
        model.predict(X.assign(age=np.inf))
    with pytest.raises(UsageError, match="BootstrapEnsemble"):
        model.risk_draws(X)


def test_the_directions_of_a_program_are_those_its_features_declare():
    ways = worse_directions(load_program("geriatric"))
    assert ways["gir"] == "lower"
    assert set(ways.values()) == {"higher", "lower"}


def test_many_levels_keep_the_commonest_and_the_rest_count_as_missing():
    levels = np.array([f"L{i:03}" for i in range(80)])
    X = pd.DataFrame({"place": np.r_[np.repeat(levels[:50], 5), levels[50:]], "falls": np.arange(280) % 4})
    fitted = ChallengerClassifier(max_trees=5, n_folds=2).fit(X, X["falls"] > 2)
    assert len(fitted.bins_[0]["levels"]) == 50
    assert "is missing" in set(fitted.shapes_["bin"])
