"""Each site left out once, nobody of it learned from, and the future never before the past."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from casestrat.errors import UsageError
from casestrat.models import JoinedSitesWarning, LeaveSiteOut


def frame(persons, sites, days=None):
    levels, names = [list(persons), list(sites)], ["person_id", "site"]
    if days is not None:
        levels, names = [*levels, pd.to_datetime(days)], [*names, "as_of"]
    return pd.DataFrame({"x": np.arange(len(levels[0]))}, index=pd.MultiIndex.from_arrays(levels, names=names))


def test_each_site_is_left_out_once_and_every_row_is_tested_once():
    X = frame([f"P{i}" for i in range(30)], ["north", "south", "west"] * 10)
    folds = list(LeaveSiteOut().split(X))
    assert [set(X.index[test].get_level_values("site")) for _, test in folds] == [{"north"}, {"south"}, {"west"}]
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(30))
    for learn, test in folds:
        assert sorted([*learn, *test]) == list(range(30))
    assert LeaveSiteOut().get_n_splits(X) == 3


def test_a_person_of_the_tested_site_is_not_learned_from_by_rows_at_another():
    X = frame("AABBC", ["north", "south", "south", "south", "west"])
    learned = {X.index[test[0]][1]: [X.index[i][0] for i in learn] for learn, test in LeaveSiteOut().split(X)}
    assert learned == {"north": ["B", "B", "C"], "south": ["C"], "west": ["A", "A", "B", "B"]}


def test_small_sites_stand_together_in_one_test_and_it_is_said():
    X = frame([f"P{i}" for i in range(10)], [*["big"] * 4, *["large"] * 3, "tiny", "small", "small"])
    split = LeaveSiteOut(min_people=3)
    with pytest.warns(JoinedSitesWarning, match="2 sites with fewer than 3 people each .* one test of 3 people"):
        folds = list(split.split(X))
    assert [test.tolist() for _, test in folds] == [[0, 1, 2, 3], [4, 5, 6], [7, 8, 9]]
    blocks = split.blocks(X)
    assert blocks["block"].tolist() == ["big", "large", "other sites"]
    assert blocks["n_sites"].tolist() == [1, 1, 2]
    assert blocks["is_joined"].tolist() == [False, False, True]
    assert split.get_n_splits(X) == 3


def test_people_are_counted_not_rows_and_one_small_site_stays_alone():
    X = frame("AAAABC", [*["north"] * 4, "south", "south"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(list(LeaveSiteOut(min_people=2).split(X))) == 2
    assert LeaveSiteOut(min_people=2).blocks(X)["n_people"].tolist() == [1, 2]


def test_groups_and_other_levels_stand_in_for_the_site():
    X = frame("ABCD", "NNSS")
    by_groups = list(LeaveSiteOut().split(X.to_numpy(), groups=[1, 1, 2, 2]))
    by_level = list(LeaveSiteOut(level="territory").split(X.rename_axis(index={"site": "territory"})))
    for one, other in zip(by_groups, by_level, strict=True):
        np.testing.assert_array_equal(one[1], other[1])
    model = LogisticRegression()
    assert len(cross_val_score(model, X, [0, 1, 0, 1], groups=list("NNSS"), cv=LeaveSiteOut(), scoring="accuracy")) == 2


def test_with_a_gap_the_later_dates_are_tested_and_the_labels_learned_from_were_known_by_then():
    days = pd.date_range("2025-01-01", periods=8, freq="30D")
    persons = np.repeat(["A", "B", "C"], 8)
    X = frame(persons, np.repeat(["north", "south", "west"], 8), list(days) * 3)
    dates = X.index.get_level_values("as_of")
    for learn, test in LeaveSiteOut(gap_days=60).split(X):
        assert set(dates[test]) == set(days[4:])
        assert dates[learn].max() + pd.Timedelta(days=60) <= dates[test].min()
        assert len(learn) == 2 * 3  # two other sites, and the three dates that were old enough


def test_a_site_without_later_dates_is_learned_from_and_not_tested():
    days = ["2025-01-01", "2025-06-01", "2025-01-01", "2025-06-01", "2025-01-01"]
    X = frame("ABCDE", ["north", "north", "south", "south", "closed"], days)
    split = LeaveSiteOut(gap_days=90)
    assert split.blocks(X)["block"].tolist() == ["north", "south"]
    assert [learn.tolist() for learn, _ in split.split(X)] == [[2, 4], [0, 4]]


def test_a_split_by_site_says_why_it_cannot_be_made():
    X = frame("ABCD", "NNSS")
    with pytest.raises(UsageError, match="found 1"):
        list(LeaveSiteOut(min_people=9).split(X))
    with pytest.raises(UsageError, match="1 rows have none"):
        list(LeaveSiteOut().split(X, groups=["N", "N", None, "S"]))
    with pytest.raises(UsageError, match="1 person or more"):
        list(LeaveSiteOut(min_people=0).split(X))
    with pytest.raises(UsageError, match="gap of 0 days"):
        LeaveSiteOut(gap_days=-1).blocks(X)
    with pytest.raises(UsageError, match="as_of"):
        list(LeaveSiteOut(gap_days=90).split(X))
    with pytest.raises(UsageError, match="territory"):
        list(LeaveSiteOut("territory").split(X))
    with pytest.raises(UsageError, match="nobody to learn from"):
        list(LeaveSiteOut().split(frame("AABB", "NSNS")))
