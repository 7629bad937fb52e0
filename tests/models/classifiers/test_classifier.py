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
from casestrat.models.inputs.sample_size import SmallSampleWarning
from casestrat.models.measures.calibration import recalibrate


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
    [
        ({"C": 0}, "C must be"),
        ({"C": "best"}, "C must be"),
        ({"n_knots": 2}, "n_knots must"),
        ({"splines": "all"}, "splines is"),
        ({"splines": ["nothing"]}, "'nothing'"),
        ({"splines": ["setting"]}, "holds text"),
        ({"calibration": "beta"}, "calibration must"),
        ({"calibration_split": "random"}, "calibration_split must"),
        ({"calibration_split": "temporal"}, "gap_days"),
        ({"class_weight": "balanced", "calibration": "none"}, "falsifies"),
        ({"class_weight": "some"}, "balanced"),
        ({"class_weight": {1: 0}}, "above 0"),
        ({"n_folds": 1}, "n_folds must"),
    ],
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

    learned = {name: value for name, value in vars(model).items() if name.endswith("_")}
    assert [name for name, value in learned.items() if not plain(value)] == []


def test_fitting_twice_gives_the_same_model(model, people, labels):
    again = RiskClassifier().fit(people, labels)
    assert again.fingerprint == model.fingerprint
    assert RiskClassifier(C=0.2).fit(people, labels).fingerprint != model.fingerprint


def test_a_curve_follows_a_risk_that_bends_and_is_straight_at_its_ends():
    rng = np.random.default_rng(5)
    age = rng.uniform(60, 100, 3000)
    y = rng.random(3000) < expit(-2 + 0.008 * (age - 80) ** 2)
    X = pd.DataFrame({"age": age, "noise": rng.normal(size=3000)})
    with pytest.warns(NoSignalWarning):
        straight = RiskClassifier().fit(X, y)
    bent = RiskClassifier(splines=("age",)).fit(X, y)
    assert roc_auc_score(y, bent.predict_proba(X)[:, 1]) > roc_auc_score(y, straight.predict_proba(X)[:, 1]) + 0.1
    parts = [part for part in bent.design_ if part["part"] == "curve"]
    assert [part["level"] for part in parts] == ["1", "2"]
    assert parts[0]["knots"] == pytest.approx(np.quantile(age, [0.05, 0.35, 0.65, 0.95], method="inverted_cdf"))
    beyond = pd.DataFrame({"age": [101.0, 111, 121, 20, 30, 40], "noise": 0.0})
    eta = bent.decision_function(beyond)
    assert eta[2] - eta[1] == pytest.approx(eta[1] - eta[0], abs=1e-9)
    assert eta[5] - eta[4] == pytest.approx(eta[4] - eta[3], abs=1e-9)
    why = bent.explain(X)
    total = why.groupby("row")["contribution"].sum()
    np.testing.assert_allclose(total, bent.decision_function(X) - bent.intercept_, atol=1e-9)
    assert set(RiskClassifier(splines="auto").fit(X, y).coefficients_.query("part == 'curve'")["feature"]) == {
        "age", "noise",
    }  # fmt: skip


def test_a_feature_of_two_values_stays_a_line_though_a_curve_was_asked_for(people, labels):
    model = RiskClassifier(splines=["falls", "same", "alone"], n_knots=5).fit(people, labels)
    curved = model.coefficients_.query("part == 'curve'")["feature"].unique().tolist()
    assert curved == ["falls"]


def test_the_strength_that_does_best_on_people_held_out_is_chosen():
    rng = np.random.default_rng(8)
    noise = rng.normal(size=(150, 20))
    y = rng.random(150) < expit(noise[:, 0])
    assert RiskClassifier("cv").fit(noise, y).C_ < 0.1
    many = rng.normal(size=(4000, 3))
    y = rng.random(4000) < expit(many @ [1.5, -1, 0.5])
    model = RiskClassifier("cv").fit(many, y)
    assert model.C_ > 0.03
    np.testing.assert_allclose(
        RiskClassifier(model.C_).fit(many, y).predict_proba(many), model.predict_proba(many), atol=1e-9
    )
    assert RiskClassifier("cv", calibration="none").fit(many, y).C_ == model.C_


def test_a_weight_of_two_is_the_row_twice(people, labels):
    weight = np.random.default_rng(2).integers(0, 4, len(people))
    rows = np.repeat(np.arange(len(people)), weight)
    for settings in ({}, {"splines": "auto", "C": "cv"}):
        weighted = RiskClassifier(**settings).fit(people, labels, sample_weight=weight)
        repeated = RiskClassifier(**settings).fit(people.iloc[rows], labels.iloc[rows])
        np.testing.assert_allclose(weighted.predict_proba(people), repeated.predict_proba(people), atol=1e-8)
        np.testing.assert_allclose(weighted.risk_draws(people, 20), repeated.risk_draws(people, 20), atol=1e-6)
        assert weighted.C_ == repeated.C_


def test_the_order_of_rows_changes_nothing_to_the_last_digit(people, labels):
    order = np.random.default_rng(0).permutation(len(people))
    model = RiskClassifier().fit(people, labels)
    assert RiskClassifier().fit(people.iloc[order], labels.iloc[order]).fingerprint == model.fingerprint
    bare, y = people.reset_index(drop=True), labels.reset_index(drop=True)
    assert (
        RiskClassifier().fit(bare.iloc[order], y.iloc[order]).fingerprint == RiskClassifier().fit(bare, y).fingerprint
    )


@pytest.mark.parametrize("weight", [[1, 2], "many", [[1.0]] * 600, [-1.0] + [1.0] * 599, [np.nan] * 600, [0.0] * 600])
def test_weights_that_cannot_be_used_are_refused(weight, people, labels):
    with pytest.raises((UsageError, ValueError), match=r"weight|could not convert"):
        RiskClassifier().fit(people, labels, sample_weight=weight)


def test_weights_that_leave_one_class_are_refused(people, labels):
    with pytest.raises(UsageError, match="one class among the rows"):
        RiskClassifier().fit(people, labels, sample_weight=labels)


def test_class_weights_are_undone_by_the_calibration(people, labels):
    plain = RiskClassifier().fit(people, labels)
    for chosen in ("balanced", {0.0: 1, 1.0: 5}):
        weighted = RiskClassifier(class_weight=chosen).fit(people, labels)
        mean = weighted.predict_proba(people)[:, 1].mean()
        assert mean == pytest.approx(plain.predict_proba(people)[:, 1].mean(), abs=0.01)
        assert np.abs(weighted.raw_ - plain.raw_).max() > 0.05


def test_what_needs_people_held_out_is_refused_where_there_are_none():
    X = np.arange(20.0).reshape(-1, 1)
    for asked in ({"class_weight": "balanced"}, {"calibration": "isotonic"}, {"C": "cv"}):
        with pytest.raises(UsageError, match="two people of each class"):
            RiskClassifier(**asked).fit(X, np.arange(20) == 19)
    assert "not calibrated" in RiskClassifier().fit(X, np.arange(20) == 19).warnings_[-1]


@pytest.fixture(scope="module")
def many() -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(21)
    X = pd.DataFrame({"a": rng.normal(size=2000), "b": rng.normal(size=2000)})
    return X, rng.random(2000) < expit(-0.5 + X["a"] + 0.5 * np.abs(X["b"]))


def test_isotonic_steps_never_change_who_comes_before_whom(many):
    X, y = many
    steps = RiskClassifier(calibration="isotonic").fit(X, y)
    risk, eta = steps.predict_proba(X)[:, 1], steps.decision_function(X)
    assert (np.diff(risk[np.argsort(eta)]) >= 0).all()
    assert risk.min() > 0
    assert risk.max() < 1
    assert risk.mean() == pytest.approx(y.mean(), abs=0.01)
    assert roc_auc_score(y, risk) > roc_auc_score(y, eta) - 0.005
    total = steps.explain(X).groupby("row")["contribution"].sum()
    np.testing.assert_allclose(total, eta - steps.intercept_, atol=1e-9)
    np.testing.assert_array_equal(steps.predict(X), risk > 0.5)
    with pytest.raises(UsageError, match="BootstrapEnsemble"):
        steps.risk_draws(X)


def test_isotonic_steps_are_refused_where_too_few_people_would_make_them(people, labels):
    with pytest.raises(UsageError, match="200 rows of each class"):
        RiskClassifier(calibration="isotonic").fit(people.head(300), labels.head(300))


def test_the_calibration_may_be_judged_on_later_dates():
    rng = np.random.default_rng(4)
    days = pd.date_range("2024-01-01", periods=8, freq="91D")
    index = pd.MultiIndex.from_product([[f"P{i}" for i in range(150)], days], names=["person_id", "as_of"])
    X = pd.DataFrame({"falls": rng.poisson(1, len(index)).astype(float)}, index=index)
    y = rng.random(len(X)) < expit(X["falls"].to_numpy() - 2)
    model = RiskClassifier(calibration_split="temporal", gap_days=90, n_folds=3).fit(X, y)
    assert model.calibrator_["n_folds"] == 3
    assert model.calibrator_["slope"] == pytest.approx(1, abs=0.25)
    late = RiskClassifier(calibration_split="temporal", gap_days=300).fit(X, y)
    assert late.calibrator_["n_folds"] == 1
    with pytest.raises(UsageError, match="1000 days older"):
        RiskClassifier(calibration_split="temporal", gap_days=1000).fit(X, y)
    with pytest.raises(UsageError, match="no level as_of"):
        RiskClassifier(calibration_split="temporal", gap_days=0).fit(X.droplevel("as_of"), y)


def test_too_few_events_are_told_with_the_number_that_would_be_needed(model, people, labels):
    assert model.warnings_ == ["small sample: 200 events for 9 candidate parameters, where 235 would be needed"]
    assert RiskClassifier().fit(people[["falls"]], labels).warnings_ == []
    few = RiskClassifier().fit(people.head(60), labels.head(60))
    assert len(few.warnings_) == 1
    assert "would be needed" in few.warnings_[0]
    X = np.random.default_rng(0).normal(size=(40, 30))
    with pytest.warns(SmallSampleWarning, match="20 events for 30 candidate parameters, where"):
        RiskClassifier(calibration="none").fit(X, np.arange(40) % 2)


def test_draws_spread_less_where_more_was_learned(people, labels):
    widths = []
    for n in (150, 600):
        drawn = RiskClassifier().fit(people.head(n), labels.head(n)).risk_draws(people.head(50), n_draws=300)
        assert drawn.shape == (300, 50)
        assert ((drawn >= 0) & (drawn <= 1)).all()
        widths.append(np.ptp(drawn, axis=0).mean())
    assert widths[1] < widths[0]


def test_draws_depend_on_the_seed_alone_and_centre_on_the_risk(model, people):
    drawn = model.risk_draws(people, n_draws=400, random_state=3)
    np.testing.assert_array_equal(model.risk_draws(people, n_draws=400, random_state=3), drawn)
    np.testing.assert_allclose(
        model.risk_draws(people.iloc[5:9], n_draws=400, random_state=3), drawn[:, 5:9], atol=1e-12
    )
    assert not np.array_equal(model.risk_draws(people, n_draws=400), drawn)
    assert np.abs(np.median(drawn, axis=0) - model.predict_proba(people)[:, 1]).max() < 0.03
    with pytest.raises(UsageError, match="n_draws"):
        model.risk_draws(people, n_draws=0)


def test_nine_intervals_in_ten_hold_the_true_risk():
    unseen = np.random.default_rng(1).normal(size=(300, 4))
    truth = expit(-1.3 + unseen @ [0.8, -0.5, 0.3, 0])
    held = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(500, 4))
        model = RiskClassifier().fit(X, rng.random(500) < expit(-1.3 + X @ [0.8, -0.5, 0.3, 0]))
        low, high = np.quantile(model.risk_draws(unseen), [0.05, 0.95], axis=0)
        held.append(((low <= truth) & (truth <= high)).mean())
    assert 0.8 < np.mean(held) < 0.99


def test_rows_of_one_person_do_not_count_as_many_people():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    y = rng.random(200) < expit(X[:, 0])
    once = RiskClassifier(calibration="none").fit(X, y)
    copied = np.repeat(np.arange(200), 5)
    persons = RiskClassifier(C=0.1 / 5, calibration="none").fit(X[copied], y[copied], groups=copied)
    np.testing.assert_allclose(persons.raw_, once.raw_, atol=1e-6)
    assert np.diag(persons.covariance_) == pytest.approx(np.diag(once.covariance_), rel=0.35)


def test_columns_renamed_or_in_another_order_are_refused(model, people):
    for other in (people.rename(columns={"falls": "fall"}), people[people.columns[::-1]], people.drop(columns="age")):
        with pytest.raises(ValueError, match="feature names"):
            model.predict_proba(other)


def test_infinite_numbers_are_refused(model, people, labels):
    infinite = people.assign(age=np.inf)
    with pytest.raises(UsageError, match="age"):
        model.predict_proba(infinite)
    with pytest.raises(UsageError, match="age"):
        RiskClassifier().fit(infinite, labels)


def test_a_fold_that_has_nothing_to_learn_from_takes_the_mean():
    X = pd.DataFrame({"rare": np.r_[1.0, np.zeros(39)]})  # the fold without the one person learns nothing
    y = np.r_[1, 1, 1, np.zeros(37)]
    model = RiskClassifier(n_folds=3).fit(X, y)
    assert model.calibrator_["n_folds"] == 3
    assert model.predict_proba(X)[:, 1].mean() == pytest.approx(y.mean(), abs=0.05)


def test_a_row_without_a_person_is_refused(people, labels):
    with pytest.raises(UsageError, match="1 rows have none"):
        RiskClassifier().fit(people, labels, groups=[None, *["P1"] * 299, *["P2"] * 300])
