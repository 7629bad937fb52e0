"""The frames that an allocation problem is made of: their columns and types, and what is refused in which words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.tables.columns import TEXT

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Kind = Literal["text", "whole", "number", "flag", "day"]

NEEDED = object()  # a column that has no default: it must be there and known on each row


@dataclass(frozen=True, slots=True)
class Field:
    """One column of an input frame: its kind, and the value that stands where it is absent or missing."""

    kind: Kind
    default: Any = None  # None: stays missing


CASES: dict[str, Field] = {
    "case_id": Field("text", NEEDED),
    "person_id": Field("text"),
    "kind": Field("text", "open"),
    "minutes": Field("whole", NEEDED),
    "priority": Field("number", 1.0),
    "territory": Field("text"),
    "jurisdiction": Field("text"),
    "language": Field("text"),
    "interpreter_needed": Field("flag"),
    "skills": Field("text"),
    "required": Field("text"),
    "tier": Field("text"),
    "cm_id": Field("text"),
    "is_fixed": Field("flag", False),
    "payer": Field("text"),
    "clearances": Field("text"),
    "guardian_language": Field("text"),
    "guardian_interpreter_needed": Field("flag"),
}
CASE_MANAGERS: dict[str, Field] = {
    "cm_id": Field("text", NEEDED),
    "team": Field("text"),
    "profession": Field("text"),
    "capacity_minutes": Field("whole", NEEDED),
    "max_cases": Field("whole"),
    "languages": Field("text"),
    "skills": Field("text"),
    "territories": Field("text"),
    "experience_months": Field("whole"),
    "starts_on": Field("day"),
    "ends_on": Field("day"),
    "minutes_committed": Field("whole", 0),
    "cases_committed": Field("whole", 0),
}
LICENSES: dict[str, Field] = {
    "cm_id": Field("text", NEEDED),
    "profession": Field("text", NEEDED),
    "jurisdiction": Field("text"),
    "compact": Field("text"),
    "valid_from": Field("day"),
    "valid_to": Field("day"),
}
CREDENTIALS: dict[str, Field] = {
    "cm_id": Field("text", NEEDED),
    "credential": Field("text", NEEDED),
    "valid_from": Field("day"),
    "valid_to": Field("day"),
}
ABSENCES: dict[str, Field] = {
    "cm_id": Field("text", NEEDED),
    "from_on": Field("day", NEEDED),
    "to_on": Field("day"),
}
CONFLICTS: dict[str, Field] = {"person_id": Field("text", NEEDED), "cm_id": Field("text", NEEDED)}
PREFERENCES: dict[str, Field] = {
    "person_id": Field("text", NEEDED),
    "kind": Field("text", NEEDED),
    "value": Field("text", NEEDED),
    "is_required": Field("flag", False),
}
PINS: dict[str, Field] = {"case_id": Field("text", NEEDED), "cm_id": Field("text", NEEDED)}

_WORDS = {"whole": "whole numbers", "number": "numbers", "flag": "true, false or missing", "day": "dates"}


def typed_frame(name: str, frame: pd.DataFrame | None, fields: dict[str, Field]) -> pd.DataFrame:
    """Return a frame with every column of its contract, in the contract's types, with a plain index.

    Parameters
    ----------
    name : str
        What the frame is called in messages.
    frame : pandas.DataFrame or None
        Rows as the caller has them; None is a frame without rows. Other columns are kept as they are.
    fields : dict of str to Field
        The columns, their kinds and defaults.

    Returns
    -------
    pandas.DataFrame
        One row per row given.

    Raises
    ------
    UsageError
        If a needed column is absent or has gaps, or a column holds another kind of value.
    """
    if frame is None:
        return _no_rows(tuple(fields.items())).copy()
    if _is_typed(frame, fields):
        return frame.reset_index(drop=True)
    given = frame.reset_index(drop=True)
    absent = [column for column, field in fields.items() if field.default is NEEDED and column not in given]
    if absent:
        raise UsageError(
            f"`{name}` has no column {', '.join(absent)}", where=f"argument `{name}`", do="add the column and ask again"
        )
    columns = {column: _typed_column(name, given, column, field) for column, field in fields.items()}
    rest = [column for column in given.columns if column not in fields]
    typed = pd.DataFrame(columns, index=given.index)
    return typed.join(given[rest]) if rest else typed


@lru_cache(maxsize=64)
def _no_rows(fields: tuple[tuple[str, Field], ...]) -> pd.DataFrame:
    """Return a frame without rows."""
    return pd.DataFrame({column: _of_default(field, 0) for column, field in fields}, index=pd.RangeIndex(0))


def _of_default(field: Field, n: int) -> pd.Series:
    """Return a column that holds its default on each row."""
    missing = field.default is None or field.default is NEEDED
    return pd.Series([None if missing else field.default] * n, dtype=_TYPES[field.kind])


def _is_typed(frame: pd.DataFrame, fields: dict[str, Field]) -> bool:
    """Whether a frame has its columns in order, in their types, and no gap where a default would stand."""
    if list(frame.columns[: len(fields)]) != list(fields) or not frame.columns.is_unique:
        return False
    own = frame.dtypes.tolist()
    if any(have != _TYPES[field.kind] for have, field in zip(own, fields.values(), strict=False)):
        return False
    filled = [name for name, field in fields.items() if field.default is not None and field.kind != "number"]
    return not any(frame[name].array.isna().any() for name in filled)


def _typed_column(name: str, frame: pd.DataFrame, column: str, field: Field) -> pd.Series:
    """One column in its type, its gaps filled by the default."""
    if column not in frame:
        return _of_default(field, len(frame)).set_axis(frame.index)
    raw = frame[column]
    try:
        values = raw if raw.dtype == _TYPES[field.kind] else _CASTS[field.kind](raw)
    except (TypeError, ValueError):
        raise UsageError(
            f"`{name}.{column}` should hold {_WORDS.get(field.kind, 'text')}, but holds something else",
            where=f"argument `{name}`, column `{column}`",
            do="mend the column and ask again",
        ) from None
    if field.default is NEEDED:
        gaps = int(values.isna().sum())
        if gaps:
            raise UsageError(
                f"`{name}.{column}` is missing on {gaps} of {len(values)} rows",
                where=f"argument `{name}`, column `{column}`",
                do="fill the column or leave these rows out",
            )
        return values
    if field.default is None or field.kind == "number":  # a gap in a weight is no weight
        return values
    return values.fillna(field.default)


def _whole(raw: pd.Series) -> pd.Series:
    """Whole numbers; a fraction is refused, not cut off."""
    if isinstance(raw.dtype, np.dtype) and raw.dtype.kind == "i":
        return raw.astype("Int64")
    numbers = _number(raw)
    finite = numbers.dropna()
    if not np.isfinite(finite).all() or (finite % 1 != 0).any():
        raise ValueError
    return numbers.astype("Int64")


def _number(raw: pd.Series) -> pd.Series:
    """Numbers as floats."""
    if pd.api.types.is_numeric_dtype(raw.dtype):
        return pd.Series(raw.to_numpy(dtype="float64", na_value=np.nan), index=raw.index)
    return pd.to_numeric(raw, errors="raise").astype("float64")


def _text(raw: pd.Series) -> pd.Series:
    """Text; numbers that serve as ids become text."""
    return raw.astype(TEXT)


def _flag(raw: pd.Series) -> pd.Series:
    """Three-valued flags."""
    return raw.astype("boolean")


def _day(raw: pd.Series) -> pd.Series:
    """Naive dates."""
    days: pd.Series = pd.to_datetime(raw, errors="raise", format="ISO8601").astype("datetime64[us]")
    return days


_CASTS: dict[Kind, Callable[[pd.Series], pd.Series]] = {
    "text": _text, "whole": _whole, "number": _number, "flag": _flag, "day": _day,
}  # fmt: skip
_TYPES: dict[Kind, Any] = {
    "text": TEXT, "whole": pd.Int64Dtype(), "number": np.dtype("float64"), "flag": pd.BooleanDtype(),
    "day": np.dtype("datetime64[us]"),
}  # fmt: skip


def refuse_rows(name: str, bad: pd.Series | NDArray[np.bool_], expected: str, do: str) -> None:
    """Raise a `UsageError` that counts the rows that break a rule, without their values.

    Parameters
    ----------
    name : str
        Frame and column, as ``"cases.minutes"``.
    bad : pandas.Series or numpy.ndarray of bool
        True on each row that breaks the rule.
    expected : str
        The rule in words.
    do : str
        What the reader can do.

    Raises
    ------
    UsageError
        If any row is bad.
    """
    rows = np.flatnonzero(np.asarray(bad, dtype=bool))
    n = len(rows)
    if n:
        first = int(rows[0])
        frame = name.split(".", maxsplit=1)[0]
        raise UsageError(
            f"`{name}` must be {expected}; {n} of {len(bad)} rows are not (the first is row {first})",
            where=f"argument `{frame}`",
            do=do,
        )


def check_cases(cases: pd.DataFrame, cm_ids: pd.Series) -> None:
    """Refuse cases that cannot be allocated by any reading.

    Parameters
    ----------
    cases : pandas.DataFrame
        Typed cases, one row per case.
    cm_ids : pandas.Series
        Ids of the case managers.

    Raises
    ------
    UsageError
        If ids repeat, minutes or priorities are out of range, or a fixed case has no known case manager.
    """
    refuse_rows("cases.case_id", cases["case_id"].duplicated(), "unique", "keep one row a case")
    minutes = cases["minutes"].to_numpy(dtype=np.int64)
    refuse_rows("cases.minutes", minutes < 0, "0 or more minutes a week", "mend the case weights")
    weights = cases["priority"].to_numpy()
    refuse_rows(
        "cases.priority", ~(np.isfinite(weights) & (weights > 0)), "a finite number above 0", "mend the priorities"
    )
    lost = cases["is_fixed"].to_numpy(dtype=bool)
    if lost.any():
        lost = lost & ~cases["cm_id"].isin(cm_ids).to_numpy(dtype=bool)
    refuse_rows("cases.cm_id", lost, "a known case manager where `is_fixed`", "give the lead, or clear `is_fixed`")


def check_case_managers(case_managers: pd.DataFrame) -> None:
    """Refuse case managers whose time or dates make no sense.

    Parameters
    ----------
    case_managers : pandas.DataFrame
        Typed case managers, one row per member of staff.

    Raises
    ------
    UsageError
        If ids repeat, a capacity or a maximum is negative, or someone leaves before starting.
    """
    refuse_rows("case_managers.cm_id", case_managers["cm_id"].duplicated(), "unique", "keep one row a case manager")
    for column in ("capacity_minutes", "max_cases", "experience_months", "minutes_committed", "cases_committed"):
        negative = case_managers[column].to_numpy(dtype=np.int64, na_value=0) < 0
        refuse_rows(f"case_managers.{column}", negative, "0 or more", "mend the column; 0 means: takes no case")
    check_spans("case_managers", case_managers, "starts_on", "ends_on")


def check_spans(name: str, frame: pd.DataFrame, start: str, end: str) -> None:
    """Refuse spans of time that end before they begin.

    Parameters
    ----------
    name : str
        What the frame is called in messages.
    frame : pandas.DataFrame
        Rows with both columns.
    start, end : str
        Names of the columns of the first and the last day.

    Raises
    ------
    UsageError
        If a row ends before it begins.
    """
    if len(frame):
        refuse_rows(
            f"{name}.{end}", frame[end].to_numpy() < frame[start].to_numpy(), f"on or after `{start}`", "mend the dates"
        )


def check_pins(pins: pd.DataFrame, cases: pd.DataFrame, cm_ids: pd.Series) -> None:
    """Refuse pins that name nobody, or contradict one another or a fixed lead.

    Parameters
    ----------
    pins : pandas.DataFrame
        Typed pins, one row per case that is held to a case manager.
    cases : pandas.DataFrame
        Typed cases.
    cm_ids : pandas.Series
        Ids of the case managers.

    Raises
    ------
    UsageError
        If a pin is unknown or contradicts another pin or a fixed lead.
    """
    if pins.empty:
        return
    refuse_rows("pins.case_id", ~pins["case_id"].isin(cases["case_id"]), "a case of `cases`", "drop these pins")
    refuse_rows("pins.cm_id", ~pins["cm_id"].isin(cm_ids), "one of `case_managers`", "drop these pins")
    targets = pins.groupby("case_id")["cm_id"].nunique()
    refuse_rows(
        "pins.case_id", targets > 1, "held to one case manager each (contradictory pins)", "keep one pin a case"
    )
    fixed = cases[cases["is_fixed"]].set_index("case_id")["cm_id"]
    leads = pins["case_id"].map(fixed)
    refuse_rows(
        "pins.cm_id", leads.notna() & (leads != pins["cm_id"]), "the fixed lead of a fixed case", "drop these pins"
    )
