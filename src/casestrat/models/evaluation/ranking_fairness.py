"""Whether a list treats groups alike: who stands where, who is admitted at equal score, who waits how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.knowledge.sentence import Sentence
from casestrat.knowledge.wording import load_wording
from casestrat.models.measures.bootstrap import PersonDraws, percentile_interval
from casestrat.models.measures.evaluation_rows import aligned, floats, groupings
from casestrat.models.measures.metrics import mean_discounts
from casestrat.models.measures.small_cells import hide_complements, is_small
from casestrat.tables.columns import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

_Z = 1.959963984540054
_MOST_STRATA = 10
_VALUES = (
    "exposure", "exposure_low", "exposure_high", "n_admitted", "admission_rate", "admission_rate_low",
    "admission_rate_high", "admission_odds", "odds_low", "odds_high", "n_strata", "median_wait", "wait_low",
    "wait_high",
)  # fmt: skip


@dataclass(frozen=True, eq=False, slots=True)
class RankingFairness:
    """What a list, and what came of it, gave each group; made by :func:`casestrat.models.evaluation.ranking_fairness`.

    Parameters
    ----------
    by_group : pandas.DataFrame
        One row per grouping and group: n; exposure (attention by place in the order; 1 is the mean of everybody);
        n_admitted, admission_rate; admission_odds (of this group against all others at equal score; 1 is alike) from
        n_strata strata that tell; median_wait (days); each with its 95 % interval; is_suppressed.
    n_used : int
        Rows with a score.
    warnings : tuple of str
        What differs between groups by more than chance, and the harm it names; nothing is said of groups under least_n.
    statements : tuple of Sentence
        The warnings, to be said in another language.
    least_n, small_cell : int
        Groups of fewer rows, and smaller counts, are not told.
    """

    by_group: pd.DataFrame
    n_used: int
    warnings: tuple[str, ...]
    statements: tuple[Sentence, ...]
    least_n: int
    small_cell: int


def ranking_fairness(
    score: Any,
    groups: Any,
    *,
    is_admitted: Any = None,
    waited_days: Any = None,
    n_boot: int = 200,
    random_state: int = 0,
    least_n: int = 30,
    small_cell: int = 11,
) -> RankingFairness:
    """Judge a ranked list, and the decisions on it, by group.

    Parameters
    ----------
    score : pandas.Series or array
        What people were ordered by, higher first: risk, points or priority index; one per person and list.
    groups : pandas.Series, pandas.DataFrame, mapping or array
        One or several groupings of the rows.
    is_admitted : pandas.Series or array, optional
        Whether each was admitted, or stood above the cut; missing where not decided.
    waited_days : pandas.Series or array, optional
        How many days each waited, or has waited so far.
    n_boot : int, default 200
        Bootstrap draws of whole persons for the intervals of exposure, rate and wait.
    random_state : int, default 0
        Seed of the draws.
    least_n : int, default 30
        Groups of fewer rows are not told.
    small_cell : int, default 11
        Counts from 1 to one less than this are not told, nor what would give them away.

    Returns
    -------
    RankingFairness
        One row per grouping and group.

    Raises
    ------
    UsageError
        Lengths or indexes differ, or no row has a score.

    Notes
    -----
    Equal score means the same stratum of it: each distinct score where there are ten or fewer, else tenths of the list.
    The odds are Mantel and Haenszel's over the strata, with the interval of Robins, Breslow and Greenland. An odds of
    0.5 says: at the same score, people of this group were admitted at half the odds of the others. That alone tells no
    cause: the committee may know of needs that the score does not hold.

    References
    ----------
    Singh A, Joachims T (2018). Fairness of exposure in rankings. KDD, 2219–2228.
    Robins J, Breslow N, Greenland S (1986). Estimators of the Mantel-Haenszel variance. Biometrics 42, 311–323.

    Examples
    --------
    >>> score = [3.0] * 80 + [1.0] * 80
    >>> language = (["fr"] * 40 + ["other"] * 40) * 2
    >>> admitted = [1] * 30 + [0] * 10 + [1] * 15 + [0] * 25 + [1] * 20 + [0] * 20 + [1] * 12 + [0] * 28
    >>> told = ranking_fairness(score, {"language": language}, is_admitted=admitted, n_boot=0)
    >>> told.by_group[["group", "exposure", "admission_odds"]].round(2).to_dict("split")["data"]
    [['fr', 1.0, 3.36], ['other', 1.0, 0.3]]
    """
    rows = _rows(score, groups, is_admitted, waited_days)
    draws = PersonDraws(rows.get("person"), len(rows), n_boot, random_state)
    at, code = np.unique(rows["score"].to_numpy(), return_inverse=True)
    names = [name for name in rows if isinstance(name, tuple)]
    members = [
        (name[1], group, (rows[name] == group).to_numpy()) for name in names for group in sorted(set(rows[name]))
    ]
    admitted, waits = rows["admitted"].to_numpy(), rows["waited"].to_numpy()
    found = _draw(at, code, members, admitted, waits, np.ones(len(rows)))
    drawn = np.array([_draw(at, code, members, admitted, waits, w) for w in draws()]).reshape(-1, len(members), 3)
    strata = _strata(rows["score"].to_numpy())
    table = pd.DataFrame([
        _row(place, member, found, drawn, admitted, waits, strata) for place, member in enumerate(members)
    ])  # fmt: skip
    table = table.astype({"grouping": TEXT, "group": TEXT, "n": "Int64", "n_admitted": "Int64", "n_strata": "Int64"})
    told = _suppress(table, least_n, small_cell)
    statements = tuple(_statements(told))
    words = tuple(one.said(load_wording("en")) for one in statements)
    return RankingFairness(told, len(rows), words, statements, least_n, small_cell)


def _rows(score: Any, groups: Any, is_admitted: Any, waited_days: Any) -> pd.DataFrame:
    """Score, admission, wait, person and groupings of rows with a score, in an order of their own."""
    score = score if isinstance(score, pd.Series) else pd.Series(np.asarray(score))
    nothing = pd.Series(np.nan, index=score.index)
    rows = pd.DataFrame({"score": floats(score, "score")}, index=score.index)
    for name, values in (("admitted", is_admitted), ("waited", waited_days)):
        rows[name] = floats(nothing if values is None else aligned(values, score, name), name)
    if not (rows["admitted"].isna() | rows["admitted"].isin((0, 1))).all():
        raise UsageError("is_admitted must be 1, 0 or missing; found others", where="is_admitted")
    for key, texts in groupings(groups, score).items():
        rows[key] = texts
    if "person_id" in score.index.names:
        rows["person"] = score.index.get_level_values("person_id")
    used = rows[rows["score"].notna()].reset_index(drop=True)
    if used.empty:
        raise UsageError("no row has a score", where="score")
    first = ["person"] if "person" in used else []
    names: list[Any] = [*first, *(name for name in used if name not in first)]
    return used.sort_values(names, kind="stable", ignore_index=True)


def _draw(
    at: np.ndarray,
    code: np.ndarray,
    members: list[tuple[str, str, np.ndarray]],
    admitted: np.ndarray,
    waits: np.ndarray,
    weight: np.ndarray,
) -> np.ndarray:
    """Return exposure, admission rate and median wait of each group, each row counting as often as drawn."""
    everybody = np.bincount(code, weights=weight, minlength=len(at))
    attention = mean_discounts(everybody)[code]
    mean = weight @ attention / weight.sum()
    decided, waited = np.isfinite(admitted), np.isfinite(waits)
    found = []
    for _, _, inside in members:
        n, of_decided = weight[inside].sum(), weight[inside & decided].sum()
        found.append((
            weight[inside] @ attention[inside] / n / mean if n else np.nan,
            weight[inside & decided] @ admitted[inside & decided] / of_decided if of_decided else np.nan,
            _median(waits[inside & waited], weight[inside & waited]),
        ))  # fmt: skip
    return np.array(found, dtype=float)


def _median(values: np.ndarray, weight: np.ndarray) -> float:
    """Return the median, each value counting as often as it is drawn."""
    drawn = np.repeat(values, weight.astype(int))
    return float(np.median(drawn)) if len(drawn) else np.nan


def _strata(score: np.ndarray) -> np.ndarray:
    """Return the stratum of each row: its score where there are few, else its tenth of the list; ties stay together."""
    _, code, count = np.unique(score, return_inverse=True, return_counts=True)
    if len(count) <= _MOST_STRATA:
        return np.asarray(code)
    middle = (np.cumsum(count) - count / 2) / len(score)
    return np.asarray(np.floor(middle * _MOST_STRATA).astype(int)[code])


def _row(
    place: int,
    member: tuple[str, str, np.ndarray],
    found: np.ndarray,
    drawn: np.ndarray,
    admitted: np.ndarray,
    waits: np.ndarray,
    strata: np.ndarray,
) -> dict[str, Any]:
    """Return what is told of one group, nothing hidden yet."""
    grouping, group, inside = member
    decided = np.isfinite(admitted)
    bounds = [percentile_interval(drawn[:, place, i]) for i in range(3)]
    odds, low, high, n_strata = _common_odds(strata[decided], inside[decided], admitted[decided] == 1)
    exposure, rate, wait = found[place]
    told = (
        exposure, *bounds[0], (admitted[inside & decided] == 1).sum() if decided.any() else pd.NA, rate, *bounds[1],
        odds, low, high, n_strata if decided.any() else pd.NA, wait, *bounds[2],
    )  # fmt: skip
    return {"grouping": grouping, "group": group, "n": int(inside.sum()), **dict(zip(_VALUES, told, strict=True))}


def _common_odds(stratum: np.ndarray, inside: np.ndarray, admitted: np.ndarray) -> tuple[float, float, float, int]:
    """Return the odds of admission of a group against all others at equal score, interval, and strata that tell."""
    if not len(stratum):
        return np.nan, np.nan, np.nan, 0
    n_strata = int(stratum.max()) + 1
    a, b, c, d = (
        np.bincount(stratum, weights=(inside == member) & (admitted == took), minlength=n_strata)
        for member, took in ((True, True), (True, False), (False, True), (False, False))
    )
    n = a + b + c + d
    used = n > 0
    a, b, c, d, n = (part[used] for part in (a, b, c, d, n))
    r, s, p, q = a * d / n, b * c / n, (a + d) / n, (b + c) / n
    told = int(((r > 0) | (s > 0)).sum())
    if not r.sum() or not s.sum():
        return np.nan, np.nan, np.nan, told
    odds = r.sum() / s.sum()
    variance = (
        (p @ r) / (2 * r.sum() ** 2)
        + (p @ s + q @ r) / (2 * r.sum() * s.sum())
        + (q @ s) / (2 * s.sum() ** 2)
    )  # fmt: skip
    reach = _Z * np.sqrt(variance)
    return float(odds), float(odds * np.exp(-reach)), float(odds * np.exp(reach)), told


def _suppress(table: pd.DataFrame, least_n: int, small_cell: int) -> pd.DataFrame:
    """Blank what rests on too few people, and what would give it away."""
    n = table["n"].to_numpy(dtype="int64")
    admitted = table["n_admitted"].to_numpy(dtype="float64", na_value=np.nan)
    hidden_n = is_small(n, small_cell)
    few = is_small(np.nan_to_num(admitted), small_cell) | is_small(n - np.nan_to_num(admitted), small_cell)
    hidden = hidden_n | (few & np.isfinite(admitted))
    for grouping in table["grouping"].unique():
        rows = np.flatnonzero(table["grouping"] == grouping)
        hidden_n[rows] = hide_complements(hidden_n[rows], n[rows], small_cell)
        hidden[rows] = hide_complements(hidden[rows], n[rows], small_cell)
    hidden |= hidden_n | (n < least_n)
    told = table.copy()
    told.loc[hidden, list(_VALUES)] = pd.NA
    told.loc[hidden_n, "n"] = pd.NA
    return told.assign(is_suppressed=hidden)


def _statements(told: pd.DataFrame) -> Iterator[Sentence]:
    """Say what differs by more than chance, naming the harm; groups that are suppressed say nothing."""
    for row in told[~told["is_suppressed"]].to_dict("records"):
        who = {"group": row["group"], "grouping": row["grouping"]}
        if row["exposure_high"] < 1:
            yield Sentence.of("fairness.exposure", **who, value=round(row["exposure"], 2))
        if row["odds_high"] < 1:
            bounds = {name: round(row[f"odds_{name}"], 2) for name in ("low", "high")}
            yield Sentence.of("fairness.admission_odds", **who, **bounds, value=round(row["admission_odds"], 2))
    for grouping, rows in told[~told["is_suppressed"]].groupby("grouping", sort=False):
        waits = rows.dropna(subset=["median_wait", "wait_low"])
        if len(waits) < 2:
            continue
        days = waits["median_wait"].to_numpy(dtype="float64")
        longest, shortest = waits.iloc[int(days.argmax())], waits.iloc[int(days.argmin())]
        if longest["wait_low"] > shortest["wait_high"]:
            who = {"group": longest["group"], "other": shortest["group"], "grouping": str(grouping)}
            yield Sentence.of("fairness.waiting", **who, longest=float(days.max()), shortest=float(days.min()))
