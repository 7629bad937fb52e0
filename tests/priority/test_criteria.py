"""Admission criteria: every rule for everyone who waits, with its evidence, and the status that follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from casestrat.errors import KnowledgeError, UsageError
from casestrat.knowledge import CriteriaSet, CriterionRule, Program
from casestrat.priority import check_criteria, criteria_in_force, criteria_status
from casestrat.tables import Tables

ALL_YES = dict.fromkeys(
    ["problem_functional", "problem_medical", "problem_decision", "help_insufficient", "no_capable_entourage"], True
)
Agency = Callable[..., Tables]


def with_rules(program: Program, expressions: dict[str, str], **options: object) -> Program:
    rules = tuple(CriterionRule(name, text) for name, text in expressions.items())
    one = CriteriaSet(
        id="local", version="1", valid_from=date(2020, 1, 1), valid_to=None, approved_by="board",
        all_of=tuple(expressions), any_of=(), rules=rules,
    )  # fmt: skip
    return replace(program, criteria=(replace(one, **options),))  # type: ignore[arg-type]


def results(frame: pd.DataFrame, by: str = "criterion") -> dict[str, object]:
    return {
        name: None if pd.isna(value) else bool(value) for name, value in zip(frame[by], frame["result"], strict=True)
    }


def test_each_national_rule_is_answered_for_each_waiting_referral(geriatric: Program, agency: Agency) -> None:
    tables = agency(
        persons=[{"person_id": "P1"}, {"person_id": "P2", "birth_year": 1990}],
        referrals=[
            {"referral_id": "R2", "person_id": "P2", **ALL_YES, "problem_medical": False},
            {"referral_id": "R1", "person_id": "P1", **ALL_YES},
        ],
    )
    found = check_criteria(tables, geriatric, "2026-10-01")
    assert found["referral_id"].tolist() == ["R1"] * 4 + ["R2"] * 4
    assert set(found["criteria_set"]) == {"cnsa 2015"}
    assert results(found[found["referral_id"] == "R1"]) == dict.fromkeys(
        ["aged", "unstable", "unsuitable_help", "no_entourage"], True
    )
    second = results(found[found["referral_id"] == "R2"])
    assert second == {"aged": False, "unstable": False, "unsuitable_help": True, "no_entourage": True}
    assert criteria_status(found)["status"].tolist() == ["meets", "fails"]


def test_an_age_that_the_birth_year_leaves_open_asks(geriatric: Program, agency: Agency) -> None:
    births = {
        (1966, None): None,  # 60 this year, or not yet
        (1965, None): True,
        (1967, None): False,
        (1966, 3): True,
        (1966, 11): False,
        (1966, 10): None,
        (None, None): None,
    }
    people = [{"person_id": f"P{i}", "birth_year": y, "birth_month": m} for i, (y, m) in enumerate(births)]
    tables = agency(people, [{"referral_id": f"R{i}", "person_id": f"P{i}"} for i in range(len(births))])
    found = check_criteria(tables, geriatric, "2026-10-01")
    aged = found[found["criterion"] == "aged"]
    assert list(results(aged, "person_id").values()) == list(births.values())
    assert aged["unknown_inputs"].tolist() == ["age" if answer is None else "" for answer in births.values()]


def test_a_neurodegenerative_disease_stands_in_for_age_and_unknown_asks(geriatric: Program, agency: Agency) -> None:
    people = [{"person_id": f"P{i}", "birth_year": 1980, "neurodegenerative": flag} for i, flag in
              enumerate([True, False, None])]  # fmt: skip
    tables = agency(people, [{"referral_id": f"R{i}", "person_id": f"P{i}"} for i in range(3)])
    found = check_criteria(tables, geriatric, "2026-10-01")
    assert results(found[found["criterion"] == "aged"], "person_id") == {"P0": True, "P1": False, "P2": None}


def test_the_evidence_names_each_input_with_its_table_and_date(geriatric: Program, agency: Agency) -> None:
    referral = {"referral_id": "R1", "person_id": "P1", "problem_functional": True, "problem_medical": False}
    found = check_criteria(agency(referrals=[referral]), geriatric, "2026-10-01").set_index("criterion")
    assert found.loc["aged", "evidence"] == (
        "age: 85 to 86 (persons 2026-01-01); neurodegenerative: no (persons 2026-01-01)"
    )
    assert found.loc["unstable", "evidence"] == (
        "problem_functional: yes (referrals 2026-09-01); problem_medical: no (referrals 2026-09-01); "
        "problem_decision: unknown (referrals 2026-09-01)"
    )
    assert found.loc["unstable", "unknown_inputs"] == "problem_decision"
    assert found.loc["aged", "unknown_inputs"] == ""


def test_only_what_was_recorded_before_the_date_counts(geriatric: Program, agency: Agency) -> None:
    late = {"referral_id": "R1", "person_id": "P1", "recorded_at": "2026-10-01", "help_insufficient": True}
    early = {"referral_id": "R1", "person_id": "P1", "help_insufficient": False}
    tables = agency(referrals=[early, late])
    assert results(check_criteria(tables, geriatric, "2026-10-01"))["unsuitable_help"] is False
    assert results(check_criteria(tables, geriatric, "2026-10-02"))["unsuitable_help"] is True


def test_only_those_who_wait_are_asked_about(geriatric: Program, agency: Agency) -> None:
    tables = agency(referrals=[{"referral_id": "R1", "person_id": "P1", "consent": "no"}])
    found = check_criteria(tables, geriatric, "2026-10-01")
    assert found.empty
    assert [*found.columns] == [
        "person_id", "referral_id", "criteria_set", "criterion", "result", "evidence", "unknown_inputs", "group",
    ]  # fmt: skip
    assert criteria_status(found).empty


def test_a_rule_may_read_a_fact_a_column_and_a_feature(geriatric: Program, agency: Agency) -> None:
    program = with_rules(geriatric, {
        "alone": "lives_alone", "sent": "source in ['gp', 'nurse']", "urgent": "urgency >= 2",
        "falls": "falls_180d > 1", "said": "source",
    })  # fmt: skip
    facts = [{"person_id": "P1", "fact": "lives_alone", "value": value, "valid_from": start, "recorded_at": start}
             for value, start in [("no", "2026-01-01"), ("yes", "2026-05-01")]]  # fmt: skip
    tables = agency(
        referrals=[{"referral_id": "R1", "person_id": "P1", "source": "gp", "urgency": 1}], person_facts=facts
    )
    without = check_criteria(tables, program, "2026-10-01")
    assert results(without) == {"alone": True, "sent": True, "urgent": False, "falls": None, "said": None}
    assert without.set_index("criterion").loc["falls", "unknown_inputs"] == "falls_180d"
    assert "source: given (referrals 2026-09-01)" in without["evidence"].tolist()
    assert "lives_alone: yes (person_facts 2026-05-01)" in without["evidence"].tolist()
    date_index = pd.MultiIndex.from_tuples(
        [("P1", pd.Timestamp("2026-09-01")), ("P1", pd.Timestamp("2026-10-01"))], names=["person_id", "as_of"]
    )
    features = pd.DataFrame({"falls_180d": [0.0, 3.0]}, index=date_index)
    for given in (features, features.xs(pd.Timestamp("2026-10-01"), level="as_of")):
        assert results(check_criteria(tables, program, "2026-10-01", features=given))["falls"] is True


@pytest.mark.parametrize(("text", "message"), [("no_such_name", "is no column"), ("referred_on > 3", "is a date")])
def test_a_rule_that_reads_nothing_usable_is_refused(
    geriatric: Program, agency: Agency, text: str, message: str
) -> None:
    with pytest.raises(KnowledgeError, match=message):
        check_criteria(agency(), with_rules(geriatric, {"odd": text}), "2026-10-01")


def test_a_set_is_in_force_from_its_first_to_its_last_day(geriatric: Program, agency: Agency) -> None:
    program = with_rules(geriatric, {"always": "True"}, valid_from=date(2026, 10, 1), valid_to=date(2026, 10, 3))
    days = [f"2026-{month}-{day:02d}" for month, day in [("09", 30), (10, 1), (10, 3), (10, 4)]]
    assert [len(criteria_in_force(program, day)) for day in days] == [0, 1, 1, 0]
    assert [len(check_criteria(agency(), program, day)) for day in days] == [0, 1, 1, 0]
    found = check_criteria(agency(), program, days[1])
    assert found[["evidence", "unknown_inputs"]].to_numpy().tolist() == [["", ""]]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((True, False), "meets"), ((None, True), "meets"), ((None, False), "ask"), ((None, None), "ask"),
        ((False, False), "fails"),
    ],
)  # fmt: skip
def test_one_of_any_of_is_enough_and_only_all_no_fails(values: tuple[bool | None, ...], expected: str) -> None:
    frame = pd.DataFrame({
        "person_id": "P1", "referral_id": "R1", "criteria_set": "local 1", "criterion": ["a", "b", "c", "d"],
        "result": pd.array([True, *values, False], dtype="boolean"), "group": ["all_of", "any_of", "any_of", "told"],
    })  # fmt: skip
    assert criteria_status(frame)["status"].tolist() == [expected]


def test_of_two_sets_in_force_both_must_be_met() -> None:
    frame = pd.DataFrame({
        "person_id": ["P1", "P1", "P2", "P2"], "referral_id": ["R1", "R1", "R2", "R2"],
        "criteria_set": ["a 1", "b 1"] * 2, "criterion": "x",
        "result": pd.array([True, False, True, None], dtype="boolean"),
    })  # fmt: skip
    assert criteria_status(frame)["status"].tolist() == ["fails", "ask"]


def test_a_status_needs_the_criteria_frame() -> None:
    with pytest.raises(UsageError, match="have no column"):
        criteria_status(pd.DataFrame({"person_id": ["P1"]}))
