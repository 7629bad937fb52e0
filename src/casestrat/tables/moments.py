"""Dates and moments as people write them: naive, local to the agency."""

from __future__ import annotations

from datetime import date, datetime

import pandas as pd

FIRST_YEAR, LAST_YEAR = 1900, 2200


def written_moment(value: object) -> datetime | None:
    """Return a date or moment as it is written, with its time zone if it has one.

    Parameters
    ----------
    value : object
        ISO 8601 text or a date of any kind.

    Returns
    -------
    datetime.datetime or None
        The moment; None where it is none.

    Examples
    --------
    >>> written_moment("2026-10-12"), written_moment("soon")
    (datetime.datetime(2026, 10, 12, 0, 0), None)
    """
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


def local_moment(value: object) -> datetime | None:
    """Return a moment of a decision file, its zone dropped: the wall clock it was written by counts.

    Parameters
    ----------
    value : object
        ISO 8601 text or a date of any kind.

    Returns
    -------
    datetime.datetime or None
        The naive moment; None where it is none, or of another age.

    Examples
    --------
    >>> local_moment("2026-10-12T14:03:22Z"), local_moment("soon")
    (datetime.datetime(2026, 10, 12, 14, 3, 22), None)
    """
    moment = written_moment(value)
    if moment is None or not FIRST_YEAR <= moment.year <= LAST_YEAR:
        return None
    return moment.replace(tzinfo=None)
