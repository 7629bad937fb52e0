"""What is too small to be told, and what more must be left out so that totals do not give it away."""

from __future__ import annotations

import numpy as np
import pandas as pd


def is_small(counts: np.ndarray, small_cell: int) -> np.ndarray:
    """Tell which counts are neither none nor many.

    Parameters
    ----------
    counts : numpy.ndarray
        Numbers of people.
    small_cell : int
        Counts from 1 to one less than this are small.

    Returns
    -------
    numpy.ndarray of bool
        One flag per count.
    """
    return np.asarray((counts > 0) & (counts < small_cell))


def hide_complements(hidden: np.ndarray, counts: np.ndarray, small_cell: int) -> np.ndarray:
    """Hide further parts of a whole until the total less what is told gives no small count away.

    Parameters
    ----------
    hidden : numpy.ndarray of bool
        Parts that are too small to be told.
    counts : numpy.ndarray
        People in each part.
    small_cell : int
        What is hidden must be at least two parts, and together at least this many people.

    Returns
    -------
    numpy.ndarray of bool
        The parts that are hidden: those given, and as few and small others as it takes.

    Examples
    --------
    >>> hide_complements(np.array([True, False, False]), np.array([5, 60, 90]), 11).tolist()
    [True, True, False]
    """
    hidden = hidden.copy()
    while hidden.any() and not hidden.all() and (hidden.sum() == 1 or counts[hidden].sum() < small_cell):
        others = np.flatnonzero(~hidden)
        hidden[others[np.argmin(counts[others])]] = True
    return hidden


def join_small_groups(groups: pd.DataFrame, least: int = 30) -> pd.DataFrame:
    """Join groups of few rows with the next smallest, so that a handful of people does not silence a whole group.

    Without this, a few people whose sex is unknown would hide the men as well: their number would follow from the
    total.

    Parameters
    ----------
    groups : pandas.DataFrame
        One row per person and date, one column per grouping; what is missing becomes ``(missing)``.
    least : int, default 30
        Groups of fewer rows are joined, the smallest first.

    Returns
    -------
    pandas.DataFrame
        The same rows and columns as text; a joined group is called by its parts, such as ``m + x``.

    Examples
    --------
    >>> sex = pd.DataFrame({"sex": ["f"] * 60 + ["m"] * 40 + ["x"] * 3})
    >>> join_small_groups(sex)["sex"].value_counts().to_dict()
    {'f': 60, 'm + x': 43}
    """
    told = groups.astype(object).where(groups.notna(), "(missing)").astype(str)
    return pd.DataFrame({name: told[name].map(_joined(told[name].value_counts(), least)) for name in told})


def _joined(sizes: pd.Series, least: int) -> dict[str, str]:
    """Return the name of the group that each level belongs to."""
    parts = [([str(level)], int(n)) for level, n in sorted(sizes.items(), key=lambda pair: (pair[1], str(pair[0])))]
    while len(parts) > 1 and parts[0][1] < least:
        first, second, *others = parts
        parts = sorted([(sorted(first[0] + second[0]), first[1] + second[1]), *others], key=lambda part: part[1])
    return {level: " + ".join(levels) for levels, _ in parts for level in levels}
