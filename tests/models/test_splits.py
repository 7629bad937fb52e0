"""Splits: no person on both sides, no future before the past."""

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.models import PersonGroupedSplit, TemporalSplit
from casestrat.models.splits import folds_for, level_or_groups


def frame(persons, days=None):
    if days is None:
        return pd.DataFrame({"x": range(len(persons))}, index=pd.Index(persons, name="person_id"))
    index = pd.MultiIndex.from_arrays([persons, pd.to_datetime(days)], names=["person_id", "as_of"])
    return pd.DataFrame({"x": range(len(persons))}, index=index)


def test_every_row_is_tested_once_and_no_person_stands_on_both_sides():
    X = frame(np.repeat([f"P{i}" for i in range(23)], 3))
    tested = []
    for learn, test in PersonGroupedSplit(n_splits=4).split(X):
        assert not set(X.index[learn]) & set(X.index[test])
        tested += test.tolist()
    assert sorted(tested) == list(range(len(X)))


def test_the_order_of_rows_changes_no_fold_and_the_seed_does():
    X = frame(np.repeat([f"P{i:02}" for i in range(40)], 2))
    shuffled = X.sample(frac=1, random_state=1)

    def folds(data, seed):
        return [frozenset(data.index[test]) for _, test in PersonGroupedSplit(random_state=seed).split(data)]

    assert folds(X, 0) == folds(shuffled, 0)
    assert folds(X, 0) != folds(X, 1)


def test_people_with_an_event_are_dealt_out_evenly():
    X = frame([f"P{i:02}" for i in range(50)])
    y = np.arange(50) < 10  # a sorted file
    assert [int(y[test].sum()) for _, test in PersonGroupedSplit().split(X, y)] == [2] * 5


def test_groups_stand_in_for_the_index_and_their_number_must_fit():
    split = PersonGroupedSplit(n_splits=2)
    assert split.get_n_splits() == 2
    assert len(list(split.split(np.zeros((4, 1)), groups=[1, 1, 2, 2]))) == 2
    with pytest.raises(UsageError, match="expected 4 groups"):
        list(split.split(np.zeros((4, 1)), groups=[1, 2]))
    with pytest.raises(UsageError, match="person_id"):
        list(split.split(np.zeros((4, 1))))
    with pytest.raises(UsageError, match="as many persons"):
        list(split.split(np.zeros((4, 1)), groups=[1, 1, 1, 1]))
    with pytest.raises(UsageError, match="1 rows have none"):
        list(split.split(np.zeros((3, 1)), groups=["a", "b", None]))


def test_learning_rows_are_older_than_the_test_by_the_gap():
    days = pd.date_range("2025-01-01", periods=12, freq="30D")
    X = frame(["A"] * 12 + ["B"] * 12, [*days, *days])
    seen = []
    for learn, test in TemporalSplit(n_splits=3, gap_days=90).split(X):
        dates = X.index.get_level_values("as_of")
        assert dates[learn].max() + pd.Timedelta(days=90) <= dates[test].min()
        # none that was mature is left out
        assert len(learn) == (dates + pd.Timedelta(days=90) <= dates[test].min()).sum()
        seen.append(dates[test].min())
    assert seen == sorted(seen)
    assert len(seen) == TemporalSplit(gap_days=90).get_n_splits() == 3


def test_a_temporal_split_says_why_it_cannot_be_made():
    X = frame(["A", "B"], ["2025-01-01", "2025-02-01"])
    with pytest.raises(UsageError, match="3 tests need 4 dates"):
        list(TemporalSplit(n_splits=3, gap_days=0).split(X))
    with pytest.raises(UsageError, match="2025-02-01"):
        list(TemporalSplit(n_splits=1, gap_days=60).split(X))
    with pytest.raises(UsageError, match="gap of 0 days"):
        list(TemporalSplit(gap_days=-1).split(X))
    with pytest.raises(UsageError, match="1 rows have none"):
        list(TemporalSplit(n_splits=1, gap_days=0).split(np.zeros((2, 1)), groups=["2025-01-01", None]))
    with pytest.raises(UsageError, match="as_of"):
        level_or_groups(np.zeros((2, 1)), None, "as_of")


def test_folds_are_as_many_as_the_rarer_class_fills():
    assert folds_for(5, list("AABBCCDDEE"), np.array([1, 0] * 5)) == 5
    assert folds_for(5, np.arange(40), np.arange(40) < 3) == 3
    assert folds_for(5, np.arange(40), np.arange(40) < 1) == 0
