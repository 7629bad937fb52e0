"""A plan in counts: how many cases of each class each case manager has, and the minutes and places that this uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from casestrat.allocation.solver.draft import NOBODY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.allocation.problem.instance import Instance

    Flags: TypeAlias = NDArray[np.bool_]
    Wholes: TypeAlias = NDArray[np.int64]


class Tally:
    """A plan under work, in counts: one per allowed pair of class and case manager.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    plan : numpy.ndarray of int, shape (n,)
        Case manager of each case, -1 for nobody.
    limit : numpy.ndarray of int, shape (m,)
        Most minutes of each case manager.
    """

    def __init__(self, instance: Instance, plan: Wholes, limit: Wholes) -> None:
        self.instance = instance
        self.plan = plan.copy()
        self.limit = limit
        self.groups, self.managers = (at.astype(np.int64) for at in np.nonzero(instance.allowed))
        placed = plan >= 0
        keys = instance.group[placed] * instance.m + plan[placed]
        at = np.searchsorted(self.groups * instance.m + self.managers, keys)
        self.counts = np.bincount(at, minlength=len(self.groups)).astype(np.int64)
        self.load = instance.loads(plan)
        self.places = instance.slots - instance.counts(plan)
        self.mix = None if instance.mix is None else instance.mix.left(instance.group, plan)

    def move(self, gives: Wholes, takes: Wholes) -> None:
        """Move one case of each of some pairs to another pair of its class."""
        weight = self.instance.weight
        for pairs, sign in ((gives, -1), (takes, 1)):
            groups, managers = self.groups[pairs], self.managers[pairs]
            np.add.at(self.counts, pairs, sign)
            np.add.at(self.load, managers, sign * weight[groups, managers])
            np.add.at(self.places, managers, -sign)
            if self.mix is not None and self.instance.mix is not None:
                for sort, counted in enumerate(self.instance.mix.counted):
                    np.add.at(self.mix[sort], managers, -sign * counted[groups])

    def put(self, case: int, pair: int) -> None:
        """Give a case that nobody has to the case manager of a pair of its class."""
        self.move(np.zeros(0, dtype=np.int64), np.array([pair]))
        self.plan[case] = self.managers[pair]

    def has_places(self, pairs: Wholes) -> Flags:
        """Return which pairs' case managers can have one more of the class, but for their minutes."""
        able = self.places[self.managers[pairs]] > 0
        if self.mix is not None and self.instance.mix is not None:
            full = self.mix[:, self.managers[pairs]] < 1
            able &= ~(full & self.instance.mix.counted[:, self.groups[pairs]]).any(axis=0)
        return np.asarray(able, dtype=bool)

    def has_spare_places(self, pairs: Wholes) -> Flags:
        """Return which pairs' case managers can have any two more of the class, whatever its sort."""
        if self.mix is None or self.instance.mix is None:
            return np.ones(len(pairs), dtype=bool)
        tight = self.mix[:, self.managers[pairs]] < 2
        return np.asarray(~(tight & self.instance.mix.counted[:, self.groups[pairs]]).any(axis=0), dtype=bool)

    def dealt(self) -> Wholes:
        """Return the plan that the counts stand for: whoever of a class was placed is placed still."""
        plan = np.full(self.instance.n, NOBODY, dtype=np.int64)
        placed = np.flatnonzero(self.plan >= 0)
        order = placed[np.argsort(self.instance.group[placed], kind="stable")]
        plan[order] = np.repeat(self.managers, self.counts)  # pairs are in the order of classes
        return plan
