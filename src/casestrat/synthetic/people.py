"""Who the made-up people are, and what drives their lives: the truth that no table shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.synthetic.blanks import flags_where, numbers_where
from casestrat.synthetic.calendar_days import as_dates, as_moments
from casestrat.synthetic.design import DEATH

if TYPE_CHECKING:
    from casestrat.knowledge.program import Outcome
    from casestrat.synthetic.design import Design
    from casestrat.synthetic.draws import Draws, Flags, Floats, Ints

_GIR_SHARES = (0.04, 0.32, 0.26, 0.30, 0.05, 0.03)  # GIR 1 to 6 in gestion de cas


@dataclass(frozen=True)
class People:
    """One made-up population: arrays of one value a person, with the days between which it is seen."""

    ids: np.ndarray
    design: Design
    as_of: int
    seen_from: int
    opened: int
    age: Floats
    sex: np.ndarray
    territory: np.ndarray
    language: np.ndarray
    jurisdiction: np.ndarray
    neurodegenerative: Flags
    alone: Flags
    caregiver: np.ndarray
    refuses: Flags
    severity: Floats  # 0 lightest to 1 heaviest, even
    falls_per_year: Floats
    outcomes_per_year: Floats
    hazard: Floats  # of leaving by death or residential admission, 1 on average
    unknown: Floats  # chance that an item of the person's file is missing

    @property
    def n(self) -> int:
        """How many people there are."""
        return len(self.ids)

    @property
    def gir(self) -> Ints:
        """True GIR, 1 heaviest to 6 lightest."""
        return gir_of(self.severity)


def make_people(design: Design, n: int, draws: Draws, as_of: int, prefix: str = "P") -> People:
    """Draw the people and what drives them."""
    who = draws.of("people")
    age, neuro = _ages(design, n, who)
    alone, refuses = who.chance(design.lives_alone, n), who.chance(design.refuses, n)
    caregiver = who.pick(design.caregivers, n)
    caregiver = np.where(alone & (caregiver == "spouse"), "child", caregiver)
    severity = who.uniform(n)
    fall_factor = who.normal(n)
    falls = np.exp(0.9 * (severity - 0.5) + design.fall_spread * fall_factor)
    outcomes = np.exp(
        1.0 * (severity - 0.5)
        + 0.4 * alone
        + 0.4 * (caregiver == "none")
        + 0.2 * neuro
        + 0.45 * fall_factor
        + design.stay_spread * who.normal(n)
    )
    hazard = np.exp(1.0 * (severity - 0.5) + design.death_spread * who.normal(n))
    fall_rate = design.events["fall"].rate if "fall" in design.events else 0.5
    one, both = design.missing_isolated
    language = who.pick(design.languages, n)
    return People(
        ids=numbered(prefix, n),
        design=design,
        as_of=as_of,
        seen_from=as_of - round(design.history_years * 365.25),
        opened=as_of - round(design.open_years * 365.25),
        age=age,
        sex=who.pick(design.sexes, n),
        territory=who.pick(design.territories, n),
        language=language,
        jurisdiction=np.where((language == "it") & who.chance(0.3, n), "IT", "FR").astype(object),
        neurodegenerative=neuro,
        alone=alone,
        caregiver=caregiver,
        refuses=refuses,
        severity=severity,
        falls_per_year=fall_rate * falls / falls.mean(),
        outcomes_per_year=outcome_rate(design) * outcomes / outcomes.mean(),
        hazard=hazard / hazard.mean(),
        unknown=design.missing_at_random + np.where(alone & refuses, both, np.where(alone | refuses, one, 0.0)),
    )


def gir_of(severity: Floats) -> Ints:
    """Return the GIR of how heavy situations are: 1 heaviest to 6 lightest."""
    edges = np.cumsum(_GIR_SHARES)[:-1]
    return 1 + np.searchsorted(edges, 1.0 - severity, side="right").astype(np.int64)


def outcome_rate(design: Design) -> float:
    """Return how often the foretold event happens, a person-year; 0 where the outcome is no event."""
    return sum(plan.rate for plan in design.events.values() if plan.is_outcome)


def numbered(prefix: str, n: int, start: int = 1, width: int = 4) -> np.ndarray:
    """Return ids of one length, such as P0001: they sort as their numbers do."""
    if not n:
        return np.array([], dtype=object)
    width = max(width, len(str(start + n)))
    digits = np.char.zfill(np.arange(start, start + n).astype(str), width)
    return np.char.add(prefix, digits).astype(object)


def _ages(design: Design, n: int, who: Draws) -> tuple[Floats, Flags]:
    """Return ages and who has a neurodegenerative disease; the few below 60 of a geriatric program all have one."""
    mean, spread, low, high = design.age
    age = np.clip(mean + spread * who.normal(n), low, high)
    young = who.chance(design.young_share, n)
    age = np.where(young, 45.0 + 15.0 * who.uniform(n), age)
    return age, who.chance(design.neurodegenerative, n) | young


def persons_table(people: People, died_on: Ints, draws: Draws) -> pd.DataFrame:
    """Return the table `persons`."""
    who, n = draws.of("persons"), people.n
    born = people.as_of / 365.25 + 1970.0 - people.age
    unknown = who.chance(people.unknown / 2, n)
    foreign = people.language != "fr"
    return pd.DataFrame(
        {
            "person_id": people.ids,
            "birth_year": np.floor(born).astype(np.int64),
            "birth_month": numbers_where(~who.chance(0.05, n), 1 + np.floor((born % 1.0) * 12)),
            "sex": people.sex,
            "territory": people.territory,
            "jurisdiction": people.jurisdiction,
            "language": people.language,
            "interpreter_needed": foreign & who.chance(0.6, n),
            "neurodegenerative": flags_where(~unknown, people.neurodegenerative),
            "objects_to_scoring": who.chance(0.04, n),
            "died_on": as_dates(died_on),
            "observed_from": as_dates(np.full(n, people.seen_from)),
            "recorded_at": as_moments(np.full(n, people.seen_from), np.zeros(n, dtype=np.int64)),
        }
    )


def true_risk(people: People, outcome: Outcome) -> Floats:
    """Return the probability of the foretold event within its horizon, without help; missing for a score."""
    if outcome.event == DEATH:
        rate = people.design.exits[DEATH] * people.hazard
    elif outcome_rate(people.design) > 0:
        rate = people.outcomes_per_year
    else:
        return np.full(people.n, np.nan)
    return np.round(1.0 - np.exp(-rate * outcome.horizon_days / 365.25), 6)


def truth_frame(people: People, outcome: Outcome) -> pd.DataFrame:
    """Return what is true of each person and stands in no table: rates, and the risk without help."""
    return pd.DataFrame(
        {
            "person_id": people.ids,
            "risk": true_risk(people, outcome),
            "severity": np.round(people.severity, 6),
            "gir": people.gir,
            "outcomes_per_year": np.round(people.outcomes_per_year, 6),
            "falls_per_year": np.round(people.falls_per_year, 6),
            "hazard": np.round(people.hazard, 6),
            "lives_alone": people.alone,
            "caregiver": people.caregiver,
            "refuses_help": people.refuses,
        }
    )
