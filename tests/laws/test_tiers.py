"""Laws of tiers: more risk is never a lower tier, no capacity is exceeded, ties stay together, nothing flaps."""

import dataclasses

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from casestrat.knowledge import load_program
from casestrat.models import RuleSet, assign_tiers, expected_moves, tier_churn, tier_probabilities

PLAIN = load_program("geriatric")
OUT = [{"leave_points": 7, "leave_risk": 0.2}, {"leave_points": 3, "leave_risk": 0.1}, {}]
PROGRAM = dataclasses.replace(
    PLAIN, tiers=tuple(dataclasses.replace(tier, **more) for tier, more in zip(PLAIN.tiers, OUT, strict=True))
)
NAMES = [tier.id for tier in PROGRAM.tiers]
HEIGHT = {name: -number for number, name in enumerate(NAMES)}
RULES = RuleSet([{"id": "flag", "expression": "flag == 1", "tier": "high"},
                 {"id": "calm", "expression": "flag == 2", "tier": "low"}])  # fmt: skip

risks = st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=1, max_size=30)
points = st.lists(st.one_of(st.none(), st.integers(-2, 14)), min_size=1, max_size=30)
tiers = st.sampled_from([*NAMES, None])


def frame(name, values):
    index = pd.Index([f"P{i:02d}" for i in range(len(values))], name="person_id")
    return pd.DataFrame({name: pd.array(values, dtype="Float64")}, index=index)


def heights(told):
    return told["tier"].map(HEIGHT).to_numpy(dtype=float, na_value=np.nan)


@given(risks, points)
def test_a_higher_value_never_gives_a_lower_tier(some_risks, some_points):
    for name, values in (("risk", some_risks), ("points", some_points)):
        told = assign_tiers(frame(name, values), PROGRAM)
        known = told[told[name].notna()].sort_values(name)
        assert (np.diff(heights(known)) >= 0).all()
        assert told.loc[told[name].isna(), "tier"].isna().all()


@given(points, st.integers(0, 8), st.data())
def test_no_capacity_is_exceeded_but_by_rules_and_by_those_who_were_there(values, capacity, data):
    teams = data.draw(st.lists(st.sampled_from(["a", "b"]), min_size=len(values), max_size=len(values)))
    flags = data.draw(st.lists(st.integers(0, 2), min_size=len(values), max_size=len(values)))
    had = data.draw(st.lists(tiers, min_size=len(values), max_size=len(values)))
    people = frame("points", values).assign(team=teams, flag=flags)
    plain = assign_tiers(people, PROGRAM, capacity, per="team")
    assert (plain[plain["tier"] == "high"].groupby("team").size() <= capacity).all()
    previous = pd.DataFrame({"person_id": people.index, "tier": had})
    told = assign_tiers(people, PROGRAM, capacity, per="team", rules=RULES, previous=previous)
    in_high = told["tier"].eq("high").fillna(False).to_numpy(dtype=bool)
    first = in_high & (np.array([one == "high" for one in had]) | (np.array(flags) == 1))
    for team in ("a", "b"):
        mine = np.array(teams) == team
        assert (in_high & mine).sum() <= max(capacity, (first & mine).sum())


@given(points, st.integers(0, 8))
def test_who_ties_stays_together(values, capacity):
    told = assign_tiers(frame("points", values), PROGRAM, capacity)
    assert (told.dropna(subset="points").groupby("points")["tier"].agg(lambda one: len(set(one))) == 1).all()


@given(st.lists(st.integers(7, 8), min_size=1, max_size=12), st.sampled_from(NAMES))
def test_a_value_between_the_ways_never_flaps(values, start):
    """Between the way out of high (7) and its way in (9), who is in stays in and who is out stays out."""
    had, seen = start, []
    for value in values:
        told = assign_tiers(frame("points", [value]), PROGRAM, previous=pd.DataFrame(
            {"person_id": ["P00"], "tier": [had]}))  # fmt: skip
        had = told["tier"].item()
        seen.append(had)
        assert not told["review_step_down"].item()
    assert seen == (["high"] * len(seen) if start == "high" else ["medium"] * len(seen))


@given(points, st.data())
def test_nobody_is_moved_down_silently(values, data):
    had = data.draw(st.lists(tiers, min_size=len(values), max_size=len(values)))
    people = frame("points", values)
    told = assign_tiers(people, PROGRAM, previous=pd.DataFrame({"person_id": people.index, "tier": had}))
    before = pd.Series(had, index=people.index).map(HEIGHT).to_numpy(dtype=float, na_value=np.nan)
    now, known = heights(told), ~np.isnan(before)
    assert (now[known] >= before[known]).all()
    review = told["review_step_down"].to_numpy(dtype=bool)
    assert (now[review] == before[review]).all()
    below = told["step_down_to"].map(HEIGHT).to_numpy(dtype=float, na_value=np.nan)
    assert (below[review] < before[review]).all()
    assert np.isnan(below[~review]).all()


@given(points, st.integers(0, 8), st.data())
def test_the_order_of_the_rows_changes_nothing(values, capacity, data):
    had = data.draw(st.lists(tiers, min_size=len(values), max_size=len(values)))
    flags = data.draw(st.lists(st.sampled_from([0, 1, 2, None]), min_size=len(values), max_size=len(values)))
    people = frame("points", values).assign(flag=pd.array(flags, dtype="Int64"))
    previous = pd.DataFrame({"person_id": people.index, "tier": had})
    order = data.draw(st.permutations(range(len(values))))
    told = assign_tiers(people, PROGRAM, capacity, rules=RULES, previous=previous)
    again = assign_tiers(people.iloc[order], PROGRAM, capacity, rules=RULES, previous=previous.iloc[::-1])
    pd.testing.assert_frame_equal(told, again.reindex(told.index))


@given(st.integers(1, 12), st.integers(1, 9), st.integers(0, 10**6))
def test_chances_sum_to_one_and_moves_to_the_people(n, n_draws, seed):
    rng = np.random.default_rng(seed)
    draws, people = rng.uniform(size=(n_draws, n)), frame("risk", [0.1] * n).index
    chances = tier_probabilities(draws, PROGRAM, people)
    assert np.allclose(chances.sum(axis=1), 1)
    had = pd.DataFrame({"tier": rng.choice(NAMES, n)}, index=people)
    moves = expected_moves(had, draws, PROGRAM, people)
    assert np.isclose(moves["n_expected"].sum(), n)
    into = moves.groupby("tier_after")["n_expected"].sum()
    assert np.allclose([into.get(name, 0) for name in NAMES], chances.sum())


@given(points, st.data())
def test_churn_counts_each_person_once(values, data):
    had = data.draw(st.lists(tiers, min_size=len(values), max_size=len(values)))
    people = frame("points", values)
    now = assign_tiers(people, PROGRAM)
    churn = tier_churn(pd.DataFrame({"tier": had}, index=people.index), now, PROGRAM)
    assert churn["n"].sum() == len(values)
    assert (churn.groupby("tier_before")["share"].sum() - 1).abs().max() < 1e-9
