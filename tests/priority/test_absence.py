"""Why someone is not on the list, and why one stands above another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.knowledge import PriorityPolicy, Program
from casestrat.priority import explain_absence, explain_order, rank_waiting_list
from casestrat.tables import Tables
from casestrat.timeline import status_on

AS_OF = "2026-10-01"
Agency = Callable[..., Tables]


DAY = "2026-09-10"
PLAIN: dict[str, dict[str, Any]] = {
    "decisions": {
        "meeting_id": None, "decided_by": "chair", "decided_at": DAY, "recorded_at": DAY, "rank_shown": 1,
        "is_override": False, "response": None, "defer_until": None, "relay": None, "relay_due_on": None,
        "supersedes": None,
    },
    "episodes": {"admitted_on": "2026-09-15", "closed_on": None, "close_reason": None, "recorded_at": "2026-09-15"},
    "events": {"ended_at": None, "is_planned": None, "recorded_at": "2026-09-13"},
}  # fmt: skip
REFUSAL = {"outcome": "refuse", "reason": "followed_elsewhere", "relay": "to_find", "relay_due_on": "2026-10-10"}
ADMISSION = {"outcome": "admit", "reason": "criteria_met"}
PARKED = {"outcome": "defer", "reason": "not_located", "defer_until": "2026-11-10"}
Reasons = list[tuple[str, str | None]]
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], Reasons]] = {
    "consent": ({"consent": "no"}, {}, [("no_consent", "consent_refused")]),
    "form": ({"is_complete": False}, {}, [("invalid_form", "form_incomplete")]),
    "sender": ({"is_professional": False}, {}, [("invalid_form", "not_professional")]),
    "withdrawn": ({"withdrawn_on": "2026-09-20"}, {}, [("withdrawn", None)]),
    "refused": ({}, {"decisions": REFUSAL}, [("refused", "followed_elsewhere")]),
    "admitted": ({}, {"decisions": ADMISSION}, [("admitted", "criteria_met")]),
    "declined": ({}, {"decisions": ADMISSION | {"response": "declined"}}, [("admitted", "offer_declined")]),
    "parked": ({}, {"decisions": PARKED}, [("parked", "not_located")]),
    "followed": ({}, {"episodes": {}}, [("active", None)]),
    "closed": ({}, {"episodes": {"closed_on": "2026-09-25", "close_reason": "moved"}}, [("closed", "moved")]),
    "dead": ({}, {"events": {"kind": "death", "observed_at": "2026-09-12"}}, [("dead", None)]),
    "several": (
        {"consent": "no", "is_complete": False, "withdrawn_on": "2026-09-20"}, {},
        [("withdrawn", None), ("no_consent", "consent_refused"), ("invalid_form", "form_incomplete")],
    ),
    "waits": ({}, {}, []),
    "parked_until_now": ({}, {"decisions": PARKED | {"defer_until": AS_OF}}, []),
}  # fmt: skip


@pytest.fixture(scope="module")
def absent(agency: Agency) -> Tables:
    """One person a case, named after it."""
    rows: dict[str, list[dict[str, Any]]] = {"decisions": [], "episodes": [], "events": []}
    for name, (_, others, _) in CASES.items():
        ids = {"person_id": name, "referral_id": f"R-{name}"}
        for table, row in others.items():
            rows[table].append(PLAIN[table] | {f"{table.removesuffix('s')}_id": f"X-{name}"} | ids | row)
    rows["events"] = [{key: value for key, value in row.items() if key != "referral_id"} for row in rows["events"]]
    people = [{"person_id": name} for name in CASES] + [
        {"person_id": "died", "died_on": "2026-09-12"}, {"person_id": "unreferred"}, {"person_id": "elsewhere"},
        {"person_id": "reversed"},
    ]  # fmt: skip
    referrals = [{"referral_id": f"R-{name}", "person_id": name, **case[0]} for name, case in CASES.items()]
    referrals += [{"referral_id": f"R-{name}", "person_id": name} for name in ("died", "reversed")]
    referrals.append({"referral_id": "R-elsewhere", "person_id": "elsewhere", "program": "legal"})
    ids = {"person_id": "reversed", "referral_id": "R-reversed"}
    first = PLAIN["decisions"] | {"decision_id": "D1"} | ids | REFUSAL
    second = (
        PLAIN["decisions"] | {"decision_id": "D2", "supersedes": "D1", "recorded_at": "2026-09-12"} | ids | ADMISSION
    )
    rows["decisions"] += [first, second]
    return agency(people, referrals, **rows)


@pytest.fixture(scope="module")
def statuses(absent: Tables, geriatric: Program) -> dict[str, str]:
    status = status_on(absent, geriatric, AS_OF)
    return dict(zip(status["person_id"], status["status"], strict=True))


def told(found: pd.DataFrame) -> Reasons:
    reasons = [None if pd.isna(reason) else reason for reason in found["reason"]]
    return list(zip(found["rule"], reasons, strict=True))


@pytest.mark.parametrize("name", CASES)
def test_every_rule_that_keeps_someone_off_the_list_is_told(
    geriatric: Program, absent: Tables, statuses: dict[str, str], name: str
) -> None:
    expected = CASES[name][2]
    found = explain_absence(absent, geriatric, name, AS_OF)
    assert told(found) == expected
    assert found["is_first"].tolist() == [place == 0 for place in range(len(expected))]
    assert statuses[name] == (expected[0][0] if expected else "waiting")
    assert [*found.columns] == ["person_id", "record_id", "rule", "reason", "since", "is_first"]


def test_a_death_known_from_persons_is_told_once(geriatric: Program, absent: Tables) -> None:
    found = explain_absence(absent, geriatric, "died", AS_OF)
    assert told(found) == [("dead", None)]
    assert found["since"].tolist() == [pd.Timestamp("2026-09-12")]


def test_someone_nobody_knows_is_not_known(geriatric: Program, absent: Tables) -> None:
    assert told(explain_absence(absent, geriatric, "nobody", AS_OF)) == [("not_known", None)]
    assert told(explain_absence(absent, geriatric, "waits", "2025-01-01")) == [("not_yet_known", None)]


def test_someone_known_without_a_referral_is_told_so(geriatric: Program, absent: Tables) -> None:
    assert told(explain_absence(absent, geriatric, "unreferred", AS_OF)) == [("no_referral", None)]
    late = explain_absence(absent, geriatric, "waits", "2026-09-01")
    assert late[["record_id", "rule"]].to_numpy().tolist() == [["R-waits", "not_yet_known"]]


def test_a_superseded_refusal_no_longer_counts(geriatric: Program, absent: Tables) -> None:
    assert told(explain_absence(absent, geriatric, "reversed", AS_OF)) == [("admitted", "criteria_met")]
    assert told(explain_absence(absent, geriatric, "reversed", "2026-09-11")) == [("refused", "followed_elsewhere")]


def test_a_referral_of_another_program_is_out_of_scope(geriatric: Program, absent: Tables) -> None:
    assert told(explain_absence(absent, geriatric, "elsewhere", AS_OF)) == [("out_of_scope", "other_program")]


def compared(ranked: pd.DataFrame, a: str, b: str) -> pd.DataFrame:
    return explain_order(ranked, a, b).set_index("component")


def test_the_parts_of_a_comparison_sum_to_the_index(ranked: pd.DataFrame) -> None:
    why = compared(ranked, "P2", "P1")
    parts = why.loc[["risk", "need", "urgency", "waiting"]]
    assert parts["a"].sum() == pytest.approx(why.loc["index", "a"])
    assert parts["b"].sum() == pytest.approx(why.loc["index", "b"])
    assert parts["difference_days"].sum() == pytest.approx(why.loc["index", "difference_days"])
    assert why.loc["risk", "difference"] == pytest.approx(30)
    assert why.loc["risk", "difference_days"] == pytest.approx(30)  # P1 stands lower, a day is worth 1 point to them
    assert why["decides"].sum() == 1
    assert why.loc["index", "decides"]


def test_the_comparison_is_the_same_the_other_way_round(ranked: pd.DataFrame) -> None:
    there, back = compared(ranked, "P2", "P1"), compared(ranked, "R1", "R2")
    assert np.allclose(there["difference"], -back["difference"])
    assert np.allclose(there["difference_days"], -back["difference_days"], equal_nan=True)


def test_two_people_alike_are_told_apart_by_the_lottery(ranked: pd.DataFrame) -> None:
    why = compared(ranked, "P1", "P4")
    assert why.index[why["decides"]].tolist() == ["lottery"]
    assert why["difference"].drop("lottery").eq(0).all()


def test_a_mode_without_rates_compares_points_and_gives_no_days(waiting: pd.DataFrame) -> None:
    ranked = rank_waiting_list(waiting, PriorityPolicy(weights={"risk": 100}), AS_OF)
    why = compared(ranked, "P2", "P1")
    assert why.loc["risk", "difference"] == pytest.approx(30)
    assert np.isnan(why.loc["risk", "difference_days"])
    assert why.loc["referral_date", "difference_days"] == -50


@pytest.mark.parametrize(("a", "b", "message"), [("P2", "P9", "not on the list"), ("P2", "R2", "same person")])
def test_people_to_compare_must_be_two_of_the_list(ranked: pd.DataFrame, a: str, b: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        explain_order(ranked, a, b)


def test_a_person_with_two_places_is_asked_for_by_referral(ranked: pd.DataFrame) -> None:
    twice = ranked.assign(person_id="P1")
    with pytest.raises(UsageError, match="more than once"):
        explain_order(twice, "P1", "P2")
    assert explain_order(twice, "R1", "R2")["decides"].sum() == 1
