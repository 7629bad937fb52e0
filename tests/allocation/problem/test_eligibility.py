from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem
from casestrat.allocation.problem.eligibility import RULES, asked_once, meets_wish
from casestrat.allocation.problem.instance import ask
from casestrat.allocation.problem.listed_text import tokens
from casestrat.allocation.problem.objective import FIT_TERMS
from casestrat.knowledge import CaseMixLimit


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


GUARDIANS = {
    "language": ["fr", "pt", "pt", "fr", "pt"], "guardian_language": ["ar", "fr", None, "unknown", "ar"],
    "interpreter_needed": False, "guardian_interpreter_needed": [False, None, True, True, True],
}  # fmt: skip


@pytest.mark.parametrize(
    ("way", "person", "guardian"),
    [
        ("ignored", ["fr", "pt", "pt", "fr", "pt"], ["all"] * 5),
        ("beside", ["fr", "pt", "pt", "fr", "pt"], ["ar", "fr", "all", "all", "ar or interpreter"]),
        ("instead", ["all", "all", "pt", "fr", "all"], ["ar", "fr", "all", "all", "ar or interpreter"]),
    ],
)
def test_the_guardian_s_language_counts_beside_the_person_s_or_instead(verdict, way, person, guardian):
    managers = {"languages": ["fr", "pt", "ar", "en"], "skills": [None, None, None, "interpreter"]}
    who = {
        "fr": [True, False, False, False], "pt": [False, True, False, False], "ar": [False, False, True, False],
        "ar or interpreter": [False, False, True, True], "all": [True] * 4,
    }  # fmt: skip
    changes = {"guardian_language": way}
    assert verdict("language", GUARDIANS, managers, changes) == [who[one] for one in person]
    assert verdict("guardian", GUARDIANS, managers, changes) == [who[one] for one in guardian]
    for rule in ("language", "guardian"):
        assert verdict(rule, GUARDIANS, managers, changes | {"language": "preferred"}) == [who["all"]] * 5


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


@pytest.mark.parametrize(("guardian", "language"), [("beside", "required"), ("instead", "preferred")])
def test_a_rule_reads_no_column_but_those_it_names(sized, guardian, language):
    problem = sized(80, 8, seed=3)
    problem = replace(problem, rules=replace(
        problem.rules, experience={"high": 12}, case_mix=(CaseMixLimit(3, tier="high"),), min_experience_months=0,
        payer_contracts={"A": "cert_a", "B": ""}, guardian_language=guardian, language=language,
    ), cases=problem.cases.assign(
        payer=["A", "B", None, "A;C"] * 20, clearances=["cert_a", None] * 40,
        guardian_language=["fr", "it", None, "zz"] * 20,
        guardian_interpreter_needed=[True, False] * 40,
    ), credentials=pd.DataFrame({"cm_id": problem.case_managers["cm_id"][:4], "credential": "cert_a"}))  # fmt: skip
    question = ask(problem).question
    for rule in RULES:
        others = [name for name in question.classes.columns if name not in rule.reads]
        blind = replace(question, classes=question.classes.assign(**dict.fromkeys(others)))
        assert (rule.judge(blind) == rule.judge(question)).all(), rule.id
    for term in FIT_TERMS:
        others = [name for name in question.classes.columns if name not in term.reads]
        blind = replace(question, classes=question.classes.assign(**dict.fromkeys(others)))
        assert (term.missed(blind) == term.missed(question)).all(), term.id
