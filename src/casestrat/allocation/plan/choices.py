"""Who could follow each case, and what speaks against each: worked out for the cases asked for, and no others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from casestrat.allocation.problem.objective import FIT_TERMS
from casestrat.knowledge import Sentence, load_wording
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from casestrat.allocation.problem.instance import Asked
    from casestrat.allocation.problem.problem import AllocationProblem

    Flags: TypeAlias = NDArray[np.bool_]
    Numbers: TypeAlias = NDArray[np.float64]
    Wholes: TypeAlias = NDArray[np.int64]

_BLOCK = 2_048  # classes looked at together
NOBODY = -1


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """A plan beside every pair that the hard rules allow.

    Parameters
    ----------
    problem : AllocationProblem
        The checked problem.
    asked : Asked
        Its classes and the rules' answers.
    plan : numpy.ndarray of int
        Row of the case manager of each case to place, -1 for nobody, in the order of ``asked.rows``.
    load, count : numpy.ndarray of int
        Minutes and cases of each case manager under the plan.
    """

    problem: AllocationProblem
    asked: Asked
    plan: Wholes
    load: Wholes
    count: Wholes

    def of(self, case_ids: Iterable[str]) -> pd.DataFrame:
        """Return the choices of some cases.

        Parameters
        ----------
        case_ids : iterable of str
            Cases; one that is not to be placed has no row.

        Returns
        -------
        pandas.DataFrame
            One row per case and case manager whom the hard rules allow, by both ids: case_id, cm_id, is_chosen,
            has_room, cost, missed (in words), minutes, utilisation_after.
        """
        ids = pd.Index(self.problem.cases["case_id"].to_numpy(dtype=object)[self.asked.rows])
        at = ids.get_indexer(pd.Index(list(case_ids), dtype=object))
        return self._frame(np.unique(at[at >= 0]))

    def every(self) -> pd.DataFrame:
        """Return the choices of all cases, which are many where cases are."""
        return self._frame(np.arange(len(self.plan)))

    def _frame(self, cases: Wholes) -> pd.DataFrame:
        problem, asked = self.problem, self.asked
        row, managers = np.nonzero(asked.allowed[asked.group[cases]])
        at = cases[row]
        groups = asked.group[at]
        is_chosen = self.plan[at] == managers
        minutes = asked.weight[groups, managers]
        after = self.load[managers] + np.where(is_chosen, 0, minutes)
        has_room = is_chosen | self._has_room(after, managers)
        case_ids, cm_ids = problem.cases["case_id"].to_numpy(), problem.case_managers["cm_id"].to_numpy()
        missed = missed_by(asked, groups, managers)
        return pd.DataFrame({
            "case_id": pd.Series(case_ids[asked.rows[at]], dtype=TEXT),
            "cm_id": pd.Series(cm_ids[managers], dtype=TEXT),
            "is_chosen": is_chosen, "has_room": has_room, "cost": asked.cost[groups, managers],
            "missed": pd.Series(_in_english(missed), dtype=TEXT), "minutes": pd.Series(minutes, dtype="Int64"),
            "utilisation_after": after / np.maximum(problem.capacity[managers], 1), "_missed": missed,
        })  # fmt: skip

    def _has_room(self, after: Wholes, managers: Wholes) -> Flags:
        """Whether case managers have the minutes and the place."""
        slots = self.problem.free_slots + self.problem.cases_before - self.count
        return np.asarray((after <= self.problem.capacity[managers]) & (slots[managers] > 0), dtype=bool)

    def runners_up(self) -> Wholes:
        """Return, for each case to place, the row of the next best case manager with room; -1 for none."""
        asked = self.asked
        best = np.full((2, len(asked.allowed)), NOBODY, dtype=np.int64)
        for start in range(0, len(asked.allowed), _BLOCK):
            groups, managers = np.nonzero(asked.allowed[start : start + _BLOCK])
            groups = groups + start
            after = self.load[managers] + asked.weight[groups, managers]
            room = self._has_room(after, managers)
            groups, managers, after = groups[room], managers[room], after[room]
            use = after / np.maximum(self.problem.capacity[managers], 1)
            order = np.lexsort((managers, use, asked.cost[groups, managers], groups))
            groups, managers = groups[order], managers[order]
            first = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]]) if len(groups) else order
            best[0, groups[first]] = managers[first]
            second = first[(first + 1 < len(groups))] + 1
            second = second[groups[second] == groups[second - 1]]
            best[1, groups[second]] = managers[second]
        one, two = best[0, asked.group], best[1, asked.group]
        return np.asarray(np.where(one == self.plan, two, one), dtype=np.int64)

    def reasons(self) -> dict[str, Sentence]:
        """Return, for each placed case, why its case manager."""
        problem, asked = self.problem, self.asked
        placed = np.flatnonzero(self.plan >= 0)
        groups, managers = asked.group[placed], self.plan[placed]
        able = asked.allowed.sum(axis=1)[groups]
        share = np.round(self.load[managers] / np.maximum(problem.capacity[managers], 1) * 100).astype(np.int64)
        kinds, at = np.unique(
            np.stack([able, missed_by(asked, groups, managers), share], axis=1), axis=0, return_inverse=True
        )
        said = [_why(int(number), int(bits), int(used)) for number, bits, used in kinds]
        case_ids = problem.cases["case_id"].to_numpy(dtype=object)[asked.rows[placed]]
        return {case: said[kind] for case, kind in zip(case_ids, at.reshape(-1).tolist(), strict=True)}


def missed_by(asked: Asked, groups: Wholes, managers: Wholes) -> Wholes:
    """Return what pairs miss: bit k is set where one misses ``FIT_TERMS[k]``.

    Parameters
    ----------
    asked : Asked
        Classes and costs.
    groups, managers : numpy.ndarray of int
        Class and case manager of each pair.

    Returns
    -------
    numpy.ndarray of int
        One value per pair.
    """
    bits = np.zeros(len(groups), dtype=np.int64)
    for number, part in enumerate(asked.cost.parts):
        bits |= (part[groups, managers] > 0).astype(np.int64) << number
    return bits


def _why(able: int, missed: int, used: int) -> Sentence:
    """Say why a case manager was chosen."""
    return Sentence.of(
        "allocation.why",
        able=Sentence.of("allocation.able", n=able),
        fit=_terms(missed) or Sentence.of("allocation.fits"),
        share=used,
    )


def _terms(bits: int) -> tuple[Sentence, ...]:
    """Return what a pair misses."""
    return tuple(term.words for number, term in enumerate(FIT_TERMS) if bits >> number & 1)


def _in_english(missed: Wholes) -> NDArray[np.object_]:
    """Return what pairs miss, in words."""
    wording = load_wording("en")
    kinds, at = np.unique(missed, return_inverse=True)
    words = ["; ".join(one.said(wording) for one in _terms(int(bits))) for bits in kinds]
    return np.array([*words, ""], dtype=object)[at]
