from __future__ import annotations

import pickle

import pytest

from casestrat.errors import KnowledgeError
from casestrat.knowledge import Component, PriorityPolicy, load_program


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"mode": "best"}, "mode is 'best'"),
        ({"mode": "accumulating"}, "needs rates"),
        ({"min_completeness": 1.1}, "min_completeness"),
        ({"decimals": 13}, "decimals"),
        ({"weights": {"risk": -1}}, "`weights`"),
        ({"weights": {"risk": float("nan")}}, "`weights`"),
        ({"mode": "accumulating", "rates": {"high": float("inf")}}, "`rates`"),
    ],
)
def test_a_policy_that_cannot_order_is_refused(wrong: dict, words: str) -> None:
    with pytest.raises(KnowledgeError, match=words):
        PriorityPolicy(**wrong)


def test_a_policy_is_immutable_hashable_and_travels() -> None:
    rates = {"high": 4, "low": 1}
    policy = PriorityPolicy("accumulating", rates, {"need": 60}, {"need": Component("gir", 6, 1)}, seed="2026-10")
    rates["high"] = 9
    assert policy.rates["high"] == 4.0
    assert hash(policy) == hash(pickle.loads(pickle.dumps(policy)))
    assert pickle.loads(pickle.dumps(policy)) == policy


def test_the_fingerprint_tells_policies_apart_by_content() -> None:
    one = PriorityPolicy(weights={"risk": 1, "need": 2})
    assert one.fingerprint == PriorityPolicy(weights={"need": 2, "risk": 1}).fingerprint
    assert one.fingerprint != PriorityPolicy(weights={"risk": 1, "need": 2}, seed="2026-10").fingerprint


def test_a_programs_policy_takes_the_seed_of_the_meeting() -> None:
    program = load_program("geriatric")
    assert PriorityPolicy.from_program(program) == program.priority
    policy = PriorityPolicy.from_program(program, seed="2026-10")
    assert policy.seed == "2026-10"
    assert policy.weights == program.priority.weights
