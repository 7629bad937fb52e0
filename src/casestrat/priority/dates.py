"""Dates as the room reads them: naive, local to the agency, in microseconds."""

from __future__ import annotations

from datetime import date, datetime

import pandas as pd

from casestrat.errors import UsageError
from casestrat.tables.moments import FIRST_YEAR, LAST_YEAR, written_moment

DateLike = str | date | datetime | pd.Timestamp


def moment_of(value: object, name: str) -> pd.Timestamp:
    """Return a date or moment as a naive timestamp.

    Parameters
    ----------
    value : str, date, datetime or pandas.Timestamp
        ISO 8601 text, or a date of any kind.
    name : str
        What it is called, for the message.

    Returns
    -------
    pandas.Timestamp
        The same moment, without a zone, in microseconds.

    Raises
    ------
    UsageError
        It is no date, carries a time zone, or lies outside 1900–2200.

    Examples
    --------
    >>> moment_of("2026-10-01", "as_of")
    Timestamp('2026-10-01 00:00:00')
    """
    moment = written_moment(value)
    if moment is None:
        raise UsageError(f"`{name}` is not a date", do='give a date such as "2026-10-01"')
    if moment.tzinfo is not None:
        raise UsageError(f"`{name}` has a time zone", do="give a naive date, local to the agency")
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise UsageError(f"`{name}` lies outside {FIRST_YEAR}–{LAST_YEAR}", do="give a date of this age")
    return pd.Timestamp(moment).as_unit("us")
