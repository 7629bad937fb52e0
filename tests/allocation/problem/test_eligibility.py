from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem
from casestrat.allocation.problem.eligibility import RULES, asked_once, meets_wish, tokens
from casestrat.allocation.problem.instance import ask
from casestrat.allocation.problem.objective import FIT_TERMS
from casestrat.knowledge import CaseMixLimit

START = "2026-10-01"


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
            pd.DataFrame(cases), pd.DataFrame(managers), rules=rules(**(rule_changes or {})), starts_on=START, **more
        )
        asked = ask(problem)
        return asked.verdicts[rule][asked.group].tolist()

    return judge


def test_every_rule_has_its_own_name_and_place():
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert len({rule.waiver for rule in RULES}) == len(RULES)


def test_a_case_manager_works_from_the_first_to_the_last_day_of_the_follow_up(verdict):
    managers = {
        "starts_on": pd.to_datetime(["2026-10-01", "2026-10-02", None, None]),
        "ends_on": pd.to_datetime([None, None, "2026-12-29", "2026-12-28"]),
    }
    assert verdict("active", {"person_id": ["P"]}, managers) == [[True, False, True, False]]


def test_only_the_program_s_professions_follow(verdict):
    managers = {"profession": ["nurse", "lawyer", None]}
    assert verdict("profession", {"person_id": ["P"]}, managers, {"professions": ("nurse",)}) == [[True, False, False]]
    assert verdict("profession", {"person_id": ["P"]}, managers) == [[True, True, True]]


def licence(cm_id, jurisdiction, valid_to="2030-01-01", valid_from="2020-01-01", compact=None, profession="nurse"):
    return {"cm_id": cm_id, "profession": profession, "jurisdiction": jurisdiction, "compact": compact,
                "valid_from": pd.Timestamp(valid_from), "valid_to": pd.Timestamp(valid_to)}  # fmt: skip


@pytest.mark.parametrize(
    ("licenses", "expected"),
    [
        ([licence("CM0", "J1")], [[True], [False], [False]]),
        ([licence("CM0", "J1", valid_to="2026-12-28")], [[False], [False], [False]]),
        ([licence("CM0", "J1", valid_to="2026-12-29")], [[True], [False], [False]]),
        ([licence("CM0", "J1", valid_from="2026-10-02")], [[False], [False], [False]]),
        ([licence("CM0", "J1", valid_to="2026-11-15"), licence("CM0", "J1", valid_from="2026-11-16")],
         [[True], [False], [False]]),
        ([licence("CM0", "J1", valid_to="2026-11-15"), licence("CM0", "J1", valid_from="2026-11-17")],
         [[False], [False], [False]]),
        ([licence("CM0", "J1", profession="lawyer")], [[False], [False], [False]]),
        ([licence("CM0", "J1", compact="NLC"), licence("CM9", "J2", compact="NLC")], [[True], [True], [False]]),
        ([licence("CM0", "J1", compact="NLC"), licence("CM9", "J2")], [[True], [False], [False]]),
        ([], [[False], [False], [False]]),
    ],
)  # fmt: skip
def test_a_licensed_profession_needs_the_jurisdiction_on_every_day(verdict, licenses, expected):
    frame = pd.DataFrame(licenses) if licenses else None
    cases, managers = {"jurisdiction": ["J1", "J2", None]}, {"profession": ["nurse"]}
    found = verdict("licence", cases, managers, {"licensed_professions": ("nurse",)}, licenses=frame)
    assert found == expected


def test_a_profession_that_needs_no_licence_is_not_asked_for_one(verdict):
    rule = {"licensed_professions": ("nurse",)}
    assert verdict("licence", {"jurisdiction": ["J1"]}, {"profession": ["social_worker", None]}, rule) == [[True, True]]


def test_a_person_of_several_jurisdictions_needs_them_all(verdict):
    frame = pd.DataFrame([licence("CM0", "J1"), licence("CM0", "J2"), licence("CM1", "J1")])
    cases, managers = {"jurisdiction": ["J1;J2", "J1", ";"]}, {"profession": ["nurse", "nurse"]}
    found = verdict("licence", cases, managers, {"licensed_professions": ("nurse",)}, licenses=frame)
    assert found == [[True, False], [True, True], [False, False]]


def test_one_of_several_certificates_can_be_enough(verdict):
    held = pd.DataFrame({
        "cm_id": ["CM0", "CM1", "CM2", "CM2"], "credential": ["A", "B", "A", "B"],
        "valid_from": pd.to_datetime(["2020-01-01", "2020-01-01", "2020-01-01", "2026-11-01"]),
        "valid_to": pd.to_datetime([None, None, "2026-10-31", None]),
    })  # fmt: skip
    found = verdict("credentials", {"person_id": ["P"]}, {"team": ["a", "b", "c", "d"]}, {"credentials": ("A|B",)},
                    credentials=held)  # fmt: skip
    assert found == [[True, True, False, False]]  # each certificate by itself, on every day


def test_experience_is_asked_in_months_by_program_and_by_tier(verdict):
    managers = {"experience_months": [3, 12, None]}
    cases = {"tier": ["high", "low", None]}
    assert verdict("experience", cases, managers) == [[True] * 3] * 3
    found = verdict("experience", cases, managers, {"min_experience_months": 1, "experience": {"high": 12}})
    assert found == [[False, True, False], [True, True, False], [True, True, False]]


def test_who_has_the_most_cases_of_one_sort_takes_no_more_of_it(verdict):
    limits = {"case_mix": (CaseMixLimit(1, tier="high"), CaseMixLimit(2, kind="proposed"))}
    cases = {
        "tier": ["high", "high", "low", "low"], "kind": ["open", "proposed", "proposed", "open"],
        "cm_id": ["CM0", None, None, None], "is_fixed": [True, False, False, False],
    }  # fmt: skip
    assert verdict("case_mix", cases, {"team": ["a", "b"]}, limits) == [[False, True], [True, True], [True, True]]


def test_every_certificate_is_needed_on_every_day(verdict):
    held = pd.DataFrame({
        "cm_id": ["CM0", "CM0", "CM1", "CM2", "CM2"], "credential": ["DIU", "CCM", "DIU", "DIU", "CCM"],
        "valid_from": pd.Timestamp("2020-01-01"), "valid_to": pd.to_datetime([None, None, None, None, "2026-10-15"]),
    })  # fmt: skip
    found = verdict("credentials", {"person_id": ["P"]}, {"team": ["a", "b", "c"]}, {"credentials": ("DIU", "CCM")},
                    credentials=held)  # fmt: skip
    assert found == [[True, False, False]]


def test_every_skill_is_needed(verdict):
    managers = {"skills": ["dementia;addiction", "dementia", None]}
    found = verdict("skills", {"skills": ["dementia", "addiction; dementia", None]}, managers)
    assert found == [[True, True, False], [True, False, False], [True, True, True]]


def test_a_language_is_spoken_or_interpreted(verdict):
    cases = {"language": ["pt", "pt", "pt", None, "unknown"], "interpreter_needed": [True, False, None, True, True]}
    managers = {"languages": ["fr;pt", "fr", None], "skills": [None, "interpreter", None]}
    spoken = [True, False, False]
    everyone = [True] * 3
    assert verdict("language", cases, managers) == [[True, True, False], spoken, spoken, everyone, everyone]
    assert verdict("language", cases, managers, {"language": "preferred"}) == [everyone] * 5


def test_no_territory_named_binds_nobody(verdict):
    cases, managers = {"territory": ["T1", "T2", None]}, {"territories": ["T1;T3", None]}
    assert verdict("territory", cases, managers) == [[True, True], [False, True], [True, True]]
    assert verdict("territory", cases, managers, {"territory": "ignored"}) == [[True, True]] * 3


def test_a_required_wish_is_looked_up_by_column_by_plural_and_by_other_name():
    staff = pd.DataFrame({
        "cm_id": ["CM1", "CM2"], "languages": ["fr;it", "fr"], "gender": ["f", "m"], "territories": ["T1", "T2"],
    })  # fmt: skip
    assert meets_wish(staff, "language=it").tolist() == [True, False]
    assert meets_wish(staff, "sex=m").tolist() == [False, True]
    assert meets_wish(staff, "territory=T1").tolist() == [True, False]
    assert meets_wish(staff, "case_manager=CM2").tolist() == [False, True]
    assert meets_wish(staff, "star_sign=leo").tolist() == [False, False]


def test_required_wishes_come_from_both_frames(verdict):
    wishes = pd.DataFrame(
        {"person_id": ["P1", "P1"], "kind": "gender", "value": ["f", "m"], "is_required": [True, False]}
    )
    cases = {"person_id": ["P1", "P2"], "required": [None, "gender=m;language=it"]}
    managers = {"gender": ["f", "m", "m"], "languages": ["fr", "fr", "it"]}
    found = verdict("preferences", cases, managers, preferences=wishes)
    assert found == [[True, False, False], [False, False, True]]


def test_conflicts_bar_and_unknown_case_managers_bar_nobody(verdict):
    conflicts = pd.DataFrame({"person_id": ["P1", "P1", "P9"], "cm_id": ["CM1", "CM9", "CM0"]})
    found = verdict("conflicts", {"person_id": ["P1", "P2"]}, {"team": ["a", "b"]}, conflicts=conflicts)
    assert found == [[True, False], [True, True]]


def test_a_pinned_case_has_one_place(verdict):
    pins = pd.DataFrame({"case_id": ["C1"], "cm_id": ["CM0"]})
    assert verdict("pins", {"person_id": ["P0", "P1"]}, {"team": ["a", "b"]}, pins=pins) == [
        [True, True],
        [True, False],
    ]


def test_places_and_minutes_that_are_used_up_bar_everyone(verdict):
    managers = {"max_cases": [1, 2], "cases_committed": [1, 1], "minutes_committed": [0, 95]}
    assert verdict("max_cases", {"person_id": ["P"]}, managers) == [[False, True]]
    assert verdict("capacity", {"person_id": ["P"]}, managers) == [[True, False]]


def test_parts_of_text_are_stripped():
    assert tokens(" a ;; b") == ("a", "b")
    assert tokens(float("nan")) == ()


def test_a_rule_is_asked_once_for_each_value_that_it_reads(rules):
    asked = []

    def judge(question):
        asked.append(len(question.classes))
        return question.everyone

    cases = pd.DataFrame({
        "case_id": list("ABCDE"), "minutes": [10, 20, 30, 10, 20], "territory": ["T1", "T2", None, "T1", "T2"],
    })  # fmt: skip
    problem = AllocationProblem(cases, pd.DataFrame({"cm_id": ["X", "Y"], "capacity_minutes": 100}), rules=rules())
    question = ask(problem).question
    answer = asked_once(question, ("territory",), judge)
    assert asked == [3]
    assert np.asarray(answer).shape == (len(question.classes), 2)
    assert asked_once(question, (), judge).table.shape == (1, 2)


def test_a_rule_reads_no_column_but_those_it_names(sized):
    problem = sized(80, 8, seed=3)
    problem = replace(problem, rules=replace(
        problem.rules, experience={"high": 12}, case_mix=(CaseMixLimit(3, tier="high"),), min_experience_months=0
    ))  # fmt: skip
    question = ask(problem).question
    for rule in RULES:
        others = [name for name in question.classes.columns if name not in rule.reads]
        blind = replace(question, classes=question.classes.assign(**dict.fromkeys(others)))
        assert (rule.judge(blind) == rule.judge(question)).all(), rule.id
    for term in FIT_TERMS:
        others = [name for name in question.classes.columns if name not in term.reads]
        blind = replace(question, classes=question.classes.assign(**dict.fromkeys(others)))
        assert (term.missed(blind) == term.missed(question)).all(), term.id
