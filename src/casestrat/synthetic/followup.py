"""The made-up work of case managers: contacts, plans, goals, and the services of the territory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.synthetic.blanks import numbers_where, only_where
from casestrat.synthetic.calendar_days import NEVER, as_dates, as_moments, as_records, record_days
from casestrat.synthetic.people import People, numbered

if TYPE_CHECKING:
    from casestrat.knowledge.program import Program
    from casestrat.synthetic.draws import Draws, Flags, Ints
    from casestrat.synthetic.staff import Following, Staff

_ONBOARDING_DAYS = 90
_MISSED = 0.12
_LEFT_OPEN = 0.08  # of goals: nobody came back to them
_SERVICES = (
    ("home_care", "Home care", "Aide à domicile", "Assistenza domiciliare"),
    ("day_centre", "Day centre", "Accueil de jour", "Centro diurno"),
    ("social_service", "Social service", "Service social", "Servizio sociale"),
    ("nursing", "Nursing care", "Soins infirmiers", "Cure infermieristiche"),
    ("mental_health", "Mental health centre", "Centre médico-psychologique", "Centro di salute mentale"),
)


def contacts_table(
    people: People, program: Program, episodes: pd.DataFrame, following: Following, staff: Staff,
    stays: pd.DataFrame, is_dead: Flags, draws: Draws, prefix: str = "K",
) -> pd.DataFrame:  # fmt: skip
    """Return the table `contacts`: those made, those missed, those after a hospital stay, and the next one planned."""
    who = draws.of("contacts")
    first, last = _spans(people, following, episodes)
    parts = [
        _regular(people, program, episodes, first, last, who, is_new=True),
        _regular(people, program, episodes, first, last, who, is_new=False),
        _others(people, first, last, who),
        _after_stays(people, episodes, stays, first, last, who),
        _planned(people, program, episodes, last, is_dead, who),
    ]
    every = pd.concat(parts, ignore_index=True)
    cm = _led_by(following, every["episode"].to_numpy(), every["day"].to_numpy())
    every = every.assign(cm=cm)[cm >= 0]
    every = every.iloc[np.lexsort((every["kind"].to_numpy().astype(str), every["episode"], every["day"]))]
    n, day = len(every), every["day"].to_numpy()
    ahead = day >= people.as_of
    known = np.where(ahead, people.as_of - 3, record_days(who, day, (0.85, 3.0, 0.0, 60)))
    every, ahead, known, day = (
        every[known < people.as_of],
        ahead[known < people.as_of],
        known[known < people.as_of],
        day[known < people.as_of],
    )
    n = len(every)
    kind = every["kind"].to_numpy(dtype=object)
    missed = ~ahead & (every["missed"].to_numpy(dtype=bool))
    outcome = np.where(missed, who.pick({"unable_to_reach": 0.6, "declined": 0.4}, n), "reached")
    at_home = kind == "home_visit"
    minutes = np.where(missed, 5, np.where(at_home, 60, 20) + 5 * who.whole(-3, 5, n))
    travel = np.where(at_home, 5 * who.whole(2, 10, n), 0)
    episode = every["episode"].to_numpy()
    return pd.DataFrame(
        {
            "contact_id": numbered(prefix, n),
            "episode_id": episodes["episode_id"].to_numpy(dtype=object)[episode],
            "person_id": episodes["person_id"].to_numpy(dtype=object)[episode],
            "cm_id": staff.ids[every["cm"].to_numpy()],
            "occurred_at": as_moments(day, 30 * who.whole(17, 33, n)),
            "kind": np.where(missed & who.chance(0.4, n), "no_show", kind),
            "outcome": only_where(~ahead, outcome),
            "minutes": numbers_where(~ahead, minutes),
            "travel_minutes": numbers_where(~ahead, travel),
            "is_planned": ahead | who.chance(0.9, n),
            "recorded_at": as_records(np.where(ahead, known, day), known),
        }
    )


def _spans(people: People, following: Following, episodes: pd.DataFrame) -> tuple[Ints, Ints]:
    """Return the first and last day each episode had a case manager; a last day before the first means never."""
    first, last = np.full(len(episodes), NEVER), np.full(len(episodes), -1)
    np.minimum.at(first, following.episode, following.start)
    np.maximum.at(last, following.episode, np.minimum(following.end, people.as_of - 1))
    return first, last


def _regular(
    people: People, program: Program, episodes: pd.DataFrame, first: Ints, last: Ints, who: Draws, *, is_new: bool
) -> pd.DataFrame:
    """Return contacts at the pace of the standard, some of them missed; newcomers have a pace of their own."""
    names = episodes["intensity"].to_numpy(dtype=object)
    pace_of = {name: level.contacts[0] for name, level in program.intensities.items() if level.contacts}
    fallback = next(iter(pace_of.values()), None)
    if fallback is None:
        return _contacts(np.array([], np.int64), np.array([], np.int64), np.array([], object), np.array([], bool))
    onboarding = pace_of.get("onboarding", fallback)
    usual = [onboarding if is_new else pace_of.get(name, fallback) for name in names]
    every = np.array([standard.every_days for standard in usual], dtype=np.int64)
    kinds = np.array([standard.kind for standard in usual], dtype=object)
    turn = first + _ONBOARDING_DAYS
    start = first if is_new else turn
    end = np.minimum(last, turn) if is_new else last
    count = np.where(end > start, (end - start) // np.maximum(every, 1), 0)
    episode = np.repeat(np.arange(len(names)), count)
    step = np.arange(len(episode)) - np.repeat(np.cumsum(count) - count, count) + 1
    pace = every[episode]
    wobble = np.floor((who.uniform(len(episode)) - 0.4) * np.minimum(pace, 20) * 0.4).astype(np.int64)
    day = np.clip(start[episode] + step * pace + wobble, first[episode], last[episode])
    held = ~who.chance(0.06, len(episode))  # some visits simply did not take place
    missed = who.chance(_MISSED, len(episode))
    return _contacts(episode[held], day[held], kinds[episode][held], missed[held])


def _contacts(episode: Ints, day: Ints, kind: np.ndarray, missed: np.ndarray) -> pd.DataFrame:
    """Return contacts as a frame."""
    return pd.DataFrame({"episode": episode, "day": day, "kind": kind, "missed": missed}).astype({"kind": object})


def _others(people: People, first: Ints, last: Ints, who: Draws) -> pd.DataFrame:
    """Return calls, meetings with providers, talks with the family and paperwork."""
    days = np.maximum(last - first, 0)
    episode = np.repeat(np.arange(len(first)), who.poisson(days / 45.0))
    n = len(episode)
    day = first[episode] + np.floor(who.uniform(n) * days[episode]).astype(np.int64)
    kind = who.pick({"phone": 0.45, "provider_meeting": 0.2, "collateral": 0.2, "admin": 0.15}, n)
    return _contacts(episode, day, kind, np.zeros(n, dtype=bool))


def _after_stays(
    people: People, episodes: pd.DataFrame, stays: pd.DataFrame, first: Ints, last: Ints, who: Draws
) -> pd.DataFrame:
    """Return contacts in the days after a hospital stay ended, for most stays of those followed."""
    ended = stays["ended_at"].to_numpy(dtype="datetime64[D]").astype(np.int64) if len(stays) else np.array([], np.int64)
    lists = pd.DataFrame({"person_id": episodes["person_id"], "episode": np.arange(len(episodes))})
    both = pd.DataFrame({"person_id": stays["person_id"].to_numpy(), "ended": ended}).merge(lists, on="person_id")
    episode, day = both["episode"].to_numpy(dtype=np.int64), both["ended"].to_numpy(dtype=np.int64)
    after = day + who.whole(1, 9, len(day))
    kept = (day >= first[episode]) & (after <= last[episode]) & who.chance(0.75, len(day))
    return _contacts(episode[kept], after[kept], np.full(kept.sum(), "post_transition"), np.zeros(kept.sum(), bool))


def _planned(
    people: People, program: Program, episodes: pd.DataFrame, last: Ints, is_dead: Flags, who: Draws
) -> pd.DataFrame:
    """Return the next contact already in the diary, for most open episodes."""
    standards = [level.contacts[0].kind for level in program.intensities.values() if level.contacts]
    is_open = episodes["closed_on"].isna().to_numpy() & (last >= people.as_of - 1) & ~is_dead
    chosen = np.flatnonzero(is_open & who.chance(0.6, len(episodes)))
    day = people.as_of + who.whole(0, 24, len(chosen))
    return _contacts(chosen, day, np.full(len(chosen), (*standards, "phone")[0]), np.zeros(len(chosen), bool))


def _led_by(following: Following, episode: Ints, day: Ints) -> Ints:
    """Return who led an episode on a day; -1 where nobody did."""
    order = np.lexsort((following.start, following.episode))
    stride = np.int64(1) << 20
    starts = following.episode[order] * stride + following.start[order]
    place = np.searchsorted(starts, episode * stride + day, side="right") - 1
    place = np.maximum(place, 0)
    if not len(order):
        return np.full(len(episode), -1)
    same = following.episode[order][place] == episode
    return np.where(same, following.cm[order][place], -1)


def plans_tables(people: People, episodes: pd.DataFrame, draws: Draws, prefix: str = "") -> dict[str, pd.DataFrame]:
    """Return individual plans with their half-yearly reviews, and the goals in them."""
    who = draws.of("plans")
    admitted = _days(episodes["admitted_on"])
    closed = np.where(episodes["closed_on"].isna(), people.as_of, _days(episodes["closed_on"]))
    start = admitted + who.whole(30, 75, len(episodes))
    count = np.where(start < closed, 1 + (closed - 1 - start) // 180, 0)
    episode = np.repeat(np.arange(len(episodes)), count)
    version = np.arange(len(episode)) - np.repeat(np.cumsum(count) - count, count)
    day = start[episode] + 180 * version
    done = (version == 0) & who.chance(0.92, len(episode)) | (version > 0) & who.chance(0.8, len(episode))
    episode, version, day = episode[done], version[done], day[done]
    person = episodes["person_id"].to_numpy(dtype=object)
    ids = numbered(f"PL{prefix}", len(episode))
    plans = pd.DataFrame(
        {
            "plan_id": ids,
            "episode_id": episodes["episode_id"].to_numpy(dtype=object)[episode],
            "person_id": person[episode],
            "version": (version + 1).astype(str).astype(object),
            "starts_on": as_dates(day),
            "review_due_on": as_dates(day + 183),
            "recorded_at": as_records(day, day),
        }
    )
    return {"plans": plans, "goals": _goals(people, ids, person[episode], day, closed[episode], who, prefix)}


def _goals(
    people: People, plan: np.ndarray, person: np.ndarray, day: Ints, closed: Ints, who: Draws, prefix: str
) -> pd.DataFrame:
    """Return one to three goals a plan; older ones are met, changed or given up."""
    count = who.whole(1, 3, len(plan))
    place = np.repeat(np.arange(len(plan)), count)
    n = len(place)
    settled = np.minimum(day[place] + 40 + np.floor(who.exponential(150.0, n)).astype(np.int64), closed[place])
    is_settled = (settled < people.as_of) & (settled > day[place]) & ~who.chance(_LEFT_OPEN, n)
    status = np.where(is_settled, who.pick({"met": 0.6, "partly_met": 0.22, "not_met": 0.18}, n), "open")
    status_day = np.where(is_settled, settled, day[place])
    return pd.DataFrame(
        {
            "goal_id": numbered(f"GO{prefix}", n),
            "plan_id": plan[place],
            "person_id": person[place],
            "domain": who.pick({"function": 0.3, "health": 0.25, "social": 0.25, "rights": 0.1, "housing": 0.1}, n),
            "horizon": who.pick({"short": 0.6, "long": 0.4}, n),
            "status": status,
            "status_on": as_dates(status_day),
            "recorded_at": as_records(day[place], status_day),
        }
    )


def services_table(people: People) -> pd.DataFrame:
    """Return the services that a relay can lead to, a few in each territory."""
    rows = [
        (f"S-{where}-{code}", code, where, 20 + 7 * i, 10.0 + 15 * i, english, french, italian)
        for where in people.design.territories
        for i, (code, english, french, italian) in enumerate(_SERVICES)
    ]
    names = ["service_id", "domain", "territory", "capacity", "waiting_days", "label_en", "label_fr", "label_it"]
    return pd.DataFrame(rows, columns=names)


def _days(column: pd.Series) -> Ints:
    """Return a column of dates as whole numbers; a missing date as the first day of all."""
    return column.fillna(pd.Timestamp("1970-01-01")).to_numpy(dtype="datetime64[D]").astype(np.int64)
