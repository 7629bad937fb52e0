"""The most cases of one sort a case manager: which classes count, and how many more each case manager can take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from casestrat.allocation.problem.problem import AllocationProblem
    from casestrat.knowledge.program_allocation import CaseMixLimit

    Flags: TypeAlias = NDArray[np.bool_]
    Wholes: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Mix:
    """Limits on Q sorts of cases: which of K classes count in each, and what each of m case managers can still take."""

    counted: Flags  # (Q, K)
    room: Wholes  # (Q, m) before any case is placed

    def held(self, group: Wholes, plan: Wholes) -> Wholes:
        """Count the cases of each sort that a plan gives to each case manager, shape (Q, m)."""
        placed = plan >= 0
        m = self.room.shape[1]
        rows = [np.bincount(plan[placed & counts[group]], minlength=m) for counts in self.counted]
        return np.array(rows, dtype=np.int64).reshape(len(self.counted), m)

    def left(self, group: Wholes, plan: Wholes) -> Wholes:
        """Return what each case manager can still take of each sort under a plan, shape (Q, m)."""
        return np.asarray(self.room - self.held(group, plan), dtype=np.int64)

    def open_to(self, left: Wholes, group: int) -> Flags:
        """Return which case managers can take one more case of a class, shape (m,)."""
        return np.asarray(np.all(left[self.counted[:, group]] > 0, axis=0), dtype=bool)

    def part(self, classes: Wholes, managers: Wholes) -> Mix:
        """Return the limits of some classes and case managers alone."""
        return Mix(self.counted[:, classes], self.room[:, managers])


def counts_in(limit: CaseMixLimit, cases: pd.DataFrame) -> Flags:
    """Return which cases, or classes of cases, count in a limit.

    Parameters
    ----------
    limit : CaseMixLimit
        The limit.
    cases : pandas.DataFrame
        Columns tier and kind.

    Returns
    -------
    numpy.ndarray of bool
        One value per row.
    """
    counts = np.ones(len(cases), dtype=bool)
    for column, wanted in (("tier", limit.tier), ("kind", limit.kind)):
        if wanted is not None:
            counts &= (cases[column] == wanted).fillna(value=False).to_numpy(dtype=bool)
    return counts


def mix_of(problem: AllocationProblem, classes: pd.DataFrame) -> Mix | None:
    """Return the limits of a problem, or None where it has none.

    Parameters
    ----------
    problem : AllocationProblem
        The checked problem.
    classes : pandas.DataFrame
        One row per class of cases to place, with tier and kind.

    Returns
    -------
    Mix or None
        Fixed cases have used up their part already.
    """
    limits = problem.rules.case_mix
    if not limits:
        return None
    counted = np.array([counts_in(limit, classes) for limit in limits], dtype=bool)
    fixed = problem.cases[problem.cases["is_fixed"].to_numpy(dtype=bool)]
    ids = problem.case_managers["cm_id"]
    room = []
    for limit in limits:
        held = fixed.loc[counts_in(limit, fixed), "cm_id"].value_counts()
        room.append(np.maximum(limit.most - ids.map(held).fillna(0).to_numpy(dtype=np.int64), 0))
    return Mix(counted, np.array(room, dtype=np.int64).reshape(len(limits), len(ids)))
