"""From the chance of each event in each interval to curves: incidence by any day, never falling, summing to 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

_NOBODY = 1e-12  # less than this share is nobody


def shares(log_odds: np.ndarray, fixed: np.ndarray) -> np.ndarray:
    """Return the chance of each event in each interval, for who has lived through those before.

    Parameters
    ----------
    log_odds : numpy.ndarray of shape (n, events, intervals)
        Log-odds of each event against living on.
    fixed : numpy.ndarray of shape (events, intervals)
        Chances that hold for everybody, where nobody lived through the interval; else NaN.

    Returns
    -------
    numpy.ndarray of shape (n, events, intervals)
        Chances; they sum to at most 1 over the events.
    """
    top = np.maximum(log_odds.max(axis=1, keepdims=True), 0.0)
    odds = np.exp(log_odds - top)
    found = odds / (np.exp(-top) + odds.sum(axis=1, keepdims=True))
    return np.asarray(np.where(np.isnan(fixed), found, fixed))


def incidence(chances: np.ndarray) -> np.ndarray:
    """Return the cumulative incidence at the end of each interval.

    Parameters
    ----------
    chances : numpy.ndarray of shape (n, events, intervals)
        The chance of each event in each interval.

    Returns
    -------
    numpy.ndarray of shape (n, events, intervals + 1)
        Incidences, beginning with 0; never falling, and of all events together never above 1.
    """
    n, n_events, n_intervals = chances.shape
    free = np.ones((n, n_intervals))
    np.cumprod(np.maximum(1.0 - chances.sum(axis=1), 0.0)[:, :-1], axis=1, out=free[:, 1:])
    come = np.zeros((n, n_events, n_intervals + 1))
    np.cumsum(free[:, None, :] * chances, axis=2, out=come[:, :, 1:])
    return np.minimum(come, 1.0)  # a sum of rounded shares may end a hair above


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
        return np.asarray(np.minimum(low + (high - low) * part, high))

    def from_start(self, come: np.ndarray, days: np.ndarray) -> np.ndarray:
        """Return the incidence of the outcome by each of some days.

        Parameters
        ----------
        come : numpy.ndarray of shape (n, events, intervals + 1)
            Incidence at the ends of the intervals, beginning with 0; the outcome first.
        days : numpy.ndarray of shape (k,)
            Days, 0 or more.

        Returns
        -------
        numpy.ndarray of shape (n, k)
            Incidences.
        """
        return np.column_stack([self.read(come, np.full(len(come), day))[:, 0] for day in days])

    def after(self, come: np.ndarray, waited: np.ndarray, horizons: np.ndarray) -> np.ndarray:
        """Return the chance of the outcome within each horizon, for who was free of all events up to a day.

        Parameters
        ----------
        come : numpy.ndarray of shape (n, events, intervals + 1)
            Incidence at the ends of the intervals, beginning with 0; the outcome first.
        waited : numpy.ndarray of shape (n,)
            The day up to which nothing had happened.
        horizons : numpy.ndarray of shape (k,)
            Days from there.

        Returns
        -------
        numpy.ndarray of shape (n, k)
            Chances; NaN where nobody is known to have been free so long.
        """
        start = self.read(come, waited)
        left = 1.0 - start.sum(axis=1)
        is_told = (waited < self.cuts[-1]) & (left > _NOBODY)
        found = np.full((len(come), len(horizons)), np.nan)
        for j, horizon in enumerate(horizons):
            gained = self.read(come, waited + horizon)[:, 0] - start[:, 0]
            found[is_told, j] = np.clip(gained[is_told] / left[is_told], 0.0, 1.0)
        return found


def curves_frame(index: pd.Index, days: np.ndarray, found: np.ndarray) -> pd.DataFrame:
    """Return curves in long form.

    Parameters
    ----------
    index : pandas.Index
        The persons and dates.
    days : numpy.ndarray of shape (k,)
        The days.
    found : numpy.ndarray of shape (n, k, events)
        Incidences.

    Returns
    -------
    pandas.DataFrame
        One row per row of the index and day: ``event_1`` … and ``free``, which sum to 1.
    """
    place = np.repeat(np.arange(len(index)), len(days))
    levels = [index.get_level_values(i).take(place) for i in range(index.nlevels)]
    names = [f"event_{k}" for k in range(1, found.shape[2] + 1)]
    frame = pd.DataFrame(found.reshape(-1, len(names)), columns=names)
    frame["free"] = np.clip(1.0 - frame.sum(axis=1), 0.0, 1.0)
    told = ["row" if name is None else name for name in index.names]
    frame.index = pd.MultiIndex.from_arrays([*levels, np.tile(days, len(index))], names=[*told, "day"])
    return frame
