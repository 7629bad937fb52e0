"""A plan under work, and what it uses up."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.allocation.problem.instance import Instance

    Flags: TypeAlias = NDArray[np.bool_]
    Wholes: TypeAlias = NDArray[np.int64]

NOBODY = -1


class Draft:
    """A plan under work: who has each case, and the minutes and places that this uses.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    plan : numpy.ndarray of int, shape (n,)
        Case manager of each case, -1 for nobody.
    limit : numpy.ndarray of int, shape (m,)
        Most minutes of each case manager.
    keeps_cost : bool, optional
        Whether exchanges must leave the cost of every case as it is.
    """

    def __init__(self, instance: Instance, plan: Wholes, limit: Wholes, *, keeps_cost: bool = False) -> None:
        self.instance = instance
        self.plan = plan.copy()
        self.limit = limit
        self.keeps_cost = keeps_cost
        self.load = instance.loads(plan)
        self.places = instance.slots - instance.counts(plan)
        self.mix = None if instance.mix is None else instance.mix.left(instance.group, plan)  # room by sort of case
        self.attempts = 0  # shifts, exchanges and replacements tried

    def put(self, case: int, manager: int) -> None:
        """Give a case to a case manager, or to nobody (-1)."""
        old, group = int(self.plan[case]), self.instance.group[case]
        if old >= 0:
            self.load[old] -= self.instance.weight[group, old]
            self.places[old] += 1
            self._count(group, old, 1)
        if manager >= 0:
            self.load[manager] += self.instance.weight[group, manager]
            self.places[manager] -= 1
            self._count(group, manager, -1)
        self.plan[case] = manager

    def takers(self, case: int) -> Wholes:
        """Case managers who are allowed the case and have room for it."""
        group = self.instance.group[case]
        fits = self.load + self.instance.weight[group] <= self.limit
        if self.mix is not None and self.instance.mix is not None:
            fits &= self.instance.mix.open_to(self.mix, group)
        return np.flatnonzero(self.instance.allowed[group] & fits & (self.places > 0))

    def _count(self, group: int, manager: int, change: int) -> None:
        """Change the room for the sorts that a class counts in."""
        if self.mix is not None and self.instance.mix is not None:
            self.mix[self.instance.mix.counted[:, group], manager] += change

    def short_sorts(self, case: int, manager: int) -> Wholes:
        """Sorts of cases of which the case manager has the most allowed, so that this one does not fit."""
        if self.mix is None or self.instance.mix is None:
            return np.zeros(0, dtype=np.int64)
        counted = self.instance.mix.counted[:, self.instance.group[case]]
        return np.flatnonzero(counted & (self.mix[:, manager] <= 0))

    def frees(self, cases: Wholes, sorts: Wholes) -> Flags:
        """Return which cases count in all of these sorts."""
        if self.instance.mix is None:
            return np.ones(len(cases), dtype=bool)
        return np.asarray(self.instance.mix.counted[np.ix_(sorts, self.instance.group[cases])].all(axis=0), dtype=bool)

    def handed_freely(self, cases: Wholes, taker: int) -> Flags:
        """Return the cases of which the taker can have any two more, whatever their sort."""
        if self.mix is None or self.instance.mix is None:
            return np.ones(len(cases), dtype=bool)
        tight = self.mix[:, taker] < 2
        return np.asarray(~self.instance.mix.counted[np.ix_(tight, self.instance.group[cases])].any(axis=0), dtype=bool)

    def swaps_sorts(self, case: int, others: Wholes) -> Flags:
        """Return the other cases with which a case can change places within the limits on sorts of cases."""
        if self.mix is None or self.instance.mix is None:
            return np.ones(len(others), dtype=bool)
        counted = self.instance.mix.counted.astype(np.int64)
        mine, theirs = counted[:, self.instance.group[case]][:, None], counted[:, self.instance.group[others]]
        here, there = self.mix[:, self.plan[case]][:, None], self.mix[:, self.plan[others]]
        return np.asarray(((here + mine - theirs >= 0) & (there + theirs - mine >= 0)).all(axis=0), dtype=bool)

    def least_loaded(self, case: int, takers: Wholes) -> int:
        """Return the one of them whose utilisation would be least with the case."""
        after = self.load[takers] + self.instance.weight[self.instance.group[case], takers]
        return int(takers[np.argmin(after / np.maximum(self.instance.capacity[takers], 1))])


def hard_limit(instance: Instance) -> Wholes:
    """Return the most minutes of each case manager: the capacity, or the work already there where it is more.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.

    Returns
    -------
    numpy.ndarray of int, shape (m,)
        Minutes a week.
    """
    return instance.before + instance.free
