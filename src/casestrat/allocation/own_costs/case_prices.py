"""Prices of cases that prove much: by subgradient steps, then by the caseloads that prices bring forth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from casestrat.allocation.own_costs.knapsacks import best_caseloads, best_taken
from casestrat.allocation.solver.indices import in_32_bits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.allocation.own_costs.knapsacks import Costs, Taken
    from casestrat.allocation.solver.clock import Deadline

    Flags: TypeAlias = NDArray[np.bool_]
    Numbers: TypeAlias = NDArray[np.float64]

_PATIENCE = 8  # steps without a better bound before steps become shorter
_SHORTER, _SHORTEST = 0.7, 0.002
_NEAR = 1e-5  # relative: how near the bound is to come to what caseloads can prove
_DEAR = 3.0  # times the greatest cost: leaving a case out of all caseloads


@dataclass(frozen=True, slots=True, eq=False)
class Priced:
    """Prices of the cases, and the bound that they prove."""

    prices: Numbers
    bound: float


def by_steps(costs: Costs, prices: Numbers, value: float, steps: int, deadline: Deadline) -> Priced:
    """Return better prices by steps along the subgradient: dearer where nobody takes a case, cheaper where many do.

    Parameters
    ----------
    costs : Costs
        The problem.
    prices : numpy.ndarray of float, shape (n,)
        Where to begin.
    value : float
        Value of a plan; the steps aim at it.
    steps : int
        Most steps.
    deadline : Deadline
        Moment at which to stop in any case.

    Returns
    -------
    Priced
        The best prices met.
    """
    best, length, waited = Priced(prices, -np.inf), 1.0, 0
    for _ in range(steps):
        if deadline.is_over():
            break
        taken = best_taken(costs, prices)
        waited += 1
        if taken.bound > best.bound:
            best, waited = Priced(prices, taken.bound), 0
        wanted = 1.0 - taken.pairs.sum(axis=1)
        if not wanted.any() or value <= taken.bound:
            break
        if length < _SHORTEST:
            break
        if waited >= _PATIENCE:
            length, waited, prices = length * _SHORTER, 0, best.prices
        prices = prices + length * (value - taken.bound) / float(wanted @ wanted) * wanted
    return best


class Menu:
    """Caseloads to choose from, each once: who would have it, which cases, at what cost.

    Parameters
    ----------
    costs : Costs
        The problem.
    """

    def __init__(self, costs: Costs) -> None:
        self.costs = costs
        self.cases: list[Flags] = []
        self.managers: list[int] = []
        self._known: set[tuple[int, bytes]] = set()

    def __len__(self) -> int:
        return len(self.managers)

    def add(self, manager: int, caseloads: Flags) -> None:
        """Add caseloads of one case manager, shape (caseloads, n)."""
        for caseload in caseloads:
            key = (manager, np.packbits(caseload).tobytes())
            if key not in self._known:
                self._known.add(key)
                self.cases.append(caseload)
                self.managers.append(manager)

    def add_taken(self, pairs: Flags) -> None:
        """Add what each case manager has, shape (n, m)."""
        for manager in range(self.costs.m):
            self.add(manager, pairs[None, :, manager])

    def columns(self) -> tuple[sparse.csc_array, Numbers]:
        """Return a column per caseload (a row per case, then one per case manager), and the costs."""
        costs, held = self.costs, np.array(self.cases).reshape(len(self), self.costs.n)
        loads, cases = np.nonzero(held)
        managers = np.asarray(self.managers, dtype=np.int64)
        rows = np.concatenate([cases, costs.n + managers])
        matrix = sparse.csc_array(
            (np.ones(len(rows)), (rows, np.concatenate([loads, np.arange(len(self))]))),
            shape=(costs.n + costs.m, len(self)),
        )
        value = np.bincount(loads, weights=costs.cost[cases, managers[loads]], minlength=len(self))
        return matrix, value.astype(np.float64)


def by_caseloads(costs: Costs, start: Priced, menu: Menu, rounds: int, each: int, deadline: Deadline) -> Priced:
    """Return better prices by generating caseloads: those best at the prices, then the prices that these call for.

    Parameters
    ----------
    costs : Costs
        The problem.
    start : Priced
        Where to begin.
    menu : Menu
        Caseloads so far; what is generated is added.
    rounds : int
        Most rounds.
    each : int
        Caseloads to add per case manager and round.
    deadline : Deadline
        Moment at which to stop in any case.

    Returns
    -------
    Priced
        The best prices met.
    """
    best, prices, share = start, start.prices, 0.6
    for _ in range(rounds):
        for manager in range(costs.m):
            menu.add(manager, best_caseloads(costs, prices, manager, each))
        called, proven = _called_for(costs, menu)
        if called is None or deadline.is_over() or proven - best.bound <= _NEAR * abs(proven):
            break
        prices = share * called + (1 - share) * best.prices
        taken: Taken = best_taken(costs, prices)
        menu.add_taken(taken.pairs)
        is_better = taken.bound > best.bound
        best = Priced(prices, taken.bound) if is_better else best
        share = min(share + 0.2, 0.95) if is_better else max(0.6 * share, 0.1)  # new prices are bold while they pay
    return best


def _called_for(costs: Costs, menu: Menu) -> tuple[Numbers | None, float]:
    """Prices and value of the best mixture of the caseloads there are."""
    matrix, value = menu.columns()
    n, m = costs.n, costs.m
    missing = sparse.csc_array((np.ones(n), (np.arange(n), np.arange(n))), shape=(n + m, n))
    sign = sparse.diags_array(np.concatenate([-np.ones(n), np.ones(m)]))
    rows = sparse.csc_array(sign @ sparse.hstack([matrix, missing]))
    in_32_bits(rows)
    dear = _DEAR * float(np.max(np.abs(costs.cost[np.isfinite(costs.cost)]), initial=1.0))
    solved = linprog(
        np.concatenate([value, np.full(n, dear)]), A_ub=rows, b_ub=np.concatenate([-np.ones(n), np.ones(m)]),
        bounds=(0, None), method="highs",
    )  # fmt: skip
    if solved.status != 0:
        return None, np.inf
    return np.asarray(-solved.ineqlin.marginals[:n], dtype=np.float64), float(solved.fun)
