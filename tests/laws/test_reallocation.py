"""Laws of re-allocation, whatever the problem: forced moves are free, budgets and pins hold, frontiers never rise."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casestrat.allocation import AllocationProblem, accept_moves, check_plan, reallocate

pytestmark = pytest.mark.usefixtures("unhurried")


@st.composite
def teams(draw):
    """A problem with leads, pins, territories and greatest numbers of cases; some leads have too much already."""
    m, n = draw(st.integers(2, 4)), draw(st.integers(1, 10))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    staff = pd.DataFrame({
        "cm_id": [f"M{j}" for j in range(m)], "capacity_minutes": rng.integers(0, 260, m),
        "max_cases": pd.array(rng.integers(1, 8, m), dtype="Int64"),
        "territories": rng.choice(["N", "S", "N;S", ""], m),
    })  # fmt: skip
    lead = np.array([*staff["cm_id"], None], dtype=object)[rng.integers(0, m + 1, n)]
    cases = pd.DataFrame({
        "case_id": [f"C{i}" for i in range(n)], "person_id": [f"P{i}" for i in range(n)],
        "minutes": rng.choice([0, 18, 40, 54], n), "priority": rng.integers(1, 9, n),
        "territory": rng.choice(["N", "S"], n), "cm_id": lead,
    })  # fmt: skip
    held = cases.dropna(subset="cm_id")[["case_id", "cm_id"]]
    pins = held[rng.random(len(held)) < 0.2]
    return AllocationProblem(cases, staff, pins=pins), draw(st.sampled_from([None, "M0"])), draw(st.integers(0, 3))


@pytest.mark.filterwarnings("error")
@given(teams())
@settings(max_examples=5, deadline=None)
def test_every_reallocation_keeps_what_was_promised(drawn):
    problem, leaver, budget = drawn
    moved = reallocate(problem, leaver=leaver, max_moves=budget, time_limit_s=2)
    assert check_plan(moved.problem, moved).empty
    kinds = moved.moves["kind"].value_counts()
    assert kinds.get("voluntary", 0) == moved.frontier["n_moves"].iloc[-1] <= budget
    before = problem.cases.set_index("case_id")["cm_id"]
    forced = set(before.index[before.isna() | (before == leaver)])
    assert set(moved.moves.loc[moved.moves["kind"] == "forced", "case_id"]) | set(moved.unassigned["case_id"]) == forced
    pinned = set(problem.pins["case_id"])
    assert not pinned & set(moved.moves["case_id"])
    steps = moved.frontier[["unassigned", "largest_utilisation", "sum_of_squares"]].diff().iloc[1:]
    steps = steps[steps["unassigned"] == 0]
    assert (steps["largest_utilisation"] <= 1e-9).all()
    is_level = steps["largest_utilisation"] > -1e-9  # a lower peak may cost evenness: levels are in order
    assert (steps.loc[is_level, "sum_of_squares"] <= 1e-6).all()
    assert (moved.levels["bound"] <= moved.levels["value"] + 1e-6).all()
    stays = moved.assignments[~moved.assignments["case_id"].isin(moved.moves["case_id"])]
    assert (stays["cm_id"].to_numpy() == before[stays["case_id"]].to_numpy()).all()


@given(st.permutations([0, 1, 2, 3]), st.integers(0, 4))
@settings(max_examples=8, deadline=None)
def test_accepting_in_any_order_and_taking_back_leaves_one_lead_an_episode(order, number):
    table = pd.DataFrame({
        "assignment_id": [str(i) for i in range(4)], "episode_id": [f"E{i}" for i in range(4)],
        "person_id": [f"P{i}" for i in range(4)], "cm_id": "A", "role": "lead", "from_on": "2026-01-01",
        "recorded_at": "2026-01-01",
    })  # fmt: skip
    moves = pd.DataFrame({
        "case_id": table["episode_id"], "from_cm": "A", "to_cm": "B", "reason": "balance", "until": pd.NaT,
    })  # fmt: skip
    done = accept_moves(table, moves, [f"E{i}" for i in order[:number]], by="lead", decided_on="2026-02-01")
    back = done.undo(by="lead", decided_on="2026-02-02", reason="error")
    for frame, expected in ((done.assignments, 2), (back.assignments, 1)):
        last = frame.sort_values("recorded_at", kind="stable").drop_duplicates("assignment_id", keep="last")
        live = last[~last["is_void"].fillna(value=False).astype(bool) & last["to_on"].isna()]
        assert sorted(live["episode_id"]) == [f"E{i}" for i in range(4)]
        assert live["cm_id"].nunique() == min(expected, 1 + (number > 0)) or number == 4
