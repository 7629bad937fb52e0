"""Fairness of a list: who is in sight, who is admitted at equal score, who waits; silence about few."""

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.models import label_warnings, ranking_fairness


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(11)
    n = 900
    group = np.where(np.arange(n) % 3 == 0, "x", "y")
    score = np.round(rng.random(n) * 10)
    odds = np.exp(0.8 * (score - 5) - 1.1 * (group == "x"))
    wait = rng.integers(10, 60, n) + 40 * (group == "x")
    index = pd.Index([f"P{i:03}" for i in range(n)], name="person_id")
    return pd.DataFrame({"group": group, "score": score, "admitted": (rng.random(n) < odds / (1 + odds)) * 1.0,
                         "wait": wait.astype(float)}, index=index)  # fmt: skip


@pytest.fixture(scope="module")
def told(people):
    groups = {"origin": people["group"]}
    return ranking_fairness(
        people["score"], groups, is_admitted=people["admitted"], waited_days=people["wait"], n_boot=60
    )


def test_unequal_admission_at_equal_score_is_found_and_named(told):
    rows = told.by_group.set_index("group")
    assert rows.loc["x", "odds_high"] < 1 < rows.loc["y", "odds_low"]
    assert rows.loc["x", "admission_odds"] == pytest.approx(np.exp(-1.1), rel=0.35)
    assert rows.loc["x", "admission_odds"] == pytest.approx(1 / rows.loc["y", "admission_odds"])
    assert any("at equal score admitted" in one and "x" in one for one in told.warnings)


def test_a_longer_wait_is_found_and_named(told, people):
    rows = told.by_group.set_index("group")
    for group, own in people.groupby("group"):
        assert rows.loc[group, "median_wait"] == own["wait"].median()
        assert rows.loc[group, "admission_rate"] == pytest.approx(own["admitted"].mean())
        assert rows.loc[group, "n_admitted"] == own["admitted"].sum()
    assert rows.loc["x", "wait_low"] > rows.loc["y", "wait_high"]
    assert any("waits longer" in one for one in told.warnings)


def test_exposure_is_attention_by_place_against_the_mean():
    score = np.concatenate([np.arange(200, 100, -1.0), np.arange(100, 0, -1.0)])
    group = np.repeat(["top", "foot"], 100)
    rows = ranking_fairness(score, group, n_boot=30, small_cell=0).by_group.set_index("group")
    attention = 1 / np.log2(np.arange(2, 202))
    assert rows.loc["top", "exposure"] == pytest.approx(attention[:100].mean() / attention.mean())
    assert rows.loc["foot", "exposure_high"] < 1


def test_a_lower_place_of_a_whole_group_is_named():
    score = np.concatenate([np.arange(200, 100, -1.0), np.arange(100, 0, -1.0)])
    said = ranking_fairness(score, {"site": np.repeat(["top", "foot"], 100)}, n_boot=30).warnings
    assert said[0].startswith("site foot: stands lower on the list")


def test_decisions_that_are_not_known_count_for_nothing(people):
    half = people["admitted"].where(np.arange(len(people)) % 2 == 0)
    rows = ranking_fairness(people["score"], people["group"], is_admitted=half, n_boot=0).by_group.set_index("group")
    assert rows.loc["x", "n_admitted"] == half[people["group"] == "x"].sum()
    assert rows["grouping"].unique().tolist() == ["group"]


def test_without_decisions_and_waits_exposure_alone_is_told(people):
    rows = ranking_fairness(people["score"], {"origin": people["group"]}, n_boot=0)
    assert rows.by_group[["n_admitted", "admission_odds", "median_wait", "n_strata"]].isna().all(axis=None)
    assert rows.by_group["exposure"].notna().all()
    assert rows.warnings == ()


def test_small_groups_say_nothing_and_give_nothing_away(people):
    groups = people["group"].where(np.arange(len(people)) >= 8, "z")
    rows = ranking_fairness(people["score"], {"origin": groups}, is_admitted=people["admitted"], n_boot=0)
    told = rows.by_group.set_index("group")
    assert told["is_suppressed"].to_dict() == {"x": True, "y": False, "z": True}
    assert told.loc["z"].drop(["grouping", "is_suppressed"]).isna().all()


def test_all_admitted_or_none_has_no_odds():
    score = np.arange(100.0)
    rows = ranking_fairness(score, np.tile(["a", "b"], 50), is_admitted=np.ones(100), n_boot=0, small_cell=0).by_group
    assert rows["admission_odds"].isna().all()
    assert rows["n_strata"].tolist() == [0, 0]


def test_rows_without_a_score_are_left_out_and_the_order_of_rows_changes_nothing(people):
    score = people["score"].where(np.arange(len(people)) >= 100)
    settings = {"is_admitted": people["admitted"], "n_boot": 10}
    first = ranking_fairness(score, people["group"], **settings)
    assert first.n_used == 800
    again = people.sample(frac=1, random_state=0)
    settings["is_admitted"] = again["admitted"]
    other = ranking_fairness(score.reindex(again.index), again["group"], **settings)
    pd.testing.assert_frame_equal(first.by_group, other.by_group)


def test_what_cannot_be_judged_is_refused():
    with pytest.raises(UsageError, match="no row has a score"):
        ranking_fairness([np.nan, np.nan], ["a", "b"])
    with pytest.raises(UsageError, match="1, 0 or missing"):
        ranking_fairness([1.0, 2.0], ["a", "b"], is_admitted=[1, 3])


class Outcome:
    """What a program says of an outcome."""

    def __init__(self, **told):
        self.name, self.label, self.event, self.closed, self.instrument, self.measurement = (
            "o",
            {},
            None,
            (),
            None,
            None,
        )
        self.is_proxy = False
        for name, value in told.items():
            setattr(self, name, value)


@pytest.mark.parametrize(
    ("told", "keys"),
    [
        ({"event": "fall"}, []),
        ({"event": "claim"}, ["warnings.proxy_use"]),
        ({"event": "fall", "is_proxy": True}, ["warnings.proxy_use"]),
        ({"closed": ("lost",)}, ["warnings.followed_only"]),
        ({"event": "setting_change", "closed": ("residential_admission",)}, []),
        ({"instrument": "phq9"}, ["warnings.seen_again_only"]),
        ({"measurement": "weight"}, ["warnings.seen_again_only"]),
    ],
)
def test_labels_that_stand_in_for_need_or_are_known_of_some_only_are_told(told, keys):
    assert [one.key for one in label_warnings(Outcome(**told))] == keys


def test_labels_known_of_the_followed_only_are_told():
    y = [1.0, 0.0] * 20 + [np.nan] * 40
    followed = [True] * 40 + [False] * 40
    said = label_warnings(y=y, is_followed=followed)
    assert [one.key for one in said] == ["warnings.selective_labels", "warnings.treated_labels"]
    assert dict(said[0].values) == {"known": 40, "followed": 40, "known_others": 0, "others": 40}
    assert label_warnings(y=[1.0, 0.0], is_followed=[False, False]) == ()
    assert [one.key for one in label_warnings(y=[1.0, 0.0], is_followed=[True, False])] == ["warnings.treated_labels"]
    with pytest.raises(UsageError, match="beside is_followed"):
        label_warnings(is_followed=[True])
