"""Tables as they were not: with rows of the future, as they stood one morning, years later, in another order.

Sound features are the same on all of them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.tables import CONTRACTS, TEXT, Tables, observation_recorded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casestrat.tables.contract import Contract

# The calendar repeats after 28 years, which are whole weeks: weekdays, months, leap days and ages stay.
YEARS_MOVED = 28
WEEKS_MOVED = 1_461
_CALENDAR_ENDS = pd.Timestamp("2099-12-31")
_MOST_KINDS = 40  # of a table, that everybody is given a future row of
_UP, _DOWN = 3, -7  # spans by which numbers of the future differ: one beyond all there are, one below
_STILL = pd.Timestamp("2100-12-31")  # a follow-up that goes on is told by a day far off, not by a blank
_STILL_COLUMNS = frozenset({("persons", "observed_until")})
_OF_OTHER_ROWS = frozenset({"persons", "responses"})  # one row a person; answers, which belong to a sitting
# Days that are set beforehand, by plan: known though they lie ahead.
_PLANNED = frozenset({"review_due_on", "defer_until", "relay_due_on", "respond_by", "due_on"})


def tables_about_people(tables: Tables) -> list[str]:
    """Return the names of the tables about people that hold rows.

    Parameters
    ----------
    tables : Tables
        The checked tables.

    Returns
    -------
    list of str
        In the order of the contracts.
    """
    return [name for name, contract in CONTRACTS.items() if contract.is_about_people and len(getattr(tables, name))]


def with_future_rows(tables: Tables, spine: pd.DataFrame, only: Iterable[str] | None = None) -> tuple[Tables, int]:
    """Add rows that nobody knew before the last date of a spine, with values that differ from all there are.

    Of each row about the people asked for: a new row that was true before and recorded on the last date; later a
    correction of the row itself, and then its retraction. And for everybody two new rows of each kind there is (of
    event, measurement, fact, instrument), true on the last date and on the day before, recorded on the last date.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    spine : pandas.DataFrame
        Columns ``person_id`` and ``as_of``.
    only : iterable of str, optional
        Tables to add to; all about people otherwise.

    Returns
    -------
    tables : Tables
        With more rows.
    n : int
        How many.
    """
    last, people = spine["as_of"].max(), spine["person_id"].drop_duplicates()
    more: dict[str, Any] = {}
    n = 0
    for name in tables_about_people(tables) if only is None else only:
        frame = getattr(tables, name)
        added = _future_rows(frame, CONTRACTS[name], people, last)
        more[name] = pd.concat([frame, added], ignore_index=True)
        n += len(added)
    return replace(tables, **more), n


def _future_rows(frame: pd.DataFrame, contract: Contract, people: pd.Series, last: pd.Timestamp) -> pd.DataFrame:
    own = frame.loc[frame["person_id"].isin(people)]
    if own.empty:
        return own
    late = _other_values(own, contract, _UP).assign(recorded_at=last)
    dates = [name for name in _dates(own, contract) if name not in ("recorded_at", contract.observed, *contract.key)]
    late = late.assign(**{name: own[name].fillna(last) for name in dates})
    parts = [_as_new(late, contract, "future.late"), late.assign(recorded_at=last + pd.Timedelta(hours=1))]
    if "is_void" in frame.columns:
        parts.append(late.assign(recorded_at=last + pd.Timedelta(hours=2), is_void=True))
    if contract.name not in _OF_OTHER_ROWS:
        everybody = _other_values(_of_each_kind(frame, contract, people).assign(recorded_at=last), contract, _DOWN)
        for word, days in (("future.new", 0), ("future.told_late", 1)):
            true_on = {contract.observed: last - pd.Timedelta(days=days)} if contract.observed else {}
            parts.append(_as_new(everybody.assign(**true_on), contract, word))
    # Of one type each: columns that are missing throughout would else decide the type.
    return pd.concat([part.astype(frame.dtypes) for part in parts], ignore_index=True)


def _own_ids(contract: Contract) -> list[str]:
    """Ids that tell the rows of a table apart, besides the person's."""
    return [one for one in contract.key if one != "person_id" and contract.by_name[one].kind == "id"]


def _as_new(rows: pd.DataFrame, contract: Contract, word: str) -> pd.DataFrame:
    """Give rows ids of their own; answers stay with their new sitting."""
    if contract.name == "responses":
        return rows.assign(assessment_id=word + "." + rows["assessment_id"].astype(TEXT))
    ids = {one: word + "." + rows[one].astype(TEXT) for one in _own_ids(contract)}
    return rows.assign(**ids)


def _of_each_kind(frame: pd.DataFrame, contract: Contract, people: pd.Series) -> pd.DataFrame:
    """One row of each common kind of row for each of these people."""
    codes = [column.name for column in contract.columns if column.kind == "code"]
    templates = frame.iloc[:1]
    if codes:
        common = frame[codes[0]].value_counts().index[:_MOST_KINDS]
        templates = frame.loc[frame[codes[0]].isin(common)].drop_duplicates(codes[0])
    rows = templates.iloc[np.repeat(np.arange(len(templates)), len(people))].reset_index(drop=True)
    rows["person_id"] = np.tile(people.to_numpy(), len(templates))
    numbers = pd.Series(np.arange(len(rows)).astype(str), dtype=TEXT)
    return rows.assign(**dict.fromkeys(_own_ids(contract), numbers))


def _other_values(rows: pd.DataFrame, contract: Contract, step: int) -> pd.DataFrame:
    """Return rows whose values all differ from those they had; keys, kinds of row and dates stay."""
    kinds = _kinds(rows, contract)
    kept = {"person_id", "recorded_at", "is_void", *contract.key, contract.observed}
    if contract.name not in _OF_OTHER_ROWS:
        kept.add(next((name for name, kind in kinds.items() if kind == "code"), None))
    return rows.assign(**{name: _other(rows[name], kind, step) for name, kind in kinds.items() if name not in kept})


def _kinds(frame: pd.DataFrame, contract: Contract) -> dict[str, str]:
    """Return the kind of each column; of columns that no contract names, by their type."""
    return {
        str(name): contract.by_name[name].kind if name in contract.by_name else _kind_of(frame[name])
        for name in frame.columns
    }


def _kind_of(column: pd.Series) -> str:
    is_kind = (("flag", pd.api.types.is_bool_dtype), ("number", pd.api.types.is_numeric_dtype),
               ("moment", pd.api.types.is_datetime64_any_dtype))  # fmt: skip
    return next((kind for kind, holds in is_kind if holds(column)), "text")


def _other(values: pd.Series, kind: str, step: int) -> pd.Series:
    """Return other values of a column: numbers beyond all there are, the next text, the other flag."""
    if kind in ("whole", "number"):
        known = values.dropna()
        span = (known.max() - known.min() + 1) if len(known) else 1
        return values.fillna(known.iloc[0] if len(known) else 0) + step * span
    if kind == "flag":
        return ~values.fillna(False)
    if kind in ("text", "list", "code"):
        codes, names = pd.factorize(values)
        return values if not len(names) else pd.Series(names.take((codes + 1) % len(names)), index=values.index)
    return values


def as_they_stood(
    tables: Tables, as_of: pd.Timestamp, only: str | None = None, *, rows: bool = True, days: bool = True
) -> Tables:
    """Return the tables as they stood on the morning of a date, and no word in them of a day still to come.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    as_of : pandas.Timestamp
        The date.
    only : str, optional
        The one table to do it to; all about people otherwise.
    rows : bool, default True
        Take away rows recorded on the date or later.
    days : bool, default True
        Take away rows that were true on the date or later though recorded before, and empty cells with such days. Days
        set by plan, such as when a plan is due, stay.

    Returns
    -------
    Tables
        With fewer rows and days.
    """
    less: dict[str, Any] = {}
    for name in tables_about_people(tables) if only is None else [only]:
        frame, contract = getattr(tables, name), CONTRACTS[name]
        is_kept = np.ones(len(frame), dtype=bool)
        if rows:
            is_kept &= (frame["recorded_at"] < as_of).to_numpy()
        if days and contract.observed:
            is_kept &= ~(frame[contract.observed] >= as_of).to_numpy()
        kept = frame.loc[is_kept]
        less[name] = (_without_later_days(kept, contract, as_of) if days else kept).reset_index(drop=True)
    return replace(tables, **less)


def _without_later_days(frame: pd.DataFrame, contract: Contract, as_of: pd.Timestamp) -> pd.DataFrame:
    emptied = {}
    for column in _dates(frame, contract):
        if column not in _PLANNED and column != "recorded_at":
            later = _STILL if (contract.name, column) in _STILL_COLUMNS else pd.NaT
            emptied[column] = frame[column].mask(frame[column] >= as_of, later)
    return frame.assign(**emptied).astype(frame.dtypes)


def _dates(frame: pd.DataFrame, contract: Contract) -> list[str]:
    return [name for name, kind in _kinds(frame, contract).items() if kind in ("date", "moment")]


def moved(tables: Tables, spine: pd.DataFrame) -> tuple[Tables, pd.DataFrame]:
    """Move every date of the tables and of a spine by 28 years, which are 1,461 whole weeks.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    spine : pandas.DataFrame
        Columns ``person_id`` and ``as_of``.

    Returns
    -------
    tables : Tables
        All dates moved, years of birth and the days of the extract too; back in time where the calendar would end.
    spine : pandas.DataFrame
        All dates moved.
    """
    frames = {name: getattr(tables, name) for name in CONTRACTS if len(getattr(tables, name))}
    told = [getattr(tables, name)["recorded_at"].max() for name in tables_about_people(tables)]
    latest = max([spine["as_of"].max(), *told])
    ahead = 1 if latest + pd.Timedelta(weeks=WEEKS_MOVED) <= _CALENDAR_ENDS else -1
    by = ahead * pd.Timedelta(weeks=WEEKS_MOVED)
    changed: dict[str, Any] = {
        name: frame.assign(**{one: frame[one] + by for one in _dates(frame, CONTRACTS[name])}).astype(frame.dtypes)
        for name, frame in frames.items()
    }
    persons = changed.get("persons", tables.persons)
    changed["persons"] = persons.assign(birth_year=persons["birth_year"] + ahead * YEARS_MOVED)
    extract, since = tables.extract, observation_recorded(tables)
    changed["extract"] = replace(extract, data_start=_by(extract.data_start, by), data_end=_by(extract.data_end, by))
    changed["observation"] = replace(
        since,
        persons=_by(since.persons, by),
        enrollments=_by(since.enrollments, by),
        first_rows={name: moment + by for name, moment in since.first_rows.items()},
    )
    return replace(tables, **changed), spine.assign(as_of=spine["as_of"] + by)


def _by(day: pd.Timestamp | None, by: pd.Timedelta) -> pd.Timestamp | None:
    return None if day is None else day + by


def shuffled(tables: Tables, random_state: int) -> Tables:
    """Return the tables with their rows in another order.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    random_state : int
        Seed of the order.

    Returns
    -------
    Tables
        The same rows.
    """
    deal = np.random.default_rng(random_state)
    frames = {name: getattr(tables, name) for name in CONTRACTS if len(getattr(tables, name))}
    mixed: dict[str, Any] = {
        name: frame.iloc[deal.permutation(len(frame))].reset_index(drop=True) for name, frame in frames.items()
    }
    return replace(tables, **mixed)
