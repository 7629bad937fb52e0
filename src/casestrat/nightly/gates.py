"""Gates before scoring: past a limit the run stops, and the last good list stays where it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from casestrat.errors import GateError, UsageError
from casestrat.limits import MAX_SET_ASIDE, MAX_STALE_DAYS

if TYPE_CHECKING:
    from casestrat.tables import Tables


@dataclass(frozen=True, slots=True)
class Gates:
    """Limits that an extract must keep to be scored unattended.

    Parameters
    ----------
    max_set_aside : float
        Largest share of a table's rows that may be set aside, in [0, 1].
    max_stale_days : int
        Most days between the newest row of the extract known on the date of the run and that date.
    """

    max_set_aside: float = MAX_SET_ASIDE
    max_stale_days: int = MAX_STALE_DAYS

    def __post_init__(self) -> None:
        if not 0 <= self.max_set_aside <= 1:
            raise UsageError("the share of rows set aside must lie in [0, 1]", where="max_set_aside")
        if self.max_stale_days < 0:
            raise UsageError("the number of days must not be negative", where="max_stale_days")

    def check(self, tables: Tables, as_of: pd.Timestamp) -> None:
        """Stop a run on an extract that is too dirty or too old.

        Parameters
        ----------
        tables : Tables
            The checked tables.
        as_of : pandas.Timestamp
            The date of the run.

        Raises
        ------
        GateError
            Naming the table or the dates, and the limit.
        """
        self._check_set_aside(tables)
        self._check_freshness(tables, as_of)

    def _check_set_aside(self, tables: Tables) -> None:
        for name, aside in tables.rows_set_aside().items():
            total = aside + len(getattr(tables, str(name)))
            if aside / total > self.max_set_aside:
                raise GateError(
                    f"{aside:,} of {total:,} rows were set aside ({aside / total:.0%}), "
                    f"more than the limit of {self.max_set_aside:.0%}",
                    where=f"table {name}",
                    do="mend the rows that `casestrat check` lists, or raise the limit with --max-set-aside",
                )

    def _check_freshness(self, tables: Tables, as_of: pd.Timestamp) -> None:
        newest = newest_row(tables, as_of)
        if newest is None:
            raise GateError(
                f"nothing in the extract was recorded before {as_of:%Y-%m-%d}",
                where="recorded_at of every table",
                do="check the date of the run and the dates of the extract",
            )
        age = (as_of - newest).days
        if age > self.max_stale_days:
            raise GateError(
                f"the newest row known on {as_of:%Y-%m-%d} was recorded on {newest:%Y-%m-%d}, {age} days before; "
                f"the limit is {self.max_stale_days}",
                where="recorded_at of every table",
                do="extract anew, or raise the limit with --max-stale-days",
            )


def newest_row(tables: Tables, as_of: pd.Timestamp) -> pd.Timestamp | None:
    """Return when the newest row known on a date was recorded, or None."""
    moments = []
    for frame in tables.frames().values():
        if "recorded_at" in frame.columns:
            recorded = frame["recorded_at"]
            moments.append(recorded[recorded < as_of].max())
    known_moments = [moment for moment in moments if pd.notna(moment)]
    return max(known_moments) if known_moments else None
