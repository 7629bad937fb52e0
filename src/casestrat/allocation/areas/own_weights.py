"""Split cases of a few types evenly where the same case weighs differently for each case manager.

This is the nurse-dependent variant of CSPLib 069. A newcomer needs longer than an expert, a nurse with a speciality
less for its cases. Cases of one type are alike, so a plan is a table of counts: types by case manager.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from casestrat.allocation.solver.indices import in_32_bits
from casestrat.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    Flags: TypeAlias = NDArray[np.bool_]
    Numbers: TypeAlias = NDArray[np.float64]
    Wholes: TypeAlias = NDArray[np.int64]

_EASE = 1e-7
_MOST_STEPS = 2_000_000_000  # states times caseloads, up to which all of them are gone through
_MOST_CASELOADS = 50_000
_LINES, _ROUNDS = 24, 5  # lines below the squares at first, and rounds of adding more
_NODES, _SECONDS = 2_000, 120.0  # of each round; the seconds are only a safety


@dataclass(frozen=True, slots=True, eq=False)
class TypePlan:
    """How many cases of each type each case manager gets; made by :func:`balance_types`.

    Parameters
    ----------
    counts : numpy.ndarray of int, shape (case managers, types)
        Cases of each type.
    loads : numpy.ndarray of float, shape (case managers,)
        Summed weights, each case as it weighs for its case manager.
    bound : float
        No plan has a smaller sum of squared loads.
    least_total : float
        No plan has a smaller sum of loads.
    """

    counts: Wholes
    loads: Numbers
    bound: float
    least_total: float

    @property
    def sum_of_squares(self) -> float:
        """Sum of squared loads: least where loads are small and even."""
        return float((self.loads**2).sum())

    @property
    def total(self) -> float:
        """Sum of loads, which depends on who gets which cases."""
        return float(self.loads.sum())

    @property
    def standard_deviation(self) -> float:
        """Standard deviation of the loads (over all case managers, not a sample of them)."""
        return float(self.loads.std())

    @property
    def gap(self) -> float:
        """How far the sum of squares may be above the least there is, as a share of it; 0 where it is proven least."""
        value = self.sum_of_squares
        return max(value - self.bound, 0.0) / value if value > self.bound else 0.0

    @property
    def is_optimal(self) -> bool:
        """Whether it is proven that no plan has a smaller sum of squares."""
        return self.gap <= _EASE


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """The checked question."""

    numbers: Wholes  # (types,)
    weights: Numbers  # (case managers, types)
    fewest: int
    most: int
    load: float

    @property
    def m(self) -> int:
        return len(self.weights)


def balance_types(
    n_of_type: ArrayLike,
    weights: ArrayLike,
    min_cases: int = 1,
    max_cases: int | None = None,
    max_load: float | None = None,
) -> TypePlan:
    """Return how many cases of each type each case manager gets, with the least sum of squared loads.

    Squares make loads both small and even: Σ load² is (Σ load)² / case managers, plus the case managers times the
    variance. Small problems are solved by dynamic programming, others by the whole-number solver, with a bound.

    Parameters
    ----------
    n_of_type : array of shape (types,)
        Cases of each type.
    weights : array of shape (case managers, types)
        What one case of the type weighs for the case manager, 0 or more.
    min_cases : int, optional
        Fewest cases of a case manager.
    max_cases : int, optional
        Most cases of a case manager; any number where absent.
    max_load : float, optional
        Greatest load of a case manager; any where absent.

    Returns
    -------
    TypePlan
        One row of counts and one load per case manager.

    Raises
    ------
    UsageError
        If shapes do not fit, a number is negative or missing, or the limits allow no plan.

    Examples
    --------
    >>> plan = balance_types([2, 1], weights=[[10, 30], [12, 20]])
    >>> plan.counts.tolist(), plan.loads.tolist(), plan.is_optimal
    ([[2, 0], [0, 1]], [20.0, 20.0], True)
    """
    asked = _read(n_of_type, weights, min_cases, max_cases, max_load)
    caseloads = _caseloads(asked)
    if caseloads is not None:
        steps = float(np.prod(asked.numbers + 1.0)) * len(caseloads) * asked.m
        if steps <= _MOST_STEPS:
            return _by_going_through_all(asked, caseloads)
    return _by_solver(asked)


def _read(n_of_type: ArrayLike, weights: ArrayLike, fewest: int, most: int | None, load: float | None) -> _Asked:
    """Check the question."""
    try:
        numbers, table = np.asarray(n_of_type, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(
            "n_of_type and weights must be numbers", do="give one number per type, and per pair"
        ) from error
    if numbers.ndim != 1 or table.ndim != 2 or table.shape[1] != len(numbers) or not table.size:
        raise UsageError(
            f"n_of_type has shape {numbers.shape} and weights {table.shape}",
            do="give (types,) for n_of_type and (case managers, types) for weights",
        )
    wrong = int((~np.isfinite(numbers) | (numbers < 0) | (numbers % 1 != 0)).sum())
    if wrong:
        raise UsageError(f"{wrong} numbers of cases are not whole numbers of 0 or more", where="argument `n_of_type`",
                         do="count the cases of each type")  # fmt: skip
    wrong = int((~np.isfinite(table) | (table < 0)).sum())
    if wrong:
        raise UsageError(f"{wrong} weights are negative, missing or infinite", where="argument `weights`",
                         do="give each case manager a weight for each type")  # fmt: skip
    n, m = int(numbers.sum()), len(table)
    greatest = n if most is None else most
    ceiling = np.inf if load is None else float(load)
    if np.isnan(ceiling) or not 0 <= fewest <= greatest or not m * fewest <= n <= m * greatest:
        raise UsageError(
            f"{m} case managers with {fewest} to {greatest} cases each, loads up to {ceiling}, cannot share {n} cases",
            where="arguments `min_cases`, `max_cases` and `max_load`", do="loosen one of them",
        )  # fmt: skip
    return _Asked(numbers.astype(np.int64), table, int(fewest), int(greatest), ceiling)


def _caseloads(asked: _Asked) -> Wholes | None:
    """List all counts by type that one case manager could have; None where they are too many."""
    if float(np.prod(np.minimum(asked.numbers, asked.most) + 1.0)) > _MOST_CASELOADS * 20:
        return None
    ranges = [range(min(int(number), asked.most) + 1) for number in asked.numbers]
    listed = np.array(list(product(*ranges)), dtype=np.int64).reshape(-1, len(ranges))
    total = listed.sum(axis=1)
    kept = listed[(total >= asked.fewest) & (total <= asked.most)]
    return kept if len(kept) <= _MOST_CASELOADS else None


def _by_going_through_all(asked: _Asked, caseloads: Wholes) -> TypePlan:
    """Solve by dynamic programming over the cases that are already given out."""
    counts, bound = _best_counts(asked, caseloads, squared=True)
    _, least_total = _best_counts(asked, caseloads, squared=False)
    loads = (counts * asked.weights).sum(axis=1)
    return TypePlan(counts, loads, bound, least_total)


def _best_counts(asked: _Asked, caseloads: Wholes, *, squared: bool) -> tuple[Wholes, float]:
    """Find the counts with the least summed (squared) load, and that sum."""
    shape = tuple((asked.numbers + 1).tolist())
    best = np.full(shape, np.inf)  # least sum at which exactly these cases are given out
    best[(0,) * len(shape)] = 0.0
    stages = [best]
    for manager in range(asked.m):
        after = np.full(shape, np.inf)
        for part, cost in _costs(asked, caseloads, manager, squared=squared):
            there = tuple(slice(count, None) for count in part)
            here = tuple(slice(None, size - count) for size, count in zip(shape, part, strict=True))
            np.minimum(after[there], stages[-1][here] + cost, out=after[there])
        stages.append(after)
    value = float(stages[-1][tuple(asked.numbers.tolist())])
    if not np.isfinite(value):
        raise UsageError(
            "no plan keeps max_load", where="argument `max_load`", do="raise it, or give more case managers"
        )
    counts, left = np.zeros(asked.weights.shape, dtype=np.int64), asked.numbers.copy()
    for manager in range(asked.m - 1, -1, -1):
        target = float(stages[manager + 1][tuple(left.tolist())])
        for part, cost in _costs(asked, caseloads, manager, squared=squared):
            rest = left - np.array(part)
            if (rest >= 0).all() and stages[manager][tuple(rest.tolist())] + cost <= target * (1 + 1e-12) + 1e-12:
                counts[manager], left = part, rest
                break
    return counts, value


def _costs(asked: _Asked, caseloads: Wholes, manager: int, *, squared: bool) -> Iterator[tuple[tuple[int, ...], float]]:
    """Caseloads of one case manager within the greatest load, each with its load, squared or not."""
    load = caseloads @ asked.weights[manager]
    for at in np.flatnonzero(load <= asked.load * (1 + 1e-12)).tolist():
        yield tuple(caseloads[at].tolist()), float(load[at] ** 2 if squared else load[at])


def _by_solver(asked: _Asked) -> TypePlan:
    """Solve with lines below the squares, adding lines at each answer until they are exact there."""
    table = asked.weights
    whole = bool(np.all(table == np.round(table)))
    least_total = _solve(asked, [], squared=False)
    highest = float(max(table.max() * asked.most, 1.0))
    mean = float(asked.numbers @ table.mean(axis=0)) / asked.m
    at = np.unique(np.concatenate([np.linspace(0, 2 * mean, _LINES), [highest]]))
    lines = [np.repeat(value, asked.m) for value in (np.floor(at) if whole else at)]
    best, bound = None, least_total[1] ** 2 / asked.m  # never below the square of an even share
    for _ in range(_ROUNDS):
        found, proven = _solve(asked, lines, squared=True, chord=1.0 if whole else 0.0)
        bound = max(
            bound, float(np.ceil(proven - 1e-6 - 1e-9 * abs(proven))) if whole and np.isfinite(proven) else proven
        )
        for counts in (found, least_total[0]):
            if counts is not None:
                loads = (counts * table).sum(axis=1)
                best = (loads, counts) if best is None or (loads**2).sum() < (best[0] ** 2).sum() else best
        if found is None:
            break
        loads = (found * table).sum(axis=1)
        lines += [loads, np.maximum(loads - 1.0, 0.0)]
        if best is not None and (best[0] ** 2).sum() <= bound * (1 + _EASE):
            break
    if best is None:
        raise UsageError("no plan was found within the limits", where="argument `max_load`",
                         do="raise it, or give more case managers")  # fmt: skip
    return TypePlan(best[1], best[0], min(bound, float((best[0] ** 2).sum())), least_total[1])


def _solve(asked: _Asked, lines: list[Numbers], *, squared: bool, chord: float = 0.0) -> tuple[Wholes | None, float]:
    """Find the counts of least summed load, or of least summed squares as the lines hold them; and a bound."""
    m, types = asked.weights.shape
    pairs = m * types
    by_manager = sparse.kron(sparse.eye_array(m), np.ones((1, types)))
    load = sparse.block_diag([asked.weights[[manager]] for manager in range(m)])
    squares = sparse.csr_array((m, m))
    rows = [sparse.hstack([sparse.kron(np.ones((1, m)), sparse.eye_array(types)), sparse.csr_array((types, m))]),
            sparse.hstack([by_manager, squares]), sparse.hstack([load, squares])]  # fmt: skip
    low = [asked.numbers.astype(np.float64), np.full(m, float(asked.fewest)), np.full(m, -np.inf)]
    high = [asked.numbers.astype(np.float64), np.full(m, float(asked.most)), np.full(m, asked.load)]
    for at in lines:  # (2a + c) · load − a (a + c) is below load² wherever load is not between a and a + c
        rows.append(sparse.hstack([sparse.diags_array(2 * at + chord) @ load, -sparse.eye_array(m)]))
        low.append(np.full(m, -np.inf))
        high.append(at * (at + chord))
    c = (
        np.concatenate([np.zeros(pairs), np.ones(m)])
        if squared
        else np.concatenate([asked.weights.ravel(), np.zeros(m)])
    )
    matrix = sparse.csc_array(sparse.vstack(rows))
    in_32_bits(matrix)
    solved = milp(
        c, constraints=LinearConstraint(matrix, np.concatenate(low), np.concatenate(high)), bounds=Bounds(0, np.inf),
        integrality=np.concatenate([np.ones(pairs), np.zeros(m)]),
        options={"time_limit": _SECONDS, "node_limit": _NODES, "mip_rel_gap": 0.0},
    )  # fmt: skip
    bound = 0.0 if solved.mip_dual_bound is None else float(solved.mip_dual_bound)
    if solved.x is None:
        return None, bound
    return np.round(solved.x[:pairs]).astype(np.int64).reshape(m, types), bound
