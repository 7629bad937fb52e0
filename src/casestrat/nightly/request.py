"""What is asked of a night: program, date, model and tables, each refused in words where it cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date as date_type
from typing import TYPE_CHECKING, Any

import pandas as pd

from casestrat.errors import UsageError
from casestrat.models import PointScorecard, load_model
from casestrat.nightly.registry import model_file
from casestrat.tables import Tables, read_tables

if TYPE_CHECKING:
    from pathlib import Path

    from casestrat.knowledge import Program

Progress = Callable[[str, int, int], None]  # step, done, of


def load_scorer(model: str | Path | None, program: Program) -> Any:
    """Return the model that scores: a stored one, the one in service of a registry, or else the program's scorecard.

    Raises
    ------
    StoreError
        The stored model cannot be read.
    """
    path = model_file(model)
    return PointScorecard.from_table(program.risk.scorecard) if path is None else load_model(path)


def parse_as_of(as_of: str | pd.Timestamp) -> pd.Timestamp:
    """Return the date of a run as a moment at midnight.

    Raises
    ------
    UsageError
        For anything but a date written ``2026-10-01``.
    """
    try:
        # Strict, so that 01/10/2026 is never read as the tenth of January.
        date = pd.Timestamp(date_type.fromisoformat(as_of) if isinstance(as_of, str) else as_of)
    except (ValueError, TypeError):
        date = None
    if date is None or pd.isna(date) or date.tzinfo is not None or date != date.normalize():
        raise UsageError("the date of the run cannot be read", where="as_of", do="write it as 2026-10-01")
    return date


def read_source(source: str | Path | Tables, program: Program, as_of: pd.Timestamp) -> Tables:
    """Return the tables of a source, which must be of that program and begin before that date.

    Raises
    ------
    UsageError
        The extract was made for another program, or begins later.
    TablesError
        A required table or key column is missing.
    """
    tables = source if isinstance(source, Tables) else read_tables(source, program)
    check_program(tables, program)
    check_date(tables, as_of)
    return tables


def check_date(tables: Tables, as_of: pd.Timestamp) -> None:
    """Refuse a date before the first day that the extract covers.

    Raises
    ------
    UsageError
        Naming both dates.
    """
    start = tables.extract.data_start
    if start is not None and as_of <= start:
        raise UsageError(
            f"the date of the run, {as_of:%Y-%m-%d}, is not after the start of the data, {start:%Y-%m-%d}: "
            "nothing was known yet",
            where="as_of and data_start in extract.toml",
            do="give a later date, or mend data_start",
        )


def check_program(tables: Tables, program: Program) -> None:
    """Refuse an extract that says it was made for another program.

    Raises
    ------
    UsageError
        Naming both programs.
    """
    made_for = tables.extract.program
    if made_for is not None and made_for != program.id:
        raise UsageError(
            f"the extract was made for the program {made_for}, and the run is of {program.id}",
            where="program in extract.toml or site.toml",
            do="give the other program, or mend the extract's `program`",
        )


def check_staff(tables: Tables, source: str | Path | Tables, lack: str) -> None:
    """Refuse an extract without case managers where somebody must be proposed.

    Raises
    ------
    UsageError
        Saying what cannot be done.
    """
    if not tables.has("case_managers"):
        raise UsageError(
            f"the extract has no table case_managers, so nobody can {lack}",
            where=None if isinstance(source, Tables) else str(source),
            do="add case_managers; `casestrat check` says what else is missing",
        )
