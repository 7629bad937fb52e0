"""Contracts of the committee: meetings, decisions, and what people contest."""

from casestrat.tables.columns import (
    Flag,
    Moment,
    Text,
    Whole,
    code,
    day,
    flag,
    key_id,
    moment,
    other_id,
    person_id,
    text,
    whole,
)
from casestrat.tables.contract import AboutPeople, Table, facts

_DECIDED = "it is what people decided, not what was true of the person"
_FREE = "free text"
_MEETING = "about the meeting"


class CommitteeMeetings(Table):
    """One meeting of the committee of a territory."""

    meeting_id: Text = key_id("Id of the meeting.")
    held_on: Moment = day("Day it is held.", presence="needed")
    territory: Text = text("Territory it decides for; blank where it decides for all.", why=_MEETING)
    places: Whole = whole("Places to be given.", 0, 10_000, unit="places", role="neither", why=_MEETING)
    list_fingerprint: Text = text("Fingerprint of the list it was shown.", why=_MEETING, presence="optional")
    program: Text = code("Program.", role="neither", why="one run serves one program", presence="optional")
    site: Text = text("Site.", why=_MEETING, presence="optional")

    class Config:
        """Facts about the table."""

        metadata = facts(key=("meeting_id",), adds="the cut of the waiting list: a date and a number of places")


class Decisions(AboutPeople):
    """What people decided on one referral."""

    decision_id: Text = key_id("Id of the decision.")
    meeting_id: Text = other_id("Meeting it was taken in.", "expected")
    referral_id: Text = other_id("Referral it is about.")
    person_id: Text = person_id()
    outcome: Text = code(
        "What was decided.", ("admit", "defer", "refuse"), role="neither", why=_DECIDED, presence="needed"
    )
    reason: Text = code("Reason given.", role="neither", why=_DECIDED)
    note: Text = text("Note of the committee.", why=_FREE, presence="optional")
    decided_by: Text = text("Who decided.", why=_DECIDED)
    decided_at: Moment = moment("When.", presence="needed")
    rank_shown: Whole = whole("Rank on the list that was shown.", 1, 100_000_000, unit="rank", role="neither",
                              why=_DECIDED)  # fmt: skip
    is_override: Flag = flag("Whether it differs from the order shown.", role="neither", why=_DECIDED)
    override_reason: Text = text("Why it differs.", why=_FREE, presence="optional")
    defer_until: Moment = day("First day the referral is looked at again.", presence="optional")
    relay: Text = other_id("Service the person is directed to, or to_find.", "optional")
    relay_due_on: Moment = day("Day by which a relay is to be found.", presence="optional")
    relay_status: Text = code("How far the relay is.", role="neither", why=_DECIDED, presence="optional")
    relay_confirmed_on: Moment = day("Day the relay was confirmed.", presence="optional")
    response: Text = code(
        "What the person answered.",
        ("accepted", "declined", "no_answer"),
        role="neither",
        why=_DECIDED,
        presence="optional",
    )
    respond_by: Moment = day("Day by which an answer is awaited.", presence="optional")
    supersedes: Text = other_id("Decision that this one replaces.", "optional")

    class Config:
        """Facts about the table."""

        metadata = facts(
            adds="who was admitted, deferred or refused, so that the list holds only those who still wait",
            observed="decided_at",
            references={
                "person_id": "persons",
                "referral_id": "referrals",
                "meeting_id": "committee_meetings",
                "supersedes": "decisions",
            },
        )


class Contestations(AboutPeople):
    """One appeal, or one correction asked for."""

    contestation_id: Text = key_id("Id of the contestation.")
    person_id: Text = person_id()
    decision_id: Text = other_id("Decision that is contested.", "optional")
    received_on: Moment = day("Day it was received.", presence="needed")
    due_on: Moment = day("Day by which it is to be answered.")
    correction: Text = text("Correction asked for.", why=_FREE, presence="optional")
    reviewed_on: Moment = day("Day it was reviewed.", presence="optional")
    outcome: Text = code("What came of it.", role="neither", why=_DECIDED, presence="optional")

    class Config:
        """Facts about the table."""

        metadata = facts(
            adds="appeals and corrections that are due, and how many decisions were changed",
            observed="received_on",
            references={"person_id": "persons", "decision_id": "decisions"},
            spans=(("received_on", "due_on"), ("received_on", "reviewed_on")),
        )
