"""The checked tables of one extract: one attribute a table, what was set aside, and a fingerprint."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from casestrat.tables.checking import Notice, check_tables
from casestrat.tables.columns import TEXT
from casestrat.tables.contracts import CONTRACTS
from casestrat.tables.extract import Extract
from casestrat.tables.fingerprint import fingerprint_of, fingerprint_of_frame
from casestrat.tables.ledger import KEPT_RULES
from casestrat.tables.phrases import Phrase, in_language
from casestrat.tables.raw import RawTable, raw_of_frame
from casestrat.tables.splitting import observation_recorded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from casestrat.tables.splitting import ObservationRecorded
    from casestrat.tables.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False, repr=False)
class Tables:
    """The checked tables of one extract.

    An absent optional table is an empty frame with the contract's columns; :meth:`has` tells whether it was there.
    Frames are sorted by key and must not be changed in place.

    Parameters
    ----------
    persons, person_facts, enrollments, referrals : pandas.DataFrame
        One row per person, fact about one, time under observation, or request for help. Each table has the columns
        that :func:`casestrat.tables.describe_tables` lists; a row about a person that was corrected is there in every
        version, each with its ``recorded_at``.
    assessments, responses, measurements, diagnoses, events : pandas.DataFrame
        One row per sitting with an instrument, answer, value, coded condition, or thing that happened.
    episodes : pandas.DataFrame
        One row per admission of a person, to its closing.
    case_managers, licenses, credentials, absences : pandas.DataFrame
        One row per member of staff, right to practise, certificate, or time away.
    assignments, preferences, conflicts : pandas.DataFrame
        One row per time in which somebody follows a person, wish of a person, or pair that must not be made.
    plans, goals, contacts, services : pandas.DataFrame
        One row per service plan, aim of one, contact made or due, or service that a relay can lead to.
    committee_meetings, decisions, contestations : pandas.DataFrame
        One row per meeting, decision on a referral, or appeal or correction asked for.
    extract : Extract
        Program, first and last day, time zone, and where ``recorded_at`` comes from.
    set_aside : pandas.DataFrame
        One row per broken rule: table, source, line, key, column, rule, expected; never the value. Where the rule
        begins with ``blanked`` only the cell was emptied; else the row was left out (:meth:`rows_set_aside`).
    warnings : pandas.DataFrame
        One row per finding that does not leave rows out: table, rule, n, message.
    illegal_steps : pandas.DataFrame
        One row per illegal step of the life cycle, with the columns of ``set_aside``; these rows stay.
    present : frozenset of str
        Tables that the source had.
    unmapped_codes, doubtful_pairs : pandas.DataFrame
        For the site that wrote a ``site.toml`` alone: codes that nobody has mapped (source, column, code, n), and pairs
        of ids that might be one person (system_a, id_a, system_b, id_b, agree, differ).
    observation : ObservationRecorded or None
        For one part of the people alone: since when the whole extract tells of observation.
    phrases : mapping of str to Phrase
        What ``set_aside`` says in English → the same in no language yet, for :meth:`set_aside_in`.

    Examples
    --------
    >>> persons = pd.DataFrame({"person_id": ["P1", "P2", "P3"], "birth_year": [1940, 1935, 19],
    ...                         "recorded_at": ["2026-01-01"] * 3})
    >>> referrals = pd.DataFrame({"referral_id": ["R1"], "person_id": ["P2"], "referred_on": ["2026-02-01"],
    ...                           "recorded_at": ["2026-02-02"]})
    >>> tables = Tables.from_frames({"persons": persons, "referrals": referrals})
    >>> tables.persons["person_id"].tolist(), tables.set_aside[["table", "column", "rule"]].to_dict("records")
    (['P1', 'P2'], [{'table': 'persons', 'column': 'birth_year', 'rule': 'range'}])
    >>> len(tables.for_persons(["P1"]).referrals), len(tables.events), tables.rows_set_aside().to_dict()
    (0, 0, {'persons': 1})
    """

    persons: pd.DataFrame
    person_facts: pd.DataFrame
    enrollments: pd.DataFrame
    referrals: pd.DataFrame
    assessments: pd.DataFrame
    responses: pd.DataFrame
    measurements: pd.DataFrame
    diagnoses: pd.DataFrame
    events: pd.DataFrame
    episodes: pd.DataFrame
    case_managers: pd.DataFrame
    licenses: pd.DataFrame
    credentials: pd.DataFrame
    absences: pd.DataFrame
    assignments: pd.DataFrame
    preferences: pd.DataFrame
    conflicts: pd.DataFrame
    plans: pd.DataFrame
    goals: pd.DataFrame
    contacts: pd.DataFrame
    services: pd.DataFrame
    committee_meetings: pd.DataFrame
    decisions: pd.DataFrame
    contestations: pd.DataFrame
    extract: Extract
    set_aside: pd.DataFrame
    warnings: pd.DataFrame
    illegal_steps: pd.DataFrame
    present: frozenset[str]
    unmapped_codes: pd.DataFrame = field(default_factory=pd.DataFrame)
    doubtful_pairs: pd.DataFrame = field(default_factory=pd.DataFrame)
    observation: ObservationRecorded | None = None
    phrases: Mapping[str, Phrase] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        # The frames themselves would fill pages, and show people.
        rows = [f"{name}={len(getattr(self, name)):,}" for name in CONTRACTS if len(getattr(self, name))]
        return f"Tables({', '.join(rows)}; rows set aside={len(self.set_aside):,})"

    @classmethod
    def from_frames(
        cls,
        frames: Mapping[str, pd.DataFrame],
        program: Vocabulary | None = None,
        extract: Extract | None = None,
    ) -> Tables:
        """Check frames of one's own as a folder of tables is checked.

        Parameters
        ----------
        frames : mapping of str to pandas.DataFrame
            Table name → rows; `persons` and `referrals` at least. Cells may be text or typed.
        program : Vocabulary, optional
            The program whose codes count; without it any well-formed code is allowed.
        extract : Extract, optional
            First and last day, and where ``recorded_at`` comes from where frames lack it.

        Returns
        -------
        Tables
            The checked tables.

        Raises
        ------
        TablesError
            A required table or key column is missing, or a column looks like a direct identifier.

        Examples
        --------
        >>> persons = pd.DataFrame({"person_id": ["P1", "P2", "P3"], "birth_year": [1940, 1935, 1951],
        ...                         "recorded_at": ["2026-01-01"] * 3})
        >>> referrals = pd.DataFrame({"referral_id": ["R1"], "person_id": ["P2"], "referred_on": ["2026-02-01"],
        ...                           "recorded_at": ["2026-02-02"]})
        >>> tables = Tables.from_frames({"persons": persons, "referrals": referrals})
        >>> len(tables.persons), len(tables.set_aside), tables.has("events")
        (3, 0, False)
        """
        raws = {name: raw_of_frame(name, frame) for name, frame in frames.items()}
        return cls.checked(raws, program, extract or Extract())

    @classmethod
    def checked(
        cls,
        raws: Mapping[str, RawTable],
        program: Vocabulary | None,
        extract: Extract,
        noticed: Sequence[Notice] = (),
    ) -> Tables:
        """Check raw tables, wherever they were read from; every way of reading ends here.

        Parameters
        ----------
        raws : mapping of str to RawTable
            Table name → rows as they were read, each with its file and line.
        program : Vocabulary or None
            The program whose codes count; None: any well-formed code is allowed.
        extract : Extract
            First and last day, and where ``recorded_at`` comes from.
        noticed : sequence of Notice, optional
            Warnings of what was read before, which join those of the checks.

        Returns
        -------
        Tables
            The checked tables.

        Raises
        ------
        TablesError
            A required table or key column is missing, or a column looks like a direct identifier.
        """
        found = check_tables(raws, program, extract, noticed)
        return cls(
            **found.frames,
            extract=found.extract,
            set_aside=found.set_aside,
            warnings=found.warnings,
            illegal_steps=found.illegal_steps,
            present=found.present,
            phrases=found.phrases,
            observation=None,
        )

    def has(self, name: str) -> bool:
        """Tell whether the source had this table, be it without rows.

        Parameters
        ----------
        name : str
            Name of a table, such as ``"events"``.

        Returns
        -------
        bool
            False too where no table has that name.
        """
        return name in self.present

    def rows_set_aside(self) -> pd.Series:
        """Count the rows that were left out; rows of which only cells were blanked do not count.

        Returns
        -------
        pandas.Series
            One number per table that has any, by table.
        """
        gone = self.set_aside.loc[~self.set_aside["rule"].isin(KEPT_RULES)]
        return gone.drop_duplicates(["table", "source", "line", "key"]).groupby("table").size().astype("Int64")

    def set_aside_in(self, lang: str) -> pd.DataFrame:
        """Return what was set aside, its reasons in a language.

        Parameters
        ----------
        lang : {"en", "fr", "it"}
            The language.

        Returns
        -------
        pandas.DataFrame
            One row per broken rule, as in ``set_aside``: the name of the rule and what was expected in words; names of
            tables and columns, and codes, stay.
        """
        return in_language(self.set_aside, self.phrases, lang)

    def frames(self) -> dict[str, pd.DataFrame]:
        """Return every table by name, the absent ones empty.

        Returns
        -------
        dict of str to pandas.DataFrame
            One frame per table of the contract, in the order of :data:`casestrat.tables.CONTRACTS`.
        """
        return {name: getattr(self, name) for name in CONTRACTS}

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the content of the tables and of their extract, wherever they were read from."""
        content = {name: fingerprint_of_frame(getattr(self, name)) for name in sorted(self.present)}
        return fingerprint_of({"tables": content, "extract": self.extract.content()})

    def for_persons(self, ids: Iterable[str]) -> Tables:
        """Return the rows about these people; tables that are not about people stay whole.

        Parameters
        ----------
        ids : iterable of str
            Pseudonyms.

        Returns
        -------
        Tables
            The same tables with fewer rows.
        """
        wanted = pd.Index(list(ids), dtype=TEXT)
        kept = {}
        for name, contract in CONTRACTS.items():
            frame = getattr(self, name)
            if "person_id" in contract.by_name and len(frame):
                kept[name] = frame.loc[frame["person_id"].isin(wanted)].reset_index(drop=True)
        return replace(self, observation=observation_recorded(self), **kept)
