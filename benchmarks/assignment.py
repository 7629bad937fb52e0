"""Generalized assignment with costs brought along: casestrat and scipy's milp on the published instances.

Run ``python benchmarks/assignment.py [FOLDER] [NAME …]`` from the project's root. FOLDER (by default
``../shared/instances/gap``) holds one JSON file per instance: cost and resource (agents × jobs), capacity, best_known.
It prints a table and writes ``benchmarks/results/assignment.json``; with names, only these instances are measured and
nothing is written. Both methods get the same time limit, and both plans are measured here, from the matrices. CPU
seconds are what counts: casestrat's limit is one of computing, and on a machine that others use too, the peer's clock
is stretched.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from casestrat.allocation import AllocationProblem
from casestrat.allocation.problem.instance import ask, canonical
from casestrat.allocation.solve import Ladder

FOLDER = Path(__file__).resolve().parents[1] / ".." / "shared" / "instances" / "gap"
TIME_LIMIT_S = 20.0
STRETCH = 6.0  # of the peer's clock, until it is known how busy the machine is
SEED = 0
RESULTS = Path(__file__).parent / "results" / "assignment.json"


def read(path: Path) -> dict[str, Any]:
    """Read one instance."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    arrays = {name: np.asarray(raw[name]) for name in ("cost", "resource", "capacity")}
    return {"name": raw["name"], "best_known": raw["best_known"], **arrays}


def value_of(given: dict[str, Any], plan: np.ndarray) -> float | None:
    """Summed cost of a plan (agent of each job), or None where it is not whole or breaks a capacity."""
    if len(plan) == 0 or (plan < 0).any():
        return None
    jobs = np.arange(len(plan))
    load = np.bincount(plan, weights=given["resource"][plan, jobs], minlength=len(given["capacity"]))
    return None if (load > given["capacity"]).any() else float(given["cost"][plan, jobs].sum())


def by_casestrat(given: dict[str, Any], _: float) -> tuple[np.ndarray, float]:
    """Agent of each job, and the bound; the time limit counts computing, whatever a shared machine takes away."""
    problem = AllocationProblem.from_costs(given["cost"], given["resource"], given["capacity"])
    instance = canonical(problem, ask(problem))
    solution = Ladder(instance, TIME_LIMIT_S, SEED).climb()
    found = np.full(instance.n, -1)
    placed = solution.plan >= 0
    found[instance.case_rows[placed]] = instance.cm_rows[solution.plan[placed]]
    return found, solution.levels[-1].bound


def by_milp(given: dict[str, Any], stretch: float) -> tuple[np.ndarray, float]:
    """The same by the solver alone: one binary variable a pair, every job once, every capacity kept."""
    m, n = given["cost"].shape
    pairs = np.arange(m * n)
    once = sparse.csr_array((np.ones(m * n), (pairs % n, pairs)), shape=(n, m * n))
    load = sparse.csr_array((given["resource"].ravel().astype(float), (pairs // n, pairs)), shape=(m, m * n))
    solved = milp(
        given["cost"].ravel().astype(float),
        constraints=[LinearConstraint(once, 1, 1), LinearConstraint(load, -np.inf, given["capacity"])],
        bounds=Bounds(0, 1),
        integrality=np.ones(m * n),
        options={"time_limit": stretch * TIME_LIMIT_S, "mip_rel_gap": 0.0},
    )
    bound = -np.inf if solved.mip_dual_bound is None else float(solved.mip_dual_bound)
    if solved.x is None:
        return np.full(n, -1), bound
    return np.asarray(solved.x).reshape(m, n).argmax(axis=0), bound


def measure(given: dict[str, Any], method: str, stretch: float) -> dict[str, Any]:
    """Run one method on one instance."""
    solver = {"casestrat": by_casestrat, "scipy milp": by_milp}[method]
    start, cpu = time.perf_counter(), time.process_time()
    plan, bound = solver(given, stretch)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    value, best = value_of(given, plan), given["best_known"]
    m, n = given["cost"].shape
    return {
        "instance": given["name"], "agents": m, "jobs": n, "method": method, "best_known": best, "value": value,
        "above_best_known_percent": None if value is None else round(100 * (value / best - 1), 3),
        "bound": round(bound, 3) if np.isfinite(bound) else None,
        "gap_percent": None if value is None or not np.isfinite(bound) else round(100 * (value - bound) / value, 3),
        "seconds": round(seconds, 1), "cpu_seconds": round(cpu, 1),
    }  # fmt: skip


def main(arguments: list[str]) -> None:
    """Measure every instance by both methods, print the table, write the results."""
    folder = Path(arguments[0]) if arguments else FOLDER
    names = arguments[1:] or sorted(path.stem for path in folder.glob("*.json"))
    if not names:
        print(f"no instance in {folder}: they have no licence to be passed on, and are read where they are")
        return
    rows: list[dict[str, Any]] = []
    for name in names:
        given = read(folder / f"{name}.json")
        stretch = STRETCH
        for method in ("casestrat", "scipy milp"):
            rows.append(measure(given, method, stretch))
            stretch = max(rows[-1]["seconds"] / max(rows[-1]["cpu_seconds"], 0.1), 1.0)  # of the machine just now
            if len(rows) == 1:
                print(" | ".join(rows[0]))
            print(" | ".join(str(value) for value in rows[-1].values()), flush=True)
    if arguments[1:]:
        return
    content = {
        "time_limit_s": TIME_LIMIT_S, "seed": SEED, "rows": rows,
        "host": {"machine": platform.machine(), "python": platform.python_version(), "scipy": scipy.__version__},
    }  # fmt: skip
    RESULTS.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
