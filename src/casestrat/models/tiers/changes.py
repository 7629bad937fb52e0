"""Who changes tier: separate ways in and out, least stays, reviews before a step down, churn, and what is to come.

Nobody is ever moved down by a number alone: a person who would step down stays and is marked for review, and people
decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.tables.columns import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from casestrat.knowledge.program import Program
    from casestrat.knowledge.program_tiers import TierRule

UNKNOWN_TIER = "unknown"
ABSENT = "absent"
_CHUNK = 64  # draws looked at together, so that memory does not grow with their number


@dataclass(frozen=True, slots=True)
class Before:
    """The tier that each person had, as the place of the tier (−1 unknown), and for how many days (NaN unknown)."""

    place: NDArray[np.int64]
    days: NDArray[np.float64]


def read_previous(previous: pd.DataFrame, index: pd.Index, tiers: Sequence[TierRule]) -> Before:
    """Return the tier that each row's person had before.

    Parameters
    ----------
    previous : pandas.DataFrame
        One row per person, index or column ``person_id``; ``tier`` and, where a tier has a least stay, ``tier_since``.
    index : pandas.Index
        Of the people now: ``person_id``, and ``as_of`` where days are counted.
    tiers : sequence of TierRule
        The tiers, highest first.

    Returns
    -------
    Before
        One entry per row of the index.

    Raises
    ------
    UsageError
        A person stands twice, a column is missing, a tier is not the program's, or there is no date to count from.
    """
    frame = previous.reset_index() if "person_id" in previous.index.names else previous
    for column in ("person_id", "tier"):
        if column not in frame.columns:
            raise UsageError(f"there is no column {column}", where="previous", do="give one row a person with its tier")
    n_twice = int(frame["person_id"].duplicated().sum())
    if n_twice:
        raise UsageError(f"{n_twice} people stand more than once", where="previous", do="give the latest tier of each")
    names = [tier.id for tier in tiers]
    strange = sorted(set(frame["tier"].dropna().astype(str)) - set(names))
    if strange:
        what = f"the program has no tier {strange[0]!r}"
        raise UsageError(what, where="previous, column tier", do=f"use {', '.join(names)}")
    people = index.get_level_values("person_id") if "person_id" in index.names else index
    at = pd.Index(frame["person_id"].astype(object)).get_indexer(people.astype(object))
    held = np.append(pd.Categorical(frame["tier"].astype(object), categories=names).codes, -1)
    return Before(held[at].astype("int64"), _days_stayed(frame, index, at, tiers))


def _days_stayed(
    frame: pd.DataFrame, index: pd.Index, at: NDArray[np.intp], tiers: Sequence[TierRule]
) -> NDArray[np.float64]:
    """Return the days that each person has been in the tier; asked for only where a tier has a least stay."""
    if all(tier.least_stay_days is None for tier in tiers) or "tier_since" not in frame.columns:
        return np.full(len(index), np.nan)
    if "as_of" not in index.names:
        raise UsageError(
            "a least stay is counted up to a date, and there is none", where="risk_frame",
            do="give the index person_id, as_of",
        )  # fmt: skip
    since = pd.to_datetime(frame["tier_since"]).to_numpy(dtype="datetime64[us]")
    since = np.append(since, np.datetime64("NaT"))[at]
    now = index.get_level_values("as_of").to_numpy(dtype="datetime64[us]")
    return np.asarray((now - since) / np.timedelta64(1, "D"), dtype="float64")


@dataclass(frozen=True, slots=True)
class Held:
    """Where each person stands once the tier they had is taken into account."""

    had: NDArray[np.int64]  # the tier they had, −1 unknown
    place: NDArray[np.int64]
    rule: NDArray[Any]
    stays: NDArray[np.bool_]  # in the tier they had
    is_review: NDArray[np.bool_]  # would step down: people decide
    step_down_to: NDArray[np.int64]  # −1 where there is no step down to review


def hold_previous(
    place: NDArray[np.int64],
    rule: NDArray[Any],
    retained: NDArray[np.int64],
    before: Before,
    tiers: Sequence[TierRule],
) -> Held:
    """Let people in by the ways in, and keep those who were in until they are out by the ways out.

    Parameters
    ----------
    place : numpy.ndarray
        Place of the tier that cut-offs and rules give now, 0 the highest, −1 unknown.
    rule : numpy.ndarray
        Why.
    retained : numpy.ndarray
        Place of the highest tier, from the one they had downwards, whose way out is not reached.
    before : Before
        The tier they had.
    tiers : sequence of TierRule
        The tiers, highest first.

    Returns
    -------
    Held
        One entry per row.
    """
    had = before.place
    is_lower = (had >= 0) & ((place > had) | (place < 0))
    is_unknown = is_lower & (place < 0)
    is_between = is_lower & ~is_unknown & (retained == had)
    least = np.array([*(tier.least_stay_days or 0 for tier in tiers), 0], dtype="float64")
    is_early = is_lower & ~is_unknown & ~is_between & (before.days < least[had])
    is_review = is_lower & ~is_unknown & ~is_between & ~is_early
    told = rule.copy()
    names = [tier.id for tier in tiers]
    for number in np.unique(had[is_lower]):
        mine = is_lower & (had == number)
        words = f"stays in {names[number]}"
        told[mine & is_unknown] = f"risk and points not known; {words}"
        told[mine & is_between] = f"{words}: above the way out"
        told[mine & is_early] = f"{words}: least stay {least[number]:g} days"
        for lower in np.unique(retained[mine & is_review]):
            told[mine & is_review & (retained == lower)] = f"{words}: step down to {names[lower]} to be reviewed"
    now = np.where(is_lower, had, place)
    return Held(had, now, told, (had >= 0) & (now == had), is_review, np.where(is_review, retained, -1))


def tier_churn(previous: pd.DataFrame, now: pd.DataFrame, program: Program | None = None) -> pd.DataFrame:
    """Count who moved from which tier to which.

    Parameters
    ----------
    previous, now : pandas.DataFrame
        One row per person, index or column ``person_id``, with a column ``tier``.
    program : Program, optional
        The program: its tiers give the order of the rows and tell up from down.

    Returns
    -------
    pandas.DataFrame
        One row per pair of tiers that occurs: tier_before, tier_after (``unknown``: no tier is known; ``absent``: not
        among the people), n, share (of those in tier_before), and move (up, down, same, joins, leaves; where a tier is
        unknown or no program is given and the tiers differ: other).

    Raises
    ------
    UsageError
        A column is missing, or a person stands twice.

    Examples
    --------
    >>> from casestrat.knowledge import load_program
    >>> before = pd.DataFrame({"person_id": ["P1", "P2", "P3"], "tier": ["high", "low", "low"]})
    >>> after = pd.DataFrame({"person_id": ["P1", "P2", "P3"], "tier": ["high", "medium", "low"]})
    >>> tier_churn(before, after, load_program("geriatric"))
      tier_before tier_after  n  share  move
    0        high       high  1    1.0  same
    1         low     medium  1    0.5    up
    2         low        low  1    0.5  same
    """
    both = pd.concat([_tier_of(previous, "previous"), _tier_of(now, "now")], axis=1, keys=["before", "after"])
    pairs = both.fillna(ABSENT).value_counts().rename_axis(["tier_before", "tier_after"]).rename("n").reset_index()
    found = {*pairs["tier_before"], *pairs["tier_after"]}
    names = [tier.id for tier in program.tiers] if program is not None else sorted(found)
    names = [*(name for name in names if name not in (UNKNOWN_TIER, ABSENT)), UNKNOWN_TIER, ABSENT]
    rank = {name: number for number, name in enumerate(names)}
    strange = sorted(found - set(rank))
    if strange:
        raise UsageError(f"the program has no tier {strange[0]!r}", where="column tier")
    before, after = (pairs[name].map(rank).to_numpy() for name in ("tier_before", "tier_after"))
    pairs = pairs.assign(
        n=pairs["n"].astype("Int64"),
        share=pairs["n"] / pairs.groupby("tier_before")["n"].transform("sum"),
        move=_moves(before, after, len(names) - 2, program is not None),
    )
    order = np.lexsort((after, before))
    types = {"tier_before": TEXT, "tier_after": TEXT, "move": TEXT}
    return pairs.take(order).reset_index(drop=True).astype(types)


def _tier_of(frame: pd.DataFrame, where: str) -> pd.Series:
    """Return the tier of each person, ``unknown`` where it is missing."""
    flat = frame.reset_index() if "person_id" in frame.index.names else frame
    for column in ("person_id", "tier"):
        if column not in flat.columns:
            raise UsageError(f"there is no column {column}", where=where, do="give one row a person with its tier")
    n_twice = int(flat["person_id"].duplicated().sum())
    if n_twice:
        raise UsageError(f"{n_twice} people stand more than once", where=where, do="give one date only")
    return flat.set_index(flat["person_id"].astype(object))["tier"].astype(object).fillna(UNKNOWN_TIER)


def _moves(before: NDArray[Any], after: NDArray[Any], n_tiers: int, is_ordered: bool) -> NDArray[Any]:
    """Name what each pair of tiers is; places from ``n_tiers`` on are no tiers."""
    absent = n_tiers + 1
    is_known = (before < n_tiers) & (after < n_tiers) & is_ordered
    choices = [before == absent, after == absent, before == after, is_known & (after < before), is_known]
    return np.select(choices, ["joins", "leaves", "same", "up", "down"], "other")


def tier_probabilities(draws: ArrayLike, program: Program, index: pd.Index | None = None) -> pd.DataFrame:
    """Return how likely each person is to be in each tier, by the cut-offs for risk.

    Parameters
    ----------
    draws : array-like of shape (n_draws, n_people)
        Draws of each person's risk, 0 to 1, as ``risk_draws`` of a model gives them; NaN for a person not scored.
    program : Program
        Its tiers; all but the lowest need ``from_risk``.
    index : pandas.Index, optional
        The people; by default their numbers.

    Returns
    -------
    pandas.DataFrame
        One row per person: ``p_tier_<id>`` for each tier, highest first; they sum to 1. Missing where not scored.

    Raises
    ------
    UsageError
        The draws are no table of risks, do not fit the index, or the program has no cut-offs for risk.

    Examples
    --------
    >>> from casestrat.knowledge import load_program
    >>> draws = [[0.35, 0.10, 0.20], [0.25, 0.12, 0.20]]
    >>> tier_probabilities(draws, load_program("geriatric"), pd.Index(["P1", "P2", "P3"]))
        p_tier_high  p_tier_medium  p_tier_low
    P1          0.5            0.5         0.0
    P2          0.0            0.0         1.0
    P3          0.0            1.0         0.0
    """
    drawn = _checked_draws(draws)
    people = pd.RangeIndex(drawn.shape[1]) if index is None else index
    if len(people) != drawn.shape[1]:
        raise UsageError(f"draws of {drawn.shape[1]:,} people and an index of {len(people):,}", where="draws")
    total = np.zeros((len(program.tiers), drawn.shape[1]))
    for places in _places_of_draws(drawn, program):
        for number in range(len(program.tiers)):
            total[number] += (places == number).sum(axis=0)
    share = total / len(drawn)
    share[:, np.isnan(drawn).any(axis=0)] = np.nan
    columns = {f"p_tier_{tier.id}": row for tier, row in zip(program.tiers, share, strict=True)}
    return pd.DataFrame(columns, index=people)


def expected_moves(
    previous: pd.DataFrame, draws: ArrayLike, program: Program, index: pd.Index, level: float = 0.9
) -> pd.DataFrame:
    """Foretell how many people the cut-offs would move from which tier to which, from draws of their risks.

    Parameters
    ----------
    previous : pandas.DataFrame
        One row per person, index or column ``person_id``, with the present ``tier``.
    draws : array-like of shape (n_draws, n_people)
        Draws of each person's risk, 0 to 1.
    program : Program
        Its tiers; all but the lowest need ``from_risk``.
    index : pandas.Index
        The people of the draws: ``person_id`` (and ``as_of``).
    level : float, default 0.9
        Share of the draws between ``n_low`` and ``n_high``, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        One row per pair of tiers that occurs in a draw: tier_before, tier_after, n_expected, n_low, n_high. People
        whose present tier is not known, or who have no draws, are left out.

    Raises
    ------
    UsageError
        The draws are no table of risks, or what is given does not fit together.

    Examples
    --------
    >>> from casestrat.knowledge import load_program
    >>> people = pd.Index(["P1", "P2", "P3"], name="person_id")
    >>> before = pd.DataFrame({"tier": ["high", "low", "low"]}, index=people)
    >>> draws = [[0.35, 0.10, 0.20], [0.25, 0.12, 0.20]]
    >>> expected_moves(before, draws, load_program("geriatric"), people)[["tier_before", "tier_after", "n_expected"]]
      tier_before tier_after  n_expected
    0        high       high         0.5
    1        high     medium         0.5
    2         low     medium         1.0
    3         low        low         1.0
    """
    if not 0 < level < 1:
        raise UsageError(f"a level lies between 0 and 1; found {level}", where="level")
    drawn = _checked_draws(draws)
    if len(index) != drawn.shape[1]:
        raise UsageError(f"draws of {drawn.shape[1]:,} people and an index of {len(index):,}", where="draws")
    had = read_previous(previous, index, program.tiers).place
    counts = had >= 0
    counts &= ~np.isnan(drawn).any(axis=0)
    n = len(program.tiers)
    pairs = [
        np.bincount(had[counts] * n + row, minlength=n * n)
        for places in _places_of_draws(drawn[:, counts], program)
        for row in places
    ]
    moves = np.array(pairs)
    names = [tier.id for tier in program.tiers]
    low, high = np.quantile(moves, [(1 - level) / 2, (1 + level) / 2], axis=0)
    frame = pd.DataFrame({
        "tier_before": pd.array(np.repeat(names, n), dtype=TEXT),
        "tier_after": pd.array(np.tile(names, n), dtype=TEXT),
        "n_expected": moves.mean(axis=0),
        "n_low": low,
        "n_high": high,
    })  # fmt: skip
    return frame.take(np.flatnonzero(moves.any(axis=0))).reset_index(drop=True)


def _checked_draws(draws: ArrayLike) -> NDArray[np.float64]:
    """Return draws as a table of floats, if they are risks."""
    try:
        drawn = np.asarray(draws, dtype="float64")
    except (ValueError, TypeError):
        raise UsageError("the draws are no numbers", where="draws", do="give model.risk_draws(X)") from None
    if drawn.ndim != 2 or not len(drawn):
        raise UsageError(
            f"expected one row a draw and one column a person; found the shape {drawn.shape}", where="draws"
        )
    n_outside = int(((drawn < 0) | (drawn > 1)).sum())
    if n_outside:
        raise UsageError(f"risks lie from 0 to 1; {n_outside:,} draws lie outside", where="draws")
    return drawn


def _places_of_draws(drawn: NDArray[np.float64], program: Program) -> Iterator[NDArray[np.int64]]:
    """Give the place of each drawn risk's tier, some draws at a time."""
    cuts = [tier.from_risk for tier in program.tiers[:-1]]
    if any(cut is None for cut in cuts):
        raise UsageError(
            f"the program {program.id} has no cut-offs for risk", where="[[tiers]]", do="give `from_risk` of its tiers"
        )
    rising = np.array(cuts[::-1], dtype="float64")
    for start in range(0, len(drawn), _CHUNK):
        yield len(rising) - np.searchsorted(rising, drawn[start : start + _CHUNK], side="right")
