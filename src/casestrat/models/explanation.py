"""Reasons: one row per person and item, with what the item adds to the points or to the log-odds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.tables.columns import TEXT


def reasons_frame(
    index: pd.Index,
    contributions: np.ndarray,
    catalogue: pd.DataFrame,
    *,
    which: np.ndarray | None = None,
    is_missing: np.ndarray,
    keep_zeros: bool,
    top: int | None = None,
) -> pd.DataFrame:
    """Return contributions in long form, the greatest of each person first.

    Parameters
    ----------
    index : pandas.Index
        The persons and dates, one per row of ``contributions``.
    contributions : numpy.ndarray of shape (n, items)
        What each item adds for each person.
    catalogue : pandas.DataFrame
        Columns reason, item, domain, is_actionable; one row per reason.
    which : numpy.ndarray of shape (n, items), optional
        Row of ``catalogue`` that tells the reason; without it the item's own row.
    is_missing : numpy.ndarray of shape (n, items)
        Where the item's value is not known.
    keep_zeros : bool
        Whether items that add nothing are kept.
    top : int, optional
        Keep this many of each person, by size. Only without ``top`` do they sum to the whole.

    Returns
    -------
    pandas.DataFrame
        One row per person, date and item: the levels of the index, reason, item, domain, is_actionable,
        value_is_missing, contribution.
    """
    if top is not None and top < 1:
        raise UsageError(f"top is the number of reasons a person, 1 or more; found {top}")
    rows, items = _greatest_first(contributions, top)
    if not keep_zeros:
        adds = contributions[rows, items] != 0
        rows, items = rows[adds], items[adds]
    values = contributions[rows, items]
    values = values.astype("int64") if values.dtype.kind == "i" else values
    reasons = catalogue.take(items if which is None else which[rows, items]).reset_index(drop=True)
    frame = pd.DataFrame(_index_columns(index, rows))
    return frame.assign(
        **{name: reasons[name].array for name in ("reason", "item", "domain", "is_actionable")},
        value_is_missing=is_missing[rows, items],
        contribution=values,
    )


def _greatest_first(contributions: np.ndarray, top: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Return row and item of each person's contributions, the greatest first, the earlier item among equals."""
    n, n_items = contributions.shape
    sizes = np.abs(contributions)
    kept = n_items if top is None else min(top, n_items)
    if kept * 4 > n_items:
        order = np.argsort(-sizes, axis=1, kind="stable")[:, :kept]
    else:  # for a few reasons of many, picking the greatest again and again is quicker than sorting
        order = np.empty((n, kept), dtype=np.int64)
        for place in range(kept):
            order[:, place] = sizes.argmax(axis=1)
            sizes[np.arange(n), order[:, place]] = -1
    return np.repeat(np.arange(n), kept), order.ravel()


def describe_items(items: Iterable[str], features: Iterable[Any] | None) -> pd.DataFrame:
    """Return the catalogue of items: their domain, and whether they can be acted on.

    Parameters
    ----------
    items : iterable of str
        The items, in order.
    features : iterable, optional
        A program's features, or their definitions: each with name, domain and is_actionable.

    Returns
    -------
    pandas.DataFrame
        One row per item: reason, item, domain, is_actionable. An item that no feature describes is of domain
        "other" and not actionable.
    """
    known = {
        read_field(one, "name"): (read_field(one, "domain", "other"), read_field(one, "is_actionable", False))
        for one in features or ()
    }
    rows = [(item, item, *known.get(item, ("other", False))) for item in items]
    return pd.DataFrame(rows, columns=["reason", "item", "domain", "is_actionable"]).astype(
        {"reason": TEXT, "item": TEXT, "domain": TEXT, "is_actionable": "bool"}
    )


def read_field(feature: Any, name: str, default: Any = None) -> Any:
    """Return a field of a feature, or of its definition.

    Parameters
    ----------
    feature : Feature or mapping
        A feature object, or its definition.
    name : str
        The field.
    default : object, optional
        What it is where the feature lacks it.

    Returns
    -------
    object
        The field's value.
    """
    return feature.get(name, default) if isinstance(feature, Mapping) else getattr(feature, name, default)


def _index_columns(index: pd.Index, rows: np.ndarray) -> dict[str, Any]:
    """Return the levels of an index as columns, a level without a name as `row`."""
    names = ["row" if name is None else str(name) for name in index.names]
    return {name: index.get_level_values(i).take(rows).array for i, name in enumerate(names)}
