"""Days by id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping


def days_of(ids: pd.Series, days: Mapping[Any, Any] | pd.Series) -> pd.Series:
    """Return a day for each id, missing where it has none; also where no id has one, which mapping a column refuses.

    Parameters
    ----------
    ids : pandas.Series
        Ids, some of them missing.
    days : mapping or Series of Timestamp
        Days by id.

    Returns
    -------
    pandas.Series of datetime64
        On the index of the ids.

    Examples
    --------
    >>> days_of(pd.Series(["C1", "C2"]), {"C2": pd.Timestamp("2026-10-05")}).tolist()
    [NaT, Timestamp('2026-10-05 00:00:00')]
    """
    of = days.to_dict() if isinstance(days, pd.Series) else days
    return pd.Series([of.get(one, pd.NaT) for one in ids], index=ids.index, dtype="datetime64[us]")
