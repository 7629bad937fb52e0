"""Laws of the order, the criteria and the committee's record, for any list and any file."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casestrat.errors import CasestratError
from casestrat.knowledge import PriorityPolicy, load_program
from casestrat.knowledge.three_valued import Numbers, read_expression
from casestrat.priority import (
    Meeting,
    assess_first,
    criteria_status,
    explain_order,
    mark_places,
    open_meeting,
    rank_uncertainty,
    rank_waiting_list,
)  # fmt: skip

AS_OF = pd.Timestamp("2026-10-01")
GERIATRIC = load_program("geriatric")
TIERS = ("high", "medium", "low")
POLICIES = (
    PriorityPolicy(
        mode="accumulating", rates={"high": 4, "medium": 2, "low": 1}, weights={"risk": 100, "need": 60}, seed="s"
    ),
    PriorityPolicy(mode="score", weights={"risk": 1, "urgency": 0.5}, decimals=2),
    PriorityPolicy(mode="fcfs", seed="other"),
)

shares = st.sampled_from([0.0, 0.1, 1 / 3, 0.3, 0.5, 1.0])
maybe = st.one_of(st.none(), shares)
people = st.lists(
    st.fixed_dictionaries({
        "tier": st.sampled_from(TIERS), "risk": shares, "need": maybe, "urgency": maybe,
        "days": st.integers(0, 5), "completeness": st.one_of(st.none(), st.sampled_from([0.2, 0.7, 1.0])),
        "override_tier": st.sampled_from([0, 0, 0, 1]), "late": st.sampled_from([None, None, -1, 0, 1]),
    }),
    min_size=1, max_size=12,
)  # fmt: skip
policies = st.sampled_from(POLICIES)


def listed(rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows)
    ids = [f"{i:02d}" for i in range(len(rows))]
    days = pd.to_timedelta(frame["late"].astype("float64"), unit="D")
    return frame.astype({"need": "float64", "urgency": "float64", "completeness": "float64"}).assign(
        person_id=["P" + i for i in ids], referral_id=["R" + i for i in ids],
        referred_on=AS_OF - pd.to_timedelta(frame["days"], unit="D"), deadline_on=AS_OF + days,
    )  # fmt: skip


@given(people, policies, st.randoms())
def test_the_rank_ignores_the_order_and_index_of_the_rows(rows: Any, policy: PriorityPolicy, random: Any) -> None:
    waiting = listed(rows)
    order = list(range(len(waiting)))
    random.shuffle(order)
    shuffled = waiting.iloc[order].set_index(pd.Index([7] * len(waiting)))
    assert rank_waiting_list(waiting, policy, AS_OF).equals(rank_waiting_list(shuffled, policy, AS_OF))
    assert assess_first(waiting, policy, AS_OF).equals(assess_first(shuffled, policy, AS_OF))


@given(people, policies)
def test_ranked_and_to_be_assessed_are_the_whole_list_each_once(rows: Any, policy: PriorityPolicy) -> None:
    waiting = listed(rows)
    ranked, first = rank_waiting_list(waiting, policy, AS_OF), assess_first(waiting, policy, AS_OF)
    assert sorted([*ranked["referral_id"], *first["referral_id"]]) == waiting["referral_id"].tolist()
    assert ranked["rank"].tolist() == list(range(1, len(ranked) + 1))
    assert (ranked["completeness"] >= policy.min_completeness).all()


@given(people, policies)
def test_the_order_is_total_and_decided_by_the_first_key_that_differs(rows: Any, policy: PriorityPolicy) -> None:
    ranked = rank_waiting_list(listed(rows), policy, AS_OF)
    keys = list(zip(
        -ranked["key_override"], ~ranked["key_deadline"], -ranked["key_index"], ranked["key_referred_on"],
        ranked["key_lottery"], strict=True,
    ))  # fmt: skip
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)
    words = ("override", "deadline", "index", "referral_date", "lottery")
    for above, below, told in zip(keys, keys[1:], ranked["decided_by"][1:], strict=False):
        assert told == words[next(i for i in range(5) if above[i] != below[i])]
    for i, j in product(range(len(keys)), repeat=2):
        is_tied = ranked["tie_group"][i] == ranked["tie_group"][j] != 0
        assert is_tied == (keys[i][:4] == keys[j][:4]) or i == j


@given(people, policies)
def test_the_parts_sum_to_the_index_and_explain_every_pair(rows: Any, policy: PriorityPolicy) -> None:
    ranked = rank_waiting_list(listed(rows), policy, AS_OF)
    parts = ranked[[name for name in ranked.columns if name.startswith("days_worth_")]].sum(axis=1)
    rate = ranked["tier"].map(dict(policy.rates)).astype("float64") if policy.mode == "accumulating" else 1.0
    assert np.allclose(parts * rate, ranked["priority"], atol=1e-9)
    for i in range(1, len(ranked)):
        why = explain_order(ranked, ranked["person_id"][i - 1], ranked["person_id"][i])
        told = why.loc[why["decides"], "component"].tolist()
        assert told == [ranked["decided_by"][i]]


@given(people, policies, st.integers(0, 14))
def test_the_cut_proposes_the_first_and_a_tie_goes_through_it_or_not(rows: Any, policy: PriorityPolicy, k: int) -> None:
    marked = mark_places(rank_waiting_list(listed(rows), policy, AS_OF), k)
    assert marked["is_proposed"].tolist() == [rank <= k for rank in marked["rank"]]
    zone = marked[marked["in_tied_zone"]]
    assert len(set(zone["tie_group"])) <= 1
    assert set(zone["is_proposed"]) in (set(), {True, False})


@given(people, policies, st.integers(0, 14), st.sampled_from([0.0, 0.05, 0.4]), st.integers(0, 99))
def test_chances_of_a_place_sum_to_the_places(
    rows: Any, policy: PriorityPolicy, k: int, se: float, random_state: int
) -> None:
    waiting = listed(rows)
    ranked = rank_waiting_list(waiting, policy, AS_OF)
    sure = rank_uncertainty(waiting, policy, AS_OF, k=k, se=se, n_draws=20, random_state=random_state)
    assert sure["referral_id"].tolist() == ranked["referral_id"].tolist()
    assert sure["p_topk"].sum() == pytest.approx(min(k, len(ranked)))
    assert (sure["rank_low"] <= sure["rank_high"]).all()
    if se == 0:
        assert sure["rank_low"].tolist() == ranked["rank"].tolist()


names = ("a", "b", "c")
expressions = st.recursive(
    st.sampled_from([*names, "x >= 60", "x < 3", "60 < x <= 70", "x == 60", "x in [3, 60]", "True"]),
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner), st.builds("({} or {})".format, inner, inner),
        st.builds("(not {})".format, inner),
    ),
    max_leaves=6,
)  # fmt: skip
flags = st.sampled_from([True, False, None])
interval = st.sampled_from([(59, 60), (60, 61), (2, 3), (80, 80), (None, None)])


def answer(text: str, flags_given: Any, low: float | None, high: float | None) -> bool | None:
    given_flags = [np.array([np.nan if flag is None else float(flag)]) for flag in flags_given]
    values: dict[str, Any] = {name: Numbers(flag, flag) for name, flag in zip(names, given_flags, strict=True)}
    ends = (np.array([np.nan if end is None else float(end)]) for end in (low, high))
    found = read_expression(text).evaluate(values | {"x": Numbers(*ends)}, 1)[0]
    return None if found is pd.NA else bool(found)


@given(expressions, st.tuples(flags, flags, flags), interval)
def test_no_answer_to_an_unknown_contradicts_a_definite_result(text: str, given_flags: Any, x: Any) -> None:
    result = answer(text, given_flags, *x)
    choices = [[flag] if flag is not None else [True, False] for flag in given_flags]
    numbers = [2.0, 3.0, 60.0, 75.0] if x[0] is None else [float(x[0]), float(x[1])]
    for *chosen, number in product(*choices, numbers):
        completed = answer(text, chosen, number, number)
        assert completed is not None
        assert result is None or completed == result


groups = st.lists(st.tuples(st.sampled_from(["all_of", "any_of", "told"]), flags), min_size=1, max_size=6)


def statuses(lists: list[list[tuple[str, bool | None]]]) -> list[str]:
    """The status that follows from each list of rules."""
    rows = [(f"R{i:03d}", group, result) for i, rules in enumerate(lists) for group, result in rules]
    frame = pd.DataFrame({
        "person_id": "P", "referral_id": [row[0] for row in rows], "criteria_set": "s 1",
        "group": [row[1] for row in rows], "result": pd.array([row[2] for row in rows], dtype="boolean"),
    })  # fmt: skip
    return [str(status) for status in criteria_status(frame)["status"]]


@given(groups)
def test_an_unknown_never_refuses_and_no_answer_to_it_contradicts_a_status(rules: Any) -> None:
    unknown = [i for i, (_, result) in enumerate(rules) if result is None]
    completions = []
    for chosen in product([True, False], repeat=len(unknown)):
        answers = dict(zip(unknown, chosen, strict=True))
        completions.append([(group, answers.get(i, result)) for i, (group, result) in enumerate(rules)])
    now, *then = statuses([rules, *completions])
    if now == "fails":
        assert False in [result for group, result in rules if group != "told"]
    assert "ask" not in then
    assert now == "ask" or set(then) == {now}


@cache
def frozen_text() -> str:
    plain = {"tier": "low", "need": None, "urgency": None, "days": 3, "completeness": 1.0, "override_tier": 0}
    rows = [plain | {"risk": i / 10, "late": None} for i in range(5)]
    ranked = rank_waiting_list(listed(rows), POLICIES[1], AS_OF).assign(criteria="meets")
    return open_meeting(ranked, 2, "2026-10-12", GERIATRIC).to_json()


def frozen() -> Meeting:
    return Meeting.from_json(frozen_text())


words = st.one_of(st.none(), st.sampled_from([
    "R00", "R01", "R02", "R04", "admit", "defer", "refuse", "criteria_met", "no_place", "followed_elsewhere", "to_find",
    "chair", "2026-10-12", "2026-11-20T10:00", "",
]), st.text(max_size=5))  # fmt: skip
plausible = st.fixed_dictionaries({
    "referral_id": st.sampled_from(["R00", "R01", "R02", "R03", "R04", "R09"]),
    "outcome": st.sampled_from(["admit", "defer", "refuse"]),
    "reason": st.sampled_from([reason.code for reason in GERIATRIC.decision_reasons]),
    "note": st.sampled_from([None, "discussed"]), "override_reason": st.sampled_from([None, "crisis"]),
    "decided_by": st.sampled_from([None, "chair"]), "relay": st.sampled_from([None, "to_find", "S1"]),
    "relay_due_on": st.sampled_from([None, "2026-11-01"]), "defer_until": st.sampled_from([None, "2026-11-01"]),
})  # fmt: skip


def file_of(meeting: Meeting, decisions: Any) -> dict[str, Any]:
    return {
        "format": "casestrat-decisions/1", "meeting_id": meeting.meeting_id,
        "list_fingerprint": meeting.list_fingerprint, "decisions": decisions,
    }  # fmt: skip


@given(st.lists(plausible, max_size=6))
def test_importing_decisions_twice_changes_nothing_and_what_stands_keeps_the_rules(decisions: Any) -> None:
    meeting = frozen()
    first = meeting.record(file_of(meeting, decisions))
    text = meeting.to_json()
    again = meeting.record(file_of(meeting, decisions))
    assert again.n_new == 0
    assert meeting.to_json() == text == Meeting.from_json(text).to_json()
    pd.testing.assert_frame_equal(first.decisions, again.decisions)
    made = meeting.decisions
    assert made["decided_by"].notna().all()
    assert not made["referral_id"].duplicated().any()
    assert made.loc[made["outcome"] == "refuse", "relay"].notna().all()
    deferred = made[made["outcome"] == "defer"]
    assert (deferred["defer_until"] > deferred["decided_at"]).all()
    assert made.loc[made["is_override"], "override_reason"].notna().all()
    assert (made["is_override"] == ((made["outcome"] == "admit") != (made["rank_shown"] <= 2))).all()


scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), words, st.text(max_size=6))
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=8,
)
fields = st.sampled_from(
    ["referral_id", "person_id", "outcome", "reason", "note", "decided_by", "decided_at", "relay", "relay_due_on",
     "defer_until", "override_reason", "meeting_id", "response"]
)  # fmt: skip
odd_rows = st.one_of(anything, st.dictionaries(fields, st.one_of(words, anything), max_size=8))


@given(st.lists(odd_rows, max_size=4))
def test_odd_decision_files_are_refused_in_words_row_by_row(decisions: Any) -> None:
    meeting = frozen()
    result = meeting.record(file_of(meeting, decisions))
    n_rows = len(set(result.refused["row"])) + result.n_new
    assert n_rows <= len(decisions)
    assert meeting.record(file_of(meeting, decisions)).n_new == 0
    assert Meeting.from_json(meeting.to_json()).to_json() == meeting.to_json()


@given(st.one_of(st.text(max_size=30), anything.map(lambda value: json.dumps(value)), st.binary(max_size=20), anything))
def test_what_is_no_decision_file_is_refused_in_words(content: Any) -> None:
    meeting = frozen()
    before = meeting.to_json()
    with pytest.raises(CasestratError):
        meeting.record(content)
    assert meeting.to_json() == before


@given(st.data())
def test_a_broken_decision_or_meeting_file_is_refused_in_words(data: Any) -> None:
    meeting = frozen()
    text = data.draw(st.sampled_from([json.dumps(file_of(meeting, [])), meeting.to_json()]))
    at = data.draw(st.integers(0, len(text) - 2))
    broken = text[:at] + data.draw(st.sampled_from(["", "{", '"', "\x00", "[" * 5000, "9" * 5000])) + text[at + 1 :]
    for read in (Meeting.from_json, meeting.record):
        with suppress(CasestratError):  # anything else that is raised fails the test
            read(broken)
