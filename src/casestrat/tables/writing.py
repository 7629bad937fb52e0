"""Checked tables → a folder that reads back to the same tables, byte for byte the same each time."""

from __future__ import annotations

import csv
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import pyarrow as arrow
import pyarrow.parquet as parquet

from casestrat.errors import OutputError, UsageError
from casestrat.tables.columns import TEXT
from casestrat.tables.contracts import CONTRACTS
from casestrat.tables.lookup import taken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from casestrat.tables.tables import Tables


def write_tables(tables: Tables, folder: str | Path, format: Literal["csv", "parquet"] = "csv") -> Path:  # noqa: A002
    """Write the tables that are there, and ``extract.toml``, into a folder.

    Parameters
    ----------
    tables : Tables
        Checked tables.
    folder : str or pathlib.Path
        Made where it is not there; files of the same names are replaced.
    format : {"csv", "parquet"}
        CSV in UTF-8 with commas, or Parquet.

    Returns
    -------
    pathlib.Path
        The folder; reading it gives tables with the same fingerprint.

    Raises
    ------
    UsageError
        The format is neither.
    OutputError
        A file cannot be written.
    """
    if format not in ("csv", "parquet"):
        raise UsageError("format must be csv or parquet")
    target = Path(folder)
    with writing_whole("the tables", target):
        target.mkdir(parents=True, exist_ok=True)
        (target / "extract.toml").write_bytes(tables.extract.to_toml().encode("utf-8"))
        for name in CONTRACTS:
            if tables.has(name):
                frame = getattr(tables, name)
                (_write_csv if format == "csv" else _write_parquet)(frame, target / f"{name}.{format}")
    return target


@contextmanager
def writing_whole(what: str, folder: Path) -> Iterator[None]:
    """Say what could not be written whole into a folder, and what to do."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{what} cannot be written whole ({type(error).__name__})",
            where=str(folder),
            do="make room, or close the file in the other program",
        ) from None


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write CSV: ISO dates, true and false, missing as nothing."""
    words = pd.DataFrame({name: _words(frame[name]) for name in frame})
    text = words.to_csv(index=False, lineterminator="\n")
    if "\r" in text:  # a return inside a cell is not quoted by itself in every version of Python
        text = words.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_ALL)
    path.write_bytes(text.encode("utf-8"))


def _words(column: pd.Series) -> pd.Series:
    """Return what is written of a column."""
    if pd.api.types.is_bool_dtype(column.dtype):
        return column.map({True: "true", False: "false"}).astype(TEXT)
    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column
    codes, unique = pd.factorize(column)
    return taken(_iso(pd.Series(unique)), codes, column.index)


def _iso(moments: pd.Series) -> pd.Series:
    """Return ISO text without parts that are zero: a date at midnight, else to the second or microsecond."""
    values = moments.to_numpy(dtype="datetime64[us]")
    is_second = values == values.astype("datetime64[s]")
    is_day = values == values.astype("datetime64[D]")
    words = np.where(is_second, np.datetime_as_string(values, unit="s"), np.datetime_as_string(values, unit="us"))
    words = np.where(is_day, np.datetime_as_string(values, unit="D"), words)
    return pd.Series(words, dtype=TEXT)


def _write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write Parquet without the metadata that names library versions."""
    table = arrow.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    parquet.write_table(table, path, compression="zstd", version="2.6")
