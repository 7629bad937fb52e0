"""Re-allocation against two peers in one run: spreading by hand, and scipy's milp on the full model.

Run ``python benchmarks/reallocation.py`` from the project's root. At 2,000 cases and 50 case managers, one of whom
leaves, it prints what each budget of voluntary moves gives and writes ``benchmarks/results/reallocation.json``. One run
of casestrat gives the frontier of all budgets; the model has to be solved once a budget and level.
"""

from __future__ import annotations

import json
import platform
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import scipy
from caseloads import make_problem
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from casestrat.allocation import AllocationProblem, Plan, allocate, check_plan, reallocate
from casestrat.allocation.moves.moving import State
from casestrat.allocation.moves.moving_arrays import Arrays
from casestrat.allocation.moves.moving_model import Asked, model_of, solve
from casestrat.allocation.moves.standing import Change, take_stock
from casestrat.allocation.solver.clock import Clock

if TYPE_CHECKING:
    import pandas as pd

N_CASES, N_MANAGERS, SEED = 2_000, 50, 1
LOADS = (0.85, 0.92)
BUDGETS = (0, 5, 10, 20, 30)
MOST = max(BUDGETS)
SECONDS = 60.0  # of each method, by the clock; casestrat counts steps, and takes a few
RESULTS = Path(__file__).parent / "results" / "reallocation.json"


def by_hand(problem: AllocationProblem, holder: pd.Series, leaver: str) -> dict[str, object]:
    """Give each case of the leaver to the allowed case manager with room who has the fewest cases."""
    standing = take_stock(problem, None, Change(leaver))
    arrays = Arrays(standing, standing.problem)
    instance, moving = arrays.instance, arrays.moving
    state = State(moving, np.where(moving.is_forced, -1, moving.home))
    start = time.process_time()
    for case in np.flatnonzero(moving.is_forced):
        able = np.flatnonzero(instance.allowed[instance.group[case]] & ~moving.is_closed)
        able = able[state.has_room(np.full(len(able), case), able)]
        if len(able):
            state.put(int(case), int(able[np.argmin(state.count[able])]))
    value = state.value()
    return {"method": "fewest cases first", "cpu_s": round(time.process_time() - start, 2), "max_moves": 0, "n_moves": 0,
            "unassigned": int((state.plan < 0).sum()), "largest_utilisation": round(value.peak, 5),
            "sum_of_squares": round(value.squares, 1)}  # fmt: skip


def full_model(arrays: Arrays, budget: int) -> dict[str, object]:
    """One binary variable a case and case manager: who is left over first, then the largest utilisation."""
    instance, moving = arrays.instance, arrays.moving
    able = instance.allowed[instance.group] & ~moving.is_closed
    can = moving.is_movable | moving.is_forced
    able &= can[:, None]
    held = np.flatnonzero(moving.home >= 0)
    able[held, moving.home[held]] = True
    cases, managers = np.nonzero(able)
    pairs, n, m = len(cases), instance.n, instance.m
    columns = pairs + n + 1  # x, left over, peak
    weight = moving.minutes[cases].astype(float)
    ones = np.ones(pairs)
    once = sparse.csr_array((np.ones(pairs + n), (np.r_[cases, np.arange(n)], np.arange(pairs + n))), (n, columns))
    load = sparse.csr_array((weight, (managers, np.arange(pairs))), (m, columns))
    count = sparse.csr_array((ones, (managers, np.arange(pairs))), (m, columns))
    share = sparse.csr_array((-instance.capacity.astype(float), (np.arange(m), np.full(m, columns - 1))), (m, columns))
    away = ((moving.home[cases] >= 0) & (moving.home[cases] != managers)).astype(float)
    moves = sparse.csr_array((away, (np.zeros(pairs, int), np.arange(pairs))), (1, columns))
    start = time.process_time()
    solved = milp(
        np.r_[np.zeros(pairs), instance.priority, 1.0],
        constraints=[
            LinearConstraint(once, 1, 1),
            LinearConstraint(load, -np.inf, moving.limit - instance.before),
            LinearConstraint((load + share)[instance.capacity > 0], -np.inf, -instance.before[instance.capacity > 0]),
            LinearConstraint(count, -np.inf, moving.places),
            LinearConstraint(moves, -np.inf, budget),
        ],
        bounds=Bounds(np.zeros(columns), np.r_[np.ones(pairs), moving.is_forced.astype(float), np.inf]),
        integrality=np.r_[np.ones(pairs + n), 0.0],
        options={"time_limit": SECONDS, "mip_rel_gap": 0.0},
    )
    row: dict[str, object] = {"method": "scipy milp, full model", "max_moves": budget,
                              "cpu_s": round(time.process_time() - start, 2)}  # fmt: skip
    if solved.x is None:
        return row | {"n_moves": None, "unassigned": None, "largest_utilisation": None, "sum_of_squares": None}
    plan = np.full(n, -1)
    chosen = np.flatnonzero(solved.x[:pairs] > 0.5)
    plan[cases[chosen]] = managers[chosen]
    state = State(moving, plan)
    value = state.value()
    return row | {"n_moves": len(state.away), "unassigned": int((plan < 0).sum()),
                  "largest_utilisation": round(value.peak, 5), "sum_of_squares": round(value.squares, 1)}  # fmt: skip


def run(load: float) -> list[dict[str, object]]:
    """Measure one caseload."""
    problem = make_problem(N_CASES, N_MANAGERS, seed=SEED, load=load)
    plan: Plan = allocate(problem)
    leaver = str(plan.workload.sort_values(["cases_after", "cm_id"])["cm_id"].iloc[len(plan.workload) // 2])
    own = int((plan.assignments["cm_id"] == leaver).sum())
    begun, clock = time.process_time(), time.perf_counter()
    moved = reallocate(problem, plan, leaver, MOST, time_limit_s=SECONDS)
    cpu, seconds = time.process_time() - begun, time.perf_counter() - clock
    if not check_plan(moved.problem, moved).empty:
        raise SystemExit("the checker rejects the plan")
    standing = take_stock(problem, plan, Change(leaver))
    arrays = Arrays(standing, standing.problem)
    model = model_of(arrays.moving)
    final = arrays.plan_of(standing.cases["case_id"].map(moved.assignments.set_index("case_id")["cm_id"]))
    about = {"cases": N_CASES, "case_managers": N_MANAGERS, "load": load, "cases_of_leaver": own}
    rows: list[dict[str, object]] = []
    value = State(arrays.moving, final).value()
    hopeless = float(arrays.instance.priority[arrays.moving.is_forced & arrays.instance.hopeless].sum())
    for budget in BUDGETS:
        row = moved.frontier.iloc[budget].to_dict()
        bound = None  # of the peak, where as many are left over as under the greatest budget
        if row["unassigned"] == len(moved.unassigned):
            asked = Asked("peak", budget, value.left - hopeless)
            bound = round(solve(model, asked, SECONDS, Clock(), whole=False).bound, 5)
        rows.append(about | {"method": "casestrat (all budgets in one run)", "cpu_s": round(cpu, 2), "seconds": round(seconds, 2),
                             "max_moves": budget, "n_moves": int(row["n_moves"]), "unassigned": int(row["unassigned"]),
                             "largest_utilisation": round(row["largest_utilisation"], 5),
                             "bound": bound, "sum_of_squares": round(row["sum_of_squares"], 1)})  # fmt: skip
    holder = plan.assignments.set_index("case_id")["cm_id"]
    cases = problem.cases.assign(cm_id=problem.cases["case_id"].map(holder))
    present = AllocationProblem(
        cases, problem.case_managers, licenses=problem.licenses, conflicts=problem.conflicts,
        preferences=problem.preferences, rules=problem.rules, starts_on=problem.starts_on,
    )  # fmt: skip
    rows.append(about | by_hand(present, holder, leaver))
    rows += [about | full_model(arrays, budget) for budget in BUDGETS]
    return rows


def main() -> None:
    """Run both caseloads, print the table, write the results."""
    rows = [row for load in LOADS for row in run(load)]
    head = (
        "load",
        "method",
        "cpu_s",
        "max_moves",
        "n_moves",
        "unassigned",
        "largest_utilisation",
        "bound",
        "sum_of_squares",
    )
    print(" | ".join(head))
    for row in rows:
        print(" | ".join(str(row.get(name, "")) for name in head))
    RESULTS.parent.mkdir(exist_ok=True)
    host = {"machine": platform.machine(), "python": platform.python_version(), "scipy": scipy.__version__}
    content = {"time_limit_s": SECONDS, "seed": SEED, "rows": rows, "host": host}
    RESULTS.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
