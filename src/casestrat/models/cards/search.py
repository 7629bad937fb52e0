"""Which rows a card takes: a beam search for the logistic model of few conditions that fits best.

People enter only through how many of them, and of their events, stand in each pattern of the chosen conditions and in
each bin of every item. From these counts the score test of every further condition, and the fit with it, follow
without another look at the people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from casestrat.models.cards.candidates import Candidates
    from casestrat.models.cards.settings import Limits

_RIDGE = 0.01  # against weights without end where a condition parts the classes wholly
_STEPS = 8
_GUARDED_STEPS, _HALVINGS = 50, 40
_EXCHANGES = 5  # conditions that are fitted in the place of one
_AT_ONCE = 8  # conditions that are coded in one number
_CLOSE = 1e-4  # log-odds: the loss is then right to 1e-8 a person
_LARGEST_STEP = 4.0  # log-odds


@dataclass(frozen=True, slots=True)
class Chosen:
    """Conditions that are in, with their weights.

    Attributes
    ----------
    rows : tuple of int
        Positions of the conditions, in the order they came in.
    weights : numpy.ndarray
        Log-odds of each.
    intercept : float
        Log-odds where none holds.
    loss : float
        Minus the log-likelihood, with the ridge.
    """

    rows: tuple[int, ...]
    weights: np.ndarray
    intercept: float
    loss: float


@dataclass(frozen=True, slots=True)
class Patterns:
    """People gathered by which of the chosen conditions hold.

    Attributes
    ----------
    code : numpy.ndarray of int
        Pattern of each person.
    design : numpy.ndarray of shape (patterns, rows)
        Whether each condition holds in each pattern.
    people, events : numpy.ndarray
        How many people, and events, stand in each.
    """

    code: np.ndarray
    design: np.ndarray
    people: np.ndarray
    events: np.ndarray


@dataclass(frozen=True, slots=True)
class People:
    """Whom a card is learned on: what may be asked of them, what came, and how many each row stands for.

    Attributes
    ----------
    candidates : Candidates
        The conditions, and the bins of the rows.
    event, weight : numpy.ndarray
        Whether the outcome came, and how many each row stands for.
    by_bin : scipy.sparse.csr_array of shape (bins, n)
        Which rows stand in each bin: it adds up anything about rows by the bins of every item.
    """

    candidates: Candidates
    event: np.ndarray
    weight: np.ndarray
    by_bin: csr_array

    @classmethod
    def of(cls, candidates: Candidates, event: np.ndarray, weight: np.ndarray) -> People:
        """Make it of the conditions, events and weights of the rows."""
        n, n_items = candidates.bins.shape
        ends = np.arange(0, n * n_items + 1, n_items)
        rows_by_bin = csr_array((np.ones(n * n_items), candidates.bins.ravel(), ends), shape=(n, candidates.n_bins))
        return cls(candidates, event, weight, rows_by_bin.T.tocsr())

    def patterns(self, rows: Sequence[int]) -> Patterns:
        """Gather people by these conditions."""
        code = np.zeros(len(self.event), dtype=np.int64)
        design = np.zeros((1, 0), dtype=bool)
        for start in range(0, len(rows), _AT_ONCE):  # numbered anew now and then, so that any number of them fits
            some = rows[start : start + _AT_ONCE]
            for row in some:
                code = code * 2 + self.candidates.holds(row)
            there = np.flatnonzero(np.bincount(code))
            place = np.zeros(there[-1] + 1, dtype=np.int64)
            place[there] = np.arange(len(there))
            bits = (there[:, None] >> np.arange(len(some))[::-1]) & 1 == 1
            design = np.column_stack([design[there >> len(some)], bits])
            code = place[code]
        people = np.bincount(code, weights=self.weight, minlength=len(design))
        events = np.bincount(code, weights=self.weight * self.event, minlength=len(design))
        return Patterns(code, design.astype(float), people, events)

    def take(self, rows: np.ndarray) -> People:
        """Return these rows."""
        return People.of(self.candidates.take(rows), self.event[rows], self.weight[rows])


def search(people: People, limits: Limits, most_rows: int, beam_width: int) -> Iterator[list[Chosen]]:
    """Give the best sets of conditions of one row, of two rows and so on.

    Parameters
    ----------
    people : People
        Whom to learn on.
    limits : Limits
        What the card may look at.
    most_rows : int
        The most rows.
    beam_width : int
        How many sets of each size are followed.

    Yields
    ------
    list of Chosen
        The best first; the search ends where no condition can be added.
    """
    share = np.average(people.event, weights=people.weight)
    start = float(np.log(share / (1 - share)))
    beam = [Chosen((), np.zeros(0), start, np.inf)]
    for _ in range(most_rows):
        found: dict[frozenset[int], Chosen] = {}
        for member in beam:
            for longer in extend(people, limits, member, most_rows, tried=2 * beam_width):
                found.setdefault(frozenset(longer.rows), longer)
        beam = sorted(found.values(), key=_by_loss)[:beam_width]
        if not beam:
            return
        beam = sorted((improve(people, limits, member, most_rows) for member in beam[:1]), key=_by_loss) + beam[1:]
        yield beam


def improve(people: People, limits: Limits, member: Chosen, most_rows: int) -> Chosen:
    """Exchange one condition after the other for a better one, as long as the fit gains.

    Parameters
    ----------
    people : People
        Whom to learn on.
    limits : Limits
        What the card may look at.
    member : Chosen
        The conditions that are in.
    most_rows : int
        The most rows.

    Returns
    -------
    Chosen
        As many conditions, with a loss not above that of ``member``.
    """
    place = 0
    while place < len(member.rows) and len(member.rows) > 1:
        rest = _without(people, member, place)
        others = extend(people, limits, rest, most_rows, tried=_EXCHANGES)
        best = min(others, key=_by_loss, default=member)
        if best.loss < member.loss - 1e-6 * abs(member.loss):
            member, place = best, 0
        else:
            place += 1
    return member


def _without(people: People, member: Chosen, place: int) -> Chosen:
    """Leave one condition out and fit the others: only where they fit is it right what a further one would gain."""
    rows = member.rows[:place] + member.rows[place + 1 :]
    patterns = people.patterns(rows)
    design = np.column_stack([np.ones(len(patterns.people)), patterns.design])[None]
    start = np.concatenate([[member.intercept], np.delete(member.weights, place)])[None]
    weights, loss = fit_weights(design, patterns.people[None], patterns.events[None], start)
    return Chosen(rows, weights[0, 1:], float(weights[0, 0]), float(loss[0]))


def extend(people: People, limits: Limits, member: Chosen, most_rows: int, tried: int) -> list[Chosen]:
    """Return the sets with one condition more, fitted, for the conditions of the best score test.

    Parameters
    ----------
    people : People
        Whom to learn on.
    limits : Limits
        What the card may look at.
    member : Chosen
        The conditions that are in.
    most_rows : int
        The most rows of the card, which tells when a forced item must come in.
    tried : int
        How many conditions are fitted.

    Returns
    -------
    list of Chosen
        One per condition whose weights keep their signs.
    """
    candidates = people.candidates
    patterns = people.patterns(member.rows)
    gain, slope = _score_test(people, patterns, member)
    gain[~_allowed(candidates, limits, member.rows, most_rows)] = -np.inf
    gain[(slope <= 0) & ~candidates.is_free] = -np.inf
    top = np.argsort(-gain, kind="stable")[:tried]
    top = top[gain[top] > 1e-9]
    if not len(top):
        return []
    inside = _counts_inside(people, patterns, top)
    weights, losses = _fit_each(patterns, member, *inside)
    rows = [(*member.rows, int(one)) for one in top]
    signed = [
        bool(((w[1:] > 0) | candidates.is_free[list(chosen)]).all()) for w, chosen in zip(weights, rows, strict=True)
    ]
    return [
        Chosen(chosen, w[1:], float(w[0]), float(loss))
        for chosen, w, loss, is_signed in zip(rows, weights, losses, signed, strict=True)
        if is_signed
    ]


def _by_loss(member: Chosen) -> tuple[float, tuple[int, ...]]:
    """Order sets by their fit, equal ones by their conditions."""
    return round(member.loss, 9), tuple(sorted(member.rows))


def _allowed(candidates: Candidates, limits: Limits, rows: Sequence[int], most_rows: int) -> np.ndarray:
    """Tell which conditions may come in beside those that are in."""
    allowed = np.ones(len(candidates.item), dtype=bool)
    allowed[list(rows)] = False
    items = candidates.item[list(rows)]
    for row in rows:
        same = candidates.item == candidates.item[row]
        if limits.is_monotone and candidates.way[row]:
            allowed &= ~(same & (candidates.way == -candidates.way[row]))
    if limits.max_rows_per_item is not None:
        full = np.bincount(items, minlength=len(candidates.names)) >= limits.max_rows_per_item
        allowed &= ~full[candidates.item]
    owed = [candidates.names.index(name) for name in limits.forced]
    owed = [item for item in owed if item not in items]
    if owed and most_rows - len(rows) <= len(owed):
        allowed &= np.isin(candidates.item, owed)
    ordered = candidates.order > 0
    if ordered.any():  # a worse level comes in before a better one, so that it never has fewer points
        for j in np.flatnonzero(allowed & ordered):
            worse = np.flatnonzero((candidates.item == candidates.item[j]) & (candidates.order > candidates.order[j]))
            allowed[j] = set(worse.tolist()) <= set(rows)
    return allowed


def _counts_inside(people: People, patterns: Patterns, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Count people and events for whom each condition holds, by pattern: two arrays of patterns by conditions."""
    size = len(patterns.people)
    held, came = np.empty((size, len(which))), np.empty((size, len(which)))
    for column, candidate in enumerate(which):
        there = np.flatnonzero(people.candidates.holds(candidate))
        code, weight = patterns.code[there], people.weight[there]
        held[:, column] = np.bincount(code, weights=weight, minlength=size)
        came[:, column] = np.bincount(code, weights=weight * people.event[there], minlength=size)
    return held, came


def _score_test(people: People, patterns: Patterns, member: Chosen) -> tuple[np.ndarray, np.ndarray]:
    """Return Rao's statistic of every condition, given those that are in, and its slope."""
    candidates = people.candidates
    inside = np.column_stack([np.ones(len(patterns.people)), patterns.design])
    risk = expit(member.intercept + patterns.design @ member.weights)
    spread = (risk * (1 - risk))[:, None] * inside
    of_rows = np.empty((len(people.event), inside.shape[1] + 1))
    of_rows[:, 0] = people.weight * (people.event - risk[patterns.code])
    of_rows[:, 1:] = people.weight[:, None] * spread[patterns.code]
    reached = np.zeros((candidates.n_bins + 1, of_rows.shape[1]))
    np.cumsum(people.by_bin @ of_rows, axis=0, out=reached[1:])
    told = reached[candidates.last] - reached[candidates.first]
    slope, cross = told[:, 0], told[:, 1:]
    own = cross[:, 0]
    information = (inside * patterns.people[:, None]).T @ spread
    information += np.diag(np.full(len(information), 1e-9 * patterns.people.sum()))
    left = own - ((cross @ np.linalg.inv(information)) * cross).sum(axis=1)
    there = left > 1e-9 * (1 + own)
    gain = np.zeros(len(own))
    gain[there] = slope[there] ** 2 / left[there]
    return gain, np.divide(slope, left, out=np.zeros(len(own)), where=there)


def _fit_each(
    patterns: Patterns, member: Chosen, people: np.ndarray, events: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Fit the chosen conditions with each further one: weights (intercept first) and losses, one row a condition."""
    n_patterns, n_inside = patterns.design.shape
    n_tried = people.shape[1]
    design = np.zeros((n_tried, 2 * n_patterns, n_inside + 2))
    design[:, :, 0] = 1.0
    design[:, :, 1:-1] = np.concatenate([patterns.design, patterns.design])
    design[:, n_patterns:, -1] = 1.0
    held = np.concatenate([patterns.people[:, None] - people, people]).T
    came = np.concatenate([patterns.events[:, None] - events, events]).T
    # The new weight starts at 0, where the others fit: with a weight of its own they would have to give way at once.
    weights = np.zeros((n_tried, n_inside + 2))
    weights[:, 0], weights[:, 1:-1] = member.intercept, member.weights
    return fit_weights(design, held, came, weights)


def fit_weights(
    design: np.ndarray,
    people: np.ndarray,
    events: np.ndarray,
    weights: np.ndarray,
    *,
    steps: int = _STEPS,
    ridge: float = _RIDGE,
) -> tuple[np.ndarray, np.ndarray]:
    """Fit several logistic regressions at once by Newton's method.

    Parameters
    ----------
    design : numpy.ndarray of shape (models, patterns, columns)
        The first column is the intercept, which is not shrunk.
    people, events : numpy.ndarray of shape (models, patterns)
        How many people and events stand in each pattern.
    weights : numpy.ndarray of shape (models, columns)
        Where to start.
    steps : int
        The most whole steps; a model that they do not bring home starts again, and takes only steps that gain.
    ridge : float
        What the square of each weight costs.

    Returns
    -------
    tuple of numpy.ndarray
        Weights, one row per model, and losses.
    """
    shrunk = np.full(design.shape[2], 2 * ridge)
    shrunk[0] = 1e-9
    start = weights
    for _ in range(steps):
        step = _newton_step(design, people, events, shrunk, weights)
        weights = weights + step
        if np.abs(step).max() < _CLOSE:
            break
    # Where the outcome is rare, a whole step can overshoot, and so can each one after it: the fit runs away.
    lost = np.abs(step).max(axis=1) >= _CLOSE
    if lost.any():
        weights[lost] = _fit_guarded(design[lost], people[lost], events[lost], shrunk, start[lost])
    return weights, _losses(design, people, events, shrunk, weights)


def _fit_guarded(
    design: np.ndarray, people: np.ndarray, events: np.ndarray, shrunk: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Fit with Newton steps that are halved until the loss falls; it ends at the optimum from any start."""
    loss = _losses(design, people, events, shrunk, weights)
    for _ in range(_GUARDED_STEPS):
        step = _newton_step(design, people, events, shrunk, weights)
        tried = _losses(design, people, events, shrunk, weights + step)
        for _ in range(_HALVINGS):
            worse = tried > loss + 1e-12 * np.abs(loss)
            if not worse.any():
                break
            step[worse] /= 2
            tried = _losses(design, people, events, shrunk, weights + step)
        weights, loss = weights + step, tried
        if np.abs(step).max() < _CLOSE:
            break
    return weights


def _newton_step(
    design: np.ndarray, people: np.ndarray, events: np.ndarray, shrunk: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Return the next step of each model, one row a model."""
    turned = design.transpose(0, 2, 1)
    risk = expit(np.matmul(design, weights[:, :, None])[:, :, 0])
    gradient = np.matmul(turned, (events - people * risk)[:, :, None])[:, :, 0] - shrunk * weights
    information = np.matmul(turned * (people * risk * (1 - risk))[:, None, :], design)
    information += np.diag(shrunk + 1e-9)
    step = np.linalg.solve(information, gradient[:, :, None])[:, :, 0]
    return np.clip(step, -_LARGEST_STEP, _LARGEST_STEP)


def _losses(
    design: np.ndarray, people: np.ndarray, events: np.ndarray, shrunk: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Return minus the penalised log-likelihood of each model."""
    odds = np.matmul(design, weights[:, :, None])[:, :, 0]
    missed = np.sum(people * np.logaddexp(0, odds) - events * odds, axis=1)
    return np.asarray(missed + np.sum(shrunk / 2 * weights**2, axis=1))
