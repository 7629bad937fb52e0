import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem, allocate
from casestrat.allocation.plan.plan import _levels
from casestrat.allocation.solve import LevelResult
from casestrat.errors import UsageError
from casestrat.tables import OUTPUTS


@pytest.fixture
def plan():
    """Four cases, one of them fixed, one left over."""
    cases = pd.DataFrame({
        "case_id": list("DBCA"), "person_id": ["P4", "P2", "P3", "P1"], "minutes": [40, 60, 40, 20],
        "kind": ["proposed", "open", "open", "proposed"], "skills": [None, None, None, "rare"],
        "tier": ["high", "low", "medium", "high"], "cm_id": [None, "CM2", "CM1", None],
        "is_fixed": [False, True, False, False],
    })  # fmt: skip
    managers = pd.DataFrame({"cm_id": ["CM2", "CM1"], "capacity_minutes": [200, 100], "team": ["a", "b"]})
    return allocate(AllocationProblem(cases, managers, starts_on="2026-10-01"))


def test_assignments_tell_who_and_why_in_the_order_of_cases(plan):
    rows = plan.assignments.set_index("case_id")
    assert rows.index.tolist() == ["B", "C", "D"]
    assert rows["cm_id"].tolist() == ["CM2", "CM1", "CM2"]
    assert rows["is_new"].tolist() == [False, False, True]
    assert rows.loc["B", "why"] == "keeps the present case manager"
    assert rows.loc["D", "why"] == "one of 2 allowed; misses nothing asked for; 50 % of minutes in use after"
    assert rows.loc["D", "runner_up"] == "CM1"


def test_workload_is_in_the_order_of_ids_never_a_ranking(plan):
    rows = plan.workload.set_index("cm_id")
    assert rows.index.tolist() == ["CM1", "CM2"]
    assert rows["minutes_before"].tolist() == [0, 60]
    assert rows["minutes_after"].tolist() == [40, 100]
    assert rows["cases_after"].tolist() == [1, 2]
    assert rows["utilisation_after"].tolist() == [0.4, 0.5]
    assert rows[["n_high", "n_medium", "n_low"]].to_numpy().tolist() == [[0, 1, 0], [1, 0, 1]]


@pytest.mark.parametrize("name", ["allocation", "unassigned", "workload"])
def test_frames_have_the_columns_and_types_of_their_contract(plan, name):
    frame = plan.assignments if name == "allocation" else getattr(plan, name)
    columns = OUTPUTS[name].columns
    assert frame.columns.tolist() == [column.name for column in columns]
    assert (frame["as_of"] == pd.Timestamp("2026-10-01")).all()


def test_a_plan_tells_its_proof(plan):
    assert repr(plan) == "Plan(3 cases assigned, 1 not; every level optimal)"
    assert plan.levels.columns.tolist() == ["level", "value", "bound", "gap", "is_optimal"]


def test_a_gap_is_told():

    frame = _levels((LevelResult("fit", 10.0, 8.0, 10.0), LevelResult("largest_utilisation", 0.51, 0.5, 0.5)))
    assert frame["gap"].tolist() == pytest.approx([0.2, 0.01 / 0.51])
    assert frame["is_optimal"].tolist() == [False, True]


def test_a_case_is_explained_by_everyone_who_could_follow_it(plan):
    rows = plan.explain("D")
    assert rows["cm_id"].tolist() == ["CM2", "CM1"]
    assert rows["is_chosen"].tolist() == [True, False]
    assert plan.explain("C").loc[1, "missed"] == "leaves the present case manager"


def test_a_fixed_and_a_left_over_case_are_explained(plan):
    assert plan.explain("B")["cm_id"].tolist() == ["CM2"]
    assert plan.explain("A")["rule"].tolist() == ["skills"]
    with pytest.raises(UsageError, match="no case has this id"):
        plan.explain("Z")


def test_the_reasons_of_a_plan_are_said_in_the_language_asked_for(plan):
    french = plan.in_language("fr").assignments.set_index("case_id")
    assert french.loc["B", "why"] == "garde son gestionnaire de cas actuel"
    assert french.loc["D", "why"].startswith("un des 2 possibles")
    assert french.drop(columns="why").equals(plan.assignments.set_index("case_id").drop(columns="why"))
    assert plan.in_language("it").unassigned["reason"].ne(plan.unassigned["reason"]).all()
    assert plan.in_language("en").assignments.equals(plan.assignments)
