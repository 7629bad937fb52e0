"""Re-allocation as one linear model in counts, the budget of moves a constraint: bounds, and proofs where small.

Cases of one class, one present case manager and one standing are exchangeable, so whole numbers of them are all that is
decided. With fractions allowed the model gives a bound at any size; with whole numbers HiGHS proves the least value of
small problems. The solver's word is not taken: its counts become a plan, whose value is worked out again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from casestrat.allocation.moves.moving import Moving, State, Value
from casestrat.allocation.solver.draft import NOBODY
from casestrat.allocation.solver.indices import in_32_bits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.allocation.solver.clock import Clock, Deadline

    Flags: TypeAlias = NDArray[np.bool_]
    Numbers: TypeAlias = NDArray[np.float64]
    Wholes: TypeAlias = NDArray[np.int64]

SMALL_PAIRS = 80  # pairs of kind and case manager up to which every value is proven
MIDDLE_PAIRS = 400  # up to which the largest utilisation is
_LEVELS = ("left", "peak", "squares")
_NODES, _NODE_PAIRS = 1_000, 1_000  # of a search tree; fewer, likewise, where there are more pairs than these
_PROOFS_A_SECOND = 2.5  # searches for whole numbers that a second of time limit buys, at SMALL_PAIRS
_OPTIMAL = 0
_SECANTS = 200  # loads at which squares are held exactly, one case manager
_LINES = 12  # where more would be needed: lines below the squares, one case manager
_NEAR = np.array([-0.05, -0.02, -0.008, -0.002, 0.0, 0.002, 0.008, 0.02, 0.05])  # of the capacity, around a load
_SLACK = 1e-6


class Solved(NamedTuple):
    """What one solve gave: counts or none, the bound it proves, and whether it ended."""

    counts: Numbers | None
    bound: float
    is_complete: bool


@dataclass(frozen=True, slots=True, eq=False)
class MoveModel:
    """Kinds of exchangeable cases, and the pairs of a kind and a case manager that may be."""

    moving: Moving
    kind: Wholes  # (n,) kind of each case
    size: Wholes  # (K,) number of cases
    home: Wholes  # (K,)
    group: Wholes  # (K,) class
    priority: Numbers  # (K,)
    minutes: Wholes  # (K,)
    pair_kind: Wholes
    pair_manager: Wholes

    @property
    def n_pairs(self) -> int:
        """Number of pairs."""
        return len(self.pair_kind)


@dataclass(slots=True)
class Allowance:
    """What is left of the searches for whole numbers, and the moment at which they stop in any case."""

    searches: float
    deadline: Deadline

    @classmethod
    def of(cls, time_limit_s: float, deadline: Deadline) -> Allowance:
        """Return what a time limit buys."""
        return cls(_PROOFS_A_SECOND * time_limit_s, deadline)

    @property
    def is_spent(self) -> bool:
        """Whether no further search may begin."""
        return self.searches <= 0 or self.deadline.is_over()


def model_of(moving: Moving) -> MoveModel:
    """Return the kinds and pairs of a problem.

    Parameters
    ----------
    moving : Moving
        What may move.

    Returns
    -------
    MoveModel
        Cases that may not move are left out; their minutes count as they stand.
    """
    instance = moving.instance
    kind = np.full(instance.n, NOBODY, dtype=np.int64)
    able = np.flatnonzero((moving.is_movable | moving.is_forced) & ~(moving.is_forced & instance.hopeless))
    told = np.where(moving.is_forced, instance.priority, 0.0)[able]  # only those may be left over
    keys = np.stack([instance.group[able].astype(float), moving.home[able].astype(float), told], axis=1)
    kinds, kind[able], size = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    group, home = kinds[:, 0].astype(np.int64), kinds[:, 1].astype(np.int64)
    open_to = instance.allowed[group] & ~moving.is_closed
    held = home >= 0
    open_to[np.flatnonzero(held), home[held]] = True
    pair_kind, pair_manager = (index.astype(np.int64) for index in np.nonzero(open_to))
    minutes = instance.weight[group, 0] if instance.m else np.zeros(len(group), dtype=np.int64)
    return MoveModel(moving, kind, size.astype(np.int64), home, group, kinds[:, 2], minutes, pair_kind, pair_manager)


class Asked(NamedTuple):
    """What is asked of the model: the level, the budget, and what earlier levels have settled."""

    level: str  # left, peak or squares
    budget: int
    left: float = np.inf  # most priority left over beyond the hopeless
    peak: float = np.inf


def solve(
    model: MoveModel,
    asked: Asked,
    seconds: float,
    clock: Clock,
    *,
    whole: bool,
    around: Wholes | None = None,
) -> Solved:
    """Solve one level under one budget.

    Parameters
    ----------
    model : MoveModel
        Kinds and pairs.
    asked : Asked
        The level, the budget, and what earlier levels have settled.
    seconds : float
        Most seconds of computing: a safety, as nodes are counted.
    clock : Clock
        Notes whether they were used up.
    whole : bool
        Whether counts must be whole numbers.
    around : numpy.ndarray of int, shape (m,), optional
        Loads near which the lines below the squares are laid, where they are not exact.

    Returns
    -------
    Solved
        Counts, one per pair and then one per kind left over; and the bound.
    """
    parts = _Rows(model, asked)
    parts.build(around)
    c = np.zeros(parts.n)
    c[parts.target] = parts.target_cost
    nodes = max(_NODES * _NODE_PAIRS // max(model.n_pairs, _NODE_PAIRS), 1)
    with clock.watching(seconds) as given:
        solved = milp(
            c, constraints=parts.constraints(), bounds=Bounds(0, parts.upper),
            integrality=parts.integrality if whole else np.zeros(parts.n),
            options={"time_limit": given, "mip_rel_gap": 0.0, "node_limit": nodes},
        )  # fmt: skip
    bound = solved.mip_dual_bound if whole else (solved.fun if solved.status == _OPTIMAL else None)
    return Solved(
        None if solved.x is None else np.asarray(solved.x[: model.n_pairs + len(model.size)], dtype=np.float64),
        -np.inf if bound is None else float(bound),
        solved.status == _OPTIMAL,
    )


class _Rows:
    """The rows of the model: each kind once, minutes, places, budget, what is settled, and the level's own."""

    def __init__(self, model: MoveModel, asked: Asked) -> None:
        self.model, self.asked = model, asked
        instance = model.moving.instance
        self.m, self.n_x, self.n_u = instance.m, model.n_pairs, len(model.size)
        self.extra = {"left": 0, "peak": 1, "squares": instance.m}[asked.level]
        self.n = self.n_x + self.n_u + self.extra
        self.rows: list[sparse.csr_array] = []
        self.low: list[Numbers] = []
        self.high: list[Numbers] = []
        forced = np.where(model.home < 0, model.size, 0).astype(float)
        self.upper = np.concatenate([model.size[model.pair_kind].astype(float), forced, np.full(self.extra, np.inf)])
        self.integrality = np.concatenate([np.ones(self.n_x + self.n_u), np.zeros(self.extra)])
        first = self.n_x if asked.level == "left" else self.n_x + self.n_u
        self.target = slice(first, first + (self.n_u if asked.level == "left" else self.extra))
        self.target_cost = model.priority if asked.level == "left" else np.ones(self.extra)
        stays = model.kind < 0
        placed = np.flatnonzero(stays & (model.moving.home >= 0))
        self.before = instance.before.copy()
        np.add.at(self.before, model.moving.home[placed], model.moving.minutes[placed])
        self.held = np.bincount(model.moving.home[placed], minlength=self.m)

    def add(self, matrix: sparse.csr_array, low: Numbers | float, high: Numbers | float) -> None:
        """Add rows."""
        self.rows.append(matrix)
        self.low.append(np.broadcast_to(np.asarray(low, dtype=float), matrix.shape[:1]))
        self.high.append(np.broadcast_to(np.asarray(high, dtype=float), matrix.shape[:1]))

    def matrix(self, values: Numbers, rows: Wholes, columns: Wholes, height: int) -> sparse.csr_array:
        """Return rows from their entries."""
        return sparse.csr_array((values, (rows, columns)), shape=(height, self.n))

    def constraints(self) -> LinearConstraint:
        """All rows together."""
        rows = sparse.csc_array(sparse.vstack(self.rows))
        in_32_bits(rows)
        return LinearConstraint(rows, np.concatenate(self.low), np.concatenate(self.high))

    def build(self, around: Wholes | None) -> None:
        """Make every row."""
        model, moving, asked = self.model, self.model.moving, self.asked
        x, instance = np.arange(self.n_x), moving.instance
        columns = np.arange(self.n_x + self.n_u)
        kinds = np.concatenate([model.pair_kind, np.arange(self.n_u)])
        number = model.size.astype(float)
        self.add(self.matrix(np.ones(len(columns)), kinds, columns, self.n_u), number, number)
        minutes = model.minutes[model.pair_kind].astype(float)
        load = self.matrix(minutes, model.pair_manager, x, self.m)
        most = np.maximum(moving.limit, 0).astype(float)
        if np.isfinite(asked.peak):
            within = np.floor(asked.peak * instance.capacity + _SLACK)
            most = np.where(instance.capacity > 0, np.minimum(most, np.maximum(within, self.before)), most)
        self.add(load, -np.inf, np.maximum(most - self.before, 0.0))
        count = self.matrix(np.ones(self.n_x), model.pair_manager, x, self.m)
        self.add(count, -np.inf, np.maximum(moving.places - self.held, 0).astype(float))
        away = (model.home[model.pair_kind] >= 0) & (model.pair_manager != model.home[model.pair_kind])
        self.add(self.matrix(away.astype(float), np.zeros(self.n_x, dtype=int), x, 1), -np.inf, float(asked.budget))
        if np.isfinite(asked.left):
            left = self.matrix(model.priority, np.zeros(self.n_u, dtype=int), self.n_x + np.arange(self.n_u), 1)
            self.add(left, -np.inf, asked.left + _SLACK)
        self._add_mix(x)
        if asked.level == "peak":
            able = np.flatnonzero(instance.capacity > 0)
            share = self.matrix(
                -instance.capacity[able].astype(float), np.arange(len(able)), np.full(len(able), self.n - 1), len(able)
            )
            self.add(load[able] + share, -np.inf, -self.before[able].astype(float))
        if asked.level == "squares":
            self._add_squares(load, around)

    def _add_mix(self, x: Wholes) -> None:
        """Hold the cases of one sort to the most allowed, or to those who are there already."""
        model, moving = self.model, self.model.moving
        mix = moving.instance.mix
        if mix is None:
            return
        placed = np.flatnonzero(moving.home >= 0)
        there = mix.held(moving.instance.group[placed], moving.home[placed])
        stays = np.flatnonzero((model.kind < 0) & (moving.home >= 0))
        fixed = mix.held(moving.instance.group[stays], moving.home[stays])
        for sort, counts in enumerate(mix.counted):
            rows = self.matrix(counts[model.group[model.pair_kind]].astype(float), model.pair_manager, x, self.m)
            self.add(rows, -np.inf, np.maximum(np.maximum(mix.room[sort], there[sort]) - fixed[sort], 0).astype(float))

    def _add_squares(self, load: sparse.csr_array, around: Wholes | None) -> None:
        """Hold one variable a case manager above load² / capacity: exact at every load there can be, or by lines."""
        instance = self.model.moving.instance
        for manager in np.flatnonzero(instance.capacity > 0).tolist():
            base, capacity = float(self.before[manager]), float(instance.capacity[manager])
            loads = base + self._reachable(manager)
            if len(loads) <= _SECANTS:  # a line through each two loads that follow one another
                low, high = (loads[:-1], loads[1:]) if len(loads) > 1 else (loads, loads)
                slope, offset = (low + high) / capacity, low * high / capacity
            else:
                spread = np.linspace(base, loads[-1], _LINES)
                if around is not None:
                    near = around[manager] + _NEAR * instance.capacity[manager]
                    spread = np.union1d(spread, np.clip(near, base, loads[-1]))
                slope, offset = 2 * spread / capacity, spread**2 / capacity
            below = sparse.kron(slope[:, None], load[[manager]], format="csr")
            column = np.full(len(slope), self.n_x + self.n_u + manager)
            own = self.matrix(np.ones(len(slope)), np.arange(len(slope)), column, len(slope))
            self.add(below - own, -np.inf, offset - slope * base)

    def _reachable(self, manager: int) -> Numbers:
        """Return the sums of minutes that the pairs of a case manager can come to, in order."""
        model = self.model
        most = max(int(model.moving.limit[manager] - self.before[manager]), 0)
        sums = 1  # bit s is set where the minutes s can be reached
        for pair in np.flatnonzero(model.pair_manager == manager).tolist():
            kind = model.pair_kind[pair]
            for _ in range(int(model.size[kind])):
                sums |= sums << int(model.minutes[kind])
                sums &= (1 << (most + 1)) - 1
        return np.flatnonzero([sums >> at & 1 for at in range(most + 1)]).astype(np.float64)


def plan_of(model: MoveModel, counts: Numbers, present: Wholes) -> Wholes:
    """Return the plan that counts stand for; cases stay where they are as far as the counts allow.

    Parameters
    ----------
    model : MoveModel
        Kinds and pairs.
    counts : numpy.ndarray of float
        One per pair, near whole numbers.
    present : numpy.ndarray of int, shape (n,)
        Who has each case that is no kind's.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        Case manager of each case, -1 for nobody.
    """
    plan = np.where(model.kind < 0, present, NOBODY)
    for kind in range(len(model.size)):
        cases = np.flatnonzero(model.kind == kind)
        pairs = np.flatnonzero(model.pair_kind == kind)
        pairs = pairs[np.lexsort((model.pair_manager[pairs], model.pair_manager[pairs] != model.home[kind]))]
        number = np.round(counts[pairs]).astype(np.int64)
        to = np.repeat(model.pair_manager[pairs], number)[: len(cases)]
        plan[cases[: len(to)]] = to
    return plan


def is_within(moving: Moving, plan: Wholes, budget: int) -> bool:
    """Return whether a plan keeps every limit and the budget.

    Parameters
    ----------
    moving : Moving
        What may move.
    plan : numpy.ndarray of int, shape (n,)
        A plan.
    budget : int
        Most voluntary moves.

    Returns
    -------
    bool
        True where nothing is broken.
    """
    state = State(moving, plan)
    instance = moving.instance
    is_home = plan == moving.home
    away = np.flatnonzero((plan >= 0) & ~is_home)
    gets = np.zeros(instance.m, dtype=bool)
    gets[plan[away]] = True
    checks = (
        len(state.away) <= budget,
        not bool((~moving.is_forced & ~moving.is_movable & ~is_home).any()),
        not bool((~moving.is_forced & (plan < 0)).any()),
        bool(instance.allowed[instance.group[away], plan[away]].all()),
        not bool((gets & moving.is_closed).any()),
        bool((state.load <= moving.limit)[gets].all()),
        bool((state.count <= moving.places)[gets].all()),
        instance.mix is None or state.mix is None or not bool((state.mix < 0)[:, gets].any()),
    )
    return all(checks)


class Proven(NamedTuple):
    """A plan and the bound of each of its three values."""

    plan: Wholes
    bound: Value


def prove(model: MoveModel, plan: Wholes, budget: int, effort: Allowance, levels: tuple[str, ...] = _LEVELS) -> Proven:
    """Return the best plan under a budget by whole-number optimisation, level by level, and what it proves.

    Parameters
    ----------
    model : MoveModel
        Kinds and pairs; few of them.
    plan : numpy.ndarray of int, shape (n,)
        The best plan known.
    budget : int
        Most voluntary moves.
    effort : Allowance
        What may be done; used up.
    levels : tuple of str, optional
        Those to work on.

    Returns
    -------
    Proven
        A plan no worse, and bounds; a level's bound holds given the values of the levels before.
    """
    moving = model.moving
    hopeless = float(moving.instance.priority[moving.is_forced & moving.instance.hopeless].sum())
    if not model.n_pairs:
        return Proven(plan, State(moving, plan).value())
    bounds: list[float] = []
    for level in _LEVELS:
        value = State(moving, plan).value()
        if level not in levels or (level == "left" and value.left <= hopeless) or effort.is_spent:
            bounds.append(hopeless if level == "left" else 0.0)
            continue
        settled = Asked(
            level, budget, value.left - hopeless if level != "left" else np.inf,
            value.peak if level == "squares" else np.inf,
        )  # fmt: skip
        effort.searches -= model.n_pairs / SMALL_PAIRS
        found = solve(model, settled, effort.deadline.left / 2, effort.deadline.clock, whole=True)
        if found.counts is not None:
            other = plan_of(model, found.counts, plan)
            if is_within(moving, other, budget) and State(moving, other).value().is_below(value):
                plan = other
        of_level = {"left": found.bound + hopeless, "peak": found.bound, "squares": found.bound}[level]
        bounds.append(max(of_level, 0.0))
    value = State(moving, plan).value()
    return Proven(plan, Value(*(_capped(bound, reached) for bound, reached in zip(bounds, value, strict=True))))


def bound_of(model: MoveModel, plan: Wholes, budget: int, seconds: float, clock: Clock) -> Value:
    """Return what no plan under a budget can beat, from the model with fractions allowed.

    Parameters
    ----------
    model : MoveModel
        Kinds and pairs.
    plan : numpy.ndarray of int, shape (n,)
        The plan to compare with.
    budget : int
        Most voluntary moves.
    seconds : float
        Most seconds of computing for each level.
    clock : Clock
        Notes whether they were used up.

    Returns
    -------
    Value
        One bound a level, given the plan's values of the levels before.
    """
    moving = model.moving
    state = State(moving, plan)
    value = state.value()
    if not model.n_pairs:
        return value
    hopeless = float(moving.instance.priority[moving.is_forced & moving.instance.hopeless].sum())
    left = hopeless
    if value.left > hopeless:
        left += max(solve(model, Asked("left", budget), seconds, clock, whole=False).bound, 0.0)
    beyond = max(value.left - hopeless, 0.0)
    peak = solve(model, Asked("peak", budget, beyond), seconds, clock, whole=False).bound
    settled = Asked("squares", budget, beyond, value.peak)
    squares = solve(model, settled, seconds, clock, whole=False, around=state.load).bound
    return Value(*(_capped(max(b, 0.0), v) for b, v in zip((left, peak, squares), value, strict=True)))


def _capped(bound: float, value: float) -> float:
    """Return a bound that rounding has not put above the value; the value itself where they meet."""
    return value if bound >= value - 1e-7 * max(abs(value), 1.0) else bound
