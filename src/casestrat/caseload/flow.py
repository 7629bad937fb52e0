"""How people flow through the service: who comes, who leaves, who is there, month by month."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.caseload.following import Standing, stock_at, within
from casestrat.errors import UsageError
from casestrat.tables import TEXT
from casestrat.timeline import status_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from casestrat.knowledge import Program
    from casestrat.tables import Tables

MEASURES = ("stock", "inflow", "outflow", "waiting", "turnover")
_MOST_MONTHS = 600


def flow(tables: Tables, program: Program, as_of: pd.Timestamp | str, months: int = 24) -> pd.DataFrame:
    """Count who was followed, who came, who left and who waited, month by month, as known on a date.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        Whose episodes and referrals count.
    as_of : pandas.Timestamp or str
        The date; the day itself does not count. The month it lies in is told as far as it went.
    months : int, default 24
        How many calendar months to go back, 1 to 600.

    Returns
    -------
    pandas.DataFrame
        One row per month, group and measure: period_start, period_end (first day after the period), is_whole (false
        for a month that is not over), group_kind (``all``, ``team``, ``territory``), group, measure, close_reason,
        value. ``stock`` and ``waiting`` are counted at the end of the period, ``inflow`` and ``outflow`` inside it;
        ``outflow`` is there once for all and once for each close_reason; ``turnover`` is the outflow over the mean of
        the stocks at the two ends. Nobody waits for a team, so ``waiting`` has no teams. Groups are those known on the
        date: the last lead's team and the territory.

    Raises
    ------
    UsageError
        ``months`` is out of range.

    Examples
    --------
    >>> from casestrat.knowledge import load_program
    >>> from casestrat.tables import Tables
    >>> tables = Tables.from_frames({
    ...     "persons": pd.DataFrame({"person_id": ["P1", "P2", "P3"], "recorded_at": "2026-01-01"}),
    ...     "referrals": pd.DataFrame({"referral_id": ["R1"], "person_id": ["P3"], "referred_on": ["2026-02-03"],
    ...                                "recorded_at": ["2026-02-03"]}),
    ...     "episodes": pd.DataFrame({"episode_id": ["E1", "E2"], "person_id": ["P1", "P2"],
    ...                               "admitted_on": ["2026-01-10", "2026-02-10"], "closed_on": ["2026-02-20", None],
    ...                               "close_reason": ["moved", None],
    ...                               "recorded_at": ["2026-02-20", "2026-02-10"]})})
    >>> months = flow(tables, load_program("geriatric"), "2026-03-01", months=1)
    >>> total = months[(months["group_kind"] == "all") & (months["close_reason"] == "")]
    >>> total.set_index("measure")["value"].astype(int).to_dict()
    {'stock': 1, 'inflow': 1, 'outflow': 1, 'waiting': 1, 'turnover': 1}
    """
    if not 1 <= months <= _MOST_MONTHS:
        raise UsageError(f"months must lie in 1–{_MOST_MONTHS}", do="give a number such as 24")
    date = pd.Timestamp(as_of)
    day = Standing(tables, program, date)
    times = periods(date, months)
    counted = [_counts(mine, times).assign(group_kind=kind, group=group) for kind, group, mine in _groups(day.episodes)]
    counts = pd.concat([*counted, _waiting(day, times)], ignore_index=True)
    when = pd.DataFrame(times, columns=["period_start", "period_end"])
    when["is_whole"] = when["period_end"] == when["period_start"] + pd.offsets.MonthBegin()
    return _as_frame(counts.merge(when, on="period_end"))


def periods(as_of: pd.Timestamp, months: int) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    """Return the half-open calendar months up to a date, earliest first; the last one ends on the date.

    Examples
    --------
    >>> [f"{start:%d %b}–{end:%d %b}" for start, end in periods(pd.Timestamp("2026-03-15"), 2)]
    ['01 Feb–01 Mar', '01 Mar–15 Mar']
    """
    month = as_of.normalize().replace(day=1)
    if month == as_of:
        month = month - pd.offsets.MonthBegin()
    starts = [month - pd.DateOffset(months=back) for back in range(months - 1, -1, -1)]
    ends = [*starts[1:], as_of]
    return list(zip(starts, ends, strict=True))


def _groups(episodes: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Give every group with its episodes: all, each team, each territory; groups in order of their name."""
    yield "all", "all", episodes
    for kind in ("team", "territory"):
        for group, mine in episodes.groupby(kind, sort=True):
            yield kind, str(group), mine


def _counts(episodes: pd.DataFrame, times: list[tuple[pd.Timestamp, pd.Timestamp]]) -> pd.DataFrame:
    """Return stock, inflow, outflow and turnover of one group in each period, by its end."""
    admitted, closed = episodes["admitted_on"], episodes["closed_on"]
    reasons = episodes["close_reason"].fillna("unknown").to_numpy(dtype=object)
    rows: list[tuple[pd.Timestamp, str, str, float]] = []
    for start, end in times:
        before, after = int(stock_at(episodes, start).sum()), int(stock_at(episodes, end).sum())
        left = within(closed, start, end)
        gone = int(left.sum())
        rows += [
            (end, "stock", "", after),
            (end, "inflow", "", int(within(admitted, start, end).sum())),
            (end, "outflow", "", gone),
            (end, "turnover", "", turnover(gone, before, after)),
            *((end, "outflow", str(reason), n) for reason, n in sorted(Counter(reasons[left]).items())),
        ]
    return pd.DataFrame(rows, columns=["period_end", "measure", "close_reason", "value"])


def turnover(left: float, stock_before: float, stock_after: float) -> float:
    """Return those who left over the mean of the stocks at both ends; missing where nobody was there.

    Examples
    --------
    >>> turnover(3, 20, 10), turnover(0, 0, 0)
    (0.2, nan)
    """
    mean = (stock_before + stock_after) / 2
    return left / mean if mean else float("nan")


def _waiting(day: Standing, times: list[tuple[pd.Timestamp, pd.Timestamp]]) -> pd.DataFrame:
    """Return how many waited at the end of each period: all, and in each territory."""
    rows = day.referrals
    until = _used_up(day.tables, rows["referral_id"])
    parts = []
    for _, end in times:
        # Only those are asked about who could wait: it keeps the question small.
        could = (rows["recorded_at"] < end) & (until.isna() | (until >= end))
        parts.append(pd.DataFrame({"person_id": rows.loc[could, "person_id"].unique(), "as_of": end}))
    spine = pd.concat(parts, ignore_index=True).astype({"person_id": TEXT})
    found = status_at(day.tables, day.program, spine) if len(spine) else spine.assign(status="")
    found = found[found["status"] == "waiting"]
    found = found.assign(group=day.territory_of(found["person_id"]))
    ends = pd.Index([end for _, end in times])
    total = found.groupby("as_of").size().reindex(ends, fill_value=0)
    names = sorted(rows["territory"].unique())
    by_territory = {
        name: found[found["group"] == name].groupby("as_of").size().reindex(ends, fill_value=0) for name in names
    }
    columns = [("all", "all", total), *(("territory", name, by_territory[name]) for name in names)]
    counts = [
        {"group_kind": kind, "group": group, "period_end": end, "value": n}
        for kind, group, column in columns
        for end, n in zip(ends, column, strict=True)
    ]
    return pd.DataFrame(counts).assign(measure="waiting", close_reason="")


def _used_up(tables: Tables, referral_id: pd.Series) -> pd.Series:
    """Return when each referral could wait no longer, for certain: an admission or refusal that nothing changed."""
    rows = tables.decisions
    touched = rows.loc[rows["is_void"].fillna(False).astype(bool) | rows.duplicated("decision_id"), "decision_id"]
    final = rows[rows["outcome"].isin(["admit", "refuse"])]
    final = final[~final["decision_id"].isin(touched) & ~final["decision_id"].isin(rows["supersedes"].dropna())]
    moment = final.groupby("referral_id")["recorded_at"].max()
    return pd.Series(moment.reindex(referral_id).array, index=referral_id.index)


def _as_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the long frame with its types and its order."""
    columns = ["period_start", "period_end", "is_whole", "group_kind", "group", "measure", "close_reason", "value"]
    frame = frame[columns].astype(
        {"group_kind": TEXT, "group": TEXT, "measure": TEXT, "close_reason": TEXT, "value": "float64"}
    )
    for name in ("period_start", "period_end"):
        frame[name] = frame[name].astype("datetime64[us]")
    place = frame["measure"].map({name: i for i, name in enumerate(MEASURES)}).to_numpy()
    kind = frame["group_kind"].map({"all": 0, "team": 1, "territory": 2}).to_numpy()
    order = np.lexsort(
        (
            frame["close_reason"].to_numpy(dtype=str),
            place,
            frame["group"].to_numpy(dtype=str),
            kind,
            frame["period_start"].to_numpy(),
        )
    )
    return frame.iloc[order].reset_index(drop=True)
