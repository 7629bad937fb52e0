"""Is each step of case management done, and in time: one indicator for each of the nine steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.caseload.contacts import contacts_due_on
from casestrat.caseload.following import Standing
from casestrat.tables import TEXT
from casestrat.timeline import known

if TYPE_CHECKING:
    from collections.abc import Callable

    from casestrat.knowledge import Program
    from casestrat.tables import Tables

PERIOD_DAYS = 365
_ASSESSED_WITHIN = 30
_ASSESSMENT_LASTS = 365
_PLANNED_WITHIN = 60
_COORDINATED_WITHIN = 90
_TOLD_WITHIN = 7
_CALLED_WITHIN = 7
_COORDINATION = ("provider_meeting", "collateral")
_TRANSITIONS = ("hospital_stay", "setting_change")


@dataclass(frozen=True, eq=False)
class _Question:
    """What an indicator is asked on: a date, the year before it, its referrals, and who has a tier."""

    day: Standing
    since: pd.Timestamp
    referrals: pd.DataFrame
    has_tier: pd.Series | None

    @property
    def tables(self) -> Tables:
        """The checked tables."""
        return self.day.tables

    @property
    def as_of(self) -> pd.Timestamp:
        """The date."""
        return self.day.as_of


def process_indicators(
    tables: Tables, program: Program, as_of: pd.Timestamp | str, tiers: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Say for each of the nine steps of case management how often it was done, whole or in time, in the last year.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        Whose referrals and episodes count.
    as_of : pandas.Timestamp or str
        The date; the day itself does not count.
    tiers : pandas.DataFrame, optional
        Index (person_id, as_of) and column ``tier``: who has a tier. Without it, a person counts as stratified who has
        a sitting of the last year with the program's first instrument.

    Returns
    -------
    pandas.DataFrame
        One row per step and group (all, each territory), in order of the steps: step (1–9), indicator, group_kind,
        group, numerator, denominator. A denominator of 0 says that nothing was to be done, or that a table is absent.

    Examples
    --------
    >>> from casestrat.knowledge import load_program
    >>> from casestrat.tables import Tables
    >>> tables = Tables.from_frames({
    ...     "persons": pd.DataFrame({"person_id": ["P1", "P2", "P3"], "recorded_at": "2026-01-01"}),
    ...     "referrals": pd.DataFrame({"referral_id": ["R1", "R2", "R3"], "person_id": ["P1", "P2", "P3"],
    ...                                "referred_on": ["2026-01-02"] * 3, "recorded_at": ["2026-01-02"] * 3,
    ...                                "is_complete": ["true", "true", "false"]})})
    >>> steps = process_indicators(tables, load_program("geriatric"), "2026-03-01")
    >>> steps.loc[steps["group"] == "all", ["indicator", "numerator", "denominator"]].head(2)
                indicator  numerator  denominator
    0  screening_complete          2            3
    2   assessing_in_time          0            3
    """
    return process_indicators_on(Standing(tables, program, pd.Timestamp(as_of)), tiers)


def process_indicators_on(day: Standing, tiers: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the indicators, as :func:`process_indicators`, of a date that is asked about several things."""
    since = day.as_of - pd.Timedelta(days=PERIOD_DAYS)
    referred = day.referrals["referred_on"]
    recent = day.referrals[(referred >= since) & (referred < day.as_of)]
    has_tier = None if tiers is None else tiers["tier"].notna().groupby(level="person_id").any()
    question = _Question(day, since, recent, has_tier)
    parts = []
    for step, (name, ask) in enumerate(STEPS.items(), start=1):
        parts.append(_by_territory(ask(question), question).assign(step=step, indicator=name))
    frame = pd.concat(parts, ignore_index=True)
    frame = frame[["step", "indicator", "group_kind", "group", "numerator", "denominator"]]
    return frame.astype({"indicator": TEXT, "group_kind": TEXT, "group": TEXT})


def _by_territory(asked: pd.DataFrame, question: _Question) -> pd.DataFrame:
    """Return numerator and denominator of all, and of each territory."""
    territory = question.day.territory_of(asked["person_id"])
    is_done = asked["is_done"].astype(bool)
    total = {"group_kind": "all", "group": "all", "numerator": int(is_done.sum()), "denominator": len(asked)}
    rows = [total]
    for name in sorted(question.day.territories.unique()):
        mine = (territory == name).to_numpy(dtype=bool)
        done = int(is_done.to_numpy()[mine].sum())
        rows.append({"group_kind": "territory", "group": name, "numerator": done, "denominator": int(mine.sum())})
    return pd.DataFrame(rows)


def _asked(frame: pd.DataFrame, is_done: pd.Series | np.ndarray) -> pd.DataFrame:
    """Return what was to be done, and whether it was."""
    return pd.DataFrame(
        {"person_id": frame["person_id"].to_numpy(), "is_done": np.asarray(is_done, dtype=bool)}
    ).astype({"person_id": TEXT})


def _screening(q: _Question) -> pd.DataFrame:
    """Referrals of the year whose form is complete."""
    return _asked(q.referrals, q.referrals["is_complete"].fillna(False))


def _assessing(q: _Question) -> pd.DataFrame:
    """Referrals whose person was assessed within 30 days; those more recent are not asked yet."""
    ripe = q.referrals[q.referrals["referred_on"] < q.as_of - pd.Timedelta(days=_ASSESSED_WITHIN)]
    sittings = known(q.tables.assessments, "assessment_id", q.as_of)[["person_id", "observed_at"]]
    return _asked(ripe, _has_any(ripe, "referral_id", "referred_on", sittings, "observed_at", 0, _ASSESSED_WITHIN))


def _stratifying(q: _Question) -> pd.DataFrame:
    """People followed who have a tier; without tiers, a sitting of the year with the first instrument."""
    people = q.day.open_episodes.drop_duplicates("person_id")
    if q.has_tier is not None:
        return _asked(people, people["person_id"].map(q.has_tier).fillna(False))
    sittings = known(q.tables.assessments, "assessment_id", q.as_of)
    first = q.day.program.instruments[0] if q.day.program.instruments else ""
    fresh = sittings["observed_at"] >= q.as_of - pd.Timedelta(days=_ASSESSMENT_LASTS)
    ids = sittings.loc[(sittings["instrument"] == first) & fresh, "person_id"]
    return _asked(people, people["person_id"].isin(ids))


def _planning(q: _Question) -> pd.DataFrame:
    """Episodes of the year with a plan within 60 days; those more recent are not asked yet."""
    ripe = q.day.episodes["admitted_on"] < q.as_of - pd.Timedelta(days=_PLANNED_WITHIN)
    length = q.day.episodes["closed_on"].fillna(q.as_of) - q.day.episodes["admitted_on"]
    long = length >= pd.Timedelta(days=_PLANNED_WITHIN)
    asked = q.day.episodes[ripe & long & (q.day.episodes["admitted_on"] >= q.since)]
    plans = known(q.tables.plans, "plan_id", q.as_of)[["episode_id", "starts_on"]]
    done = _has_any(asked, "episode_id", "admitted_on", plans, "starts_on", 0, _PLANNED_WITHIN, link="episode_id")
    return _asked(asked, done)


def _implementing(q: _Question) -> pd.DataFrame:
    """Open episodes with a contact with providers or the entourage in the last 90 days."""
    asked = q.day.open_episodes
    asked = asked[asked["admitted_on"] < q.as_of - pd.Timedelta(days=_COORDINATED_WITHIN)]
    contacts = q.day.contacts
    recent = contacts["occurred_at"].between(
        q.as_of - pd.Timedelta(days=_COORDINATED_WITHIN), q.as_of, inclusive="left"
    )
    ids = contacts.loc[recent & contacts["kind"].isin(_COORDINATION), "episode_id"]
    return _asked(asked, asked["episode_id"].isin(ids))


def _following_up(q: _Question) -> pd.DataFrame:
    """Contacts that the intensities ask for and that are not overdue."""
    due = contacts_due_on(q.day)
    return _asked(due, ~due["is_overdue"].astype(bool))


def _transitioning(q: _Question) -> pd.DataFrame:
    """Stays and moves of people followed that the service knew of within 7 days."""
    moves = _transitions(q)
    told = moves["recorded_at"].dt.normalize() - moves["observed_at"].dt.normalize()
    return _asked(moves, told <= pd.Timedelta(days=_TOLD_WITHIN))


def _communicating(q: _Question) -> pd.DataFrame:
    """Hospital stays of people followed that ended, with a contact after the transition within 7 days."""
    moves = _transitions(q)
    moves = moves[moves["ended_at"].notna() & (moves["ended_at"] < q.as_of - pd.Timedelta(days=_CALLED_WITHIN))]
    moves = moves.assign(end=moves["ended_at"].dt.normalize())
    contacts = q.day.contacts
    calls = contacts.loc[contacts["kind"] == "post_transition", ["person_id", "occurred_at"]]
    return _asked(moves, _has_any(moves, "event_id", "end", calls, "occurred_at", 0, _CALLED_WITHIN))


def _evaluating(q: _Question) -> pd.DataFrame:
    """Episodes closed in the year with a reason, and with no goal left open."""
    closed = q.day.episodes[q.day.episodes["closed_on"] >= q.since]
    plans = known(q.tables.plans, "plan_id", q.as_of).set_index("plan_id")["episode_id"]
    goals = known(q.tables.goals, "goal_id", q.as_of)
    left_open = goals.loc[goals["status"] == "open", "plan_id"].map(plans)
    return _asked(closed, closed["close_reason"].notna() & ~closed["episode_id"].isin(left_open))


def _transitions(q: _Question) -> pd.DataFrame:
    """Return the stays and moves of the year that happened while a person was followed."""
    events = known(q.tables.events, "event_id", q.as_of)
    events = events[events["kind"].isin(_TRANSITIONS)]
    events = events[(events["observed_at"] >= q.since) & (events["observed_at"] < q.as_of)]
    spans = q.day.episodes[["person_id", "admitted_on", "closed_on"]]
    both = events.merge(spans, on="person_id", how="inner")
    inside = both["admitted_on"] <= both["observed_at"]
    inside &= both["closed_on"].isna() | (both["observed_at"] < both["closed_on"])
    return both[inside].drop_duplicates("event_id")


def _has_any(
    asked: pd.DataFrame, key: str, start: str, done: pd.DataFrame, moment: str, low: int, high: int,
    link: str = "person_id",
) -> pd.Series:  # fmt: skip
    """Return for each row whether something was done between ``low`` and ``high`` days after its start."""
    columns = list(dict.fromkeys([key, link, start]))
    both = asked[columns].merge(done[[link, moment]], on=link, how="inner")
    days = (both[moment].dt.normalize() - both[start]).dt.days
    return asked[key].isin(both.loc[days.between(low, high), key])


STEPS: dict[str, Callable[[_Question], pd.DataFrame]] = {
    "screening_complete": _screening,
    "assessing_in_time": _assessing,
    "stratifying_complete": _stratifying,
    "planning_in_time": _planning,
    "implementing_coordinated": _implementing,
    "following_up_in_time": _following_up,
    "transitioning_known_in_time": _transitioning,
    "communicating_in_time": _communicating,
    "evaluating_complete": _evaluating,
}
"""Name of the indicator → what it asks, in order of the nine steps."""
