"""Learning from past dates: the same features as the night, and what then happened."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.features import FeatureBuilder, LeakageAudit, audit_leakage
from casestrat.models import (
    ChallengerClassifier,
    Evaluation,
    HorizonRisk,
    PersonGroupedSplit,
    PointScorecard,
    RiskClassifier,
    cross_validated_risks,
    evaluate,
    worse_directions,
)
from casestrat.nightly.partition import feature_builder, score_people
from casestrat.nightly.request import load_scorer, parse_as_of
from casestrat.timeline import build_labels, make_spine

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from casestrat.knowledge import Program
    from casestrat.nightly.request import Progress
    from casestrat.tables import Tables

KINDS: Final = ("card", "logistic", "boosting", "horizon")


@dataclass(frozen=True, slots=True)
class Fitted:
    """A learned model, the features it was learned on, and how it did on people left out.

    Parameters
    ----------
    model : PointScorecard, RiskClassifier, ChallengerClassifier or HorizonRisk
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
    tested_on : str
        Who was left out: ``later dates``, or ``other people``.
    """

    model: PointScorecard | RiskClassifier | ChallengerClassifier | HorizonRisk
    builder: FeatureBuilder
    evaluation: Evaluation
    n: int
    events: int
    audit: LeakageAudit | None = None
    tested_on: str = "other people"


def labelled(
    tables: Tables, program: Program, as_of: Sequence[str | pd.Timestamp], builder: FeatureBuilder
) -> tuple[pd.DataFrame, pd.DataFrame]:
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
        One row per person and date, index (person_id, as_of).
    labels : pandas.DataFrame
        One row per row of X: label (1, 0, missing where not known), days and event as of ``build_labels``.

    Raises
    ------
    UsageError
        Where no outcome of these dates is known yet.
    """
    dates = [parse_as_of(date) for date in as_of]
    spine = make_spine(tables, program, as_of=dates, population="all")
    labels = build_labels(tables, spine, program.outcomes[program.risk.outcome])
    if labels["label"].isna().all():
        raise UsageError(
            f"no outcome {program.risk.outcome} is known for {len(spine):,} people and dates",
            where="as_of",
            do=f"give dates at least {program.outcomes[program.risk.outcome].horizon_days} days before the data end",
        )
    return builder.build(tables, spine).loc[labels.index], labels


def fit_model(
    tables: Tables,
    program: Program,
    as_of: Sequence[str | pd.Timestamp],
    *,
    kind: str = "logistic",
    max_rows: int = 10,
    random_state: int = 0,
    audit: bool = True,
    progress: Progress | None = None,
) -> Fitted:
    """Learn the program's outcome from past dates, and measure it on later dates, or else on other people.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        The program.
    as_of : sequence of str or pandas.Timestamp
        Past dates to learn from. Where they reach back far enough, the model is measured on later dates than it learned
        from, with a gap of the outcome's horizon; else on other people.
    kind : {"card", "logistic", "boosting", "horizon"}, default "logistic"
        A scorecard of whole points, a logistic regression, small boosted trees, or time to event under competing
        events.
    max_rows : int, default 10
        The most rows of a card.
    random_state : int, optional
        Seed of the splits, and of the audit.
    audit : bool, default True
        Whether to look for features that use what was not known on their date (:func:`casestrat.audit_leakage`).
    progress : callable, optional
        Told of each step: its name, how much is done, and of how much.

    Returns
    -------
    Fitted
        The model fitted on everybody, its builder, the evaluation on those left out, and the audit.

    Raises
    ------
    UsageError
        The kind is none of these, no outcome of these dates is known yet, or those known are of fewer than five people,
        or all the same.
    """
    tell = progress or (lambda _step, _done, _of: None)
    builder = FeatureBuilder(program)
    model = _make_model(kind, program, builder, max_rows, random_state)
    tell("features", 0, 1)
    X, labels = labelled(tables, program, as_of, builder)
    tell("features", 1, 1)
    known = labels["label"].notna().to_numpy()
    y = labels.loc[known, "label"].astype(int)
    horizon = program.outcomes[program.risk.outcome].horizon_days
    with warnings.catch_warnings():
        # what a fold warns of, the model learned on all tells as well
        warnings.simplefilter("ignore")
        if isinstance(model, HorizonRisk):
            risk, tested_on = _horizon_risks(model, X, labels, random_state, tell), "other people"
        else:
            risk, tested_on = _left_out(model, X.loc[known], y, horizon, random_state, tell)
    tested = risk.dropna()
    evaluation = evaluate(y.reindex(tested.index), tested)
    tell("fit", 0, 1)
    if isinstance(model, HorizonRisk):
        model.fit(X, labels["days"], event=labels["event"])
    else:
        model.fit(X.loc[known], y)
    if isinstance(model, PointScorecard):
        model.card_ |= {"program": program.id, "outcome": program.risk.outcome, "horizon_days": horizon}
    tell("fit", 1, 1)
    found = None
    if audit:
        dates = [parse_as_of(date) for date in as_of]
        found = audit_leakage(
            tables, program, as_of=dates, builder=builder, random_state=random_state,
            progress=lambda step, done, of: tell(f"audit: {step}", done, of),
        )  # fmt: skip
    return Fitted(model, builder, evaluation, len(y), int(y.sum()), found, tested_on)


def _make_model(kind: str, program: Program, builder: FeatureBuilder, max_rows: int, random_state: int) -> Any:
    """Return a model of that kind, not yet learned."""
    if kind == "card":
        return PointScorecard(max_rows, features=builder.features, random_state=random_state)
    if kind == "logistic":
        return RiskClassifier(random_state=random_state)
    if kind == "boosting":
        names = set(builder.feature_names)
        worse = {name: way for name, way in worse_directions(program).items() if name in names}
        return ChallengerClassifier(directions=worse, random_state=random_state)
    if kind == "horizon":
        return HorizonRisk(horizons_days=(program.outcomes[program.risk.outcome].horizon_days,))
    raise UsageError(f"a model is one of {', '.join(KINDS)}; found {kind!r}", where="kind")


def _left_out(
    model: Any, X: pd.DataFrame, y: pd.Series, horizon: int, random_state: int, tell: Progress
) -> tuple[pd.Series, str]:
    """Return the risk of those left out of the fit: on later dates where the dates reach back far enough."""
    settings: dict[str, Any] = {"random_state": random_state, "progress": tell}
    if X.index.unique("as_of").size > 1:
        try:
            held_out = cross_validated_risks(model, X, y, split="temporal", gap_days=horizon, **settings)
        except UsageError:  # the dates lie too close together, or the early ones hold one class only
            pass
        else:
            return held_out["risk"], "later dates"
    return cross_validated_risks(model, X, y, split="person", **settings)["risk"], "other people"


def _horizon_risks(
    model: HorizonRisk, X: pd.DataFrame, labels: pd.DataFrame, random_state: int, tell: Progress
) -> pd.Series:
    """Return the risk by the horizon of people left out, for those whose outcome by then is known."""
    persons = X.index.get_level_values("person_id").to_numpy()
    happened = (labels["event"] == 1).astype(int)
    risk = np.full(len(X), np.nan)
    split = PersonGroupedSplit(n_splits=5, random_state=random_state)
    for done, (learn, test) in enumerate(split.split(X, happened, groups=persons), start=1):
        part = labels.iloc[learn]
        fold = HorizonRisk(**model.get_params()).fit(X.iloc[learn], part["days"], event=part["event"])
        risk[test] = fold.predict_proba(X.iloc[test])[:, 1]
        tell(f"fold {done}", done, 5)
    return pd.Series(risk, index=X.index).where(labels["label"].notna())


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
    scorer = load_scorer(model, program)
    X, labels = labelled(tables, program, as_of, feature_builder(scorer, program))
    y = labels["label"].dropna().astype(int)
    X = X.loc[y.index]
    scores, _reasons = score_people(scorer, X)
    is_risk = bool(scores["risk"].notna().all())
    frame = pd.DataFrame({"label": y, "score": scores["risk" if is_risk else "points_share"]})
    frame.attrs["is_risk"] = is_risk
    return frame
