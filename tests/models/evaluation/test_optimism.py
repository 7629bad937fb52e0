"""Optimism: found where there is some, near none where there is little, and persons drawn whole."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from casestrat.errors import UsageError
from casestrat.models import RiskClassifier, optimism_corrected


def plain():
    return LogisticRegression(C=np.inf, max_iter=500)


@pytest.fixture(scope="module")
def noisy():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(150, 10))
    return X, (X[:, 0] + 1.5 * rng.normal(size=150) > 0).astype(int)


def test_the_corrected_figures_are_near_those_of_people_never_seen(noisy):
    X, y = noisy
    told = optimism_corrected(plain(), X, y, n_boot=40)
    rng = np.random.default_rng(99)
    unseen = rng.normal(size=(20_000, 10))
    truth = roc_auc_score(
        unseen[:, 0] + 1.5 * rng.normal(size=20_000) > 0, plain().fit(X, y).predict_proba(unseen)[:, 1]
    )
    assert told.value("auc", "apparent") == pytest.approx(roc_auc_score(y, plain().fit(X, y).predict_proba(X)[:, 1]))
    assert abs(told.value("auc") - truth) < abs(told.value("auc", "apparent") - truth)
    assert told.value("calibration_slope", "apparent") == pytest.approx(1, abs=1e-3)
    assert told.value("calibration_slope") < 0.95
    assert told.value("brier") > told.value("brier", "apparent")


def test_apparent_less_optimism_is_corrected_and_the_interval_is_shifted(noisy):
    table = optimism_corrected(plain(), *noisy, n_boot=15).table.set_index("metric")
    assert (table["apparent"] - table["optimism"]).to_numpy() == pytest.approx(table["corrected"].to_numpy())
    assert (table["low"] <= table["high"]).all()
    assert table.loc["auc", "low"] < table.loc["auc", "corrected"] < table.loc["auc", "high"]


def test_draws_are_the_same_for_the_same_seed_and_progress_is_told(noisy):
    said = []
    first = optimism_corrected(plain(), *noisy, n_boot=3, progress=lambda *told: said.append(told))
    pd.testing.assert_frame_equal(first.table, optimism_corrected(plain(), *noisy, n_boot=3).table)
    assert said == [("bootstrap", i, 3) for i in (1, 2, 3)]
    other = optimism_corrected(plain(), *noisy, n_boot=3, random_state=1)
    assert other.value("auc", "optimism") != first.value("auc", "optimism")


class Persons(LogisticRegression):
    """Keeps the persons that it was told of."""

    told: list[np.ndarray] = []  # noqa: RUF012

    def fit(self, X, y, groups=None):
        Persons.told.append(np.asarray(groups))
        return super().fit(X, y)


def test_persons_are_drawn_whole_and_stay_one_person(noisy):
    X, y = noisy
    persons = np.repeat(np.arange(50), 3)
    Persons.told.clear()
    told = optimism_corrected(Persons(), X, y, groups=[f"P{i:02}" for i in persons], n_boot=5)
    assert (told.n_rows, told.n_persons, told.n_failed) == (150, 50, 0)
    for drawn in Persons.told[1:]:
        assert len(drawn) == 150
        assert (np.bincount(drawn, minlength=50) % 3 == 0).all()


def test_a_model_of_the_house_is_corrected_with_its_own_calibration(noisy):
    X, y = noisy
    people = pd.DataFrame(X, columns=[f"x{i}" for i in range(10)], index=pd.Index(range(150), name="person_id"))
    told = optimism_corrected(RiskClassifier(n_folds=3), people, y, n_boot=6)
    assert told.value("auc", "optimism") > 0
    assert told.n_events == y.sum()


def test_draws_that_cannot_be_learned_from_are_counted():
    X = np.arange(12.0)[:, None]
    y = np.array([1] + [0] * 11)
    told = optimism_corrected(LogisticRegression(), X, y, n_boot=30)
    assert 0 < told.n_failed < 30


class Refuses(LogisticRegression):
    """Learns on whole samples only."""

    def fit(self, X, y):
        if len(np.unique(np.asarray(X)[:, 0])) < len(y):
            raise ValueError("repeated rows")
        return super().fit(X, y)


class Silent(LogisticRegression):
    """Gives no risk."""

    def predict_proba(self, X):
        return super().predict_proba(X) * np.nan


@pytest.mark.parametrize(
    ("estimator", "changes", "words"),
    [
        (plain(), {"n_boot": 0}, "1 or more"),
        (plain(), {"y": np.ones(150)}, "two classes"),
        (Refuses(), {"n_boot": 2}, "none of 2 draws"),
        (Silent(), {}, "gives no risk for some rows"),
    ],
)
def test_what_cannot_be_corrected_is_refused(noisy, estimator, changes, words):
    X, y = noisy
    y, n_boot = changes.get("y", y), changes.get("n_boot", 2)
    with pytest.raises(UsageError, match=words):
        optimism_corrected(estimator, X, y, n_boot=n_boot)


def test_an_unknown_measure_is_named(noisy):
    with pytest.raises(UsageError, match="no measure is called 'gini'"):
        optimism_corrected(plain(), *noisy, n_boot=1).value("gini")
