"""Allocation against two peers in one run: fewest cases first, and scipy's milp on the full model.

Run ``python benchmarks/allocation.py`` from the project's root. It prints a table and writes
``benchmarks/results/allocation.json``. Every plan is measured by the same yardstick: the priority left unassigned, the
largest utilisation, and the bounds that casestrat proves for both.
"""

from __future__ import annotations

import json
import platform
import time
from pathlib import Path

import numpy as np
import scipy
from caseloads import make_problem
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from casestrat.allocation import AllocationProblem, allocate
from casestrat.allocation.instance import Instance, ask, canonical
from casestrat.allocation.objective import largest_utilisation

SIZES = ((200, 10, 0.85), (300, 20, 0.85), (300, 20, 0.92), (2_000, 50, 0.85), (2_000, 50, 0.92))
SEED = 1
TIME_LIMIT_S = 10.0
RESULTS = Path(__file__).parent / "results" / "allocation.json"


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


def full_model(instance: Instance) -> np.ndarray:
    """Solve one binary variable a pair of case and case manager: priority left over first, then the peak."""
    cases, managers = np.nonzero(instance.allowed[instance.group])
    pairs, n, m = len(cases), instance.n, instance.m
    columns = pairs + n + 1  # x, left over, peak
    weight = instance.weight[instance.group[cases], managers].astype(float)
    once = sparse.csr_array(
        (np.ones(pairs + n), (np.r_[cases, np.arange(n)], np.arange(pairs + n))), shape=(n, columns)
    )
    load = sparse.csr_array((weight, (managers, np.arange(pairs))), shape=(m, columns))
    count = sparse.csr_array((np.ones(pairs), (managers, np.arange(pairs))), shape=(m, columns))
    peak = sparse.csr_array(
        (-instance.capacity.astype(float), (np.arange(m), np.full(m, columns - 1))), shape=(m, columns)
    )
    solved = milp(
        np.r_[np.zeros(pairs), instance.priority, 1.0],  # a peak is at most 1, a priority more
        constraints=[
            LinearConstraint(once, 1, 1),
            LinearConstraint(load + peak, -np.inf, -instance.before),
            LinearConstraint(count, -np.inf, instance.slots),
        ],
        bounds=Bounds(0, 1),
        integrality=np.r_[np.ones(pairs), np.zeros(n + 1)],
        options={"time_limit": TIME_LIMIT_S, "mip_rel_gap": 0.0},
    )
    plan = np.full(n, -1)
    if solved.x is not None:
        chosen = np.flatnonzero(solved.x[:pairs] > 0.5)
        plan[cases[chosen]] = managers[chosen]
    return plan


def measure(instance: Instance, plan: np.ndarray, seconds: float) -> dict[str, float]:
    """Measure a plan by what everyone can see: who is left over, and the peak."""
    return {
        "seconds": round(seconds, 2),
        "n_unassigned": int((plan < 0).sum()),
        "priority_unassigned": instance.unassigned_value(plan),
        "largest_utilisation": round(largest_utilisation(instance.loads(plan), instance.capacity), 5),
        "fit": instance.fit_value(plan),
    }


def run(n_cases: int, n_managers: int, load: float) -> list[dict[str, object]]:
    """Measure casestrat and its peers on one problem."""
    problem: AllocationProblem = make_problem(n_cases, n_managers, seed=SEED, load=load)
    instance = canonical(problem, ask(problem))
    size = {"cases": n_cases, "case_managers": n_managers, "load": load, "n_hopeless": int(instance.hopeless.sum())}
    start = time.perf_counter()
    plan = allocate(problem, time_limit_s=TIME_LIMIT_S)
    seconds = time.perf_counter() - start
    levels = plan.levels.set_index("level")
    ours = {
        "seconds": round(seconds, 2),
        "n_unassigned": len(plan.unassigned),
        "priority_unassigned": float(levels.loc["unassigned", "value"]),
        "largest_utilisation": round(float(levels.loc["largest_utilisation", "value"]), 5),
        "fit": float(levels.loc["fit", "value"]),
    }
    bounds = {f"bound_{level}": round(float(levels.loc[level, "bound"]), 5) for level in levels.index}
    rows = [size | {"method": "casestrat"} | ours | bounds]
    for name, solver in (("fewest cases first", fewest_cases_first), ("scipy milp, full model", full_model)):
        start = time.perf_counter()
        found = solver(instance)
        rows.append(size | {"method": name} | measure(instance, found, time.perf_counter() - start))
    return rows


def main() -> None:
    """Run every size, print the table, write the results."""
    rows = [row for size in SIZES for row in run(*size)]
    head = ("cases", "case_managers", "load", "method", "seconds", "n_unassigned", "largest_utilisation",
            "bound_largest_utilisation", "fit", "bound_fit")  # fmt: skip
    print(" | ".join(head))
    for row in rows:
        print(" | ".join(str(row.get(name, "")) for name in head))
    RESULTS.parent.mkdir(exist_ok=True)
    content = {
        "time_limit_s": TIME_LIMIT_S, "seed": SEED, "rows": rows,
        "host": {"machine": platform.machine(), "python": platform.python_version(), "scipy": scipy.__version__},
    }  # fmt: skip
    RESULTS.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
