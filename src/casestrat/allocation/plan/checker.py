"""An independent look at a plan: every rule and every value, worked out again from the frames.

Each rule is asked in plain words of a case manager and a case; assignments that agree in all that a rule reads are
asked about once.

Nothing of the solver is used here, nor of the arrays it works on: a fault there must not hide itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from casestrat.allocation.plan.checked_staff import Record, parts, records, staff_of
from casestrat.errors import CasestratError
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from casestrat.allocation.plan.plan import Plan
    from casestrat.allocation.problem.problem import AllocationProblem
    from casestrat.knowledge.program import AllocationRules

Columns: TypeAlias = dict[str, list[Any]]
Judge: TypeAlias = "Callable[[Record, Record], bool]"
Broken: TypeAlias = tuple[str, str, str]  # rule, case_id or cm_id, what is wrong
_NEAR = 1e-6
_READ = (
    "given_to", "case_id", "person_id", "cm_id", "required", "jurisdiction", "tier", "skills", "language",
    "interpreter_needed", "territory", "payer", "clearances", "guardian_language", "guardian_interpreter_needed",
)  # fmt: skip


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
    joined = _joined(problem, plan)
    dealt = {name: joined.loc[~joined["is_fixed"].to_numpy(dtype=bool), name].tolist() for name in _READ}
    facts = _Facts(problem, plan, staff_of(problem), joined, dealt, _minutes(problem, plan))
    parts = (_partition, _pairs, _loads, _mixture, _values)
    found = [broken for part in parts for broken in part(facts)]
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


@dataclass(frozen=True, slots=True, eq=False)
class _Facts:
    """A problem and a plan, and what several questions look at."""

    problem: AllocationProblem
    plan: Plan
    staff: dict[str, Record]
    rows: pd.DataFrame  # assignments with the columns of their case, where both are known
    dealt: Columns  # those of cases that are not fixed
    minutes: NDArray[np.float64]  # of each assignment


def _partition(facts: _Facts) -> Iterator[Broken]:
    """Each case once: assigned or left over; a fixed or pinned case nowhere else."""
    problem, plan = facts.problem, facts.plan
    told: set[str] = set()
    for case_id in (*plan.assignments["case_id"], *plan.unassigned["case_id"]):
        if case_id in told:
            yield "once", str(case_id), "appears twice"
        told.add(case_id)
    for case_id in sorted(set(problem.cases["case_id"]) ^ told):
        yield "once", str(case_id), "is missing, or unknown"
    given = dict(zip(plan.assignments["case_id"], plan.assignments["cm_id"], strict=True))
    fixed = problem.cases[problem.cases["is_fixed"].to_numpy(dtype=bool)]
    for case_id, cm_id in zip(fixed["case_id"], fixed["cm_id"], strict=True):
        if given.get(case_id) != cm_id:
            yield "fixed", str(case_id), "has left its lead"
    for pin in records(problem.pins):
        if given.get(pin["case_id"], pin["cm_id"]) != pin["cm_id"]:
            yield "pins", pin["case_id"], "has left the case manager it is pinned to"


def _joined(problem: AllocationProblem, plan: Plan) -> pd.DataFrame:
    """Join assignments to the columns of their case; the case manager stands in ``given_to``, and is known."""
    known = set(problem.case_managers["cm_id"])
    row_of = {case_id: row for row, case_id in enumerate(problem.cases["case_id"])}
    pairs = zip(plan.assignments["case_id"], plan.assignments["cm_id"], strict=True)
    given = [(row_of[case_id], cm_id) for case_id, cm_id in pairs if case_id in row_of and cm_id in known]
    rows = problem.cases.iloc[[row for row, _ in given]].reset_index(drop=True)
    return rows.assign(given_to=pd.array([cm_id for _, cm_id in given], dtype=TEXT))


def _asked(rows: Columns, staff: dict[str, Record], reads: tuple[str, ...], rule: Judge) -> NDArray[np.bool_]:
    """Ask a question once of each different case manager and case, as far as it reads them; one answer per row."""
    columns = ["given_to", *reads]
    number = np.zeros(len(rows["given_to"]), dtype=np.int64)
    for name in columns:
        codes, values = pd.factorize(np.array(rows[name], dtype=object))
        number = number * (len(values) + 1) + codes + 1
    _, first, kind = np.unique(number, return_index=True, return_inverse=True)
    alike = [{name: rows[name][row] for name in columns} for row in first.tolist()]
    answers = [rule(staff[case["given_to"]], case) for case in alike]
    return np.asarray(np.array(answers, dtype=bool)[kind.reshape(-1)], dtype=bool)


def _pairs(facts: _Facts) -> Iterator[Broken]:
    """Each hard rule of each assigned pair."""
    problem, given, staff = facts.problem, facts.plan.assignments, facts.staff
    ids = set(problem.cases["case_id"])
    for case_id, cm_id in zip(given["case_id"], given["cm_id"], strict=True):
        if case_id not in ids or cm_id not in staff:
            yield "known", str(case_id), "is unknown, or its case manager is"
    rows = facts.dealt
    for name, reads, rule in _questions(problem):
        for row in np.flatnonzero(_asked(rows, staff, reads, rule)):
            yield name, str(rows["case_id"][row]), "goes to someone who may not follow it"
    barred = set(zip(problem.conflicts["person_id"], problem.conflicts["cm_id"], strict=True))
    asked = _wishes(problem, required=True)
    columns = zip(rows["case_id"], rows["person_id"], rows["given_to"], rows["required"], strict=True)
    for case_id, person_id, cm_id, required in columns:
        if (person_id, cm_id) in barred:
            yield "conflicts", case_id, "goes to someone who may not follow it"
        own = [(kind, value) for kind, _, value in (part.partition("=") for part in parts(required))]
        if not all(_is_met(staff[cm_id], kind, value) for kind, value in (*asked.get(person_id, ()), *own)):
            yield "preferences", case_id, "goes to someone who may not follow it"


def _wishes(problem: AllocationProblem, *, required: bool) -> dict[str, set[tuple[str, str]]]:
    """Wishes of each person: those that must be met, or the others."""
    table = problem.preferences[problem.preferences["is_required"].astype(bool) == required]
    wishes: dict[str, set[tuple[str, str]]] = {}
    for person_id, kind, value in zip(table["person_id"], table["kind"], table["value"], strict=True):
        wishes.setdefault(person_id, set()).add((kind, value))
    return wishes


def _questions(problem: AllocationProblem) -> list[tuple[str, tuple[str, ...], Judge]]:
    """Name of each rule, the columns of a case that it reads, and whether a case manager and a case break it."""
    rules = problem.rules

    def lacks_licence(manager: Record, case: Record) -> bool:
        lives_in = set(parts(case["jurisdiction"]))
        return manager["places"] is not None and not (lives_in and lives_in <= manager["places"])

    def lacks_experience(manager: Record, case: Record) -> bool:
        months: int = 0 if pd.isna(manager["experience_months"]) else int(manager["experience_months"])
        return months < rules.min_experience_months or months < rules.experience.get(case["tier"], 0)

    def lacks_contract(manager: Record, case: Record) -> bool:
        payers = [one for one in parts(case["payer"]) if _is_known(one)] if rules.payer_contracts else []
        contracts = [rules.payer_contracts.get(one) for one in payers]
        return any(one is None or (one != "" and not _holds_one(manager, one)) for one in contracts)

    def lacks(whose: str) -> Judge:
        def is_not_understood(manager: Record, case: Record) -> bool:
            return rules.language == "required" and any(
                not (needed is True and "interpreter" in manager["skill_set"])
                for needed in _not_spoken(rules, manager, case, whose)
            )

        return is_not_understood

    def is_elsewhere(manager: Record, case: Record) -> bool:
        return rules.territory == "required" and _serves_elsewhere(manager, case["territory"])

    return [
        ("active", (), lambda manager, _: "active" in manager["broken"]),
        ("profession", (), lambda manager, _: "profession" in manager["broken"]),
        ("credentials", (), lambda manager, _: "credentials" in manager["broken"]),
        ("licence", ("jurisdiction",), lacks_licence),
        ("experience", ("tier",), lacks_experience),
        ("skills", ("skills",), lambda manager, case: not set(parts(case["skills"])) <= manager["skill_set"]),
        ("payer", ("payer",), lacks_contract),
        ("confidentiality", ("clearances",), _is_not_cleared),
        ("language", ("language", "interpreter_needed", "guardian_language"), lacks("person")),
        ("guardian", ("guardian_language", "guardian_interpreter_needed"), lacks("guardian")),
        ("territory", ("territory",), is_elsewhere),
    ]


def _holds_one(manager: Record, names: str) -> bool:
    """Whether a case manager holds one of several certificates."""
    return not manager["certificates"].isdisjoint(names.split("|"))


def _is_not_cleared(manager: Record, case: Record) -> bool:
    """Whether a case manager lacks a clearance that the records of a case ask for."""
    return not all(_holds_one(manager, names) for names in parts(case["clearances"]))


def _not_spoken(rules: AllocationRules, manager: Record, case: Record, whose: str) -> list[object]:
    """Whether an interpreter is needed, for a language of the person's or the guardian's not spoken; else nothing."""
    way, guardian = rules.guardian_language, case["guardian_language"]
    if whose == "guardian":
        language, needed, counts = guardian, case.get("guardian_interpreter_needed"), way != "ignored"
    else:
        language, needed = case["language"], case.get("interpreter_needed")
        counts = not (way == "instead" and _is_known(guardian))
    return [needed] if counts and _is_known(language) and language not in manager["language_set"] else []


def _is_known(value: object) -> bool:
    """Whether a text says something."""
    return isinstance(value, str) and value != "unknown"


def _serves_elsewhere(manager: Record, territory: object) -> bool:
    """Whether a case manager serves territories, and not this one."""
    return _is_known(territory) and bool(manager["territory_set"]) and territory not in manager["territory_set"]


def _is_met(manager: Record, kind: str, value: str) -> bool:
    """Whether a wish is met by a column of that name, of its plural, or of its other name."""
    other = {"sex": "gender", "gender": "sex", "case_manager": "cm_id"}.get(kind, kind)
    plural = kind[:-1] + "ies" if kind.endswith("y") else kind + "s"
    for name in (kind, plural, other):
        if name in manager:
            return value in parts(str(manager[name]))
    return False


def _loads(facts: _Facts) -> Iterator[Broken]:
    """Minutes and numbers of cases, added up again."""
    problem, plan = facts.problem, facts.plan
    capacity = {cm_id: manager["there"] for cm_id, manager in facts.staff.items()}
    fixed = set(problem.cases.loc[problem.cases["is_fixed"].to_numpy(dtype=bool), "case_id"])
    minutes: dict[str, int] = {}
    count: dict[str, int] = {}
    added = set()
    assigned = zip(plan.assignments["case_id"], plan.assignments["cm_id"], facts.minutes.tolist(), strict=True)
    for case_id, cm_id, needed in assigned:
        minutes[cm_id] = minutes.get(cm_id, 0) + int(needed)
        count[cm_id] = count.get(cm_id, 0) + 1
        if case_id not in fixed:
            added.add(cm_id)
    workload = {row["cm_id"]: row for row in records(plan.workload)}
    for manager in records(problem.case_managers):
        cm_id = manager["cm_id"]
        load = minutes.get(cm_id, 0) + int(manager["minutes_committed"])
        number = count.get(cm_id, 0) + int(manager["cases_committed"])
        if cm_id in added and load > capacity[cm_id]:
            yield "capacity", cm_id, "has more minutes than there are"
        if cm_id in added and pd.notna(manager["max_cases"]) and number > manager["max_cases"]:
            yield "max_cases", cm_id, "has more cases than allowed"
        told = workload.get(cm_id)
        if told is None or told["minutes_after"] != load or told["cases_after"] != number:
            yield "workload", cm_id, "is told another workload than the assignments give"
        elif told["capacity_minutes"] != capacity[cm_id]:
            yield "workload", cm_id, "is told other minutes than hours and absences give"
    if plan.workload["cm_id"].tolist() != sorted(capacity):
        yield "workload", "", "is not one row per case manager in the order of ids"


def _mixture(facts: _Facts) -> Iterator[Broken]:
    """Cases of one sort, counted again for each case manager who was given one."""
    for limit in facts.problem.rules.case_mix:
        rows = facts.rows
        if limit.tier is not None:
            rows = rows[(rows["tier"] == limit.tier).fillna(value=False)]
        if limit.kind is not None:
            rows = rows[rows["kind"] == limit.kind]
        held = rows["given_to"].value_counts()
        given = set(rows.loc[~rows["is_fixed"].astype(bool), "given_to"])
        for cm_id in held.index[held > limit.most]:
            if cm_id in given:
                yield "case_mix", cm_id, "has more cases of one sort than allowed"


def _minutes(problem: AllocationProblem, plan: Plan) -> NDArray[np.float64]:
    """Minutes of each assignment, from the problem."""
    if problem.pair_minutes is not None:
        return np.array(_of_pairs(problem.pair_minutes, plan), dtype=np.float64)
    minutes = dict(zip(problem.cases["case_id"], problem.cases["minutes"].tolist(), strict=True))
    return np.array([minutes.get(case_id, 0) for case_id in plan.assignments["case_id"]], dtype=np.float64)


def _of_pairs(table: pd.DataFrame, plan: Plan) -> list[float]:
    """Value of each assignment in a matrix of case managers and cases; 0 where it has none."""
    values = table.to_numpy(dtype=np.float64)
    row_of, column_of = ({key: at for at, key in enumerate(axis)} for axis in (table.index, table.columns))
    pairs = zip(plan.assignments["cm_id"], plan.assignments["case_id"], strict=True)
    return [float(values[row_of[a], column_of[b]]) if a in row_of and b in column_of else 0.0 for a, b in pairs]


def _values(facts: _Facts) -> Iterator[Broken]:
    """Values of the levels, worked out again, and no bound above its value."""
    levels = facts.plan.levels
    told = dict(zip(levels["level"], levels["value"].astype("float64").tolist(), strict=True))
    for level, bound in zip(levels["level"], levels["bound"].astype("float64").tolist(), strict=True):
        if bound > told[level] + _NEAR * max(abs(told[level]), 1):
            yield "levels", level, "has a bound above its value"
    for level, value in _recomputed(facts).items():
        if level in told and abs(told[level] - value) > _NEAR * max(abs(value), 1):
            yield "levels", level, "has another value than the assignments give"


def _recomputed(facts: _Facts) -> dict[str, float]:
    """Each level's value from the frames."""
    problem, plan = facts.problem, facts.plan
    over = set(plan.unassigned["case_id"])
    priority = zip(problem.cases["case_id"], problem.cases["priority"].tolist(), strict=True)
    left = float(sum(value for case_id, value in priority if case_id in over))
    if problem.pair_cost is not None:
        return {"unassigned": left, "fit": sum(_of_pairs(problem.pair_cost, plan))}
    staff = problem.case_managers
    load = dict(zip(staff["cm_id"], staff["minutes_committed"].astype("float64").tolist(), strict=True))
    for cm_id, needed in zip(plan.assignments["cm_id"], facts.minutes.tolist(), strict=True):
        if cm_id in load:
            load[cm_id] += needed
    there = {cm_id: manager["there"] for cm_id, manager in facts.staff.items()}
    shares = [(used / there[cm_id], there[cm_id]) for cm_id, used in load.items() if there[cm_id] > 0]
    return {
        "unassigned": left,
        "largest_utilisation": max((use for use, _ in shares), default=0.0),
        "sum_of_squares": float(sum(minutes * use**2 for use, minutes in shares)),
        "fit": _fit(facts),
    }


def _fit(facts: _Facts) -> float:
    """Level 3 from the frames: a changed case manager, language, territory, each wish, at the program's costs."""
    rows, staff, problem = facts.dealt, facts.staff, facts.problem
    rules, costs = problem.rules, problem.rules.costs

    def misses(whose: str) -> Judge:
        return lambda manager, case: bool(_not_spoken(rules, manager, case, whose))

    def is_elsewhere(manager: Record, case: Record) -> bool:
        return _serves_elsewhere(manager, case["territory"])

    leads = zip(rows["cm_id"], rows["given_to"], strict=True)
    total = float(costs.continuity * sum(lead in staff and lead != given_to for lead, given_to in leads))
    if rules.language == "preferred":
        for whose in ("person", "guardian") if rules.guardian_language != "ignored" else ("person",):
            missed = _asked(rows, staff, ("language", "guardian_language"), misses(whose))
            total += float(costs.language * missed.sum())
    if rules.territory == "preferred":
        total += float(costs.travel * _asked(rows, staff, ("territory",), is_elsewhere).sum())
    soft = _wishes(problem, required=False)
    for person_id, cm_id in zip(rows["person_id"], rows["given_to"], strict=True):
        total += costs.wishes * sum(not _is_met(staff[cm_id], kind, value) for kind, value in soft.get(person_id, ()))
    return total
