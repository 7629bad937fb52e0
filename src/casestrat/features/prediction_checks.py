"""Checks by what features foretell: a figure too good to be true betrays a leak that no proof can reach."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.features.altered_tables import as_they_stood
from casestrat.features.audit_result import CheckRow
from casestrat.features.discrimination import (
    as_predictors,
    designs_of,
    feature_auc,
    gap_auc,
    left_out_auc,
    permuted_auc,
    person_folds,
)  # fmt: skip
from casestrat.features.leakage_proofs import compute, n_changed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.features.audit_result import Verdict
    from casestrat.features.leakage_proofs import Subject
    from casestrat.tables import Tables

FEWEST = 10  # people with the outcome, and people without: below, no figure is given
_STANDARD_ERRORS = 3
_UNLIKELY = 1e-4  # that only people with the outcome are filled in, were it chance
_TELLS, _GAINS, _AS_GOOD = 0.7, 0.02, 0.01


class Foretold:
    """Features beside the outcome, of people whose outcome is known.

    Parameters
    ----------
    X : pandas.DataFrame
        One row per person and date, index ``person_id, as_of``.
    y : pandas.Series
        1 and 0; same index.
    n_folds : int
        Folds of people at most.
    random_state : int
        Seed of the folds.
    """

    def __init__(self, X: pd.DataFrame, y: pd.Series, n_folds: int, random_state: int) -> None:
        self.X, self.y = as_predictors(X), y.to_numpy(dtype=bool)
        self.persons = X.index.get_level_values("person_id")
        self.random_state = random_state
        self.fold = person_folds(self.persons, self.y, n_folds, random_state)

    @cached_property
    def designs(self) -> list[tuple[NDArray[np.bool_], NDArray[np.float64]]]:
        """For each fold who is left out, and the columns of a regression."""
        return designs_of(self.X, self.fold)

    @property
    def lacks(self) -> str:
        """Why no figure can be given; empty where one can."""
        n = min(self.persons[self.y].nunique(), self.persons[~self.y].nunique())
        return f"fewer than {FEWEST} people with the outcome known to have come, or not to have" if n < FEWEST else ""


def single_features(told: Foretold, limit: float) -> list[CheckRow]:
    """Name features that alone tell too well, and say how far each is from the next best."""
    found = {name: feature_auc(told.X[name], told.y, told.fold) for name in told.X.columns}
    known = {name: (auc, n) for name, (auc, n) in found.items() if not np.isnan(auc)}
    ordered = sorted(auc for auc, _ in known.values())
    out = []
    for name in found:
        if name not in known:
            out.append(
                CheckRow("single_feature", "not run", "it is known on one side of the outcome only, or never", name)
            )
            continue
        auc, n = known[name]
        below = [other for other in ordered if other < auc]
        gap = f", {auc - below[-1]:.2f} above the next best" if below and auc == ordered[-1] else ""
        said = f"alone it tells with an area under the curve of {auc:.2f}{gap}"
        is_bad = auc >= limit
        said += f"; from {limit:.2f} on that is too good to be true" if is_bad else ""
        out.append(CheckRow("single_feature", _verdict(is_bad), said, name, value=auc, limit=limit, n=n))
    return out


def filled(told: Foretold, limit: float) -> list[CheckRow]:
    """Name features that are filled for people with the outcome, or for those without, in a telling way."""
    out = []
    for name in told.X.columns:
        is_filled = told.X[name].notna().to_numpy()
        auc = gap_auc(told.X[name], told.y)
        of_event, of_others = (f"{is_filled[who].mean():.0%}" for who in (told.y, ~told.y))
        said = f"filled for {of_event} of those with the outcome and {of_others} of those without"
        is_bad = auc >= limit or _is_filled_for_one_side(told, is_filled)
        said += "; whether it is filled gives the outcome away" if is_bad else ""
        out.append(CheckRow("filled", _verdict(is_bad), said, name, value=auc, limit=limit, n=len(told.y)))
    return out


def _is_filled_for_one_side(told: Foretold, is_filled: NDArray[np.bool_]) -> bool:
    """Whether all who are filled in had the outcome, or all who are not, though chance would hardly have it so."""
    share = told.persons[told.y].nunique() / told.persons.nunique()
    for side in (is_filled, ~is_filled):
        if side.any() and told.y[side].all() and share ** told.persons[side].nunique() < _UNLIKELY:
            return True
    return False


def all_together(told: Foretold, limit: float) -> list[CheckRow]:
    """Say how well all features together tell of people left out."""
    auc, _ = left_out_auc(told.designs, told.y)
    said = f"all together, on people left out, they tell with an area under the curve of {auc:.3f}"
    is_bad = auc >= limit
    said += f"; from {limit:.2f} on that is too good to be true" if is_bad else ""
    return [CheckRow("all_together", _verdict(is_bad), said, value=auc, limit=limit, n=len(told.y))]


def permuted_labels(told: Foretold, n_permutations: int) -> list[CheckRow]:
    """Deal the labels at random: what is then told would be told of anything."""
    auc, error = permuted_auc(told.designs, told.y, n_permutations, told.random_state)
    limit = 0.5 + _STANDARD_ERRORS * error
    is_bad = abs(auc - 0.5) > _STANDARD_ERRORS * error
    said = f"with labels dealt at random ({n_permutations} times) the area under the curve is {auc:.3f}"
    said += f"; chance allows {1 - limit:.3f} to {limit:.3f}" + (": the measuring itself leaks" if is_bad else "")
    return [CheckRow("permuted_labels", _verdict(is_bad), said, value=auc, limit=limit, n=len(told.y))]


def kept_together(told: Foretold, tables: Tables) -> list[CheckRow]:
    """Say that no person is on both sides of a fold, and who might be there twice."""
    n_folds_each = pd.Series(told.fold).groupby(np.asarray(told.persons)).nunique()
    several = int((pd.Series(told.persons).value_counts() > 1).sum())
    said = f"{several:,} people have several rows, and each person's rows are all in one fold"
    n_pairs = len(tables.doubtful_pairs)
    said += f"; {n_pairs:,} pairs of ids might be one person each: decide in a crosswalk file" if n_pairs else ""
    n_split = int((n_folds_each > 1).sum())
    return [
        CheckRow("kept_together", "finding" if n_split else "proved", said, value=n_split, limit=0, n=len(n_folds_each))
    ]


def later_date(told: Foretold, subject: Subject, whole: Tables, horizon_days: int) -> list[CheckRow]:
    """Ask again when the outcome is known: a feature that then tells no better may know the answer today.

    Features that take in nothing recorded in between (age, what was true at the start) tell nothing here.
    """
    spine = told.X.index.to_frame(index=False)
    later = spine.assign(as_of=spine["as_of"] + pd.Timedelta(days=horizon_days))
    ahead = as_predictors(compute(subject.builder, whole, later).set_axis(told.X.index)).reindex(columns=told.X.columns)
    takes_in = _takes_in(subject, horizon_days)
    figures = {name: _both_aucs(told, ahead, name) for name in told.X.columns}
    gains = {name: then - now for name, (now, then) in figures.items() if name in takes_in}
    out = []
    for name, (now, then) in figures.items():
        said = f"area under the curve {now:.2f} today, {then:.2f} {horizon_days:,} days later"
        if name not in takes_in:
            said += "; it takes in nothing recorded in between"
        others = [gain for other, gain in gains.items() if other != name]
        is_bad = (
            name in gains and now >= _TELLS and then - now <= _AS_GOOD and len(others) > 1
            and float(np.median(others)) >= _GAINS
        )  # fmt: skip
        if is_bad:
            said += f"; others gain {np.median(others):.2f} (median) by looking ahead and this one nothing"
        out.append(CheckRow("later_date", _verdict(is_bad), said, name, value=then - now, n=len(told.y)))
    return out


def _both_aucs(told: Foretold, ahead: pd.DataFrame, name: str) -> tuple[float, float]:
    """How well a feature tells now and later; later, people who left have no value, and that tells too."""
    now, then = (_best_auc(told, column[name]) for column in (told.X, ahead))
    return now, then


def _best_auc(told: Foretold, column: pd.Series) -> float:
    """How well a feature tells by its values or by whether it is filled, whichever is more."""
    by_value = feature_auc(column, told.y, told.fold)[0] if column.notna().sum() >= FEWEST else np.nan
    return float(np.nanmax([by_value, gap_auc(column, told.y)]))


def _takes_in(subject: Subject, horizon_days: int) -> set[str]:
    """Return the features that change when what was recorded within the horizon is taken away."""
    date = subject.dates[-1]
    later = subject.of_date(date).assign(as_of=date + pd.Timedelta(days=horizon_days))
    with_all = compute(subject.builder, subject.tables, later)
    with_past = compute(subject.builder, as_they_stood(subject.tables, date), later)
    changed = n_changed(with_all, with_past, exact=True)
    return set(changed.index[changed > 0].astype(str))


def _verdict(is_bad: bool) -> Verdict:
    return "finding" if is_bad else "passed"
