"""Why a case is left without a case manager, and the smallest single change that would help."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from casestrat.allocation.eligibility import RULES, Verdict
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.allocation.instance import Asked
    from casestrat.allocation.problem import AllocationProblem

    Flags: TypeAlias = NDArray[np.bool_]
    Wholes: TypeAlias = NDArray[np.int64]

NO_STAFF, NO_PAIR, MINUTES, HEADCOUNT = "no_case_managers", "cost", "capacity", "max_cases"


def first_emptied(answers: dict[str, Verdict], row: int) -> tuple[str, Verdict] | None:
    """Return the first rule that leaves a class without anybody, asked in order; None where somebody is left.

    Parameters
    ----------
    answers : dict of str to Verdict
        Each rule's answer, in the order of the rules.
    row : int
        The class.

    Returns
    -------
    tuple of (str, Verdict) or None
        The rule's name and answer.
    """
    left: Flags | None = None
    for name, answer in answers.items():
        left = answer.allowed[row] if left is None else left & answer.allowed[row]
        if not left.any():
            return name, answer
    return None


def smallest_relaxation(answers: dict[str, Verdict], row: int) -> str:
    """Return, in words, the easiest rule to waive that alone would open the class to somebody.

    Parameters
    ----------
    answers : dict of str to Verdict
        Each rule's answer.
    row : int
        The class.

    Returns
    -------
    str
        The change and how many case managers it opens; or the rules that would all have to be waived for one of them.
    """
    refused = np.array([~answer.allowed[row] for answer in answers.values()])
    names = list(answers)
    times = refused.sum(axis=0)
    for rule in sorted(RULES, key=lambda rule: rule.waiver):
        opened = int((refused[names.index(rule.id)] & (times == 1)).sum())
        if opened:
            return f"{answers[rule.id].relaxation}: opens {_managers(opened)}"
    nearest = refused[:, int(np.argmin(times))]
    several = ", ".join(name for name, is_against in zip(names, nearest, strict=True) if is_against)
    return f"no single change helps; the nearest case manager is barred by {several}"


def ledger(problem: AllocationProblem, asked: Asked, plan: Wholes) -> pd.DataFrame:
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
    pandas.DataFrame
        One row per case left over, by case_id: case_id, person_id, kind, minutes, rule, reason, relaxation.
    """
    load, count = problem.minutes_before.copy(), problem.cases_before.copy()
    for at in np.flatnonzero(plan >= 0):
        load[plan[at]] += asked.weight[asked.group[at], plan[at]]
        count[plan[at]] += 1
    room = np.maximum(problem.capacity - load, 0)
    slots = problem.free_slots - (count - problem.cases_before)
    words = [_words(problem, asked, plan, int(at), room, slots) for at in np.flatnonzero(plan < 0)]
    rows = problem.cases.iloc[asked.rows[plan < 0]][["case_id", "person_id", "kind", "minutes"]].reset_index(drop=True)
    told = pd.DataFrame(words, columns=["rule", "reason", "relaxation"], dtype=TEXT)
    return rows.join(told).sort_values("case_id", ignore_index=True)


def _words(
    problem: AllocationProblem, asked: Asked, plan: Wholes, at: int, room: Wholes, slots: Wholes
) -> tuple[str, str, str]:
    """Rule, reason and relaxation of one case left over."""
    row = int(asked.group[at])
    if problem.case_managers.empty:
        return NO_STAFF, "there are no case managers", "add a case manager"
    emptied = first_emptied(asked.verdicts, row)
    if emptied is not None:
        name, answer = emptied
        return name, answer.reason, smallest_relaxation(asked.verdicts, row)
    able = np.flatnonzero(asked.allowed[row])
    if not len(able):
        return NO_PAIR, "no case manager has a cost for this case and enough minutes", "give a cost, or add minutes"
    missing = np.maximum(asked.weight[row, able] - room[able], 0)
    if (slots[able] > 0).any():
        missing = np.where(slots[able] > 0, missing, np.iinfo(np.int64).max)
        best = int(able[np.argmin(missing)])
        helps = f"{int(missing.min())} more minutes a week with {problem.case_managers['cm_id'].iloc[best]}"
        return MINUTES, _shortage(problem, asked, plan, able), helps
    best = int(able[np.argmin(missing)])
    extra = f" and {int(missing.min())} more minutes a week" if missing.min() else ""
    return (
        HEADCOUNT,
        f"each of the {_managers(len(able))} allowed has the most cases allowed",
        f"one more case{extra} with {problem.case_managers['cm_id'].iloc[best]}",
    )


def _shortage(problem: AllocationProblem, asked: Asked, plan: Wholes, able: Wholes) -> str:
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
    who = _managers(int(among.sum()))
    if needed > there:
        return f"cases that only {who} can take need {needed} minutes a week, and there are {there}"
    return f"{who} can take cases like this one, and none has enough minutes left in one piece"


def _managers(number: int) -> str:
    """Put a number of case managers in words."""
    return "1 case manager" if number == 1 else f"{number} case managers"
