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
    return any(replaced(draft, case, int(manager)) for manager in able)


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
        price, is_changed = Price(draft), False
        for case in left[np.argsort(-instance.priority[left], kind="stable")].tolist():
            moved = next(filter(None, (replaced(draft, case, manager) for manager in price.affordable(case))), [])
            price.lower(moved)
            is_changed |= bool(moved)
        if not is_changed:
            break
    return draft.plan


class Price:
    """What a place with each case manager costs at least, in priority: nearly nobody has a place that is cheap enough.

    Cases taken away free the minutes needed, so they cost at least so many times the least priority a minute; and at
    least the least priority. Cases that leave only raise a price, so that one that is not raised still is a bound.

    Parameters
    ----------
    draft : Draft
        The plan under work.
    """

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.least = np.full(draft.instance.m, np.inf)  # priority of the least of the cases held
        self.a_minute = np.full(draft.instance.m, np.inf)
        self.lower(np.flatnonzero(draft.plan != NOBODY))

    def lower(self, cases: Wholes | list[int]) -> None:
        """Let prices fall to those of cases that came."""
        instance = self.draft.instance
        cases = np.asarray(cases, dtype=np.int64)
        cases = cases[self.draft.plan[cases] != NOBODY]
        manager = self.draft.plan[cases]
        minutes = np.maximum(instance.weight[instance.group[cases], manager], 1)
        np.minimum.at(self.least, manager, instance.priority[cases])
        np.minimum.at(self.a_minute, manager, instance.priority[cases] / minutes)

    def affordable(self, case: int) -> list[int]:
        """Return the case managers allowed the case with whom a place may cost less than its priority."""
        draft, instance = self.draft, self.draft.instance
        group = instance.group[case]
        needed = np.maximum(draft.load + instance.weight[group] - draft.limit, 0)
        minutes = np.where(needed > 0, self.a_minute * np.maximum(needed, 1), 0.0)
        is_cheap = np.maximum(minutes, self.least) < instance.priority[case] + _EASE
        has_room = (needed == 0) & (draft.places > 0)
        return np.flatnonzero(instance.allowed[group] & (has_room | is_cheap)).tolist()


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


def replaced(draft: Draft, case: int, manager: int) -> list[int]:
    """Take cases of less summed priority away, the least worth keeping first, so that this one fits.

    Parameters
    ----------
    draft : Draft
        The plan; changed in place.
    case : int
        The case, with nobody.
    manager : int
        Who is to have it.

    Returns
    -------
    list of int
        All cases that moved, this one first; empty where it does not fit so.
    """
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
            return []
    if freed < needed or (short_of_places and not gone):
        return []
    for other in gone:
        draft.put(other, NOBODY)
    draft.put(case, manager)
    for other in sorted(gone, key=lambda row: -instance.priority[row]):
        takers = draft.takers(other)
        if len(takers):
            draft.put(other, draft.least_loaded(other, takers))
    return [case, *gone]
