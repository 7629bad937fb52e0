"""The minutes of a meeting: its decisions, additions and amendments, and the rules by which these logs grow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from casestrat.errors import UsageError
from casestrat.priority.dates import DateLike, moment_of
from casestrat.priority.decision_file import FORMAT
from casestrat.priority.decisions import CONTENT, faults_of, standing_row, with_consequence
from casestrat.priority.frozen_list import Entry
from casestrat.tables.decision_files import Fault, Row

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from casestrat.knowledge.program import DecisionReason

_OF_OUTCOME = (  # what an amended outcome leaves behind
    "reason", "override_reason", "defer_until", "relay", "relay_due_on", "relay_status", "relay_confirmed_on",
    "response", "respond_by",
)  # fmt: skip
_OF_DECIDER = ("decided_by", "decided_at")
Faults = list[Fault]


class Minutes:
    """What was decided, added and amended at one meeting.

    Parameters
    ----------
    identity : mapping of str to str
        The ``meeting_id`` and ``list_fingerprint`` that a decision must not contradict.
    held_on : datetime.datetime
        Day of the meeting.
    entries : tuple of Entry
        The frozen list.
    reasons : tuple of DecisionReason
        The reasons that may be given.
    has_cut : bool
        Whether the list has places.

    Attributes
    ----------
    decisions, addenda, amendments : list of dict
        The logs, in the order written.
    """

    def __init__(
        self,
        identity: Mapping[str, str],
        held_on: datetime,
        entries: tuple[Entry, ...],
        reasons: tuple[DecisionReason, ...],
        *,
        has_cut: bool,
    ) -> None:
        self.decisions: list[dict[str, Any]] = []
        self.addenda: list[dict[str, Any]] = []
        self.amendments: list[dict[str, Any]] = []
        self._identity, self._held_on, self._has_cut = dict(identity), held_on, has_cut
        self._entries = {entry.referral_id: entry for entry in entries}
        self._reasons = {reason.code: reason for reason in reasons}

    def restore(
        self, decisions: list[dict[str, Any]], addenda: list[dict[str, Any]], amendments: list[dict[str, Any]]
    ) -> None:
        """Take over the logs of the same meeting, written before."""
        self.decisions, self.addenda, self.amendments = decisions, addenda, amendments
        for one in addenda:
            if one["referral_id"] is not None:
                self._entries[one["referral_id"]] = Entry(one["referral_id"], one["person_id"])

    def standing(self) -> dict[str, dict[str, Any]]:
        """Return the decision that stands on each referral, in the order of the meeting."""
        return {row["referral_id"]: row for row in self.decisions}

    def record(self, row: Row) -> tuple[dict[str, Any] | None, Faults]:
        """Record one row: the decision that stands, or every rule that the row breaks."""
        faults = [
            (name, f"other_{name}", f"the {name} of this meeting")
            for name, own in self._identity.items()
            if row[name] is not None and row[name] != own
        ]
        entry = self._entry(row)
        if entry is None:
            return None, [*faults, ("referral_id", "not_on_list", "a referral of this list, or one added to it")]
        filled = with_consequence(row, self._reasons, self._held_on)
        before = [old for old in self.decisions if old["referral_id"] == entry.referral_id]
        if not faults:
            for old in before:
                if all(old[name] == filled[name] for name in CONTENT):
                    return old, []
        faults += faults_of(filled, entry, self._reasons, has_cut=self._has_cut)
        if before:
            faults.append(
                ("referral_id", "already_decided", "no decision yet on this referral; amend the one there is")
            )
        if faults:
            return None, faults
        new = standing_row(filled, entry, self._identity["meeting_id"], 0, has_cut=self._has_cut)
        self._bind(entry)
        self.decisions.append(new)
        return new, []

    def _entry(self, row: Row) -> Entry | None:
        """Return the row of the list that a decision is about, or someone who was added without a referral."""
        referral, person = row["referral_id"], row["person_id"]
        if not isinstance(referral, str):
            return None
        is_added = any(one["person_id"] == person and one["referral_id"] is None for one in self.addenda)
        if referral not in self._entries and is_added:
            return Entry(referral, str(person))
        return self._entries.get(referral)

    def _bind(self, entry: Entry) -> None:
        """Keep the referral of someone who was added without one."""
        if entry.referral_id not in self._entries:
            self._entries[entry.referral_id] = entry
            for one in self.addenda:
                if one["person_id"] == entry.person_id and one["referral_id"] is None:
                    one["referral_id"] = entry.referral_id

    def add(self, person_id: str, reason: str, by: str, referral_id: str | None, at: DateLike | None) -> None:
        """Add someone who came after the list was frozen; the same addition twice counts once."""
        words = {"person_id": person_id, "reason": reason, "by": by, "referral_id": referral_id}
        _need_words({name: word for name, word in words.items() if name != "referral_id" or word is not None})
        added = {**words, "added_at": self._held_on if at is None else moment_of(at, "at").to_pydatetime()}
        if added in self.addenda:
            return
        is_listed = any(entry.person_id == person_id for entry in self._entries.values())
        if is_listed or referral_id in self._entries or any(one["person_id"] == person_id for one in self.addenda):
            raise UsageError("that person or referral is on the list already", do="record the decision on it")
        self.addenda.append(added)
        if referral_id is not None:
            self._entries[referral_id] = Entry(referral_id, person_id)

    def amend(
        self, decision_id: str, changes: Mapping[str, Any], reason: str, by: str, at: DateLike | None
    ) -> dict[str, Any]:
        """Replace a decision by an amended one, which is returned; the first is kept."""
        _need_words({"reason": reason, "by": by})
        old = self._standing_decision(decision_id)
        unknown = [str(name) for name in changes if name not in CONTENT or name in _OF_DECIDER]
        if unknown or not changes:
            allowed = ", ".join(name for name in CONTENT if name not in _OF_DECIDER)
            raise UsageError("an amendment changes nothing that a decision says", do=f"change some of: {allowed}")
        moment = old["decided_at"] if at is None else moment_of(at, "at").to_pydatetime()
        if moment < old["decided_at"]:
            raise UsageError("an amendment cannot come before the decision it replaces", do="give a later `at`")
        is_other = "outcome" in changes and changes["outcome"] != old["outcome"]
        kept = {name: None if is_other and name in _OF_OUTCOME else old[name] for name in CONTENT}
        row, faults = FORMAT.plain_row({**kept, **changes, "decided_by": by, "decided_at": moment})
        entry = self._entries[old["referral_id"]]
        filled = with_consequence(row, self._reasons, self._held_on)
        faults = faults or faults_of(filled, entry, self._reasons, has_cut=self._has_cut)
        if faults:
            told = "; ".join(f"{column}: {expected}" for column, _, expected in faults)
            raise UsageError("the amended decision breaks a rule", do=f"mend {told}")
        sequence = sum(one["referral_id"] == entry.referral_id for one in self.decisions)
        new = standing_row(filled, entry, self._identity["meeting_id"], sequence, has_cut=self._has_cut)
        new["supersedes"] = decision_id
        self.decisions.append(new)
        self.amendments.append({
            "decision_id": new["decision_id"], "supersedes": decision_id, "reason": reason, "by": by,
            "amended_at": moment,
        })  # fmt: skip
        return new

    def _standing_decision(self, decision_id: str) -> dict[str, Any]:
        found = [row for row in self.decisions if row["decision_id"] == decision_id]
        if not found:
            raise UsageError("this meeting has no such decision", do="take a decision_id from `meeting.decisions`")
        if any(row["supersedes"] == decision_id for row in self.decisions):
            raise UsageError("that decision was replaced already", do="amend the decision that replaced it")
        return found[0]


def _need_words(words: Mapping[str, object]) -> None:
    """Refuse an argument that says nothing."""
    for name, word in words.items():
        if not isinstance(word, str) or not word.strip():
            raise UsageError(f"`{name}` is empty", do=f"say {name} in a few words")
