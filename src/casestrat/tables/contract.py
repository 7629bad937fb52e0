"""One contract: a pandera model of a table, and what can be asked of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import pandas as pd
import pandera.pandas as pa

from casestrat.tables.columns import Column, Flag, Moment, flag, moment
from casestrat.tables.vocabulary import Vocabulary, codes_of

_LAST = ("program", "site", "recorded_at", "is_void")  # shown after a table's own columns


def facts(
    *,
    adds: str,
    key: tuple[str, ...] = (),
    is_required: bool = False,
    observed: str | None = None,
    references: Mapping[str, str] | None = None,
    spans: tuple[tuple[str, str], ...] = (),
) -> dict[str, Any]:
    """Declare what is true of a whole table; the attributes of :class:`Contract` tell what each means."""
    return {
        "key": key,
        "adds": adds,
        "is_required": is_required,
        "observed": observed,
        "references": tuple((references or {}).items()),
        "spans": spans,
    }


class Table(pa.DataFrameModel):
    """A table of the extract; its class docstring says what one row is."""

    class Config:
        """Facts about the whole table."""

        strict = False  # extra columns are kept and reported


class AboutPeople(Table):
    """A table whose rows are about people: when each row was known, and whether it was retracted."""

    recorded_at: Moment = moment("When the system knew it; a row counts from the day after.", presence="needed")
    is_void: Flag = flag(
        "True retracts the row with the same key.", role="neither", why="it retracts", presence="optional"
    )


@dataclass(frozen=True)
class Contract:
    """The contract of one table or output, read from its pandera model.

    Attributes
    ----------
    name : str
        Name of the table.
    model : type of pandera.pandas.DataFrameModel
        The class that declares the columns.
    key : tuple of str
        Columns that tell rows apart; several versions of a row differ in ``recorded_at`` alone.
    columns : tuple of Column
        Key first.
    adds : str
        What having the table adds to the outputs.
    observed : str or None
        The column that says when a row was true in the world.
    references : dict
        Column → table that must hold its id.
    spans : tuple of pair of str
        Columns where the second may not be before the first.
    """

    name: str
    model: type[pa.DataFrameModel]
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    adds: str = ""
    is_required: bool = False
    observed: str | None = None
    references: tuple[tuple[str, str], ...] = ()
    spans: tuple[tuple[str, str], ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Column names, key first."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Columns by name."""
        return {column.name: column for column in self.columns}

    @property
    def is_about_people(self) -> bool:
        """Whether the rows are about people and carry when they were known."""
        return "recorded_at" in self.by_name

    def empty(self) -> pd.DataFrame:
        """Return a frame without rows that has the contract's columns and types."""
        return _empty_frame(tuple((column.name, column.dtype) for column in self.columns)).copy()

    def with_program(self, program: Vocabulary | None) -> "Contract":
        """Return the contract with the program's codes, and its criteria inputs as columns of `referrals`."""
        columns = [_with_codes(column, program) for column in self.columns]
        if self.name == "referrals":
            known = {column.name for column in columns}
            inputs = [name for name in codes_of(program, "referral.criteria_inputs") if name not in known]
            end = next(i for i, column in enumerate(columns) if column.name in _LAST)
            columns[end:end] = [_criteria_input(name) for name in inputs]
        return replace(self, columns=tuple(columns))

    def schema(self, columns: Iterable[Column] | None = None) -> pa.DataFrameSchema:
        """Return the pandera schema of these columns, or of some of them."""
        chosen = self.columns if columns is None else columns
        return pa.DataFrameSchema(
            {column.name: _schema_column(column) for column in chosen}, strict=False, name=self.name
        )


def contract_of(name: str, model: type[pa.DataFrameModel]) -> Contract:
    """Read the contract of one pandera model."""
    fields = model.to_schema().columns
    whole_table: dict[str, Any] = dict(model.Config.metadata or {})
    own = [column for column in fields if column not in _LAST]
    order = [*own, *(column for column in _LAST if column in fields)]
    key = whole_table.pop("key") or (own[0],)
    columns = tuple(
        Column(name=column, description=str(fields[column].description), **(fields[column].metadata or {}))
        for column in order
    )
    return Contract(
        name=name, model=model, description=(model.__doc__ or "").strip(), key=key, columns=columns, **whole_table
    )


@cache  # each check of tables starts with a dozen of them
def _empty_frame(columns: tuple[tuple[str, Any], ...]) -> pd.DataFrame:
    """Return a frame without rows, of named columns with types."""
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in columns})


def _with_codes(column: Column, program: Vocabulary | None) -> Column:
    """Return the column with the program's codes in place of the general ones."""
    codes = codes_of(program, column.vocabulary) if column.vocabulary else ()
    return replace(column, codes=codes, pattern="") if codes else column


def _criteria_input(name: str) -> Column:
    """Return a yes/no/unknown question of the referral form as a column."""
    return Column(
        name, "flag", "expected", "feature", "", "A question of the referral form that the admission criteria read."
    )


def _schema_column(column: Column) -> pa.Column:
    """Return the pandera column of one declared column."""
    checks = []
    if column.codes:
        checks.append(pa.Check.isin(list(column.codes)))
    if column.low is not None:
        checks.append(pa.Check.in_range(column.low, column.high))
    if column.pattern:
        checks.append(pa.Check.str_matches(column.pattern))
    return pa.Column(column.dtype, checks, nullable=not column.is_filled, description=column.description)
