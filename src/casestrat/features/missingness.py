"""What is not known: by feature, by person, by group, and together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_N = 11
_UNKNOWN = "unknown"


@dataclass(frozen=True, eq=False, slots=True)
class MissingnessReport:
    """What is not known of people, and of whom; made by :func:`casestrat.missingness_report`.

    Parameters
    ----------
    by_feature : pandas.DataFrame
        One row per feature, most often missing first: feature, n, n_missing, share_missing (0 to 1), n_people,
        share_people_known (of the people, those with a value on any date).
    by_person : pandas.DataFrame
        One row per row of X, in its order and with its index: n_missing (features), share_missing.
    distribution : pandas.DataFrame
        One row per number of features missing: n_missing, n (rows with as many), share, share_up_to (with as many or
        fewer).
    by_group : pandas.DataFrame
        One row per grouping, group and feature: n, n_missing, share_missing, all missing where the cell is hidden
        (is_suppressed) because it would tell of few people, or would let such a cell be worked out.
    together : pandas.DataFrame
        One row per pair of features, those that go missing together most first: feature, other, n_both,
        share_of_either (of the rows where one is missing, those where both are), share_by_chance (what it would be,
        were the two unrelated).
    least_n : int
        Counts of people from 1 to one less are hidden in ``by_group``.
    """

    by_feature: pd.DataFrame
    by_person: pd.DataFrame
    distribution: pd.DataFrame
    by_group: pd.DataFrame
    together: pd.DataFrame
    least_n: int

    def __repr__(self) -> str:
        """Say how many features and rows there are, and what is missing most."""
        most = self.by_feature.iloc[:3]
        shares = zip(most["feature"], most["share_missing"], strict=True)
        words = ", ".join(f"{name} {share:.0%}" for name, share in shares)
        size = f"{len(self.by_feature)} features of {len(self.by_person):,} rows"
        return f"MissingnessReport: {size}; most missing: {words}"


def missingness_report(
    X: pd.DataFrame,
    groups: pd.Series | pd.DataFrame | None = None,
    *,
    least_n: int = LEAST_N,
    n_pairs: int = 20,
) -> MissingnessReport:
    """Say what is missing: by feature, by person, by group, and which features go missing together.

    Parameters
    ----------
    X : pandas.DataFrame
        Features, one row per person and date (index ``person_id, as_of``) or per person (index ``person_id``).
    groups : pandas.Series or pandas.DataFrame, optional
        One column per grouping (such as sex, or territory); index as X, or ``person_id``. Who has no group, or is not
        there, is ``unknown``.
    least_n : int, default 11
        Counts of people from 1 to one less are hidden by group, and others beside them so that none can be worked out;
        0 is shown. 1 hides nothing.
    n_pairs : int, default 20
        How many pairs of features at most.

    Returns
    -------
    MissingnessReport
        Frames: ``by_feature``, ``by_person``, ``distribution``, ``by_group``, ``together``.

    Raises
    ------
    UsageError
        X has no rows, no columns or no ``person_id``, ``least_n`` is below 1, or the groups' index does not fit.

    Examples
    --------
    >>> X = pd.DataFrame(
    ...     {"gir": [2.0, None, None], "katz": [4.0, None, None], "age": [84.0, 91.0, None]},
    ...     index=pd.Index(["P1", "P2", "P3"], name="person_id"))
    >>> report = missingness_report(X)
    >>> report.by_feature[["feature", "n_missing"]].to_numpy().tolist()
    [['gir', 2], ['katz', 2], ['age', 1]]
    >>> report.by_person["n_missing"].tolist()
    [0, 2, 3]
    >>> report.together.loc[0, ["feature", "other"]].tolist()
    ['gir', 'katz']
    """
    if X.empty or "person_id" not in X.index.names:
        raise UsageError("X has no rows, no columns or no index level person_id", do="give features as a builder does")
    if least_n < 1:
        raise UsageError("least_n must be at least 1", do="give 11, or 1 to hide nothing")
    persons = pd.Index(X.index.get_level_values("person_id"))
    is_missing = X.isna().set_axis(X.columns.astype(str), axis=1)
    return MissingnessReport(
        by_feature=_by_feature(is_missing, persons),
        by_person=_by_person(is_missing),
        distribution=_distribution(is_missing),
        by_group=_by_group(is_missing, persons, groups, least_n),
        together=_together(is_missing, n_pairs),
        least_n=least_n,
    )


def _by_feature(is_missing: pd.DataFrame, persons: pd.Index) -> pd.DataFrame:
    is_known_ever = (~is_missing).groupby(persons.to_numpy()).any()
    out = pd.DataFrame({
        "feature": pd.array(list(is_missing.columns), dtype=TEXT),
        "n": len(is_missing),
        "n_missing": is_missing.sum().to_numpy(),
        "share_missing": is_missing.mean().to_numpy(),
        "n_people": len(is_known_ever),
        "share_people_known": is_known_ever.mean().to_numpy(),
    })  # fmt: skip
    return out.sort_values("n_missing", ascending=False, kind="stable", ignore_index=True)


def _by_person(is_missing: pd.DataFrame) -> pd.DataFrame:
    n = is_missing.sum(axis=1)
    return pd.DataFrame({"n_missing": n, "share_missing": n / is_missing.shape[1]}, index=is_missing.index)


def _distribution(is_missing: pd.DataFrame) -> pd.DataFrame:
    counts = np.bincount(is_missing.sum(axis=1).to_numpy(), minlength=is_missing.shape[1] + 1)
    share = counts / counts.sum()
    frame = {"n_missing": np.arange(len(counts)), "n": counts, "share": share, "share_up_to": np.cumsum(share)}
    return pd.DataFrame(frame)


def _together(is_missing: pd.DataFrame, n_pairs: int) -> pd.DataFrame:
    """Pairs of features by how often both are missing where one is."""
    gaps = is_missing.to_numpy(dtype="float64")
    both = gaps.T @ gaps
    alone = np.diag(both)
    first, second = np.triu_indices(len(alone), k=1)
    n_both = both[first, second]
    n_either = alone[first] + alone[second] - n_both
    chance = alone[first] * alone[second] / len(gaps)
    chance_either = alone[first] + alone[second] - chance
    with np.errstate(invalid="ignore"):
        of_either, by_chance = n_both / n_either, chance / chance_either
    names = is_missing.columns.to_numpy()
    frame = pd.DataFrame({
        "feature": pd.array(names[first], dtype=TEXT),
        "other": pd.array(names[second], dtype=TEXT),
        "n_both": n_both.astype("int64"),
        "share_of_either": of_either,
        "share_by_chance": by_chance,
    })  # fmt: skip
    frame = frame.loc[frame["n_both"] > 0]
    order = ["share_of_either", "n_both"]
    return frame.sort_values(order, ascending=False, kind="stable", ignore_index=True).head(n_pairs)


def _by_group(
    is_missing: pd.DataFrame, persons: pd.Index, groups: pd.Series | pd.DataFrame | None, least_n: int
) -> pd.DataFrame:
    """One row per grouping, group and feature, cells of few people hidden."""
    parts = []
    if groups is not None:
        frame = groups.to_frame() if isinstance(groups, pd.Series) else groups
        for grouping in frame.columns:
            of_row = _group_of_rows(frame[grouping], is_missing.index, persons)
            parts.append(_one_grouping(is_missing, persons, str(grouping), of_row, least_n))
    columns: dict[str, Any] = {
        "grouping": TEXT, "group": TEXT, "feature": TEXT, "n": "Int64", "n_missing": "Int64",
        "share_missing": "float64", "is_suppressed": bool,
    }  # fmt: skip
    whole = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(columns))
    return whole[list(columns)].astype(columns)


def _group_of_rows(groups: pd.Series, index: pd.Index, persons: pd.Index) -> pd.Series:
    """Return the group of each row of X, as text."""
    wanted = index if list(groups.index.names) == list(index.names) else persons
    if groups.index.names != wanted.names or not groups.index.is_unique:
        raise UsageError(
            "the groups do not fit X", where=f"grouping {groups.name!r}",
            do="give one group per row of X, with its index, or one per person, with the index person_id",
        )  # fmt: skip
    return groups.astype(object).reindex(wanted).map(str, na_action="ignore").fillna(_UNKNOWN)


def _one_grouping(
    is_missing: pd.DataFrame, persons: pd.Index, grouping: str, of_row: pd.Series, least_n: int
) -> pd.DataFrame:
    group = of_row.to_numpy()
    n = is_missing.groupby(group).size()
    people = pd.Series(persons).groupby(group).nunique().to_numpy(dtype=np.int64)
    with_gap, with_value = (_people(flags, persons, group) for flags in (is_missing, ~is_missing))
    # A group of few people is hidden whole, its size too; and another beside it, for the whole is known.
    is_small = hidden_groups(people, [people], least_n)
    size = n.astype("Int64").mask(is_small)
    parts = []
    for feature, n_missing in is_missing.groupby(group).sum().items():
        counts = [side[feature].to_numpy(dtype=np.int64) for side in (with_gap, with_value)]
        hidden = is_small | hidden_groups(people, counts, least_n)
        cells = {"n": size, "n_missing": n_missing.astype("Int64").mask(hidden), "is_suppressed": hidden}
        share = (n_missing / n).mask(hidden)
        parts.append(pd.DataFrame({"grouping": grouping, "feature": feature, **cells, "share_missing": share}))
    return pd.concat(parts).rename_axis("group").reset_index()


def _people(flags: pd.DataFrame, persons: pd.Index, group: NDArray[np.object_]) -> pd.DataFrame:
    """Count by group the people with any such row."""
    of_person = flags.groupby([group, persons.to_numpy()]).any()
    return of_person.groupby(level=0).sum()


def hidden_groups(
    people: NDArray[np.integer[Any]], counts: list[NDArray[np.integer[Any]]], least_n: int
) -> NDArray[np.bool_]:
    """Return which groups are hidden: those that tell of few people, and others until none can be worked out.

    Parameters
    ----------
    people : numpy.ndarray
        People in each group; all groups together are known.
    counts : list of numpy.ndarray
        Counts of people that a shown group tells, each one number per group: those with a gap, those with a value.
    least_n : int
        Counts from 1 to one less are hidden, and so is a group of as few people.

    Returns
    -------
    numpy.ndarray of bool
        One flag per group. What is hidden of a count, taken together, is ``least_n`` or more, or nothing.

    Examples
    --------
    >>> hidden_groups(np.array([40, 15, 4]), [np.array([20, 11, 4]), np.array([20, 12, 0])], 11).tolist()
    [False, True, True]
    """
    hidden = (people >= 1) & (people < least_n)
    for count in counts:
        hidden |= (count >= 1) & (count < least_n)
    while hidden.any() and not hidden.all():
        together = [int(count[hidden].sum()) for count in counts]
        if hidden.sum() > 1 and all(total == 0 or total >= least_n for total in together):
            break
        shown = np.flatnonzero(~hidden)
        hidden[shown[np.argmin(people[shown])]] = True
    return hidden
