"""As-of features against what people would otherwise use, on the same made-up rows in one run.

Asked for every person on a date: the last total of eight instruments, the number of sittings in six windows, and the
slope of the totals in the same six windows, from rows recorded before the date. Every way runs in a process of its own,
on one core, so that its memory is its own; its answers are compared with the engine's.

    python benchmarks/as_of_features.py                          # the sizes of the table in README.md
    python benchmarks/as_of_features.py --largest 100000         # a quick look
    CASESTRAT_FEATURETOOLS_PYTHON=… python benchmarks/as_of_features.py   # a Python that has featuretools

featuretools needs pandas below 3, so it has an environment of its own: ``pip install -r benchmarks/peers/featuretools.txt``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
OUT = HERE / "results" / "as_of_features.json"
ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ARROW_NUM_THREADS", "POLARS_MAX_THREADS"), "1")


def run(way: str, folder: Path, python: str = sys.executable) -> dict[str, Any] | None:
    """Run one way in a process of its own; None where what it needs is not installed."""
    done = subprocess.run(
        [python, HERE / "peers" / "as_of_ways.py", way, folder], capture_output=True, text=True, check=False,
        env={**os.environ, **ONE_CORE},
    )  # fmt: skip
    if done.returncode == 3:
        print(f"  {way}: not installed here, left out")
        return None
    if done.returncode:
        raise RuntimeError(f"{way}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"  {way:14} {found['cpu_s']:10.2f} CPU s {found['wall_s']:10.2f} s {found['peak_mb']:8.0f} MB")
    return found


def data(folder: Path, rows: int, people: int, dates: int = 1) -> Path:
    """Write the rows and the questions of one size."""
    folder.mkdir()
    made = [sys.executable, HERE / "peers" / "as_of_ways.py", "data", folder, str(rows), str(people), str(dates)]
    subprocess.run(made, check=True)
    return folder


def compare(folder: Path, ways: tuple[str, ...], python: str = sys.executable) -> dict[str, Any]:
    """Run the engine and its peers on the same data."""
    found: dict[str, Any] = {"engine": run("engine", folder)}
    for way in ways:
        peer = run(way, folder, python if way == "featuretools" else sys.executable)
        if peer is not None:
            found[way] = peer | {"ratio": peer["cpu_s"] / found["engine"][peer["against"]]}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--largest", type=int, default=10_000_000, help="rows of the largest size")
    asked = parser.parse_args()
    python = os.environ.get("CASESTRAT_FEATURETOOLS_PYTHON", sys.executable)
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as place:
        base = Path(place)
        print(f"{asked.largest:,} rows, {asked.largest // 10:,} people, one date")
        whole = data(base / "whole", asked.largest, asked.largest // 10)
        results["largest"] = compare(whole, ("merge_asof", "duckdb", "polars", "apply"))
        results["growth"] = {}
        for rows in (10**n for n in range(4, 8) if 10**n < asked.largest):
            print(f"{rows:,} rows")
            results["growth"][rows] = run("engine", data(base / f"n{rows}", rows, rows // 10))
        many = min(asked.largest, 1_000_000)
        for dates in (1, 10):
            print(f"{many:,} rows, {dates} dates a person")
            results[f"{dates}_dates"] = run("engine", data(base / f"d{dates}", many, many // 10, dates))
        results["ten_dates_cost"] = results["10_dates"]["cpu_s"] / results["1_dates"]["cpu_s"]
        print("2,000 rows, 200 people, ten dates a person")
        results["small"] = compare(data(base / "small", 2_000, 200, 10), ("featuretools",), python)
    results["growth"][asked.largest] = results["largest"]["engine"]
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(rounded(results), indent=1) + "\n")


def rounded(value: Any) -> Any:
    """Round every number for the file."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return round(value, 3) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
