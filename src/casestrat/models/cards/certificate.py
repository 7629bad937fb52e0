"""How far a learned card is from the best there can be: a bound that is proven, by cutting planes.

Points are whole, so the best card is the solution of an integer program whose goal, the logistic loss, is convex. It is
bounded from below by planes that touch it; each round solves the program with the planes found so far and adds the
plane at its solution. What the solver proves of the program with few planes holds for the card as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, hstack, vstack
from scipy.special import expit

from casestrat.errors import UsageError
from casestrat.models.cards.candidates import make_candidates
from casestrat.models.cards.search import People
from casestrat.models.measures.calibration import calibration_intercept

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casestrat.models.cards.candidates import Candidates
    from casestrat.models.cards.settings import Limits
    from casestrat.models.inputs.rows import TrainingRows

_LARGEST_INTERCEPT: Final = 30.0
_RELAXED_ROUNDS: Final = 200
_NO_GAP: Final = 1e-6


@dataclass(frozen=True, slots=True)
class CardCertificate:
    """What is proven of a card; made by :meth:`casestrat.PointScorecard.certify`.

    Parameters
    ----------
    loss : float
        Mean logistic loss of the card on the labels of the people given, at the best intercept for its scale.
    bound : float
        No card of as many rows, the same conditions to choose from and the same log-odds a point has a smaller loss.
    gap : float
        (loss − bound) / loss: 0 where the card is proven to be the best.
    is_optimal : bool
        Whether the gap is closed, to one part in a million.
    better_rows : list of dict
        Where the proof came upon a better card, its rows (item, condition, points); else none.
    n_conditions : int
        How many conditions there are to choose from.
    n_planes : int
        How many planes bound the loss.
    """

    loss: float
    bound: float
    gap: float
    is_optimal: bool
    better_rows: list[dict[str, Any]]
    n_conditions: int
    n_planes: int


def certify_card(
    card: Any, rows: TrainingRows, names: Sequence[str], limits: Limits, time_limit_s: float
) -> CardCertificate:
    """Bound the loss of every card that is allowed, and compare.

    Parameters
    ----------
    card : PointScorecard
        A learned card.
    rows : TrainingRows
        The people that it was learned on.
    names : sequence of str
        Their features.
    limits : Limits
        What the card might look at.
    time_limit_s : float
        Seconds, above 0.

    Returns
    -------
    CardCertificate
        What could be proven in that time.

    Raises
    ------
    UsageError
        The time limit is not above 0, or the card has a condition that these people do not offer.
    """
    if not time_limit_s > 0:
        raise UsageError(f"the time limit is a number of seconds above 0; found {time_limit_s}", where="time_limit_s")
    candidates = make_candidates(rows.columns, names, rows.weight, limits)
    people = People.of(candidates, rows.event.astype(float), rows.weight)
    step = card.path_[card.step_]
    task = _Task(people, limits, len(step["rows"]), step["line"][1], int(card.max_row_points))
    own = np.zeros(len(candidates.item))
    told = {(candidates.names[item], words): j for j, (item, words) in enumerate(
        zip(candidates.item, candidates.words, strict=True))}  # fmt: skip
    try:
        for row in step["rows"]:
            own[told[row["item"], row["condition"]]] = row["points"]
    except KeyError as error:
        raise UsageError("the card has a condition that these people do not offer", where=str(error)) from error
    planes = _Planes(task)
    loss = planes.touch(own)
    best, bound = own, _descend(task, planes, monotonic() + time_limit_s)
    if planes.least < loss - _NO_GAP * loss:
        best = planes.best
    gap = max(0.0, (loss - bound) / loss)
    return CardCertificate(
        loss=loss,
        bound=min(bound, loss),
        gap=gap,
        is_optimal=gap <= _NO_GAP,
        better_rows=[] if best is own else _rows_of(candidates, best),
        n_conditions=len(own),
        n_planes=len(planes.heights),
    )


@dataclass(frozen=True, slots=True)
class _Task:
    """Which cards are allowed: so many rows, at so many log-odds a point."""

    people: People
    limits: Limits
    n_rows: int
    slope: float
    most_points: int

    @property
    def candidates(self) -> Candidates:
        """The conditions to choose from."""
        return self.people.candidates


class _Planes:
    """Planes under the loss: loss ≥ height + slopes · (points, intercept)."""

    def __init__(self, task: _Task) -> None:
        self.task = task
        self.slopes: list[np.ndarray] = []
        self.heights: list[float] = []
        self.least, self.best = np.inf, np.zeros(len(task.candidates.item))

    def touch(self, points: np.ndarray, intercept: float | None = None) -> float:
        """Add the plane at these points, and return the loss there; without an intercept the best one is taken."""
        people, slope = self.task.people, self.task.slope
        n = people.weight.sum()
        total = np.zeros(len(people.event))
        for j in np.flatnonzero(points).tolist():
            total += points[j] * people.candidates.holds(j)
        shown = slope * total
        is_card = intercept is None
        level = calibration_intercept(shown, people.event, people.weight) if intercept is None else intercept
        odds = shown + level
        loss = float(people.weight @ (np.logaddexp(0, odds) - people.event * odds) / n)
        excess = people.weight * (expit(odds) - people.event) / n
        by_bin = np.zeros(people.candidates.n_bins)
        for bins in people.candidates.bins.T:
            by_bin += np.bincount(bins, weights=excess, minlength=len(by_bin))
        reached = np.concatenate([[0.0], np.cumsum(by_bin)])
        gradient = slope * (reached[people.candidates.last] - reached[people.candidates.first])
        self.slopes.append(np.append(gradient, excess.sum()))
        self.heights.append(loss - float(gradient @ points) - float(excess.sum()) * level)
        if is_card and loss < self.least:
            self.least, self.best = loss, points
        return loss


def _descend(task: _Task, planes: _Planes, until: float) -> float:
    """Return the greatest bound that can be proven until then: first without, then with whole points."""
    rules, sides, bounds = _program(task)
    n = len(task.candidates.item)
    bound = -np.inf
    for is_whole in (False, True):
        kind = np.concatenate([np.full(n, float(is_whole)), np.full(n, float(is_whole)), [0.0, 0.0]])
        ways = np.full(len(task.candidates.names), float(is_whole))
        for _ in range(_RELAXED_ROUNDS if not is_whole else 10**6):
            left = until - monotonic()
            if left <= 0 or bound >= planes.least * (1 - _NO_GAP):
                break
            solved = _solve(planes, rules, sides, bounds, np.concatenate([kind, ways]), left, n)
            # an unfinished program still proves its own bound
            proven = solved.mip_dual_bound if is_whole else (solved.fun if solved.status == 0 else None)
            bound = max(bound, proven if proven is not None else -np.inf)
            if solved.x is None:
                break
            points, intercept = solved.x[:n], solved.x[2 * n]
            points = np.rint(points) if is_whole else points
            seen = planes.touch(points, float(intercept))
            if is_whole:
                planes.touch(points)
            if not is_whole and seen - bound < _NO_GAP * seen:
                break
    return float(bound)


def _solve(
    planes: _Planes, rules: Any, sides: np.ndarray, bounds: Bounds, kind: np.ndarray, left: float, n: int
) -> Any:
    """Solve the program with the planes found so far; the variables are points, rows in, intercept, loss, ways."""
    slopes = csr_array(np.array(planes.slopes))
    empty = csr_array((slopes.shape[0], n))
    ones = csr_array(-np.ones((slopes.shape[0], 1)))
    rest = csr_array((slopes.shape[0], len(kind) - 2 * n - 2))
    below = hstack([slopes[:, :n], empty, slopes[:, n:], ones, rest])
    matrix = vstack([below, rules], format="csc")
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)  # all HiGHS reads
    upper = np.concatenate([-np.array(planes.heights), sides])
    goal = np.zeros(len(kind))
    goal[2 * n + 1] = 1.0
    return milp(
        goal, constraints=LinearConstraint(matrix, -np.inf, upper), bounds=bounds, integrality=kind,
        options={"time_limit": max(left, 0.01), "mip_rel_gap": 1e-7},
    )  # fmt: skip


def _program(task: _Task) -> tuple[Any, np.ndarray, Bounds]:
    """Return what a card must keep: rules · variables ≤ sides, and the range of each variable."""
    candidates, limits = task.candidates, task.limits
    n, n_items = len(candidates.item), len(candidates.names)
    width = 2 * n + 2 + n_items
    lines: list[dict[int, float]] = []
    sides: list[float] = []

    def keep(terms: dict[int, float], side: float) -> None:
        lines.append(terms)
        sides.append(side)

    for j in range(n):
        keep({j: 1.0, n + j: -float(task.most_points)}, 0.0)
        keep({j: -1.0, n + j: -float(task.most_points) if candidates.is_free[j] else 1.0}, 0.0)
        way = 2 * n + 2 + int(candidates.item[j])
        if limits.is_monotone and candidates.way[j]:
            keep({n + j: 1.0, way: -1.0} if candidates.way[j] > 0 else {n + j: 1.0, way: 1.0},
                 0.0 if candidates.way[j] > 0 else 1.0)  # fmt: skip
    keep(dict.fromkeys(range(n, 2 * n), 1.0), float(task.n_rows))
    for item, name in enumerate(candidates.names):
        own = {n + int(j): 1.0 for j in np.flatnonzero(candidates.item == item)}
        if own and limits.max_rows_per_item is not None:
            keep(own, float(limits.max_rows_per_item))
        if name in limits.forced:
            keep(dict.fromkeys(own, -1.0), -1.0)
    for better in np.flatnonzero(candidates.order >= 0).tolist():
        is_worse = (candidates.item == candidates.item[better]) & (candidates.order > candidates.order[better])
        for worse in np.flatnonzero(is_worse).tolist():
            keep({better: 1.0, worse: -1.0}, 0.0)
    at = [(row, column, value) for row, terms in enumerate(lines) for column, value in terms.items()]
    where, columns, values = zip(*at, strict=True)
    low = np.concatenate([np.where(candidates.is_free, -task.most_points, 0), np.zeros(n), [-_LARGEST_INTERCEPT, 0.0],
                          np.zeros(n_items)])  # fmt: skip
    high = np.concatenate([np.full(n, task.most_points), np.ones(n), [_LARGEST_INTERCEPT, np.inf], np.ones(n_items)])
    return csr_array((values, (where, columns)), shape=(len(lines), width)), np.array(sides), Bounds(low, high)


def _rows_of(candidates: Candidates, points: np.ndarray) -> list[dict[str, Any]]:
    """Return points as rows of a card."""
    return [
        {"item": candidates.names[candidates.item[j]], "condition": candidates.words[j], "points": int(points[j])}
        for j in np.flatnonzero(points)
    ]
