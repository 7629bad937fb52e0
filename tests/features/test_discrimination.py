"""How well features tell: against scikit-learn, and with nothing learned from those left out."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from casestrat.features.discrimination import (
    as_predictors,
    auc_of,
    design_of,
    designs_of,
    feature_auc,
    folded,
    gap_auc,
    left_out_auc,
    permuted_auc,
    person_folds,
)  # fmt: skip


@pytest.fixture
def draw():
    return np.random.default_rng(5)


def test_the_area_is_scikit_learns_ties_and_all(draw):
    y, score = draw.random(200) < 0.3, draw.integers(0, 6, 200).astype(float)
    assert auc_of(y, score) == pytest.approx(roc_auc_score(y, score))
    assert folded(0.3) == folded(0.7) == 0.7
    assert np.isnan(auc_of(np.ones(3, dtype=bool), np.arange(3.0)))


def test_every_type_becomes_numbers_or_text():
    X = as_predictors(
        pd.DataFrame({
            "whole": pd.array([1, None], dtype="Int64"),
            "flag": pd.array([True, None], dtype="boolean"),
            "day": pd.to_datetime(["2026-01-02", None]),
            "zoned": pd.to_datetime(["2026-01-02", None]).tz_localize("Europe/Paris"),
            "length": pd.to_timedelta([1, None], unit="D"),
            "wild": [np.inf, 1.0],
            "text": pd.array(["a", None], dtype=pd.StringDtype(na_value=np.nan)),
            "band": pd.Categorical(["a", None]),
        })
    )  # fmt: skip
    assert [str(kind) for kind in X.dtypes] == ["float64"] * 6 + ["object"] * 2
    assert X.drop(columns="wild").iloc[1].isna().all()
    assert np.isnan(X["wild"].iloc[0])
    assert X["text"].iloc[0] == "a"


def test_people_stay_whole_and_folds_share_those_with_the_outcome(draw):
    persons = draw.integers(0, 60, 300)
    y = np.isin(persons, np.arange(20))
    fold = person_folds(persons, y, 5, 0)
    assert pd.Series(fold).groupby(persons).nunique().max() == 1
    assert pd.Series(persons[y]).groupby(fold[y]).nunique().tolist() == [4] * 5


def test_a_text_of_one_person_each_tells_nothing(draw):
    y = draw.random(100) < 0.5
    fold = person_folds(np.arange(100), y, 5, 0)
    unique = pd.Series([f"id{i}" for i in range(100)], dtype=object)
    assert feature_auc(unique, y, fold) == (0.5, 100)
    place = pd.Series(np.where(y, "ward", "home"), dtype=object)
    assert feature_auc(place, y, fold)[0] == 1.0


def test_whether_a_feature_is_filled_can_tell():
    y = np.array([True, True, False, False])
    assert gap_auc(pd.Series([1.0, 2.0, np.nan, np.nan]), y) == 1.0
    assert gap_auc(pd.Series([1.0, np.nan, 3.0, np.nan]), y) == 0.5


def test_nothing_is_learned_from_those_left_out(draw):
    X = as_predictors(pd.DataFrame({"a": draw.normal(size=40), "t": draw.choice(list("xyz"), 40), "e": np.nan}))
    X.loc[3, "a"] = np.nan
    learned = np.arange(40) < 30
    wild = X.copy()
    wild.loc[30:, "a"], wild.loc[30:, "t"] = 1e9, "new"
    assert np.array_equal(design_of(X, learned)[:30], design_of(wild, learned)[:30])
    assert np.abs(design_of(wild, learned)).max() <= 10


def test_a_feature_that_tells_is_found_and_noise_is_not(draw):
    y = draw.random(600) < 0.3
    X = as_predictors(pd.DataFrame({"told": y + draw.normal(0, 1, 600), "noise": draw.normal(size=600)}))
    designs = designs_of(X, person_folds(np.arange(600), y, 5, 0))
    auc, error = left_out_auc(designs, y)
    assert 0.7 < auc < 0.85
    assert 0.01 < error < 0.06
    dealt, dealt_error = permuted_auc(designs, y, 5, 0)
    assert abs(dealt - 0.5) < 3 * dealt_error < 0.1
    assert np.isnan(left_out_auc(designs, np.ones(600, dtype=bool))[0])
