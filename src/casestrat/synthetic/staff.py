"""The made-up staff: case managers, their rights to practise, absences, and who follows whom."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.synthetic.blanks import only_where
from casestrat.synthetic.calendar_days import NEVER, as_dates, as_records
from casestrat.synthetic.people import People, numbered

if TYPE_CHECKING:
    from casestrat.knowledge.program import Program
    from casestrat.synthetic.careers import Careers
    from casestrat.synthetic.draws import Draws, Ints

_FTES = (0.8, 0.5, 0.6, 0.4, 0.5, 0.8, 0.4, 0.6, 0.5)
_FULL_TIME = 35 * 60  # minutes a week
_TEAM = 25  # territories of large agencies are served by several teams of at most this size


@dataclass(frozen=True)
class Staff:
    """Case managers as arrays; the last one of all is about to start, the one before it left a year ago."""

    ids: np.ndarray
    territory: np.ndarray  # "" serves all
    fte: np.ndarray
    cap: Ints
    starts: Ints
    ends: Ints
    italian: np.ndarray
    profession: np.ndarray

    @property
    def n(self) -> int:
        """How many case managers there are."""
        return len(self.ids)


def make_staff(people: People, program: Program, most_followed: int, prefix: str = "CM") -> Staff:
    """Return staff enough for the cases followed, territory by territory."""
    names = list(people.design.territories)
    shares = np.array(list(people.design.territories.values()))
    needed = most_followed / people.design.cases_per_fte * shares / shares.sum()
    territory: list[str] = []
    fte: list[float] = []
    for name, need in zip(names, needed.tolist(), strict=True):
        given = 0.0
        while not given or given + 0.25 < need:
            part = _FTES[len(fte) % len(_FTES)]
            territory.append(name)
            fte.append(part)
            given += part
    territory += [names[0], ""]
    fte += [0.5, 1.0]
    n = len(fte)
    starts, ends = np.full(n, people.opened - 30), np.full(n, NEVER)
    ends[n - 2] = people.as_of - 330
    starts[n - 1] = people.as_of - 3
    wanted = people.design.professions
    italian = np.arange(n) % 40 == 1
    return Staff(
        ids=numbered(prefix, n, width=2),
        territory=np.array(territory, dtype=object),
        fte=np.array(fte),
        cap=np.maximum(1, np.round(np.array(fte) * people.design.cap_per_fte)).astype(np.int64),
        starts=starts,
        ends=ends,
        italian=italian,
        profession=np.array([wanted[i % len(wanted)] for i in range(n)], dtype=object),
    )


def staff_tables(people: People, program: Program, staff: Staff, draws: Draws) -> dict[str, pd.DataFrame]:
    """Return the tables about staff: case managers, licences, certificates, absences."""
    who, n = draws.of("staff"), staff.n
    names = list(people.design.territories)
    skills = people.design.skills
    arabic, portuguese = np.arange(n) % 4 == 0, np.arange(n) % 5 == 3
    spoken = [
        ";".join(["fr", *(["it"] if it else []), *(["ar"] if ar else []), *(["pt"] if pt else [])])
        for it, ar, pt in zip(staff.italian, arabic, portuguese, strict=True)
    ]
    case_managers = pd.DataFrame(
        {
            "cm_id": staff.ids,
            "team": np.where(staff.territory == "", "mobile", staff.territory),
            "profession": staff.profession,
            "fte": staff.fte,
            "minutes_per_week": np.round(staff.fte * _FULL_TIME).astype(np.int64),
            "max_cases": staff.cap,
            "languages": spoken,
            "skills": [
                ";".join(sorted({skills[i % len(skills)], skills[(i // 2 + 1) % len(skills)]})) for i in range(n)
            ],
            "territories": np.where((staff.territory == "") | staff.italian, ";".join(names), staff.territory),
            "starts_on": as_dates(staff.starts),
            "ends_on": as_dates(staff.ends),
            "program": program.id,
        }
    )
    tables = {"case_managers": case_managers, "licenses": _licenses(people, program, staff)}
    asked = tuple(names.split("|")[0] for names in program.allocation.credentials) or ("case_management_diploma",)
    cleared = tuple(one.clearance.split("|")[0] for one in program.allocation.confidential)
    tables["credentials"] = _credentials(people, staff, asked, cleared)
    tables["absences"] = _absences(people, staff, who)
    return tables


def _licenses(people: People, program: Program, staff: Staff) -> pd.DataFrame:
    """Return the licences: all who need one hold it at home; the second of them must renew soon, some hold two."""
    licensed = np.flatnonzero(np.isin(staff.profession.astype(str), program.allocation.licensed_professions))
    until = np.full(staff.n, people.as_of + 700)
    until[licensed[1:2]] = people.as_of + 45
    home = pd.DataFrame({"place": licensed, "jurisdiction": "FR", "to": until[licensed]})
    abroad = licensed[staff.italian[licensed]]
    both = pd.concat(
        [home, pd.DataFrame({"place": abroad, "jurisdiction": "IT", "to": np.full(len(abroad), people.as_of + 400)})],
        ignore_index=True,
    )
    place = both["place"].to_numpy(dtype=np.int64)
    return pd.DataFrame(
        {
            "cm_id": staff.ids[place],
            "profession": staff.profession[place],
            "jurisdiction": both["jurisdiction"].to_numpy(dtype=object),
            "valid_from": as_dates(np.full(len(both), people.opened - 400)),
            "valid_to": as_dates(both["to"].to_numpy(dtype=np.int64)),
        }
    )


def _credentials(people: People, staff: Staff, asked: tuple[str, ...], cleared: tuple[str, ...]) -> pd.DataFrame:
    """Return the certificates: everyone holds those the program asks for; the clearances of the last end soon."""
    names = (*asked, *cleared)
    until = np.full((staff.n, len(names)), NEVER)
    until[-1, len(asked) :] = people.as_of + 45
    return pd.DataFrame(
        {
            "cm_id": np.repeat(staff.ids, len(names)),
            "credential": np.tile(np.array(names, dtype=object), staff.n),
            "jurisdiction": "FR",
            "valid_from": as_dates(np.full(staff.n * len(names), people.opened - 200)),
            "valid_to": as_dates(until.ravel()),
        }
    )


def _absences(people: People, staff: Staff, who: Draws) -> pd.DataFrame:
    """Return times away: a leave each summer, and two weeks ahead of the as-of date for one in four."""
    year = np.repeat([365, 730], staff.n)
    summer = people.as_of - np.tile(np.full(staff.n, 70), 2) - year + 365 + who.whole(0, 40, 2 * staff.n)
    place = np.tile(np.arange(staff.n), 2)
    soon = np.flatnonzero(np.arange(staff.n) % 4 == 2)
    place = np.concatenate([place, soon])
    start = np.concatenate([summer, np.full(len(soon), people.as_of + 3)])
    frame = pd.DataFrame({"place": place, "start": start, "end": start + 13})
    inside = (frame["start"] >= staff.starts[place]) & (frame["end"] <= staff.ends[place])
    frame = frame[inside].sort_values(["place", "start"])
    return pd.DataFrame(
        {
            "cm_id": staff.ids[frame["place"].to_numpy()],
            "from_on": as_dates(frame["start"].to_numpy()),
            "to_on": as_dates(frame["end"].to_numpy()),
        }
    )


@dataclass(frozen=True)
class Following:
    """Who follows which episode, one array value an assignment."""

    episode: Ints
    cm: Ints
    start: Ints
    end: Ints
    reason: np.ndarray


def follow(
    people: People, staff: Staff, careers: Careers, rows: Ints, licensed: tuple[str, ...], draws: Draws
) -> Following:
    """Give each episode, in order of admission, to the least laden case manager of the territory who may take it.

    A case manager who leaves hands over to the others; whoever was admitted in the last days may still wait for one.
    """
    who = draws.of("assignments")
    one = careers.take(rows)
    waits = who.whole(0, 7, one.n)
    start = one.admitted + waits
    end = np.where(one.closed < people.as_of, one.closed, NEVER)
    speaks = people.language[one.person] == "it"
    abroad = people.jurisdiction[one.person] != "FR"
    desk = _Desk(staff, people, licensed)
    made: list[tuple[int, int, int, int, str]] = []
    order = np.lexsort((np.arange(one.n), start))
    for i in order.tolist():
        if start[i] >= people.as_of or start[i] >= end[i]:
            continue
        territory = people.territory[one.person[i]]
        made.extend(desk.give(i, territory, bool(speaks[i]), bool(abroad[i]), int(start[i]), int(end[i])))
    parts = np.array([m[:4] for m in made], dtype=np.int64).reshape(-1, 4)
    reason = np.array([m[4] for m in made], dtype=object)
    return Following(parts[:, 0], parts[:, 1], parts[:, 2], parts[:, 3], reason)


class _Desk:
    """The desk that hands out cases: knows each case manager's open cases on the day it has come to."""

    def __init__(self, staff: Staff, people: People, licensed: tuple[str, ...]) -> None:
        self.staff = staff
        self.load = [0] * staff.n
        self.leaving: list[tuple[int, int]] = []
        self.teams: dict[str, list[list[int]]] = {}
        for name in people.design.territories:
            mine = [i for i in range(staff.n) if staff.territory[i] in (name, "")]
            self.teams[name] = [mine[k : k + _TEAM] for k in range(0, len(mine), _TEAM)]
        self.fte = staff.fte.tolist()
        self.cap = staff.cap.tolist()
        self.starts, self.ends = staff.starts.tolist(), staff.ends.tolist()
        bound = np.isin(staff.profession.astype(str), licensed) & ~staff.italian
        self.home_only = bound.tolist()  # their licence does not count abroad
        self.speakers = np.flatnonzero(staff.italian).tolist()
        self.turn = 0

    def give(
        self, episode: int, territory: str, italian: bool, abroad: bool, start: int, end: int
    ) -> list[tuple[int, int, int, int, str]]:
        """Return the assignments of one episode, in order; none where everybody is full."""
        while self.leaving and self.leaving[0][0] <= start:
            self.load[heapq.heappop(self.leaving)[1]] -= 1
        cm = self._least_laden(territory, italian, abroad, start)
        if cm is None:
            return []
        stops = min(end, self.ends[cm])
        self._take(cm, stops)
        first = (episode, cm, start, stops, _why(stops, end))
        if stops >= end:
            return [first]
        # The successor is chosen on the day of the first assignment: a simplification that keeps one pass.
        heir = self._least_laden(territory, italian, abroad, stops)
        if heir is None:
            return [first]
        heapq.heappush(self.leaving, (end, heir))
        self.load[heir] += 1
        return [first, (episode, heir, stops + 1, end, _why(end, end))]

    def _take(self, cm: int, until: int) -> None:
        self.load[cm] += 1
        if until < NEVER:
            heapq.heappush(self.leaving, (until, cm))

    def _least_laden(self, territory: str, italian: bool, abroad: bool, day: int) -> int | None:
        """Return the case manager with the lightest load a full-time place, among those at work with room."""
        teams = self.teams[territory]
        self.turn += 1
        team = teams[self.turn % len(teams)]
        if abroad:
            team = [cm for cm in team if not self.home_only[cm]]
        spoken = self._lightest(self.speakers, day) if italian else None
        return self._lightest(team, day) if spoken is None else spoken

    def _lightest(self, team: list[int], day: int) -> int | None:
        best, least = None, 1e9
        for cm in team:
            if not (self.starts[cm] <= day < self.ends[cm]) or self.load[cm] >= self.cap[cm]:
                continue
            ratio = (self.load[cm] + 1) / self.fte[cm]
            if ratio < least:
                best, least = cm, ratio
        return best


def _why(end: int, episode_end: int) -> str:
    """Return why an assignment ended."""
    if end >= NEVER:
        return ""
    return "episode_closed" if end == episode_end else "staff_left"


def assignments_table(
    people: People,
    staff: Staff,
    following: Following,
    episodes: pd.DataFrame,
    person: Ints,
    draws: Draws,
    prefix: str = "G",
) -> pd.DataFrame:
    """Return the table `assignments`: the leads, and a backup for some."""
    who = draws.of("backups")
    n = len(following.episode)
    lead = pd.DataFrame(
        {"episode": following.episode, "cm": following.cm, "start": following.start, "end": following.end,
         "reason": following.reason, "role": "lead"}
    )  # fmt: skip
    at_home = people.jurisdiction[person][following.episode] == "FR"
    second = np.flatnonzero((following.end >= NEVER) & at_home & who.chance(0.08, n))
    other = (following.cm[second] + 1) % max(staff.n - 2, 1)
    backup = lead.iloc[second].assign(cm=other, role="backup")
    backup = backup[backup["cm"].to_numpy() != following.cm[second]]
    every = pd.concat([lead, backup], ignore_index=True).sort_values(["start", "episode", "role"], kind="stable")
    episode = every["episode"].to_numpy()
    reason = every["reason"].to_numpy(dtype=object)
    return pd.DataFrame(
        {
            "assignment_id": numbered(prefix, len(every)),
            "episode_id": episodes["episode_id"].to_numpy(dtype=object)[episode],
            "person_id": episodes["person_id"].to_numpy(dtype=object)[episode],
            "cm_id": staff.ids[every["cm"].to_numpy()],
            "role": every["role"].to_numpy(dtype=object),
            "from_on": as_dates(every["start"].to_numpy()),
            "to_on": as_dates(every["end"].to_numpy()),
            "end_reason": only_where(reason != "", reason),
            "recorded_at": as_records(every["start"].to_numpy(), every["start"].to_numpy()),
        }
    )


def wishes_tables(people: People, staff: Staff, draws: Draws) -> dict[str, pd.DataFrame]:
    """Return what people asked for and who must not follow whom."""
    who, n = draws.of("wishes"), people.n
    foreign = np.flatnonzero((people.language != "fr") & who.chance(0.7, n))
    woman = np.flatnonzero(who.chance(0.03, n))
    person = np.concatenate([foreign, woman])
    wishes = pd.DataFrame(
        {
            "person_id": people.ids[person],
            "kind": np.concatenate([np.full(len(foreign), "language"), np.full(len(woman), "profession")]).astype(
                object
            ),
            "value": np.concatenate([people.language[foreign], np.full(len(woman), staff.profession[0])]).astype(
                object
            ),
            "is_required": np.concatenate([people.language[foreign] == "it", np.zeros(len(woman), bool)]),
        }
    ).sort_values(["person_id", "kind"], ignore_index=True)
    wishes["recorded_at"] = as_records(*[np.full(len(wishes), people.opened)] * 2)
    apart = np.flatnonzero(who.chance(0.01, n))
    conflicts = pd.DataFrame(
        {
            "person_id": people.ids[apart],
            "cm_id": staff.ids[who.whole(0, staff.n - 1, len(apart))],
            "reason": "related",
        }
    )
    conflicts["recorded_at"] = as_records(*[np.full(len(apart), people.opened)] * 2)
    return {"preferences": wishes, "conflicts": conflicts}
