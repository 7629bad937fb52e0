"""Cover: who stands in for whom until when, before anyone is left without a case manager.

A *temporary overload* is agreed by name: so many minutes a week more, until a day, approved by somebody for a reason. A
*backup lead* looks after a case until a day without becoming its lead. Neither lasts, and neither is ever assumed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.allocation.moves.days import days_of
from casestrat.allocation.problem import frames
from casestrat.allocation.problem.workload import ABSENCE_DAYS
from casestrat.errors import UsageError
from casestrat.tables import TEXT
from casestrat.timeline import known

if TYPE_CHECKING:
    from datetime import date

    from casestrat.allocation.problem.instance import Asked
    from casestrat.allocation.problem.problem import AllocationProblem
    from casestrat.knowledge.program import Program
    from casestrat.tables import Tables

OVERLOAD, BACKUP, ABSENCE_COVER = "overload", "backup", "absence"
COVER_COLUMNS = ("case_id", "person_id", "cm_id", "for_cm", "how", "minutes", "until", "approver", "reason")
LAWFUL = ("active", "profession", "licence", "credentials", "payer", "confidentiality", "conflicts")
"""Rules that a backup lead must meet too; minutes, places and wishes are for a lasting lead."""

OVERLOADS: dict[str, frames.Field] = {
    "cm_id": frames.Field("text", frames.NEEDED),
    "limit_minutes": frames.Field("whole", frames.NEEDED),
    "ends_on": frames.Field("day", frames.NEEDED),
    "approver": frames.Field("text", frames.NEEDED),
    "reason": frames.Field("text", frames.NEEDED),
    "limit_cases": frames.Field("whole", 0),
}
BACKUPS: dict[str, frames.Field] = {
    "case_id": frames.Field("text", frames.NEEDED),
    "cm_id": frames.Field("text", frames.NEEDED),
    "until": frames.Field("day"),
}


def checked_overloads(overloads: pd.DataFrame | None, problem: AllocationProblem, gone: frozenset[str]) -> pd.DataFrame:
    """Return the temporary overloads, typed, or refuse them.

    Parameters
    ----------
    overloads : pandas.DataFrame or None
        One row per case manager: cm_id, limit_minutes (minutes a week beyond the capacity, 0 or more), ends_on (last
        day), approver, reason; and limit_cases, where more cases than ``max_cases`` were agreed too (how many beyond
        it; by default none). One of both limits is 1 or more.
    problem : AllocationProblem
        The case managers, and the first day.
    gone : frozenset of str
        Those who leave or are away.

    Returns
    -------
    pandas.DataFrame
        The rows, by cm_id.

    Raises
    ------
    UsageError
        If a row lacks its end, approver or reason, names nobody who stays, repeats a name, or ends before the plan.
    """
    rows = frames.typed_frame("overloads", overloads, OVERLOADS)
    stays = set(problem.case_managers["cm_id"]) - gone
    frames.refuse_rows("overloads.cm_id", ~rows["cm_id"].isin(stays), "a case manager who stays", "name who takes more")
    frames.refuse_rows("overloads.cm_id", rows["cm_id"].duplicated(), "unique", "agree on one overload a case manager")
    for name in ("limit_minutes", "limit_cases"):
        frames.refuse_rows(f"overloads.{name}", rows[name] < 0, "0 or more", "mend the limit")
    nothing = (rows["limit_minutes"] < 1) & (rows["limit_cases"] < 1)
    frames.refuse_rows("overloads.limit_minutes", nothing, "1 or more minutes, or `limit_cases` 1 or more",
                       "mend the limits")  # fmt: skip
    for name in ("approver", "reason"):
        blank = rows[name].str.strip().eq("").fillna(value=True).astype(bool)
        frames.refuse_rows(f"overloads.{name}", blank, "told", "no overload without who approved it and why")
    if problem.first_day is not None:
        early = (rows["ends_on"] < problem.first_day).astype(bool)
        frames.refuse_rows("overloads.ends_on", early, "on or after the first day of the plan", "mend the end")
    return rows.sort_values("cm_id", ignore_index=True)


def checked_backups(backups: pd.DataFrame | None, problem: AllocationProblem, gone: frozenset[str]) -> pd.DataFrame:
    """Return the backup leads of those who stay, with the day until which each covers.

    Parameters
    ----------
    backups : pandas.DataFrame or None
        One row per case and backup lead: case_id, cm_id, until (by default four weeks from the first day, as far as
        capacities look ahead).
    problem : AllocationProblem
        The cases, the case managers, and the first day.
    gone : frozenset of str
        Those who leave or are away; they back up nobody.

    Returns
    -------
    pandas.DataFrame
        The rows, by case_id and cm_id.

    Raises
    ------
    UsageError
        If a case or a case manager is unknown.
    """
    rows = frames.typed_frame("backups", backups, BACKUPS)
    frames.refuse_rows(
        "backups.case_id", ~rows["case_id"].isin(problem.cases["case_id"]), "a case of `cases`", "drop it"
    )
    unknown = ~rows["cm_id"].isin(problem.case_managers["cm_id"])
    frames.refuse_rows("backups.cm_id", unknown, "one of `case_managers`", "drop it")
    if problem.first_day is None and rows["until"].isna().any():
        raise UsageError(
            "a backup lead needs an end", where="argument `backups`, column `until`", do="give the last day"
        )
    if problem.first_day is not None:
        rows["until"] = rows["until"].fillna(problem.first_day + pd.Timedelta(days=ABSENCE_DAYS - 1))
    rows = rows[~rows["cm_id"].isin(gone)]
    return rows.sort_values(["case_id", "cm_id"], ignore_index=True)


def lawful_backups(backups: pd.DataFrame, asked: Asked) -> pd.DataFrame:
    """Return the backup leads who may see the person at all; the first by id where a case has several.

    Parameters
    ----------
    backups : pandas.DataFrame
        Checked backup leads.
    asked : Asked
        What each rule says of each class and case manager.

    Returns
    -------
    pandas.DataFrame
        One row per case that somebody may cover.
    """
    problem = asked.question.problem
    row_of = pd.Series(asked.group, index=problem.cases["case_id"].iloc[asked.rows])
    column_of = pd.Series(np.arange(len(problem.case_managers)), index=problem.case_managers["cm_id"])
    fine = np.ones(asked.allowed.shape, dtype=bool)
    for name in LAWFUL:
        fine &= asked.verdicts[name]
    known_cases = backups[backups["case_id"].isin(row_of.index)]
    rows = known_cases["case_id"].map(row_of).to_numpy(dtype=np.int64)
    columns = known_cases["cm_id"].map(column_of).to_numpy(dtype=np.int64)
    lawful: pd.DataFrame = known_cases[fine[rows, columns]]
    return lawful.drop_duplicates("case_id")


def cover_frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Return who covers whom until when.

    Parameters
    ----------
    rows : list of dict
        One a case that is covered for a time.

    Returns
    -------
    pandas.DataFrame
        One row per case, by case_id: case_id, person_id, cm_id (who covers), for_cm (whose case it is or was), how
        (overload, backup, absence), minutes, until, approver, reason.
    """
    frame = pd.DataFrame(rows, columns=list(COVER_COLUMNS))
    types = dict.fromkeys(COVER_COLUMNS, TEXT) | {"minutes": "Int64", "until": "datetime64[us]"}
    return frame.astype(types).sort_values("case_id", ignore_index=True)


def backups_of(tables: Tables, as_of: date | str | pd.Timestamp) -> pd.DataFrame:
    """Return the backup leads that are recorded.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    as_of : date
        Only what was recorded before it counts.

    Returns
    -------
    pandas.DataFrame
        One row per open assignment with role backup: case_id, cm_id, until (missing where none is recorded).
    """
    day = pd.Timestamp(as_of).normalize()
    rows = known(tables.assignments, "assignment_id", day)
    is_open = (rows["role"] == "backup").fillna(value=False) & ~(rows["to_on"] < day)
    found = rows[is_open.astype(bool)].sort_values(["episode_id", "cm_id"]).drop_duplicates(["episode_id", "cm_id"])
    return pd.DataFrame({
        "case_id": found["episode_id"], "cm_id": found["cm_id"], "until": found["to_on"].astype("datetime64[us]"),
    }).reset_index(drop=True)  # fmt: skip


def step_down_candidates(
    problem: AllocationProblem, tables: Tables, program: Program, as_of: date | str | pd.Timestamp
) -> pd.DataFrame:
    """Return the people of the lowest tier whose plan review is due: reviewing them first may free minutes.

    It proposes a review, never a step down: whether someone needs less is for people to say.

    Parameters
    ----------
    problem : AllocationProblem
        The cases.
    tables : Tables
        Their plans.
    program : Program
        Its tiers, the highest first.
    as_of : date
        Only what was recorded before it counts.

    Returns
    -------
    pandas.DataFrame
        One row per open case of the lowest tier whose review is due, the longest due first: case_id, person_id, cm_id,
        tier, minutes, review_due_on, days_overdue.
    """
    day = pd.Timestamp(as_of).normalize()
    plans = known(tables.plans, "plan_id", day).sort_values(["episode_id", "starts_on", "version", "plan_id"])
    due = plans.drop_duplicates("episode_id", keep="last").set_index("episode_id")["review_due_on"]
    cases = problem.cases[(problem.cases["kind"] == "open") & (problem.cases["tier"] == program.tiers[-1].id)]
    rows = cases.assign(review_due_on=days_of(cases["case_id"], due))
    rows = rows[rows["review_due_on"] <= day]
    rows = rows.assign(days_overdue=(day - rows["review_due_on"]).dt.days.astype("Int64"))
    columns = ["case_id", "person_id", "cm_id", "tier", "minutes", "review_due_on", "days_overdue"]
    return rows.sort_values(["review_due_on", "case_id"], ignore_index=True)[columns]
