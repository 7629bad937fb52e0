import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem, allocate, check_plan
from casestrat.allocation.admission.hiring import what_would_help
from casestrat.errors import UsageError
from casestrat.knowledge import AllocationRules, CaseMixLimit

RULES = AllocationRules(licensed_professions=("nurse",), territory="required", language="required")


@pytest.fixture
def short():
    """Two teams without room; people left over who speak Italian, live elsewhere, or need a skill."""
    cases = pd.DataFrame({
        "case_id": list("ABCDEF"), "person_id": [f"P{i}" for i in range(6)], "minutes": [40, 40, 60, 40, 40, 40],
        "territory": ["north", "north", "north", "south", "south", "south"], "jurisdiction": ["FR"] * 5 + ["IT"],
        "language": ["fr", "fr", "it", "fr", "fr", "fr"], "skills": [None, None, None, None, "law", None],
        "priority": [6, 5, 4, 3, 2, 1],
    })  # fmt: skip
    managers = pd.DataFrame({
        "cm_id": ["N", "S"], "team": ["north", "south"], "profession": "nurse", "languages": "fr", "skills": "",
        "territories": ["north", "south"], "capacity_minutes": [50, 90],
    })  # fmt: skip
    licenses = pd.DataFrame({"cm_id": ["N", "S"], "profession": "nurse", "jurisdiction": "FR"})
    return AllocationProblem(cases, managers, licenses=licenses, rules=RULES)


@pytest.fixture
def helped(short):
    return what_would_help(short, allocate(short)).set_index(["kind", "value"])


def test_each_team_language_skill_and_licence_has_a_row(helped):
    assert helped.loc["team"].index.tolist() == ["north", "south"]
    assert {"fr", "it"} == set(helped.loc["language"].index)
    assert helped.loc["skill"].index.tolist() == ["law"]
    assert set(helped.loc["licence"].index) == {"FR", "IT"}
    assert set(helped.loc["territory"].index) == {"north", "south"}
    assert (helped["capacity_minutes"] == 90).all()  # a full week, as the busiest has it


def test_a_colleague_of_the_team_places_the_team_s_people(helped):
    assert helped.loc[("team", "north"), ["cases_placed", "minutes_placed"]].tolist() == [1, 40]  # not the Italian
    assert helped.loc[("team", "south"), "cases_placed"] == 0  # who is left there needs a skill, or another licence


def test_the_kind_that_is_wanted_places_those_who_want_it(helped):
    assert helped.loc[("language", "it"), "cases_placed"] == 1
    assert helped.loc[("skill", "law"), "cases_placed"] == 2  # the one with the need, and one more in the north
    assert helped.loc[("licence", "IT"), "cases_placed"] == 2
    assert helped.loc[("any", ""), "cases_placed"] == helped["cases_placed"].max()


def test_more_minutes_never_place_fewer(short):
    plan = allocate(short)
    placed = [what_would_help(short, plan, minutes=minutes)["minutes_placed"].to_numpy() for minutes in (0, 90, 500)]
    assert (placed[0] == 0).all()
    assert (placed[1] <= placed[2]).all()
    assert placed[2].max() == 60 + 40 + 40 + 40  # everyone left over


def test_a_hire_can_free_others_for_a_case_they_alone_can_follow():
    cases = pd.DataFrame({"case_id": ["A", "B"], "minutes": [40, 40], "language": ["fr", "it"], "priority": [2, 1]})
    managers = pd.DataFrame({
        "cm_id": ["M", "N"], "team": ["a", "b"], "languages": ["fr;it", "fr"], "capacity_minutes": [40, 0],
    })  # fmt: skip
    problem = AllocationProblem(cases, managers)
    told = what_would_help(problem, allocate(problem), minutes=40).set_index(["kind", "value"])
    assert told.loc[("team", "b"), "cases_placed"] == 1  # takes the French case, so that the Italian one fits
    assert told["method"].unique().tolist() == ["handed_on"]


def test_nothing_is_left_to_help_where_everyone_is_placed(three):
    problem = AllocationProblem(*three)
    told = what_would_help(problem, allocate(problem))
    assert told["kind"].tolist() == ["any"]
    assert (told["cases_placed"] == 0).all()


def test_what_is_told_can_really_be_had(short):
    plan = allocate(short)
    told = what_would_help(short, plan).set_index(["kind", "value"])
    hired = pd.concat([short.case_managers, pd.DataFrame({
        "cm_id": ["X"], "team": ["north"], "profession": ["nurse"], "languages": ["fr"], "skills": [""],
        "territories": ["north"], "capacity_minutes": [90],
    })], ignore_index=True)  # fmt: skip
    licenses = pd.DataFrame({"cm_id": ["N", "S", "X"], "profession": "nurse", "jurisdiction": "FR"})
    wider = AllocationProblem(short.cases, hired, licenses=licenses, rules=RULES)
    better = allocate(wider)
    assert check_plan(wider, better).empty
    assert len(plan.unassigned) - len(better.unassigned) >= told.loc[("team", "north"), "cases_placed"]


def test_certificates_experience_and_limits_on_sorts_hold_for_hires():
    rules = AllocationRules(credentials=("A|B",), min_experience_months=12, case_mix=(CaseMixLimit(1, tier="high"),))
    cases = pd.DataFrame({"case_id": list("ABC"), "minutes": [10] * 3, "tier": "high"})
    managers = pd.DataFrame({"cm_id": ["M"], "team": ["a"], "capacity_minutes": [100], "experience_months": [20]})
    held = pd.DataFrame({"cm_id": ["M"], "credential": ["B"]})
    problem = AllocationProblem(cases, managers, credentials=held, rules=rules)
    told = what_would_help(problem, allocate(problem)).set_index("kind")
    assert told.loc["team", "cases_placed"] == 1


def test_contracts_clearances_and_guardians_languages_are_hired_for():
    rules = AllocationRules(payer_contracts={"A": "cert_a|cert_all", "B": ""}, guardian_language="beside")
    cases = pd.DataFrame({
        "case_id": list("VWXYZ"), "minutes": 10, "payer": ["A", "B", "nobody's", None, None],
        "priority": [5, 4, 3, 2, 1],
        "clearances": [None, None, None, "part2", "common"], "guardian_language": [None, "ar", None, None, None],
    })  # fmt: skip
    managers = pd.DataFrame({"cm_id": ["M"], "team": ["a"], "languages": ["fr"], "capacity_minutes": [10]})
    held = pd.DataFrame({"cm_id": ["M"], "credential": ["common"]})
    problem = AllocationProblem(cases, managers, credentials=held, rules=rules)
    plan = allocate(problem)
    assert plan.assignments["case_id"].tolist() == ["Z"]
    told = what_would_help(problem, plan, minutes=100).set_index(["kind", "value"])
    assert told["cases_placed"].to_dict() == {
        ("team", "a"): 0, ("language", "ar"): 1, ("payer", "A"): 1, ("clearance", "part2"): 1, ("any", ""): 3,
    }  # fmt: skip
    assert told.loc[("payer", "A"), "what"] == "a full-time case manager contracted with A"
    said = what_would_help(problem, plan, lang="it").set_index("kind").loc["clearance", "what"]
    assert said == "un case manager a tempo pieno autorizzato a vedere documentazione riservata (part2)"


@pytest.mark.parametrize(("lang", "words"), [("fr", "qui parle italien"), ("it", "che parli italiano")])
def test_hires_are_told_in_words(short, lang, words):
    told = what_would_help(short, allocate(short), lang=lang).set_index(["kind", "value"])
    assert told.loc[("language", "it"), "what"].endswith(words)


def test_a_problem_of_own_costs_has_no_rules_to_hire_by():
    problem = AllocationProblem.from_costs([[1, 2]], [1, 1], [1])
    with pytest.raises(UsageError, match="own costs"):
        what_would_help(problem, allocate(problem))
