"""Licences and certificates that end soon, and the cases that would be left without anybody who may follow them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from casestrat.allocation.problem.gathering import gather
from casestrat.allocation.problem.instance import ask
from casestrat.allocation.problem.listed_text import EITHER, tokens
from casestrat.allocation.problem.problem import AllocationProblem
from casestrat.errors import UsageError
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Hashable
    from datetime import date

    from numpy.typing import NDArray

    from casestrat.allocation.problem.eligibility import Answer
    from casestrat.knowledge.program import AllocationRules, Program
    from casestrat.tables import Tables

_TYPES = {
    "cm_id": TEXT, "team": TEXT, "kind": TEXT, "name": TEXT, "jurisdiction": TEXT, "valid_to": "datetime64[us]",
    "days_left": "Int64", "n_cases": "Int64", "n_stranded": "Int64", "as_of": "datetime64[us]",
}  # fmt: skip
_CERTIFIED = ("credentials", "payer", "confidentiality")  # rules that ask for certificates
_HOURS = frozenset({"max_cases", "case_mix", "capacity"})  # rules about time, not about the right to follow


def expiring_licenses(
    tables: Tables, program: Program, as_of: date | str | pd.Timestamp, within_days: int = 90
) -> pd.DataFrame:
    """Return the licences and certificates that end soon without a renewal on record, and whom that would strand.

    Only rights that the program asks for are listed: licences of licensed professions, held by those who practise them,
    certificates of ``[allocation] credentials``, payers' contracts and clearances for confidential records. Rights that
    have ended already are listed while cases depend on them.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        Its ``[allocation]`` says which rights are asked for.
    as_of : date
        First day looked at.
    within_days : int, optional
        Days ahead, 0 or more.

    Returns
    -------
    pandas.DataFrame
        One row per case manager and right, the first to end first: cm_id, team, kind (licence, credential), name
        (profession or certificate), jurisdiction, valid_to (last day), days_left (below 0: ended), n_cases (open cases
        that the case manager leads and may not follow from the next day on), n_stranded (those of them whom nobody else
        may follow either, whatever their hours), as_of.

    Raises
    ------
    UsageError
        If the number of days is negative.
    """
    if within_days < 0:
        raise UsageError(f"within_days is {within_days}", do="give 0 or more days")
    day = pd.Timestamp(as_of).normalize()
    arguments = gather(tables, program, None, day)
    ending = _ending(arguments, program, day, within_days)
    rows = []
    for valid_to, group in ending.groupby("valid_to"):
        rows += _lost(arguments, group, max(pd.Timestamp(str(valid_to)) + pd.Timedelta(days=1), day))
    frame = pd.DataFrame(rows, columns=[name for name in _TYPES if name not in {"days_left", "as_of"}])
    days_left = (frame["valid_to"].astype("datetime64[us]") - day).dt.days
    frame = frame.assign(days_left=days_left, as_of=day)[list(_TYPES)].astype(dict[Any, Any](_TYPES))
    told = frame[(frame["days_left"] >= 0) | (frame["n_cases"] > 0)]
    return told.sort_values(["valid_to", "cm_id", "kind", "name", "jurisdiction"], ignore_index=True)


def _ending(arguments: dict[str, Any], program: Program, day: pd.Timestamp, within_days: int) -> pd.DataFrame:
    """Rights that the program asks for, with the last day to which they run on without a gap."""
    rules, staff = program.allocation, arguments["case_managers"]
    own = staff.set_index("cm_id")["profession"]
    licenses = arguments["licenses"]
    is_asked = licenses["profession"].isin(rules.licensed_professions) & (
        licenses["cm_id"].map(own) == licenses["profession"]
    ).fillna(value=False)
    held = arguments["credentials"]
    held = held[held["credential"].isin(rules.certificates) & held["cm_id"].isin(own.index)]
    columns = ["cm_id", "kind", "name", "jurisdiction", "compact", "valid_from", "valid_to"]
    rights = pd.concat([
        licenses[is_asked.astype(bool)].assign(kind="licence", name=lambda rows: rows["profession"])[columns],
        held.assign(kind="credential", name=lambda rows: rows["credential"], compact=None)[columns],
    ], ignore_index=True)  # fmt: skip
    ends = [
        (*key, _runs_to(spans, day), ";".join(sorted({name for text in spans["compact"] for name in tokens(text)})))
        for key, spans in rights.groupby(["cm_id", "kind", "name", "jurisdiction"], dropna=False)
    ]
    frame = pd.DataFrame(ends, columns=["cm_id", "kind", "name", "jurisdiction", "valid_to", "compact"])
    frame["team"] = frame["cm_id"].map(staff.set_index("cm_id")["team"])
    frame["valid_to"] = frame["valid_to"].astype("datetime64[us]")
    return frame[frame["valid_to"] <= day + pd.Timedelta(days=within_days)]


def _runs_to(spans: pd.DataFrame, day: pd.Timestamp) -> pd.Timestamp | None:
    """Last day to which a right runs on from a day, or the last day it had; None where it has no end."""
    reached: pd.Timestamp | None = None
    for start, end in spans.sort_values("valid_from")[["valid_from", "valid_to"]].itertuples(index=False):
        if reached is not None and reached >= day and start > reached + pd.Timedelta(days=1):
            break  # a gap that comes later counts as an end
        if pd.isna(end):
            return None
        reached = end if reached is None else max(reached, end)
    return reached


class _Verdicts(NamedTuple):
    """What the rules say of cases on a day, whoever leads them now."""

    cases: pd.DataFrame
    cm_ids: list[str]
    group: NDArray[np.int64]
    answers: dict[str, Answer]


def _verdicts(arguments: dict[str, Any], led: pd.DataFrame, first: pd.Timestamp, days: int) -> _Verdicts:
    """Ask the rules about cases as if they were to be placed on a day."""
    changed = {
        "cases": led.assign(is_fixed=False), "starts_on": first,
        "rules": replace(arguments["rules"], horizon_days=days),
    }  # fmt: skip
    problem = AllocationProblem(**(arguments | changed))
    asked = ask(problem)
    cases = problem.cases.iloc[asked.rows].reset_index(drop=True)
    return _Verdicts(cases, problem.case_managers["cm_id"].tolist(), asked.group, asked.verdicts)


def _lost(arguments: dict[str, Any], group: pd.DataFrame, first: pd.Timestamp) -> list[tuple[Any, ...]]:
    """Count the cases lost on a day by those whose rights have ended, and those that nobody may follow."""
    led = arguments["cases"]
    led = led[led["is_fixed"].astype(bool) & led["cm_id"].isin(group["cm_id"])]
    lost: dict[tuple[str, str], pd.DataFrame] = {}
    if len(led):
        on_the_day = _verdicts(arguments, led, first, 1)
        later = _verdicts(arguments, led, first, arguments["rules"].horizon_days)
        ids = later.cm_ids
        own = np.array([ids.index(cm_id) for cm_id in later.cases["cm_id"]], dtype=np.int64)
        others = np.logical_and.reduce(
            [answer[later.group] for name, answer in later.answers.items() if name not in _HOURS]
        )
        others[np.arange(len(own)), own] = False
        for rule in ("licence", *_CERTIFIED):
            may = on_the_day.answers[rule][on_the_day.group][np.arange(len(own)), own]
            told = later.cases.assign(is_stranded=~others.any(axis=1))[~may]
            lost |= {(rule, str(cm_id)): cases for cm_id, cases in told.groupby("cm_id")}
    rows = []
    for right in group.itertuples(index=False):
        counts = _counts(arguments["rules"], lost, right)
        rows.append((right.cm_id, right.team, right.kind, right.name, right.jurisdiction, right.valid_to, *counts))
    return rows


def _counts(rules: AllocationRules, lost: dict[tuple[str, str], pd.DataFrame], right: Any) -> tuple[int, int]:
    """Count the cases that hang on one right, and those of them whom nobody else may follow."""
    found: dict[str, bool] = {}
    for rule in ("licence",) if right.kind == "licence" else _CERTIFIED:
        cases = lost.get((rule, str(right.cm_id)))
        if cases is not None:
            on_it = [_hangs_on(rules, rule, right, case) for case in cases.to_dict("records")]
            found |= dict(zip(cases.loc[on_it, "case_id"], cases.loc[on_it, "is_stranded"], strict=True))
    return len(found), sum(map(bool, found.values()))


def _hangs_on(rules: AllocationRules, rule: str, right: Any, case: dict[Hashable, Any]) -> bool:
    """Whether a case that a rule takes from its lead asks for this right; of several, each is told its own cases."""
    if rule == "licence":
        return bool(right.compact) or right.jurisdiction in tokens(case["jurisdiction"])
    asked = {
        "credentials": rules.credentials,
        "payer": [rules.payer_contracts.get(payer, "") for payer in tokens(case["payer"])],
        "confidentiality": tokens(case["clearances"]),
    }[rule]
    return any(right.name in names.split(EITHER) for names in asked)
