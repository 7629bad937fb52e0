"""Small problems that several tests of allocation share."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem
from casestrat.allocation.problem.instance import Instance, ask, canonical
from casestrat.knowledge.program import AllocationRules


@pytest.fixture
def three():
    """Three cases and two case managers, as frames that a test may change."""
    cases = pd.DataFrame({"case_id": ["C1", "C2", "C3"], "person_id": ["P1", "P2", "P3"], "minutes": [40, 60, 40]})
    managers = pd.DataFrame({"cm_id": ["CM1", "CM2"], "capacity_minutes": [100, 80]})
    return cases, managers


@pytest.fixture
def instance_of():
    """Return the arrays of a problem."""

    def make(problem: AllocationProblem) -> Instance:
        return canonical(problem, ask(problem))

    return make


@pytest.fixture
def sized():
    """Return a problem of a size, from the seeded generator of the benchmarks."""
    folder = str(Path(__file__).parents[2] / "benchmarks")
    sys.path.insert(0, folder)
    try:
        import caseloads
    finally:
        sys.path.remove(folder)
    return caseloads.make_problem


@pytest.fixture
def rules():
    """Return rules with some of them changed."""
    return AllocationRules


@pytest.fixture(scope="session")
def exchanged():
    """Return checked tables with some of their frames exchanged for sound ones, which are typed like those before."""

    def make(tables, **frames):
        typed = {}
        for name, frame in frames.items():
            before = getattr(tables, name)
            usual = {column: before[column].iloc[0] if len(before) else None for column in before.columns}
            absent = {column: value for column, value in usual.items() if column not in frame}
            typed[name] = frame.assign(**absent)[list(before.columns)].astype(before.dtypes.to_dict())
        return replace(tables, **typed)

    return make


@pytest.fixture
def verdict(rules):
    """Return what one rule says of the pairs of a problem: one row a case, one column a case manager."""

    def judge(rule, cases, managers, rule_changes=None, **more):
        cases = {"case_id": [f"C{i}" for i in range(len(next(iter(cases.values()))))], "minutes": 10, **cases}
        managers = {
            "cm_id": [f"CM{j}" for j in range(len(next(iter(managers.values()))))],
            "capacity_minutes": 100,
        } | managers
        problem = AllocationProblem(
            pd.DataFrame(cases),
            pd.DataFrame(managers),
            rules=rules(**(rule_changes or {})),
            starts_on="2026-10-01",
            **more,
        )
        asked = ask(problem)
        return asked.verdicts[rule][asked.group].tolist()

    return judge
