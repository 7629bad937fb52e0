"""Proofs that nothing after the date counts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from casestrat.tables import CONTRACTS, TEXT, Tables
from casestrat.timeline.as_of import checked_spine

if TYPE_CHECKING:
    import numpy as np

    from casestrat.features.builder import FeatureBuilder


def future_rows_change_nothing(tables: Tables, spine: pd.DataFrame, builder: FeatureBuilder) -> pd.DataFrame:
    """Add rows recorded on or after the last date to every table, and count the features they change.

    Each row about the people asked for is added three times: as a new row true before the dates but recorded on the
    last, as a new row true on it, and as a correction of the row itself, made void.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    spine : pandas.DataFrame
        Columns ``person_id`` and ``as_of``.
    builder : FeatureBuilder
        The features.

    Returns
    -------
    pandas.DataFrame
        One row per table and feature: table, rows_added, feature, n_values, n_changed. A sound builder has
        ``n_changed`` 0 everywhere.
    """
    before = builder.build(tables, spine)
    last = checked_spine(spine)["as_of"].max()
    people = checked_spine(spine)["person_id"].unique()
    rows = []
    for name, contract in CONTRACTS.items():
        frame = getattr(tables, name)
        if not contract.is_about_people or not len(frame):
            continue
        added = _future_rows(frame.loc[frame["person_id"].isin(people)], name, last)
        more = pd.concat([frame, added], ignore_index=True).astype(frame.dtypes)
        after = builder.build(replace(tables, **{name: more}), spine)
        for feature in before.columns:
            n = int((~_same(before[feature], after[feature])).sum())
            rows.append((name, len(added), feature, len(before), n))
    out = pd.DataFrame(rows, columns=["table", "rows_added", "feature", "n_values", "n_changed"])
    return out.astype({"table": TEXT, "feature": TEXT})


def _future_rows(frame: pd.DataFrame, name: str, last: pd.Timestamp) -> pd.DataFrame:
    """Rows that nobody knew before the last date."""
    contract = CONTRACTS[name]
    late = frame.assign(recorded_at=last)
    true_then = late.assign(**{contract.observed: last}) if contract.observed else late
    fresh = pd.concat([late, true_then], ignore_index=True)
    ids = [column for column in contract.key if column != "person_id" and contract.by_name[column].kind == "id"]
    for column in ids:
        fresh[column] = [f"future.{name}.{number}" for number in range(len(fresh))]
    void = late.assign(is_void=True) if "is_void" in frame.columns else late.iloc[:0]
    return pd.concat([fresh, void], ignore_index=True)


def _same(left: pd.Series, right: pd.Series) -> np.ndarray:
    """Which values are equal, or missing in both."""
    both = left.isna().to_numpy() & right.isna().to_numpy()
    return both | (left == right).fillna(False).to_numpy(dtype=bool)
