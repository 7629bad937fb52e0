from __future__ import annotations

import pandas as pd
import pytest

from casestrat.tables import CONTRACTS, Tables


@pytest.fixture
def frames(frames):
    """The agency without the tables that no rule here is about; a check of the rest is quicker."""
    for name in ("assessments", "responses", "measurements", "plans"):
        del frames[name]
    return frames


def about(frames: dict[str, pd.DataFrame], table: str) -> dict[str, pd.DataFrame]:
    """Return a table, what every agency has, and the tables that it refers to."""
    names = {"persons", "referrals", "services", table} | {other for _column, other in CONTRACTS[table].references}
    return {name: frame for name, frame in frames.items() if name in names}


def changed(frame: pd.DataFrame, row: int, **cells: str) -> pd.DataFrame:
    """Return the frame with some cells of one row changed."""
    copy = frame.copy()
    for name, value in cells.items():
        if name not in copy:
            copy[name] = ""
        copy.loc[row, name] = value
    return copy


def with_row(frame: pd.DataFrame, row: int, **cells: str) -> pd.DataFrame:
    """Return the frame with one of its rows repeated, changed."""
    return changed(pd.concat([frame, frame.iloc[[row]]], ignore_index=True), len(frame), **cells)


@pytest.mark.parametrize(
    ("table", "row", "cells", "column", "rule"),
    [
        ("events", 0, {"person_id": "P9"}, "person_id", "unresolved"),
        ("assignments", 0, {"cm_id": "C9"}, "cm_id", "unresolved"),
        ("assignments", 0, {"person_id": "P2"}, "person_id", "person_mismatch"),
        ("events", 1, {"ended_at": "2025-05-31"}, "ended_at", "end_before_start"),
        ("licenses", 0, {"valid_to": "2019-01-01"}, "valid_to", "end_before_start"),
        ("events", 0, {"observed_at": "1939-05-01"}, "observed_at", "negative_age"),
        ("persons", 2, {"died_on": "1950-01-01"}, "died_on", "negative_age"),
        ("decisions", 1, {"defer_until": "2025-12-20"}, "defer_until", "defer_not_after"),
        ("decisions", 1, {"defer_until": ""}, "defer_until", "defer_not_after"),
        ("decisions", 1, {"is_override": "true"}, "override_reason", "override_without_reason"),
        ("decisions", 1, {"relay": "to_find"}, "relay_due_on", "to_find_without_due"),
        ("decisions", 1, {"relay": "S9"}, "relay", "unresolved"),
    ],
)
def test_a_row_that_breaks_a_rule_between_cells_is_set_aside(frames, check, reasons, table, row, cells, column, rule):
    frames = about(frames, table)
    frames[table] = changed(frames[table], row, **cells)
    found = [reason for reason in reasons(check(frames)) if reason[0] == table]
    assert found == [(table, row + 1, column, rule)]


def test_a_stay_may_end_on_the_day_it_began(frames, check):
    frames = about(frames, "events")
    frames["events"] = changed(frames["events"], 1, ended_at="2025-06-01")
    assert check(frames).set_aside.empty


def test_rows_of_a_person_that_was_set_aside_name_that_as_their_reason(frames, check, reasons):
    frames["persons"] = changed(frames["persons"], 1, sex="?")
    assert reasons(check(frames)) == [
        ("persons", 2, "sex", "code"),
        ("referrals", 2, "person_id", "parent_set_aside"),
        ("events", 2, "person_id", "parent_set_aside"),
        ("events", 3, "person_id", "parent_set_aside"),
    ]


def test_an_optional_id_that_leads_nowhere_is_blanked_and_its_row_stays(frames, check, reasons):
    frames["episodes"] = changed(frames["episodes"], 0, referral_id="R9")
    tables = check(frames)
    assert reasons(tables) == [("episodes", 1, "referral_id", "blanked_unresolved")]
    assert tables.episodes["referral_id"].isna().tolist() == [True]


def test_ids_of_a_table_that_is_not_there_are_counted_as_unchecked(frames, check):
    del frames["case_managers"], frames["licenses"]
    tables = check(frames)
    rules = tables.warnings.loc[tables.warnings["rule"] == "unchecked_reference", ["table", "n"]]
    assert sorted(map(tuple, rules.values.tolist())) == [("assignments", 1), ("contacts", 1)]


def test_a_refusal_has_a_reason_and_a_relay(frames, check, reasons):
    frames = about(frames, "decisions")
    frames["decisions"] = changed(frames["decisions"], 1, outcome="refuse", reason="", defer_until="")
    assert reasons(check(frames)) == [
        ("decisions", 2, "reason", "refuse_without_reason"),
        ("decisions", 2, "relay", "refuse_without_relay"),
    ]
    frames["decisions"] = changed(frames["decisions"], 1, reason="criteria_not_met", relay="S1")
    assert check(frames).set_aside.empty


def test_a_relay_is_not_looked_up_where_no_services_are_listed(frames, check):
    frames["decisions"] = changed(frames["decisions"], 1, relay="S9")
    del frames["services"]
    assert check(frames).set_aside.empty


def test_of_two_standing_answers_to_one_referral_the_first_stays(frames, check, reasons):
    frames = about(frames, "decisions")
    second = {"decision_id": "D9", "outcome": "refuse", "relay": "S1", "decided_at": "2025-04-03"}
    frames["decisions"] = with_row(frames["decisions"], 0, **second)
    assert reasons(check(frames)) == [("decisions", 3, "outcome", "second_answer")]
    frames["decisions"] = changed(frames["decisions"], 2, supersedes="D1")
    tables = check(frames)
    assert tables.set_aside.empty
    assert len(tables.decisions) == 3


def test_a_void_answer_does_not_stand(frames, check):
    frames = about(frames, "decisions")
    frames["decisions"] = with_row(frames["decisions"], 0, decision_id="D9", decided_at="2025-04-03", is_void="true")
    assert check(frames).set_aside.empty


def test_of_two_episodes_that_overlap_the_first_stays(frames, check, reasons):
    frames = about(frames, "episodes")
    frames["episodes"] = with_row(frames["episodes"], 0, episode_id="E9", admitted_on="2025-09-01")
    assert reasons(check(frames)) == [("episodes", 2, "admitted_on", "overlapping_episodes")]


@pytest.mark.parametrize(
    "cells",
    [{"program": "nurse"}, {"person_id": "P2", "referral_id": "R2"}],
    ids=["another program", "another person"],
)
def test_episodes_of_another_program_or_person_do_not_overlap(frames, check, cells):
    frames = about(frames, "episodes")
    frames["episodes"] = with_row(frames["episodes"], 0, episode_id="E9", admitted_on="2025-11-05", **cells)
    assert check(frames).set_aside.empty


def test_an_episode_may_begin_on_the_day_the_last_one_closed(frames, check):
    frames = about(frames, "episodes")
    frames["episodes"] = changed(frames["episodes"], 0, closed_on="2025-09-01", close_reason="goals_met")
    frames["episodes"] = with_row(
        frames["episodes"], 0, episode_id="E9", admitted_on="2025-09-01", closed_on="", close_reason=""
    )
    assert check(frames).set_aside.empty


def test_an_episode_has_at_most_one_open_lead(frames, check, reasons):
    frames = about(frames, "assignments")
    frames["assignments"] = with_row(frames["assignments"], 0, assignment_id="A9", cm_id="C2", from_on="2025-09-01")
    assert reasons(check(frames)) == [("assignments", 2, "role", "second_lead")]
    frames["assignments"] = changed(frames["assignments"], 0, to_on="2025-08-31")
    assert check(frames).set_aside.empty


LICENCES = {
    "until today": ([("FR", "2020-01-01", "2025-12-31", "")], True),
    "without an end": ([("FR", "2020-01-01", "", "")], True),
    "elsewhere": ([("BE", "2020-01-01", "", "")], False),
    "elsewhere, in a compact": ([("BE", "2020-01-01", "", "eNLC")], True),
    "too late": ([("FR", "2025-04-03", "", "")], False),
    "too short": ([("FR", "2020-01-01", "2025-12-30", "")], False),
    "renewed in time": ([("FR", "2020-01-01", "2025-06-30", ""), ("FR", "2025-07-01", "", "")], True),
    "renewed a day late": ([("FR", "2020-01-01", "2025-06-30", ""), ("FR", "2025-07-02", "", "")], False),
}


@pytest.mark.parametrize("case", LICENCES)
def test_a_licence_holds_on_every_day_of_an_assignment_that_needs_one(frames, check, reasons, geriatric, case):
    rows, is_valid = LICENCES[case]
    frames = about(frames, "assignments")
    frames["licenses"] = pd.DataFrame(rows, columns=["jurisdiction", "valid_from", "valid_to", "compact"]).assign(
        cm_id="C1", profession="nurse"
    )
    found = [row for row in reasons(check(frames, geriatric)) if row[0] == "assignments"]
    assert found == ([] if is_valid else [("assignments", 1, "cm_id", "licence_not_valid")])


def test_who_has_no_licence_at_all_may_not_be_assigned_where_one_is_needed(frames, check, reasons, geriatric):
    frames["licenses"] = frames["licenses"].assign(cm_id="C2")
    assert ("assignments", 1, "cm_id", "licence_not_valid") in reasons(check(frames, geriatric))
    frames["assignments"] = changed(frames["assignments"], 0, cm_id="C2")
    assert not [row for row in reasons(check(frames, geriatric)) if row[0] == "assignments"], "a social worker"


def test_what_comes_after_death_or_observation_is_counted_and_stays(frames, check):
    frames["persons"] = changed(changed(frames["persons"], 1, died_on="2025-06-30"), 0, observed_until="2025-04-30")
    tables = check(frames)
    assert len(tables.events) == 4
    found = tables.warnings.loc[tables.warnings["rule"] == "after_follow_up", ["table", "n"]]
    assert sorted(map(tuple, found.values.tolist())) == [("contacts", 1), ("events", 2)]


def test_rows_recorded_before_they_were_true_are_counted_and_stay(frames, check):
    frames["contacts"] = changed(frames["contacts"], 0, occurred_at="2026-03-01")
    tables = check(frames)
    assert len(tables.contacts) == 1
    assert tables.warnings[["table", "rule", "n"]].values.tolist() == [["contacts", "recorded_before_observed", 1]]


@pytest.mark.parametrize(
    ("table", "row", "cells", "column", "rule"),
    [
        ("episodes", 0, {"admitted_on": "2025-02-01"}, "admitted_on", "admitted_before_referral"),
        ("episodes", 0, {"closed_on": "2025-12-01"}, "close_reason", "closed_without_reason"),
        ("episodes", 0, {"close_reason": "moved"}, "closed_on", "reason_without_closing"),
        ("episodes", 0, {"referral_id": "R2", "person_id": "P2"}, "referral_id", "followed_undecided"),
        ("decisions", 0, {"outcome": "refuse", "relay": "S1"}, "referral_id", "refused_but_followed"),
        ("decisions", 1, {"decided_at": "2025-09-01"}, "decided_at", "decided_before_referral"),
        ("referrals", 0, {"withdrawn_on": "2025-03-10"}, "outcome", "admitted_after_withdrawal"),
        ("referrals", 0, {"consent": "no"}, "outcome", "admitted_without_consent"),
        ("contacts", 0, {"occurred_at": "2025-03-30"}, "occurred_at", "before_admission"),
        ("assignments", 0, {"from_on": "2025-03-30"}, "from_on", "before_admission"),
    ],
)
def test_an_illegal_step_of_the_life_cycle_is_listed_and_counted_and_its_row_stays(
    frames, check, table, row, cells, column, rule
):
    frames[table] = changed(frames[table], row, **cells)
    tables = check(frames)
    steps = tables.illegal_steps
    assert (column, rule) in list(zip(steps["column"], steps["rule"], strict=True))
    assert rule in tables.warnings["rule"].tolist()
    assert tables.set_aside.loc[tables.set_aside["table"] == table].empty or table == "episodes"


def test_contact_after_closing_is_legal_where_it_follows_a_transition(frames, check):
    frames["episodes"] = changed(frames["episodes"], 0, closed_on="2025-04-30", close_reason="moved")
    assert check(frames).illegal_steps["rule"].tolist() == ["after_closing"]
    frames["contacts"] = changed(frames["contacts"], 0, kind="post_transition")
    assert check(frames).illegal_steps.empty


def test_contacts_and_assignments_stand_alone_where_episodes_are_not_there(frames, check):
    del frames["episodes"]
    tables = check(frames)
    assert isinstance(tables, Tables)
    assert tables.illegal_steps.empty
