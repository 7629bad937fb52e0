"""Minutes: how many a case needs a week, and how many a case manager has for cases.

A case needs the minutes of its intensity: that of the episode where it has one, else the starting intensity of the
person's tier; and the travel to its territory that those minutes do not hold yet. A case manager has the contracted
minutes at their own share of full time (`case_managers.minutes_per_week`; `fte` is not applied again), less the share
of work that is not about cases, less what a newcomer or someone of little experience cannot carry yet, less the days
away in the coming weeks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casestrat.knowledge.program import Program
    from casestrat.knowledge.program_allocation import AllocationRules, CapacityStep
    from casestrat.knowledge.program_tiers import Intensity

ABSENCE_DAYS = 28  # days ahead in which absences lower a capacity
_DAY = np.timedelta64(1, "D")


def case_minutes(
    intensity: pd.Series,
    tier: pd.Series,
    program: Program,
    territory: pd.Series | None = None,
    weights: Mapping[str, int] | None = None,
) -> pd.Series:
    """Return the minutes a week that each case needs.

    Parameters
    ----------
    intensity : pandas.Series
        Intensity of the episode, one value per case; missing where none is recorded.
    tier : pandas.Series
        The person's tier, on the same index; missing where none is known.
    program : Program
        Declares the tiers' starting intensities and each intensity's minutes.
    territory : pandas.Series, optional
        The person's territory, on the same index: the program may declare minutes of travel for it.
    weights : mapping of str to int, optional
        Intensity → minutes a week, as measured; by default the program's standard.

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
    standard = {name: one.minutes_per_week for name, one in program.intensities.items()}
    weight_of = standard | dict(weights or {})
    starting = {tier.id: tier.intensity for tier in program.tiers}
    middle = program.tiers[len(program.tiers) // 2].intensity
    own = intensity.where(intensity.isin(list(standard)))
    followed = own.fillna(tier.map(starting)).fillna(middle)
    minutes = followed.map(weight_of).astype("float64")
    if territory is not None and program.allocation.travel:
        visits = followed.map({name: visits_a_week(one) for name, one in program.intensities.items()})
        minutes += visits.astype("float64") * territory.map(dict(program.allocation.travel)).astype("float64").fillna(0)
    return minutes.round().astype("Int64")


def visits_a_week(intensity: Intensity) -> float:
    """Return the home visits a week that an intensity asks for.

    Parameters
    ----------
    intensity : Intensity
        How closely a person is followed.

    Returns
    -------
    float
        0 or more.

    Examples
    --------
    >>> from casestrat.knowledge import load_program
    >>> visits_a_week(load_program("geriatric").intensities["intensive"])
    0.5
    """
    return float(sum(7 / contact.every_days for contact in intensity.contacts if contact.kind == "home_visit"))


def contracted_minutes(case_managers: pd.DataFrame, rules: AllocationRules) -> pd.Series:
    """Return the minutes a week that each case manager works.

    Parameters
    ----------
    case_managers : pandas.DataFrame
        Columns minutes_per_week and fte.
    rules : AllocationRules
        Its full time stands in, at the own share of it, for those whose minutes are missing.

    Returns
    -------
    pandas.Series of float64
        One value per case manager; missing where neither is known.

    Examples
    --------
    >>> from casestrat.knowledge import AllocationRules
    >>> staff = pd.DataFrame({"minutes_per_week": [1680, None, None], "fte": [1.0, 0.5, None]})
    >>> contracted_minutes(staff, AllocationRules(full_time_minutes=2000)).tolist()
    [1680.0, 1000.0, nan]
    """
    minutes, fte = (
        pd.Series(case_managers[name].to_numpy(dtype="float64", na_value=np.nan), index=case_managers.index)
        for name in ("minutes_per_week", "fte")
    )
    return minutes.fillna(fte * rules.full_time_minutes)


def share_by_months(months: pd.Series, steps: tuple[CapacityStep, ...]) -> pd.Series:
    """Return the share of the minutes for cases that a number of months allows.

    Parameters
    ----------
    months : pandas.Series
        Months in post, or of experience; missing where not known.
    steps : tuple of CapacityStep
        The program's steps; the one of fewest months that holds counts.

    Returns
    -------
    pandas.Series of float64
        One share in [0, 1] per value; 1 where no step holds, or the months are not known.

    Examples
    --------
    >>> from casestrat.knowledge import CapacityStep
    >>> steps = (CapacityStep(1, 0.25), CapacityStep(3, 0.6))
    >>> share_by_months(pd.Series([0, 1, 2, 3, None]), steps).tolist()
    [0.25, 0.6, 0.6, 1.0, 1.0]
    """
    known = pd.Series(months.to_numpy(dtype="float64", na_value=np.nan), index=months.index)
    share = pd.Series(1.0, index=months.index)
    for step in sorted(steps, key=lambda step: -step.under_months):
        share = share.mask(known < step.under_months, step.share)
    return share


def months_between(first: pd.Series, day: pd.Timestamp) -> pd.Series:
    """Return the whole months from each date to a day.

    Parameters
    ----------
    first : pandas.Series of datetime
        First days.
    day : Timestamp
        The day asked about.

    Returns
    -------
    pandas.Series of Int64
        0 or more; missing where the date is.

    Examples
    --------
    >>> months_between(pd.Series(pd.to_datetime(["2026-07-02", "2026-07-01", "2026-12-01", None])),
    ...                pd.Timestamp("2026-10-01")).tolist()
    [2, 3, 0, <NA>]
    """
    dates = first.dt
    whole = (day.year - dates.year) * 12 + (day.month - dates.month) - (dates.day > day.day)
    months: pd.Series = whole.clip(lower=0).astype("Int64")
    return months


def minutes_for_cases(minutes_per_week: pd.Series, non_case_share: float, share: pd.Series | None = None) -> pd.Series:
    """Return the contracted minutes that are left for cases.

    Parameters
    ----------
    minutes_per_week : pandas.Series
        Contracted minutes a week at the own share of full time; missing counts as none.
    non_case_share : float
        Share of work that is not about cases, in [0, 1).
    share : pandas.Series, optional
        Share of the rest that a newcomer, or someone of little experience, can carry; by default all of it.

    Returns
    -------
    pandas.Series of Int64
        One value per case manager, rounded down, never below 0.

    Examples
    --------
    >>> minutes_for_cases(pd.Series([2100, 1680, None]), 0.25).tolist()
    [1575, 1260, 0]
    """
    contracted = pd.Series(minutes_per_week.to_numpy(dtype="float64", na_value=np.nan), index=minutes_per_week.index)
    left = contracted * (1 - non_case_share) * (1.0 if share is None else share)
    minutes = np.floor(left.fillna(0.0).to_numpy() + 1e-9)
    return pd.Series(np.maximum(minutes, 0.0), index=contracted.index).astype("Int64")


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
