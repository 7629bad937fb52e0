"""A meeting: the frozen list, and what people decided on it."""

from __future__ import annotations

import inspect
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import casestrat.priority
from casestrat.errors import UsageError
from casestrat.priority import Meeting, mark_places, open_meeting, rank_waiting_list
from casestrat.tables import CONTRACTS

if TYPE_CHECKING:
    from pathlib import Path

    from casestrat.knowledge import PriorityPolicy, Program

AS_OF = "2026-10-01"
ADMIT = {"outcome": "admit", "reason": "criteria_met", "decided_by": "chair", "note": "discussed"}
DEFER = {"outcome": "defer", "reason": "no_place", "decided_by": "chair", "note": "discussed"}
REFUSE = {
    "outcome": "refuse", "reason": "followed_elsewhere", "decided_by": "chair", "note": "discussed", "relay": "to_find",
    "relay_due_on": "2026-11-01",
}  # fmt: skip


@pytest.fixture
def meeting(waiting: pd.DataFrame, policy: PriorityPolicy, geriatric: Program) -> Meeting:
    """Two places; in order R2, then R3 and R6, then R1 and R4; R3 has an unknown criterion."""
    ranked = rank_waiting_list(waiting, policy, AS_OF)
    fingerprints = {"policy": policy.fingerprint, "extract": "e" * 32, "model": "m" * 32}
    return open_meeting(ranked, 2, "2026-10-12", geriatric, "North", fingerprints)


def rows(*decisions: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame([*decisions])


def file_of(meeting: Meeting, *decisions: dict[str, Any], **head: Any) -> str:
    return json.dumps({
        "format": "casestrat-decisions/1", "meeting_id": meeting.meeting_id,
        "list_fingerprint": meeting.list_fingerprint, "decisions": [*decisions], **head,
    })  # fmt: skip


def rules(meeting: Meeting, **decision: Any) -> list[str]:
    return meeting.record(rows({"referral_id": "R2", **decision})).refused["rule"].tolist()


def order(meeting: Meeting) -> list[str]:
    return meeting.list["referral_id"].tolist()


def test_the_frozen_list_holds_what_was_shown(meeting: Meeting, ranked: pd.DataFrame) -> None:
    assert meeting.meeting_id == "North-2026-10-12"
    assert repr(meeting) == "Meeting('North-2026-10-12', 5 people, 0 decisions)"
    assert order(meeting) == ranked["referral_id"].tolist()
    assert [*meeting.list.columns] == [
        "rank", "referral_id", "person_id", "tier", "priority", "completeness", "criteria", "is_proposed",
        "in_tied_zone",
    ]  # fmt: skip
    assert meeting.list["is_proposed"].tolist() == [True, True, False, False, False]
    assert meeting.decisions.empty


def test_the_fingerprint_is_of_the_list_and_of_what_made_it(
    waiting: pd.DataFrame, policy: PriorityPolicy, geriatric: Program
) -> None:
    def opened(frame: pd.DataFrame, places: int = 2, **fingerprints: str) -> str:
        ranked = rank_waiting_list(frame, policy, AS_OF)
        return open_meeting(ranked, places, "2026-10-12", geriatric, "", fingerprints).list_fingerprint

    first = opened(waiting, model="a")
    assert opened(waiting.sample(frac=1, random_state=1), model="a") == first
    assert (
        len({first, opened(waiting, model="b"), opened(waiting, places=3, model="a"), opened(waiting[:4], model="a")})
        == 4
    )


def test_a_tied_zone_marked_before_is_kept(ranked: pd.DataFrame, geriatric: Program) -> None:
    wide = mark_places(ranked, 2).assign(in_tied_zone=pd.array([None, True, True, None, False], dtype="boolean"))
    assert open_meeting(wide, 2, "2026-10-12", geriatric).list["in_tied_zone"].sum() == 2


def test_an_admission_within_the_places_is_recorded_as_the_table_wants_it(meeting: Meeting) -> None:
    result = meeting.record(rows({"referral_id": "R2", **ADMIT}))
    assert result.refused.empty
    assert result.n_new == 1
    assert [*result.decisions.columns] == [*CONTRACTS["decisions"].names]
    assert dict(result.decisions.dtypes) == {c.name: c.dtype for c in CONTRACTS["decisions"].columns}
    row = result.decisions.iloc[0]
    assert row["person_id"] == "P2"
    assert row["rank_shown"] == 1
    assert not row["is_override"]
    assert row["decided_at"] == row["recorded_at"] == pd.Timestamp("2026-10-12")
    assert row["decision_id"].startswith("D-")


def test_recording_twice_changes_nothing(meeting: Meeting) -> None:
    text = file_of(meeting, {"referral_id": "R2", **ADMIT}, {"referral_id": "R4", **DEFER})
    first, before = meeting.record(text), meeting.to_json()
    again = meeting.record(text)
    assert (first.n_new, again.n_new) == (2, 0)
    pd.testing.assert_frame_equal(first.decisions, again.decisions)
    assert meeting.to_json() == before


def test_a_file_a_path_a_frame_and_content_are_read_alike(meeting: Meeting, tmp_path: Path) -> None:
    text = file_of(meeting, {"referral_id": "R2", **ADMIT, "decided_at": "2026-10-12T14:03:22.120Z"})
    path = tmp_path / "decisions.json"
    path.write_text("\ufeff" + text, encoding="utf-8")
    results = [meeting.record(source) for source in (text, path, str(path), json.loads(text))]
    assert [result.n_new for result in results] == [1, 0, 0, 0]
    assert results[0].decisions["decided_at"].tolist() == [pd.Timestamp("2026-10-12 14:03:22")]
    frame = rows({"referral_id": "R2", **ADMIT, "decided_at": pd.Timestamp("2026-10-12 14:03:22")})
    assert meeting.record(frame).n_new == 0


@pytest.mark.parametrize("head", [{"meeting_id": "South-2026-10-12"}, {"list_fingerprint": "0" * 32}])
def test_a_file_of_another_meeting_or_list_is_refused_whole(meeting: Meeting, head: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="are of another"):
        meeting.record(file_of(meeting, {"referral_id": "R2", **ADMIT}, **head))
    [name] = head
    assert rules(meeting, **ADMIT, **head) == [f"other_{name}"]
    assert meeting.decisions.empty


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        ({**ADMIT, "decided_by": None}, ["no_decider"]),
        ({**ADMIT, "decided_by": "   "}, ["no_decider"]),
        ({**ADMIT, "reason": None}, ["no_reason"]),
        ({**ADMIT, "reason": "no_place"}, ["other_reason"]),
        ({**ADMIT, "reason": "situation_worsened", "note": None}, ["reason_needs_note"]),
        ({**ADMIT, "outcome": "maybe"}, ["outcome"]),
        ({**ADMIT, "outcome": None, "reason": "rather not"}, ["outcome", "other_reason"]),
        ({**ADMIT, "person_id": "P1"}, ["other_person"]),
        ({**ADMIT, "response": "perhaps"}, ["response"]),
        ({**ADMIT, "decided_at": "soon"}, ["type"]),
        ({**ADMIT, "note": 3.5}, ["type"]),
        (DEFER, ["override_without_reason"]),
        ({**REFUSE, "override_reason": "moved away"}, []),
        ({**REFUSE, "override_reason": "x", "relay": None}, ["refuse_without_relay"]),
        ({**REFUSE, "override_reason": "x", "relay": "not an id!"}, ["relay"]),
        ({**REFUSE, "override_reason": "x", "relay_due_on": None}, ["to_find_without_due"]),
        ({**REFUSE, "override_reason": "x", "relay_due_on": "2026-10-01"}, ["due_before_decision"]),
        ({**REFUSE, "override_reason": "x", "relay": "S1", "relay_due_on": None}, []),
        ({**DEFER, "override_reason": "x", "defer_until": "2026-10-12"}, ["defer_not_after"]),
        ({**DEFER, "override_reason": "x", "defer_until": "2026-10-13"}, []),
        ({"outcome": "refuse"}, ["no_decider", "no_reason", "refuse_without_relay", "override_without_reason"]),
    ],
)
def test_each_rule_is_checked_and_every_reason_told(
    meeting: Meeting, decision: dict[str, Any], expected: list[str]
) -> None:
    assert rules(meeting, **decision) == expected
    assert len(meeting.decisions) == (0 if expected else 1)


def test_refused_rows_name_row_and_column_and_show_no_value(meeting: Meeting) -> None:
    secret = "Mrs Smith, 12 High Street"
    result = meeting.record(rows(
        {"referral_id": "R2", **ADMIT}, {"referral_id": secret, **ADMIT}, {"referral_id": "R4", "note": secret},
    ))  # fmt: skip
    assert result.decisions["referral_id"].tolist() == ["R2"]
    assert set(result.refused["row"]) == {2, 3}
    assert [*result.refused.columns] == ["row", "referral_id", "column", "rule", "expected"]
    assert result.refused.loc[result.refused["row"] == 2, "referral_id"].isna().all()  # not on the list: not repeated
    assert (result.refused.loc[result.refused["row"] == 3, "referral_id"] == "R4").all()
    assert secret not in result.refused.to_string()
    assert "P4" not in result.refused.to_string()


def test_a_note_is_needed_in_the_tied_zone_and_with_an_unknown_criterion(
    meeting: Meeting, ranked: pd.DataFrame, geriatric: Program
) -> None:
    unknown = rules(meeting, **{**DEFER, "referral_id": "R3", "override_reason": "x", "note": None})
    assert unknown == ["unknown_criterion_needs_note"]
    tied = open_meeting(ranked, 4, "2026-10-12", geriatric)
    assert tied.list.loc[tied.list["in_tied_zone"], "rank"].tolist() == [4, 5]
    last = order(tied)[3]
    assert rules(tied, **{**ADMIT, "referral_id": last, "note": None}) == ["tied_zone_needs_note"]


def test_an_override_is_a_decision_unlike_the_first_k(meeting: Meeting) -> None:
    first, second, third, fourth, _ = order(meeting)
    why = {"override_reason": "crisis"}
    recorded = meeting.record(rows(
        {"referral_id": first, **REFUSE, **why}, {"referral_id": second, **ADMIT},
        {"referral_id": third, **ADMIT, **why}, {"referral_id": fourth, **DEFER},
    ))  # fmt: skip
    assert recorded.decisions["is_override"].tolist() == [True, False, True, False]
    passed = meeting.out_of_sequence()
    assert passed["rank_shown"].tolist() == [2, 3]
    assert passed["n_passed_over"].tolist() == [1, 1]
    assert passed["first_passed_over"].tolist() == [1, 1]
    assert passed["override_reason"].isna().tolist() == [True, False]


def test_a_list_without_a_cut_proposes_nobody_and_overrides_nothing(ranked: pd.DataFrame, geriatric: Program) -> None:
    meeting = open_meeting(ranked, None, "2026-10-12", geriatric)
    assert meeting.meeting_id == "geriatric-2026-10-12"
    result = meeting.record(rows({"referral_id": "R4", **ADMIT}, {"referral_id": "R2", **DEFER}))
    assert result.decisions["is_override"].tolist() == [False, False]
    assert meeting.out_of_sequence()["n_passed_over"].tolist() == [order(meeting).index("R4")]
    assert Meeting.from_json(meeting.to_json()).places is None


@pytest.mark.parametrize(
    ("reason", "expected"),
    [("ask_information", "2026-10-26"), ("no_place", "2026-10-13"), ("not_located", "2026-12-11")],
)
def test_a_deferral_lasts_what_its_reason_says(meeting: Meeting, reason: str, expected: str) -> None:
    result = meeting.record(rows({"referral_id": "R4", **DEFER, "reason": reason}))
    assert result.decisions["defer_until"].tolist() == [pd.Timestamp(expected)]


def test_a_reason_that_parks_nobody_needs_an_end(ranked: pd.DataFrame, geriatric: Program) -> None:
    reasons = tuple(replace(one, days_parked=None) for one in geriatric.decision_reasons)
    meeting = open_meeting(ranked, 2, "2026-10-12", replace(geriatric, decision_reasons=reasons))
    assert rules(meeting, **{**DEFER, "referral_id": "R4"}) == ["defer_without_end"]


def test_a_second_answer_is_refused_and_points_to_amending(meeting: Meeting) -> None:
    result = meeting.record(rows({"referral_id": "R2", **ADMIT}, {"referral_id": "R2", **ADMIT, "note": "other"}))
    assert result.n_new == 1
    assert result.refused["rule"].tolist() == ["already_decided"]


def test_an_amended_decision_supersedes_and_both_are_kept(meeting: Meeting) -> None:
    text = file_of(meeting, {"referral_id": "R4", **DEFER})
    old = meeting.record(text).decisions["decision_id"].iloc[0]
    changes = {"outcome": "refuse", "reason": "person_declined", "relay": "to_find", "relay_due_on": "2026-11-01"}
    new = meeting.amend(old, changes, reason="they called", by="secretary", at="2026-10-14").decisions.iloc[0]
    assert new["supersedes"] == old != new["decision_id"]
    assert new["outcome"] == "refuse"
    assert pd.isna(new["defer_until"])
    assert new["decided_by"] == "secretary"
    assert len(meeting.decisions) == 2
    assert meeting.amendments[["supersedes", "reason", "by"]].to_numpy().tolist() == [[old, "they called", "secretary"]]
    assert meeting.record(text).n_new == 0, "the first file may still be imported again"
    with pytest.raises(UsageError, match="replaced already"):
        meeting.amend(old, changes, "again", "chair")
    confirmed = {"relay": "S1", "relay_status": "confirmed", "relay_confirmed_on": "2026-11-03"}
    assert len(meeting.overdue_relays("2026-11-04")) == 1
    meeting.amend(new["decision_id"], confirmed, "relay found", "secretary", at="2026-11-03T10:00")
    assert meeting.overdue_relays("2026-12-01").empty


@pytest.mark.parametrize(
    ("decision_id", "changes", "options", "message"),
    [
        ("D-none", {"note": "x"}, {}, "no such decision"),
        (None, {}, {}, "changes nothing"),
        (None, {"decided_by": "x"}, {}, "changes nothing"),
        (None, {"rank_shown": 1}, {}, "changes nothing"),
        (None, {"outcome": "refuse"}, {}, "breaks a rule"),
        (None, {"note": 7}, {}, "breaks a rule"),
        (None, {"note": "x"}, {"at": "2026-10-01"}, "cannot come before"),
        (None, {"note": "x"}, {"by": " "}, "`by` is empty"),
        (None, {"note": "x"}, {"reason": ""}, "`reason` is empty"),
    ],
)
def test_an_amendment_keeps_the_rules_too(
    meeting: Meeting, decision_id: str | None, changes: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    made = meeting.record(rows({"referral_id": "R4", **DEFER})).decisions["decision_id"].iloc[0]
    with pytest.raises(UsageError, match=message):
        meeting.amend(decision_id or made, changes, **{"reason": "why", "by": "chair", **options})
    assert len(meeting.decisions) == 1


def test_someone_may_be_added_with_a_reason_and_decided_on(meeting: Meeting) -> None:
    fingerprint = meeting.list_fingerprint
    meeting.add("P8", "came out of hospital today", "secretary", referral_id="R8")
    meeting.add("P8", "came out of hospital today", "secretary", referral_id="R8")
    meeting.add("P9", "crisis on Monday", "chair", at="2026-10-13")
    assert meeting.addenda["person_id"].tolist() == ["P8", "P9"]
    assert rules(meeting, **{**ADMIT, "referral_id": "R9"}) == ["not_on_list"]
    result = meeting.record(rows({"referral_id": "R8", **ADMIT}, {"referral_id": "R9", "person_id": "P9", **ADMIT}))
    assert result.decisions["person_id"].tolist() == ["P8", "P9"]
    assert result.decisions["rank_shown"].isna().all()
    assert not result.decisions["is_override"].any()
    assert meeting.addenda["referral_id"].tolist() == ["R8", "R9"]
    assert meeting.list_fingerprint == fingerprint
    assert len(meeting.list) == 5
    assert meeting.out_of_sequence().empty


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("P2", "late", "chair"), "already"), (("P8", "", "chair"), "`reason` is empty"),
        (("P8", "late", "  "), "`by` is empty"), ((8, "late", "chair"), "`person_id` is empty"),
    ],
)  # fmt: skip
def test_an_addition_names_who_and_why(meeting: Meeting, arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        meeting.add(*arguments)


def test_a_referral_on_the_list_is_not_added_under_another_person(meeting: Meeting) -> None:
    with pytest.raises(UsageError, match="already"):
        meeting.add("P8", "late", "chair", referral_id="R2")


def test_relays_that_are_due_are_listed_until_confirmed(meeting: Meeting) -> None:
    meeting.record(rows(
        {"referral_id": "R4", **REFUSE}, {"referral_id": "R1", **REFUSE, "relay": "S1", "relay_due_on": "2026-10-20"},
        {"referral_id": "R6", **DEFER, "override_reason": "x"},
    ))  # fmt: skip
    assert meeting.overdue_relays("2026-10-20").empty
    late = meeting.overdue_relays("2026-11-05")
    assert late["referral_id"].tolist() == ["R1", "R4"]
    assert late["days_overdue"].tolist() == [16, 4]
    assert late["is_to_find"].tolist() == [False, True]


def test_a_meeting_is_the_same_after_it_was_stored(meeting: Meeting) -> None:
    meeting.record(rows({"referral_id": "R2", **ADMIT}, {"referral_id": "R4", **REFUSE}))
    meeting.add("P9", "crisis", "chair", referral_id="R9")
    meeting.amend(meeting.decisions["decision_id"].iloc[0], {"note": "new"}, "typing error", "chair")
    text = meeting.to_json()
    assert json.loads(text)["format"] == "casestrat-meeting/1"
    again = Meeting.from_json(text)
    assert again.to_json() == text
    pd.testing.assert_frame_equal(again.list, meeting.list)
    pd.testing.assert_frame_equal(again.decisions, meeting.decisions)
    pd.testing.assert_frame_equal(again.addenda, meeting.addenda)
    assert again.record(rows({"referral_id": "R9", **ADMIT})).n_new == 1


def test_the_reasons_of_the_day_count_unless_the_program_is_given(meeting: Meeting, geriatric: Program) -> None:
    fewer = replace(geriatric, decision_reasons=geriatric.decision_reasons[1:])
    text = meeting.to_json()
    assert rules(Meeting.from_json(text), **ADMIT) == []
    assert rules(Meeting.from_json(text, program=fewer), **ADMIT) == ["other_reason"]
    with pytest.raises(UsageError, match="another program"):
        Meeting.from_json(text, program=replace(geriatric, id="legal"))


def test_a_list_that_was_changed_afterwards_is_found_out(meeting: Meeting) -> None:
    content = json.loads(meeting.to_json())
    content["list"][0]["priority"] += 1
    with pytest.raises(UsageError, match="not the list that was frozen"):
        Meeting.from_json(json.dumps(content))


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other/1"}, {"list": 3}, {"list": [{}]}, {"list": [[]]}, {"held_on": "soon"}, {"places": True},
        {"decisions": [{"decided_at": "soon"}]}, {"decisions": [{}]}, {"decision_reasons": [{"code": "x"}]},
        {"addenda": [{"person_id": "P1", "reason": "r", "by": "b", "referral_id": 3}]}, {"program": []},
        {"meeting_id": None}, {"territory": "\ud800"},
        {"decisions": [{"decision_id": "D", "referral_id": "R2", "person_id": "P2", "outcome": "admit",
                        "reason": "criteria_met", "decided_by": "x", "decided_at": None}]},
    ],
)  # fmt: skip
def test_a_meeting_file_that_is_none_is_refused(meeting: Meeting, change: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Meeting.from_json(json.dumps(json.loads(meeting.to_json()) | change))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", None, 3])
def test_what_is_no_meeting_file_is_refused(text: Any) -> None:
    with pytest.raises(UsageError):
        Meeting.from_json(text)


def test_an_empty_list_can_be_frozen_and_decided_on_by_addition(ranked: pd.DataFrame, geriatric: Program) -> None:
    meeting = open_meeting(ranked.iloc[:0], 3, "2026-10-12", geriatric)
    assert meeting.list.empty
    assert meeting.out_of_sequence().empty
    assert Meeting.from_json(meeting.to_json()).list_fingerprint == meeting.list_fingerprint


def test_a_list_that_is_no_ranked_list_is_refused(ranked: pd.DataFrame, geriatric: Program) -> None:
    with pytest.raises(UsageError, match="tie_group"):
        open_meeting(ranked.drop(columns="tie_group"), 2, "2026-10-12", geriatric)
    with pytest.raises(UsageError, match="twice"):
        open_meeting(ranked.assign(rank=1), 2, "2026-10-12", geriatric)
    with pytest.raises(UsageError, match="places"):
        open_meeting(ranked, -1, "2026-10-12", geriatric)


def test_no_public_function_turns_scores_into_decisions(ranked: pd.DataFrame, geriatric: Program) -> None:
    """A decision needs someone who decided: what makes decisions takes decisions, and refuses one that names nobody."""
    for name in casestrat.priority.__all__:
        public = getattr(casestrat.priority, name)
        if inspect.isfunction(public):
            assert "RecordResult" not in str(inspect.signature(public).return_annotation), name
    takes = {name for name, method in inspect.getmembers(Meeting, inspect.isfunction)
             if "RecordResult" in str(inspect.signature(method).return_annotation)}  # fmt: skip
    assert takes == {"record", "amend"}
    assert {"decisions", "by"} <= {p for name in takes for p in inspect.signature(getattr(Meeting, name)).parameters}
    meeting = open_meeting(ranked, 2, "2026-10-12", geriatric)
    scores = mark_places(ranked, 2).assign(outcome="admit", reason="criteria_met", decided_by=None)
    assert meeting.record(scores).decisions.empty
    assert meeting.decisions.empty
    unnamed = mark_places(ranked, 2).assign(outcome="admit", reason="criteria_met")
    assert "decided_by" in unnamed  # the key that ranked them: it names nobody who decided
