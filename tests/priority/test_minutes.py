"""The minutes of a meeting: the logs, and the rules by which they grow."""

import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.knowledge.program import DecisionReason
from casestrat.priority.decision_file import FORMAT
from casestrat.priority.frozen_list import Entry
from casestrat.priority.minutes import Minutes

MEETING_DAY = pd.Timestamp("2026-10-12").to_pydatetime()
REASONS = (
    DecisionReason("criteria_met", "admit", "committee"),
    DecisionReason("no_place", "defer", "committee", days_parked=30),
)


@pytest.fixture
def minutes():
    entries = (Entry("R1", "P1", rank=1, is_proposed=True), Entry("R2", "P2", rank=2))
    return Minutes({"meeting_id": "M1", "list_fingerprint": "f"}, MEETING_DAY, entries, REASONS, has_cut=True)


def decision(**values):
    row, faults = FORMAT.plain_row({"outcome": "admit", "reason": "criteria_met", "decided_by": "chair", **values})
    assert not faults
    return row


def rules(faults):
    return [rule for _, rule, _ in faults]


def test_a_decision_stands_once_however_often_it_is_recorded(minutes):
    first, _ = minutes.record(decision(referral_id="R1"))
    again, faults = minutes.record(decision(referral_id="R1"))
    assert (again is first, faults, minutes.decisions) == (True, [], [first])
    assert minutes.standing() == {"R1": first}


def test_a_row_of_another_list_or_about_nobody_on_it_is_refused(minutes):
    assert rules(minutes.record(decision(referral_id="R1", list_fingerprint="g"))[1]) == ["other_list_fingerprint"]
    assert rules(minutes.record(decision(referral_id="R9", meeting_id="M2"))[1]) == ["other_meeting_id", "not_on_list"]
    assert minutes.decisions == []


def test_who_is_added_without_a_referral_gets_that_of_the_first_decision(minutes):
    minutes.add("P3", "came today", "chair", None, None)
    recorded, faults = minutes.record(decision(referral_id="R3", person_id="P3"))
    assert faults == []
    assert (recorded["rank_shown"], minutes.addenda[0]["referral_id"]) == (None, "R3")
    assert minutes.addenda[0]["added_at"] == MEETING_DAY


def test_an_amended_outcome_leaves_what_belonged_to_the_old_one_behind(minutes):
    old, _ = minutes.record(decision(referral_id="R1", outcome="defer", reason="no_place", override_reason="away"))
    new = minutes.amend(
        old["decision_id"], {"outcome": "admit", "reason": "criteria_met"}, "place found", "chair", None
    )
    assert (old["defer_until"], new["defer_until"]) == (pd.Timestamp("2026-11-11"), None)
    assert (new["supersedes"], new["override_reason"]) == (old["decision_id"], None)
    assert minutes.amendments[0]["amended_at"] == MEETING_DAY
    with pytest.raises(UsageError, match="replaced already"):
        minutes.amend(old["decision_id"], {"note": "again"}, "twice", "chair", None)


def test_logs_written_before_are_taken_over_with_who_was_added(minutes):
    minutes.add("P3", "came today", "chair", "R3", "2026-10-13")
    minutes.record(decision(referral_id="R3"))
    other = Minutes({"meeting_id": "M1", "list_fingerprint": "f"}, MEETING_DAY, (), REASONS, has_cut=True)
    other.restore(minutes.decisions, minutes.addenda, minutes.amendments)
    assert other.record(decision(referral_id="R3"))[0] is minutes.decisions[0]
