"""``site.toml``: a site's own files, columns, codes, dates and people → our tables, as raw rows to be checked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from casestrat.errors import TablesError
from casestrat.tables.cells import MappedColumn, map_column
from casestrat.tables.columns import TEXT
from casestrat.tables.contracts import contracts_for
from casestrat.tables.identity import load_key
from casestrat.tables.linking import PersonIds, link_people
from casestrat.tables.merging import Part, merged
from casestrat.tables.parsing import missing_text
from casestrat.tables.phrases import Phrase
from casestrat.tables.raw import Failure, Lost
from casestrat.tables.site_file import ColumnMap, Source, TableMap, WideMap, load_site
from casestrat.tables.site_rows import SourceRows, read_source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from casestrat.tables.checking import Notice
    from casestrat.tables.contract import Contract
    from casestrat.tables.extract import Extract
    from casestrat.tables.parsing import Mask
    from casestrat.tables.raw import RawTable
    from casestrat.tables.vocabulary import Vocabulary


@dataclass(frozen=True)
class MappedSite:
    """What a site's files become: raw tables, and what a person must look at.

    Attributes
    ----------
    raws : dict of str to RawTable
        Table name → rows.
    extract : Extract
        The extract that ``site.toml`` declares.
    noticed : tuple of (table, rule, n, message)
        Warnings of the mapping.
    unmapped_codes : pandas.DataFrame
        One row per code that nobody has mapped: source, column, code, n.
    doubtful_pairs : pandas.DataFrame
        One row per pair of ids that might be one person: system_a, id_a, system_b, id_b, agree, differ.
    """

    raws: dict[str, RawTable]
    extract: Extract
    noticed: tuple[Notice, ...]
    unmapped_codes: pd.DataFrame
    doubtful_pairs: pd.DataFrame


def read_site(path: Path, program: Vocabulary | None = None) -> MappedSite:
    """Map a site's own files to our tables.

    Parameters
    ----------
    path : pathlib.Path
        A ``site.toml``.
    program : Vocabulary, optional
        Adds its criteria inputs to what can be mapped.

    Returns
    -------
    MappedSite
        Raw tables; nothing is checked yet.

    Raises
    ------
    TablesError
        A setting, file, column or secret key is missing.
    """
    site = load_site(path)
    rows = {source.name: read_source(source, path.parent) for source in site.sources}
    folders = {one.parent for found in rows.values() for one in found.paths}
    key = cache(lambda: load_key(site, folders))
    people = link_people(site, rows, key)
    mapping = _Mapping(contracts_for(program), key)
    for source in site.sources:
        mapping.add(source, rows[source.name], people.of[source.name])
    raws, noticed = mapping.tables()
    return MappedSite(
        raws, site.extract, (*people.noticed, *mapping.noticed, *noticed), mapping.unmapped_codes(), people.doubtful
    )


class _Mapping:
    """Gathers the parts of each table, source by source."""

    def __init__(self, contracts: Mapping[str, Contract], key: Callable[[], bytes]) -> None:
        self.contracts, self.key = contracts, key
        self.parts: dict[str, list[Part]] = {}
        self.noticed: list[Notice] = []
        self._unmapped: list[pd.DataFrame] = []

    def add(self, source: Source, rows: SourceRows, people: PersonIds | None) -> None:
        """Map every table that one source feeds."""
        _refuse_absent_columns(source, rows)
        for table in source.tables:
            self._add_table(table, source, rows, people)
        for wide in source.wide:
            self._add_wide(wide, source, rows, people)
        self._add_ragged(source, rows)
        self._notice_unread(source, rows)

    def tables(self) -> tuple[dict[str, RawTable], list[Notice]]:
        """Return every table with its parts in the order of the sources."""
        raws: dict[str, RawTable] = {}
        noticed: list[Notice] = []
        for name, parts in self.parts.items():
            raws[name], found = merged(self.contracts[name], parts)
            noticed += found
        return raws, noticed

    def unmapped_codes(self) -> pd.DataFrame:
        """Return the codes that nobody has mapped, with how many rows have each."""
        types = {"source": TEXT, "column": TEXT, "code": TEXT, "n": pd.Int64Dtype()}
        empty = pd.DataFrame(columns=list(types)).astype(types)
        rows = pd.concat([*self._unmapped, empty], ignore_index=True)
        counts = rows.groupby(["source", "column", "code"])["n"].sum()
        return counts.reset_index().astype(types)

    def _add_table(self, table: TableMap, source: Source, rows: SourceRows, people: PersonIds | None) -> None:
        contract = self.contracts[table.table]
        part = self._part(contract, table.columns, source, rows, _wanted(table, rows), people)
        self.parts.setdefault(table.table, []).append(part)

    def _add_ragged(self, source: Source, rows: SourceRows) -> None:
        """Report the lines that have too many or too few fields, once, with the first table they would feed."""
        fed = [table.table for table in source.tables] + ["assessments" for _ in source.wide]
        if fed and rows.ragged:
            words = Phrase("expected.fields", n=rows.frame.shape[1])
            lost = tuple(Lost(name, line, "", "field_count", words) for name, line in rows.ragged)
            last = self.parts[fed[0]].pop()
            self.parts[fed[0]].append(replace(last, lost=(*last.lost, *lost)))

    def _add_wide(self, wide: WideMap, source: Source, rows: SourceRows, people: PersonIds | None) -> None:
        """Add one sitting a row, and one answer an item; a row without any answer is no sitting."""
        answers = pd.DataFrame({item: missing_text(rows.frame[header]) for item, header in wide.items})
        has_answer = answers.notna().any(axis=1).to_numpy()
        sittings = self._part(self.contracts["assessments"], wide.columns, source, rows, has_answer, people)
        self.parts.setdefault("assessments", []).append(sittings)
        for item, header in wide.items:
            self.parts.setdefault("responses", []).append(self._answers(wide, item, header, source, rows, sittings))

    def _answers(self, wide: WideMap, item: str, header: str, source: Source, rows: SourceRows, sittings: Part) -> Part:
        """Return the answers to one item of every sitting."""
        theirs = rows.frame[header].iloc[sittings.rows].reset_index(drop=True)
        marks = missing_text(theirs)
        reasons = marks.map(dict(wide.missing)).astype(TEXT)
        mapped = ColumnMap(ours="value", header=header, codes=wide.codes)
        column = self.contracts["responses"].by_name["value"]
        value = map_column(mapped, column, marks.mask(reasons.notna()), source, self.key)
        self._note_codes(source, header, value)
        frame = pd.DataFrame({"value": value.cells, "missing_reason": reasons, "item": item})
        for name in ("assessment_id", "person_id", "recorded_at", "is_void"):
            if name in sittings.frame:
                frame[name] = sittings.frame[name]
        names = {**sittings.originals, "value": header, "item": header, "missing_reason": header}
        return Part(frame.astype(TEXT), sittings.source, sittings.line, sittings.rows, names, tuple(value.failures), ())

    def _part(
        self,
        contract: Contract,
        columns: Sequence[ColumnMap],
        source: Source,
        rows: SourceRows,
        wanted: Mask,
        people: PersonIds | None,
    ) -> Part:
        """Return some rows of a source as rows of one of our tables."""
        kept = np.flatnonzero(wanted)
        lost: list[Lost] = []
        cells: dict[str, pd.Series] = {}
        failures: list[Failure] = []
        names: dict[str, str] = {}
        if people is not None and "person_id" in contract.by_name:
            is_known = people.ids.notna().to_numpy()
            words = Phrase("expected.somebody")
            lost = [
                Lost(str(rows.source[row]), int(rows.line[row]), people.header, "no_person", words)
                for row in kept[~is_known[kept]]
            ]
            kept = kept[is_known[kept]]
            cells["person_id"] = people.ids.iloc[kept].reset_index(drop=True)
            names["person_id"] = people.header
        for mapped in columns:
            made = self._column(mapped, contract, source, rows, kept)
            cells[mapped.ours], names[mapped.ours] = made.cells, mapped.header or mapped.ours
            failures += made.failures
        frame = pd.DataFrame(cells, index=pd.RangeIndex(len(kept))).astype(TEXT)
        return Part(frame, rows.source[kept], rows.line[kept], kept, names, tuple(failures), tuple(lost))

    def _column(
        self, mapped: ColumnMap, contract: Contract, source: Source, rows: SourceRows, kept: npt.NDArray[np.intp]
    ) -> MappedColumn:
        """Return one of our columns."""
        if mapped.value is not None:
            return MappedColumn(pd.Series(mapped.value, index=pd.RangeIndex(len(kept)), dtype=TEXT))
        theirs = rows.frame[mapped.header].iloc[kept].reset_index(drop=True)
        made = map_column(mapped, contract.by_name.get(mapped.ours), theirs, source, self.key)
        self._note_codes(source, mapped.header, made)
        return made

    def _note_codes(self, source: Source, header: str, made: MappedColumn) -> None:
        """Remember codes that nobody has mapped."""
        if len(made.unmapped):
            frame = made.unmapped.rename_axis("code").reset_index(name="n")
            self._unmapped.append(frame.assign(source=source.name, column=header))

    def _notice_unread(self, source: Source, rows: SourceRows) -> None:
        """Count the columns that nobody mapped or dropped: they go no further."""
        unread = [header for header in rows.frame.columns if header not in {*_headers(source), *source.drop}]
        if unread:
            message = f"source {source.name}: columns that are neither mapped nor dropped: {', '.join(unread)}"
            self.noticed.append(("site", "unread_column", len(unread), message))


def _wanted(table: TableMap, rows: SourceRows) -> Mask:
    """Return the rows that a table takes."""
    wanted = np.ones(len(rows.frame), dtype=bool)
    for header, values in table.where.items():
        wanted &= missing_text(rows.frame[header]).isin(values).to_numpy()
    for header in table.where_filled:
        wanted &= missing_text(rows.frame[header]).notna().to_numpy()
    return wanted


def _headers(source: Source) -> list[str]:
    """Return every column of a source that the mapping reads."""
    named = list(source.person.headers) if source.person is not None else []
    for table in source.tables:
        named += [mapped.header for mapped in table.columns if mapped.header]
        named += [*table.where, *table.where_filled]
    for wide in source.wide:
        named += [mapped.header for mapped in wide.columns if mapped.header] + [header for _, header in wide.items]
    return list(dict.fromkeys(named))


def _refuse_absent_columns(source: Source, rows: SourceRows) -> None:
    """Stop where a file lacks a column that the mapping reads."""
    lacking = [header for header in _headers(source) if header not in rows.frame.columns]
    if lacking:
        raise TablesError(
            f"source {source.name} lacks the columns {', '.join(lacking)}",
            where=", ".join(path.name for path in rows.paths) or source.view,
            do="correct the names in site.toml, or the export",
        )
