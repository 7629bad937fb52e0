"""The nightly job against its reference: read + scikit-learn logistic pipeline + write. Run: python benchmarks/nightly.py

Both are whole processes on the same made-up people and the same machine, in turn, in one run. The reference reads one
wide Parquet of features, runs an imputing, scaling and encoding logistic pipeline and writes the risks: it checks nothing, asks
for no date, and explains, ranks and allocates nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
DATA = HERE / ".data"

NIGHTLY = """
import sys
from casestrat.nightly import Gates, run_nightly
run = run_nightly(sys.argv[1], "geriatric", as_of="2026-10-01", out=sys.argv[2], workers=1, gates=Gates(1.0, 10**6))
"""
FEATURES = """
import sys
import pandas as pd
import casestrat as cs
program = cs.load_program("geriatric")
tables = cs.read_tables(sys.argv[1], program)
spine = cs.make_spine(tables, program, as_of="2026-10-01", population="all")
X = cs.FeatureBuilder(program).build(tables, spine).reset_index()
X["label"] = (X["unplanned_stays_365d"].fillna(0) > 1).astype(int)
X.to_parquet(sys.argv[2])
"""
REFERENCE = """
import sys
import pandas as pd
from sklearn.compose import make_column_transformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
frame = pd.read_parquet(sys.argv[1])
X, y = frame.drop(columns=["person_id", "as_of", "label"]), frame["label"]
text = [name for name in X if not pd.api.types.is_numeric_dtype(X[name])]
X[text] = X[text].astype(object).where(X[text].notna(), "missing")
model = make_pipeline(make_column_transformer(
    (make_pipeline(SimpleImputer(add_indicator=True, keep_empty_features=True), StandardScaler()), [n for n in X if n not in text]),
    (OneHotEncoder(handle_unknown="ignore"), text)), LogisticRegression(max_iter=200)).fit(X.head(20_000), y.head(20_000))
frame.assign(risk=model.predict_proba(X)[:, 1])[["person_id", "risk"]].to_parquet(sys.argv[2])
"""


def run(code: str, *arguments: object) -> dict[str, float]:
    """Run code as a process of its own; return CPU seconds, wall seconds and peak memory in MB of the largest process."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)])
    _, status, used = os.wait4(process.pid, 0)  # of this process alone: RUSAGE_CHILDREN keeps the peak of all before
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(process.returncode)
    cpu = used.ru_utime + used.ru_stime
    return {"cpu_s": round(cpu, 2), "wall_s": round(wall, 2), "peak_mb": round(used.ru_maxrss / 1024)}


def main() -> None:
    """Make the people once, time both, print and keep the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    people = parser.parse_args().people
    source = DATA / f"geriatric-{people}"
    if not (source / "persons.parquet").exists() and not list(source.glob("persons*")):
        code = "import sys; from casestrat.synthetic import write_agency; write_agency('geriatric', int(sys.argv[1]), 1, sys.argv[2])"
        print("make the people", run(code, people, source))
    wide = DATA / f"wide-{people}.parquet"
    if not wide.exists():
        print("make the wide features of the reference", run(FEATURES, source, wide))
    out = DATA / f"out-{time.time_ns()}"
    empty = run("import casestrat.nightly")
    reference = run(REFERENCE, wide, DATA / "risk.parquet")
    nightly = run(NIGHTLY, source, out)
    result = {
        "people": people,
        "nightly": nightly,
        "reference": reference,
        "import_only": empty,
        "ratio_cpu": round(nightly["cpu_s"] / reference["cpu_s"], 2),
    }
    print(json.dumps(result, indent=1))
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / "nightly.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
