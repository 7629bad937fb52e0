import numpy as np
import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem, allocate
from casestrat.allocation.plan.spare_room import SpareRoom, rows_of_plan
from casestrat.allocation.problem.instance import ask
from casestrat.knowledge import AllocationRules, CaseMixLimit


def room_of(cases, managers, plan, **more):
    cases = pd.DataFrame({"case_id": [f"C{i}" for i in range(len(plan))]} | cases)
    managers = pd.DataFrame({"cm_id": [f"M{j}" for j in range(len(next(iter(managers.values()))))]} | managers)
    problem = AllocationProblem(cases, managers, **more)
    asked = ask(problem)
    return SpareRoom(problem, asked, np.array(plan)), asked


def test_what_is_left_is_what_the_plan_does_not_use():
    room, asked = room_of(
        {"minutes": [30, 20, 50]}, {"capacity_minutes": [100, 40], "max_cases": [3, 5], "minutes_committed": [10, 0]},
        [0, 0, -1],
    )  # fmt: skip
    assert room.minutes.tolist() == [40, 40]
    assert room.slots.tolist() == [1, 5]
    assert room.taker(int(asked.group[2])) == -1


def test_one_case_is_handed_on_to_make_room_for_another():
    room, _ = room_of(
        {"minutes": [30, 60], "territory": ["T1", "T1"]}, {"capacity_minutes": [60, 30], "territories": ["T1", "T1"]},
        [0, -1],
    )  # fmt: skip
    assert not room.place(1, hands_on=False)
    assert room.place(1)
    assert room.plan.tolist() == [1, 0]
    assert room.minutes.tolist() == [0, 0]


def test_nobody_is_asked_to_follow_what_the_rules_forbid():
    room, asked = room_of(
        {"minutes": [30, 60], "territory": ["T1", "T1"]}, {"capacity_minutes": [60, 30], "territories": ["T1", "T2"]},
        [0, -1],
    )  # fmt: skip
    assert room.who_could(int(asked.group[1])) == -1
    assert not room.place(1)


def test_a_case_of_the_same_sort_must_go_where_a_sort_is_full():
    rules = AllocationRules(case_mix=(CaseMixLimit(1, tier="high"),))
    cases = {"minutes": [10, 10, 10], "tier": ["high", "low", "high"], "territory": ["T1", None, "T1"]}
    managers = {"capacity_minutes": [100, 100], "territories": ["T1", "T2"]}
    room, _ = room_of(cases, managers, [0, 0, -1], rules=rules)
    assert not room.place(2)  # the high case cannot leave the territory, and handing the low one on frees nothing
    room, _ = room_of(cases | {"territory": [None, None, "T1"]}, managers, [0, 0, -1], rules=rules)
    assert room.place(2)
    assert room.plan.tolist() == [1, 0, 0]
    assert (room.mix >= 0).all()


def test_who_is_closed_takes_nothing():
    room, _ = room_of({"minutes": [10]}, {"capacity_minutes": [100]}, [-1])
    room.close(np.array([0]))
    assert not room.place(0)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_placed_stays_within_every_limit(seed, sized):
    problem = sized(60, 6, seed=seed)
    asked = ask(problem)
    room = SpareRoom(problem, asked, np.full(len(asked.rows), -1))
    for at in range(len(asked.rows)):
        room.place(at)
    assert (room.minutes >= 0).all()
    assert (room.slots >= 0).all()
    placed = room.plan >= 0
    assert asked.allowed[asked.group[placed], room.plan[placed]].all()
    assert (room.held.sum(axis=0) == np.bincount(room.plan[placed], minlength=room.held.shape[1])).all()


def test_a_plan_is_read_back_as_rows(three):
    problem = AllocationProblem(*three)
    plan = allocate(problem)
    rows = rows_of_plan(problem, ask(problem).rows, plan)
    given = dict(zip(plan.assignments["case_id"], plan.assignments["cm_id"], strict=True))
    ids = problem.case_managers["cm_id"].tolist()
    assert [ids[row] for row in rows] == [given[case] for case in problem.cases["case_id"]]


def test_cases_are_handed_on_to_one_case_manager_alone_where_that_is_asked():
    cases = {"minutes": [30, 60], "territory": ["T1", "T1"]}
    managers = {"capacity_minutes": [60, 30, 30], "territories": ["T1", "T1", "T2"]}
    room, _ = room_of(cases, managers, [0, -1])
    assert room.freed_by(1).tolist() == [30, 0, 0]
    assert room.freed_by(2).tolist() == [0, 0, 0]
    assert not room.place(1, only_to=2)
    assert room.place(1, only_to=1)
    assert room.plan.tolist() == [1, 0]
