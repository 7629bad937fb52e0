"""How far to trust the risk of an outcome by a day, where other events compete and some people are lost sight of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.utils import column_or_1d

from casestrat.errors import UsageError
from casestrat.models.hazards.competing_risks import (
    OUTCOME,
    aalen_johansen,
    horizon_labels,
    read_follow_up,
    supported_day,
)
from casestrat.models.measures.bootstrap import PersonDraws, percentile_interval
from casestrat.models.measures.metrics import (
    area_under_roc,
    average_precision,
    count_people,
    gather_risks,
    risk_metrics,
)
from casestrat.tables.columns import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENOUGH = 100  # outcomes by the horizon: fewer leave the calibration uncertain (Vergouwe et al. 2005)
_DRAWN_RISKS = 1_000  # more distinct risks than this are gathered into as many in a bootstrap draw
_DRAWN_POINTS = 100  # groups of like risks for the smoothed errors of a bootstrap draw
METRICS = (
    "incidence",
    "auc",
    "average_precision",
    "brier",
    "scaled_brier",
    "calibration_slope",
    "calibration_intercept",
    "expected_over_observed",
    "ici",
    "e50",
    "e90",
)


@dataclass(frozen=True, eq=False, slots=True)
class HorizonEvaluation:
    """How a risk by a horizon did; made by :func:`evaluate_horizon`.

    Parameters
    ----------
    summary : pandas.DataFrame
        One row per measure: metric, value, low, high (95 % bootstrap, persons drawn whole).
    calibration : pandas.DataFrame
        One row per group of like risks, lowest first: group, n, n_outcomes (seen by the horizon), mean_risk, observed
        (Aalen–Johansen within the group), low, high; missing where the group was not seen up to the horizon.
    horizon_days : float
        The horizon asked for.
    used_days : float
        The horizon judged: an earlier one where follow-up does not reach so far.
    n_rows : int
        Rows judged.
    n_outcomes, n_competing, n_lost : int
        Of them: seen with the outcome first by the horizon, with a competing event first, and no longer seen before it.
    n_missing_risk : int
        Rows left out because no risk was given; never taken as low.
    n_boot, random_state : int
        How the intervals were drawn.
    warnings : tuple of str
        What a reader must know before trusting the numbers.
    """

    summary: pd.DataFrame
    calibration: pd.DataFrame
    horizon_days: float
    used_days: float
    n_rows: int
    n_outcomes: int
    n_competing: int
    n_lost: int
    n_missing_risk: int
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
            raise UsageError(f"no measure is called '{metric}'", do=f"choose one of: {', '.join(METRICS)}")
        return float(found.iloc[0])


def evaluate_horizon(
    days: Any,
    event: Any,
    risk: Any,
    horizon_days: float,
    *,
    persons: Any = None,
    n_groups: int = 10,
    n_boot: int = 200,
    random_state: int = 0,
) -> HorizonEvaluation:
    """Judge the risk that an outcome comes first by a horizon.

    Who was lost sight of before the horizon is stood for by those who were seen (inverse probability of censoring, by
    Kaplan–Meier). A person with a competing event did not have the outcome, and counts among those without it. A
    horizon beyond the last day on which anybody was seen is judged up to that day, and ``warnings`` says so: nothing is
    raised.

    Measures: ``incidence`` by the horizon (Aalen–Johansen); ``auc`` (cumulative cases, dynamic controls), and average
    precision; Brier score, and scaled by that of the incidence for everybody; calibration slope and intercept, ICI, E50
    and E90, on the weighted labels; expected (mean risk of all) over observed (incidence).

    Parameters
    ----------
    days : array of shape (n,)
        Days to the first event, or to the end of follow-up; 0 or more.
    event : array of shape (n,) or None
        0 censored, 1 the outcome, 2 and more what competes with it; None where everybody had the outcome.
    risk : array of shape (n,)
        Foretold risk of the outcome by the horizon, 0 to 1; a missing one leaves the row out.
    horizon_days : float
        The horizon, 0 or more.
    persons : array of shape (n,), optional
        The person of each row. Without it the index level ``person_id`` of ``days`` tells; without that, each row is a
        person.
    n_groups : int, default 10
        The most groups of like risks, 1 or more.
    n_boot : int, default 200
        Bootstrap draws for the intervals; 0 gives none.
    random_state : int, default 0
        Seed of the draws.

    Returns
    -------
    HorizonEvaluation
        The measures, with their intervals.

    Raises
    ------
    UsageError
        Follow-up or risks cannot be used, lengths or indexes differ, no row has a risk, or a number is out of range.

    References
    ----------
    Blanche P, Dartigues JF, Jacqmin-Gadda H (2013). Estimating and comparing time-dependent areas under receiver
    operating characteristic curves for censored event times with competing risks. Statistics in Medicine 32, 5381–5397.
    van Geloven N, Giardiello D, Bonneville EF, et al. (2022). Validation of prediction models in the presence of
    competing risks. BMJ 377, e069249.

    Examples
    --------
    >>> report = evaluate_horizon([10, 40, 20, 90, 15], [1, 2, 0, 0, 1], [0.8, 0.3, 0.2, 0.1, 0.2], 60, n_boot=0)
    >>> report.value("auc"), report.n_outcomes, report.n_competing, report.n_lost
    (0.75, 2, 1, 1)
    """
    rows, n_missing = _rows(days, event, risk, persons)
    if n_groups < 1 or n_boot < 0:
        raise UsageError(f"expected n_groups of 1 or more and n_boot of 0 or more; found {n_groups} and {n_boot}")
    found, codes = rows["days"].to_numpy(), rows["event"].to_numpy()
    used = supported_day(found, codes, horizon_days, np.ones(len(rows)))
    seen = (found <= used) & (codes > 0)
    calibration = _calibration(rows, used, n_groups)
    summary = _summary(rows, used, PersonDraws(rows.get("person"), len(rows), n_boot, random_state))
    counts = {
        "n_rows": len(rows),
        "n_outcomes": int((seen & (codes == OUTCOME)).sum()),
        "n_competing": int((seen & (codes > OUTCOME)).sum()),
        "n_lost": int((~seen & (found < used)).sum()),
        "n_missing_risk": n_missing,
    }
    return HorizonEvaluation(
        summary=summary,
        calibration=calibration,
        horizon_days=float(horizon_days),
        used_days=used,
        **counts,
        n_boot=n_boot,
        random_state=random_state,
        warnings=tuple(_warnings(float(horizon_days), used, counts, summary, calibration)),
    )


def _rows(days: Any, event: Any, risk: Any, persons: Any) -> tuple[pd.DataFrame, int]:
    """Return days, codes, risks and persons side by side, in an order of their own, and how many have no risk."""
    found, codes, _ = read_follow_up(days, event)
    for name, values in (("event", event), ("risk", risk)):
        both = isinstance(days, pd.Series) and isinstance(values, pd.Series)
        if both and not values.index.equals(days.index):
            raise UsageError(f"days and {name} are about different rows: their indexes differ", where=name)
    told = pd.Series(column_or_1d(risk)).astype("float64").to_numpy()
    if len(told) != len(found):
        raise UsageError(f"expected {len(found)} risks, one per row of days; found {len(told)}", where="risk")
    if ((told < 0) | (told > 1)).any():
        raise UsageError("risks must be probabilities from 0 to 1", where="risk", do="points have no calibration")
    frame = pd.DataFrame({"days": found, "event": codes, "risk": told})
    if persons is None and isinstance(days, pd.Series) and "person_id" in days.index.names:
        persons = days.index.get_level_values("person_id")
    if persons is not None:
        if len(persons) != len(frame):
            raise UsageError(f"expected {len(frame)} persons, one per row; found {len(persons)}", where="persons")
        frame.insert(0, "person", np.asarray(persons))
    has_risk = frame["risk"].notna()
    if not has_risk.any():
        raise UsageError("no row has a risk", where="risk", do="check that risks and days are about the same rows")
    kept = frame[has_risk]
    return kept.sort_values([str(name) for name in kept], kind="stable", ignore_index=True), int((~has_risk).sum())


def _measure(
    rows: pd.DataFrame, at: np.ndarray, code: np.ndarray, horizon: float, weight: np.ndarray | None, most_points: int
) -> dict[str, float]:
    """Return all measures, for people as often as they count."""
    days, event, risk = (rows[name].to_numpy() for name in ("days", "event", "risk"))
    labels = horizon_labels(days, event, horizon, weight)
    known = labels["weight"].to_numpy() > 0
    counts = count_people(at, code[known], labels["label"].to_numpy()[known], labels["weight"].to_numpy()[known])
    observed = float(aalen_johansen(days, event, weight).at(horizon))
    found = {
        "incidence": observed,
        "auc": area_under_roc(counts),
        "average_precision": average_precision(counts),
        **risk_metrics(counts, most_points=most_points),
    }
    found["expected_over_observed"] = float(np.average(risk, weights=weight)) / observed if observed else np.nan
    return found


def _summary(rows: pd.DataFrame, horizon: float, draws: PersonDraws) -> pd.DataFrame:
    """Return the measures with their bootstrap intervals."""
    at, code = np.unique(rows["risk"].to_numpy(), return_inverse=True)
    found = _measure(rows, at, code, horizon, None, _DRAWN_RISKS)
    at, code = gather_risks(at, code, _DRAWN_RISKS)
    drawn = [_measure(rows, at, code, horizon, weight, _DRAWN_POINTS) for weight in draws()]
    told = [(name, found[name], *percentile_interval(np.array([draw[name] for draw in drawn]))) for name in METRICS]
    return pd.DataFrame(told, columns=["metric", "value", "low", "high"]).astype({"metric": TEXT})


def _calibration(rows: pd.DataFrame, horizon: float, n_groups: int) -> pd.DataFrame:
    """Return foretold against observed in groups of about equally many people; equal risks stay together."""
    _, code, count = np.unique(rows["risk"].to_numpy(), return_inverse=True, return_counts=True)
    middle = (np.cumsum(count) - count / 2) / len(rows)
    _, group = np.unique(np.floor(middle * n_groups), return_inverse=True)
    told = []
    for number in range(int(group.max()) + 1):
        part = rows[group[code] == number]
        days, event = part["days"].to_numpy(), part["event"].to_numpy()
        curve = aalen_johansen(days, event)
        is_seen = supported_day(days, event, horizon, np.ones(len(part))) >= horizon
        low, high = curve.interval(horizon)
        shares = (float(curve.at(horizon)), float(low), float(high)) if is_seen else (np.nan, np.nan, np.nan)
        n_outcomes = int(((event == OUTCOME) & (days <= horizon)).sum())
        told.append((number + 1, len(part), n_outcomes, float(part["risk"].mean()), *shares))
    return pd.DataFrame(told, columns=["group", "n", "n_outcomes", "mean_risk", "observed", "low", "high"])


def _warnings(
    asked: float, used: float, counts: dict[str, int], summary: pd.DataFrame, calibration: pd.DataFrame
) -> Iterator[str]:
    """Return what a reader must know before trusting the numbers."""
    if used < asked:
        yield f"horizon of {asked:g} days: people were seen for {used:g} at most; judged up to there"
    if not counts["n_outcomes"]:
        yield "nobody had the outcome by the horizon: order and calibration cannot be judged"
    elif counts["n_outcomes"] < _ENOUGH:
        yield f"small sample: {counts['n_outcomes']} outcomes by the horizon; fewer than {_ENOUGH} leave much uncertain"
    if counts["n_missing_risk"]:
        yield f"{counts['n_missing_risk']} rows left out: no risk was given"
    if 2 * counts["n_lost"] > counts["n_rows"]:
        yield f"{counts['n_lost']} of {counts['n_rows']} rows were lost sight of before the horizon: few stand for many"
    unseen = int(calibration["observed"].isna().sum())
    if unseen:
        yield f"{unseen} groups of risk were not seen up to the horizon: nothing is told of them"
    auc = summary.set_index("metric").loc["auc"]
    if auc["low"] <= 0.5:
        yield "no signal: the interval of the AUC reaches 0.5, which is chance"
