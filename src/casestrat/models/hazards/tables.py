"""What a model of hazards has learned, as tables; and the settings it may have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import has_fit_parameter

from casestrat.errors import UsageError
from casestrat.models.explanation import describe_items, reasons_frame
from casestrat.tables.columns import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from casestrat.models.classifiers.design import Design
    from casestrat.models.inputs.columns import Column

_BASELINES = ("steps", "smooth")


def coefficient_table(names: Sequence[str], design: Design, weights: np.ndarray) -> pd.DataFrame:
    """Return the weights of the design.

    Parameters
    ----------
    names : sequence of str
        The features.
    design : Design
        The columns of the design matrix.
    weights : numpy.ndarray of shape (events, columns)
        Their weights, in log-odds.

    Returns
    -------
    pandas.DataFrame
        One row per event and column of the design: event, feature, part, level, weight, fill, mean, scale.
    """
    told = ["feature", "part", "level", "fill", "mean", "scale"]
    parts = [
        pd.DataFrame(design, columns=told).assign(event=event, weight=own) for event, own in enumerate(weights, start=1)
    ]
    frame = pd.concat(parts, ignore_index=True)[["event", "feature", "part", "level", "weight", *told[3:]]]
    frame["feature"] = [names[feature] for feature in frame["feature"]]
    return frame.astype(dict.fromkeys(("feature", "part", "level"), TEXT))


def design_reasons(
    index: pd.Index,
    parts: np.ndarray,
    columns: Sequence[Column],
    names: Sequence[str],
    design: Design,
    *,
    top: int | None,
    features: Iterable[Any] | None,
) -> pd.DataFrame:
    """Return what each feature adds, all columns of the design that come of it together.

    Parameters
    ----------
    index : pandas.Index
        The persons and dates.
    parts : numpy.ndarray of shape (n, columns)
        What each column of the design adds.
    columns : sequence of Column
        The features.
    names : sequence of str
        Their names.
    design : Design
        The columns of the design matrix.
    top : int or None
        Keep this many of each person.
    features : iterable or None
        A program's features, or their definitions.

    Returns
    -------
    pandas.DataFrame
        One row per person, date and feature that the design uses, as :func:`reasons_frame` gives it.
    """
    used = list(dict.fromkeys(part["feature"] for part in design))
    gathers = np.array([[float(part["feature"] == feature) for feature in used] for part in design])
    is_missing = [columns[feature].is_missing for feature in used]
    return reasons_frame(
        index,
        parts @ gathers.reshape(len(design), len(used)),
        describe_items([names[feature] for feature in used], features),
        is_missing=np.column_stack(is_missing) if used else np.zeros((len(index), 0), dtype=bool),
        keep_zeros=True,
        top=top,
    )


def baseline_table(cuts: np.ndarray, chances: np.ndarray, n_events: np.ndarray) -> pd.DataFrame:
    """Return the intervals.

    Parameters
    ----------
    cuts : numpy.ndarray
        Last day of each interval.
    chances : numpy.ndarray of shape (events, intervals)
        Chance of each event for who has lived through the intervals before.
    n_events : numpy.ndarray of shape (events, intervals)
        Events seen.

    Returns
    -------
    pandas.DataFrame
        One row per event and interval: event, from_day, to_day, n_events, chance.
    """
    return pd.DataFrame(
        {
            "event": np.repeat(np.arange(1, len(chances) + 1), len(cuts)),
            "from_day": np.tile(np.append(0.0, cuts[:-1]), len(chances)),
            "to_day": np.tile(cuts, len(chances)),
            "n_events": n_events.ravel(),
            "chance": chances.ravel(),
        }
    )


def check_settings(horizons_days: Any, C: float, baseline: str, estimator: Any, n_folds: int) -> None:
    """Refuse settings outside their range.

    Parameters
    ----------
    horizons_days : sequence of float
        Different days, each above 0.
    C : float
        Above 0.
    baseline : str
        ``steps`` or ``smooth``.
    estimator : scikit-learn classifier or None
        It must take ``sample_weight``.
    n_folds : int
        0, or 2 and more.

    Raises
    ------
    UsageError
        One of them cannot be used.
    """
    horizons = np.asarray(horizons_days, dtype="float64")
    if horizons.ndim != 1 or not len(horizons) or not (np.isfinite(horizons) & (horizons > 0)).all():
        raise UsageError(f"horizons_days are numbers of days above 0, one or more; found {horizons_days}")
    if len(np.unique(horizons)) < len(horizons):
        raise UsageError(f"each horizon stands once; found {horizons_days}", where="horizons_days")
    if not C > 0:
        raise UsageError(f"C must be above 0; found {C}")
    if n_folds < 0 or n_folds == 1:
        raise UsageError(f"n_folds must be 0, or 2 or more; found {n_folds}")
    if baseline not in _BASELINES:
        raise UsageError(f"baseline must be 'steps' or 'smooth'; found {baseline!r}")
    if estimator is not None and not has_fit_parameter(estimator, "sample_weight"):
        raise UsageError(
            f"{type(estimator).__name__} takes no sample_weight, and each row counts as many people",
            where="estimator",
            do="choose a classifier whose fit takes sample_weight",
        )
