"""Who was followed, by whom, from when to when, as it was known on a date."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.tables import TEXT
from casestrat.timeline import known, status_on

if TYPE_CHECKING:
    from casestrat.knowledge import Program
    from casestrat.tables import Tables

UNASSIGNED = "unassigned"
UNKNOWN = "unknown"


@dataclass(frozen=True, eq=False)
class Standing:
    """What was known on one date, each part looked up once: whoever asks several things on a date shares it.

    Attributes
    ----------
    tables : Tables
        The checked tables.
    program : Program
        Whose rows count; a row that names no program is its own.
    as_of : pandas.Timestamp
        The date; the day itself does not count.
    """

    tables: Tables
    program: Program
    as_of: pd.Timestamp

    @cached_property
    def territories(self) -> pd.Series:
        """Territory each person lived in, by person_id; ``unknown`` where it is missing."""
        persons = known(self.tables.persons, "person_id", self.as_of).set_index("person_id")["territory"]
        facts = self.tables.person_facts
        facts = known(facts[facts["fact"] == "territory"], ["person_id", "fact", "valid_from"], self.as_of)
        facts = facts[facts["valid_from"] < self.as_of]
        facts = facts[facts["valid_to"].isna() | (facts["valid_to"] >= self.as_of - pd.Timedelta(days=1))]
        facts = facts.sort_values("valid_from", kind="stable").drop_duplicates("person_id", keep="last")
        dated = facts.set_index("person_id")["value"].reindex(persons.index)
        return dated.fillna(persons).fillna(UNKNOWN).astype(TEXT)

    def territory_of(self, person_id: pd.Series) -> pd.Series:
        """Return the territory of each of these people."""
        return person_id.map(self.territories).astype(TEXT).fillna(UNKNOWN)

    @cached_property
    def episodes(self) -> pd.DataFrame:
        """Episodes admitted before the date, one row each.

        The columns of `episodes` (closed_on only where it lies before the date), cm_id (lead on the date, missing where
        there is none), team (of the last lead known, ``unassigned`` where there never was one) and territory.
        """
        rows = known(self.tables.episodes, "episode_id", self.as_of)
        rows = rows[of_program(rows, self.program) & (rows["admitted_on"] < self.as_of)]
        is_closed = (rows["closed_on"] < self.as_of).fillna(False)
        leads = leads_known(self.tables, self.as_of)
        current = leads[leads["to_on"].isna() | (leads["to_on"] >= self.as_of)].set_index("episode_id")["cm_id"]
        last = leads.set_index("episode_id")["cm_id"]
        teams = self.tables.case_managers.set_index("cm_id")["team"].fillna(UNKNOWN)
        ids = rows["episode_id"]
        return rows.assign(
            closed_on=rows["closed_on"].where(is_closed),
            close_reason=rows["close_reason"].where(is_closed),
            cm_id=ids.map(current).astype(TEXT),
            team=ids.map(last).astype(TEXT).map(teams).astype(TEXT).fillna(UNASSIGNED),
            territory=self.territory_of(rows["person_id"]),
        ).reset_index(drop=True)

    @cached_property
    def open_episodes(self) -> pd.DataFrame:
        """Episodes open on the date."""
        return self.episodes[stock_at(self.episodes, self.as_of)]

    @cached_property
    def referrals(self) -> pd.DataFrame:
        """Referrals made, with their territory."""
        rows = known(self.tables.referrals, "referral_id", self.as_of)
        rows = rows[of_program(rows, self.program)]
        return rows.assign(territory=self.territory_of(rows["person_id"]))

    @cached_property
    def contacts(self) -> pd.DataFrame:
        """Contacts, those planned among them."""
        return known(self.tables.contacts, "contact_id", self.as_of)

    @cached_property
    def status(self) -> pd.DataFrame:
        """Where everyone stood."""
        return status_on(self.tables, self.program, self.as_of)


def leads_known(tables: Tables, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the last lead of each episode known on a date: episode_id, person_id, cm_id, from_on, to_on."""
    rows = known(tables.assignments, "assignment_id", as_of)
    rows = rows[(rows["role"] == "lead") & (rows["from_on"] < as_of)]
    rows = rows.sort_values(["episode_id", "from_on", "assignment_id"], kind="stable")
    return rows.drop_duplicates("episode_id", keep="last")


def of_program(frame: pd.DataFrame, program: Program) -> pd.Series:
    """Return which rows are of this program: those that name it, and those that name none."""
    return (frame["program"].isna() | (frame["program"] == program.id)).astype(bool)


def stock_at(episodes: pd.DataFrame, date: pd.Timestamp) -> np.ndarray:
    """Return which episodes were open at the beginning of a day: admitted before it, and not closed before it.

    With the half-open counts of admissions and closings in ``[start, end)`` it follows that
    ``stock(end) = stock(start) + in − out``.
    """
    day = date.to_datetime64()
    admitted, closed = episodes["admitted_on"].to_numpy(), episodes["closed_on"].to_numpy()
    return np.asarray((admitted < day) & ~(closed < day))  # a missing day is before none


def within(days: pd.Series, start: pd.Timestamp, end: pd.Timestamp) -> np.ndarray:
    """Return which days lie in the half-open period [start, end); a missing day lies in none."""
    moments = days.to_numpy()
    return np.asarray((moments >= start.to_datetime64()) & (moments < end.to_datetime64()))
