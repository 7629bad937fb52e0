"""The problem in counts: how many cases of each class go to each case manager, as one linear model for every level.

Cases of one class are exchangeable, so whole numbers of them are all a plan has to decide. With the numbers allowed to
be fractions the model is the *class relaxation*, whose prices give a bound that holds whatever the solver did: the
bound is computed again from the prices, in numpy, and any prices of 0 or more give a valid one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from casestrat.allocation.problem.objective import FIT, LARGEST, SQUARES, UNASSIGNED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.allocation.problem.instance import Instance
    from casestrat.allocation.solver.clock import Clock

    Flags: TypeAlias = NDArray[np.bool_]
    Numbers: TypeAlias = NDArray[np.float64]
    Wholes: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """What earlier levels have settled.

    ``left`` is the summed priority that may stay unassigned beyond the hopeless cases (None: level 1 itself), ``load``
    the most minutes of each case manager, ``squares`` the most of level 2's second value (None: not bound).
    """

    load: Wholes
    left: float | None = None
    squares: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """Lines below load²/capacity, one per case manager: slope · load − offset."""

    slope: Numbers
    offset: Numbers


@dataclass(frozen=True, slots=True, eq=False)
class CountModel:
    """Matrices of ``min c·v`` with ``A_ub v ≤ b_ub``, ``A_eq v = b_eq``, ``0 ≤ v ≤ upper``; v = counts, left, extra."""

    level: str
    instance: Instance
    limits: Limits
    groups: Wholes  # class and case manager of each pair
    managers: Wholes
    c: Numbers
    a_ub: sparse.csr_array
    b_ub: Numbers
    a_eq: sparse.csr_array
    b_eq: Numbers
    upper: Numbers
    rows: dict[str, slice] = field(default_factory=dict)  # block of A_ub → its rows
    slot_managers: Wholes = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    cuts: tuple[Cut, ...] = ()

    @property
    def n_pairs(self) -> int:
        """Number of count variables, which come first."""
        return len(self.groups)


def tranches(instance: Instance, among: Flags | None = None) -> tuple[Wholes, Numbers, Wholes]:
    """Return the cases that can be placed as (class, priority, number) of those alike.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    among : numpy.ndarray of bool, shape (n,), optional
        Only these cases.

    Returns
    -------
    tuple of arrays
        Class, priority and number of cases; one entry per distinct pair.
    """
    able = ~instance.hopeless if among is None else ~instance.hopeless & among
    group, priority = instance.group[able], instance.priority[able]
    order = np.lexsort((priority, group))
    group, priority = group[order], priority[order]
    is_first = np.ones(len(group), dtype=bool)
    is_first[1:] = (group[1:] != group[:-1]) | (priority[1:] != priority[:-1])
    first = np.flatnonzero(is_first)
    return group[first], priority[first], np.diff(np.r_[first, len(group)])


def build(
    instance: Instance, level: str, limits: Limits, cuts: tuple[Cut, ...] = (), leavable: Flags | None = None
) -> CountModel:
    """Return the linear model of one level.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    level : str
        One of the four levels.
    limits : Limits
        What earlier levels have settled.
    cuts : tuple of Cut, optional
        Lines that hold the squares from below, where the level or its limits ask for squares.
    leavable : numpy.ndarray of bool, shape (n,), optional
        The only cases that may be left over; the model is then narrower than the level, its prices are still prices.

    Returns
    -------
    CountModel
        Ready for the linear and the whole-number solver.
    """
    groups, managers = (index.astype(np.int64) for index in np.nonzero(instance.allowed))
    kind_group, kind_priority, kind_number = tranches(instance, leavable)
    if level != UNASSIGNED and not limits.left:  # everything that can be placed must be
        kind_group, kind_priority, kind_number = kind_group[:0], kind_priority[:0], kind_number[:0]
    n_x, n_u, m = len(groups), len(kind_group), instance.m
    n_extra = {LARGEST: 1, SQUARES: m}.get(level, m if limits.squares is not None else 0)
    n = n_x + n_u + n_extra
    sizes, reachable = instance.sizes, instance.allowed.any(axis=1)
    row_of = np.cumsum(reachable) - 1
    a_eq = sparse.csr_array(
        (np.ones(n_x + n_u), (np.concatenate([row_of[groups], row_of[kind_group]]), np.arange(n_x + n_u))),
        shape=(int(reachable.sum()), n),
    )
    load = sparse.csr_array(
        (instance.weight[groups, managers].astype(np.float64), (managers, np.arange(n_x))), shape=(m, n)
    )
    blocks = _Blocks()
    room = (limits.load - instance.before).astype(np.float64)
    if level == LARGEST:
        share = sparse.csr_array((-instance.capacity.astype(np.float64), (np.arange(m), np.full(m, n - 1))), (m, n))
        blocks.add("load", load + share, -instance.before.astype(np.float64))
    else:
        blocks.add("load", load, np.maximum(room, 0.0))
    slot_managers = _add_slots(blocks, instance, groups, managers, n)
    _add_mix(blocks, instance, groups, managers, n)
    if n_u and level != UNASSIGNED:
        left = sparse.csr_array((kind_priority, (np.zeros(n_u, int), np.arange(n_x, n_x + n_u))), shape=(1, n))
        blocks.add("left", left, np.array([float(limits.left or 0.0)]))
    if n_extra == m and level in {SQUARES, FIT} and n_extra:
        _add_squares(blocks, instance, load, cuts, n_x + n_u, limits if level == FIT else None)
    c = np.zeros(n)
    if level == UNASSIGNED:
        c[n_x : n_x + n_u] = kind_priority
    elif level == FIT:
        c[:n_x] = instance.cost[groups, managers]
    else:
        c[n_x + n_u :] = 1.0
    most = 1.0 if level == LARGEST and bool(np.all(instance.before <= instance.capacity)) else np.inf
    upper = np.concatenate([sizes[groups], kind_number, np.full(n_extra, most)])
    a_ub, b_ub, rows = blocks.stacked(n)
    return CountModel(
        level, instance, limits, groups, managers, c, a_ub, b_ub, a_eq, sizes[reachable].astype(np.float64), upper,
        rows, slot_managers, cuts,
    )  # fmt: skip


class _Blocks:
    """Rows of A_ub, block by block."""

    def __init__(self) -> None:
        self.matrices: list[sparse.csr_array] = []
        self.bounds: list[Numbers] = []
        self.rows: dict[str, slice] = {}

    def add(self, name: str, matrix: sparse.csr_array, bound: Numbers) -> None:
        start = sum(len(part) for part in self.bounds)
        self.matrices.append(matrix)
        self.bounds.append(bound)
        self.rows.setdefault(name, slice(start, start + len(bound)))

    def stacked(self, n: int) -> tuple[sparse.csr_array, Numbers, dict[str, slice]]:
        if not self.matrices:
            return sparse.csr_array((0, n)), np.zeros(0), {}
        return sparse.csr_array(sparse.vstack(self.matrices)), np.concatenate(self.bounds), self.rows


def _add_slots(blocks: _Blocks, instance: Instance, groups: Wholes, managers: Wholes, n: int) -> Wholes:
    """Rows of the largest number of cases, for the case managers whom it can bind."""
    possible = np.bincount(managers, weights=instance.sizes[groups], minlength=instance.m)
    bound = np.flatnonzero(instance.slots < possible).astype(np.int64)
    if len(bound):
        row_of = np.full(instance.m, -1)
        row_of[bound] = np.arange(len(bound))
        inside = np.flatnonzero(row_of[managers] >= 0)
        matrix = sparse.csr_array((np.ones(len(inside)), (row_of[managers[inside]], inside)), shape=(len(bound), n))
        blocks.add("slots", matrix, instance.slots[bound].astype(np.float64))
    return bound


def _add_mix(blocks: _Blocks, instance: Instance, groups: Wholes, managers: Wholes, n: int) -> None:
    """Rows of the most cases of one sort: a row for each sort and case manager."""
    if instance.mix is None:
        return
    sorts, pairs = np.nonzero(instance.mix.counted[:, groups])
    rows = sorts * instance.m + managers[pairs]
    shape = (instance.mix.room.size, n)
    matrix = sparse.csr_array((np.ones(len(pairs)), (rows, pairs)), shape=shape)
    blocks.add("mix", matrix, instance.mix.room.ravel().astype(np.float64))


def _add_squares(
    blocks: _Blocks, instance: Instance, load: sparse.csr_array, cuts: tuple[Cut, ...], first: int,
    limits: Limits | None,
) -> None:  # fmt: skip
    """Rows that hold s_j above lines below load²/capacity, and their sum below its limit."""
    m, n = load.shape
    if cuts:
        slopes, offsets = np.stack([cut.slope for cut in cuts]), np.stack([cut.offset for cut in cuts])
        entries = load.tocoo()
        managers, columns = entries.coords
        first_row = np.arange(len(cuts))[:, None] * m
        steep = sparse.csr_array(
            (
                (slopes[:, managers] * entries.data).ravel(),
                ((first_row + managers).ravel(), np.tile(columns, len(cuts))),
            ),
            shape=(len(cuts) * m, n),
        )
        rows = np.arange(len(cuts) * m)
        below = sparse.csr_array((-np.ones(len(rows)), (rows, first + rows % m)), shape=steep.shape)
        blocks.add("cuts", steep + below, (offsets - slopes * instance.before).ravel())
    if limits is not None and limits.squares is not None:
        total = sparse.csr_array((np.ones(m), (np.zeros(m, int), np.arange(first, first + m))), shape=(1, n))
        blocks.add("squares", total, np.array([limits.squares]))


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """Prices of what is scarce: minutes and cases of each case manager, and the priority left unassigned."""

    minutes: Numbers
    slots: Numbers
    left: float = 0.0
    squares: float = 0.0  # of the limit on the squares
    slopes: Numbers | None = None  # part of `minutes` that the squares account for
    mix: Numbers | None = None  # of each sort of case and case manager


@dataclass(frozen=True, slots=True, eq=False)
class Fractions:
    """Optimum of a class relaxation: fractional counts, loads, value, prices."""

    counts: Numbers  # one per pair
    load: Numbers
    value: float
    prices: Prices


def solve_relaxation(model: CountModel, seconds: float, clock: Clock) -> Fractions | None:
    """Return the optimum of the class relaxation, or None where it was not found in time or has none.

    Parameters
    ----------
    model : CountModel
        The model of one level.
    seconds : float
        Of computing; a safety, not a steering wheel.
    clock : Clock
        Notes whether they were used up.

    Returns
    -------
    Fractions or None
        Fractional counts and the prices behind them.
    """
    if not model.n_pairs or seconds <= 0:
        return None
    with clock.watching(seconds) as given:
        solved = linprog(
            model.c, A_ub=model.a_ub, b_ub=model.b_ub, A_eq=model.a_eq, b_eq=model.b_eq,
            bounds=np.stack([np.zeros(len(model.upper)), model.upper], axis=1), method="highs",
            options={"time_limit": given},
        )  # fmt: skip
    if solved.status != 0:
        return None
    counts = np.asarray(solved.x[: model.n_pairs], dtype=np.float64)
    instance = model.instance
    used = np.bincount(
        model.managers, weights=counts * instance.weight[model.groups, model.managers], minlength=instance.m
    )
    load = np.asarray(instance.before + used, dtype=np.float64)
    return Fractions(counts, load, float(solved.fun), _prices(model, -solved.ineqlin.marginals))


def _prices(model: CountModel, dual: Numbers) -> Prices:
    """Prices from the solver's dual values, none below 0."""
    dual = np.maximum(dual, 0.0)
    instance, rows = model.instance, model.rows
    minutes = dual[rows["load"]].copy()
    slots = np.zeros(instance.m)
    if "slots" in rows:
        slots[model.slot_managers] = dual[rows["slots"]]
    left = float(dual[rows["left"]][0]) if "left" in rows else 0.0
    slopes = None
    if "cuts" in rows:
        start, m = rows["cuts"].start, instance.m
        slopes = np.zeros(m)
        for k, cut in enumerate(model.cuts):
            slopes += dual[start + k * m : start + (k + 1) * m] * cut.slope
        minutes += slopes
    squares = float(dual[rows["squares"]][0]) if "squares" in rows else 0.0
    mix = dual[rows["mix"]].reshape(-1, instance.m) if "mix" in rows else None
    return Prices(minutes, slots, left, squares, slopes, mix)


def bound_of(instance: Instance, level: str, limits: Limits, prices: Prices) -> float:
    """Return the bound on a level that prices prove; any prices of 0 or more prove one.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    level : str
        One of the four levels.
    limits : Limits
        What earlier levels have settled.
    prices : Prices
        The Lagrangian prices.

    Returns
    -------
    float
        No plan inside the limits has a smaller value; −inf where the prices prove nothing.
    """
    if level == LARGEST:
        total = float(prices.minutes @ instance.capacity)
        if total <= 0:
            return 0.0
        mix = None if prices.mix is None else prices.mix / total
        prices = Prices(prices.minutes / total, prices.slots / total, prices.left / total, mix=mix)
    groups, managers = np.nonzero(instance.allowed)
    asked = instance.weight[groups, managers] * prices.minutes[managers] + prices.slots[managers]
    if level == FIT:
        asked = asked + instance.cost[groups, managers]
    if instance.mix is not None and prices.mix is not None:
        asked = asked + (instance.mix.counted[:, groups] * prices.mix[:, managers]).sum(axis=0)
    cheapest = least_of_classes(groups, asked, len(instance.allowed))
    kind_group, kind_priority, kind_number = tranches(instance)
    if level == UNASSIGNED:
        stay = kind_priority
    else:
        stay = prices.left * kind_priority if limits.left else np.full(len(kind_group), np.inf)
    value = float((kind_number * np.minimum(cheapest[kind_group], stay)).sum())
    slots = np.where(prices.slots > 0, instance.slots, 0)
    value -= float(prices.slots @ slots)
    if instance.mix is not None and prices.mix is not None:
        value -= float((prices.mix * instance.mix.room).sum())
    if level != UNASSIGNED:
        value -= prices.left * float(limits.left or 0.0)
    return value + _load_part(instance, level, limits, prices)


def least_of_classes(groups: Wholes, values: Numbers, n_classes: int) -> Numbers:
    """Return the least value of each class over its pairs; infinite for a class without any.

    Parameters
    ----------
    groups : numpy.ndarray of int
        Class of each pair, in order.
    values : numpy.ndarray
        Value of each pair.
    n_classes : int
        Number of classes.

    Returns
    -------
    numpy.ndarray of float, shape (n_classes,)
        The least values.
    """
    least = np.full(n_classes, np.inf)
    if len(groups):
        starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
        least[groups[starts]] = np.minimum.reduceat(values, starts)
    return least


def _load_part(instance: Instance, level: str, limits: Limits, prices: Prices) -> float:
    """Compute the part of the bound that the loads alone decide."""
    minutes = prices.minutes
    if level == UNASSIGNED:
        return -float(minutes @ instance.free)
    if level == LARGEST:
        return float(minutes @ instance.before)
    if level == SQUARES:
        return float(minutes @ instance.before + _least_squares(instance, minutes).sum())
    slopes = np.zeros(instance.m) if prices.slopes is None else prices.slopes
    value = -float((minutes - slopes) @ np.maximum(limits.load - instance.before, 0)) + float(slopes @ instance.before)
    if limits.squares is not None and prices.squares > 0:
        value -= prices.squares * limits.squares + float((slopes**2 * instance.capacity).sum()) / (4 * prices.squares)
    elif slopes.any():
        return -np.inf
    return value


def _least_squares(instance: Instance, price: Numbers) -> Numbers:
    """Least of load²/capacity − price·load over the loads that whole cases can make, by case manager."""
    able = instance.capacity > 0
    capacity = np.where(able, instance.capacity, 1).astype(np.float64)
    unit = float(minute_unit(instance))
    most = np.floor(instance.free / unit) * unit
    wished = np.clip(price * capacity / 2 - instance.before, 0.0, most)
    values = [
        (instance.before + extra) ** 2 / capacity - price * (instance.before + extra)
        for extra in (np.floor(wished / unit) * unit, np.minimum(np.ceil(wished / unit) * unit, most))
    ]
    return np.where(able, np.minimum(*values), -price * instance.before)


def minute_unit(instance: Instance) -> int:
    """Return the greatest number of minutes of which every case weight is a multiple.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.

    Returns
    -------
    int
        1 or more.
    """
    return max(int(np.gcd.reduce(instance.weight[instance.allowed], initial=0)), 1)


def cuts_at(instance: Instance, load: Numbers, steps: tuple[int, ...]) -> tuple[Cut, ...]:
    """Return lines below load²/capacity that touch it at the loads nearest to those given.

    Loads are whole numbers of the minute unit above what is in use, so a chord between two neighbouring loads lies
    below the curve at every load there is, and is exact at both.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    load : numpy.ndarray of float, shape (m,)
        Loads of interest.
    steps : tuple of int
        How many units away from them to place chords as well; 0 is the chord that begins at the load.

    Returns
    -------
    tuple of Cut
        One per step.
    """
    unit = float(minute_unit(instance))
    able = instance.capacity > 0
    capacity = np.where(able, instance.capacity, 1).astype(np.float64)
    base = np.floor((load - instance.before) / unit + 1e-9)
    cuts = []
    for step in steps:
        left = instance.before + np.maximum(base + step, 0.0) * unit
        right = left + unit
        cuts.append(Cut(np.where(able, (left + right) / capacity, 0.0), np.where(able, left * right / capacity, 0.0)))
    return tuple(cuts)
