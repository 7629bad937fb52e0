"""The fewest other answers that would put a person into another tier; nothing here says what help would achieve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.models.cards.scorecard import PointScorecard
from casestrat.models.explanation import describe_items
from casestrat.models.inputs.columns import as_frame
from casestrat.models.inputs.features import names_of
from casestrat.models.measures.own_folds import risk_of
from casestrat.models.uncertainty.answers import Answers, answers_of_card, answers_of_model, check_additive, score_at
from casestrat.tables.columns import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable

_ROUNDING = 1e-9
_COLUMNS = ("measure", "value", "tier", "cut", "value_then", "n_changes", "item", "instead", "contribution",
            "contribution_then")  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Cuts:
    """Where tiers begin, lowest first: in the measure, and in the score that adds up."""

    measure: str
    names: list[str | None]
    bounds: np.ndarray
    scores: np.ndarray


def what_would_change(
    model: Any,
    X: Any,
    cuts: Any,
    features: Iterable[Any] | None = None,
    *,
    only: Iterable[str] | None = None,
    direction: str = "down",
    max_changes: int = 3,
    reference: pd.DataFrame | None = None,
    measure: str | None = None,
) -> pd.DataFrame:
    """Find the fewest answers that, had they been others, would put a person below (or above) a cut.

    **This is arithmetic of the score, not a promise.** It tells how the score would read with another answer, so that
    people can check whether the answer is right and see what weighs. It does not tell that changing the person's
    situation changes what will happen: the model has learned what goes together, not what causes what.

    The search is exact: no smaller number of other answers reaches the cut. Among as many, those that move the score
    furthest are taken, and the last goes no further than it must. Items that are missing are not changed: ask them
    first (:func:`casestrat.models.uncertainty.missing_sensitivity`).

    Parameters
    ----------
    model : estimator
        A card or a model whose reasons add up: :class:`casestrat.PointScorecard`, :class:`casestrat.RiskClassifier`,
        the challenger without interactions.
    X : pandas.DataFrame or array
        One row per person and date.
    cuts : number, mapping of str to number, or Program
        The cut; or where each tier begins, in points or in risk; or the program whose tiers say so. A person stands
        below a cut where the measure is lower than it.
    features : iterable, optional
        The program's features, or their definitions: those with ``is_actionable`` may change. A card knows it by
        itself.
    only : iterable of str, optional
        The items that may change, whatever the features say.
    direction : {"down", "up"}, default "down"
        Down: below the cut of the person's tier. Up: to the cut of the tier above.
    max_changes : int, default 3
        The most answers, 1 or more; people who would need more are left out.
    reference : pandas.DataFrame, optional
        The people whose values are plausible, for a model that is no card; without it those of X.
    measure : {"points", "risk"}, optional
        What numbers given as cuts are about; without it points of a card, risk of another model.

    Returns
    -------
    pandas.DataFrame
        One row per person and other answer, in the order of X: the levels of its index, measure ("points" or "risk"),
        value, tier (the one that the cut belongs to; missing for a single cut), cut, value_then, n_changes, item,
        instead (the other answer, as a condition), contribution and contribution_then (points or log-odds). People who
        already stand there, or cannot get there by these items, have no row.

    Raises
    ------
    UsageError
        No item may change, the cuts cannot be read, the model's reasons do not add up, or an argument lies outside its
        range.

    Examples
    --------
    >>> from casestrat.models import PointScorecard
    >>> rows = pd.DataFrame(
    ...     [("falls", ">= 2", 3, True), ("gir", "< 5", 2, False), ("alone", "= 1", 1, True)],
    ...     columns=["item", "condition", "points", "is_actionable"],
    ... )
    >>> ids = pd.Index(["P1", "P2", "P3"], name="person_id")
    >>> people = pd.DataFrame({"falls": [2, 3, 0], "gir": [6, 4, 4], "alone": [0, 1, 1]}, index=ids)
    >>> other = what_would_change(PointScorecard.from_table(rows), people, 3)
    >>> other[["person_id", "value", "value_then", "item", "instead"]]
      person_id  value  value_then   item instead
    0        P1    3.0         0.0  falls     < 2
    1        P2    6.0         2.0  falls     < 2
    2        P2    6.0         2.0  alone   not 1
    3        P3    3.0         2.0  alone   not 1
    """
    if direction not in {"down", "up"}:
        raise UsageError(f"direction is 'down' or 'up'; found {direction!r}")
    if max_changes < 1:
        raise UsageError(f"max_changes must be 1 or more; found {max_changes}")
    model = getattr(model, "model_", model)
    check_additive(model)
    is_down = direction == "down"
    frame = as_frame(X, names_of(model))
    where = _read_cuts(model, cuts, measure)
    if isinstance(model, PointScorecard):
        answers = answers_of_card(model, frame)
    else:
        answers = answers_of_model(model, frame, frame if reference is None else reference, is_down)
    movable = _movable(model, answers.items, features, only)
    rows = _search(answers, where, movable, is_down, max_changes)
    return _told(model, frame.index, answers, where, rows)


def _read_cuts(model: Any, cuts: Any, measure: str | None) -> _Cuts:
    """Read cuts, and turn them into scores."""
    is_card = isinstance(model, PointScorecard)
    has_risk = not is_card or len(model.risk_table_) > 0
    if hasattr(cuts, "tiers"):
        by_risk = has_risk and any(tier.from_risk is not None for tier in cuts.tiers)
        measure = "risk" if by_risk else "points"
        bound = "from_risk" if by_risk else "from_points"
        pairs = [(tier.id, getattr(tier, bound)) for tier in cuts.tiers if getattr(tier, bound) is not None]
    elif isinstance(cuts, Mapping):
        pairs = [(str(name), cut) for name, cut in cuts.items()]
    else:
        pairs = [(None, cuts)]
    measure = measure or ("points" if is_card else "risk")
    given = {"points": is_card, "risk": has_risk}
    if not given.get(measure, False):
        raise UsageError(f"the model gives no {measure}", where="measure")
    at = np.array([cut for _, cut in pairs], dtype="float64")
    if not len(at) or not np.isfinite(at).all() or (measure == "risk" and ((at <= 0) | (at >= 1)).any()):
        raise UsageError("cuts are one number or more; of risk above 0 and below 1", where="cuts")
    order = np.argsort(at, kind="stable")
    scores = at if measure == "points" else np.array([score_at(model, risk) for risk in at])
    return _Cuts(measure, [pairs[i][0] for i in order], at[order], scores[order])


def _movable(model: Any, items: list[str], features: Iterable[Any] | None, only: Iterable[str] | None) -> np.ndarray:
    """Return which items may have another answer."""
    if only is not None:
        chosen = set(only)
        if strangers := sorted(chosen - set(items)):
            raise UsageError(f"the model does not use: {', '.join(strangers)}", where="only")
    elif features is not None or not isinstance(model, PointScorecard):
        catalogue = describe_items(items, features)
        chosen = set(catalogue.loc[catalogue["is_actionable"], "item"])
    else:
        chosen = {row["item"] for row in model.rows_ if row["is_actionable"]}
    if not chosen:
        raise UsageError("no item may change", do="give features that say is_actionable, or only=")
    return np.array([item in chosen for item in items])


def _search(
    answers: Answers, where: _Cuts, movable: np.ndarray, is_down: bool, most: int
) -> list[tuple[int, int, list[tuple[int, int]]]]:
    """Return person, cut, and the other answers (item, answer), for everyone who gets there."""
    sign = 1.0 if is_down else -1.0
    best = np.array([(sign * added).min(initial=np.inf) for added in answers.added])
    gains = np.where(movable & ~answers.is_missing, sign * answers.current - best, 0.0).clip(0)
    stands = np.searchsorted(where.scores, answers.score + _ROUNDING, side="right") - 1  # the cut at or below
    found = []
    for person in range(len(answers.score)):
        cut = stands[person] if is_down else stands[person] + 1
        if not 0 <= cut < len(where.scores):
            continue
        gap = sign * (answers.score[person] - where.scores[cut])
        order = np.argsort(-gains[person], kind="stable")[:most]
        reached = np.flatnonzero(_reaches(np.cumsum(gains[person, order]), gap, is_down))
        if not len(reached):
            continue
        items = order[: reached[0] + 1]
        left = gap - gains[person, items[:-1]].sum()
        moves = [(item, int(np.argmin(sign * answers.added[item]))) for item in items[:-1]]
        last = items[-1]
        gain = sign * (answers.current[person, last] - answers.added[last])
        enough = np.flatnonzero(_reaches(gain, left, is_down))
        found.append((person, int(cut), [*moves, (last, int(enough[np.argmin(gain[enough])]))]))
    return found


def _reaches(gain: np.ndarray, gap: float, is_down: bool) -> np.ndarray:
    """Whether a gain is enough: below the cut, or at it when going up."""
    return np.asarray(gain > gap + _ROUNDING if is_down else gain >= gap - _ROUNDING)


def _told(
    model: Any, index: pd.Index, answers: Answers, where: _Cuts, found: list[tuple[int, int, list[tuple[int, int]]]]
) -> pd.DataFrame:
    """Return the changes as a frame."""
    rows = []
    for person, cut, moves in found:
        change = sum(answers.added[item][answer] - answers.current[person, item] for item, answer in moves)
        before, after = _measured(model, answers.score[person] + np.array([0.0, change]), where.measure)
        about = (where.measure, before, where.names[cut], where.bounds[cut], after, len(moves))
        for item, answer in moves:
            rows.append((*about, answers.items[item], answers.words[item][answer],
                         answers.current[person, item], answers.added[item][answer]))  # fmt: skip
    dtypes: dict[str, Any] = dict.fromkeys(_COLUMNS, "float64")
    dtypes |= dict.fromkeys(("measure", "tier", "item", "instead"), TEXT) | {"n_changes": "int64"}
    frame = pd.DataFrame(rows, columns=list(_COLUMNS)).astype(dtypes)
    who = np.array([person for person, _, moves in found for _ in moves], dtype=int)
    names = ["row" if name is None else str(name) for name in index.names]
    levels = {name: index.get_level_values(i).take(who).array for i, name in enumerate(names)}
    return pd.concat([pd.DataFrame(levels, index=frame.index), frame], axis=1)


def _measured(model: Any, scores: np.ndarray, measure: str) -> np.ndarray:
    """Return scores as points or risk."""
    if measure == "points":
        return scores
    if isinstance(model, PointScorecard):
        line = np.searchsorted(model.risk_points_, np.round(scores), side="right") - 1
        return np.asarray(model.risk_values_[np.clip(line, 0, None)])
    return risk_of(scores, model.calibrator_)
