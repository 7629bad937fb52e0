"""The made-up referral forms: who asked, why, and what the form says, known or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.synthetic.blanks import flags_where, numbers_where
from casestrat.synthetic.calendar_days import NEVER, as_dates, as_records

if TYPE_CHECKING:
    from casestrat.knowledge.program import Program
    from casestrat.synthetic.careers import Careers
    from casestrat.synthetic.draws import Draws
    from casestrat.synthetic.people import People

_REASONS = ("help_refused", "fall_risk", "isolation", "carer_exhausted", "several_services", "hospital_discharge")
_NOT_PROFESSIONAL = ("self", "family", "community")


def referrals_table(people: People, program: Program, careers: Careers, ids: np.ndarray, draws: Draws) -> pd.DataFrame:
    """Return the table `referrals`, with the program's yes/no/unknown questions."""
    who, n = draws.of("referrals"), careers.n
    source = who.pick(people.design.sources, n)
    lay = np.isin(source.astype(str), _NOT_PROFESSIONAL)
    recent = (careers.decided >= people.as_of) & (careers.heard >= people.as_of) & (careers.withdrawn >= people.as_of)
    urgency = _urgency(people, careers, who)
    return pd.DataFrame(
        {
            "referral_id": ids,
            "person_id": people.ids[careers.person],
            "referred_on": as_dates(careers.referred),
            "source": source,
            # A request of the family is written with a professional of the desk, most of the time.
            "is_professional": ~lay | ~recent | who.chance(0.7, n),
            "consent": _consent(recent, who, n),
            "urgency": urgency,
            "reasons": _reasons(who, n),
            "is_complete": ~(recent & who.chance(0.2, n)),
            "withdrawn_on": as_dates(np.where(careers.withdrawn < people.as_of, careers.withdrawn, NEVER)),
            "program": program.id,
            **_criteria_inputs(people, program, careers, who),
            "recorded_at": as_records(careers.referred, careers.recorded),
        }
    )


def _urgency(people: People, careers: Careers, who: Draws) -> pd.Series:
    """Return urgency 0 to 3: what the sender says leans on how heavy the situation is; a few say nothing."""
    shares = np.cumsum(people.design.urgency)[:-1]
    lean = np.clip(0.6 * people.severity[careers.person] + 0.4 * who.uniform(careers.n), 0, 1)
    level = np.searchsorted(shares, (lean - 0.2) / 0.6, side="right")
    blank = who.chance(people.design.missing_at_random, careers.n)
    return numbers_where(~blank, level)


def _consent(recent: np.ndarray, who: Draws, n: int) -> np.ndarray:
    """Return consent; requests heard by the committee had it."""
    old = who.pick({"yes": 0.87, "represented": 0.13}, n)
    new = who.pick({"yes": 0.76, "represented": 0.12, "not_collected": 0.08, "no": 0.04}, n)
    return np.where(recent, new, old)


def _reasons(who: Draws, n: int) -> np.ndarray:
    """Return one or two reasons of the request."""
    first, step = who.whole(0, len(_REASONS) - 1, n), who.whole(1, len(_REASONS) - 1, n)
    names = np.array(_REASONS, dtype=object)
    second = names[(first + step) % len(_REASONS)]
    return np.where(who.chance(0.5, n), names[first], names[first] + ";" + second)


def _criteria_inputs(people: People, program: Program, careers: Careers, who: Draws) -> dict[str, pd.Series]:
    """Return the answers on the form: those later refused fail one, those relayed have help, unknown stays unknown."""
    names = program.referral.criteria_inputs
    n, answers = careers.n, {}
    failing = who.whole(0, max(len(names) - 1, 0), n)
    for i, name in enumerate(names):
        fails = (careers.path == "refuse") & (failing == i) & who.chance(0.8, n)
        suits = (careers.path == "relay") & (name == "help_insufficient") & who.chance(0.8, n)
        holds = ~(fails | suits | who.chance(0.03, n))
        if name == "no_capable_entourage":
            holds &= (people.caregiver[careers.person] != "spouse") | who.chance(0.6, n)
        blank = who.chance(people.unknown[careers.person], n)
        answers[name] = flags_where(~blank, holds)
    return answers
