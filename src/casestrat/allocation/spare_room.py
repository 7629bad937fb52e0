"""What a plan leaves each case manager: minutes, cases, cases of each sort; and who could still be taken in."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.allocation.instance import Asked
    from casestrat.allocation.problem import AllocationProblem

    Flags: TypeAlias = NDArray[np.bool_]
    Wholes: TypeAlias = NDArray[np.int64]

_NOBODY = -1


class SpareRoom:
    """What is left beside a plan; it can take in further cases, and move one case away for each.

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
        placed = np.flatnonzero(plan >= 0)
        used = np.bincount(
            plan[placed], weights=asked.weight[asked.group[placed], plan[placed]], minlength=len(problem.case_managers)
        )
        self.minutes = np.asarray(problem.free_minutes - used.astype(np.int64), dtype=np.int64)
        self.slots = np.asarray(
            problem.free_slots - np.bincount(plan[placed], minlength=len(problem.case_managers)), dtype=np.int64
        )
        self.mix = None if asked.mix is None else asked.mix.left(asked.group, plan)

    def has_cases_left(self, row: int) -> Flags:
        """Return who may take one more case of a class as far as numbers of cases go, shape (m,)."""
        free = self.slots > 0
        return free if self.mix is None or self.asked.mix is None else free & self.asked.mix.open_to(self.mix, row)

    def takers(self, row: int) -> Wholes:
        """Return who may follow a class and has room for one more of its cases."""
        fits = self.asked.weight[row] <= self.minutes
        return np.flatnonzero(self.asked.allowed[row] & fits & self.has_cases_left(row))

    def put(self, at: int, manager: int) -> None:
        """Give a case to a case manager, or to nobody (-1)."""
        row = int(self.asked.group[at])
        for who, change in ((int(self.plan[at]), 1), (manager, -1)):
            if who != _NOBODY:
                self.minutes[who] += change * self.asked.weight[row, who]
                self.slots[who] += change
                if self.mix is not None and self.asked.mix is not None:
                    self.mix[self.asked.mix.counted[:, row], who] += change
        self.plan[at] = manager

    def place(self, at: int) -> bool:
        """Place a case: with whoever has most minutes left, else after one case was handed on; tell whether it was."""
        row = int(self.asked.group[at])
        direct = self.takers(row)
        if len(direct):
            self.put(at, int(direct[np.argmax(self.minutes[direct])]))
            return True
        moved = self.handed_on(row)
        if moved is None:
            return False
        other, manager, taker = moved
        self.put(other, taker)
        self.put(at, manager)
        return True

    def can_place(self, row: int) -> bool:
        """Return whether one more case of a class could be placed, directly or after one case was handed on."""
        return bool(len(self.takers(row))) or self.handed_on(row) is not None

    def handed_on(self, row: int) -> tuple[int, int, int] | None:
        """Find a case whose handing on makes room for a class: that case, its case manager, who would take it."""
        for manager in np.flatnonzero(self.asked.allowed[row]).tolist():
            needed = int(self.asked.weight[row, manager] - self.minutes[manager])
            held = np.flatnonzero(self.plan == manager)
            classes, first = np.unique(self.asked.group[held], return_index=True)
            for other, at in zip(classes.tolist(), held[first].tolist(), strict=True):
                if self.asked.weight[other, manager] >= needed and self._frees(other, row, manager):
                    takers = self.takers(other)
                    takers = takers[takers != manager]
                    if len(takers):
                        return at, manager, int(takers[np.argmax(self.minutes[takers])])
        return None

    def _frees(self, other: int, row: int, manager: int) -> bool:
        """Tell whether a case of one class, gone, leaves a case of another what it needs of every sort."""
        if self.mix is None or self.asked.mix is None:
            return True
        counted = self.asked.mix.counted
        left = self.mix[:, manager] + counted[:, other]
        return bool(np.all(left[counted[:, row]] > 0))
