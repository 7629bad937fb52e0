import pandas as pd

from casestrat.allocation import AllocationProblem, allocate
from casestrat.allocation.admission.binding import binding
from casestrat.knowledge import AllocationRules, CaseMixLimit


def bound(cases, managers, lang="en", **more):
    cases = pd.DataFrame({"case_id": [f"C{i}" for i in range(len(next(iter(cases.values()))))], "minutes": 40} | cases)
    managers = pd.DataFrame({"cm_id": [f"M{j}" for j in range(len(next(iter(managers.values()))))]} | managers)
    problem = AllocationProblem(cases, managers, **more)
    return binding(problem, allocate(problem), lang=lang)


def test_nothing_binds_where_everyone_is_placed():
    told = bound({"person_id": ["A"]}, {"capacity_minutes": [100]})
    assert told.empty
    assert told["n_cases"].dtype == "Int64"


def test_minutes_and_places_of_case_managers_bind_with_the_cases_they_hold_up():
    told = bound(
        {"person_id": list("ABC"), "territory": ["T1", "T1", "T2"]},
        {"capacity_minutes": [60, 500], "territories": ["T1", "T2"], "max_cases": [None, 0],
         "minutes_committed": [10, 0]},
    )  # fmt: skip
    staff = told[told["kind"] == "case_manager"]
    assert staff[["id", "rule", "used", "limit", "n_cases", "minutes"]].to_numpy().tolist() == [
        ["M0", "capacity", 50, 60, 1, 40]
    ]  # the other is barred by a rule before any case is placed
    rules = told[told["kind"] == "rule"].set_index("rule")
    assert rules.loc["max_cases", "n_cases"] == 1
    assert rules.loc["capacity", "reason"] == "no hours left"


def test_places_that_the_plan_uses_up_bind():
    told = bound({"person_id": ["A", "B"]}, {"capacity_minutes": [500], "max_cases": [1]})
    assert told.loc[told["kind"] == "case_manager", ["rule", "used", "limit"]].to_numpy().tolist() == [
        ["max_cases", 1, 1]
    ]


def test_limits_on_sorts_bind():
    rules = AllocationRules(case_mix=(CaseMixLimit(1, tier="high"),))
    told = bound({"tier": ["high", "high"]}, {"capacity_minutes": [500]}, rules=rules)
    assert told["rule"].tolist() == ["case_mix", "case_mix"]
    assert told["used"].isna().all()


def test_rules_are_told_in_the_reader_s_language():
    told = bound({"language": ["it"]}, {"capacity_minutes": [500], "languages": ["fr"]}, "fr")
    assert told[["kind", "rule"]].to_numpy().tolist() == [["rule", "language"]]
    assert told["reason"].tolist() == ["pas de langue commune"]
