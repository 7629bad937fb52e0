"""Several models on the same people, folds and draws: what each gives, and by how much they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.models.evaluation.held_out import Fold, as_labels, part, persons_of, risks_of_folds
from casestrat.models.measures.bootstrap import PersonDraws, metric_interval, percentile_interval
from casestrat.models.measures.metrics import all_metrics, count_people, gather_risks, net_benefit
from casestrat.tables.columns import TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ALL = "all"
"""The fold of all rows that were tested, together."""

_DRAWN_RISKS = 1_000
_DRAWN_POINTS = 100
_THRESHOLDS = np.arange(1, 100) / 100
_HELD = 20_000_000  # numbers of draws that are kept in memory for all models


@dataclass(frozen=True, eq=False, slots=True)
class ModelComparison:
    """How several models did on the same people whom none of them had seen.

    Parameters
    ----------
    by_fold : pandas.DataFrame
        One row per model, fold and measure: model, fold, n, events, metric, value, low, high. The fold ``all`` holds
        every row tested, with 95 % intervals (persons drawn whole).
    differences : pandas.DataFrame
        One row per pair of models and measure: model, reference, metric, difference, low, high (the same draws for
        both).
    net_benefit : pandas.DataFrame
        One row per model and threshold: model, threshold, net_benefit, net_benefit_all; models with a risk only.
    risks : pandas.DataFrame
        One row per row given: test (the fold), and one column per model: its risk, or its points where it gives none.
    models : tuple of str
        The names, in the order given; the first is the reference.
    is_probability : tuple of bool
        Which of them give a risk; of the others order alone is judged.
    n_used, n_events : int
        Rows tested whose label is known, and those of them with the outcome.
    n_boot, random_state : int
        How the intervals were drawn.
    """

    by_fold: pd.DataFrame
    differences: pd.DataFrame
    net_benefit: pd.DataFrame
    risks: pd.DataFrame
    models: tuple[str, ...]
    is_probability: tuple[bool, ...]
    n_used: int
    n_events: int
    n_boot: int
    random_state: int


def compare_models(
    models: Mapping[str, Any],
    X: Any,
    y: Any,
    splits: Any = "auto",
    *,
    groups: Any = None,
    sites: Any = None,
    gap_days: int | None = None,
    n_splits: int | None = None,
    n_boot: int = 200,
    random_state: int = 0,
    progress: Callable[[str, int, int], object] | None = None,
) -> ModelComparison:
    """Compare models, and published cards, on the same people and folds.

    Parameters
    ----------
    models : mapping of str to estimator
        Name → model; the first is what the others are compared with. Each is learned anew in each fold, but a card made
        from a table, which is applied as it is.
    X : pandas.DataFrame or array
        One row per person and date; a card takes the columns it needs.
    y : pandas.Series or array
        1 with the outcome, 0 without, missing where not known.
    splits : {"auto", "temporal", "person", "site"} or splitter
        As ``split`` of ``cross_validated_risks``: later dates where the index ``as_of`` tells several, else persons.
    groups, sites : array, optional
        The person, and the site, of each row.
    gap_days : int, optional
        The horizon of the outcome in days: needed where dates part the rows.
    n_splits : int, optional
        Number of tests.
    n_boot : int, default 200
        Bootstrap draws for the intervals; 0 gives none.
    random_state : int, default 0
        Seed of folds and draws.
    progress : callable, optional
        Told of each model and fold.

    Returns
    -------
    ModelComparison
        One row per model, fold and measure, and the paired differences.

    Raises
    ------
    UsageError
        There is no model, the rows cannot be parted so, or nobody tested has a label.

    Examples
    --------
    >>> from casestrat.models import PointScorecard, RiskClassifier
    >>> card = PointScorecard.from_table(pd.DataFrame({"item": ["falls"], "condition": [">= 2"], "points": [1]}))
    >>> people = pd.DataFrame({"falls": [0, 1, 2, 3] * 15}, index=pd.Index(range(60), name="person_id"))
    >>> told = compare_models({"card": card, "logistic": RiskClassifier()}, people, [0, 0, 1, 1] * 15, n_boot=0)
    >>> told.by_fold.query("fold == 'all' and metric == 'auc'")[["model", "value"]].to_dict("split")["data"]
    [['card', 1.0], ['logistic', 1.0]]
    """
    if not models:
        raise UsageError("expected one model or more; found none", where="models")
    labels, persons = as_labels(X, y), persons_of(X, groups)
    folds = part(X, labels, splits, groups=persons, sites=sites, gap_days=gap_days, n_splits=n_splits,
                 random_state=random_state)  # fmt: skip
    scores, is_probability, test = _scores(models, X, labels, folds, persons, progress)
    used = np.flatnonzero(~np.isnan(labels) & np.isfinite(scores).all(axis=1))
    if not len(used):
        raise UsageError("nobody tested has a label and a score of each model", do="check the labels and the dates")
    known, names = labels[used], tuple(models)
    drawn_of = PersonDraws(persons[used], len(used), n_boot, random_state)
    weights = list(drawn_of()) if len(used) * n_boot <= _HELD else drawn_of
    pooled, drawn = [], []
    for place, with_risk in enumerate(is_probability):
        at, code = np.unique(scores[used, place], return_inverse=True)
        pooled.append(all_metrics(count_people(at, code, known), is_probability=with_risk))
        at, code = gather_risks(at, code, _DRAWN_RISKS)
        drawn.append([
            all_metrics(count_people(at, code, known, w), is_probability=with_risk, most_points=_DRAWN_POINTS)
            for w in (weights if isinstance(weights, list) else weights())
        ])  # fmt: skip
    index = X.index if isinstance(X, pd.DataFrame) else pd.RangeIndex(len(labels))
    risks = pd.DataFrame({name: scores[:, i] for i, name in enumerate(names)}, index=index)
    risks.insert(0, "test", pd.Series(test, index=index, dtype=TEXT))
    return ModelComparison(
        _by_fold(names, is_probability, scores, labels, test, folds, used, pooled, drawn),
        _differences(names, pooled, drawn),
        _curves(names, is_probability, scores[used], known),
        risks,
        names,
        is_probability,
        len(used),
        int(known.sum()),
        n_boot,
        random_state,
    )


def _scores(
    models: Mapping[str, Any],
    X: Any,
    labels: np.ndarray,
    folds: list[Fold],
    persons: np.ndarray,
    progress: Callable[[str, int, int], object] | None,
) -> tuple[np.ndarray, tuple[bool, ...], np.ndarray]:
    """Return the held-out score of each model (rows by models), which are risks, and the fold of each row."""
    scores, kinds = np.full((len(labels), len(models)), np.nan), []
    test = np.full(len(labels), None, dtype=object)
    for place, (name, model) in enumerate(models.items()):

        def tell(_fold: str, done: int, of: int, name: str = name) -> None:
            if progress is not None:
                progress(name, done, of)

        held_out = risks_of_folds(model, X, labels, folds, persons, progress=tell)
        tested = held_out["test"].notna().to_numpy()
        has_risk = bool(held_out.loc[tested, "risk"].notna().all())
        scores[:, place] = held_out["risk" if has_risk else "points"].to_numpy(dtype="float64", na_value=np.nan)
        kinds.append(has_risk)
        test = held_out["test"].to_numpy(dtype=object)
    return scores, tuple(kinds), test


def _by_fold(
    names: tuple[str, ...],
    is_probability: tuple[bool, ...],
    scores: np.ndarray,
    labels: np.ndarray,
    test: np.ndarray,
    folds: list[Fold],
    used: np.ndarray,
    pooled: list[dict[str, float]],
    drawn: list[list[dict[str, float]]],
) -> pd.DataFrame:
    """Return one row per model, fold and measure; all rows together first, with intervals."""
    rows: list[tuple[Any, ...]] = []
    n, events = len(used), int(labels[used].sum())
    for place, name in enumerate(names):
        for metric, value in pooled[place].items():
            interval = metric_interval(metric, np.array([draw[metric] for draw in drawn[place]]), value)
            rows.append((name, ALL, n, events, metric, value, *interval))
        for fold in dict.fromkeys(one.name for one in folds):
            inside = used[test[used] == fold]
            if not len(inside):
                continue
            at, code = np.unique(scores[inside, place], return_inverse=True)
            found = all_metrics(count_people(at, code, labels[inside]), is_probability=is_probability[place])
            counts = (len(inside), int(labels[inside].sum()))
            rows += [(name, fold, *counts, metric, value, np.nan, np.nan) for metric, value in found.items()]
    frame = pd.DataFrame(rows, columns=["model", "fold", "n", "events", "metric", "value", "low", "high"])
    return frame.astype(dict.fromkeys(("model", "fold", "metric"), TEXT))


def _differences(
    names: tuple[str, ...], pooled: list[dict[str, float]], drawn: list[list[dict[str, float]]]
) -> pd.DataFrame:
    """Return the differences between each pair of models, the later less the earlier, by the same draws."""
    rows = []
    for first, reference in enumerate(names):
        for second in range(first + 1, len(names)):
            for metric in [metric for metric in pooled[first] if metric in pooled[second]]:
                difference = pooled[second][metric] - pooled[first][metric]
                pairs = zip(drawn[first], drawn[second], strict=True)
                interval = percentile_interval(np.array([b[metric] - a[metric] for a, b in pairs]))
                rows.append((names[second], reference, metric, difference, *interval))
    columns = ["model", "reference", "metric", "difference", "low", "high"]
    numbers = dict.fromkeys(columns[3:], "float64")
    return pd.DataFrame(rows, columns=columns).astype({**dict.fromkeys(columns[:3], TEXT), **numbers})


def _curves(
    names: tuple[str, ...], is_probability: tuple[bool, ...], scores: np.ndarray, labels: np.ndarray
) -> pd.DataFrame:
    """Return the decision curve of each model that gives a risk."""
    frames = []
    for place, name in enumerate(names):
        if is_probability[place]:
            at, code = np.unique(scores[:, place], return_inverse=True)
            frames.append(net_benefit(count_people(at, code, labels), _THRESHOLDS).assign(model=name))
    columns = ["model", "threshold", "net_benefit", "net_benefit_all"]
    curves = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)
    return curves[columns].astype({"model": TEXT, **dict.fromkeys(columns[1:], "float64")})
