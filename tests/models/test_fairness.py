"""The audit of groups: silence where groups are small, and where a total would give a small one away."""

import numpy as np
import pandas as pd
import pytest

from casestrat.models import evaluate
from casestrat.models.fairness import percentile_interval


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
