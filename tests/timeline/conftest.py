"""Small tables by hand, for the tests of the timeline."""

from dataclasses import fields

import pandas as pd
import pytest

from casestrat.knowledge import load_program
from casestrat.tables import CONTRACTS, Extract, Tables


def made(extract=None, **frames):
    """Type rows given as lists of dicts as checked tables are, without the time that checking takes."""
    given = {name: pd.DataFrame(rows) for name, rows in frames.items()}
    people = {person for frame in given.values() for person in frame.get("person_id", ())}
    given.setdefault("persons", pd.DataFrame({"person_id": sorted(people), "recorded_at": "2020-01-01"}))
    typed = {name: _typed(contract, given.get(name)) for name, contract in CONTRACTS.items()}
    columns = {one.name for one in fields(Tables)} - {*CONTRACTS, "extract", "present", "observation"}
    nothing = dict.fromkeys(columns, pd.DataFrame())
    return Tables(**typed, **nothing, extract=Extract(**(extract or {})), present=frozenset(given))


def _typed(contract, frame):
    if frame is None or frame.empty:
        return contract.empty()
    dtypes = {column.name: column.dtype for column in contract.columns}
    assert set(frame) <= set(dtypes), set(frame) - set(dtypes)
    frame = frame.reindex(columns=list(dtypes))
    for name, dtype in dtypes.items():
        values = pd.to_datetime(frame[name]) if str(dtype).startswith("datetime") else frame[name]
        frame[name] = values.astype(dtype)
    frame["is_void"] = frame["is_void"].fillna(False)
    return frame.sort_values([*contract.key, "recorded_at"], ignore_index=True)


@pytest.fixture(name="made")
def _made():
    return made


@pytest.fixture(scope="session")
def geriatric():
    return load_program("geriatric")
