"""Periods of validity: whether several together leave no day out."""

from __future__ import annotations

import pandas as pd


def covers_every_day(
    periods: list[tuple[pd.Timestamp, pd.Timestamp]], first: pd.Timestamp | None, last: pd.Timestamp | None
) -> bool:
    """Return whether periods together cover every day from the first to the last.

    Parameters
    ----------
    periods : list of (Timestamp, Timestamp)
        First and last day of validity; a missing start has always begun, a missing end never ends.
    first, last : Timestamp or None
        The days to cover; None asks only that there be a period.

    Returns
    -------
    bool
        True where no day is left out.

    Examples
    --------
    >>> day = pd.Timestamp
    >>> halves = [(day("2026-01-01"), day("2026-06-30")), (day("2026-07-01"), pd.NaT)]
    >>> covers_every_day(halves, day("2026-06-01"), day("2026-08-01"))
    True
    """
    if first is None or last is None:
        return bool(periods)
    ordered = sorted(
        (pd.Timestamp.min if pd.isna(start) else start, pd.Timestamp.max if pd.isna(end) else end)
        for start, end in periods
    )
    reached = first - pd.Timedelta(days=1)
    for start, end in ordered:
        if reached >= last:  # one that never ends has no day after it
            break
        if start <= reached + pd.Timedelta(days=1):
            reached = max(reached, end)
    return bool(reached >= last)
