"""How well risks order people, and what a choice by risk would give: all from one small table of counts.

Every measure here depends on the people only through how many with and without the outcome stand at each distinct
risk. A bootstrap draw is then another set of counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.models.measures.calibration import calibration_errors, calibration_intercept, log_odds, recalibrate

if TYPE_CHECKING:
    from collections.abc import Sequence

ORDER_METRICS = ("auc", "average_precision")
RISK_METRICS = (
    "brier",
    "scaled_brier",
    "calibration_slope",
    "calibration_intercept",
    "expected_over_observed",
    "ici",
    "e50",
    "e90",
)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many people with and without the outcome stand at each distinct risk.

    Attributes
    ----------
    risk : numpy.ndarray
        Distinct risks or points, rising.
    events, others : numpy.ndarray
        People with and without the outcome at each.
    """

    risk: np.ndarray
    events: np.ndarray
    others: np.ndarray

    @property
    def n(self) -> np.ndarray:
        """People at each distinct risk."""
        return np.asarray(self.events + self.others)

    @property
    def has_both(self) -> bool:
        """Whether there are people with and people without the outcome."""
        return bool(self.events.sum() > 0 and self.others.sum() > 0)


def count_people(at: np.ndarray, code: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> Counts:
    """Count people at each distinct risk.

    Parameters
    ----------
    at : numpy.ndarray
        Distinct risks, rising.
    code : numpy.ndarray of int
        Position of each row's risk in ``at``.
    y : numpy.ndarray
        Labels 0 and 1.
    weight : numpy.ndarray, optional
        How often each row counts.

    Returns
    -------
    Counts
        One entry per distinct risk that anybody has.
    """
    weight = np.ones(len(y)) if weight is None else weight
    events = np.bincount(code, weights=weight * y, minlength=len(at))
    others = np.bincount(code, weights=weight * (1 - y), minlength=len(at))
    there = (events + others) > 0
    return Counts(at[there], events[there], others[there])


def gather_risks(at: np.ndarray, code: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Gather like risks where there are very many distinct ones, for bootstrap draws.

    Parameters
    ----------
    at : numpy.ndarray
        Distinct risks, rising.
    code : numpy.ndarray of int
        Position of each row's risk in ``at``.
    most : int
        The most distinct risks to keep.

    Returns
    -------
    tuple of numpy.ndarray
        As ``at`` and ``code``: themselves where they are few, else the mean risks of groups of about equally many rows.
    """
    if len(at) <= most:
        return at, code
    count = np.bincount(code)
    place = np.floor((np.cumsum(count) - count / 2) / len(code) * most).astype(int)
    _, group = np.unique(place, return_inverse=True)
    return np.bincount(group, weights=count * at) / np.bincount(group, weights=count), group[code]


def area_under_roc(counts: Counts) -> float:
    """Return the AUC: how often a person with the outcome has the higher risk than one without; ties count half.

    Parameters
    ----------
    counts : Counts
        The people.

    Returns
    -------
    float
        0.5 is chance, 1 the best; NaN where only one class is there.
    """
    if not counts.has_both:
        return np.nan
    below = np.cumsum(counts.others) - counts.others / 2
    return float(counts.events @ below / (counts.events.sum() * counts.others.sum()))


def average_precision(counts: Counts) -> float:
    """Return the average precision; equal risks are one step.

    Parameters
    ----------
    counts : Counts
        The people.

    Returns
    -------
    float
        From the share with the outcome (chance) to 1 (the best); NaN where nobody has the outcome.
    """
    if not counts.events.sum():
        return np.nan
    hits = np.cumsum(counts.events[::-1])
    precision = hits / np.cumsum(counts.n[::-1])
    return float(counts.events[::-1] @ precision / hits[-1])


def order_metrics(counts: Counts) -> dict[str, float]:
    """Return the measures that need an order only: they hold for points too.

    Parameters
    ----------
    counts : Counts
        The people.

    Returns
    -------
    dict of float
        ``auc`` and ``average_precision``.
    """
    return {"auc": area_under_roc(counts), "average_precision": average_precision(counts)}


def expected_over_observed(counts: Counts) -> float:
    """Return foretold over observed outcomes: above 1 the risks are too high all over.

    Parameters
    ----------
    counts : Counts
        The people, by risk.

    Returns
    -------
    float
        1 is right; NaN where nobody has the outcome.
    """
    observed = counts.events.sum()
    return float(counts.n @ counts.risk / observed) if observed else np.nan


def probability_metrics(counts: Counts) -> dict[str, float]:
    """Return the measures of risks that need no smoothing.

    Parameters
    ----------
    counts : Counts
        The people, by risk from 0 to 1.

    Returns
    -------
    dict of float
        Names brier, scaled_brier, calibration_slope, calibration_intercept, expected_over_observed.
    """
    n, share = counts.n.sum(), counts.events.sum() / counts.n.sum()
    brier = float(counts.events @ (1 - counts.risk) ** 2 + counts.others @ counts.risk**2) / n
    x, labels = np.tile(log_odds(counts.risk), 2), np.repeat([1.0, 0.0], len(counts.risk))
    weight = np.concatenate([counts.events, counts.others])
    return {
        "brier": brier,
        "scaled_brier": float(1 - brier / (share * (1 - share))) if counts.has_both else np.nan,
        "calibration_slope": recalibrate(x, labels, weight).slope,
        "calibration_intercept": calibration_intercept(x, labels, weight),
        "expected_over_observed": expected_over_observed(counts),
    }


def risk_metrics(counts: Counts, *, most_points: int = 1_000) -> dict[str, float]:
    """Return the measures that need a probability.

    Parameters
    ----------
    counts : Counts
        The people, by risk from 0 to 1.
    most_points : int, default 1000
        Into how many groups of like risks people are gathered for the smoothed errors.

    Returns
    -------
    dict of float
        The names of ``RISK_METRICS``. Best is: Brier, ICI, E50, E90 and intercept 0; scaled Brier, slope and E/O 1.
    """
    ici, e50, e90 = calibration_errors(counts.risk, counts.events / counts.n, counts.n, most_points=most_points)
    return {**probability_metrics(counts), "ici": ici, "e50": e50, "e90": e90}


def all_metrics(counts: Counts, *, is_probability: bool, most_points: int = 1_000) -> dict[str, float]:
    """Return every measure that the scores allow: those of order, and for risks those of probability too.

    Parameters
    ----------
    counts : Counts
        The people, by risk or points.
    is_probability : bool
        Whether risks were given.
    most_points : int, default 1000
        See ``risk_metrics``.

    Returns
    -------
    dict of float
        The names of ``ORDER_METRICS``, and for risks of ``RISK_METRICS``.
    """
    return order_metrics(counts) | (risk_metrics(counts, most_points=most_points) if is_probability else {})


def taken_shares(n: np.ndarray, capacity: float) -> np.ndarray:
    """Return which share of the people at each distinct risk is taken, the highest risk first.

    Parameters
    ----------
    n : numpy.ndarray
        People at each distinct risk, rising.
    capacity : float
        How many people are taken.

    Returns
    -------
    numpy.ndarray
        1 above the cut, 0 below; at the cut the share of the tied that a fair draw takes.

    Examples
    --------
    >>> taken_shares(np.array([2.0, 4.0, 1.0]), 3).tolist()
    [0.0, 0.5, 1.0]
    """
    above = np.cumsum(n[::-1])[::-1] - n
    return np.asarray(np.clip((capacity - above) / np.where(n > 0, n, 1.0), 0, 1))


def mean_discounts(n: np.ndarray) -> np.ndarray:
    """Return how much attention each place in the order gets, 1 / log2(1 + rank), the mean over those tied.

    Parameters
    ----------
    n : numpy.ndarray
        People at each distinct risk, rising; whole numbers.

    Returns
    -------
    numpy.ndarray
        One weight per distinct risk; the highest risk stands first.

    References
    ----------
    Singh A, Joachims T (2018). Fairness of exposure in rankings. KDD, 2219–2228.
    """
    people = np.rint(n[::-1]).astype(np.int64)
    end = np.cumsum(people)
    total = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, end[-1] + 2)))])
    mean = (total[end] - total[end - people]) / np.maximum(people, 1)
    return np.asarray(mean[::-1])


def at_capacity(counts: Counts, capacities: Sequence[int]) -> pd.DataFrame:
    """Return what taking the people of highest risk gives, whichever way ties at the cut fall.

    The expected count of outcomes under a fair draw among the tied is exact (hypergeometric), not simulated.

    Parameters
    ----------
    counts : Counts
        The people.
    capacities : sequence of int
        How many people are taken, each 1 or more.

    Returns
    -------
    pandas.DataFrame
        One row per capacity: capacity, n_taken, threshold (risk at the cut), n_above, n_tied (at the cut), n_tied_in
        (of them taken), precision and recall each best, expected and worst, hits_sd (of the draw).

    Raises
    ------
    UsageError
        A capacity is below 1.
    """
    rows = [_at_capacity(counts, capacity) for capacity in capacities]
    whole = dict.fromkeys(("capacity", "n_taken", "n_above", "n_tied", "n_tied_in"), "int64")
    floats = (
        "threshold",
        *(f"{m}_{c}" for m in ("precision", "recall") for c in ("best", "expected", "worst")),
        "hits_sd",
    )
    columns = ["capacity", "n_taken", "threshold", "n_above", "n_tied", "n_tied_in", *floats[1:]]
    return pd.DataFrame(rows, columns=columns).astype({**whole, **dict.fromkeys(floats, "float64")})


def _at_capacity(counts: Counts, capacity: int) -> dict[str, float]:
    """Return what one capacity gives."""
    if capacity < 1 or int(capacity) != capacity:
        raise UsageError(f"capacity is a number of people, 1 or more; found {capacity}")
    n, events = counts.n[::-1], counts.events[::-1]
    total = counts.events.sum()
    taken = min(int(capacity), int(n.sum()))
    cut = int(np.searchsorted(np.cumsum(n), taken))
    above, sure = n[:cut].sum(), events[:cut].sum()
    tied, tied_events, drawn = n[cut], events[cut], taken - above
    share = tied_events / tied
    hits = {
        "best": sure + min(drawn, tied_events),
        "expected": sure + drawn * share,
        "worst": sure + max(0.0, drawn - (tied - tied_events)),
    }
    spread = drawn * share * (1 - share) * (tied - drawn) / (tied - 1) if tied > 1 else 0.0
    return {
        "capacity": capacity,
        "n_taken": taken,
        "threshold": counts.risk[::-1][cut],
        "n_above": above,
        "n_tied": tied,
        "n_tied_in": drawn,
        **{f"precision_{case}": value / taken for case, value in hits.items()},
        **{f"recall_{case}": value / total if total else np.nan for case, value in hits.items()},
        "hits_sd": np.sqrt(spread),
    }


def net_benefit(counts: Counts, thresholds: np.ndarray) -> pd.DataFrame:
    """Return the decision curve: true positives less false ones, these weighed by the odds of the threshold, a person.

    Parameters
    ----------
    counts : Counts
        The people, by risk from 0 to 1.
    thresholds : numpy.ndarray
        Risks from which help would be offered, above 0 and below 1.

    Returns
    -------
    pandas.DataFrame
        One row per threshold: threshold, net_benefit (help from that risk on), net_benefit_all (help for everybody),
        net_benefit_none (0).

    References
    ----------
    Vickers AJ, Elkin EB (2006). Decision curve analysis. Medical Decision Making 26, 565–574.
    """
    n = counts.n.sum()
    first = np.searchsorted(counts.risk, thresholds, side="left")
    odds = thresholds / (1 - thresholds)

    def at_or_above(values: np.ndarray) -> np.ndarray:
        """Add up the values from each threshold on."""
        return np.append(np.cumsum(values[::-1])[::-1], 0.0)[first]

    benefit = at_or_above(counts.events) / n - at_or_above(counts.others) / n * odds
    everybody = counts.events.sum() / n - counts.others.sum() / n * odds
    return pd.DataFrame(
        {"threshold": thresholds, "net_benefit": benefit, "net_benefit_all": everybody, "net_benefit_none": 0.0}
    )
