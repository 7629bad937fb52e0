"""What is missing is counted by feature, person and group, and few people are never told apart."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casestrat.errors import UsageError
from casestrat.features import missingness_report
from casestrat.features.missingness import hidden_groups


@pytest.fixture
def features():
    index = pd.MultiIndex.from_tuples(
        [("P1", 1), ("P1", 2), ("P2", 1), ("P3", 1)], names=["person_id", "as_of"]
    )  # fmt: skip
    return pd.DataFrame(
        {"gir": [2.0, np.nan, np.nan, np.nan], "katz": [4.0, np.nan, np.nan, 1.0], "band": ["a", None, "b", "c"],
         "age": [84.0, 84.0, 91.0, 70.0]}, index=index,
    )  # fmt: skip


def test_features_are_counted_most_often_missing_first(features):
    by_feature = missingness_report(features).by_feature
    assert by_feature["feature"].tolist() == ["gir", "katz", "band", "age"]
    assert by_feature["n_missing"].tolist() == [3, 2, 1, 0]
    assert by_feature["share_missing"].tolist() == [0.75, 0.5, 0.25, 0.0]
    assert by_feature["n_people"].tolist() == [3] * 4
    assert by_feature["share_people_known"].tolist() == pytest.approx([1 / 3, 2 / 3, 1, 1])


def test_rows_are_counted_in_their_order_and_how_many_lack_how_much(features):
    report = missingness_report(features)
    pd.testing.assert_index_equal(report.by_person.index, features.index)
    assert report.by_person["n_missing"].tolist() == [0, 3, 2, 1]
    assert report.distribution["n"].tolist() == [1, 1, 1, 1, 0]
    assert report.distribution["share_up_to"].tolist() == [0.25, 0.5, 0.75, 1, 1]
    assert repr(report) == "MissingnessReport: 4 features of 4 rows; most missing: gir 75%, katz 50%, band 25%"


def test_pairs_that_go_missing_together_come_first(features):
    together = missingness_report(features).together
    assert together[["feature", "other"]].iloc[0].tolist() == ["gir", "katz"]
    assert together["n_both"].tolist() == [2, 1, 1]
    assert together["share_of_either"].tolist() == pytest.approx([2 / 3, 1 / 2, 1 / 3])
    assert together["share_by_chance"].iloc[0] == pytest.approx(1.5 / 3.5)
    assert len(missingness_report(features, n_pairs=1).together) == 1


def cohort(sizes, missing):
    """One row a person: groups of these sizes, of which so many lack the feature."""
    group = np.repeat([f"g{i}" for i in range(len(sizes))], sizes)
    value = np.concatenate([[np.nan] * m + [1.0] * (n - m) for n, m in zip(sizes, missing, strict=True)])
    index = pd.Index([f"P{i}" for i in range(len(group))], name="person_id")
    return pd.DataFrame({"gir": value}, index=index), pd.Series(group, index=index, name="team")


def test_groups_are_told_their_share():
    X, team = cohort([40, 60], [20, 15])
    by_group = missingness_report(X, team).by_group
    assert by_group["share_missing"].tolist() == [0.5, 0.25]
    assert by_group["n"].tolist() == [40, 60]
    assert not by_group["is_suppressed"].any()
    assert set(by_group["grouping"]) == {"team"}


def test_a_small_cell_is_hidden_and_another_beside_it():
    X, team = cohort([40, 60, 50], [4, 15, 20])
    cells = missingness_report(X, team).by_group
    assert cells["is_suppressed"].tolist() == [True, False, True]
    assert cells["n_missing"].isna().tolist() == [True, False, True]
    assert cells["share_missing"].isna().tolist() == [True, False, True]
    assert cells["n"].tolist() == [40, 60, 50]  # groups of many people, whatever they lack
    assert not missingness_report(X, team, least_n=1).by_group["is_suppressed"].any()


def test_a_small_group_is_hidden_whole_and_nobody_missing_is_shown():
    X, team = cohort([4, 60, 50], [0, 0, 0])
    cells = missingness_report(X, team).by_group
    assert cells["n"].isna().tolist() == [True, False, True]
    assert cells["share_missing"].fillna(-1).tolist() == [-1, 0, -1]
    X, team = cohort([40, 60], [0, 0])
    assert not missingness_report(X, team).by_group["is_suppressed"].any()


def test_groups_may_be_of_people_or_of_rows_and_who_has_none_is_unknown(features):
    of_people = pd.DataFrame({"sex": ["f", None]}, index=pd.Index(["P1", "P2"], name="person_id"))
    by_group = missingness_report(features, of_people, least_n=1).by_group
    assert by_group.loc[by_group["feature"] == "gir", ["group", "n"]].to_numpy().tolist() == [["f", 2], ["unknown", 2]]
    of_rows = pd.Series([1, 2, 1, 1], index=features.index, name="wave")
    waves = missingness_report(features, of_rows, least_n=1).by_group
    assert waves.loc[waves["feature"] == "gir", "n"].tolist() == [3, 1]


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        (pd.Series(["f"] * 4), "do not fit X"),
        (pd.Series(["f", "m"], index=pd.Index(["P1", "P1"], name="person_id")), "do not fit X"),
    ],
)
def test_groups_that_do_not_fit_are_refused(features, groups, told):
    with pytest.raises(UsageError, match=told):
        missingness_report(features, groups)


def test_what_cannot_be_counted_is_refused(features):
    with pytest.raises(UsageError, match="no rows"):
        missingness_report(features.iloc[:0])
    with pytest.raises(UsageError, match="person_id"):
        missingness_report(features.reset_index(drop=True))
    with pytest.raises(UsageError, match="least_n"):
        missingness_report(features, least_n=0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=6), st.data())
def test_what_is_hidden_of_a_count_is_nothing_or_enough(people, data):
    people = np.array(people)
    missing = np.array([data.draw(st.integers(0, int(n))) for n in people])
    counts = [missing, people - missing]
    hidden = hidden_groups(people, counts, 11)
    small = (people > 0) & (people < 11)
    for count in counts:
        small |= (count > 0) & (count < 11)
        assert hidden.all() or count[hidden].sum() == 0 or count[hidden].sum() >= 11
    assert hidden[small].all()
    assert hidden.sum() != 1 or len(people) == 1
