"""Evaluation: numbers against scikit-learn and by hand, ties, groups, and what is missing."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import hypergeom
from sklearn import metrics

from casestrat.errors import UsageError
from casestrat.models import evaluate


@pytest.fixture(scope="module")
def sample() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    n = 900
    risk = np.round(rng.beta(2, 5, n), 2)
    index = pd.MultiIndex.from_arrays(
        [
            [f"P{i:03}" for i in rng.integers(0, 400, n)],
            pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(n), "D"),
        ],
        names=["person_id", "as_of"],
    )
    return pd.DataFrame(
        {"y": (rng.random(n) < risk).astype(float), "risk": risk, "sex": rng.choice(["f", "m"], n)}, index=index
    )


@pytest.fixture(scope="module")
def report(sample):
    return evaluate(sample["y"], sample["risk"], capacity=[40, 100], groups=sample["sex"], n_boot=60)


def test_discrimination_and_accuracy_equal_those_of_scikit_learn(sample, report):
    y, risk = sample["y"], sample["risk"]
    assert report.value("auc") == pytest.approx(metrics.roc_auc_score(y, risk), abs=1e-12)
    assert report.value("average_precision") == pytest.approx(metrics.average_precision_score(y, risk), abs=1e-12)
    brier = metrics.brier_score_loss(y, risk)
    assert report.value("brier") == pytest.approx(brier, abs=1e-12)
    assert report.value("scaled_brier") == pytest.approx(1 - brier / (y.mean() * (1 - y.mean())), abs=1e-12)
    assert report.value("expected_over_observed") == pytest.approx(risk.sum() / y.sum(), abs=1e-12)


def test_intervals_hold_the_value_and_are_as_wide_as_persons_allow(report, sample):
    told = report.summary.set_index("metric").loc[["auc", "brier", "calibration_slope", "expected_over_observed"]]
    assert ((told["low"] < told["value"]) & (told["value"] < told["high"])).all()
    doubled = pd.concat([sample, sample])  # each person twice: no more persons, so no more certainty
    twice = evaluate(doubled["y"], doubled["risk"], n_boot=60).summary.set_index("metric").loc["auc"]
    assert twice["high"] - twice["low"] == pytest.approx(told.loc["auc", "high"] - told.loc["auc", "low"], rel=0.05)


def test_ties_at_the_cut_give_best_worst_and_the_exact_expectation():
    risk = [0.9, 0.5, 0.5, 0.5, 0.5, 0.1]
    y = [1, 1, 1, 0, 0, 0]
    row = evaluate(y, risk, capacity=3, n_boot=0).capacity.iloc[0]
    draw = hypergeom(M=4, n=2, N=2)
    assert (row["n_above"], row["n_tied"], row["n_tied_in"], row["threshold"]) == (1, 4, 2, 0.5)
    assert row["precision_best"] == pytest.approx(1)
    assert row["precision_expected"] == pytest.approx((1 + draw.mean()) / 3)
    assert row["precision_worst"] == pytest.approx(1 / 3)
    assert row["recall_expected"] == pytest.approx((1 + draw.mean()) / 3)
    assert row["hits_sd"] == pytest.approx(draw.std())


def test_a_capacity_beyond_everybody_takes_everybody_and_one_below_one_is_refused():
    row = evaluate([0, 1], [0.1, 0.2], capacity=10, n_boot=0).capacity.iloc[0]
    assert (row["n_taken"], row["precision_expected"], row["recall_worst"]) == (2, 0.5, 1)
    with pytest.raises(UsageError, match="1 or more"):
        evaluate([0, 1], [0.1, 0.2], capacity=0)
    assert evaluate([0, 1], [0.1, 0.2], n_boot=0).capacity.empty


def test_net_benefit_is_its_formula_also_at_the_capacity(sample, report):
    y, risk, n = sample["y"], sample["risk"], len(sample)
    curve = report.net_benefit.set_index("threshold")
    for threshold in (0.05, 0.3, 0.6):
        chosen = risk >= threshold
        expected = (chosen & (y == 1)).sum() / n - (chosen & (y == 0)).sum() / n * threshold / (1 - threshold)
        assert curve.loc[threshold, "net_benefit"] == pytest.approx(expected, abs=1e-12)
    assert set(curve.index[curve["is_capacity_point"]]) == set(report.capacity["threshold"])
    assert (curve["net_benefit_none"] == 0).all()
    assert curve.loc[0.01, "net_benefit_all"] == pytest.approx(y.mean() - (1 - y.mean()) / 99)


def test_bins_and_counts_agree(report, sample):
    assert report.calibration["n"].sum() == report.n_used == len(sample)
    assert report.calibration["events"].sum() == report.n_events


def test_groups_are_told_with_their_intervals(report, sample):
    told = report.by_group.set_index("group")
    for group, rows in sample.groupby("sex"):
        assert told.loc[group, "n"] == len(rows)
        assert told.loc[group, "auc"] == pytest.approx(metrics.roc_auc_score(rows["y"], rows["risk"]))
        assert told.loc[group, "expected_over_observed"] == pytest.approx(rows["risk"].sum() / rows["y"].sum())
        assert told.loc[group, "auc_low"] < told.loc[group, "auc"] < told.loc[group, "auc_high"]
    assert not told["is_suppressed"].any()


def test_missing_labels_and_risks_are_left_out_and_counted(sample):
    y, risk = sample["y"].copy(), sample["risk"].copy()
    y.iloc[:7] = np.nan
    risk.iloc[5:25] = np.nan
    report = evaluate(y, risk, n_boot=0)
    known = y.notna() & risk.notna()
    assert (report.n_rows, report.n_missing_label, report.n_missing_risk) == (900, 7, 18)
    assert report.n_missing_risk_events == y.iloc[7:25].sum()
    assert report.n_used == known.sum()
    assert report.value("auc") == pytest.approx(metrics.roc_auc_score(y[known], risk[known]))
    assert "18 rows left out: no risk" in " ".join(report.warnings)
    assert "7 rows left out: the outcome" in " ".join(report.warnings)


def test_points_are_judged_by_order_only():
    y, points = [0, 0, 1, 1], pd.Series([0, 3, 3, 9], dtype="Int64")
    report = evaluate(y, points, capacity=2, n_boot=5, groups={"all": ["a"] * 4}, is_probability=False)
    assert report.summary["metric"].tolist() == ["prevalence", "auc", "average_precision"]
    assert report.value("auc") == 0.875
    assert report.calibration.empty
    assert report.net_benefit.empty
    assert report.capacity.loc[0, "precision_expected"] == 0.75
    assert report.by_group["expected_over_observed"].isna().all()
    with pytest.raises(UsageError, match="is_probability=False"):
        evaluate(y, points)


def test_a_small_sample_and_no_signal_are_said():
    rng = np.random.default_rng(0)
    said = " ".join(evaluate(np.tile([0, 1], 30), rng.random(60)).warnings)
    assert "30 with and 30 without" in said
    assert "no signal" in said


def test_one_class_gives_no_auc_and_says_so():
    report = evaluate([1, 1, 1], [0.2, 0.4, 0.4], n_boot=3)
    assert math.isnan(report.value("auc"))
    assert math.isnan(report.value("calibration_slope"))
    assert "one class" in report.warnings[0]
    assert math.isnan(evaluate([0, 0], [0.2, 0.4], n_boot=0).value("expected_over_observed"))


def test_series_are_matched_by_index():
    y = pd.Series([0, 1, 1], index=["a", "b", "c"])
    risk = pd.Series([0.9, 0.8, 0.1], index=["c", "b", "a"])
    assert evaluate(y, risk, n_boot=0).value("auc") == 1
    with pytest.raises(UsageError, match="different rows"):
        evaluate(y, risk.rename({"a": "z"}), n_boot=0)
    with pytest.raises(UsageError, match="expected 3 values"):
        evaluate(y, [0.1], n_boot=0)


@pytest.mark.parametrize(
    ("y", "risk", "settings", "words"),
    [
        ([0, 2], [0.1, 0.2], {}, "labels must be"),
        ([0, 1], [0.1, 1.2], {}, "probabilities"),
        ([0, 1], [0.1, np.inf], {"is_probability": False}, "probabilities"),
        ([0, 1], ["low", "high"], {}, "expected numbers"),
        ([np.nan, 1], [0.1, np.nan], {}, "both a label and a risk"),
        ([0, 1], [0.1, 0.2], {"n_boot": -1}, "n_boot"),
    ],
)
def test_values_that_cannot_be_judged_are_refused(y, risk, settings, words):
    with pytest.raises(UsageError, match=words):
        evaluate(y, risk, **settings)


def test_an_unknown_measure_is_named(report):
    with pytest.raises(UsageError, match="no measure is called 'gini'"):
        report.value("gini")


def test_an_evaluation_is_frozen(report):
    with pytest.raises(AttributeError):
        report.n_rows = 1


def test_many_distinct_risks_are_gathered_for_the_intervals_only():
    rng = np.random.default_rng(2)
    risk = rng.beta(2, 5, 1500)
    y = (rng.random(1500) < risk).astype(float)
    report = evaluate(y, risk, n_boot=30, groups=y < 2)
    assert report.value("auc") == pytest.approx(metrics.roc_auc_score(y, risk), abs=1e-12)
    told = report.summary.set_index("metric").loc[["auc", "brier", "calibration_slope"]]
    assert ((told["low"] < told["value"]) & (told["value"] < told["high"])).all()
    everybody = report.by_group.iloc[0]
    assert everybody["auc_low"] == pytest.approx(told.loc["auc", "low"], abs=1e-9)
