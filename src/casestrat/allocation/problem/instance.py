"""The problem as arrays, in an order that neither the ids nor the order of rows can change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from casestrat.allocation.problem.case_mix import Mix, mix_of
from casestrat.allocation.problem.distinct import firsts, numbered
from casestrat.allocation.problem.eligibility import Question, verdicts
from casestrat.allocation.problem.objective import FitCost, fit_cost

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.allocation.problem.eligibility import Answer
    from casestrat.allocation.problem.problem import AllocationProblem

    Flags: TypeAlias = NDArray[np.bool_]
    Numbers: TypeAlias = NDArray[np.float64]
    Wholes: TypeAlias = NDArray[np.int64]

_BLOCK = 2_048  # classes looked at together
_MANY_PAIRS = 2_000_000  # allowed or not
_SMALL, _LEAST = 4_096, 32  # costs of which a few can be added up in 16 bits, and in 8
_CLASS_COLUMNS = (
    "minutes", "territory", "jurisdiction", "language", "interpreter_needed", "skills", "cm_id", "wishes_required",
    "wishes_soft", "conflicts", "pin", "tier", "kind", "payer", "clearances", "guardian_language",
    "guardian_interpreter_needed",
)  # fmt: skip
_OPTIONAL = ("tier", "kind", "payer", "guardian_language", "guardian_interpreter_needed")  # only some rules look at


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """Arrays of a problem: n cases to place, K classes of them, m case managers."""

    case_rows: Wholes  # (n,) row of problem.cases
    cm_rows: Wholes  # (m,) row of problem.case_managers
    group: Wholes  # (n,) class of each case
    priority: Numbers  # (n,)
    weight: Wholes  # (K, m) minutes a week
    allowed: Flags  # (K, m)
    cost: Numbers  # (K, m) of level 3
    capacity: Wholes  # (m,) in all
    before: Wholes  # (m,) minutes in use
    free: Wholes  # (m,) minutes left
    slots: Wholes  # (m,) cases left
    is_balanced: bool  # whether level 2 counts
    delta: float
    mix: Mix | None = None  # the most cases of one sort

    @property
    def n(self) -> int:
        """Number of cases to place."""
        return len(self.group)

    @property
    def m(self) -> int:
        """Number of case managers."""
        return len(self.cm_rows)

    @property
    def sizes(self) -> Wholes:
        """Number of cases of each class."""
        return np.bincount(self.group, minlength=len(self.allowed)).astype(np.int64)

    @property
    def n_pairs(self) -> int:
        """Number of allowed pairs of class and case manager."""
        return int(self.allowed.sum())

    @property
    def hopeless(self) -> Flags:
        """True for the cases that nobody may follow, shape (n,)."""
        able: Flags = np.asarray(self.allowed.any(axis=1))
        return ~able[self.group]

    @property
    def has_whole_costs(self) -> bool:
        """Whether every cost is a whole number, so that a bound may be rounded up."""
        costs = self.cost[self.allowed]
        return bool(np.all(costs == np.round(costs)))

    def without_costs(self) -> Instance:
        """Return the same problem where costs do not count: classes that only they tell apart are one.

        Every plan of the one is a plan of the other, so what is found of levels 1 and 2 holds for both, prices too.
        """
        is_same = self.m > 0 and self.weight.strides[1] == 0  # the minutes of a class, with everyone
        weight = self.weight[:, :1] if is_same else self.weight
        same = [np.packbits(self.allowed, axis=1), np.ascontiguousarray(weight).view(np.uint8)]
        if self.mix is not None:
            same.append(self.mix.counted.T.astype(np.uint8))
        merged = _row_keys(np.concatenate(same, axis=1))
        first = np.unique(merged, return_index=True)[1]
        if len(first) == len(merged):
            return self
        everyone = np.arange(self.m)
        return replace(
            self, group=merged[self.group], allowed=self.allowed[first],
            weight=np.broadcast_to(weight[first], (len(first), self.m)) if is_same else weight[first],
            cost=np.broadcast_to(np.zeros((1, 1)), (len(first), self.m)),
            mix=None if self.mix is None else self.mix.part(first, everyone),
        )  # fmt: skip

    def loads(self, plan: Wholes) -> Wholes:
        """Minutes in use of each case manager under a plan (case → case manager, -1: nobody)."""
        load = self.before.copy()
        placed = np.flatnonzero(plan >= 0)
        np.add.at(load, plan[placed], self.weight[self.group[placed], plan[placed]])
        return load

    def counts(self, plan: Wholes) -> Wholes:
        """Count the cases placed with each case manager."""
        return np.bincount(plan[plan >= 0], minlength=self.m).astype(np.int64)

    def unassigned_value(self, plan: Wholes) -> float:
        """Level 1 of a plan."""
        return float(self.priority[plan < 0].sum())

    def fit_value(self, plan: Wholes) -> float:
        """Level 3 of a plan."""
        placed = np.flatnonzero(plan >= 0)
        return float(self.cost[self.group[placed], plan[placed]].sum())


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A problem's cases to place and their classes, with each rule's answer, in the order of the problem's rows."""

    rows: Wholes  # (n,) rows of problem.cases that are to be placed
    group: Wholes  # (n,) class of each
    question: Question
    verdicts: dict[str, Answer]
    allowed: Flags
    cost: FitCost
    weight: Wholes
    mix: Mix | None = None


def ask(problem: AllocationProblem) -> Asked:
    """Return the classes of the cases to place, and what the rules and the fit say of each pair; asked once a problem.

    Parameters
    ----------
    problem : AllocationProblem
        The checked problem.

    Returns
    -------
    Asked
        One row of ``allowed``, ``cost`` and ``weight`` per class; arrays that nobody may change.
    """
    asked: Asked | None = problem.kept.get("asked")
    if asked is None:
        asked = problem.kept["asked"] = _asked(problem)
        asked.allowed.setflags(write=False)
        asked.group.setflags(write=False)
    return asked


def _asked(problem: AllocationProblem) -> Asked:
    """Ask every rule."""
    fixed = problem.cases["is_fixed"].to_numpy(dtype=bool)
    to_place, rows = problem.cases[~fixed] if fixed.any() else problem.cases, np.flatnonzero(~fixed)
    classes, group = _classes(to_place, problem)
    question = Question(classes, problem.case_managers, problem)
    answers = verdicts(question)
    allowed = question.everyone
    for answer in answers.values():
        allowed &= answer.table if len(answer.table) == 1 else answer.table[answer.row_of]
    if problem.pair_cost is None or problem.pair_minutes is None:
        minutes = classes["minutes"].to_numpy(dtype=np.int64)
        return Asked(rows, group, question, answers, allowed, fit_cost(question),
                     np.broadcast_to(minutes[:, None], allowed.shape), mix_of(problem, classes))  # fmt: skip
    cost = problem.pair_cost.to_numpy(dtype=np.float64).T
    weight = problem.pair_minutes.to_numpy(dtype=np.int64).T
    allowed = allowed & np.isfinite(cost) & (weight <= problem.free_minutes[None, :])
    priced = FitCost((), (), np.where(np.isfinite(cost), cost, 0.0))
    return Asked(rows, group, question, answers, allowed, priced, weight, mix_of(problem, classes))


def _classes(cases: pd.DataFrame, problem: AllocationProblem) -> tuple[pd.DataFrame, Wholes]:
    """Group cases that no rule and no term can tell apart."""
    known, people = set(problem.case_managers["cm_id"]), cases["person_id"].tolist()
    required, soft = _wishes(cases, problem)
    pins = dict(zip(problem.pins["case_id"][::-1], problem.pins["cm_id"][::-1], strict=True))  # the first one counts
    held: dict[str, set[str]] = {}
    for person_id, cm_id in zip(problem.conflicts["person_id"], problem.conflicts["cm_id"], strict=True):
        if cm_id in known:
            held.setdefault(person_id, set()).add(cm_id)
    barred = {person_id: ";".join(sorted(ids)) for person_id, ids in held.items()}
    made = {
        "wishes_required": required, "wishes_soft": soft, "conflicts": [barred.get(one) for one in people],
        "pin": [pins.get(one) for one in cases["case_id"]],
        "cm_id": [one if one in known else None for one in cases["cm_id"]],
    } | {name: [None] * len(cases) for name in _OPTIONAL if name not in problem.rules.used_of_cases}  # fmt: skip
    columns = pd.DataFrame(
        {
            name: pd.Series(made[name], index=cases.index, dtype=object) if name in made else cases[name]
            for name in _CLASS_COLUMNS
        },
        index=cases.index,
    )
    if problem.has_own_costs:  # each case has costs of its own
        return columns.reset_index(drop=True), np.arange(len(cases), dtype=np.int64)
    group = numbered(columns, _CLASS_COLUMNS)
    return columns.iloc[firsts(group)].reset_index(drop=True), group


def _wishes(cases: pd.DataFrame, problem: AllocationProblem) -> tuple[list[str | None], list[str | None]]:
    """Wishes of each case as sorted text: those that must be met, and the others."""
    asked = problem.preferences
    told: dict[bool, dict[str, set[str]]] = {True: {}, False: {}}
    rows = zip(asked["person_id"], asked["kind"], asked["value"], asked["is_required"], strict=True)
    for person_id, kind, value, is_required in rows:
        told[bool(is_required)].setdefault(person_id, set()).add(f"{kind}={value}")
    must, soft = ({one: ";".join(sorted(texts)) for one, texts in of.items()} for of in (told[True], told[False]))
    people = cases["person_id"].tolist()
    own = [text if isinstance(text, str) else None for text in cases["required"]]
    required = [";".join(part for part in (must.get(one), text) if part is not None) or None
                for one, text in zip(people, own, strict=True)]  # fmt: skip
    return required, [soft.get(one) for one in people]


def canonical(problem: AllocationProblem, asked: Asked) -> Instance:
    """Return the arrays of a problem, cases and case managers ordered by what they are, not by what they are called.

    Ids only settle the order of cases, or of case managers, that nothing else tells apart.

    Parameters
    ----------
    problem : AllocationProblem
        The checked problem.
    asked : Asked
        Its classes and the rules' answers.

    Returns
    -------
    Instance
        The arrays that the solvers work on.
    """
    priority = problem.cases["priority"].to_numpy(dtype=np.float64)[asked.rows]
    cm_rows = _cm_order(problem, asked, priority)
    keys = np.stack(_class_keys(problem, asked, cm_rows), axis=1)
    _, first, place = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    group = place.reshape(-1)[asked.group]  # classes that differ in name alone become one
    names = problem.cases["case_id"].to_numpy(dtype=object)[asked.rows].astype(str)
    order = np.lexsort((names, -priority, group))
    return Instance(
        case_rows=asked.rows[order], cm_rows=cm_rows, group=group[order], priority=priority[order],
        weight=_weights(asked, first, cm_rows), allowed=asked.allowed[np.ix_(first, cm_rows)],
        cost=_costs(asked, first, cm_rows),
        capacity=problem.capacity[cm_rows], before=problem.minutes_before[cm_rows],
        free=problem.free_minutes[cm_rows], slots=problem.free_slots[cm_rows],
        is_balanced=not problem.has_own_costs, delta=problem.rules.delta,
        mix=None if asked.mix is None else asked.mix.part(first, cm_rows),
    )  # fmt: skip


def _weights(asked: Asked, classes: Wholes, managers: Wholes) -> Wholes:
    """Minutes of classes with case managers; one column seen m times where they are the same with everyone."""
    if asked.cost.own is not None:
        return asked.weight[np.ix_(classes, managers)]
    return np.broadcast_to(asked.weight[classes, :1], (len(classes), len(managers)))


def _costs(asked: Asked, classes: Wholes, managers: Wholes) -> Numbers:
    """Costs of classes with case managers; those of many pairs, small whole numbers, in as few bytes as hold them."""
    most = sum(
        cost * int(part.table.max(initial=0)) for cost, part in zip(asked.cost.costs, asked.cost.parts, strict=True)
    )
    is_small = asked.cost.own is None and len(classes) * len(managers) > _MANY_PAIRS and most < _SMALL
    small = np.int8 if most < _LEAST else np.int16
    costs = np.empty((len(classes), len(managers)), dtype=small if is_small else np.float64)
    for start in range(0, len(classes), _BLOCK):
        costs[start : start + _BLOCK] = asked.cost.block(classes[start : start + _BLOCK], managers)
    return costs


def _class_keys(problem: AllocationProblem, asked: Asked, cm_rows: Wholes) -> list[Wholes]:
    """Keys that two classes share where no case manager tells them apart, whatever the classes are called."""
    keys = [_row_keys(np.packbits(asked.allowed[:, cm_rows], axis=1))]
    if asked.cost.own is not None:
        keys += [_row_keys(asked.cost.own[:, cm_rows]), _row_keys(asked.weight[:, cm_rows])]
    else:
        keys += [_row_keys(part.table[:, cm_rows])[part.row_of] for part in asked.cost.parts]
        keys.append(asked.question.classes["minutes"].to_numpy(dtype=np.int64))
    if asked.mix is not None:
        keys.append(_row_keys(asked.mix.counted.T))
    return keys


def _cm_order(problem: AllocationProblem, asked: Asked, priority: Numbers) -> Wholes:
    """Order of the case managers: by their time, then by which cases they may follow and how well, last by id."""
    size = np.bincount(asked.group, minlength=len(asked.allowed)).astype(np.float64)
    valued = np.bincount(asked.group, weights=priority, minlength=len(asked.allowed))
    every = np.arange(len(problem.case_managers))
    sums = np.zeros((4, len(every)))
    for start in range(0, len(asked.allowed), _BLOCK):  # the whole array of costs would be large
        part = np.arange(start, min(start + _BLOCK, len(asked.allowed)))
        inside, weight = asked.allowed[part], asked.weight[part]
        for at, by in enumerate((
            size[part, None] * weight, size[part, None] * (weight**2.0), valued[part, None],
            size[part, None] * asked.cost.block(part, every),
        )):  # fmt: skip
            sums[at] += np.where(inside, by, 0.0).sum(axis=0)
    names = problem.case_managers["cm_id"].to_numpy(dtype=object).astype(str)
    room = () if asked.mix is None else asked.mix.room
    keys = [problem.capacity, problem.minutes_before, problem.free_slots, *room, *np.round(sums, 6)]
    return np.lexsort((names, *keys[::-1])).astype(np.int64)


def _row_keys(matrix: NDArray[np.generic]) -> Wholes:
    """Rank of each row among the sorted distinct rows."""
    if matrix.size == 0:
        return np.zeros(len(matrix), dtype=np.int64)
    rows = np.ascontiguousarray(matrix)
    packed = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
    return np.unique(packed, return_inverse=True)[1].astype(np.int64)
