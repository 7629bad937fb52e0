"""From the chance of each event in each interval to curves: incidence by any day, never falling, summing to 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


def shares(linear: np.ndarray, levels: np.ndarray, fixed: np.ndarray) -> np.ndarray:
    """Return the chance of each event in each interval, for who has lived through those before.

    Parameters
    ----------
    linear : numpy.ndarray of shape (n, events)
        Log-odds of each person against the mean person.
    levels : numpy.ndarray of shape (events, intervals)
        Log-odds of the mean person.
    fixed : numpy.ndarray of shape (events, intervals)
        Chances that hold for everybody, where nobody lived through the interval; else NaN.

    Returns
    -------
    numpy.ndarray of shape (n, events, intervals)
        Chances; they sum to at most 1 over the events.
    """
    log_odds = linear[:, :, None] + levels
    top = np.maximum(log_odds.max(axis=1, keepdims=True), 0.0)
    odds = np.exp(log_odds - top)
    found = odds / (np.exp(-top) + odds.sum(axis=1, keepdims=True))
    return np.where(np.isnan(fixed), found, fixed)


def incidence(chances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the cumulative incidence at the end of each interval, and the share still free of all events.

    Parameters
    ----------
    chances : numpy.ndarray of shape (n, events, intervals)
        The chance of each event in each interval.

    Returns
    -------
    tuple of numpy.ndarray
        Incidence (n, events, intervals + 1), beginning with 0, and free (n, intervals + 1), beginning with 1.
    """
    n, n_events, n_intervals = chances.shape
    free = np.ones((n, n_intervals + 1))
    np.cumprod(np.maximum(1.0 - chances.sum(axis=1), 0.0), axis=1, out=free[:, 1:])
    come = np.zeros((n, n_events, n_intervals + 1))
    np.cumsum(free[:, None, :-1] * chances, axis=2, out=come[:, :, 1:])
    return come, free


@dataclass(frozen=True, eq=False, slots=True)
class CurveReader:
    """Reads curves between the ends of the intervals.

    Attributes
    ----------
    cuts : numpy.ndarray
        Last day of each interval.
    days : numpy.ndarray
        Distinct days of events.
    share : numpy.ndarray of shape (events, days)
        Share of its interval's incidence that has come by each of these days.
    has_events : numpy.ndarray of shape (events, intervals)
        Whether the event came to anybody in the interval; where not, its share is dealt out evenly over the days.
    """

    cuts: np.ndarray
    days: np.ndarray
    share: np.ndarray
    has_events: np.ndarray

    def read(self, come: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Return the incidence of each event by a day.

        Parameters
        ----------
        come : numpy.ndarray of shape (n, events, intervals + 1)
            Incidence at the ends of the intervals, beginning with 0.
        at : numpy.ndarray of shape (n,)
            The day of each row, 0 or more; what lies after the last cut is read on it.

        Returns
        -------
        numpy.ndarray of shape (n, events)
            Incidences.
        """
        at = np.minimum(at, self.cuts[-1])
        interval = np.searchsorted(self.cuts, at, side="left")
        start = np.append(0.0, self.cuts[:-1])[interval]
        place = np.searchsorted(self.days, at, side="right") - 1
        is_within = (place >= 0) & (
            np.searchsorted(self.cuts, self.days[np.maximum(place, 0)], side="left") == interval
        )
        dealt = np.where(is_within, self.share[:, np.maximum(place, 0)], 0.0)
        evenly = (at - start) / np.where(self.cuts[interval] > start, self.cuts[interval] - start, 1.0)
        part = np.where(self.has_events[:, interval], dealt, evenly).T
        rows = np.arange(len(at))
        low, high = come[rows, :, interval], come[rows, :, interval + 1]
        return np.asarray(low + (high - low) * part)
