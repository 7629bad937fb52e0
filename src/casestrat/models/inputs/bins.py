"""Features as a few ordered bins or levels, which a boosted model learns from and its tables are read by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from casestrat.errors import UsageError
from casestrat.models.inputs.weighted import weighted_quantiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casestrat.models.inputs.columns import Column

# Plain dicts, because a stored model holds plain things: feature (its position), and edges (a number of bin i lies from
# edge i − 1 up to below edge i) or levels (the texts, in their order).
Bins = list[dict[str, Any]]
MOST_LEVELS = 50


def learn_bins(
    columns: Sequence[Column], names: Sequence[str], weight: np.ndarray, max_bins: int
) -> tuple[Bins, dict[str, str]]:
    """Decide the bins of each feature from the people it is learned on.

    Parameters
    ----------
    columns : sequence of Column
        The features.
    names : sequence of str
        Their names.
    weight : numpy.ndarray
        How often each row counts, above 0.
    max_bins : int
        The most bins of a number: its distinct values where there are no more, else of about equally many rows. A text
        keeps its fifty commonest levels.

    Returns
    -------
    tuple of (list of dict, dict)
        The bins, and the features left out with the reason.
    """
    bins: Bins = []
    dropped: dict[str, str] = {}
    for feature, (column, name) in enumerate(zip(columns, names, strict=True)):
        if column.kind == "unknown":
            dropped[name] = "all missing"
            continue
        found = {"feature": feature, **_bins_of(column, weight, max_bins)}
        if n_codes(found) + column.is_missing.any() < 2:
            dropped[name] = "constant"
        else:
            bins.append(found)
    return bins, dropped


def n_codes(one: dict[str, Any]) -> int:
    """Return how many bins or levels a feature has, missing left aside.

    Parameters
    ----------
    one : dict
        The bins of a feature.

    Returns
    -------
    int
        1 or more.
    """
    return len(one["levels"]) if "levels" in one else len(one["edges"]) + 1


def code_of(one: dict[str, Any], column: Column, name: str) -> np.ndarray:
    """Return the bin of each value; missing, and a text not among the levels, come last.

    Parameters
    ----------
    one : dict
        The bins of a feature.
    column : Column
        Its values.
    name : str
        Its name, for the message.

    Returns
    -------
    numpy.ndarray of int
        0 to ``n_codes(one)``.

    Raises
    ------
    UsageError
        It was learned as numbers and holds text, or the reverse.
    """
    last = n_codes(one)
    if "edges" in one:
        if column.numbers is None:
            raise UsageError(
                "the model learned this feature as numbers and the column holds text", where=f"column {name}"
            )
        at = np.searchsorted(np.array(one["edges"]), column.numbers, side="right")
        return np.where(column.is_missing, last, at)
    if column.codes is None:
        raise UsageError("the model learned this feature as text and the column holds numbers", where=f"column {name}")
    place = {level: code for code, level in enumerate(one["levels"])}
    lookup = np.array([*(place.get(level, last) for level in column.levels), last])
    return np.asarray(lookup[column.codes])  # −1, missing, is the last of the lookup


def _bins_of(column: Column, weight: np.ndarray, max_bins: int) -> dict[str, Any]:
    """Return edges or levels."""
    known = ~column.is_missing
    if column.numbers is None:
        codes = np.asarray(column.codes)[known]
        count = np.bincount(codes, weights=weight[known], minlength=len(column.levels))
        common = sorted(np.flatnonzero(count > 0), key=lambda code: (-count[code], column.levels[code]))
        return {"levels": sorted(column.levels[code] for code in common[:MOST_LEVELS])}
    values = np.unique(column.numbers[known])
    if len(values) > max_bins:
        shares = np.arange(1, max_bins) / max_bins
        cuts = np.unique(weighted_quantiles(column.numbers[known], weight[known], shares))
        return {"edges": [float(cut) for cut in cuts if cut > values[0]]}
    return {"edges": [float(edge) for edge in (values[:-1] + values[1:]) / 2]}
