"""Minutes: how many a case needs a week, and how many a case manager has for cases.

A case needs the minutes of its intensity: that of the episode where it has one, else the starting intensity of the
person's tier. A case manager has the contracted minutes at their own share of full time
(`case_managers.minutes_per_week`; `fte` is not applied again), less the share of work that is not about cases, less the
days away in the coming weeks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from casestrat.knowledge.program import Program

ABSENCE_DAYS = 28  # days ahead in which absences lower a capacity
_DAY = np.timedelta64(1, "D")


def case_minutes(intensity: pd.Series, tier: pd.Series, program: Program) -> pd.Series:
    """Return the minutes a week that each case needs.

    Parameters
    ----------
    intensity : pandas.Series
        Intensity of the episode, one value per case; missing where none is recorded.
    tier : pandas.Series
        The person's tier, on the same index; missing where none is known.
    program : Program
        Declares the tiers' starting intensities and each intensity's minutes.

    Returns
    -------
    pandas.Series of Int64
        One value per case. A case with neither a known intensity nor a known tier counts as the middle tier.

    Examples
    --------
    >>> from types import SimpleNamespace as Given
    >>> tiers = tuple(Given(id=t, intensity=i) for t, i in [("high", "intensive"), ("low", "watch")])
    >>> weights = {"intensive": Given(minutes_per_week=54), "watch": Given(minutes_per_week=18)}
    >>> program = Given(tiers=tiers, intensities=weights)
    >>> case_minutes(pd.Series(["intensive", None, None]), pd.Series(["low", "high", None]), program).tolist()
    [54, 54, 18]
    """
    weights = {name: standard.minutes_per_week for name, standard in program.intensities.items()}
    by_tier = {tier.id: weights[tier.intensity] for tier in program.tiers}
    middle = program.tiers[len(program.tiers) // 2]
    own = intensity.map(weights).astype("float64")
    starting = tier.map(by_tier).astype("float64")
    return own.fillna(starting).fillna(weights[middle.intensity]).round().astype("Int64")


def minutes_for_cases(minutes_per_week: pd.Series, non_case_share: float) -> pd.Series:
    """Return the contracted minutes that are left for cases.

    Parameters
    ----------
    minutes_per_week : pandas.Series
        Contracted minutes a week at the own share of full time; missing counts as none.
    non_case_share : float
        Share of work that is not about cases, in [0, 1).

    Returns
    -------
    pandas.Series of Int64
        One value per case manager, rounded down.

    Examples
    --------
    >>> minutes_for_cases(pd.Series([2100, 1680, None]), 0.25).tolist()
    [1575, 1260, 0]
    """
    contracted = pd.Series(minutes_per_week.to_numpy(dtype="float64", na_value=np.nan), index=minutes_per_week.index)
    minutes = np.floor((contracted * (1 - non_case_share)).fillna(0.0).to_numpy() + 1e-9)
    return pd.Series(minutes, index=contracted.index).astype("Int64")


def share_present(cm_ids: pd.Series, absences: pd.DataFrame, starts_on: pd.Timestamp) -> pd.Series:
    """Return the share of the coming four weeks' days on which each case manager is not away.

    Parameters
    ----------
    cm_ids : pandas.Series
        Ids of the case managers.
    absences : pandas.DataFrame
        Columns cm_id, from_on, to_on (last day away; missing: away until further notice). Overlaps count once.
    starts_on : Timestamp
        First day of the plan.

    Returns
    -------
    pandas.Series of float64
        One share in [0, 1] per case manager, in the order of ``cm_ids``.

    Examples
    --------
    >>> away = pd.DataFrame({"cm_id": ["CM1", "CM1"], "from_on": pd.to_datetime(["2026-10-01", "2026-10-05"]),
    ...                      "to_on": pd.to_datetime(["2026-10-07", "2026-10-14"])})
    >>> share_present(pd.Series(["CM1", "CM2", "CM3"]), away, pd.Timestamp("2026-10-01")).tolist()
    [0.5, 1.0, 1.0]
    """
    days = np.zeros((len(cm_ids), ABSENCE_DAYS), dtype=bool)
    row_of = {cm_id: row for row, cm_id in enumerate(cm_ids)}
    first = np.datetime64(starts_on, "D")
    for cm_id, from_on, to_on in zip(absences["cm_id"], absences["from_on"], absences["to_on"], strict=True):
        row = row_of.get(cm_id)
        if row is not None:
            begin = max(int((np.datetime64(from_on, "D") - first) / _DAY), 0)
            end = ABSENCE_DAYS if pd.isna(to_on) else int((np.datetime64(to_on, "D") - first) / _DAY) + 1
            days[row, begin : max(end, 0)] = True
    return pd.Series(1.0 - days.mean(axis=1), index=cm_ids.index)


def available_minutes(case_managers: pd.DataFrame, absences: pd.DataFrame, starts_on: pd.Timestamp | None) -> pd.Series:
    """Return the minutes a week for cases, less the share of the coming four weeks spent away.

    Parameters
    ----------
    case_managers : pandas.DataFrame
        Columns cm_id and capacity_minutes.
    absences : pandas.DataFrame
        Columns cm_id, from_on, to_on.
    starts_on : Timestamp or None
        First day of the plan; None only where there are no absences.

    Returns
    -------
    pandas.Series of Int64
        One value per case manager, rounded down.
    """
    if absences.empty or starts_on is None:
        return case_managers["capacity_minutes"]
    present = share_present(case_managers["cm_id"], absences, starts_on)
    minutes = case_managers["capacity_minutes"].to_numpy(dtype="float64") * present.to_numpy()
    return pd.Series(np.floor(minutes + 1e-9), index=case_managers.index).astype("Int64")
