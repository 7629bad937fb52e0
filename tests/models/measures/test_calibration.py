"""Calibration: slope, intercept, smoothed error, bins, and the line that recalibrates."""

import warnings

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, logit

from casestrat.errors import UsageError
from casestrat.models import RiskClassifier
from casestrat.models.measures.calibration import (
    calibration_bins,
    calibration_errors,
    calibration_intercept,
    fit_calibrator,
    fit_isotonic,
    recalibrate,
    smooth_observed,
)


@pytest.fixture
def sample():
    rng = np.random.default_rng(7)
    x = rng.normal(-1, 1.5, 800)
    return x, (rng.random(800) < expit(0.3 + 0.6 * x)).astype(float)


def test_slope_and_intercept_are_the_maximum_of_the_likelihood(sample):
    x, y = sample

    def loss(beta):
        eta = beta[0] + beta[1] * x
        return np.sum(np.logaddexp(0, eta) - y * eta)

    best = minimize(loss, [0, 1], method="BFGS", options={"gtol": 1e-9})
    line = recalibrate(x, y)
    assert [line.intercept, line.slope] == pytest.approx(best.x, abs=1e-6)
    assert line.slope_se == pytest.approx(np.sqrt(best.hess_inv[1, 1]), rel=0.05)
    # at the maximum residuals are orthogonal to both columns
    residual = y - expit(line.intercept + line.slope * x)
    assert abs(residual.sum()) < 1e-8
    assert abs(residual @ x) < 1e-8


def test_weights_count_as_repeated_rows(sample):
    x, y = sample
    times = np.random.default_rng(1).integers(0, 4, len(x))
    weighted, repeated = recalibrate(x, y, times.astype(float)), recalibrate(np.repeat(x, times), np.repeat(y, times))
    assert weighted.slope == pytest.approx(repeated.slope, abs=1e-9)
    assert calibration_intercept(x, y, times.astype(float)) == pytest.approx(
        calibration_intercept(np.repeat(x, times), np.repeat(y, times)), abs=1e-9
    )
    risk = expit(x)
    assert calibration_errors(risk, y, times.astype(float)) == pytest.approx(
        calibration_errors(np.repeat(risk, times), np.repeat(y, times)), abs=1e-9
    )


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([1.0, 1.0, 1.0], [0, 1, 0]),
        ([1.0, 2.0], [1, 1]),
        ([1.0, 2.0, 3.0], [0, 0, 1]),
        ([3.0, 2.0, 1.0], [0, 0, 1]),
        ([], []),
    ],
)
def test_no_slope_is_told_where_none_exists(x, y):
    assert np.isnan(recalibrate(np.array(x), np.array(y, dtype=float)).slope)


def test_the_intercept_makes_foretold_and_observed_equal(sample):
    x, y = sample
    shift = calibration_intercept(x, y)
    assert expit(x + shift).sum() == pytest.approx(y.sum(), abs=1e-8)
    assert np.isnan(calibration_intercept(x, np.ones(len(x))))
    far = calibration_intercept(np.full(1000, 18.0), (np.arange(1000) < 1).astype(float))
    assert far == pytest.approx(logit(0.001) - 18.0, abs=1e-9)


def test_the_smoother_reproduces_a_parabola_and_so_does_the_error():
    risk = np.linspace(0.05, 0.95, 101)
    observed = 0.1 + 0.2 * risk + 0.5 * risk**2
    at, smoothed, count = smooth_observed(risk, observed)
    np.testing.assert_allclose(smoothed, 0.1 + 0.2 * at + 0.5 * at**2, atol=1e-9)
    assert count.sum() == 101
    error = np.abs(risk - observed)
    ici, e50, e90 = calibration_errors(risk, observed)
    assert ici == pytest.approx(error.mean(), abs=1e-9)
    assert e50 == pytest.approx(np.sort(error)[50], abs=1e-9)
    assert e90 == pytest.approx(np.sort(error)[90], abs=1e-9)


def test_the_smoother_equals_a_local_regression_written_out():
    rng = np.random.default_rng(3)
    risk = rng.random(60)
    y = (rng.random(60) < risk).astype(float)
    at, smoothed, _ = smooth_observed(risk, y)
    for i in (0, 17, 59):
        distance = np.abs(risk - at[i])
        width = np.sort(distance)[44]  # 45 of 60 rows
        kernel = np.clip(1 - (distance / width) ** 3, 0, None) ** 3
        fit = np.polynomial.polynomial.polyfit(risk - at[i], y, 2, w=np.sqrt(kernel))
        assert smoothed[i] == pytest.approx(np.clip(fit[0], 0, 1), abs=1e-8)


def test_a_risk_that_most_people_share_stands_for_itself():
    risk = np.array([0.2] * 90 + [0.7] * 10)
    y = np.array([1.0] * 9 + [0.0] * 81 + [1.0] * 8 + [0.0] * 2)
    at, smoothed, _ = smooth_observed(risk, y)
    assert at.tolist() == [0.2, 0.7]
    assert smoothed[0] == pytest.approx(0.1)


def test_many_risks_are_gathered_without_changing_the_error_much():
    rng = np.random.default_rng(0)
    risk = rng.beta(2, 5, 900)
    y = (rng.random(900) < risk**1.3).astype(float)
    assert calibration_errors(risk, y, most_points=100)[0] == pytest.approx(
        calibration_errors(risk, y, most_points=900)[0], abs=1e-3
    )


def test_bins_keep_equal_risks_together_and_count_everybody():
    risk = np.array([0.1] * 50 + [0.2] * 5 + [0.3] * 45)
    y = np.array([1.0] * 5 + [0.0] * 45 + [0.0] * 5 + [1.0] * 9 + [0.0] * 36)
    bins = calibration_bins(risk, y)
    assert bins["n"].tolist() == [50, 5, 45]
    assert bins["events"].tolist() == [5, 0, 9]
    assert bins["mean_risk"].tolist() == pytest.approx([0.1, 0.2, 0.3])
    assert ((bins["low"] <= bins["observed"]) & (bins["observed"] <= bins["high"])).all()


def test_an_inverted_calibrator_is_an_error_and_chance_is_none(sample):
    x, y = sample
    assert fit_calibrator(x, y).slope == pytest.approx(0.6, abs=0.12)
    with pytest.raises(UsageError, match="inverted"):
        fit_calibrator(-x, y)
    flat = fit_calibrator(np.array([0.0, 0.1, 0.2, 0.3]), np.array([1.0, 0, 1, 0]))
    assert flat.slope == 0
    assert expit(flat.intercept) == pytest.approx(0.5)
    assert fit_calibrator(np.zeros(4), np.array([0.0, 1, 1, 1])).slope == 0


def test_a_calibrator_stays_finite_where_the_classes_do_not_overlap():
    line = fit_calibrator(np.array([-2.0, -1, 1, 2]), np.array([0.0, 0, 1, 1]))
    assert 0 < line.slope < 10


def test_a_calibrator_counts_weights_as_repeated_rows(sample):
    x, y = sample
    times = np.random.default_rng(1).integers(0, 4, len(x))
    weighted, repeated = (
        fit_calibrator(x, y, times.astype(float)),
        fit_calibrator(np.repeat(x, times), np.repeat(y, times)),
    )
    assert weighted.slope == pytest.approx(repeated.slope, abs=1e-9)
    assert weighted.intercept == pytest.approx(repeated.intercept, abs=1e-9)


def test_isotonic_steps_are_those_of_an_independent_pooling(sample):
    x, y = sample
    steps = fit_isotonic(x, y)
    order = np.argsort(x)
    blocks = []
    for value in y[order]:
        blocks.append([value, 1.0])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] >= blocks[-1][0] / blocks[-1][1]:
            hits, count = blocks.pop()
            blocks[-1] = [blocks[-1][0] + hits, blocks[-1][1] + count]
    by_hand = np.repeat([hits / count for hits, count in blocks], [int(count) for _, count in blocks])
    np.testing.assert_allclose(steps(x[order]), np.clip(by_hand, 0.5 / 800, 1 - 0.5 / 800), atol=1e-12)
    assert steps(np.array([-99.0, 99.0])).tolist() == [steps.risk[0], steps.risk[-1]]


def test_noise_judged_by_folds_is_told_as_noise_and_never_as_inverted():
    refused = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(60, 1 + seed % 4)), rng.random(60) < 0.5
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                RiskClassifier().fit(X, y)
            except UsageError:
                refused += 1
    assert refused == 0


def test_a_calibrator_that_folds_of_a_sorted_file_would_turn_over_is_still_an_error():
    # what unshuffled folds do: the outcome of a fold is the opposite of what the others taught
    rng = np.random.default_rng(0)
    x = rng.normal(size=600)
    y = (rng.random(600) < expit(-x)).astype(float)
    with pytest.raises(UsageError, match="inverted"):
        fit_calibrator(x, y, n_folds=10)
    assert fit_calibrator(x[:60], y[:60], n_folds=10).slope == 0  # of sixty people that may be chance
    copied = np.repeat(np.arange(60), 40)
    assert fit_calibrator(x[copied], y[copied], persons=copied, n_folds=10).slope == 0
    with pytest.raises(UsageError, match="inverted"):
        fit_calibrator(x[copied], y[copied], n_folds=10)
