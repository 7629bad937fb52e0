"""Fingerprints: hashes of canonical content (values, parameters, names), never of file bytes.

Two objects with the same content have the same fingerprint, whatever the order of their keys or rows' index, the
library versions that read them, or the file they came from.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd

_LENGTH = 32  # hexadecimal digits: 128 bits, short enough to print, long enough never to collide


def fingerprint_of(content: object) -> str:
    """Return the hash of plain content: dataclasses, mappings, sequences, numbers, text, dates.

    Parameters
    ----------
    content : object
        What to hash. Mappings are sorted by key; floats are told by their shortest exact form.

    Returns
    -------
    str
        32 hexadecimal digits.

    Examples
    --------
    >>> fingerprint_of({"b": 1, "a": (2.5, None)}) == fingerprint_of({"a": [2.5, None], "b": 1})
    True
    """
    text = json.dumps(_canonical(content), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.blake2b(text.encode("utf-8"), digest_size=_LENGTH // 2).hexdigest()


def fingerprint_of_frame(frame: pd.DataFrame) -> str:
    """Return the hash of a frame's column names and values, in row order; the index does not count.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns of numbers, text, flags or moments.

    Returns
    -------
    str
        32 hexadecimal digits.

    Examples
    --------
    >>> people = pd.DataFrame({"person_id": ["P1", "P2", "P3"], "age": [81, 79, 90]})
    >>> fingerprint_of_frame(people) == fingerprint_of_frame(people.set_index(pd.Index([7, 8, 9])))
    True
    """
    digest = hashlib.blake2b(digest_size=_LENGTH // 2)
    for name in sorted(map(str, frame.columns)):
        digest.update(f"\x1e{name}\x1f{len(frame)}\x1f".encode())
        digest.update(_column_bytes(frame[name]))
    return digest.hexdigest()


def _column_bytes(column: pd.Series) -> bytes:
    """Bytes that tell a column's values apart whatever its storage: floats, text, or moments as microseconds."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return b"t" + bytes(column.dt.as_unit("us").astype("int64").to_numpy().tobytes())
    if pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_numeric_dtype(column.dtype):
        values = column.to_numpy(dtype="float64", na_value=np.nan)
        values = np.where(np.isnan(values), np.nan, values) + 0.0  # one NaN, one zero
        return b"n" + values.tobytes()
    # Each different value is hashed once, which keeps ten million rows to seconds; missing has its own mark.
    codes, unique = pd.factorize(column)
    words = np.append(np.asarray(pd.Series(unique).astype(object).astype(str), dtype=object), "\x00missing")
    return b"s" + bytes(pd.util.hash_array(words, categorize=False)[codes].tobytes())


def _canonical(content: Any) -> Any:
    if content is None or isinstance(content, bool | str):
        return content
    if isinstance(content, Enum):
        return _canonical(content.value)
    if isinstance(content, int | np.integer):
        return int(content)
    if isinstance(content, float | np.floating):
        number = float(content)
        return int(number) if number.is_integer() else repr(number)
    if isinstance(content, datetime | date):
        return content.isoformat()
    if dataclasses.is_dataclass(content) and not isinstance(content, type):
        pairs = {f.name: getattr(content, f.name) for f in dataclasses.fields(content)}
        return {"": type(content).__name__, **_canonical(pairs)}
    if isinstance(content, Mapping):
        return {str(key): _canonical(value) for key, value in content.items()}
    if isinstance(content, set | frozenset):
        return sorted((_canonical(value) for value in content), key=repr)
    if isinstance(content, np.ndarray | list | tuple):
        return [_canonical(value) for value in content]
    raise TypeError(f"no canonical form for {type(content).__name__}")
