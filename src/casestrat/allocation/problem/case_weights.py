"""How many minutes a week cases take, measured from the contacts that were recorded, beside the program's standard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from casestrat.tables import TEXT
from casestrat.timeline import known

if TYPE_CHECKING:
    from collections.abc import Hashable
    from datetime import date

    from numpy.typing import NDArray

    from casestrat.knowledge.program import Program
    from casestrat.tables import Tables

    Numbers: TypeAlias = NDArray[np.float64]

_RESAMPLES = 999
_DRAWN_AT_ONCE = 500_000
_LEVEL = 0.95
_WEEK = 7 * 24 * 3600.0  # seconds


def case_weights(
    tables: Tables, program: Program, as_of: date | str | pd.Timestamp, *, random_state: int = 0
) -> pd.DataFrame:
    """Return the minutes a week that cases of each tier took, from recorded contacts, with an interval.

    The minutes of all contacts of the window, travel included, are divided by the weeks that the episodes were open in
    it, and by the share of the work that the program says is recorded. The interval is a bootstrap over people, each
    with all their contacts, so that a few busy cases widen it. A contact without minutes counts as the mean of its
    kind: what was not written down is not nothing.

    Parameters
    ----------
    tables : Tables
        The checked tables; contacts and episodes are read.
    program : Program
        Declares tiers, intensities and, in ``[allocation]``, ``measured_days``, ``recorded_share`` and ``weights``.
    as_of : date
        Only what was recorded before it counts.
    random_state : int, optional
        Seed of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        One row per tier, and one per intensity that no tier starts at: program, tier (missing there), intensity,
        n_cases (people with such an episode in the window), weeks, minutes_a_week, low and high (95 %), standard (the
        program's minutes), is_suppressed (fewer people than the small-cell threshold: nothing measured is shown), used
        (the minutes that an allocation counts with).

    Examples
    --------
    >>> from casestrat.knowledge import load_program
    >>> from casestrat.tables import Tables
    >>> nothing = Tables.from_frames({"persons": pd.DataFrame({"person_id": ["P1"], "recorded_at": ["2026-01-01"]}),
    ...     "referrals": pd.DataFrame({"referral_id": ["R1"], "person_id": ["P1"], "recorded_at": ["2026-01-01"],
    ...                                "referred_on": ["2026-01-01"]})})
    >>> case_weights(nothing, load_program("geriatric"), "2026-10-01")[["tier", "n_cases", "standard", "used"]]
         tier  n_cases  standard  used
    0    high        0        54    54
    1  medium        0        40    40
    2     low        0        18    18
    3     NaN        0        72    72
    """
    day = pd.Timestamp(as_of).normalize()
    rules = program.allocation
    followed = _followed(tables, program, day)
    rng = np.random.default_rng(random_state)
    measured = {}
    for name in program.intensities:
        mine = followed[(followed["intensity"] == name).fillna(value=False)]
        people = mine.groupby("person_id")[["minutes", "weeks"]].sum().to_numpy(dtype=np.float64)
        if len(people) >= program.privacy.small_cell and people[:, 1].sum() > 0:
            measured[name] = tuple(value / rules.recorded_share for value in rate_of(people, rng))
    n_cases = followed.groupby("intensity")["person_id"].nunique()
    weeks = followed.groupby("intensity")["weeks"].sum()
    rows = []
    for tier, name in _tiers_and_others(program):
        standard, cell = program.intensities[name].minutes_per_week, measured.get(name)
        rate, low, high = cell or (np.nan, np.nan, np.nan)
        n = int(n_cases.get(name, 0))
        used = max(round(rate), 1) if cell is not None and rules.weights == "measured" else standard
        counted = (n, float(weeks.get(name, 0.0)))
        rows.append((program.id, tier, name, *counted, rate, low, high, standard, cell is None, used))
    frame = pd.DataFrame(rows, columns=[*_TYPES]).astype(_TYPES)
    is_small = frame["is_suppressed"].astype(bool) & (frame["n_cases"] > 0)
    frame["n_cases"] = frame["n_cases"].mask(is_small)  # a small count is not shown either
    frame["weeks"] = frame["weeks"].mask(is_small)
    return frame


_TYPES: dict[Hashable, Any] = {
    "program": TEXT, "tier": TEXT, "intensity": TEXT, "n_cases": "Int64", "weeks": "float64",
    "minutes_a_week": "float64", "low": "float64", "high": "float64", "standard": "Int64", "is_suppressed": "boolean",
    "used": "Int64",
}  # fmt: skip


def measured_minutes(tables: Tables, program: Program, day: pd.Timestamp) -> dict[str, int]:
    """Return the minutes a week of each intensity that an allocation counts with.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        Says whether measured or standard minutes count.
    day : Timestamp
        Only what was recorded before it counts.

    Returns
    -------
    dict of str to int
        Intensity → minutes.
    """
    if program.allocation.weights == "standard":
        return {name: one.minutes_per_week for name, one in program.intensities.items()}
    told = case_weights(tables, program, day)
    return {str(name): int(used) for name, used in zip(told["intensity"], told["used"], strict=True)}


def _tiers_and_others(program: Program) -> list[tuple[str | None, str]]:
    """Each tier with its starting intensity, then the intensities that no tier starts at."""
    tiers: list[tuple[str | None, str]] = [(tier.id, tier.intensity) for tier in program.tiers]
    starting = {name for _, name in tiers}
    return tiers + [(None, name) for name in program.intensities if name not in starting]


def _followed(tables: Tables, program: Program, day: pd.Timestamp) -> pd.DataFrame:
    """Return episodes of the program with their weeks and minutes inside the window."""
    first = day - pd.Timedelta(days=program.allocation.measured_days)
    episodes = known(tables.episodes, "episode_id", day)
    is_ours = (episodes["program"].isna() | (episodes["program"] == program.id).fillna(value=False)).astype(bool)
    episodes = episodes[is_ours]
    start = episodes["admitted_on"].where(episodes["admitted_on"] > first, first)
    end = episodes["closed_on"].where(episodes["closed_on"] < day, day)
    weeks = (end - start).dt.total_seconds() / _WEEK
    rows = episodes.assign(weeks=weeks.astype("float64"))[["episode_id", "person_id", "intensity", "weeks"]]
    rows = rows[rows["weeks"] > 0]
    spent = _spent(known(tables.contacts, "contact_id", day), first, day)
    return rows.assign(minutes=rows["episode_id"].map(spent).fillna(0.0).astype("float64"))


def _spent(contacts: pd.DataFrame, first: pd.Timestamp, day: pd.Timestamp) -> pd.Series:
    """Add up the minutes of each episode's contacts in the window, travel included."""
    inside = contacts[((contacts["occurred_at"] >= first) & (contacts["occurred_at"] < day)).astype(bool)]
    total = pd.Series(0.0, index=inside.index)
    for name in ("minutes", "travel_minutes"):
        values = pd.Series(inside[name].to_numpy(dtype="float64", na_value=np.nan), index=inside.index)
        total += values.fillna(values.groupby(inside["kind"]).transform("mean")).fillna(0.0)
    return total.groupby(inside["episode_id"]).sum()


def rate_of(people: Numbers, rng: np.random.Generator) -> tuple[float, float, float]:
    """Return minutes a week over all people, and a 95 % bootstrap interval over people.

    Parameters
    ----------
    people : numpy.ndarray of float, shape (people, 2)
        Minutes and weeks of each, weeks above 0.
    rng : numpy.random.Generator
        Draws the people.

    Returns
    -------
    tuple of float
        The rate, and both ends of its interval.
    """
    minutes, weeks = people[:, 0], people[:, 1]
    n, drawn = len(people), np.empty(_RESAMPLES)
    at_once = max(_DRAWN_AT_ONCE // n, 1)
    for start in range(0, _RESAMPLES, at_once):
        rows = rng.integers(0, n, (min(at_once, _RESAMPLES - start), n))
        drawn[start : start + len(rows)] = minutes[rows].sum(axis=1) / weeks[rows].sum(axis=1)
    low, high = np.quantile(drawn, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return float(minutes.sum() / weeks.sum()), float(low), float(high)
