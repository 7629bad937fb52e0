"""What a plan leaves each case manager: minutes, cases, cases of each sort; and who could still be taken in."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.allocation.plan.plan import Plan
    from casestrat.allocation.problem.instance import Asked
    from casestrat.allocation.problem.problem import AllocationProblem

    Flags: TypeAlias = NDArray[np.bool_]
    Wholes: TypeAlias = NDArray[np.int64]

_NOBODY = -1


def rows_of_plan(problem: AllocationProblem, rows: Wholes, plan: Plan) -> Wholes:
    """Return a plan as rows: whom each case to place goes to.

    Parameters
    ----------
    problem : AllocationProblem
        The checked problem, or one with more cases or case managers than the plan's.
    rows : numpy.ndarray of int
        Rows of the cases to place.
    plan : Plan
        The plan.

    Returns
    -------
    numpy.ndarray of int
        Row of the case manager of each case, -1 for nobody.
    """
    row_of = {cm_id: row for row, cm_id in enumerate(problem.case_managers["cm_id"])}
    given = dict(zip(plan.assignments["case_id"], plan.assignments["cm_id"].map(row_of), strict=True))
    return np.array([given.get(one, _NOBODY) for one in problem.cases["case_id"].iloc[rows]], dtype=np.int64)


class SpareRoom:
    """What is left beside a plan; it can take in further cases, and hand one case on to make room for another.

    Parameters
    ----------
    problem : AllocationProblem
        The checked problem.
    asked : Asked
        Its classes and the rules' answers.
    plan : numpy.ndarray of int
        Row of the case manager of each case to place, -1 for nobody, in the order of ``asked.rows``.
    """

    def __init__(self, problem: AllocationProblem, asked: Asked, plan: Wholes) -> None:
        self.asked = asked
        self.plan = plan.copy()
        placed, m = np.flatnonzero(plan >= 0), len(problem.case_managers)
        self.held = np.zeros((len(asked.allowed), m), dtype=np.int32)  # cases of each class with each case manager
        np.add.at(self.held, (asked.group[placed], plan[placed]), 1)
        used = np.zeros(m, dtype=np.int64)
        np.add.at(used, plan[placed], asked.weight[asked.group[placed], plan[placed]])
        self.minutes = np.asarray(problem.free_minutes - used, dtype=np.int64)
        self.slots = np.asarray(problem.free_slots - self.held.sum(axis=0), dtype=np.int64)
        self.mix = None if asked.mix is None else asked.mix.left(asked.group, plan)
        self._open: Flags | None = None
        self._freed: tuple[int, Wholes] | None = None

    def close(self, managers: Wholes | Flags) -> None:
        """Let some case managers take nothing more."""
        self.minutes[managers] = -1
        self._open, self._freed = None, None

    @property
    def open(self) -> Flags:
        """Who may follow each class and has room for one more of its cases, shape (classes, case managers)."""
        if self._open is None:
            self._open = self._open_to(np.arange(len(self.minutes)))
        return self._open

    def _open_to(self, managers: Wholes) -> Flags:
        """Return whose further cases some case managers may follow and have room for, shape (classes, managers)."""
        fits = self.asked.allowed[:, managers] & (self.asked.weight[:, managers] <= self.minutes[managers])
        fits &= self.slots[managers] > 0
        if self.mix is not None and self.asked.mix is not None:
            full = (self.mix[:, managers] <= 0).astype(np.int64)
            fits &= self.asked.mix.counted.T.astype(np.int64) @ full == 0
        return np.asarray(fits, dtype=bool)

    def has_cases_left(self, row: int) -> Flags:
        """Return who may take one more case of a class as far as numbers of cases go, shape (case managers,)."""
        free = self.slots > 0
        return free if self.mix is None or self.asked.mix is None else free & self.asked.mix.open_to(self.mix, row)

    def taker(self, row: int, but: int = _NOBODY) -> int:
        """Return who of those with room has most minutes left for a class, or -1."""
        takers = np.flatnonzero(self.open[row])
        takers = takers[takers != but]
        return int(takers[np.argmax(self.minutes[takers])]) if len(takers) else _NOBODY

    def put(self, at: int, manager: int) -> None:
        """Give a case to a case manager, or to nobody (-1)."""
        row = int(self.asked.group[at])
        changed = [(who, change) for who, change in ((int(self.plan[at]), 1), (manager, -1)) if who != _NOBODY]
        for who, change in changed:
            self.held[row, who] -= change
            self.minutes[who] += change * self.asked.weight[row, who]
            self.slots[who] += change
            if self.mix is not None and self.asked.mix is not None:
                self.mix[self.asked.mix.counted[:, row], who] += change
        self.plan[at] = manager
        self._freed = None
        if self._open is not None and changed:
            managers = np.array([who for who, _ in changed])
            self._open[:, managers] = self._open_to(managers)

    def place(self, at: int, *, hands_on: bool = True, only_to: int | None = None) -> bool:
        """Place a case, with whoever has room, else after one other case was handed on; tell whether it was placed.

        ``only_to`` names the one case manager to whom cases are handed on: a newcomer, where all others are full.
        """
        row = int(self.asked.group[at])
        direct = self.taker(row)
        if direct != _NOBODY:
            self.put(at, direct)
            return True
        moved = self.handed_on(row, only_to) if hands_on else None
        if moved is None:
            return False
        other, manager = moved
        first = int(np.flatnonzero((self.asked.group == other) & (self.plan == manager))[0])
        self.put(first, self.taker(other, but=manager) if only_to is None else only_to)
        self.put(at, manager)
        return True

    def who_could(self, row: int, *, hands_on: bool = True) -> int:
        """Return who could take one more case of a class, directly or after one case was handed on, or -1."""
        direct = self.taker(row)
        if direct != _NOBODY or not hands_on:
            return direct
        moved = self.handed_on(row)
        return _NOBODY if moved is None else moved[1]

    def freed_by(self, taker: int) -> Wholes:
        """Return the most minutes that each case manager could hand on to one other in one case, shape (m,)."""
        if self._freed is None or self._freed[0] != taker:
            placed = np.flatnonzero(self.plan >= 0)
            placed = placed[self.open[self.asked.group[placed], taker]]
            freed = np.zeros(len(self.minutes), dtype=np.int64)
            holders = self.plan[placed]
            np.maximum.at(freed, holders, self.asked.weight[self.asked.group[placed], holders])
            self._freed = (taker, freed)
        return self._freed[1]

    def handed_on(self, row: int, only_to: int | None = None) -> tuple[int, int] | None:
        """Find a class of which one case, handed on, makes room for another class; and the case manager who has it."""
        able = np.flatnonzero(self.asked.allowed[row] & (self.minutes >= 0))
        if only_to is not None:
            able = able[able != only_to]
            able = able[self.freed_by(only_to)[able] >= self.asked.weight[row, able] - self.minutes[able]]
        if not len(able):
            return None
        needed = self.asked.weight[row, able] - self.minutes[able]
        if only_to is not None:
            others = np.repeat(self.open[:, [only_to]].astype(np.int64), len(able), axis=1)
        else:
            others = self.open.sum(axis=1)[:, None] - self.open[:, able]  # who else has room for each class
        fits = (self.held[:, able] > 0) & (self.asked.weight[:, able] >= needed) & (others > 0)
        if self.mix is not None and self.asked.mix is not None:
            counted = self.asked.mix.counted
            short = counted[:, row][:, None] & (self.mix[:, able] <= 0)  # sorts that must lose a case
            fits &= ~(~counted.T[:, :, None] & short[None, :, :]).any(axis=1)
        found = np.argwhere(fits)
        return (int(found[0, 0]), int(able[found[0, 1]])) if len(found) else None
