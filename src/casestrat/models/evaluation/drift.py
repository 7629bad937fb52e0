"""What has changed between two extracts: features, risks, and whether the risks still come true."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import chi2

from casestrat.errors import UsageError
from casestrat.knowledge.sentence import Sentence
from casestrat.knowledge.wording import load_wording
from casestrat.models.evaluation.held_out import as_labels
from casestrat.models.inputs.columns import Column, read_values
from casestrat.models.measures.bootstrap import PersonDraws, percentile_interval
from casestrat.models.measures.metrics import count_people, probability_metrics
from casestrat.models.measures.small_cells import hide_complements, is_small
from casestrat.tables.columns import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

SOME, MUCH = 0.1, 0.25
"""From where on a population stability index is called some change, and much (Siddiqi 2006)."""

MISSING, NEW, RISK = "(missing)", "(new)", "(risk)"
_EMPTY = 0.5  # people that an empty bin counts as, so that the logarithm is finite
_MEASURES = ("calibration_slope", "expected_over_observed", "calibration_intercept")
_RIGHT = {"calibration_slope": 1.0, "expected_over_observed": 1.0, "calibration_intercept": 0.0}
_BINS = ("feature", "bin", "n_before", "n_after", "share_before", "share_after", "contribution", "is_suppressed")


@dataclass(frozen=True, eq=False, slots=True)
class Drift:
    """What differs between people of before and of after; made by :func:`casestrat.models.evaluation.drift`.

    Parameters
    ----------
    features : pandas.DataFrame
        One row per feature, the greatest change first: feature, kind, psi, psi_by_chance (95 % of indexes of two like
        samples of these sizes lie below), missing_before, missing_after, n_new_levels, share_new, share_outside (of
        after, beyond the range of before), moved_most (the bin), finding (stable, some, much, chance).
    bins : pandas.DataFrame
        One row per feature and bin: counts and shares of before and after, contribution to the index; small counts are
        suppressed, and so is what would give them away.
    risk : pandas.DataFrame
        One row, as in ``features``, for the distribution of the risks; none where no risks were given.
    calibration : pandas.DataFrame
        One row per measure: metric, before, before_low, before_high, after, after_low, after_high, difference,
        difference_low, difference_high; none where no labels were given.
    n_before, n_after : int
        Rows compared.
    warnings : tuple of str
        What changed enough to be looked into.
    statements : tuple of Sentence
        The warnings, to be said in another language.
    """

    features: pd.DataFrame
    bins: pd.DataFrame
    risk: pd.DataFrame
    calibration: pd.DataFrame
    n_before: int
    n_after: int
    warnings: tuple[str, ...]
    statements: tuple[Sentence, ...]


def drift(
    before: pd.DataFrame,
    after: pd.DataFrame,
    *,
    risk_before: Any = None,
    risk_after: Any = None,
    y_before: Any = None,
    y_after: Any = None,
    n_bins: int = 10,
    n_boot: int = 200,
    random_state: int = 0,
    small_cell: int = 11,
) -> Drift:
    """Compare the people a model was made on, or of an earlier extract, with those of a later one.

    Parameters
    ----------
    before, after : pandas.DataFrame
        One row per person and date, the same columns; an index level ``person_id`` keeps persons whole in the draws.
    risk_before, risk_after : pandas.Series or array, optional
        Risks of these rows by one model.
    y_before, y_after : pandas.Series or array, optional
        What then happened: 1, 0, or missing where not yet known; with risks, calibration is compared.
    n_bins : int, default 10
        Bins of a number, at quantiles of before; 2 or more. Values that are few keep a bin each.
    n_boot : int, default 200
        Bootstrap draws for the intervals of calibration.
    random_state : int, default 0
        Seed of the draws.
    small_cell : int, default 11
        Counts from 1 to one less than this are not told.

    Returns
    -------
    Drift
        Population stability index by feature and of the risks, calibration before and after, and warnings.

    Raises
    ------
    UsageError
        Columns differ, a frame has no row, or only one side has risks or labels.

    Notes
    -----
    The index adds up (share after − share before) · log(share after / share before) over bins. Missing values are a bin
    of their own, and so are levels that before did not have. An empty bin counts as half a person.

    References
    ----------
    Siddiqi N (2006). Credit risk scorecards. Wiley. (The limits .1 and .25.)
    Yurdakul B (2018). Statistical properties of population stability index. (What chance alone gives.)

    Examples
    --------
    >>> before = pd.DataFrame({"falls": [0.0] * 60 + [1.0] * 40})
    >>> after = pd.DataFrame({"falls": [0.0] * 30 + [1.0] * 50 + [None] * 20})
    >>> told = drift(before, after)
    >>> told.features[["feature", "finding", "missing_after", "moved_most"]].to_dict("records")
    [{'feature': 'falls', 'finding': 'much', 'missing_after': 0.2, 'moved_most': '(missing)'}]
    """
    _check(before, after, risk_before, risk_after, y_before, y_after, n_bins)
    told, bins = [], []
    for name in before.columns:
        row, parts = _feature(str(name), before[name], after[name], n_bins)
        told.append(row)
        bins.append(_suppressed(parts, small_cell))
    risk = []
    if risk_before is not None:
        first, second = (pd.Series(np.asarray(side, dtype="float64")) for side in (risk_before, risk_after))
        row, parts = _feature(RISK, first, second, n_bins)
        risk.append(row)
        bins.append(_suppressed(parts, small_cell))
    calibration = _calibration(before, after, risk_before, risk_after, y_before, y_after, n_boot, random_state)
    features = _typed(told).sort_values(["psi", "feature"], ascending=[False, True], kind="stable", ignore_index=True)
    statements = tuple(_statements(features, _typed(risk), calibration))
    return Drift(
        features,
        pd.concat(bins, ignore_index=True) if bins else pd.DataFrame(columns=list(_BINS)),
        _typed(risk),
        calibration,
        len(before),
        len(after),
        tuple(one.said(load_wording("en")) for one in statements),
        statements,
    )


def _check(
    before: pd.DataFrame, after: pd.DataFrame, risk_before: Any, risk_after: Any, y_before: Any, y_after: Any, bins: int
) -> None:
    """Refuse what cannot be compared."""
    if bins < 2:
        raise UsageError(f"n_bins is a number of bins, 2 or more; found {bins}")
    if not len(before) or not len(after):
        raise UsageError(f"expected rows on both sides; found {len(before)} before and {len(after)} after")
    lacking = [str(name) for name in before.columns if name not in after.columns]
    more = [str(name) for name in after.columns if name not in before.columns]
    if lacking or more:
        found = "; ".join(
            f"{side} has no {', '.join(names)}" for side, names in (("after", lacking), ("before", more)) if names
        )
        raise UsageError(f"the two sides have other features: {found}", do="build both with the same feature builder")
    for name, first, second in (("risk", risk_before, risk_after), ("y", y_before, y_after)):
        if (first is None) != (second is None):
            raise UsageError(f"expected {name} of both sides; found one", where=f"{name}_before, {name}_after")
        for side, frame in ((first, before), (second, after)):
            if side is not None and len(side) != len(frame):
                raise UsageError(f"expected {len(frame)} values, one per row; found {len(side)}", where=name)
    if y_before is not None and risk_before is None:
        raise UsageError("labels without risks: calibration cannot be judged", do="give risk_before and risk_after")


def _feature(name: str, before: pd.Series, after: pd.Series, n_bins: int) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return the row of one feature and its bins."""
    sides = [read_values(side, name) for side in (before, after)]
    kind = _kind(name, sides)
    missing = np.concatenate([side.is_missing for side in sides])
    is_before = np.arange(len(missing)) < len(before)
    if kind == "text":
        labels, new, n_new = _levels(np.concatenate([_texts(side) for side in sides]), missing, is_before)
        outside = np.nan
    else:
        values = np.concatenate([np.asarray(side.numbers) for side in sides])
        labels, outside = _intervals(values, missing, is_before, n_bins)
        new, n_new = np.zeros(len(missing), dtype=bool), 0
    parts = _bins(name, labels, is_before)
    n_before, n_after = len(before), len(after)
    psi = float(parts["contribution"].sum())
    chance = float((1 / n_before + 1 / n_after) * chi2.ppf(0.95, len(parts) - 1)) if len(parts) > 1 else 0.0
    row = {
        "feature": name,
        "kind": kind,
        "psi": psi,
        "psi_by_chance": chance,
        "missing_before": float(missing[is_before].mean()),
        "missing_after": float(missing[~is_before].mean()),
        "n_new_levels": n_new,
        "share_new": float(new[~is_before].mean()),
        "share_outside": outside,
        "moved_most": parts["bin"].iloc[int(parts["contribution"].to_numpy().argmax())],
        "finding": _finding(psi, chance),
    }
    return row, parts


def _kind(name: str, sides: list[Column]) -> str:
    """Return whether a feature is numbers or text on both sides."""
    kinds = {side.kind for side in sides} - {"unknown"}
    if len(kinds) > 1:
        raise UsageError(
            f"before and after hold other kinds of values: {sides[0].kind} and {sides[1].kind}",
            where=f"column {name}",
            do="build both with the same feature builder",
        )
    return next(iter(kinds), "unknown")


def _texts(side: Column) -> np.ndarray:
    """Return the texts of a column, empty where missing."""
    return np.asarray(np.array([*side.levels, ""], dtype=object)[np.asarray(side.codes)])


def _finding(psi: float, chance: float) -> str:
    """Say how great a change is; one that chance alone gives is called so."""
    if psi < SOME:
        return "stable"
    if psi <= chance:
        return "chance"
    return "much" if psi >= MUCH else "some"


def _levels(values: np.ndarray, missing: np.ndarray, is_before: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the bin of each text: its level, missing, or new; which are new, and how many levels that is."""
    known = set(values[is_before & ~missing])
    new = ~missing & ~np.array([value in known for value in values], dtype=bool)
    labels = np.where(missing, MISSING, np.where(new, NEW, values))
    return labels, new, len(set(values[new]))


def _intervals(values: np.ndarray, missing: np.ndarray, is_before: np.ndarray, n_bins: int) -> tuple[np.ndarray, float]:
    """Return the bin of each number, by quantiles of before, and the share of after beyond the range of before."""
    known = values[is_before & ~missing]
    labels = np.full(len(values), MISSING, dtype=object)
    if not len(known):
        labels[~missing] = NEW
        return labels, np.nan
    distinct = np.unique(known)
    cuts = distinct if len(distinct) <= n_bins else np.unique(np.quantile(known, np.arange(1, n_bins) / n_bins))
    uppers = cuts[:-1] if len(distinct) <= n_bins else cuts
    place = np.searchsorted(uppers, values[~missing], side="left")
    names = np.array(_interval_names(uppers), dtype=object)
    labels[~missing] = names[place]
    later = values[~is_before & ~missing]
    outside = ((later < known.min()) | (later > known.max())).mean() if len(later) else np.nan
    return labels, float(outside)


def _interval_names(uppers: np.ndarray) -> list[str]:
    """Name intervals by their bounds."""
    if not len(uppers):
        return ["any value"]
    ends = [f"{upper:.4g}" for upper in uppers]
    middle = [f"> {low} to {high}" for low, high in pairwise(ends)]
    return [f"≤ {ends[0]}", *middle, f"> {ends[-1]}"]


def _bins(name: str, labels: np.ndarray, is_before: np.ndarray) -> pd.DataFrame:
    """Return counts and shares by bin, and what each adds to the index."""
    bins = list(dict.fromkeys([*labels[is_before], *labels[~is_before]]))
    ordered = sorted(bins, key=lambda one: (one in (MISSING, NEW), str(one)))
    code = pd.Categorical(labels, categories=ordered).codes
    counts = [np.bincount(code[side], minlength=len(ordered)) for side in (is_before, ~is_before)]
    shares = [np.where(n > 0, n, _EMPTY) / n.sum() for n in counts]
    return pd.DataFrame({
        "feature": name,
        "bin": ordered,
        "n_before": counts[0],
        "n_after": counts[1],
        "share_before": counts[0] / counts[0].sum(),
        "share_after": counts[1] / counts[1].sum(),
        "contribution": (shares[1] - shares[0]) * np.log(shares[1] / shares[0]),
    })  # fmt: skip


def _suppressed(parts: pd.DataFrame, small_cell: int) -> pd.DataFrame:
    """Hide bins of few people, on either side, and what would give them away."""
    before, after = parts["n_before"].to_numpy(), parts["n_after"].to_numpy()
    hidden = is_small(before, small_cell) | is_small(after, small_cell)
    hidden = hide_complements(hidden, before, small_cell) | hide_complements(hidden, after, small_cell)
    told = parts.astype({"feature": TEXT, "bin": TEXT, "n_before": "Int64", "n_after": "Int64"})
    told.loc[hidden, ["n_before", "n_after"]] = pd.NA
    told.loc[hidden, ["share_before", "share_after", "contribution"]] = np.nan
    return told.assign(is_suppressed=hidden)[list(_BINS)]


def _typed(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return rows of features with their types, also where there is none."""
    text = dict.fromkeys(("feature", "kind", "moved_most", "finding"), TEXT)
    numbers = dict.fromkeys(
        ("psi", "psi_by_chance", "missing_before", "missing_after", "share_new", "share_outside"), "float64"
    )
    columns = (
        "feature", "kind", "psi", "psi_by_chance", "missing_before", "missing_after", "n_new_levels", "share_new",
        "share_outside", "moved_most", "finding",
    )  # fmt: skip
    return pd.DataFrame(rows, columns=list(columns)).astype({**text, **numbers, "n_new_levels": "int64"})


def _calibration(
    before: pd.DataFrame,
    after: pd.DataFrame,
    risk_before: Any,
    risk_after: Any,
    y_before: Any,
    y_after: Any,
    n_boot: int,
    random_state: int,
) -> pd.DataFrame:
    """Return slope, E/O and intercept of before and after, with intervals, and how they differ."""
    columns = [
        "metric",
        *(f"{side}{end}" for side in ("before", "after", "difference") for end in ("", "_low", "_high")),
    ]
    if y_before is None:
        return pd.DataFrame(columns=columns).astype({"metric": TEXT, **dict.fromkeys(columns[1:], "float64")})
    sides = [
        _calibrated(frame, risk, y, n_boot, random_state + i)
        for i, (frame, risk, y) in enumerate(((before, risk_before, y_before), (after, risk_after, y_after)))
    ]
    rows = []
    for metric in _MEASURES:
        found = [side[0][metric] for side in sides]
        drawn = [np.array([draw[metric] for draw in side[1]]) for side in sides]
        rows.append((
            metric, found[0], *percentile_interval(drawn[0]), found[1], *percentile_interval(drawn[1]),
            found[1] - found[0], *percentile_interval(drawn[1] - drawn[0]),
        ))  # fmt: skip
    return pd.DataFrame(rows, columns=columns).astype({"metric": TEXT})


def _calibrated(
    frame: pd.DataFrame, risk: Any, y: Any, n_boot: int, random_state: int
) -> tuple[dict[str, float], list[dict[str, float]]]:
    """Return the measures of one side and of its draws; rows without a label or a risk are left out."""
    labels, risks = as_labels(np.zeros(len(y)), y), np.asarray(risk, dtype="float64")
    used = np.flatnonzero(~np.isnan(labels) & ~np.isnan(risks))
    if not len(used):
        raise UsageError("no row has both a label and a risk", do="check that labels and risks are about the same rows")
    person = frame.index.get_level_values("person_id")[used] if "person_id" in frame.index.names else None
    at, code = np.unique(risks[used], return_inverse=True)
    draws = PersonDraws(person, len(used), n_boot, random_state)
    drawn = [probability_metrics(count_people(at, code, labels[used], w)) for w in draws()]
    return probability_metrics(count_people(at, code, labels[used])), drawn


def _statements(features: pd.DataFrame, risk: pd.DataFrame, calibration: pd.DataFrame) -> Iterator[Sentence]:
    """Say what changed enough to be looked into."""
    for row in features[features["finding"].isin(("some", "much"))].to_dict("records"):
        yield Sentence.of(f"drift.feature_{row['finding']}", feature=row["feature"], psi=round(row["psi"], 2))
    for row in features[features["n_new_levels"] > 0].to_dict("records"):
        yield Sentence.of("drift.new_levels", feature=row["feature"], n=row["n_new_levels"])
    for row in risk[risk["finding"].isin(("some", "much"))].to_dict("records"):
        yield Sentence.of("drift.risk_moved", psi=round(row["psi"], 2))
    for row in calibration.to_dict("records"):
        right = _RIGHT[row["metric"]]
        if row["difference_low"] > 0 or row["difference_high"] < 0:
            counts = {"before": round(row["before"], 2), "after": round(row["after"], 2)}
            yield Sentence.of(f"drift.{row['metric']}_moved", **counts)
        elif row["after_low"] > right or row["after_high"] < right:
            yield Sentence.of(f"drift.{row['metric']}_off", after=round(row["after"], 2))
