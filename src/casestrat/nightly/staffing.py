"""What a run tells of staffing: who could be followed now, what binds the plan, what a hire would bring, rights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from casestrat.allocation import Admission, binding, expiring_licenses, judge_admission, what_would_help
from casestrat.nightly.files import to_contract

if TYPE_CHECKING:
    import pandas as pd

    from casestrat.allocation import AllocationProblem, Plan
    from casestrat.knowledge import Program
    from casestrat.tables import Tables

STAFFING = ("admissible", "hiring", "binding", "expiring")
"""Outputs that are made where there are case managers."""


@dataclass(frozen=True, slots=True)
class Staffing:
    """Reports beside the plan, and the answers for those who wait, to be said in any language."""

    admission: Admission
    hiring: pd.DataFrame
    binding: pd.DataFrame
    expiring: pd.DataFrame

    def frames(self, lang: str) -> dict[str, pd.DataFrame]:
        """Return the outputs by name, each in its contract but for the date.

        Parameters
        ----------
        lang : {"en", "fr", "it"}
            Language of what is said of those who wait.

        Returns
        -------
        dict of str to pandas.DataFrame
            One frame per name of ``STAFFING``.
        """
        return {
            "admissible": self.admission.in_language(lang),
            "hiring": self.hiring,
            "binding": self.binding,
            "expiring": self.expiring.rename(columns={"name": "right"}),
        }


def staffing_of(
    tables: Tables, program: Program, ranked: pd.DataFrame, as_of: pd.Timestamp, plan: Plan, problem: AllocationProblem
) -> Staffing:
    """Return the reports of a night.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        Its rules.
    ranked : pandas.DataFrame
        The waiting list.
    as_of : pandas.Timestamp
        The date.
    plan : Plan
        The plan of the night.
    problem : AllocationProblem
        What it solves.

    Returns
    -------
    Staffing
        The reports.
    """
    return Staffing(
        judge_admission(tables, program, ranked, as_of, plan),
        what_would_help(problem, plan),
        binding(problem, plan),
        expiring_licenses(tables, program, as_of),
    )


def admissible_in(staffing: Staffing, lang: str, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return who could be followed now, in words of a language, as the output's contract has it.

    Parameters
    ----------
    staffing : Staffing
        The reports of a night.
    lang : {"en", "fr", "it"}
        The language.
    as_of : pandas.Timestamp
        The date.

    Returns
    -------
    pandas.DataFrame
        One row per waiting person.
    """
    return to_contract(staffing.admission.in_language(lang).assign(as_of=as_of), "admissible")
