"""Who was followed, by whom, from when to when, as it was known on a date."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from casestrat.tables import TEXT
from casestrat.timeline import known

if TYPE_CHECKING:
    import numpy as np

    from casestrat.knowledge import Program
    from casestrat.tables import Tables

UNASSIGNED = "unassigned"
UNKNOWN = "unknown"


def episodes_known(tables: Tables, program: Program, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the program's episodes known on a date, with their lead, team and territory.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        Whose episodes count; a row that names no program is its own.
    as_of : pandas.Timestamp
        The date; the day itself does not count.

    Returns
    -------
    pandas.DataFrame
        One row per episode admitted before the date: the columns of `episodes` (closed_on only where it lies before
        the date), cm_id (lead on the date, missing where there is none), team (of the last lead known, ``unassigned``
        where there never was one) and territory (``unknown`` where it is missing).
    """
    episodes = known(tables.episodes, "episode_id", as_of)
    episodes = episodes[of_program(episodes, program) & (episodes["admitted_on"] < as_of)]
    is_closed = (episodes["closed_on"] < as_of).fillna(False)
    leads = leads_known(tables, as_of)
    current = leads[leads["to_on"].isna() | (leads["to_on"] >= as_of)].set_index("episode_id")["cm_id"]
    last = leads.set_index("episode_id")["cm_id"]
    teams = team_of(tables)
    return episodes.assign(
        closed_on=episodes["closed_on"].where(is_closed),
        close_reason=episodes["close_reason"].where(is_closed),
        cm_id=episodes["episode_id"].map(current).astype(TEXT),
        team=episodes["episode_id"].map(last).astype(TEXT).map(teams).astype(TEXT).fillna(UNASSIGNED),
        territory=territory_of(tables, episodes["person_id"], as_of),
    ).reset_index(drop=True)


def leads_known(tables: Tables, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the last lead of each episode known on a date: episode_id, person_id, cm_id, from_on, to_on."""
    rows = known(tables.assignments, "assignment_id", as_of)
    rows = rows[(rows["role"] == "lead") & (rows["from_on"] < as_of)]
    rows = rows.sort_values(["episode_id", "from_on", "assignment_id"], kind="stable")
    return rows.drop_duplicates("episode_id", keep="last")


def of_program(frame: pd.DataFrame, program: Program) -> pd.Series:
    """Return which rows are of this program: those that name it, and those that name none."""
    return (frame["program"].isna() | (frame["program"] == program.id)).astype(bool)


def team_of(tables: Tables) -> pd.Series:
    """Return each case manager's team, by cm_id; a missing team is ``unknown``."""
    return tables.case_managers.set_index("cm_id")["team"].fillna(UNKNOWN)


def territory_of(tables: Tables, person_id: pd.Series, as_of: pd.Timestamp) -> pd.Series:
    """Return the territory each person lived in as known on a date, ``unknown`` where it is missing."""
    facts = known(tables.person_facts, ["person_id", "fact", "valid_from"], as_of)
    facts = facts[(facts["fact"] == "territory") & (facts["valid_from"] < as_of)]
    facts = facts[facts["valid_to"].isna() | (facts["valid_to"] >= as_of - pd.Timedelta(days=1))]
    facts = facts.sort_values("valid_from", kind="stable").drop_duplicates("person_id", keep="last")
    persons = known(tables.persons, "person_id", as_of).set_index("person_id")["territory"]
    dated = person_id.map(facts.set_index("person_id")["value"]).astype(TEXT)
    return dated.fillna(person_id.map(persons).astype(TEXT)).fillna(UNKNOWN)


def stock_at(episodes: pd.DataFrame, date: pd.Timestamp) -> np.ndarray:
    """Return which episodes were open at the beginning of a day: admitted before it, and not closed before it.

    With the half-open counts of admissions and closings in ``[start, end)`` it follows that
    ``stock(end) = stock(start) + in − out``.
    """
    closed = episodes["closed_on"]
    return ((episodes["admitted_on"] < date) & (closed.isna() | (closed >= date))).to_numpy(dtype=bool)


def within(days: pd.Series, start: pd.Timestamp, end: pd.Timestamp) -> np.ndarray:
    """Return which days lie in the half-open period [start, end); a missing day lies in none."""
    return ((days >= start) & (days < end)).to_numpy(dtype=bool)
