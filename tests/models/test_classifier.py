"""The risk classifier: what it learns, how it explains itself, what it refuses."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from casestrat.errors import UsageError
from casestrat.models import NoSignalWarning, RiskClassifier
from casestrat.models.calibration import recalibrate


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    n = 600
    persons = [f"P{i:04}" for i in range(n // 2)] * 2
    dates = np.repeat(pd.to_datetime(["2025-01-01", "2025-07-01"]), n // 2)
    falls = rng.poisson(1, n).astype(float)
    frame = pd.DataFrame(
        {
            "falls": falls,
            "age": rng.normal(80, 8, n),
            "setting": rng.choice(["home", "hospital", "residence"], n),
            "alone": pd.array(rng.random(n) < 0.4, dtype="boolean"),
            "same": 1.0,
            "never_asked": np.nan,
        },
        index=pd.MultiIndex.from_arrays([persons, dates], names=["person_id", "as_of"]),
    )
    frame.loc[rng.random(n) < 0.2, "age"] = np.nan
    frame.loc[rng.random(n) < 0.1, "alone"] = pd.NA
    frame.loc[rng.random(n) < 0.1, "setting"] = None
    return frame


@pytest.fixture(scope="module")
def labels(people) -> pd.Series:
    rng = np.random.default_rng(12)
    score = -2 + 0.9 * people["falls"] + 0.8 * (people["setting"] == "hospital") + 0.7 * people["age"].isna()
    return pd.Series((rng.random(len(people)) < expit(score)).astype(float), index=people.index, name="label")


@pytest.fixture(scope="module")
def model(people, labels) -> RiskClassifier:
    return RiskClassifier().fit(people, labels)


def test_constant_and_all_missing_features_are_left_out_and_told(model):
    assert model.dropped_ == {"same": "constant", "never_asked": "all missing"}
    assert model.kinds_ == ["numeric", "numeric", "text", "numeric", "numeric", "unknown"]
    parts = list(
        zip(model.coefficients_["feature"], model.coefficients_["part"], model.coefficients_["level"], strict=True)
    )
    assert parts == [
        ("falls", "value", ""),
        ("age", "value", ""),
        ("age", "missing", ""),
        ("setting", "level", "home"),
        ("setting", "level", "hospital"),
        ("setting", "level", "residence"),
        ("setting", "missing", ""),
        ("alone", "value", ""),
        ("alone", "missing", ""),
    ]
    assert (model.n_rows_, model.n_persons_) == (600, 300)


def test_it_finds_what_is_there(model, people, labels):
    assert roc_auc_score(labels, model.predict_proba(people)[:, 1]) > 0.7
    weights = model.coefficients_.set_index(["feature", "part", "level"])["weight"]
    assert weights["falls", "value", ""] > 0.5
    assert weights["setting", "level", "hospital"] > weights["setting", "level", "home"]
    assert weights["age", "missing", ""] > 0


def test_contributions_sum_to_the_log_odds_less_the_intercept(model, people):
    why = model.explain(people)
    assert len(why) == len(people) * 4
    total = why.groupby(["person_id", "as_of"])["contribution"].sum().loc[people.index]
    np.testing.assert_allclose(total, model.decision_function(people) - model.intercept_, atol=1e-9)
    missing = why[why["value_is_missing"] & (why["item"] == "age")]
    assert len(missing) == people["age"].isna().sum()


def test_the_intercept_is_the_log_odds_of_the_mean_person(model, people):
    assert model.decision_function(people).mean() == pytest.approx(model.intercept_, abs=1e-9)


def test_reasons_take_domain_and_actionability_from_the_features_of_the_program(model, people):
    features = [{"name": "falls", "domain": "function", "is_actionable": True}]
    why = model.explain(people.head(2), top=4, features=features).set_index("item")
    assert set(why.loc[["falls"], "domain"]) == {"function"}
    assert set(why.loc[["age"], "domain"]) == {"other"}
    assert why.loc[["falls"], "is_actionable"].all()
    assert not why.loc[["age"], "is_actionable"].any()


def test_the_calibration_mends_risks_that_are_too_extreme():
    rng = np.random.default_rng(0)
    weights = np.r_[0.9, 0.5, np.zeros(28)]
    seen, unseen = rng.normal(size=(500, 30)), rng.normal(size=(10_000, 30))
    y, fresh = (rng.random(len(X)) < expit(X @ weights - 1) for X in (seen, unseen))
    slopes = {
        kind: recalibrate(RiskClassifier(C=10, calibration=kind).fit(seen, y).decision_function(unseen), fresh).slope
        for kind in ("sigmoid", "none")
    }
    assert slopes["none"] < 0.8
    assert abs(slopes["sigmoid"] - 1) < abs(slopes["none"] - 1)


def test_without_calibration_it_is_the_plain_regression(people, labels):
    numbers = people[["falls"]]
    model = RiskClassifier(calibration="none", C=0.5).fit(numbers, labels)
    z = ((numbers - numbers.mean()) / numbers.std(ddof=0)).to_numpy()
    plain = LogisticRegression(C=0.5, tol=1e-8).fit(z, labels)
    np.testing.assert_allclose(model.decision_function(numbers), plain.decision_function(z), atol=1e-5)
    assert model.calibrator_["kind"] == "none"


def test_a_level_not_seen_before_counts_as_none_of_the_levels(model, people):
    one = people.head(1).assign(setting="prison")
    why = model.explain(one).set_index("item")["contribution"]
    rows = model.coefficients_.query("feature == 'setting'")
    assert why["setting"] == pytest.approx(-(rows["weight"] * rows["mean"]).sum())


def test_a_person_of_whom_nothing_is_known_still_gets_a_risk(model, people):
    nobody = people.head(1).copy()
    nobody[:] = np.nan
    assert 0 < model.predict_proba(nobody)[0, 1] < 1


def test_a_sorted_file_does_no_harm(people, labels):
    for order in (
        people["falls"].argsort(kind="stable"),
        labels.argsort(kind="stable"),
        people["age"].fillna(0).argsort(),
    ):
        X, y = people.iloc[order], labels.iloc[order]
        model = RiskClassifier().fit(X, y)
        shuffled = RiskClassifier().fit(people, labels)
        np.testing.assert_allclose(model.predict_proba(people), shuffled.predict_proba(people), atol=1e-4)
        bare = RiskClassifier().fit(X.reset_index(drop=True), y.reset_index(drop=True))  # no person_id: folds by row
        assert bare.calibrator_["slope"] > 0.5
        assert roc_auc_score(labels, bare.predict_proba(people.reset_index(drop=True))[:, 1]) == pytest.approx(
            roc_auc_score(labels, shuffled.predict_proba(people)[:, 1]), abs=0.005
        )


def test_no_signal_is_said_and_everybody_gets_the_mean_risk():
    X, y = np.tile([[0], [0], [0], [1], [1], [1]], (10, 1)), np.tile([0, 1, 1], 20)
    with pytest.warns(NoSignalWarning, match="no signal"):
        model = RiskClassifier().fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], 2 / 3)
    assert (model.explain(X)["contribution"] == 0).all()


def test_groups_keep_the_rows_of_a_person_together():
    # each person has a label of their own and a feature that only names them: learnt by heart it looks perfect
    rng = np.random.default_rng(3)
    person = np.repeat(np.arange(60), 6)
    own = rng.random(60) < 0.5
    X = np.eye(60)[person]
    by_row = RiskClassifier().fit(X, own[person])
    assert by_row.calibrator_["slope"] > 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoSignalWarning)
        by_person = RiskClassifier().fit(X, own[person], groups=person.tolist())
    assert by_person.calibrator_["slope"] < 0.5


def test_too_few_people_with_the_outcome_leave_the_regression_as_it_is():
    X = np.arange(20.0).reshape(-1, 1)
    model = RiskClassifier().fit(X, np.arange(20) == 19)
    assert model.calibrator_["n_folds"] == 0
    assert model.classes_.tolist() == [False, True]
    assert model.fingerprint == RiskClassifier().fit(X, np.arange(20) == 19).fingerprint


def test_labels_may_be_text_and_the_outcome_is_the_second():
    X = np.array([[0.0], [0.1], [0.9], [1.0]] * 10)
    model = RiskClassifier().fit(X, ["no", "no", "yes", "yes"] * 10)
    assert model.predict(X[:4]).tolist() == ["no", "no", "yes", "yes"]


def test_labels_of_a_nullable_series_are_taken(people, labels):
    model = RiskClassifier().fit(people, labels.astype("boolean"))
    assert model.classes_.tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("change", "words"),
    [({"C": 0}, "C must be"), ({"calibration": "isotonic"}, "calibration must"), ({"n_folds": 1}, "n_folds must")],
)
def test_settings_outside_their_range_are_refused(change, words, people, labels):
    with pytest.raises(UsageError, match=words):
        RiskClassifier(**change).fit(people, labels)


def test_labels_that_cannot_be_learned_from_are_refused(people, labels):
    with pytest.raises(UsageError, match="one class"):
        RiskClassifier().fit(people, labels * 0)
    with pytest.raises(UsageError, match="1 labels are missing"):
        RiskClassifier().fit(people, labels.where(np.arange(len(labels)) > 0))
    with pytest.raises(UsageError, match="Only binary"):
        RiskClassifier().fit(people, np.arange(len(labels)) % 3)
    with pytest.raises(UsageError, match="different rows"):
        RiskClassifier().fit(people, labels.reset_index(drop=True))
    with pytest.raises(UsageError, match="y is None"):
        RiskClassifier().fit(people, None)


def test_features_that_cannot_be_learned_from_are_refused(people, labels, model):
    with pytest.raises(UsageError, match="no feature tells"):
        RiskClassifier().fit(people[["same", "never_asked"]], labels)
    with pytest.raises(UsageError, match="0 sample"):
        model.predict(people.head(0))
    with pytest.raises(UsageError, match="column falls"):
        model.predict(people.assign(falls="many"))
    with pytest.raises(UsageError, match="column setting"):
        model.predict(people.assign(setting=1.0))


def test_fitted_attributes_are_plain(model):
    def plain(value):
        if isinstance(value, dict):
            return all(map(plain, value.values()))
        if isinstance(value, list):
            return all(map(plain, value))
        return isinstance(value, np.ndarray | str | int | float)

    assert [name for name, value in vars(model).items() if not plain(value)] == []


def test_fitting_twice_gives_the_same_model(model, people, labels):
    again = RiskClassifier().fit(people, labels)
    assert again.fingerprint == model.fingerprint
    assert RiskClassifier(C=0.2).fit(people, labels).fingerprint != model.fingerprint
