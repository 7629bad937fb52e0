"""What happened by when, where some people are no longer seen and where one event keeps another from happening.

Plain estimates without features, on arrays. Cumulative incidence is Aalen and Johansen's; one minus Kaplan–Meier is
never offered for an outcome that something competes with: it counts the dead as if they could still be admitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import ndtri
from sklearn.utils import column_or_1d

from casestrat.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

OUTCOME = 1  # the code of the outcome; 0 is censored, 2 and more compete with it
_SAME = 1e-9  # days: a horizon that is missed by less than this is reached


@dataclass(frozen=True, eq=False, slots=True)
class SurvivalCurve:
    """Share of people to whom nothing has happened yet, by day; made by :func:`kaplan_meier`.

    Parameters
    ----------
    times : numpy.ndarray
        Distinct days on which something happened, rising.
    survival : numpy.ndarray
        Share to whom nothing has happened up to and with each of these days; never rising.
    variance : numpy.ndarray
        Greenwood's variance of ``survival``.
    at_risk : numpy.ndarray
        People still seen, and to whom nothing had happened, just before each of these days.
    last : float
        Last day on which anybody was seen.
    """

    times: np.ndarray
    survival: np.ndarray
    variance: np.ndarray
    at_risk: np.ndarray
    last: float

    def at(self, days: Any) -> np.ndarray:
        """Return the share to whom nothing has happened by these days, each day counted in.

        Parameters
        ----------
        days : array of float
            Days, 0 or more.

        Returns
        -------
        numpy.ndarray
            One share per day; after ``last`` the last one.
        """
        return np.asarray(np.append(1.0, self.survival)[np.searchsorted(self.times, days, side="right")])

    def before(self, days: Any) -> np.ndarray:
        """Return the share to whom nothing has happened before these days.

        Parameters
        ----------
        days : array of float
            Days, 0 or more.

        Returns
        -------
        numpy.ndarray
            One share per day.
        """
        return np.asarray(np.append(1.0, self.survival)[np.searchsorted(self.times, days, side="left")])

    def interval(self, days: Any, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Return bounds of the share by these days, symmetric on the scale log(−log).

        Parameters
        ----------
        days : array of float
            Days, 0 or more.
        level : float, default 0.95
            Coverage, above 0 and below 1.

        Returns
        -------
        tuple of numpy.ndarray
            Lower and upper bounds, 0 to 1; equal to the share where it is 0 or 1.
        """
        variance = np.append(0.0, self.variance)[np.searchsorted(self.times, days, side="right")]
        return _bounds(self.at(days), variance, level)

    @property
    def median(self) -> float:
        """First day by which something has happened to half of the people; infinite where it has not."""
        reached = self.times[self.survival <= 0.5 + 1e-12]
        return float(reached[0]) if len(reached) else float("inf")


@dataclass(frozen=True, eq=False, slots=True)
class CumulativeIncidence:
    """Share of people to whom each event has happened first, by day; made by :func:`aalen_johansen`.

    Parameters
    ----------
    times : numpy.ndarray
        Distinct days on which something happened, rising.
    incidence : numpy.ndarray of shape (events, times)
        Share to whom each event has happened first; row 0 is the outcome, and no row ever falls.
    variance : numpy.ndarray of shape (events, times)
        Variance of ``incidence`` by the delta method; without a competing event it is Greenwood's.
    survival : numpy.ndarray
        Share to whom nothing has happened; with the incidences it sums to 1.
    at_risk : numpy.ndarray
        People still seen, and to whom nothing had happened, just before each of these days.
    last : float
        Last day on which anybody was seen.
    """

    times: np.ndarray
    incidence: np.ndarray
    variance: np.ndarray
    survival: np.ndarray
    at_risk: np.ndarray
    last: float

    def at(self, days: Any, event: int = OUTCOME) -> np.ndarray:
        """Return the share to whom the event has happened first by these days, each day counted in.

        Parameters
        ----------
        days : array of float
            Days, 0 or more.
        event : int, default 1
            Code of the event.

        Returns
        -------
        numpy.ndarray
            One share per day; after ``last`` the last one.

        Raises
        ------
        UsageError
            There is no event of this code.
        """
        return self._read(self.incidence, days, event)

    def interval(self, days: Any, event: int = OUTCOME, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Return bounds of the share by these days, symmetric on the scale log(−log).

        Parameters
        ----------
        days : array of float
            Days, 0 or more.
        event : int, default 1
            Code of the event.
        level : float, default 0.95
            Coverage, above 0 and below 1.

        Returns
        -------
        tuple of numpy.ndarray
            Lower and upper bounds, 0 to 1; equal to the share where it is 0 or 1.
        """
        return _bounds(self.at(days, event), self._read(self.variance, days, event), level)

    def _read(self, rows: np.ndarray, days: Any, event: int) -> np.ndarray:
        """Return the values of one event by these days."""
        if not 1 <= event <= len(rows):
            raise UsageError(f"events are numbered 1 to {len(rows)}; found {event}", where="event")
        return np.asarray(np.append(0.0, rows[event - 1])[np.searchsorted(self.times, days, side="right")])


def kaplan_meier(days: Any, event: Any = None, weight: Any = None, *, of_censoring: bool = False) -> SurvivalCurve:
    """Return the share of people to whom nothing has happened yet, by Kaplan and Meier.

    What happens on the same day as somebody is last seen happens before.

    Parameters
    ----------
    days : array of shape (n,)
        Days to the first event, or to the end of follow-up; 0 or more.
    event : array of shape (n,), optional
        0 where nothing was seen, 1 and more where something happened; without it something happened to everybody.
    weight : array of shape (n,), optional
        How often each row counts.
    of_censoring : bool, default False
        Whether being no longer seen is what happens: the curve then tells the chance of still being seen, by whose
        inverse those who are seen are weighted.

    Returns
    -------
    SurvivalCurve
        The curve with its variance.

    Raises
    ------
    UsageError
        Days are missing, negative or infinite, a code is none, or the lengths differ.

    References
    ----------
    Kaplan EL, Meier P (1958). Nonparametric estimation from incomplete observations. JASA 53, 457–481.

    Examples
    --------
    >>> kaplan_meier([1, 2, 2], [1, 1, 0]).survival.round(3).tolist()
    [0.667, 0.333]
    """
    found, codes, weights = read_follow_up(days, event, weight)
    times, code = np.unique(found, return_inverse=True)
    seen = np.bincount(code, weights=weights, minlength=len(times))
    happened = np.bincount(code, weights=weights * (codes > 0), minlength=len(times))
    at_risk = np.cumsum(seen[::-1])[::-1]
    if of_censoring:
        at_risk, happened = at_risk - happened, seen - happened
    there = happened > 0
    times, at_risk, happened = times[there], at_risk[there], happened[there]
    left = _left(at_risk, happened)
    survival = np.cumprod(left / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        hazards = np.where(left > 0, happened / (at_risk * left), 0.0)
    return SurvivalCurve(times, survival, survival**2 * np.cumsum(hazards), at_risk, float(found.max()))


def aalen_johansen(days: Any, event: Any = None, weight: Any = None) -> CumulativeIncidence:
    """Return the share of people to whom each event has happened first, by Aalen and Johansen.

    What happens on the same day as somebody is last seen happens before.

    Parameters
    ----------
    days : array of shape (n,)
        Days to the first event, or to the end of follow-up; 0 or more.
    event : array of shape (n,), optional
        0 censored, 1 the outcome, 2 and more what competes with it; without it everybody had the outcome.
    weight : array of shape (n,), optional
        How often each row counts.

    Returns
    -------
    CumulativeIncidence
        A row for each event up to the highest code, with variances.

    Raises
    ------
    UsageError
        Days are missing, negative or infinite, a code is none, or the lengths differ.

    References
    ----------
    Aalen OO, Johansen S (1978). An empirical transition matrix for non-homogeneous Markov chains based on censored
    observations. Scandinavian Journal of Statistics 5, 141–150.

    Examples
    --------
    Of four people one dies (2) before the outcome could come:

    >>> curve = aalen_johansen([10, 20, 30, 40], [1, 2, 1, 0])
    >>> curve.at(30), curve.at(30, event=2), curve.survival
    (array(0.5), array(0.25), array([0.75, 0.5 , 0.25]))
    """
    found, codes, weights = read_follow_up(days, event, weight)
    times, code = np.unique(found, return_inverse=True)
    n_events = max(int(codes.max()), 1)
    at_risk = np.cumsum(np.bincount(code, weights=weights, minlength=len(times))[::-1])[::-1]
    happened = np.stack(
        [np.bincount(code, weights=weights * (codes == k), minlength=len(times)) for k in range(1, n_events + 1)]
    )
    there = happened.any(axis=0)
    times, at_risk, happened = times[there], at_risk[there], happened[:, there]
    total = happened.sum(axis=0)
    left = _left(at_risk, total)
    survival = np.cumprod(left / at_risk)
    before = np.append(1.0, survival)[:-1] if len(times) else survival
    incidence = np.cumsum(before * happened / at_risk, axis=1)
    variance = np.stack(
        [_variance(curve, before, at_risk, left, own, total) for curve, own in zip(incidence, happened, strict=True)]
    )
    return CumulativeIncidence(times, incidence, variance, survival, at_risk, float(found.max()))


def horizon_labels(days: Any, event: Any, horizon_days: float, weight: Any = None) -> pd.DataFrame:
    """Turn follow-up into labels and weights, for what learns or judges by labels: a scorecard, a classifier, an AUC.

    The label is 1 where the outcome came first by the horizon, 0 where something else did or nothing happened up to it,
    and missing where the person was no longer seen. Those who were seen are weighted by the inverse of their chance of
    still being seen (Kaplan–Meier of the censoring), so that they stand for the others too: the weighted share of
    labels 1 is the cumulative incidence of Aalen and Johansen.

    Parameters
    ----------
    days : array of shape (n,)
        Days to the first event, or to the end of follow-up; 0 or more.
    event : array of shape (n,) or None
        0 censored, 1 the outcome, 2 and more what competes with it; None where everybody had the outcome.
    horizon_days : float
        The horizon, 0 or more; an event on its very day counts, and who is seen up to it is known. One beyond the last
        day on which anybody was seen is that day.
    weight : array of shape (n,), optional
        How often each row counts.

    Returns
    -------
    pandas.DataFrame
        One row per row of ``days``, its index where it has one: label (1, 0, missing), weight (0 where the label is
        missing; they sum to the number of rows).

    Raises
    ------
    UsageError
        Days are missing, negative or infinite, a code is none, the lengths differ, or the horizon is below 0.

    References
    ----------
    Graf E, Schmoor C, Sauerbrei W, Schumacher M (1999). Assessment and comparison of prognostic classification schemes
    for survival data. Statistics in Medicine 18, 2529–2545.

    Examples
    --------
    The third person was last seen on day 20, and the fourth stands for both:

    >>> horizon_labels([10, 40, 20, 90], [1, 2, 0, 0], 60)
       label  weight
    0    1.0     1.0
    1    0.0     1.5
    2    NaN     0.0
    3    0.0     1.5
    """
    found, codes, weights = read_follow_up(days, event, weight)
    horizon = supported_day(found, codes, horizon_days, weights)
    is_seen = (codes > 0) & (found <= horizon)
    is_known = is_seen | (found >= horizon)
    label = np.where(is_known, (is_seen & (codes == OUTCOME)).astype(float), np.nan)
    still_seen = kaplan_meier(found, codes, weights, of_censoring=True).before(np.minimum(found, horizon))
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.where(is_known & (weights > 0), weights / still_seen, 0.0)
    index = days.index if isinstance(days, pd.Series) else None
    return pd.DataFrame({"label": label, "weight": inverse}, index=index)


def supported_day(days: np.ndarray, event: np.ndarray, horizon_days: float, weight: np.ndarray) -> float:
    """Return the horizon, or the last day on which anybody was seen where the horizon lies beyond it.

    Where something happened to everybody, nothing can come later, and every horizon is supported.

    Parameters
    ----------
    days, event : numpy.ndarray
        As :func:`read_follow_up` returns them.
    horizon_days : float
        The horizon, 0 or more.
    weight : numpy.ndarray
        As :func:`read_follow_up` returns it.

    Returns
    -------
    float
        Days.

    Raises
    ------
    UsageError
        The horizon is below 0.
    """
    if not horizon_days >= 0:
        raise UsageError(f"a horizon is a number of days, 0 or more; found {horizon_days}", where="horizon_days")
    counted = days[weight > 0]
    last = float(counted.max())
    if last >= horizon_days - _SAME:
        return float(horizon_days)
    is_whole = bool((event[weight > 0][counted == last] > 0).all())
    return float(horizon_days) if is_whole else last


def read_follow_up(days: Any, event: Any, weight: Any = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return days, codes and weights as arrays, checked.

    Parameters
    ----------
    days : array of shape (n,)
        Days, 0 or more.
    event : array of shape (n,) or None
        Codes, whole numbers from 0; None: everybody had the outcome.
    weight : array of shape (n,) or None
        Weights, 0 or more; None: 1 each.

    Returns
    -------
    tuple of numpy.ndarray
        Days (float), codes (int), weights (float).

    Raises
    ------
    UsageError
        Days are missing, negative or infinite, a code is none, or the lengths differ.
    """
    found = _finite(days, "days", "keep the rows that were followed: they have a number of days")
    if not len(found):
        raise UsageError("expected one row or more; found 0 sample(s)", where="days")
    if (found < 0).any():
        raise UsageError(
            f"days are 0 or more; {int((found < 0).sum())} rows have fewer",
            where="days",
            do="leave out the rows whose date lies outside their follow-up (why_missing 'not_observed')",
        )
    codes = np.ones(len(found)) if event is None else _finite(event, "event", "0 is censored, 1 the outcome")
    if (codes < 0).any() or (codes != np.floor(codes)).any():
        bad = int(((codes < 0) | (codes != np.floor(codes))).sum())
        what = f"unknown event code: {bad} rows have neither 0 (censored), 1 (the outcome) nor 2 and more (competing)"
        raise UsageError(what, where="event")
    weights = np.ones(len(found)) if weight is None else _finite(weight, "weight", "give each row a weight")
    if (weights < 0).any() or not weights.any():
        raise UsageError("weights are 0 or more, and not all of them zero", where="weight")
    for name, values in (("event", codes), ("weight", weights)):
        if len(values) != len(found):
            raise UsageError(f"expected {len(found)} values, one per row of days; found {len(values)}", where=name)
    return found, codes.astype("int64"), weights


def _finite(values: Any, name: str, do: str) -> np.ndarray:
    """Return values as finite floats."""
    flat = column_or_1d(values, warn=True)
    try:
        floats = (
            pd.Series(flat)
            .astype("float64" if flat.dtype == object else flat.dtype)
            .to_numpy("float64", na_value=np.nan)
        )
    except (TypeError, ValueError) as error:
        raise UsageError(f"expected numbers; found {flat.dtype}", where=name) from error
    if np.isnan(floats).any():
        raise UsageError(f"{name} contains NaN: {int(np.isnan(floats).sum())} rows have none", where=name, do=do)
    if np.isinf(floats).any():
        raise UsageError(f"{name} contains infinity (inf) in {int(np.isinf(floats).sum())} rows", where=name)
    return floats


def _left(at_risk: np.ndarray, happened: np.ndarray) -> np.ndarray:
    """Return who is left; what is but a rounding error is nobody."""
    left = at_risk - happened
    return np.where(left > 1e-9 * at_risk, left, 0.0)


def _variance(
    curve: np.ndarray, before: np.ndarray, at_risk: np.ndarray, left: np.ndarray, own: np.ndarray, total: np.ndarray
) -> np.ndarray:
    """Return the delta-method variance of one incidence, by cumulative sums: Σ (F(t) − F(s))² … − 2 (F(t) − F(s)) …."""
    with np.errstate(divide="ignore", invalid="ignore"):
        square = np.where(left > 0, total / (at_risk * left), 0.0)
    straight = before**2 * (at_risk - own) * own / at_risk**3
    cross = before * own / at_risk**2

    def add(values: np.ndarray) -> np.ndarray:
        return np.asarray(np.cumsum(values))

    spread = curve**2 * add(square) - 2 * curve * add(square * curve) + add(square * curve**2)
    found = spread + add(straight) - 2 * (curve * add(cross) - add(cross * curve))
    return np.asarray(np.maximum(found, 0.0))


def _bounds(share: np.ndarray, variance: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return bounds of a share, symmetric on the scale log(−log)."""
    if not 0 < level < 1:
        raise UsageError(f"level is a coverage above 0 and below 1; found {level}", where="level")
    inner = (share > 1e-12) & (share < 1 - 1e-12)  # what is nearer to the edge is there but for rounding
    safe = np.where(inner, share, 0.5)
    wide = np.exp(ndtri(0.5 + level / 2) * np.sqrt(variance) / np.abs(safe * np.log(safe)))
    bounds: Sequence[np.ndarray] = (safe**wide, safe ** (1 / wide))
    low, high = (np.where(inner, bound, share) for bound in bounds)
    return low, high
