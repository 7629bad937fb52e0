"""Which other answers an item could have, and what each would add to a score whose reasons add up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.models.cards.conditions import MISSING, number_of, write_condition
from casestrat.models.cards.rows import rows_by_item
from casestrat.models.cards.scorecard import PointScorecard
from casestrat.models.inputs.columns import Column, read_column, read_values
from casestrat.models.measures.calibration import log_odds
from casestrat.models.measures.own_folds import risk_of
from casestrat.models.uncertainty.plausible import as_learned, plausible_rows, with_values

if TYPE_CHECKING:
    from casestrat.models.cards.rows import ItemRows

_SHARES = np.linspace(0.05, 0.95, 19)
_FAR = 60.0  # log-odds beyond which a risk is 0 or 1
_HALVINGS = 80


@dataclass(frozen=True, slots=True)
class Answers:
    """A score as the sum of what each answer adds, for people and for the answers they could have given.

    Attributes
    ----------
    items : list of str
        The items.
    words : list of list of str
        The possible answers of each item, as conditions.
    added : list of numpy.ndarray
        What each of them adds.
    current : numpy.ndarray of shape (n, items)
        What each person's own answer adds.
    is_missing : numpy.ndarray of shape (n, items)
        Where a person gave none.
    score : numpy.ndarray of shape (n,)
        Each person's points or log-odds.
    """

    items: list[str]
    words: list[list[str]]
    added: list[np.ndarray]
    current: np.ndarray
    is_missing: np.ndarray
    score: np.ndarray


def answers_of_card(card: PointScorecard, frame: pd.DataFrame) -> Answers:
    """Return the answers that the rows of a card tell apart.

    Parameters
    ----------
    card : PointScorecard
        The card.
    frame : pandas.DataFrame
        One row per person and date.

    Returns
    -------
    Answers
        In points.
    """
    items = rows_by_item(card.rows_)
    columns = [read_column(frame, rows.item) for rows in items]
    pairs = [_answers_of_item(rows) for rows in items]
    return Answers(
        [rows.item for rows in items],
        [words for words, _ in pairs],
        [added for _, added in pairs],
        np.column_stack([rows.add_up(column) for rows, column in zip(items, columns, strict=True)]).astype(float),
        np.column_stack([column.is_missing for column in columns]),
        card.points(frame).to_numpy(dtype="float64"),
    )


def answers_of_model(model: Any, frame: pd.DataFrame, reference: pd.DataFrame, is_down: bool) -> Answers:
    """Return the answers that people like these give, and what a model adds for each.

    Parameters
    ----------
    model : estimator
        Its ``decision_function`` is a sum of one function a feature.
    frame : pandas.DataFrame
        One row per person and date, the columns of the model.
    reference : pandas.DataFrame
        The people whose answers are plausible.
    is_down : bool
        Whether a lower score is looked for: it decides how answers are worded.

    Returns
    -------
    Answers
        In log-odds.
    """
    base = frame.head(1)
    start = float(_scores(model, base)[0])
    offset = model.explain(as_learned(model, base)).set_index("item")["contribution"]
    items = [str(item) for item in offset.index]
    words, added, current = [], [], []
    for item in items:
        places = plausible_rows(reference[item], _SHARES)
        tried = with_values(_repeated(base, len(places)), item, reference[item], places)
        given = _repeated(base, len(frame)).assign(**{item: frame[item].array})
        added.append(_scores(model, tried) - start + offset[item])
        current.append(_scores(model, given) - start + offset[item])
        words.append(_words_of_values(read_values(reference[item].iloc[places], item), added[-1], is_down))
    return Answers(
        items, words, added, np.column_stack(current), frame[items].isna().to_numpy(dtype=bool),
        _scores(model, frame),
    )  # fmt: skip


def score_at(model: Any, risk: float) -> float:
    """Return the least score at which a model tells this risk or more.

    Parameters
    ----------
    model : estimator
        A card with a risk table, or a model with a calibrator.
    risk : float
        Above 0 and below 1.

    Returns
    -------
    float
        Points or log-odds; infinite where no score reaches it.
    """
    if isinstance(model, PointScorecard):
        reached = np.flatnonzero(model.risk_values_ >= risk)
        return float(model.risk_points_[reached[0]]) if len(reached) else np.inf
    if model.calibrator_["kind"] != "isotonic":
        return float(log_odds(np.array(risk)))
    low, high = -_FAR, _FAR
    if risk_of(np.array([high]), model.calibrator_)[0] < risk:
        return np.inf
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        reaches = risk_of(np.array([middle]), model.calibrator_)[0] >= risk
        low, high = (low, middle) if reaches else (middle, high)
    return high


def _scores(model: Any, rows: pd.DataFrame) -> np.ndarray:
    """Log-odds of rows; none for none."""
    return np.asarray(model.decision_function(as_learned(model, rows))) if len(rows) else np.empty(0)


def _repeated(row: pd.DataFrame, times: int) -> pd.DataFrame:
    """One row many times, numbered anew."""
    return row.iloc[np.zeros(times, dtype=int)].reset_index(drop=True)


def _answers_of_item(rows: ItemRows) -> tuple[list[str], np.ndarray]:
    """Return the answers of an item of a card, missing left aside, and their points."""
    told = [condition for condition in rows.conditions if condition.operator != MISSING]
    if not told:
        return [], np.empty(0)
    if all(condition.operator == "=" for condition in told):
        codes = list(dict.fromkeys(write_condition(condition)[2:] for condition in told))
        return _answers_by_code(rows, codes)
    numbers = np.array([number_of(condition) for condition in told], dtype=float)
    probes = np.unique(np.concatenate([numbers, np.nextafter(numbers, np.inf), np.nextafter(numbers, -np.inf)]))
    added = rows.add_up(_known(probes))
    ends = np.flatnonzero(np.append(np.diff(added) != 0, True))
    begins = np.append(0, ends[:-1] + 1)
    words = [
        _interval(probes, numbers, first, last) for first, last in zip(begins.tolist(), ends.tolist(), strict=True)
    ]
    return words, added[ends].astype(float)


def _answers_by_code(rows: ItemRows, codes: list[str]) -> tuple[list[str], np.ndarray]:
    """Return the codes of an item, and any other code."""
    levels = (*codes, "\x00another")
    probe = Column(None, np.arange(len(levels)), levels, np.zeros(len(levels), dtype=bool))
    return [*(f"= {code}" for code in codes), f"not {', '.join(codes)}"], rows.add_up(probe).astype(float)


def _known(numbers: np.ndarray) -> Column:
    """Return a column of known numbers."""
    return read_values(pd.Series(numbers), "")


def _interval(probes: np.ndarray, numbers: np.ndarray, first: int, last: int) -> str:
    """Say which numbers lie between two probes, as conditions."""
    low, high = probes[first], probes[last]
    if low == high and low in numbers:
        return f"= {low:g}"
    words = []
    if first:
        words.append(f">= {low:g}" if low in numbers else f"> {np.nextafter(low, -np.inf):g}")
    if last < len(probes) - 1:
        words.append(f"<= {high:g}" if high in numbers else f"< {np.nextafter(high, np.inf):g}")
    return " and ".join(words)


def _words_of_values(column: Column, added: np.ndarray, is_down: bool) -> list[str]:
    """Say each value as a condition: as wide as every plausible value that it covers does as well or better."""
    if column.numbers is None:
        return [f"= {column.levels[code]}" for code in np.asarray(column.codes)]
    if len(added) <= 2:
        return [f"= {value:g}" for value in column.numbers]
    cost = added if is_down else -added
    words = []
    for value, own in zip(column.numbers, cost, strict=True):
        below, above = cost[column.numbers <= value], cost[column.numbers >= value]
        sign = "<=" if len(below) > 1 and below.max() <= own else ">=" if above.max() <= own else "="
        sign = "<=" if sign == "=" and len(below) == 1 and above.min() >= own and len(above) > 1 else sign
        words.append(f"{sign} {value:g}")
    return words


def check_additive(model: Any) -> None:
    """Refuse a model whose score is not the sum of one part an item.

    Parameters
    ----------
    model : estimator
        Any model.

    Raises
    ------
    UsageError
        Its reasons do not add up to its measure.
    """
    if isinstance(model, PointScorecard):
        return
    if not hasattr(model, "calibrator_") or len(getattr(model, "pairs_", [])):
        raise UsageError(
            f"what would change cannot be searched exactly for {type(model).__name__}: its parts do not add up",
            do="use a card, a RiskClassifier, or a ChallengerClassifier without interactions",
        )
