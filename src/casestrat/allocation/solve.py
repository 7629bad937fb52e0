"""The ladder: construct, search, deal anew, prove — level by level, each within what the levels before have settled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from casestrat.allocation.at_scale.shortage import cheapened, filled_cheaply, may_be_left
from casestrat.allocation.at_scale.squeeze import rounded_in
from casestrat.allocation.at_scale.wide import WIDE_PAIRS, fitted, fractions_within, levelled, placed_alone, squeezed
from casestrat.allocation.own_costs.own_costs import place
from casestrat.allocation.plan.checker import require_sound
from casestrat.allocation.plan.plan import Plan, make_plan
from casestrat.allocation.problem.instance import Instance, ask, canonical
from casestrat.allocation.problem.objective import FIT, LARGEST, SQUARES, UNASSIGNED
from casestrat.allocation.solver.balance import balance, peak_limit
from casestrat.allocation.solver.bounds import (
    forced_left,
    is_closed,
    relaxed_bound,
    rounded_up,
    squares_bound,
    utilisation_bound,
    with_left_price,
)
from casestrat.allocation.solver.clock import Clock
from casestrat.allocation.solver.draft import NOBODY, Draft, hard_limit
from casestrat.allocation.solver.exact import Effort, is_inside, optimise
from casestrat.allocation.solver.fitting import descend, rounded
from casestrat.allocation.solver.neighbourhood import GROUP, deal_anew, is_better, level_value
from casestrat.allocation.solver.relaxation import Limits, build, cuts_at, solve_relaxation
from casestrat.allocation.solver.search import construct, replace_lesser
from casestrat.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.allocation.problem.instance import Asked
    from casestrat.allocation.problem.problem import AllocationProblem
    from casestrat.allocation.solver.clock import Deadline
    from casestrat.allocation.solver.relaxation import CountModel, Cut, Fractions, Prices

    Wholes: TypeAlias = NDArray[np.int64]

# Pairs of class and case manager up to which a level is also given to the solver as a whole.
_WHOLE_PAIRS = {UNASSIGNED: 500, LARGEST: 500, SQUARES: 500, FIT: 2_000}
_WHOLE_LEFT_PAIRS = 120  # likewise, for level 3 where some are left over
_WHOLE_FIRST_PAIRS = 500  # up to which this comes before groups are dealt anew
_WIDE_SHARE = 0.3  # of the time limit that a relaxation of a large problem may take, whatever went before
_LEVELLINGS = 3  # times that a large problem is evened out to place more of those left over
_DEALT_PAIRS = 50_000  # up to which groups are dealt anew for those left over, and a bound may take a minute
_DEALT_LEFT = 100  # left over in a large problem up to which groups are dealt anew for them: a round places a few
_RELAXED_PAIRS = 400_000  # up to which a level's relaxation is solved
# Steps are meant to take about a quarter of the time limit, so that the clock seldom cuts a search short.
_NODES_A_SECOND = {UNASSIGNED: 1_500, LARGEST: 250, SQUARES: 500, FIT: 500}  # times pairs, a second of time limit
_ROUNDS_A_SECOND = {UNASSIGNED: 0.9, LARGEST: 0.5, SQUARES: 0.0, FIT: 1.2}  # groups dealt anew, likewise
_ROUND_NODES = 15
_CORE_PAIRS, _CORE_NODES_A_SECOND = 4, 12  # cheapest pairs of a case that own costs are first solved on
_SECONDS_A_CASE = 3e-4  # kept back for the frames of the plan and for checking it
_SHARES = {UNASSIGNED: 0.4, LARGEST: 0.55, SQUARES: 0.6, FIT: 0.85}  # of the time limit by the level's end
_TRIES_A_SECOND, _MOST_TRIES, _NEAR = 6_000, 8, 5e-3  # roundings of a large problem, times pairs; gap that ends them
_EVEN_ENOUGH = {LARGEST: 2e-3, SQUARES: 1e-5}  # gap that is not worth a search, but for the smallest problems
_TINY_PAIRS = 25
_CUTS = (-20, -8, -3, -1, 0, 2, 7, 19)


@dataclass(frozen=True, slots=True)
class LevelResult:
    """One level of a plan: its value, and the bound that no plan can beat given the levels before."""

    level: str
    value: float
    bound: float
    reached: float  # value before later levels were given their share of it


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """A plan in the instance's order, and what is known of each level."""

    plan: Wholes
    levels: tuple[LevelResult, ...]


def allocate(problem: AllocationProblem, time_limit_s: float = 10.0, random_state: int = 0) -> Plan:
    """Return who should follow whom: first as many as can be, then evenly, then as people would have it.

    Every hard rule is kept; who cannot be placed is listed with the rule that stands in the way. Each level comes
    with a bound that no plan can beat. The plan is checked again from the frames before it is returned.

    Parameters
    ----------
    problem : AllocationProblem
        Cases, case managers and rules.
    time_limit_s : float, optional
        Seconds of computing, 0 or more; on a busy machine more of them pass on the wall. It decides how many steps the
        search takes, which need about a quarter of it. The clock itself only ends a search that takes far longer, and
        then ``plan.is_cut`` says so; without that, the same problem, limit and seed give the same plan.
    random_state : int, optional
        Seed of the search.

    Returns
    -------
    Plan
        Assignments, cases left over, workload, levels.

    Raises
    ------
    UsageError
        If the time limit is negative or not a number.

    Examples
    --------
    >>> import pandas as pd
    >>> from casestrat.allocation import AllocationProblem
    >>> problem = AllocationProblem(
    ...     cases=pd.DataFrame({"case_id": ["C1", "C2", "C3"], "minutes": [40, 60, 40]}),
    ...     case_managers=pd.DataFrame({"cm_id": ["CM1", "CM2"], "capacity_minutes": [100, 80]}),
    ... )
    >>> plan = allocate(problem)
    >>> plan.assignments[["case_id", "cm_id"]].to_numpy().tolist()
    [['C1', 'CM1'], ['C2', 'CM2'], ['C3', 'CM1']]
    """
    limit = float(time_limit_s)
    if not 0 <= limit < np.inf:
        raise UsageError(f"time_limit_s is {time_limit_s}", do="give a number of seconds, 0 or more")
    clock = Clock()
    asked = ask(problem)
    plan, levels = _climbed(problem, asked, limit, int(random_state), clock)
    made = make_plan(problem, asked, plan, levels)
    return require_sound(problem, replace(made, is_cut=clock.has_cut))


def _climbed(
    problem: AllocationProblem, asked: Asked, limit: float, seed: int, clock: Clock
) -> tuple[Wholes, tuple[LevelResult, ...]]:
    """Return the row of the case manager of each case to place, and the levels; the arrays are let go of."""
    instance = canonical(problem, asked)
    solution = Ladder(instance, limit, seed, clock).climb()
    plan = np.full(len(asked.rows), NOBODY, dtype=np.int64)
    row_of = np.full(len(problem.cases), NOBODY, dtype=np.int64)
    row_of[asked.rows] = np.arange(len(asked.rows))
    placed = solution.plan >= 0
    plan[row_of[instance.case_rows[placed]]] = instance.cm_rows[solution.plan[placed]]
    return plan, solution.levels


class Ladder:
    """Climbs the levels for one instance.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    time_limit_s : float
        Decides how many steps are taken; the clock itself only ends a climb that takes longer.
    seed : int
        Of the generator that picks groups of case managers.
    clock : Clock, optional
        Counts the time limit; by default from now.
    """

    def __init__(self, instance: Instance, time_limit_s: float, seed: int, clock: Clock | None = None) -> None:
        self.instance = instance
        self.time_limit_s = time_limit_s
        self.rng = np.random.default_rng(seed)
        self.clock = Clock() if clock is None else clock
        self.levels: list[LevelResult] = []
        self.even_prices: Prices | None = None  # of the most even fractions, where everyone can be placed
        self.scarce: Prices | None = None  # of level 1 of a large problem, where not everyone can be placed
        self.cheap: Wholes | None = None  # a plan of level 1 that also costs little
        self.is_wide = instance.is_balanced and instance.n_pairs > WIDE_PAIRS
        self.plain = instance.without_costs() if self.is_wide else instance  # for levels 1 and 2

    def deadline(self, level: str) -> Deadline:
        """Moment of the clock at which a level must end."""
        return self.clock.after(_SHARES[level] * max(self.time_limit_s - _SECONDS_A_CASE * self.instance.n, 0.0))

    def climb(self) -> Solution:
        """Return the plan and its levels."""
        instance = self.instance
        hard = hard_limit(instance)
        plan = self.place_all(hard)
        left = max(level_value(instance, UNASSIGNED, plan) - forced_left(instance), 0.0)
        left = 0.0 if is_closed(left, 0.0) else left
        if not instance.is_balanced:
            plan = self.fit_own(plan, Limits(hard, left))
            return Solution(plan, tuple(self.levels))
        plan = self.lower_peak(plan, Limits(hard, left))
        peak = level_value(instance, LARGEST, plan)
        level = Limits(np.minimum(hard, np.maximum(peak_limit(instance.capacity, peak), instance.before)), left)
        plan = self.even_out(plan, level)
        # Of a large problem the best peak is not known: the share is taken of its bound.
        loose = max(peak, (1 + instance.delta) * self.levels[1].bound) if self.is_wide else (1 + instance.delta) * peak
        load = np.minimum(hard, np.maximum(peak_limit(instance.capacity, loose), instance.before))
        limits = Limits(load, left, (1 + instance.delta) * level_value(instance, SQUARES, plan))
        plan = self.tidied(self.fit(plan, limits), limits)
        return Solution(
            plan, tuple(replace(done, value=level_value(instance, done.level, plan)) for done in self.levels)
        )

    def tidied(self, plan: Wholes, limits: Limits) -> Wholes:
        """Give back what level 3 took from level 2 without needing it."""
        instance = self.instance
        new = self.balanced(plan, limits.load, keeps_cost=True)
        return new if is_inside(instance, limits, new) and not is_better(instance, LARGEST, plan, new) else plan

    def place_all(self, hard: Wholes) -> Wholes:
        """Level 1."""
        instance, limits = self.instance, Limits(hard)
        floor = forced_left(instance)
        if self.is_wide:
            return self.place_many(limits)
        plan = construct(instance, by_priority=False)
        if not is_closed(instance.unassigned_value(plan), floor):
            other = construct(instance, by_priority=True)
            plan = other if is_better(instance, UNASSIGNED, other, plan) else plan
        if not is_closed(instance.unassigned_value(plan), floor):
            model, fractions = self.relaxed(UNASSIGNED, limits)
            if fractions is not None:
                floor = max(floor, relaxed_bound(instance, UNASSIGNED, limits, fractions.prices))
                plan = self.take(UNASSIGNED, limits, plan, rounded(model, fractions))
            plan, floor = self.better(UNASSIGNED, limits, plan, floor)
        return self.settled(UNASSIGNED, plan, floor)

    def place_many(self, limits: Limits) -> Wholes:
        """Level 1 of a large problem: even fractions that place everyone, or those that leave the least."""
        instance, floor = self.plain, forced_left(self.instance)
        model, fractions = self.relaxed(LARGEST, Limits(limits.load, 0.0))
        plan = np.full(instance.n, NOBODY, dtype=np.int64)
        if fractions is not None:
            self.even_prices = fractions.prices
        else:
            model, fractions = self.relaxed(UNASSIGNED, limits)
            if fractions is not None:
                floor = max(floor, relaxed_bound(instance, UNASSIGNED, limits, fractions.prices))
                self.scarce = fractions.prices
        if fractions is not None:
            plan = rounded_in(replace(model, limits=limits), fractions).dealt()
        if self.scarce is not None and self.instance.n_pairs > _DEALT_PAIRS:
            given = (self.scarce, self.seconds(UNASSIGNED), self.clock, self.rng)
            plan = self.take(UNASSIGNED, limits, plan, filled_cheaply(self.instance, plan, limits.load, *given))
            self.cheap = plan
            return self.settled(UNASSIGNED, plan, floor)
        if fractions is None:
            for by_priority in (False, True):
                other = construct(instance, by_priority=by_priority, makes_room=False)
                plan = self.take(UNASSIGNED, limits, plan, other)
            plan = squeezed(instance, plan, limits.load)
        for _ in range(_LEVELLINGS):
            if is_closed(instance.unassigned_value(plan), floor):
                break
            # who has been left minutes in small pieces is given other pieces by evening out
            even = levelled(instance, plan, limits.load)
            other = replace_lesser(Draft(instance, plan if even is None else even, limits.load))
            plan = self.take(UNASSIGNED, limits, plan, squeezed(instance, other, limits.load))
        n_left = int(((plan == NOBODY) & ~instance.hopeless).sum())
        if instance.n_pairs <= _DEALT_PAIRS and 0 < n_left <= _DEALT_LEFT:
            plan, floor = self.better(UNASSIGNED, limits, plan, floor)
        return self.settled(UNASSIGNED, plan, floor)

    def lower_peak(self, plan: Wholes, limits: Limits) -> Wholes:
        """First value of level 2."""
        instance = self.instance
        plan = self.balanced(plan, limits.load)
        left = limits.left or 0.0
        floor = utilisation_bound(self.plain, plan, left, None)
        if not is_closed(level_value(instance, LARGEST, plan), floor):
            prices = self.even_prices
            if prices is None and not self.is_wide:  # where some are left over, a large relaxation takes too long
                _, fractions = self.relaxed(LARGEST, limits)
                prices = None if fractions is None else fractions.prices
            if prices is not None:
                floor = max(floor, utilisation_bound(self.plain, plan, left, prices))
                floor = max(floor, relaxed_bound(self.plain, LARGEST, limits, prices))
            if not self.is_wide and not self.is_even(LARGEST, plan, floor, left):
                plan, floor = self.better(LARGEST, limits, plan, floor)
        return self.settled(LARGEST, plan, floor)

    def even_out(self, plan: Wholes, limits: Limits) -> Wholes:
        """Second value of level 2."""
        plan = self.take(SQUARES, limits, plan, self.balanced(plan, limits.load))
        floor = squares_bound(self.plain, plan, limits)
        if not self.is_even(SQUARES, plan, floor, limits.left or 0.0):
            plan, floor = self.whole(SQUARES, limits, plan, floor)
        return self.settled(SQUARES, plan, floor)

    def balanced(self, plan: Wholes, load: Wholes, *, keeps_cost: bool = False) -> Wholes:
        """Even a plan out within limits on minutes."""
        instance = self.instance if keeps_cost else self.plain
        new = levelled(instance, plan, load, keeps_cost=keeps_cost) if self.is_wide else None
        return balance(Draft(self.instance, plan, load, keeps_cost=keeps_cost)) if new is None else new

    def is_even(self, level: str, plan: Wholes, floor: float, left: float) -> bool:
        """Whether a value of level 2 is not worth a search: closed, nearly so, or some are left as minutes lack."""
        value = level_value(self.instance, level, plan)
        if is_closed(value, floor):
            return True
        return self.instance.n_pairs > _TINY_PAIRS and (left > 0 or value - floor <= _EVEN_ENOUGH[level] * value)

    def fit(self, plan: Wholes, limits: Limits) -> Wholes:
        """Level 3."""
        instance = self.instance
        if self.is_wide:
            return self.fit_wide(plan, limits)
        plan = descend(Draft(instance, plan, limits.load), limits)
        floor = relaxed_bound(instance, FIT, limits, None)
        if not is_closed(instance.fit_value(plan), floor):
            model, fractions = self.relaxed(FIT, limits, plan)
            if fractions is not None:
                floor = max(floor, relaxed_bound(instance, FIT, limits, fractions.prices))
                other = rounded(model, fractions)
                if is_inside(instance, limits, other):
                    plan = self.take(FIT, limits, plan, descend(Draft(instance, other, limits.load), limits))
                if not instance.is_balanced and instance.n_pairs > _WHOLE_FIRST_PAIRS:
                    plan = self.on_core(plan, limits, fractions)
            plan, floor = self.better(FIT, limits, plan, floor)
        return self.settled(FIT, plan, floor)

    def fit_wide(self, plan: Wholes, limits: Limits) -> Wholes:
        """Level 3 of a large problem."""
        instance, seconds = self.instance, self.seconds(FIT)
        floor = relaxed_bound(instance, FIT, limits, None)
        if is_closed(instance.fit_value(plan), floor):  # every wish is met already, or nobody has one
            return self.settled(FIT, plan, floor)
        floor = max(floor, self.priced_within(plan, replace(limits, squares=None), seconds))
        if self.cheap is not None:
            other = self.take(FIT, limits, plan, cheapened(instance, self.cheap, limits, self.rng))
            if is_better(instance, FIT, other, plan):
                return self.settled(FIT, other, floor)
        tries = int(np.clip(_TRIES_A_SECOND * self.time_limit_s / instance.n_pairs, 1, _MOST_TRIES))
        for other in fitted(instance, plan, limits, seconds, tries, self.clock):
            plan = self.take(FIT, limits, plan, other)
            if instance.fit_value(plan) <= floor * (1 + _NEAR) or self.deadline(FIT).is_over():
                break
        if instance.n_pairs <= _DEALT_PAIRS and instance.fit_value(plan) > floor * (1 + _NEAR):
            floor = max(floor, self.priced_within(plan, limits, seconds))
        return self.settled(FIT, plan, floor)

    def priced_within(self, plan: Wholes, limits: Limits, seconds: float) -> float:
        """Return the bound on level 3 of a large problem that the prices of its relaxation prove."""
        if self.scarce is not None and limits.left:
            # Only some may be left over here, but its prices are put to every case: any of 0 or more prove a bound.
            leavable = may_be_left(self.instance, plan, self.scarce)
            model = build(self.instance, FIT, Limits(limits.load, limits.left), leavable=leavable)
            fractions = solve_relaxation(model, seconds, self.clock)
            if fractions is not None:
                return relaxed_bound(self.instance, FIT, limits, fractions.prices)
        part, placed, inside = placed_alone(self.instance, plan, limits)
        _, fractions = fractions_within(part, placed, inside, seconds, self.clock)
        if fractions is None:
            return -np.inf
        prices = with_left_price(self.instance, limits, fractions.prices)
        return relaxed_bound(self.instance, FIT, limits, prices)

    def fit_own(self, plan: Wholes, limits: Limits) -> Wholes:
        """Level 3 where costs were brought along."""
        placed = place(self.instance, limits, plan, self.time_limit_s, self.deadline(FIT), self.rng)
        return self.fit(plan, limits) if placed is None else self.settled(FIT, placed.plan, placed.bound)

    def on_core(self, plan: Wholes, limits: Limits, fractions: Fractions) -> Wholes:
        """Solve level 3 on the pairs whose priced cost is small: own costs leave the others little hope."""
        instance = self.instance
        priced = np.where(instance.allowed, instance.cost + fractions.prices.minutes * instance.weight, np.inf)
        rank = np.argsort(np.argsort(priced, axis=1, kind="stable"), axis=1)
        core = replace(instance, allowed=instance.allowed & (rank < _CORE_PAIRS))
        nodes = int(_CORE_NODES_A_SECOND * self.time_limit_s) + 1
        found = optimise(core, FIT, limits, plan, -np.inf, Effort(nodes, self.deadline(FIT)))
        return plan if found.plan is None else self.take(FIT, limits, plan, found.plan)

    def relaxed(self, level: str, limits: Limits, plan: Wholes | None = None) -> tuple[CountModel, Fractions | None]:
        """Solve the class relaxation of a level, where it is not too large."""
        cuts: tuple[Cut, ...] = ()
        if plan is not None and limits.squares is not None:
            cuts = cuts_at(self.instance, self.instance.loads(plan).astype(np.float64), _CUTS)
        model = build(self.instance if level == FIT else self.plain, level, limits, cuts)
        small = self.instance.n_pairs <= _RELAXED_PAIRS
        return model, solve_relaxation(model, self.seconds(level), self.clock) if small else None

    def seconds(self, level: str) -> float:
        """Seconds for a relaxation: a bound is owed whatever the searches took, so it has a little time of its own."""
        least = _WIDE_SHARE if self.is_wide else 0.05  # everything in a large problem starts from a relaxation
        return max(self.deadline(level).left, 0.5 + least * self.time_limit_s)

    def take(self, level: str, limits: Limits, plan: Wholes, other: Wholes) -> Wholes:
        """Take the other plan where it is within the limits and better."""
        instance = self.instance
        return other if is_inside(instance, limits, other) and is_better(instance, level, other, plan) else plan

    def better(self, level: str, limits: Limits, plan: Wholes, floor: float) -> tuple[Wholes, float]:
        """Give a level to the solver as a whole and deal groups anew, as long as the gap is open."""
        instance = self.instance
        whole_first = instance.n_pairs <= min(_WHOLE_FIRST_PAIRS, self.most_pairs(level, limits))
        if whole_first:
            plan, floor = self.whole(level, limits, plan, floor)
        is_small = whole_first and instance.m <= 2 * GROUP  # a group would be half of the whole
        if not is_small and not is_closed(level_value(instance, level, plan), floor):
            rounds = int(np.ceil(_ROUNDS_A_SECOND[level] * self.time_limit_s))
            effort = Effort(_ROUND_NODES, self.deadline(level))
            plan = deal_anew(instance, level, limits, plan, floor, rounds, effort, self.rng)
            if not whole_first and not is_closed(level_value(instance, level, plan), floor):
                plan, floor = self.whole(level, limits, plan, floor)
        return plan, floor

    def most_pairs(self, level: str, limits: Limits) -> int:
        """Return the pairs up to which a level is given to the solver as a whole."""
        # Where some are left over, level 3 could exchange them too, which makes it much the harder.
        return _WHOLE_LEFT_PAIRS if level == FIT and limits.left else _WHOLE_PAIRS[level]

    def whole(self, level: str, limits: Limits, plan: Wholes, floor: float) -> tuple[Wholes, float]:
        """Give a level to the solver as a whole."""
        instance = self.instance
        if instance.n_pairs > self.most_pairs(level, limits):
            return plan, floor
        nodes = int(_NODES_A_SECOND[level] * self.time_limit_s / (instance.n_pairs + 100)) + 1
        effort = Effort(nodes, self.deadline(level))
        found = optimise(instance, level, limits, plan, floor, effort)
        if found.plan is not None:
            plan = self.take(level, limits, plan, found.plan)
        value = level_value(instance, level, plan)
        if found.is_complete and found.plan is not None:
            return plan, value
        bound = found.bound + (forced_left(instance) if level == UNASSIGNED else 0.0)
        return plan, max(floor, rounded_up(instance, level, bound)) if np.isfinite(bound) else floor

    def settled(self, level: str, plan: Wholes, floor: float) -> Wholes:
        """Note a level's value and bound."""
        value = level_value(self.instance, level, plan)
        self.levels.append(LevelResult(level, value, min(floor, value), value))
        return plan
