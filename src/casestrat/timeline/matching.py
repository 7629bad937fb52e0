"""Which rows of a table meet a condition such as ``{kind: fall, is_planned: false}``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np
from pandas.api import types

from casestrat.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


def choices_like(name: str, choices: Iterable[str]) -> str:
    """Say which names can be used in place of one that is not known, the nearest first.

    Parameters
    ----------
    name : str
        The name that is not known.
    choices : iterable of str
        The names that are.

    Returns
    -------
    str
        The three nearest, or all of them where none is near.

    Examples
    --------
    >>> choices_like("event", ["persons", "events", "referrals"])
    'did you mean events?'
    """
    every = list(choices)
    near = get_close_matches(name, every, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(near)}?" if near else f"use one of: {', '.join(every)}"


def known_column(frame: pd.DataFrame, column: str, table: str) -> pd.Series:
    """Return a table's column; offer the nearest names where there is none.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table.
    column : str
        The column asked for.
    table : str
        The table's name, for the message.

    Returns
    -------
    pandas.Series
        The column.

    Raises
    ------
    UsageError
        The table has no such column.
    """
    if column not in frame.columns:
        raise UsageError(f"{table!r} has no column {column!r}", where=table, do=choices_like(column, frame.columns))
    return frame[column]


def rows_matching(frame: pd.DataFrame, where: Mapping[str, Any], table: str) -> NDArray[np.bool_] | None:
    """Return which rows of a table meet a condition; an unknown value meets none.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table.
    where : mapping of str to value or list
        Column → the value it must equal, or the values it may equal. All must hold.
    table : str
        The table's name, for messages.

    Returns
    -------
    numpy.ndarray of bool or None
        One entry per row; None where there is no condition.

    Raises
    ------
    UsageError
        A column is not known, or a value is of another type than the column.

    Examples
    --------
    >>> import pandas as pd
    >>> stays = pd.DataFrame({"is_planned": pd.array([True, False, None], dtype="boolean")})
    >>> rows_matching(stays, {"is_planned": False}, "events").tolist()
    [False, True, False]
    """
    out: NDArray[np.bool_] | None = None
    for name, wanted in where.items():
        column = known_column(frame, name, table)
        is_list = isinstance(wanted, Collection) and not isinstance(wanted, str)
        values = list(wanted) if is_list else [wanted]
        if not all(_fits(column, value) for value in values):
            raise UsageError(
                f"the condition on {name!r} gives {', '.join(sorted({type(v).__name__ for v in values}))}, "
                f"the column holds {column.dtype}",
                where=table,
                do="give values of the column's type: text, numbers, or true and false",
            )
        met = column.isin(values).to_numpy(dtype=bool)
        out = met if out is None else out & met
    return out


def _fits(column: pd.Series, value: object) -> bool:
    """Whether a value can equal a column's values."""
    if types.is_bool_dtype(column.dtype):
        return isinstance(value, bool | np.bool_)
    if types.is_numeric_dtype(column.dtype):
        return isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if types.is_datetime64_any_dtype(column.dtype):
        return False
    return isinstance(value, str)
