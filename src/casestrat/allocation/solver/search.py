"""Plans by construction: scarce cases first, each to the case manager who is least loaded; then room is made.

Everything is counted in steps, never in seconds, so that the same problem gives the same plan on every machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from casestrat.allocation.solver.draft import NOBODY, Draft, hard_limit
from casestrat.allocation.solver.exchange import make, roomiest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.allocation.problem.instance import Instance

    Numbers: TypeAlias = NDArray[np.float64]
    Wholes: TypeAlias = NDArray[np.int64]

_EASE = 1e-9
_PARTNERS = 12  # case managers asked for an exchange, the roomiest first
_REPLACEMENTS = 8  # rounds over all who are left over
_ATTEMPTS = 60_000  # of making room, for all who are left over: far more than a service of 2,000 cases needs


def construct(instance: Instance, *, by_priority: bool, makes_room: bool = True) -> Wholes:
    """Return a first plan: cases in order of scarcity (or of priority), each to the least loaded who can take it.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    by_priority : bool
        Whether priority comes before scarcity, for when not everyone can be placed.
    makes_room : bool, optional
        Whether each case left over is tried again.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        Case manager of each case, -1 for nobody.
    """
    choices = instance.allowed.sum(axis=1)[instance.group]
    least = np.where(instance.allowed, instance.weight, np.iinfo(np.int64).max).min(axis=1, initial=2**40)
    size = least[instance.group]
    value = -instance.priority / np.maximum(size, 1) if by_priority else np.zeros(instance.n)
    draft = Draft(instance, np.full(instance.n, NOBODY), hard_limit(instance))
    for case in np.lexsort((-instance.priority, -size, choices, value)):
        takers = draft.takers(case)
        if len(takers):
            draft.put(case, draft.least_loaded(case, takers))
    return make_room(draft) if makes_room else draft.plan


def make_room(draft: Draft) -> Wholes:
    """Return the plan after each case left over was tried again: by moving one case away, or replacing lesser ones.

    Parameters
    ----------
    draft : Draft
        A plan within its limits.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        A plan whose level 1 is no worse.
    """
    instance = draft.instance
    for _ in range(3):
        before = instance.unassigned_value(draft.plan)
        left = np.flatnonzero((draft.plan == NOBODY) & ~instance.hopeless)
        for case in left[np.argsort(-instance.priority[left], kind="stable")]:
            if draft.attempts >= _ATTEMPTS:
                break
            _place(draft, int(case))
        if draft.attempts >= _ATTEMPTS or instance.unassigned_value(draft.plan) >= before - _EASE:
            break
    return draft.plan


def _place(draft: Draft, case: int) -> bool:
    """Place one case: directly, by a shift or an exchange of others, or in place of lesser ones."""
    takers = draft.takers(case)
    if len(takers):
        draft.put(case, draft.least_loaded(case, takers))
        return True
    if shift_or_exchange(draft, case):
        return True
    instance = draft.instance
    able = np.flatnonzero(instance.allowed[instance.group[case]])
    return any(_replace(draft, case, int(manager)) for manager in able)


def replace_lesser(draft: Draft) -> Wholes:
    """Return the plan after cases left over took the place of lesser ones, again and again: quick at any size.

    Parameters
    ----------
    draft : Draft
        A plan within its limits.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        A plan whose level 1 is no worse.
    """
    instance = draft.instance
    for _ in range(_REPLACEMENTS):
        left = np.flatnonzero((draft.plan == NOBODY) & ~instance.hopeless)
        is_changed = False
        for case in left[np.argsort(-instance.priority[left], kind="stable")].tolist():
            able = np.flatnonzero(instance.allowed[instance.group[case]]).tolist()
            is_changed |= any(_replace(draft, case, manager) for manager in able)
        if not is_changed:
            break
    return draft.plan


def shift_or_exchange(draft: Draft, case: int) -> bool:
    """Place a case that nobody has room for, by a shift or an exchange of others.

    Parameters
    ----------
    draft : Draft
        The plan; changed in place.
    case : int
        The case.

    Returns
    -------
    bool
        Whether it was placed.
    """
    instance = draft.instance
    able = [int(manager) for manager in np.flatnonzero(instance.allowed[instance.group[case]])]
    if any(_shift_away(draft, case, manager) for manager in able):
        return True
    return instance.is_balanced and any(_exchange_away(draft, case, manager) for manager in able)


def _shift_away(draft: Draft, case: int, manager: int) -> bool:
    """Move one case of the manager to someone else, so that this one fits."""
    draft.attempts += 1
    instance = draft.instance
    needed = draft.load[manager] + instance.weight[instance.group[case], manager] - draft.limit[manager]
    held = np.flatnonzero(draft.plan == manager)
    held = held[draft.frees(held, draft.short_sorts(case, manager))]
    weights = instance.weight[instance.group[held], manager]
    for other in held[np.argsort(weights, kind="stable")]:
        if instance.weight[instance.group[other], manager] < needed:
            continue
        takers = draft.takers(int(other))
        takers = takers[takers != manager]
        if len(takers):
            draft.put(int(other), draft.least_loaded(int(other), takers))
            draft.put(case, manager)
            return True
    return False


def _exchange_away(draft: Draft, case: int, manager: int) -> bool:
    """Exchange cases between the manager and one other, so that this one fits."""
    draft.attempts += 1
    instance = draft.instance
    needed = int(draft.load[manager] + instance.weight[instance.group[case], manager] - draft.limit[manager])
    wanted = 1 if draft.places[manager] <= 0 else 0
    if len(draft.short_sorts(case, manager)):
        return False
    room = draft.limit - draft.load
    room[manager] = -1
    for other in np.argsort(-room, kind="stable")[:_PARTNERS]:
        if room[other] < needed:
            break
        if make(draft, roomiest(draft, manager, int(other), needed, wanted), manager, int(other)):
            draft.put(case, manager)
            return True
    return False


def _replace(draft: Draft, case: int, manager: int) -> bool:
    """Take cases of less summed priority away, the least worth keeping first, so that this one fits."""
    draft.attempts += 1
    instance = draft.instance
    needed = draft.load[manager] + instance.weight[instance.group[case], manager] - draft.limit[manager]
    short = draft.short_sorts(case, manager)
    held = np.flatnonzero(draft.plan == manager)
    held = held[draft.frees(held, short)]
    weights = instance.weight[instance.group[held], manager]
    short_of_places = draft.places[manager] <= 0 or len(short) > 0
    gone: list[int] = []
    freed, lost = 0, 0.0
    worth = instance.priority[held] / np.maximum(np.minimum(weights, max(needed, 1)), 1)
    for at in np.argsort(worth, kind="stable"):
        if freed >= needed and (gone or not short_of_places):
            break
        gone.append(int(held[at]))
        freed += int(weights[at])
        lost += float(instance.priority[held[at]])
        if lost >= instance.priority[case] - _EASE:
            return False
    if freed < needed or (short_of_places and not gone):
        return False
    for other in gone:
        draft.put(other, NOBODY)
    draft.put(case, manager)
    for other in sorted(gone, key=lambda row: -instance.priority[row]):
        takers = draft.takers(other)
        if len(takers):
            draft.put(other, draft.least_loaded(other, takers))
    return True
