"""How much a card should follow a regression on all features, asked of people who are not in `models.py`'s questions.

    python studies/shares.py

Six published data sets that scikit-learn, scikit-survival and lifelines ship. Five folds, five repeats (two where there
are thousands), ten rows, without the card's own folds; those lost sight of before the horizon are left out.
"""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.metrics import roc_auc_score

from casestrat.models import PersonGroupedSplit, PointScorecard

if TYPE_CHECKING:
    from collections.abc import Iterator

OUT = Path(__file__).resolve().parent / "results" / "shares.json"
SHARES = (0.0, 0.5, 0.8, 0.9, 1.0)
MANY = 3_000  # from so many people on, two repeats


def data_sets() -> Iterator[tuple[str, pd.DataFrame, pd.Series]]:
    """Give the name, features and outcome of each."""
    from lifelines.datasets import load_kidney_transplant, load_lung  # peers, installed for the study alone
    from sksurv.datasets import load_flchain, load_whas500

    people = load_diabetes(as_frame=True, scaled=False)
    yield "diabetes: progression in the upper third", people.data, people.target > people.target.quantile(2 / 3)
    people = load_breast_cancer(as_frame=True)
    yield "breast mass: benign", people.data, people.target == 1
    X, told = load_whas500()
    yield "WHAS500: death within two years", *by_then(as_text(X), told["lenfol"], told["fstat"], 730)
    X, told = load_flchain()
    X = as_text(X.drop(columns="chapter"))  # the chapter of the cause of death is known after it
    yield "FLChain: death within ten years", *by_then(X, told["futime"], told["death"], 3_650)
    X = load_kidney_transplant()
    yield (
        "kidney transplants: death within three years",
        *by_then(X.drop(columns=["time", "death"]), X["time"], X["death"] == 1, 1_095),
    )
    X = load_lung()
    yield (
        "lung cancer: death within a year",
        *by_then(X.drop(columns=["time", "status"]), X["time"], X["status"] == 1, 365),
    )


def by_then(X: pd.DataFrame, days: object, died: object, horizon: int) -> tuple[pd.DataFrame, pd.Series]:
    """Return those whose outcome at the horizon is known, and the outcome."""
    passed, event = np.asarray(days) > horizon, np.asarray(died, dtype=bool)
    known = event | passed
    return X[known], pd.Series(event & ~passed)[known]


def as_text(X: pd.DataFrame) -> pd.DataFrame:
    """Return levels as text, missing ones missing."""
    return X.astype(dict.fromkeys(X.select_dtypes(exclude="number"), "string"))


def ask(X: pd.DataFrame, outcome: pd.Series) -> dict[str, float]:
    """Return the mean AUC of each share."""
    X, y = X.reset_index(drop=True), pd.Series(np.asarray(outcome, dtype=int))
    found: dict[str, list[float]] = {str(share): [] for share in SHARES}
    for seed in range(2 if len(y) > MANY else 5):
        for learn, test in PersonGroupedSplit(5, random_state=seed).split(y, y, groups=y.index):
            for share in SHARES:
                card = PointScorecard(n_folds=0, reference_share=share).fit(X.iloc[learn], y.iloc[learn])
                risk = card.predict_proba(X.iloc[test])[:, 1]
                found[str(share)].append(roc_auc_score(y.iloc[test], risk))
    return {share: round(float(np.mean(aucs)), 4) for share, aucs in found.items()}


def main() -> None:
    """Ask all data sets and write what was found."""
    warnings.simplefilter("ignore")
    told = []
    for name, X, outcome in data_sets():
        told.append(
            {"data": name, "people": len(X), "events": int(outcome.sum()), "features": X.shape[1]} | ask(X, outcome)
        )
        print(told[-1], flush=True)
    OUT.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
