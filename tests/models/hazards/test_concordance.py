"""Concordance, against published values and pair by pair."""

import json

import numpy as np
import pytest

from casestrat.errors import UsageError
from casestrat.models import concordance_harrell, concordance_uno


@pytest.fixture(scope="module")
def published(root) -> dict:
    return json.loads((root / "tests/vectors/survival_reference_values.json").read_text())


@pytest.fixture(scope="module")
def data(root) -> dict:
    return json.loads((root / "tests/vectors/survival_data.json").read_text())


def score(rows: dict, coefficients: dict) -> np.ndarray:
    """The linear predictor of a published Cox model."""
    return sum(np.array(rows[name], dtype=float) * weight for name, weight in coefficients.items())


def test_concordances_of_a_published_cox_model(published, data):
    expected, rows = published["gbsg2_cox_insample"], data["gbsg2"]
    risk = score(rows, expected["coef"])
    assert concordance_harrell(rows["days"], rows["event"], risk) == pytest.approx(expected["c_harrell"], abs=1e-6)
    # the peer takes who is no longer seen on a day as gone before its events, ours as gone after them
    assert concordance_uno(rows["days"], rows["event"], risk) == pytest.approx(expected["c_uno"], abs=3e-3)
    same = data["gbsg2_half_day"]
    assert concordance_uno(rows["days"], rows["event"], risk) == pytest.approx(same["c_uno"], abs=1e-12)
    found = concordance_uno(rows["days"], rows["event"], risk, until_days=1825)
    assert found == pytest.approx(same["c_uno_1825"], abs=1e-12)


def test_the_concordance_of_a_published_cox_model_on_prisoners(published, data):
    expected, rows = published["rossi_cox_efron"], data["rossi"]
    found = concordance_harrell(rows["days"], rows["event"], score(rows, expected["coef"]))
    assert found == pytest.approx(expected["concordance"], abs=5e-5)


def test_pairs_are_compared_as_told():
    rng = np.random.default_rng(5)
    days, event, risk = rng.integers(1, 12, 60), rng.integers(0, 3, 60), rng.integers(0, 8, 60) / 8
    right = total = 0.0
    for i in np.flatnonzero(event == 1):
        for j in range(60):
            later = days[j] > days[i] or (days[j] == days[i] and event[j] == 0) or event[j] == 2
            if later:
                total += 1
                right += 0.5 if risk[i] == risk[j] else float(risk[i] > risk[j])
    assert concordance_harrell(days, event, risk) == pytest.approx(right / total)


def test_without_censoring_both_are_the_same():
    rng = np.random.default_rng(6)
    days, event, risk = rng.integers(1, 12, 60), rng.integers(1, 3, 60), rng.random(60)
    assert concordance_uno(days, event, risk) == pytest.approx(concordance_harrell(days, event, risk))


def test_where_no_order_is_known_nothing_is_told():
    assert np.isnan(concordance_harrell([1, 2], [0, 0], [0.1, 0.2]))


@pytest.mark.parametrize(("risk", "words"), [([0.1], "expected 2 risks"), ([0.1, np.nan], "none missing")])
def test_risks_that_cannot_be_used_are_refused(risk, words):
    with pytest.raises(UsageError, match=words):
        concordance_harrell([1, 2], [1, 0], risk)
