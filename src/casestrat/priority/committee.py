"""A meeting of the committee: a frozen list, and what people decided on it."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from casestrat.errors import UsageError
from casestrat.priority import meeting_file
from casestrat.priority.dates import DateLike, moment_of
from casestrat.priority.decision_file import FORMAT, read_decisions
from casestrat.priority.decisions import decisions_frame, refused_frame
from casestrat.priority.follow_up import log_frame, out_of_sequence, overdue_relays
from casestrat.priority.frozen_list import Entry, freeze, list_fingerprint, list_frame
from casestrat.priority.minutes import Minutes
from casestrat.priority.ranking import place_count

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from casestrat.knowledge import Program
    from casestrat.knowledge.program import DecisionReason
    from casestrat.tables.decision_files import Fault


@dataclass(frozen=True, slots=True)
class RecordResult:
    """What came of recording decisions.

    Parameters
    ----------
    decisions : pandas.DataFrame
        One row per decision that stands recorded, new or recorded before, as the table ``decisions``.
    refused : pandas.DataFrame
        One row per rule that a row of the file breaks: row (from 1), referral_id (where it is one of the
        list), column, rule, expected; never another value.
    n_new : int
        How many of the decisions are new to the meeting.
    """

    decisions: pd.DataFrame
    refused: pd.DataFrame
    n_new: int


def open_meeting(
    ranked: pd.DataFrame,
    places: int | None,
    held_on: DateLike,
    program: Program,
    territory: str | None = "",
    fingerprints: Mapping[str, str] | None = None,
    meeting_id: str | None = None,
) -> Meeting:
    """Freeze a ranked list for a meeting, so that what was shown can always be shown again.

    Parameters
    ----------
    ranked : pandas.DataFrame
        What :func:`casestrat.rank_waiting_list` returned, with or without marks; a tied zone already marked is kept.
    places : int or None
        Places to be given; None: the list has no cut.
    held_on : str or date
        Day of the meeting.
    program : Program
        The program, for its reasons of decisions.
    territory : str, optional
        The territory it decides for; empty: all.
    fingerprints : mapping of str to str, optional
        Fingerprints of ``policy``, ``model`` and ``extract``; that of ``program`` is the program's own.
    meeting_id : str, optional
        Id of the meeting; without it, the territory (or the program) and the day.

    Returns
    -------
    Meeting
        The meeting, without decisions.

    Raises
    ------
    UsageError
        A column is missing, a rank or referral stands twice, or an argument cannot be used.

    Examples
    --------
    >>> from casestrat.knowledge import PriorityPolicy, load_program
    >>> from casestrat.priority.ranking import rank_waiting_list
    >>> waiting = pd.DataFrame({
    ...     "person_id": ["P1", "P2", "P3"], "referral_id": ["R1", "R2", "R3"], "tier": "low", "risk": [0.1, 0.4, 0.3],
    ...     "referred_on": pd.to_datetime(["2026-09-01"] * 3), "completeness": 1.0,
    ... })
    >>> ranked = rank_waiting_list(waiting, PriorityPolicy(weights={"risk": 100}), as_of="2026-10-01")
    >>> meeting = open_meeting(ranked, places=1, held_on="2026-10-12", program=load_program("geriatric"))
    >>> admit = pd.DataFrame({"referral_id": ["R2"], "outcome": ["admit"], "reason": ["criteria_met"]})
    >>> meeting.record(admit).refused["rule"].tolist()
    ['no_decider']
    >>> meeting.record(admit.assign(decided_by="chair")).decisions[["referral_id", "rank_shown", "is_override"]]
      referral_id  rank_shown  is_override
    0          R2           1        False
    """
    day = moment_of(held_on, "held_on").normalize()
    place = "" if territory is None or pd.isna(territory) else str(territory)
    own_id = meeting_id if isinstance(meeting_id, str) and meeting_id else _default_id(place or program.id, day)
    kept = {name: str(value) for name, value in (fingerprints or {}).items()}
    return Meeting(
        meeting_id=own_id,
        held_on=day,
        territory=place,
        places=None if places is None else place_count(places),
        program={"id": program.id, "version": program.version},
        fingerprints={**kept, "program": program.fingerprint},
        entries=freeze(ranked, places),
        reasons=program.decision_reasons,
    )


def _default_id(place: str, day: pd.Timestamp) -> str:
    return f"{re.sub(r'[^A-Za-z0-9._-]+', '-', place)[:48]}-{day:%Y-%m-%d}"


class Meeting:
    """A frozen list and the decisions that people took on it; made by :func:`open_meeting` or :meth:`from_json`.

    The list never changes: who comes later is added beside it, and a decision that is amended is kept. Every decision
    comes from a person, who is named in it; nothing here turns a rank or a score into a decision.

    Parameters
    ----------
    meeting_id : str
        Which meeting.
    held_on : pandas.Timestamp
        Day of the meeting.
    territory : str
        The territory it decides for; empty: all.
    places : int or None
        Places to be given; None: the list has no cut.
    program : mapping of str to str
        Id and version of the program.
    fingerprints : mapping of str to str
        Fingerprints of program, policy, model and extract, as far as they were given.
    entries : tuple of Entry
        The frozen list, first first.
    reasons : tuple of DecisionReason
        The reasons that may be given.

    Attributes
    ----------
    list_fingerprint : str
        Hash of the frozen list and these fingerprints.

    Examples
    --------
    >>> from casestrat.knowledge import load_program
    >>> ranked = pd.DataFrame({
    ...     "rank": [1, 2, 3], "person_id": ["P1", "P2", "P3"], "referral_id": ["R1", "R2", "R3"], "tier": "low",
    ...     "priority": [3.0, 2.0, 1.0], "completeness": 1.0, "criteria": "meets", "tie_group": 0,
    ... })
    >>> meeting = open_meeting(ranked, places=1, held_on="2026-10-12", program=load_program("geriatric"))
    >>> decided = pd.DataFrame({"referral_id": ["R2", "R3"], "outcome": ["admit", "refuse"], "decided_by": "chair",
    ...                         "reason": ["criteria_met", "person_declined"], "relay": [None, "to_find"],
    ...                         "relay_due_on": [None, "2026-10-20"], "override_reason": ["left hospital alone", None]})
    >>> meeting.record(decided).n_new
    2
    >>> meeting.out_of_sequence()[["referral_id", "n_passed_over", "first_passed_over", "override_reason"]]
      referral_id  n_passed_over  first_passed_over      override_reason
    0          R2              1                  1  left hospital alone
    >>> meeting.overdue_relays("2026-10-25")[["referral_id", "days_overdue"]]
      referral_id  days_overdue
    0          R3             5
    >>> admitted = meeting.decisions["decision_id"].iloc[0]
    >>> meeting.amend(admitted, {"note": "back home"}, reason="note forgotten", by="chair").decisions["note"].item()
    'back home'
    >>> Meeting.from_json(meeting.to_json()).amendments[["reason", "by"]].to_dict("records")
    [{'reason': 'note forgotten', 'by': 'chair'}]
    """

    def __init__(
        self,
        *,
        meeting_id: str,
        held_on: pd.Timestamp,
        territory: str,
        places: int | None,
        program: Mapping[str, str],
        fingerprints: Mapping[str, str],
        entries: tuple[Entry, ...],
        reasons: tuple[DecisionReason, ...],
    ) -> None:
        self.meeting_id, self.held_on, self.territory, self.places = meeting_id, held_on, territory, places
        self.program, self.fingerprints = dict(program), dict(sorted(fingerprints.items()))
        self.list_fingerprint = list_fingerprint(entries, self.fingerprints)
        self._listed, self._reasons = entries, tuple({reason.code: reason for reason in reasons}.values())
        identity = {"meeting_id": meeting_id, "list_fingerprint": self.list_fingerprint}
        self._minutes = Minutes(identity, held_on.to_pydatetime(), entries, reasons, has_cut=places is not None)

    def __repr__(self) -> str:
        return f"Meeting({self.meeting_id!r}, {len(self._listed)} people, {len(self._minutes.decisions)} decisions)"

    @property
    def list(self) -> pd.DataFrame:
        """The frozen list: one row per ranked referral, first on the list first."""
        return list_frame(self._listed)

    @property
    def decisions(self) -> pd.DataFrame:
        """Every decision, amended ones too: one row per decision, as the table ``decisions``, in the order recorded."""
        return decisions_frame(self._minutes.decisions)

    @property
    def addenda(self) -> pd.DataFrame:
        """Who was added to the list after it was frozen: one row per person."""
        return log_frame(self._minutes.addenda, ("person_id", "referral_id", "reason", "by"), "added_at")

    @property
    def amendments(self) -> pd.DataFrame:
        """Why decisions were amended: one row per amendment."""
        return log_frame(self._minutes.amendments, ("decision_id", "supersedes", "reason", "by"), "amended_at")

    def record(self, decisions: pd.DataFrame | Mapping[str, Any] | Path | str) -> RecordResult:
        """Record what people decided, as far as it keeps the rules.

        Each row is checked on its own: it is about a referral of this list (or one added), names who decided, gives a
        reason that the program has for that outcome, and a note where the reason asks for one, the place is in the tied
        zone or a criterion is unknown. A refusal names a relay, or ``to_find`` with the day by which it is to be found.
        A deferral ends after the day it was decided; where it gives no end, it is derived from the reason. A decision
        that differs from the list (admitting someone outside the places, or deferring or refusing someone within them)
        gives an ``override_reason``. A decision already recorded changes nothing, so a file may be imported twice; a
        different one on the same referral is refused: amend the first.

        Parameters
        ----------
        decisions : pandas.DataFrame, mapping, Path or str
            One row a decision (referral_id, outcome, reason, decided_by, and as needed note, override_reason,
            decided_at, relay, relay_due_on, defer_until); or the decision file of the committee page: its path, text or
            parsed content.

        Returns
        -------
        RecordResult
            The decisions that stand recorded, and the rows refused with every reason.

        Raises
        ------
        UsageError
            The file cannot be read, or is of another meeting or another list.
        """
        file = read_decisions(decisions)
        for name in ("meeting_id", "list_fingerprint"):
            found = getattr(file, name)
            if found is not None and found != getattr(self, name):
                raise UsageError(
                    f"the decisions are of another {'meeting' if name == 'meeting_id' else 'list'}",
                    where=name,
                    do="record them in the meeting whose page they were exported from",
                )
        accepted: list[dict[str, Any]] = []
        refused: list[tuple[int, str | None, Fault]] = []
        known = {entry.referral_id for entry in self._listed} | {row["referral_id"] for row in self._minutes.addenda}
        n_before = len(self._minutes.decisions)
        for number, raw in enumerate(file.rows, start=1):
            row, faults = FORMAT.plain_row(raw)
            recorded, more = (None, faults) if faults else self._minutes.record(row)
            given = row["referral_id"]
            referral = given if isinstance(given, str) and given in known else None  # nothing else is repeated
            refused += [(number, referral, fault) for fault in more]
            if recorded is not None and recorded not in accepted:
                accepted.append(recorded)
        n_new = len(self._minutes.decisions) - n_before
        return RecordResult(decisions_frame(accepted), refused_frame(refused), n_new)

    def add(
        self, person_id: str, reason: str, by: str, *, referral_id: str | None = None, at: DateLike | None = None
    ) -> None:
        """Add someone who came after the list was frozen; the list itself stays as it was.

        Parameters
        ----------
        person_id : str
            Whom to add.
        reason : str
            Why they cannot wait for the next list.
        by : str
            Who adds them.
        referral_id : str, optional
            Their referral; without it, the first decision that names the person and a referral says which it is.
        at : str or date, optional
            When; without it, the day of the meeting.

        Raises
        ------
        UsageError
            The person or referral is on the list already, or an argument is empty.
        """
        self._minutes.add(person_id, reason, by, referral_id, at)

    def amend(
        self, decision_id: str, changes: Mapping[str, Any], reason: str, by: str, at: DateLike | None = None
    ) -> RecordResult:
        """Replace a decision by an amended one; both are kept, and the later says which it supersedes.

        Parameters
        ----------
        decision_id : str
            The decision that stands now.
        changes : mapping
            What is decided otherwise: ``outcome``, ``reason``, ``relay`` … With a new outcome, all that belonged to the
            old one (its reason, relay, end of deferral) falls away and is given anew.
        reason : str
            Why it is amended.
        by : str
            Who decided so.
        at : str or date, optional
            When; without it, the moment of the decision that is replaced.

        Returns
        -------
        RecordResult
            The amended decision.

        Raises
        ------
        UsageError
            There is no such decision, it was replaced already, or the amended one breaks a rule.
        """
        new = self._minutes.amend(decision_id, changes, reason, by, at)
        return RecordResult(decisions_frame([new]), refused_frame([]), 1)

    def out_of_sequence(self) -> pd.DataFrame:
        """List everyone who was admitted although someone above them was not.

        Returns
        -------
        pandas.DataFrame
            One row per standing admission with someone above who is deferred, refused or not decided, in the order of
            the list: decision_id, referral_id, person_id, rank_shown, n_passed_over, first_passed_over (the best rank
            among these), is_override, override_reason.
        """
        return out_of_sequence(self._listed, self._minutes.standing())

    def overdue_relays(self, today: DateLike) -> pd.DataFrame:
        """List the refused people whose relay should have been found or confirmed by now.

        Parameters
        ----------
        today : str or date
            The day to look from.

        Returns
        -------
        pandas.DataFrame
            One row per standing refusal whose ``relay_due_on`` is past and whose relay is not confirmed, the longest
            overdue first: decision_id, referral_id, person_id, relay, relay_due_on, days_overdue, is_to_find.
        """
        return overdue_relays(self._minutes.standing(), moment_of(today, "today").normalize())

    def to_json(self) -> str:
        """Return the whole meeting as JSON text: the same bytes for the same meeting.

        Returns
        -------
        str
            Format ``casestrat-meeting/1``.
        """
        return meeting_file.to_json({
            "meeting_id": self.meeting_id,
            "held_on": self.held_on.to_pydatetime().date(),
            "territory": self.territory,
            "places": self.places,
            "program": self.program,
            "fingerprints": self.fingerprints,
            "list_fingerprint": self.list_fingerprint,
            "list": [asdict(entry) for entry in self._listed],
            "decision_reasons": [meeting_file.reason_fields(reason) for reason in self._reasons],
            "addenda": self._minutes.addenda,
            "decisions": self._minutes.decisions,
            "amendments": self._minutes.amendments,
        })  # fmt: skip

    @classmethod
    def from_json(cls, text: str, program: Program | None = None) -> Meeting:
        """Return the meeting that :meth:`to_json` wrote.

        Parameters
        ----------
        text : str
            The text of a meeting file.
        program : Program, optional
            The program as it is now, whose reasons of decisions count from here on; without it, those of the day the
            list was frozen.

        Returns
        -------
        Meeting
            The same meeting.

        Raises
        ------
        UsageError
            It is no meeting file, its list is not the one its fingerprint was made from, or it is of another program.
        """
        content = meeting_file.from_json(text)
        if program is not None:
            if program.id != content.head["program"].get("id"):
                raise UsageError("the meeting is of another program", where="program", do="give the meeting's program")
            content.head["reasons"] = program.decision_reasons
        meeting = cls(**content.head)
        if meeting.list_fingerprint != content.list_fingerprint:
            raise UsageError(
                "the list of the meeting file is not the list that was frozen",
                where="list_fingerprint",
                do="take the file from the run's folder again",
            )
        meeting._minutes.restore(content.decisions, content.addenda, content.amendments)
        return meeting
