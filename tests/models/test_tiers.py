"""Tiers: cut-offs, capacity, ties, and the unknown that is never low."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.knowledge import load_program
from casestrat.models import assign_tiers


@pytest.fixture(scope="module")
def program():
    return load_program("geriatric")  # high from 9 points or a risk of .3, medium from 5 or .15


def frame(**columns):
    n = len(next(iter(columns.values())))
    return pd.DataFrame(columns, index=pd.Index([f"P{i}" for i in range(n)], name="person_id"))


def test_risk_decides_where_it_is_known_else_points_and_unknown_is_missing(program):
    people = frame(
        risk=[0.3, 0.29, 0.15, 0.0, np.nan, np.nan, np.nan],
        points=pd.array([0, 20, 20, 20, 9, 4, None], dtype="Int64"),
    )
    tiers = assign_tiers(people, program)
    assert tiers["tier"].tolist()[:6] == ["high", "medium", "medium", "low", "high", "low"]
    assert tiers["intensity"].tolist()[:6] == ["intensive", "standard", "standard", "watch", "intensive", "watch"]
    assert tiers.iloc[6][["tier", "intensity"]].isna().all()
    assert tiers["tier_rule"].tolist() == [
        "cut-off risk ≥ 0.3",
        "cut-off risk ≥ 0.15",
        "cut-off risk ≥ 0.15",
        "cut-off risk < 0.15",
        "cut-off points ≥ 9",
        "cut-off points < 5",
        "risk and points not known",
    ]
    assert not tiers["in_tie"].any()
    assert "tier" not in people


def test_a_capacity_keeps_those_of_highest_risk_and_sends_the_others_one_tier_down(program):
    tiers = assign_tiers(frame(risk=[0.9, 0.8, 0.7, 0.1]), program, capacity=2)
    assert tiers["tier"].tolist() == ["high", "high", "medium", "low"]
    assert tiers["tier_rule"].tolist()[2] == "capacity 2, by risk"


def test_all_who_are_tied_at_the_cut_stay_below_it(program):
    tiers = assign_tiers(frame(points=[12, 10, 10, 10, 9]), program, capacity=3)
    assert tiers["tier"].tolist() == ["high", "medium", "medium", "medium", "medium"]
    assert tiers["in_tie"].tolist() == [False, True, True, True, False]
    assert tiers["tier_rule"].tolist()[1:] == ["capacity 3, tied at the cut"] * 3 + ["capacity 3, by points"]


def test_tied_people_who_all_fit_are_kept(program):
    tiers = assign_tiers(frame(points=[12, 10, 10, 9]), program, capacity=3)
    assert tiers["tier"].tolist() == ["high", "high", "high", "medium"]
    assert not tiers["in_tie"].any()


def test_a_capacity_is_no_promise_of_a_tier(program):
    assert assign_tiers(frame(risk=[0.31, 0.2]), program, capacity=40)["tier"].tolist() == ["high", "medium"]
    assert assign_tiers(frame(risk=[0.31, 0.31]), program, capacity=0)["tier"].tolist() == ["medium", "medium"]


def test_a_capacity_holds_on_each_date(program):
    index = pd.MultiIndex.from_product(
        [["P1", "P2"], pd.to_datetime(["2026-01-01", "2026-02-01"])], names=["person_id", "as_of"]
    )
    tiers = assign_tiers(pd.DataFrame({"risk": [0.9, 0.4, 0.5, 0.8]}, index=index), program, capacity=1)
    assert tiers["tier"].tolist() == ["high", "medium", "medium", "high"]


def test_people_are_ordered_by_what_all_of_them_have(program):
    people = frame(risk=[0.9, np.nan, 0.4], points=[9, 12, 10])
    assert assign_tiers(people, program, capacity=1)["tier"].tolist() == ["medium", "high", "medium"]
    with pytest.raises(UsageError, match="risk only"):
        assign_tiers(frame(risk=[0.9, np.nan], points=pd.array([None, 12], dtype="Int64")), program, capacity=1)


def test_cut_offs_for_points_only_leave_a_risk_without_a_tier(program):
    tiers = tuple(dataclasses.replace(tier, from_risk=None) for tier in program.tiers)
    by_points = dataclasses.replace(program, tiers=tiers)
    told = assign_tiers(frame(risk=[0.9, 0.9], points=pd.array([5, None], dtype="Int64")), by_points)
    assert told["tier_rule"].tolist() == ["cut-off points ≥ 5", "risk and points not known"]


@pytest.mark.parametrize(
    ("columns", "capacity", "words"),
    [
        ({"need": [1]}, None, "found neither"),
        ({"risk": [1.2]}, None, "1 rows lie outside"),
        ({"risk": [0.5]}, -1, "0 or more"),
    ],
)
def test_what_cannot_be_used_is_refused(columns, capacity, words, program):
    with pytest.raises(UsageError, match=words):
        assign_tiers(frame(**columns), program, capacity=capacity)


def test_a_program_of_one_tier_has_no_place_for_a_capacity(program):
    one = dataclasses.replace(program, tiers=program.tiers[:1])
    with pytest.raises(UsageError, match="one tier"):
        assign_tiers(frame(risk=[0.5]), one, capacity=1)
