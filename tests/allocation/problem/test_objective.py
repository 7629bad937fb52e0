from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem
from casestrat.allocation.problem.instance import ask
from casestrat.allocation.problem.objective import FIT_TERMS, LEVELS, largest_utilisation, sum_of_squares
from casestrat.knowledge import AllocationCosts


def test_levels_and_terms_are_named_once():
    assert len(set(LEVELS)) == 4
    assert len({term.id for term in FIT_TERMS}) == len(FIT_TERMS)
    assert {term.id for term in FIT_TERMS} == {one.name for one in fields(AllocationCosts)}


def test_who_has_no_minutes_does_not_count():
    load, capacity = np.array([30, 50, 7]), np.array([60, 50, 0])
    assert largest_utilisation(load, capacity) == 1.0
    assert sum_of_squares(load, capacity) == pytest.approx(15 + 50)
    assert largest_utilisation(load[2:], capacity[2:]) == 0.0


def test_even_loads_have_the_smallest_squares():
    capacity = np.array([100, 50])
    assert sum_of_squares(np.array([60, 30]), capacity) < sum_of_squares(np.array([62, 28]), capacity)


def test_the_fit_adds_what_a_pair_misses(rules):
    cases = pd.DataFrame({
        "case_id": ["C0", "C1", "C2"], "person_id": ["P0", "P1", "P2"], "minutes": 10,
        "cm_id": ["CM0", None, "gone"], "language": [None, "it", None], "territory": [None, "T1", None],
    })  # fmt: skip
    managers = pd.DataFrame({
        "cm_id": ["CM0", "CM1"], "capacity_minutes": 100, "languages": ["fr", "it"], "territories": ["T1", "T2"],
        "gender": ["f", "m"],
    })  # fmt: skip
    wishes = pd.DataFrame({"person_id": ["P2", "P2"], "kind": "gender", "value": ["f", "x"], "is_required": False})
    problem = AllocationProblem(
        cases, managers, preferences=wishes, rules=rules(language="preferred", territory="preferred")
    )
    asked = ask(problem)
    assert asked.cost[asked.group].tolist() == [[0, 4], [3, 2], [1, 2]]
    assert asked.allowed.all()
