"""Whether those who take cases over may see them: payers' contracts and clearances, which the tables cannot tell."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.allocation.problem.gathering import gather
from casestrat.allocation.problem.instance import ask
from casestrat.allocation.problem.problem import AllocationProblem
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from casestrat.knowledge.program import Program
    from casestrat.tables import Tables

_EXPECTED = {
    "payer": "somebody contracted with the person's payer on every day",
    "confidentiality": "somebody cleared for the person's confidential records on every day",
}


def takers_without_rights(tables: Tables, program: Program, assignments: pd.DataFrame) -> pd.DataFrame:
    """Return the new assignments whose case manager has no contract with the payer, or may not see the records.

    Each is asked about on every day of the planned follow-up from its first day on, or until its end where it has one.

    Parameters
    ----------
    tables : Tables
        The checked tables; what was recorded before the first day of an assignment counts.
    program : Program
        Its ``[allocation]`` says which contracts and clearances are asked for.
    assignments : pandas.DataFrame
        Columns assignment_id, episode_id, cm_id, from_on, to_on (missing: until further notice).

    Returns
    -------
    pandas.DataFrame
        One row per assignment and broken rule: assignment_id, column, rule (payer, confidentiality), expected.
    """
    rules, found = program.allocation, []
    if (rules.payer_contracts or rules.confidential) and len(assignments):
        days = (assignments["to_on"] - assignments["from_on"]).dt.days + 1
        spans = days.fillna(rules.horizon_days).astype("int64").clip(lower=1)
        alike: Any = assignments.groupby([assignments["from_on"], spans]).indices
        for (first, span), at in alike.items():
            asked_for = replace(program, allocation=replace(rules, horizon_days=int(span)))
            found += _broken(tables, asked_for, assignments.iloc[at], first)
    return pd.DataFrame(found, columns=["assignment_id", "column", "rule", "expected"], dtype=TEXT)


def _broken(tables: Tables, program: Program, rows: pd.DataFrame, first: pd.Timestamp) -> list[tuple[str, ...]]:
    """Ask both rules about assignments that begin on one day and last as long."""
    given = gather(tables, program, None, first)
    cases = given["cases"]
    problem = AllocationProblem(
        **given | {"cases": cases[cases["case_id"].isin(rows["episode_id"])].assign(is_fixed=False)}
    )
    asked = ask(problem)
    class_of = dict(zip(problem.cases["case_id"].iloc[asked.rows], asked.group.tolist(), strict=True))
    column_of = {cm_id: column for column, cm_id in enumerate(problem.case_managers["cm_id"])}
    told = rows[rows["episode_id"].isin(class_of) & rows["cm_id"].isin(column_of)]
    groups = told["episode_id"].map(class_of).to_numpy(dtype=np.int64)
    columns = told["cm_id"].map(column_of).to_numpy(dtype=np.int64)
    return [
        (assignment_id, "cm_id", rule, expected)
        for rule, expected in _EXPECTED.items()
        for assignment_id, may in zip(told["assignment_id"], asked.verdicts[rule][groups, columns], strict=True)
        if not may
    ]
