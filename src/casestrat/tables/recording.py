"""When a row was known, where the source does not say: the extract declares it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from casestrat.errors import TablesError
from casestrat.tables.lookup import values_of

if TYPE_CHECKING:
    from casestrat.tables.contract import Contract
    from casestrat.tables.extract import Extract

_NEXT_DAY = pd.Timedelta(days=1)
_ASSUMED = (
    "no recorded_at: rows count as known on the day after they were true, as the extract declares; "
    "late recording cannot be seen"
)


def lacks_recorded_at(contract: Contract, frame: pd.DataFrame) -> bool:
    """Tell whether a table about people does not say when its rows were known."""
    if not contract.is_about_people:
        return False
    return "recorded_at" not in frame or bool(frame["recorded_at"].isna().all() and len(frame))


def refuse_without_recorded_at(contract: Contract, extract: Extract, source: str) -> None:
    """Stop where neither the rows nor the extract say when rows were known."""
    if extract.recorded_at == "column":
        raise TablesError(
            f"table {contract.name} lacks the column recorded_at",
            where=source,
            do='add the column, or write recorded_at = "extract" or "observed_at" in extract.toml',
        )
    if extract.recorded_at == "extract" and extract.data_end is None:
        raise TablesError(
            'recorded_at = "extract" needs data_end, the day up to which rows were known',
            where="extract.toml",
            do="write data_end = YYYY-MM-DD",
        )


def assumed_recorded_at(
    contract: Contract, frame: pd.DataFrame, extract: Extract, assessments: pd.DataFrame | None
) -> tuple[pd.Series, str]:
    """Return the assumed moments, and the warning that goes with them.

    Answers are known when their sitting is. What has no day of its own (people, wishes) counts as known from the
    start of follow-up where that is known, else from the first day of the extract.
    """
    if extract.recorded_at == "extract":
        end = pd.Series(extract.data_end, index=frame.index, dtype="datetime64[us]")
        return end, "no recorded_at: rows count as known on the last day of the extract, as the extract declares"
    if contract.observed is not None:
        return frame[contract.observed].dt.normalize() + _NEXT_DAY, _ASSUMED
    if contract.name == "responses" and assessments is not None and len(assessments):
        return values_of(frame["assessment_id"], assessments, "assessment_id", "recorded_at"), _ASSUMED
    if "observed_from" in frame and frame["observed_from"].notna().any():
        start = frame["observed_from"]
    else:
        start = pd.Series(pd.NaT, index=frame.index, dtype="datetime64[us]")
    first = extract.data_start if extract.data_start is not None else extract.data_end
    if first is None:
        raise TablesError(
            f'recorded_at = "observed_at" needs data_start: rows of {contract.name} have no day of their own',
            where="extract.toml",
            do="write data_start = YYYY-MM-DD",
        )
    return start.fillna(first), _ASSUMED
