"""What a plan says, as frames that the caseload page takes: of a night, and of a re-allocation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from casestrat.allocation import (
    AllocationProblem,
    Plan,
    Reallocation,
    binding,
    expiring_licenses,
    handover,
    what_would_help,
)  # fmt: skip
from casestrat.allocation.problem.listed_text import tokens
from casestrat.allocation.problem.objective import FIT_TERMS
from casestrat.reports import caseload_page
from casestrat.reports.caseload_moves import MOST_ITEMS, move_items

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casestrat.allocation import Admission
    from casestrat.knowledge import Program
    from casestrat.nightly.staffing import Staffing
    from casestrat.tables import Tables

OTHER_LANGUAGES = ("fr", "it")  # in which a page can be read, beside English


def with_languages(frames: Mapping[str, pd.DataFrame], columns: tuple[str, ...]) -> pd.DataFrame:
    """Return a frame whose sentences stand in each language that a page can switch to: ``why_fr`` beside ``why``."""
    said = {f"{name}_{lang}": frames[lang][name] for lang in OTHER_LANGUAGES for name in columns}
    return frames["en"].assign(**said)


def choices_of(plan: Plan) -> pd.DataFrame:
    """Return who may take each case that the page offers, with codes of what each pair misses, for any language."""
    moves = plan.moves if isinstance(plan, Reallocation) else None
    items = move_items(plan.assignments, moves).head(MOST_ITEMS)
    rows = plan.beside.of(items.loc[items["is_decidable"].astype(bool), "case_id"])
    kinds = {
        bits: ";".join(term.id for number, term in enumerate(FIT_TERMS) if bits >> number & 1)
        for bits in rows["_missed"].unique().tolist()
    }
    return rows.assign(missed=rows["_missed"].map(kinds)).drop(columns="_missed")


def plan_frames(
    plan: Plan,
    problem: AllocationProblem | None,
    tables: Tables,
    program: Program,
    as_of: pd.Timestamp,
    staffing: Staffing | None = None,
) -> dict[str, Any]:
    """Return what the page tells of a plan beside its lists: how good it is, who else could, what would help.

    Parameters
    ----------
    plan : Plan
        The plan.
    problem : AllocationProblem or None
        What it solves; None: what would help is left out.
    tables : Tables
        The checked tables.
    program : Program
        Its rules.
    as_of : pandas.Timestamp
        The date.
    staffing : Staffing, optional
        What the night has found already.

    Returns
    -------
    dict
        Arguments of :func:`casestrat.reports.caseload_page`.
    """
    expiring = expiring_licenses(tables, program, as_of) if staffing is None else staffing.expiring
    frames: dict[str, Any] = {"choices": choices_of(plan), "levels": plan.levels, "expiring": expiring}
    if problem is not None and len(plan.unassigned):
        helps = what_would_help(problem, plan) if staffing is None else staffing.hiring
        binds = binding(problem, plan) if staffing is None else staffing.binding
        frames |= {"hiring": helps[helps["cases_placed"] > 0], "binding": binds}
    return frames


def admission_frames(tables: Tables, judged: Admission) -> dict[str, pd.DataFrame]:
    """Return whom of those who wait somebody could follow now, with reasons in each language, and counts by team.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    judged : Admission
        Who could be followed, to be said in any language.

    Returns
    -------
    dict of str to pandas.DataFrame
        ``admission`` and ``teams``, as the page takes them.
    """
    rows = with_languages(
        {lang: judged.in_language(lang) for lang in ("en", *OTHER_LANGUAGES)}, ("reason", "relaxation")
    )
    return {"admission": rows, "teams": team_counts(rows, tables)}


def team_counts(admission: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    """Return how many wait where each team works, and how many of them one of the team could follow now.

    Parameters
    ----------
    admission : pandas.DataFrame
        One row per waiting person: territory, admissible_now, cm_id.
    tables : Tables
        Their case managers, with teams and territories; who names none works in all.

    Returns
    -------
    pandas.DataFrame
        One row per team: team, waiting, admissible.
    """
    staff = tables.case_managers
    team_of = dict(zip(staff["cm_id"], staff["team"].fillna(""), strict=True))
    follows = admission["cm_id"].map(team_of).where(admission["admissible_now"].fillna(False).astype(bool))
    rows = []
    for team in sorted(set(team_of.values())):
        served = [set(tokens(text)) for text in staff.loc[staff["team"].fillna("").eq(team), "territories"]]
        is_anywhere = any(not one for one in served)
        here = admission["territory"].isna() | admission["territory"].isin(set().union(*served)) | is_anywhere
        mine = follows.eq(team).fillna(False)
        rows.append((team, int((here | mine).sum()), int(mine.sum())))
    return pd.DataFrame(rows, columns=["team", "waiting", "admissible"])


def new_leads(plan: Plan, tables: Tables, program: Program, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return one handover sheet per open case that had nobody and for which the plan proposes somebody."""
    rows = plan.assignments
    rows = rows[rows["is_new"].fillna(False).astype(bool) & rows["kind"].eq("open")]
    moves = rows.rename(columns={"cm_id": "to_cm"}).assign(from_cm=None, until=None, kind="forced")
    return handover(tables, program, moves, as_of)


def reallocation_page(
    moved: Reallocation,
    tables: Tables,
    program: Program,
    as_of: str | pd.Timestamp,
    *,
    sheets: pd.DataFrame | None = None,
    lang: str = "en",
    fingerprints: Mapping[str, str] | None = None,
    links: Mapping[str, str] | None = None,
) -> str:
    """Return the caseload page of a re-allocation: moves to decide on, evenness, cover, handover sheets.

    Parameters
    ----------
    moved : Reallocation
        The re-allocation.
    tables : Tables
        The checked tables.
    program : Program
        The program.
    as_of : str or pandas.Timestamp
        The date.
    sheets : pandas.DataFrame, optional
        The handover sheets, as :func:`casestrat.allocation.handover` returns them; made where they are not given.
    lang : {"en", "fr", "it"}, optional
        The language the page opens in.
    fingerprints, links : mapping of str to str, optional
        As :func:`casestrat.reports.caseload_page` takes them.

    Returns
    -------
    str
        The HTML of the page; the same bytes for the same arguments.
    """
    date = pd.Timestamp(as_of).normalize()
    said = {one: moved.in_language(one) for one in ("en", *OTHER_LANGUAGES)}
    return caseload_page(
        workload=moved.workload,
        moves=with_languages({one: plan.moves for one, plan in said.items()}, ("why",)),
        unassigned=with_languages({one: plan.unassigned for one, plan in said.items()}, ("reason", "relaxation")),
        cover=moved.cover,
        frontier=moved.frontier,
        handover=handover(tables, program, moved, date) if sheets is None else sheets,
        program=program,
        as_of=date,
        first_day=date,
        lang=lang,
        fingerprints=fingerprints,
        links=links,
        **plan_frames(moved, moved.problem, tables, program, date),
    )
