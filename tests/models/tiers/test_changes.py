"""Ways in and out, least stays, reviews, churn, and moves to come."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.knowledge import load_program
from casestrat.models import RuleSet, assign_tiers, expected_moves, tier_churn, tier_probabilities


@pytest.fixture(scope="module")
def program():
    """High from 9 points, out below 7; medium from 5, out below 4; a least stay of 30 days in high."""
    plain = load_program("geriatric")
    out = [
        {"leave_points": 7, "leave_risk": 0.25, "least_stay_days": 30},
        {"leave_points": 4, "leave_risk": 0.10},
        {},
    ]  # fmt: skip
    return dataclasses.replace(
        plain, tiers=tuple(dataclasses.replace(tier, **more) for tier, more in zip(plain.tiers, out, strict=True))
    )


def frame(points=None, risk=None, as_of="2026-10-01"):
    given = points if points is not None else risk
    index = pd.MultiIndex.from_product(
        [[f"P{i}" for i in range(len(given))], [pd.Timestamp(as_of)]], names=["person_id", "as_of"]
    )
    columns = {"points": pd.array(points, dtype="Int64")} if points is not None else {"risk": risk}
    return pd.DataFrame(columns, index=index)


def had(*tiers, since=None):
    people = pd.DataFrame({"person_id": [f"P{i}" for i in range(len(tiers))], "tier": list(tiers)})
    return people if since is None else people.assign(tier_since=pd.to_datetime(since))


def test_a_person_rises_at_the_way_in_and_stays_until_the_way_out(program):
    told = assign_tiers(frame([9, 8, 7, 5, 4]), program, previous=had("low", "high", "high", "medium", "medium"))
    assert told["tier"].tolist() == ["high", "high", "high", "medium", "medium"]
    assert told["previous_tier"].tolist() == ["low", "high", "high", "medium", "medium"]
    assert not told["review_step_down"].any()
    assert told["tier_rule"].tolist()[1] == "stays in high: above the way out"
    assert assign_tiers(frame([8, 4]), program, previous=had("medium", "low"))["tier"].tolist() == ["medium", "low"]


def test_who_would_step_down_stays_and_is_marked_for_people_to_review(program):
    told = assign_tiers(frame([6, 3, 3]), program, previous=had("high", "high", "medium"))
    assert told["tier"].tolist() == ["high", "high", "medium"]
    assert told["review_step_down"].tolist() == [True, True, True]
    assert told["step_down_to"].tolist() == ["medium", "low", "low"]
    assert told["tier_rule"].tolist()[0] == "stays in high: step down to medium to be reviewed"
    four = assign_tiers(frame([4]), program, previous=had("high"))  # below the way in of medium, above its way out
    assert four["step_down_to"].tolist() == ["medium"]


def test_a_least_stay_comes_before_the_review(program):
    previous = had("high", "high", "high", since=["2026-09-10", "2026-08-01", None])
    told = assign_tiers(frame([3, 3, 3]), program, previous=previous)
    assert told["tier"].tolist() == ["high"] * 3
    assert told["review_step_down"].tolist() == [False, True, True]  # a stay of unknown length is reviewed
    assert told["tier_rule"].tolist()[0] == "stays in high: least stay 30 days"


def test_who_is_not_scored_now_stays_without_a_review(program):
    told = assign_tiers(frame([None, None]), program, previous=had("high", None))
    assert told["tier"].tolist()[0] == "high"
    assert told["tier_rule"].tolist() == ["risk and points not known; stays in high", "risk and points not known"]
    assert told["tier"].isna().tolist() == [False, True]
    assert not told["review_step_down"].any()


def test_risk_has_its_own_way_out(program):
    told = assign_tiers(frame(risk=[0.29, 0.25, 0.24]), program, previous=had("high", "high", "high"))
    assert told["review_step_down"].tolist() == [False, False, True]


def test_a_rule_that_lowers_is_reviewed_too_and_one_that_raises_acts_at_once(program):
    rules = RuleSet([
        {"id": "stable", "expression": "stable == 1", "tier": "low"},
        {"id": "crisis", "expression": "stable == 0", "tier": "high"},
    ])  # fmt: skip
    people = frame([9, 3]).assign(stable=[1, 0])
    told = assign_tiers(people, program, rules=rules, previous=had("high", "low"))
    assert told["tier"].tolist() == ["high", "high"]
    assert told["review_step_down"].tolist() == [True, False]
    assert told["step_down_to"].tolist()[0] == "low"
    assert told["tier_rule"].tolist()[1] == "rule crisis"


def test_who_is_in_the_highest_tier_keeps_the_place_and_newcomers_share_the_rest(program):
    told = assign_tiers(frame([12, 11, 8]), program, capacity=2, previous=had("low", "low", "high"))
    assert told["tier"].tolist() == ["high", "medium", "high"]
    assert told["tier_rule"].tolist()[1] == "capacity 2, by points"


def test_people_who_are_new_are_placed_as_without_previous_tiers(program):
    told = assign_tiers(frame([9, 6]), program, previous=had("low"))
    assert told["tier"].tolist() == ["high", "medium"]
    assert told["previous_tier"].isna().tolist() == [False, True]
    by_index = assign_tiers(frame([6]), program, previous=had("high").set_index("person_id"))
    assert by_index["review_step_down"].tolist() == [True]


@pytest.mark.parametrize(
    ("previous", "words"),
    [
        (pd.DataFrame({"person_id": ["P0"]}), "no column tier"),
        (pd.DataFrame({"tier": ["high"]}), "no column person_id"),
        (pd.DataFrame({"person_id": ["P0", "P0"], "tier": ["high", "low"]}), "1 people stand more than once"),
        (pd.DataFrame({"person_id": ["P0"], "tier": ["top"]}), "no tier 'top'"),
    ],
)
def test_previous_tiers_that_cannot_be_used_are_refused(previous, words, program):
    with pytest.raises(UsageError, match=words):
        assign_tiers(frame([9]), program, previous=previous)


def test_a_least_stay_needs_a_date_to_count_to(program):
    people = frame([3]).droplevel("as_of")
    with pytest.raises(UsageError, match="up to a date"):
        assign_tiers(people, program, previous=had("high", since=["2026-09-01"]))


def test_churn_counts_every_pair_once_and_names_the_move(program):
    before = pd.DataFrame({"person_id": list("abcde"), "tier": ["high", "medium", "low", None, "low"]})
    after = pd.DataFrame({"person_id": list("abcdf"), "tier": ["medium", "high", "low", "low", "low"]})
    churn = tier_churn(before, after, program)
    assert churn["n"].sum() == 6
    moves = {(row.tier_before, row.tier_after): row.move for row in churn.itertuples()}
    assert moves == {
        ("high", "medium"): "down", ("medium", "high"): "up", ("low", "low"): "same", ("low", "absent"): "leaves",
        ("unknown", "low"): "other", ("absent", "low"): "joins",
    }  # fmt: skip
    assert churn.groupby("tier_before")["share"].sum().tolist() == pytest.approx([1.0] * 5)
    assert churn["tier_before"].tolist()[0] == "high"  # in the order of the tiers
    plain = tier_churn(before.set_index("person_id"), after)
    assert plain["n"].sum() == 6
    assert set(plain["move"]) == {"same", "joins", "leaves", "other"}


def test_churn_refuses_what_it_cannot_count(program):
    one = pd.DataFrame({"person_id": ["a"], "tier": ["high"]})
    with pytest.raises(UsageError, match="no column tier"):
        tier_churn(one[["person_id"]], one)
    with pytest.raises(UsageError, match="more than once"):
        tier_churn(one, pd.concat([one, one]))
    with pytest.raises(UsageError, match="no tier 'top'"):
        tier_churn(one, one.assign(tier="top"), program)


def test_the_chance_of_a_tier_is_the_share_of_draws_in_it(program):
    rng = np.random.default_rng(0)
    draws = rng.uniform(size=(500, 3))
    told = tier_probabilities(draws, program)
    assert np.allclose(told.sum(axis=1), 1)
    assert np.allclose(told["p_tier_high"], (draws >= 0.3).mean(axis=0))
    assert np.allclose(told["p_tier_low"], (draws < 0.15).mean(axis=0))
    draws[0, 1] = np.nan
    assert tier_probabilities(draws, program).isna().all(axis=1).tolist() == [False, True, False]


def test_draws_go_beside_the_tiers(program):
    people = frame(risk=[0.4, 0.1])
    told = assign_tiers(people, program, draws=[[0.4, 0.1], [0.2, 0.1]])
    assert told["p_tier_high"].tolist() == [0.5, 0.0]
    assert told["tier"].tolist() == ["high", "low"]


def test_expected_moves_add_up_to_the_people(program):
    rng = np.random.default_rng(1)
    draws = rng.uniform(size=(200, 4))
    people = pd.Index([f"P{i}" for i in range(4)], name="person_id")
    moves = expected_moves(had("high", "low", "medium"), draws, program, people)
    assert moves["n_expected"].sum() == pytest.approx(3)  # the fourth has no tier yet
    assert (moves["n_low"] <= moves["n_high"]).all()
    up = moves[(moves["tier_before"] == "low") & (moves["tier_after"] == "high")]
    assert up["n_expected"].item() == pytest.approx((draws[:, 1] >= 0.3).mean())


@pytest.mark.parametrize(
    ("draws", "words"),
    [
        ([0.1, 0.2], "one row a draw"),
        ([[0.1, 1.2]], "1 draws lie outside"),
        ([["a", "b"]], "no numbers"),
        ([[0.1, 0.2, 0.3]], "3 people and an index of 2"),
    ],
)
def test_draws_that_are_no_risks_are_refused(draws, words, program):
    people = pd.Index(["P0", "P1"], name="person_id")
    with pytest.raises(UsageError, match=words):
        tier_probabilities(draws, program, people)
    with pytest.raises(UsageError, match=words):
        expected_moves(had("high", "low"), draws, program, people)


def test_without_cut_offs_for_risk_there_is_no_chance_of_a_tier(program):
    tiers = tuple(dataclasses.replace(tier, from_risk=None, leave_risk=None) for tier in program.tiers)
    with pytest.raises(UsageError, match="no cut-offs for risk"):
        tier_probabilities([[0.1]], dataclasses.replace(program, tiers=tiers))
    with pytest.raises(UsageError, match="level"):
        expected_moves(had("high"), [[0.1]], program, pd.Index(["P0"], name="person_id"), level=1)
