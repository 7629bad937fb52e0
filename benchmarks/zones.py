"""Territories staffed and split evenly, on the published instances of CSPLib 069, beside a spreadsheet's way.

Run ``python benchmarks/zones.py [FOLDER]`` from the project's root. FOLDER (by default ``../shared/instances``) holds
``bnwp/*.json`` (zones, n_nurses, min_patients, max_patients, max_load, best_sumsq) and ``bnwp_nursedep/*.txt``. The
peer staffs zones by their summed weight and gives each case, the heaviest first, to whoever has least; it keeps the
greatest number of cases, and its other breaches are counted. It prints tables and writes ``results/zones.json``.
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

from casestrat.allocation import balance_types, balance_zones

FOLDER = Path(__file__).resolve().parents[1] / ".." / "shared" / "instances"
RESULTS = Path(__file__).parent / "results" / "zones.json"


def spreadsheet(given: dict[str, Any]) -> list[float]:
    """Loads of the peer: case managers by summed weight, largest remainders, then the heaviest case to the least."""
    zones, managers = given["zones"], given["n_nurses"]
    share = np.array([sum(zone) for zone in zones]) / sum(map(sum, zones)) * managers
    least = np.array([-(-len(zone) // given["max_patients"]) for zone in zones])
    staff = np.maximum(np.floor(share).astype(int), least)
    for zone in np.argsort(staff - share)[: max(managers - int(staff.sum()), 0)]:
        staff[zone] += 1
    loads: list[float] = []
    for zone, number in zip(zones, staff.tolist(), strict=True):
        load, count = np.zeros(number), np.zeros(number, dtype=int)
        for weight in sorted(zone, reverse=True):
            taker = int(np.argmin(np.where(count < given["max_patients"], load, np.inf)))
            load[taker] += weight
            count[taker] += 1
        loads += load.tolist()
    return loads


def zone_row(path: Path) -> dict[str, Any]:
    """Measure one instance of the plain problem."""
    given = json.loads(path.read_text(encoding="utf-8"))
    start = time.process_time()
    plan = balance_zones(
        given["zones"], given["n_nurses"], given["min_patients"], given["max_patients"], given["max_load"]
    )
    seconds = time.process_time() - start
    peer = spreadsheet(given)
    return {
        "instance": given["name"], "zones": given["n_zones"], "nurses": given["n_nurses"],
        "best_known": given["best_sumsq"], "value": plan.sum_of_squares, "bound": plan.bound,
        "is_optimal": plan.is_optimal, "cpu_seconds": round(seconds, 2), "spreadsheet": sum(load**2 for load in peer),
        "spreadsheet_nurses": len(peer), "spreadsheet_overloaded": sum(load > given["max_load"] for load in peer),
    }  # fmt: skip


def type_row(path: Path) -> dict[str, Any]:
    """Measure one instance of the variant in which weights depend on the nurse."""
    read = np.array(path.read_text(encoding="utf-8").split(), dtype=int)
    nurses, patients, types, fewest, most = read[:5].tolist()
    start = time.process_time()
    plan = balance_types(read[5 : 5 + types], read[5 + types :].reshape(nurses, types), fewest, most)
    return {
        "instance": path.stem, "nurses": nurses, "patients": patients, "value": plan.sum_of_squares,
        "bound": plan.bound, "is_optimal": plan.is_optimal, "standard_deviation": round(plan.standard_deviation, 3),
        "total": plan.total, "least_total": plan.least_total, "cpu_seconds": round(time.process_time() - start, 2),
    }  # fmt: skip


def main(arguments: list[str]) -> None:
    """Measure every instance, print the tables, write the results."""
    folder = Path(arguments[0]) if arguments else FOLDER
    if not (folder / "bnwp").is_dir():
        print(f"no instances in {folder}: they have no licence to be passed on, and are read where they are")
        return
    parts = {
        "zones": [zone_row(path) for path in sorted((folder / "bnwp").glob("*.json"))],
        "own_weights": [type_row(path) for path in sorted((folder / "bnwp_nursedep").glob("*.txt"))],
    }
    for rows in parts.values():
        print(" | ".join(rows[0]))
        for row in rows:
            print(" | ".join(str(value) for value in row.values()))
        print(f"{sum(row['is_optimal'] for row in rows)} of {len(rows)} proven optimal, "
              f"{sum(row['cpu_seconds'] for row in rows):.1f} CPU seconds")  # fmt: skip
    host = {"machine": platform.machine(), "python": platform.python_version(), "scipy": scipy.__version__}
    RESULTS.write_text(json.dumps(parts | {"host": host}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
