"""The committee page: the ranked list, why each person stands where they stand, and the form that records decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

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

    from casestrat.knowledge.program import Program

_LEAST_SHOWN = 500
_SHOWN_PER_PLACE = 5

_RANKED = (
    "rank", "person_id", "referral_id", "territory", "tier", "points", "risk", "risk_low", "risk_high", "waited_days",
    "referred_on", "urgency", "completeness", "criteria", "key_override", "key_deadline", "key_index",
    "key_referred_on", "key_lottery", "tie_group", "is_proposed", "in_tied_zone", "imputed", "rank_low", "rank_high",
)  # fmt: skip
_ASSESS = (
    "person_id",
    "referral_id",
    "territory",
    "completeness",
    "missing_items",
    "waited_days",
    "referred_on",
    "criteria",
)
_REASONS = ("person_id", "reason", "domain", "is_actionable", "contribution", "value", "source", "observed_on")
_CRITERIA = ("person_id", "referral_id", "criteria_set", "criterion", "result", "evidence", "unknown_inputs")
_ALLOCATION = ("person_id", "cm_id", "minutes", *TOLD["allocation"], "runner_up")
_UNASSIGNED = ("person_id", "rule", *TOLD["unassigned"])
_PEOPLE = ("person_id", "birth_year", "birth_month", "language", "interpreter_needed")
_TIERS = ("person_id", "proposed_override", "unknown_inputs", "review_step_down", "step_down_to")
_SERVICES = ("service_id", "domain", "territory", "waiting_days", "label_en", "label_fr", "label_it")
_ADDED = (*_RANKED, "reason", "by", "added_at")


def committee_page(
    *,
    meeting: Mapping[str, Any],
    ranked: pd.DataFrame,
    reasons: pd.DataFrame,
    criteria: pd.DataFrame,
    assess_first: pd.DataFrame,
    allocation: pd.DataFrame | None = None,
    unassigned: pd.DataFrame | None = None,
    services: pd.DataFrame | None = None,
    tiers: pd.DataFrame | None = None,
    program: Program,
    lang: str = "en",
    people: pd.DataFrame | None = None,
    links: Mapping[str, str] | None = None,
) -> str:
    """Return the page on which a committee reads a frozen list and records what it decides.

    The page is one HTML file that works without a network, in English, French and Italian. It holds the first
    max(500, 5 × places) people; the file that holds the rest is named on it. The page decides nothing: every decision
    is typed by a person, with a reason, and leaves the page as a decision file.

    Parameters
    ----------
    meeting : mapping
        The meeting as its JSON holds it: ``meeting_id``, ``held_on``, ``territory``, ``places`` (None: no cut),
        ``list_fingerprint``, ``fingerprints`` and, if there are any, ``addenda`` and ``decisions``.
    ranked : pandas.DataFrame
        One row per ranked person, as in ``waiting_list``; ``rank_low`` and ``rank_high`` are drawn if present.
    reasons : pandas.DataFrame
        One row per person and reason of the score, as in ``reasons``.
    criteria : pandas.DataFrame
        One row per person and criterion, as :func:`casestrat.check_criteria` gives it.
    assess_first : pandas.DataFrame
        One row per person too incomplete to rank.
    allocation, unassigned : pandas.DataFrame, optional
        Proposed case managers, and people for whom none can be proposed, with the reason. Beside ``why``, ``reason``
        and ``relaxation`` there may be ``why_fr`` and so on, in the other languages.
    services : pandas.DataFrame, optional
        Where a relay can lead; without it a refusal can only say that a relay is to be found.
    tiers : pandas.DataFrame, optional
        One row per person, as in ``risk``: overrides that a rule proposes, rules left open, steps down to review.
    program : Program
        Labels, tiers and reasons of decisions.
    lang : {"en", "fr", "it"}
        The language the page opens in; all three are inside.
    people : pandas.DataFrame, optional
        One row per person: ``birth_year``, ``birth_month``, ``language``, ``interpreter_needed``.
    links : mapping of str to str, optional
        Names of files beside the page: ``list`` (the whole list), ``meetings``, ``caseload``.

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
    need_columns(ranked, ("rank", "person_id", "referral_id", "tier", "waited_days", "criteria"), "ranked")
    need_columns(assess_first, ("person_id", "referral_id"), "assess_first")
    places = plain(meeting.get("places"))
    shown = ranked.sort_values("rank", kind="stable").head(max(_LEAST_SHOWN, _SHOWN_PER_PLACE * (places or 0)))
    parts = [name for name in ranked.columns if name.startswith("days_worth_")]
    addenda = pd.DataFrame(list(meeting.get("addenda") or []))
    ids = {*shown["person_id"], *assess_first["person_id"], *addenda.get("person_id", [])}
    links = dict(links or {})
    words = page_words("pages", "committee_page")

    data = {
        "lang": lang,
        "words": words,
        "labels": program_labels(program),
        "program": {"id": program.id, "version": program.version},
        "order": {
            "mode": program.priority.mode,
            "rates": dict(program.priority.rates),
            "features": {name: part.feature for name, part in program.priority.components.items()},
            "parts": [name.removeprefix("days_worth_") for name in parts],
        },
        "meeting": _meeting_head(meeting, ranked, assess_first, places),
        "n_ranked": len(ranked),
        "list_file": links.get("list", "waiting_list.csv"),
        "links": {name: links[name] for name in ("meetings", "caseload") if name in links},
        "ranked": rows_of(shown, (*_RANKED, *parts)),
        "assess_first": rows_of(assess_first, _ASSESS),
        "addenda": rows_of(addenda, (*_ADDED, *parts)),
        "reasons": rows_of(_about(reasons, ids), _REASONS),
        "criteria": rows_of(_about(criteria, ids), _CRITERIA),
        "allocation": rows_of(_proposed(_about(allocation, ids)), _ALLOCATION),
        "unassigned": rows_of(_about(unassigned, ids), _UNASSIGNED),
        "tiers": rows_of(_to_look_at(_about(tiers, ids)), _TIERS),
        "people": rows_of(_about(people, ids), _PEOPLE),
        "services": rows_of(services, _SERVICES),
    }
    name = in_all_languages(program.label, program.id)[lang]
    return render("committee.html.j2", data=script_json(data), lang=lang, words=words[lang], program_name=name)


def _meeting_head(
    meeting: Mapping[str, Any], ranked: pd.DataFrame, assess_first: pd.DataFrame, places: int | None
) -> dict[str, Any]:
    """Return what the page says at its head, and needs in the decision file."""
    fingerprints = {str(part): plain(value) for part, value in dict(meeting.get("fingerprints") or {}).items()}
    return {
        "meeting_id": plain(meeting.get("meeting_id")),
        "held_on": plain(meeting.get("held_on")),
        "territory": plain(meeting.get("territory")) or "",
        "places": places,
        "as_of": plain(meeting.get("as_of")) or _as_of(ranked, assess_first),
        "list_fingerprint": plain(meeting.get("list_fingerprint")),
        "fingerprints": {part: value for part, value in fingerprints.items() if value},
        "decisions": [
            {str(key): plain(value) for key, value in dict(decision).items()}
            for decision in meeting.get("decisions") or []
        ],
    }


def _as_of(*frames: pd.DataFrame) -> str | None:
    """Return the day that the frames speak of, from the first that holds one."""
    for frame in frames:
        if "as_of" in frame.columns and len(frame):
            day: str | None = plain(frame["as_of"].iloc[0])
            return day
    return None


def _about(frame: pd.DataFrame | None, ids: set[Any]) -> pd.DataFrame | None:
    """Return the rows about the people on the page."""
    return None if frame is None or "person_id" not in frame.columns else frame[frame["person_id"].isin(ids)]


def _to_look_at(tiers: pd.DataFrame | None) -> pd.DataFrame | None:
    """Return those whose tier a person should look at."""
    if tiers is None:
        return None
    asked = tiers["proposed_override"].fillna(0) > 0
    open_rules = tiers["unknown_inputs"].fillna("").ne("")
    return tiers[asked | open_rules | tiers["review_step_down"].fillna(False).astype(bool)]


def _proposed(allocation: pd.DataFrame | None) -> pd.DataFrame | None:
    """Return the proposals among the assignments; the others are leads that stand already."""
    if allocation is None or "kind" not in allocation.columns:
        return allocation
    return allocation[allocation["kind"] == "proposed"]
