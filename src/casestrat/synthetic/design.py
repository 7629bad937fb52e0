"""The numbers behind the made-up agency: geriatric as designed, any other program from its vocabulary.

Which of these numbers are sourced and which are assumptions is told in the data card (``data_card.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casestrat.knowledge.program import Outcome, Program

DEATH = "death"


@dataclass(frozen=True, slots=True)
class EventPlan:
    """How one kind of event comes about.

    ``rate`` is a person-year; ``planned_share`` None leaves ``is_planned`` blank; ``days`` is the mean length, 0 for
    events without an end; ``amount`` the median amount, 0 for none; ``detail`` a text given to all.
    """

    rate: float
    planned_share: float | None = None
    days: float = 0.0
    amount: float = 0.0
    detail: str = ""
    is_outcome: bool = False


@dataclass(frozen=True, slots=True)
class Design:
    """Everything the generator is told about a program's people, their lives and the agency's work."""

    program_id: str
    age: tuple[float, float, int, int] = (45.0, 14.0, 18, 90)
    young_share: float = 0.0  # under 60 with a neurodegenerative disease
    neurodegenerative: float = 0.02
    sexes: Mapping[str, float] = field(default_factory=lambda: {"f": 0.5, "m": 0.485, "x": 0.005, "unknown": 0.01})
    languages: Mapping[str, float] = field(default_factory=lambda: {"fr": 0.86, "it": 0.04, "ar": 0.06, "pt": 0.04})
    territories: Mapping[str, float] = field(default_factory=lambda: {"north": 0.55, "south": 0.45})
    sources: Mapping[str, float] = field(default_factory=dict)
    lives_alone: float = 0.45
    caregivers: Mapping[str, float] = field(
        default_factory=lambda: {"none": 0.35, "spouse": 0.2, "child": 0.3, "other": 0.15}
    )
    refuses: float = 0.3
    # outcome events: rate, what they depend on, over-dispersion (standard deviations of the log rate)
    events: Mapping[str, EventPlan] = field(default_factory=dict)
    stay_spread: float = 0.65
    fall_spread: float = 0.8
    helped: float = 0.8  # rate ratio of outcome events while followed
    history_years: float = 3.0  # before the as-of date, from which events are seen
    open_years: float = 2.75  # since the agency takes referrals
    paths: Mapping[str, float] = field(
        default_factory=lambda: {"admit": 0.52, "refuse": 0.24, "relay": 0.20, "withdraw": 0.04}
    )
    first_wait_median: float = 12.5  # days to be heard; the committee's calendar adds the rest
    first_wait_spread: float = 0.7
    place_wait: float = 170.0  # mean days from first hearing to a place, where there was none
    no_place: float = 0.75
    refer_again: float = 0.15
    exits: Mapping[str, float] = field(
        default_factory=lambda: {DEATH: 0.02, "residential_admission": 0.0, "goals_met": 0.45, "moved": 0.15}
    )
    missing_at_random: float = 0.04
    missing_isolated: tuple[float, float] = (0.10, 0.40)  # living alone or refusing; both
    lag: tuple[float, float, float, int] = (0.70, 6.0, 0.02, 60)
    professions: tuple[str, ...] = ("social_worker", "nurse", "occupational_therapist", "psychologist")
    skills: tuple[str, ...] = ("dementia", "mental_health", "palliative", "housing")
    cases_per_fte: int = 34
    cap_per_fte: int = 40
    places: tuple[int, ...] = (8, 6)
    meeting_every: int = 14
    urgency: tuple[float, ...] = (0.2, 0.4, 0.28, 0.12)
    death_spread: float = 0.3
    uses_aggir: bool = False


_LANGUAGES = {"fr": 0.87, "it": 0.04, "ar": 0.06, "pt": 0.03}

GERIATRIC = Design(
    program_id="geriatric",
    age=(82.5, 7.5, 60, 103),
    young_share=0.03,
    neurodegenerative=0.38,
    sexes={"f": 0.655, "m": 0.34, "unknown": 0.005},
    languages=_LANGUAGES,
    sources={
        "hospital": 0.35, "self": 0.05, "family": 0.12, "gp": 0.10, "nurse": 0.05, "social_worker": 0.14,
        "home_care": 0.05, "memory_clinic": 0.03, "community": 0.05, "other": 0.06,
    },
    lives_alone=0.55,
    events={
        "hospital_stay": EventPlan(0.83, planned_share=0.0, days=9.0, is_outcome=True),
        "planned_stay": EventPlan(0.25, planned_share=1.0, days=4.0),
        "ed_visit": EventPlan(0.5, planned_share=0.0),
        "fall": EventPlan(0.8),
        "crisis": EventPlan(0.15),
    },
    exits={DEATH: 0.16, "residential_admission": 0.22, "goals_met": 0.15, "moved": 0.07},
    uses_aggir=True,
)  # fmt: skip

# Mean age, spread, lowest and highest: assumptions, one a program, where the general one would be absurd.
_AGES = {
    "juvenile": (15.5, 1.6, 10, 20),
    "correctional": (36.0, 11.0, 18, 80),
    "managed_care": (62.0, 16.0, 18, 98),
    "medical": (66.0, 14.0, 18, 98),
    "nurse": (70.0, 13.0, 18, 99),
    "clinical": (60.0, 16.0, 18, 98),
    "substance_use": (38.0, 10.0, 18, 75),
}
_SOURCES = {"hospital": 3.0, "gp": 2.0, "court": 2.0, "social_worker": 2.0, "self": 1.5, "school": 1.5}
_OTHER_RATE = 0.12  # a person-year, of event kinds that nothing is known of
_DEATH_RATE = 0.04  # a year, where death is what is foretold
_MORE_YEARS = 2.75  # of follow-up beside the horizon of what is foretold
_RATES = {
    "hospital_stay": EventPlan(0.5, planned_share=0.25, days=6.0),
    "ed_visit": EventPlan(0.8, planned_share=0.0),
    "fall": EventPlan(0.3),
    "crisis": EventPlan(0.4),
    "relapse": EventPlan(0.8),
    "arrest": EventPlan(0.4),
    "eviction": EventPlan(0.15),
    "coverage_lost": EventPlan(0.2),
    "coverage_restored": EventPlan(0.2),
    "overdose": EventPlan(0.15),
    "detox": EventPlan(0.4),
    "linkage": EventPlan(0.3),
    "claim": EventPlan(5.0, amount=220.0),
    "setting_change": EventPlan(0.15),
}


def design_for(program: Program) -> Design:
    """Return the numbers for a program: the designed ones for ``geriatric``, else made from its vocabulary.

    Parameters
    ----------
    program : Program
        The program whose codes, outcomes and rules the agency must use.

    Returns
    -------
    Design
        The numbers, with the sources and event kinds of the program.
    """
    outcome = program.outcomes[program.risk.outcome]
    events = {kind: _RATES.get(kind, EventPlan(_OTHER_RATE)) for kind in program.event_kinds if kind != DEATH}
    if outcome.event in events:
        events = _with_outcome(events, outcome)
    if program.id == GERIATRIC.program_id:
        kept = {kind: plan for kind, plan in GERIATRIC.events.items() if kind in (*program.event_kinds, "planned_stay")}
        return replace(GERIATRIC, sources=_known(GERIATRIC.sources, program), events=kept)
    exits = dict(Design("").exits)
    if "setting_change" in program.event_kinds:
        exits["residential_admission"] = 0.05
    if outcome.event == DEATH:
        exits[DEATH] = _DEATH_RATE
    years = max(Design("").open_years, _MORE_YEARS + (outcome.horizon_days - 365) / 365.25)
    return Design(
        program_id=program.id,
        age=_AGES.get(program.id, Design("").age),
        sources={code: _SOURCES.get(code, 1.0) for code in program.referral.sources} or {"other": 1.0},
        events=events,
        exits=exits,
        open_years=round(years, 2),
        history_years=round(years + 0.25, 2),
        death_spread=Design("").stay_spread if outcome.event == DEATH else Design("").death_spread,
        cases_per_fte=max(1, round(program.allocation.caseload_norm * 0.85)),
        cap_per_fte=max(1, program.allocation.caseload_norm),
        professions=_professions(program),
    )


def _known(shares: Mapping[str, float], program: Program) -> dict[str, float]:
    """Return the shares of the codes that the program has; a code new to the design gets a small one."""
    codes = program.referral.sources
    return {code: shares.get(code, 0.02) for code in codes}


def _with_outcome(events: dict[str, EventPlan], outcome: Outcome) -> dict[str, EventPlan]:
    """Return the events with the foretold one marked, frequent enough to learn from, and told apart as it must be."""
    plan = events[str(outcome.event)]
    where = dict(outcome.where)
    per_horizon = 0.2  # about one person in six has it within the horizon
    rate = per_horizon * 365.25 / max(outcome.horizon_days, 30)
    planned = where.get("is_planned")
    marked = replace(
        plan,
        rate=min(max(plan.rate, rate), 3.0),
        planned_share=None if planned is None and plan.planned_share is None else (1.0 if planned else 0.0),
        detail=str(where.get("detail", plan.detail)),
        is_outcome=True,
    )
    return {**events, str(outcome.event): marked}


def _professions(program: Program) -> tuple[str, ...]:
    """Return the professions of the staff: those the program asks for, else a usual mix."""
    wanted = program.allocation.professions
    return tuple(wanted) if wanted else Design("").professions
