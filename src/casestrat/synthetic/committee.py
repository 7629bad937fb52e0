"""What the made-up committee left on paper: meetings, decisions and episodes as tables."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.synthetic.blanks import only_where
from casestrat.synthetic.calendar_days import NEVER, as_dates, as_moments, as_records, date_of, record_days
from casestrat.synthetic.careers import Careers, next_meeting
from casestrat.synthetic.people import People, numbered

if TYPE_CHECKING:
    from casestrat.knowledge.program import DecisionReason, Program
    from casestrat.synthetic.draws import Draws, Ints

_PEOPLE_PER_PLACES = 600  # how many people the designed number of places is for
_HEARING = 14 * 60 + 30  # decisions are taken at 14:30


def meeting_ids(territory: np.ndarray, days: Ints) -> np.ndarray:
    """Return ids such as M-north-2026-10-06."""
    labels = {day: date_of(day).isoformat() for day in np.unique(days).tolist()}
    return np.array([f"M-{where}-{labels[day]}" for where, day in zip(territory, days.tolist(), strict=True)], object)


def meetings_table(people: People, program: Program, careers: Careers) -> pd.DataFrame:
    """Return the table `committee_meetings`: all that were held, and the next two of each territory."""
    parts = []
    names = list(people.design.territories)
    for i, name in enumerate(names):
        nxt = int(next_meeting(people, np.array([name]), np.array([people.as_of]))[0])
        every = people.design.meeting_every
        days = np.arange(nxt - every * ((nxt - people.opened) // every), nxt + 2 * every, every, dtype=np.int64)
        mine = (people.territory[careers.person] == name) & (careers.path == "admit") & (careers.decided < people.as_of)
        given = np.bincount(np.searchsorted(days, careers.decided[mine]), minlength=len(days))[: len(days)]
        ahead = people.design.places[i % len(people.design.places)] * max(1, round(people.n / _PEOPLE_PER_PLACES))
        frame = pd.DataFrame(
            {
                "meeting_id": meeting_ids(np.full(len(days), name, dtype=object), days),
                "held_on": as_dates(days),
                "territory": name,
                "places": np.where(days >= people.as_of, ahead, np.maximum(given, 1)),
                "list_fingerprint": [
                    hashlib.blake2b(f"{name}{day}".encode(), digest_size=16).hexdigest() if day < people.as_of else None
                    for day in days.tolist()
                ],
                "program": program.id,
            }
        )
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)


def decisions_table(
    people: People, program: Program, careers: Careers, ids: np.ndarray, services: pd.DataFrame, draws: Draws
) -> pd.DataFrame:
    """Return the table `decisions`: what the first hearing asked or put off, and what the last one decided."""
    who = draws.of("decisions")
    heard = (careers.heard < people.as_of) & (careers.decided > careers.heard)
    final = careers.decided < people.as_of
    rows = np.concatenate([np.flatnonzero(heard), np.flatnonzero(final)])
    is_final = np.concatenate([np.zeros(heard.sum(), bool), np.ones(final.sum(), bool)])
    days = np.where(is_final, careers.decided[rows], careers.heard[rows])
    order = np.lexsort((rows, days))
    rows, is_final, days = rows[order], is_final[order], days[order]
    one, n = careers.take(rows), len(rows)
    outcome = np.where(~is_final, "defer", np.where(one.path == "admit", "admit", "refuse"))
    reason, parked = _reason(program, one, outcome, who)
    territory = people.territory[one.person]
    override = (outcome != "defer") & who.chance(0.04, n)
    is_old = days + 10 < people.as_of
    answered = (outcome == "admit") & ((one.admitted < people.as_of) | is_old)
    finds = (outcome == "refuse") & who.chance(0.25, n)
    relay = only_where(outcome == "refuse", np.where(finds, "to_find", _relay(territory, services, who)))
    due = np.where(finds, days + 30, NEVER)
    confirmed = np.where((outcome == "refuse") & is_old & who.chance(0.8, n), days + who.whole(3, 10, n), NEVER)
    return pd.DataFrame(
        {
            "decision_id": numbered("D" + ids[0][1 : -_digits(ids[0])] if len(ids) else "D", n),
            "meeting_id": meeting_ids(territory, days),
            "referral_id": ids[rows],
            "person_id": people.ids[one.person],
            "outcome": outcome,
            "reason": reason,
            "note": only_where(np.isin(reason.astype(str), _noted(program)), "see the minutes"),
            "decided_by": np.char.add("committee-", territory.astype(str)).astype(object),
            "decided_at": as_moments(days, np.full(n, _HEARING)),
            "rank_shown": _rank_shown(territory, days, outcome, who),
            "is_override": override,
            "override_reason": only_where(override, "situation known to the committee"),
            "defer_until": as_dates(np.where(outcome == "defer", days + np.maximum(parked, 1), NEVER)),
            "relay": relay,
            "relay_due_on": as_dates(due),
            "relay_status": only_where(outcome == "refuse", np.where(confirmed < NEVER, "confirmed", "open")),
            "relay_confirmed_on": as_dates(confirmed),
            "response": only_where(answered, one.response),
            "respond_by": as_dates(np.where(outcome == "admit", days + 14, NEVER)),
            "recorded_at": as_moments(days, np.full(n, 18 * 60)),
        }
    )


def _digits(text: str) -> int:
    """Return how many digits a text ends with."""
    return len(text) - len(text.rstrip("0123456789"))


def _reason(program: Program, one: Careers, outcome: np.ndarray, who: Draws) -> tuple[np.ndarray, Ints]:
    """Return the reason of each decision, from the program's list, and the days it parks a referral."""
    by_outcome: dict[str, list[DecisionReason]] = {"admit": [], "defer": [], "refuse": []}
    for reason in program.decision_reasons:
        by_outcome[reason.outcome].append(reason)
    codes = np.full(one.n, None, dtype=object)
    draw = who.uniform(one.n)
    for name, reasons in by_outcome.items():
        if reasons:
            place = np.minimum((draw**2 * len(reasons)).astype(np.int64), len(reasons) - 1)
            chosen = np.array([r.code for r in reasons], dtype=object)[place]
            codes = np.where(outcome == name, chosen, codes)
    known = {r.code for r in program.decision_reasons}
    for wanted, where in _wishes(one, outcome, draw).items():
        if wanted in known:
            codes = np.where(where, wanted, codes)
    days = {r.code: r.days_parked or 0 for r in program.decision_reasons}
    parked = np.array([days.get(code, 0) for code in codes], dtype=np.int64)
    return codes, parked


def _wishes(one: Careers, outcome: np.ndarray, draw: np.ndarray) -> dict[str, np.ndarray]:
    """Return where each well-known reason belongs; a program without it keeps a reason of its own."""
    defer, refuse = outcome == "defer", outcome == "refuse"
    return {
        "no_place": defer & (one.asked == ""),
        "ask_information": defer & (one.asked == "ask_information"),
        "not_located": defer & (one.asked == "not_located"),
        "criteria_not_met": refuse & (one.path == "refuse") & (draw < 0.8),
        "person_declined": refuse & (one.path == "refuse") & (draw >= 0.8),
        "followed_elsewhere": refuse & (one.path == "relay"),
    }


def _noted(program: Program) -> list[str]:
    """Return the reasons that need a note."""
    return [reason.code for reason in program.decision_reasons if reason.needs_note]


def _relay(territory: np.ndarray, services: pd.DataFrame, who: Draws) -> np.ndarray:
    """Return a service of the territory for each referral."""
    draw = who.uniform(len(territory))
    found = np.full(len(territory), None, dtype=object)
    for name, mine in services.groupby("territory")["service_id"]:
        here = territory == name
        found[here] = mine.to_numpy(dtype=object)[(draw[here] * len(mine)).astype(np.int64)]
    return found


def _rank_shown(territory: np.ndarray, days: Ints, outcome: np.ndarray, who: Draws) -> Ints:
    """Return a rank within each meeting: those admitted stood high, with some noise."""
    place = {"admit": 0.0, "defer": 1.0, "refuse": 0.8}
    score = np.array([place[o] for o in outcome]) + 0.5 * who.uniform(len(days))
    group = pd.Series(pd.factorize(pd.Series(territory).astype(str) + pd.Series(days).astype(str))[0])
    return np.asarray(pd.Series(score).groupby(group).rank(method="first"), dtype=np.int64)


def episodes_table(
    people: People, program: Program, careers: Careers, ids: np.ndarray, draws: Draws, prefix: str = "E"
) -> tuple[pd.DataFrame, Ints]:
    """Return the table `episodes`, and the position of each one's referral."""
    who = draws.of("episodes")
    rows = np.flatnonzero(careers.admitted < people.as_of)
    rows = rows[np.lexsort((rows, careers.admitted[rows]))]
    one, n = careers.take(rows), len(rows)
    known = record_days(who, one.closed, people.design.lag)
    closed = np.where(known < people.as_of, one.closed, NEVER)
    is_open = closed >= NEVER
    state = np.where(is_open, who.pick({"active": 0.88, "suspended": 0.04, "watch": 0.08}, n), "active")
    state = np.where(people.as_of - one.admitted < 90, "active", state)
    frame = pd.DataFrame(
        {
            "episode_id": numbered(prefix, n),
            "person_id": people.ids[one.person],
            "referral_id": ids[rows],
            "admitted_on": as_dates(one.admitted),
            "closed_on": as_dates(closed),
            "close_reason": only_where(~is_open, one.close_reason),
            "intensity": _intensity(people, program, one, state),
            "state": state,
            "program": program.id,
            "recorded_at": as_records(one.admitted, one.admitted),
        }
    )
    return frame, rows


def _intensity(people: People, program: Program, one: Careers, state: np.ndarray) -> np.ndarray:
    """Return how closely each is followed: newcomers as newcomers, then by how heavy the situation is."""
    names = list(program.intensities)
    tiers = [rule.intensity for rule in program.tiers]
    place = np.minimum(((1.0 - people.severity[one.person]) * len(tiers)).astype(np.int64), len(tiers) - 1)
    chosen = np.array(tiers, dtype=object)[place]
    chosen = np.where(state == "watch", "watch" if "watch" in names else tiers[-1], chosen)
    new = people.as_of - one.admitted < 90
    return np.where(new & ("onboarding" in names), "onboarding", chosen)
