"""How sure a place is, against exact values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.knowledge import PriorityPolicy
from casestrat.priority import rank_region, rank_uncertainty, rank_waiting_list, topk_probability

AS_OF = "2026-10-01"
MEAN, SE = [2.0, 1.5, 1.4, 1.0, 0.2], [0.3, 0.5, 0.2, 0.4, 0.6]
EXACT = [0.965374148333, 0.544203015606, 0.376513460962, 0.100080630036, 0.013828745062]


def listed(scores: list[float], **more: object) -> pd.DataFrame:
    n = len(scores)
    return pd.DataFrame({
        "person_id": [f"P{i}" for i in range(n)], "referral_id": [f"R{i}" for i in range(n)], "tier": "low",
        "risk": scores, "referred_on": pd.to_datetime(["2026-09-01"] * n), "completeness": 1.0,
    }).assign(**more)  # fmt: skip


def test_the_chance_of_a_place_is_exact_for_normal_scores() -> None:
    assert topk_probability(MEAN, SE, 2) == pytest.approx(EXACT, rel=1e-6)
    assert topk_probability([0.0] * 4, [1.0] * 4, 1) == pytest.approx([0.25] * 4, rel=1e-6)
    assert topk_probability(MEAN, SE, 0).tolist() == [0] * 5
    assert topk_probability(MEAN, SE, 9).tolist() == [1] * 5


def test_the_draws_agree_with_the_exact_chances() -> None:
    waiting = listed(np.array(MEAN) / 10)
    policy = PriorityPolicy(weights={"risk": 10})
    found = rank_uncertainty(
        waiting, policy, AS_OF, k=2, se=SE, n_draws=20_000, scale="priority", random_state=1
    ).set_index("person_id")
    assert found["p_topk"].sum() == pytest.approx(2)
    deviation = np.abs(found["p_topk"].loc[waiting["person_id"]].to_numpy() - EXACT)
    assert (deviation <= 4 * np.sqrt(np.array(EXACT) * (1 - np.array(EXACT)) / 20_000)).all()
    assert found["in_tied_zone"].loc[["P0", "P1", "P2", "P4"]].tolist() == [False, True, True, False]


def test_ranks_that_hold_for_everyone_at_once_match_the_published_example() -> None:
    found = rank_region([10.0, 9.0, 7.0, 6.5, 3.0], [0.3, 0.3, 0.5, 0.5, 0.4], alpha=0.1)
    assert found["rank_low"].tolist() == [1, 1, 3, 3, 5]
    assert found["rank_high"].tolist() == [2, 2, 4, 4, 5]
    assert rank_region([], []).empty


def test_without_an_error_the_ranks_are_those_of_the_list(waiting: pd.DataFrame, policy: PriorityPolicy) -> None:
    ranked = rank_waiting_list(waiting, policy, AS_OF)
    found = rank_uncertainty(waiting, policy, AS_OF, k=2, se=0.0, n_draws=5)
    assert found["referral_id"].tolist() == ranked["referral_id"].tolist()
    assert found["rank_low"].tolist() == found["rank_high"].tolist() == ranked["rank"].tolist()
    assert found["p_topk"].tolist() == [1, 1, 0, 0, 0]
    assert not found["in_tied_zone"].any()


def test_an_override_keeps_its_place_whatever_is_drawn() -> None:
    waiting = listed([0.1, 0.9, 0.8], override_tier=[1, 0, 0])
    found = rank_uncertainty(waiting, PriorityPolicy(weights={"risk": 1}), AS_OF, k=1, se=0.3)
    assert found["person_id"].iloc[0] == "P0"
    assert found["p_topk"].tolist() == [1, 0, 0]
    assert found["rank_low"].iloc[1] == 2


def test_the_order_of_the_rows_changes_nothing(waiting: pd.DataFrame, policy: PriorityPolicy) -> None:
    waiting = waiting.assign(risk_low=waiting["risk"] - 0.05, risk_high=waiting["risk"] + 0.1)
    first = rank_uncertainty(waiting, policy, AS_OF, k=2, n_draws=50)
    again = rank_uncertainty(waiting.sample(frac=1, random_state=3), policy, AS_OF, k=2, n_draws=50)
    pd.testing.assert_frame_equal(first, again)


def test_half_the_width_of_the_interval_stands_in_for_an_error() -> None:
    waiting = listed([0.5, 0.5, 0.9], risk_low=[0.4, None, 0.9], risk_high=[0.6, None, 0.9])
    found = rank_uncertainty(waiting, PriorityPolicy(weights={"risk": 1}), AS_OF, k=2, n_draws=4000)
    chances = found.set_index("person_id")["p_topk"]
    assert chances["P2"] == 1
    assert chances["P0"] == pytest.approx(0.5, abs=0.05)  # the one without an interval takes the median of the others


def test_draws_of_an_ensemble_are_ranked_as_they_are() -> None:
    waiting = listed([0.5, 0.6])
    found = rank_uncertainty(
        waiting, PriorityPolicy(weights={"risk": 1}), AS_OF, k=1, draws=[[0.9, 0.1], [0.9, 0.1], [0.2, 7.0], [0.9, 0.1]]
    )
    assert found["person_id"].tolist() == ["P1", "P0"]
    assert found["p_topk"].tolist() == [0.25, 0.75]


def test_a_policy_that_does_not_weigh_risk_is_sure(waiting: pd.DataFrame) -> None:
    found = rank_uncertainty(waiting, PriorityPolicy(mode="fcfs"), AS_OF, k=2, se=0.2, n_draws=20)
    assert found["p_topk"].tolist() == [1, 1, 0, 0, 0]


def test_an_empty_list_has_no_chances(waiting: pd.DataFrame, policy: PriorityPolicy) -> None:
    assert rank_uncertainty(waiting.iloc[:0], policy, AS_OF, k=2, se=0.1).empty


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "no standard error"),
        ({"se": -0.1}, "`se`"),
        ({"se": [0.1]}, "`se`"),
        ({"se": "wide"}, "`se` does not hold numbers"),
        ({"se": np.nan}, "missing or infinite"),
        ({"draws": [[0.1]]}, "`draws`"),
        ({"draws": np.zeros((0, 6))}, "`draws`"),
        ({"se": 0.1, "n_draws": 0}, "n_draws"),
        ({"se": 0.1, "k": -1}, "places"),
    ],
)
def test_what_cannot_be_drawn_from_is_refused(
    waiting: pd.DataFrame, policy: PriorityPolicy, options: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        rank_uncertainty(waiting, policy, AS_OF, **{"k": 2, **options})  # type: ignore[arg-type]


def test_intervals_that_nobody_has_are_no_error(waiting: pd.DataFrame, policy: PriorityPolicy) -> None:
    with pytest.raises(UsageError, match="nobody"):
        rank_uncertainty(waiting.assign(risk_low=np.nan, risk_high=np.nan), policy, AS_OF, k=2)


def test_exact_chances_need_an_error_each() -> None:
    with pytest.raises(UsageError, match="above 0"):
        topk_probability([1.0, 2.0], [0.1, 0.0], 1)
    with pytest.raises(UsageError, match="cannot be used"):
        rank_region([1.0], [0.1], alpha=1.0)
