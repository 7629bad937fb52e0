"""From risk or points to a tier, and the intensity it starts with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.tables.columns import TEXT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casestrat.knowledge.program import Program, TierRule

_MEASURES = (("risk", "from_risk"), ("points", "from_points"))
UNKNOWN = "risk and points not known"


def assign_tiers(risk_frame: pd.DataFrame, program: Program, capacity: int | None = None) -> pd.DataFrame:
    """Give each person a tier by the program's cut-offs, and at most ``capacity`` people the highest one.

    A person's risk decides where it is known and the program has cut-offs for risk; else the points decide. Where
    neither is known the tier is missing: unknown is never low. With a capacity, the people above the highest cut-off
    who come first by that measure keep the highest tier, on each date; the others go one tier down. People tied at the
    cut all go one tier down unless all of them fit: no hidden rule picks among equals.

    Parameters
    ----------
    risk_frame : pandas.DataFrame
        One row per person and date, index ``person_id`` and ``as_of`` (or person alone); columns ``risk`` (0 to 1),
        ``points`` (whole), or both; missing where not known.
    program : Program
        Its ``tiers``, highest first.
    capacity : int, optional
        The most people in the highest tier on one date; 0 or more.

    Returns
    -------
    pandas.DataFrame
        One row per row of ``risk_frame``, with tier, tier_rule (why), intensity, and in_tie (tied at the cut of the
        capacity).

    Raises
    ------
    UsageError
        There is neither column, a risk lies outside 0 to 1, the capacity is below 0, there is no tier below the
        highest, or people above the highest cut-off have no measure in common to be ordered by.

    Examples
    --------
    >>> from casestrat.knowledge import load_program
    >>> ids = pd.Index(["P1", "P2", "P3"], name="person_id")
    >>> people = pd.DataFrame({"points": [10, 6, None]}, index=ids, dtype="Int64")
    >>> assign_tiers(people, load_program("geriatric"))["tier_rule"].tolist()
    ['cut-off points ≥ 9', 'cut-off points ≥ 5', 'risk and points not known']
    """
    measures = _read_measures(risk_frame)
    place = np.full(len(risk_frame), -1)
    rule = np.full(len(risk_frame), UNKNOWN, dtype=object)
    for name, bound in _MEASURES:
        cuts = [getattr(tier, bound) for tier in program.tiers]
        if name in measures and any(cut is not None for cut in cuts):
            todo = (place < 0) & ~np.isnan(measures[name])
            place[todo], rule[todo] = _by_cut_offs(measures[name][todo], program.tiers, cuts, name)
    in_tie = np.zeros(len(risk_frame), dtype=bool)
    if capacity is not None:
        _check_capacity(capacity, program.tiers)
        for rows in _rows_of_dates(risk_frame.index, place == 0):
            moved, tied, order = _beyond(measures, rows, capacity)
            place[moved] = 1
            rule[moved] = f"capacity {capacity}, by {order}"
            rule[moved & tied] = f"capacity {capacity}, tied at the cut"
            in_tie |= moved & tied
    tiers = np.array([*(tier.id for tier in program.tiers), None], dtype=object)
    starts = np.array([*(tier.intensity for tier in program.tiers), None], dtype=object)
    return risk_frame.assign(
        tier=pd.Series(tiers[place], index=risk_frame.index, dtype=TEXT),
        tier_rule=pd.Series(rule, index=risk_frame.index, dtype=TEXT),
        intensity=pd.Series(starts[place], index=risk_frame.index, dtype=TEXT),
        in_tie=pd.Series(in_tie, index=risk_frame.index, dtype="boolean"),
    )


def _read_measures(risk_frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Risk and points as floats, NaN where not known."""
    found = {
        name: risk_frame[name].to_numpy(dtype="float64", na_value=np.nan) for name, _ in _MEASURES if name in risk_frame
    }
    if not found:
        raise UsageError("expected a column risk or points; found neither", where="risk_frame")
    risk = found.get("risk", np.array([]))
    n_outside = int(((risk < 0) | (risk > 1)).sum())
    if n_outside:
        raise UsageError(f"risks lie from 0 to 1; {n_outside} rows lie outside", where="risk_frame, column risk")
    return found


def _by_cut_offs(
    values: np.ndarray, tiers: Sequence[TierRule], cuts: list[Any], name: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the place of each value's tier, and the cut-off that gave it."""
    place = np.full(len(values), len(tiers) - 1)
    lowest = min(cut for cut in cuts if cut is not None)
    rule = np.full(len(values), f"cut-off {name} < {lowest:g}", dtype=object)
    undecided = np.ones(len(values), dtype=bool)
    for i, cut in enumerate(cuts):
        if cut is not None:
            reached = undecided & (values >= cut)
            place[reached], rule[reached] = i, f"cut-off {name} ≥ {cut:g}"
            undecided &= ~reached
    return place, rule


def _check_capacity(capacity: int, tiers: Sequence[TierRule]) -> None:
    """Refuse a capacity that cannot be kept."""
    if capacity < 0 or int(capacity) != capacity:
        raise UsageError(f"capacity is a number of people, 0 or more; found {capacity}")
    if len(tiers) < 2:
        raise UsageError("a capacity needs a tier below the highest; the program has one tier", where="[[tiers]]")


def _rows_of_dates(index: pd.Index, chosen: np.ndarray) -> list[np.ndarray]:
    """Return the chosen rows, date by date, as flags."""
    if "as_of" not in index.names:
        return [chosen]
    codes, dates = pd.factorize(index.get_level_values("as_of"))
    return [chosen & (codes == code) for code in range(len(dates))]


def _beyond(measures: dict[str, np.ndarray], rows: np.ndarray, capacity: int) -> tuple[np.ndarray, np.ndarray, str]:
    """Of these rows, those beyond the capacity, those with the value at the cut, and the measure that orders them."""
    nobody = np.zeros(len(rows), dtype=bool)
    if rows.sum() <= capacity:
        return nobody, nobody, ""
    name = next((name for name, values in measures.items() if not np.isnan(values[rows]).any()), None)
    if name is None:
        raise UsageError(
            "of the people above the highest cut-off some have a risk only and some have points only",
            where="risk_frame",
            do="give points for all of them, so that a capacity can be filled in one order",
        )
    values = measures[name]
    # the first value that finds no place: all who have it are tied, and at least one of them does not fit
    cut = np.sort(values[rows])[::-1][capacity]
    tied = rows & (values == cut)
    return rows & (values <= cut), tied if capacity and tied.sum() > 1 else nobody, name
