"""How sure a place is: the chance of being within the places, the range of ranks, and the tied zone at the cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy.stats import norm

from casestrat.errors import UsageError
from casestrat.priority.dates import DateLike, moment_of
from casestrat.priority.index import Floats, Keys, checked, index_of, is_complete_enough, keys_of, waited_days
from casestrat.priority.ranking import place_count

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from casestrat.knowledge.policy import PriorityPolicy

TIED_ZONE = (0.1, 0.9)
_RANGE = (0.05, 0.95)
_Z_RANGE = 1.6448536269514722  # a 5–95 % range is this many standard errors either way
_CHUNK = 4_000_000  # numbers drawn and sorted at once
_GRID = 4001  # points of the exact integral, a person
_REACH = 8.5  # standard errors that the integral covers either way


def rank_uncertainty(
    waiting: pd.DataFrame,
    policy: PriorityPolicy,
    as_of: DateLike,
    k: int,
    se: ArrayLike | None = None,
    draws: ArrayLike | None = None,
    n_draws: int = 2000,
    random_state: int = 0,
    scale: Literal["risk", "priority"] = "risk",
) -> pd.DataFrame:
    """Say how sure each place is: draw the scores again and again, and rank each draw by the same key.

    Parameters
    ----------
    waiting : pandas.DataFrame
        The same list as for :func:`casestrat.rank_waiting_list`.
    policy : PriorityPolicy
        The rules of the order.
    as_of : str or date
        The date of the list.
    k : int
        Number of places.
    se : float or array, optional
        Standard error of the risk (or of the index, with ``scale="priority"``), one for all or one per row of
        ``waiting``. Without it and without ``draws``, half the width of ``risk_low``–``risk_high``, read as a 5–95 %
        range; rows without one take the median.
    draws : array, optional
        Draws of a model's ensemble instead, shape (draws, rows of ``waiting``).
    n_draws : int, optional
        How many to draw.
    random_state : int, optional
        Seed of the draws.
    scale : {"risk", "priority"}, optional
        What is uncertain: the component ``risk``, kept within 0–1, or the index itself, in points.

    Returns
    -------
    pandas.DataFrame
        One row per ranked referral, first on the list first: rank, person_id, referral_id, p_topk (chance of a place;
        sums to k), rank_low, rank_high (5–95 % of the draws) and in_tied_zone (0.1 < p_topk < 0.9: too close to call).

    Raises
    ------
    UsageError
        There is no standard error to draw from, or ``k``, ``se``, ``draws`` or the list cannot be used.

    Examples
    --------
    >>> from casestrat.knowledge import PriorityPolicy
    >>> waiting = pd.DataFrame({
    ...     "person_id": ["P1", "P2", "P3"], "referral_id": ["R1", "R2", "R3"], "tier": "low", "risk": [0.1, 0.4, 0.38],
    ...     "referred_on": pd.to_datetime(["2026-09-01"] * 3), "completeness": 1.0,
    ... })
    >>> sure = rank_uncertainty(waiting, PriorityPolicy(weights={"risk": 100}), "2026-10-01", k=1, se=0.03)
    >>> sure[["person_id", "rank_low", "rank_high", "in_tied_zone"]]
      person_id  rank_low  rank_high  in_tied_zone
    0        P2         1          2          True
    1        P3         1          2          True
    2        P1         3          3         False
    """
    on, places = moment_of(as_of, "as_of"), place_count(k)
    whole = checked(waiting)
    is_ranked = is_complete_enough(whole, policy)
    # Rows are put in the order of their ids first, so that the draws do not depend on the order of the rows.
    by_id = np.argsort(whole["referral_id"].to_numpy(dtype=object), kind="stable")
    rows = by_id[is_ranked[by_id]]
    listed = whole.iloc[rows].reset_index(drop=True)
    index = index_of(listed, policy, waited_days(listed, on))
    keys = keys_of(listed, policy, on, index.total)
    at = index.names.index("risk") if "risk" in index.names else None
    centre = index.total if scale == "priority" else np.zeros(len(rows)) if at is None else index.scaled[:, at]
    weight = 1.0 if scale == "priority" else 0.0 if at is None else policy.weights["risk"]
    drawn = _drawn(waiting, rows, centre, se, draws, n_draws, random_state)
    if scale == "risk":
        drawn = np.clip(drawn, 0.0, 1.0)
    scores = index.total + weight * (drawn - centre)
    return _summary(listed, keys, np.round(scores, policy.decimals) + 0.0, places)


def _drawn(
    waiting: pd.DataFrame,
    rows: NDArray[np.int64],
    centre: Floats,
    se: ArrayLike | None,
    draws: ArrayLike | None,
    n_draws: int,
    random_state: int,
) -> Floats:
    """Draws × ranked rows, in the order of the ids."""
    if draws is not None:
        given = _floats(draws, "draws")
        if given.ndim != 2 or given.shape[1] != len(waiting) or not len(given):
            raise UsageError(
                "`draws` is not a table of draws × rows of the list", do="give one column a row of the list"
            )
        return given[:, rows]
    if n_draws < 1:
        raise UsageError("`n_draws` is below 1", do="draw at least once; 2000 is usual")
    spread = _spread(waiting, se)
    noise = np.random.default_rng(random_state).standard_normal((n_draws, len(rows)))
    return centre + spread[rows] * noise


def _spread(waiting: pd.DataFrame, se: ArrayLike | None) -> Floats:
    """Return the standard error of each row of the list."""
    n = len(waiting)
    if se is not None:
        spread = _floats(se, "se")
        if spread.ndim > 1 or (spread.ndim == 1 and len(spread) != n) or (spread < 0).any():
            raise UsageError("`se` is neither one number nor one per row, at least 0", do="give standard errors")
        return np.broadcast_to(spread, (n,))
    if not {"risk_low", "risk_high"} <= set(waiting.columns):
        raise UsageError(
            "there is no standard error to draw from", do="give `se` or `draws`, or risk_low and risk_high"
        )
    low, high = (waiting[name].to_numpy(dtype="float64", na_value=np.nan) for name in ("risk_low", "risk_high"))
    width = (high - low) / (2 * _Z_RANGE)
    if n and np.isnan(width).all():
        raise UsageError("nobody on the list has risk_low and risk_high", do="give `se` or `draws`")
    return np.where(np.isnan(width), np.nanmedian(width) if n else 0.0, width)


def _floats(values: ArrayLike, name: str) -> Floats:
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (ValueError, TypeError):
        raise UsageError(f"`{name}` does not hold numbers", do="give numbers") from None
    if not np.isfinite(numbers).all():
        raise UsageError(f"`{name}` holds a missing or infinite number", do="give finite numbers")
    return numbers


def _summary(listed: pd.DataFrame, keys: Keys, scores: Floats, places: int) -> pd.DataFrame:
    ranks = _ranks(listed, keys, scores)
    share = (ranks <= places).mean(axis=0) if len(ranks) else np.zeros(len(listed))
    low, high = np.quantile(ranks, _RANGE, axis=0, method="inverted_cdf") if len(listed) else np.zeros((2, 0))
    order = keys.order(listed["referral_id"])
    return pd.DataFrame({
        "rank": pd.array(np.arange(1, len(order) + 1), dtype="Int64"),
        "person_id": listed["person_id"].array.take(order),
        "referral_id": listed["referral_id"].array.take(order),
        "p_topk": share[order],
        "rank_low": pd.array(low[order].astype(np.int64), dtype="Int64"),
        "rank_high": pd.array(high[order].astype(np.int64), dtype="Int64"),
        "in_tied_zone": pd.array(((share > TIED_ZONE[0]) & (share < TIED_ZONE[1]))[order], dtype="boolean"),
    })  # fmt: skip


def _ranks(listed: pd.DataFrame, keys: Keys, scores: Floats) -> NDArray[np.int32]:
    """Rank of each person in each draw, by the whole key."""
    n_draws, n = scores.shape
    # People of one override and deadline stay together whatever the draw, and ties keep the order of date and lottery:
    # sorted by these once, a stable sort by score within each block is the whole key.
    if not n:
        return np.empty((n_draws, 0), dtype=np.int32)
    flat = Keys(keys.override, keys.deadline, np.zeros(n), keys.referred, keys.lottery)
    base = flat.order(listed["referral_id"])
    class_of = np.column_stack([keys.override[base], keys.deadline[base]])
    begins = np.flatnonzero(np.append(True, (class_of[1:] != class_of[:-1]).any(axis=1)))
    ranks = np.empty((n_draws, n), dtype=np.int32)
    step = max(1, _CHUNK // max(n, 1))
    for start in range(0, n_draws, step):
        part = -scores[start : start + step][:, base]
        for first, end in zip(begins, np.append(begins[1:], n), strict=True):
            order = np.argsort(part[:, first:end], axis=1, kind="stable")
            places = np.empty_like(order)
            np.put_along_axis(places, order, np.arange(first + 1, end + 1)[None, :], axis=1)
            ranks[start : start + step, base[first:end]] = places
    return ranks


def topk_probability(mean: ArrayLike, se: ArrayLike, k: int) -> Floats:
    """Return the exact chance of being among the first *k*, for independent normal scores.

    ``p_i = ∫ φ_i(x) P(PoissonBinomial{P(X_j > x)} ≤ k − 1) dx``, by the trapezoid rule. For lists of some hundreds;
    :func:`rank_uncertainty` draws instead and keeps the whole key.

    Parameters
    ----------
    mean, se : array
        Score and standard error (above 0), one per person; greater scores come first.
    k : int
        Number of places.

    Returns
    -------
    numpy.ndarray
        One chance per person; they sum to k.

    Raises
    ------
    UsageError
        A standard error is not above 0, or the lengths differ.

    Examples
    --------
    >>> topk_probability([2.0, 1.5, 1.4], [0.3, 0.5, 0.2], k=1).round(3)
    array([0.781, 0.19 , 0.029])
    """
    centre, spread, places = _floats(mean, "mean"), _floats(se, "se"), place_count(k)
    if centre.ndim != 1 or spread.shape != centre.shape or (spread <= 0).any():
        raise UsageError("`mean` and `se` do not hold one score and one error above 0 a person", do="give both")
    n = len(centre)
    if places >= n or places == 0:
        return np.full(n, float(places > 0))
    z = np.linspace(-_REACH, _REACH, _GRID)
    mass = norm.pdf(z) * (z[1] - z[0])
    return np.array([mass @ _at_most(places - 1, _above(i, z, centre, spread)) for i in range(n)])


def _above(i: int, z: Floats, mean: Floats, se: Floats) -> Floats:
    """Chance that each other person is above person i's score, others × grid."""
    others = np.arange(len(mean)) != i
    x = mean[i] + se[i] * z
    above: Floats = norm.sf(x[None, :], mean[others, None], se[others, None])
    return above


def _at_most(most: int, chances: Floats) -> Floats:
    """P(at most `most` successes) of independent trials, trials × grid."""
    counts = np.zeros((most + 1, chances.shape[1]))
    counts[0] = 1.0
    for p in chances:
        counts[1:] = counts[1:] * (1 - p) + counts[:-1] * p
        counts[0] *= 1 - p
    total: Floats = counts.sum(axis=0)
    return total


def rank_region(scores: ArrayLike, se: ArrayLike, alpha: float = 0.1) -> pd.DataFrame:
    """Return ranks that hold for everyone at once with probability 1 − alpha, the greatest score ranked 1.

    Parameters
    ----------
    scores, se : array
        Score and standard error, one per person.
    alpha : float, optional
        Chance of being wrong anywhere, in (0, 1).

    Returns
    -------
    pandas.DataFrame
        One row per person, in the order given: rank_low, rank_high.

    Raises
    ------
    UsageError
        The lengths differ, or alpha lies outside (0, 1).

    References
    ----------
    Klein, M., Wright, T. and Wieczorek, J. (2020). A joint confidence region for an overall ranking of populations.
    Journal of the Royal Statistical Society, Series C 69(3).

    Examples
    --------
    >>> rank_region([10.0, 9.0, 7.0], [0.3, 0.3, 0.5])
       rank_low  rank_high
    0         1          2
    1         1          2
    2         3          3
    """
    x, spread = _floats(scores, "scores"), _floats(se, "se")
    if x.ndim != 1 or spread.shape != x.shape or (spread < 0).any() or not 0 < alpha < 1:
        raise UsageError(
            "`scores`, `se` or `alpha` cannot be used", do="give one score and error a person, alpha in (0, 1)"
        )
    n = len(x)
    z = norm.ppf(1 - (1 - (1 - alpha) ** (1 / max(n, 1))) / 2)
    low, high = np.sort(x - z * spread), np.sort(x + z * spread)
    surely_above = n - np.searchsorted(low, x + z * spread, side="right")
    surely_below = np.searchsorted(high, x - z * spread, side="left")
    ranks: dict[str, Any] = {"rank_low": 1 + surely_above, "rank_high": n - surely_below}
    return pd.DataFrame({name: pd.array(values, dtype="Int64") for name, values in ranks.items()})
