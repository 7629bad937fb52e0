"""Applies a policy to a waiting list: a total, reproducible, explained order, and whom to assess before ranking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casestrat.errors import UsageError
from casestrat.priority.dates import DateLike, moment_of
from casestrat.priority.index import (
    Floats,
    Index,
    Keys,
    Whole,
    checked,
    coded_text,
    component_of,
    index_of,
    is_complete_enough,
    keys_of,
    lottery_text,
    waited_days,
)  # fmt: skip
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from casestrat.knowledge.policy import PriorityPolicy

DECIDING = ("override", "deadline", "index", "referral_date", "lottery")
_DAYS_WORTH = ("risk", "need", "urgency", "waiting")
_DAY, _NUMBER = np.dtype("datetime64[us]"), np.dtype("float64")
_ABOUT: dict[str, Any] = {
    "person_id": TEXT, "referral_id": TEXT, "territory": TEXT, "tier": TEXT, "points": "Int64", "risk": _NUMBER,
    "risk_low": _NUMBER, "risk_high": _NUMBER,
}  # fmt: skip
_SHARES: dict[str, Any] = {"need": _NUMBER, "urgency": _NUMBER, "completeness": _NUMBER, "criteria": TEXT}
_ASSESS: dict[str, Any] = {
    "person_id": TEXT, "referral_id": TEXT, "territory": TEXT, "completeness": _NUMBER, "missing_items": TEXT,
    "waited_days": "Int64", "referred_on": _DAY, "criteria": TEXT, "as_of": _DAY,
}  # fmt: skip

_ANY_DAY = pd.Timestamp(1970, 1, 1)  # where no deadline is looked at
Flags = NDArray[np.bool_]


def rank_waiting_list(waiting: pd.DataFrame, policy: PriorityPolicy, as_of: DateLike) -> pd.DataFrame:
    """Put those who can be ranked in order, and say for each what set them there.

    The order is total and depends on the rows' content alone: greater override tier first, then a breached deadline
    (``deadline_on`` before ``as_of``), then the greater index rounded to ``policy.decimals``, then the earlier
    referral, then the lottery of the policy's seed. Row order, index and names count for nothing. A component that is
    unknown counts as the median of the list's known values (0.5 where none is known) and is named in ``imputed``. Those
    whose score is too incomplete are not here but in :func:`assess_first`.

    Parameters
    ----------
    waiting : pandas.DataFrame
        One row per waiting referral, as :func:`casestrat.make_waiting` returns: person_id, referral_id, tier,
        referred_on, completeness, the weighted components on 0–1 scales (``risk`` may come as ``points_share``), and
        where known territory, points, risk_low, risk_high, criteria, override_tier, deadline_on.
    policy : PriorityPolicy
        The rules of the order.
    as_of : str or date
        The date of the list; waiting is counted up to it.

    Returns
    -------
    pandas.DataFrame
        One row per ranked referral, first on the list first: rank, what it is about, ``priority`` (the index), the five
        keys (``key_*``), ``days_worth_<component>`` (weight · component / rate of the person's own tier, in days of
        waiting) and ``days_worth_waiting`` (the days waited), so that their sum times the rate is ``priority``;
        ``tie_group`` (people equal on all but the lottery share a number; 0: no tie), ``decided_by`` (the key that set
        this person below the one above; missing for the first), ``imputed`` and ``as_of``. In a mode without rates a
        day has no price: the ``days_worth_*`` then hold points of the index and sum to ``priority``; under a rate of 0
        they are missing.

    Raises
    ------
    UsageError
        A referral stands twice or is dated after ``as_of``, a tier has no rate, or a component is missing, infinite or
        outside 0–1.

    Examples
    --------
    >>> from casestrat.knowledge import PriorityPolicy
    >>> waiting = pd.DataFrame({
    ...     "person_id": ["P1", "P2", "P3"], "referral_id": ["R1", "R2", "R3"], "tier": ["low", "high", "low"],
    ...     "risk": [0.1, 0.4, 0.3], "referred_on": pd.to_datetime(["2026-08-02", "2026-09-21", "2026-09-11"]),
    ...     "completeness": [1.0, 0.9, 0.2],
    ... })
    >>> policy = PriorityPolicy(mode="accumulating", rates={"high": 4, "low": 1}, weights={"risk": 100})
    >>> ranked = rank_waiting_list(waiting, policy, as_of="2026-10-01")
    >>> ranked[["rank", "person_id", "priority", "days_worth_risk", "days_worth_waiting"]]
       rank person_id  priority  days_worth_risk  days_worth_waiting
    0     1        P2      80.0             10.0                10.0
    1     2        P1      70.0             10.0                60.0
    """
    on = moment_of(as_of, "as_of")
    whole = checked(waiting)
    waited_days(whole, on)  # refuses a referral of the future, ranked or not
    listed = whole[is_complete_enough(whole, policy)].reset_index(drop=True)
    waited = waited_days(listed, on)
    index = index_of(listed, policy, waited)
    keys = keys_of(listed, policy, on, index.total)
    order = keys.order(listed["referral_id"])
    differs = _first_difference(keys, order)
    referred = listed["referred_on"].to_numpy()[order]
    columns = {
        "rank": pd.array(np.arange(1, len(order) + 1), dtype="Int64"),
        **_taken(listed, order, _ABOUT),
        "waited_days": pd.array(waited[order], dtype="Int64"),
        "referred_on": referred,
        **_taken(_with_components(listed, policy), order, _SHARES),
        "priority": index.total[order],
        "key_override": pd.array(keys.override[order], dtype="Int64"),
        "key_deadline": pd.array(keys.deadline[order], dtype="boolean"),
        "key_index": keys.index[order],
        "key_referred_on": referred,
        "key_lottery": lottery_text(keys.lottery[order]),
        **_days_worth(index, waited, order, has_rates=policy.mode == "accumulating"),
        "tie_group": pd.array(_tie_groups(differs), dtype="Int64"),
        "decided_by": coded_text(differs, (*DECIDING, None)),
        "imputed": _imputed(index, order),
        "as_of": np.full(len(order), on.to_datetime64()),
    }
    return pd.DataFrame(columns)


def _taken(listed: pd.DataFrame, order: Whole, dtypes: Mapping[str, Any]) -> dict[str, Any]:
    """Columns in the order of the list, missing where the list has none."""
    return {
        name: listed[name].array.take(order).astype(dtype)
        if name in listed.columns
        else pd.Series(pd.NA if dtype == "Int64" else np.nan, index=range(len(order)), dtype=dtype).array
        for name, dtype in dtypes.items()
    }


def _with_components(listed: pd.DataFrame, policy: PriorityPolicy) -> pd.DataFrame:
    """Return the list with the components that the policy scales from a feature."""
    scaled = [
        n for n in ("need", "urgency") if n not in listed.columns and n in policy.components and n in policy.weights
    ]
    return listed.assign(**{name: component_of(listed, policy, name) for name in scaled})


def _days_worth(index: Index, waited: Whole, order: Whole, *, has_rates: bool) -> dict[str, Floats]:
    """Each part in days of the person's own tier, or in points where a mode has no rates."""
    price = np.where(index.rate > 0, index.rate, np.nan)
    parts = {name: index.parts[:, j] / price for j, name in enumerate(index.names)}
    parts["waiting"] = waited.astype(np.float64) if has_rates else index.waiting
    names = (*_DAYS_WORTH, *(name for name in index.names if name not in _DAYS_WORTH))
    nothing = np.zeros(len(order))
    return {f"days_worth_{name}": parts[name][order] if name in parts else nothing for name in names}


def _first_difference(keys: Keys, order: Whole) -> Whole:
    """For each place on the list, the number of the key that sets it below the place above; the first has 5."""
    sorted_keys = (keys.override, keys.deadline, keys.index, keys.referred)
    differs = np.full(len(order), len(DECIDING) - 1, dtype=np.int64)
    for number, key in reversed(list(enumerate(sorted_keys))):
        at_place = key[order]
        differs[1:][at_place[1:] != at_place[:-1]] = number
    differs[:1] = len(DECIDING)
    return differs


def _tie_groups(differs: Whole) -> Whole:
    """Return a number for each run of people whom only the lottery tells apart; 0 for everyone else."""
    goes_on = differs == DECIDING.index("lottery")
    begins = ~goes_on & np.append(goes_on[1:], False)
    return np.where(goes_on | begins, np.cumsum(begins), 0)


def _imputed(index: Index, order: Whole) -> Any:
    """Names of the components that were filled in, joined by `;`."""
    filled = index.is_imputed[order]
    if not filled.any():
        return coded_text(np.zeros(len(order), dtype=np.int64), ("",))
    bits = filled @ (1 << np.arange(len(index.names)))
    patterns, codes = np.unique(bits, return_inverse=True)
    words = [";".join(name for j, name in enumerate(index.names) if pattern >> j & 1) for pattern in patterns.tolist()]
    return coded_text(codes, words)


def assess_first(waiting: pd.DataFrame, policy: PriorityPolicy, as_of: DateLike | None = None) -> pd.DataFrame:
    """List those whose score is too incomplete to be ranked: missing is not low, so they are assessed first.

    Parameters
    ----------
    waiting : pandas.DataFrame
        The same list as for :func:`rank_waiting_list`.
    policy : PriorityPolicy
        The policy, for ``min_completeness``; an unknown completeness is too incomplete.
    as_of : str or date, optional
        The date of the list; without it, ``waited_days`` is taken from the list.

    Returns
    -------
    pandas.DataFrame
        One row per waiting referral that is not ranked: person_id, referral_id, territory, completeness, missing_items
        (the list's own, else the weighted components that are unknown), waited_days, referred_on, criteria, as_of. The
        greater override tier comes first, then the earlier referral, then the lottery.

    Raises
    ------
    UsageError
        A referral stands twice, or a column is missing.

    Examples
    --------
    >>> from casestrat.knowledge import PriorityPolicy
    >>> waiting = pd.DataFrame({
    ...     "person_id": ["P1", "P2", "P3"], "referral_id": ["R1", "R2", "R3"], "tier": "low",
    ...     "risk": [0.1, 0.4, None], "referred_on": pd.to_datetime(["2026-08-02", "2026-09-21", "2026-09-11"]),
    ...     "completeness": [1.0, 0.9, 0.2],
    ... })
    >>> assess_first(waiting, PriorityPolicy(weights={"risk": 100}))[["person_id", "completeness", "missing_items"]]
      person_id  completeness missing_items
    0        P3           0.2          risk
    """
    whole = checked(waiting)
    on = None if as_of is None else moment_of(as_of, "as_of")
    listed = whole[~is_complete_enough(whole, policy)].reset_index(drop=True)
    if on is not None:
        listed = listed.assign(waited_days=waited_days(listed, on), as_of=on)
    keys = keys_of(listed.drop(columns="deadline_on", errors="ignore"), policy, _ANY_DAY, np.zeros(len(listed)))
    order = np.lexsort((keys.lottery, keys.referred, -keys.override))
    if "missing_items" not in listed.columns:
        listed = listed.assign(missing_items=_missing_components(listed, policy))
    return pd.DataFrame(_taken(listed, order, _ASSESS))


def _missing_components(listed: pd.DataFrame, policy: PriorityPolicy) -> Any:
    names = [name for name in policy.weights if policy.weights[name] > 0] if policy.mode != "fcfs" else []
    missing = [np.where(np.isnan(component_of(listed, policy, name)), name, "") for name in names]
    told = [", ".join(filter(None, row)) for row in zip(*missing, strict=True)] if names else [""] * len(listed)
    return pd.array(told, dtype=TEXT)


def mark_places(
    ranked: pd.DataFrame, places: int | Mapping[str, int] | None, uncertainty: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Draw the cut: who is within the places, and whose place cannot be told from the last one given.

    Parameters
    ----------
    ranked : pandas.DataFrame
        What :func:`rank_waiting_list` returned.
    places : int, mapping of str to int, or None
        Number of places, or places by territory; None, or a territory that is not named: no cut.
    uncertainty : pandas.DataFrame, optional
        What :func:`rank_uncertainty` returned; its tied zone is added to the tie at the cut.

    Returns
    -------
    pandas.DataFrame
        The same rows with ``is_proposed`` (within the places) and ``in_tied_zone`` (on either side of the cut, of the
        tie group that the cut goes through), put before ``imputed``. Who definitely fails a criterion (``criteria`` is
        ``fails``) keeps the rank but takes up no place: the committee sees them, and may admit them with a reason.

    Raises
    ------
    UsageError
        A number of places is negative or no whole number.

    Examples
    --------
    >>> from casestrat.knowledge import PriorityPolicy
    >>> waiting = pd.DataFrame({
    ...     "person_id": ["P1", "P2", "P3"], "referral_id": ["R1", "R2", "R3"], "tier": "low", "risk": [0.1, 0.3, 0.1],
    ...     "referred_on": pd.to_datetime(["2026-09-01"] * 3), "completeness": 1.0,
    ... })
    >>> ranked = rank_waiting_list(waiting, PriorityPolicy(weights={"risk": 100}, seed="2026-10"), "2026-10-01")
    >>> mark_places(ranked, 2)[["rank", "is_proposed", "in_tied_zone"]]
       rank  is_proposed  in_tied_zone
    0     1         True         False
    1     2         True          True
    2     3        False          True
    """
    own = {name: place_count(n) for name, n in places.items()} if isinstance(places, Mapping) else None
    if own is None:
        lists, cuts = np.zeros(len(ranked), dtype=np.int64), [None if places is None else place_count(places)]
    else:
        lists, territories = pd.factorize(ranked["territory"].astype(object))
        cuts = [own.get(str(name)) for name in territories]
    is_proposed, in_zone = np.zeros(len(ranked), dtype=bool), np.zeros(len(ranked), dtype=bool)
    by_rank = np.argsort(ranked["rank"].to_numpy(dtype=np.int64), kind="stable")
    groups = ranked["tie_group"].to_numpy(dtype=np.int64)
    may_be_proposed = ~_fails(ranked)
    for number, cut in enumerate(cuts):
        members = by_rank[(lists[by_rank] == number) & may_be_proposed[by_rank]]
        if cut is None:
            continue
        is_proposed[members[:cut]] = True
        if 0 < cut < len(members) and groups[members[cut - 1]] == groups[members[cut]] != 0:
            in_zone[members[groups[members] == groups[members[cut]]]] = True
    if uncertainty is not None:
        close = uncertainty.loc[uncertainty["in_tied_zone"].to_numpy(dtype=bool), "referral_id"]
        in_zone |= ranked["referral_id"].isin(close).to_numpy(dtype=bool)
    return _with_marks(ranked, is_proposed, in_zone)


def place_count(places: object) -> int:
    """Return a number of places as a whole number; refuse anything else.

    Parameters
    ----------
    places : object
        What was given.

    Returns
    -------
    int
        At least 0.

    Raises
    ------
    UsageError
        It is negative or no whole number.
    """
    if isinstance(places, bool) or not isinstance(places, int | np.integer) or places < 0:
        raise UsageError("`places` is not a whole number of at least 0", do="give the number of places, such as 8")
    return int(places)


def _fails(ranked: pd.DataFrame) -> Flags:
    if "criteria" not in ranked.columns:
        return np.zeros(len(ranked), dtype=bool)
    return ranked["criteria"].astype(TEXT).eq("fails").to_numpy(dtype=bool)


def _with_marks(ranked: pd.DataFrame, is_proposed: Flags, in_zone: Flags) -> pd.DataFrame:
    marked = ranked.drop(columns=["is_proposed", "in_tied_zone"], errors="ignore").assign(
        is_proposed=pd.array(is_proposed, dtype="boolean"), in_tied_zone=pd.array(in_zone, dtype="boolean")
    )
    names = list(marked.columns)
    if "imputed" in names:
        at = names.index("imputed")
        names = [*names[:at], "is_proposed", "in_tied_zone", *names[at:-2]]
    return marked[names]
