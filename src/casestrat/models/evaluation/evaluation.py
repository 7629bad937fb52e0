"""How far to trust a risk: one object of numbers, drawn elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.knowledge.sentence import Sentence
from casestrat.knowledge.wording import load_wording
from casestrat.models.evaluation.fairness import audit_groups
from casestrat.models.measures.bootstrap import PersonDraws, metric_interval, percentile_interval, percentile_intervals
from casestrat.models.measures.calibration import calibration_bins
from casestrat.models.measures.evaluation_rows import check_values, gather_rows, in_own_order
from casestrat.models.measures.metrics import (
    ORDER_METRICS,
    RISK_METRICS,
    Counts,
    all_metrics,
    at_capacity,
    count_people,
    gather_risks,
    net_benefit,
    taken_shares,
)
from casestrat.tables.columns import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
        One row per capacity: precision and recall, each best, expected and worst under ties, with intervals.
    by_group : pandas.DataFrame
        One row per grouping and group: n, events; AUC, E/O, calibration slope and intercept, and exposure (attention
        by place in the order, 1 is the mean) with intervals; is_suppressed.
    net_benefit : pandas.DataFrame
        One row per threshold: net benefit of the risk with its interval, of help for all, for none; is_capacity_point.
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
    selection : pandas.DataFrame
        One row per capacity, grouping and group: who would be taken, overall (selection_rate), of those with the
        outcome (true_positive_rate) and without (false_positive_rate), and precision, with intervals.
    gaps : pandas.DataFrame
        One row per grouping and measure (and capacity): the widest difference between groups that are told, with an
        interval widened for the number of pairs, the ratio, finding (apart, not_apart, too_few, no_interval) and harm.
    statements : tuple of Sentence
        The warnings, to be said in another language.
    least_n, small_cell : int
        Groups of fewer rows, and smaller counts, were not told.
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
    selection: pd.DataFrame = field(default_factory=pd.DataFrame)
    gaps: pd.DataFrame = field(default_factory=pd.DataFrame)
    statements: tuple[Sentence, ...] = ()
    least_n: int = 30
    small_cell: int = 11

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
    notes: Sequence[Sentence] = (),
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
    notes : sequence of Sentence, optional
        More that a reader must know, such as what ``models.label_warnings`` says of the labels; joins the warnings.

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
    rows = gather_rows(y, risk, groups)
    if n_boot < 0:
        raise UsageError(f"n_boot is a number of draws, 0 or more; found {n_boot}")
    has_label, has_risk = rows["y"].notna().to_numpy(), rows["risk"].notna().to_numpy()
    used = in_own_order(rows[has_label & has_risk])
    labels, risks = used["y"].to_numpy(), used["risk"].to_numpy()
    check_values(labels, risks, is_probability=is_probability)
    at, code = np.unique(risks, return_inverse=True)
    counts = count_people(at, code, labels)
    draws = PersonDraws(used.get("person"), len(used), n_boot, random_state)
    chosen = [] if capacity is None else np.atleast_1d(capacity).tolist()
    at_cut = at_capacity(counts, chosen)
    summary = _summary(counts, at, code, labels, draws, is_probability=is_probability)
    audit = audit_groups(
        at,
        code,
        labels,
        used[[name for name in used if isinstance(name, tuple)]].rename(columns=lambda name: name[1]),
        draws,
        capacities=chosen,
        is_probability=is_probability,
        least_n=least_n,
        small_cell=small_cell,
    )
    n_unscored = has_label & ~has_risk
    result = {
        "n_rows": len(rows),
        "n_used": len(used),
        "n_events": int(labels.sum()),
        "n_missing_label": int((~has_label).sum()),
        "n_missing_risk": int(n_unscored.sum()),
        "n_missing_risk_events": int(rows["y"].to_numpy()[n_unscored].sum()),
    }
    statements = (*_warnings(result, summary), *notes)
    return Evaluation(
        summary=summary,
        calibration=calibration_bins(risks, labels) if is_probability else calibration_bins(risks, labels).iloc[:0],
        capacity=_with_intervals(at_cut, at, code, labels, draws),
        by_group=audit.by_group,
        net_benefit=_net_benefit(counts, at_cut, at, code, labels, draws, is_probability=is_probability),
        **result,
        is_probability=is_probability,
        n_boot=n_boot,
        random_state=random_state,
        warnings=tuple(one.said(load_wording("en")) for one in statements),
        selection=audit.selection,
        gaps=audit.gaps,
        statements=statements,
        least_n=least_n,
        small_cell=small_cell,
    )


def _summary(
    counts: Counts, at: np.ndarray, code: np.ndarray, labels: np.ndarray, draws: PersonDraws, *, is_probability: bool
) -> pd.DataFrame:
    """Return the measures with their bootstrap intervals."""
    names = ORDER_METRICS + (RISK_METRICS if is_probability else ())
    found = all_metrics(counts, is_probability=is_probability)
    at, code = gather_risks(at, code, _DRAWN_RISKS)
    drawn = [
        all_metrics(count_people(at, code, labels, w), is_probability=is_probability, most_points=_DRAWN_POINTS)
        for w in draws()
    ]
    bounds = [metric_interval(name, np.array([draw[name] for draw in drawn]), found[name]) for name in names]
    told = [
        ("prevalence", float(labels.mean()), *percentile_interval(np.array([labels @ w / w.sum() for w in draws()])))
    ]
    told += [(name, found[name], *bound) for name, bound in zip(names, bounds, strict=True)]
    return pd.DataFrame(told, columns=["metric", "value", "low", "high"]).astype({"metric": TEXT})


def _with_intervals(
    at_cut: pd.DataFrame, at: np.ndarray, code: np.ndarray, labels: np.ndarray, draws: PersonDraws
) -> pd.DataFrame:
    """Return the capacities with intervals of expected precision and recall: the same share of people is taken."""
    at, code = gather_risks(at, code, _DRAWN_RISKS)
    shares = at_cut["n_taken"].to_numpy(dtype="float64") / len(labels)
    drawn = np.full((draws.n_boot, 2, len(shares)), np.nan)
    for i, weight in enumerate(draws() if len(shares) else ()):
        n, events = (
            np.bincount(code, weights=weight * part, minlength=len(at)) for part in (np.ones(len(code)), labels)
        )
        for j, share in enumerate(shares):
            taken = share * n.sum()
            hits = events @ taken_shares(n, taken)
            drawn[i, :, j] = hits / taken, hits / events.sum() if events.sum() else np.nan
    low, high = percentile_intervals(drawn)
    return at_cut.assign(precision_low=low[0], precision_high=high[0], recall_low=low[1], recall_high=high[1])


def _net_benefit(
    counts: Counts,
    at_cut: pd.DataFrame,
    at: np.ndarray,
    code: np.ndarray,
    labels: np.ndarray,
    draws: PersonDraws,
    *,
    is_probability: bool,
) -> pd.DataFrame:
    """Return the decision curve with its intervals, and the thresholds that the capacities amount to."""
    cuts = at_cut["threshold"].to_numpy() if is_probability else np.array([])
    cuts = cuts[(cuts > 0) & (cuts < 1)]
    thresholds = np.union1d(_THRESHOLDS, cuts) if is_probability else np.array([])
    curve = net_benefit(counts, thresholds)
    drawn = [
        net_benefit(count_people(at, code, labels, w), thresholds)["net_benefit"].to_numpy()
        for w in (draws() if is_probability else ())
    ]
    low, high = percentile_intervals(np.array(drawn).reshape(len(drawn), len(thresholds)))
    return curve.assign(is_capacity_point=curve["threshold"].isin(cuts), low=low, high=high)


def _warnings(result: Mapping[str, int], summary: pd.DataFrame) -> Iterator[Sentence]:
    """Return what a reader must know before trusting the numbers."""
    events, others = result["n_events"], result["n_used"] - result["n_events"]
    if not events or not others:
        yield Sentence.of("warnings.one_class")
    elif min(events, others) < _ENOUGH:
        yield Sentence.of("warnings.small_sample", events=events, others=others, enough=_ENOUGH)
    if result["n_missing_label"]:
        yield Sentence.of("warnings.missing_label", n=result["n_missing_label"])
    if result["n_missing_risk"]:
        counts = {"n": result["n_missing_risk"], "events": result["n_missing_risk_events"]}
        yield Sentence.of("warnings.missing_risk", **counts)
    auc = summary.set_index("metric").loc["auc"]
    if auc["low"] <= 0.5:
        yield Sentence.of("warnings.no_signal")
