"""How a risk by a horizon is judged: published values, competing events, short follow-up."""

import json

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.models import aalen_johansen, evaluate, evaluate_horizon
from casestrat.models.evaluation.horizon_evaluation import METRICS


@pytest.fixture(scope="module")
def published(root) -> dict:
    return json.loads((root / "tests/vectors/survival_reference_values.json").read_text())["gbsg2_cox_insample"]


@pytest.fixture(scope="module")
def data(root) -> dict:
    return json.loads((root / "tests/vectors/survival_data.json").read_text())


@pytest.fixture(scope="module")
def cox(published, data):
    """Days, events, and what the published Cox model foretells with Breslow's baseline."""
    rows = data["gbsg2"]
    days, event = np.array(rows["days"], dtype=float), np.array(rows["event"])
    hazard = np.exp(sum(np.array(rows[name], dtype=float) * beta for name, beta in published["coef"].items()))
    at = np.unique(days[event == 1])
    baseline = np.cumsum([np.sum(event[days == day]) / hazard[days >= day].sum() for day in at])

    def risk(horizon: float) -> np.ndarray:
        return 1 - np.exp(-hazard * baseline[at <= horizon][-1])

    return days, event, risk


def test_brier_and_auc_of_a_published_cox_model(published, data, cox):
    days, event, risk = cox
    same = data["gbsg2_half_day"]
    for place, horizon in enumerate(published["times"]):
        report = evaluate_horizon(days, event, risk(horizon), horizon, n_boot=0)
        assert report.value("brier") == pytest.approx(same["brier"][place], abs=1e-10)
        assert report.value("auc") == pytest.approx(same["auc_t"][place], abs=1e-10)
        # the published ones take who is no longer seen on a day as gone before its events: two women on day 1095
        assert report.value("brier") == pytest.approx(published["brier"][place], abs=2e-3)
        assert report.value("auc") == pytest.approx(published["auc_t"][place], abs=4e-3)


def test_where_everybody_is_seen_it_is_the_evaluation_of_labels():
    rng = np.random.default_rng(7)
    risk = rng.random(400).round(2)
    is_case = rng.random(400) < risk
    report = evaluate_horizon(np.where(is_case, 30, 90), is_case.astype(int), risk, 90, n_boot=20)
    plain = evaluate(is_case.astype(float), risk, n_boot=20)
    for name in METRICS:
        other = plain.value("prevalence" if name == "incidence" else name)
        assert report.value(name) == pytest.approx(other, abs=1e-9), name
    assert report.n_lost == 0
    told = report.summary.set_index("metric")
    assert ((told["low"] <= told["value"]) & (told["value"] <= told["high"])).drop(["ici", "e50", "e90"]).all()


def made_up(n=800, seed=8):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    times = np.stack([rng.exponential(300 * np.exp(-x)), rng.exponential(500, n), rng.exponential(600, n)])
    return times.min(axis=0).round(), (times.argmin(axis=0) + 1) % 3, 1 / (1 + np.exp(-x))


def test_a_competing_event_is_no_outcome():
    days, event, risk = made_up()
    report = evaluate_horizon(days, event, risk, 365, n_boot=0)
    seen = days <= 365
    assert report.n_outcomes == (seen & (event == 1)).sum()
    assert report.n_competing == (seen & (event == 2)).sum()
    assert report.n_lost == ((days < 365) & (event == 0)).sum()
    assert report.value("incidence") == pytest.approx(float(aalen_johansen(days, event).at(365)))
    assert report.value("expected_over_observed") == pytest.approx(risk.mean() / report.value("incidence"))
    assert 0.6 < report.value("auc") < 0.9


def test_groups_of_like_risk_are_told_with_their_own_incidence():
    days, event, risk = made_up()
    groups = evaluate_horizon(days, event, risk, 200, n_groups=4, n_boot=0).calibration
    assert groups["n"].sum() == 800
    assert groups["mean_risk"].is_monotonic_increasing
    assert groups["observed"].is_monotonic_increasing
    lowest = risk <= np.sort(risk)[groups.loc[0, "n"] - 1]
    assert groups.loc[0, "observed"] == pytest.approx(float(aalen_johansen(days[lowest], event[lowest]).at(200)))
    assert ((groups["low"] < groups["observed"]) & (groups["observed"] < groups["high"])).all()


def test_a_horizon_beyond_follow_up_is_judged_up_to_its_end_and_says_so():
    days, event, risk = made_up()
    report = evaluate_horizon(np.minimum(days, 100), np.where(days > 100, 0, event), risk, 365, n_boot=0)
    assert (report.horizon_days, report.used_days) == (365, 100)
    assert "people were seen for 100 at most" in report.warnings[0]


def test_groups_that_were_not_seen_so_long_are_not_told():
    days, event, risk = np.array([10.0, 20, 300, 400]), np.array([1, 0, 0, 1]), np.array([0.9, 0.9, 0.1, 0.1])
    report = evaluate_horizon(days, event, risk, 200, n_groups=2, n_boot=0)
    assert report.calibration["observed"].isna().tolist() == [False, True]
    assert any("1 groups of risk were not seen" in note for note in report.warnings)


def test_nobody_had_the_outcome_nothing_is_raised():
    report = evaluate_horizon([100, 90, 80], [0, 2, 0], [0.1, 0.2, 0.3], 60, n_boot=5)
    assert np.isnan(report.value("auc"))
    assert np.isnan(report.value("expected_over_observed"))
    assert "nobody had the outcome" in report.warnings[0]


def test_what_a_reader_must_know_is_said():
    rng = np.random.default_rng(9)
    days, event = rng.integers(1, 100, 300).astype(float), (rng.random(300) < 0.2).astype(int)
    risk = np.where(np.arange(300) < 4, np.nan, rng.random(300))
    report = evaluate_horizon(days, event, risk, 90, n_boot=12)
    told = " / ".join(report.warnings)
    assert "small sample" in told
    assert "4 rows left out: no risk was given" in told
    assert "lost sight of before the horizon" in told
    assert "no signal" in told
    assert report.n_missing_risk == 4
    assert report.n_rows == 296


def test_a_person_is_drawn_with_all_rows_and_the_order_of_rows_changes_nothing():
    days, event, risk = made_up(200)
    persons = pd.Index(np.repeat([f"P{i:03}" for i in range(50)], 4), name="person_id")
    frame = pd.DataFrame({"days": days, "event": event, "risk": risk}, index=persons)
    report = evaluate_horizon(frame["days"], frame["event"], frame["risk"], 200, n_boot=4)
    apart = evaluate_horizon(days, event, risk, 200, n_boot=4)
    given = evaluate_horizon(days, event, risk, 200, persons=persons, n_boot=4)
    pd.testing.assert_frame_equal(report.summary, given.summary)
    assert not np.allclose(report.summary["low"], apart.summary["low"])
    mixed = frame.sample(frac=1, random_state=0)
    other = evaluate_horizon(mixed["days"], mixed["event"], mixed["risk"], 200, n_boot=4)
    pd.testing.assert_frame_equal(report.summary, other.summary)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"risk": [0.1]}, "expected 3 risks"),
        ({"risk": [0.1, 1.2, 0]}, "from 0 to 1"),
        ({"risk": [np.nan] * 3}, "no row has a risk"),
        ({"horizon_days": -1}, "0 or more"),
        ({"persons": ["a"]}, "expected 3 persons"),
        ({"n_groups": 0}, "n_groups"),
        ({"n_boot": -1}, "n_boot"),
        ({"event": pd.Series([1, 0, 0], index=list("abc"))}, "different rows"),
    ],
)
def test_what_cannot_be_used_is_refused(arguments, words):
    given = {"days": pd.Series([1, 2, 3]), "event": None, "risk": [0.1, 0.2, 0.3], "horizon_days": 2} | arguments
    with pytest.raises(UsageError, match=words):
        evaluate_horizon(**given)


def test_an_unknown_measure_is_refused():
    report = evaluate_horizon([1, 2], [1, 0], [0.4, 0.2], 2, n_boot=0)
    with pytest.raises(UsageError, match="choose one of: incidence, auc"):
        report.value("accuracy")
