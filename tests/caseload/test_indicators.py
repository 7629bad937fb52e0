import dataclasses
import inspect

import numpy as np
import pandas as pd
import pytest

from casestrat import caseload
from casestrat.caseload import indicators, workload_now
from casestrat.tables import OUTPUTS, Tables

AS_OF = pd.Timestamp("2026-10-01")


@pytest.fixture(scope="module")
def found(example, geriatric):
    return indicators(example, geriatric, AS_OF)


@pytest.fixture(scope="module")
def bare(hand, geriatric):
    """The hand-counted agency with nothing hidden."""
    privacy = dataclasses.replace(geriatric.privacy, small_cell=1)
    return indicators(hand, dataclasses.replace(geriatric, privacy=privacy), AS_OF)


def cell(frame, indicator, kind="all", group="all"):
    rows = frame[(frame["indicator"] == indicator) & (frame["group_kind"] == kind) & (frame["group"] == group)]
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.mark.parametrize(
    ("indicator", "kind", "group", "value"),
    [
        ("stock", "all", "all", 3),
        ("stock", "team", "north", 1),
        ("stock", "territory", "south", 2),
        ("occupancy", "all", "all", 3 / 50),
        ("occupancy", "team", "south", 1 / 20),
        ("inflow_30d", "all", "all", 1),
        ("outflow_30d", "all", "all", 1),
        ("inflow_365d", "all", "all", 4),
        ("turnover_365d", "all", "all", 1 / 1.5),
        ("mean_stay_days", "team", "north", 242),
        ("waiting", "all", "all", 2),
        ("waiting", "territory", "unknown", 1),
        ("median_wait_days", "all", "all", 35),
        ("referrals_30d", "all", "all", 1),
        ("referrals_365d", "territory", "north", 3),
        ("admissions_365d", "all", "all", 2),
        ("refusals_365d", "all", "all", 0),
        ("contacts_due", "all", "all", 3),
        ("contacts_done", "all", "all", 1 / 3),
        ("contacts_overdue", "all", "all", 2 / 3),
        ("contacts_overdue_intensive", "all", "all", 1),
        ("screening_complete", "all", "all", 3 / 4),
    ],
)
def test_a_hand_counted_agency_has_the_values_counted(bare, indicator, kind, group, value):
    assert cell(bare, indicator, kind, group)["value"] == pytest.approx(value)
    assert not bare["is_suppressed"].any()


def test_periods_end_on_the_last_day_that_counts(bare):
    row = cell(bare, "inflow_30d")
    assert (row["period_start"], row["period_end"]) == (pd.Timestamp("2026-09-01"), pd.Timestamp("2026-09-30"))
    row = cell(bare, "stock")
    assert row["period_start"] == row["period_end"] == pd.Timestamp("2026-09-30")


def test_the_frame_keeps_the_output_contract(found):
    contract = OUTPUTS["caseload"]
    assert list(found) == list(contract.names)
    contract.schema().validate(found)
    assert not found.duplicated(list(contract.key)).any()
    assert (found["as_of"] == AS_OF).all()


def test_the_whole_service_is_always_shown(found):
    assert not found.loc[found["group_kind"] == "all", "is_suppressed"].any()


def test_no_small_count_of_a_group_is_shown(found):
    groups = found[(found["group_kind"] != "all") & ~found["indicator"].str.startswith("workload")]
    shown = groups["numerator"].dropna()
    assert not shown.between(1, 10).any()
    hidden = found[found["is_suppressed"]]
    assert len(hidden)
    assert hidden[["value", "numerator", "denominator"]].isna().all(axis=None)


def test_a_hidden_count_does_not_follow_from_the_others(found):
    """Between the total, which is shown, and its parts there are never less than two hidden ones."""
    counts = found[found["group_kind"] != "all"].groupby(["indicator", "group_kind"])["is_suppressed"].sum()
    sizes = found[found["group_kind"] != "all"].groupby(["indicator", "group_kind"]).size()
    assert not (counts[sizes > 1] == 1).any()


def test_turnover_does_not_give_away_the_stock_it_rests_on(found):
    hidden = found[found["is_suppressed"]].groupby("indicator")["group"].agg(set)
    for name in ("stock", "inflow_365d", "outflow_365d"):
        assert hidden.get(name, set()) <= hidden.get("turnover_365d", set()), name


def test_a_share_with_a_small_rest_is_hidden_too(example, geriatric):
    found = indicators(example, geriatric, AS_OF)
    groups = found[(found["group_kind"] != "all") & found["denominator"].notna() & found["numerator"].notna()]
    shares = groups[~groups["indicator"].str.startswith(("turnover", "occupancy"))]
    rest = shares["denominator"] - shares["numerator"]
    assert not rest.between(1, 10).any()


def test_tiers_are_mixed_of_those_followed_and_of_those_who_wait(hand, geriatric):
    index = pd.MultiIndex.from_product([["P1", "P3", "P4", "P5", "P6"], [AS_OF]], names=["person_id", "as_of"])
    tiers = pd.DataFrame({"tier": ["high", "low", "low", "high", None]}, index=index)
    privacy = dataclasses.replace(geriatric.privacy, small_cell=1)
    found = indicators(hand, dataclasses.replace(geriatric, privacy=privacy), AS_OF, tiers=tiers)
    assert cell(found, "followed_in_tier", "tier", "low")["value"] == pytest.approx(2 / 3)
    assert cell(found, "waiting_in_tier", "tier", "high")[["numerator", "denominator"]].tolist() == [1, 1]
    assert cell(found, "followed_in_tier")["denominator"] == 3


def test_the_spread_of_a_plan_goes_before_that_of_today(hand, geriatric):
    plan = pd.DataFrame({"cm_id": ["CM1", "CM2"], "team": ["a", "a"], "utilisation_after": [0.4, 0.4]})
    found = indicators(hand, geriatric, AS_OF, workload=plan)
    assert cell(found, "workload_gini")["value"] == 0
    assert cell(found, "workload_cv", "team", "a")["denominator"] == 2


def test_without_optional_tables_what_can_be_counted_is_counted(geriatric):
    few = Tables.from_frames(
        {
            "persons": pd.DataFrame({"person_id": ["P1"], "recorded_at": ["2026-01-01"]}),
            "referrals": pd.DataFrame(
                {"referral_id": ["R1"], "person_id": ["P1"], "referred_on": ["2026-02-01"],
                 "recorded_at": ["2026-02-01"]}
            ),
        }
    )  # fmt: skip
    found = indicators(few, geriatric, AS_OF)
    assert cell(found, "waiting")["value"] == 1
    assert np.isnan(cell(found, "workload_gini")["value"])
    assert cell(found, "contacts_due")["value"] == 0


def test_no_function_ranks_case_managers(example, geriatric):
    """There is no league table of people: no such name, and staff come in order of id."""
    words = ("rank", "league", "best", "worst", "top", "score")
    for name in caseload.__all__:
        assert not any(word in name for word in words), name
        parameters = inspect.signature(getattr(caseload, name)).parameters
        assert not any(word in parameter for word in words for parameter in parameters), name
    assert workload_now(example, geriatric, AS_OF)["cm_id"].is_monotonic_increasing
    assert not indicators(example, geriatric, AS_OF)["group"].isin(example.case_managers["cm_id"]).any()
