"""How far to trust a risk: one object of numbers, drawn elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.models.calibration import calibration_bins
from casestrat.models.fairness import audit_groups, percentile_interval
from casestrat.models.metrics import (
    ORDER_METRICS,
    RISK_METRICS,
    Counts,
    at_capacity,
    count_people,
    gather_risks,
    net_benefit,
    order_metrics,
    risk_metrics,
)
from casestrat.tables.columns import TEXT

_ENOUGH = 100  # events, and people without: fewer leave AUC and calibration uncertain (Vergouwe et al. 2005)
_DRAWN_RISKS = 1_000  # more distinct risks than this are gathered into as many in a bootstrap draw
_DRAWN_POINTS = 100  # groups of like risks for the smoothed errors of a bootstrap draw
_THRESHOLDS = np.arange(1, 100) / 100


@dataclass(frozen=True, eq=False, slots=True)
class Evaluation:
    """How a risk did on people whose outcome is known; made by :func:`casestrat.evaluate`.

    Parameters
    ----------
    summary : pandas.DataFrame
        One row per measure: metric, value, low, high (95 % bootstrap, persons drawn whole).
    calibration : pandas.DataFrame
        One row per bin of risk: bin, n, events, mean_risk, observed, low, high.
    capacity : pandas.DataFrame
        One row per capacity: precision and recall, each best, expected and worst under ties.
    by_group : pandas.DataFrame
        One row per grouping and group: n, events, AUC and E/O with intervals, is_suppressed.
    net_benefit : pandas.DataFrame
        One row per threshold: net benefit of the risk, of help for all, for none; is_capacity_point.
    n_rows : int
        Rows given.
    n_used, n_events : int
        Rows with label and risk, and those of them with the outcome.
    n_missing_label : int
        Rows left out because the outcome is not known.
    n_missing_risk, n_missing_risk_events : int
        Rows with a label and no risk, and those of them with the outcome. They are left out, never taken as low.
    is_probability : bool
        Whether risks were given; for points nothing is said about calibration and net benefit.
    n_boot, random_state : int
        How the intervals were drawn.
    warnings : tuple of str
        What a reader must know before trusting the numbers.
    """

    summary: pd.DataFrame
    calibration: pd.DataFrame
    capacity: pd.DataFrame
    by_group: pd.DataFrame
    net_benefit: pd.DataFrame
    n_rows: int
    n_used: int
    n_events: int
    n_missing_label: int
    n_missing_risk: int
    n_missing_risk_events: int
    is_probability: bool
    n_boot: int
    random_state: int
    warnings: tuple[str, ...]

    def value(self, metric: str) -> float:
        """Return one measure of the summary.

        Parameters
        ----------
        metric : str
            Its name, such as ``"auc"``.

        Returns
        -------
        float
            The value; NaN where it cannot be told.

        Raises
        ------
        UsageError
            There is no measure of that name.
        """
        found = self.summary.loc[self.summary["metric"] == metric, "value"]
        if found.empty:
            raise UsageError(
                f"no measure is called '{metric}'", do=f"choose one of: {', '.join(self.summary['metric'])}"
            )
        return float(found.iloc[0])


def evaluate(
    y: Any,
    risk: Any,
    capacity: int | Sequence[int] | None = None,
    groups: Any = None,
    n_boot: int = 200,
    random_state: int = 0,
    *,
    is_probability: bool = True,
    least_n: int = 30,
    small_cell: int = 11,
) -> Evaluation:
    """Compare risks, or points, with what then happened.

    The order of the rows changes nothing. Rows without a label, and rows without a risk, are left out and counted.

    Parameters
    ----------
    y : pandas.Series or array
        1 with the outcome, 0 without, missing where not known; one per person and date. An index level ``person_id``
        keeps a person's rows together in the bootstrap.
    risk : pandas.Series or array
        Probabilities from 0 to 1, or points with ``is_probability=False``.
    capacity : int or sequence of int, optional
        How many people could be taken.
    groups : pandas.Series, pandas.DataFrame, mapping or array, optional
        One or several groupings of the rows, for the audit of subgroups.
    n_boot : int, default 200
        Bootstrap draws for the intervals; 0 gives none.
    random_state : int, default 0
        Seed of the draws.
    is_probability : bool, default True
        False for points: order is judged, calibration and net benefit are not.
    least_n : int, default 30
        Groups of fewer rows are not told.
    small_cell : int, default 11
        Counts in groups from 1 to one less than this are not told.

    Returns
    -------
    Evaluation
        The measures, with their intervals.

    Raises
    ------
    UsageError
        Lengths or indexes differ, labels are not 0 and 1, risks are not probabilities, or no row has both.

    Examples
    --------
    >>> report = evaluate([0, 1, 1], [0.2, 0.2, 0.7], capacity=2, n_boot=0)
    >>> report.value("auc")
    0.75
    >>> report.capacity[["precision_best", "precision_expected", "precision_worst"]].to_dict("records")
    [{'precision_best': 1.0, 'precision_expected': 0.75, 'precision_worst': 0.5}]
    """
    rows = _rows(y, risk, groups)
    if n_boot < 0:
        raise UsageError(f"n_boot is a number of draws, 0 or more; found {n_boot}")
    has_label, has_risk = rows["y"].notna().to_numpy(), rows["risk"].notna().to_numpy()
    used = _ordered(rows[has_label & has_risk])
    labels, risks = used["y"].to_numpy(), used["risk"].to_numpy()
    _check_values(labels, risks, is_probability=is_probability)
    at, code = np.unique(risks, return_inverse=True)
    counts = count_people(at, code, labels)
    draws = _Draws(used.get("person"), len(used), n_boot, random_state)
    chosen = [] if capacity is None else np.atleast_1d(capacity).tolist()
    at_cut = at_capacity(counts, chosen)
    summary = _summary(counts, at, code, labels, draws, is_probability=is_probability)
    n_unscored = has_label & ~has_risk
    result = {
        "n_rows": len(rows),
        "n_used": len(used),
        "n_events": int(labels.sum()),
        "n_missing_label": int((~has_label).sum()),
        "n_missing_risk": int(n_unscored.sum()),
        "n_missing_risk_events": int(rows["y"].to_numpy()[n_unscored].sum()),
    }
    return Evaluation(
        summary=summary,
        calibration=calibration_bins(risks, labels) if is_probability else calibration_bins(risks, labels).iloc[:0],
        capacity=at_cut,
        by_group=audit_groups(
            at,
            code,
            labels,
            used[[name for name in used if isinstance(name, tuple)]].rename(columns=lambda name: name[1]),
            draws,
            is_probability=is_probability,
            least_n=least_n,
            small_cell=small_cell,
        ),
        net_benefit=_net_benefit(counts, at_cut, is_probability=is_probability),
        **result,
        is_probability=is_probability,
        n_boot=n_boot,
        random_state=random_state,
        warnings=tuple(_warnings(result, summary)),
    )


@dataclass(frozen=True, slots=True)
class _Draws:
    """Bootstrap draws of whole persons: how often each row counts, the same each time they are asked for."""

    person: pd.Series | None
    n_rows: int
    n_boot: int
    random_state: int

    def __call__(self) -> Iterator[np.ndarray]:
        rng = np.random.default_rng(self.random_state)
        codes = np.arange(self.n_rows) if self.person is None else pd.factorize(self.person, sort=True)[0]
        n_persons = int(codes.max()) + 1
        for _ in range(self.n_boot):
            drawn = np.bincount(rng.integers(0, n_persons, n_persons), minlength=n_persons)
            yield drawn[codes].astype(float)


def _rows(y: Any, risk: Any, groups: Any) -> pd.DataFrame:
    """Labels, risks, persons and groupings side by side; a grouping's column is called ("group", name)."""
    y = y if isinstance(y, pd.Series) else pd.Series(np.asarray(y))
    rows = pd.DataFrame({"y": _floats(y, "y"), "risk": _floats(_aligned(risk, y, "risk"), "risk")}, index=y.index)
    columns: dict[Any, Any] = {}
    if isinstance(groups, pd.DataFrame | Mapping):
        columns = {("group", str(name)): groups[name] for name in groups}
    elif groups is not None:
        columns = {("group", str(getattr(groups, "name", None) or "group")): groups}
    for name, values in columns.items():
        aligned = _aligned(values, y, name[1])
        rows[name] = aligned.astype(object).where(aligned.notna(), "(missing)").astype(str).to_numpy(dtype=object)
    if "person_id" in y.index.names:
        rows["person"] = y.index.get_level_values("person_id")
    return rows.reset_index(drop=True)


def _aligned(values: Any, y: pd.Series, name: str) -> pd.Series:
    """Values in the order of the labels: by index where both have one, else by position."""
    if len(values) != len(y):
        raise UsageError(f"expected {len(y)} values, one per label; found {len(values)}", where=name)
    if not isinstance(values, pd.Series):
        return pd.Series(np.asarray(values), index=y.index)
    if values.index.equals(y.index):
        return values
    if not (values.index.is_unique and y.index.is_unique and values.index.isin(y.index).all()):
        raise UsageError(f"y and {name} are about different rows: their indexes differ", where=name)
    return values.reindex(y.index)


def _floats(values: pd.Series, name: str) -> np.ndarray:
    """Numbers or flags as floats, NaN where missing."""
    try:
        return values.astype("float64" if values.dtype == object else values.dtype).to_numpy("float64", na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise UsageError(f"expected numbers; found {values.dtype}", where=name) from error


def _ordered(used: pd.DataFrame) -> pd.DataFrame:
    """Rows in an order of their own, so that the order in which they came changes nothing."""
    if used.empty:
        raise UsageError("no row has both a label and a risk", do="check that labels and risks are about the same rows")
    first = ["person"] if "person" in used else []
    names: list[Any] = [*first, *(name for name in used if name not in first)]
    return used.sort_values(names, kind="stable", ignore_index=True)


def _check_values(labels: np.ndarray, risks: np.ndarray, *, is_probability: bool) -> None:
    """Refuse labels other than 0 and 1, and risks that are none."""
    if not np.isin(labels, (0, 1)).all():
        raise UsageError("labels must be 1 (with the outcome), 0 (without) or missing; found others", where="y")
    if np.isinf(risks).any() or (is_probability and not ((risks >= 0) & (risks <= 1)).all()):
        raise UsageError("risks must be probabilities from 0 to 1", where="risk", do="for points, is_probability=False")


def _summary(
    counts: Counts, at: np.ndarray, code: np.ndarray, labels: np.ndarray, draws: _Draws, *, is_probability: bool
) -> pd.DataFrame:
    """Return the measures with their bootstrap intervals."""

    def measure(people: Counts, **settings: int) -> dict[str, float]:
        return order_metrics(people) | (risk_metrics(people, **settings) if is_probability else {})

    names = ORDER_METRICS + (RISK_METRICS if is_probability else ())
    found = measure(counts)
    at, code = gather_risks(at, code, _DRAWN_RISKS)
    drawn = [measure(count_people(at, code, labels, weight), most_points=_DRAWN_POINTS) for weight in draws()]
    bounds = [percentile_interval(np.array([draw[name] for draw in drawn])) for name in names]
    told = [
        ("prevalence", float(labels.mean()), *percentile_interval(np.array([labels @ w / w.sum() for w in draws()])))
    ]
    told += [(name, found[name], *bound) for name, bound in zip(names, bounds, strict=True)]
    return pd.DataFrame(told, columns=["metric", "value", "low", "high"]).astype({"metric": TEXT})


def _net_benefit(counts: Counts, at_cut: pd.DataFrame, *, is_probability: bool) -> pd.DataFrame:
    """Return the decision curve, with the thresholds that the capacities amount to."""
    cuts = at_cut["threshold"].to_numpy() if is_probability else np.array([])
    cuts = cuts[(cuts > 0) & (cuts < 1)]
    curve = net_benefit(counts, np.union1d(_THRESHOLDS, cuts) if is_probability else np.array([]))
    return curve.assign(is_capacity_point=curve["threshold"].isin(cuts))


def _warnings(result: Mapping[str, int], summary: pd.DataFrame) -> Iterator[str]:
    """Return what a reader must know before trusting the numbers."""
    events, others = result["n_events"], result["n_used"] - result["n_events"]
    if not events or not others:
        yield "only one class of labels: order and calibration cannot be judged"
    elif min(events, others) < _ENOUGH:
        yield f"small sample: {events} with and {others} without the outcome; fewer than {_ENOUGH} leave much uncertain"
    if result["n_missing_label"]:
        yield f"{result['n_missing_label']} rows left out: the outcome is not known"
    if result["n_missing_risk"]:
        cases = result["n_missing_risk_events"]
        yield f"{result['n_missing_risk']} rows left out: no risk was given; {cases} of them had the outcome"
    auc = summary.set_index("metric").loc["auc"]
    if auc["low"] <= 0.5:
        yield "no signal: the interval of the AUC reaches 0.5, which is chance"
