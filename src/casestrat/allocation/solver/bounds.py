"""What no plan can beat: a valid lower bound on each level, at every size, so that the gap is always known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from casestrat.allocation.problem.objective import FIT, SQUARES, UNASSIGNED
from casestrat.allocation.solver.relaxation import Limits, Prices, bound_of, least_of_classes, minute_unit, tranches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.allocation.problem.instance import Instance

    Flags: TypeAlias = NDArray[np.bool_]
    Numbers: TypeAlias = NDArray[np.float64]
    Wholes: TypeAlias = NDArray[np.int64]

TOLERANCE = 1e-7  # relative: differences below it are rounding
_MANY_LOADS = 2_000_000  # loads compared at once when a utilisation is tightened
_NEARNESS = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, np.inf)  # how even case managers are to be taken as one block


def forced_left(instance: Instance) -> float:
    """Return the summed priority of the cases that nobody may follow: no plan leaves less.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.

    Returns
    -------
    float
        A bound on level 1.
    """
    return float(instance.priority[instance.hopeless].sum())


def rounded_up(instance: Instance, level: str, bound: float) -> float:
    """Return the bound raised to the next value that a plan can have, where values are whole numbers.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    level : str
        Level of the bound.
    bound : float
        A valid bound.

    Returns
    -------
    float
        A valid bound, no smaller.
    """
    is_whole = {
        UNASSIGNED: bool(np.all(instance.priority == np.round(instance.priority))),
        FIT: instance.has_whole_costs,
    }.get(level, False)
    raised = float(np.ceil(bound - max(1e-6, TOLERANCE * abs(bound)))) if is_whole and np.isfinite(bound) else bound
    return _as_sum(instance, raised) if level == UNASSIGNED else raised


def _as_sum(instance: Instance, bound: float) -> float:
    """Raise a bound on level 1 to what leaving out whole cases can come to: none, one, or two and more."""
    forced = forced_left(instance)
    able = instance.priority[~instance.hopeless]
    beyond = bound - forced
    if beyond <= TOLERANCE * max(forced, 1.0) or not len(able) or beyond > 2 * able.min():
        return bound
    one = float(np.min(able[able >= beyond * (1 - TOLERANCE)], initial=np.inf))
    return forced + min(one, 2 * float(able.min()))


def blocks(instance: Instance, plan: Wholes, nearness: float) -> Wholes:
    """Return the block of each case manager: those nearly as busy, joined by cases that could change hands.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    plan : numpy.ndarray of int, shape (n,)
        Case manager of each case, -1 for nobody.
    nearness : float
        Greatest difference in utilisation that joins two case managers.

    Returns
    -------
    numpy.ndarray of int, shape (m,)
        Number of the block.
    """
    use = instance.loads(plan) / np.maximum(instance.capacity, 1)
    groups, managers = np.nonzero(instance.allowed)
    starts = np.searchsorted(groups, np.arange(len(instance.allowed) + 1))
    placed = plan >= 0
    held = np.unique(instance.group[placed] * instance.m + plan[placed])  # pairs that have a case
    group, holder = np.divmod(held, max(instance.m, 1))
    able = starts[group + 1] - starts[group]
    holders = np.repeat(holder, able)
    others = managers[np.arange(int(able.sum())) + np.repeat(starts[group] - (np.cumsum(able) - able), able)]
    joined = np.abs(use[holders] - use[others]) <= nearness
    links = coo_array((np.ones(int(joined.sum())), (holders[joined], others[joined])), shape=(instance.m, instance.m))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)


def level_use(instance: Instance, plan: Wholes, nearness: float) -> Numbers:
    """Return the utilisation that each case manager would have were each block of the plan perfectly even.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    plan : numpy.ndarray of int, shape (n,)
        Case manager of each case, -1 for nobody.
    nearness : float
        As for :func:`blocks`.

    Returns
    -------
    numpy.ndarray of float, shape (m,)
        Shares.
    """
    block = blocks(instance, plan, nearness)
    load = np.bincount(block, weights=instance.loads(plan).astype(np.float64))
    room = np.bincount(block, weights=instance.capacity.astype(np.float64))
    return (load / np.maximum(room, 1.0))[block]


def utilisation_bound(instance: Instance, plan: Wholes, left: float, prices: Prices | None) -> float:
    """Return a bound on the largest utilisation, from sets of case managers who must share what only they can do.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    plan : numpy.ndarray of int, shape (n,)
        A good plan; it suggests the sets.
    left : float
        Summed priority that may stay unassigned beyond the hopeless cases.
    prices : Prices or None
        Prices of the class relaxation, which suggest one more set.

    Returns
    -------
    float
        No plan within level 1's value has a smaller largest utilisation.
    """
    able = instance.capacity > 0
    bound = float(np.max(instance.before[able] / instance.capacity[able], initial=0.0))
    seen: set[bytes] = set()
    demand = _demand(instance)
    for among in _suggested_sets(instance, plan, prices):
        key = np.packbits(among).tobytes()
        if key not in seen:
            seen.add(key)
            bound = max(bound, _shared_use(instance, demand, among & able, left))
    return bound


def _suggested_sets(instance: Instance, plan: Wholes, prices: Prices | None) -> list[Flags]:
    """List sets of case managers that may be the tightest: the busiest blocks, and those with a price."""
    sets = [np.ones(instance.m, dtype=bool)]
    if prices is not None and prices.minutes.any():
        sets.append(prices.minutes > 1e-9 * prices.minutes.max())
    for nearness in _NEARNESS:
        use = level_use(instance, plan, nearness)
        for share in np.unique(use)[::-1][:50]:
            sets.append(use >= share)
    return sets


class _Demand(NamedTuple):
    """What a problem asks of sets of case managers: its pairs, and its cases of one class and priority."""

    groups: Wholes
    managers: Wholes
    kind_group: Wholes
    kind_minutes: Numbers
    kind_priority: Numbers
    kind_number: Wholes


def _demand(instance: Instance) -> _Demand:
    """Look up once what is asked of every set."""
    groups, managers = np.nonzero(instance.allowed)
    least = least_of_classes(groups, instance.weight[groups, managers].astype(np.float64), len(instance.allowed))
    kind_group, kind_priority, kind_number = tranches(instance)
    return _Demand(groups, managers, kind_group, least[kind_group], kind_priority, kind_number)


def _shared_use(instance: Instance, demand_of: _Demand, among: Flags, left: float) -> float:
    """Largest utilisation that a set cannot avoid: its own cases, dealt out in the smallest steps there are."""
    own = np.zeros(len(instance.allowed), dtype=bool)
    own[demand_of.groups] = True
    own[demand_of.groups[~among[demand_of.managers]]] = False
    inside = own[demand_of.kind_group]
    minutes, number = demand_of.kind_minutes[inside], demand_of.kind_number[inside]
    demand = float((minutes * number).sum())
    demand -= _most_left(minutes, demand_of.kind_priority[inside], number, left)
    unit = minute_unit(instance)
    steps = int(np.ceil(demand / unit - 1e-6))
    capacity, before = instance.capacity[among], instance.before[among]
    room = instance.free[among] // unit
    if steps <= 0 or not len(capacity):
        return 0.0
    plain = (steps * unit + float(before.sum())) / float(capacity.sum())
    if room.sum() > _MANY_LOADS or steps > room.sum():
        return plain
    owner = np.repeat(np.arange(len(room)), room)
    nth = np.arange(len(owner)) - np.repeat(np.cumsum(room) - room, room) + 1
    reached = (before[owner] + unit * nth) / capacity[owner]
    return max(plain, float(np.partition(reached, steps - 1)[steps - 1]))


def _most_left(value: Numbers, priority: Numbers, number: Wholes, left: float) -> float:
    """Most value that can be left out within a summed priority, fractions allowed (so a bound)."""
    if left <= 0 or not len(value):
        return 0.0
    order = np.argsort(-(value / priority), kind="stable")
    weight = (priority * number)[order]
    before = np.cumsum(weight) - weight
    share = np.clip((left - before) / weight, 0.0, 1.0)
    return float((share * (value * number)[order]).sum())


def squares_bound(instance: Instance, plan: Wholes, limits: Limits) -> float:
    """Return a bound on Σ capacity · utilisation², from the marginal costs of even blocks.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    plan : numpy.ndarray of int, shape (n,)
        A good plan; it suggests the prices.
    limits : Limits
        What earlier levels have settled.

    Returns
    -------
    float
        No plan inside the limits has a smaller sum.
    """
    best = 0.0
    for nearness in _NEARNESS:
        use = level_use(instance, plan, nearness)
        price = 2 * use
        left = 0.0
        if limits.left:  # the dearest minutes are left out first; their price a unit of priority
            groups, managers = np.nonzero(instance.allowed)
            asked = price[managers] * instance.weight[groups, managers]
            cheapest = least_of_classes(groups, asked, len(instance.allowed))
            kind_group, kind_priority, kind_number = tranches(instance)
            left = _marginal(cheapest[kind_group], kind_priority, kind_number, limits.left)
        best = max(best, bound_of(instance, SQUARES, limits, Prices(price, np.zeros(instance.m), left)))
    return best


def _marginal(value: Numbers, priority: Numbers, number: Wholes, left: float) -> float:
    """Value per unit of priority at which the priority that may be left out is used up."""
    order = np.argsort(-(value / priority), kind="stable")
    used = np.cumsum((priority * number)[order])
    at = min(int(np.searchsorted(used, left)), len(order) - 1)
    return float((value / priority)[order[at]])


def with_left_price(instance: Instance, limits: Limits, prices: Prices) -> Prices:
    """Return prices of level 3 with the price at which the priority that may be left over is used up.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    limits : Limits
        What earlier levels have settled.
    prices : Prices
        Prices of the relaxation of the cases that are placed.

    Returns
    -------
    Prices
        The same where nobody may be left over.
    """
    if not limits.left:
        return prices
    groups, managers = np.nonzero(instance.allowed)
    asked = instance.weight[groups, managers] * prices.minutes[managers] + prices.slots[managers]
    cheapest = least_of_classes(groups, asked + instance.cost[groups, managers], len(instance.allowed))
    kind_group, kind_priority, kind_number = tranches(instance)
    return replace(prices, left=_marginal(cheapest[kind_group], kind_priority, kind_number, limits.left))


def relaxed_bound(instance: Instance, level: str, limits: Limits, prices: Prices | None) -> float:
    """Return the bound that the relaxation's prices prove, raised to a whole value where values are whole.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    level : str
        One of the four levels.
    limits : Limits
        What earlier levels have settled.
    prices : Prices or None
        Prices of the class relaxation; None: the bound that needs none.

    Returns
    -------
    float
        A valid bound.
    """
    nothing = Prices(np.zeros(instance.m), np.zeros(instance.m))
    candidates = [bound_of(instance, level, limits, priced) for priced in (nothing, prices) if priced is not None]
    hopeless = forced_left(instance) if level == UNASSIGNED else 0.0
    finite = [value for value in candidates if np.isfinite(value)]
    return rounded_up(instance, level, hopeless + max(finite, default=0.0))


def is_closed(value: float, bound: float) -> bool:
    """Return whether a value meets its bound, but for rounding.

    Parameters
    ----------
    value, bound : float
        Of one level.

    Returns
    -------
    bool
        True where no plan can be better.
    """
    return value <= bound + TOLERANCE * max(abs(value), abs(bound), 1e-9) + 1e-9
