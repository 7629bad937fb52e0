"""The order of a waiting list: keys, parts, ties, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from time import process_time

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.knowledge import Component, PriorityPolicy
from casestrat.priority import assess_first, mark_places, rank_waiting_list
from casestrat.priority.index import lottery_draws, lottery_text
from casestrat.tables import OUTPUTS

AS_OF = "2026-10-01"


def test_the_list_has_the_columns_of_the_output_contract(ranked: pd.DataFrame) -> None:
    """All but the meeting, which the list does not know of."""
    expected = {c.name: c.dtype for c in OUTPUTS["waiting_list"].columns if c.name != "meeting_id"}
    assert dict(mark_places(ranked, 2).dtypes) == expected


def test_an_empty_list_has_the_same_columns(
    waiting: pd.DataFrame, ranked: pd.DataFrame, policy: PriorityPolicy
) -> None:
    empty = rank_waiting_list(waiting.iloc[:0], policy, AS_OF)
    assert empty.empty
    assert dict(empty.dtypes) == dict(ranked.dtypes)
    assert len(mark_places(empty, 3)) == len(assess_first(waiting.iloc[:0], policy)) == 0


def test_the_index_is_weights_times_components_plus_rate_times_days(ranked: pd.DataFrame) -> None:
    row = ranked.set_index("person_id").loc["P2"]
    assert row["waited_days"] == 10
    assert row["priority"] == pytest.approx(100 * 0.4 + 60 * 0.8 + 90 * 1 + 4 * 10)
    parts = [row[f"days_worth_{name}"] for name in ("risk", "need", "urgency", "waiting")]
    assert parts == pytest.approx([10, 12, 22.5, 10])
    assert sum(parts) * 4 == pytest.approx(row["priority"])


def test_people_come_by_override_then_deadline_then_index_then_date_then_lottery(policy: PriorityPolicy) -> None:
    waiting = pd.DataFrame({
        "person_id": list("ABCDEF"), "referral_id": list("abcdef"), "tier": "low",
        "risk": [0.9, 0.5, 0.5, 0.5, 0.1, 0.0], "completeness": 1.0,
        "referred_on": pd.to_datetime(["2026-09-01", "2026-09-02", "2026-09-02"] + ["2026-09-01"] * 3),
        "override_tier": pd.array([0, 0, 0, 0, 0, 2], dtype="Int64"),
        "deadline_on": pd.to_datetime([None, AS_OF, None, None, "2026-09-30", None]),
    })  # fmt: skip
    ranked = rank_waiting_list(waiting, PriorityPolicy(weights={"risk": 100}, seed="s"), AS_OF)
    assert ranked["person_id"].tolist()[:4] == ["F", "E", "A", "D"]
    assert ranked["key_deadline"].tolist() == [False, True, False, False, False, False]
    deciding = ranked["decided_by"].tolist()
    assert pd.isna(deciding[0])
    assert deciding[1:] == ["override", "deadline", "index", "referral_date", "lottery"]
    assert ranked["tie_group"].tolist() == [0, 0, 0, 0, 1, 1]
    assert ranked["key_lottery"].tolist()[4] < ranked["key_lottery"].tolist()[5]


def test_the_lottery_is_blake2b_of_seed_and_id() -> None:
    ids = ["P001", "P002", "P003", "P004", "P005"]
    draws = lottery_draws(ids, "2025-W10")
    assert [ids[i] for i in np.argsort(draws)] == ["P001", "P005", "P002", "P004", "P003"]
    assert [int(text, 16) for text in lottery_text(draws)] == draws.tolist()
    assert {len(text) for text in lottery_text(draws)} == {16}


def test_the_seed_decides_ties_and_nothing_else(waiting: pd.DataFrame, policy: PriorityPolicy) -> None:
    orders = {tuple(rank_waiting_list(waiting, replace(policy, seed=str(i)), AS_OF)["person_id"]) for i in range(30)}
    assert {order.index("P2") for order in orders} == {0}
    assert len(orders) == 2  # P1 and P4 are alike; P3 and P6 differ by the urgency filled in


def test_noise_in_the_last_place_orders_nobody(policy: PriorityPolicy) -> None:
    waiting = pd.DataFrame({
        "person_id": ["P1", "P2"], "referral_id": ["R1", "R2"], "tier": "low", "risk": [0.1 + 0.2, 0.3],
        "referred_on": pd.to_datetime(["2026-09-02", "2026-09-01"]), "completeness": 1.0,
    })  # fmt: skip
    ranked = rank_waiting_list(waiting, PriorityPolicy(weights={"risk": 1}), AS_OF)
    assert ranked["person_id"].tolist() == ["P2", "P1"]
    assert ranked["decided_by"].tolist()[1] == "referral_date"


def test_the_hour_of_a_referral_makes_no_tie_and_breaks_none() -> None:
    waiting = pd.DataFrame({
        "person_id": ["P1", "P2"], "referral_id": ["R1", "R2"], "tier": "low", "completeness": 1.0,
        "referred_on": pd.to_datetime(["2026-09-01 18:00", "2026-09-01 08:00"]),
    })  # fmt: skip
    ranked = rank_waiting_list(waiting, PriorityPolicy(mode="fcfs"), AS_OF)
    assert ranked["tie_group"].tolist() == [1, 1]
    assert ranked["waited_days"].tolist() == [30, 30]


def test_first_come_first_served_looks_at_dates_alone(waiting: pd.DataFrame) -> None:
    ranked = rank_waiting_list(waiting, PriorityPolicy(mode="fcfs", weights={"risk": 100}), AS_OF)
    assert ranked["referred_on"].is_monotonic_increasing
    assert ranked["priority"].eq(0).all()
    assert set(ranked["imputed"]) == {""}


def test_a_mode_without_rates_tells_points(waiting: pd.DataFrame) -> None:
    policy = PriorityPolicy(weights={"risk": 100, "need": 60})
    row = rank_waiting_list(waiting, policy, AS_OF).set_index("person_id").loc["P2"]
    assert [row["days_worth_risk"], row["days_worth_need"], row["days_worth_waiting"]] == pytest.approx([40, 48, 0])
    assert row["priority"] == pytest.approx(88)
    assert row["waited_days"] == 10


def test_under_a_rate_of_zero_a_day_has_no_price(waiting: pd.DataFrame) -> None:
    policy = PriorityPolicy(mode="accumulating", rates={"high": 1, "medium": 1, "low": 0}, weights={"risk": 100})
    ranked = rank_waiting_list(waiting, policy, AS_OF).set_index("person_id")
    assert np.isnan(ranked.loc["P1", "days_worth_risk"])
    assert ranked.loc["P1", "priority"] == pytest.approx(10)


def test_an_unknown_component_counts_as_the_median_and_is_named(ranked: pd.DataFrame) -> None:
    row = ranked.set_index("person_id").loc["P6"]
    assert row["imputed"] == "urgency"
    assert row["days_worth_urgency"] == pytest.approx(90 * np.median([0, 1, 1 / 3, 0]) / 2)
    assert np.isnan(row["urgency"])
    assert ranked.loc[ranked["person_id"] != "P6", "imputed"].eq("").all()


def test_where_nobodys_component_is_known_it_counts_half(waiting: pd.DataFrame, policy: PriorityPolicy) -> None:
    ranked = rank_waiting_list(waiting.assign(need=np.nan, urgency=np.nan), policy, AS_OF)
    assert set(ranked["imputed"]) == {"need;urgency"}
    assert ranked.loc[0, "days_worth_need"] == pytest.approx(60 * 0.5 / 4)


def test_points_share_stands_in_where_not_everyone_has_a_risk(waiting: pd.DataFrame, policy: PriorityPolicy) -> None:
    partly = waiting.assign(risk=[0.9, None, 0.9, 0.9, 0.9, 0.9])
    ranked = rank_waiting_list(partly, policy, AS_OF).set_index("person_id")
    assert ranked.loc["P1", "days_worth_risk"] == pytest.approx(100 * 0.1 / 1)
    assert ranked["imputed"].str.contains("risk").sum() == 0
    only_risk = rank_waiting_list(partly.drop(columns="points_share"), policy, AS_OF).set_index("person_id")
    assert only_risk.loc["P2", "imputed"] == "risk"


def test_a_declared_component_is_scaled_from_its_feature(waiting: pd.DataFrame) -> None:
    policy = PriorityPolicy(weights={"need": 10, "debt": 5}, components={
        "need": Component("gir", best=6, worst=1), "debt": Component("euros", best=0, worst=1000),
    })  # fmt: skip
    listed = waiting.drop(columns="need").assign(gir=[6, 1, 3.5, 6, 1, 0], euros=[0, 500, 2000, -5, 0, 0])
    ranked = rank_waiting_list(listed, policy, AS_OF).set_index("person_id")
    assert ranked["need"].to_dict() == {"P1": 0, "P2": 1, "P3": 0.5, "P4": 0, "P6": 1}
    assert ranked["days_worth_debt"].to_dict() == pytest.approx({"P1": 0, "P2": 2.5, "P3": 5, "P4": 0, "P6": 0})


def test_those_too_little_known_of_are_to_be_assessed_first(waiting: pd.DataFrame, policy: PriorityPolicy) -> None:
    first = assess_first(waiting, policy, as_of=AS_OF)
    assert [*first.columns] == [*OUTPUTS["assess_first"].names]
    assert first["person_id"].tolist() == ["P5"]
    assert first["waited_days"].tolist() == [153]
    assert first["as_of"].tolist() == [pd.Timestamp(AS_OF)]
    unknown = waiting.assign(completeness=None, override_tier=[0, 0, 0, 0, 0, 1])
    assert assess_first(unknown, policy)["person_id"].tolist()[:2] == ["P6", "P5"]
    assert rank_waiting_list(unknown, policy, AS_OF).empty


def test_what_is_missing_is_named(waiting: pd.DataFrame, policy: PriorityPolicy) -> None:
    poor = waiting.assign(completeness=0.1, need=None)
    told = assess_first(poor, policy).set_index("person_id")["missing_items"]
    assert told["P6"] == "need, urgency"
    assert told["P1"] == "need"
    named = assess_first(poor.assign(missing_items="gir"), policy)
    assert set(named["missing_items"]) == {"gir"}
    assert set(assess_first(poor, PriorityPolicy(mode="fcfs"))["missing_items"]) == {""}


def test_the_cut_goes_through_a_tie_and_both_sides_are_named(ranked: pd.DataFrame) -> None:
    # In order: P2, P3 and P6 (by index), then P1 and P4, who are alike but for the lottery.
    tied = ranked.loc[ranked["tie_group"] == 1, "rank"].tolist()
    marked = mark_places(ranked, int(tied[0]))
    assert marked.loc[marked["in_tied_zone"], "rank"].tolist() == tied
    assert marked["is_proposed"].sum() == tied[0]
    for places in (0, int(tied[0]) - 1, len(ranked), len(ranked) + 5):
        assert not mark_places(ranked, places)["in_tied_zone"].any()


def test_no_places_means_no_cut(ranked: pd.DataFrame) -> None:
    marked = mark_places(ranked, None)
    assert not marked["is_proposed"].any()
    assert "is_proposed" not in ranked.columns


def test_places_may_be_given_by_territory(ranked: pd.DataFrame) -> None:
    marked = mark_places(ranked, {"north": 1}).set_index("person_id")
    assert marked.index[marked["is_proposed"]].tolist() == ["P2"]
    both = mark_places(ranked, {"north": 1, "south": 2})
    assert sorted(both.loc[both["is_proposed"], "person_id"]) == ["P2", "P3", "P6"]


def test_the_zone_of_the_draws_is_added(ranked: pd.DataFrame) -> None:
    uncertainty = pd.DataFrame({"referral_id": ["R3"], "in_tied_zone": pd.array([True], dtype="boolean")})
    marked = mark_places(ranked, 1, uncertainty)
    assert marked.loc[marked["in_tied_zone"], "referral_id"].tolist() == ["R3"]
    assert mark_places(marked, 1)["in_tied_zone"].sum() == 0
    assert [*mark_places(ranked.drop(columns="imputed"), 1).columns][-2:] == ["is_proposed", "in_tied_zone"]


@pytest.mark.parametrize("places", [-1, 1.5, True, "8"])
def test_places_are_a_whole_number(ranked: pd.DataFrame, places: object) -> None:
    with pytest.raises(UsageError, match="places"):
        mark_places(ranked, places)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"referral_id": ["R1", "R1", "R3", "R4", "R5", "R6"]}, "stand twice"),
        ({"referral_id": ["R1", None, "R3", "R4", "R5", "R6"]}, "without person_id or referral_id"),
        (
            {"tier": ["low", "urgent", "low", "low", "low", "low"]},
            "1 rows of the waiting list have a tier without a rate",
        ),
        ({"tier": ["low", None, "low", "low", "low", "low"]}, "without a rate"),
        ({"risk": [0.1, np.inf, 0, 0, 0, 0]}, "infinite"),
        ({"need": [0.1, 7.0, 0, 0, 0, 0]}, "outside 0–1"),
        ({"need": ["much", "b", "c", "d", "e", "f"]}, "does not hold numbers"),
        ({"referred_on": pd.to_datetime(["2026-10-02"] * 6)}, "6 referrals dated after"),
        ({"referred_on": pd.to_datetime([None] * 6)}, "without a date"),
        ({"referred_on": ["soon"] * 6}, "does not hold dates"),
    ],
)
def test_a_list_that_cannot_be_ranked_is_refused_without_a_value(
    waiting: pd.DataFrame, policy: PriorityPolicy, change: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        rank_waiting_list(waiting.assign(**change), policy, AS_OF)
    assert not any(word in str(caught.value) for word in ("R1", "P1", "urgent", "much", "soon"))


@pytest.mark.parametrize("column", ["tier", "completeness", "referred_on", "need"])
def test_a_missing_column_is_named(waiting: pd.DataFrame, policy: PriorityPolicy, column: str) -> None:
    with pytest.raises(UsageError, match=column):
        rank_waiting_list(waiting.drop(columns=column), policy, AS_OF)


@pytest.mark.parametrize("as_of", ["soon", None, 3, "2026-10-01T00:00+02:00", "0001-01-01", pd.NaT])
def test_an_as_of_that_is_no_local_date_is_refused(
    waiting: pd.DataFrame, policy: PriorityPolicy, as_of: object
) -> None:
    with pytest.raises(UsageError, match="as_of"):
        rank_waiting_list(waiting, policy, as_of)  # type: ignore[arg-type]


def test_two_referrals_with_one_draw_are_still_in_one_order(
    waiting: pd.DataFrame, policy: PriorityPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def same(ids: list[str], seed: str) -> np.ndarray:
        return np.zeros(len(ids), dtype=np.uint64)

    monkeypatch.setattr("casestrat.priority.index.lottery_draws", same)
    orders = {
        tuple(rank_waiting_list(waiting.sample(frac=1, random_state=i), policy, AS_OF)["person_id"]) for i in range(9)
    }
    assert len(orders) == 1


def test_a_hundred_thousand_people_take_less_than_two_seconds_of_the_processor() -> None:
    n = 100_000
    rng = np.random.default_rng(0)
    ids = pd.Series(np.arange(n)).astype(str)
    waiting = pd.DataFrame({
        "person_id": "P" + ids, "referral_id": "R" + ids, "tier": rng.choice(["high", "low"], n), "risk": rng.random(n),
        "referred_on": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 200, n), unit="D"),
        "completeness": 1.0,
    })  # fmt: skip
    policy = PriorityPolicy(mode="accumulating", rates={"high": 4, "low": 1}, weights={"risk": 100})
    begin = process_time()
    ranked = rank_waiting_list(waiting, policy, AS_OF)
    assert process_time() - begin < 2.0
    assert ranked["key_index"].is_monotonic_decreasing
