"""A site's cells → the text of our cells: dates, decimals, codes, ids; what cannot be used is blanked and said so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.tables.columns import TEXT, Column
from casestrat.tables.identity import keyed_hash
from casestrat.tables.lookup import taken
from casestrat.tables.parsing import Mask, missing_text
from casestrat.tables.phrases import Phrase
from casestrat.tables.raw import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from casestrat.tables.site_file import ColumnMap, Source

_COMMA_NUMBER = r"[+-]?\d+(,\d+)?"
_POINT_NUMBER = r"[+-]?\d+(\.\d+)?"


@dataclass
class MappedColumn:
    """The cells of one of our columns, what could not be used, and codes nobody has mapped."""

    cells: pd.Series
    failures: list[Failure] = field(default_factory=list)
    unmapped: pd.Series = field(default_factory=lambda: pd.Series(dtype="Int64"))  # code → how many


def map_column(
    mapped: ColumnMap, column: Column | None, theirs: pd.Series, source: Source, key: Callable[[], bytes]
) -> MappedColumn:
    """Make one of our columns of one of theirs.

    Parameters
    ----------
    mapped : ColumnMap
        What ``site.toml`` says.
    column : Column or None
        Our column; None where the contract does not name it.
    theirs : pandas.Series
        The source's cells.
    source : Source
        Its decimal mark and its prefix of ids.
    key : callable
        Gives the secret key, asked for only where something is hashed.

    Returns
    -------
    MappedColumn
        Text cells.
    """
    cells = missing_text(theirs)
    if mapped.format:
        return _dates(mapped, column, cells)
    if mapped.codes is not None:
        return _codes(mapped, column, cells)
    if mapped.split:
        return MappedColumn(_split(cells, mapped.split, None)[0])
    if mapped.is_hashed:
        return MappedColumn(keyed_hash(cells, key()))
    if column is not None and column.kind in ("number", "whole"):
        return _decimals(mapped, column, cells, source.decimal)
    if column is not None and column.kind == "id":
        return MappedColumn(prefix_of(mapped, source) + cells)
    return MappedColumn(cells)


def prefix_of(mapped: ColumnMap, source: Source) -> str:
    """Return the prefix of an id: the column's own, else the source's."""
    return source.prefix if mapped.prefix is None else mapped.prefix


def _failure(
    mapped: ColumnMap, column: Column | None, where: Mask, rules: tuple[str, str], words: str
) -> list[Failure]:
    """Say which cells were blanked; in a column that must be filled their rows are set aside."""
    if not where.any():
        return []
    rule = rules[0] if column is not None and column.is_filled else rules[1]
    return [Failure(np.flatnonzero(where), mapped.ours, rule, words)]


def _dates(mapped: ColumnMap, column: Column | None, cells: pd.Series) -> MappedColumn:
    codes, unique = pd.factorize(cells)
    moments = pd.to_datetime(pd.Series(unique, dtype=object), format=mapped.format, exact=True, errors="coerce")
    words = pd.Series([_date_words(moment, mapped.take) for moment in moments], dtype=TEXT)
    dates = taken(words, codes, cells.index)
    is_bad = (cells.notna() & dates.isna()).to_numpy()
    expected = Phrase("expected.date_in_format", format=mapped.format)
    return MappedColumn(dates, _failure(mapped, column, is_bad, ("unparsable", "blanked"), expected))


def _date_words(moment: pd.Timestamp, take: str) -> str | None:
    """Return the text of a date, or the part of it that is kept."""
    if pd.isna(moment) or moment.tzinfo is not None:
        return None
    return str(getattr(moment, take)) if take else moment.isoformat()


def _codes(mapped: ColumnMap, column: Column | None, cells: pd.Series) -> MappedColumn:
    codes = mapped.codes or {}
    if mapped.split:
        ours, pieces = _split(cells, mapped.split, codes)
        is_bad = np.isin(np.arange(len(cells)), pieces.index)
    else:
        ours = cells.map(codes).astype(TEXT)
        is_bad = (cells.notna() & ours.isna()).to_numpy()
        pieces = cells[is_bad]
    failures = _failure(mapped, column, is_bad, ("unmapped_code", "blanked_code"), Phrase("expected.mapped_code"))
    return MappedColumn(ours, failures, pieces.value_counts())


def _split(cells: pd.Series, separator: str, codes: object) -> tuple[pd.Series, pd.Series]:
    """Return several codes of one cell separated as ours are; and those that nobody has mapped, by row."""
    pieces = cells.dropna().str.split(separator, regex=False).explode().str.strip()
    pieces = pieces.loc[pieces != ""]
    ours = pieces.map(codes).astype(TEXT) if isinstance(codes, dict) else pieces
    joined = ours.dropna().groupby(level=0).agg(";".join).reindex(cells.index).astype(TEXT)
    return joined, pieces.loc[ours.isna()]


def _decimals(mapped: ColumnMap, column: Column, cells: pd.Series, decimal: str) -> MappedColumn:
    pattern = _COMMA_NUMBER if decimal == "," else _POINT_NUMBER
    fits = cells.str.fullmatch(pattern).to_numpy(dtype=bool, na_value=True) | cells.isna().to_numpy()
    numbers = cells.mask(~fits).str.replace(",", ".", regex=False)
    words = Phrase("expected.number_comma" if decimal == "," else "expected.number")
    return MappedColumn(numbers, _failure(mapped, column, ~fits, ("unparsable", "blanked"), words))
