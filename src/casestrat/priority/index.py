"""The index of a policy and the keys that order a list, as arrays in the order of the rows given."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from casestrat.errors import UsageError
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casestrat.knowledge.policy import PriorityPolicy

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

REQUIRED = ("person_id", "referral_id", "tier", "referred_on", "completeness")
_HALF = 0.5  # what a component counts where nobody's is known
_SLACK = 1e-9  # rounding that a scaled component may carry beyond its ends


@dataclass(frozen=True, slots=True)
class Index:
    """The index of each row, part by part, in points.

    Parameters
    ----------
    names : tuple of str
        The weighted components.
    scaled : numpy.ndarray
        Components on their 0–1 scales, rows × names, with what was unknown filled in.
    is_imputed : numpy.ndarray of bool
        What was filled in, rows × names.
    parts : numpy.ndarray
        Weight · component, rows × names.
    rate : numpy.ndarray
        Points a day of waiting is worth, one per row; 1 in a mode without rates.
    waiting : numpy.ndarray
        Points of waiting, one per row.
    """

    names: tuple[str, ...]
    scaled: Floats
    is_imputed: NDArray[np.bool_]
    parts: Floats
    rate: Floats
    waiting: Floats

    @property
    def total(self) -> Floats:
        """The index, one per row."""
        total: Floats = self.parts.sum(axis=1) + self.waiting
        return total


@dataclass(frozen=True, slots=True)
class Keys:
    """What orders the list, one entry per row; the lottery draws are whole numbers below 2⁶⁴."""

    override: Whole
    deadline: NDArray[np.bool_]
    index: Floats
    referred: Whole  # days since 1970
    lottery: NDArray[np.uint64]

    def order(self, ids: pd.Series[Any]) -> Whole:
        """Return the places of the rows, first on the list first, whatever the order of the rows."""
        first = [key for key in (-self.index, ~self.deadline, -self.override) if len(key) and (key != key[0]).any()]
        order = np.lexsort(first) if first else np.arange(len(self.index))
        # Few people tie on the keys above: only these are sorted by the keys below.
        begins = np.zeros(len(order), dtype=bool)
        begins[:1] = True
        for key in first:
            begins[1:] |= key[order[1:]] != key[order[:-1]]
        is_tied = ~begins | ~np.append(begins[1:], True)
        tied, group = order[is_tied], np.cumsum(begins)[is_tied]
        last = [self.lottery[tied], self.referred[tied], group]
        drawn = np.sort(self.lottery[tied])
        if (drawn[1:] == drawn[:-1]).any():  # two draws of 2⁶⁴ are the same: the id has the last word
            last.insert(0, np.unique(ids.to_numpy(dtype=object)[tied], return_inverse=True)[1])
        order[is_tied] = tied[np.lexsort(last)]
        return order.astype(np.int64)


def checked(waiting: pd.DataFrame) -> pd.DataFrame:
    """Return the waiting list with a plain index, once it is found fit to be ranked.

    Parameters
    ----------
    waiting : pandas.DataFrame
        One row per waiting referral.

    Returns
    -------
    pandas.DataFrame
        The same rows; ids as text, `referred_on` as days.

    Raises
    ------
    UsageError
        A column is missing, an id is missing or stands twice, or a referral has no date.
    """
    absent = [name for name in REQUIRED if name not in waiting.columns]
    if absent:
        raise UsageError(f"the waiting list has no column {', '.join(absent)}", do="give what make_waiting returned")
    ids = waiting["referral_id"].astype(TEXT)
    if ids.isna().any() or waiting["person_id"].isna().any():
        raise UsageError("the waiting list has rows without person_id or referral_id", do="give both on every row")
    n_twice = int(ids.duplicated().sum())
    if n_twice:
        raise UsageError(
            f"the waiting list has {n_twice} referrals that stand twice", do="give one row per waiting referral"
        )
    days = _days(waiting, "referred_on")
    if days.isna().any():
        raise UsageError("the waiting list has referrals without a date", do="give `referred_on` on every row")
    return waiting.assign(referral_id=ids, referred_on=days).reset_index(drop=True)


def _days(waiting: pd.DataFrame, column: str) -> pd.Series[Any]:
    """Return a column of dates, without the hour."""
    try:
        return pd.to_datetime(waiting[column], format="ISO8601").dt.as_unit("us").dt.normalize()
    except (ValueError, TypeError, AttributeError):
        raise UsageError(f"`{column}` of the waiting list does not hold dates", do="give dates") from None


def waited_days(waiting: pd.DataFrame, as_of: pd.Timestamp) -> Whole:
    """Return the days each referral has waited.

    Parameters
    ----------
    waiting : pandas.DataFrame
        A checked list.
    as_of : pandas.Timestamp
        The date of the list.

    Returns
    -------
    numpy.ndarray
        Whole days, one per row.

    Raises
    ------
    UsageError
        A referral is dated after ``as_of``.
    """
    days: Whole = day_numbers(pd.Series([as_of]))[0] - day_numbers(waiting["referred_on"])
    n_later = int((days < 0).sum())
    if n_later:
        raise UsageError(
            f"the waiting list has {n_later} referrals dated after its as_of",
            where="column referred_on",
            do="give the list of that date, or a later as_of",
        )
    return days


def floats_of(column: pd.Series[Any]) -> Floats:
    """Return a column as numbers, NaN where missing."""
    numbers: Floats = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return numbers


def day_numbers(moments: pd.Series[Any]) -> Whole:
    """Return days since 1970; a missing date is the greatest number."""
    values = moments.to_numpy(dtype="datetime64[D]")
    return np.where(np.isnat(values), np.iinfo(np.int64).max, values.astype(np.int64))


def is_complete_enough(waiting: pd.DataFrame, policy: PriorityPolicy) -> NDArray[np.bool_]:
    """Say whose score is complete enough to be ranked; an unknown completeness is not.

    Parameters
    ----------
    waiting : pandas.DataFrame
        A checked list.
    policy : PriorityPolicy
        The policy, for ``min_completeness``.

    Returns
    -------
    numpy.ndarray of bool
        One per row.
    """
    share = _numbers(waiting, "completeness")
    return np.nan_to_num(share, nan=-1.0) >= policy.min_completeness


def index_of(waiting: pd.DataFrame, policy: PriorityPolicy, waited: Whole) -> Index:
    """Return the policy's index of each row, part by part.

    Parameters
    ----------
    waiting : pandas.DataFrame
        A checked list of those who are ranked; the median that stands in for an unknown component is theirs.
    policy : PriorityPolicy
        The policy.
    waited : numpy.ndarray
        Days waited, one per row.

    Returns
    -------
    Index
        The index and its parts.

    Raises
    ------
    UsageError
        A component is not in the list or leaves its 0–1 scale, or a tier has no rate.
    """
    n = len(waiting)
    names = () if policy.mode == "fcfs" else tuple(name for name in policy.weights if policy.weights[name] > 0)
    raw = [component_of(waiting, policy, name) for name in names]
    values = np.column_stack(raw) if raw else np.zeros((n, 0))
    is_imputed = np.isnan(values)
    for column, missing in zip(values.T, is_imputed.T, strict=True):
        if missing.any():
            column[missing] = _HALF if missing.all() else np.median(column[~missing])
    parts = values * np.array([policy.weights[name] for name in names])
    if policy.mode != "accumulating":
        return Index(names, values, is_imputed, parts, np.ones(n), np.zeros(n))
    rate = _rates(waiting["tier"], policy)
    return Index(names, values, is_imputed, parts, rate, rate * waited)


def component_of(waiting: pd.DataFrame, policy: PriorityPolicy, name: str) -> Floats:
    """Return one component on its 0–1 scale, NaN where unknown.

    The column of that name counts where the list has it; else the policy's declared feature is scaled. ``risk`` is the
    column ``risk`` where every row has one, else ``points_share``: a list never mixes the two.

    Parameters
    ----------
    waiting : pandas.DataFrame
        A checked list.
    policy : PriorityPolicy
        The policy.
    name : str
        The component.

    Returns
    -------
    numpy.ndarray
        One per row.
    """
    column, declared = _source(waiting, name), policy.components.get(name)
    if column in waiting.columns:
        values = _numbers(waiting, column)
    elif declared is not None and declared.feature in waiting.columns:
        column = declared.feature
        values = np.clip((_numbers(waiting, column) - declared.best) / (declared.worst - declared.best), 0.0, 1.0)
    else:
        raise UsageError(
            f"the policy weighs `{name}`, and the waiting list has no such column",
            do=f"add the column `{name}` on a 0–1 scale, or take the weight away",
        )
    n_out = int(((values < -_SLACK) | (values > 1 + _SLACK)).sum())
    if n_out:
        raise UsageError(
            f"{n_out} rows of the waiting list have a component outside 0–1",
            where=f"column {column}",
            do="scale it, with 1 the most need, or declare `best` and `worst` in the policy's components",
        )
    return np.clip(values, 0.0, 1.0)


def _source(waiting: pd.DataFrame, name: str) -> str:
    if name != "risk" or "points_share" not in waiting.columns:
        return name
    if "risk" in waiting.columns and waiting["risk"].notna().all():
        return "risk"
    return "points_share"


def _numbers(waiting: pd.DataFrame, column: str) -> Floats:
    try:
        values = floats_of(waiting[column])
    except (ValueError, TypeError):
        raise UsageError(f"`{column}` of the waiting list does not hold numbers", do="give numbers") from None
    if np.isinf(values).any():
        raise UsageError(f"`{column}` of the waiting list holds an infinite number", do="give finite numbers")
    return values.copy()


def _rates(tier: pd.Series[Any], policy: PriorityPolicy) -> Floats:
    codes, tiers = pd.factorize(tier)
    by_tier = np.array([policy.rates.get(str(name), np.nan) for name in tiers] + [np.nan])  # −1: no tier
    rates: Floats = by_tier[codes]
    n_without = int(np.isnan(rates).sum())
    if n_without:
        raise UsageError(
            f"{n_without} rows of the waiting list have a tier without a rate; there are rates for: "
            f"{', '.join(sorted(policy.rates))}",
            where="column tier",
            do="add the tier to the policy's rates, or give every row a tier",
        )
    return rates


def keys_of(waiting: pd.DataFrame, policy: PriorityPolicy, as_of: pd.Timestamp, index: Floats) -> Keys:
    """Return the five keys of each row.

    Parameters
    ----------
    waiting : pandas.DataFrame
        A checked list.
    policy : PriorityPolicy
        The policy, for the decimals of the index and the seed.
    as_of : pandas.Timestamp
        The date: a deadline before it is breached.
    index : numpy.ndarray
        The index, one per row.

    Returns
    -------
    Keys
        One entry per row.
    """
    n = len(waiting)
    override, deadline = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=bool)
    if "override_tier" in waiting.columns:
        override = np.nan_to_num(_numbers(waiting, "override_tier")).astype(np.int64)
    if "deadline_on" in waiting.columns:
        days = _days(waiting, "deadline_on")
        deadline = days.lt(as_of.normalize()).to_numpy(dtype=bool)
    rounded = np.round(index, policy.decimals) + 0.0  # no negative zero
    draws = lottery_draws(waiting["referral_id"].tolist(), policy.seed)
    return Keys(override, deadline, rounded, day_numbers(waiting["referred_on"]), draws)


def lottery_draws(ids: Sequence[str], seed: str) -> NDArray[np.uint64]:
    """Draw the lottery that orders those who tie: blake2b-64 of ``seed|id``, whatever the order of the rows.

    Parameters
    ----------
    ids : sequence of str
        One id per row.
    seed : str
        The published seed.

    Returns
    -------
    numpy.ndarray
        One whole number below 2⁶⁴ per id; the least comes first.

    Examples
    --------
    >>> draws = lottery_draws(["P001", "P002", "P003"], "2025-W10")
    >>> [["P001", "P002", "P003"][i] for i in draws.argsort()]
    ['P001', 'P002', 'P003']
    """
    begin = hashlib.blake2b(f"{seed}|".encode(), digest_size=8).copy  # faster than to begin anew for each id
    digests = []
    for one in ids:
        draw = begin()
        draw.update(one.encode())
        digests.append(draw.digest())
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64)


def lottery_text(draws: NDArray[np.uint64]) -> Any:
    """Return the draws as text: 16 hexadecimal digits each."""
    digits = np.frombuffer(draws.astype(">u8").tobytes().hex().encode("ascii"), dtype=np.uint8)
    ends = np.arange(len(draws) + 1, dtype=np.int64) * 16
    words = pa.Array.from_buffers(pa.large_string(), len(draws), [None, pa.py_buffer(ends), pa.py_buffer(digits)])
    return pd.array(words, dtype=TEXT)


def coded_text(codes: NDArray[Any], words: Sequence[str | None]) -> Any:
    """Return ``words[code]`` as a text column."""
    table = pa.array(words, type=pa.large_string())
    return pd.array(table.take(pa.array(codes)), dtype=TEXT)
