"""From weights to whole points: the multiplier, then one point up or down as long as the fit gains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from casestrat.models.cards.search import fit_weights

if TYPE_CHECKING:
    from casestrat.models.cards.candidates import Candidates
    from casestrat.models.cards.search import Chosen, Patterns

_MULTIPLIERS = 24
_STARTS = 2
_MOST_MOVES = 100
_STEPS = 12


@dataclass(frozen=True, slots=True)
class PointedRows:
    """Conditions with whole points, and the line from points to log-odds.

    Attributes
    ----------
    rows : tuple of int
        Positions of the conditions.
    points : numpy.ndarray of int
        Points of each.
    intercept, slope : float
        Log-odds at no points, and what a point adds.
    loss : float
        Minus the log-likelihood.
    """

    rows: tuple[int, ...]
    points: np.ndarray
    intercept: float
    slope: float
    loss: float


def to_points(candidates: Candidates, patterns: Patterns, chosen: Chosen, max_points: int) -> PointedRows:
    """Turn weights into whole points.

    Parameters
    ----------
    candidates : Candidates
        The conditions.
    patterns : Patterns
        People by the chosen conditions.
    chosen : Chosen
        Conditions and weights.
    max_points : int
        The most points of a row, in size.

    Returns
    -------
    PointedRows
        No row has 0 points; points without a common divisor.
    """
    free = candidates.is_free[list(chosen.rows)]
    largest = np.abs(chosen.weights).max()
    sizes = np.linspace(1.0, max_points, _MULTIPLIERS)
    starts = np.unique(np.rint(chosen.weights * (sizes / largest)[:, None]), axis=0)
    signs = np.where(chosen.weights < 0, -1.0, 1.0)
    pairs = _in_order(candidates, chosen.rows)
    starts = np.unique(_keep_order(np.where(starts == 0, signs, starts), pairs), axis=0)
    losses, _ = _lines(patterns, starts)
    singly, pairwise = _moves(len(free))
    ended = [
        _descend(patterns, start, free, max_points, singly, pairs)
        for start in starts[np.argsort(losses, kind="stable")[:_STARTS]]
    ]
    points = min(ended, key=lambda one: (round(one[0], 9), tuple(one[1])))[1]
    points = _descend(patterns, points, free, max_points, pairwise, pairs)[1]
    points = points / np.gcd.reduce(points.astype(int))
    return _with_line(patterns, chosen.rows, points.astype(int))


def refit_line(patterns: Patterns, card: PointedRows) -> PointedRows:
    """Return the same points with the line from points to log-odds that fits these people.

    Parameters
    ----------
    patterns : Patterns
        People by the rows of the card.
    card : PointedRows
        Rows and points.

    Returns
    -------
    PointedRows
        The card with intercept, slope and loss on these people.
    """
    return _with_line(patterns, card.rows, card.points)


def _with_line(patterns: Patterns, rows: tuple[int, ...], points: np.ndarray) -> PointedRows:
    """Fit the line of these points."""
    loss, line = _lines(patterns, points[None, :])
    return PointedRows(rows, points, float(line[0, 0]), float(line[0, 1]), float(loss[0]))


def _moves(n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the changes of one row by a point, and those of one or two rows."""
    steps = np.concatenate([np.eye(n_rows), -np.eye(n_rows)])
    pairs = (steps[:, None, :] + steps[None, :, :]).reshape(-1, n_rows)
    return steps, np.unique(np.concatenate([steps, pairs[np.abs(pairs).sum(axis=1) == 2]]), axis=0)


def _descend(
    patterns: Patterns, points: np.ndarray, free: np.ndarray, most: int, moves: np.ndarray, pairs: list[tuple[int, int]]
) -> tuple[float, np.ndarray]:
    """Take the best of these changes, again and again, as long as the fit gains."""
    loss = _lines(patterns, points[None, :])[0][0]
    for _ in range(_MOST_MOVES):
        tried = points + moves
        fits = ((tried != 0) & (np.abs(tried) <= most) & (free | (tried > 0))).all(axis=1)
        for better, worse in pairs:
            fits &= tried[:, worse] >= tried[:, better]
        tried = tried[fits]
        if not len(tried):
            break
        losses, _ = _lines(patterns, tried)
        best = int(np.argmin(losses))
        if not losses[best] < loss - 1e-9 * abs(loss):
            break
        points, loss = tried[best], losses[best]
    return float(loss), points


def _in_order(candidates: Candidates, rows: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return the pairs of a better and a worse declared level of one item, by their places among the rows."""
    item, order = candidates.item[list(rows)], candidates.order[list(rows)]
    by_order = np.argsort(order, kind="stable").tolist()
    return [
        (better, worse)
        for better in by_order
        for worse in by_order
        if item[better] == item[worse] and 0 <= order[better] < order[worse]
    ]


def _keep_order(points: np.ndarray, pairs: list[tuple[int, int]]) -> np.ndarray:
    """Raise the points of a worse declared level to those of the better ones."""
    points = points.copy()
    for better, worse in pairs:
        points[:, worse] = np.maximum(points[:, worse], points[:, better])
    return points


def _lines(patterns: Patterns, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit log-odds = intercept + slope × points for each set of points: losses, and (intercept, slope) a set."""
    total = points @ patterns.design.T
    people, events = patterns.people, patterns.events
    n, n_events = people.sum(), events.sum()
    share = n_events / n
    middle = total @ people / n
    scale = np.sqrt(np.maximum(((total - middle[:, None]) ** 2) @ people / n, 1e-12))
    z = (total - middle[:, None]) / scale[:, None]
    a, b = np.full(len(points), np.log(share / (1 - share))), np.zeros(len(points))
    for _ in range(_STEPS):
        risk = expit(a[:, None] + b[:, None] * z)
        spread = people * risk * (1 - risk)
        left = events - people * risk
        g0, g1 = left.sum(axis=1), (left * z).sum(axis=1) - 1e-6 * b
        h00, h01, h11 = spread.sum(axis=1), (spread * z).sum(axis=1), (spread * z * z).sum(axis=1) + 1e-6
        det = np.maximum(h00 * h11 - h01**2, 1e-12)
        step0, step1 = (h11 * g0 - h01 * g1) / det, (h00 * g1 - h01 * g0) / det
        a, b = a + np.clip(step0, -3, 3), b + np.clip(step1, -3, 3)
        lost = np.maximum(np.abs(step0), np.abs(step1)) >= 1e-5
        if not lost.any():
            break
    for i in np.flatnonzero(lost):  # a whole step can overshoot where the outcome is rare: such a line starts again
        a[i], b[i] = _guarded_line(patterns, z[i])
    odds = a[:, None] + b[:, None] * z
    loss = (people * np.logaddexp(0, odds) - events * odds).sum(axis=1)
    slope = b / scale
    return loss, np.column_stack([a - slope * middle, slope])


def _guarded_line(patterns: Patterns, z: np.ndarray) -> np.ndarray:
    """Fit one line from the mean risk, with steps that always gain: intercept and slope."""
    design = np.column_stack([np.ones(len(z)), z])[None]
    share = patterns.events.sum() / patterns.people.sum()
    start = np.array([[np.log(share / (1 - share)), 0.0]])
    people, events = patterns.people[None], patterns.events[None]
    return np.asarray(fit_weights(design, people, events, start, ridge=5e-7)[0][0])
