"""Tables cut into parts by person: each table is ordered by part once, however many parts there are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from casestrat.tables.columns import TEXT
from casestrat.tables.contracts import CONTRACTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from casestrat.tables.tables import Tables


@dataclass(frozen=True, slots=True)
class ObservationRecorded:
    """Since when an extract tells, of anybody, what happened and when people were under observation.

    Parameters
    ----------
    persons : pandas.Timestamp or None
        When the first ``persons.observed_from`` or ``observed_until`` was recorded; None where there is none.
    enrollments : pandas.Timestamp or None
        When the first row of `enrollments` was recorded; None where there is none.
    first_rows : mapping of str to pandas.Timestamp
        When the first row of each table about people was recorded; a table without rows is left out.
    """

    persons: pd.Timestamp | None
    enrollments: pd.Timestamp | None
    first_rows: Mapping[str, pd.Timestamp]


def split_tables(tables: Tables, parts: Sequence[pd.Series]) -> Iterator[Tables]:
    """Give the tables of one part of the people after the other.

    The parts keep what only the whole can tell: since when observation is recorded.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    parts : sequence of pandas.Series
        The ids of each part; a person belongs to one part at most.

    Yields
    ------
    Tables
        The rows about the people of one part, in the order of the whole; tables that are not about people stay whole.

    Examples
    --------
    >>> from casestrat.tables import Tables
    >>> tables = Tables.from_frames({
    ...     "persons": pd.DataFrame({"person_id": ["P1", "P2", "P3"], "recorded_at": "2026-01-01"}),
    ...     "referrals": pd.DataFrame({"referral_id": ["R1"], "person_id": ["P2"], "referred_on": ["2026-02-01"],
    ...                                "recorded_at": ["2026-02-02"]}),
    ... })
    >>> parts = [pd.Series(["P1", "P3"], dtype=TEXT), pd.Series(["P2"], dtype=TEXT)]
    >>> [(len(part.persons), len(part.referrals)) for part in split_tables(tables, parts)]
    [(2, 0), (1, 1)]
    """
    for part, _ in split_with_codes(tables, parts):
        yield part


def split_with_codes(
    tables: Tables, parts: Sequence[pd.Series]
) -> Iterator[tuple[Tables, dict[str, NDArray[np.int64]]]]:
    """Give the parts of :func:`split_tables`, and for each table of a part the place of each row's person in the part.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    parts : sequence of pandas.Series
        The ids of each part; a person belongs to one part at most.

    Yields
    ------
    tuple of Tables and dict
        The tables of the part, and the codes of their rows by the name of the table.
    """
    if not len(parts):
        return
    ids = pa.array(pd.concat([pd.Series(part, dtype=TEXT) for part in parts], ignore_index=True), from_pandas=True)
    part_of_id = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    observation = observation_recorded(tables)
    cuts = {}
    for name, contract in CONTRACTS.items():
        frame = getattr(tables, name)
        if "person_id" in contract.by_name and len(frame):
            cuts[name] = _places(frame["person_id"], ids, part_of_id, len(parts))
    begins = np.cumsum([0, *map(len, parts)])
    for number in range(len(parts)):
        kept, codes = {}, {}
        for name, (place, order, starts) in cuts.items():
            rows = order[starts[number] : starts[number + 1]]
            kept[name] = getattr(tables, name).take(rows).reset_index(drop=True)
            codes[name] = place[rows] - begins[number]
        yield replace(tables, observation=observation, **kept), codes


def observation_recorded(tables: Tables) -> ObservationRecorded:
    """Say since when the extract tells what happened and when people were under observation.

    Parameters
    ----------
    tables : Tables
        The checked tables, or one part of them.

    Returns
    -------
    ObservationRecorded
        Of the whole extract, also where the tables are a part.
    """
    if tables.observation is not None:
        return tables.observation
    persons = tables.persons
    with_span = persons[["observed_from", "observed_until"]].notna().any(axis=1)
    firsts = {name: _first(getattr(tables, name)["recorded_at"]) for name, c in CONTRACTS.items() if c.is_about_people}
    return ObservationRecorded(
        _first(persons.loc[with_span, "recorded_at"]),
        firsts["enrollments"],
        {name: first for name, first in firsts.items() if first is not None},
    )


def _first(moments: pd.Series) -> pd.Timestamp | None:
    first = moments.min()
    return None if pd.isna(first) else first


def _places(
    person_id: pd.Series, ids: pa.Array, part_of_id: NDArray[np.int64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Place of each row's person among the ids, places of the rows ordered by part, and where each part begins."""
    found = pc.fill_null(pc.index_in(pa.array(person_id, from_pandas=True).cast(ids.type), value_set=ids), -1)
    if isinstance(found, pa.ChunkedArray):
        found = found.combine_chunks()
    place = np.asarray(found.to_numpy(zero_copy_only=False), dtype="int64")
    part = np.append(part_of_id, count)[place]  # place −1: nobody's, after the last part
    starts = np.zeros(count + 2, dtype="int64")
    np.cumsum(np.bincount(part, minlength=count + 1), out=starts[1:])
    return place, np.argsort(part, kind="stable"), starts
