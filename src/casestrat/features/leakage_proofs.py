"""Proofs on altered tables: a feature that changes where nothing known on its date changed looks ahead."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.features.altered_tables import as_they_stood, moved, shuffled, tables_about_people, with_future_rows
from casestrat.features.audit_result import CheckRow
from casestrat.features.builder import FeatureBuilder
from casestrat.tables import Tables, split_tables

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CLOSE = 1e-9  # relative: how far sums of the same numbers in another order may differ
_MOST_DATES = 6


@dataclass(frozen=True, slots=True)
class Subject:
    """What is audited: features and the people and dates they are proved on.

    Parameters
    ----------
    builder : FeatureBuilder or callable
        Computes the features of a spine from tables.
    tables : Tables
        Rows about the people of the spine.
    spine : pandas.DataFrame
        Columns ``person_id`` and ``as_of``, each pair once.
    before : pandas.DataFrame
        The features as they are.
    random_state : int
        Seed.
    whole : pandas.DataFrame, optional
        The features of rows of everybody, computed from all tables at once.
    """

    builder: Any
    tables: Tables
    spine: pd.DataFrame
    before: pd.DataFrame
    random_state: int
    whole: pd.DataFrame | None = None

    @property
    def dates(self) -> list[pd.Timestamp]:
        """Dates that are looked at one by one: at most six, evenly spread, the first and the last among them."""
        days = np.sort(self.spine["as_of"].unique())
        chosen = np.unique(np.linspace(0, len(days) - 1, min(len(days), _MOST_DATES)).round().astype(int))
        return [pd.Timestamp(day) for day in days[chosen]]

    def of_date(self, date: pd.Timestamp) -> pd.DataFrame:
        """Return the rows of the spine of one date."""
        return self.spine.loc[self.spine["as_of"] == date].reset_index(drop=True)

    def apart(self) -> pd.Series:
        """Count by feature the values that differ from those computed from all tables at once."""
        if self.whole is None:
            return pd.Series(0, index=self.before.columns)
        both = self.before.index.intersection(self.whole.index)
        return n_changed(self.whole.loc[both], self.before.loc[both], exact=isinstance(self.builder, FeatureBuilder))

    def changed(self, tables: Tables, spine: pd.DataFrame | None = None, builder: Any = None) -> pd.Series:
        """Count by feature the values that are not what they were."""
        asked = self.spine if spine is None else spine
        after = compute(self.builder if builder is None else builder, tables, asked)
        return n_changed(self.before.loc[after.index], after, exact=isinstance(self.builder, FeatureBuilder))


def compute(builder: Any, tables: Tables, spine: pd.DataFrame) -> pd.DataFrame:
    """Compute features by a builder or a callable, and put them in the order of the spine.

    Parameters
    ----------
    builder : FeatureBuilder or callable
        With a method ``build(tables, spine)``, or to be called like it.
    tables : Tables
        The checked tables.
    spine : pandas.DataFrame
        Columns ``person_id`` and ``as_of``.

    Returns
    -------
    pandas.DataFrame
        One row per spine row, index ``person_id, as_of``.

    Raises
    ------
    UsageError
        What came back is no frame, or its index is not the spine's.
    """
    features = getattr(builder, "build", builder)(tables, spine)
    if not isinstance(features, pd.DataFrame):
        raise UsageError(f"the builder must return a DataFrame; it returned {type(features).__name__}")
    if features.columns.has_duplicates:
        raise UsageError("the builder returned two columns of one name", do="name each feature differently")
    index = pd.MultiIndex.from_frame(spine[["person_id", "as_of"]])
    if _stands_like(features.index, spine, index):
        return features.set_axis(index)
    if (
        list(features.index.names) == list(index.names)
        and features.index.is_unique
        and index.isin(features.index).all()
    ):
        return features.loc[index]
    raise UsageError(
        "the builder's frame is not indexed like the spine",
        do="return one row per spine row, with the spine's index or an index (person_id, as_of)",
    )


def _stands_like(given: pd.Index, spine: pd.DataFrame, index: pd.MultiIndex) -> bool:
    """Tell whether an index is the spine's, or names the same people in the same order, be it on other dates."""
    if len(given) != len(spine):
        return False
    if "person_id" in given.names:
        return bool((given.get_level_values("person_id") == index.get_level_values("person_id")).all())
    return given.equals(spine.index)


def n_changed(before: pd.DataFrame, after: pd.DataFrame, *, exact: bool) -> pd.Series:
    """Count by feature the values that differ; a column that is not there is missing for everybody.

    Parameters
    ----------
    before, after : pandas.DataFrame
        Features of the same rows.
    exact : bool
        Bit for bit; else numbers may differ as sums of the same numbers in another order do.

    Returns
    -------
    pandas.Series of int
        One number per feature of either frame.
    """
    names = before.columns.union(after.columns, sort=False)
    before, after = before.reindex(columns=names), after.reindex(columns=names)
    return pd.Series(
        {name: int((~same(before[name], after[name], exact=exact)).sum()) for name in names}, dtype="int64"
    )


def same(left: pd.Series, right: pd.Series, *, exact: bool = True) -> NDArray[np.bool_]:
    """Return which values are equal, or missing in both.

    Parameters
    ----------
    left, right : pandas.Series
        Two columns of the same length.
    exact : bool, default True
        Bit for bit.

    Returns
    -------
    numpy.ndarray of bool
        One entry per row.
    """
    both = left.isna().to_numpy() & right.isna().to_numpy()
    if pd.api.types.is_numeric_dtype(left) and pd.api.types.is_numeric_dtype(right):
        a, b = (side.to_numpy(dtype="float64", na_value=np.nan) for side in (left, right))
        is_close = np.zeros(len(a), dtype=bool) if exact else np.isclose(a, b, rtol=_CLOSE, atol=0)
        return np.asarray(both | (a == b) | is_close, dtype=bool)
    a, b = left.astype(object).to_numpy(), right.astype(object).to_numpy()
    known = (left.notna() & right.notna()).to_numpy()
    is_equal = np.array([bool(yes) and x == y for yes, x, y in zip(known, a, b, strict=True)], dtype=bool)
    return np.asarray(both | is_equal, dtype=bool)


def future_rows(subject: Subject) -> list[CheckRow]:
    """Add rows of the future, and name what they change."""
    more, n_added = with_future_rows(subject.tables, subject.spine)
    changed = subject.changed(more)
    names = {}
    if changed.any():
        alone = {
            name: subject.changed(with_future_rows(subject.tables, subject.spine, [name])[0])
            for name in tables_about_people(subject.tables)
        }
        names = _named(changed, alone)
    last = f"{subject.spine['as_of'].max():%Y-%m-%d}"
    bad = "rows recorded on " + last + " or later in{where} change it for {n} of {of} people and dates"
    good = f"{n_added:,} rows recorded on {last} or later change nothing"
    return _rows("future_rows", changed, len(subject.spine), good, bad, names, " several tables")


def that_morning(subject: Subject) -> list[CheckRow]:
    """Leave of the tables what was known on the morning of each date, and name what changes."""
    found = {date: _stood(subject, date) for date in subject.dates}
    changed = pd.DataFrame(found).sum(axis=1).astype("int64")
    n = sum(len(subject.of_date(date)) for date in found)
    names = {}
    if changed.any():  # the table is looked for on the date with the most changes
        names = _named(changed, _stood_alone(subject, max(found, key=lambda date: found[date].sum())))
    bad = "it is not what it was that morning for {n} of {of} people and dates: it takes in{where}"
    good = "without what was recorded later, and without days still to come, nothing changes"
    return _rows("that_morning", changed, n, good, bad, names, " more than was known")


def _stood(subject: Subject, date: pd.Timestamp, only: str | None = None, **options: bool) -> pd.Series:
    """Count what differs on tables as they stood on a date."""
    return subject.changed(as_they_stood(subject.tables, date, only, **options), subject.of_date(date))


def _stood_alone(subject: Subject, date: pd.Timestamp) -> dict[str, pd.Series]:
    """Count what differs by one table and one way alone: later rows, or days to come in earlier rows."""
    out = {}
    for name in tables_about_people(subject.tables):
        by_rows = _stood(subject, date, name, days=False)
        by_both = _stood(subject, date, name)
        out[f"rows recorded later in {name}"] = by_rows
        out[f"days still to come in {name}"] = by_both.sub(by_rows, fill_value=0)
    return out


def moved_dates(subject: Subject) -> list[CheckRow]:
    """Move every date by the same whole weeks, and name what is no longer the same."""
    tables, spine = moved(subject.tables, subject.spine)
    after = compute(subject.builder, tables, spine).set_axis(pd.MultiIndex.from_frame(subject.spine))
    changed = n_changed(subject.before, after, exact=isinstance(subject.builder, FeatureBuilder))
    bad = (
        "it changes for {n} of {of} people and dates when all dates move by 28 years (1,461 weeks): it holds a fixed "
        "date, or today's"
    )
    good = "all dates moved by 28 years (1,461 whole weeks, same calendar): nothing changes"
    return _rows("moved_dates", changed, len(subject.spine), good, bad)


def as_at_night(subject: Subject) -> list[CheckRow]:
    """Compute as the night does, and name what differs: rebuilt, some people and one date at a time, in any order."""
    ways = {
        "rebuilt from its own definitions": {"rebuilt": True},
        "some of the people at a time": {"parts": True},
        "one date at a time": {"dates": True},
        "rows in another order": {"order": True},
    }
    if _definitions_of(subject.builder) is None:
        del ways["rebuilt from its own definitions"]
    changed = _night(subject, rebuilt=True, parts=True, dates=True, order=True)
    names = _named(changed, {way: _night(subject, **one) for way, one in ways.items()}) if changed.any() else {}
    n = sum(len(subject.of_date(date)) for date in subject.dates)
    bad = "it differs for {n} of {of} people and dates when computed{where}"
    good = f"the same, computed: {', '.join(ways)}"
    return _rows("as_at_night", changed, n, good, bad, names, " as the night does")


def _night(
    subject: Subject, *, rebuilt: bool = False, parts: bool = False, dates: bool = False, order: bool = False
) -> pd.Series:
    """Count what differs when computed in one or several of the night's ways."""
    tables = shuffled(subject.tables, subject.random_state) if order else subject.tables
    builder = _rebuilt(subject.builder) if rebuilt else subject.builder
    spines = [subject.of_date(date) for date in subject.dates]
    spines = spines if dates else [pd.concat(spines, ignore_index=True)]
    changed = pd.Series(0, index=subject.before.columns)
    for spine in spines:
        for part in _halves(spine, subject.random_state) if parts else [spine]:
            seen = part_of(tables, part["person_id"]) if parts else tables
            changed = changed.add(subject.changed(seen, part, builder), fill_value=0)
    if parts:
        changed = pd.concat([changed, subject.apart()], axis=1).max(axis=1)
    return changed.astype("int64")


def _definitions_of(builder: Any) -> list[dict[str, Any]] | None:
    """Return what a builder can be made of again, as it is stored; None where it cannot."""
    if not isinstance(builder, FeatureBuilder):
        return None
    stored: list[dict[str, Any]] = json.loads(json.dumps(builder.definitions()))
    return stored


def _rebuilt(builder: Any) -> Any:
    definitions = _definitions_of(builder)
    return builder if definitions is None else FeatureBuilder.from_definitions(definitions, builder.program)


def _halves(spine: pd.DataFrame, random_state: int) -> list[pd.DataFrame]:
    """Return two parts of a spine with different people, the rows of each in another order."""
    people = np.sort(spine["person_id"].unique())
    drawn = np.random.default_rng(random_state).permutation(people)[: max(1, len(people) // 2)]
    mixed = spine.sample(frac=1, random_state=random_state)
    is_first = mixed["person_id"].isin(drawn)
    return [part.reset_index(drop=True) for part in (mixed.loc[is_first], mixed.loc[~is_first]) if len(part)]


def part_of(tables: Tables, person_id: pd.Series) -> Tables:
    """Return the tables of some of the people, as a part of the night has them.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    person_id : pandas.Series
        Who is kept.

    Returns
    -------
    Tables
        The rows about these people; other tables whole.
    """
    return next(iter(split_tables(tables, [person_id.drop_duplicates()])))


def _named(changed: pd.Series, alone: dict[str, pd.Series]) -> dict[str, str]:
    """Name for each feature that changed what changes it alone."""
    out = {}
    for feature in changed.index[changed > 0]:
        out[str(feature)] = ", ".join(name for name, found in alone.items() if found.get(feature, 0) > 0)
    return out


def _rows(
    check: str,
    changed: pd.Series,
    n: int,
    good: str,
    bad: str,
    names: dict[str, str] | None = None,
    nowhere: str = "",
) -> list[CheckRow]:
    """One row per feature: proved, or a finding that says where the change came from."""
    out = []
    for feature, count in changed.items():
        if not count:
            out.append(CheckRow(check, "proved", good, str(feature), value=0, limit=0, n=n))
            continue
        where = (names or {}).get(str(feature), "")
        said = bad.format(where=f" {where}" if where else nowhere, n=f"{count:,}", of=f"{n:,}")
        out.append(CheckRow(check, "finding", said, str(feature), where or None, value=count, limit=0, n=n))
    return out
