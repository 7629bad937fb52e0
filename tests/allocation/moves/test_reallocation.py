"""Tests of re-allocation: who takes over what, under which budget, and what the frontier tells."""

import itertools

import numpy as np
import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem, Reallocation, allocate, check_plan, reallocate
from casestrat.errors import UsageError
from casestrat.knowledge.program import AllocationRules

pytestmark = pytest.mark.usefixtures("unhurried")


def of_team() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Nine cases with three case managers, one of whom has next to nothing; everybody may follow everybody."""
    cases = pd.DataFrame({
        "case_id": [f"C{i}" for i in range(9)], "person_id": [f"P{i}" for i in range(9)],
        "minutes": [40, 40, 54, 18, 40, 54, 40, 18, 18], "cm_id": ["A", "A", "A", "A", "B", "B", "B", "C", None],
    })  # fmt: skip
    staff = pd.DataFrame({"cm_id": ["A", "B", "C"], "capacity_minutes": [200, 200, 200]})
    return cases, staff


@pytest.fixture
def team():
    """Frames that a test may change."""
    return of_team()


@pytest.fixture(scope="module")
def without_a():
    """The team after A has left, with two voluntary moves."""
    return reallocate(AllocationProblem(*of_team()), leaver="A", max_moves=2)


@pytest.fixture(scope="module")
def evened():
    """The team evened out by up to six moves."""
    return reallocate(AllocationProblem(*of_team()), max_moves=6)


def uneven(n: int, m: int, seed: int) -> AllocationProblem:
    """Return a small problem whose cases lie unevenly, with territories."""
    rng = np.random.default_rng(seed)
    staff = pd.DataFrame({
        "cm_id": [f"M{j}" for j in range(m)], "capacity_minutes": rng.integers(100, 260, m),
        "max_cases": rng.integers(3, 9, m), "territories": rng.choice(["N", "S", "N;S"], m),
    })  # fmt: skip
    cases = pd.DataFrame({
        "case_id": [f"C{i}" for i in range(n)], "person_id": [f"P{i}" for i in range(n)],
        "minutes": rng.choice([18, 40, 54], n), "priority": rng.integers(1, 9, n),
        "territory": rng.choice(["N", "S"], n), "cm_id": rng.choice(["M0", "M1"], n),
    })  # fmt: skip
    return AllocationProblem(cases, staff)


def best_by_trying(problem: AllocationProblem, leaver: str | None, budget: int) -> tuple[float, float, float]:
    """Return the best value of all plans there are: left over, largest utilisation, sum of squares."""
    cases, staff = problem.cases, problem.case_managers.set_index("cm_id")
    ids = [cm for cm in staff.index if cm != leaver]
    most = staff["max_cases"].fillna(99).astype(int)
    held = cases[cases["cm_id"] != leaver].groupby("cm_id")
    load_now, count_now = held["minutes"].sum(), held.size()
    full = {
        cm for cm in ids if load_now.get(cm, 0) > staff.loc[cm, "capacity_minutes"] or count_now.get(cm, 0) > most[cm]
    }

    def options(row) -> list[str | None]:
        able = [cm for cm in ids if cm not in full and row.territory in staff.loc[cm, "territories"].split(";")]
        return [*able, None] if row.cm_id == leaver else sorted({*able, row.cm_id})

    best = (np.inf,) * 3
    for picked in itertools.product(*(options(row) for row in cases.itertuples())):
        moved = sum(to != was for to, was in zip(picked, cases["cm_id"], strict=True) if was != leaver)
        if moved > budget:
            continue
        load = {cm: sum(m for m, to in zip(cases["minutes"], picked, strict=True) if to == cm) for cm in ids}
        if any(
            cm not in full and (load[cm] > staff.loc[cm, "capacity_minutes"] or picked.count(cm) > most[cm])
            for cm in ids
        ):
            continue
        left = float(sum(p for p, to in zip(cases["priority"], picked, strict=True) if to is None))
        use = [load[cm] / staff.loc[cm, "capacity_minutes"] for cm in ids]
        squares = float(sum(staff.loc[cm, "capacity_minutes"] * u**2 for cm, u in zip(ids, use, strict=True)))
        best = min(best, (left, round(float(max(use)), 9), round(squares, 6)))
    return best


@pytest.mark.parametrize(("seed", "leaver"), [(0, None), (4, None), (1, "M0"), (3, "M0")])
def test_small_problems_are_solved_as_well_as_by_trying_every_plan(seed, leaver):
    problem = uneven(5, 3, seed)
    moved = reallocate(problem, leaver=leaver, max_moves=2)
    for row in moved.frontier.itertuples():
        left, peak, squares = best_by_trying(problem, leaver, row.max_moves)
        assert (row.largest_utilisation, row.sum_of_squares) == pytest.approx((peak, squares), abs=1e-4)
        if row.max_moves == 2:
            assert moved.levels["value"].iloc[0] == pytest.approx(left)
    assert moved.levels["is_optimal"].all()


def test_forced_moves_do_not_count_and_the_budget_is_kept(without_a, evened):
    assert not without_a.is_cut
    assert check_plan(without_a.problem, without_a).empty
    kinds = without_a.moves["kind"].value_counts()
    assert kinds["forced"] == 5  # the four of A, and the one whom nobody had
    assert kinds.get("voluntary", 0) <= 2
    assert set(without_a.moves.loc[without_a.moves["kind"] == "forced", "reason"]) == {"leaver", "no_lead"}
    assert evened.moves["kind"].tolist().count("voluntary") == evened.frontier["n_moves"].iloc[-1]


def test_the_frontier_has_a_row_a_budget_and_never_rises(evened):
    moved, frontier = evened, evened.frontier
    assert frontier["max_moves"].tolist() == list(range(7))
    assert (frontier["n_moves"] <= frontier["max_moves"]).all()
    for name in ("unassigned", "largest_utilisation", "sum_of_squares"):
        assert frontier[name].is_monotonic_decreasing
    assert (frontier["price"].dropna() >= 0).all()
    drops = -frontier["sum_of_squares"].diff().iloc[1:]
    assert frontier["price"].iloc[:-1].to_numpy() == pytest.approx(drops.to_numpy())
    assert moved.levels.set_index("level").loc["sum_of_squares", "value"] == pytest.approx(
        frontier["sum_of_squares"].iloc[-1]
    )


def test_workload_tells_what_each_had_before_anything_moved(without_a):
    workload = without_a.workload.set_index("cm_id")
    assert workload["minutes_before"].tolist() == [152, 134, 18]
    assert workload.loc["A", ["minutes_after", "cases_after"]].tolist() == [0, 0]
    assert workload["utilisation_before"].tolist() == pytest.approx([0.76, 0.67, 0.09])


def test_a_pinned_case_never_moves_and_one_pinned_to_the_leaver_is_told_of(team):
    cases, staff = team
    pins = pd.DataFrame({"case_id": ["C4", "C0"], "cm_id": ["B", "A"]})
    moved = reallocate(AllocationProblem(cases, staff, pins=pins), leaver="A", max_moves=1)
    assert "C4" not in set(moved.moves["case_id"])
    told = moved.unassigned.set_index("case_id").loc["C0"]
    assert told["rule"] == "pins"
    assert told["reason"] == "the case is pinned to a case manager who leaves or is away"
    assert moved.in_language("fr").unassigned["reason"].iloc[0].startswith("la situation est")


def test_protected_cases_only_move_when_they_must(team):
    problem = AllocationProblem(*team)
    held = ["C0", "C1", "C2", "C3", "C4", "C5", "C6"]
    free = reallocate(problem, protected=held, max_moves=2).moves
    assert set(free["reason"]) <= {"no_lead", "balance"}
    assert not set(free["case_id"]) & set(held)
    forced = reallocate(problem, leaver="A", protected=pd.DataFrame({"case_id": held}), max_moves=0)
    assert {"C0", "C1", "C2", "C3"} <= set(forced.moves["case_id"])


def test_moves_make_room_for_somebody_who_would_be_left():
    cases = pd.DataFrame({"case_id": ["C1", "C2", "C3"], "minutes": [60, 40, 40], "skills": ["dementia", None, None],
                          "cm_id": ["A", "B", "B"]})  # fmt: skip
    staff = pd.DataFrame(
        {"cm_id": ["A", "B", "C"], "capacity_minutes": [100, 100, 100], "skills": ["dementia", "dementia", None]}
    )
    problem = AllocationProblem(cases, staff)
    none = reallocate(problem, leaver="A", max_moves=0)
    assert none.unassigned["case_id"].tolist() == ["C1"]
    one = reallocate(problem, leaver="A", max_moves=1)
    assert one.unassigned.empty
    assert one.frontier["unassigned"].tolist() == [1, 0]
    assert np.isnan(one.frontier["price"].iloc[0])  # the move places somebody instead
    voluntary = one.moves[one.moves["kind"] == "voluntary"]
    assert voluntary["reason"].tolist() == ["room"]
    assert voluntary["why"].iloc[0].startswith("makes room for someone who would be left without: B goes from 80 to")


def test_making_room_is_also_found_by_search_alone(monkeypatch):
    monkeypatch.setattr("casestrat.allocation.moves.reallocation.SMALL_PAIRS", 0)
    cases = pd.DataFrame({"case_id": ["C1", "C2", "C3"], "minutes": [90, 40, 40], "skills": ["dementia", None, None],
                          "cm_id": ["A", "B", "B"]})  # fmt: skip
    staff = pd.DataFrame(
        {"cm_id": ["A", "B", "C"], "capacity_minutes": [100, 100, 100], "skills": ["dementia", "dementia", None]}
    )
    moved = reallocate(AllocationProblem(cases, staff), leaver="A", max_moves=3)
    assert moved.frontier["unassigned"].tolist() == [1, 1, 0, 0]


def test_a_newcomer_is_given_work_within_the_budget(team):
    newcomer = pd.DataFrame({"cm_id": ["D"], "capacity_minutes": [200]})
    moved = reallocate(AllocationProblem(*team), newcomer=newcomer, max_moves=2)
    voluntary = moved.moves[moved.moves["kind"] == "voluntary"]
    assert len(voluntary) <= 2
    assert "newcomer" in set(moved.moves["reason"])
    assert moved.workload["cm_id"].tolist() == ["A", "B", "C", "D"]
    assert moved.workload.set_index("cm_id").loc["D", "minutes_before"] == 0


def test_a_leave_of_absence_is_covered_until_it_ends(team):
    cases, staff = team
    problem = AllocationProblem(cases, staff, starts_on="2026-10-01")
    absent = pd.DataFrame({"cm_id": ["A"], "from_on": ["2026-10-05"], "to_on": ["2026-12-04"]})
    moved = reallocate(problem, absent=absent, max_moves=0)
    of_leave = moved.moves[moved.moves["reason"] == "absence"]
    assert of_leave["until"].eq(pd.Timestamp("2026-12-04")).all()
    assert moved.cover["case_id"].tolist() == of_leave["case_id"].tolist() == ["C0", "C1", "C2", "C3"]
    assert moved.cover["how"].eq("absence").all()
    assert moved.cover["for_cm"].eq("A").all()


def test_a_leaver_whom_nobody_can_replace_gives_a_ledger_and_no_error(team):
    cases, staff = team
    cases = cases.assign(skills=np.where(cases["cm_id"] == "A", "signing", None))
    moved = reallocate(AllocationProblem(cases, staff), leaver="A", max_moves=1)
    assert moved.unassigned["case_id"].tolist() == ["C0", "C1", "C2", "C3"]
    assert moved.unassigned["rule"].eq("skills").all()
    assert len(moved.uncovered) == 4
    alone = AllocationProblem(cases.iloc[:4], staff.iloc[:1])
    assert len(reallocate(alone, leaver="A").unassigned) == 4


def test_existing_work_beyond_a_capacity_may_stay_and_gets_nothing_more(team):
    cases, staff = team
    staff = staff.assign(capacity_minutes=[100, 100, 300])
    moved = reallocate(AllocationProblem(cases, staff), max_moves=1)
    assert check_plan(moved.problem, moved).empty
    assert set(moved.moves["to_cm"]) == {"C"}


def test_the_given_plan_counts_and_not_the_leads_of_the_cases(team):
    problem = AllocationProblem(*team)
    plan = allocate(problem)
    moved = reallocate(problem, plan, max_moves=0)
    assert moved.moves.empty
    assert moved.assignments["cm_id"].tolist() == plan.assignments["cm_id"].tolist()
    other = AllocationProblem(team[0].iloc[1:], team[1])
    with pytest.raises(UsageError, match="the plan has other cases"):
        reallocate(other, plan)


def test_the_same_seed_gives_the_same_plan_whatever_the_order_of_rows():
    problem = uneven(14, 4, 3)
    one = reallocate(problem, leaver="M0", max_moves=2, time_limit_s=60)
    shuffled = AllocationProblem(
        problem.cases.sample(frac=1, random_state=1), problem.case_managers.sample(frac=1, random_state=2)
    )
    two = reallocate(shuffled, leaver="M0", max_moves=2, time_limit_s=60)
    pd.testing.assert_frame_equal(one.moves, two.moves)
    pd.testing.assert_frame_equal(one.frontier, two.frontier)


def test_limits_on_sorts_of_cases_hold_for_what_moves():
    cases = pd.DataFrame(
        {"case_id": list("abcdef"), "minutes": 40, "tier": "high", "cm_id": ["A"] * 3 + ["B"] * 2 + ["C"]}
    )
    staff = pd.DataFrame({"cm_id": list("ABC"), "capacity_minutes": [400, 400, 400]})
    from casestrat.knowledge.program_allocation import CaseMixLimit

    rules = AllocationRules(case_mix=(CaseMixLimit(most=3, tier="high"),))
    moved = reallocate(AllocationProblem(cases, staff, rules=rules), leaver="A", max_moves=0)
    assert moved.workload.set_index("cm_id")["cases_after"].max() == 3
    assert len(moved.unassigned) == 0
    tight = AllocationRules(case_mix=(CaseMixLimit(most=2, tier="high"),))
    assert len(reallocate(AllocationProblem(cases, staff, rules=tight), leaver="A").unassigned) == 2


def test_reasons_are_said_in_each_language(without_a):
    moved = without_a
    assert isinstance(moved.in_language("it"), Reallocation)
    words = {lang: moved.in_language(lang).moves["why"].iloc[0] for lang in ("en", "fr", "it")}
    assert words["en"].startswith("A leaves; one of 2 allowed;")
    assert words["fr"].startswith("A quitte le service")
    assert words["it"].startswith("A lascia il servizio")
    assert "voluntary moves" in repr(moved)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"leaver": "Z"}, "no case manager is called 'Z'.*choose one of: A, B, C"),
        ({"max_moves": -1}, "max_moves is -1"),
        ({"max_moves": 2.5}, "max_moves is 2.5"),
        ({"max_moves": True}, "max_moves is True"),
        ({"time_limit_s": -1}, "time_limit_s is -1"),
        ({"time_limit_s": float("nan")}, "time_limit_s is nan"),
        ({"protected": ["C99"]}, "1 of 1 protected cases are no cases"),
        ({"absent": pd.DataFrame({"cm_id": ["Z"]})}, "no case manager is called 'Z'"),
        ({"absent": pd.DataFrame({"cm_id": ["A"], "from_on": ["2026-02-01"], "to_on": ["2026-01-01"]})}, "on or after"),
        ({"newcomer": pd.DataFrame({"cm_id": ["A"], "capacity_minutes": [1]})}, "new: nobody of `case_managers`"),
        ({"newcomer": pd.DataFrame({"cm_id": ["D"], "capacity_minutes": [-1]})}, "0 or more"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(team, change, message):
    with pytest.raises(UsageError, match=message):
        reallocate(AllocationProblem(*team), **change)


def test_own_costs_are_refused():
    with pytest.raises(UsageError, match="own costs cannot be re-allocated"):
        reallocate(AllocationProblem.from_costs([[1, 2]], [10, 10], [30]))


def test_nothing_to_do_and_no_time_are_no_faults(team):
    cases, staff = team
    empty = AllocationProblem(cases.iloc[:0], staff)
    assert reallocate(empty, leaver="A").moves.empty
    assert reallocate(AllocationProblem(cases.iloc[:0], staff.iloc[:0])).moves.empty
    hurried = reallocate(AllocationProblem(cases, staff), leaver=["A", "B"], time_limit_s=0)
    assert len(hurried.assignments) + len(hurried.unassigned) == 9
    assert hurried.is_cut
