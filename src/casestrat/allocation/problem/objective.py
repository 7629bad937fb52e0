"""What makes one plan better than another, term by term and level by level.

Levels come in order, and a later one never spoils an earlier one:

1. ``unassigned``: the summed priority of the cases that are left without a case manager;
2. ``largest_utilisation``: the greatest share of minutes in use of any case manager, then ``sum_of_squares``:
   Σ capacity · utilisation², so that the others are even too;
3. ``fit``: what is missed in continuity, wishes, language and travel, while both values of level 2 may grow by the
   share ``delta`` of the rules.

To add a term of the fit, write one function of a question, list it in ``FIT_TERMS``, give ``AllocationCosts`` its cost
and the wordings its ``allocation.missed_<id>``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from casestrat.allocation.problem.eligibility import (
    asked_once,
    serves_territory,
    speaks_to_guardian,
    speaks_to_person,
    wishes_unmet,
)
from casestrat.allocation.problem.listed_text import holds
from casestrat.knowledge import Sentence

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from casestrat.allocation.problem.eligibility import Answer, Question

    Flags: TypeAlias = NDArray[np.bool_]
    Wholes: TypeAlias = NDArray[np.int64]
    Numbers: TypeAlias = NDArray[np.float64]

UNASSIGNED, LARGEST, SQUARES, FIT = "unassigned", "largest_utilisation", "sum_of_squares", "fit"
LEVELS = (UNASSIGNED, LARGEST, SQUARES, FIT)


@dataclass(frozen=True, slots=True)
class Term:
    """A term of the fit: its name, as in ``AllocationCosts``; how often a pair misses it; the columns that it reads."""

    id: str
    missed: Callable[[Question], Numbers]
    reads: tuple[str, ...]

    @property
    def words(self) -> Sentence:
        """What a pair that misses it misses."""
        return Sentence.of(f"allocation.missed_{self.id}")


def continuity_missed(question: Question) -> Numbers:
    """1 where the case would leave the case manager it has now."""
    lead = question.classes["cm_id"]
    stays = holds(question.case_managers["cm_id"], lead)
    known = stays.any(axis=1, keepdims=True)  # nobody can keep a case manager who has left
    return (known & ~stays).astype(np.float64)


def language_missed(question: Question) -> Numbers:
    """Count the languages, the person's and the guardian's as far as they count, only preferred and not spoken."""
    missed = np.zeros(question.shape)
    if question.problem.rules.language == "preferred":
        missed += ~speaks_to_person(question)
        missed += ~speaks_to_guardian(question)
    return missed


def travel_missed(question: Question) -> Numbers:
    """1 where the territory is only preferred and another one is served."""
    missed = np.zeros(question.shape)
    if question.problem.rules.territory == "preferred":
        missed[~serves_territory(question)] = 1
    return missed


def wishes_missed(question: Question) -> Numbers:
    """Count the wishes that need not be met and are not."""
    return wishes_unmet(question.case_managers, question.classes["wishes_soft"])


FIT_TERMS: tuple[Term, ...] = (
    Term("continuity", continuity_missed, ("cm_id",)),
    Term("language", language_missed, ("language", "guardian_language")),
    Term("travel", travel_missed, ("territory",)),
    Term("wishes", wishes_missed, ("wishes_soft",)),
)
"""Every term of level 3; the program's ``[allocation.costs]`` are whole numbers, so that a bound can be rounded up."""


@dataclass(frozen=True, slots=True, eq=False)
class FitCost:
    """The cost of level 3 of each pair: what each term misses, times the program's cost of it; or own costs.

    Indexed by classes and case managers, as the whole array would be, which is never made where classes are many.
    """

    parts: tuple[Answer, ...]  # how often each of ``FIT_TERMS`` is missed
    costs: tuple[int, ...]  # of missing each once
    own: Numbers | None = None  # (K, m) costs that were brought along

    def __getitem__(self, pairs: Wholes | tuple[Wholes, Wholes]) -> Numbers:
        if self.own is not None:
            return np.asarray(self.own[pairs])
        if not isinstance(pairs, tuple):  # classes alone: with every case manager
            return self.block(np.asarray(pairs), np.arange(self.parts[0].table.shape[1]))
        total = np.zeros(np.broadcast_shapes(*(np.shape(one) for one in pairs)))
        for part, cost in zip(self.parts, self.costs, strict=True):
            total += cost * part[pairs]
        return total

    def block(self, classes: Wholes, managers: Wholes) -> Numbers:
        """Return the costs of some classes (rows) with some case managers (columns)."""
        return self[classes[:, None], managers[None, :]]


def fit_cost(question: Question) -> FitCost:
    """Return the cost of level 3 of each pair.

    Parameters
    ----------
    question : Question
        Classes and case managers.

    Returns
    -------
    FitCost
        The summed cost of what the pair misses, 0 or more, as of shape (classes, case managers).
    """
    costs = question.problem.rules.costs
    return FitCost(
        tuple(asked_once(question, term.reads, term.missed) for term in FIT_TERMS),
        tuple(getattr(costs, term.id) for term in FIT_TERMS),
    )


def largest_utilisation(load: NDArray[np.int64], capacity: NDArray[np.int64]) -> float:
    """Return the greatest share of minutes in use of any case manager who has minutes.

    Parameters
    ----------
    load, capacity : numpy.ndarray of int
        Minutes a week in use and in all, one value per case manager.

    Returns
    -------
    float
        A share; above 1 where existing work already exceeds a capacity.

    Examples
    --------
    >>> largest_utilisation(np.array([300, 450, 0]), np.array([600, 600, 0]))
    0.75
    """
    able = capacity > 0
    return float(np.max(load[able] / capacity[able], initial=0.0))


def sum_of_squares(load: NDArray[np.int64], capacity: NDArray[np.int64]) -> float:
    """Return Σ capacity · utilisation² over case managers who have minutes.

    Parameters
    ----------
    load, capacity : numpy.ndarray of int
        Minutes a week in use and in all, one value per case manager.

    Returns
    -------
    float
        In minutes a week; least where the utilisations are equal.

    Examples
    --------
    >>> sum_of_squares(np.array([300, 450, 0]), np.array([600, 600, 0]))
    487.5
    """
    able = capacity > 0
    return float(np.sum(load[able].astype(np.float64) ** 2 / capacity[able]))
