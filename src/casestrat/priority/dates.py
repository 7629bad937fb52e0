"""Dates as the room reads them: naive, local to the agency, in microseconds."""

from __future__ import annotations

from datetime import date, datetime

import pandas as pd

from casestrat.errors import UsageError

_FIRST_YEAR, _LAST_YEAR = 1900, 2200

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
    moment = _parsed(value)
    if moment is None:
        raise UsageError(f"`{name}` is not a date", do='give a date such as "2026-10-01"')
    if moment.tzinfo is not None:
        raise UsageError(f"`{name}` has a time zone", do="give a naive date, local to the agency")
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise UsageError(f"`{name}` lies outside {_FIRST_YEAR}–{_LAST_YEAR}", do="give a date of this age")
    return pd.Timestamp(moment).as_unit("us")


def local_moment(value: object) -> datetime | None:
    """Return a moment of a decision file, its zone dropped: the wall clock it was written by counts.

    Parameters
    ----------
    value : object
        ISO 8601 text or a date of any kind.

    Returns
    -------
    datetime.datetime or None
        The naive moment; None where it is none.

    Examples
    --------
    >>> local_moment("2026-10-12T14:03:22Z"), local_moment("soon")
    (datetime.datetime(2026, 10, 12, 14, 3, 22), None)
    """
    moment = _parsed(value)
    if moment is None or not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        return None
    return moment.replace(tzinfo=None)


def _parsed(value: object) -> datetime | None:
    if value is pd.NaT:
        return None
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime(warn=False)
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001  naive by contract
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    return None
