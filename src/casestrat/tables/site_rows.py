"""The rows of one source of a site: one or several files, or a view of a database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from casestrat.errors import TablesError
from casestrat.tables.database import read_view
from casestrat.tables.files import FileRows, read_csv, read_parquet

if TYPE_CHECKING:
    from casestrat.tables.site_file import Source


@dataclass(frozen=True)
class SourceRows:
    """Rows of one source under the source's own headers, each with its file and line."""

    frame: pd.DataFrame
    source: npt.NDArray[np.object_]
    line: npt.NDArray[np.int64]
    paths: tuple[Path, ...]
    ragged: tuple[tuple[str, int], ...]


def read_source(source: Source, folder: Path) -> SourceRows:
    """Read every file that a source names, in the order of their names.

    Parameters
    ----------
    source : Source
        What ``site.toml`` says.
    folder : pathlib.Path
        Folder of ``site.toml``, which paths start from.

    Returns
    -------
    SourceRows
        One row per record of any of the files.

    Raises
    ------
    TablesError
        No file is found, or two files of one source differ in their columns.
    """
    if source.url:
        frame = read_view(source.url, source.view)
        lines = np.arange(len(frame), dtype=np.int64) + 1
        return SourceRows(frame, np.full(len(frame), source.view, dtype=object), lines, (), ())
    paths = tuple(sorted(folder.glob(source.path))) if not Path(source.path).is_absolute() else (Path(source.path),)
    if not paths:
        raise TablesError(
            f"source {source.name} finds no file", where=str(folder / source.path), do="correct path in site.toml"
        )
    files = [_read(path, source) for path in paths]
    headers = [set(rows.frame.columns) for rows in files]
    if any(header != headers[0] for header in headers):
        raise TablesError(
            f"the files of source {source.name} differ in their columns",
            where=str(folder / source.path),
            do="give each kind of file a source of its own",
        )
    names = [path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name for path in paths]
    labels = [np.full(len(rows.frame), name, dtype=object) for name, rows in zip(names, files, strict=True)]
    ragged = [(name, line) for name, rows in zip(names, files, strict=True) for line in rows.ragged]
    return SourceRows(
        pd.concat([rows.frame for rows in files], ignore_index=True),
        np.concatenate(labels),
        np.concatenate([rows.line for rows in files]),
        paths,
        tuple(ragged),
    )


def _read(path: Path, source: Source) -> FileRows:
    """Read one file."""
    return read_parquet(path) if path.suffix == ".parquet" else read_csv(path, source.separator, source.encoding)
