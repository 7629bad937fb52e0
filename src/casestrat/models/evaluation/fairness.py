"""How well a model does for each group of people, with intervals, and silence where groups are too small."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.models.measures.bootstrap import percentile_intervals
from casestrat.models.measures.calibration import calibration_intercept, log_odds, recalibrate
from casestrat.models.measures.metrics import (
    Counts,
    area_under_roc,
    count_people,
    expected_over_observed,
    gather_risks,
    mean_discounts,
    taken_shares,
)
from casestrat.models.measures.small_cells import hide_complements, is_small
from casestrat.tables.columns import TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_DRAWN_RISKS = 1_000  # more distinct risks than this are gathered into as many in a bootstrap draw
_DRAWN_LINE = 200  # and into as many for the calibrating line of a group
_BOUNDS = {
    "auc": "auc",
    "expected_over_observed": "eo",
    "calibration_slope": "slope",
    "calibration_intercept": "intercept",
    "exposure": "exposure",
}
_OF_RISKS = ("expected_over_observed", "calibration_slope", "calibration_intercept")
_RATES = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision")
_COLUMNS = (
    "grouping", "group", "n", "events", "observed", "mean_risk",
    *(name for measure, short in _BOUNDS.items() for name in (measure, f"{short}_low", f"{short}_high")),
    "is_suppressed",
)  # fmt: skip
_SELECTION = (
    "capacity", "grouping", "group", "n", "n_selected",
    *(f"{rate}{end}" for rate in _RATES for end in ("", "_low", "_high")), "is_suppressed",
)  # fmt: skip
_GAPS = (
    "grouping", "measure", "capacity", "n_groups", "highest", "lowest", "difference", "low", "high", "ratio", "finding",
    "harm",
)  # fmt: skip
HARMS = {
    "auc": "order_is_poorer",
    "expected_over_observed": "need_is_told_too_low",
    "exposure": "stands_lower_on_the_list",
    "selection_rate": "is_offered_help_less_often",
    "true_positive_rate": "need_is_missed_more_often",
    "false_positive_rate": "help_goes_where_it_was_not_needed",
}
"""What a gap does to people, by measure; to those of the lowest value, but for false positives."""


@dataclass(frozen=True, eq=False, slots=True)
class GroupAudit:
    """What the audit of groups found: three frames.

    Attributes
    ----------
    by_group : pandas.DataFrame
        One row per grouping and group.
    selection : pandas.DataFrame
        One row per capacity, grouping and group.
    gaps : pandas.DataFrame
        One row per grouping and measure (and capacity).
    """

    by_group: pd.DataFrame
    selection: pd.DataFrame
    gaps: pd.DataFrame


@dataclass(frozen=True, slots=True)
class _Members:
    """The groups, and how often each person counts at each distinct risk, in each group."""

    names: list[tuple[str, str]]
    rows: list[np.ndarray]

    @classmethod
    def of(cls, groups: pd.DataFrame) -> _Members:
        pairs = [(str(name), str(group)) for name in groups for group in sorted(set(groups[name]))]
        return cls(pairs, [np.flatnonzero(groups[name] == group) for name, group in pairs])


def audit_groups(
    at: np.ndarray,
    code: np.ndarray,
    y: np.ndarray,
    groups: pd.DataFrame,
    draws: Callable[[], Iterable[np.ndarray]],
    *,
    capacities: Sequence[int] = (),
    is_probability: bool,
    least_n: int,
    small_cell: int,
) -> GroupAudit:
    """Return discrimination, calibration, exposure and selection in each group, and the gaps between groups.

    Parameters
    ----------
    at : numpy.ndarray
        Distinct risks, rising.
    code : numpy.ndarray of int
        Position of each row's risk in ``at``.
    y : numpy.ndarray
        Labels 0 and 1.
    groups : pandas.DataFrame
        One row per person and date, one column of text per grouping.
    draws : callable
        Gives the bootstrap draws: how often each row counts, draw by draw.
    capacities : sequence of int
        How many people could be taken.
    is_probability : bool
        Whether ``at`` holds probabilities; else nothing is said about calibration.
    least_n : int
        Groups of fewer rows are not told.
    small_cell : int
        Counts from 1 to one less than this are not told, nor what would give them away.

    Returns
    -------
    GroupAudit
        ``by_group``: one row per grouping and group; ``selection``: one row per capacity, grouping and group; ``gaps``:
        one row per grouping, measure and capacity. What is suppressed is missing.
    """
    members = _Members.of(groups)
    ones = np.ones(len(y))
    shape = (len(members.names), len(_BOUNDS) + len(capacities) * len(_RATES))
    found = np.array(_measure(at, code, y, ones, members, capacities)).reshape(shape)
    drawn_at, drawn_code = gather_risks(at, code, _DRAWN_RISKS)
    drawn = np.array(
        [
            _measure(drawn_at, drawn_code, y, w, members, capacities, _DRAWN_LINE)
            for w in (draws() if members.names else ())
        ],
        dtype=float,
    )
    drawn = drawn.reshape(len(drawn), *shape)
    if not is_probability:
        of_risks = [list(_BOUNDS).index(name) for name in _OF_RISKS]
        found[:, of_risks], drawn[:, :, of_risks] = np.nan, np.nan
    low, high = percentile_intervals(drawn)
    sizes = np.array([_sizes(at[code[rows]], y[rows], is_probability) for rows in members.rows]).reshape(-1, 4)
    by_group = _by_group(members, sizes, found, low, high)
    hidden_n, hidden = _hidden(by_group, least_n, small_cell)
    selection = [
        _selection(capacity, place, members, at, code, y, found, low, high, hidden, small_cell)
        for place, capacity in enumerate(capacities)
    ]
    gaps = _gaps(members, found, drawn, capacities, hidden, [frame["is_suppressed"].to_numpy() for frame in selection])
    by_group.loc[hidden, list(_COLUMNS[3:-1])] = pd.NA
    for frame in (by_group, *selection):
        frame.loc[hidden_n, "n"] = pd.NA
    told = pd.concat(selection, ignore_index=True) if selection else pd.DataFrame(columns=list(_SELECTION))
    return GroupAudit(by_group.assign(is_suppressed=hidden), _typed_selection(told), gaps)


def _measure(
    at: np.ndarray,
    code: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
    members: _Members,
    capacities: Sequence[int],
    line_points: int | None = None,
) -> list[list[float]]:
    """Return the measures of each group: those of the whole order, then the rates at each capacity."""
    everybody = np.bincount(code, weights=weight, minlength=len(at))
    discount = mean_discounts(everybody)
    mean_discount = everybody @ discount / everybody.sum()
    taken = [taken_shares(everybody, capacity) for capacity in capacities]
    line_at, to_line = gather_risks(at, np.arange(len(at)), line_points or len(at))
    line_of_row = to_line[code]
    found = []
    for rows in members.rows:
        counts = count_people(at, code[rows], y[rows], weight[rows])
        n = np.bincount(code[rows], weights=weight[rows], minlength=len(at))
        events = np.bincount(code[rows], weights=weight[rows] * y[rows], minlength=len(at))
        line = counts if len(line_at) == len(at) else count_people(line_at, line_of_row[rows], y[rows], weight[rows])
        exposure = n @ discount / n.sum() / mean_discount if n.sum() else np.nan
        measures = [area_under_roc(counts), expected_over_observed(counts), *_line(line), exposure]
        found.append(measures + [rate for share in taken for rate in _rates(n, events, share)])
    return found


def _line(counts: Counts) -> tuple[float, float]:
    """Calibration slope and intercept of one group; NaN for points, which are no risks."""
    if not counts.has_both or counts.risk.min() < 0 or counts.risk.max() > 1:
        return np.nan, np.nan
    x, labels = np.tile(log_odds(counts.risk), 2), np.repeat([1.0, 0.0], len(counts.risk))
    weight = np.concatenate([counts.events, counts.others])
    return recalibrate(x, labels, weight).slope, calibration_intercept(x, labels, weight)


def _rates(n: np.ndarray, events: np.ndarray, share: np.ndarray) -> list[float]:
    """Return how often those of a group are taken: all of them, those with and without the outcome; and precision."""
    taken, hits, total, cases = n @ share, events @ share, n.sum(), events.sum()
    parts = ((taken, total), (hits, cases), (taken - hits, total - cases), (hits, taken))
    return [float(part / whole) if whole > 0 else np.nan for part, whole in parts]


def _sizes(risk: np.ndarray, y: np.ndarray, is_probability: bool) -> tuple[float, float, float, float]:
    """Rows, events, share with the outcome and mean risk of a group."""
    return len(y), y.sum(), y.mean(), risk.mean() if is_probability else np.nan


def _by_group(
    members: _Members, sizes: np.ndarray, found: np.ndarray, low: np.ndarray, high: np.ndarray
) -> pd.DataFrame:
    """Return what is found of each group, nothing hidden yet."""
    columns: dict[str, object] = {
        "grouping": [name for name, _ in members.names],
        "group": [group for _, group in members.names],
        "n": sizes[:, 0].astype("int64"),
        "events": sizes[:, 1].astype("int64"),
        "observed": sizes[:, 2],
        "mean_risk": sizes[:, 3],
    }
    for place, (measure, short) in enumerate(_BOUNDS.items()):
        columns |= {measure: found[:, place], f"{short}_low": low[:, place], f"{short}_high": high[:, place]}
    table = pd.DataFrame(columns).assign(is_suppressed=False)[list(_COLUMNS)]
    return table.astype({"grouping": TEXT, "group": TEXT, "n": "Int64", "events": "Int64"})


def _hidden(table: pd.DataFrame, least_n: int, small_cell: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the groups whose size is not told, and those of whom nothing else is told."""
    n, events = table["n"].to_numpy(dtype="int64"), table["events"].to_numpy(dtype="int64")
    few_people = is_small(n, small_cell)
    few_cases = is_small(events, small_cell) | is_small(n - events, small_cell)
    hidden_n, hidden = few_people.copy(), few_people | few_cases
    for grouping in table["grouping"].unique():
        rows = np.flatnonzero(table["grouping"] == grouping)
        hidden_n[rows] = hide_complements(hidden_n[rows], n[rows], small_cell)
        hidden[rows] = hide_complements(hidden[rows], n[rows], small_cell)
    return hidden_n, hidden | hidden_n | (n < least_n)


def _selection(
    capacity: int,
    place: int,
    members: _Members,
    at: np.ndarray,
    code: np.ndarray,
    y: np.ndarray,
    found: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    hidden: np.ndarray,
    small_cell: int,
) -> pd.DataFrame:
    """Return who is taken at one capacity, by group; small numbers of those taken are hidden too."""
    first = len(_BOUNDS) + place * len(_RATES)
    share = taken_shares(np.bincount(code, minlength=len(at)).astype(float), capacity)[code]
    taken = np.array([share[rows].sum() for rows in members.rows])
    hits = np.array([share[rows] @ y[rows] for rows in members.rows])
    few = np.array(hidden)
    for part in (taken, hits, taken - hits):
        few |= is_small(np.ceil(np.round(part, 9)), small_cell)
    for grouping in dict.fromkeys(name for name, _ in members.names):
        rows = np.array([name == grouping for name, _ in members.names])
        few[rows] = hide_complements(few[rows], taken[rows], small_cell)
    columns: dict[str, object] = {
        "capacity": capacity,
        "grouping": [name for name, _ in members.names],
        "group": [group for _, group in members.names],
        "n": [len(rows) for rows in members.rows],
        "n_selected": np.where(few, np.nan, taken),
    }
    for offset, rate in enumerate(_RATES):
        values = {"": found, "_low": low, "_high": high}
        columns |= {f"{rate}{end}": np.where(few, np.nan, part[:, first + offset]) for end, part in values.items()}
    return _typed_selection(pd.DataFrame(columns).assign(is_suppressed=few)[list(_SELECTION)])


def _typed_selection(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with their types, also where there is none."""
    numbers = dict.fromkeys(_SELECTION[4:-1], "float64")
    return table.astype(
        {"capacity": "Int64", "grouping": TEXT, "group": TEXT, "n": "Int64", **numbers, "is_suppressed": "bool"}
    )


def _gaps(
    members: _Members,
    found: np.ndarray,
    drawn: np.ndarray,
    capacities: Sequence[int],
    hidden: np.ndarray,
    few: list[np.ndarray],
) -> pd.DataFrame:
    """Return the widest gap between told groups, by grouping and measure."""
    of_order = [(name, pd.NA, place, hidden) for place, name in enumerate(_BOUNDS) if name in HARMS]
    of_cuts = [
        (rate, capacity, len(_BOUNDS) + cut * len(_RATES) + offset, few[cut])
        for cut, capacity in enumerate(capacities)
        for offset, rate in enumerate(_RATES)
        if rate in HARMS
    ]
    rows = []
    for grouping in dict.fromkeys(name for name, _ in members.names):
        for measure, capacity, place, left_out in (*of_order, *of_cuts):
            told = np.array([
                i for i, (name, _) in enumerate(members.names)
                if name == grouping and not left_out[i] and np.isfinite(found[i, place])
            ], dtype=int)  # fmt: skip
            gap = _gap(told, members, found[:, place], drawn[:, :, place])
            rows.append((grouping, measure, capacity, len(told), *gap, HARMS[measure]))
    frame = pd.DataFrame(rows, columns=list(_GAPS))
    text = dict.fromkeys(("grouping", "measure", "highest", "lowest", "finding", "harm"), TEXT)
    numbers = dict.fromkeys(("difference", "low", "high", "ratio"), "float64")
    return frame.astype({**text, **numbers, "capacity": "Int64", "n_groups": "int64"})


def _gap(told: np.ndarray, members: _Members, found: np.ndarray, drawn: np.ndarray) -> tuple[object, ...]:
    """Return the groups of the highest and the lowest value, their difference with interval, ratio, and the finding."""
    if len(told) < 2:
        return pd.NA, pd.NA, np.nan, np.nan, np.nan, np.nan, "too_few"
    most, least = told[np.argmax(found[told])], told[np.argmin(found[told])]
    n_pairs = len(told) * (len(told) - 1) // 2
    low, high = _widened(drawn[:, most] - drawn[:, least], n_pairs)
    ratio = found[least] / found[most] if found[most] > 0 else np.nan
    finding = "no_interval" if np.isnan(low) else "apart" if low > 0 else "not_apart"
    return members.names[most][1], members.names[least][1], found[most] - found[least], low, high, ratio, finding


def _widened(values: np.ndarray, n_pairs: int) -> tuple[float, float]:
    """Return a 95 % interval widened for the number of pairs of which the widest gap was taken (Bonferroni)."""
    told = values[np.isfinite(values)]
    if not len(told) or len(told) * 2 < len(values):
        return np.nan, np.nan
    tail = 2.5 / n_pairs
    low, high = np.percentile(told, [tail, 100 - tail])
    return float(low), float(high)
