"""What happened to the made-up people: events, dated facts, measurements, diagnoses, coverage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.synthetic.calendar_days import NEVER, as_dates, as_moments, as_records, record_days
from casestrat.synthetic.careers import Careers, Lives
from casestrat.synthetic.design import DEATH, EventPlan
from casestrat.synthetic.people import People, numbered

if TYPE_CHECKING:
    from casestrat.knowledge.program import Program
    from casestrat.synthetic.draws import Draws, Floats, Ints

# Mean, spread, lowest, highest, decimals, unit, and whether more (1) or less (-1) is worse: assumptions.
_MEASURES: dict[str, tuple[float, float, float, float, int, str, int]] = {
    "hdl": (52.0, 14.0, 15.0, 130.0, 0, "mg/dL", -1),
    "chol": (195.0, 38.0, 80.0, 400.0, 0, "mg/dL", 1),
    "sbp": (134.0, 17.0, 80.0, 230.0, 0, "mmHg", 1),
    "dbp": (77.0, 11.0, 40.0, 140.0, 0, "mmHg", 1),
    "smoke": (0.1, 0.45, 0.0, 1.0, 0, "yes or no", 1),
    "fib4": (1.4, 0.7, 0.2, 9.0, 2, "index", 1),
    "bmi": (29.0, 5.5, 15.0, 60.0, 1, "kg/m2", 1),
    "weight": (74.0, 15.0, 35.0, 180.0, 1, "kg", -1),
    "hba1c": (6.8, 1.2, 4.5, 14.0, 1, "%", 1),
    "chronic_conditions": (2.0, 1.4, 0.0, 12.0, 0, "conditions", 1),
    "pcs": (46.0, 10.0, 10.0, 75.0, 1, "points", -1),
    "mcs": (32.0, 12.0, 5.0, 75.0, 1, "points", -1),
}
_CORRECTED, _RETRACTED = 0.004, 0.002  # shares of events that are recorded a second time
_INDEX = (50.0, 20.0, 0.0, 100.0, 1, "index", 1)
_NAME_OTHERS = ("caregiver_id", "household")  # facts that name other people; the made-up ones live without them
_CODES = ("I50", "J44", "F03", "G20", "G30", "E11", "I10", "N18", "F32", "M81")


def events_table(people: People, program: Program, careers: Careers, lives: Lives, draws: Draws) -> pd.DataFrame:
    """Return the table `events`: every kind of the program, known before the as-of date."""
    parts = [
        _events_of(people, "hospital_stay" if kind == "planned_stay" else kind, plan, careers, lives, draws.of(kind))
        for kind, plan in people.design.events.items()
    ]
    if "hospital" in people.design.sources and "hospital_stay" in program.event_kinds:
        parts.append(_index_stays(people, careers, draws.of("index stays")))
    if DEATH in program.event_kinds:
        parts.append(_one_each(people, DEATH, lives.death, "", draws.of(DEATH)))
    if "setting_change" in program.event_kinds:
        moves = np.where(lives.residential < lives.death, lives.residential, NEVER)
        parts.append(_one_each(people, "setting_change", moves, "residential", draws.of("residential")))
    every = pd.concat(parts, ignore_index=True)
    every = every[every["recorded"] < people.as_of]
    every = every.iloc[np.lexsort((every["minute"], every["day"], every["person"]))]
    every = every.assign(id=numbered("V" + people.ids[0].rstrip("0123456789")[1:], len(every)), is_void=False)
    every = pd.concat([every, *_second_thoughts(people, every, draws.of("second thoughts"))], ignore_index=True)
    return pd.DataFrame(
        {
            "event_id": every["id"].to_numpy(),
            "person_id": people.ids[every["person"].to_numpy()],
            "kind": every["kind"].to_numpy(),
            "observed_at": as_moments(every["day"].to_numpy(), every["minute"].to_numpy()),
            "ended_at": as_moments(every["ended"].to_numpy(), np.full(len(every), 11 * 60)),
            "is_planned": pd.array(every["is_planned"].to_numpy(), dtype="boolean"),
            "amount": every["amount"].to_numpy(),
            "detail": every["detail"].to_numpy(),
            "recorded_at": as_records(every["day"].to_numpy(), every["recorded"].to_numpy()),
            "is_void": every["is_void"].to_numpy(dtype=bool),
        }
    )


def _second_thoughts(people: People, every: pd.DataFrame, who: Draws) -> list[pd.DataFrame]:
    """Return later versions of a few events: some moved to the day before, some retracted; never a death."""
    n = len(every)
    again = every["recorded"].to_numpy() + who.whole(3, 40, n)
    kind, draw = every["kind"].to_numpy(dtype=object), who.uniform(n)
    usable = (again < people.as_of) & (kind != DEATH) & (kind != "setting_change")
    corrected = usable & (draw < _CORRECTED) & (every["day"].to_numpy() > people.seen_from)
    retracted = usable & (draw > 1.0 - _RETRACTED)
    every = every.assign(recorded=again)
    moved = every[corrected]
    return [moved.assign(day=moved["day"] - 1), every[retracted].assign(is_void=True)]


def _events_of(people: People, kind: str, plan: EventPlan, careers: Careers, lives: Lives, who: Draws) -> pd.DataFrame:
    """Return the events of one kind, spread evenly over the time each person is seen alive."""
    until = np.minimum(lives.death, people.as_of)
    seen = np.maximum(until - people.seen_from, 0)
    count = who.poisson(_rates(people, kind, plan) * seen / 365.25)
    person = np.repeat(np.arange(people.n), count)
    day = people.seen_from + np.floor(who.uniform(len(person)) * seen[person]).astype(np.int64)
    if plan.is_outcome:
        kept = ~_followed(people, careers, person, day) | who.chance(people.design.helped, len(person))
        person, day = person[kept], day[kept]
    return _as_frame(people, kind, plan, person, day, lives, who)


def _rates(people: People, kind: str, plan: EventPlan) -> Floats:
    """Return each person's events a year."""
    if plan.is_outcome:
        return people.outcomes_per_year
    if kind == "fall":
        return people.falls_per_year
    lean: Floats = np.exp(0.6 * (people.severity - 0.5))
    rates: Floats = plan.rate * lean / lean.mean()
    return rates


def _followed(people: People, careers: Careers, person: Ints, day: Ints) -> np.ndarray:
    """Return whether each person was followed on a day, in the first episode or the second."""
    inside = np.zeros(len(person), dtype=bool)
    for turn in (1, 2):
        chosen = careers.round == turn
        start, end = np.full(people.n, NEVER), np.full(people.n, NEVER)
        start[careers.person[chosen]] = careers.admitted[chosen]
        end[careers.person[chosen]] = careers.closed[chosen]
        inside |= (day >= start[person]) & (day < end[person])
    return inside


def _as_frame(
    people: People, kind: str, plan: EventPlan, person: Ints, day: Ints, lives: Lives, who: Draws
) -> pd.DataFrame:
    """Return events with their time of day, length, amount and day of record."""
    n = len(person)
    ended = day + np.ceil(who.exponential(max(plan.days, 1.0), n)).astype(np.int64)
    ended = np.minimum(ended, np.maximum(lives.death[person], day + 1))
    ended = np.where((plan.days > 0) & (ended < people.as_of), ended, NEVER)
    planned = who.chance(plan.planned_share or 0.0, n)
    amount = np.round(plan.amount * np.exp(1.1 * who.normal(n)), 2) if plan.amount else np.full(n, np.nan)
    return pd.DataFrame(
        {
            "person": person,
            "kind": kind,
            "day": day,
            "minute": who.whole(0, 1075, n),
            "ended": ended,
            "is_planned": planned if plan.planned_share is not None else np.full(n, None, dtype=object),
            "amount": amount,
            "detail": plan.detail or None,
            "recorded": record_days(who, day, people.design.lag),
        }
    ).astype({"is_planned": object, "detail": object})


def _index_stays(people: People, careers: Careers, who: Draws) -> pd.DataFrame:
    """Return the unplanned stays out of which hospitals refer: a third of all referrals follow one."""
    chosen = np.flatnonzero((careers.round < 3) & who.chance(0.3, careers.n))
    one = careers.take(chosen)
    plan = EventPlan(0.0, planned_share=0.0, days=9.0)
    day = one.referred - who.whole(2, 14, one.n)
    never = Lives(np.full(people.n, NEVER), np.full(people.n, NEVER))
    return _as_frame(people, "hospital_stay", plan, one.person, day, never, who)


def _one_each(people: People, kind: str, day: Ints, detail: str, who: Draws) -> pd.DataFrame:
    """Return an event that happens to a person at most once, on a given day."""
    person = np.flatnonzero(day < people.as_of)
    never = Lives(np.full(people.n, NEVER), np.full(people.n, NEVER))
    return _as_frame(people, kind, EventPlan(0.0, detail=detail), person, day[person], never, who)


def facts_table(
    people: People, program: Program, careers: Careers, lives: Lives, rows: Ints, states: np.ndarray, draws: Draws
) -> pd.DataFrame:
    """Return the table `person_facts`: what changes about a person, each value with its days."""
    who, n = draws.of("facts"), people.n
    start = np.full(n, people.seen_from)
    blank = who.chance(people.unknown, n)
    values = {
        "lives_alone": np.where(blank, "unknown", np.where(people.alone, "yes", "no")),
        "caregiver": np.where(who.chance(people.unknown, n), "unknown", people.caregiver),
        "territory": people.territory,
        "protection": who.pick({"none": 0.82, "guardianship": 0.06, "curatorship": 0.08, "requested": 0.04}, n),
        "housing": who.pick({"owner": 0.55, "tenant": 0.4, "unstable": 0.05}, n),
        "setting": np.full(n, "home", dtype=object),
        "primary_substance": who.pick({"alcohol": 0.45, "cocaine": 0.3, "heroin": 0.25}, n),
        "insured": who.pick({"yes": 0.6, "no": 0.36, "unknown": 0.04}, n),
    }
    parts = []
    for fact in program.facts:
        if fact == "state":
            parts.append(_states(people, careers, rows, states, who))
            continue
        if fact in _NAME_OTHERS:
            continue
        value = values.get(fact)
        if value is None:
            value = np.where(who.chance(people.unknown, n), "unknown", who.pick({"yes": 0.4, "no": 0.6}, n))
        leaves = np.where(lives.residential < lives.death, lives.residential, NEVER)
        end = np.where(leaves < people.as_of, leaves, NEVER) if fact == "setting" else np.full(n, NEVER)
        parts.append(_facts(np.arange(n), fact, value, start, end))
        if fact == "setting":
            moved = np.flatnonzero(end < NEVER)
            nowhere = np.full(len(moved), NEVER)
            parts.append(_facts(moved, fact, np.full(len(moved), "residential"), end[moved] + 1, nowhere))
    every = pd.concat(parts, ignore_index=True)
    day = every["from"].to_numpy()
    recorded = np.where(day == people.seen_from, day, record_days(who, day, people.design.lag))
    every = every[recorded < people.as_of]
    recorded = recorded[recorded < people.as_of]
    return pd.DataFrame(
        {
            "person_id": people.ids[every["person"].to_numpy()],
            "fact": every["fact"].to_numpy(),
            "value": every["value"].to_numpy(),
            "valid_from": as_dates(every["from"].to_numpy()),
            "valid_to": as_dates(every["to"].to_numpy()),
            "recorded_at": as_records(every["from"].to_numpy(), recorded),
        }
    )


def _facts(person: Ints, fact: str, value: np.ndarray, start: Ints, end: Ints) -> pd.DataFrame:
    """Return one fact of several people."""
    return pd.DataFrame(
        {"person": person, "fact": fact, "value": value.astype(object), "from": start, "to": end}
    ).astype({"fact": object})


def _states(people: People, careers: Careers, rows: Ints, states: np.ndarray, who: Draws) -> pd.DataFrame:
    """Return the dated states of episodes: active at first, then suspended or on watch where they are so today."""
    one = careers.take(rows)
    n = one.n
    changed = states != "active"
    span = np.maximum(people.as_of - one.admitted - 61, 1)
    since = np.where(changed, one.admitted + 60 + np.floor(who.uniform(n) * span).astype(np.int64), NEVER)
    over = np.where(changed, since - 1, np.where(one.closed < people.as_of, one.closed, NEVER))
    first = _facts(one.person, "state", np.full(n, "active"), one.admitted, over)
    later = np.flatnonzero(changed)
    second = _facts(one.person[later], "state", states[later], since[later], np.full(len(later), NEVER))
    return pd.concat([first, second], ignore_index=True)


def measurements_table(people: People, program: Program, lives: Lives, draws: Draws) -> pd.DataFrame | None:
    """Return the table `measurements` where the program names kinds: heavier people have higher values."""
    if not program.measurement_kinds:
        return None
    parts = []
    for kind in program.measurement_kinds:
        who = draws.of(f"measurement {kind}")
        seen = np.maximum(np.minimum(lives.death, people.as_of) - people.seen_from, 0)
        person = np.repeat(np.arange(people.n), who.poisson(1.5 * seen / 365.25))
        day = people.seen_from + np.floor(who.uniform(len(person)) * seen[person]).astype(np.int64)
        mean, spread, low, high, decimals, unit, worse = _MEASURES.get(kind, _INDEX)
        lean = worse * 2.0 * (people.severity[person] - 0.5) + 0.8 * who.normal(len(person))
        value = np.round(np.clip(mean + spread * lean, low, high), decimals)
        recorded = record_days(who, day, people.design.lag)
        minute = who.whole(420, 1075, len(person))
        parts.append(
            pd.DataFrame(
                {
                    "person": person,
                    "kind": kind,
                    "value": value,
                    "unit": unit,
                    "day": day,
                    "minute": minute,
                    "recorded": recorded,
                }
            )
        )
    every = pd.concat(parts, ignore_index=True)
    every = every[every["recorded"] < people.as_of]
    every = every.iloc[np.lexsort((every["minute"], every["day"], every["person"]))]
    day = every["day"].to_numpy()
    return pd.DataFrame(
        {
            "measurement_id": numbered("L" + people.ids[0].rstrip("0123456789")[1:], len(every)),
            "person_id": people.ids[every["person"].to_numpy()],
            "kind": every["kind"].to_numpy(),
            "value": every["value"].to_numpy(),
            "unit": every["unit"].to_numpy(),
            "observed_at": as_moments(day, every["minute"].to_numpy()),
            "recorded_at": as_records(day, every["recorded"].to_numpy()),
        }
    )


def diagnoses_table(people: People, lives: Lives, draws: Draws) -> pd.DataFrame:
    """Return the table `diagnoses`: a few common conditions, more where the situation is heavy."""
    who = draws.of("diagnoses")
    person = np.repeat(np.arange(people.n), who.poisson(0.5 + 1.5 * people.severity))
    place = (np.cumsum(np.ones(len(person), np.int64)) + who.whole(0, 2, len(person))) % len(_CODES)
    frame = pd.DataFrame({"person": person, "code": np.array(_CODES, dtype=object)[place]}).drop_duplicates()
    span = people.as_of - people.seen_from - 60
    day = people.seen_from + np.floor(who.uniform(len(frame)) * span).astype(np.int64)
    recorded = record_days(who, day, people.design.lag)
    kept = (recorded < people.as_of) & (day < lives.death[frame["person"].to_numpy()])
    frame, day, recorded = frame[kept], day[kept], recorded[kept]
    return pd.DataFrame(
        {
            "person_id": people.ids[frame["person"].to_numpy()],
            "code": frame["code"].to_numpy(),
            "system": "icd10",
            "observed_at": as_moments(day, np.full(len(frame), 600)),
            "recorded_at": as_records(day, recorded),
        }
    )


def enrollments_table(people: People, lives: Lives, draws: Draws) -> pd.DataFrame:
    """Return the table `enrollments`: who is covered, from when; a few came late or left."""
    who, n = draws.of("enrollments"), people.n
    span = people.as_of - people.seen_from
    start = people.seen_from + np.where(who.chance(0.25, n), np.floor(who.uniform(n) * span * 0.7), 0).astype(np.int64)
    leaves = start + 90 + np.floor(who.uniform(n) * span).astype(np.int64)
    end = np.minimum(np.where(who.chance(0.12, n), leaves, NEVER), lives.death)
    return pd.DataFrame(
        {
            "person_id": people.ids,
            "from_on": as_dates(start),
            "to_on": as_dates(np.where((end < people.as_of) & (end >= start), end, NEVER)),
            "payer": who.pick({"public": 0.7, "private": 0.3}, n),
            "line_of_business": who.pick({"standard": 0.8, "complex": 0.2}, n),
            "recorded_at": as_records(start, start),
        }
    )
