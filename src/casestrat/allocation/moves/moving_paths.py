"""Chains of moves: how many moves of the budget it takes until somebody can have one more case of some minutes.

Who has room takes it at once. Who has not hands a case on, heavy enough, to somebody who can have that one, and so on.
The least number of moves is worked out for every case manager and every number of minutes together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.allocation.moves.moving import State

    Flags: TypeAlias = NDArray[np.bool_]
    Numbers: TypeAlias = NDArray[np.float64]
    Wholes: TypeAlias = NDArray[np.int64]

_LONGEST = 4  # cases handed on, one after the other


class Paths:
    """Chains of moves from a state.

    Parameters
    ----------
    state : State
        Who has each case.
    limit : numpy.ndarray of float, optional
        Most minutes of each case manager, where less than there are.
    """

    def __init__(self, state: State, limit: Numbers | None = None) -> None:
        moving, instance = state.moving, state.moving.instance
        self.state = state
        self.limit = moving.limit.astype(np.float64) if limit is None else np.minimum(limit, moving.limit)
        can_move = np.flatnonzero((moving.is_movable | moving.is_forced) & (state.plan >= 0))
        price = (~moving.is_forced & (state.plan == moving.home))[can_move].astype(np.int64)
        keys = np.stack([state.plan[can_move], instance.group[can_move], price], axis=1)
        _, first = np.unique(keys, axis=0, return_index=True)  # one of those alike
        self.cases, self.price = can_move[first], price[first]
        self.holder, self.group = state.plan[self.cases], instance.group[self.cases]
        self.open_to = instance.allowed[self.group] & ~moving.is_closed
        self.open_to[np.arange(len(self.cases)), self.holder] = False
        self.sizes, self.size_of = np.unique(moving.minutes[self.cases], return_inverse=True)
        self.rounds = [self._at_once()]
        for _ in range(_LONGEST - 1):
            self.rounds.append(self._one_more(self.rounds[-1]))

    def _lack(self, minutes: int) -> Numbers:
        """Minutes that each lacks for a case of so many."""
        return np.asarray(self.state.load + minutes - self.limit, dtype=np.float64)

    def _at_once(self) -> Numbers:
        """0 where a case of that size fits without any other move, else infinite, shape (m, sizes)."""
        moving = self.state.moving
        has_place = (self.state.count < moving.places) & ~moving.is_closed
        fits = [has_place & (self._lack(int(size)) <= 0) for size in self.sizes]
        return np.where(np.array(fits).reshape(len(self.sizes), len(has_place)).T, 0.0, np.inf)

    def onward(self, before: Numbers) -> Numbers:
        """Count the moves that it takes to hand on each case to each other case manager, shape (cases, m)."""
        after: Numbers = np.where(self.open_to, before.T[self.size_of], np.inf) + self.price[:, None]
        return after

    def _one_more(self, before: Numbers) -> Numbers:
        """Count the moves that it takes where one case more may be handed on."""
        least = self.onward(before).min(axis=1, initial=np.inf)
        now = before.copy()
        for column, size in enumerate(self.sizes):
            enough = self.state.moving.minutes[self.cases] >= self._lack(int(size))[self.holder]
            np.minimum.at(now[:, column], self.holder[enough], least[enough])
        now[self.state.moving.is_closed] = np.inf
        return now

    def moves_for(self, minutes: int) -> Numbers:
        """Count the moves that it takes until each case manager can have a case of so many minutes."""
        at = np.flatnonzero(self.sizes == minutes)
        if len(at):
            return np.asarray(self.rounds[-1][:, at[0]], dtype=np.float64)
        has_place = (self.state.count < self.state.moving.places) & ~self.state.moving.is_closed
        return np.where(has_place & (self._lack(minutes) <= 0), 0.0, np.inf)

    def chain(self, case: int, manager: int) -> list[tuple[int, int]]:
        """Return the moves that bring a case to somebody, the last to be made first."""
        moves, minutes = [(case, manager)], int(self.state.moving.minutes[case])
        for depth in range(_LONGEST - 1, 0, -1):
            at = np.flatnonzero(self.sizes == minutes)
            if not len(at) or self.rounds[0][manager, at[0]] == 0:
                break
            ways = self.onward(self.rounds[depth - 1])
            mine = (self.holder == manager) & (self.state.moving.minutes[self.cases] >= self._lack(minutes)[manager])
            mine &= ~np.isin(self.cases, [one for one, _ in moves])
            if not mine.any():
                break
            rows = np.flatnonzero(mine)
            row, to = np.unravel_index(int(np.argmin(ways[rows])), ways[rows].shape)
            other, manager = int(self.cases[rows[row]]), int(to)
            moves.append((other, manager))
            minutes = int(self.state.moving.minutes[other])
        return moves


def follow(state: State, moves: list[tuple[int, int]]) -> State | None:
    """Return the state after a chain of moves, the last made first, or None where one of them does not fit.

    Parameters
    ----------
    state : State
        Before.
    moves : list of (int, int)
        Case and case manager.

    Returns
    -------
    State or None
        Another state.
    """
    after = state.copy()
    for case, manager in moves[::-1]:
        if not after.has_room(np.array([case]), np.array([manager]))[0]:
            return None
        after.put(case, manager)
    return after


def filled(state: State, spare: int, *, lightest: bool = False) -> State | None:
    """Return the state after those who are left were placed, within some moves; None where nobody can be.

    Parameters
    ----------
    state : State
        Before.
    spare : int
        Most voluntary moves.
    lightest : bool, optional
        Whether priority counts by the minute, so that light cases come before heavy ones; else the most urgent do.

    Returns
    -------
    State or None
        Another state.
    """
    instance, moving = state.moving.instance, state.moving
    weight = instance.priority / np.maximum(moving.minutes, 1) if lightest else instance.priority
    most, found = len(state.away) + spare, False
    tried: set[int] = set()
    while True:
        left = np.flatnonzero((state.plan < 0) & ~instance.hopeless)
        left = left[~np.isin(left, list(tried))]
        if not len(left):
            return state if found else None
        paths = Paths(state)
        order = left[np.argsort(-weight[left], kind="stable")]
        after = _first_placed(state, paths, order, most, tried)
        if after is None:
            return state if found else None
        state, found = after, True
        tried = set() if moving.is_forced.any() else tried


def _first_placed(state: State, paths: Paths, order: Wholes, most: int, tried: set[int]) -> State | None:
    """Place the first of these cases who can be; note those who cannot."""
    instance = state.moving.instance
    for case in order.tolist():
        cost = np.where(
            instance.allowed[instance.group[case]], paths.moves_for(int(state.moving.minutes[case])), np.inf
        )
        cost = np.where(state.moving.is_closed, np.inf, cost)
        for manager in np.argsort(cost, kind="stable")[:3].tolist():
            if cost[manager] <= most - len(state.away):
                after = follow(state, paths.chain(case, manager))
                if after is not None and len(after.away) <= most:
                    return after
        tried.add(case)
    return None


def lowered(state: State, spare: int) -> list[State]:
    """Return states in which one of the busiest has handed a case on, by a chain that stays below the peak.

    Parameters
    ----------
    state : State
        Before.
    spare : int
        Most voluntary moves.

    Returns
    -------
    list of State
        One per number of minutes that can be handed on.
    """
    moving, capacity = state.moving, state.moving.instance.capacity
    use = np.where(capacity > 0, state.load / np.maximum(capacity, 1), 0.0)
    peak, a = float(use.max(initial=0.0)), int(np.argmax(use))
    below = np.where(capacity > 0, peak * capacity * (1 - 1e-12) - 1e-6, np.inf)
    paths = Paths(state, below)
    ways = paths.onward(paths.rounds[-1])
    mine = np.flatnonzero(paths.holder == a)
    cost = ways[mine].min(axis=1, initial=np.inf)
    fine = np.flatnonzero(cost <= spare)
    order = fine[np.lexsort((cost[fine], moving.minutes[paths.cases[mine[fine]]]))]
    _, first = np.unique(moving.minutes[paths.cases[mine[order]]], return_index=True)
    found = []
    for row in mine[order[first]].tolist():
        after = follow(state, paths.chain(int(paths.cases[row]), int(np.argmin(ways[row]))))
        if after is not None and len(after.away) <= len(state.away) + spare:
            found.append(after)
    return found
