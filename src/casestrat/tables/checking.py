"""Raw rows → checked rows: coerce, validate, set bad rows aside with every reason, never the whole file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd
import pandera.pandas as pa

from casestrat.errors import TablesError
from casestrat.tables.columns import TEXT, Column
from casestrat.tables.contracts import CONTRACTS, contracts_for
from casestrat.tables.identifiers import looks_like_identifier
from casestrat.tables.ledger import TableCheck
from casestrat.tables.outputs import OUTPUTS
from casestrat.tables.parsing import Mask, missing_text, parse_column
from casestrat.tables.phrases import Phrase, phrases_of
from casestrat.tables.recording import assumed_recorded_at, lacks_recorded_at, refuse_without_recorded_at
from casestrat.tables.rules import check_rules
from casestrat.tables.versions import check_versions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from casestrat.tables.contract import Contract
    from casestrat.tables.extract import Extract
    from casestrat.tables.raw import RawTable
    from casestrat.tables.vocabulary import Vocabulary

Notice = tuple[str, str, int, str]
"""Table, rule, how many, message."""

_RULES = {"isin": "code", "in_range": "range", "str_matches": "pattern", "not_nullable": "missing"}


@dataclass(frozen=True)
class Checked:
    """What a check gives: frames of every table, and what was found on the way."""

    frames: dict[str, pd.DataFrame]
    extract: Extract
    set_aside: pd.DataFrame
    warnings: pd.DataFrame
    illegal_steps: pd.DataFrame
    present: frozenset[str]
    phrases: dict[str, Phrase]


def check_tables(
    raws: Mapping[str, RawTable], program: Vocabulary | None, extract: Extract, noticed: Sequence[Notice] = ()
) -> Checked:
    """Check every table of one extract.

    Parameters
    ----------
    raws : mapping of str to RawTable
        Table name → rows as read.
    program : Vocabulary or None
        The program whose codes count.
    extract : Extract
        First and last day, and where ``recorded_at`` comes from.
    noticed : sequence of (table, rule, n, message)
        Warnings of what was read before.

    Returns
    -------
    Checked
        The rows that stand, and one row per broken rule.

    Raises
    ------
    TablesError
        A table is unknown, required and missing, or lacks a column that nothing can do without.
    """
    _refuse_tables(raws)
    if program is not None and extract.program is None:
        extract = replace(extract, program=program.id)
    contracts = contracts_for(program)
    checks: dict[str, TableCheck] = {}
    for name in CONTRACTS:
        if name in raws:
            checks[name] = _check_table(contracts[name], raws[name], extract, checks)
    check_rules(checks, extract, program)
    return Checked(
        {name: checks[name].result() if name in checks else contracts[name].empty() for name in CONTRACTS},
        extract,
        _gather([check.report(check.failures) for check in checks.values()]),
        _warnings(checks, extract, program, noticed),
        _gather([check.report(check.steps) for check in checks.values()]),
        frozenset(checks),
        phrases_of(text for check in checks.values() for text in check.expected_texts()),
    )


def _refuse_tables(raws: Mapping[str, RawTable]) -> None:
    """Stop where a table is unknown, or a required one is missing or empty."""
    unknown = sorted(set(raws) - set(CONTRACTS))
    if unknown:
        raise TablesError(f"unknown tables: {', '.join(unknown)}", do="known tables are " + ", ".join(CONTRACTS))
    for name, contract in CONTRACTS.items():
        if contract.is_required and (name not in raws or not len(raws[name].frame)):
            state = "has no rows" if name in raws else "is missing"
            columns = ", ".join(column.name for column in contract.columns if column.presence != "optional")
            raise TablesError(f"the required table {name} {state}", do=f"add {name} with the columns {columns}")


def _check_table(contract: Contract, raw: RawTable, extract: Extract, before: Mapping[str, TableCheck]) -> TableCheck:
    """Coerce and validate one table on its own."""
    check = TableCheck(contract, raw)
    source = str(raw.source[0]) if len(raw.source) else contract.name
    _refuse_columns(contract, raw, source)
    _refuse_zones(contract, raw, extract, source)
    _coerce(check, extract.timezone)
    _add_recorded_at(check, extract, before, source)
    _fill(check)
    _validate(check)
    check_versions(check)
    return check


def _refuse_columns(contract: Contract, raw: RawTable, source: str) -> None:
    """Stop at a column that looks like a direct identifier, or where a column that is needed is not there."""
    for header in raw.frame.columns:
        if header not in contract.by_name and looks_like_identifier(header):
            raise TablesError(
                f"table {contract.name} has a column that looks like a direct identifier: {header}",
                where=source,
                do="drop, hash or coarsen it in a site.toml (casestrat init drafts one)",
            )
    wanted = [column.name for column in contract.columns if column.is_filled and column.name != "recorded_at"]
    lacking = [name for name in wanted if name not in raw.frame.columns]
    if lacking:
        raise TablesError(
            f"table {contract.name} lacks the columns {', '.join(lacking)}", where=source, do="add these columns"
        )


def _refuse_zones(contract: Contract, raw: RawTable, extract: Extract, source: str) -> None:
    """Stop at moments with a zone where nothing says which is the agency's own."""
    zoned = [str(name) for name, dtype in raw.frame.dtypes.items() if isinstance(dtype, pd.DatetimeTZDtype)]
    if zoned and extract.timezone is None:
        raise TablesError(
            f"table {contract.name} holds moments with a time zone: {', '.join(zoned)}",
            where=source,
            do='write the agency\'s own timezone, such as "Europe/Paris", in extract.toml, or give local times',
        )


def _coerce(check: TableCheck, timezone: str | None) -> None:
    """Give every column its type; cells that cannot be read are blanked with a reason of their own."""
    columns: dict[str, pd.Series] = {}
    unparsable: dict[str, Mask] = {}
    names = [*check.contract.names, *(name for name in check.raw.frame.columns if name not in check.contract.by_name)]
    for name in names:
        if name not in check.raw.frame.columns:
            continue
        column = check.contract.by_name.get(name)
        if column is None:
            columns[name] = missing_text(check.raw.frame[name])  # text, whatever the source
            check.warn("extra_column", 1, f"column {name} is no part of the contract; it is kept")
            continue
        columns[name], is_bad = parse_column(column, check.raw.frame[name], timezone)
        if is_bad.any():
            unparsable[name] = is_bad
    check.frame = pd.DataFrame(columns)
    for name, is_bad in unparsable.items():
        column = check.contract.by_name[name]
        if column.is_filled:
            check.fail(is_bad, name, "unparsable", column.parse_words)
        else:
            check.blank(is_bad, name, "blanked", column.parse_words)


def _add_recorded_at(check: TableCheck, extract: Extract, before: Mapping[str, TableCheck], source: str) -> None:
    """Fill when rows were known, where the extract declares it."""
    if not lacks_recorded_at(check.contract, check.frame):
        return
    refuse_without_recorded_at(check.contract, extract, source)
    sittings = before["assessments"].frame if "assessments" in before else None
    moments, message = assumed_recorded_at(check.contract, check.frame, extract, sittings)
    check.frame = check.frame.assign(recorded_at=moments)
    check.has_assumed_moments = True
    check.warn("recorded_at_assumed", len(check.frame), message)


def _fill(check: TableCheck) -> None:
    """Add the columns that the source lacks, all missing; nothing is void unless it says so."""
    contract, frame = check.contract, check.frame
    absent = [column for column in contract.columns if column.name not in frame]
    added = {column.name: pd.Series(index=frame.index, dtype=column.dtype) for column in absent}
    for column in absent:
        if column.presence == "expected":
            check.warn("missing_column", 1, f"column {column.name} is not there; all its values count as unknown")
    frame = frame.assign(**added)
    if "is_void" in frame:
        frame["is_void"] = frame["is_void"].fillna(False)
    rest = [name for name in frame.columns if name not in contract.by_name]
    check.frame = frame[[*contract.names, *rest]]


def _validate(check: TableCheck) -> None:
    """Ask pandera for every failure at once; its own messages print values and are never shown."""
    read = check.raw.frame.columns
    columns = [c for c in check.contract.columns if c.is_constrained and (c.is_filled or c.name in read)]
    try:
        check.contract.schema(columns).validate(check.frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
    else:
        return
    for (name, words), found in cases.groupby(["column", "check"], sort=True):
        rule = _RULES[str(words).partition("(")[0]]
        mask = check.rows(pd.Index(found["index"].astype("int64")))
        if rule == "missing" and name == "recorded_at" and check.has_assumed_moments:
            continue  # the column it is derived from has its reason
        if rule == "missing":
            mask &= ~check.has_reason(str(name))  # a cell that was blanked has its reason
        column = check.contract.by_name[str(name)]
        check.fail(mask, column.name, rule, _expected(column, rule))


def _expected(column: Column, rule: str) -> str:
    """Say in words what one constraint of a column asks for."""
    words = {"code": column.codes_words, "range": column.range_words, "pattern": column.pattern_words}
    return words[rule]() if rule in words else Phrase("expected.filled", column=column.name)


def _gather(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Put the reports of all tables together, in the order of tables, files and lines."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return OUTPUTS["set_aside"].empty()
    order = pd.concat(
        [part.sort_values(["source", "line", "column", "rule"], kind="stable") for part in parts], ignore_index=True
    )
    return order[list(OUTPUTS["set_aside"].names)]


def _warnings(
    checks: Mapping[str, TableCheck], extract: Extract, program: Vocabulary | None, noticed: Sequence[Notice]
) -> pd.DataFrame:
    """Return one row per finding that leaves no row out."""
    rows = [{"table": table, "rule": rule, "n": n, "message": message} for table, rule, n, message in noticed]
    rows += [
        {"table": name, "rule": rule, "n": n, "message": message}
        for name, check in checks.items()
        for rule, n, message in check.warnings
    ]
    if extract.data_start is None:
        message = "no data_start: windows that reach before the first day of the extract cannot be told"
        rows.append({"table": "extract", "rule": "no_data_start", "n": 1, "message": message})
    if program is not None and extract.program != program.id:
        message = f"the extract was made for the program {extract.program}; it is read for {program.id}"
        rows.append({"table": "extract", "rule": "other_program", "n": 1, "message": message})
    frame = pd.DataFrame(rows, columns=["table", "rule", "n", "message"])
    return frame.astype({"table": TEXT, "rule": TEXT, "n": "Int64", "message": TEXT})
