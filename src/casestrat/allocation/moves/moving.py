"""Re-allocation by search: from who has each case now, under every budget of voluntary moves up to a greatest one.

A case that must change hands (its case manager leaves, is away, or it has none) may go to anybody the rules allow, and
counts for nothing. Any other case counts as one move while it is away from its case manager. Everything is counted in
steps, so that the same problem gives the same plan on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from casestrat.allocation.moves.moving_paths import filled, lowered
from casestrat.allocation.problem.objective import largest_utilisation, sum_of_squares

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from casestrat.allocation.problem.instance import Instance
    from casestrat.allocation.solver.clock import Deadline

    Flags: TypeAlias = NDArray[np.bool_]
    Numbers: TypeAlias = NDArray[np.float64]
    Wholes: TypeAlias = NDArray[np.int64]

_EASE = 1e-9
_FREE_STEPS = 400  # steps that cost no move, after each that does
_REPLACEMENTS = 6  # moves that are taken back for better ones, after each that is made


class Value(NamedTuple):
    """What a plan is worth, the first that differs counting: left over, largest utilisation, sum of squares."""

    left: float
    peak: float
    squares: float

    def is_below(self, other: Value) -> bool:
        """Whether this is better than another value, by more than rounding."""
        for mine, theirs in zip(self, other, strict=True):
            if abs(mine - theirs) > _EASE * max(abs(theirs), 1.0):
                return mine < theirs
        return False


@dataclass(frozen=True, slots=True, eq=False)
class Moving:
    """What may move: the arrays of the problem, who has each case (-1: nobody), and what each case is."""

    instance: Instance
    home: Wholes  # (n,) present case manager, -1 where the case must change hands or has nobody
    is_movable: Flags  # (n,) may move as one of the budget
    limit: Wholes  # (m,) most minutes of each
    places: Wholes  # (m,) most cases of each
    is_closed: Flags  # (m,) has too much already, and gets nothing more

    @property
    def is_forced(self) -> Flags:
        """True for the cases that must change hands."""
        return self.home < 0

    @property
    def minutes(self) -> Wholes:
        """Minutes a week of each case; the same with everybody."""
        return self.instance.weight[self.instance.group, 0] if self.instance.m else np.zeros(0, dtype=np.int64)


class State:
    """Who has each case, and what this uses up."""

    def __init__(self, moving: Moving, plan: Wholes) -> None:
        instance = moving.instance
        self.moving, self.plan = moving, plan.copy()
        self.load, self.count = instance.loads(plan), instance.counts(plan)
        self.mix = None if instance.mix is None else instance.mix.left(instance.group, plan)

    def copy(self) -> State:
        """Return the same state, to be changed on its own."""
        other = object.__new__(State)
        other.moving = self.moving
        other.plan, other.load, other.count = self.plan.copy(), self.load.copy(), self.count.copy()
        other.mix = None if self.mix is None else self.mix.copy()
        return other

    def put(self, case: int, manager: int) -> None:
        """Give a case to somebody."""
        minutes, old = self.moving.minutes[case], int(self.plan[case])
        if old >= 0:
            self._use(case, old, -minutes, -1)
        if manager >= 0:
            self._use(case, manager, minutes, 1)
        self.plan[case] = manager

    def _use(self, case: int, manager: int, minutes: int, number: int) -> None:
        """Count a case in, or out."""
        self.load[manager] += minutes
        self.count[manager] += number
        mix = self.moving.instance.mix
        if self.mix is not None and mix is not None:
            self.mix[mix.counted[:, self.moving.instance.group[case]], manager] -= number

    def has_room(self, cases: Wholes, managers: Wholes) -> Flags:
        """Return which case managers have minutes, a place and, of that sort of case, room for one case more."""
        moving, mix = self.moving, self.moving.instance.mix
        fits = self.load[managers] + moving.minutes[cases] <= moving.limit[managers]
        fits &= self.count[managers] < moving.places[managers]
        if self.mix is not None and mix is not None:
            fits &= ~(mix.counted[:, moving.instance.group[cases]] & (self.mix[:, managers] <= 0)).any(axis=0)
        return np.asarray(fits, dtype=bool)

    @property
    def away(self) -> Wholes:
        """Cases that are away from their case manager as moves of the budget."""
        return np.flatnonzero(~self.moving.is_forced & (self.plan != self.moving.home))

    def value(self) -> Value:
        """Return what this is worth."""
        instance = self.moving.instance
        left = instance.unassigned_value(self.plan)
        return Value(
            left, largest_utilisation(self.load, instance.capacity), sum_of_squares(self.load, instance.capacity)
        )


class Steps(NamedTuple):
    """Single moves and what each brings: the two utilisations after it, and the change of the squares."""

    cases: Wholes
    targets: Wholes
    pair_peak: Numbers
    squares: Numbers
    cost: Numbers


class Mover:
    """Finds the best steps from a state.

    Parameters
    ----------
    moving : Moving
        What may move.
    """

    def __init__(self, moving: Moving) -> None:
        self.moving = moving
        instance = moving.instance
        cases = np.flatnonzero(moving.is_movable | moving.is_forced)
        at, self._targets = np.nonzero(instance.allowed[instance.group[cases]] & ~moving.is_closed)
        self._cases = cases[at]
        self.minutes = moving.minutes.astype(np.float64)
        self._capacity = np.maximum(instance.capacity, 1).astype(np.float64)
        self._able = instance.capacity > 0

    def steps(self, state: State, chosen: Flags | None = None, cases: Wholes | None = None) -> Steps:
        """Return the single moves that keep every limit: of the cases chosen, or of the few that are listed."""
        if cases is None:
            mask = state.plan[self._cases] >= 0
            mask &= state.plan[self._cases] != self._targets
            if chosen is not None:
                mask &= chosen[self._cases]
            who, targets = self._cases[mask], self._targets[mask]
        else:
            who, targets = self._of(state, cases)
        return self._priced(state, who, targets)

    def _of(self, state: State, cases: Wholes) -> tuple[Wholes, Wholes]:
        """Return the moves of a few cases, those home included."""
        instance, moving = self.moving.instance, self.moving
        open_to = instance.allowed[instance.group[cases]] & ~moving.is_closed
        has_home = moving.home[cases] >= 0
        open_to[np.flatnonzero(has_home), moving.home[cases[has_home]]] = True
        at, targets = np.nonzero(open_to)
        keep = (state.plan[cases[at]] != targets) & (state.plan[cases[at]] >= 0)
        return cases[at][keep], targets[keep].astype(np.int64)

    def _priced(self, state: State, cases: Wholes, targets: Wholes) -> Steps:
        """Work out what moves bring, and leave out those that break a limit."""
        moving, instance = self.moving, self.moving.instance
        is_back = (moving.home[cases] == targets) & moving.is_closed[targets]  # who gets nothing more can take back
        keep = state.has_room(cases, targets) | is_back
        cases, targets = cases[keep], targets[keep]
        own, minutes = state.plan[cases], self.minutes[cases]
        after_a, after_b = state.load[own] - minutes, state.load[targets] + minutes
        cap_a, cap_b = self._capacity[own], self._capacity[targets]
        use_a = np.where(self._able[own], after_a / cap_a, 0.0)
        use_b = np.where(self._able[targets], after_b / cap_b, 0.0)
        squares = np.where(self._able[own], (after_a**2 - state.load[own].astype(float) ** 2) / cap_a, 0.0)
        squares += np.where(self._able[targets], (after_b**2 - state.load[targets].astype(float) ** 2) / cap_b, 0.0)
        group = instance.group[cases]
        cost = instance.cost[group, targets] - instance.cost[group, own]
        return Steps(cases, targets, np.maximum(use_a, use_b), squares, cost)

    def peaks(self, state: State) -> Flags:
        """Return which case managers have the largest utilisation."""
        use = np.where(self._able, state.load / self._capacity, 0.0)
        return np.asarray(use >= use.max(initial=0.0) - 1e-12, dtype=bool)

    def lower_peak(self, state: State, peak: float, *, by_squares: bool, chosen: Flags) -> tuple[int, int] | None:
        """Return the move that takes a case from the busiest and leaves both below the peak, or None."""
        busiest = self.peaks(state)
        steps = self.steps(state, chosen & busiest[state.plan] & (state.plan >= 0))
        below = steps.pair_peak < peak * (1 - 1e-12) - 1e-12
        first = steps.squares if by_squares else steps.pair_peak
        return _least(steps, below, first, steps.squares)

    def even_out(self, steps: Steps, peak: float) -> tuple[int, int] | None:
        """Return the move that lowers the squares the most and leaves both within the peak, or None."""
        fine = (steps.pair_peak <= peak * (1 + 1e-12)) & (steps.squares < -1e-7)
        return _least(steps, fine, steps.squares, steps.cost)


def _least(steps: Steps, fine: Flags, first: Numbers, second: Numbers) -> tuple[int, int] | None:
    """Return the move with the least first number; then the least second, then the least cost, then the first."""
    at = np.flatnonzero(fine)
    if not len(at):
        return None
    for numbers in (first, second, steps.cost):
        least = numbers[at].min()
        at = at[numbers[at] <= least + _EASE * max(abs(least), 1.0)]
    return int(steps.cases[at[0]]), int(steps.targets[at[0]])


def search_frontier(moving: Moving, start: Wholes, most: int, deadline: Deadline) -> list[Wholes]:
    """Return the best plan found under each budget.

    Parameters
    ----------
    moving : Moving
        What may move.
    start : numpy.ndarray of int, shape (n,)
        A plan without a voluntary move.
    most : int
        The greatest budget.
    deadline : Deadline
        Moment at which the search stops in any case; the budgets after it get the last plan found.

    Returns
    -------
    list of numpy.ndarray
        One plan per budget, from 0 to the greatest; none is worse than the one before.
    """
    if not moving.instance.m:
        return [start] * (most + 1)
    mover, begun = Mover(moving), State(moving, start)
    fillings = (begun, filled(begun, 0), filled(begun, 0, lightest=True))
    states = [min((state for state in fillings if state is not None), key=lambda state: state.value())]
    _settle(mover, states[0])
    idle = 0
    for budget in range(1, most + 1):
        best = states[-1]
        for candidate in _candidates(mover, states, budget) if not deadline.is_over() else ():
            _settle(mover, candidate)
            if len(candidate.away) <= budget and candidate.value().is_below(best.value()):
                best = candidate
        idle = idle + 1 if best is states[-1] else 0
        if idle == 2:  # neither one move nor two bring anything: later budgets have the same plan
            return [*(state.plan for state in states), *[best.plan] * (most + 1 - budget)]
        states.append(best if idle else _with_better_moves(mover, best, deadline))
    return [state.plan for state in states]


def polished(moving: Moving, plan: Wholes, budget: int, deadline: Deadline) -> Wholes:
    """Return a plan after the moves that are left of its budget were made, and some were taken back for better ones.

    Parameters
    ----------
    moving : Moving
        What may move.
    plan : numpy.ndarray of int, shape (n,)
        A plan within the budget.
    budget : int
        Most voluntary moves.
    deadline : Deadline
        Moment at which to stop in any case.

    Returns
    -------
    numpy.ndarray of int
        A plan within the budget, no worse.
    """
    mover, state = Mover(moving), State(moving, plan)
    _settle(mover, state)
    for _ in range(budget - len(state.away)):
        peak = state.value().peak
        options = [state.copy() for _ in range(3)]
        found = list(_first_steps(mover, state, moving.is_movable | moving.is_forced))
        tried = [option for option, move in zip(options, found, strict=True) if move is not None]
        for option, move in zip(tried, [move for move in found if move is not None], strict=True):
            option.put(*move)
            _settle(mover, option)
        tried = [one for one in tried if len(one.away) <= budget and one.value().is_below(state.value())]
        if not tried or peak <= 0:
            break
        state = min(tried, key=lambda one: one.value())
    return _with_better_moves(mover, state, deadline).plan


def _candidates(mover: Mover, states: list[State], budget: int) -> Iterator[State]:
    """Try one move more than the plan before, or two more than the one before that."""
    moving, last = mover.moving, states[-1]
    for base in states[-3:]:
        spare = budget - len(base.away)
        if base.value().left > 0:
            fillings = (filled(base, spare), filled(base, spare, lightest=True))
            yield from (state for state in fillings if state is not None)
        yield from lowered(base, spare)
    spare = budget - len(last.away)
    at_home = moving.is_movable if spare >= 1 else np.zeros(len(moving.home), dtype=bool)
    chosen = at_home | moving.is_forced | (moving.is_movable & (last.plan != moving.home))
    for found in _first_steps(mover, last, chosen):
        if found is not None:
            candidate = last.copy()
            candidate.put(*found)
            yield candidate
    before = states[max(len(states) - 2, 0)]
    if budget >= 2:
        for state in (before, last) if spare >= 2 else (before,):
            swap = _swap_of_peak(mover, state)
            if swap is not None:
                candidate = state.copy()
                for move in swap:
                    candidate.put(*move)
                yield candidate


def _first_steps(mover: Mover, state: State, chosen: Flags) -> Iterator[tuple[int, int] | None]:
    """Give the moves worth trying from a state."""
    peak = state.value().peak
    yield mover.lower_peak(state, peak, by_squares=False, chosen=chosen)
    yield mover.lower_peak(state, peak, by_squares=True, chosen=chosen)
    yield mover.even_out(mover.steps(state, chosen), peak)


def _settle(mover: Mover, state: State) -> None:
    """Make the moves that cost nothing: of cases that must move anyhow, and of those that have moved."""
    moving = mover.moving
    for _ in range(_FREE_STEPS):
        free = np.flatnonzero(
            (moving.is_forced & (state.plan >= 0)) | (~moving.is_forced & (state.plan != moving.home))
        )
        steps = mover.steps(state, cases=free)
        peak = state.value().peak
        busiest = mover.peaks(state)[state.plan[steps.cases]]
        found = _least(steps, busiest & (steps.pair_peak < peak * (1 - 1e-12) - 1e-12), steps.pair_peak, steps.squares)
        found = mover.even_out(steps, peak) if found is None else found
        if found is None:
            return
        state.put(*found)


def _with_better_moves(mover: Mover, state: State, deadline: Deadline) -> State:
    """Take moves back for better ones, as long as that pays."""
    for _ in range(_REPLACEMENTS):
        better = None
        for case in state.away.tolist():
            if deadline.is_over():
                return state
            home = int(mover.moving.home[case])
            if not mover.moving.is_closed[home] and not state.has_room(np.array([case]), np.array([home]))[0]:
                continue
            back = state.copy()
            back.put(case, home)
            for found in _first_steps(mover, back, mover.moving.is_movable | mover.moving.is_forced):
                if found is None:
                    continue
                candidate = back.copy()
                candidate.put(*found)
                if len(candidate.away) <= len(state.away) and candidate.value().is_below((better or state).value()):
                    better = candidate
        if better is None:
            return state
        _settle(mover, better)
        state = better
    return state


def _swap_of_peak(mover: Mover, state: State) -> list[tuple[int, int]] | None:
    """Return the two moves by which one of the busiest and another exchange cases, and the peak falls the most."""
    peaks = np.flatnonzero(mover.peaks(state) & ~mover.moving.is_closed)
    swaps = [swap for a in peaks.tolist() if (swap := _best_swap(mover, state, a)) is not None]
    return min(swaps, key=lambda swap: swap[0])[1] if swaps else None


def _best_swap(mover: Mover, state: State, a: int) -> tuple[float, list[tuple[int, int]]] | None:
    """Return the exchange that leaves the busier of a and another the least busy, below what a was; or None."""
    moving, instance = mover.moving, mover.moving.instance
    capacity = np.maximum(instance.capacity, 1)
    best, found = float(state.load[a] / capacity[a]) * (1 - 1e-12) - 1e-12, None
    can_move = moving.is_movable | moving.is_forced
    out = np.flatnonzero(can_move & (state.plan == a))
    reach = instance.allowed[instance.group[out]].any(axis=0) if len(out) else np.zeros(instance.m, dtype=bool)
    for b in np.flatnonzero(reach & ~moving.is_closed & (instance.capacity > 0)).tolist():
        back = np.flatnonzero(can_move & (state.plan == b))
        give = out[instance.allowed[instance.group[out], b]]
        take = back[instance.allowed[instance.group[back], a]]
        if b == a or not len(give) or not len(take):
            continue
        net = moving.minutes[give][:, None] - moving.minutes[take][None, :]
        after = np.maximum((state.load[a] - net) / capacity[a], (state.load[b] + net) / capacity[b])
        fits = (state.load[b] + net <= moving.limit[b]) & (state.load[a] - net <= moving.limit[a])
        after = np.where(fits & _may_swap(state, give, a, take, b), after, np.inf)
        row, column = np.unravel_index(int(np.argmin(after)), after.shape)
        if after[row, column] < best:
            best, found = float(after[row, column]), [(int(give[row]), b), (int(take[column]), a)]
    return None if found is None else (best, found)


def _may_swap(state: State, give: Wholes, a: int, take: Wholes, b: int) -> Flags:
    """Whether two case managers can exchange each pair of cases within the limits on sorts of cases."""
    instance = state.moving.instance
    if instance.mix is None or state.mix is None:
        return np.ones((len(give), len(take)), dtype=bool)
    mine = instance.mix.counted[:, instance.group[give]][:, :, None]
    theirs = instance.mix.counted[:, instance.group[take]][:, None, :]
    here, there = state.mix[:, a][:, None, None], state.mix[:, b][:, None, None]
    breaks = (
        (theirs & ~mine & (here <= 0)) | (mine & ~theirs & (there <= 0)) | (mine & theirs & ((here < 0) | (there < 0)))
    )
    return np.asarray(~breaks.any(axis=0), dtype=bool)


def fit_by_swaps(moving: Moving, plan: Wholes) -> Wholes:
    """Return the plan after equally heavy cases that had to move anyhow were swapped for a better fit.

    Parameters
    ----------
    moving : Moving
        What may move.
    plan : numpy.ndarray of int, shape (n,)
        A plan; no load and no number of cases changes.

    Returns
    -------
    numpy.ndarray of int
        The plan, no dearer on level 3.
    """
    instance, plan = moving.instance, plan.copy()
    cases = np.flatnonzero(moving.is_forced & (plan >= 0))
    group = instance.group[cases]
    same = moving.minutes[cases][:, None] == moving.minutes[cases][None, :]
    if instance.mix is not None:  # only cases that count alike change places
        counted = instance.mix.counted[:, group]
        same &= (counted[:, :, None] == counted[:, None, :]).all(axis=0)
    for _ in range(4 * len(cases)):
        at = plan[cases]
        cross = instance.cost[group[:, None], at[None, :]]
        both = instance.allowed[group[:, None], at[None, :]]
        own = instance.cost[group, at]
        gain = own[:, None] + own[None, :] - cross - cross.T
        gain = np.where(same & both & both.T, gain, 0.0)
        if gain.max(initial=0.0) <= _EASE:
            break
        one, other = np.unravel_index(int(np.argmax(gain)), gain.shape)
        plan[cases[one]], plan[cases[other]] = at[other], at[one]
    return plan
