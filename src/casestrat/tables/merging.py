"""Parts of one table from several sources → one raw table; one person told of by several sources → one row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from casestrat.tables.raw import Failure, Lost, RawTable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from casestrat.tables.checking import Notice
    from casestrat.tables.contract import Contract


@dataclass(frozen=True)
class Part:
    """Rows of one of our tables that came from one source.

    ``rows`` are positions in that source; ``originals`` gives the source's name of each of our columns.
    """

    frame: pd.DataFrame
    source: npt.NDArray[np.object_]
    line: npt.NDArray[np.int64]
    rows: npt.NDArray[np.intp]
    originals: Mapping[str, str]
    failures: tuple[Failure, ...]
    lost: tuple[Lost, ...]


def merged(contract: Contract, parts: Sequence[Part]) -> tuple[RawTable, list[Notice]]:
    """Put the parts of one table together, in the order of the sources.

    Parameters
    ----------
    contract : Contract
        The table.
    parts : sequence of Part
        One a source, or an item of a wide table.

    Returns
    -------
    tuple of RawTable and list of (table, rule, n, message)
        The rows, and what was noticed on the way.
    """
    starts = np.cumsum([0, *(len(part.frame) for part in parts)])
    raw = RawTable(
        frame=pd.concat([part.frame for part in parts], ignore_index=True),
        source=np.concatenate([part.source for part in parts]),
        line=np.concatenate([part.line for part in parts]),
        part=np.repeat(np.arange(len(parts)), [len(part.frame) for part in parts]),
        originals=tuple(part.originals for part in parts),
        failures=tuple(
            replace(failure, rows=failure.rows + start)
            for part, start in zip(parts, starts, strict=False)
            for failure in part.failures
        ),
        lost=tuple(lost for part in parts for lost in part.lost),
    )
    if contract.name == "persons" and "recorded_at" not in raw.frame:
        return _one_row_a_person(raw)
    return raw, []


def _one_row_a_person(raw: RawTable) -> tuple[RawTable, list[Notice]]:
    """Keep one row a person: of each column the first known value, sources in the order of ``site.toml``."""
    rest = [name for name in raw.frame.columns if name != "person_id"]
    groups = raw.frame.groupby("person_id", sort=False)
    values = groups[rest].nunique()
    differ = {name: int(values[name].gt(1).sum()) for name in rest}
    notices: list[Notice] = [
        ("persons", "sources_disagree", n, f"{name} differs between rows of one person; the first is kept")
        for name, n in differ.items()
        if n
    ]
    first = np.flatnonzero(~raw.frame.duplicated("person_id").to_numpy())
    frame = groups[rest].first().reset_index()[["person_id", *rest]].astype(raw.frame.dtypes.to_dict())
    place = np.full(len(raw.frame), -1, dtype=np.int64)
    place[first] = np.arange(len(first))
    kept: list[Failure] = []
    lost = list(raw.lost)
    for failure in raw.failures:
        stays = place[failure.rows] >= 0
        kept.append(replace(failure, rows=place[failure.rows[stays]]))
        gone = failure.rows[~stays]
        names = raw.names_of(failure.column, gone)
        lost += [
            Lost(str(raw.source[row]), int(raw.line[row]), str(name), failure.rule, failure.expected)
            for row, name in zip(gone, names, strict=True)
        ]
    part = raw.part[first] if raw.part is not None else None
    slim = replace(
        raw,
        frame=frame,
        source=raw.source[first],
        line=raw.line[first],
        part=part,
        failures=tuple(kept),
        lost=tuple(lost),
    )
    return slim, notices
