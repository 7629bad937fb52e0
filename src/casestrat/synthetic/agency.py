"""A made-up agency whose true risks are known."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.knowledge import Instrument, Program, load_instrument, load_program
from casestrat.synthetic.answers import answers_tables
from casestrat.synthetic.calendar_days import NEVER, date_of, day_number
from casestrat.synthetic.careers import Careers, Lives, make_careers
from casestrat.synthetic.committee import decisions_table, episodes_table, meetings_table
from casestrat.synthetic.design import DEATH, Design, design_for
from casestrat.synthetic.draws import Draws, Ints
from casestrat.synthetic.followup import contacts_table, plans_tables, services_table
from casestrat.synthetic.health import (
    diagnoses_table,
    enrollments_table,
    events_table,
    facts_table,
    measurements_table,
)
from casestrat.synthetic.people import People, make_people, numbered, persons_table, truth_frame
from casestrat.synthetic.referral_forms import referrals_table
from casestrat.synthetic.staff import assignments_table, follow, make_staff, staff_tables, wishes_tables
from casestrat.tables import Extract, Tables

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

AS_OF = dt.date(2026, 10, 1)
"""The day that a made-up agency is seen on."""

TIMEZONE = "Europe/Paris"
_MOST_PEOPLE = 5_000_000  # of one agency; more are written shard by shard


@dataclass(frozen=True)
class Agency:
    """A made-up agency.

    Parameters
    ----------
    tables : Tables
        Its checked tables, as a site would give them.
    truth : pandas.DataFrame
        One row per person: person_id, risk (true probability of the program's outcome within its horizon, without
        help; missing where the outcome is a score), and what drives it.
    as_of : datetime.date
        The day it is seen on: nothing recorded later is in the tables.
    """

    tables: Tables
    truth: pd.DataFrame
    as_of: dt.date


def synthesize(program: Program | str | Path, people: int = 2_000, random_state: int = 0) -> Agency:
    """Make up an agency: its people, their lives, its work, and the risks that no table shows.

    Parameters
    ----------
    program : Program, str or Path
        A program, its name, or the path of its TOML. ``geriatric`` is modelled on a French gestion de cas; any other
        is made from its own vocabulary.
    people : int, default 2000
        How many people there are, at least 20.
    random_state : int, default 0
        Seed; the same seed gives the same agency on every machine.

    Returns
    -------
    Agency
        Checked tables, and one row per person of what is true.

    Raises
    ------
    UsageError
        ``people`` or ``random_state`` cannot be used.

    Examples
    --------
    >>> agency = synthesize("geriatric", people=60, random_state=1)
    >>> len(agency.tables.persons), len(agency.truth), len(agency.tables.set_aside)
    (60, 60, 0)
    """
    program = load_program(program)
    frames, truth = synthesize_frames(program, people, random_state)
    return Agency(Tables.from_frames(frames, program, extract_of(program)), truth, AS_OF)


def extract_of(program: Program, design: Design | None = None) -> Extract:
    """Return what is known of a made-up extract as a whole."""
    design = design or design_for(program)
    start = date_of(day_number(AS_OF) - round(design.history_years * 365.25))
    return Extract(
        program=program.id,
        data_start=pd.Timestamp(start).as_unit("us"),
        data_end=pd.Timestamp(AS_OF).as_unit("us"),
        timezone=TIMEZONE,
        recorded_at="column",
    )


def synthesize_frames(
    program: Program, people: int, random_state: int, shard: int | None = None
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Return the unchecked tables of a made-up agency, and the truth behind them.

    Parameters
    ----------
    program : Program
        The program it works for.
    people : int
        How many people there are; 20 or more.
    random_state : int
        Seed; 0 or more.
    shard : int, optional
        Number of a part of a larger agency: ids begin with it, and the part has its own staff and committee.

    Returns
    -------
    tuple of dict and pandas.DataFrame
        Frames by table name; one row per person of what is true.

    Raises
    ------
    UsageError
        ``people`` is below 20 or beyond what one agency can be, or ``random_state`` is negative.
    """
    if not 20 <= people <= _MOST_PEOPLE:
        raise UsageError(f"people must lie in 20–{_MOST_PEOPLE}", do="give a number such as 2000")
    if random_state < 0:
        raise UsageError("random_state must not be negative", do="give a whole number such as 0")
    draws = Draws(random_state) if shard is None else Draws(random_state, shard)
    mark = "" if shard is None else f"{shard:03d}-"
    crowd = make_people(design_for(program), people, draws, day_number(AS_OF), prefix=f"P{mark}")
    frames = _frames(crowd, program, draws, mark)
    return frames, truth_frame(crowd, program.outcomes[program.risk.outcome])


def _frames(people: People, program: Program, draws: Draws, mark: str) -> dict[str, pd.DataFrame]:
    """Return every table of the agency."""
    careers, lives = make_careers(people, draws)
    ids = numbered(f"R{mark}", careers.n)
    services = services_table(people)
    episodes, rows = episodes_table(people, program, careers, ids, draws, prefix=f"E{mark}")
    frames = {
        "referrals": referrals_table(people, program, careers, ids, draws),
        "committee_meetings": meetings_table(people, program, careers),
        "episodes": episodes,
        "services": services,
        "events": events_table(people, program, careers, lives, draws),
    }
    frames["persons"] = persons_table(people, _known_deaths(people, frames["events"], lives.death, program), draws)
    frames["decisions"] = decisions_table(people, program, careers, ids, services, draws)
    states = episodes["state"].to_numpy(dtype=object)
    frames["person_facts"] = facts_table(people, program, careers, lives, rows, states, draws)
    frames["diagnoses"] = diagnoses_table(people, lives, draws)
    measurements = measurements_table(people, program, lives, draws)
    if measurements is not None:
        frames["measurements"] = measurements
    if program.population == "enrolled":
        frames["enrollments"] = enrollments_table(people, lives, draws)
    frames.update(answers_tables(people, program, _instruments(program), careers, lives, draws))
    frames.update(_work(people, program, careers, lives, rows, frames, draws, mark))
    return frames


def _known_deaths(people: People, events: pd.DataFrame, death: Ints, program: Program) -> Ints:
    """Return the days of the deaths that the system knows of; without death events, of all of them."""
    if DEATH not in program.event_kinds:
        return np.where(death < people.as_of, death, NEVER)
    known = set(events.loc[events["kind"] == DEATH, "person_id"])
    return np.where(pd.Index(people.ids).isin(known), death, NEVER)


def _instruments(program: Program) -> Mapping[str, Instrument]:
    """Return the program's instruments by name."""
    return {name: load_instrument(name) for name in program.instruments}


def _work(
    people: People,
    program: Program,
    careers: Careers,
    lives: Lives,
    rows: Ints,
    frames: Mapping[str, pd.DataFrame],
    draws: Draws,
    mark: str,
) -> dict[str, pd.DataFrame]:
    """Return the tables of the staff and its work."""
    episodes, person = frames["episodes"], careers.person[rows]
    staff = make_staff(people, program, _most_followed(people, careers.take(rows)), prefix=f"CM{mark}")
    following = follow(people, staff, careers, rows, program.allocation.licensed_professions, draws)
    stays = frames["events"]
    stays = stays[(stays["kind"] == "hospital_stay") & stays["ended_at"].notna()]
    tables = staff_tables(people, program, staff, draws)
    tables["assignments"] = assignments_table(people, staff, following, episodes, person, draws, prefix=f"G{mark}")
    is_dead = lives.death[person] < people.as_of
    tables["contacts"] = contacts_table(
        people, program, episodes, following, staff, stays, is_dead, draws, prefix=f"K{mark}"
    )
    return {**tables, **plans_tables(people, episodes, draws, mark), **wishes_tables(people, staff, draws)}


def _most_followed(people: People, episodes: Careers) -> int:
    """Return the most people followed on one day, which the staff is made for."""
    days = np.concatenate([episodes.admitted, np.minimum(episodes.closed, people.as_of + 1)])
    step = np.concatenate([np.ones(episodes.n, np.int64), -np.ones(episodes.n, np.int64)])
    order = np.lexsort((step, days))
    inside = days[order] < people.as_of
    return int(np.cumsum(step[order][inside]).max(initial=1))
