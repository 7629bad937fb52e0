"""What a case is blocked for want of: the fewest rules that leave nobody, and the case manager they ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from casestrat.allocation.problem.listed_text import EITHER, tokens
from casestrat.knowledge import Sentence, load_wording

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from casestrat.allocation.plan.spare_room import SpareRoom
    from casestrat.allocation.problem.instance import Asked
    from casestrat.allocation.problem.problem import AllocationProblem
    from casestrat.knowledge.sentence import Value

    Flags: TypeAlias = NDArray[np.bool_]

# Rules in the order in which they are left out, if nobody is left without them too: the most telling stay.
_LEFT_OUT_FIRST = (
    "capacity", "case_mix", "max_cases", "pins", "active", "preferences", "conflicts", "profession", "territory",
    "credentials", "experience", "payer", "confidentiality", "licence", "skills", "guardian", "language",
)  # fmt: skip


def fewest_rules(allowed: dict[str, Flags]) -> tuple[str, ...]:
    """Return rules that together leave nobody, none of which can be left out.

    Parameters
    ----------
    allowed : dict of str to numpy.ndarray of bool, shape (case managers,)
        Whom each rule allows.

    Returns
    -------
    tuple of str
        In the order given; empty where somebody is left by all.

    Examples
    --------
    >>> speaks, licensed, serves = np.array([1, 0, 0]) > 0, np.array([0, 1, 1]) > 0, np.array([1, 1, 0]) > 0
    >>> fewest_rules({"licence": licensed, "language": speaks, "territory": serves})
    ('licence', 'language')
    """
    kept = dict(allowed)
    if not kept or np.logical_and.reduce(list(kept.values())).any():
        return ()
    for name in [*_LEFT_OUT_FIRST, *(name for name in allowed if name not in _LEFT_OUT_FIRST)]:
        rest = [answer for other, answer in kept.items() if other != name]
        if name in kept and rest and not np.logical_and.reduce(rest).any():
            del kept[name]
    return tuple(kept)


def rules_in_the_way(asked: Asked, room: SpareRoom, row: int) -> tuple[str, ...]:
    """Return the fewest rules that leave nobody for a class, what is left beside a plan counted in.

    Parameters
    ----------
    asked : Asked
        Classes and the rules' answers.
    room : SpareRoom
        What the plan leaves.
    row : int
        The class.

    Returns
    -------
    tuple of str
        Names of rules.
    """
    allowed = {name: answer[row] for name, answer in asked.verdicts.items()}
    allowed["max_cases"] = allowed["max_cases"] & (room.slots > 0)
    if room.mix is not None and asked.mix is not None:
        allowed["case_mix"] = allowed["case_mix"] & asked.mix.open_to(room.mix, row)
    allowed["capacity"] = allowed["capacity"] & (asked.weight[row] <= room.minutes)
    return fewest_rules(allowed)


def wanted(problem: AllocationProblem, asked: Asked, row: int, rules: tuple[str, ...]) -> Sentence:
    """Return what a class is blocked for want of.

    Parameters
    ----------
    problem : AllocationProblem
        The checked problem.
    asked : Asked
        Its classes.
    row : int
        The class.
    rules : tuple of str
        The rules that leave nobody.

    Returns
    -------
    Sentence
        Such as "blocked for want of a nurse who speaks Italian".
    """
    if problem.case_managers.empty or not rules:
        return Sentence.of("allocation.reason_no_case_managers")
    case = asked.question.classes.iloc[row]
    parts = tuple(Sentence.of(f"allocation.wants_{name}", **_details(problem, case, name)) for name in rules)
    return Sentence.of("allocation.want", who=_who(problem), what=parts)


def _who(problem: AllocationProblem) -> Sentence:
    """Name the profession, where the program has one only."""
    professions = problem.rules.professions
    key = f"allocation.who_{professions[0]}" if len(professions) == 1 else ""
    return Sentence.of(key if key in load_wording("en") else "allocation.who_case_manager")


def _details(problem: AllocationProblem, case: pd.Series, rule: str) -> dict[str, Value]:
    """Return what a rule asks for in this case."""
    rules = problem.rules
    months = max(rules.min_experience_months, int(rules.experience.get(case["tier"], 0)))
    details: dict[str, dict[str, Value]] = {
        "licence": {"places": tokens(case["jurisdiction"]) or ("–",)},
        "credentials": {"names": tuple(name.replace(EITHER, "/") for name in rules.credentials)},
        "experience": {"n": months},
        "skills": {"skills": tokens(case["skills"])},
        "payer": {"payers": tokens(case["payer"]) or ("–",)},
        "confidentiality": {"names": tuple(name.replace(EITHER, "/") for name in tokens(case["clearances"]))},
        "language": {"language": language_name(str(case["language"]))},
        "guardian": {"language": language_name(str(case["guardian_language"]))},
        "territory": {"territory": str(case["territory"])},
        "capacity": {"n": int(case["minutes"])},
    }
    return details.get(rule, {})


def language_name(code: str) -> Value:
    """Return a language by name in the reader's language, or its code where no name is kept.

    Parameters
    ----------
    code : str
        Such as ``"it"``.

    Returns
    -------
    Sentence or str
        Its name.

    Examples
    --------
    >>> language_name("it").said(load_wording("fr")), language_name("zz")
    ('italien', 'zz')
    """
    key = f"allocation.language_{code}"
    return Sentence.of(key) if key in load_wording("en") else code
