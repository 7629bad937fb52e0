"""What if a post stays empty: who is left week by week, and how many minutes lack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from casestrat.allocation.moves.reallocation import Reallocation, reallocate
from casestrat.allocation.moves.standing import known_cm
from casestrat.errors import UsageError

if TYPE_CHECKING:
    from casestrat.allocation.plan.plan import Plan
    from casestrat.allocation.problem.problem import AllocationProblem


@dataclass(frozen=True, eq=False, repr=False)
class Vacancy:
    """What an empty post means; made by :func:`casestrat.allocation.vacancy`.

    Parameters
    ----------
    weeks : pandas.DataFrame
        One row per week: week (from 1), starts_on (missing where the problem has no date), n_cases (of the post),
        n_placed (lastingly with others), n_covered (by overload or backup, to the end of that week), n_left,
        minutes_lacking (of those left, that week), minutes_lacking_so_far.
    left : pandas.DataFrame
        One row per case that nobody has in the last week, by case_id: case_id, person_id, minutes, covered_until, rule,
        reason, relaxation.
    plan : Reallocation
        The plan without the post.
    """

    weeks: pd.DataFrame
    left: pd.DataFrame
    plan: Reallocation

    def __repr__(self) -> str:
        lacking = int(self.weeks["minutes_lacking"].sum())
        left = len(self.left)
        return f"Vacancy({len(self.weeks)} weeks; {left} cases left at the end, {lacking} minutes lacking in all)"


def vacancy(
    problem: AllocationProblem, plan: Plan | None, cm_id: str, weeks: int, max_moves: int = 0, **how: Any
) -> Vacancy:
    """Return what it means that a post stays empty for some weeks.

    Parameters
    ----------
    problem : AllocationProblem
        Cases, case managers and rules.
    plan : Plan or None
        The plan that stands; None: the leads that the cases have.
    cm_id : str
        Whose post is empty.
    weeks : int
        How many weeks, 1 or more.
    max_moves : int, optional
        Voluntary moves allowed to make room.
    **how
        As for :func:`casestrat.reallocate`: overloads, backups, protected, time_limit_s, random_state.

    Returns
    -------
    Vacancy
        Week by week who is left; an overload or a backup counts up to the last full week before its end.

    Raises
    ------
    UsageError
        If nobody has this id, or the weeks are not a whole number of 1 or more.

    Examples
    --------
    >>> from casestrat.allocation import AllocationProblem
    >>> problem = AllocationProblem(
    ...     cases=pd.DataFrame({"case_id": ["C1", "C2", "C3"], "minutes": [40, 60, 40],
    ...                         "cm_id": ["CM1", "CM1", "CM2"]}),
    ...     case_managers=pd.DataFrame({"cm_id": ["CM1", "CM2"], "capacity_minutes": [120, 90]}),
    ... )
    >>> vacancy(problem, None, "CM1", weeks=2).weeks[["week", "n_cases", "n_placed", "n_left", "minutes_lacking"]]
       week  n_cases  n_placed  n_left  minutes_lacking
    0     1        2         1       1               60
    1     2        2         1       1               60
    """
    known_cm(str(cm_id), problem.case_managers["cm_id"], "argument `cm_id`")
    if isinstance(weeks, bool) or int(weeks) != weeks or weeks < 1:
        raise UsageError(f"weeks is {weeks}", do="give a whole number of weeks, 1 or more")
    moved = reallocate(problem, plan, leaver=cm_id, max_moves=max_moves, **how)
    of_post = pd.concat(
        [moved.moves.loc[moved.moves["from_cm"] == cm_id, "case_id"], _left_of(moved, plan, problem, cm_id)]
    )
    cases = pd.DataFrame({"case_id": sorted(of_post)})
    minutes = problem.cases.set_index("case_id")["minutes"].astype("int64")
    placed = moved.assignments["case_id"]
    until = moved.cover.set_index("case_id")["until"]
    cases["minutes"] = cases["case_id"].map(minutes)
    cases["is_placed"] = cases["case_id"].isin(placed) & ~cases["case_id"].isin(until.index)
    cases["until"] = pd.Series([until.get(case, pd.NaT) for case in cases["case_id"]], dtype="datetime64[us]")
    table = _by_week(cases, problem.first_day, int(weeks))
    return Vacancy(table, _left_at_end(moved, cases, problem, int(weeks)), moved)


def _left_of(moved: Reallocation, plan: Plan | None, problem: AllocationProblem, cm_id: str) -> pd.Series:
    """Return the cases of the post that found nobody."""
    source = problem.cases if plan is None else plan.assignments
    own = source.loc[source["cm_id"] == cm_id, "case_id"]
    return own[own.isin(moved.unassigned["case_id"])]


def _is_covered(cases: pd.DataFrame, first_day: pd.Timestamp | None, week: int) -> pd.Series:
    """Whether somebody covers a case to the end of a week."""
    if first_day is None:
        return pd.Series(False, index=cases.index)
    last = first_day + pd.Timedelta(days=7 * week - 1)
    return (cases["until"] >= last).astype(bool)


def _by_week(cases: pd.DataFrame, first_day: pd.Timestamp | None, weeks: int) -> pd.DataFrame:
    """Count who is left in each week."""
    rows = []
    for week in range(1, weeks + 1):
        covered = _is_covered(cases, first_day, week) & ~cases["is_placed"]
        left = ~cases["is_placed"] & ~covered
        starts = pd.NaT if first_day is None else first_day + pd.Timedelta(days=7 * (week - 1))
        numbers = (len(cases), int(cases["is_placed"].sum()), int(covered.sum()), int(left.sum()))
        rows.append((week, starts, *numbers, int(cases.loc[left, "minutes"].sum())))
    columns = ["week", "starts_on", "n_cases", "n_placed", "n_covered", "n_left", "minutes_lacking"]
    frame = pd.DataFrame(rows, columns=columns).astype(
        dict.fromkeys((name for name in columns if name != "starts_on"), "Int64") | {"starts_on": "datetime64[us]"}
    )
    return frame.assign(minutes_lacking_so_far=frame["minutes_lacking"].cumsum())


def _left_at_end(moved: Reallocation, cases: pd.DataFrame, problem: AllocationProblem, weeks: int) -> pd.DataFrame:
    """List those whom nobody has in the last week, with the reason where the plan has one."""
    gone = cases[~cases["is_placed"] & ~_is_covered(cases, problem.first_day, weeks)]
    about = problem.cases.set_index("case_id")["person_id"]
    told = moved.unassigned.set_index("case_id")[["rule", "reason", "relaxation"]]
    rows = gone.assign(person_id=gone["case_id"].map(about), covered_until=gone["until"]).join(told, on="case_id")
    columns = ["case_id", "person_id", "minutes", "covered_until", "rule", "reason", "relaxation"]
    return rows[columns].reset_index(drop=True)
