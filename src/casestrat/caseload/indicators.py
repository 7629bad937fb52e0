"""The indicators of a caseload on one date, by team, territory and tier, with small cells hidden."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.caseload.contacts import contacts_due_on
from casestrat.caseload.disclosure import hidden_cells
from casestrat.caseload.flow import turnover
from casestrat.caseload.following import Standing, stock_at, within
from casestrat.caseload.inequality import coefficient_of_variation, gini
from casestrat.caseload.process import process_indicators_on
from casestrat.caseload.spread import staff_in_post, workload_on
from casestrat.tables import OUTPUTS
from casestrat.timeline import known

if TYPE_CHECKING:
    from collections.abc import Iterator

    from casestrat.knowledge import Program
    from casestrat.tables import Tables

_DAY = pd.Timedelta(days=1)
_PERIODS = (30, 365)
_OUTCOMES = {"admissions": "admit", "deferrals": "defer", "refusals": "refuse"}
_NAN = float("nan")


@dataclass(frozen=True)
class _Cell:
    """One value of one group. ``people`` are the counts it rests on, none where it is about staff."""

    indicator: str
    kind: str
    group: str
    value: float
    numerator: float
    denominator: float
    days: int = 1
    people: tuple[int, ...] = ()
    is_share: bool = False


def indicators(
    tables: Tables,
    program: Program,
    as_of: pd.Timestamp | str,
    tiers: pd.DataFrame | None = None,
    workload: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the indicators of a caseload as known on a date.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        Whose rows, contact standards and small-cell threshold count.
    as_of : pandas.Timestamp or str
        The date; the day itself does not count.
    tiers : pandas.DataFrame, optional
        Index (person_id, as_of) and column ``tier``; without it there is no mix of tiers.
    workload : pandas.DataFrame, optional
        Columns team and utilisation_after of a plan; without it, the spread is that of the leads on the date.

    Returns
    -------
    pandas.DataFrame
        One row per indicator, group and period, as the output ``caseload`` of ``casestrat.tables.OUTPUTS``: indicator,
        group_kind (all, team, territory, tier), group, period_start, period_end (last day), value, numerator,
        denominator, is_suppressed, as_of. A count that is small, or that would give a small one away, is hidden with
        everything that rests on it; the counts of the service as a whole are always shown.

    Examples
    --------
    >>> from casestrat.knowledge import load_program
    >>> from casestrat.tables import Tables
    >>> tables = Tables.from_frames({
    ...     "persons": pd.DataFrame({"person_id": ["P1", "P2", "P3"], "recorded_at": "2026-01-01"}),
    ...     "referrals": pd.DataFrame({"referral_id": ["R1", "R2", "R3"], "person_id": ["P1", "P2", "P3"],
    ...                                "referred_on": ["2026-02-02"] * 3, "recorded_at": ["2026-02-02"] * 3})})
    >>> frame = indicators(tables, load_program("geriatric"), "2026-03-01")
    >>> frame.loc[(frame["indicator"] == "waiting") & (frame["group_kind"] == "all"), "value"].tolist()
    [3.0]
    """
    day = Standing(tables, program, pd.Timestamp(as_of))
    cells = [
        *_stocks(day),
        *_flows(day),
        *_waits(day),
        *_committee(day),
        *_contacts(day),
        *_tiers(day, tiers),
        *_spread(workload if workload is not None else workload_on(day)),
        *_process(day, tiers),
    ]
    return _as_output(cells, day.as_of, program.privacy.small_cell)


def _groups(frame: pd.DataFrame, *kinds: str) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Give all rows, then those of each group of each kind, in order of name."""
    yield "all", "all", frame
    for kind in kinds:
        for name, mine in frame.groupby(kind, sort=True):
            yield kind, str(name), mine


def _stocks(day: Standing) -> list[_Cell]:
    """Return who is followed, since when, and of how many places."""
    staff = staff_in_post(day.tables, day.program, day.as_of)
    cells = []
    for kind, group, mine in _groups(day.episodes, "team", "territory"):
        now = mine[stock_at(mine, day.as_of)]
        n = len(now)
        stay = (day.as_of - now["admitted_on"]).dt.days.mean() if n else _NAN
        cells.append(_Cell("stock", kind, group, n, n, _NAN, people=(n,)))
        cells.append(_Cell("mean_stay_days", kind, group, stay, _NAN, n, people=(n,)))
        places = float(staff.loc[(staff["team"] == group) | (kind == "all"), "places"].sum())
        if kind != "territory" and places:
            cells.append(_Cell("occupancy", kind, group, n / places, n, places, people=(n,)))
    return cells


def _flows(day: Standing) -> list[_Cell]:
    """Return who came and who left in the last month and year, and turnover in the year."""
    cells = []
    for kind, group, mine in _groups(day.episodes, "team", "territory"):
        for days in _PERIODS:
            start = day.as_of - days * _DAY
            came = int(within(mine["admitted_on"], start, day.as_of).sum())
            left = int(within(mine["closed_on"], start, day.as_of).sum())
            cells.append(_Cell(f"inflow_{days}d", kind, group, came, came, _NAN, days, people=(came,)))
            cells.append(_Cell(f"outflow_{days}d", kind, group, left, left, _NAN, days, people=(left,)))
        before, after = int(stock_at(mine, start).sum()), int(stock_at(mine, day.as_of).sum())
        mean = (before + after) / 2
        # Of the four counts any one follows from the others, so turnover shows only where all four are shown.
        counts = (left, came, before, after)
        value = turnover(left, before, after)
        cells.append(_Cell(f"turnover_{days}d", kind, group, value, left, mean, days, people=counts))
    return cells


def _waiting(day: Standing) -> pd.DataFrame:
    """Return the referrals of those who wait."""
    ids = day.status.loc[day.status["status"] == "waiting", "referral_id"]
    return day.referrals[day.referrals["referral_id"].isin(ids)]


def _waits(day: Standing) -> list[_Cell]:
    """Return who waits, and the median of how long they have."""
    cells = []
    for kind, group, mine in _groups(_waiting(day), "territory"):
        n = len(mine)
        median = float((day.as_of - mine["referred_on"]).dt.days.median()) if n else _NAN
        cells.append(_Cell("waiting", kind, group, n, n, _NAN, people=(n,)))
        cells.append(_Cell("median_wait_days", kind, group, median, _NAN, n, people=(n,)))
    return cells


def _committee(day: Standing) -> list[_Cell]:
    """Return referrals that came and decisions that were taken in the last month and year."""
    counted = [("referrals", day.referrals, "referred_on")]
    decisions = known(day.tables.decisions, "decision_id", day.as_of)
    decisions = decisions.assign(territory=day.territory_of(decisions["person_id"]))
    for name, outcome in _OUTCOMES.items():
        counted.append((name, decisions[decisions["outcome"] == outcome], "decided_at"))
    cells = []
    for name, frame, moment in counted:
        for days in _PERIODS:
            recent = within(frame[moment], day.as_of - days * _DAY, day.as_of)
            for kind, group, mine in _groups(frame.assign(recent=recent), "territory"):
                n = int(mine["recent"].sum())
                cells.append(_Cell(f"{name}_{days}d", kind, group, n, n, _NAN, days, people=(n,)))
    return cells


def _contacts(day: Standing) -> list[_Cell]:
    """Return the contacts asked for, made in their time, and overdue: by group, and for each intensity."""
    due = contacts_due_on(day)
    asked: list[tuple[str, pd.DataFrame, tuple[str, ...]]] = [("", due, ("team", "territory"))]
    asked += [(f"_{name}", due[due["intensity"] == name], ()) for name in day.program.intensities]
    cells = []
    for suffix, frame, kinds in asked:
        for kind, group, mine in _groups(frame, *kinds):
            n = len(mine)
            cells.append(_Cell(f"contacts_due{suffix}", kind, group, n, n, _NAN, people=(n,)))
            for name, column in (("done", "done_in_period"), ("overdue", "is_overdue")):
                cells.append(_share(f"contacts_{name}{suffix}", kind, group, int(mine[column].sum()), n))
    return cells


def _tiers(day: Standing, tiers: pd.DataFrame | None) -> list[_Cell]:
    """Return the mix of tiers of those followed and of those who wait."""
    if tiers is None:
        return []
    tier = tiers["tier"].groupby(level="person_id").last()
    cells = []
    for name, frame in (("followed_in_tier", day.open_episodes), ("waiting_in_tier", _waiting(day))):
        mine = frame["person_id"].drop_duplicates().map(tier).dropna()
        n = len(mine)
        cells.append(_Cell(name, "all", "all", 1.0 if n else _NAN, n, n, people=(n,)))
        for group, count in mine.value_counts().sort_index().items():
            cells.append(_Cell(name, "tier", str(group), count / n, int(count), n, people=(int(count),)))
    return cells


def _spread(workload: pd.DataFrame) -> list[_Cell]:
    """Return how evenly the work is spread, as a share of each one's capacity: all, and each team."""
    column = "utilisation_after" if "utilisation_after" in workload else "utilisation"
    cells = []
    for kind, group, mine in _groups(workload, "team"):
        shares = mine[column].astype("float64").dropna()
        n = len(shares)
        cells.append(_Cell("workload_gini", kind, group, gini(shares), _NAN, n))
        cells.append(_Cell("workload_cv", kind, group, coefficient_of_variation(shares), _NAN, n))
    return cells


def _process(day: Standing, tiers: pd.DataFrame | None) -> list[_Cell]:
    """Return the indicator of each of the nine steps."""
    steps = process_indicators_on(day, tiers)
    columns = [steps[name].tolist() for name in ("indicator", "group_kind", "group", "numerator", "denominator")]
    return [
        _share(name, kind, group, numerator, denominator, days=_PERIODS[-1])
        for name, kind, group, numerator, denominator in zip(*columns, strict=True)
    ]


def _share(indicator: str, kind: str, group: str, numerator: int, denominator: int, days: int = 1) -> _Cell:
    """Return a share of people."""
    value = numerator / denominator if denominator else _NAN
    return _Cell(indicator, kind, group, value, numerator, denominator, days, people=(numerator,), is_share=True)


def _as_output(cells: list[_Cell], date: pd.Timestamp, threshold: int) -> pd.DataFrame:
    """Return the cells as the output `caseload`, small ones hidden."""
    frame = pd.DataFrame(cells)
    hidden = np.zeros(len(frame), dtype=bool)
    for places in frame.groupby("indicator", sort=False).indices.values():
        hidden[places] = _hidden([cells[i] for i in places], threshold)
    for name in ("value", "numerator", "denominator"):
        frame[name] = frame[name].astype("float64").mask(hidden)
    frame = frame.rename(columns={"kind": "group_kind"}).assign(
        period_start=date - pd.to_timedelta(frame["days"], unit="D"),
        period_end=date - _DAY,
        is_suppressed=hidden,
        as_of=date,
    )
    contract = OUTPUTS["caseload"]
    typed = frame[list(contract.names)].astype({name: contract.by_name[name].dtype for name in contract.names})
    return typed.sort_values(list(contract.key), kind="stable", ignore_index=True)


def _hidden(cells: list[_Cell], threshold: int) -> np.ndarray:
    """Return which cells of one indicator are hidden: teams, territories and tiers each add up to all."""
    if not cells[0].people:
        return np.zeros(len(cells), dtype=bool)
    layers = list(np.array([cell.people for cell in cells], dtype=np.int64).T)
    if cells[0].is_share:
        whole = np.array([cell.denominator for cell in cells], dtype=np.int64)
        layers += [whole - layers[0], whole]
    equations = _equations(cells, len(layers))
    public = np.tile(_is_public(cells), len(layers))
    hidden = hidden_cells(np.concatenate(layers), equations, threshold, public)
    return np.asarray(hidden.reshape(len(layers), -1).any(axis=0))


def _equations(cells: list[_Cell], layers: int) -> np.ndarray:
    """Return what the counts obey: parts add up to all in every layer; done and not done add up to both."""
    n = len(cells)
    kinds = np.array([cell.kind for cell in cells])
    total = int(np.flatnonzero(kinds == "all")[0])
    rows = []
    for kind in np.unique(kinds[kinds != "all"]):
        for layer in range(layers):
            row = np.zeros(n * layers)
            row[layer * n + np.flatnonzero(kinds == kind)] = 1.0
            row[layer * n + total] = -1.0
            rows.append(row)
    for place in range(n) if cells[0].is_share else ():
        row = np.zeros(n * layers)
        row[[place, n + place]], row[2 * n + place] = 1.0, -1.0
        rows.append(row)
    return np.array(rows).reshape(-1, n * layers)


def _is_public(cells: list[_Cell]) -> np.ndarray:
    """Return which cells are about the whole service: the total, and the only group of its kind."""
    kinds = pd.Series([cell.kind for cell in cells])
    return ((kinds == "all") | (kinds.groupby(kinds).transform("size") == 1)).to_numpy()
