"""Tiers: cut-offs, capacity, ties, and the unknown that is never low."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.knowledge import RuleSpec, load_program
from casestrat.models import PointScorecard, RuleSet, assign_tiers, cut_off_by_net_benefit


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


def test_the_case_weight_and_the_contacts_go_with_the_intensity(program):
    tiers = assign_tiers(frame(points=pd.array([9, 0, None], dtype="Int64")), program)
    assert tiers["minutes_per_week"].tolist()[:2] == [54, 18]
    assert tiers["contact_standard"].tolist()[:2] == ["home_visit every 14 days", "phone every 90 days"]
    assert tiers.iloc[2][["minutes_per_week", "contact_standard"]].isna().all()


def test_a_rule_comes_before_the_cut_off_and_says_so(program):
    rules = RuleSet([
        {"id": "crisis", "expression": "crises >= 1", "tier": "high"},
        {"id": "alone", "expression": "alone", "tier": "medium", "how": "at_least"},
        {"id": "helped", "expression": "helped", "tier": "medium", "how": "at_most"},
    ])  # fmt: skip
    people = frame(points=pd.array([1, 1, 9, 9, 1, None, None], dtype="Int64"))
    X = pd.DataFrame(
        {"crises": [1, 0, 0, 0, 0, 0, 0], "alone": [0, 1, 1, 0, 0, 1, 0], "helped": [0, 0, 0, 1, 1, 0, 1]},
        index=people.index,
    )
    told = assign_tiers(people, program, rules=rules, X=X)
    assert told["tier"].tolist()[:6] == ["high", "medium", "high", "medium", "low", "medium"]
    assert pd.isna(told["tier"].iloc[6])  # at most medium says nothing of somebody who is not scored
    assert told["tier_rule"].tolist()[:4] == ["rule crisis", "rule alone", "cut-off points ≥ 9", "rule helped"]
    assert told["unknown_inputs"].eq("").all()
    assert told["proposed_override"].eq(0).all()


def test_rules_read_scores_and_what_is_unknown_is_told(program):
    rules = RuleSet([{"id": "full", "expression": "completeness < 0.5 and frail", "tier": "medium", "override": 1}])
    people = frame(points=[1, 1], completeness=[0.4, 0.9])
    told = assign_tiers(people, program, rules=rules)
    assert told["tier"].tolist() == ["low", "low"]
    assert told["unknown_inputs"].tolist() == ["frail", ""]
    asked = assign_tiers(people.assign(frail=True), program, rules=rules)
    assert asked["proposed_override"].tolist() == [1, 0]
    assert asked["override_rule"].tolist()[0] == "full"


def test_the_rules_of_the_program_count_and_can_be_left_out(program):
    rule = RuleSpec("old", "age >= 90", tier="high")
    ruled = dataclasses.replace(program, tier_rules=(rule,))
    people = frame(points=[1], age=[91])
    assert assign_tiers(people, ruled)["tier"].tolist() == ["high"]
    assert assign_tiers(people, ruled, rules=RuleSet())["tier"].tolist() == ["low"]
    with pytest.raises(UsageError, match="'top', which the program has not"):
        assign_tiers(people, program, rules=RuleSet([{"id": "a", "expression": "age > 1", "tier": "top"}]))
    with pytest.raises(UsageError, match="a row twice"):
        assign_tiers(people, ruled, X=pd.DataFrame({"age": [1, 2]}, index=["P0", "P0"]))


def test_those_a_rule_places_take_up_places_first(program):
    rules = RuleSet([{"id": "crisis", "expression": "crises >= 1", "tier": "high"}])
    people = frame(points=[12, 11, 1], crises=[0, 0, 1])
    assert assign_tiers(people, program, 2, rules=rules)["tier"].tolist() == ["high", "medium", "high"]
    assert assign_tiers(people, program, 0, rules=rules)["tier"].tolist() == ["medium", "medium", "high"]


def test_each_team_has_its_own_capacity_above_one_floor(program):
    people = frame(points=[12, 11, 10, 9, 8], team=["a", "a", "b", "b", "b"])
    told = assign_tiers(people, program, {"a": 1, "b": 5}, per="team")
    assert told["tier"].tolist() == ["high", "medium", "high", "high", "medium"]  # 8 is below the floor
    assert told["tier_rule"].tolist()[1] == "capacity 1 of a, by points"
    assert assign_tiers(people, program, 1, per="team")["tier"].tolist()[:4] == ["high", "medium", "high", "medium"]
    unknown = people.assign(team=["a", None, "b", "b", "b"])
    assert assign_tiers(unknown, program, {"a": 0, "b": 2, "": 1}, per="team")["tier"].tolist()[1] == "high"
    with pytest.raises(UsageError, match="group is not known"):
        assign_tiers(unknown, program, {"a": 1, "b": 2}, per="team")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"capacity": {"a": 1}}, "give `per`"),
        ({"capacity": {"b": 1}, "per": "team"}, "no capacity is given for the group 'a'"),
        ({"capacity": 1, "per": "site"}, "no column 'site'"),
        ({"per": "team"}, "there is none"),
        ({"capacity": {"a": -1}, "per": "team"}, "0 or more"),
        ({"capacity": 1.5}, "0 or more"),
    ],
)
def test_a_capacity_by_group_that_cannot_be_kept_is_refused(options, words, program):
    with pytest.raises(UsageError, match=words):
        assign_tiers(frame(points=[12], team=["a"]), program, **options)


def test_costs_and_net_benefit_set_where_the_highest_tier_begins(program):
    people = frame(risk=[0.5, 0.4, 0.2])
    by_cost = assign_tiers(people, program, false_negative_cost=1.5, false_positive_cost=1)
    assert by_cost["tier"].tolist() == ["high", "high", "medium"]
    assert by_cost["tier_rule"].tolist()[0] == "cut-off risk ≥ 0.4"
    cut = cut_off_by_net_benefit([1, 0, 1, 0], [0.6, 0.5, 0.45, 0.1], threshold=0.3)
    assert cut == 0.45
    told = assign_tiers(people, program, from_risk={"high": cut})
    assert told["tier"].tolist() == ["high", "medium", "medium"]
    lower = assign_tiers(people, program, from_risk={"high": 0.1, "medium": 0.05})
    assert lower["tier"].tolist() == ["high"] * 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"false_negative_cost": 9}, "without the other"),
        ({"false_negative_cost": 0, "false_positive_cost": 1}, "above 0"),
        ({"false_negative_cost": 9, "false_positive_cost": 1}, "do not fall"),  # .1 lies below medium's .15
        ({"false_negative_cost": 1, "false_positive_cost": 1, "from_risk": {"high": 0.2}}, "a cost and at a risk"),
        ({"from_risk": {"low": 0.1}}, "no tier that begins"),
        ({"from_risk": {"high": 1.2}}, "0 to 1"),
    ],
)
def test_cut_offs_that_cannot_be_used_are_refused(options, words, program):
    with pytest.raises(UsageError, match=words):
        assign_tiers(frame(risk=[0.5]), program, **options)


def test_the_cut_off_of_net_benefit_is_the_best_there_is():
    rng = np.random.default_rng(3)
    risk = rng.uniform(size=200).round(2)
    y = (rng.uniform(size=200) < risk).astype(int)
    for threshold in (0.1, 0.4, 0.8):

        def benefit(cut, odds=threshold / (1 - threshold)):
            return ((risk >= cut) & (y == 1)).sum() - ((risk >= cut) & (y == 0)).sum() * odds

        best = cut_off_by_net_benefit(y, risk, threshold)
        assert benefit(best) >= max(benefit(cut) for cut in risk) - 1e-9
    assert cut_off_by_net_benefit([0, 0], [0.4, 0.6], 0.5) == 1.0
    for y_bad, risk_bad, threshold in (([2], [0.1], 0.5), ([1], [1.2], 0.5), ([1], [0.5, 0.5], 0.5), ([1], [0.5], 1)):
        with pytest.raises(UsageError):
            cut_off_by_net_benefit(y_bad, risk_bad, threshold)


def test_a_program_that_asks_for_a_reason_gives_no_tier_by_a_learned_risk_without_one(program):
    strict = dataclasses.replace(program, privacy=dataclasses.replace(program.privacy, learned_ranking="opt_in"))
    card = PointScorecard.from_table(pd.DataFrame({"item": ["age"], "condition": [">= 80"], "points": [9]}))
    by_risk = frame(risk=[0.5])
    with pytest.raises(UsageError, match="unless a reason is recorded"):
        assign_tiers(by_risk, strict)
    with pytest.raises(UsageError, match="unless a reason is recorded"):
        assign_tiers(frame(points=[9]), strict, model=object())
    assert assign_tiers(by_risk, strict, model=card)["tier"].tolist() == ["high"]  # a published risk table
    assert assign_tiers(by_risk, strict, learned_ranking_reason="approved on 3 May")["tier"].tolist() == ["high"]
    assert assign_tiers(frame(points=[9]), strict)["tier"].tolist() == ["high"]
