"""Whole-number choices by HiGHS: which columns to take so that every row gets what it needs, at least cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from casestrat.allocation.solver.indices import in_32_bits

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    from casestrat.allocation.solver.clock import Clock

    Flags: TypeAlias = NDArray[np.bool_]
    Numbers: TypeAlias = NDArray[np.float64]

_OPTIMAL, _INFEASIBLE = 0, 2  # status codes of scipy's milp
_LEAST_SECONDS = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Columns taken (None: no choice was found), a bound on the cost of any choice, the search's end and nodes."""

    taken: Flags | None
    bound: float
    is_complete: bool
    nodes: int = 0


def choose(
    rows: sparse.csc_array, value: Numbers, low: Numbers, high: Numbers, nodes: int, seconds: float, clock: Clock
) -> Choice:
    """Return the columns to take.

    Parameters
    ----------
    rows : scipy.sparse.csc_array of shape (rows, columns)
        What each column gives each row.
    value : numpy.ndarray of float, shape (columns,)
        Cost of each column.
    low, high : numpy.ndarray of float, shape (rows,)
        Least and most that each row may get.
    nodes : int
        Most nodes of the search tree: the same on every machine.
    seconds : float
        Of computing: a safety beside it.
    clock : Clock
        Notes whether they were used up.

    Returns
    -------
    Choice
        The solver's answer; the caller computes values anew.
    """
    if seconds < _LEAST_SECONDS or rows.shape[1] == 0:
        return Choice(None, -np.inf, is_complete=False)
    in_32_bits(rows)
    with clock.watching(seconds) as given:
        solved = milp(
            value, constraints=LinearConstraint(rows, low, high), bounds=Bounds(0, 1), integrality=np.ones(len(value)),
            options={"time_limit": given, "node_limit": max(nodes, 1), "mip_rel_gap": 0.0},
        )  # fmt: skip
    nodes = int(solved.mip_node_count or 0)
    if solved.status == _INFEASIBLE:
        return Choice(None, np.inf, is_complete=True, nodes=nodes)
    bound = -np.inf if solved.mip_dual_bound is None else float(solved.mip_dual_bound)
    taken = None if solved.x is None else np.asarray(solved.x > 0.5)
    return Choice(taken, bound, is_complete=solved.status == _OPTIMAL, nodes=nodes)
