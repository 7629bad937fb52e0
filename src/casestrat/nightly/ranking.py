"""Scores → tiers, criteria and lists in order: what the night, a shadow run and a corrected answer all go through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from casestrat.models import assign_tiers
from casestrat.nightly.waiting import make_waiting
from casestrat.priority import (
    Meeting,
    assess_first,
    check_criteria,
    mark_places,
    open_meeting,
    rank_waiting_list,
)  # fmt: skip
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casestrat.knowledge import PriorityPolicy, Program
    from casestrat.tables import Tables


@dataclass(frozen=True, slots=True)
class CommitteeList:
    """The list of one meeting, or of everyone whose territory has no meeting planned (``meeting`` is then None)."""

    territory: str
    held_on: pd.Timestamp | None
    places: int | None
    ranked: pd.DataFrame
    assess_first: pd.DataFrame
    meeting: Meeting | None


@dataclass(frozen=True, slots=True)
class Ranking:
    """People with their features, tiers and criteria, and the lists they stand on."""

    X: pd.DataFrame
    tiers: pd.DataFrame
    criteria: pd.DataFrame
    lists: tuple[CommitteeList, ...]

    @property
    def ranked(self) -> pd.DataFrame:
        """The lists of all meetings, one after the other: one row per ranked referral."""
        return pd.concat([one.ranked for one in self.lists], ignore_index=True)

    @property
    def assess_first(self) -> pd.DataFrame:
        """Those of all meetings whom too little is known of to be ranked: one row per referral."""
        return pd.concat([one.assess_first for one in self.lists], ignore_index=True)


def rank_scored(
    tables: Tables,
    program: Program,
    policy: PriorityPolicy,
    model: Any,
    X: pd.DataFrame,
    scores: pd.DataFrame,
    fingerprints: Mapping[str, str],
    *,
    as_of: pd.Timestamp,
    previous: pd.DataFrame | None = None,
    learned_ranking_reason: str = "",
) -> Ranking:
    """Give everyone who was scored a tier, and put those who wait in order.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        The program.
    policy : PriorityPolicy
        The policy, with the lottery's seed.
    model : PointScorecard, RiskClassifier or another model
        What scored.
    X, scores : pandas.DataFrame
        Features and scores, one row per person, index (person_id, as_of).
    fingerprints : mapping of str to str
        What is kept with each meeting: of extract, program, model and policy.
    as_of : pandas.Timestamp
        The date.
    previous : pandas.DataFrame, optional
        The tier of each person until now: person_id, tier, tier_since.
    learned_ranking_reason : str, optional
        Why a learned model may be used, where the program asks.

    Returns
    -------
    Ranking
        Tiers, criteria and lists.
    """
    tiers = assign_tiers(
        scores, program, X=X, previous=previous, model=model, learned_ranking_reason=learned_ranking_reason
    )
    tiers = tiers.assign(tier_since=_tier_since(tiers, previous, as_of))
    criteria = check_criteria(tables, program, as_of, features=X)
    waiting = make_waiting(tables, program, X, tiers, as_of, criteria=criteria)
    lists = committee_lists(tables, program, policy, waiting, X, fingerprints, as_of)
    return Ranking(X, tiers, criteria, tuple(lists))


def _tier_since(tiers: pd.DataFrame, previous: pd.DataFrame | None, as_of: pd.Timestamp) -> pd.Series:
    """Return since which run each person has had the tier without a break; this one where nothing says otherwise."""
    since = pd.Series(as_of, index=tiers.index, dtype="datetime64[us]").where(tiers["tier"].notna())
    if previous is None or "tier_since" not in previous.columns:
        return since
    before = previous.set_index("person_id").reindex(tiers.index.get_level_values("person_id"))
    is_same = before["tier"].astype(TEXT).to_numpy() == tiers["tier"].to_numpy()
    earlier = pd.Series(pd.to_datetime(before["tier_since"]).to_numpy(), index=tiers.index).astype("datetime64[us]")
    return since.where(~is_same | earlier.isna(), earlier)


def committee_lists(
    tables: Tables,
    program: Program,
    policy: PriorityPolicy,
    waiting: pd.DataFrame,
    X: pd.DataFrame,
    fingerprints: Mapping[str, str],
    date: pd.Timestamp,
) -> list[CommitteeList]:
    """Return one list a planned meeting, and one for the territories that have none."""
    meetings = next_meetings(tables, date)
    left = waiting
    lists = []
    for row in meetings.itertuples(index=False):
        mine = (
            left["territory"].eq(str(row.territory)).fillna(False)
            if row.territory
            else pd.Series(True, index=left.index)
        )
        lists.append(_one_list(left[mine], row, program, policy, X, fingerprints, date))
        left = left[~mine]
    if len(left) or not lists:
        lists.append(_one_list(left, None, program, policy, X, fingerprints, date))
    return lists


def next_meetings(tables: Tables, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the next planned meeting of each territory on or after a date, those of one territory first.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    as_of : pandas.Timestamp
        The date.

    Returns
    -------
    pandas.DataFrame
        One row a territory with a planned meeting: meeting_id, held_on, territory (empty: all others), places.
    """
    planned = tables.committee_meetings
    planned = planned[planned["held_on"] >= as_of].sort_values(["held_on", "meeting_id"])
    planned = planned.assign(territory=planned["territory"].fillna(""))
    first = planned.drop_duplicates("territory")[["meeting_id", "held_on", "territory", "places"]]
    first = first.assign(_all=first["territory"].eq(""))
    return first.sort_values(["_all", "territory"], ignore_index=True).drop(columns="_all")


def _one_list(
    waiting: pd.DataFrame,
    row: Any,
    program: Program,
    policy: PriorityPolicy,
    X: pd.DataFrame,
    fingerprints: Mapping[str, str],
    date: pd.Timestamp,
) -> CommitteeList:
    places = None if row is None or pd.isna(row.places) else int(row.places)
    ranked = mark_places(rank_waiting_list(waiting, policy, date), places)
    first = _with_missing_items(assess_first(waiting, policy, date), X)
    if row is None:
        return CommitteeList("", None, None, ranked.assign(meeting_id=None), first, None)
    meeting = open_meeting(
        ranked, places=places, held_on=row.held_on, program=program, territory=row.territory,
        fingerprints=dict(fingerprints), meeting_id=row.meeting_id,
    )  # fmt: skip
    ranked = ranked.assign(meeting_id=row.meeting_id)
    return CommitteeList(row.territory, row.held_on, places, ranked, first, meeting)


def _with_missing_items(first: pd.DataFrame, X: pd.DataFrame) -> pd.DataFrame:
    """Name, for each person to assess first, the features that are not known."""
    unknown = X.droplevel("as_of").reindex(first["person_id"]).isna()
    names = [", ".join(unknown.columns[row]) for row in unknown.to_numpy(dtype=bool)]
    not_scored = ~first["person_id"].isin(X.index.get_level_values("person_id")).to_numpy(dtype=bool)
    words = ["objects_to_scoring" if no else name for no, name in zip(not_scored, names, strict=True)]
    return first.assign(missing_items=pd.array(words, dtype=TEXT))
