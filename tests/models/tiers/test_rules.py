"""Rules that give a tier: the first that holds, unknown never fires, and what is unknown is told."""

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import KnowledgeError, UsageError
from casestrat.knowledge import RuleSpec
from casestrat.models import RuleSet

CRISIS = {"id": "crisis", "expression": "crises >= 1", "tier": "high"}
ALONE = {"id": "alone", "expression": "alone and age >= 85", "tier": "medium"}


def people(**columns):
    n = len(next(iter(columns.values())))
    return pd.DataFrame(columns, index=pd.Index([f"P{i}" for i in range(n)], name="person_id"))


def test_the_first_rule_that_holds_gives_the_tier():
    told = RuleSet([CRISIS, ALONE]).apply(people(crises=[2, 0, 0], alone=[1, 1, 0], age=[90, 90, 90]))
    assert told["tier"].tolist()[:2] == ["high", "medium"]
    assert told["rule"].tolist()[:2] == ["crisis", "alone"]
    assert told.loc["P2", ["tier", "rule"]].isna().all()
    assert told["unknown_inputs"].tolist() == ["", "", ""]
    assert RuleSet([ALONE, CRISIS]).apply(people(crises=[2], alone=[1], age=[90]))["tier"].tolist() == ["medium"]


def test_an_unknown_never_fires_and_names_what_to_ask():
    told = RuleSet([CRISIS, ALONE]).apply(people(crises=[np.nan, 0], alone=[1, np.nan], age=[90, 90]))
    assert told["rule"].tolist()[0] == "alone"  # a later rule may hold all the same
    assert told["unknown_inputs"].tolist() == ["crises", "alone"]
    assert told["tier"].isna().tolist() == [False, True]


def test_what_an_earlier_rule_decides_leaves_nothing_to_ask():
    told = RuleSet([CRISIS, ALONE]).apply(people(crises=[1], alone=[np.nan], age=[np.nan]))
    assert told["unknown_inputs"].tolist() == [""]


def test_only_what_is_unknown_is_asked_and_a_known_no_settles_an_and():
    told = RuleSet([ALONE]).apply(people(alone=[np.nan, 0, np.nan], age=[80, np.nan, np.nan]))
    assert told["unknown_inputs"].tolist() == ["", "", "alone;age"]


def test_a_column_that_is_not_there_is_unknown_for_everyone():
    told = RuleSet([CRISIS]).apply(people(age=[80, 90]))
    assert told["tier"].isna().all()
    assert told["unknown_inputs"].tolist() == ["crises", "crises"]


def test_overrides_are_asked_apart_from_tiers():
    rules = RuleSet([
        {"id": "court", "expression": "order = = 1".replace("= =", "=="), "override": 2},
        CRISIS | {"override": 1},
    ])  # fmt: skip
    told = rules.apply(people(order=[1, 0, np.nan], crises=[1, 1, 0]))
    assert told["override"].tolist() == [2, 1, 0]
    assert told["override_rule"].tolist()[:2] == ["court", "crisis"]
    assert told["tier"].tolist()[:2] == ["high", "high"]
    assert told["unknown_inputs"].tolist() == ["", "", "order"]


def test_no_rules_and_no_people_give_empty_answers():
    assert RuleSet().apply(people(age=[80]))["tier"].isna().all()
    nobody = RuleSet([CRISIS]).apply(people(crises=pd.array([], dtype="Float64")))
    assert len(nobody) == 0
    assert list(nobody.columns) == ["tier", "how", "rule", "override", "override_rule", "unknown_inputs"]


def test_words_are_compared_and_unknown_is_a_word_for_nothing_known():
    rules = RuleSet([{"id": "street", "expression": "housing in ['street', 'shelter']", "tier": "high"}])
    told = rules.apply(people(housing=pd.array(["street", "home", "unknown", None], dtype="string")))
    assert told["tier"].tolist()[0] == "high"
    assert told["tier"].isna().tolist() == [False, True, True, True]
    assert told["unknown_inputs"].tolist() == ["", "", "housing", "housing"]


def test_the_fingerprint_follows_the_rules_and_their_order():
    assert RuleSet([CRISIS, ALONE]).fingerprint == RuleSet([RuleSpec(**CRISIS), ALONE]).fingerprint
    assert RuleSet([CRISIS, ALONE]).fingerprint != RuleSet([ALONE, CRISIS]).fingerprint
    assert RuleSet([CRISIS, ALONE]).names == ("crises", "alone", "age")


@pytest.mark.parametrize(
    ("rule", "error", "words"),
    [
        ({"id": "a", "expression": "age >= 1"}, UsageError, "tier, an override or both"),
        ({"id": "a", "tier": "high"}, UsageError, "lacks 'expression'"),
        (CRISIS | {"weight": 3}, UsageError, "unknown key 'weight'"),
        (CRISIS | {"how": "perhaps"}, UsageError, "at_least"),
        (CRISIS | {"override": -1}, UsageError, "1 or more"),
        (CRISIS | {"expression": "age.real >= 1"}, KnowledgeError, "not allowed"),
        (CRISIS | {"expression": "age >="}, KnowledgeError, "not an expression"),
        ("age >= 60", UsageError, "found str"),
    ],
)
def test_a_rule_that_cannot_be_used_is_refused(rule, error, words):
    with pytest.raises(error, match=words):
        RuleSet([rule])


def test_two_rules_of_one_name_are_refused():
    with pytest.raises(UsageError, match="two rules"):
        RuleSet([CRISIS, CRISIS])


def test_a_rule_that_compares_text_with_a_number_or_reads_a_date_is_refused():
    with pytest.raises(KnowledgeError, match="text with a number"):
        RuleSet([CRISIS]).apply(people(crises=["many"]))
    with pytest.raises(KnowledgeError, match="is a date"):
        RuleSet([CRISIS]).apply(people(crises=pd.to_datetime(["2026-01-01"])))
