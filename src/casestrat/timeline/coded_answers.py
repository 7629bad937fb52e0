"""Coded answers → scores: every instrument's rule, on arrays of one row a sitting and one column an item.

An answer is kept as a number: the code itself, or the place of its letter among the letters allowed. Missing is NaN,
and an answer that the item does not take is infinite, until it has been counted.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from casestrat.knowledge.instrument import Flag, Instrument, Item, Step

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

INVALID = np.inf  # an answer that the item does not take


@dataclass(frozen=True)
class AskedOfPerson:
    """What an instrument asks of the person: the ends between which the age lies, and the sex."""

    age_low: Floats
    age_high: Floats
    sex: NDArray[np.object_]


def answer_columns(instrument: Instrument) -> dict[str, Item]:
    """Return every column that answers may come in, with the item whose codes it takes; items first, then parts."""
    scored = instrument.scored_items
    others = [item for item in instrument.items if not item.is_scored]
    columns = {item.id: item for item in (*scored, *others)}
    parts = {part: item for item in scored if item.parts for part in item.parts.items}
    return columns | parts


def codes_of(item: Item, answers: pd.Series) -> Floats:
    """Return different answers as numbers: missing where blank, infinite where the item does not take them."""
    text = answers.astype("string").str.strip()
    is_blank = (answers.isna() | (text == "").fillna(True)).to_numpy(dtype=bool)
    if item.is_text:
        places = {str(code): float(place) for place, code in enumerate(item.allowed)}
        numbers = text.map(places).to_numpy(dtype="float64", na_value=np.nan)
        is_taken = ~np.isnan(numbers)
    else:
        plain = answers.astype("float64") if pd.api.types.is_bool_dtype(answers.dtype) else answers
        numbers = pd.to_numeric(plain, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
        allowed = np.array(item.allowed, dtype="float64")
        is_taken = np.isin(numbers, allowed) if item.allowed else _in_range(item, numbers)
    return np.where(is_blank, np.nan, np.where(is_taken, numbers, INVALID))


def _in_range(item: Item, numbers: NDArray[Any]) -> Flags:
    high = np.inf if item.maximum is None else item.maximum
    low = -np.inf if item.minimum is None else item.minimum
    # A total may be a prorated one, so it need not be whole; a count must.
    is_whole = np.ones(len(numbers), dtype=bool) if item.id == "total" else numbers == np.floor(numbers)
    return np.asarray((numbers >= low) & (numbers <= high) & np.isfinite(numbers) & is_whole, dtype=bool)


def score_codes(
    instrument: Instrument, codes: Floats, asked: AskedOfPerson, totals: Floats | None = None
) -> dict[str, NDArray[Any]]:
    """Return a score for each sitting.

    Parameters
    ----------
    instrument : Instrument
        The instrument.
    codes : numpy.ndarray
        One row a sitting, one column a name of :func:`answer_columns`.
    asked : AskedOfPerson
        What is known of the people.
    totals : numpy.ndarray, optional
        Totals that stand where there are no answers; missing where there are.

    Returns
    -------
    dict of str to array
        The outputs, ``band``, ``n_missing`` and ``is_valid``.
    """
    is_wrong = np.isinf(codes).any(axis=1)
    codes = _with_parts(instrument, np.where(np.isinf(codes), np.nan, codes))
    items = instrument.scored_items
    needed = codes[:, : len(items)]
    n_missing = np.isnan(needed).sum(axis=1)
    is_grouped = bool(instrument.scoring.groups)
    out: dict[str, Any] = (
        _by_groups(instrument, needed) if is_grouped else {"total": _total(instrument, items, needed, n_missing)}
    )
    first = out[instrument.outputs[0]]
    if totals is not None:
        low, high = instrument.score_range
        is_outside = (totals < low) | (totals > high)
        first = np.where(np.isnan(totals), first, np.where(is_outside, np.nan, totals))
        is_wrong |= is_outside
    out |= {instrument.outputs[0]: first} | _with_age(instrument, first, asked)
    out["band"] = _band(instrument, first)
    columns = list(answer_columns(instrument))
    for name in dict.fromkeys(flag.id for flag in instrument.flags):
        flags = [flag for flag in instrument.flags if flag.id == name]
        out[name] = _flag(flags, first, codes, columns, asked)
    return out | {"n_missing": n_missing, "is_valid": ~is_wrong & ~np.isnan(first)}


def _with_parts(instrument: Instrument, codes: Floats) -> Floats:
    """Fill the letter of an item that is not given itself from its parts."""
    columns = list(answer_columns(instrument))
    for place, item in enumerate(instrument.scored_items):
        if item.parts is None:
            continue
        parts = codes[:, [columns.index(part) for part in item.parts.items]]
        rows = np.flatnonzero(np.isnan(codes[:, place]) & ~np.isnan(parts).any(axis=1))
        letters = [str(code) for code in item.allowed]
        combinations = itertools.product(letters, repeat=len(item.parts.items))  # in the order of their numbers below
        table = np.array([float(letters.index(item.parts.letter_of["".join(c)])) for c in combinations])
        number = np.zeros(len(rows))
        for part in parts[rows].T:
            number = number * len(letters) + part
        codes[rows, place] = table[number.astype("int64")]
    return codes


def _total(instrument: Instrument, items: Sequence[Item], codes: Floats, n_missing: NDArray[Any]) -> Floats:
    """Return the sum of the items' points; with the declared rule, the mean of the others stands in for a few."""
    scoring = instrument.scoring
    if scoring.type == "total_only":
        return codes[:, 0]
    points = np.column_stack([_points(item, codes[:, place]) for place, item in enumerate(items)])
    ids = [item.id for item in items]
    for graver, lesser in scoring.hierarchy:
        place = ids.index(lesser)
        points[:, place] = np.where(points[:, ids.index(graver)] > 0, 0.0 * points[:, place], points[:, place])
    total = points.sum(axis=1)
    rule = instrument.missing
    if rule.rule == "prorate":
        rows = (n_missing > 0) & (n_missing <= rule.max_missing)
        total[rows] = np.nansum(points[rows], axis=1) * len(items) / (len(items) - n_missing[rows])
    return np.asarray(np.round(scoring.constant + total, scoring.decimals), dtype=float)


def _points(item: Item, codes: Floats) -> Floats:
    """Return what each code of an item adds; missing stays missing."""
    if item.steps:
        return _stepped(item.steps, codes)
    if item.is_reversed:
        codes = min(map(float, item.allowed)) + max(map(float, item.allowed)) - codes
    return item.weight * codes


def _stepped(steps: Sequence[Step], values: Floats) -> Floats:
    """Return the points of the last step that each value reaches, 0 before the first."""
    reached = np.searchsorted([step.start for step in steps], values, side="right")
    points = np.array([0.0, *(step.points for step in steps)])[reached]
    return np.where(np.isnan(values), np.nan, points)


def _with_age(instrument: Instrument, total: Floats, asked: AskedOfPerson) -> dict[str, Floats]:
    """Return the outputs that need the age; where the year of birth leaves the band open, they are missing."""
    scoring = instrument.scoring
    if not scoring.age_points:
        return {}
    low, high = _stepped(scoring.age_points, asked.age_low), _stepped(scoring.age_points, asked.age_high)
    points = np.where(low == high, low, np.nan)
    adjusted = total + points
    out = {"age_points": points, "age_adjusted": adjusted}
    if scoring.survival is not None:
        base, factor = scoring.survival
        out["survival_10y"] = base ** np.exp(factor * adjusted)
    return out


def _by_groups(instrument: Instrument, codes: Floats) -> dict[str, NDArray[Any]]:
    """Return the outputs of a sequential grouping: the first group whose sum reaches a bound gives the rank."""
    scoring, items = instrument.scoring, instrument.scored_items
    whole = ~np.isnan(codes).any(axis=1)
    sizes = [len(item.allowed) for item in items]
    number = np.ravel_multi_index(tuple(codes[whole].astype("int64").T), sizes)  # of a profile of letters
    different, place = np.unique(number, return_inverse=True)
    profiles = np.stack(np.unravel_index(different, sizes), axis=1)
    rank, total = np.zeros(len(profiles)), np.zeros(len(profiles))
    group = np.full(len(profiles), "", dtype=object)
    for step in scoring.groups:
        table = np.array(
            [[step.weights.get(str(code), {}).get(item.id, 0) for code in item.allowed] for item in items], dtype=float
        )
        reached = table[np.arange(len(items)), profiles].sum(axis=1)
        found = _stepped(step.ranks, reached)
        is_open = rank == 0
        total[is_open], group[is_open] = reached[is_open], step.id
        rank[is_open] = found[is_open]
    rank[rank == 0] = scoring.otherwise_rank
    output = np.array([float(scoring.output_of_rank[str(int(one))]) for one in rank])
    out = {instrument.outputs[0]: output, "rank": rank, "group_sum": total}
    spread: dict[str, NDArray[Any]] = {}
    for name, values in out.items():
        spread[name] = np.full(len(codes), np.nan)
        spread[name][whole] = values[place]
    spread["group"] = np.full(len(codes), None, dtype=object)
    spread["group"][whole] = group[place]
    return spread


def _band(instrument: Instrument, score: Floats) -> NDArray[np.object_]:
    """Return the highest band whose one bound each score passes; missing below the first and without a score."""
    band = np.full(len(score), None, dtype=object)
    for one in instrument.bands:  # lowest first
        band[score > one.start if one.is_open else score >= one.start] = one.id
    return band


def _flag(
    flags: Sequence[Flag], score: Floats, codes: Floats, columns: Sequence[str], asked: AskedOfPerson
) -> pd.api.extensions.ExtensionArray:
    """Return a flag: true, false, or missing where the value or what is asked of the person is not known."""
    is_up = pd.array(np.full(len(score), None, dtype=object), dtype="boolean")
    for flag in flags:
        value = score if flag.item is None else codes[:, columns.index(flag.item)]
        rows = ~np.isnan(value)
        if "sex" in flag.when:
            rows &= asked.sex == flag.when["sex"]
        is_up[rows] = (value >= flag.at_least)[rows]
    return is_up
