"""Scoring a million people with a card and their three first reasons, and learning a card at 5,000 × 60.

    python benchmarks/cards.py [--people 1000000]

The peer of the scoring is plain pandas: a mask a row of the card, the reasons by melting and sorting. The answers are
compared. The peer of the learning is scikit-learn's logistic regression on the same conditions with an L1 penalty, which
gives weights and no card; FasterRisk and EBM stand in `studies/models.py`. Each way runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":  # seconds are those of one thread
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from casestrat.models import PointScorecard

if TYPE_CHECKING:
    from collections.abc import Callable

OUT = Path(__file__).resolve().parent / "results" / "cards.json"
TOP = 3


def people_of(n: int, card: PointScorecard) -> pd.DataFrame:
    """Return made-up people: whole numbers round the thresholds of every item, a tenth missing."""
    rng = np.random.default_rng(0)
    frame = {}
    for item in card.items_:
        words = card.table_.loc[card.table_["item"] == item, "condition"].str.split().str[-1]
        most = pd.to_numeric(words, errors="coerce").max()
        values = rng.integers(0, int(most) * 2 + 2 if most > 0 else 2, n).astype(float)
        frame[item] = np.where(rng.random(n) < 0.1, np.nan, values)
    ids = pd.Index([f"P{i:07}" for i in range(n)], dtype="str")
    days = pd.DatetimeIndex([pd.Timestamp("2026-10-01")] * n)
    return pd.DataFrame(frame, index=pd.MultiIndex.from_arrays([ids, days], names=["person_id", "as_of"]))


def by_casestrat(card: PointScorecard, people: pd.DataFrame) -> tuple[int, int]:
    """Points and the three first reasons by the library; sums, to be compared."""
    points, reasons = card.points(people), card.explain(people, top=TOP)
    return int(points.sum()), int(reasons["contribution"].sum())


def by_pandas(card: PointScorecard, people: pd.DataFrame) -> tuple[int, int]:
    """The same by masks, melt and sort."""
    signs: dict[str, Callable[[pd.Series, float], pd.Series]] = {
        ">=": pd.Series.ge, ">": pd.Series.gt, "<=": pd.Series.le, "<": pd.Series.lt, "=": pd.Series.eq
    }  # fmt: skip
    parts = pd.DataFrame(0, index=people.index, columns=list(card.items_))
    for row in card.rows_:
        sign, value = row["condition"].split()[0], row["condition"].split()[-1]
        held = people[row["item"]].isna() if sign == "is" else signs[sign](people[row["item"]], float(value))
        parts[row["item"]] += held.astype(int) * row["points"]
    long = parts.reset_index().melt(["person_id", "as_of"], var_name="item", value_name="contribution")
    long = long[long["contribution"] != 0]
    long = long.assign(size=long["contribution"].abs()).sort_values(["person_id", "size"], ascending=[True, False])
    return int(parts.to_numpy().sum()), int(long.groupby("person_id").head(TOP)["contribution"].sum())


def learning_data() -> tuple[pd.DataFrame, np.ndarray]:
    """Return 5,000 people of 60 numbers, ten of which matter."""
    rng = np.random.default_rng(0)
    people = pd.DataFrame(rng.normal(size=(5_000, 60))).add_prefix("f")
    odds = people.iloc[:, :10].sum(axis=1) / 2 - 2
    return people, (rng.random(5_000) < 1 / (1 + np.exp(-odds))).astype(int)


def learn_card(n_folds: int) -> float | None:
    """Learn a card of ten rows; its AUC on people left out where there are folds."""
    card = PointScorecard(n_folds=n_folds).fit(*learning_data())
    return float(card.path_[-1]["auc"]) if n_folds else None


def learn_lasso() -> float:
    """Learn weights of twenty conditions a number, as many as an L1 penalty leaves."""
    people, label = learning_data()
    cuts = people.quantile(np.arange(1, 21) / 21).to_numpy()
    conditions = (people.to_numpy()[:, :, None] >= cuts.T[None]).reshape(len(people), -1).astype(float)
    model = LogisticRegression(l1_ratio=1, C=0.02, solver="liblinear").fit(conditions, label)
    return float((model.coef_ != 0).sum())


def apart(work: Callable[[], Any]) -> dict[str, Any]:
    """Run in a process of its own: CPU seconds, megabytes above what was held before, and what came."""
    context = multiprocessing.get_context("fork")
    sender, receiver = context.Pipe()

    def child() -> None:
        before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
        came = work()
        seconds = time.process_time() - start
        peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        receiver.send({"cpu_s": round(seconds, 3), "mb": round(peak, 1), "came": came})

    process = context.Process(target=child)
    process.start()
    found: dict[str, Any] = sender.recv()
    process.join()
    return found


def main() -> None:
    """Print and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=1_000_000)
    asked = parser.parse_args()
    card = PointScorecard.from_table("geriatric_default")
    people = people_of(asked.people, card)
    ways: dict[str, Callable[[], Any]] = {
        "score: casestrat": lambda: by_casestrat(card, people),
        "score: pandas": lambda: by_pandas(card, people),
        "learn: card": lambda: learn_card(0),
        "learn: card, with its path": lambda: learn_card(5),
        "learn: lasso": learn_lasso,
    }
    found = {}
    for name, work in ways.items():
        found[name] = apart(work)
        print(f"{name:28} {found[name]['cpu_s']:8.2f} CPU s {found[name]['mb']:8.0f} MB", flush=True)
    if found["score: casestrat"]["came"] != found["score: pandas"]["came"]:
        raise SystemExit("the two ways of scoring differ")
    ratio = found["score: pandas"]["cpu_s"] / found["score: casestrat"]["cpu_s"]
    told = {"people": asked.people, "pandas_over_casestrat": round(ratio, 1), **found}
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
