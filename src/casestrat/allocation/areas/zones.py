"""Staff territories with case managers and split their cases evenly (CSPLib 069, Balanced Nursing Workload).

Each case manager serves one zone. How even a zone can be with a number of case managers is a problem of its own
(:mod:`casestrat.allocation.areas.splitting`); dynamic programming over the zones then settles who goes where, first on
bounds alone, so that only the splits that matter are ever worked out.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from casestrat.allocation.areas.splitting import Bounds, Zone
from casestrat.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers: TypeAlias = NDArray[np.float64]

_EASE = 1e-7


@dataclass(frozen=True, slots=True)
class ZonePlan:
    """Which zone each case manager serves, and with which cases; made by :func:`balance_zones`.

    Parameters
    ----------
    zone_of_manager : tuple
        Zone of each case manager: its name, or its position where zones have none.
    cases_of_manager : tuple of tuples
        Cases of each: their ids, or their positions in the zone where they have none.
    loads : tuple of float
        Summed weights of each.
    bound : float
        No plan has a smaller sum of squares.
    """

    zone_of_manager: tuple[Hashable, ...]
    cases_of_manager: tuple[tuple[Hashable, ...], ...]
    loads: tuple[float, ...]
    bound: float

    @property
    def sum_of_squares(self) -> float:
        """Sum of squared loads: least where the loads are even."""
        return float(sum(load**2 for load in self.loads))

    @property
    def gap(self) -> float:
        """How far the value may be above the best there is, as a share of it; 0 where it is proven best."""
        value = self.sum_of_squares
        return max(value - self.bound, 0.0) / value if value > self.bound else 0.0

    @property
    def is_optimal(self) -> bool:
        """Whether it is proven that no plan is more even."""
        return self.gap <= _EASE

    @property
    def standard_deviation(self) -> float:
        """Standard deviation of the loads (over all case managers, not a sample of them)."""
        return float(np.std(self.loads))

    @property
    def staffing(self) -> dict[Hashable, int]:
        """Number of case managers of each zone."""
        return {zone: self.zone_of_manager.count(zone) for zone in dict.fromkeys(self.zone_of_manager)}


def balance_zones(
    zones: Mapping[Any, Any] | Sequence[Any],
    n_managers: int,
    min_cases: int = 1,
    max_cases: int | None = None,
    max_load: float | None = None,
) -> ZonePlan:
    """Return how many case managers each territory gets, and which cases each of them, so that loads are even.

    Every case manager serves one zone, every case has one case manager, and the sum of squared loads over all case
    managers is the least there is, or is given with a bound.

    Parameters
    ----------
    zones : mapping or sequence
        One entry per zone: the weights of its cases (0 or more), as a sequence, or by id as a mapping or a Series.
    n_managers : int
        Case managers to staff the zones with; at least one per zone.
    min_cases : int, optional
        Fewest cases of a case manager, 0 or more.
    max_cases : int, optional
        Most cases of a case manager; any number where absent.
    max_load : float, optional
        Most summed weight of a case manager; any where absent.

    Returns
    -------
    ZonePlan
        One zone, one tuple of cases and one load per case manager; those of the first zone first, and within a zone the
        greatest load first.

    Raises
    ------
    UsageError
        If there is no zone, a zone has no cases, a weight is negative or missing or above `max_load`, an id repeats,
        `min_cases` is above `max_cases`, or no staffing is possible.

    Examples
    --------
    >>> plan = balance_zones({"north": [30, 50, 10], "south": [40, 60]}, n_managers=3)
    >>> plan.zone_of_manager, plan.loads
    (('north', 'south', 'south'), (90.0, 60.0, 40.0))
    >>> plan.sum_of_squares, plan.bound, plan.is_optimal
    (13300.0, 13300.0, True)
    """
    asked = _read(zones)
    most = max(len(weights) for _, _, weights in asked) if max_cases is None else max_cases
    bounds = Bounds(_count("min_cases", min_cases), _count("max_cases", most), np.inf if max_load is None else max_load)
    _check(asked, _count("n_managers", n_managers), bounds, most_given=max_cases is not None)
    whole = all(bool(np.all(weights == np.round(weights))) for _, _, weights in asked)
    order = sorted(range(len(asked)), key=lambda at: tuple(np.sort(asked[at][2])[::-1].tolist()))
    sorting = [np.argsort(-asked[at][2], kind="stable") for at in order]
    parts = [Zone(asked[at][2][rows], bounds, whole) for at, rows in zip(order, sorting, strict=True)]
    staffing, bound = _staffed(parts, n_managers)
    rows: list[tuple[int, float, tuple[Hashable, ...]]] = []
    for at, cases, part, number in zip(order, sorting, parts, staffing, strict=True):
        split = part.known(number)
        for held in split.bins if split is not None and split.bins is not None else ():
            positions = np.sort(cases[list(held)]).tolist() if held else []
            names = tuple(asked[at][1][position] for position in positions)
            rows.append((at, float(asked[at][2][positions].sum()), names))
    rows.sort(key=lambda row: (row[0], -row[1]))
    return ZonePlan(
        tuple(asked[at][0] for at, _, _ in rows), tuple(names for _, _, names in rows),
        tuple(load for _, load, _ in rows), bound,
    )  # fmt: skip


_Asked: TypeAlias = "list[tuple[Hashable, list[Hashable], Numbers]]"


def _read(zones: Mapping[Any, Any] | Sequence[Any]) -> _Asked:
    """Name, case ids and weights of each zone."""
    named = isinstance(zones, Mapping)
    entries = list(zones.items()) if isinstance(zones, Mapping) else list(enumerate(zones))
    if not entries:
        raise UsageError("there is no zone", where="argument `zones`", do="give the weights of one zone or more")
    asked: _Asked = []
    ids: list[Hashable] = []
    for at, (name, cases) in enumerate(entries):
        where = f"zone {name!r}" if named else f"zone {at}"
        values = pd.Series(dict(cases)) if isinstance(cases, Mapping) else cases
        own = values.index.tolist() if isinstance(values, pd.Series) else list(range(len(values)))
        ids += own if isinstance(values, pd.Series) else []
        asked.append((name, own, _weights(values, where)))
    if len(ids) != len(set(ids)):
        raise UsageError(
            f"{len(ids) - len(set(ids))} case ids are given more than once", where="argument `zones`",
            do="give each case an id of its own, and to one zone only",
        )  # fmt: skip
    return asked


def _weights(values: Any, where: str) -> Numbers:
    """Weights of one zone as numbers."""
    try:
        weights = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError("weights must be numbers", where=where, do="give one number per case") from error
    if weights.ndim != 1 or not len(weights):
        raise UsageError(
            f"a zone needs one weight per case, and one case or more; found shape {weights.shape}", where=where,
            do="leave out zones without cases",
        )  # fmt: skip
    wrong = int((~np.isfinite(weights) | (weights < 0)).sum())
    if wrong:
        raise UsageError(
            f"weights must be 0 or more; {wrong} of {len(weights)} are negative, missing or infinite", where=where,
            do="give each case a weight",
        )  # fmt: skip
    return weights


def _count(name: str, value: Any) -> int:
    """Read a whole number."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
        raise UsageError(f"{name} is {value!r}", where=f"argument `{name}`", do="give a whole number, 0 or more")
    return int(value)


def _check(asked: _Asked, n_managers: int, bounds: Bounds, *, most_given: bool) -> None:
    """Refuse what no plan can meet."""
    if n_managers < len(asked):
        raise UsageError(
            f"{n_managers} case managers cannot serve {len(asked)} zones: each serves one",
            where="argument `n_managers`", do="join zones, or give more case managers",
        )  # fmt: skip
    if bounds.fewest > bounds.most or (most_given and bounds.most < 1):
        raise UsageError(
            f"min_cases is {bounds.fewest} and max_cases {bounds.most}", where="arguments `min_cases` and `max_cases`",
            do="give a greatest number of 1 or more that is no smaller than the least",
        )  # fmt: skip
    if np.isnan(bounds.load) or bounds.load < 0:
        raise UsageError(f"max_load is {bounds.load}", where="argument `max_load`", do="give a number, 0 or more")
    heavy = sum(int((weights > bounds.load).sum()) for _, _, weights in asked)
    if heavy:
        raise UsageError(
            f"{heavy} cases are heavier than max_load", where="argument `max_load`",
            do="raise it, or split what these cases need",
        )  # fmt: skip
    parts = [Zone(weights, bounds, is_whole=False) for _, _, weights in asked]
    ranges = [[number for number in range(1, n_managers + 1) if part.is_possible(number)] for part in parts]
    impossible = [at for at, numbers in enumerate(ranges) if not numbers]
    if impossible:
        raise UsageError(
            f"{len(impossible)} zones cannot be staffed by any number of case managers up to {n_managers}",
            where="arguments `min_cases`, `max_cases` and `max_load`", do="loosen one of them",
        )  # fmt: skip
    least, most = sum(numbers[0] for numbers in ranges), sum(numbers[-1] for numbers in ranges)
    if not least <= n_managers <= most:
        raise UsageError(
            f"the zones can be staffed by {least} to {most} case managers, not by {n_managers}",
            where="argument `n_managers`", do="give a number in between, or loosen min_cases, max_cases or max_load",
        )  # fmt: skip


def _staffed(parts: list[Zone], n_managers: int) -> tuple[list[int], float]:
    """Case managers of each zone, their splits worked out, and the bound."""
    numbers = range(n_managers + 1)
    open_cost = np.array([[part.least(k) for k in numbers] for part in parts])
    while True:
        staffing, _ = _dealt_out(open_cost, n_managers)
        if staffing is None:
            break
        waiting = [(at, k) for at, k in enumerate(staffing) if not parts[at].is_done(k)]
        if not waiting:
            break
        for at, k in waiting:
            parts[at].advance(k)
            split = parts[at].known(k)
            not_found = parts[at].is_done(k) and (split is None or split.bins is None)
            open_cost[at, k] = np.inf if not_found else parts[at].least(k)
    value = np.array([[_value(part, k) for k in numbers] for part in parts])
    best, _ = _dealt_out(value, n_managers)
    if best is None:
        raise UsageError(
            "no split within max_load was found", where="argument `max_load`",
            do="raise max_load or max_cases, or give more case managers",
        )  # fmt: skip
    _, bound = _dealt_out(np.array([[part.least(k) for k in numbers] for part in parts]), n_managers)
    return best, bound


def _value(part: Zone, number: int) -> float:
    split = part.known(number)
    return np.inf if split is None else split.value


def _dealt_out(cost: Numbers, n_managers: int) -> tuple[list[int] | None, float]:
    """Least summed cost of giving each zone a number of case managers that add up; None: not possible."""
    best = np.full(n_managers + 1, np.inf)
    best[0] = 0.0
    taken = np.zeros((len(cost), n_managers + 1), dtype=np.int64)
    for at, row in enumerate(cost):
        total = np.full((n_managers + 1, n_managers + 1), np.inf)  # case managers so far, of them in this zone
        for k in np.flatnonzero(np.isfinite(row)).tolist():
            total[k:, k] = best[: n_managers + 1 - k] + row[k]
        taken[at] = total.argmin(axis=1)
        best = total.min(axis=1)
    if not np.isfinite(best[n_managers]):
        return None, np.inf
    staffing, left = [], n_managers
    for at in range(len(cost) - 1, -1, -1):
        staffing.append(int(taken[at, left]))
        left -= staffing[-1]
    return staffing[::-1], float(best[n_managers])
