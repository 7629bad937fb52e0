"""The life cycle of made-up referrals: heard by the committee, admitted or not, followed, closed, referred anew."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from casestrat.synthetic.calendar_days import NEVER, record_days

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casestrat.synthetic.draws import Draws, Flags, Ints
    from casestrat.synthetic.people import People

EXIT_REASONS = ("death", "residential_admission", "goals_met", "moved")
_NEXT_MEETING = (5, 12, 8, 2)  # days from the as-of date to the next meeting, by territory
_GROWTH = 0.65  # below 1: requests grow more frequent from year to year
_LONGEST_PLACE_WAIT = 420  # days: nobody is left without a place for longer
_WITHDRAWN_AFTER = 60.0  # mean days after which a request is taken back


@dataclass(frozen=True)
class Lives:
    """When each person dies and enters residential care, if at all; days on one calendar."""

    death: Ints
    residential: Ints


@dataclass(frozen=True)
class Careers:
    """One array value a referral. A day that never comes is ``NEVER``; nothing is cut at the as-of date yet."""

    person: Ints  # position of the person
    round: Ints
    referred: Ints
    recorded: Ints
    path: np.ndarray  # admit, refuse, relay, withdraw: what it would come to
    heard: Ints  # first meeting
    asked: np.ndarray  # "", ask_information, not_located: what the first meeting wanted first
    decided: Ints  # last meeting
    withdrawn: Ints
    response: np.ndarray  # accepted, declined, no_answer, "" while no place was offered
    admitted: Ints
    closed: Ints
    close_reason: np.ndarray
    ended: Ints  # last day of the whole career

    @property
    def n(self) -> int:
        """How many referrals there are."""
        return len(self.person)

    def take(self, where: Flags | Ints) -> Careers:
        """Return some of the referrals."""
        return Careers(**{f.name: getattr(self, f.name)[where] for f in fields(self)})


def make_careers(people: People, draws: Draws) -> tuple[Careers, Lives]:
    """Return all referrals in order of their day, and the lives that end some of them."""
    who, n = draws.of("careers"), people.n
    first = people.opened + np.floor(who.uniform(n) ** _GROWTH * (people.as_of - people.opened)).astype(np.int64)
    lives = _lives(people, first, who)
    one = _career(people, lives, np.arange(n), first, 1, who)
    two = _again(people, lives, one, who)
    twin = _twins(people, one, who)
    together = _joined([one, two, twin])
    together = together.take((together.referred < people.as_of) & (together.recorded < people.as_of))
    return together.take(np.lexsort((together.person, together.referred))), lives


def next_meeting(people: People, territory: np.ndarray, day: Ints) -> Ints:
    """Return the day of the territory's first meeting on or after a day."""
    every = people.design.meeting_every
    anchor = people.as_of + _anchors(people, territory)
    return anchor - every * ((anchor - np.asarray(day, dtype=np.int64)) // every)


def _anchors(people: People, territory: np.ndarray) -> Ints:
    """Return the days from the as-of date to the next meeting of each territory."""
    names = list(people.design.territories)
    offsets = np.array([_NEXT_MEETING[i % len(_NEXT_MEETING)] for i in range(len(names))])
    places = np.zeros(len(territory), dtype=np.int64)
    for i, name in enumerate(names):
        places[territory == name] = i
    return offsets[places]


def _lives(people: People, first: Ints, who: Draws) -> Lives:
    """Draw the days of death and of residential admission, both after the first referral."""
    exits, n = people.design.exits, people.n
    return Lives(
        death=_after(first, exits["death"] * people.hazard, who, n),
        residential=_after(first, exits["residential_admission"] * people.hazard, who, n),
    )


def _after(start: Ints, per_year: np.ndarray | float, who: Draws, n: int) -> Ints:
    """Return days an exponential time after others; a rate of 0 never comes."""
    rate = np.broadcast_to(np.asarray(per_year, dtype=float), (n,))
    mean = np.divide(365.25, rate, out=np.full(n, 1e9), where=rate > 0)
    wait = np.minimum(np.ceil(who.exponential(mean, n)), 1e8)
    day = np.where(start < NEVER // 2, start + wait.astype(np.int64), NEVER)
    return np.where(wait >= 1e6, NEVER, day)


def _career(people: People, lives: Lives, person: Ints, referred: Ints, turn: int, who: Draws) -> Careers:
    """Return what becomes of one referral of each of these people."""
    design, n = people.design, len(person)
    recorded = record_days(who, referred, design.lag)
    path = who.pick(design.paths, n).astype(object)
    territory = people.territory[person]
    wait = np.exp(np.log(design.first_wait_median) + design.first_wait_spread * who.normal(n))
    heard = next_meeting(people, territory, recorded + 1 + np.floor(wait).astype(np.int64))
    asked = who.pick({"": 0.84, "ask_information": 0.11, "not_located": 0.05}, n)
    ready = heard + np.where(asked == "ask_information", 14, np.where(asked == "not_located", 60, 0))
    ready = ready + _place_wait(people, person, path, who)
    decided = np.where(ready > heard, next_meeting(people, territory, ready), heard)
    died, moved_in = lives.death[person], lives.residential[person]
    taken_back = referred + 5 + np.ceil(who.exponential(_WITHDRAWN_AFTER, n)).astype(np.int64)
    withdrawn = np.where(path == "withdraw", taken_back, NEVER)
    withdrawn = np.minimum(withdrawn, np.where(moved_in < NEVER // 2, moved_in + who.whole(1, 20, n), NEVER))
    gone = np.minimum(withdrawn, died)
    decided = np.where((path == "withdraw") | (decided >= gone), NEVER, decided)
    withdrawn = np.where((decided < NEVER) | (withdrawn >= died), NEVER, withdrawn)
    heard = np.where(heard >= gone, NEVER, heard)
    response = who.pick({"accepted": 0.96, "declined": 0.03, "no_answer": 0.01}, n)
    response = np.where((path == "admit") & (decided < NEVER), response, "")
    starts = decided + who.whole(2, 12, n)
    is_in = (response == "accepted") & (starts < np.minimum(died, moved_in))
    admitted = np.where(is_in, starts, NEVER)
    closed, reason = _closing(people, person, lives, admitted, who)
    refused = np.where((path == "refuse") | (path == "relay"), decided, NEVER)
    ended = np.minimum(np.minimum(closed, refused), withdrawn)
    return Careers(
        person, np.full(n, turn), referred, recorded, path, heard, asked, decided, withdrawn, response, admitted,
        closed, reason, ended,
    )  # fmt: skip


def _place_wait(people: People, person: Ints, path: np.ndarray, who: Draws) -> Ints:
    """Return the days from being heard to a place: heavier people wait less, the others are not asked to wait."""
    n = len(person)
    mean = people.design.place_wait * (1.6 - 1.2 * people.severity[person])
    wait = np.minimum(np.floor(who.exponential(mean, n)), _LONGEST_PLACE_WAIT).astype(np.int64)
    return np.where(who.chance(people.design.no_place, n) & (path == "admit"), wait, 0)


def _closing(people: People, person: Ints, lives: Lives, admitted: Ints, who: Draws) -> tuple[Ints, np.ndarray]:
    """Return the day and the reason an episode ends: whichever exit comes first."""
    exits, n = people.design.exits, len(person)
    days = np.vstack(
        [
            lives.death[person],
            lives.residential[person],
            _after(admitted, exits["goals_met"], who, n),
            _after(admitted, exits["moved"], who, n),
        ]
    )
    first = days.argmin(axis=0)
    closed = np.where(admitted < NEVER, days.min(axis=0), NEVER)
    left = who.pick({"moved": 0.45, "withdrew": 0.4, "lost": 0.15}, n)
    reason = np.array(EXIT_REASONS, dtype=object)[first]
    return closed, np.where(reason == "moved", left, reason)


def _again(people: People, lives: Lives, before: Careers, who: Draws) -> Careers:
    """Return the second referrals of some whose first one ended while they lived at home."""
    ended = before.ended
    again = ended + 45 + np.ceil(who.exponential(200.0, before.n)).astype(np.int64)
    alive = np.minimum(lives.death, lives.residential)[before.person]
    usable = (ended < NEVER // 2) & (again < people.as_of) & (again < alive)
    chosen = np.flatnonzero(usable & who.chance(people.design.refer_again, before.n))
    return _career(people, lives, before.person[chosen], again[chosen], 2, who)


def _twins(people: People, before: Careers, who: Draws) -> Careers:
    """Return second requests that came for people who wait already: the earliest counts, these are listed."""
    end = np.minimum(np.minimum(before.decided, before.withdrawn), before.ended)
    day = before.referred + who.whole(10, 40, before.n)
    waits = (end >= people.as_of) & (day < people.as_of)
    chosen = np.flatnonzero(waits & who.chance(0.03, before.n))
    none = np.full(len(chosen), NEVER)
    blank = np.full(len(chosen), "", dtype=object)
    return Careers(
        before.person[chosen], np.full(len(chosen), 3), day[chosen], day[chosen], np.full(len(chosen), "twin", object),
        none, blank, none, before.withdrawn[chosen], blank, none, none, blank, none,
    )  # fmt: skip


def _joined(parts: Sequence[Careers]) -> Careers:
    """Return several sets of referrals as one."""
    return Careers(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Careers)})
