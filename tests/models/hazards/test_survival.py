"""Risk by each horizon: what it learns, how it explains itself, what it refuses, and the example from end to end."""

import dataclasses
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

import casestrat
from casestrat.errors import UsageError
from casestrat.models import (
    FollowUpWarning,
    HorizonRisk,
    NoSignalWarning,
    PersonGroupedSplit,
    PointScorecard,
    aalen_johansen,
    evaluate_horizon,
    horizon_labels,
    kaplan_meier,
    load_model,
    save_model,
)

N = 700


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    rng = np.random.default_rng(21)
    frame = pd.DataFrame(
        {
            "falls": rng.poisson(1, N).astype(float),
            "age": rng.normal(80, 8, N),
            "setting": rng.choice(["home", "hospital", "residence"], N),
            "alone": pd.array(rng.random(N) < 0.4, dtype="boolean"),
            "same": 1.0,
            "never_asked": np.nan,
        },
        index=pd.Index([f"P{i:04}" for i in range(N)], name="person_id"),
    )
    frame.loc[rng.random(N) < 0.2, "age"] = np.nan
    frame.loc[rng.random(N) < 0.1, "setting"] = None
    return frame


@pytest.fixture(scope="module")
def labels(people) -> pd.DataFrame:
    rng = np.random.default_rng(22)
    score = 0.6 * people["falls"] + 0.5 * (people["setting"] == "hospital").to_numpy(dtype=float)
    times = np.stack([
        rng.exponential(600 * np.exp(-score)),
        rng.exponential(900 * np.exp(-(people["age"].fillna(80) - 80) / 20)),
        rng.uniform(100, 800, N),
    ])  # fmt: skip
    days, event = np.ceil(times.min(axis=0)), (times.argmin(axis=0) + 1) % 3
    return pd.DataFrame({"days": days, "event": event}, index=people.index)


@pytest.fixture(scope="module")
def model(people, labels) -> HorizonRisk:
    return HorizonRisk().fit(people, labels["days"], event=labels["event"])


def test_a_frame_has_a_row_for_each_person_and_a_column_for_each_horizon(model, people):
    risk = model.predict_risk(people)
    assert risk.index.equals(people.index)
    assert risk.columns.tolist() == [90, 365]
    assert (risk[90] < risk[365]).all()
    np.testing.assert_array_equal(model.predict_proba(people), np.column_stack([1 - risk[90], risk[90]]))


def test_what_makes_the_outcome_likelier_is_found(model, people):
    weights = model.coefficients_.set_index(["event", "feature", "part", "level"])["weight"]
    assert weights[1, "falls", "value", ""] > 0.4
    assert weights[1, "setting", "level", "hospital"] > weights[1, "setting", "level", "home"]
    assert weights[2, "age", "value", ""] > 0.2
    assert abs(weights[2, "falls", "value", ""]) < 0.2
    assert model.dropped_ == {"same": "constant", "never_asked": "all missing"}
    assert model.schema_[2] == {"name": "setting", "kind": "text"}
    assert model.n_rows_ == model.n_persons_ == N


def test_risks_are_calibrated_over_all_where_they_were_learned(model, people, labels):
    risk = model.predict_risk(people)
    curve = aalen_johansen(labels["days"], labels["event"])
    assert risk[90].mean() == pytest.approx(float(curve.at(90)), rel=0.03)
    assert risk[365].mean() == pytest.approx(float(curve.at(365)), rel=0.03)
    assert risk[365].mean() < 1 - kaplan_meier(labels["days"], labels["event"] == 1).at(365) - 0.03


def test_a_regression_by_hand_gives_the_same_weights(people, labels):
    """One row per person and interval, a column for each interval: what the library never writes down."""
    days, event = labels["days"].to_numpy(), np.where(labels["event"] == 2, 0, labels["event"])
    days = np.where(event == 0, 500.0, np.minimum(days, 500))  # nobody leaves within an interval
    falls = people["falls"].to_numpy()
    own = HorizonRisk((100,), intervals=[100, 200, 300, 400, 500], C=1e9, n_folds=0).fit(people[["falls"]], days, event)
    cuts = np.array([100, 200, 300, 400, 500])
    row, interval = np.nonzero(days[:, None] > np.append(0, cuts[:-1]))
    target = (event[row] == 1) & (days[row] <= cuts[interval])
    design = np.column_stack([falls[row], np.eye(5)[interval]])
    plain = LogisticRegression(C=1e9, fit_intercept=False, tol=1e-12, solver="newton-cholesky").fit(design, target)
    part = own.design_[0]
    assert own.weights_[0, 0] / part["scale"] == pytest.approx(plain.coef_[0, 0], abs=1e-5)
    levels = plain.coef_[0, 1:] + plain.coef_[0, 0] * part["mean"]
    np.testing.assert_allclose(own.levels_[0], levels, atol=1e-5)
    assert own.baseline_["n_events"].sum() == (event == 1).sum()
    np.testing.assert_allclose(own.baseline_["chance"], 1 / (1 + np.exp(-levels)), atol=1e-5)


@pytest.mark.parametrize("baseline", ["steps", "smooth"])
@pytest.mark.parametrize("intervals", [20, 3, "events", [30, 60, 500]])
def test_without_features_that_tell_apart_it_is_aalen_johansen_on_every_day(labels, baseline, intervals):
    nobody_differs = pd.DataFrame({"one": np.ones(N)}, index=labels.index)
    own = HorizonRisk(intervals=intervals, baseline=baseline).fit(nobody_differs, labels["days"], labels["event"])
    assert "no feature tells people apart" in own.warnings_[0]
    curve = aalen_johansen(labels["days"], labels["event"])
    days = np.arange(0, 820, 3.5)
    found = own.cumulative_incidence(nobody_differs.head(1), days)
    for event in (1, 2):
        np.testing.assert_allclose(found[f"event_{event}"], curve.at(days, event), atol=1e-8)


def test_a_frame_without_columns_gives_everybody_the_incidence_of_all(labels):
    none = pd.DataFrame(index=labels.index)
    own = HorizonRisk().fit(none, labels)
    expected = aalen_johansen(labels["days"], labels["event"]).at([90, 365])
    np.testing.assert_allclose(own.predict_risk(none.head(2)), [expected, expected], atol=1e-8)
    assert own.explain(none.head(2)).empty
    assert own.decision_function(none.head(2)).tolist() == [0, 0]
    assert own.risk_draws(none.head(1), n_draws=50).std() > 0.001


def test_a_frame_of_labels_is_days_and_events(people, labels, model):
    assert HorizonRisk().fit(people, labels).fingerprint == model.fingerprint


def test_reasons_sum_to_the_log_odds_of_the_hazard(model, people):
    unseen = people.assign(setting=people["setting"].where(people["falls"] < 3, "abroad"))
    why = model.explain(unseen, features=[{"name": "falls", "domain": "function", "is_actionable": True}])
    total = why.groupby("person_id")["contribution"].sum().loc[people.index]
    np.testing.assert_allclose(total, model.decision_function(unseen), atol=1e-9)
    assert why.columns.tolist() == [
        "person_id", "reason", "item", "domain", "is_actionable", "value_is_missing", "contribution",
    ]  # fmt: skip
    assert set(why["item"]) == {"falls", "age", "setting", "alone"}
    assert why.loc[why["item"] == "falls", "domain"].eq("function").all()
    assert why.loc[why["item"] == "age", "value_is_missing"].sum() == people["age"].isna().sum()
    assert (model.explain(people, top=1).groupby("person_id").size() == 1).all()


def test_given_the_time_waited_the_risk_is_that_of_who_is_left(model, people):
    three = people.head(3)
    curves = model.cumulative_incidence(three, [100, 190, 465])
    before, soon, later = (curves.xs(day, level="day") for day in (100.0, 190.0, 465.0))
    found = model.predict_risk(three, waited_days=100)
    np.testing.assert_allclose(found[90], (soon["event_1"] - before["event_1"]) / before["free"], atol=1e-12)
    np.testing.assert_allclose(found[365], (later["event_1"] - before["event_1"]) / before["free"], atol=1e-12)
    each = model.predict_risk(three, waited_days=pd.Series([0, 100, 50], index=three.index))
    np.testing.assert_allclose(each.iloc[0], model.predict_risk(three).iloc[0], atol=1e-12)
    np.testing.assert_allclose(each.iloc[1], found.iloc[1], atol=1e-12)


def test_who_has_waited_longer_than_anybody_was_seen_gets_no_risk(model, people):
    with pytest.warns(FollowUpWarning, match="2 rows have waited so long"):
        found = model.predict_risk(people.head(3), waited_days=[10, 700, model.last_day_])
    assert found.isna().sum(axis=1).tolist() == [0, 0, 2]


def test_curves_after_the_last_day_stay_as_they_are(model, people):
    found = model.cumulative_incidence(people.head(1), [model.last_day_, 5000])
    assert found.iloc[0].tolist() == found.iloc[1].tolist()
    default = model.cumulative_incidence(people.head(2))
    assert default.index.names == ["person_id", "day"]
    assert len(default) == 2 * len(model.cuts_)


def test_a_horizon_beyond_follow_up_is_told_up_to_its_end_and_says_so(people, labels):
    early = labels["days"].clip(upper=90)
    event = labels["event"].where(labels["days"] < 90, 0)
    with pytest.warns(FollowUpWarning, match="horizon of 365 days: people were seen for 90 at most"):
        own = HorizonRisk().fit(people, early, event)
    risk = own.predict_risk(people)
    np.testing.assert_array_equal(risk[365], risk[90])
    assert own.supported_days_.tolist() == [90, 90]
    assert any("365" in note for note in own.warnings_)


def test_no_outcome_before_a_horizon_is_a_risk_of_0_and_is_said(people, labels):
    late = labels["days"] + 200
    own = HorizonRisk().fit(people, late, labels["event"])
    assert (own.predict_risk(people)[90] == 0).all()
    assert any("nobody had the outcome by then" in note for note in own.warnings_)


def test_nobody_lives_through_the_last_days(people, labels):
    days = labels["days"].clip(upper=300)
    event = labels["event"].where(labels["days"] < 300, 2)  # on day 300 everybody leaves
    own = HorizonRisk((90, 600), intervals="events", n_folds=0).fit(people, days, event)
    assert any("nobody lived through" in note for note in own.warnings_)
    assert own.supported_days_.tolist() == [90, 600]
    curves = own.cumulative_incidence(people, [600])
    np.testing.assert_allclose(curves["free"], 0, atol=1e-9)
    nobody_differs = pd.DataFrame({"one": np.ones(N)})
    own = HorizonRisk((90, 300), intervals="events").fit(nobody_differs, days.to_numpy(), event.to_numpy())
    curve = aalen_johansen(days, event)
    np.testing.assert_allclose(own.predict_risk(nobody_differs.head(1)).iloc[0], curve.at([90, 300]), atol=1e-8)


def test_a_smooth_baseline_needs_fewer_parameters_and_foretells_alike(people, labels, model):
    smooth = HorizonRisk(baseline="smooth").fit(people, labels)
    # a cubic: the fifth differences of its level per day, on equal steps of log days, vanish; here: few distinct shapes
    assert np.isfinite(smooth.levels_).all()
    differ = (smooth.predict_risk(people)[365] - model.predict_risk(people)[365]).abs()
    assert differ.mean() < 0.02
    assert smooth.fingerprint != model.fingerprint


def test_weights_hold_for_people_who_were_not_learned_from():
    rng = np.random.default_rng(25)
    few = pd.DataFrame(rng.normal(size=(200, 12)), columns=[f"x{j}" for j in range(12)])
    days = np.ceil(rng.exponential(300 * np.exp(-0.5 * few["x0"].to_numpy())))
    event = np.where(days > 400, 0, 1)
    days = np.minimum(days, 400)
    new = pd.DataFrame(rng.normal(size=(4000, 12)), columns=few.columns)
    then = np.ceil(rng.exponential(300 * np.exp(-0.5 * new["x0"].to_numpy())))
    slopes = {}
    for n_folds in (0, 5):
        own = HorizonRisk((200,), C=10, n_folds=n_folds).fit(few, days, event)
        slopes[n_folds] = evaluate_horizon(then, None, own.predict_risk(new)[200], 200, n_boot=0).value(
            "calibration_slope"
        )
        assert own.predict_risk(few)[200].mean() == pytest.approx(float(aalen_johansen(days, event).at(200)), abs=0.02)
    assert 0 < own.shrinkage_[0] < 1
    assert slopes[0] < 0.85 < slopes[5] < 1.25


def test_that_nothing_orders_people_is_a_finding(labels):
    noise = pd.DataFrame({"noise": np.random.default_rng(26).normal(size=N)}, index=labels.index)
    with pytest.warns(NoSignalWarning, match="no signal"):
        own = HorizonRisk().fit(noise, labels.sample(frac=1, random_state=3).set_axis(labels.index))
    assert own.shrinkage_[0] == 0
    risk = own.predict_risk(noise)[90]
    assert risk.max() - risk.min() < 0.01
    assert any("no signal" in note for note in own.warnings_)


def test_curves_are_an_option(people, labels):
    rng = np.random.default_rng(23)
    days = rng.exponential(400 * np.exp(-((people["age"].fillna(80) - 80) ** 2) / 60)) + 1
    bent = HorizonRisk((365,), splines=["age"]).fit(people, days)
    straight = HorizonRisk((365,)).fit(people, days)
    assert evaluate_horizon(days, None, bent.predict_risk(people)[365], 365, n_boot=0).value("auc") > (
        evaluate_horizon(days, None, straight.predict_risk(people)[365], 365, n_boot=0).value("auc") + 0.05
    )


def test_draws_tell_how_far_the_learning_left_the_risk_open(model, people, labels):
    draws = model.risk_draws(people.head(5), n_draws=300, horizon_days=365)
    assert draws.shape == (300, 5)
    assert ((draws >= 0) & (draws <= 1)).all()
    risk = model.predict_risk(people.head(5))[365]
    assert (np.abs(draws.mean(axis=0) - risk) < 0.02).all()
    np.testing.assert_array_equal(draws, model.risk_draws(people.head(5), n_draws=300, horizon_days=365))
    few, many = (HorizonRisk(n_folds=0).fit(people.head(n), labels.head(n)) for n in (150, N))
    few, many = (own.risk_draws(people.head(5), horizon_days=365).std(axis=0) for own in (few, many))
    assert (few > many).all()
    first = model.risk_draws(people.head(5), n_draws=2)
    assert np.abs(first - model.predict_risk(people.head(5))[90].to_numpy()).max() < 0.1


def test_draws_are_as_wide_as_refits_on_other_people(people, labels):
    own = HorizonRisk(n_folds=0).fit(people, labels)
    rng = np.random.default_rng(24)
    refits = []
    for _ in range(16):
        rows = rng.integers(0, N, N)
        again = people.iloc[rows].reset_index(drop=True), labels.iloc[rows].reset_index(drop=True)
        other = HorizonRisk(n_folds=0).fit(*again)
        refits.append(other.predict_risk(people.head(30))[365].to_numpy())
    wide = np.std(refits, axis=0).mean()
    assert own.risk_draws(people.head(30), horizon_days=365).std(axis=0).mean() == pytest.approx(wide, rel=0.35)


def test_rows_of_one_person_do_not_count_as_people(people, labels):
    thrice = pd.concat([people] * 3)
    again = HorizonRisk().fit(thrice, pd.concat([labels] * 3))
    assert again.n_persons_ == N
    once = HorizonRisk(C=0.1 * 3).fit(people, labels)  # three times the rows weigh three times the penalty
    narrow = HorizonRisk(n_folds=0).fit(thrice.reset_index(drop=True), pd.concat([labels] * 3).reset_index(drop=True))
    wide = [own.risk_draws(people.head(50), horizon_days=365).std(axis=0).mean() for own in (once, again, narrow)]
    assert wide[1] == pytest.approx(wide[0], rel=0.2)
    assert wide[2] < 0.7 * wide[1]
    by_groups = HorizonRisk().fit(thrice.reset_index(drop=True), pd.concat([labels] * 3).reset_index(drop=True),
                                  groups=thrice.index)  # fmt: skip
    assert by_groups.fingerprint == again.fingerprint


@pytest.mark.parametrize(
    "estimator", [HistGradientBoostingClassifier(max_depth=2, max_iter=8, learning_rate=0.4), LogisticRegression()]
)
def test_any_classifier_can_learn_the_hazards(people, labels, model, estimator):
    own = HorizonRisk(intervals=8, estimator=estimator).fit(people, labels)
    risk = own.predict_risk(people)
    auc = [
        evaluate_horizon(labels["days"], labels["event"], found[365], 365, n_boot=0).value("auc")
        for found in (risk, model.predict_risk(people))
    ]
    assert auc[0] > auc[1] - 0.06
    assert own.fingerprint == HorizonRisk(intervals=8, estimator=estimator).fit(people, labels).fingerprint
    assert own.fingerprint != model.fingerprint
    curves = own.cumulative_incidence(people.head(20))
    np.testing.assert_allclose(curves.sum(axis=1), 1, atol=1e-12)
    for ask in (own.explain, own.decision_function, own.risk_draws):
        with pytest.raises(UsageError, match="only the logistic form"):
            ask(people)


def test_an_event_that_never_comes_beside_a_classifier(people, labels):
    event = labels["event"].replace({2: 3})  # nobody has a 2
    own = HorizonRisk(estimator=DummyClassifier(strategy="prior")).fit(people, labels["days"], event)
    curves = own.cumulative_incidence(people.head(2))
    assert (curves["event_2"] == 0).all()
    assert (curves["event_3"].iloc[-1] > 0.1).all()
    plain = HorizonRisk().fit(people, labels["days"], event)
    assert (plain.cumulative_incidence(people.head(2))["event_2"] == 0).all()
    assert plain.n_events_[1] == 0
    assert plain.risk_draws(people.head(2), n_draws=3).shape == (3, 2)


def test_points_can_be_learned_on_the_outcome_by_a_horizon(people, labels):
    at = horizon_labels(labels["days"], labels["event"], 365)
    known = at["label"].notna()
    weighted = at["weight"][known]
    assert weighted.sum() == pytest.approx(N)
    shares = np.average(at["label"][known], weights=weighted), at["label"][known].mean()
    curve = aalen_johansen(labels["days"], labels["event"])
    assert shares[0] == pytest.approx(float(curve.at(365)))
    assert abs(shares[1] - shares[0]) > 0.01  # unweighted, those who were lost sight of would be forgotten


def test_a_scorecard_learns_from_labels_and_weights_of_a_horizon(people, labels):
    if "sample_weight" not in PointScorecard.fit.__code__.co_varnames:
        pytest.skip("PointScorecard.fit takes no weights yet")
    at = horizon_labels(labels["days"], labels["event"], 365).dropna()
    card = PointScorecard(max_rows=4).fit(
        people.loc[at.index, ["falls", "age"]], at["label"], sample_weight=at["weight"].to_numpy()
    )
    report = evaluate_horizon(labels["days"], labels["event"], card.predict_proba(people[["falls", "age"]])[:, 1], 365,
                              n_boot=0)  # fmt: skip
    assert report.value("auc") > 0.65
    assert report.value("expected_over_observed") == pytest.approx(1, abs=0.1)


def test_cross_validation_never_stops(people, labels):
    """Folds whose follow-up ends before the horizon are told as far as they go."""
    risk = pd.Series(np.nan, index=people.index)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FollowUpWarning)
        for learn, test in PersonGroupedSplit(5).split(people):
            own = HorizonRisk((790,)).fit(people.iloc[learn], labels.iloc[learn])
            risk.iloc[test] = own.predict_risk(people.iloc[test])[790]
    report = evaluate_horizon(labels["days"], labels["event"], risk, 5000, n_boot=0)
    assert report.used_days == labels["days"].max()
    assert report.value("auc") > 0.6


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"horizons_days": ()}, "one or more"),
        ({"horizons_days": (90, -1)}, "above 0"),
        ({"horizons_days": (90, 90)}, "stands once"),
        ({"horizons_days": (np.inf,)}, "above 0"),
        ({"C": 0}, "C must be above 0"),
        ({"n_folds": 1}, "0, or 2 or more"),
        ({"baseline": "flat"}, "'steps' or 'smooth'"),
        ({"intervals": 0}, "1 or more"),
        ({"intervals": True}, "1 or more"),
        ({"intervals": "days"}, "'events' or days"),
        ({"intervals": [0, 5]}, "above 0"),
        ({"splines": ["height"]}, "not among the features"),
        ({"estimator": KNeighborsClassifier()}, "takes no sample_weight"),
    ],
)
def test_settings_outside_their_range_are_refused(people, labels, settings, words):
    with pytest.raises(UsageError, match=words):
        HorizonRisk(**settings).fit(people, labels)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x, d: (x, d["days"] - 200, d["event"]), "rows have fewer"),
        (lambda x, d: (x, d["days"].where(d["days"] > 50), d["event"]), "days contains NaN"),
        (lambda x, d: (x, d["days"], d["event"] - 1), "unknown event code"),
        (lambda x, d: (x, d["days"], d["event"] + 0.5), "unknown event code"),
        (lambda x, d: (x, d["days"], d["event"] * 0), "one class only: none of 700 rows had the outcome"),
        (lambda x, d: (x, d["days"], d["event"] * 2), "one class only"),
        (lambda x, d: (x, d["days"].iloc[::-1], d["event"]), "different rows"),
        (lambda x, d: (x, d["days"], d["event"].iloc[::-1]), "X and event are about different rows"),
        (lambda x, d: (x.to_numpy()[:, :2].astype(float), d["days"].head(5), None), "700 rows of X, 5 of days"),
        (lambda x, d: (x, d[["event"]], None), "no column days"),
        (lambda x, d: (x, None, None), "requires y"),
        (lambda x, d: (x.assign(falls=np.inf), d, None), "infinity"),
        (lambda x, d: (x.head(0), d.head(0), None), "0 sample"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(people, labels, change, words):
    x, days, event = change(people, labels)
    with pytest.raises(UsageError, match=words):
        HorizonRisk().fit(x, days, event)


def test_persons_that_do_not_fit_are_refused(people, labels):
    with pytest.raises(UsageError, match="expected 700 groups"):
        HorizonRisk().fit(people, labels, groups=["a"])
    with pytest.raises(UsageError, match="1 rows have none"):
        HorizonRisk().fit(people, labels, groups=[None, *range(N - 1)])


@pytest.mark.parametrize("waited", [-1, [1, 2], [1, np.nan, 2], pd.Series([1, 2, 3])])
def test_days_waited_that_cannot_be_used_are_refused(model, people, waited):
    with pytest.raises(UsageError, match="waited_days"):
        model.predict_risk(people.head(3), waited_days=waited)


def test_columns_renamed_or_in_another_order_are_refused(model, people):
    with pytest.raises(ValueError, match="feature names"):
        model.predict_risk(people.rename(columns={"age": "years"}))
    with pytest.raises(ValueError, match="order"):
        model.predict_risk(people[people.columns[::-1]])


def test_what_the_model_cannot_tell_is_refused(model, people, labels):
    with pytest.raises(UsageError, match="the horizons of the model are"):
        model.risk_draws(people, horizon_days=30)
    with pytest.raises(UsageError, match="1 or more"):
        model.risk_draws(people, n_draws=0)
    with pytest.raises(UsageError, match="0 or more, none missing"):
        model.cumulative_incidence(people, [np.nan])
    many = HorizonRisk((90,), intervals="events", n_folds=0).fit(
        people, labels["days"] + np.arange(N) / N, labels["event"]
    )
    assert len(many.cuts_) > 400
    with pytest.raises(UsageError, match="use fewer intervals"):
        many.risk_draws(people)


def test_people_are_taken_in_blocks_where_they_are_many(people, labels, monkeypatch):
    twice = pd.concat([people] * 2)
    whole = HorizonRisk(n_folds=0).fit(twice, pd.concat([labels] * 2))
    monkeypatch.setattr("casestrat.models.hazards.likelihood._CELLS", 3_000)
    parted = HorizonRisk(n_folds=0).fit(twice, pd.concat([labels] * 2))
    np.testing.assert_allclose(parted.weights_, whole.weights_, atol=1e-9)
    for own, other in zip(parted.covariance_, whole.covariance_, strict=True):
        np.testing.assert_allclose(own, other, atol=1e-9)


def test_a_small_sample_is_said(people, labels):
    own = HorizonRisk().fit(people.head(60), labels.head(60))
    assert any("small sample" in note for note in own.warnings_)


def test_features_that_part_people_wholly_are_learned_and_shrunk(labels):
    cut = pd.DataFrame({"knows": (labels["event"] == 1).astype(float)})
    own = HorizonRisk().fit(cut, labels)
    assert np.isfinite(own.weights_).all()
    assert own.predict_risk(cut)[365].between(0, 1).all()


def test_the_enrolled_are_asked_about_on_past_dates_and_judged_later():
    """Landmarks: past dates of the made-up agency to learn from, a later one to judge."""
    program = casestrat.load_program("geriatric")
    tables = casestrat.load_example("geriatric")
    outcome = dataclasses.replace(program.outcomes["unplanned_stay"], horizon_days=365)
    dates = casestrat.landmarks("2024-10-01", "2026-01-01", every=100)
    spine = casestrat.make_spine(tables, program, dates, population="all")
    labels = casestrat.build_labels(tables, spine, outcome, program)
    labels = labels[labels["why_missing"].isin(["", "short_follow_up"])]
    X = casestrat.FeatureBuilder(program).build(tables, spine).loc[labels.index]
    when = X.index.get_level_values("as_of")
    past, later = when < dates[-3], when >= dates[-2]
    learn = labels[past].assign(  # on the first date judged nothing is known of what came after it
        days=np.minimum(labels["days"][past], (dates[-2] - when[past]) / pd.Timedelta(days=1)),
        event=labels["event"][past].where(labels["days"][past] < (dates[-2] - when[past]) / pd.Timedelta(days=1), 0),
    )
    model = HorizonRisk((90, 180)).fit(X[past], learn)
    assert model.n_persons_ < model.n_rows_
    risk = model.predict_risk(X[later])
    report = evaluate_horizon(labels["days"][later], labels["event"][later], risk[90], 90, n_boot=20)
    assert report.n_outcomes > 50
    assert report.value("auc") > 0.6
    assert 0.7 < report.value("expected_over_observed") < 1.4
    why = model.explain(X[later].head(3), features=program.features)
    assert set(why.columns) >= {"person_id", "as_of", "domain", "contribution"}


@pytest.mark.parametrize("estimator", [None, LogisticRegression()])
def test_a_stored_model_tells_the_same(people, labels, tmp_path, estimator):
    own = HorizonRisk(splines=["age"], estimator=estimator).fit(people, labels)
    again = load_model(save_model(own, tmp_path / "model.casestrat"), expect=people)
    assert again.fingerprint == own.fingerprint
    pd.testing.assert_frame_equal(again.predict_risk(people), own.predict_risk(people))
    assert again.warnings_ == own.warnings_
    if estimator is None:
        np.testing.assert_array_equal(again.risk_draws(people.head(3)), own.risk_draws(people.head(3)))
