"""Who must stand in one partition: those whom facts join, such as a household or a person and the caregiver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from collections.abc import Collection

    from casestrat.tables import Tables


def joined_people(tables: Tables, facts: Collection[str]) -> pd.Series:
    """Return for each person whom a fact ever joined to another the least id of all those joined.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    facts : collection of str
        Facts whose value names a household, or another person.

    Returns
    -------
    pandas.Series of str
        One row per person with such a fact or named by one, index ``person_id``; at whatever time, so that no date
        needs another partition.

    Examples
    --------
    >>> from casestrat.tables import Tables
    >>> day = {"recorded_at": "2026-01-01"}
    >>> tables = Tables.from_frames({
    ...     "persons": pd.DataFrame({"person_id": ["P1", "P2", "P3"], **day}),
    ...     "referrals": pd.DataFrame({"referral_id": ["R1"], "person_id": ["P2"],
    ...                                "referred_on": ["2025-12-01"], **day}),
    ...     "person_facts": pd.DataFrame({"person_id": ["P3", "P2"], "fact": "household", "value": "H1",
    ...                                   "valid_from": "2025-01-01", **day}),
    ... })
    >>> joined_people(tables, ["household"]).to_dict()
    {'P2': 'P2', 'P3': 'P2'}
    """
    rows = tables.person_facts
    rows = rows.loc[rows["fact"].isin(list(facts)) & rows["value"].notna(), ["person_id", "fact", "value"]]
    is_person = rows["value"].isin(tables.persons["person_id"]).to_numpy(dtype=bool)
    named = np.where(is_person, "person " + rows["value"], rows["fact"] + " " + rows["value"])
    codes, nodes = pd.factorize(pd.concat([pd.Series("person " + rows["person_id"]), pd.Series(named)]))
    left, right = codes[: len(rows)], codes[len(rows) :]
    links = coo_array((np.ones(len(rows), dtype="int8"), (left, right)), shape=(len(nodes), len(nodes)))
    _, group = connected_components(links, directed=False)
    names = pd.Series(nodes, dtype=str)
    people = names.str.startswith("person ").to_numpy(dtype=bool)
    joined = pd.DataFrame({"person_id": names[people].str.removeprefix("person "), "group": group[people]})
    least = joined.groupby("group")["person_id"].transform("min")
    return pd.Series(least.to_numpy(), index=pd.Index(joined["person_id"], name="person_id")).sort_index()
