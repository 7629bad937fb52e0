"""The audit of groups: silence where groups are small, and where a total would give a small one away."""

import numpy as np
import pandas as pd
import pytest

from casestrat.models import evaluate, join_small_groups
from casestrat.models.evaluation.fairness import _widened
from casestrat.models.measures.bootstrap import percentile_interval
from casestrat.models.measures.small_cells import hide_complements


def audit(sizes, share=0.5, **settings):
    groups = np.repeat([name for name, _ in sizes], [n for _, n in sizes])
    rng = np.random.default_rng(0)
    y = np.concatenate([(np.arange(n) < n * share).astype(float) for _, n in sizes])
    return evaluate(y, rng.random(len(y)), groups={"territory": groups}, n_boot=20, **settings).by_group.set_index(
        "group"
    )


def test_a_group_under_the_least_number_keeps_its_count_and_nothing_else():
    told = audit([("big", 200), ("mid", 28)])
    assert told.loc["mid", "is_suppressed"]
    assert told.loc["mid", "n"] == 28
    assert told.loc["mid"].drop(["grouping", "n", "is_suppressed"]).isna().all()
    assert not told.loc["big", "is_suppressed"]  # 28 people, 14 of them with the outcome: nothing to hide


def test_a_small_count_is_hidden_and_so_is_the_smallest_other():
    told = audit([("a", 5), ("b", 60), ("c", 90)])
    assert told["n"].isna().tolist() == [True, True, False]
    assert told["is_suppressed"].tolist() == [True, True, False]


def test_few_cases_are_hidden_though_people_are_many():
    told = audit([("a", 100), ("b", 200), ("c", 300)], share=0.06)  # 6, 12 and 18 with the outcome
    assert told["is_suppressed"].tolist() == [True, True, False]
    assert told["n"].tolist() == [100, 200, 300]
    assert told["events"].isna().tolist() == [True, True, False]


def test_a_lone_small_group_is_hidden():
    told = audit([("a", 5)])
    assert told["n"].isna().all()
    assert told["is_suppressed"].all()


def test_limits_can_be_set_and_a_missing_group_is_a_group():
    y = np.tile([0.0, 1.0], 40)
    groups = pd.DataFrame({"language": ["fr", None] * 40, "site": 1}, index=range(80))
    told = evaluate(y, np.linspace(0, 1, 80), groups=groups, n_boot=0, small_cell=0, least_n=0).by_group
    assert told[["grouping", "group"]].to_numpy().tolist() == [
        ["language", "(missing)"],
        ["language", "fr"],
        ["site", "1"],
    ]
    assert not told["is_suppressed"].any()
    assert told["auc_low"].isna().all()


def test_an_interval_needs_half_of_the_draws():
    assert np.isnan(percentile_interval(np.array([1.0, np.nan, np.nan]))[0])
    assert percentile_interval(np.arange(101.0)) == pytest.approx((2.5, 97.5))


@pytest.fixture(scope="module")
def two_groups():
    rng = np.random.default_rng(8)
    group = np.repeat(["north", "south"], 500)
    risk = rng.beta(2, 4, 1000)
    # in the south the outcome comes twice as often as foretold, and the score is lowered for what it does not know
    y = (rng.random(1000) < np.where(group == "south", np.minimum(1, 2 * risk), risk)).astype(float)
    return evaluate(y, risk, capacity=[200, 400], groups={"site": group}, n_boot=60, small_cell=0)


def test_a_gap_wider_than_chance_names_its_harm_and_its_groups(two_groups):
    gaps = two_groups.gaps.set_index(["measure", "capacity"])
    ratio = two_groups.gaps[two_groups.gaps["measure"] == "expected_over_observed"].iloc[0]
    assert (ratio["lowest"], ratio["highest"], ratio["finding"]) == ("south", "north", "apart")
    assert ratio["harm"] == "need_is_told_too_low"
    assert ratio["low"] > 0
    assert ratio["ratio"] == pytest.approx(0.55, abs=0.1)
    assert len(gaps) == 3 + 3 * 2
    told = two_groups.by_group.set_index("group")["expected_over_observed"]
    assert ratio["difference"] == pytest.approx(told["north"] - told["south"])


def test_the_places_are_dealt_out_whole_over_the_groups(two_groups):
    taken = two_groups.selection.groupby("capacity")["n_selected"].sum()
    assert taken.to_dict() == pytest.approx({200: 200.0, 400: 400.0})
    row = two_groups.selection.iloc[0]
    assert row["selection_rate"] == pytest.approx(row["n_selected"] / row["n"])
    assert row["selection_rate_low"] < row["selection_rate"] < row["selection_rate_high"]
    assert (two_groups.by_group["exposure"] * two_groups.by_group["n"]).sum() == pytest.approx(1000)


def test_tied_people_take_their_share_of_the_places():
    y = np.tile([0.0, 1.0], 60)
    told = evaluate(y, np.full(120, 0.5), capacity=30, groups=np.repeat(["a", "b"], 60), n_boot=0, small_cell=0)
    assert told.selection["n_selected"].tolist() == [15.0, 15.0]
    assert told.selection["selection_rate"].tolist() == [0.25, 0.25]
    assert told.by_group["exposure"].tolist() == pytest.approx([1, 1])
    assert told.gaps["finding"].eq("no_interval").all()


def test_few_taken_in_a_group_are_hidden_and_so_is_the_smallest_other():
    groups = np.repeat(["a", "b", "c"], 100)
    risk = np.concatenate([np.linspace(0.1, 0.6, 100), np.linspace(0.1, 0.8, 100), np.linspace(0.1, 0.99, 100)])
    y = np.tile([0.0, 1.0], 150)
    everybody = evaluate(y, risk, capacity=90, groups=groups, n_boot=0, small_cell=0)
    assert everybody.selection["n_selected"].round(9).between(1, 10).tolist() == [True, False, False]
    told = evaluate(y, risk, capacity=90, groups=groups, n_boot=0)
    assert not told.by_group["is_suppressed"].any()
    assert told.selection["is_suppressed"].tolist() == [True, True, False]  # b too: 90 places less 48 less b are a's
    assert told.selection.loc[:1, ["n_selected", "selection_rate", "precision"]].isna().all(axis=None)
    assert told.gaps.set_index("measure").loc["selection_rate", "finding"] == "too_few"


def test_nothing_is_concluded_of_groups_under_the_least_number():
    rng = np.random.default_rng(0)
    groups = np.repeat(["big", "small"], [400, 25])
    risk = rng.random(425)
    told = evaluate((rng.random(425) < risk).astype(float), risk, capacity=100, groups=groups, n_boot=20)
    assert told.gaps["finding"].eq("too_few").all()
    assert told.gaps[["highest", "lowest", "difference", "low"]].isna().all(axis=None)


def test_the_interval_of_the_widest_of_many_gaps_is_widened_for_the_pairs():
    draws = np.arange(3001.0)
    assert _widened(draws, 1) == pytest.approx((75, 2925))
    assert _widened(draws, 15) == pytest.approx((5, 2995))  # 15 pairs of six groups
    assert np.isnan(_widened(np.array([1.0, np.nan, np.nan]), 1)).all()


def test_points_have_no_calibration_in_groups_and_an_order():
    y = np.tile([0.0, 1.0, 1.0], 50)
    told = evaluate(
        y, np.arange(150) % 7, groups=np.repeat(["a", "b"], 75), n_boot=5, is_probability=False, small_cell=0
    )
    assert told.by_group[["calibration_slope", "slope_low", "calibration_intercept"]].isna().all(axis=None)
    assert told.by_group["exposure"].notna().all()
    assert not told.gaps["measure"].eq("expected_over_observed").any() or (
        told.gaps.set_index("measure").loc["expected_over_observed", "finding"] == "too_few"
    )


def test_without_groups_the_frames_are_there_and_empty():
    report = evaluate([0, 1, 1], [0.1, 0.2, 0.7], capacity=1, n_boot=3)
    assert report.selection.empty
    assert report.gaps.empty
    assert {"capacity", "selection_rate", "is_suppressed"} <= set(report.selection.columns)


def test_a_hidden_pair_that_is_still_few_hides_a_third():
    assert hide_complements(np.array([True, True, False, False]), np.array([3, 4, 50, 90]), 11).tolist() == [
        True,
        True,
        True,
        False,
    ]
    assert hide_complements(np.array([False, False]), np.array([3, 4]), 11).tolist() == [False, False]
    assert hide_complements(np.array([True]), np.array([3]), 11).tolist() == [True]


def test_a_handful_of_people_joins_the_next_smallest_group():
    groups = pd.DataFrame({"sex": ["f"] * 60 + ["m"] * 40 + [None] * 4, "site": [1] * 104})
    joined = join_small_groups(groups)
    assert joined["sex"].value_counts().to_dict() == {"f": 60, "(missing) + m": 44}
    assert set(joined["site"]) == {"1"}
    few = join_small_groups(pd.DataFrame({"g": list("aabbc")}), least=3)
    assert set(few["g"]) == {"a + c", "b"} or set(few["g"]) == {"a", "b + c"} or set(few["g"]) == {"a + b + c"}
