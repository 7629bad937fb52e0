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
            absent = {column: before[column].iloc[0] for column in before.columns if column not in frame}
            typed[name] = frame.assign(**absent)[list(before.columns)].astype(before.dtypes.to_dict())
        return replace(tables, **typed)

    return make
