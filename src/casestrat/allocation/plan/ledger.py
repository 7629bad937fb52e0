"""Why a case is left without a case manager, and the smallest single change that would help."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from casestrat.allocation.plan.spare_room import SpareRoom
from casestrat.allocation.problem.eligibility import RULES
from casestrat.knowledge import Sentence
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from casestrat.allocation.problem.eligibility import Answer
    from casestrat.allocation.problem.instance import Asked
    from casestrat.allocation.problem.problem import AllocationProblem

    Flags: TypeAlias = NDArray[np.bool_]
    Wholes: TypeAlias = NDArray[np.int64]

NO_STAFF, NO_PAIR, MINUTES, HEADCOUNT, MIX = "no_case_managers", "cost", "capacity", "max_cases", "case_mix"
_MUCH = np.iinfo(np.int64).max


class Told(NamedTuple):
    """Why one case is left over: the rule in the way, that rule in words, and the smallest change that would help."""

    rule: str
    reason: Sentence
    relaxation: Sentence


def first_emptied(answers: Mapping[str, Flags | Answer], row: int) -> str | None:
    """Return the first rule that leaves a class without anybody, asked in order; None where somebody is left.

    Parameters
    ----------
    answers : mapping of str to Answer, or to numpy.ndarray of bool
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


def smallest_relaxation(answers: Mapping[str, Flags | Answer], row: int) -> Sentence:
    """Return the easiest rule to waive that alone would open the class to somebody.

    Parameters
    ----------
    answers : mapping of str to Answer, or to numpy.ndarray of bool
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
    waiver = {rule.id: rule.waiver for rule in RULES}
    for name in sorted(names, key=lambda name: waiver[name]):
        opened = int((refused[names.index(name)] & (times == 1)).sum())
        if opened:
            change = Sentence.of(f"allocation.relaxation_{name}")
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
    room = SpareRoom(problem, asked, plan)
    left = plan < 0
    sharing = Sharing(asked, plan) if left.any() else None
    told_of = {int(row): tell_of_class(problem, asked, room, int(row), sharing) for row in np.unique(asked.group[left])}
    told = [told_of[int(row)] for row in asked.group[left]]
    rows = problem.cases.iloc[asked.rows[left]][["case_id", "person_id", "kind", "minutes"]].reset_index(drop=True)
    rows["rule"] = pd.array([one.rule for one in told], dtype=TEXT)
    of_case = dict(zip(rows["case_id"].tolist(), told, strict=True))
    return rows.sort_values("case_id", ignore_index=True), of_case


def tell_of_class(
    problem: AllocationProblem, asked: Asked, room: SpareRoom, row: int, sharing: Sharing | None = None
) -> Told:
    """Return why the cases of a class are left over, and the smallest change that would help.

    Parameters
    ----------
    problem : AllocationProblem
        The checked problem.
    asked : Asked
        Its classes and the rules' answers.
    room : SpareRoom
        What the plan leaves.
    row : int
        The class.
    sharing : Sharing, optional
        Who shares what with whom under the plan; given where many classes are told of.

    Returns
    -------
    Told
        Rule, reason and relaxation.
    """
    if problem.case_managers.empty:
        return _plainly(NO_STAFF)
    emptied = first_emptied(asked.verdicts, row)
    if emptied is not None:
        relaxation = smallest_relaxation(asked.verdicts, row)
        return Told(emptied, Sentence.of(f"allocation.reason_{emptied}"), relaxation)
    able = np.flatnonzero(asked.allowed[row])
    if not len(able):
        return _plainly(NO_PAIR)
    missing = np.maximum(asked.weight[row, able] - room.minutes[able], 0)
    is_open = room.has_cases_left(row)[able]
    if not is_open.any():
        return _too_many_cases(problem, room, able, missing)
    missing = np.where(is_open, missing, np.iinfo(np.int64).max)
    best = str(problem.case_managers["cm_id"].iloc[able[np.argmin(missing)]])
    if not missing.min():
        return Told(MINUTES, Sentence.of("allocation.reason_search", cm=best), _of("relaxation_search"))
    helps = Sentence.of("allocation.relaxation_minutes", n=int(missing.min()), cm=best)
    return Told(
        MINUTES, _shortage(problem, sharing or Sharing(asked, room.plan), able, all_open=bool(is_open.all())), helps
    )


def _too_many_cases(problem: AllocationProblem, room: SpareRoom, able: Wholes, missing: Wholes) -> Told:
    """Tell of the largest number of cases, in all or of one sort, and who is nearest to taking one more."""
    has_places = room.slots[able] > 0
    if has_places.any():
        best = str(problem.case_managers["cm_id"].iloc[able[np.argmin(np.where(has_places, missing, _MUCH))]])
        helps = Sentence.of("allocation.relaxation_one_of_sort", cm=best)
        return Told(MIX, Sentence.of("allocation.reason_case_mix_all", n=len(able)), helps)
    best = str(problem.case_managers["cm_id"].iloc[able[np.argmin(missing)]])
    helps = Sentence.of("allocation.relaxation_one_case", cm=best)
    if missing.min():
        helps = Sentence.of("allocation.relaxation_one_case_and_minutes", n=int(missing.min()), cm=best)
    return Told(HEADCOUNT, Sentence.of("allocation.reason_max_cases_all", n=len(able)), helps)


def _of(name: str) -> Sentence:
    """Return a sentence of allocation without placeholders."""
    return Sentence.of(f"allocation.{name}")


def _plainly(rule: str) -> Told:
    """Tell of a rule that has one reason and one remedy."""
    return Told(rule, Sentence.of(f"allocation.reason_{rule}"), Sentence.of(f"allocation.relaxation_{rule}"))


class Sharing:
    """Who could take over whose cases under a plan, and the minutes of the cases that only some can take.

    Parameters
    ----------
    asked : Asked
        Classes and the rules' answers.
    plan : numpy.ndarray of int
        Row of the case manager of each case to place, -1 for nobody, in the order of ``asked.rows``.
    """

    def __init__(self, asked: Asked, plan: Wholes) -> None:
        k, m = asked.allowed.shape
        self.groups, self.managers = np.nonzero(asked.allowed)
        able = csr_array((np.ones(len(self.groups)), (self.groups, self.managers)), shape=(k, m))
        placed = np.flatnonzero(plan >= 0)
        held = csr_array((np.ones(len(placed)), (plan[placed], asked.group[placed])), shape=(m, k))
        self.hands_on: Flags = (held @ able).toarray() > 0  # to whom each could hand a case on
        self.starts = np.flatnonzero(np.diff(self.groups, prepend=-1))
        least = np.minimum.reduceat(asked.weight[self.groups, self.managers], self.starts)
        self.minutes = least * np.bincount(asked.group, minlength=k)[self.groups[self.starts]]

    def needed(self, among: Flags) -> int:
        """Return the minutes of the cases that only these can take."""
        return int(self.minutes[np.logical_and.reduceat(among[self.managers], self.starts)].sum())


def _shortage(problem: AllocationProblem, sharing: Sharing, able: Wholes, *, all_open: bool) -> Sentence:
    """Tell what the case managers in question have, and what the cases that only they can take would need.

    The set grows by whoever could take over one of their cases until minutes are shown to lack in it: no shift inside
    it can help, and nobody outside it may. A set that cannot grow, and has the minutes, has them in small pieces.
    """
    among = np.zeros(len(problem.case_managers), dtype=bool)
    among[able] = True
    while True:
        needed, there = sharing.needed(among), int(problem.free_minutes[among].sum())
        if needed > there:
            who = int(among.sum())
            return Sentence.of("allocation.reason_capacity_together", n=who, needed=needed, there=there)
        grown = among | sharing.hands_on[among].any(axis=0)
        if (grown == among).all():
            break
        among = grown
    piece = "pieces" if all_open else "or_cases"
    return Sentence.of(f"allocation.reason_capacity_{piece}", n=len(able))


def _managers(number: int) -> Sentence:
    """Put a number of case managers in words."""
    return Sentence.of("units.case_managers", n=number)
