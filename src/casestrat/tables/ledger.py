"""The ledger of a check: which rows broke which rule, table by table, and what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from casestrat.tables.columns import TEXT
from casestrat.tables.outputs import OUTPUTS
from casestrat.tables.raw import Failure, RawTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casestrat.tables.contract import Contract

Mask = npt.NDArray[np.bool_]

KEPT_RULES = ("blanked", "blanked_code", "blanked_unresolved")
"""Rules after which the cell is empty and the row stays; every other rule sets the row aside."""


class TableCheck:
    """One table on its way from raw rows to checked rows.

    Attributes
    ----------
    contract : Contract
        What the table must keep.
    raw : RawTable
        Rows as they were read.
    frame : pandas.DataFrame
        Typed rows, bad ones included, with the raw row number as index.
    """

    def __init__(self, contract: Contract, raw: RawTable) -> None:
        self.contract, self.raw = contract, raw
        self.frame = raw.frame
        self.failures: list[Failure] = list(raw.failures)
        self.warnings: list[tuple[str, int, str]] = list(raw.warnings)
        self.steps: list[Failure] = []  # illegal steps of the life cycle: listed, not set aside
        self.has_assumed_moments = False
        self._standing = np.ones(len(raw.frame), dtype=bool)
        for failure in raw.failures:
            self._leave_out(failure)

    @property
    def name(self) -> str:
        """Name of the table."""
        return self.contract.name

    @property
    def standing(self) -> Mask:
        """Rows that are not set aside."""
        return self._standing

    def fail(self, where: Mask | pd.Series, column: str, rule: str, expected: str) -> None:
        """Set rows aside for one rule; a row may break several."""
        self._record(where, column, rule, expected)

    def blank(self, where: Mask | pd.Series, column: str, rule: str, expected: str) -> None:
        """Empty cells, say so, and keep their rows."""
        mask = _mask(where)
        if mask.any():
            self.frame = self.frame.assign(**{column: self.frame[column].mask(mask)})
            self._record(mask, column, rule, expected)

    def warn(self, rule: str, n: int, message: str) -> None:
        """Say what does not leave rows out, where it occurs at all."""
        if n:
            self.warnings.append((rule, int(n), message))

    def step(self, where: Mask | pd.Series, column: str, rule: str, expected: str) -> None:
        """List rows that stand for an illegal step of the life cycle."""
        mask = _mask(where) & self._standing
        if mask.any():
            self.steps.append(Failure(np.flatnonzero(mask), column, rule, expected))
            self.warn(rule, int(mask.sum()), f"life cycle: expected {expected}")

    def expected_texts(self) -> set[str]:
        """Return what the broken rules ask for."""
        return {failure.expected for failure in (*self.failures, *self.steps)} | {one.expected for one in self.raw.lost}

    def live(self) -> pd.DataFrame:
        """Return rows not set aside, in their latest version, without retracted ones."""
        kept = self.frame.loc[self._standing]
        if not self.contract.is_about_people:
            return kept
        latest = kept.sort_values("recorded_at", kind="stable").drop_duplicates(list(self.contract.key), keep="last")
        return latest.loc[~latest["is_void"].fillna(False).astype(bool)].sort_index()

    def rows(self, index: pd.Index) -> Mask:
        """Return the mask of rows with these row numbers."""
        mask = np.zeros(len(self.frame), dtype=bool)
        mask[index.to_numpy()] = True
        return mask

    def has_reason(self, column: str) -> Mask:
        """Return the mask of rows that already broke a rule in a column."""
        mask = np.zeros(len(self.frame), dtype=bool)
        for failure in self.failures:
            if failure.column == column:
                mask[failure.rows] = True
        return mask

    def all_versions(self, index: pd.Index) -> Mask:
        """Return the mask of every version of the rows with these row numbers."""
        mask = self.rows(index)
        if not mask.any():
            return mask
        numbers = self.frame.groupby(list(self.contract.key), sort=False, dropna=False).ngroup().to_numpy()
        return np.isin(numbers, numbers[mask])

    def result(self) -> pd.DataFrame:
        """Return the rows that stand, sorted by key, then by when they were known."""
        frame = self.frame if self._standing.all() else self.frame.loc[self._standing]
        order = [*self.contract.key, *(["recorded_at"] if self.contract.is_about_people else [])]
        first = frame[order[0]]
        if not (first.is_monotonic_increasing and first.is_unique):
            frame = frame.sort_values(order, kind="stable")
        return frame.reset_index(drop=True)

    def report(self, failures: Sequence[Failure]) -> pd.DataFrame:
        """Return one row per broken rule, naming file, line and the source's own column."""
        broken = [failure for failure in failures if len(failure.rows)]
        keys = self._keys() if broken else pd.Series(dtype=TEXT)
        parts = [self._part(failure, keys) for failure in broken]
        if failures is self.failures and self.raw.lost:
            parts.append(self._lost())
        return pd.concat(parts, ignore_index=True) if parts else OUTPUTS["set_aside"].empty()

    def _lost(self) -> pd.DataFrame:
        """Return the lines that never became rows."""
        rows = [
            (self.name, lost.source, lost.line, None, lost.column or None, lost.rule, lost.expected)
            for lost in self.raw.lost
        ]
        types = {column.name: column.dtype for column in OUTPUTS["set_aside"].columns}
        return pd.DataFrame(rows, columns=list(types)).astype(types)

    def _record(self, where: Mask | pd.Series, column: str, rule: str, expected: str) -> None:
        rows = np.flatnonzero(_mask(where))
        if len(rows):
            failure = Failure(rows, column, rule, expected)
            self.failures.append(failure)
            self._leave_out(failure)

    def _leave_out(self, failure: Failure) -> None:
        if failure.rule not in KEPT_RULES:
            self._standing[failure.rows] = False

    def _part(self, failure: Failure, keys: pd.Series) -> pd.DataFrame:
        part = pd.DataFrame(
            {
                "table": self.name,
                "source": pd.Series(self.raw.source[failure.rows]).astype(TEXT),
                "line": pd.Series(self.raw.line[failure.rows]).astype("Int64"),
                "key": keys.iloc[failure.rows].to_numpy(),
                "column": pd.Series(self.raw.names_of(failure.column, failure.rows)).astype(TEXT),
                "rule": failure.rule,
                "expected": failure.expected,
            }
        )
        return part.astype(dict.fromkeys(("table", "key", "rule", "expected"), TEXT))

    def _keys(self) -> pd.Series:
        """Return the key of each row as text, missing where part of it cannot be trusted."""
        words = pd.Series("", index=self.frame.index, dtype=TEXT)
        for number, name in enumerate(self.contract.key):
            column = self.frame[name] if name in self.frame else pd.Series(pd.NA, index=self.frame.index, dtype=TEXT)
            if pd.api.types.is_datetime64_any_dtype(column.dtype):
                column = column.dt.strftime("%Y-%m-%d")
            words = words + ("|" if number else "") + column.astype(TEXT)
        bad = [f.rows for f in self.failures if f.column in self.contract.key and f.rule in ("pattern", "field_count")]
        if bad:
            words = words.mask(self.rows(pd.Index(np.concatenate(bad))))
        return words


def _mask(where: Mask | pd.Series) -> Mask:
    """Return a plain mask; an unknown comparison is no failure."""
    if isinstance(where, pd.Series):
        return where.fillna(False).to_numpy(dtype=bool)
    return where
