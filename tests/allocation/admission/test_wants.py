import numpy as np
import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem
from casestrat.allocation.admission.wants import fewest_rules, language_name, rules_in_the_way, wanted
from casestrat.allocation.plan.spare_room import SpareRoom
from casestrat.allocation.problem.eligibility import RULES
from casestrat.allocation.problem.instance import ask
from casestrat.knowledge import AllocationRules, load_wording


def told(case, managers, lang="en", **more):
    cases = pd.DataFrame({"case_id": ["C0"], "minutes": [40]} | {name: [value] for name, value in case.items()})
    managers = pd.DataFrame(
        {"cm_id": [f"M{j}" for j in range(len(next(iter(managers.values()))))], "capacity_minutes": 100} | managers
    )
    problem = AllocationProblem(cases, managers, **more)
    asked = ask(problem)
    room = SpareRoom(problem, asked, np.full(1, -1))
    rules = rules_in_the_way(asked, room, 0)
    return rules, wanted(problem, asked, 0, rules).said(load_wording(lang))


def test_no_rule_is_kept_that_can_be_left_out():
    yes, no, some, others = np.array([[1, 1, 1], [0, 0, 0], [1, 0, 0], [0, 1, 1]], dtype=bool)
    assert fewest_rules({"skills": no, "territory": some}) == ("skills",)
    assert fewest_rules({"skills": some, "territory": others, "language": yes}) == ("skills", "territory")
    assert fewest_rules({"skills": some}) == ()
    assert fewest_rules({}) == ()


NURSES = AllocationRules(professions=("nurse",), licensed_professions=("nurse",))


@pytest.mark.parametrize(
    ("lang", "sentence"),
    [
        ("en", "blocked for want of a nurse who speaks Italian"),
        ("fr", "bloqué faute d’une infirmière ou un infirmier qui parle italien"),
        ("it", "bloccato per mancanza di un’infermiera o un infermiere che parli italiano"),
    ],
)
def test_an_italian_speaking_nurse_is_asked_for_in_every_language(lang, sentence):
    licenses = pd.DataFrame({"cm_id": ["M0", "M1"], "profession": "nurse", "jurisdiction": "FR"})
    staff = {"profession": ["nurse", "nurse"], "languages": ["fr", "fr;pt"]}
    rules, said = told({"language": "it", "jurisdiction": "FR"}, staff, lang, rules=NURSES, licenses=licenses)
    assert rules == ("language",)
    assert said == sentence


def test_rules_that_only_together_leave_nobody_are_told_together():
    licenses = pd.DataFrame({"cm_id": ["M1"], "profession": "nurse", "jurisdiction": "FR"})
    staff = {"profession": ["nurse", "nurse"], "languages": ["it", "fr"]}
    rules, said = told({"language": "it", "jurisdiction": "FR"}, staff, rules=NURSES, licenses=licenses)
    assert rules == ("licence", "language")
    assert said == "blocked for want of a nurse who is licensed in FR, speaks Italian"


def test_hours_are_told_with_what_keeps_others_hours_away():
    staff = {"languages": ["it", "fr"], "capacity_minutes": [30, 100]}
    rules, said = told({"language": "it"}, staff)
    assert rules == ("language", "capacity")
    assert said == "blocked for want of a case manager who speaks Italian, has 40 minutes a week free"


def test_every_rule_has_words_for_what_it_asks():
    for lang in ("en", "fr", "it"):
        wording = load_wording(lang)
        for rule in RULES:
            key = f"allocation.wants_{rule.id}"
            assert key in wording or f"{key}.one" in wording


def test_details_of_a_rule_are_told():
    rules = AllocationRules(min_experience_months=6, experience={"high": 12}, credentials=("A|B", "C"))
    assert "12 months of experience" in told({"tier": "high"}, {"experience_months": [3]}, rules=rules)[1]
    said = told({"skills": "dementia;law"}, {"skills": [None]})[1]
    assert said == "blocked for want of a case manager who has the skill dementia, law"
    assert told({}, {"experience_months": [30]}, rules=rules)[1].endswith("who holds A/B, C")


def test_payers_clearances_and_the_guardian_s_language_are_told():
    rules = AllocationRules(payer_contracts={"Plan A": "a"}, guardian_language="instead")
    rule, said = told({"payer": "Plan A"}, {"team": ["a"]}, rules=rules)
    assert (rule, said) == (("payer",), "blocked for want of a case manager who is contracted with Plan A")
    rule, said = told({"clearances": "part2|all;hiv"}, {"team": ["a"]})
    assert rule == ("confidentiality",)
    assert said.endswith("who is cleared for confidential records (part2/all, hiv)")
    rule, said = told({"language": "fr", "guardian_language": "it"}, {"languages": ["fr"]}, rules=rules)
    assert (rule, said) == (("guardian",), "blocked for want of a case manager who speaks Italian with the guardian")


def test_a_language_without_a_name_keeps_its_code():
    assert language_name("tlh") == "tlh"
