"""The caseload page: who has how many hours of cases, who cannot be followed yet, and how the service flows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

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
_PROPOSED = ("case_id", "person_id", "kind", "cm_id", "minutes", *TOLD["allocation"], "runner_up")
_UNASSIGNED = ("case_id", "person_id", "kind", "minutes", "rule", *TOLD["unassigned"])
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
    program: Program,
    as_of: date | str | pd.Timestamp,
    lang: str = "en",
    fingerprints: Mapping[str, str] | None = None,
    links: Mapping[str, str] | None = None,
) -> str:
    """Return the page on which a team sees its caseload; it ranks no one.

    Case managers stand in alphabetical order of their id and cannot be sorted otherwise. Hours are what the cases need,
    by the program's weights; small counts that the run suppressed stay hidden. Without a frame its part says what is
    missing.

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
    data = {
        "lang": lang,
        "words": page_words("pages", "caseload_page"),
        "labels": {
            **program_labels(program),
            "intensities": {key: in_all_languages(one.label, key) for key, one in program.intensities.items()},
        },
        "program": {"id": program.id, "version": program.version},
        "as_of": plain(as_of),
        "fingerprints": {str(part): plain(value) for part, value in dict(fingerprints or {}).items() if value},
        "links": {name: href for name, href in dict(links or {}).items() if name == "committee"},
        "small_cell": program.privacy.small_cell,
        "workload": rows_of(workload, _WORKLOAD),
        "proposed": rows_of(_new_leads(allocation), _PROPOSED),
        "unassigned": rows_of(_sorted(unassigned, "person_id"), _UNASSIGNED),
        "indicators": rows_of(indicators, _INDICATORS),
        "flow": _flow_charts(flow),
        "contacts": _contact_rows(contacts),
    }
    name = in_all_languages(program.label, program.id)[lang]
    return render("caseload.html.j2", data=script_json(data), lang=lang, words=data["words"][lang], program_name=name)


def _sorted(frame: pd.DataFrame | None, column: str) -> pd.DataFrame | None:
    return frame if frame is None or column not in frame.columns else frame.sort_values(column, kind="stable")


def _new_leads(allocation: pd.DataFrame | None) -> pd.DataFrame | None:
    """Return the assignments that are proposed anew, in order of person."""
    if allocation is None or "is_new" not in allocation.columns:
        return _sorted(allocation, "person_id")
    return _sorted(allocation[allocation["is_new"].fillna(False).astype(bool)], "person_id")


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
