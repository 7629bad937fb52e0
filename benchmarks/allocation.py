"""Allocation at four sizes against three peers in one run; every plan is measured by the same yardstick.

Run ``python benchmarks/allocation.py`` from the project's root (``--sizes 200 2000`` for some of the sizes). Each method
runs in a process of its own. The peers: "fewest cases first", as one would with a spreadsheet; scipy's ``milp`` on the
full model, one binary variable per case and case manager; OR-Tools CP-SAT on the same model (where it is installed, see
``peers/requirements.txt``). It prints a table and writes ``benchmarks/results/allocation.json``.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from caseloads import SIZES, Size, make_caseload
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from casestrat.allocation import AllocationProblem, allocate
from casestrat.allocation.problem.instance import Instance, ask, canonical
from casestrat.allocation.problem.objective import UNASSIGNED, largest_utilisation
from casestrat.allocation.solver.bounds import relaxed_bound
from casestrat.allocation.solver.clock import Clock
from casestrat.allocation.solver.draft import hard_limit
from casestrat.allocation.solver.relaxation import Limits, build, solve_relaxation

SEED = 1
PEER_SECONDS = 60.0
LEFT_OVER, PEAK = (
    100.0,
    1.0,
)  # what the peers' one objective counts for a case left over, and (times cases) for the peak
RESULTS = Path(__file__).parent / "results" / "allocation.json"
COLUMNS = (
    "cases", "managers", "method", "told", "avoidable", "unplaced_hours", "bound_unplaced_hours", "peak", "bound_peak",
    "spread", "cost", "bound_cost", "cpu_s", "wall_s", "peak_mb",
)  # fmt: skip


def fewest_cases_first(instance: Instance) -> np.ndarray:
    """Give each case, the most urgent first, to the allowed case manager with room who has the fewest cases."""
    plan = np.full(instance.n, -1)
    load, count = instance.before.copy(), np.zeros(instance.m, dtype=int)
    for case in np.argsort(-instance.priority, kind="stable"):
        group = instance.group[case]
        after = load + instance.weight[group]
        able = np.flatnonzero(instance.allowed[group] & (after <= instance.capacity) & (count < instance.slots))
        if len(able):
            manager = able[np.argmin(count[able])]
            plan[case], load[manager], count[manager] = manager, after[manager], count[manager] + 1
    return plan


def pairs_of(instance: Instance) -> tuple[np.ndarray, np.ndarray]:
    """List every allowed pair of a case and a case manager."""
    groups, managers = np.nonzero(instance.allowed)
    starts = np.searchsorted(groups, np.arange(len(instance.allowed) + 1))
    able = np.diff(starts)[instance.group]
    cases = np.repeat(np.arange(instance.n), able)
    first = np.repeat(starts[instance.group] - (np.cumsum(able) - able), able)
    return cases, managers[np.arange(len(cases)) + first]


def prices_of(instance: Instance) -> np.ndarray:
    """Price the cases left over, the greater priority the more."""
    return LEFT_OVER * instance.priority / instance.priority.mean()


def scipy_milp(instance: Instance) -> np.ndarray | None:
    """Solve one binary variable a pair of case and case manager: left over, peak and cost in one objective."""
    cases, managers = pairs_of(instance)
    pairs, n, m = len(cases), instance.n, instance.m
    columns = pairs + n + 1  # x, left over, peak
    weight = instance.weight[instance.group[cases], managers].astype(float)
    once = (np.ones(pairs + n), (np.r_[cases, np.arange(n)], np.arange(pairs + n)))
    peak = (-instance.capacity.astype(float), (np.arange(m), np.full(m, columns - 1)))
    at = (managers, np.arange(pairs))
    rows = [
        sparse.csr_array(once, shape=(n, columns)),
        sparse.csr_array((weight, at), shape=(m, columns)) + sparse.csr_array(peak, shape=(m, columns)),
        sparse.csr_array((np.ones(pairs), at), shape=(m, columns)),
    ]
    matrix = sparse.csc_array(sparse.vstack(rows))
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    most = np.r_[np.ones(n), -instance.before.astype(float), instance.slots.astype(float)]
    solved = milp(
        np.r_[instance.cost[instance.group[cases], managers].astype(float), prices_of(instance), PEAK * n],
        constraints=LinearConstraint(matrix, np.r_[np.ones(n), np.full(2 * m, -np.inf)], most), bounds=Bounds(0, 1),
        integrality=np.r_[np.ones(pairs), np.zeros(n + 1)], options={"time_limit": PEER_SECONDS, "mip_rel_gap": 0.0},
    )  # fmt: skip
    return None if solved.x is None else plan_of(n, cases, managers, solved.x[:pairs] > 0.5)


def cp_sat(instance: Instance) -> np.ndarray | None:
    """Solve the same model by CP-SAT, with two workers."""
    from ortools.sat.python import cp_model  # an optional peer

    cases, managers = pairs_of(instance)
    model, scale = cp_model.CpModel(), 10_000
    given = [model.new_bool_var("") for _ in range(len(cases))]
    left = [model.new_bool_var("") for _ in range(instance.n)]
    peak = model.new_int_var(0, scale, "")
    of_case = np.split(np.arange(len(cases)), np.searchsorted(cases, np.arange(1, instance.n)))
    for case, own in enumerate(of_case):
        model.add_exactly_one([given[x] for x in own] + [left[case]])
    order = np.argsort(managers, kind="stable")
    weight = instance.weight[instance.group[cases], managers]
    for j, own in enumerate(np.split(order, np.searchsorted(managers[order], np.arange(1, instance.m)))):
        load = cp_model.LinearExpr.weighted_sum([given[x] for x in own], [int(weight[x]) for x in own])
        model.add(scale * load <= int(instance.capacity[j]) * peak - scale * int(instance.before[j]))
        model.add(cp_model.LinearExpr.sum([given[x] for x in own]) <= int(instance.slots[j]))
    cost = np.round(100 * instance.cost[instance.group[cases], managers].astype(float)).astype(int)
    model.minimize(
        cp_model.LinearExpr.weighted_sum(given, cost.tolist())
        + cp_model.LinearExpr.weighted_sum(left, np.round(100 * prices_of(instance)).astype(int).tolist())
        + int(100 * PEAK * instance.n / scale) * peak
    )
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds, solver.parameters.num_workers = PEER_SECONDS, 2
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    return plan_of(instance.n, cases, managers, np.array([solver.boolean_value(one) for one in given]))


def plan_of(n: int, cases: np.ndarray, managers: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return whom each case goes to, -1 for nobody."""
    plan = np.full(n, -1)
    plan[cases[chosen]] = managers[chosen]
    return plan


def measure(instance: Instance, plan: np.ndarray) -> dict[str, float]:
    """Measure a plan by what everyone can see."""
    load, able = instance.loads(plan), (instance.capacity > 0) & instance.allowed.any(axis=0)
    left = (plan < 0) & ~instance.hopeless
    minutes = np.where(instance.allowed, instance.weight, 0).max(axis=1)[instance.group]
    return {
        "avoidable": int(left.sum()), "unplaced_hours": round(float(minutes[left].sum()) / 60, 1),
        "peak": round(largest_utilisation(load, instance.capacity), 5),
        "spread": round(float(np.std(load[able] / instance.capacity[able])), 5),
        "cost": instance.fit_value(plan),
    }  # fmt: skip


def bound_of_hours(instance: Instance) -> float:
    """Return the least hours that any plan leaves over, hopeless cases apart."""
    minutes = np.where(instance.allowed, instance.weight, 0).max(axis=1)[instance.group].astype(float)
    by_minutes, limits = replace(instance, priority=np.maximum(minutes, 1e-9)), Limits(hard_limit(instance))
    found = solve_relaxation(build(by_minutes, UNASSIGNED, limits), 600.0, Clock())
    hopeless = float(by_minutes.priority[instance.hopeless].sum())
    return 0.0 if found is None else (relaxed_bound(by_minutes, UNASSIGNED, limits, found.prices) - hopeless) / 60


def ours(problem: AllocationProblem, size: Size) -> dict[str, Any]:
    """Allocate, and measure the plan with what it says of its bounds."""
    started, cpu = time.perf_counter(), time.process_time()
    plan = allocate(problem, time_limit_s=size.seconds, random_state=0)
    spent = {"wall_s": time.perf_counter() - started, "cpu_s": time.process_time() - cpu, "peak_mb": peak_mb()}
    levels = plan.levels.set_index("level")
    instance = canonical(problem, ask(problem))
    row_of = {cm_id: at for at, cm_id in enumerate(problem.case_managers["cm_id"].iloc[instance.cm_rows])}
    given = plan.assignments.set_index("case_id")["cm_id"].map(row_of)
    rows = given.reindex(problem.cases["case_id"].iloc[instance.case_rows]).fillna(-1).to_numpy(dtype=int)
    return measure(instance, rows) | spent | {
        "bound_peak": round(float(levels.loc["largest_utilisation", "bound"]), 5),
        "bound_cost": float(levels.loc["fit", "bound"]),
        "bound_unplaced_hours": round(bound_of_hours(instance), 1),
        "priority_left": float(levels.loc["unassigned", "value"]),
        "bound_priority_left": float(levels.loc["unassigned", "bound"]),
        "squares": float(levels.loc["sum_of_squares", "value"]),
        "bound_squares": float(levels.loc["sum_of_squares", "bound"]),
    }  # fmt: skip


PEERS = {"fewest cases first": fewest_cases_first, "scipy milp": scipy_milp, "CP-SAT": cp_sat}


def peer(problem: AllocationProblem, method: str) -> dict[str, Any]:
    """Let a peer solve the problem, given as arrays, and measure its plan."""
    if method == "CP-SAT" and find_spec("ortools") is None:
        return {"told": "not installed"}
    instance = canonical(problem, ask(problem))
    started, cpu = time.perf_counter(), time.process_time()
    plan = PEERS[method](instance)
    spent = {"wall_s": time.perf_counter() - started, "cpu_s": time.process_time() - cpu, "peak_mb": peak_mb()}
    return spent | ({"told": f"no plan in {PEER_SECONDS:.0f} s"} if plan is None else measure(instance, plan))


def peak_mb() -> int:
    """Return the peak memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def run_one(at: int, method: str) -> dict[str, Any]:
    """Measure one method at one size."""
    size = SIZES[at]
    problem = make_caseload(size.cases, size.managers, seed=SEED, load=size.load, short=size.short)
    row = ours(problem, size) if method == "casestrat" else peer(problem, method)
    row |= {name: round(row[name], 2) for name in ("wall_s", "cpu_s") if name in row}
    limit = size.seconds if method == "casestrat" else PEER_SECONDS
    return {"cases": size.cases, "managers": size.managers, "method": method, "time_limit_s": limit} | row


def in_a_process(at: int, method: str) -> dict[str, Any]:
    """Run one method at one size in a process of its own."""
    command = [sys.executable, __file__, "--one", str(at), method]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        size = SIZES[at]
        print(done.stderr[-2_000:], file=sys.stderr)
        return {"cases": size.cases, "managers": size.managers, "method": method, "told": "ended with an error"}
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return row


def main() -> None:
    """Run every size, print the table, write the results; sizes not asked for keep their rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[size.cases for size in SIZES])
    parser.add_argument("--methods", nargs="*", default=["casestrat", *PEERS])
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(run_one(int(asked.one[0]), asked.one[1])))
        return
    rows = []
    print(" | ".join(COLUMNS))
    for at, size in enumerate(SIZES):
        for method in asked.methods if size.cases in asked.sizes else ():
            row = in_a_process(at, method)
            rows.append(row)
            print(" | ".join(str(row.get(name, "")) for name in COLUMNS), flush=True)
    before = json.loads(RESULTS.read_text(encoding="utf-8"))["rows"] if RESULTS.exists() else []
    done = {(row["cases"], row["method"]) for row in rows}
    kept = [row for row in before if (row["cases"], row["method"]) not in done] + rows
    order = {method: at for at, method in enumerate(["casestrat", *PEERS])}
    kept = sorted((one for one in kept if one["method"] in order and "managers" in one),
                  key=lambda one: (one["cases"], order[one["method"]]))  # fmt: skip
    host = {"machine": platform.machine(), "python": platform.python_version(), "scipy": scipy.__version__}
    content = {"seed": SEED, "peer_seconds": PEER_SECONDS, "rows": kept, "host": host}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
