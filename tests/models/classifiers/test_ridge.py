"""The ridge by Newton's method, against another solver."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from casestrat.models.classifiers.ridge import ridge_logistic


@pytest.mark.parametrize("strength", [0.01, 1.0, 1e4])
@pytest.mark.parametrize("kind", ["noise", "parted", "rare", "far"])
def test_it_finds_what_another_solver_finds(kind, strength):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(120, 4))
    y = {
        "noise": rng.random(120) < 0.5,
        "parted": X[:, 0] > 0,
        "rare": np.arange(120) == 7,
        "far": X[:, 0] + rng.normal(size=120) > 1,
    }[kind]
    if kind == "far":
        X[:5] *= 30
    weight = rng.integers(1, 4, 120).astype(float)
    found = ridge_logistic(np.column_stack([np.ones(120), X]), y, weight, np.r_[0.0, np.full(4, 1 / strength)])
    other = LogisticRegression(C=strength, solver="lbfgs", tol=1e-10, max_iter=20_000).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(found, np.r_[other.intercept_, other.coef_[0]], rtol=2e-3, atol=2e-3)
    # the gradient is nothing at the maximum
    design = np.column_stack([np.ones(120), X])
    risk = expit(design @ found)
    gradient = design.T @ (weight * (y - risk)) - np.r_[0.0, np.full(4, 1 / strength)] * found
    assert np.abs(gradient).max() < 1e-5


def test_a_step_too_far_is_halved():
    for seed in range(60):  # among far-flung numbers some steps of Newton's method overshoot
        rng = np.random.default_rng(seed)
        design = np.column_stack([np.ones(12), rng.standard_cauchy(size=(12, 3))])
        event, penalty = np.arange(12) % 3 == 0, np.r_[0.0, np.full(3, 1e-3)]
        found = ridge_logistic(design, event, np.ones(12), penalty)
        risk = expit(design @ found)
        assert np.abs(design.T @ (event - risk) - penalty * found).max() < 1e-4
