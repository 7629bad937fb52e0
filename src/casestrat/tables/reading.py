"""A folder of CSV or Parquet files, a site.toml or a database → checked tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from casestrat.errors import TablesError, UsageError
from casestrat.tables.contracts import CONTRACTS
from casestrat.tables.database import read_database, read_database_extract
from casestrat.tables.extract import Extract, read_extract
from casestrat.tables.files import read_csv, read_parquet
from casestrat.tables.mapping import read_site
from casestrat.tables.raw import RawTable, raw_of_file
from casestrat.tables.site_file import load_site
from casestrat.tables.tables import Tables

if TYPE_CHECKING:
    from casestrat.tables.vocabulary import Vocabulary

_SUFFIXES = (".csv", ".parquet")


def read_tables(source: str | Path, program: Vocabulary | None = None) -> Tables:
    """Read and check the tables of one extract.

    Parameters
    ----------
    source : str or pathlib.Path
        A folder of CSV (UTF-8, comma) or Parquet files named after their tables, with ``extract.toml``; the path of a
        ``site.toml`` that maps a site's own files; or the SQLAlchemy URL of a database with one table or view a table.
    program : Vocabulary, optional
        The program whose codes count; without it any well-formed code is allowed.

    Returns
    -------
    Tables
        The checked tables; ``set_aside`` has one row per broken rule.

    Raises
    ------
    UsageError
        There is no such source.
    TablesError
        A required table or a column that nothing can do without is missing; or a column looks like a
        direct identifier.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> persons = {"person_id": ["P1", "P2", "P3"], "birth_year": [1940, 1935, 19], "recorded_at": "2026-01-01"}
    >>> referrals = {"referral_id": ["R1"], "person_id": "P2", "referred_on": "2026-02-01", "recorded_at": "2026-02-02"}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pd.DataFrame(persons).to_csv(Path(folder, "persons.csv"), index=False)
    ...     pd.DataFrame(referrals).to_csv(Path(folder, "referrals.csv"), index=False)
    ...     tables = read_tables(folder)
    >>> len(tables.persons), tables.set_aside[["source", "line", "column", "expected"]].to_dict("records")
    (2, [{'source': 'persons.csv', 'line': 4, 'column': 'birth_year', 'expected': '1880–2100 year'}])
    """
    if "://" in str(source):
        raws, extract = read_database(str(source))
        return Tables.checked(raws, program, extract)
    path = Path(source)
    if path.is_dir():
        return _read_folder(path, program)
    if path.suffix == ".toml" and path.is_file():
        site = read_site(path, program)
        tables = Tables.checked(site.raws, program, site.extract, site.noticed)
        return replace(tables, unmapped_codes=site.unmapped_codes, doubtful_pairs=site.doubtful_pairs)
    raise _no_source(path)


def read_extract_of(source: str | Path) -> Extract:
    """Return what a source says of itself, without reading its tables.

    Parameters
    ----------
    source : str or pathlib.Path
        As for :func:`read_tables`.

    Returns
    -------
    Extract
        Its program, dates and time zone; empty where the source tells none.

    Raises
    ------
    UsageError
        There is no such source.
    TablesError
        What it says of itself cannot be read.
    """
    if "://" in str(source):
        return read_database_extract(str(source))
    path = Path(source)
    if path.is_dir():
        return _extract_in(path)
    if path.suffix == ".toml" and path.is_file():
        return load_site(path).extract
    raise _no_source(path)


def _no_source(path: Path) -> UsageError:
    """Return the refusal of what is no source."""
    what = "is neither a folder of tables nor a site.toml" if path.exists() else "does not exist"
    return UsageError(
        f"the source {what}",
        where=str(path),
        do="give a folder with persons.csv and referrals.csv, the path of a site.toml, or a database URL",
    )


def _extract_in(folder: Path) -> Extract:
    """Read the extract.toml of a folder, if it has one."""
    settings = folder / "extract.toml"
    return read_extract(settings) if settings.is_file() else Extract()


def _read_folder(folder: Path, program: Vocabulary | None) -> Tables:
    """Read every table whose file is there."""
    paths = _paths(folder)
    if not paths:
        site = folder / "site.toml"
        hint = f"give {site}, which maps this folder's files" if site.is_file() else "add persons.csv and referrals.csv"
        raise TablesError("the folder holds no table", where=str(folder), do=hint)
    raws = {name: _raw(path) for name, path in paths.items()}
    return Tables.checked(raws, program, _extract_in(folder))


def _paths(folder: Path) -> dict[str, Path]:
    """Return table → file; a table in two files is one too many."""
    paths: dict[str, Path] = {}
    for name in CONTRACTS:
        found = [folder / f"{name}{suffix}" for suffix in _SUFFIXES if (folder / f"{name}{suffix}").is_file()]
        if len(found) > 1:
            raise TablesError(f"table {name} is there twice, as CSV and as Parquet", where=str(folder), do="remove one")
        if found:
            paths[name] = found[0]
    return paths


def _raw(path: Path) -> RawTable:
    """Read one file."""
    rows = read_csv(path) if path.suffix == ".csv" else read_parquet(path)
    return raw_of_file(rows, path.name)
