"""How much a model flatters itself on the people that it was learned on, by the bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.models.evaluation.held_out import as_labels, learn, persons_of, rows_of, scores_of
from casestrat.models.measures.bootstrap import percentile_interval
from casestrat.models.measures.metrics import count_people, order_metrics, probability_metrics
from casestrat.tables.columns import TEXT

if TYPE_CHECKING:
    from collections.abc import Callable

MEASURES = ("auc", "average_precision", "calibration_slope", "calibration_intercept", "brier", "scaled_brier")


@dataclass(frozen=True, eq=False, slots=True)
class Optimism:
    """What is left of a model's measures once its own optimism is taken off.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per measure: metric, apparent (on the people learned on), optimism, corrected, low, high (95 %).
    n_boot : int
        Draws asked for.
    n_failed : int
        Draws in which nothing could be learned, such as those of one class; they are left out.
    n_rows, n_persons, n_events : int
        What was learned on.
    random_state : int
        Seed of the draws.
    """

    table: pd.DataFrame
    n_boot: int
    n_failed: int
    n_rows: int
    n_persons: int
    n_events: int
    random_state: int

    def value(self, metric: str, which: str = "corrected") -> float:
        """Return one number of the table.

        Parameters
        ----------
        metric : str
            The measure, such as ``"auc"``.
        which : {"apparent", "optimism", "corrected", "low", "high"}
            The column.

        Returns
        -------
        float
            The number; NaN where it cannot be told.

        Raises
        ------
        UsageError
            There is no such measure.
        """
        found = self.table.loc[self.table["metric"] == metric, which]
        if found.empty:
            raise UsageError(f"no measure is called '{metric}'", do=f"choose one of: {', '.join(self.table['metric'])}")
        return float(found.iloc[0])


def optimism_corrected(
    estimator: Any,
    X: Any,
    y: Any,
    groups: Any = None,
    n_boot: int = 200,
    *,
    random_state: int = 0,
    progress: Callable[[str, int, int], object] | None = None,
) -> Optimism:
    """Correct the measures of a model, judged on the people it was learned on, for their optimism.

    The model is learned anew on each bootstrap draw of whole persons, with everything it does by itself (selection,
    tuning, calibration), and judged on the draw and on all people: the mean difference is the optimism.

    Parameters
    ----------
    estimator : estimator
        What is learned; copies are.
    X : pandas.DataFrame or array
        One row per person and date.
    y : pandas.Series or array
        1 with the outcome, 0 without; rows whose label is missing are left out.
    groups : array, optional
        The person of each row; without it the index level ``person_id`` tells, and without that each row is a person.
    n_boot : int, default 200
        Bootstrap draws, 1 or more.
    random_state : int, default 0
        Seed of the draws.
    progress : callable, optional
        Told of each draw: ``"bootstrap"``, how many are done, and of how many.

    Returns
    -------
    Optimism
        Apparent, optimism and corrected of AUC, average precision, calibration slope and intercept, Brier and scaled
        Brier; intervals shift those of the draws by the optimism.

    Raises
    ------
    UsageError
        The labels have one class only, the model gives no risk, or no draw could be learned from.

    References
    ----------
    Harrell FE, Lee KL, Mark DB (1996). Multivariable prognostic models. Statistics in Medicine 15, 361–387.
    Noma H et al. (2021). Confidence intervals of prediction accuracy measures based on the bootstrap-based optimism
    correction methods. Statistics in Medicine 40, 5691–5701.

    Examples
    --------
    >>> from casestrat.models import RiskClassifier
    >>> rng = np.random.default_rng(0)
    >>> noise = rng.normal(size=(60, 8))  # eight features that tell nothing
    >>> told = optimism_corrected(RiskClassifier(C=10, calibration="none"), noise, rng.integers(0, 2, 60), n_boot=20)
    >>> told.value("auc", "apparent") > 0.6 > told.value("auc")
    True
    """
    if n_boot < 1:
        raise UsageError(f"n_boot is a number of draws, 1 or more; found {n_boot}")
    labels, persons = as_labels(X, y), persons_of(X, groups)
    known = np.flatnonzero(~np.isnan(labels))
    X, labels, persons = rows_of(X, known), labels[known], np.unique(persons[known], return_inverse=True)[1]
    if len(np.unique(labels)) < 2:
        raise UsageError("expected two classes of labels; found one class", do="widen the spine or the horizon")
    apparent = _judge(learn(estimator, X, labels, persons), X, labels)
    drawn = _draws(estimator, X, labels, persons, n_boot, random_state, progress)
    if not drawn:
        raise UsageError(f"none of {n_boot} draws could be learned from", do="take more people or a simpler model")
    rows = []
    for metric in MEASURES:
        inside, outside = (np.array([pair[side][metric] for pair in drawn]) for side in (0, 1))
        optimism = _mean(inside - outside)
        low, high = percentile_interval(inside - optimism)
        rows.append((metric, apparent[metric], optimism, apparent[metric] - optimism, low, high))
    table = pd.DataFrame(rows, columns=["metric", "apparent", "optimism", "corrected", "low", "high"])
    return Optimism(
        table.astype({"metric": TEXT}),
        n_boot,
        n_boot - len(drawn),
        len(labels),
        int(persons.max()) + 1,
        int(labels.sum()),
        random_state,
    )


def _draws(
    estimator: Any,
    X: Any,
    labels: np.ndarray,
    persons: np.ndarray,
    n_boot: int,
    random_state: int,
    progress: Callable[[str, int, int], object] | None,
) -> list[tuple[dict[str, float], dict[str, float]]]:
    """Return the measures of each draw's model on the draw, and on all people."""
    rng = np.random.default_rng(random_state)
    order = np.argsort(persons, kind="stable")
    first, n_persons = np.searchsorted(persons[order], np.arange(persons.max() + 2)), int(persons.max()) + 1
    found = []
    for done in range(1, n_boot + 1):
        times = np.bincount(rng.integers(0, n_persons, n_persons), minlength=n_persons)
        chosen = np.concatenate([np.repeat(order[first[p] : first[p + 1]], times[p]) for p in np.flatnonzero(times)])
        if len(np.unique(labels[chosen])) == 2:
            # a person drawn twice stays one person: the folds inside the estimator must not part the copies
            drawn = rows_of(X, chosen)
            try:
                model = learn(estimator, drawn, labels[chosen], persons[chosen])
            except (UsageError, ValueError):
                model = None  # such as a draw in which no feature varies: counted, and said
            if model is not None:
                found.append((_judge(model, drawn, labels[chosen]), _judge(model, X, labels)))
        if progress is not None:
            progress("bootstrap", done, n_boot)
    return found


def _judge(model: Any, X: Any, labels: np.ndarray) -> dict[str, float]:
    """Return the measures of a model on rows."""
    risk, _ = scores_of(model, X)
    if np.isnan(risk).any():
        raise UsageError("the model gives no risk for some rows", do="give a model or a card with a risk table")
    at, code = np.unique(risk, return_inverse=True)
    counts = count_people(at, code, labels)
    return order_metrics(counts) | probability_metrics(counts)


def _mean(values: np.ndarray) -> float:
    """Return the mean of what could be told."""
    told = values[np.isfinite(values)]
    return float(told.mean()) if len(told) else np.nan
