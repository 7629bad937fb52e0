"""A database, through SQLAlchemy: one table or view a contract."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from casestrat.errors import TablesError, UsageError
from casestrat.tables.contracts import CONTRACTS
from casestrat.tables.extract import Extract, extract_of
from casestrat.tables.raw import RawTable, raw_of_frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

_EXTRACT = "extract"


def read_database(url: str) -> tuple[dict[str, RawTable], Extract]:
    """Read every table or view that has the name of a contract.

    Parameters
    ----------
    url : str
        A SQLAlchemy URL, such as ``sqlite:///agency.db``. A table or view ``extract`` with one row holds what
        ``extract.toml`` holds for a folder.

    Returns
    -------
    tuple of dict and Extract
        Table name → rows as read; and the extract.

    Raises
    ------
    UsageError
        SQLAlchemy is not installed.
    TablesError
        The database cannot be opened or read.
    """
    with _open(url) as (connection, shown):
        names = _names(connection)
        raws = {name: raw_of_frame(name, _rows(connection, name)) for name in CONTRACTS if name in names}
        extract = _extract_in(connection, names, shown)
    return raws, extract


def read_database_extract(url: str) -> Extract:
    """Read what a database says of its extract, and no other table; empty where it says nothing."""
    with _open(url) as (connection, shown):
        return _extract_in(connection, _names(connection), shown)


def _extract_in(connection: Connection, names: set[str], shown: str) -> Extract:
    """Read the table ``extract``, if there is one."""
    return _extract(_rows(connection, _EXTRACT), shown) if _EXTRACT in names else Extract()


def read_view(url: str, name: str) -> pd.DataFrame:
    """Read one table or view of a site's own database, under its own column names."""
    with _open(url) as (connection, shown):
        if name not in _names(connection):
            raise TablesError("the database has no such table or view", where=f"{shown}, {name}", do="correct view")
        return _rows(connection, name).rename(columns=str)


@contextmanager
def _open(url: str) -> Iterator[tuple[Connection, str]]:
    """Open a database for reading; what goes wrong is told without its password."""
    try:
        import sqlalchemy as sql  # an optional extra
    except ImportError:
        raise UsageError("reading a database needs SQLAlchemy", do="install casestrat[sql]") from None
    shown = "the database URL"
    try:
        address = sql.engine.make_url(url)
        shown = address.render_as_string(hide_password=True)
        _refuse_absent_file(address.get_backend_name(), address.database, shown)
        engine = sql.create_engine(address)
        try:
            with engine.connect() as connection:
                yield connection, shown
        finally:
            engine.dispose()
    except (sql.exc.SQLAlchemyError, ImportError) as error:
        raise TablesError(
            f"the database cannot be read ({type(error).__name__})", where=shown, do="check the URL and the driver"
        ) from None


def _names(connection: Connection) -> set[str]:
    """Return the names of all tables and views."""
    import sqlalchemy as sql  # an optional extra

    inspector = sql.inspect(connection)
    return {*inspector.get_table_names(), *inspector.get_view_names()}


def _refuse_absent_file(backend: str, path: str | None, shown: str) -> None:
    """Stop where an SQLite file is not there: connecting would make an empty one."""
    if backend == "sqlite" and path and path != ":memory:" and not Path(path).is_file():
        raise TablesError("the database file is not there", where=shown, do="check the path after sqlite:///")


def _rows(connection: Connection, name: str) -> pd.DataFrame:
    """Return all rows of one table or view."""
    import sqlalchemy as sql  # an optional extra

    return pd.read_sql_query(sql.select(sql.text("*")).select_from(sql.table(name)), connection)


def _extract(frame: pd.DataFrame, where: str) -> Extract:
    """Return the extract that the one row of the table `extract` describes."""
    if len(frame) != 1:
        raise TablesError("the table extract must have one row", where=where, do="leave one row in it")
    row: dict[str, Any] = {str(name): value for name, value in frame.iloc[0].items() if pd.notna(value)}
    return extract_of(row, where)
