"""What binds a plan: case managers at a limit, and rules, each with the cases that it holds up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from casestrat.allocation.admission.wants import rules_in_the_way
from casestrat.allocation.plan.spare_room import SpareRoom, rows_of_plan
from casestrat.allocation.problem.instance import ask
from casestrat.knowledge import Sentence, load_wording
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

    from casestrat.allocation.plan.plan import Plan
    from casestrat.allocation.problem.instance import Asked
    from casestrat.allocation.problem.problem import AllocationProblem

    Wholes: TypeAlias = NDArray[np.int64]

_BINDS: dict[Hashable, Any] = {
    "kind": TEXT, "id": TEXT, "team": TEXT, "rule": TEXT, "used": "Int64", "limit": "Int64", "n_cases": "Int64",
    "minutes": "Int64", "reason": TEXT,
}  # fmt: skip


def binding(problem: AllocationProblem, plan: Plan, *, lang: str = "en") -> pd.DataFrame:
    """Return what keeps a plan from placing more: case managers at a limit, and rules, each with the cases it holds up.

    Parameters
    ----------
    problem : AllocationProblem
        The checked problem.
    plan : Plan
        Its plan.
    lang : {"en", "fr", "it"}, optional
        Language of ``reason``.

    Returns
    -------
    pandas.DataFrame
        Empty where everyone is placed. Else one row per case manager whom the rules allow a case left over, and who has
        no room for it (kind case_manager; id, team, rule max_cases, case_mix or capacity; used and limit in cases or
        minutes a week), by id; then one row per rule that, with others, leaves nobody for a case left over (kind rule).
        n_cases and minutes are those held up; reason is the rule in words.

    Examples
    --------
    >>> from casestrat.allocation import AllocationProblem, allocate
    >>> problem = AllocationProblem(
    ...     pd.DataFrame({"case_id": ["C1", "C2", "C3"], "minutes": [40, 60, 40], "language": ["fr", "it", "fr"]}),
    ...     pd.DataFrame({"cm_id": ["CM1"], "team": ["a"], "languages": ["fr"], "capacity_minutes": [70]}),
    ... )
    >>> binding(problem, allocate(problem))[["kind", "id", "rule", "used", "limit", "n_cases", "minutes"]]
               kind   id      rule  used  limit  n_cases  minutes
    0  case_manager  CM1  capacity    40     70        1       40
    1          rule       language  <NA>   <NA>        1       60
    2          rule       capacity  <NA>   <NA>        1       40
    """
    asked = ask(problem)
    room = SpareRoom(problem, asked, rows_of_plan(problem, asked.rows, plan))
    left = asked.group[room.plan < 0]
    classes, number = np.unique(left, return_counts=True)
    wording = load_wording(lang)
    rows = [*_limited(problem, asked, room, classes, number), *_rules(asked, room, classes, number)]
    told = [(*row, Sentence.of(f"pages.rule_{row[3]}").said(wording)) for row in rows]
    return pd.DataFrame(told, columns=list(_BINDS)).astype(_BINDS)


def _limited(
    problem: AllocationProblem, asked: Asked, room: SpareRoom, classes: Wholes, number: Wholes
) -> list[tuple[Any, ...]]:
    """Case managers at a limit that holds cases up."""
    rows = []
    for at, (cm_id, team) in enumerate(zip(problem.case_managers["cm_id"], problem.case_managers["team"], strict=True)):
        by_rule: dict[str, list[int]] = {}
        for row, n in zip(classes.tolist(), number.tolist(), strict=True):
            if asked.allowed[row, at] and not room.open[row, at]:
                rule = _limit_of(room, asked, row, at)
                by_rule.setdefault(rule, []).append(n)
                by_rule.setdefault(f"{rule} minutes", []).append(n * int(asked.weight[row, at]))
        for rule in ("max_cases", "case_mix", "capacity"):
            if rule in by_rule:
                used, limit = _used(problem, room, at, rule)
                held_up = (sum(by_rule[rule]), sum(by_rule[f"{rule} minutes"]))
                rows.append(("case_manager", cm_id, team, rule, used, limit, *held_up))
    return rows


def _limit_of(room: SpareRoom, asked: Asked, row: int, at: int) -> str:
    """Return the limit that keeps a class from a case manager."""
    if room.slots[at] <= 0:
        return "max_cases"
    return "case_mix" if asked.weight[row, at] <= room.minutes[at] else "capacity"


def _used(problem: AllocationProblem, room: SpareRoom, at: int, rule: str) -> tuple[int | None, int | None]:
    """How much of a limit is in use, and the limit."""
    if rule == "capacity":
        limit = int(problem.capacity[at])
        free = max(int(problem.capacity[at] - problem.minutes_before[at]), 0)
        return int(problem.minutes_before[at]) + free - int(room.minutes[at]), limit
    if rule == "max_cases":
        return int(problem.cases_before[at] + room.held[:, at].sum()), int(problem.case_managers["max_cases"].iloc[at])
    return None, None


def _rules(asked: Asked, room: SpareRoom, classes: Wholes, number: Wholes) -> list[tuple[Any, ...]]:
    """Rules that, the fewest of them, leave nobody for cases left over."""
    cases: dict[str, int] = {}
    minutes: dict[str, int] = {}
    for row, n in zip(classes.tolist(), number.tolist(), strict=True):
        for rule in rules_in_the_way(asked, room, row):
            cases[rule] = cases.get(rule, 0) + n
            minutes[rule] = minutes.get(rule, 0) + n * int(asked.question.classes["minutes"].iloc[row])
    order = [name for name in asked.verdicts if name in cases]
    return [("rule", "", "", name, None, None, cases[name], minutes[name]) for name in order]
