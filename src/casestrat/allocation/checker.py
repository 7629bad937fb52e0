"""An independent look at a plan: every rule and every value, worked out again from the frames, person by person.

Nothing of the solver is used here, nor of the arrays it works on: a fault there must not hide itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from casestrat.errors import CasestratError
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from casestrat.allocation.plan import Plan
    from casestrat.allocation.problem import AllocationProblem

Record: TypeAlias = dict[str, Any]
Broken: TypeAlias = tuple[str, str, str]  # rule, case_id or cm_id, what is wrong
_NEAR = 1e-6


def check_plan(problem: AllocationProblem, plan: Plan) -> pd.DataFrame:
    """Return what is wrong with a plan; a sound plan gives no rows.

    Parameters
    ----------
    problem : AllocationProblem
        The checked problem.
    plan : Plan
        The plan, or one that someone changed by hand.

    Returns
    -------
    pandas.DataFrame
        One row per broken rule: rule, id (of the case or the case manager), what.

    Examples
    --------
    >>> from casestrat.allocation import AllocationProblem, allocate
    >>> problem = AllocationProblem(
    ...     cases=pd.DataFrame({"case_id": ["C1", "C2", "C3"], "minutes": [40, 60, 40]}),
    ...     case_managers=pd.DataFrame({"cm_id": ["CM1", "CM2"], "capacity_minutes": [100, 80]}),
    ... )
    >>> len(check_plan(problem, allocate(problem)))
    0
    """
    parts = (_partition, _pairs, _loads, _mixture, _values)
    found = [broken for part in parts for broken in part(problem, plan)]
    return pd.DataFrame(found, columns=["rule", "id", "what"], dtype=TEXT)


def require_sound(problem: AllocationProblem, plan: Plan) -> Plan:
    """Return a plan that the checker finds nothing wrong with.

    Parameters
    ----------
    problem : AllocationProblem
        The checked problem.
    plan : Plan
        The plan.

    Returns
    -------
    Plan
        The same plan.

    Raises
    ------
    CasestratError
        If anything is wrong: a fault of the program, never of the data.
    """
    faults = check_plan(problem, plan)
    if len(faults):
        rules = ", ".join(sorted(set(faults["rule"])))
        raise CasestratError(
            f"the plan breaks {len(faults)} rules ({rules})",
            where="allocation",
            do="report this with the problem's size",
        )
    return plan


def _records(frame: pd.DataFrame) -> list[Record]:
    """Rows of a frame, each as a mapping of column to value."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _partition(problem: AllocationProblem, plan: Plan) -> Iterator[Broken]:
    """Each case once: assigned or left over; a fixed or pinned case nowhere else."""
    told = pd.concat([plan.assignments["case_id"], plan.unassigned["case_id"]])
    for case_id in told[told.duplicated()]:
        yield "once", str(case_id), "appears twice"
    for case_id in sorted(set(problem.cases["case_id"]) ^ set(told)):
        yield "once", str(case_id), "is missing, or unknown"
    given = dict(zip(plan.assignments["case_id"], plan.assignments["cm_id"], strict=True))
    for case in _records(problem.cases[problem.cases["is_fixed"].astype(bool)]):
        if given.get(case["case_id"]) != case["cm_id"]:
            yield "fixed", case["case_id"], "has left its lead"
    for pin in _records(problem.pins):
        if given.get(pin["case_id"], pin["cm_id"]) != pin["cm_id"]:
            yield "pins", pin["case_id"], "has left the case manager it is pinned to"


def _pairs(problem: AllocationProblem, plan: Plan) -> Iterator[Broken]:
    """Each hard rule of each assigned pair."""
    cases = {case["case_id"]: case for case in _records(problem.cases)}
    staff = _staff(problem)
    own = {case["case_id"] for case in cases.values() if case["is_fixed"]}
    conflicts = set(zip(problem.conflicts["person_id"], problem.conflicts["cm_id"], strict=True))
    must = problem.preferences[problem.preferences["is_required"].astype(bool)]
    wishes: dict[str, list[tuple[str, str]]] = {}
    for wish in _records(must):
        wishes.setdefault(wish["person_id"], []).append((wish["kind"], wish["value"]))
    for row in _records(plan.assignments):
        case, manager = cases.get(row["case_id"]), staff.get(row["cm_id"])
        if case is None or manager is None:
            yield "known", row["case_id"], "is unknown, or its case manager is"
        elif row["case_id"] not in own:
            asked = list(wishes.get(case["person_id"], []))
            asked += [(kind, value) for kind, _, value in (part.partition("=") for part in _parts(case["required"]))]
            broken = _case_rules(problem, manager, case, asked)
            if (case["person_id"], manager["cm_id"]) in conflicts:
                broken.append("conflicts")
            for rule in broken:
                yield rule, row["case_id"], "goes to someone who may not follow it"


def _parts(text: object) -> list[str]:
    """Parts of `;`-separated text."""
    return [part.strip() for part in text.split(";") if part.strip()] if isinstance(text, str) else []


def _days(problem: AllocationProblem) -> pd.DatetimeIndex:
    """Every day of the planned follow-up; none where the problem has no date."""
    if problem.first_day is None:
        return pd.DatetimeIndex([])
    return pd.date_range(problem.first_day, periods=max(problem.rules.horizon_days, 1), freq="D")


def _valid_days(spans: pd.DataFrame, days: pd.DatetimeIndex) -> set[pd.Timestamp]:
    """Days on which at least one of the spans is valid."""
    held: set[pd.Timestamp] = set()
    for start, end in zip(spans["valid_from"], spans["valid_to"], strict=True):
        held |= {day for day in days if not (day < start) and not (day > end)}
    return held


def _rights(problem: AllocationProblem) -> dict[tuple[str, str], set[str]]:
    """Jurisdictions, and certificates, that each case manager holds on every day of the follow-up."""
    rights: dict[tuple[str, str], set[str]] = {}
    days = _days(problem)
    licenses = problem.licenses
    for (cm_id, profession), own in licenses.groupby(["cm_id", "profession"]):
        same = licenses[licenses["profession"] == profession]
        for place in same["jurisdiction"].dropna().unique():
            compacts = {part for text in same.loc[same["jurisdiction"] == place, "compact"] for part in _parts(text)}
            reach = (own["jurisdiction"] == place) | pd.Series(
                [bool(compacts & set(_parts(text))) for text in own["compact"]], index=own.index
            )
            if reach.any() and _valid_days(own[reach], days) >= set(days):
                rights.setdefault((str(cm_id), str(profession)), set()).add(str(place))
    for (cm_id, name), own in problem.credentials.groupby(["cm_id", "credential"]):
        if _valid_days(own, days) >= set(days):
            rights.setdefault((str(cm_id), "certificates"), set()).add(str(name))
    return rights


def _staff(problem: AllocationProblem) -> dict[str, Record]:
    """Case managers with what the rules ask about them, each looked up once."""
    days, rules, rights = _days(problem), problem.rules, _rights(problem)
    staff = {}
    for manager in _records(problem.case_managers):
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
            "skill_set": set(_parts(manager["skills"])),
            "language_set": set(_parts(manager["languages"])),
            "territory_set": set(_parts(manager["territories"])),
        }
    return staff


def _case_rules(problem: AllocationProblem, manager: Record, case: Record, wishes: list[tuple[str, str]]) -> list[str]:
    """Rules that a pair breaks."""
    rules, broken = problem.rules, list(manager["broken"])
    lives_in = set(_parts(case["jurisdiction"]))
    if manager["places"] is not None and not (lives_in and lives_in <= manager["places"]):
        broken.append("licence")
    months: int = 0 if pd.isna(manager["experience_months"]) else int(manager["experience_months"])
    if months < rules.min_experience_months or months < rules.experience.get(case["tier"], 0):
        broken.append("experience")
    if not set(_parts(case["skills"])) <= manager["skill_set"]:
        broken.append("skills")
    language, territory = case["language"], case["territory"]
    if rules.language == "required" and isinstance(language, str) and language != "unknown":
        through = case["interpreter_needed"] is True and "interpreter" in manager["skill_set"]
        if language not in manager["language_set"] and not through:
            broken.append("language")
    is_bound = rules.territory == "required" and isinstance(territory, str) and territory != "unknown"
    if is_bound and manager["territory_set"] and territory not in manager["territory_set"]:
        broken.append("territory")
    if not all(_is_met(manager, kind, value) for kind, value in wishes):
        broken.append("preferences")
    return broken


def _is_met(manager: Record, kind: str, value: str) -> bool:
    """Whether a wish is met by a column of that name, of its plural, or of its other name."""
    other = {"sex": "gender", "gender": "sex", "case_manager": "cm_id"}.get(kind, kind)
    plural = kind[:-1] + "ies" if kind.endswith("y") else kind + "s"
    for name in (kind, plural, other):
        if name in manager:
            return value in _parts(str(manager[name]))
    return False


def _loads(problem: AllocationProblem, plan: Plan) -> Iterator[Broken]:
    """Minutes and numbers of cases, added up again."""
    capacity = dict(zip(problem.case_managers["cm_id"], problem.capacity.tolist(), strict=True))
    assigned = plan.assignments.assign(minutes=_minutes(problem, plan).to_numpy())
    fixed = set(problem.cases.loc[problem.cases["is_fixed"].astype(bool), "case_id"])
    minutes, count = assigned.groupby("cm_id")["minutes"].sum(), assigned.groupby("cm_id").size()
    added = set(assigned.loc[~assigned["case_id"].isin(fixed), "cm_id"])
    workload = {row["cm_id"]: row for row in _records(plan.workload)}
    for manager in _records(problem.case_managers):
        cm_id = manager["cm_id"]
        load = int(minutes.get(cm_id, 0)) + int(manager["minutes_committed"])
        number = int(count.get(cm_id, 0)) + int(manager["cases_committed"])
        if cm_id in added and load > capacity[cm_id]:
            yield "capacity", cm_id, "has more minutes than there are"
        if cm_id in added and pd.notna(manager["max_cases"]) and number > manager["max_cases"]:
            yield "max_cases", cm_id, "has more cases than allowed"
        told = workload.get(cm_id)
        if told is None or told["minutes_after"] != load or told["cases_after"] != number:
            yield "workload", cm_id, "is told another workload than the assignments give"
    if plan.workload["cm_id"].tolist() != sorted(capacity):
        yield "workload", "", "is not one row per case manager in the order of ids"


def _mixture(problem: AllocationProblem, plan: Plan) -> Iterator[Broken]:
    """Cases of one sort, counted again for each case manager who was given one."""
    cases = {case["case_id"]: case for case in _records(problem.cases)}
    for limit in problem.rules.case_mix:
        held: dict[str, list[bool]] = {}  # case manager → of each case of the sort: is it newly given?
        for row in _records(plan.assignments):
            case = cases.get(row["case_id"], {})
            is_of_tier = limit.tier is None or case.get("tier") == limit.tier
            if case and is_of_tier and (limit.kind is None or case["kind"] == limit.kind):
                held.setdefault(row["cm_id"], []).append(not case["is_fixed"])
        for cm_id, given in held.items():
            if len(given) > limit.most and any(given):
                yield "case_mix", cm_id, "has more cases of one sort than allowed"


def _minutes(problem: AllocationProblem, plan: Plan) -> pd.Series:
    """Minutes of each assignment, from the problem."""
    if problem.pair_minutes is None:
        return plan.assignments["case_id"].map(problem.cases.set_index("case_id")["minutes"]).fillna(0)
    return pd.Series(_of_pairs(problem.pair_minutes, plan), dtype="int64")


def _of_pairs(table: pd.DataFrame, plan: Plan) -> list[float]:
    """Value of each assignment in a matrix of case managers and cases; 0 where it has none."""
    values = table.to_numpy(dtype=np.float64)
    row_of, column_of = ({key: at for at, key in enumerate(axis)} for axis in (table.index, table.columns))
    pairs = zip(plan.assignments["cm_id"], plan.assignments["case_id"], strict=True)
    return [float(values[row_of[a], column_of[b]]) if a in row_of and b in column_of else 0.0 for a, b in pairs]


def _values(problem: AllocationProblem, plan: Plan) -> Iterator[Broken]:
    """Values of the levels, worked out again, and no bound above its value."""
    told = dict(zip(plan.levels["level"], plan.levels["value"].astype("float64"), strict=True))
    wrong = plan.levels["bound"] > plan.levels["value"] + _NEAR * np.maximum(plan.levels["value"].abs(), 1)
    for level in plan.levels.loc[wrong, "level"]:
        yield "levels", level, "has a bound above its value"
    for level, value in _recomputed(problem, plan).items():
        if level in told and abs(told[level] - value) > _NEAR * max(abs(value), 1):
            yield "levels", level, "has another value than the assignments give"


def _recomputed(problem: AllocationProblem, plan: Plan) -> dict[str, float]:
    """Each level's value from the frames."""
    priority = problem.cases.set_index("case_id")["priority"]
    left = float(priority[priority.index.isin(plan.unassigned["case_id"])].sum())
    if problem.pair_cost is not None:
        return {"unassigned": left, "fit": sum(_of_pairs(problem.pair_cost, plan))}
    capacity = pd.Series(problem.capacity, index=problem.case_managers["cm_id"]).astype("float64")
    committed = problem.case_managers.set_index("cm_id")["minutes_committed"].astype("float64")
    minutes = _minutes(problem, plan).astype("float64").to_numpy()
    load = committed.add(pd.Series(minutes, index=plan.assignments["cm_id"]).groupby(level=0).sum(), fill_value=0.0)
    able = capacity.index[capacity > 0]
    use = load[able] / capacity[able]
    return {
        "unassigned": left,
        "largest_utilisation": float(use.max()) if len(use) else 0.0,
        "sum_of_squares": float((capacity[able] * use**2).sum()),
        "fit": _fit(problem, plan),
    }


def _fit(problem: AllocationProblem, plan: Plan) -> float:
    """Level 3 from the frames: a changed case manager, language, territory, each wish, at the program's costs."""
    cases = {case["case_id"]: case for case in _records(problem.cases) if not case["is_fixed"]}
    staff = {manager["cm_id"]: manager for manager in _records(problem.case_managers)}
    soft: dict[str, set[tuple[str, str]]] = {}
    for wish in _records(problem.preferences[~problem.preferences["is_required"].astype(bool)]):
        soft.setdefault(wish["person_id"], set()).add((wish["kind"], wish["value"]))
    total, rules, costs = 0.0, problem.rules, problem.rules.costs
    for row in _records(plan.assignments):
        case, manager = cases.get(row["case_id"]), staff.get(row["cm_id"])
        if case is None or manager is None:
            continue
        language, territory, served = case["language"], case["territory"], _parts(manager["territories"])
        known = [isinstance(value, str) and value != "unknown" for value in (language, territory)]
        total += costs.continuity * (case["cm_id"] in staff and case["cm_id"] != row["cm_id"])
        total += costs.language * (
            rules.language == "preferred" and known[0] and language not in _parts(manager["languages"])
        )
        elsewhere = known[1] and bool(served) and territory not in served
        total += costs.travel * (rules.territory == "preferred" and elsewhere)
        total += costs.wishes * sum(
            not _is_met(manager, kind, value) for kind, value in soft.get(case["person_id"], set())
        )
    return float(total)
