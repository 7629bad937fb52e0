"""Rows as they were read, each with the file and line it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from casestrat.tables.phrases import Phrase

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from casestrat.tables.files import FileRows


@dataclass(frozen=True)
class Failure:
    """Rows that break one rule in one column.

    Attributes
    ----------
    rows : numpy.ndarray of int
        Positions in the raw table.
    column : str
        Our name of the column.
    rule, expected : str
        Name of the rule, and what it asks for, in words.
    """

    rows: npt.NDArray[np.intp]
    column: str
    rule: str
    expected: str


@dataclass(frozen=True)
class Lost:
    """A line that never became a row."""

    source: str
    line: int
    column: str
    rule: str
    expected: str


@dataclass(frozen=True)
class RawTable:
    """One table as it was read: nothing coerced, every row traceable.

    Attributes
    ----------
    frame : pandas.DataFrame
        Cells under our column names, with a plain row number as index.
    source : numpy.ndarray of object
        File, or database table, of each row.
    line : numpy.ndarray of int
        Line of the file, the header being line 1; the row number where the source has no lines.
    part : numpy.ndarray of int or None
        Which of ``originals`` holds for each row; None where column names are ours.
    originals : tuple of mapping
        Our column name → name in the source.
    failures : tuple of Failure
        Cells and rows that mapping could not use.
    lost : tuple of Lost
        Lines that could not be read as rows.
    warnings : tuple of (rule, n, message)
        What reading and mapping noticed.
    """

    frame: pd.DataFrame
    source: npt.NDArray[np.object_]
    line: npt.NDArray[np.int64]
    part: npt.NDArray[np.int64] | None = None
    originals: tuple[Mapping[str, str], ...] = ()
    failures: tuple[Failure, ...] = ()
    lost: tuple[Lost, ...] = ()
    warnings: tuple[tuple[str, int, str], ...] = ()

    def names_of(self, column: str, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.object_]:
        """Return the name that a column has in the source of each row."""
        if self.part is None:
            return np.full(len(rows), column, dtype=object)
        names = np.array([original.get(column, column) for original in self.originals], dtype=object)
        return names[self.part[rows]]


def raw_of_frame(name: str, frame: pd.DataFrame) -> RawTable:
    """Wrap a frame that came from no file: its rows are counted from 1."""
    plain = frame.rename(columns=str).reset_index(drop=True)
    lines = np.arange(len(plain), dtype=np.int64) + 1
    return RawTable(plain, np.full(len(plain), name, dtype=object), lines)


def raw_of_file(rows: FileRows, source: str) -> RawTable:
    """Wrap the rows of one file; lines with too many or too few fields are lost, and said so."""
    words = Phrase("expected.fields", n=rows.frame.shape[1])
    lost = tuple(Lost(source, line, "", "field_count", words) for line in rows.ragged)
    return RawTable(rows.frame, np.full(len(rows.frame), source, dtype=object), rows.line, lost=lost)
