"""How well a model does for each group of people, with intervals, and silence where groups are too small."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.models.metrics import Counts, area_under_roc, count_people, expected_over_observed, gather_risks
from casestrat.tables.columns import TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_DRAWN_RISKS = 1_000  # more distinct risks than this are gathered into as many in a bootstrap draw
_COLUMNS = (
    "grouping",
    "group",
    "n",
    "events",
    "observed",
    "mean_risk",
    "auc",
    "auc_low",
    "auc_high",
    "expected_over_observed",
    "eo_low",
    "eo_high",
    "is_suppressed",
)
_VALUES = list(_COLUMNS[3:-1])


def audit_groups(
    at: np.ndarray,
    code: np.ndarray,
    y: np.ndarray,
    groups: pd.DataFrame,
    draws: Callable[[], Iterable[np.ndarray]],
    *,
    is_probability: bool,
    least_n: int,
    small_cell: int,
) -> pd.DataFrame:
    """Return discrimination and calibration in each group.

    Parameters
    ----------
    at : numpy.ndarray
        Distinct risks, rising.
    code : numpy.ndarray of int
        Position of each row's risk in ``at``.
    y : numpy.ndarray
        Labels 0 and 1.
    groups : pandas.DataFrame
        One row per person and date, one column of text per grouping.
    draws : callable
        Gives the bootstrap draws: how often each row counts, draw by draw.
    is_probability : bool
        Whether ``at`` holds probabilities; else nothing is said about calibration.
    least_n : int
        Groups of fewer rows are not told.
    small_cell : int
        Counts from 1 to one less than this are not told, nor what would give them away.

    Returns
    -------
    pandas.DataFrame
        One row per grouping and group: grouping, group, n, events, observed, mean_risk, auc, auc_low, auc_high,
        expected_over_observed, eo_low, eo_high, is_suppressed. What is suppressed is missing.
    """
    members = [
        (name, group, np.flatnonzero(groups[name] == group)) for name in groups for group in sorted(set(groups[name]))
    ]
    found = [count_people(at, code[rows], y[rows]) for _, _, rows in members]
    at, code = gather_risks(at, code, _DRAWN_RISKS)
    drawn = [[_both(count_people(at, code[rows], y[rows], w[rows])) for _, _, rows in members] for w in draws()]
    low, high = _interval(np.array(drawn, dtype=float).reshape(len(drawn), len(members), 2))
    table = pd.DataFrame(
        [
            (name, group, *_row(counts, low[i], high[i]), False)
            for i, ((name, group, _), counts) in enumerate(zip(members, found, strict=True))
        ],
        columns=list(_COLUMNS),
    ).astype({"grouping": TEXT, "group": TEXT, "n": "Int64", "events": "Int64"})
    if not is_probability:
        table[["mean_risk", "expected_over_observed", "eo_low", "eo_high"]] = np.nan
    return _suppress(table, least_n, small_cell)


def _row(counts: Counts, low: np.ndarray, high: np.ndarray) -> tuple[float, ...]:
    """Return what is told of one group."""
    n, events = counts.n.sum(), counts.events.sum()
    auc, ratio = _both(counts)
    return int(n), int(events), events / n, counts.n @ counts.risk / n, auc, low[0], high[0], ratio, low[1], high[1]


def _both(counts: Counts) -> tuple[float, float]:
    """AUC and E/O of one group."""
    return area_under_roc(counts), expected_over_observed(counts)


def _interval(drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the 95 % interval along the first axis; NaN where fewer than half of the draws could be told."""
    shape = drawn.shape[1:]
    low, high = np.full(shape, np.nan), np.full(shape, np.nan)
    for place in np.ndindex(shape):
        low[place], high[place] = percentile_interval(drawn[(slice(None), *place)])
    return low, high


def percentile_interval(values: np.ndarray) -> tuple[float, float]:
    """Return the middle 95 % of bootstrap values.

    Parameters
    ----------
    values : numpy.ndarray
        One value per draw; NaN where a draw could not be told.

    Returns
    -------
    tuple of float
        Bounds; NaN where fewer than half of the draws could be told.
    """
    told = values[np.isfinite(values)]
    if not len(told) or len(told) * 2 < len(values):
        return np.nan, np.nan
    low, high = np.percentile(told, [2.5, 97.5])
    return float(low), float(high)


def _suppress(table: pd.DataFrame, least_n: int, small_cell: int) -> pd.DataFrame:
    """Blank what rests on too few people, and one group more where a total would give a lone blank away."""
    n, events = table["n"].to_numpy(dtype="int64"), table["events"].to_numpy(dtype="int64")
    few_people = (n > 0) & (n < small_cell)
    few_cases = _is_small(events, small_cell) | _is_small(n - events, small_cell)
    hidden_n, hidden = few_people.copy(), few_people | few_cases
    for grouping in table["grouping"].unique():
        rows = np.flatnonzero(table["grouping"] == grouping)
        for mask in (hidden_n, hidden):
            others = rows[~mask[rows]]
            if mask[rows].sum() == 1 and len(others):
                mask[others[np.argmin(n[others])]] = True
    hidden |= hidden_n | (n < least_n)
    table.loc[hidden, _VALUES] = pd.NA
    table.loc[hidden_n, "n"] = pd.NA
    table["is_suppressed"] = hidden
    return table


def _is_small(counts: np.ndarray, small_cell: int) -> np.ndarray:
    """Return counts that are neither none nor many."""
    return (counts > 0) & (counts < small_cell)
