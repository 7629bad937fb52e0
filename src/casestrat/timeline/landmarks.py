"""Regular dates to learn from: each person is asked about on several, as long as they belong to the population."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from casestrat.errors import UsageError


def landmarks(
    start: str | pd.Timestamp, end: str | pd.Timestamp, every: Literal["month"] | int = "month"
) -> pd.DatetimeIndex:
    """Return regular dates from the first to the last, for `make_spine`.

    Parameters
    ----------
    start, end : str or Timestamp
        First date, and the date after which there is none; both may be in it. Naive, local to the agency.
    every : "month" or int, default "month"
        Each month on the day of the first date, on the last of the month where a month is shorter; or a number of days,
        1 or more.

    Returns
    -------
    pandas.DatetimeIndex
        One entry per date, rising.

    Raises
    ------
    UsageError
        A date cannot be used, the last comes before the first, or the step is neither.

    Examples
    --------
    >>> landmarks("2026-01-31", "2026-04-30").strftime("%m-%d").tolist()
    ['01-31', '02-28', '03-31', '04-30']
    >>> landmarks("2026-01-01", "2026-03-01", every=30).strftime("%m-%d").tolist()
    ['01-01', '01-31']
    """
    first, last = single_date(start, "start"), single_date(end, "end")
    if last < first:
        raise UsageError(f"the last date ({last.date()}) comes before the first ({first.date()})", do="swap them")
    if isinstance(every, int) and not isinstance(every, bool) and every >= 1:
        dates = pd.date_range(first, last, freq=pd.Timedelta(days=every))
    elif every == "month":
        # Counted from the first date each time, so that a short month does not draw the later ones back.
        months = (last.year - first.year) * 12 + last.month - first.month
        dates = pd.DatetimeIndex([first + pd.DateOffset(months=number) for number in range(months + 1)])
    else:
        raise UsageError(f"expected every='month' or a number of days; found {every!r}", where="every")
    return dates[dates <= last].as_unit("us")


def single_date(given: str | pd.Timestamp, name: str) -> pd.Timestamp:
    """Return one naive date.

    Parameters
    ----------
    given : str or Timestamp
        The date.
    name : str
        What it is called, for messages.

    Returns
    -------
    Timestamp
        The date.

    Raises
    ------
    UsageError
        It is no date, is missing, or has a time zone.
    """
    try:
        date = pd.Timestamp(given)
    except (ValueError, TypeError):
        raise UsageError(f"{name} is not a date", do="give a date such as 2026-10-01") from None
    if pd.isna(date) or date.tz is not None:
        raise UsageError(f"{name} is missing or has a time zone", do="give a naive date, local to the agency")
    return date
