"""How the work is spread over case managers now: minutes asked for and minutes there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.caseload.following import UNKNOWN, Standing, of_program
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from casestrat.knowledge import Program
    from casestrat.tables import Tables


def staff_in_post(tables: Tables, program: Program, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return who works for the program on the last day before a date, with the places each has.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        Whose staff counts; a row that names no program is its own.
    as_of : pandas.Timestamp
        The date; the day itself does not count.

    Returns
    -------
    pandas.DataFrame
        One row per case manager, in order of id: the columns of `case_managers` and places (max_cases, else the
        program's norm for the share of full time).
    """
    staff = tables.case_managers
    begun = staff["starts_on"].isna() | (staff["starts_on"] < as_of)
    staff = staff[of_program(staff, program) & begun & (staff["ends_on"].isna() | (staff["ends_on"] >= as_of))]
    norm = (staff["fte"] * program.allocation.caseload_norm).round()
    places = staff["max_cases"].astype("float64").fillna(norm)
    return staff.assign(team=staff["team"].fillna(UNKNOWN), places=places).sort_values("cm_id", ignore_index=True)


def workload_now(tables: Tables, program: Program, as_of: pd.Timestamp | str) -> pd.DataFrame:
    """Return the minutes a week that open cases ask for, and those each case manager has for them.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        Whose intensities hold the minutes.
    as_of : pandas.Timestamp or str
        The date; the day itself does not count.

    Returns
    -------
    pandas.DataFrame
        One row per case manager in post, in order of id and never ranked: cm_id, team, cases, minutes (a week),
        capacity_minutes (a week, without the share of work that is about no case), utilisation (missing where there
        is no capacity).

    Examples
    --------
    >>> from casestrat.knowledge import load_program
    >>> from casestrat.tables import Tables
    >>> tables = Tables.from_frames({
    ...     "persons": pd.DataFrame({"person_id": ["P1", "P2", "P3"], "recorded_at": "2026-01-01"}),
    ...     "referrals": pd.DataFrame({"referral_id": ["R1"], "person_id": ["P1"], "referred_on": ["2026-01-02"],
    ...                                "recorded_at": ["2026-01-02"]}),
    ...     "case_managers": pd.DataFrame({"cm_id": ["CM1"], "team": ["a"], "fte": [1], "minutes_per_week": [2100]})})
    >>> workload_now(tables, load_program("geriatric"), "2026-03-01")[["cm_id", "cases", "capacity_minutes"]]
      cm_id  cases  capacity_minutes
    0   CM1      0              1575
    """
    return workload_on(Standing(tables, program, pd.Timestamp(as_of)))


def workload_on(day: Standing) -> pd.DataFrame:
    """Return the minutes, as :func:`workload_now`, of a date that is asked about several things."""
    program = day.program
    staff = staff_in_post(day.tables, program, day.as_of)
    episodes = day.open_episodes
    weights = {name: level.minutes_per_week for name, level in program.intensities.items()}
    heaviest = max(weights.values())
    minutes = episodes["intensity"].map(weights).fillna(heaviest).astype("int64")
    by_cm = minutes.groupby(episodes["cm_id"]).agg(["size", "sum"])
    ids = staff["cm_id"]
    capacity = (staff["minutes_per_week"].astype("float64") * (1 - program.allocation.non_case_share)).round()
    asked = ids.map(by_cm["sum"]).fillna(0).astype("int64")
    frame = pd.DataFrame(
        {
            "cm_id": ids.astype(TEXT),
            "team": staff["team"].astype(TEXT),
            "cases": ids.map(by_cm["size"]).fillna(0).astype("Int64"),
            "minutes": asked.astype("Int64"),
            "capacity_minutes": capacity.astype("Int64"),
            "utilisation": np.where(capacity > 0, asked / capacity.where(capacity > 0), np.nan),
        }
    )
    return frame.reset_index(drop=True)
