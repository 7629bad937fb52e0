"""The caseload page as a file: order without rank, suppressed cells, flow and contacts however they come."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.reports import caseload_page
from casestrat.reports.caseload_page import monthly_flow


def records(table):
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


def test_case_managers_stand_in_alphabetical_order(caseload_of, data_of):
    ids = [row["cm_id"] for row in records(data_of(caseload_of())["workload"])]
    assert ids == sorted(ids)
    assert len(ids) == 9


def test_the_page_offers_no_way_to_sort(caseload_of):
    assert "data-sort" not in caseload_of()
    assert "aria-sort" not in caseload_of()


def test_the_same_arguments_give_the_same_bytes(caseload_of):
    assert caseload_of() == caseload_of()


def test_without_tables_the_page_still_opens(program, data_of):
    data = data_of(caseload_page(workload=None, program=program, as_of="2026-10-01", lang="it"))
    assert data["workload"]["rows"] == []
    assert data["flow"] == []
    assert data["contacts"] == []


def test_a_suppressed_cell_carries_no_value(caseload_of, data_of):
    hidden = [row for row in records(data_of(caseload_of())["indicators"]) if row["is_suppressed"]]
    assert [(row["value"], row["numerator"], row["denominator"]) for row in hidden] == [(None, None, None)]


def test_only_new_leads_are_proposals(caseload_of, data_of, made_up):
    allocation = made_up.make_caseload()["allocation"]
    allocation = pd.concat([allocation, allocation.head(2).assign(is_new=False, person_id="P-OLD")])
    assert "P-OLD" not in {
        row["person_id"] for row in records(data_of(caseload_of({"allocation": allocation}))["items"])
    }


def test_limits_are_the_mean_and_2_66_mean_moving_ranges(caseload_of, data_of):
    months = pd.date_range("2026-01-01", periods=4, freq="MS")
    flow = pd.DataFrame(
        {"period_start": months, "inflow": [10, 12, 11, 15], "outflow": [1, 1, 1, 1], "stock": [5, 6, 7, 8]}
    )
    series = {one["measure"]: one for one in data_of(caseload_of({"flow": flow}))["flow"]}
    assert series["inflow"]["mean"] == pytest.approx(12)
    assert series["inflow"]["upper"] == pytest.approx(12 + 2.66 * 7 / 3, abs=1e-6)
    assert series["inflow"]["lower"] == pytest.approx(12 - 2.66 * 7 / 3, abs=1e-6)
    assert series["stock"]["upper"] is None


def test_a_single_month_has_no_limits(caseload_of, data_of):
    flow = pd.DataFrame({"period_start": [pd.Timestamp("2026-01-01")], "inflow": [3], "outflow": [2], "stock": [9]})
    assert {one["upper"] for one in data_of(caseload_of({"flow": flow}))["flow"]} == {None}


def test_the_last_24_whole_months_are_drawn_from_the_long_frame(caseload_of, data_of):
    months = pd.date_range("2024-01-01", periods=30, freq="MS")
    rows = [
        {
            "period_start": month,
            "is_whole": i < 29,
            "group_kind": kind,
            "group": "x",
            "measure": measure,
            "close_reason": reason,
            "value": value,
        }
        for i, month in enumerate(months)
        for kind, measure, reason, value in (
            ("all", "inflow", "", i),
            ("all", "outflow", "", 2.0),
            ("all", "outflow", "death", 1.0),
            ("team", "inflow", "", 99),
            ("all", "stock", "", 50 + i),
        )
    ]
    series = {one["measure"]: one for one in data_of(caseload_of({"flow": pd.DataFrame(rows)}))["flow"]}
    assert series["inflow"]["values"] == list(range(5, 29))
    assert set(series["outflow"]["values"]) == {2}
    assert series["stock"]["months"][-1] == "2026-05-01"


def test_flow_without_months_is_no_flow():
    assert monthly_flow(None) is None
    assert monthly_flow(pd.DataFrame({"inflow": [1]})) is None


def test_contacts_are_counted_by_intensity_from_what_is_due(caseload_of, data_of):
    contacts = pd.DataFrame(
        {
            "intensity": ["intensive", "intensive", "watch"],
            "done_in_period": pd.array([True, pd.NA, False], dtype="boolean"),
            "is_overdue": [False, True, True],
        }
    )
    assert data_of(caseload_of({"contacts": contacts}))["contacts"] == [
        {"group_kind": "intensity", "group": "intensive", "due": 2, "done": 1, "overdue": 1},
        {"group_kind": "intensity", "group": "watch", "due": 1, "done": 0, "overdue": 1},
    ]


def test_contacts_without_overdue_say_nothing_of_it(caseload_of, data_of):
    contacts = data_of(caseload_of())["contacts"]
    assert contacts[0] == {"group_kind": "tier", "group": "high", "due": 184, "done": 151}
    made = pd.DataFrame({"intensity": ["watch"], "done_in_period": [True]})
    assert data_of(caseload_of({"contacts": made}))["contacts"][0]["overdue"] == 0


def test_contacts_that_say_neither_due_nor_done_are_refused(caseload_of):
    with pytest.raises(UsageError, match="`contacts` lacks the columns done_in_period"):
        caseload_of({"contacts": pd.DataFrame({"tier": ["high"]})})


def test_a_workload_without_capacity_is_refused(caseload_of):
    with pytest.raises(UsageError, match="`workload` lacks the columns capacity_minutes"):
        caseload_of({"workload": pd.DataFrame({"cm_id": ["C1"], "minutes_after": [1]})})


def test_an_allocation_without_the_mark_of_new_is_taken_whole(caseload_of, data_of, made_up):
    allocation = made_up.make_caseload()["allocation"].drop(columns="is_new")
    assert len(data_of(caseload_of({"allocation": allocation}))["items"]["rows"]) == len(allocation)


def test_missing_minutes_are_told_as_missing(caseload_of, data_of, made_up):
    workload = made_up.make_caseload()["workload"].astype({"minutes_before": float})
    workload.loc[workload["cm_id"] == "CM-01", "minutes_before"] = np.nan
    assert records(data_of(caseload_of({"workload": workload}))["workload"])[0]["minutes_before"] is None


# What is proposed, who else may take it, and who waits for what.


def moves_of(**changes):
    rows = pd.DataFrame(
        {
            "case_id": ["E2", "E1", "E3"],
            "person_id": ["P2", "P1", "P3"],
            "from_cm": ["B", "A", None],
            "to_cm": ["C", "C", "B"],
            "minutes": [40, 54, 40],
            "kind": ["voluntary", "forced", "forced"],
            "reason": ["balance", "leaver", "no_lead"],
            "why": ["a", "b", "c"],
            "until": pd.array([None, "2026-11-01", None], dtype="str"),
        }
    )
    return rows.assign(**changes)


def test_moves_stand_by_giver_and_a_different_plan_has_another_fingerprint(caseload_of, data_of):
    data = data_of(caseload_of({"moves": moves_of()}))
    assert [row["case_id"] for row in records(data["items"])] == ["E3", "E1", "E2"]
    assert data["is_reallocation"]
    same = data_of(caseload_of({"moves": moves_of().iloc[::-1]}))
    assert same["plan_fingerprint"] == data["plan_fingerprint"]
    other = data_of(caseload_of({"moves": moves_of(to_cm=["C", "B", "B"])}))
    assert other["plan_fingerprint"] != data["plan_fingerprint"]


def test_open_cases_can_be_decided_on_and_waiting_people_after_the_committee(caseload_of, data_of, made_up):
    allocation = made_up.make_caseload()["allocation"]
    allocation = allocation.assign(kind=["open"] + ["proposed"] * (len(allocation) - 1))
    items = records(data_of(caseload_of({"allocation": allocation}))["items"])
    assert [row["is_decidable"] for row in items] == [True] + [False] * (len(items) - 1)
    assert items[0]["reason"] == "no_lead"


def test_only_the_best_few_who_may_take_a_case_are_held_and_the_rest_counted(caseload_of, data_of):
    ids = [f"M{i:02d}" for i in range(12)]
    choices = pd.DataFrame(
        {
            "case_id": "E1",
            "cm_id": ids,
            "is_chosen": [one == "M05" for one in ids],
            "has_room": [i % 2 == 1 for i in range(12)],
            "cost": [float(12 - i) for i in range(12)],
            "missed": "language",
            "minutes": 54,
            "utilisation_after": 0.5,
        }
    )
    waiting = choices.assign(case_id="R9")
    data = data_of(caseload_of({"moves": moves_of(), "choices": pd.concat([choices, waiting])}))
    assert [row["cm_id"] for row in records(data["choices"])] == [
        "M05", "M11", "M09", "M07", "M03", "M01", "M10", "M08",
    ]  # fmt: skip
    assert {row["case_id"]: row["n_able"] for row in records(data["items"])}["E1"] == 12


def test_a_plan_too_long_for_the_page_names_the_file_with_the_rest(caseload_of, data_of):
    many = pd.DataFrame({"case_id": [f"E{i:04d}" for i in range(1_005)], "person_id": "P", "to_cm": "B"})
    data = data_of(caseload_of({"moves": many.assign(from_cm="A", reason="leaver", until=None, minutes=10)}))
    assert (len(data["items"]["rows"]), data["items_left_out"], data["items_file"]) == (1_000, 5, "moves.csv")


def test_those_who_wait_are_counted_by_what_they_are_blocked_for(caseload_of, data_of):
    admission = pd.DataFrame(
        {
            "admissible_now": pd.array([True, False, False, False, None], dtype="boolean"),
            "reason": ["", "Italian", "Italian", "hours", ""],
            "relaxation": ["", "an interpreter", "an interpreter", "minutes", ""],
        }
    )
    data = data_of(caseload_of({"admission": admission}))
    assert data["waiting"] == {"waiting": 5, "admissible": 1}
    assert [(row["reason"], row["n"]) for row in records(data["blocked"])] == [("Italian", 2), ("hours", 1)]


def test_only_people_who_are_followed_and_asked_about_have_their_tier_reviewed(caseload_of, data_of, made_up):
    allocation = made_up.make_caseload()["allocation"].head(3).assign(kind=["open", "open", "proposed"])
    ids = allocation["person_id"].tolist()
    tiers = pd.DataFrame(
        {
            "person_id": ids,
            "tier": "medium",
            "review_step_down": pd.array([True, None, True], dtype="boolean"),
            "step_down_to": ["low", None, "low"],
            "proposed_override": pd.array([0, None, 2], dtype="Int64"),
        }
    )
    data = data_of(caseload_of({"allocation": allocation, "tiers": tiers}))
    assert [row["person_id"] for row in records(data["tiers"])] == ids[:1]


def test_moves_without_who_takes_over_are_refused(caseload_of):
    with pytest.raises(UsageError, match="`moves` lacks the columns to_cm"):
        caseload_of({"moves": moves_of().drop(columns="to_cm")})
