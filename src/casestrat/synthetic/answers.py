"""What the made-up people answered: sittings with the program's instruments, item by item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.synthetic.blanks import taken
from casestrat.synthetic.calendar_days import NEVER, as_moments, as_records, record_days
from casestrat.synthetic.people import People, gir_of, numbered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casestrat.knowledge.instrument import Instrument, Item
    from casestrat.knowledge.program import Program
    from casestrat.synthetic.careers import Careers, Lives
    from casestrat.synthetic.draws import Draws, Flags, Floats, Ints

AGGIR = "aggir"
# Letters of its eight discriminant items, in the order of the grid, that give each GIR.
AGGIR_PROFILES: Mapping[int, tuple[str, ...]] = {
    1: ("CCCCCCCC", "CCCCBCCC", "CCBCCCCC", "CCCBCCCC"),
    2: ("CCCCBBBA", "BBCCBBCC", "AACCBCCC", "CCBBABAA", "AACBBCCC", "CCACBCCC"),
    3: ("BBCCBCBB", "CBCCABBA", "BABCABBB", "ABCCABBB", "ABCBAABA", "AACCAABB"),
    4: ("AABBABAA", "AACBAABA", "AABBAAAA", "BBBBABAA", "AAABABAB", "BABBABAC"),
    5: ("BAABAAAA", "AABAAAAA", "AAABAAAB", "AAAAABAA", "ABBAAAAA", "AAAAAABB"),
    6: ("ABAAAAAA", "AAAAAAAA", "BAAAAAAA", "AAAAAAAB", "BBAAAAAA", "ABAAAAAB"),
}
_DISCRIMINANT = 8
_OBSERVED = 0.2  # share of the usual blanks where the assessor observes and need not ask
_EVERY_DAYS = 180
_WORSENS_A_YEAR = 0.04
_BLANK, _BLANK_REFUSING = 0.005, 0.03  # answers missing in a sitting that took place
_ROLES = {"social_worker": 0.4, "nurse": 0.35, "physician": 0.25}
_MODES = {"face": 0.75, "phone": 0.12, "proxy": 0.09, "record": 0.04}


def answers_tables(
    people: People,
    program: Program,
    instruments: Mapping[str, Instrument],
    careers: Careers,
    lives: Lives,
    draws: Draws,
) -> dict[str, pd.DataFrame]:
    """Return the tables `assessments` and `responses`, known before the as-of date."""
    one = _round(people, program, careers, lives, draws.of("first sittings"))
    parts = [
        _sittings(people, name, _share(program, name, place), one, draws.of(f"sittings {name}"))
        for place, name in enumerate(program.instruments)
    ]
    every = pd.concat(parts, ignore_index=True) if parts else _no_sittings()
    every = every[every["recorded"] < people.as_of]
    every = every.iloc[np.lexsort((every["instrument"].to_numpy().astype(str), every["person"], every["day"]))]
    ids = numbered("A" + people.ids[0].rstrip("0123456789")[1:], len(every))
    who = draws.of("sittings")
    day, recorded = every["day"].to_numpy(), every["recorded"].to_numpy()
    names = every["instrument"].to_numpy(dtype=object)
    totals = np.full(len(every), np.nan)
    responses = []
    for instrument in (instruments[i] for i in program.instruments):
        mine = np.flatnonzero(names == instrument.id)
        state = _state(people, every.iloc[mine])
        stream = draws.of(f"answers {instrument.id}")
        if instrument.items and instrument.scoring.type != "total_only":
            person = every["person"].to_numpy()[mine]
            responses.append(
                _responses(people, instrument, ids[mine], person, state, as_records(day[mine], recorded[mine]), stream)
            )
        else:
            totals[mine] = _totals(instrument, state, stream)
    assessments = pd.DataFrame(
        {
            "assessment_id": ids,
            "person_id": people.ids[every["person"].to_numpy()],
            "instrument": names,
            "version": [instruments[i].version for i in names],
            "observed_at": as_moments(day, every["minute"].to_numpy()),
            "assessor_role": who.pick(_ROLES, len(every)),
            "mode": who.pick(_MODES, len(every)),
            "total": totals,
            "recorded_at": as_records(day, recorded),
        }
    )
    tables = {"assessments": assessments}
    if responses:
        tables["responses"] = pd.concat(responses, ignore_index=True)
    return tables


def _share(program: Program, instrument: str, place: int) -> float:
    """Return how many are asked with this instrument: all where risk or features need it, fewer otherwise."""
    needed = {str(spec.options.get("instrument", "")) for spec in program.features}
    needed |= {str(outcome.instrument) for outcome in program.outcomes.values() if outcome.instrument}
    if instrument in needed or place == 0:
        return 1.0
    return 0.5 if place == 1 else 0.25


def _no_sittings() -> pd.DataFrame:
    """Return a frame of no sittings, for a program without instruments."""
    return pd.DataFrame(
        {name: np.array([], np.int64) for name in ("person", "day", "minute", "recorded", "instrument")}
    )


@dataclass(frozen=True)
class _Round:
    """When each person is first assessed and until when, whether it happens at all, and whether it is repeated."""

    first: Ints
    until: Ints
    happens: Flags
    is_repeated: Flags


def _round(people: People, program: Program, careers: Careers, lives: Lives, who: Draws) -> _Round:
    """Return the first sittings: all instruments on one day; it fails at random, and more for those who refuse."""
    start, until = _observed(people, program, careers, lives)
    first = start + who.whole(0, 20, people.n)
    happens = (first < until) & ~who.chance(people.unknown, people.n)
    return _Round(first, until, happens, _stays_in_touch(people, program, careers))


def _sittings(people: People, name: str, share: float, one: _Round, who: Draws) -> pd.DataFrame:
    """Return the sittings with one instrument: one near each referral, then every half-year while life goes on."""
    chosen = np.flatnonzero(one.happens & who.chance(share, people.n))
    repeats = np.where(one.is_repeated, (one.until - one.first) // _EVERY_DAYS, 0)[chosen]
    person = np.repeat(chosen, repeats + 1)
    step = np.arange(len(person)) - np.repeat(np.cumsum(repeats + 1) - repeats - 1, repeats + 1)
    day = one.first[person] + step * _EVERY_DAYS + np.where(step > 0, who.whole(-15, 15, len(person)), 0)
    kept = (day < one.until[person]) & ((step == 0) | who.chance(0.85, len(person)))
    person, day = person[kept], day[kept]
    return pd.DataFrame(
        {
            "person": person,
            "day": day,
            "minute": 30 * who.whole(17, 34, len(person)),
            "recorded": record_days(who, day, people.design.lag),
            "instrument": name,
        }
    ).astype({"instrument": object})


def _observed(people: People, program: Program, careers: Careers, lives: Lives) -> tuple[Ints, Ints]:
    """Return from when and until when each person could be assessed."""
    start = np.full(people.n, NEVER)
    np.minimum.at(start, careers.person, careers.referred)
    if program.population == "enrolled":
        start = np.minimum(start, people.seen_from + (np.arange(people.n) * 37) % 300)
    until = np.minimum(np.minimum(lives.death, lives.residential), people.as_of)
    return start, until


def _stays_in_touch(people: People, program: Program, careers: Careers) -> np.ndarray:
    """Return who is assessed again: those followed, and everybody of a covered population."""
    again = np.full(people.n, program.population == "enrolled")
    again[careers.person[careers.admitted < people.as_of]] = True
    return again


def _state(people: People, sittings: pd.DataFrame) -> Floats:
    """Return how heavy each person's situation is at each sitting: it worsens slowly, seen from the as-of date."""
    person = sittings["person"].to_numpy()
    ago = (people.as_of - sittings["day"].to_numpy()) / 365.25
    state: Floats = people.severity[person] * (1.0 - _WORSENS_A_YEAR * ago)
    return np.maximum(state, 0.0)


def _responses(
    people: People,
    instrument: Instrument,
    ids: np.ndarray,
    person: Ints,
    state: Floats,
    recorded: pd.Series,
    who: Draws,
) -> pd.DataFrame:
    """Return one row per item of each sitting with one instrument."""
    items = [item for item in instrument.items if item.is_scored or item.parts is None]
    items = [item for item in items if item.allowed or item.minimum is not None or item.maximum is not None]
    shared = who.normal(len(ids))
    words = sorted({_written(code) for item in items for code in _codes(item, instrument)})
    columns = [_answer(item, instrument, words, state, shared, who) for item in items]
    if instrument.id == AGGIR:
        columns[:_DISCRIMINANT] = _aggir(state, words, who)
    n, k = len(ids), len(items)
    value = np.array(columns, dtype=np.int64).reshape(k, n).T.reshape(-1)
    chance = _BLANK + _BLANK_REFUSING * people.refuses[person]
    blank = who.chance(np.repeat(chance * (_OBSERVED if instrument.id == AGGIR else 1.0), k), n * k)
    refused = np.repeat(people.refuses[person], k).astype(np.int64)
    sitting = np.repeat(np.arange(n), k)
    return pd.DataFrame(
        {
            "assessment_id": taken(ids, sitting),
            "person_id": taken(people.ids, np.repeat(person, k)),
            "item": taken([item.id for item in items], np.tile(np.arange(k), n)),
            "value": taken(words, np.where(blank, -1, value)),
            "missing_reason": taken(["not_asked", "refused"], np.where(blank, refused, -1)),
            "recorded_at": np.repeat(recorded.to_numpy(), k),
        }
    )


def _answer(item: Item, instrument: Instrument, words: list[str], state: Floats, shared: Floats, who: Draws) -> Ints:
    """Return the answers to one item as places in the words: worse where the situation is heavier, with noise."""
    places = np.array([words.index(_written(code)) for code in _codes(item, instrument)], dtype=np.int64)
    lean = state + 0.12 * shared + 0.22 * who.normal(len(state))
    return places[np.clip(np.floor(lean * len(places)), 0, len(places) - 1).astype(np.int64)]


def _codes(item: Item, instrument: Instrument) -> list[str | float]:
    """Return an item's codes, best first."""
    if item.is_text:
        return list(item.allowed)
    if item.allowed:
        codes = [float(code) for code in item.allowed]
    else:
        low = float(item.minimum if item.minimum is not None else 0)
        high = float(item.maximum if item.maximum is not None else low + 10)
        codes = [float(value) for value in np.arange(low, min(high, low + 60) + 1)]
    codes.sort(key=lambda code: (item.points_of(code), code), reverse=not instrument.higher_is_worse)
    return list(codes)


def _written(code: str | float) -> str:
    """Return a code as it stands in `responses.value`: whole numbers without a decimal point."""
    if isinstance(code, str):
        return code
    return str(int(code)) if float(code).is_integer() else str(code)


def _aggir(state: Floats, words: list[str], who: Draws) -> list[Ints]:
    """Return the letters of the discriminant items: one of the usual profiles of the GIR the person is in."""
    profiles = [profile for level in sorted(AGGIR_PROFILES) for profile in AGGIR_PROFILES[level]]
    letters = np.array([[words.index(letter) for letter in profile] for profile in profiles], dtype=np.int64)
    sizes = np.array([len(AGGIR_PROFILES[level]) for level in sorted(AGGIR_PROFILES)])
    level = gir_of(state) - 1
    start = np.cumsum(sizes) - sizes
    chosen = start[level] + np.floor(who.uniform(len(state)) * sizes[level]).astype(np.int64)
    return list(letters[chosen].T)


def _totals(instrument: Instrument, state: Floats, who: Draws) -> Floats:
    """Return totals of an instrument whose items are not shipped: spread over its range."""
    low, high = instrument.score_range
    lean = np.clip(state + 0.18 * who.normal(len(state)), 0.0, 1.0)
    lean = lean if instrument.higher_is_worse else 1.0 - lean
    return np.round(low + lean * (high - low))
