"""How the features of others are computed: the caregiver's, the household's, whom facts name on the date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api import types

from casestrat.errors import UsageError
from casestrat.features.computed import Computed
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from casestrat.features.reading import Reading

    Compute = Callable[[Any, Reading], Computed]


def caregiver(feature: Any, reading: Reading, compute: Compute) -> Computed:
    """Compute a feature of the person whom a fact names, one value per spine row."""
    named, places = _fact(feature.fact, reading)
    row = np.flatnonzero(named.notna().to_numpy())
    found = _of_others(feature.feature, named.iloc[row], row, reading, compute)
    column = pd.Series(found.column)
    if types.is_numeric_dtype(column.dtype):
        values = np.full(len(reading.spine), np.nan)
        values[row] = column.to_numpy(dtype="float64")
        return Computed(values, "person_facts", places, found.is_flag)
    return Computed(column.set_axis(row).reindex(range(len(reading.spine))).astype(TEXT).array, "person_facts", places)


def household(feature: Any, reading: Reading, compute: Compute) -> Computed:
    """Compute a feature of numbers over the others of the household, one value per spine row."""
    row, member, places = _members(feature.fact, reading)
    found = _of_others(feature.feature, member, row, reading, compute)
    column = pd.Series(found.column)
    if not types.is_numeric_dtype(column.dtype):
        raise UsageError(
            f"the members' values of {feature.feature.name!r} are text, which cannot be united by {feature.how!r}",
            where=f"feature {feature.name!r}",
            do="choose a feature of numbers or flags",
        )
    known = column.notna().to_numpy()
    united = column[known].groupby(row[known]).agg(feature.how).reindex(range(len(reading.spine)))
    is_flag = found.is_flag and feature.how in ("min", "max")
    return Computed(united.to_numpy(dtype="float64"), "person_facts", places, is_flag)


def household_size(feature: Any, reading: Reading, _compute: Compute) -> Computed:
    """Count the people of the household, one value per spine row."""
    row, _, places = _members(feature.fact, reading)
    others = np.bincount(row, minlength=len(reading.spine)).astype("float64")
    return Computed(np.where(places < 0, np.nan, others + 1), "person_facts", places)


def _fact(fact: str, reading: Reading) -> tuple[pd.Series, NDArray[np.int64]]:
    """Return a fact's value for each spine row, missing where it is not known, and the place of its row."""
    places = reading.windows("person_facts", where={"fact": fact}).last()
    values = pd.Series(reading.tables.person_facts["value"].array.take(places, allow_fill=True), dtype=TEXT)
    values = values.mask(values.str.strip().isin(["", "unknown"]))
    return values, np.where(values.isna(), -1, places)


def _members(fact: str, reading: Reading) -> tuple[NDArray[np.int64], pd.Series, NDArray[np.int64]]:
    """Pairs of a spine row and another person of the same household on its date, and where the household stood."""
    mine, places = _fact(fact, reading)
    facts = reading.tables.person_facts
    ever = facts.loc[(facts["fact"] == fact) & facts["value"].isin(mine.dropna()), ["person_id", "value"]]
    left = pd.DataFrame({"row": np.arange(len(mine)), "value": mine}).dropna()
    pairs = left.merge(ever.drop_duplicates(), on="value")
    asked = reading.spine.iloc[pairs["row"].to_numpy()].reset_index(drop=True)
    pairs = pairs.loc[(pairs["person_id"] != asked["person_id"]).to_numpy()].reset_index(drop=True)
    others, at = _asked(pairs["person_id"], pairs["row"].to_numpy(), reading)
    theirs = _fact(fact, others)[0].iloc[at].reset_index(drop=True)
    pairs = pairs.loc[(theirs == pairs["value"]).to_numpy(dtype=bool, na_value=False)]
    pairs = pairs.sort_values(["row", "person_id"])
    return pairs["row"].to_numpy(), pairs["person_id"], places


def _of_others(
    feature: Any, person_id: pd.Series, row: NDArray[np.int64], reading: Reading, compute: Compute
) -> Computed:
    """Compute a feature of other people on the dates of these spine rows, one value per pair."""
    others, at = _asked(person_id, row, reading)
    found = compute(feature, others)
    column = pd.Series(found.column).iloc[at].reset_index(drop=True)
    is_known = others.windows("persons").count()[at] > 0  # nobody is zero who is not in `persons`
    return Computed(column.where(is_known).array, found.table, found.places[at], found.is_flag)


def _asked(person_id: pd.Series, row: NDArray[np.int64], reading: Reading) -> tuple[Reading, NDArray[np.int64]]:
    """Ask about other people on the dates of spine rows: each once, and where each pair's question stands."""
    dates = reading.spine["as_of"].to_numpy()[row]
    pairs = pd.DataFrame({"person_id": person_id.astype(TEXT).to_numpy(), "as_of": dates}).astype({"person_id": TEXT})
    at = np.asarray(pairs.groupby(["person_id", "as_of"], sort=False).ngroup(), dtype="int64")
    return reading.about(pairs.drop_duplicates(ignore_index=True)), at


OF_OTHERS: dict[str, Callable[[Any, Reading, Compute], Computed]] = {
    "caregiver": caregiver,
    "household": household,
    "household_size": household_size,
}
