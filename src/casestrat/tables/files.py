"""One file → rows of text with their line numbers; nothing is coerced, and nothing is lost unseen."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as arrow
import pyarrow.csv as arrow_csv
import pyarrow.parquet as parquet

from casestrat.errors import TablesError
from casestrat.tables.columns import TEXT

if TYPE_CHECKING:
    from pathlib import Path

_PANDAS_TYPES = {
    arrow.string(): TEXT,
    arrow.large_string(): TEXT,
    arrow.bool_(): pd.BooleanDtype(),
    arrow.int64(): pd.Int64Dtype(),
    arrow.int32(): pd.Int32Dtype(),
    arrow.int16(): pd.Int16Dtype(),
    arrow.int8(): pd.Int8Dtype(),
}
_MARK = b"\xef\xbb\xbf"  # some programs begin UTF-8 files with it
_HEAD = 1 << 20  # bytes that hold any header line


@dataclass(frozen=True)
class FileRows:
    """The rows of one file.

    Attributes
    ----------
    frame : pandas.DataFrame
        Cells under the file's own headers.
    line : numpy.ndarray of int
        Line each row starts on, the header being line 1; the row number in a file without lines.
    ragged : tuple of int
        Lines left out because they have too many or too few fields.
    """

    frame: pd.DataFrame
    line: npt.NDArray[np.int64]
    ragged: tuple[int, ...] = ()


def read_csv(path: Path, separator: str = ",", encoding: str = "utf-8") -> FileRows:
    """Read a CSV file as text.

    Parameters
    ----------
    path : pathlib.Path
        The file; its first line is the header.
    separator : str
        One character.
    encoding : str
        Name of the encoding, strict: a byte that does not fit it stops the reading.

    Returns
    -------
    FileRows
        One row per record, text columns.

    Raises
    ------
    TablesError
        The file cannot be read, is in another encoding, or has no usable header.
    """
    data = _bytes(path)
    if encoding.lower().replace("_", "-") not in ("utf-8", "utf8"):
        data = _decoded(data, encoding, path).encode("utf-8")
    data = data.removeprefix(_MARK)
    names = _header(data[:_HEAD].decode("utf-8", errors="replace"), separator, path)
    returns = data.count(b"\r")
    if returns in (0, data.count(b"\r\n")):  # else a line may end in the midst of a field
        frame = _by_arrow(data, names, separator)
        n_lines = data.count(b"\n") + (not data.endswith(b"\n"))
        if frame is not None and len(frame) + 1 == n_lines:
            return FileRows(frame, np.arange(len(frame), dtype=np.int64) + 2)
    return _by_record(_decoded(data, "utf-8", path), names, separator, path)


def read_parquet(path: Path) -> FileRows:
    """Read a Parquet file; its columns have their types already.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    FileRows
        One row per record.

    Raises
    ------
    TablesError
        The file cannot be read as Parquet.
    """
    try:
        table = parquet.ParquetFile(path).read()
    except (OSError, arrow.ArrowException) as error:
        raise TablesError(
            f"the file cannot be read as Parquet ({type(error).__name__})", where=str(path), do="write it anew"
        ) from None
    fields = [arrow.field(f.name, _plain_type(f.type)) for f in table.schema]
    frame = table.cast(arrow.schema(fields)).to_pandas(types_mapper=_PANDAS_TYPES.get, ignore_metadata=True)
    return FileRows(frame, np.arange(len(frame), dtype=np.int64) + 1)


def _plain_type(kind: arrow.DataType) -> arrow.DataType:
    """Return the type as it is read: days become moments, dictionaries their values."""
    if arrow.types.is_dictionary(kind):
        return _plain_type(kind.value_type)
    if arrow.types.is_date(kind):
        return arrow.timestamp("us")
    return arrow.float64() if arrow.types.is_decimal(kind) else kind


def _bytes(path: Path) -> bytes:
    """Return the bytes of a file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise TablesError(f"the file cannot be read ({type(error).__name__})", where=str(path)) from None


def _decoded(data: bytes, encoding: str, path: Path) -> str:
    """Return the text that bytes stand for; a byte that does not fit stops the reading."""
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        raise TablesError(
            f"the file is not in the encoding {encoding}",
            where=str(path),
            do="save it as UTF-8, or name its encoding (cp1252, latin-1 …) in a site.toml",
        ) from None


def _header(text: str, separator: str, path: Path) -> list[str]:
    """Return the names of the first line, each once and none empty."""
    try:
        names = [name.strip() for name in next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])]
    except csv.Error:
        raise TablesError("the file cannot be read as CSV", where=f"{path}, line 1", do="check the quotes") from None
    if not any(names):
        raise TablesError("the file has no header line", where=str(path), do="write the column names on line 1")
    repeated = [position + 1 for position, name in enumerate(names) if Counter(names)[name] > 1 or not name]
    if repeated:
        raise TablesError(
            f"column names are empty or repeated at the positions {', '.join(map(str, repeated))}",
            where=str(path),
            do="give each column a name of its own",
        )
    return names


def _by_arrow(data: bytes, names: list[str], separator: str) -> pd.DataFrame | None:
    """Read a regular file quickly; None where it is not regular."""
    try:
        table = arrow_csv.read_csv(
            io.BytesIO(data),
            read_options=arrow_csv.ReadOptions(column_names=names, skip_rows=1),
            parse_options=arrow_csv.ParseOptions(delimiter=separator, newlines_in_values=b'"' in data),
            convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, arrow.string())),
        )
    except arrow.ArrowInvalid:
        return None
    frame: pd.DataFrame = table.to_pandas(types_mapper=_PANDAS_TYPES.get)
    return frame


def _by_record(text: str, names: list[str], separator: str, path: Path) -> FileRows:
    """Read record by record: fields over several lines, blank lines, and lines with too many or too few fields."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    rows: list[list[str]] = []
    lines: list[int] = []
    ragged: list[int] = []
    try:
        next(reader)
        start = reader.line_num + 1
        for record in reader:
            if len(record) == len(names):
                rows.append(record)
                lines.append(start)
            elif record:
                ragged.append(start)
            start = reader.line_num + 1
    except csv.Error:
        raise TablesError(
            "the file cannot be read as CSV", where=f"{path}, line {reader.line_num}", do="check the quotes"
        ) from None
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    frame = pd.DataFrame({name: pd.Series(list(cells), dtype=TEXT) for name, cells in zip(names, columns, strict=True)})
    return FileRows(frame, np.array(lines, dtype=np.int64), tuple(ragged))
