"""Learning a card: the best rows of every number, whole points, and how each such card did on people left out."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

from casestrat.errors import UsageError
from casestrat.models.cards.candidates import make_candidates
from casestrat.models.cards.points import PointedRows, refit_line, to_points
from casestrat.models.cards.reference import learning_targets
from casestrat.models.cards.search import People, search
from casestrat.models.inputs.sample_size import SmallSampleWarning, small_sample_note
from casestrat.models.measures.calibration import recalibrate
from casestrat.models.measures.metrics import count_people, order_metrics
from casestrat.models.measures.own_folds import calibrate, make_folds, not_calibrated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casestrat.models.cards.candidates import Candidates
    from casestrat.models.cards.settings import Limits, Search
    from casestrat.models.inputs.rows import TrainingRows

_POINTED = 3  # of the sets with the most rows, so many are turned into points, and the best is taken
_DIGITS = 9


@dataclass(frozen=True, slots=True)
class LearnedCards:
    """Cards of one row and more.

    Attributes
    ----------
    path : list of dict
        One per size: n_rows, rows (item, condition, points), auc, average_precision, brier, calibration_slope (all on
        people left out; NaN where none were), intercept, slope (log-odds by points) and calibrator.
    warnings : list of str
        What a reader must know.
    """

    path: list[dict[str, Any]]
    warnings: list[str]


def learn_cards(rows: TrainingRows, names: Sequence[str], limits: Limits, how: Search) -> LearnedCards:
    """Learn the path of cards from one row to the most.

    Parameters
    ----------
    rows : TrainingRows
        Whom to learn on.
    names : sequence of str
        Names of the items.
    limits : Limits
        What a card may look at.
    how : Search
        How hard to look.

    Returns
    -------
    LearnedCards
        The path, the smallest card first.

    Raises
    ------
    UsageError
        No condition holds for enough people, or the calibrator came out inverted.
    """
    candidates = make_candidates(rows.columns, names, rows.weight, limits)
    if not len(candidates.item):
        raise UsageError(
            f"no feature tells people apart: none of {len(names)} has a condition that holds for enough people",
            do="give features that vary, or a smaller least_people",
        )
    most, notes = _most_rows(rows, candidates, limits, how.max_rows)
    folds = make_folds(rows, "shuffled", how.n_folds, None, how.random_state) if how.n_folds > 1 else []
    people = People.of(candidates, rows.event.astype(float), rows.weight)
    cards = _cards(people, learning_targets(rows, names, limits, how.reference_share), limits, most, how)
    if len(cards) < most:
        notes.append(f"no further row fits better: the largest card has {len(cards)} rows, not {most}")
    held_out = np.full((len(rows.event), len(cards)), np.nan)
    for learn, test in folds:
        target = learning_targets(rows.take(learn), names, limits, how.reference_share)
        fold = _cards(people.take(learn), target, limits, most, how)
        for size in range(len(cards)):
            held_out[test, size] = _log_odds(people, fold[min(size, len(fold) - 1)], test)
    if not folds:
        notes.append("too few people for folds: the risks are those of the people learned on, and are too extreme")
    path = [_told(rows, candidates, card, held_out[:, size], len(folds)) for size, card in enumerate(cards)]
    return LearnedCards(path, notes)


def _most_rows(rows: TrainingRows, candidates: Candidates, limits: Limits, asked: int) -> tuple[int, list[str]]:
    """Return the most rows that the events can carry at all, and what to say of it."""
    n_events, n = int(rows.event.sum()), len(rows.event)
    rarer = min(n_events, n - n_events)
    notes = []
    n_items = len(np.unique(candidates.item))
    note = small_sample_note(n_items, n_events, n)
    if note:
        notes.append(note)
        if rarer < n_items:  # as with the other models: aloud only where there are fewer events than candidates
            warnings.warn(note, SmallSampleWarning, stacklevel=4)
    most = min(asked, rarer)
    if most < asked:
        notes.append(f"{rarer} people of the rarer class carry at most {rarer} rows: {asked} were asked for")
    if len(limits.forced) > most:
        raise UsageError(f"{len(limits.forced)} items are forced and a card of {most} rows has no place for them")
    return most, notes


def _cards(labelled: People, target: np.ndarray, limits: Limits, most_rows: int, how: Search) -> list[PointedRows]:
    """Return the card of each number of rows that comes closest to the targets; its line is that of the labels."""
    people = replace(labelled, event=target)
    sizes = list(search(people, limits, most_rows, how.beam_width))
    if not sizes:
        return [_no_card(labelled)]
    least = max(len(limits.forced) - 1, 0)
    cards = []
    for beam in sizes[min(least, len(sizes) - 1) :]:
        kept = beam[:_POINTED] if beam is sizes[-1] else beam[:1]
        pointed = [to_points(people.candidates, people.patterns(one.rows), one, how.max_row_points) for one in kept]
        best = min(pointed, key=lambda card: (round(card.loss, _DIGITS), card.rows))
        of_labels = refit_line(labelled.patterns(best.rows), best)
        cards.append(of_labels if of_labels.slope > 0 else best)
    return cards


def _no_card(people: People) -> PointedRows:
    """Return the card of a fold in which nothing tells people apart: everybody at the mean risk."""
    share = np.average(people.event, weights=people.weight)
    return PointedRows((), np.zeros(0, dtype=int), float(np.log(share / (1 - share))), 0.0, np.inf)


def _points(people: People, card: PointedRows, which: np.ndarray | slice) -> np.ndarray:
    """Add up the points of these people."""
    total = np.zeros(len(people.event))[which]
    for row, points in zip(card.rows, card.points, strict=True):
        total = total + points * people.candidates.holds(row)[which]
    return total


def _log_odds(people: People, card: PointedRows, which: np.ndarray) -> np.ndarray:
    """Return the log-odds that a card gives these people."""
    return np.asarray(card.intercept + card.slope * _points(people, card, which))


def _told(
    rows: TrainingRows, candidates: Candidates, card: PointedRows, held_out: np.ndarray, n_folds: int
) -> dict[str, Any]:
    """Return one step of the path in plain types."""
    tested = ~np.isnan(held_out)
    line = calibrate(held_out, rows, "sigmoid", n_folds) if tested.any() else not_calibrated()
    items = candidates.item[list(card.rows)].tolist()
    # an item stands where its first row came in; its own rows from the lowest bin upwards
    order = sorted(range(len(items)), key=lambda i: (items.index(items[i]), candidates.first[card.rows[i]]))
    return {
        "n_rows": len(card.rows),
        "rows": [
            {
                "item": candidates.names[candidates.item[card.rows[i]]],
                "condition": candidates.words[card.rows[i]],
                "points": int(card.points[i]),
            }
            for i in order
        ],
        **_measures(held_out[tested], rows.event[tested].astype(float), rows.weight[tested]),
        "intercept": line["intercept"] + line["slope"] * card.intercept,
        "slope": line["slope"] * card.slope,
        "line": [card.intercept, card.slope],
        "calibrator": line,
    }


def _measures(held_out: np.ndarray, event: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    """Return how a size of card did on people left out."""
    names = ("auc", "average_precision", "brier", "calibration_slope")
    if not len(held_out):
        return dict.fromkeys(names, float("nan"))
    at, code = np.unique(expit(held_out), return_inverse=True)
    found = order_metrics(count_people(at, code, event, weight))
    found["brier"] = float(np.average((expit(held_out) - event) ** 2, weights=weight))
    found["calibration_slope"] = recalibrate(held_out, event, weight).slope
    return {name: round(found[name], _DIGITS) for name in names}
