"""Figures of an evaluation against other programs: fairlearn, statsmodels, dcurves, a regression written out."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from casestrat.models import evaluate, ranking_fairness
from casestrat.models.measures.calibration import log_odds, recalibrate

EXPECTED = json.loads((Path(__file__).parents[1] / "vectors" / "evaluation.json").read_text(encoding="utf-8"))
PEOPLE = pd.DataFrame(EXPECTED["people"])
RATES = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision")


@pytest.fixture(scope="module")
def report():
    # small_cell=0: every group is told, so that every figure can be compared
    groups = {"site": PEOPLE["group"]}
    return evaluate(PEOPLE["y"], PEOPLE["risk"], capacity=EXPECTED["capacity"], groups=groups, n_boot=0, small_cell=0)


@pytest.mark.parametrize("group", list("abc"))
def test_rates_of_groups_at_the_capacity_are_those_of_fairlearn(report, group):
    told, expected = report.selection.set_index("group").loc[group], EXPECTED["by_group"][group]
    assert [told[rate] for rate in RATES] == pytest.approx([expected[rate] for rate in RATES], abs=1e-12)


def test_differences_and_ratios_between_groups_are_those_of_fairlearn(report):
    told = report.gaps.set_index("measure")
    for rate in RATES[:3]:
        assert told.loc[rate, "difference"] == pytest.approx(EXPECTED["difference"][rate], abs=1e-12)
        assert told.loc[rate, "ratio"] == pytest.approx(EXPECTED["ratio"][rate], abs=1e-12)


@pytest.mark.parametrize("group", list("abc"))
def test_calibration_in_each_group_is_that_of_a_logistic_regression(report, group):
    told, expected = report.by_group.set_index("group").loc[group], EXPECTED["by_group"][group]
    assert told["auc"] == pytest.approx(expected["auc"], abs=1e-12)
    assert told["calibration_slope"] == pytest.approx(expected["slope"], abs=1e-6)
    assert told["calibration_intercept"] == pytest.approx(expected["intercept"], abs=1e-6)


def test_slope_intercept_and_smoothed_errors_are_those_of_other_programs(report):
    expected = EXPECTED["everybody"]
    for metric, name in (("calibration_slope", "slope"), ("calibration_intercept", "intercept")):
        assert report.value(metric) == pytest.approx(expected[name], abs=1e-6)
    for metric in ("ici", "e50", "e90"):
        assert report.value(metric) == pytest.approx(expected[metric], abs=1e-6)
    line = recalibrate(log_odds(PEOPLE["risk"].to_numpy()), PEOPLE["y"].to_numpy(dtype=float))
    assert (line.intercept, line.slope_se) == pytest.approx(
        (expected["intercept_free"], expected["slope_se"]), abs=1e-6
    )


@pytest.mark.parametrize("program", ["net_benefit", "net_benefit_dcurves"])
def test_net_benefit_is_that_of_the_formula_and_of_dcurves(report, program):
    curve = dict(zip(report.net_benefit["threshold"].round(6), report.net_benefit["net_benefit"], strict=True))
    for threshold, expected in EXPECTED[program].items():
        assert curve[float(threshold)] == pytest.approx(expected, abs=1e-12)


def test_odds_of_admission_at_equal_score_are_those_of_mantel_and_haenszel():
    told = ranking_fairness(
        PEOPLE["points"], {"site": PEOPLE["group"]}, is_admitted=PEOPLE["admitted"], n_boot=0, small_cell=0
    ).by_group.set_index("group")
    for group, expected in EXPECTED["admission_odds"].items():
        found = told.loc[group, ["admission_odds", "odds_low", "odds_high"]].to_numpy(dtype=float)
        assert found == pytest.approx(np.array([expected[name] for name in ("odds", "low", "high")]), abs=1e-9)
