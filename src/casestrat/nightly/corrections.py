"""Corrected and newly given answers: applied to a copy of the tables, by the contracts that hold for any extract."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.tables import CONTRACTS, TEXT, Tables

if TYPE_CHECKING:
    from pathlib import Path

    from casestrat.knowledge import Program

FEATURES = "features"
_COLUMNS = ("table", "key", "column", "value")
_FLAGS = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
_TOLD = ("table", "key", "column", "before", "after")
_FAILURE = ["table", "key", "column", "rule"]


@dataclass(frozen=True, slots=True)
class Corrections:
    """What is to be corrected: cells of tables, and features.

    Parameters
    ----------
    cells : pandas.DataFrame
        One row per cell: table, key, column, value; by their number in what was given.
    features : dict of str to object
        Feature → value.
    """

    cells: pd.DataFrame
    features: dict[str, Any]


def read_corrections(given: pd.DataFrame | Mapping[Any, Any], program: Program) -> Corrections:
    """Return corrections, whatever way they were given.

    Parameters
    ----------
    given : pandas.DataFrame or mapping
        A frame with table, key, column and value (of a feature: the table ``features``, its name in ``column``); or a
        mapping of features, and of (table, key, column), to values. The parts of a key are joined by ``|``.
    program : Program
        The program, whose form of referral has columns of its own.

    Returns
    -------
    Corrections
        The same, cells and features apart.

    Raises
    ------
    UsageError
        Nothing is corrected, a column is missing, a cell stands twice, or a table or column is not known.
    """
    rows = _rows(given)
    if rows.empty:
        raise UsageError("nothing is corrected", where="corrections", do="give at least one corrected answer")
    n_twice = int(rows.duplicated(["table", "key", "column"]).sum())
    if n_twice:
        raise UsageError(f"{n_twice} answers are corrected twice", where="corrections", do="keep one of each")
    is_feature = rows["table"].eq(FEATURES)
    cells = rows[~is_feature]
    for number, table, column in zip(cells.index, cells["table"], cells["column"], strict=True):
        _check_place(number, table, column, program)
    return Corrections(cells, dict(zip(rows.loc[is_feature, "column"], rows.loc[is_feature, "value"], strict=True)))


def read_corrections_file(path: str | Path) -> pd.DataFrame:
    """Read corrections from a CSV file.

    Parameters
    ----------
    path : str or path
        UTF-8, with the columns table, key, column and value; an empty value is unknown.

    Returns
    -------
    pandas.DataFrame
        One row per correction, as :func:`casestrat.recompute_with` takes them.

    Raises
    ------
    UsageError
        The file is not there, or is no such CSV.
    """
    try:
        rows = pd.read_csv(path, dtype=str, encoding="utf-8-sig", sep=None, engine="python")
    except (OSError, ValueError, pd.errors.ParserError, csv.Error) as fault:
        what = "there is no such file" if isinstance(fault, FileNotFoundError) else "the file cannot be read as CSV"
        do = f"give a CSV in UTF-8 with the columns {', '.join(_COLUMNS)}"
        raise UsageError(what, where=str(path), do=do) from None
    return rows


def _rows(given: pd.DataFrame | Mapping[Any, Any]) -> pd.DataFrame:
    """Return one row an answer, numbered from 1."""
    if isinstance(given, pd.DataFrame):
        lacking = [name for name in _COLUMNS if name not in given.columns]
        if lacking:
            what = f"the corrections have no column {', '.join(lacking)}"
            raise UsageError(what, where="corrections", do=f"give the columns {', '.join(_COLUMNS)}")
        rows = given[list(_COLUMNS)].astype(object).where(given[list(_COLUMNS)].notna(), None)
    elif isinstance(given, Mapping):
        rows = pd.DataFrame(
            [_row(place, value) for place, value in given.items()], columns=list(_COLUMNS), dtype=object
        )
    else:
        what = f"expected a frame or a mapping; found {type(given).__name__}"
        raise UsageError(what, where="corrections", do="give feature → value, or (table, key, column) → value")
    keys = rows["key"].map(lambda key: "|".join(map(str, key)) if isinstance(key, tuple) else str(key or ""))
    return rows.assign(key=keys).set_axis(pd.RangeIndex(1, len(rows) + 1))


def _row(place: Any, value: Any) -> dict[str, Any]:
    if isinstance(place, str):
        return {"table": FEATURES, "key": "", "column": place, "value": value}
    if isinstance(place, tuple) and len(place) == len(_COLUMNS) - 1:
        return dict(zip(_COLUMNS, (*place, value), strict=True))
    raise UsageError(
        "a correction is of a feature, or of a table, a key and a column",
        where="corrections",
        do="write {'falls_180d': 2} or {('responses', 'A1|q3', 'value'): '2'}",
    )


def _check_place(number: int, table: Any, column: Any, program: Program) -> None:
    """Refuse a cell that no table of people has, or that is part of a key."""
    where = f"correction {number}"
    about = [name for name, contract in CONTRACTS.items() if contract.is_about_people]
    if table not in about:
        what = f"no table about people is called {table!r}"
        raise UsageError(what, where=where, do=f"use one of {', '.join(about)}, or {FEATURES}")
    contract = CONTRACTS[table].with_program(program)
    fixed = (*contract.key, "person_id", "recorded_at", "is_void")
    if column not in contract.names or column in fixed:
        told = "says which row it is, or when it was known" if column in fixed else "is no column of the table"
        free = [name for name in contract.names if name not in fixed]
        raise UsageError(f"{column!r} {told}", where=f"{where}, table {table}", do=f"use one of {', '.join(free)}")


def corrected_tables(
    tables: Tables, program: Program, person_id: str, corrections: Corrections, as_of: pd.Timestamp
) -> tuple[Tables, pd.DataFrame]:
    """Return tables in which the person's answers are the corrected ones, checked by the contracts.

    Parameters
    ----------
    tables : Tables
        The checked tables; they stay as they are.
    program : Program
        The program whose codes count.
    person_id : str
        Whose answers.
    corrections : Corrections
        What is corrected.
    as_of : pandas.Timestamp
        The date: the version of a row known then is corrected.

    Returns
    -------
    tables : Tables
        The corrected tables.
    told : pandas.DataFrame
        One row per cell: table, key, column, before, after.

    Raises
    ------
    UsageError
        No such row is known of the person, or a corrected answer breaks a rule of the table.
    """
    if corrections.cells.empty:
        return tables, pd.DataFrame({name: pd.Series(dtype=TEXT) for name in _TOLD})
    part = tables.for_persons([person_id])
    frames = {name: getattr(part, name) for name in part.present}
    edited = dict(frames)
    told = []
    for number, row in zip(corrections.cells.index, corrections.cells.to_dict("records"), strict=True):
        cell = {str(part): value for part, value in row.items()}
        name, column = cell["table"], cell["column"]
        frame = edited.get(name, CONTRACTS[name].empty())
        at = _row_of(frame, name, cell["key"], as_of)
        if at is None:
            frame, at = _with_new_answer(edited, frame, number, cell, as_of)
        before = _cell(frame[column].iloc[at])
        cells = frame[column].map(_cell, na_action="ignore").astype(object)
        cells.iloc[at] = _cell(cell["value"])
        edited[name] = frame.assign(**{column: cells})
        told.append({"table": name, "key": cell["key"], "column": column, "before": before})
    checked = Tables.from_frames(edited, program, tables.extract)
    if len(checked.set_aside):  # of part of the people a rule may be broken that the whole keeps
        _check_kept(Tables.from_frames(frames, program, tables.extract), checked, corrections)
    for one in told:
        frame = getattr(checked, one["table"])
        one["after"] = _cell(frame[one["column"]].iloc[_row_of(frame, one["table"], one["key"], as_of) or 0])
    return _joined(tables, checked, person_id), pd.DataFrame(told, columns=list(_TOLD)).astype(TEXT)


def _row_of(frame: pd.DataFrame, name: str, key: str, as_of: pd.Timestamp) -> int | None:
    """Return the position of the version of a row that was known on the date."""
    words = pd.Series("", index=frame.index, dtype=object)
    for number, part in enumerate(CONTRACTS[name].key):
        words = words + ("|" if number else "") + frame[part].map(_cell, na_action="ignore").astype(object)
    known = words.eq(key) & frame["recorded_at"].lt(as_of)
    if not known.any():
        return None
    last = frame.loc[known, "recorded_at"].to_numpy().argmax()
    at = int(np.flatnonzero(known.to_numpy(dtype=bool))[last])
    return None if "is_void" in frame.columns and frame["is_void"].iloc[at] is True else at


def _with_new_answer(
    frames: dict[str, pd.DataFrame], frame: pd.DataFrame, number: int, cell: dict[str, Any], as_of: pd.Timestamp
) -> tuple[pd.DataFrame, int]:
    """Add an answer that was not given, at a sitting that was known; other rows cannot be made up."""
    name, where = cell["table"], f"correction {number}, table {cell['table']}"
    if name == "responses" and cell["column"] == "value" and cell["key"].count("|") == 1:
        assessment, item = cell["key"].split("|")
        sittings = frames.get("assessments", CONTRACTS["assessments"].empty())
        at = _row_of(sittings, "assessments", assessment, as_of)
        if at is not None:
            row = {"assessment_id": assessment, "item": item, "person_id": sittings["person_id"].iloc[at],
                   "recorded_at": sittings["recorded_at"].iloc[at]}  # fmt: skip
            new = pd.DataFrame({column: pd.Series([row.get(column)], dtype=object) for column in frame.columns})
            whole = new if frame.empty else pd.concat([frame.astype(object), new], ignore_index=True)
            whole["recorded_at"] = pd.to_datetime(whole["recorded_at"])
            return whole, len(whole) - 1
    raise UsageError(
        f"no such row about this person was known on {as_of:%Y-%m-%d}",
        where=where,
        do=f"give the key as {'|'.join(CONTRACTS[name].key)}; an answer of a sitting that was not given may be added, "
        "other new facts are given as a feature",
    )


def _check_kept(plain: Tables, checked: Tables, corrections: Corrections) -> None:
    """Refuse corrections that break a rule which was not broken before."""
    before = set(plain.set_aside[_FAILURE].astype(object).itertuples(index=False, name=None))
    row: Any
    for row in checked.set_aside.itertuples(index=False):
        if (row.table, row.key, row.column, row.rule) in before:
            continue
        same = corrections.cells["table"].eq(row.table) & corrections.cells["column"].eq(row.column)
        numbers = corrections.cells.index[same]
        which = f"correction {numbers[0]}, " if len(numbers) else ""
        raise UsageError(
            f"a corrected answer breaks the rule {row.rule!r} of its column: expected {row.expected}",
            where=f"{which}table {row.table}, column {row.column}",
            do="mend the value",
        )


def _joined(tables: Tables, mine: Tables, person_id: str) -> Tables:
    """Return the tables with the person's rows in place of those that stood there."""
    kept: dict[str, Any] = {}
    for name, contract in CONTRACTS.items():
        if not contract.is_about_people or name not in mine.present:
            continue
        frame, own = getattr(tables, name), getattr(mine, name)
        others = frame[frame["person_id"].ne(person_id)]
        extra = [column for column in frame.columns if column in own.columns]
        whole = pd.concat([others, own[extra]], ignore_index=True) if len(others) else own
        kept[name] = whole.sort_values([*contract.key, "recorded_at"], kind="stable", ignore_index=True)
    return replace(tables, present=tables.present | mine.present, **kept)


def correct_features(X: pd.DataFrame, person_id: str, features: Mapping[str, Any]) -> pd.DataFrame:
    """Return features in which those of one person are as given.

    Parameters
    ----------
    X : pandas.DataFrame
        Features, index (person_id, as_of).
    person_id : str
        Whose.
    features : mapping of str to object
        Feature → value; None: unknown.

    Returns
    -------
    pandas.DataFrame
        One row per row of X.

    Raises
    ------
    UsageError
        There is no such feature, or the value is of another kind.
    """
    changed = X.copy()
    mine = X.index.get_level_values("person_id") == person_id
    for name, value in features.items():
        if name not in X.columns:
            raise UsageError(f"no feature is called {name!r}", where="corrections", do=f"use {', '.join(X.columns)}")
        column = changed[name].copy()
        column[mine] = _feature_value(name, value, pd.api.types.is_numeric_dtype(X[name].dtype))
        changed[name] = column
    return changed


def _feature_value(name: str, value: Any, is_number: bool) -> Any:
    """Return a value as its feature holds it."""
    if value is None or pd.isna(value):
        return np.nan if is_number else pd.NA
    if not is_number:
        return str(value)
    try:
        number = _FLAGS[str(value).lower()] if str(value).lower() in _FLAGS else float(value)
    except (TypeError, ValueError):
        number = np.inf
    if not np.isfinite(number):
        raise UsageError("the feature is a number and the value is none", where=f"feature {name}", do="give a number")
    return number


def _cell(value: Any) -> Any:
    """Return a cell as a file would hold it; missing stays missing."""
    if value is None or pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat() if value != value.normalize() else f"{value:%Y-%m-%d}"
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)
