"""Level 3 by search: from the fractions of the class relaxation to a plan, then cases are moved and swapped to fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from casestrat.allocation.problem.objective import UNASSIGNED
from casestrat.allocation.solver.draft import NOBODY, Draft
from casestrat.allocation.solver.exact import spread
from casestrat.allocation.solver.search import make_room, shift_or_exchange

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.allocation.solver.relaxation import CountModel, Fractions, Limits

    Flags: TypeAlias = NDArray[np.bool_]
    Numbers: TypeAlias = NDArray[np.float64]
    Wholes: TypeAlias = NDArray[np.int64]

_EASE = 1e-9
_SWEEPS = 60


def rounded(model: CountModel, fractions: Fractions) -> Wholes:
    """Return a plan near the fractions: their whole parts, then each case left over where its priced cost is least.

    Parameters
    ----------
    model : CountModel
        The model whose relaxation was solved.
    fractions : Fractions
        Its optimum.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        Case manager of each case, -1 for nobody; it may leave cases over that a better plan would not.
    """
    instance = model.instance
    draft = Draft(instance, spread(model, np.floor(fractions.counts + 1e-6).astype(np.int64)), model.limits.load)
    priced = instance.cost + fractions.prices.minutes * instance.weight + fractions.prices.slots
    left = np.flatnonzero((draft.plan == NOBODY) & ~instance.hopeless)
    least = np.where(instance.allowed, instance.weight, np.iinfo(np.int64).max).min(axis=1, initial=2**40)
    first = -instance.priority[left] if model.level == UNASSIGNED else -least[instance.group[left]]
    for case in left[np.lexsort((-instance.priority[left], first))]:
        group = instance.group[case]
        takers = draft.takers(int(case))
        if len(takers):
            draft.put(int(case), int(takers[np.argmin(priced[group, takers])]))
        else:
            shift_or_exchange(draft, int(case))
    return make_room(draft) if model.level == UNASSIGNED else draft.plan


def descend(draft: Draft, limits: Limits) -> Wholes:
    """Return the plan after cases were moved, and swapped in twos, for as long as that lowers the cost.

    Parameters
    ----------
    draft : Draft
        A plan within the limits; changed in place.
    limits : Limits
        What earlier levels have settled.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        A plan within the limits, no dearer.
    """
    instance = draft.instance
    cheapest = np.where(instance.allowed, instance.cost, np.inf).min(axis=1, initial=np.inf)
    for _ in range(_SWEEPS):
        improved = False
        placed = np.flatnonzero(draft.plan >= 0)
        regret = instance.cost[instance.group[placed], draft.plan[placed]] - cheapest[instance.group[placed]]
        regretful = placed[regret > _EASE]
        for case in regretful[np.argsort(-regret[regret > _EASE], kind="stable")]:
            improved |= _move(draft, int(case), limits) or _swap(draft, int(case), limits)
        if not improved:
            break
    return draft.plan


def _squares_kept(draft: Draft, limits: Limits, a: int, load_a: Wholes, b: Wholes, load_b: Wholes) -> Flags:
    """Whether the squares stay within their limit when a and each b get new loads."""
    if limits.squares is None:
        return np.ones(len(b), dtype=bool)
    capacity = np.maximum(draft.instance.capacity, 1).astype(np.float64)
    slack = limits.squares - float((draft.load**2.0 / capacity)[draft.instance.capacity > 0].sum())
    change = (load_a**2.0 - draft.load[a] ** 2.0) / capacity[a] + (load_b**2.0 - draft.load[b] ** 2.0) / capacity[b]
    return np.asarray(change <= slack + _EASE, dtype=bool)


def _move(draft: Draft, case: int, limits: Limits) -> bool:
    """Move a case to the cheapest case manager who has room."""
    instance = draft.instance
    group, a = instance.group[case], int(draft.plan[case])
    takers = draft.takers(case)
    takers = takers[instance.cost[group, takers] < instance.cost[group, a] - _EASE]
    load_a = np.full(len(takers), draft.load[a] - instance.weight[group, a])
    kept = _squares_kept(draft, limits, a, load_a, takers, draft.load[takers] + instance.weight[group, takers])
    takers = takers[kept]
    if not len(takers):
        return False
    draft.put(case, int(takers[np.argmin(instance.cost[group, takers])]))
    return True


def _swap(draft: Draft, case: int, limits: Limits) -> bool:
    """Swap a case with the one whose exchange saves the most."""
    instance = draft.instance
    g, a = instance.group[case], int(draft.plan[case])
    others = np.flatnonzero((draft.plan >= 0) & (draft.plan != a))
    h, b = instance.group[others], draft.plan[others]
    others = others[instance.allowed[g, b] & instance.allowed[h, a] & draft.swaps_sorts(case, others)]
    h, b = instance.group[others], draft.plan[others]
    gain = instance.cost[g, a] - instance.cost[g, b] + instance.cost[h, b] - instance.cost[h, a]
    load_a = draft.load[a] - instance.weight[g, a] + instance.weight[h, a]
    load_b = draft.load[b] + instance.weight[g, b] - instance.weight[h, b]
    fits = (gain > _EASE) & (load_a <= draft.limit[a]) & (load_b <= draft.limit[b])
    fits &= _squares_kept(draft, limits, a, load_a, b, load_b)
    if not fits.any():
        return False
    best = int(np.argmax(np.where(fits, gain, -np.inf)))
    manager = int(b[best])
    draft.put(int(others[best]), a)
    draft.put(case, manager)
    return True
