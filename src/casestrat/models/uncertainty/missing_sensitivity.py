"""What might be, of what is not known: the range of each person's score, and what to ask first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.models.inputs.columns import as_frame
from casestrat.models.inputs.features import names_of
from casestrat.models.uncertainty.plausible import as_learned, filled, plausible_rows, with_values
from casestrat.tables.columns import TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Score = Callable[[pd.DataFrame], np.ndarray]

_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)


def missing_sensitivity(
    model: Any, X: Any, reference: pd.DataFrame | None = None, shares: Sequence[float] = _SHARES
) -> pd.DataFrame:
    """Say how low and how high each person's score could be if what is missing were known, and what to ask first.

    What is missing is set to values that others have. For a model whose reasons add up (cards,
    :class:`casestrat.RiskClassifier`, the challenger) the range is exact for these values; for another the value of
    each feature is chosen with the others still missing.

    Parameters
    ----------
    model : estimator
        Ready to score.
    X : pandas.DataFrame or array
        One row per person and date, the columns that the model takes.
    reference : pandas.DataFrame, optional
        The people whose values are plausible; without it those of X. A feature of which nobody's value is known keeps
        its missing values.
    shares : sequence of float, optional
        Where among the known numbers the plausible ones stand, 0 to 1; a number of five distinct values or fewer takes
        each of them, a text each level of one in fifty or more.

    Returns
    -------
    pandas.DataFrame
        One row per row of X: measure ("risk", or "points" of a card without a risk table), value, lowest, highest,
        n_missing, assess_first (the feature that alone spans most; missing where nothing would change), span (how far
        that feature alone moves the measure).

    Raises
    ------
    UsageError
        X lacks a feature of the model, or a share lies outside 0 to 1.

    Examples
    --------
    >>> from casestrat.models import PointScorecard
    >>> rows = [("falls", ">= 2", 3), ("gir", "< 5", 2), ("gir", "< 3", 2)]
    >>> card = PointScorecard.from_table(pd.DataFrame(rows, columns=["item", "condition", "points"]))
    >>> ids = pd.Index(["P1", "P2", "P3"], name="person_id")
    >>> people = pd.DataFrame({"falls": [0, 2, None], "gir": [1, None, None]}, index=ids)
    >>> missing_sensitivity(card, people).reset_index()[["person_id", "value", "lowest", "highest", "assess_first"]]
      person_id  value  lowest  highest assess_first
    0        P1    4.0     4.0      4.0          NaN
    1        P2    3.0     7.0      7.0          NaN
    2        P3    0.0     4.0      7.0        falls
    """
    if not len(shares) or min(shares) < 0 or max(shares) > 1:
        raise UsageError("shares are one number or more, each from 0 to 1", where="shares")
    names = list(model.items_) if hasattr(model, "items_") else names_of(model)
    frame = as_frame(X, names_of(model) if hasattr(model, "n_features_in_") else names)
    lacking = [name for name in names if name not in frame.columns]
    if lacking:
        raise UsageError(f"X lacks features of the model: {', '.join(lacking)}")
    source = frame if reference is None else reference
    score, measure, label = _scores(model, frame)
    lowest, highest = frame.copy(), frame.copy()
    spans = np.zeros((len(frame), len(names)))
    for j, name in enumerate(names):
        missing = np.flatnonzero(frame[name].isna().to_numpy(dtype=bool))
        places = plausible_rows(source[name], np.asarray(shares)) if name in source.columns else np.array([], dtype=int)
        if not len(missing) or not len(places):
            continue
        rows = frame.iloc[missing]
        tried = np.stack([score(with_values(rows, name, source[name], np.full(len(rows), at))) for at in places])
        least, most = places[tried.argmin(axis=0)], places[tried.argmax(axis=0)]
        ends = [measure(with_values(rows, name, source[name], chosen)) for chosen in (least, most)]
        spans[missing, j] = np.abs(ends[1] - ends[0])
        for whole, chosen in ((lowest, least), (highest, most)):
            whole[name] = filled(whole[name], source[name], missing, chosen)
    first = spans.argmax(axis=1)
    span = spans[np.arange(len(frame)), first]
    asked = [names[j] if moves else None for j, moves in zip(first, span > 0, strict=True)]
    told = np.stack([measure(some) for some in (frame, lowest, highest)])
    return pd.DataFrame(
        {
            "measure": pd.array([label] * len(frame), dtype=TEXT),
            "value": told[0],
            "lowest": told[1:].min(axis=0),
            "highest": told[1:].max(axis=0),
            "n_missing": frame[names].isna().sum(axis=1).to_numpy(dtype="int64"),
            "assess_first": pd.Series(asked, dtype=TEXT, index=frame.index),
            "span": span,
        },
        index=frame.index,
    )


def _scores(model: Any, frame: pd.DataFrame) -> tuple[Score, Score, str]:
    """Return a score in which reasons add up, where there is one, what is told of people, and its name."""

    def points(some: pd.DataFrame) -> np.ndarray:
        return np.asarray(model.points(some), dtype="float64")

    def risk(some: pd.DataFrame) -> np.ndarray:
        return np.asarray(model.predict_proba(as_learned(model, some))[:, 1])

    def log_odds(some: pd.DataFrame) -> np.ndarray:
        return np.asarray(model.decision_function(as_learned(model, some)))

    if hasattr(model, "points"):
        return (points, risk, "risk") if len(model.risk_table_) else (points, points, "points")
    try:
        log_odds(frame.head(1))
    except (AttributeError, UsageError):  # a model whose reasons do not add up has no such number
        return risk, risk, "risk"
    return log_odds, risk, "risk"
