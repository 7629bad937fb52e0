"""Case managers as the checker sees them: rights, languages and minutes, worked out again from the frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

if TYPE_CHECKING:
    from casestrat.allocation.problem.problem import AllocationProblem

Record: TypeAlias = dict[str, Any]
_AHEAD = 28  # days of absences that lower a capacity


def records(frame: pd.DataFrame) -> list[Record]:
    """Return the rows of a frame, each as a mapping of column to value.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any frame.

    Returns
    -------
    list of dict
        One mapping per row.
    """
    names = [str(name) for name in frame.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*(frame[name].tolist() for name in frame), strict=True)]


def parts(text: object) -> list[str]:
    """Return the parts of `;`-separated text.

    Parameters
    ----------
    text : object
        Text; anything else has no parts.

    Returns
    -------
    list of str
        The parts, stripped.
    """
    return [part.strip() for part in text.split(";") if part.strip()] if isinstance(text, str) else []


def _days(problem: AllocationProblem) -> pd.DatetimeIndex:
    """Every day of the planned follow-up; none where the problem has no date."""
    if problem.first_day is None:
        return pd.DatetimeIndex([])
    return pd.date_range(problem.first_day, periods=max(problem.rules.horizon_days, 1), freq="D")


def _is_valid(spans: list[tuple[Any, Any]], days: pd.DatetimeIndex) -> bool:
    """Whether on every day at least one of the spans is valid."""
    held: set[int] = set()
    for start, end in spans:
        first = 0 if pd.isna(start) else max((start - days[0]).days, 0) if len(days) else 0
        last = len(days) - 1 if pd.isna(end) else min((end - days[0]).days, len(days) - 1) if len(days) else -1
        held.update(range(first, last + 1))
    return len(held) == len(days)


def _rights(problem: AllocationProblem) -> dict[tuple[str, str], set[str]]:
    """Jurisdictions, and certificates, that each case manager holds on every day of the follow-up."""
    rights: dict[tuple[str, str], set[str]] = {}
    days = _days(problem)
    compacts: dict[tuple[str, str], set[str]] = {}  # profession, jurisdiction → the compacts that it is in
    held: dict[tuple[str, str], list[Record]] = {}
    for own in records(problem.licenses):
        held.setdefault((str(own["cm_id"]), str(own["profession"])), []).append(own)
        if isinstance(own["jurisdiction"], str):
            members = compacts.setdefault((str(own["profession"]), own["jurisdiction"]), set())
            members.update(parts(own["compact"]))
    for (cm_id, profession), licenses in held.items():
        for (same, place), members in compacts.items():
            reach = [one for one in licenses if one["jurisdiction"] == place or members & set(parts(one["compact"]))]
            spans = [(one["valid_from"], one["valid_to"]) for one in reach]
            if same == profession and reach and _is_valid(spans, days):
                rights.setdefault((cm_id, profession), set()).add(place)
    certificates: dict[tuple[str, str], list[tuple[Any, Any]]] = {}
    for own in records(problem.credentials):
        certificates.setdefault((str(own["cm_id"]), str(own["credential"])), []).append(
            (own["valid_from"], own["valid_to"])
        )
    for (cm_id, name), spans in certificates.items():
        if _is_valid(spans, days):
            rights.setdefault((cm_id, "certificates"), set()).add(name)
    return rights


def staff_of(problem: AllocationProblem) -> dict[str, Record]:
    """Return the case managers with what the rules ask about them, each looked up once.

    Parameters
    ----------
    problem : AllocationProblem
        The checked problem.

    Returns
    -------
    dict of str to dict
        By cm_id: the row, and ``broken`` (rules that no case mends), ``places`` (jurisdictions licensed in; None: no
        licence is asked for), ``certificates``, ``there`` (minutes a week, absences left out), and sets of lists.
    """
    days, rules, rights, there = _days(problem), problem.rules, _rights(problem), _minutes_there(problem)
    staff = {}
    for manager in records(problem.case_managers):
        cm_id, profession = str(manager["cm_id"]), manager["profession"]
        broken = []
        if len(days) and (manager["starts_on"] > days[0] or manager["ends_on"] < days[-1]):
            broken.append("active")
        if rules.professions and profession not in rules.professions:
            broken.append("profession")
        held = rights.get((cm_id, "certificates"), set())
        if any(held.isdisjoint(either.split("|")) for either in rules.credentials):
            broken.append("credentials")
        is_licensed = profession in rules.licensed_professions
        staff[cm_id] = manager | {
            "broken": broken,
            "places": rights.get((cm_id, str(profession)), set()) if is_licensed else None,
            "certificates": held,
            "there": there[cm_id],
            "skill_set": set(parts(manager["skills"])),
            "language_set": set(parts(manager["languages"])),
            "territory_set": set(parts(manager["territories"])),
        }
    return staff


def _minutes_there(problem: AllocationProblem) -> dict[str, int]:
    """Minutes a week of each case manager, less the share of the coming four weeks spent away."""
    away: dict[str, set[int]] = {}
    for one in records(problem.absences):
        first = (one["from_on"] - problem.first_day).days
        end: Any = _AHEAD if pd.isna(one["to_on"]) else (one["to_on"] - problem.first_day).days + 1
        away.setdefault(str(one["cm_id"]), set()).update(range(max(first, 0), min(int(end), _AHEAD)))
    return {
        str(one["cm_id"]): int(one["capacity_minutes"]) * (_AHEAD - len(away.get(one["cm_id"], ()))) // _AHEAD
        for one in records(problem.case_managers)
    }
