"""Follow-up cut into intervals: who lived through which, and what came in which.

A person counts in every interval that was lived through, and in the one where an event came. Who is no longer seen
within an interval hands the weight on to those who are, in proportion (Efron's redistribution to the right): without
features the odds of an interval then give the incidence of Aalen and Johansen at its end, whatever the cuts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from casestrat.errors import UsageError
from casestrat.models.hazards.competing_risks import aalen_johansen, kaplan_meier
from casestrat.models.inputs.weighted import weighted_quantiles

_LEAST_EVENTS = 5  # an interval of the default cut has about as many events or more


@dataclass(frozen=True, eq=False, slots=True)
class Periods:
    """Who lived through which interval, and what came in which.

    Attributes
    ----------
    cuts : numpy.ndarray
        Last day of each interval, rising; the first interval begins with day 0 and holds it.
    survived : numpy.ndarray of int
        How many intervals each row lived through; always the first ones.
    ended_in : numpy.ndarray of int
        Interval in which the row's event came, −1 where none was seen.
    cause : numpy.ndarray of int
        Code of the event, 0 where none was seen.
    weight : numpy.ndarray
        How often each row counts.
    passed_on : numpy.ndarray
        By how much those count who lived through an interval, because some who began it were no longer seen at its end.
    event_weight : numpy.ndarray
        How much each row counts in the interval of its event.
    """

    cuts: np.ndarray
    survived: np.ndarray
    ended_in: np.ndarray
    cause: np.ndarray
    weight: np.ndarray
    passed_on: np.ndarray
    event_weight: np.ndarray

    def take(self, rows: np.ndarray) -> Periods:
        """Return some of the rows; who is no longer seen still hands the weight on as among all.

        Parameters
        ----------
        rows : numpy.ndarray of int
            Row positions.

        Returns
        -------
        Periods
            One entry per position.
        """
        return Periods(
            self.cuts,
            self.survived[rows],
            self.ended_in[rows],
            self.cause[rows],
            self.weight[rows],
            self.passed_on,
            self.event_weight[rows],
        )

    def survivors(self) -> np.ndarray:
        """Return how many lived through each interval, as they count.

        Returns
        -------
        numpy.ndarray
            One number per interval.
        """
        ended = np.bincount(self.survived, weights=self.weight, minlength=len(self.cuts) + 1)
        through = np.cumsum(ended[::-1])[::-1][1:]
        return np.asarray(np.where(through > 1e-9, through, 0.0) * self.passed_on)

    def seen(self, cause: int) -> np.ndarray:
        """Return how many were seen to have this event in each interval.

        Parameters
        ----------
        cause : int
            Code of the event.

        Returns
        -------
        numpy.ndarray
            One number per interval.
        """
        own = self.cause == cause
        return np.bincount(self.ended_in[own], weights=self.weight[own], minlength=len(self.cuts))

    def last_chances(self, n_events: int) -> np.ndarray:
        """Return the chances of events in intervals that nobody lived through: the same for everybody.

        Parameters
        ----------
        n_events : int
            How many events there are.

        Returns
        -------
        numpy.ndarray of shape (events, intervals)
            Chances; NaN in intervals that somebody lived through.
        """
        nobody = self.survivors() == 0
        came = np.stack([self.events(k) for k in range(1, n_events + 1)])
        total = came.sum(axis=0)
        return np.where(nobody, came / np.where(total > 0, total, 1.0), np.nan)

    def events(self, cause: int) -> np.ndarray:
        """Return how many had this event in each interval, as they count.

        Parameters
        ----------
        cause : int
            Code of the event.

        Returns
        -------
        numpy.ndarray
            One number per interval.
        """
        own = self.cause == cause
        return np.bincount(self.ended_in[own], weights=self.event_weight[own], minlength=len(self.cuts))


def choose_cuts(
    days: np.ndarray, event: np.ndarray, weight: np.ndarray, intervals: Any, horizons: np.ndarray
) -> np.ndarray:
    """Return the last day of each interval.

    Parameters
    ----------
    days, event, weight : numpy.ndarray
        The follow-up.
    intervals : int, "events" or sequence of float
        How many, at quantiles of the days of events, fewer where an interval would have under five; or one per
        distinct day of an event; or the last day of each.
    horizons : numpy.ndarray
        Days that must be cuts.

    Returns
    -------
    numpy.ndarray
        Rising days; the last is the last day on which anybody was seen.

    Raises
    ------
    UsageError
        ``intervals`` is none of these.
    """
    last = float(days.max())
    if isinstance(intervals, str):
        if intervals != "events":
            raise UsageError(f"intervals is a number, 'events' or days; found {intervals!r}", where="intervals")
        inner = np.unique(days[event > 0])
    elif np.ndim(intervals) == 0:
        inner = _quantiles(days, event, weight, intervals)
    else:
        inner = np.unique(np.asarray(intervals, dtype="float64"))
        if not len(inner) or not np.isfinite(inner).all() or inner[0] <= 0:
            raise UsageError("intervals are days above 0, one or more", where="intervals")
    cuts = np.unique(np.concatenate([inner, horizons, [last]]))
    return np.asarray(cuts[(cuts <= last) & ((cuts > 0) | (cuts == last))])


def cut_follow_up(days: np.ndarray, event: np.ndarray, weight: np.ndarray, cuts: np.ndarray) -> Periods:
    """Return who lived through which interval.

    Parameters
    ----------
    days, event, weight : numpy.ndarray
        The follow-up; weights above 0.
    cuts : numpy.ndarray
        Last day of each interval.

    Returns
    -------
    Periods
        One entry per row.
    """
    happened = event > 0
    # what happens on the day of a cut happens within the interval; who is last seen on it has lived through it
    first = np.searchsorted(cuts, days, side="left")
    survived = np.where(happened, first, np.searchsorted(cuts, days, side="right"))
    seen = kaplan_meier(days, event, weight, of_censoring=True)
    start = np.append(1.0, seen.at(cuts[:-1]))
    passed_on = start / seen.before(cuts)
    at_event = start[np.minimum(first, len(cuts) - 1)] / np.where(happened, seen.before(days), 1.0)
    return Periods(
        cuts,
        survived,
        np.where(happened, first, -1),
        event,
        weight,
        passed_on,
        np.where(happened, weight * at_event, 0.0),
    )


def shape_within(
    days: np.ndarray, event: np.ndarray, weight: np.ndarray, cuts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return when within its interval each event came, over all people: what an interval's share is dealt out by.

    Parameters
    ----------
    days, event, weight : numpy.ndarray
        The follow-up.
    cuts : numpy.ndarray
        Last day of each interval.

    Returns
    -------
    tuple of numpy.ndarray
        Distinct days of events, and for each event (rows) the share of its interval's incidence that has come by each
        of these days; 1 on the last day of the interval's events.
    """
    curve = aalen_johansen(days, event, weight)
    ends = np.stack([curve.at(np.append(-1.0, cuts), event=k) for k in range(1, len(curve.incidence) + 1)])
    interval = np.searchsorted(cuts, curve.times, side="left")
    start, whole = ends[:, interval], np.diff(ends, axis=1)[:, interval]
    share = (curve.incidence - start) / np.where(whole > 0, whole, 1.0)
    return curve.times, np.where(whole > 0, np.clip(share, 0.0, 1.0), 0.0)


def person_periods(periods: Periods, matrix: np.ndarray, cause: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return one row per pattern of features and interval, for a classifier of one event against living on.

    Rows that are alike in everything are one row with their summed weight; intervals that nobody lived through are
    left out.

    Parameters
    ----------
    periods : Periods
        The follow-up of the rows of ``matrix``.
    matrix : numpy.ndarray of shape (n, columns)
        The design.
    cause : int
        Code of the event.

    Returns
    -------
    tuple of numpy.ndarray
        Features with those of the interval beside them, whether the event came, and weights.
    """
    patterns, pattern = np.unique(matrix, axis=0, return_inverse=True)
    n_intervals = len(periods.cuts)
    ended = np.zeros((len(patterns), n_intervals + 1))
    np.add.at(ended, (pattern, periods.survived), periods.weight)
    through = np.cumsum(ended[:, ::-1], axis=1)[:, ::-1][:, 1:] * periods.passed_on
    through[through <= 1e-9] = 0.0
    came = np.zeros((len(patterns), n_intervals))
    own = periods.cause == cause
    np.add.at(came, (pattern[own], periods.ended_in[own]), periods.event_weight[own])
    told = periods.survivors() > 0
    about = interval_features(periods.cuts)
    features, targets, weights = [], [], []
    for target, counts in ((False, through), (True, came)):
        row, interval = np.nonzero(counts * told)
        features.append(np.hstack([patterns[row], about[interval]]))
        targets.append(np.full(len(row), target))
        weights.append(counts[row, interval])
    return np.vstack(features), np.concatenate(targets), np.concatenate(weights)


def interval_features(cuts: np.ndarray) -> np.ndarray:
    """Return what a classifier is told of each interval.

    Parameters
    ----------
    cuts : numpy.ndarray
        Last day of each interval.

    Returns
    -------
    numpy.ndarray of shape (intervals, 4)
        The logarithm of its middle, standardised, its square and cube, and the logarithm of its width.
    """
    starts = np.append(0.0, cuts[:-1])
    middle = np.log1p((starts + cuts) / 2)
    z = (middle - middle.mean()) / (middle.std() or 1.0)
    return np.column_stack([z, z**2, z**3, np.log(np.maximum(cuts - starts, 1e-3))])


def _quantiles(days: np.ndarray, event: np.ndarray, weight: np.ndarray, intervals: Any) -> np.ndarray:
    """Return days by which an equal share of all events has come."""
    if isinstance(intervals, bool) or int(intervals) != intervals or intervals < 1:
        raise UsageError(f"intervals is a number, 1 or more; found {intervals}", where="intervals")
    happened = event > 0
    n = max(1, min(int(intervals), int(weight[happened].sum() / _LEAST_EVENTS + 1e-9)))
    return np.unique(weighted_quantiles(days[happened], weight[happened], np.arange(1, n + 1) / n))
