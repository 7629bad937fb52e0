"""The hazard of one event: penalised logistic regression of its coming, in each interval, against living on.

No row is ever written for each person and interval: sums over intervals are made block by block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

from casestrat.errors import UsageError
from casestrat.models.measures.posterior import normal_draws

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from casestrat.models.hazards.periods import Periods

_CELLS = 1_000_000  # persons × intervals in memory at a time
_STEPS = 100
_LEAST_STEP = 1e-11  # share of a step below which it is taken as it is
MOST_PARAMETERS = 400  # of which a covariance is kept
_BENDING = 0.01  # penalty of a curve's bends, so that one without events at an end does not run away
_CURVE = 4  # parameters of a smooth baseline: a cubic in the logarithm of the day


@dataclass(frozen=True, eq=False, slots=True)
class Regression:
    """Penalised logistic regression of one event against living on, with a level or a curve for the intervals.

    Attributes
    ----------
    levels : numpy.ndarray
        Log-odds of the mean person in each interval; −inf where the event never came.
    weights : numpy.ndarray
        Weight of each column of the design, in log-odds.
    covariance : numpy.ndarray
        Of the levels that are finite, then of the weights: the inverse of the penalised information; where persons have
        several rows, with the scatter of the persons' scores in its middle. Empty above ``MOST_PARAMETERS``.
    converged : bool
        Whether Newton's steps came to rest.
    """

    levels: np.ndarray
    weights: np.ndarray
    covariance: np.ndarray
    converged: bool


@dataclass(frozen=True, eq=False, slots=True)
class Settings:
    """How a hazard is fitted.

    Attributes
    ----------
    penalty : float
        Half of this times the squared weights is taken from the log-likelihood.
    smooth : bool
        Whether the levels of the intervals follow a curve.
    persons : numpy.ndarray of int, or None
        The person of each row, where a person has several.
    with_covariance : bool
        Whether the covariance is wanted.
    tolerance : float
        Newton's steps end where one is shorter than this.
    """

    penalty: float
    smooth: bool = False
    persons: np.ndarray | None = None
    with_covariance: bool = True
    tolerance: float = 1e-11


def regress(
    periods: Periods,
    matrix: np.ndarray,
    cause: int,
    settings: Settings,
    *,
    offset: np.ndarray | None = None,
    begin: Regression | None = None,
) -> Regression:
    """Fit the hazard of one event.

    Parameters
    ----------
    periods : Periods
        The follow-up of the rows of ``matrix``.
    matrix : numpy.ndarray of shape (n, columns)
        The design, centred.
    cause : int
        Code of the event.
    settings : Settings
        How.
    offset : numpy.ndarray of shape (n,), optional
        Log-odds that each row has beside what is learned.
    begin : Regression, optional
        One of about the same people, to begin with.

    Returns
    -------
    Regression
        Levels and weights.
    """
    baseline = _baseline(periods, cause, smooth=settings.smooth)
    levels = np.full(len(periods.cuts), -np.inf)
    if not len(baseline.used):
        return Regression(levels, np.zeros(matrix.shape[1]), np.empty((0, 0)), converged=True)
    beside = np.zeros(len(matrix)) if offset is None else offset
    task = _Task(periods, matrix, cause, baseline, settings.penalty, beside, settings.tolerance)
    gamma, weights = _start(periods, cause, baseline), np.zeros(matrix.shape[1])
    if begin is not None and baseline.basis is None:
        gamma, weights = begin.levels[baseline.used], begin.weights
    gamma, weights, converged = task.solve(gamma, weights)
    levels[baseline.used] = baseline.levels(gamma)
    covariance = np.empty((0, 0))
    if settings.with_covariance and len(gamma) + len(weights) <= MOST_PARAMETERS:
        covariance = task.covariance(gamma, weights, settings.persons)
    return Regression(levels, weights, covariance, converged)


def parameter_draws(
    levels: np.ndarray, weights: np.ndarray, covariances: Sequence[np.ndarray], n_draws: int, random_state: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give draws of levels and weights from their normal approximation, each event by itself.

    Parameters
    ----------
    levels : numpy.ndarray of shape (events, intervals)
        Log-odds of the mean person.
    weights : numpy.ndarray of shape (events, columns)
        Weights of the design.
    covariances : sequence of numpy.ndarray
        One per event, as a :class:`Regression` has it.
    n_draws : int
        Number of draws.
    random_state : int
        Seed.

    Yields
    ------
    tuple of numpy.ndarray
        Levels and weights of one draw.

    Raises
    ------
    UsageError
        An event has too many parameters.
    """
    rng = np.random.default_rng(random_state)
    finite = np.isfinite(levels)
    drawn = []
    for k, covariance in enumerate(covariances):
        mean = np.concatenate([levels[k, finite[k]], weights[k]])
        if finite[k].any() and not len(covariance):
            raise UsageError(
                f"draws need {MOST_PARAMETERS} parameters at most; event {k + 1} has {len(mean)}",
                where="intervals",
                do="use fewer intervals",
            )
        noise = rng.standard_normal((n_draws, len(mean)))
        drawn.append(normal_draws(mean, covariance, noise) if finite[k].any() else np.tile(mean, (n_draws, 1)))
    for draw in range(n_draws):
        new_levels, new_weights = levels.copy(), weights.copy()
        for k, values in enumerate(drawn):
            n_levels = int(finite[k].sum())
            new_levels[k, finite[k]] = values[draw, :n_levels]
            new_weights[k] = values[draw, n_levels:]
        yield new_levels, new_weights


@dataclass(frozen=True, eq=False, slots=True)
class _Baseline:
    """The intervals that tell something, and how few numbers make their levels."""

    used: np.ndarray
    basis: np.ndarray | None  # None: a level of its own for each
    offset: np.ndarray
    prior: np.ndarray

    def levels(self, gamma: np.ndarray) -> np.ndarray:
        """Return the level of each used interval."""
        return np.asarray(gamma if self.basis is None else self.offset + self.basis @ gamma)

    def gather(self, by_level: np.ndarray) -> np.ndarray:
        """Turn sums by level into sums by parameter."""
        return by_level if self.basis is None else np.asarray(self.basis.T @ by_level)

    def block(self, level_sums: np.ndarray) -> np.ndarray:
        """Return the information of the parameters."""
        if self.basis is None:
            return np.diag(level_sums)
        return np.asarray(self.basis.T @ (level_sums[:, None] * self.basis)) + np.diag(self.prior)

    def solver(self, level_sums: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        """Return what solves that block: a division for steps, a small system for a curve."""
        if self.basis is None:
            safe = np.where(level_sums > 0, level_sums, np.inf)
            return lambda right: np.asarray((right.T / safe).T)
        small = self.block(level_sums)
        return lambda right: np.asarray(np.linalg.lstsq(small, right, rcond=None)[0])


def _baseline(periods: Periods, cause: int, *, smooth: bool) -> _Baseline:
    """Return the baseline of one event: where nobody lived through, or an event never came, nothing is learned."""
    events, told = periods.events(cause), periods.survivors() > 0
    if not smooth or not events[told].any():
        used = np.flatnonzero((events > 0) & told)
        return _Baseline(used, None, np.zeros(len(used)), np.zeros(len(used)))
    used = np.flatnonzero(told)
    starts = np.append(0.0, periods.cuts[:-1])[used]
    width = np.maximum(periods.cuts[used] - starts, 1e-3)
    z = np.log1p((starts + periods.cuts[used]) / 2)
    z = (z - z.mean()) / (z.std() or 1.0)
    basis, _ = np.linalg.qr(z[:, None] ** np.arange(min(_CURVE, len(used))))
    return _Baseline(used, basis, np.log(width), np.append(0.0, np.full(basis.shape[1] - 1, _BENDING)))


def _start(periods: Periods, cause: int, baseline: _Baseline) -> np.ndarray:
    """Return parameters to begin with: of a step its own log-odds, which without features is the end."""
    events, survivors = periods.events(cause)[baseline.used], periods.survivors()[baseline.used]
    if baseline.basis is None:
        return np.asarray(np.log(events / survivors))
    level = np.log(events.sum() / (survivors * np.exp(baseline.offset)).sum())
    return np.asarray(baseline.basis.T @ np.full(len(events), level))


@dataclass(frozen=True, eq=False, slots=True)
class _Task:
    """One regression: its sums over persons and intervals, made block by block."""

    periods: Periods
    matrix: np.ndarray
    cause: int
    baseline: _Baseline
    penalty: float
    offset: np.ndarray
    tolerance: float

    @property
    def used(self) -> np.ndarray:
        """The intervals that tell something."""
        return self.baseline.used

    def solve(self, gamma: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
        """Newton's steps, halved where one does not help."""
        if not len(weights) and self.baseline.basis is None and not self.offset.any():
            # each level is its own log-odds already
            return gamma, weights, True
        loss, gradient, blocks = self.sums(gamma, weights)
        for _ in range(_STEPS):
            steps = self.step(gradient, blocks)
            scale = 1.0
            while True:
                tried = (gamma + scale * steps[0], weights + scale * steps[1])
                new = self.sums(*tried)
                if new[0] <= loss + 1e-12 * abs(loss) or scale < _LEAST_STEP:
                    break
                scale /= 2
            gamma, weights = tried
            loss, gradient, blocks = new
            if scale * max(np.abs(step).max(initial=0.0) for step in steps) < self.tolerance:
                return gamma, weights, True
        return gamma, weights, False

    def step(
        self, gradient: tuple[np.ndarray, np.ndarray], blocks: tuple[np.ndarray, np.ndarray, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return Newton's step, the levels eliminated first."""
        level_sums, crossed, square = blocks
        towards, pull = gradient
        solve = self.baseline.solver(level_sums)
        if not len(pull):
            return solve(towards), pull
        schur = square + self.penalty * np.eye(len(pull)) - crossed.T @ solve(crossed)
        step_weights = np.linalg.lstsq(schur, pull - crossed.T @ solve(towards), rcond=None)[0]
        return solve(towards - crossed @ step_weights), step_weights

    def sums(
        self, gamma: np.ndarray, weights: np.ndarray
    ) -> tuple[float, tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Return loss, gradients, and of the information what levels, levels by weights, and weights have."""
        levels = self.baseline.levels(gamma)
        n_used, n_columns = len(self.used), len(weights)
        loss = 0.5 * (self.penalty * float(weights @ weights) + float(self.baseline.prior @ gamma**2))
        by_level, by_weight = np.zeros(n_used), -self.penalty * weights
        level_sums, cross, square = np.zeros(n_used), np.zeros((n_used, n_columns)), np.zeros((n_columns, n_columns))
        for rows, weight, happened in self.blocks():
            x = self.matrix[rows]
            linear = (x @ weights + self.offset[rows])[:, None] + levels
            chance = expit(linear)
            # only where the event came is the target 1, and nowhere else has the row's own event a weight
            loss += float(np.sum(weight * np.logaddexp(0.0, linear))) - float(np.sum((weight * linear)[happened]))
            residual = -weight * chance
            residual[happened] += weight[happened]
            curvature = weight * chance * (1.0 - chance)
            by_level += residual.sum(axis=0)
            by_weight += x.T @ residual.sum(axis=1)
            level_sums += curvature.sum(axis=0)
            cross += curvature.T @ x
            square += (x * curvature.sum(axis=1)[:, None]).T @ x
        by_gamma = self.baseline.gather(by_level) - self.baseline.prior * gamma
        return loss, (by_gamma, by_weight), (level_sums, self.baseline.gather(cross), square)

    def blocks(
        self, order: np.ndarray | None = None, edges: np.ndarray | None = None
    ) -> Iterator[tuple[Any, np.ndarray, Any]]:
        """Give rows with their weight in each used interval, and where the event came."""
        n = len(self.periods.weight)
        size = max(1, _CELLS // max(1, len(self.used)))
        starts = np.arange(0, n, size) if edges is None else _spaced(edges, size)
        for start, stop in zip(starts, np.append(starts[1:], n), strict=True):
            rows = slice(start, stop) if order is None else order[start:stop]
            yield rows, *self.weigh(rows)

    def weigh(self, rows: Any) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
        """Return the weight of some rows in each used interval, and the places of their events."""
        p = self.periods
        weight = np.where(p.survived[rows][:, None] > self.used, p.weight[rows][:, None] * p.passed_on[self.used], 0.0)
        ended, cause = p.ended_in[rows], p.cause[rows]
        place = np.searchsorted(self.used, ended)
        is_used = (cause == self.cause) & (self.used[np.minimum(place, len(self.used) - 1)] == ended)
        happened = (np.flatnonzero(is_used), place[is_used])
        weight[happened] = p.event_weight[rows][is_used]
        return weight, happened

    def covariance(self, gamma: np.ndarray, weights: np.ndarray, persons: np.ndarray | None) -> np.ndarray:
        """Return the covariance of levels and weights."""
        n_gamma, n_columns = len(gamma), len(weights)
        _, _, (level_sums, crossed, square) = self.sums(gamma, weights)
        prior = np.diag(np.append(self.baseline.prior, np.full(n_columns, self.penalty)))
        ridge = prior[n_gamma:, n_gamma:]
        information = np.block([[self.baseline.block(level_sums), crossed], [crossed.T, square + ridge]])
        found = np.linalg.pinv(information, hermitian=True)
        if persons is not None:
            found = found @ (self.scatter(gamma, weights, persons) + prior) @ found
        basis = np.eye(n_gamma) if self.baseline.basis is None else self.baseline.basis
        turn = np.block([
            [basis, np.zeros((len(basis), n_columns))], [np.zeros((n_columns, n_gamma)), np.eye(n_columns)],
        ])  # fmt: skip
        turned = turn @ found @ turn.T
        return np.asarray((turned + turned.T) / 2)

    def scatter(self, gamma: np.ndarray, weights: np.ndarray, persons: np.ndarray) -> np.ndarray:
        """Return the sum of the squared scores of the persons, each with all rows together."""
        levels, size = self.baseline.levels(gamma), len(gamma) + len(weights)
        order = np.argsort(persons, kind="stable")
        ranked = persons[order]
        edges = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
        spread = np.zeros((size, size))
        for rows, weight, happened in self.blocks(order, edges):
            x = self.matrix[rows]
            residual = -weight * expit((x @ weights + self.offset[rows])[:, None] + levels)
            residual[happened] += weight[happened]
            by_gamma = self.baseline.gather(residual.T).T
            scores = np.hstack([by_gamma, x * residual.sum(axis=1)[:, None]])
            own = persons[rows]
            first = np.flatnonzero(np.append(True, own[1:] != own[:-1]))
            scores = np.add.reduceat(scores, first, axis=0)
            spread += scores.T @ scores
        return spread * (len(edges) / max(1, len(edges) - 1))


def _spaced(edges: np.ndarray, size: int) -> np.ndarray:
    """Return starts of blocks of at least ``size`` rows, each at the first row of a person."""
    starts = [0]
    for edge in edges[np.searchsorted(edges, np.arange(0, edges[-1] + 1, size))]:
        if edge >= starts[-1] + size:
            starts.append(int(edge))
    return np.array(starts)
