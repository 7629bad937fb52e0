"""Labels, risks and groupings of the same rows, matched, checked and put in an order of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError


def gather_rows(y: Any, risk: Any, groups: Any) -> pd.DataFrame:
    """Put labels, risks, persons and groupings side by side.

    Parameters
    ----------
    y : pandas.Series or array
        Labels.
    risk : pandas.Series or array
        Risks or points.
    groups : pandas.Series, pandas.DataFrame, mapping, array or None
        Groupings of the rows.

    Returns
    -------
    pandas.DataFrame
        One row per row given: y, risk, person where an index level tells, and ("group", name) for each grouping.

    Raises
    ------
    UsageError
        Lengths or indexes differ, or labels or risks are no numbers.
    """
    y = y if isinstance(y, pd.Series) else pd.Series(np.asarray(y))
    rows = pd.DataFrame({"y": floats(y, "y"), "risk": floats(aligned(risk, y, "risk"), "risk")}, index=y.index)
    for name, values in groupings(groups, y).items():
        rows[name] = values
    if "person_id" in y.index.names:
        rows["person"] = y.index.get_level_values("person_id")
    return rows.reset_index(drop=True)


def groupings(groups: Any, y: pd.Series) -> dict[tuple[str, str], np.ndarray]:
    """Return one or several groupings as text, what is missing as a group of its own.

    Parameters
    ----------
    groups : pandas.Series, pandas.DataFrame, mapping, array or None
        Groupings of the rows.
    y : pandas.Series
        What the rows are.

    Returns
    -------
    dict of numpy.ndarray
        ("group", name) → one text per row.

    Raises
    ------
    UsageError
        Lengths or indexes differ.
    """
    columns: dict[tuple[str, str], Any] = {}
    if isinstance(groups, pd.DataFrame | Mapping):
        columns = {("group", str(name)): groups[name] for name in groups}
    elif groups is not None:
        columns = {("group", str(getattr(groups, "name", None) or "group")): groups}
    told = {name: aligned(values, y, name[1]) for name, values in columns.items()}
    return {
        name: values.astype(object).where(values.notna(), "(missing)").astype(str).to_numpy(dtype=object)
        for name, values in told.items()
    }


def aligned(values: Any, y: pd.Series, name: str) -> pd.Series:
    """Return values in the order of the labels: by index where both have one, else by position.

    Parameters
    ----------
    values : pandas.Series or array
        One value per label.
    y : pandas.Series
        The labels.
    name : str
        What the values are called in a message.

    Returns
    -------
    pandas.Series
        The values, with the index of the labels.

    Raises
    ------
    UsageError
        Lengths or indexes differ.
    """
    if len(values) != len(y):
        raise UsageError(f"expected {len(y)} values, one per label; found {len(values)}", where=name)
    if not isinstance(values, pd.Series):
        return pd.Series(np.asarray(values), index=y.index)
    if values.index.equals(y.index):
        return values
    if not (values.index.is_unique and y.index.is_unique and values.index.isin(y.index).all()):
        raise UsageError(f"y and {name} are about different rows: their indexes differ", where=name)
    return values.reindex(y.index)


def floats(values: pd.Series, name: str) -> np.ndarray:
    """Return numbers or flags as floats, NaN where missing.

    Parameters
    ----------
    values : pandas.Series
        Numbers or flags.
    name : str
        What they are called in a message.

    Returns
    -------
    numpy.ndarray
        One float per value.

    Raises
    ------
    UsageError
        They are neither.
    """
    try:
        return values.astype("float64" if values.dtype == object else values.dtype).to_numpy("float64", na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise UsageError(f"expected numbers; found {values.dtype}", where=name) from error


def in_own_order(used: pd.DataFrame) -> pd.DataFrame:
    """Return rows in an order of their own, so that the order in which they came changes nothing.

    Parameters
    ----------
    used : pandas.DataFrame
        Rows with label and risk.

    Returns
    -------
    pandas.DataFrame
        The same rows, sorted.

    Raises
    ------
    UsageError
        There is none.
    """
    if used.empty:
        raise UsageError("no row has both a label and a risk", do="check that labels and risks are about the same rows")
    first = ["person"] if "person" in used else []
    names: list[Any] = [*first, *(name for name in used if name not in first)]
    return used.sort_values(names, kind="stable", ignore_index=True)


def check_values(labels: np.ndarray, risks: np.ndarray, *, is_probability: bool) -> None:
    """Refuse labels other than 0 and 1, and risks that are none.

    Parameters
    ----------
    labels, risks : numpy.ndarray
        One per row.
    is_probability : bool
        Whether risks must lie from 0 to 1.

    Raises
    ------
    UsageError
        A label or a risk is refused.
    """
    if not np.isin(labels, (0, 1)).all():
        raise UsageError("labels must be 1 (with the outcome), 0 (without) or missing; found others", where="y")
    if np.isinf(risks).any() or (is_probability and not ((risks >= 0) & (risks <= 1)).all()):
        raise UsageError("risks must be probabilities from 0 to 1", where="risk", do="for points, is_probability=False")
