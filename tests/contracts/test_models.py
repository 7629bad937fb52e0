"""Every public estimator keeps scikit-learn's contract and the house's own; found by discovery."""

import inspect
import warnings
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.utils.estimator_checks import check_estimator

from casestrat import models
from casestrat.errors import UsageError
from casestrat.knowledge import list_scorecards
from casestrat.models import load_model, save_model

ESTIMATORS = [
    thing
    for name in models.__all__
    if inspect.isclass(thing := getattr(models, name)) and issubclass(thing, BaseEstimator)
]
LEARNERS = [estimator for estimator in ESTIMATORS if hasattr(estimator, "fit")]
# Settings under which a learner is quick enough to be fitted many times; the checks hold whatever they are.
QUICK: dict[str, dict[str, Any]] = {
    "BootstrapEnsemble": {"n_draws": 3},
    "ChallengerClassifier": {"max_trees": 10, "n_folds": 2, "min_rows": 5},
    "PointScorecard": {"max_rows": 2, "beam_width": 2, "n_folds": 2},
}
OF_TIME = {"HorizonRisk"}
WITHOUT_DRAWS = {"ChallengerClassifier"}
_FOLDS = "without a person_id each row is a person: a row twice is two people, who may come into two folds"
_UNDONE = "the weight of a class falsifies risks on purpose, and the calibration sets them right again"
# check → reason; a check may be listed only where the folds or the calibration make it fail.
_WEIGHTS = {"check_sample_weight_equivalence_on_dense_data": _FOLDS}
_DAYS = "it learns from the days until something happened, which take the place of y"
EXPECTED_FAILED_CHECKS: dict[str, dict[str, str]] = {
    "BootstrapEnsemble": _WEIGHTS,
    "ChallengerClassifier": _WEIGHTS,
    "HorizonRisk": {"check_fit_score_takes_y": _DAYS, "check_sample_weight_equivalence_on_dense_data": _DAYS},
    "PointScorecard": _WEIGHTS,
    "RiskClassifier": {**_WEIGHTS, "check_class_weight_classifiers": _UNDONE},
}
pytestmark = [
    # Some checks learn from noise or from few people: that there is no signal is then said, as it should be.
    pytest.mark.filterwarnings("ignore::casestrat.models.NoSignalWarning"),
    pytest.mark.filterwarnings("ignore::casestrat.models.SmallSampleWarning"),
]


def named(estimator: type) -> str:
    return estimator.__name__


def quick(estimator: type) -> Any:
    return estimator(**QUICK.get(estimator.__name__, {}))


def draw(n: int = 240, seed: int = 0) -> tuple[pd.DataFrame, pd.Series]:
    """People with a number, a number that is sometimes missing, a text and a flag, two dates each; and the outcome."""
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product(
        [[f"P{i:03}" for i in range(n // 2)], pd.to_datetime(["2025-01-01", "2025-07-01"])],
        names=["person_id", "as_of"],
    )
    X = pd.DataFrame(
        {
            "falls": rng.poisson(1.5, n).astype(float),
            "age": rng.normal(80, 8, n).round(1),
            "setting": rng.choice(["home", "hospital"], n),
            "alone": rng.integers(0, 2, n).astype(float),
        },
        index=index,
    )
    score = X["falls"] + 1.5 * (X["setting"] == "hospital") - 2.3
    X.loc[rng.random(n) < 0.2, "age"] = np.nan
    return X, pd.Series((rng.random(n) < 1 / (1 + np.exp(-score))).astype(int), index=index)


def fit(estimator: Any, X: Any, y: Any, **more: Any) -> Any:
    """Fit whatever learns: of time, the outcome comes within thirty days or not at all."""
    if type(estimator).__name__ not in OF_TIME:
        return estimator.fit(X, y, **more)
    event = np.asarray(y)
    days = pd.Series(np.where(event == 1, 20.0, 60.0), index=getattr(y, "index", None))
    return estimator.set_params(horizons_days=(30, 60)).fit(X, days, event=y, **more)


@cache
def learned(estimator: type) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fit(quick(estimator), *draw())


def test_estimators_are_found():
    found = {estimator.__name__ for estimator in ESTIMATORS}
    assert {"BootstrapEnsemble", "ChallengerClassifier", "HorizonRisk", "PointScorecard", "RiskClassifier"} <= found
    assert models.RiskClassifier in LEARNERS


@pytest.mark.parametrize("estimator", LEARNERS, ids=named)
def test_every_learner_passes_the_checks_of_scikit_learn(estimator):
    expected = EXPECTED_FAILED_CHECKS.get(estimator.__name__, {})
    done = check_estimator(quick(estimator), expected_failed_checks=expected, on_skip=None)
    assert sum(check["status"] == "passed" for check in done) > 40
    # a reason that no longer holds is struck out
    assert not [
        check["check_name"] for check in done if check["check_name"] in expected and check["status"] == "passed"
    ]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=named)
def test_every_estimator_gives_risk_reasons_draws_and_a_fingerprint(estimator):
    assert {"predict_proba", "explain", "fingerprint", "risk_draws", "schema_"} <= set(dir(estimator))


@pytest.mark.parametrize("estimator", LEARNERS, ids=named)
def test_every_learner_takes_persons_and_weights(estimator):
    asked = inspect.signature(estimator.fit).parameters
    assert {"X", "groups", "sample_weight"} <= set(asked)
    assert asked["groups"].default is asked["sample_weight"].default is None
    of_draws = inspect.signature(estimator.risk_draws).parameters
    assert (of_draws["n_draws"].default, of_draws["random_state"].default) == (200, 0)
    of_reasons = inspect.signature(estimator.explain).parameters
    assert of_reasons["top"].default is of_reasons["features"].default is None


@pytest.mark.parametrize("estimator", LEARNERS, ids=named)
def test_risks_are_probabilities_that_tell_people_apart(estimator):
    X, y = draw()
    risk = learned(estimator).predict_proba(X)
    assert risk.shape == (len(X), 2)
    np.testing.assert_allclose(risk.sum(axis=1), 1)
    assert ((risk >= 0) & (risk <= 1)).all()
    assert risk[y == 1, 1].mean() > risk[y == 0, 1].mean() + 0.1


@pytest.mark.parametrize("estimator", LEARNERS, ids=named)
def test_contributions_sum_to_the_points_or_log_odds(estimator):
    X, _ = draw()
    model = learned(estimator)
    why = model.explain(X)
    total = why.groupby(["person_id", "as_of"])["contribution"].sum().reindex(X.index, fill_value=0)
    whole = (
        model.points(X) if hasattr(model, "points") else model.decision_function(X) - getattr(model, "intercept_", 0)
    )
    np.testing.assert_allclose(total.astype(float), np.asarray(whole, dtype=float), atol=1e-9)
    assert {"reason", "item", "domain", "is_actionable", "value_is_missing"} <= set(why.columns)
    first = model.explain(X, top=1, features=[{"name": "falls", "domain": "function", "is_actionable": True}])
    assert first.groupby(["person_id", "as_of"]).size().max() == 1
    assert set(first.loc[first["item"] == "falls", "domain"]) <= {"function"}


@pytest.mark.parametrize("estimator", LEARNERS, ids=named)
def test_draws_are_risks_the_same_for_the_same_seed_or_refused_with_the_reason(estimator):
    X, _ = draw()
    model = learned(estimator)
    if estimator.__name__ in WITHOUT_DRAWS:
        with pytest.raises(UsageError, match="BootstrapEnsemble"):
            model.risk_draws(X, n_draws=20)
        return
    drawn = model.risk_draws(X, n_draws=20)
    assert drawn.shape == (20, len(X))
    assert ((drawn >= 0) & (drawn <= 1)).all()
    assert drawn.std(axis=0).max() > 0
    np.testing.assert_array_equal(model.risk_draws(X, n_draws=20), drawn)
    np.testing.assert_allclose(model.risk_draws(X.iloc[3:7], n_draws=20), drawn[:, 3:7], atol=1e-12)
    assert not np.array_equal(model.risk_draws(X, n_draws=20, random_state=1), drawn)
    # a model of time gives the risk of its first horizon
    centre = np.median(drawn, axis=0)
    assert np.corrcoef(centre, model.predict_proba(X)[:, 1])[0, 1] > 0.8


@pytest.mark.parametrize("estimator", LEARNERS, ids=named)
def test_a_row_twice_is_a_row_of_weight_two(estimator):
    X, y = draw()
    weight = np.random.default_rng(1).integers(0, 4, len(X))
    rows = np.repeat(np.arange(len(X)), weight)
    weighted = fit(quick(estimator), X, y, sample_weight=weight)
    repeated = fit(quick(estimator), X.iloc[rows], y.iloc[rows])
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("estimator", LEARNERS, ids=named)
def test_the_order_of_rows_changes_nothing_and_the_same_seed_gives_the_same_fingerprint(estimator):
    X, y = draw()
    order = np.random.default_rng(2).permutation(len(X))
    model = learned(estimator)
    assert fit(quick(estimator), X, y).fingerprint == model.fingerprint
    shuffled = fit(quick(estimator), X.iloc[order], y.iloc[order])
    np.testing.assert_allclose(shuffled.predict_proba(X), model.predict_proba(X), atol=1e-9)


@pytest.mark.parametrize("estimator", LEARNERS, ids=named)
def test_a_file_sorted_by_outcome_does_no_harm(estimator):
    X, y = (thing.reset_index(drop=True) for thing in draw())
    order = np.argsort(y.to_numpy(), kind="stable")
    plain, done = fit(quick(estimator), X, y), fit(quick(estimator), X.iloc[order], y.iloc[order])
    risks = [model.predict_proba(X)[:, 1] for model in (plain, done)]
    pairs = [np.mean(risk[y == 1][:, None] > risk[y == 0]) for risk in risks]
    assert pairs[0] == pytest.approx(pairs[1], abs=0.005)


@pytest.mark.parametrize("estimator", LEARNERS, ids=named)
def test_arrays_are_taken_with_generated_names(estimator):
    X, y = draw()
    numbers = X[["falls", "age", "alone"]].to_numpy()
    model = fit(quick(estimator), numbers, y.to_numpy())
    assert set(model.explain(numbers)["item"]) <= {"x0", "x1", "x2"}
    assert model.predict_proba(numbers).shape == (len(X), 2)
    assert [one["name"][0] for one in model.schema_][:1] == ["x"]


@pytest.mark.parametrize("estimator", LEARNERS, ids=named)
def test_what_is_learned_is_plain(estimator):
    def plain(value: Any) -> bool:
        if isinstance(value, dict):
            return all(map(plain, value.values()))
        if isinstance(value, list | tuple):
            return all(map(plain, value))
        return value is None or isinstance(value, np.ndarray | str | int | float | np.generic | BaseEstimator)

    model = learned(estimator)
    assert [name for name, value in vars(model).items() if name.endswith("_") and not plain(value)] == []
    assert isinstance(model.warnings_, list)
    assert all(isinstance(note, str) for note in model.warnings_)
    assert all(set(one) == {"name", "kind"} for one in model.schema_)


@pytest.mark.parametrize("estimator", LEARNERS, ids=named)
def test_a_stored_model_is_the_same(estimator, tmp_path):
    X, _ = draw()
    model = learned(estimator)
    again = load_model(save_model(model, tmp_path / "m"), expect=X)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again.fingerprint == model.fingerprint


@pytest.mark.parametrize("estimator", LEARNERS, ids=named)
def test_labels_of_one_class_are_refused(estimator):
    X, y = draw()
    with pytest.raises(UsageError):
        fit(quick(estimator), X, y * 0)


@pytest.mark.parametrize("estimator", LEARNERS, ids=named)
def test_constant_and_all_missing_columns_do_no_harm_beside_others_and_are_refused_alone(estimator):
    X, y = draw()
    more = X.assign(same=1.0, never_asked=np.nan)
    model = fit(quick(estimator), more, y)
    used = set(model.explain(more)["item"])
    assert used
    assert not used & {"same", "never_asked"}
    if estimator.__name__ not in OF_TIME:  # of time, everybody then gets the same risk
        with pytest.raises(UsageError):
            fit(quick(estimator), more[["same", "never_asked"]], y)


@pytest.mark.parametrize("estimator", LEARNERS, ids=named)
def test_infinite_numbers_are_refused_by_name(estimator):
    X, y = draw()
    infinite = X.assign(falls=np.inf)
    with pytest.raises(UsageError, match="falls"):
        fit(quick(estimator), infinite, y)
    with pytest.raises(UsageError, match="falls"):
        learned(estimator).predict_proba(infinite)


@pytest.mark.parametrize("estimator", LEARNERS, ids=named)
def test_a_category_not_seen_before_still_gets_a_risk(estimator):
    X, _ = draw()
    risk = learned(estimator).predict_proba(X.head(3).assign(setting="prison"))[:, 1]
    assert ((risk >= 0) & (risk <= 1)).all()


@pytest.mark.parametrize("estimator", LEARNERS, ids=named)
def test_a_person_of_whom_nothing_is_known_still_gets_a_risk(estimator):
    X, _ = draw()
    nobody = X.head(1).assign(falls=np.nan, age=np.nan, setting=None, alone=np.nan)
    assert 0 < learned(estimator).predict_proba(nobody)[0, 1] < 1


@pytest.mark.parametrize("estimator", LEARNERS, ids=named)
def test_columns_that_were_renamed_are_refused_and_those_reordered_refused_or_read_by_name(estimator):
    X, _ = draw()
    model = learned(estimator)
    with pytest.raises(ValueError, match=r"\b(falls|setting)\b"):
        model.predict_proba(X.rename(columns={"falls": "fallls", "setting": "place"}))
    turned = X[X.columns[::-1]]
    if hasattr(model, "points"):  # a card reads its items by name
        np.testing.assert_array_equal(model.predict_proba(turned), model.predict_proba(X))
    else:
        with pytest.raises(ValueError, match="order"):
            model.predict_proba(turned)


@pytest.mark.parametrize("estimator", LEARNERS, ids=named)
def test_a_clone_knows_nothing(estimator):
    again = clone(learned(estimator))
    assert not [name for name in vars(again) if name.endswith("_")]


@pytest.mark.parametrize("name", list_scorecards()["name"])
def test_every_shipped_card_can_be_applied_and_sums(name):
    card = models.PointScorecard.from_table(name)
    nobody_known = pd.DataFrame({item: [np.nan, np.nan] for item in card.items_})
    assert card.min_points <= card.points(nobody_known).iloc[0] <= card.max_points
    assert card.min_points < card.max_points
    assert models.PointScorecard.from_json(card.to_json()).fingerprint == card.fingerprint
