import numpy as np
import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem, allocate
from casestrat.allocation.plan.ledger import first_emptied, smallest_relaxation
from casestrat.allocation.plan.ledger import ledger as tell
from casestrat.allocation.problem.instance import ask
from casestrat.knowledge import AllocationRules, CaseMixLimit, load_wording


def ledger(cases, managers, **more):
    cases = pd.DataFrame({"case_id": [f"C{i}" for i in range(len(next(iter(cases.values()))))], "minutes": 40} | cases)
    managers = pd.DataFrame({"cm_id": [f"CM{j}" for j in range(len(next(iter(managers.values()))))]} | managers)
    return allocate(AllocationProblem(cases, managers, **more)).unassigned.set_index("case_id")


def test_the_first_rule_that_leaves_nobody_is_told():
    found = ledger(
        {"language": ["it"], "territory": ["T2"]},
        {"languages": ["fr", "it"], "territories": ["T2", "T1"], "capacity_minutes": [100, 100]},
    )
    assert found.loc["C0", "rule"] == "territory"
    assert found.loc["C0", "relaxation"] == "let another territory’s team follow: opens 1 case manager"


def test_the_easiest_single_change_is_told():
    found = ledger(
        {"language": ["it"], "skills": ["rare"]},
        {"languages": ["fr", "it", "fr"], "skills": ["rare", None, "rare"], "capacity_minutes": [100, 100, 100]},
    )
    assert found.loc["C0", "rule"] == "language"
    assert found.loc["C0", "relaxation"] == "arrange an interpreter: opens 2 case managers"


def test_contracts_clearances_and_guardians_are_told_with_what_would_help():
    found = ledger(
        {"payer": ["plan", None, None], "clearances": [None, "part2", None], "guardian_language": [None, None, "it"]},
        {"languages": ["fr"], "capacity_minutes": [200]},
        rules=AllocationRules(payer_contracts={"plan": "contract"}, guardian_language="beside"),
    )
    assert found["rule"].tolist() == ["payer", "confidentiality", "guardian"]
    assert found["relaxation"].tolist() == [
        "conclude or renew a contract with the payer: opens 1 case manager",
        "clear a case manager for these records: opens 1 case manager",
        "arrange an interpreter for the guardian: opens 1 case manager",
    ]


def test_several_rules_are_told_where_no_single_change_helps():
    found = ledger({"language": ["it"], "skills": ["rare"]}, {"languages": ["fr"], "capacity_minutes": [100]})
    assert (
        found.loc["C0", "relaxation"]
        == "no single change helps; against the nearest case manager: needed skill missing, no shared language"
    )


def test_lacking_minutes_are_told_with_the_set_that_lacks_them():
    found = ledger({"person_id": ["A", "B", "C"]}, {"capacity_minutes": [50, 45]})
    assert len(found) == 1
    assert found["rule"].tolist() == ["capacity"]
    reason = "cases that only 2 case managers can take need 120 minutes a week, and there are 95"
    assert found["reason"].tolist() == [reason]
    assert found["relaxation"].tolist() == ["30 more minutes a week with CM0"]


def test_minutes_in_too_small_pieces_are_told():
    found = ledger({"person_id": ["A"], "minutes": [40]}, {"capacity_minutes": [60, 60], "minutes_committed": [30, 30]})
    assert found.loc["C0", "rule"] == "capacity"
    assert "more minutes than any" in found.loc["C0", "reason"]
    found = ledger({"person_id": list("ABC"), "minutes": [40] * 3}, {"capacity_minutes": [60, 60]})
    assert "none has enough minutes left in one piece" in found["reason"].iloc[0]


def test_places_that_lack_are_told():
    found = ledger({"person_id": ["A", "B"]}, {"capacity_minutes": [100], "max_cases": [1]})
    assert found["rule"].tolist() == ["max_cases"]
    assert found["relaxation"].tolist() == ["one more case with CM0"]
    found = ledger({"person_id": ["A", "B"]}, {"capacity_minutes": [70], "max_cases": [1]})
    assert found["relaxation"].tolist() == ["one more case and 10 more minutes a week with CM0"]


def test_a_pin_that_a_rule_forbids_is_told():
    cases = {"skills": ["rare"]}
    managers = {"skills": [None, "rare"], "capacity_minutes": [100, 100]}
    found = ledger(cases, managers, pins=pd.DataFrame({"case_id": ["C0"], "cm_id": ["CM0"]}))
    assert found.loc["C0", "rule"] == "pins"


@pytest.mark.parametrize("table", ["licenses", "credentials"])
def test_rights_that_lack_are_told(table):
    rules = AllocationRules(licensed_professions=("nurse",), credentials=("DIU",) if table == "credentials" else ())
    managers = {"profession": ["nurse" if table == "licenses" else "other"], "capacity_minutes": [100]}
    found = ledger({"jurisdiction": ["J1"]}, managers, rules=rules)
    assert found["rule"].tolist() == ["licence" if table == "licenses" else "credentials"]


def test_where_somebody_is_left_no_rule_is_told():
    yes, no = np.array([[True]]), np.array([[False]])
    assert first_emptied({"skills": yes}, 0) is None
    answers = {"skills": no, "language": no} | dict.fromkeys(_OTHERS, yes)
    assert smallest_relaxation(answers, 0).key == "allocation.relaxation_none"


_OTHERS = (
    "active", "profession", "licence", "credentials", "territory", "preferences", "conflicts", "pins", "max_cases",
    "capacity",
)  # fmt: skip


def test_a_set_is_told_no_larger_than_it_needs_to_be_to_lack_minutes():
    found = ledger(
        {"territory": ["T1"] * 3 + ["T2"], "minutes": [40, 40, 40, 10]},
        {"territories": ["T1", "T2", "T2"], "capacity_minutes": [90, 60, 60]},
    )
    assert found["reason"].tolist() == [
        "cases that only 1 case manager can take need 120 minutes a week, and there are 90"
    ]


def test_minutes_with_someone_who_has_the_most_cases_are_not_said_to_lack():
    found = ledger(
        {"person_id": ["A", "B"], "minutes": [40, 40]}, {"capacity_minutes": [200, 60], "max_cases": [1, None]}
    )
    assert len(found) == 0
    found = ledger(
        {"person_id": ["A", "B", "C"], "minutes": [40] * 3}, {"capacity_minutes": [200, 60], "max_cases": [1, None]}
    )
    assert found["rule"].tolist() == ["capacity"]
    assert "too few minutes left or the most cases allowed" in found["reason"].iloc[0]


def test_the_most_cases_of_one_sort_are_told():
    rules = AllocationRules(case_mix=(CaseMixLimit(1, tier="high"),))
    found = ledger({"tier": ["high", "high", "low"]}, {"capacity_minutes": [200]}, rules=rules)
    assert found["rule"].tolist() == ["case_mix"]
    assert found["reason"].tolist() == ["the 1 case manager allowed has the most cases of this sort"]
    assert found["relaxation"].tolist() == ["one more case of this sort with CM0"]


def test_room_that_a_search_did_not_use_is_told_as_such():
    problem = AllocationProblem(
        pd.DataFrame({"case_id": ["C0"], "minutes": [40]}), pd.DataFrame({"cm_id": ["CM0"], "capacity_minutes": [60]})
    )
    rows, told = tell(problem, ask(problem), np.array([-1]))
    assert rows["rule"].tolist() == ["capacity"]
    assert told["C0"].reason.said(load_wording("en")).startswith("CM0 has room")
    assert told["C0"].relaxation.key == "allocation.relaxation_search"
