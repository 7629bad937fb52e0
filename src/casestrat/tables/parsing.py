"""Cells → values of the declared kind; a cell that cannot be read is told apart, never guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from casestrat.tables.columns import TEXT, Column
from casestrat.tables.lookup import taken

if TYPE_CHECKING:
    from collections.abc import Callable

Mask = npt.NDArray[np.bool_]

_WHOLE = r"[+-]?\d{1,15}(\.0*)?"
_NUMBER = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?"
_DATE = r"(1[89]|2[01])\d\d-\d\d-\d\d"
_MIDNIGHT = r"([T ]00:00(:00(\.0+)?)?)?"
_MOMENT = _DATE + r"([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?"
_OFFSET = r"(Z|[+-]\d\d:?\d\d)"
_TRUE, _FALSE, _UNKNOWN = ("true", "t", "1", "yes", "y", "1.0"), ("false", "f", "0", "no", "n", "0.0"), ("unknown", "u")


def parse_column(column: Column, values: pd.Series, timezone: str | None = None) -> tuple[pd.Series, Mask]:
    """Read one column's cells.

    Parameters
    ----------
    column : Column
        What the contract declares.
    values : pandas.Series
        Text, or values that already have a type.
    timezone : str, optional
        Zone of the agency. Moments that carry a zone become its local time; without it they cannot be read.

    Returns
    -------
    tuple of pandas.Series and numpy.ndarray of bool
        The values in the declared type, missing where a cell is blank or cannot be read; and where it cannot.

    Examples
    --------
    >>> from casestrat.tables.contracts import CONTRACTS
    >>> year = CONTRACTS["persons"].by_name["birth_year"]
    >>> parsed, is_bad = parse_column(year, pd.Series(["1940", "", "forty"]))
    >>> parsed.tolist(), is_bad.tolist()
    ([1940, <NA>, <NA>], [False, False, True])
    """
    if column.kind in _TIMES:
        return _TIMES[column.kind](values, timezone)
    return _PARSERS[column.kind](values)


def missing_text(values: pd.Series) -> pd.Series:
    """Return the values as text without outer blanks; empty text is missing."""
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        text = _numbers_as_text(values)
    elif pd.api.types.is_string_dtype(values.dtype) and values.dtype != object:
        text = values.astype(TEXT)
    else:
        text = values.astype(object).where(values.notna(), None).map(str, na_action="ignore").astype(TEXT)
    text = text.str.strip()
    is_empty = (text == "").to_numpy(dtype=bool, na_value=False)
    return text.mask(is_empty) if is_empty.any() else text


def _numbers_as_text(values: pd.Series) -> pd.Series:
    """Return whole numbers without a decimal point: an id 12 that was read as 12.0 is the text 12."""
    codes, unique = pd.factorize(values)
    words = [str(int(v)) if float(v).is_integer() else repr(float(v)) for v in unique]
    return taken(pd.Series(words, dtype=TEXT), codes, values.index)


def _text(values: pd.Series) -> tuple[pd.Series, Mask]:
    text = missing_text(values)
    return text, np.zeros(len(text), dtype=bool)


def _by_unique(values: pd.Series, parse: Callable[[pd.Series], tuple[pd.Series, Mask]]) -> tuple[pd.Series, Mask]:
    """Read each different text once: a million rows have few different dates."""
    codes, unique = pd.factorize(missing_text(values))
    parsed, is_bad = parse(pd.Series(unique, dtype=TEXT))
    taken_bad = np.append(is_bad, False)[codes]  # -1, a blank cell, takes the last: not bad
    return taken(parsed, codes, values.index), taken_bad


def _matches(text: pd.Series, pattern: str) -> Mask:
    return text.str.fullmatch(pattern).to_numpy(dtype=bool, na_value=False)


def _is_text(values: pd.Series) -> bool:
    return values.dtype == object or pd.api.types.is_string_dtype(values.dtype) or _is_categorical(values)


def _is_categorical(values: pd.Series) -> bool:
    return isinstance(values.dtype, pd.CategoricalDtype)


def _whole(values: pd.Series) -> tuple[pd.Series, Mask]:
    if _is_text(values):
        return _by_unique(values, _whole_text)
    if pd.api.types.is_bool_dtype(values.dtype) or not pd.api.types.is_numeric_dtype(values.dtype):
        return _nothing(values, pd.Int64Dtype())
    numbers = values.to_numpy(dtype="float64", na_value=np.nan)
    known = ~np.isnan(numbers)
    is_bad = known & ~(np.isfinite(numbers) & (np.floor(numbers) == numbers) & (np.abs(numbers) < 1e15))
    kept = np.where(known & ~is_bad, numbers, 0.0).astype("int64")
    return pd.Series(pd.arrays.IntegerArray(kept, ~known | is_bad), index=values.index), is_bad


def _whole_text(text: pd.Series) -> tuple[pd.Series, Mask]:
    fits = _matches(text, _WHOLE)
    numbers = pd.to_numeric(text.where(fits).astype(object), errors="coerce").astype("float64")
    return numbers.round().astype("Int64"), ~fits


def _number(values: pd.Series) -> tuple[pd.Series, Mask]:
    if _is_text(values):
        return _by_unique(values, _number_text)
    if pd.api.types.is_bool_dtype(values.dtype) or not pd.api.types.is_numeric_dtype(values.dtype):
        return _nothing(values, np.dtype("float64"))
    numbers = values.to_numpy(dtype="float64", na_value=np.nan, copy=True)
    is_bad = np.isinf(numbers)
    numbers[is_bad] = np.nan
    return pd.Series(numbers, index=values.index), is_bad


def _number_text(text: pd.Series) -> tuple[pd.Series, Mask]:
    fits = _matches(text, _NUMBER)
    numbers = pd.to_numeric(text.where(fits).astype(object), errors="coerce").astype("float64")
    is_bad = ~fits | ~np.isfinite(numbers.to_numpy())
    return numbers.mask(is_bad), is_bad


def _flag(values: pd.Series) -> tuple[pd.Series, Mask]:
    if _is_text(values):
        return _by_unique(values, _flag_text)
    if pd.api.types.is_bool_dtype(values.dtype):
        return values.astype("boolean"), np.zeros(len(values), dtype=bool)
    if not pd.api.types.is_numeric_dtype(values.dtype):
        return _nothing(values, pd.BooleanDtype())
    numbers = values.to_numpy(dtype="float64", na_value=np.nan)
    known = ~np.isnan(numbers)
    is_bad = known & ~np.isin(numbers, (0.0, 1.0))
    flags = pd.arrays.BooleanArray(numbers == 1.0, ~known | is_bad)
    return pd.Series(flags, index=values.index), is_bad


def _flag_text(text: pd.Series) -> tuple[pd.Series, Mask]:
    lower = text.str.lower()
    is_true = lower.isin(_TRUE).to_numpy(dtype=bool)
    is_false = lower.isin(_FALSE).to_numpy(dtype=bool)
    is_unknown = lower.isin(_UNKNOWN).to_numpy(dtype=bool)
    flags = pd.arrays.BooleanArray(is_true, ~(is_true | is_false))
    return pd.Series(flags), ~(is_true | is_false | is_unknown)


def _date(values: pd.Series, timezone: str | None) -> tuple[pd.Series, Mask]:
    moments, is_bad = _moments(values, _DATE + _MIDNIGHT, timezone)
    has_time = (moments != moments.dt.normalize()) & moments.notna()
    is_bad = is_bad | has_time.to_numpy(dtype=bool)
    return moments.mask(has_time), is_bad


def _moment(values: pd.Series, timezone: str | None) -> tuple[pd.Series, Mask]:
    return _moments(values, _MOMENT, timezone)


def _moments(values: pd.Series, pattern: str, timezone: str | None) -> tuple[pd.Series, Mask]:
    if _is_text(values):
        return _by_unique(values, lambda text: _moments_text(_local(text, timezone), pattern))
    if isinstance(values.dtype, pd.DatetimeTZDtype) and timezone is not None:
        values = values.dt.tz_convert(timezone).dt.tz_localize(None)
    if not pd.api.types.is_datetime64_dtype(values.dtype):  # numbers, or moments whose zone says nothing here
        return _nothing(values, np.dtype("datetime64[us]"))
    return values.dt.as_unit("us"), np.zeros(len(values), dtype=bool)


def _local(text: pd.Series, timezone: str | None) -> pd.Series:
    """Return moments written with an offset as the local time of the agency; all else as it came."""
    zoned = _matches(text, _MOMENT + _OFFSET)
    if timezone is None or not zoned.any():
        return text
    moments = pd.to_datetime(text[zoned].astype(object), format="ISO8601", utc=True)
    local = moments.dt.tz_convert(timezone).dt.tz_localize(None).dt.strftime("%Y-%m-%dT%H:%M:%S.%f")
    return text.where(~zoned, local.reindex(text.index).astype(TEXT))


def _moments_text(text: pd.Series, pattern: str) -> tuple[pd.Series, Mask]:
    fits = _matches(text, pattern)
    moments = pd.to_datetime(text.where(fits).astype(object), format="ISO8601", errors="coerce").dt.as_unit("us")
    return moments, moments.isna().to_numpy()


def _nothing(values: pd.Series, dtype: object) -> tuple[pd.Series, Mask]:
    """Return all missing: a whole column came in a type that cannot be read as the declared one."""
    return pd.Series(index=values.index, dtype=dtype), values.notna().to_numpy()  # type: ignore[call-overload]


_PARSERS: dict[str, Callable[[pd.Series], tuple[pd.Series, Mask]]] = {
    "id": _text,
    "text": _text,
    "list": _text,
    "code": _text,
    "whole": _whole,
    "number": _number,
    "flag": _flag,
}
_TIMES: dict[str, Callable[[pd.Series, str | None], tuple[pd.Series, Mask]]] = {"date": _date, "moment": _moment}
