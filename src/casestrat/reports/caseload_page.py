"""The caseload page: who has how many hours of cases, what is to change hands, who cannot be followed, how it flows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from casestrat.reports.caseload_moves import blocked_rows, moves_data, waiting_counts, words_of_page
from casestrat.reports.page_data import (
    TOLD,
    check_language,
    in_all_languages,
    need_columns,
    plain,
    program_labels,
    rows_of,
    script_json,
)
from casestrat.reports.page_words import page_words
from casestrat.reports.rendering import render

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import pandas as pd

    from casestrat.knowledge.program import Program

_XMR = 2.66  # limits of an XmR chart: mean ± 2.66 × mean moving range
_MONTHS = 24

_WORKLOAD = (
    "cm_id", "team", "capacity_minutes", "minutes_before", "minutes_after", "cases_before", "cases_after",
    "n_high", "n_medium", "n_low",
)  # fmt: skip
_UNASSIGNED = ("case_id", "person_id", "kind", "minutes", "rule", *TOLD["unassigned"])
_LEVELS = ("level", "value", "bound", "gap", "is_optimal")
_TEAMS = ("team", "waiting", "admissible")
_COVER = ("case_id", "person_id", "cm_id", "for_cm", "how", "minutes", "until", "approver", "reason")
_FRONTIER = ("max_moves", "n_moves", "unassigned", "largest_utilisation", "sum_of_squares")
_HANDOVER = (
    "case_id", "person_id", "from_cm", "to_cm", "until", "see_by", "because", "open_crisis", "crisis_on",
    "last_contact_on", "last_contact_kind", "next_contact_on", "contact_due_on", "review_due_on", "was_told",
)  # fmt: skip
_EXPIRING = ("cm_id", "kind", "name", "jurisdiction", "valid_to", "days_left", "n_cases", "n_stranded")
_HIRING = ("kind", "value", "people_placed", "minutes_placed")
_BINDING = ("kind", "id", "rule", "used", "limit", "n_cases", "minutes")
_TIERS = ("person_id", "cm_id", "tier", "step_down_to", "review_step_down", "proposed_override")
_INDICATORS = (
    "indicator", "group_kind", "group", "period_start", "period_end", "value", "numerator", "denominator",
    "is_suppressed",
)  # fmt: skip


def caseload_page(
    *,
    workload: pd.DataFrame | None,
    allocation: pd.DataFrame | None = None,
    unassigned: pd.DataFrame | None = None,
    indicators: pd.DataFrame | None = None,
    flow: pd.DataFrame | None = None,
    contacts: pd.DataFrame | None = None,
    moves: pd.DataFrame | None = None,
    choices: pd.DataFrame | None = None,
    levels: pd.DataFrame | None = None,
    cover: pd.DataFrame | None = None,
    frontier: pd.DataFrame | None = None,
    handover: pd.DataFrame | None = None,
    expiring: pd.DataFrame | None = None,
    hiring: pd.DataFrame | None = None,
    binding: pd.DataFrame | None = None,
    admission: pd.DataFrame | None = None,
    teams: pd.DataFrame | None = None,
    tiers: pd.DataFrame | None = None,
    first_day: date | str | pd.Timestamp | None = None,
    program: Program,
    as_of: date | str | pd.Timestamp,
    lang: str = "en",
    fingerprints: Mapping[str, str] | None = None,
    links: Mapping[str, str] | None = None,
) -> str:
    """Return the page on which a team sees its caseload and decides who takes over what; it ranks no one.

    Case managers stand in alphabetical order of their id and cannot be sorted otherwise. Hours are what the cases need,
    by the program's weights; small counts that the run suppressed stay hidden. Without a frame its part says what is
    missing, or is left out. The page decides nothing: each move is accepted, given to somebody else or held by a person
    who is named, and leaves the page as a decision file (format ``casestrat-assignments/1``).

    Parameters
    ----------
    workload : pandas.DataFrame or None
        One row per case manager, as in ``workload`` (minutes a week).
    allocation, unassigned : pandas.DataFrame, optional
        One row per case with its case manager (proposals are ``is_new``), and per case without one, with the reason.
        Beside ``why``, ``reason`` and ``relaxation`` there may be ``why_fr`` and so on, in the other languages.
    indicators : pandas.DataFrame, optional
        One row per indicator, group and period, as in ``caseload``.
    flow : pandas.DataFrame, optional
        One row per month with ``period_start``, ``inflow``, ``outflow`` and ``stock``, or the long frame of
        ``casestrat.caseload.flow``; the last 24 whole months are drawn.
    contacts : pandas.DataFrame, optional
        One row per tier or intensity with ``due`` and ``done``, or one row per contact due with ``done_in_period``.
    moves : pandas.DataFrame, optional
        One row per case that changes hands, as ``moves`` of a re-allocation; without it the new leads of ``allocation``
        are proposed. Cases of people who wait are shown, and decided on once they are admitted.
    choices : pandas.DataFrame, optional
        One row per case and case manager whom the rules allow: case_id, cm_id, is_chosen, has_room, cost, minutes,
        utilisation_after, missed (codes of what the pair misses, separated by ``;``).
    levels : pandas.DataFrame, optional
        One row per level of the plan: level, value, bound, gap, is_optimal.
    cover, frontier, handover : pandas.DataFrame, optional
        Of a re-allocation: who covers whom, moves against balance, one handover sheet a case.
    expiring, hiring, binding : pandas.DataFrame, optional
        Rights that end soon, what one more case manager would bring, what binds the plan.
    admission : pandas.DataFrame, optional
        One row per waiting person: admissible_now, reason, relaxation (and ``reason_fr`` and so on).
    teams : pandas.DataFrame, optional
        One row per team: team, waiting, admissible.
    tiers : pandas.DataFrame, optional
        One row per person, as in ``risk``; those with a step down to review or a proposed override are listed.
    first_day : date, optional
        First day with the new case managers, as far as nobody says otherwise; without it the day of the decision.
    program : Program
        Labels, tiers and the small-cell threshold.
    as_of : date
        The day the page speaks of.
    lang : {"en", "fr", "it"}
        The language the page opens in; all three are inside.
    fingerprints : mapping of str to str, optional
        Of extract, program, model and policy.
    links : mapping of str to str, optional
        ``committee``: file name of the committee page.

    Returns
    -------
    str
        The HTML of the page; the same bytes for the same arguments.

    Raises
    ------
    UsageError
        If the language is unknown or a frame lacks a column the page needs.
    """
    check_language(lang)
    if workload is not None:
        need_columns(workload, ("cm_id", "capacity_minutes", "minutes_after"), "workload")
        workload = workload.sort_values("cm_id", kind="stable")
    words = words_of_page(page_words("pages", "caseload_page"))
    proposed = moves_data(allocation, moves, choices, _tier_of(tiers), plain(as_of))
    if handover is not None:  # of the moves on the page
        handover = handover[handover["case_id"].isin([row[0] for row in proposed["items"]["rows"]])]
    data = {
        "lang": lang,
        "words": words,
        "labels": {
            **program_labels(program),
            "intensities": {key: in_all_languages(one.label, key) for key, one in program.intensities.items()},
        },
        "program": {"id": program.id, "version": program.version},
        "as_of": plain(as_of),
        "fingerprints": {str(part): plain(value) for part, value in dict(fingerprints or {}).items() if value},
        "links": {name: href for name, href in dict(links or {}).items() if name == "committee"},
        "first_day": plain(first_day),
        "small_cell": program.privacy.small_cell,
        "workload": rows_of(workload, _WORKLOAD),
        **proposed,
        "unassigned": rows_of(_sorted(unassigned, "person_id"), _UNASSIGNED),
        "levels": rows_of(levels, _LEVELS),
        "cover": rows_of(_sorted(cover, "case_id"), _COVER),
        "frontier": rows_of(_sorted(frontier, "max_moves"), _FRONTIER),
        "handover": rows_of(handover, _HANDOVER),
        "expiring": rows_of(expiring, _EXPIRING),
        "hiring": rows_of(hiring, _HIRING),
        "binding": rows_of(binding, _BINDING),
        "blocked": blocked_rows(admission),
        "waiting": waiting_counts(admission),
        "teams": rows_of(teams, _TEAMS),
        "tiers": rows_of(_to_review(tiers, allocation), _TIERS),
        "indicators": rows_of(indicators, _INDICATORS),
        "flow": _flow_charts(flow),
        "contacts": _contact_rows(contacts),
    }
    name = in_all_languages(program.label, program.id)[lang]
    return render("caseload.html.j2", data=script_json(data), lang=lang, words=words[lang], program_name=name)


def _sorted(frame: pd.DataFrame | None, column: str) -> pd.DataFrame | None:
    return frame if frame is None or column not in frame.columns else frame.sort_values(column, kind="stable")


def _tier_of(tiers: pd.DataFrame | None) -> dict[str, str] | None:
    """Return the tier of each person."""
    return None if tiers is None else dict(zip(tiers["person_id"], tiers["tier"], strict=True))


def _to_review(tiers: pd.DataFrame | None, allocation: pd.DataFrame | None) -> pd.DataFrame | None:
    """Return whom somebody follows and whose tier is to be looked at, with who follows them."""
    if tiers is None or allocation is None:
        return None
    need_columns(tiers, ("person_id", "tier", "review_step_down", "proposed_override"), "tiers")
    is_asked = tiers["review_step_down"].fillna(False).astype(bool) | (tiers["proposed_override"].fillna(0) > 0)
    leads = allocation[allocation["kind"].eq("open").fillna(False)].drop_duplicates("person_id")
    rows = tiers[is_asked & tiers["person_id"].isin(leads["person_id"])]
    rows = rows.assign(cm_id=rows["person_id"].map(leads.set_index("person_id")["cm_id"]))
    return rows.sort_values("person_id", kind="stable")


def _flow_charts(flow: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Return one series a measure, the last whole months, each with the limits of its usual variation."""
    wide = monthly_flow(flow)
    if wide is None or wide.empty:
        return []
    wide = wide.tail(_MONTHS)
    months = [plain(month) for month in wide["period_start"]]
    return [
        {
            "measure": name,
            "months": months,
            "values": [plain(value) for value in wide[name]],
            **_limits(wide[name], name),
        }
        for name in ("inflow", "outflow", "stock")
        if name in wide.columns
    ]


def monthly_flow(flow: pd.DataFrame | None) -> pd.DataFrame | None:
    """Return the flow of everyone, one row per whole month: period_start, inflow, outflow, stock.

    Parameters
    ----------
    flow : pandas.DataFrame or None
        The same wide frame, or the long one of ``casestrat.caseload.flow``.

    Returns
    -------
    pandas.DataFrame or None
        In order of time; None where there is no flow.
    """
    if flow is None or "period_start" not in flow.columns:
        return None
    if "measure" not in flow.columns:
        return flow.sort_values("period_start", kind="stable", ignore_index=True)
    whole = flow["is_whole"].fillna(False).astype(bool) if "is_whole" in flow.columns else True
    reason = flow["close_reason"].fillna("") == "" if "close_reason" in flow.columns else True
    chosen = flow[(flow["group_kind"] == "all") & whole & reason]
    wide = chosen.pivot_table(index="period_start", columns="measure", values="value", aggfunc="first")
    return wide.rename_axis(columns=None).sort_index().reset_index()


def _limits(values: pd.Series, name: str) -> dict[str, Any]:
    """Return mean and XmR limits of a monthly count; a stock drifts, so it has none."""
    known = values.dropna().to_numpy(dtype="float64")
    if name == "stock" or len(known) < 2:
        return {"mean": None, "lower": None, "upper": None}
    centre, reach = float(known.mean()), _XMR * float(np.abs(np.diff(known)).mean())
    return {"mean": plain(centre), "lower": plain(max(0.0, centre - reach)), "upper": plain(centre + reach)}


def _contact_rows(contacts: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Return contacts due and done, one row per tier or intensity."""
    if contacts is None or contacts.empty:
        return []
    group = "tier" if "tier" in contacts.columns else "intensity"
    if "due" not in contacts.columns:
        need_columns(contacts, (group, "done_in_period"), "contacts")
        asked = contacts.assign(
            due=1,
            done=contacts["done_in_period"].fillna(False).astype(int),
            overdue=contacts["is_overdue"].fillna(False).astype(int) if "is_overdue" in contacts.columns else 0,
        )
        contacts = asked.groupby(group, sort=True, observed=True)[["due", "done", "overdue"]].sum().reset_index()
    names = [name for name in ("due", "done", "overdue") if name in contacts.columns]
    return [
        {"group_kind": group, "group": plain(row[group]), **{name: plain(row[name]) for name in names}}
        for row in contacts.to_dict("records")
    ]
