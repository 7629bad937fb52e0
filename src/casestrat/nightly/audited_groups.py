"""The groups by which a program is audited: what each person belongs to, as known on a date."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.nightly.waiting import territory_on
from casestrat.tables import TEXT, Tables
from casestrat.timeline import known

if TYPE_CHECKING:
    from casestrat.knowledge import Program

_BANDS = (60, 75, 85)  # ages in whole years at which a band begins


def audit_groups_of(tables: Tables, program: Program, as_of: str | pd.Timestamp) -> pd.DataFrame:
    """Return the audit groups of everyone known on a date.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        Its ``audit_groups``: columns of `persons`, facts, and ``age_band``.
    as_of : str or pandas.Timestamp
        The date.

    Returns
    -------
    pandas.DataFrame
        One row per person, index ``person_id``, one column per grouping as text; missing where not known.

    Examples
    --------
    >>> from casestrat.knowledge import load_program
    >>> persons = pd.DataFrame({"person_id": ["P1", "P2", "P3"], "sex": ["f", "m", None], "recorded_at": "2026-01-01"})
    >>> referrals = pd.DataFrame({"referral_id": ["R1"], "person_id": ["P1"], "referred_on": "2026-02-01",
    ...                           "recorded_at": "2026-02-01"})
    >>> tables = Tables.from_frames({"persons": persons, "referrals": referrals})
    >>> audit_groups_of(tables, load_program("geriatric"), "2026-10-01")["sex"].tolist()
    ['f', 'm', nan]
    """
    date = pd.Timestamp(as_of)
    persons = known(tables.persons, "person_id", date).drop_duplicates("person_id", keep="last")
    people = persons.set_index("person_id")
    facts = known(tables.person_facts, ["person_id", "fact", "valid_from"], date)
    facts = facts[(facts["valid_from"] < date) & (facts["valid_to"].isna() | (facts["valid_to"] >= date))]
    facts = facts.sort_values(["valid_from", "recorded_at"], kind="stable")
    columns = {}
    for name in program.audit_groups:
        if name == "territory":
            columns[name] = territory_on(tables, persons["person_id"], date)
        elif name == "age_band":
            columns[name] = _bands(date.year - people["birth_year"].to_numpy(dtype=float, na_value=np.nan))
        elif name in people.columns:
            columns[name] = people[name].map(str, na_action="ignore").to_numpy(dtype=object)
        else:
            mine = facts[facts["fact"].eq(name).fillna(False)].drop_duplicates("person_id", keep="last")
            columns[name] = mine.set_index("person_id")["value"].reindex(people.index).to_numpy(dtype=object)
    frame = pd.DataFrame({name: pd.array(_clean(column), dtype=TEXT) for name, column in columns.items()})
    return frame.set_index(people.index)


def _clean(column: np.ndarray) -> list[str | None]:
    """Return words, None where missing."""
    return [None if pd.isna(value) else str(value) for value in column]


def _bands(ages: np.ndarray) -> np.ndarray:
    """Return age bands such as ``75–84``."""
    names = [f"under {_BANDS[0]}", *(f"{low}–{high - 1}" for low, high in itertools.pairwise(_BANDS)),
             f"{_BANDS[-1]} or over"]  # fmt: skip
    bands = np.array([*names, None], dtype=object)
    return bands[np.where(np.isnan(ages), len(names), np.searchsorted(_BANDS, ages, side="right"))]
