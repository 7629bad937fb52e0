"""How the models of this library do on real people, beside their peers, on the same folds.

    make study                                      all of it; some hours
    python studies/models.py --repeats 1 --only Rossi,GBSG2 --out /tmp/small.json
    python studies/models.py --only HELP --models "card,peer: EBM"      what stands of the other models is kept

Five folds by person, seeded by the number of the repeat; single-threaded CPU seconds of one fit and of telling the
test's risks; peak memory above what the process held before. FasterRisk runs in `.venv-fasterrisk`, with versions of its
own; whoever cannot be run is told as absent, with the reason.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import resource
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # seconds are those of one thread
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from cohorts import Cohort, all_cohorts
from contenders import contenders_of, labels, learn_and_tell

from casestrat.models import PersonGroupedSplit, concordance_harrell, evaluate, evaluate_horizon

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "studies" / "results" / "models.json"
FASTERRISK = ROOT / ".venv-fasterrisk" / "bin" / "python"
FOLDS = 5
SLOW_ROWS = 10_000  # from so many rows on, slow peers get one repeat unless more are asked for
SLOW = ("peer: EBM", "peer: FasterRisk", "peer: boosted survival")
MEASURES = ("auc", "average_precision", "brier", "calibration_slope", "ici", "expected_over_observed", "concordance")


def folds_of(cohort: Cohort, repeats: int) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """Return repeat, learn and test of every fold."""
    event = pd.Series(cohort.event)
    return [
        (seed, learn, test)
        for seed in range(repeats)
        for learn, test in PersonGroupedSplit(FOLDS, random_state=seed).split(event, event, groups=cohort.persons)
    ]


def measure(cohort: Cohort, test: np.ndarray, risk: np.ndarray) -> dict[str, float]:
    """Return how risks did on the people of a test."""
    risk = np.clip(np.asarray(risk, dtype=float), 1e-9, 1 - 1e-9)
    if cohort.days is None:
        report = evaluate(cohort.event[test], risk, n_boot=0)
        return {name: report.value(name) for name in MEASURES if name != "concordance"}
    report = evaluate_horizon(cohort.days[test], cohort.event[test], risk, cohort.horizon_days, n_boot=0)
    told = dict(zip(report.summary["metric"], report.summary["value"], strict=True))
    found = {name: float(told[name]) for name in MEASURES if name in told}
    return found | {"concordance": concordance_harrell(cohort.days[test], cohort.event[test], risk)}


def run_here(name: str, cohort: Cohort, folds: list[Any]) -> dict[str, Any]:
    """Learn and tell fold by fold; seconds are of the whole of both."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    risks: list[dict[str, np.ndarray]] = []
    seconds = []
    for _seed, learn, test in folds:
        start = time.process_time()
        risks.append(learn_and_tell(name, cohort, learn, test))
        seconds.append(time.process_time() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"risks": risks, "seconds": seconds, "megabytes": peak / 1024}


def run_fasterrisk(cohort: Cohort, folds: list[Any]) -> dict[str, Any]:
    """Hand binary conditions and folds to FasterRisk's own environment."""
    if not FASTERRISK.is_file():
        raise RuntimeError("not installed: see studies/README.md")
    rows = labels(cohort, np.arange(len(cohort.event)))[0]
    if len(rows) < len(cohort.event):
        raise RuntimeError("takes no weights: not run where people are lost sight of")
    content = {"X": conditions(cohort.X), "y": labels(cohort, rows)[1]}
    for place, (_seed, learn, test) in enumerate(folds):
        content |= {f"learn_{place}": learn, f"test_{place}": test}
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder) / "in.npz", Path(folder) / "out.npz"
        np.savez(given, **content)
        subprocess.run([FASTERRISK, ROOT / "studies" / "peers" / "fasterrisk_folds.py", given, found], check=True)
        told = np.load(found)
        risks = [{"": told[f"risk_{place}"]} for place in range(len(folds))]
        return {"risks": risks, "seconds": told["seconds"].tolist(), "megabytes": float(told["megabytes"])}


def conditions(X: pd.DataFrame) -> np.ndarray:
    """Return X as binary conditions: up to twenty cuts a number, a column a level, missing values told."""
    columns = []
    for name in X:
        values = X[name]
        if values.isna().any():
            columns.append(values.isna().to_numpy())
        if pd.api.types.is_numeric_dtype(values):
            known = np.unique(values.dropna())
            cuts = known[1:] if len(known) <= 21 else np.unique(np.quantile(values.dropna(), np.arange(1, 21) / 21))
            columns += [(values >= cut).to_numpy() for cut in cuts]
        else:
            columns += [(values == level).to_numpy() for level in sorted(values.dropna().unique())]
    return np.column_stack(columns).astype(float)


def in_a_process_of_its_own(name: str, cohort: Cohort, folds: list[Any]) -> dict[str, Any]:
    """Run one contender where neither its memory nor its failure touches the others."""
    context = multiprocessing.get_context("fork")
    sender, receiver = context.Pipe()

    def work() -> None:
        try:
            receiver.send(run_fasterrisk(cohort, folds) if "FasterRisk" in name else run_here(name, cohort, folds))
        except Exception as error:  # a peer may fail in its own way: it is told, and the rest goes on
            receiver.send({"error": f"{type(error).__name__}: {error}"[:300]})

    process = context.Process(target=work)
    process.start()
    found: dict[str, Any] = sender.recv()
    process.join()
    return found


def summarize(cohort: Cohort, name: str, folds: list[Any], found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one result a model: the mean of the repeats, each of all its tests together."""
    about = {"cohort": cohort.name, "question": cohort.question, "model": name}
    if "error" in found:
        return [about | {"absent": found["error"]}]
    results = []
    for suffix in found["risks"][0]:
        by_repeat = []
        for seed in sorted({one for one, _learn, _test in folds}):
            of_seed = [i for i, fold in enumerate(folds) if fold[0] == seed]
            told = [measure(cohort, folds[i][2], found["risks"][i][suffix]) for i in of_seed]
            test = np.concatenate([folds[i][2] for i in of_seed])
            whole = measure(cohort, test, np.concatenate([found["risks"][i][suffix] for i in of_seed]))
            # order is judged inside each test, since folds may differ in level; calibration on all tests together
            inside = {key: float(np.mean([one[key] for one in told])) for key in ("auc", "average_precision", "concordance")
                      if key in whole}  # fmt: skip
            by_repeat.append(whole | inside)
        mean = pd.DataFrame(by_repeat).mean()
        results.append(about | {
            "model": name + suffix, "repeats": len(by_repeat), **mean.to_dict(),
            "auc_sd": float(pd.DataFrame(by_repeat)["auc"].std(ddof=0)),
            "seconds": float(np.mean(found["seconds"])), "megabytes": found["megabytes"],
        })  # fmt: skip
    return results


def main() -> None:
    """Run the study and write its results, cohort by cohort."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--slow-repeats", type=int, help="repeats of EBM, FasterRisk and boosted survival")
    parser.add_argument("--only", default="", help="names of cohorts, parted by commas")
    parser.add_argument("--question", default="", help="words of the question, where a cohort has several")
    parser.add_argument("--models", default="", help="names of contenders, parted by commas; rows of others are kept")
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    chosen = [one for one in all_cohorts()
              if (not asked.only or one.name in asked.only.split(",")) and asked.question in one.question]  # fmt: skip
    results: list[dict[str, Any]] = []
    models = asked.models.split(",") if asked.models else None
    for place, cohort in enumerate(chosen, start=1):
        for name in contenders_of(cohort):
            if models is not None and name not in models:
                continue
            few = asked.slow_repeats or (1 if len(cohort.event) >= SLOW_ROWS else asked.repeats)
            repeats = min(few, asked.repeats) if name in SLOW else asked.repeats
            folds = folds_of(cohort, repeats)
            told = summarize(cohort, name, folds, in_a_process_of_its_own(name, cohort, folds))
            results += told
            print("\n".join(json.dumps(rounded(one)) for one in told), flush=True)
        write(asked.out, chosen[:place], results, asked.repeats, models)


def write(
    path: Path, cohorts: list[Cohort], results: list[dict[str, Any]], repeats: int, models: list[str] | None = None
) -> None:
    """Write what is known so far, whole; results of cohorts and models that were not asked for now are kept."""
    before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"cohorts": [], "results": []}
    named = {(one.name, one.question): contenders_of(one) for one in cohorts}
    about = [
        {"cohort": one.name, "question": one.question, "rows": len(one.event), "events": int(one.event.sum()),
         "people": len(np.unique(one.persons)), "features": one.X.shape[1]} for one in cohorts
    ]  # fmt: skip
    kept = [one for one in before["results"]
            if key_of(one) not in named or (models is not None and contender_of(one) not in models)]  # fmt: skip
    place = {key_of(one): i for i, one in enumerate(before["cohorts"])}
    place |= {key: len(place) + i for i, key in enumerate(key for key in named if key not in place)}

    def rank(one: dict[str, Any]) -> tuple[int, int]:  # sorting keeps the order of what is not run anew
        key = key_of(one)
        return place[key], named[key].index(contender_of(one)) if key in named else 0

    told = {
        "folds": FOLDS,
        "repeats": max(repeats, before.get("repeats", 0) if kept else 0),
        "python": platform.python_version(),
        "cohorts": sorted(
            [one for one in before["cohorts"] if key_of(one) not in named] + about, key=lambda one: place[key_of(one)]
        ),
        "results": sorted(kept + rounded(results), key=rank),
    }
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def key_of(one: dict[str, Any]) -> tuple[str, str]:
    """Return the cohort and question of a result."""
    return one["cohort"], one["question"]


def contender_of(one: dict[str, Any]) -> str:
    """Return who gave a result: a card gives several."""
    return str(one["model"]).split(", ")[0]


def rounded(content: Any) -> Any:
    """Return content with numbers of four decimals."""
    if isinstance(content, dict):
        return {name: rounded(value) for name, value in content.items()}
    if isinstance(content, list):
        return [rounded(value) for value in content]
    return round(content, 4) if isinstance(content, float) else content


if __name__ == "__main__":
    main()
