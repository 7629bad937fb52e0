"""Writing output whole or not at all, with the same bytes for the same content."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import time
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from casestrat.errors import OutputError
from casestrat.tables import OUTPUTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from casestrat.knowledge.wording import Wording

_ATTEMPTS = 5  # a virus scanner or a preview pane lets go of a file within a second
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file beside its target, flush it to the disk, then put it in place in one step."""
    partial = path.with_name(path.name + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        put_in_place(partial, path)
    except OSError as fault:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise output_error(fault, path) from None


def put_in_place(source: Path, target: Path) -> None:
    """Rename, and try again for a moment where another program holds the target open (Windows)."""
    for attempt in range(_ATTEMPTS):
        try:
            os.replace(source, target)  # noqa: PTH105  the documented atomic step
        except PermissionError:
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(0.2)
        else:
            return


def output_error(fault: OSError, path: Path) -> OutputError:
    """Turn a fault of the file system into words, with what to do."""
    if fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return OutputError(
            "the disk is full: the output could not be written whole, and what stood there before is unchanged",
            where=str(path),
            do="free some space or choose another output folder, then run again: finished parts are not redone",
        )
    if isinstance(fault, PermissionError):
        return OutputError(
            "the file could not be replaced",
            where=str(path),
            do="close the file in Excel or any other program, or check who may write in this folder, then run again",
        )
    return OutputError(
        f"the output could not be written ({os.strerror(fault.errno or 0)})",
        where=str(path),
        do="mend it and run again",
    )


def json_bytes(content: Mapping[str, Any]) -> bytes:
    """Return JSON with sorted keys, so that equal content has equal bytes."""
    return (json.dumps(content, sort_keys=True, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def parquet_bytes(frame: pd.DataFrame) -> bytes:
    """Return a frame as Parquet, without its index and without notes on the software that wrote it."""
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    return _parquet(table, compression="zstd", store_schema=False)


def typed_parquet_bytes(frame: pd.DataFrame) -> bytes:
    """Return a frame as Parquet, with the notes by which pandas reads back its own types; quick, for the next step."""
    return _parquet(pa.Table.from_pandas(frame, preserve_index=False), compression="lz4")


def _parquet(table: pa.Table, **how: Any) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **how)
    return bytes(sink.getvalue())


def csv_bytes(frame: pd.DataFrame, wording: Wording) -> bytes:
    """Return a frame as a spreadsheet of the language opens it: headers in words, decimal mark, separator.

    Text that a spreadsheet would run as a formula is given a leading apostrophe.
    """
    decimal = wording("csv.decimal")
    shown = pd.DataFrame({name: _shown(frame[name], decimal) for name in frame.columns})
    shown.columns = [wording(f"columns.{name}") for name in frame.columns]
    text = shown.to_csv(index=False, sep=";" if decimal == "," else ",", lineterminator="\r\n")
    return text.encode("utf-8-sig")


def _shown(column: pd.Series, decimal: str) -> Any:
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column.dt.strftime("%Y-%m-%d")
    if pd.api.types.is_string_dtype(column.dtype):
        risky = column.str.startswith(_FORMULA_STARTS).fillna(False).astype(bool)
        return column.mask(risky, "'" + column)
    if pd.api.types.is_float_dtype(column.dtype):
        return column.map(lambda number: _plain(number).replace(".", decimal), na_action="ignore")
    return column


def _plain(number: float) -> str:
    """Write a number with up to six decimals, without zeros at its end."""
    return f"{round(number, 6) + 0.0:.6f}".rstrip("0").rstrip(".")


def to_contract(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a frame with the columns, order and types of an output's contract; what it lacks is missing.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of the output.
    name : str
        Name of the output.

    Returns
    -------
    pandas.DataFrame
        One row per row of the frame.
    """
    columns = {}
    for column in OUTPUTS[name].columns:
        values = frame[column.name] if column.name in frame.columns else pd.Series(pd.NA, index=frame.index)
        if column.dtype == "Int64" and pd.api.types.is_float_dtype(values.dtype):
            values = values.round()
        columns[column.name] = (
            values.astype(object).where(values.notna(), None).astype(column.dtype)
            if (values.dtype == object)
            else values.astype(column.dtype)
        )
    return pd.DataFrame(columns, index=frame.index).reset_index(drop=True)
