"""Learning from past dates: the same features as the night, and what then happened."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.features import FeatureBuilder, LeakageAudit, audit_leakage
from casestrat.models import (
    Evaluation,
    PersonGroupedSplit,
    PointScorecard,
    RiskClassifier,
    evaluate,
    load_model,
)  # fmt: skip
from casestrat.nightly.partition import feature_builder, score_people
from casestrat.nightly.registry import model_file
from casestrat.nightly.run import parse_as_of
from casestrat.timeline import build_labels, make_spine

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from casestrat.knowledge import Program
    from casestrat.nightly.run import Progress
    from casestrat.tables import Tables


@dataclass(frozen=True, slots=True)
class Fitted:
    """A learned model, the features it was learned on, and how it did on people left out.

    Parameters
    ----------
    model : RiskClassifier
        The model, learned on all rows.
    builder : FeatureBuilder
        The features.
    evaluation : Evaluation
        How the risks of people left out compare with what then happened.
    n : int
        Rows, one a person and date, whose outcome is known.
    events : int
        Those of them with the outcome.
    audit : LeakageAudit or None
        Whether any feature looks ahead; None where no audit was asked for.
    """

    model: RiskClassifier
    builder: FeatureBuilder
    evaluation: Evaluation
    n: int
    events: int
    audit: LeakageAudit | None = None


def labelled(
    tables: Tables, program: Program, as_of: Sequence[str | pd.Timestamp], builder: FeatureBuilder
) -> tuple[pd.DataFrame, pd.Series]:
    """Return features and labels of everyone who waited or was enrolled on past dates.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        The program whose outcome is foretold.
    as_of : sequence of str or pandas.Timestamp
        Past dates.
    builder : FeatureBuilder
        The features.

    Returns
    -------
    X : pandas.DataFrame
        One row per person and date whose outcome is known, index (person_id, as_of).
    y : pandas.Series
        1 where the outcome came inside the horizon, else 0; same index.

    Raises
    ------
    UsageError
        Where no outcome of these dates is known yet.
    """
    dates = [parse_as_of(date) for date in as_of]
    spine = make_spine(tables, program, as_of=dates, population="all")
    labels = build_labels(tables, spine, program.outcomes[program.risk.outcome])
    known = labels.dropna(subset="label")
    if known.empty:
        raise UsageError(
            f"no outcome {program.risk.outcome} is known for {len(spine):,} people and dates",
            where="as_of",
            do=f"give dates at least {program.outcomes[program.risk.outcome].horizon_days} days before the data end",
        )
    return builder.build(tables, spine).loc[known.index], known["label"].astype(int)


def fit_model(
    tables: Tables,
    program: Program,
    as_of: Sequence[str | pd.Timestamp],
    *,
    random_state: int = 0,
    audit: bool = True,
    progress: Progress | None = None,
) -> Fitted:
    """Learn the program's outcome from past dates, and measure it on people left out.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        The program.
    as_of : sequence of str or pandas.Timestamp
        Past dates to learn from.
    random_state : int, optional
        Seed of the splits, and of the audit.
    audit : bool, default True
        Whether to look for features that use what was not known on their date (:func:`casestrat.audit_leakage`).
    progress : callable, optional
        Told of each step: its name, how much is done, and of how much.

    Returns
    -------
    Fitted
        The model fitted on everybody, its builder, the evaluation on left-out people, and the audit.

    Raises
    ------
    UsageError
        No outcome of these dates is known yet, or those known are of fewer than five people, or all the same.
    """
    tell = progress or (lambda _step, _done, _of: None)
    builder = FeatureBuilder(program)
    tell("features", 0, 1)
    X, y = labelled(tables, program, as_of, builder)
    tell("features", 1, 1)
    tell("fit", 0, 1)
    persons = X.index.get_level_values("person_id").to_numpy()
    held_out = np.full(len(X), np.nan)
    for train, test in PersonGroupedSplit(n_splits=5, random_state=random_state).split(X, y, groups=persons):
        fold = RiskClassifier(random_state=random_state).fit(X.iloc[train], y.iloc[train])
        held_out[test] = fold.predict_proba(X.iloc[test])[:, 1]
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        evaluation = evaluate(y, pd.Series(held_out, index=X.index))
    model = RiskClassifier(random_state=random_state).fit(X, y)
    tell("fit", 1, 1)
    found = None
    if audit:
        dates = [parse_as_of(date) for date in as_of]
        found = audit_leakage(
            tables, program, as_of=dates, builder=builder, random_state=random_state,
            progress=lambda step, done, of: tell(f"audit: {step}", done, of),
        )  # fmt: skip
    return Fitted(model, builder, evaluation, len(y), int(y.sum()), found)


def score_labelled(
    tables: Tables, program: Program, as_of: Sequence[str | pd.Timestamp], *, model: str | Path | None = None
) -> pd.DataFrame:
    """Score past dates with a stored model or the program's scorecard, beside what then happened.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        The program.
    as_of : sequence of str or pandas.Timestamp
        Past dates.
    model : str or path, optional
        A stored model; by default the program's scorecard.

    Returns
    -------
    pandas.DataFrame
        One row per person and date whose outcome is known: label, score. ``attrs["is_risk"]`` tells whether the score
        is a probability; else it is the share of the points that can be had.

    Raises
    ------
    StoreError
        The stored model cannot be read, or does not fit.
    UsageError
        No outcome of these dates is known yet.
    """
    path = model_file(model)
    scorer = load_model(path) if path is not None else PointScorecard.from_table(program.risk.scorecard)
    X, y = labelled(tables, program, as_of, feature_builder(scorer, program))
    scores, _reasons = score_people(scorer, X)
    is_risk = bool(scores["risk"].notna().all())
    frame = pd.DataFrame({"label": y, "score": scores["risk" if is_risk else "points_share"]})
    frame.attrs["is_risk"] = is_risk
    return frame
