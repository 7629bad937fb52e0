"""From an agency's tables to the frames of an allocation problem, as they were known on a date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.allocation.problem.case_weights import measured_minutes
from casestrat.allocation.problem.workload import (
    case_minutes,
    contracted_minutes,
    minutes_for_cases,
    months_between,
    share_by_months,
)
from casestrat.knowledge.three_valued import read_expression, value_of
from casestrat.tables import TEXT
from casestrat.timeline import known

if TYPE_CHECKING:
    from datetime import date

    from casestrat.knowledge.program import Program
    from casestrat.tables import Tables

_PERSON_COLUMNS = ["territory", "jurisdiction", "language", "interpreter_needed"]


def gather(
    tables: Tables, program: Program, ranked: pd.DataFrame | None, as_of: date | str | pd.Timestamp
) -> dict[str, Any]:
    """Return the arguments of the allocation problem that an agency has on a date.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        Its tiers and intensities give case weights, its ``[allocation]`` the rules.
    ranked : pandas.DataFrame or None
        The ranked waiting list. Rows with ``is_proposed`` or ``in_tied_zone`` become proposed cases; a list with
        neither column has no cut, and every row does.
    as_of : date
        Only what was recorded before it counts.

    Returns
    -------
    dict
        Arguments of ``AllocationProblem`` by name.
    """
    day = pd.Timestamp(as_of).normalize()
    staff = _case_managers(tables, program, day)
    episodes = _open_episodes(tables, day)
    is_ours = (episodes["program"].isna() | (episodes["program"] == program.id).fillna(value=False)).astype(bool)
    leads = _leads(tables, day)
    proposed = _proposed(ranked, episodes.loc[is_ours, "person_id"])
    cases = pd.concat([_open_cases(episodes[is_ours], leads, staff, proposed), proposed], ignore_index=True)
    weights = measured_minutes(tables, program, day)
    persons = known(tables.persons, "person_id", day).set_index("person_id")
    cases = cases.join(persons[_PERSON_COLUMNS], on="person_id")
    cases["minutes"] = case_minutes(cases["intensity"], cases["tier"], program, cases["territory"], weights)
    cases["tier"] = cases["tier"].fillna(cases["intensity"].map(_tier_of_intensity(program)).astype(TEXT))
    facts = known(tables.person_facts, ["person_id", "fact", "valid_from"], day)
    cases["jurisdiction"] = _jurisdictions(cases, facts, day, program.allocation.horizon_days)
    inputs = _Inputs(cases, persons, facts, day)
    cases["skills"] = _skills(inputs, program)
    cases["clearances"] = _clearances(inputs, program)
    cases["payer"] = _payers(cases, tables, day, program)
    cases = cases.assign(**_guardians(inputs, program))
    elsewhere = _elsewhere(episodes[~is_ours], leads, program, weights)
    return {
        "cases": cases.drop(columns="intensity"),
        "case_managers": staff.assign(
            minutes_committed=staff["cm_id"].map(elsewhere["minutes"]).fillna(0).astype("Int64"),
            cases_committed=staff["cm_id"].map(elsewhere["cases"]).fillna(0).astype("Int64"),
        ),
        "licenses": tables.licenses,
        "credentials": tables.credentials,
        "absences": tables.absences,
        "conflicts": known(tables.conflicts, ["person_id", "cm_id"], day),
        "preferences": known(tables.preferences, ["person_id", "kind", "value"], day),
        "rules": program.allocation,
        "starts_on": day,
    }


def _case_managers(tables: Tables, program: Program, day: pd.Timestamp) -> pd.DataFrame:
    """Case managers of the program who have not left, with their minutes for cases."""
    staff = tables.case_managers
    staff = staff[~(staff["ends_on"] < day)]  # who has left has no hours to show
    is_ours = (staff["program"].isna() | (staff["program"] == program.id).fillna(value=False)).astype(bool)
    staff = staff[is_ours].reset_index(drop=True)
    rules = program.allocation
    in_post = months_between(staff["starts_on"], day)
    experience = in_post.fillna(0) + staff["experience_months"].fillna(0)  # what is not known is not counted
    share = share_by_months(in_post, rules.ramp_up) * share_by_months(experience, rules.by_experience)
    return staff.assign(
        capacity_minutes=minutes_for_cases(contracted_minutes(staff, rules), rules.non_case_share, share),
        experience_months=experience.astype("Int64"),
    )


def _facts_of(facts: pd.DataFrame, name: str, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    """Rows of one fact that hold on some day of a span, the latest last; a later value ends the one before."""
    rows = facts[(facts["fact"] == name).fillna(value=False).astype(bool)]
    rows = rows.sort_values(["person_id", "valid_from", "recorded_at"])
    next_day = rows.groupby("person_id")["valid_from"].shift(-1)
    ends = rows["valid_to"].fillna(next_day - pd.Timedelta(days=1))
    return rows[(~(rows["valid_from"] > last) & ~(ends < first)).astype(bool)]


def _jurisdictions(cases: pd.DataFrame, facts: pd.DataFrame, day: pd.Timestamp, horizon_days: int) -> pd.Series:
    """Every jurisdiction that a person lives in, or is known to move to, in the planned follow-up."""
    moves = _facts_of(facts, "jurisdiction", day, day + pd.Timedelta(days=max(horizon_days, 1) - 1))
    if moves.empty:
        return cases["jurisdiction"]
    further = moves.groupby("person_id")["value"].agg(list)
    told = [
        ";".join(dict.fromkeys([*([own] if isinstance(own, str) else []), *(more if isinstance(more, list) else [])]))
        for own, more in zip(cases["jurisdiction"], cases["person_id"].map(further), strict=True)
    ]
    return pd.Series([one or None for one in told], index=cases.index, dtype=TEXT)


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What the program's expressions read of each case, on a day."""

    cases: pd.DataFrame
    persons: pd.DataFrame
    facts: pd.DataFrame
    day: pd.Timestamp

    def column(self, name: str) -> pd.Series:
        """Return what a name stands for: the tier, a column of persons, or a fact that holds on the day."""
        if name == "tier":
            return self.cases["tier"]
        if name in self.persons.columns:
            return self.cases["person_id"].map(self.persons[name])
        today = _facts_of(self.facts, name, self.day, self.day).drop_duplicates("person_id", keep="last")
        return self.cases["person_id"].map(today.set_index("person_id")["value"]).astype(TEXT)

    def answer(self, expression: str, where: str) -> pd.Series:
        """Return the answer of an expression for each case, missing where it is unknown."""
        rule = read_expression(expression, where)
        values = {name: value_of(self.column(name), name) for name in rule.names}
        return pd.Series(rule.evaluate(values, len(self.cases)))

    def listed(self, asked: list[tuple[str, pd.Series]], everywhere: tuple[str, ...] = ()) -> pd.Series:
        """Return as text what each case asks for: something everywhere, something where an answer is yes."""
        needed = [list(everywhere) for _ in range(len(self.cases))]
        for name, answer in asked:
            for own, asks in zip(needed, answer.to_numpy(dtype=bool), strict=True):
                if asks and name not in own:
                    own.append(name)
        return pd.Series([";".join(own) or None for own in needed], index=self.cases.index, dtype=TEXT)


def _skills(inputs: _Inputs, program: Program) -> pd.Series:
    """Skills that each case asks for, by the program's rules; a rule that cannot be answered asks for none."""
    asked = [
        (need.skill, inputs.answer(need.when, f"allocation.skills_when[{need.skill}]").fillna(value=False))
        for need in program.allocation.skills_when
    ]
    return inputs.listed(asked, program.allocation.skills)


def _clearances(inputs: _Inputs, program: Program) -> pd.Series:
    """Clearances that the records of each case ask for; where that is not known, as the program says."""
    asked = []
    for need in program.allocation.confidential:
        answer = inputs.answer(need.when, f"allocation.confidential[{need.clearance}]")
        asked.append((need.clearance, answer.fillna(value=need.if_unknown == "asked")))
    return inputs.listed(asked)


def _payers(cases: pd.DataFrame, tables: Tables, day: pd.Timestamp, program: Program) -> pd.Series:
    """Every payer that is known to cover a person on some day of the planned follow-up, where contracts count."""
    nobody = pd.Series(pd.NA, index=cases.index, dtype=TEXT)
    if not program.allocation.payer_contracts:
        return nobody
    last = day + pd.Timedelta(days=max(program.allocation.horizon_days, 1) - 1)
    spans = known(tables.enrollments, ["person_id", "from_on"], day)
    inside = spans["payer"].notna() & ~(spans["from_on"] > last) & ~(spans["to_on"] < day)
    payers = spans[inside.astype(bool)].sort_values(["person_id", "from_on"])[["person_id", "payer"]].drop_duplicates()
    told = payers.groupby("person_id")["payer"].agg(";".join)
    return cases["person_id"].map(told).astype(TEXT) if len(told) else nobody


def _guardians(inputs: _Inputs, program: Program) -> dict[str, pd.Series]:
    """Language of each person's guardian, and whether an interpreter is needed for it, where they count."""
    if program.allocation.guardian_language == "ignored":
        return {}
    needed = inputs.answer("guardian_interpreter_needed", "allocation.guardian_language")
    return {
        "guardian_language": inputs.column("guardian_language"),
        "guardian_interpreter_needed": needed.set_axis(inputs.cases.index),
    }


def _open_episodes(tables: Tables, day: pd.Timestamp) -> pd.DataFrame:
    """Episodes that are open on the date, of people not known to have died."""
    episodes = known(tables.episodes, "episode_id", day)
    persons, events = known(tables.persons, "person_id", day), known(tables.events, "event_id", day)
    deaths = events.loc[(events["kind"] == "death").fillna(value=False), "person_id"]
    died = {*persons.loc[persons["died_on"] < day, "person_id"], *deaths}
    is_open = (episodes["admitted_on"] <= day) & ~(episodes["closed_on"] <= day) & ~episodes["person_id"].isin(died)
    return episodes[is_open.astype(bool)]


def _leads(tables: Tables, day: pd.Timestamp) -> pd.Series:
    """Case manager who leads each episode, by episode; the latest where several are recorded."""
    assignments = known(tables.assignments, "assignment_id", day)
    is_lead = (assignments["role"] == "lead").fillna(value=False) & ~(assignments["to_on"] < day)
    rows = assignments[is_lead.astype(bool)].sort_values(["from_on", "recorded_at", "assignment_id"])
    return rows.drop_duplicates("episode_id", keep="last").set_index("episode_id")["cm_id"]


def _proposed(ranked: pd.DataFrame | None, followed: pd.Series) -> pd.DataFrame:
    """People of the list within the places or tied at the cut, as cases whose priority falls with the rank."""
    columns = ["case_id", "person_id", "kind", "tier", "intensity", "cm_id", "is_fixed", "priority"]
    if ranked is None or ranked.empty:
        return pd.DataFrame({name: pd.Series(dtype=TEXT) for name in columns}).astype(
            {"is_fixed": "boolean", "priority": "float64"}
        )
    flags = [name for name in ("is_proposed", "in_tied_zone") if name in ranked]
    inside = ranked[flags].fillna(value=False).astype(bool).any(axis=1) if flags else pd.Series(True, ranked.index)
    rows = ranked[inside & ~ranked["person_id"].isin(followed)].sort_values(["rank", "referral_id"])
    n = len(rows)
    return pd.DataFrame({
        "case_id": rows["referral_id"].astype(TEXT), "person_id": rows["person_id"].astype(TEXT), "kind": "proposed",
        "tier": rows["tier"].astype(TEXT) if "tier" in rows else pd.Series(pd.NA, rows.index, dtype=TEXT),
        "intensity": pd.Series(pd.NA, rows.index, dtype=TEXT), "cm_id": pd.Series(pd.NA, rows.index, dtype=TEXT),
        "is_fixed": pd.Series(False, rows.index, dtype="boolean"),
        "priority": 2.0 * n - np.arange(n),  # the first counts nearly twice as much as the last
    }).reset_index(drop=True)  # fmt: skip


def _open_cases(episodes: pd.DataFrame, leads: pd.Series, staff: pd.DataFrame, proposed: pd.DataFrame) -> pd.DataFrame:
    """Open episodes as cases: fixed to a lead who still works, and otherwise before everyone who is proposed."""
    lead = episodes["episode_id"].map(leads).astype(TEXT)
    lead = lead.where(lead.isin(staff["cm_id"]))
    return pd.DataFrame({
        "case_id": episodes["episode_id"], "person_id": episodes["person_id"], "kind": "open",
        "tier": pd.Series(pd.NA, episodes.index, dtype=TEXT), "intensity": episodes["intensity"], "cm_id": lead,
        "is_fixed": lead.notna().astype("boolean"), "priority": 1.0 + float(proposed["priority"].sum()),
    }).reset_index(drop=True)  # fmt: skip


def _tier_of_intensity(program: Program) -> dict[str, str]:
    """Find the highest tier that starts at each intensity."""
    tiers: dict[str, str] = {}
    for tier in program.tiers:
        tiers.setdefault(tier.intensity, tier.id)
    return tiers


def _elsewhere(episodes: pd.DataFrame, leads: pd.Series, program: Program, weights: dict[str, int]) -> pd.DataFrame:
    """Minutes and cases that other programs' open episodes take, by case manager."""
    unknown = pd.Series(pd.NA, episodes.index, dtype=TEXT)
    minutes = case_minutes(episodes["intensity"], unknown, program, weights=weights)
    held = pd.DataFrame({"cm_id": episodes["episode_id"].map(leads).astype(TEXT), "minutes": minutes}).dropna()
    by = held.groupby("cm_id")["minutes"]
    return pd.DataFrame({"minutes": by.sum(), "cases": by.size()})
