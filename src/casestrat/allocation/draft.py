"""A plan under work, and what it uses up."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.allocation.instance import Instance

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
        self.attempts = 0  # shifts, exchanges and replacements tried

    def put(self, case: int, manager: int) -> None:
        """Give a case to a case manager, or to nobody (-1)."""
        old, group = int(self.plan[case]), self.instance.group[case]
        if old >= 0:
            self.load[old] -= self.instance.weight[group, old]
            self.places[old] += 1
        if manager >= 0:
            self.load[manager] += self.instance.weight[group, manager]
            self.places[manager] -= 1
        self.plan[case] = manager

    def takers(self, case: int) -> Wholes:
        """Case managers who are allowed the case and have room for it."""
        group = self.instance.group[case]
        fits = self.load + self.instance.weight[group] <= self.limit
        return np.flatnonzero(self.instance.allowed[group] & fits & (self.places > 0))

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
