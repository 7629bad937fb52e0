"""Why a case is left without a case manager, and the smallest single change that would help."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from casestrat.allocation.eligibility import RULES
from casestrat.knowledge import Sentence
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.allocation.instance import Asked
    from casestrat.allocation.problem import AllocationProblem

    Flags: TypeAlias = NDArray[np.bool_]
    Wholes: TypeAlias = NDArray[np.int64]

NO_STAFF, NO_PAIR, MINUTES, HEADCOUNT = "no_case_managers", "cost", "capacity", "max_cases"


class Told(NamedTuple):
    """Why one case is left over: the rule in the way, that rule in words, and the smallest change that would help."""

    rule: str
    reason: Sentence
    relaxation: Sentence


def first_emptied(answers: dict[str, Flags], row: int) -> str | None:
    """Return the first rule that leaves a class without anybody, asked in order; None where somebody is left.

    Parameters
    ----------
    answers : dict of str to numpy.ndarray of bool
        Which pairs each rule allows, in the order of the rules.
    row : int
        The class.

    Returns
    -------
    str or None
        The rule's name.
    """
    left: Flags | None = None
    for name, allowed in answers.items():
        left = allowed[row] if left is None else left & allowed[row]
        if not left.any():
            return name
    return None


def smallest_relaxation(answers: dict[str, Flags], row: int) -> Sentence:
    """Return the easiest rule to waive that alone would open the class to somebody.

    Parameters
    ----------
    answers : dict of str to numpy.ndarray of bool
        Which pairs each rule allows.
    row : int
        The class.

    Returns
    -------
    Sentence
        The change and how many case managers it opens; or the rules that would all have to be waived for one of them.
    """
    refused = np.array([~allowed[row] for allowed in answers.values()])
    names = list(answers)
    times = refused.sum(axis=0)
    for rule in sorted(RULES, key=lambda rule: rule.waiver):
        opened = int((refused[names.index(rule.id)] & (times == 1)).sum())
        if opened:
            change = Sentence.of(f"allocation.relaxation_{rule.id}")
            return Sentence.of("allocation.relaxation_opens", change=change, managers=_managers(opened))
    nearest = refused[:, int(np.argmin(times))]
    rules = [Sentence.of(f"pages.rule_{name}") for name, bars in zip(names, nearest, strict=True) if bars]
    return Sentence.of("allocation.relaxation_none", rules=tuple(rules))


def ledger(problem: AllocationProblem, asked: Asked, plan: Wholes) -> tuple[pd.DataFrame, dict[str, Told]]:
    """Return the cases left over, each with the rule that stands in the way and what would help.

    Parameters
    ----------
    problem : AllocationProblem
        The checked problem.
    asked : Asked
        Its classes and the rules' answers.
    plan : numpy.ndarray of int
        Row of the case manager of each case to place, -1 for nobody, in the order of ``asked.rows``.

    Returns
    -------
    tuple of pandas.DataFrame and dict of str to Told
        One row per case left over, by case_id: case_id, person_id, kind, minutes, rule; and what is told of each case.
    """
    load, count = problem.minutes_before.copy(), problem.cases_before.copy()
    for at in np.flatnonzero(plan >= 0):
        load[plan[at]] += asked.weight[asked.group[at], plan[at]]
        count[plan[at]] += 1
    room = np.maximum(problem.capacity - load, 0)
    slots = problem.free_slots - (count - problem.cases_before)
    left = plan < 0
    told = [_told(problem, asked, plan, int(at), room, slots) for at in np.flatnonzero(left)]
    rows = problem.cases.iloc[asked.rows[left]][["case_id", "person_id", "kind", "minutes"]].reset_index(drop=True)
    rows["rule"] = pd.array([one.rule for one in told], dtype=TEXT)
    of_case = dict(zip(rows["case_id"].tolist(), told, strict=True))
    return rows.sort_values("case_id", ignore_index=True), of_case


def _told(problem: AllocationProblem, asked: Asked, plan: Wholes, at: int, room: Wholes, slots: Wholes) -> Told:
    """Rule, reason and relaxation of one case left over."""
    row = int(asked.group[at])
    if problem.case_managers.empty:
        return _plainly(NO_STAFF)
    emptied = first_emptied(asked.verdicts, row)
    if emptied is not None:
        relaxation = smallest_relaxation(asked.verdicts, row)
        return Told(emptied, Sentence.of(f"allocation.reason_{emptied}"), relaxation)
    able = np.flatnonzero(asked.allowed[row])
    if not len(able):
        return _plainly(NO_PAIR)
    missing = np.maximum(asked.weight[row, able] - room[able], 0)
    if (slots[able] > 0).any():
        missing = np.where(slots[able] > 0, missing, np.iinfo(np.int64).max)
        best = str(problem.case_managers["cm_id"].iloc[able[np.argmin(missing)]])
        helps = Sentence.of("allocation.relaxation_minutes", n=int(missing.min()), cm=best)
        return Told(MINUTES, _shortage(problem, asked, plan, able), helps)
    best = str(problem.case_managers["cm_id"].iloc[able[np.argmin(missing)]])
    helps = Sentence.of("allocation.relaxation_one_case", cm=best)
    if missing.min():
        helps = Sentence.of("allocation.relaxation_one_case_and_minutes", n=int(missing.min()), cm=best)
    return Told(HEADCOUNT, Sentence.of("allocation.reason_max_cases_all", n=len(able)), helps)


def _plainly(rule: str) -> Told:
    """Tell of a rule that has one reason and one remedy."""
    return Told(rule, Sentence.of(f"allocation.reason_{rule}"), Sentence.of(f"allocation.relaxation_{rule}"))


def _shortage(problem: AllocationProblem, asked: Asked, plan: Wholes, able: Wholes) -> Sentence:
    """Tell what the case managers in question have, and what the cases that only they can take would need.

    The set is closed: whoever could take over one of their cases is in it as well, so no shift outside it helps.
    """
    among = np.zeros(len(problem.case_managers), dtype=bool)
    among[able] = True
    while True:
        held = np.unique(asked.group[(plan >= 0) & among[plan]])
        grown = among | asked.allowed[held].any(axis=0)
        if (grown == among).all():
            break
        among = grown
    only: Flags = np.asarray(~np.any(asked.allowed & ~among, axis=1) & np.any(asked.allowed, axis=1))
    inside = only[asked.group]
    least = np.where(asked.allowed, asked.weight, np.iinfo(np.int64).max).min(axis=1)
    needed, there = int(least[asked.group[inside]].sum()), int(problem.free_minutes[among].sum())
    who = int(among.sum())
    if needed > there:
        return Sentence.of("allocation.reason_capacity_together", n=who, needed=needed, there=there)
    return Sentence.of("allocation.reason_capacity_pieces", n=who)


def _managers(number: int) -> Sentence:
    """Put a number of case managers in words."""
    return Sentence.of("units.case_managers", n=number)
