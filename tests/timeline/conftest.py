"""Small tables by hand, for the tests of the timeline."""

import pandas as pd
import pytest

from casestrat.knowledge import load_program
from casestrat.tables import Extract, Tables


def made(extract=None, program=None, **frames):
    """Check frames given as lists of rows; persons are filled in, and a bystander where nobody was referred."""
    frames = {name: pd.DataFrame(rows) for name, rows in frames.items()}
    people = {person for frame in frames.values() for person in frame.get("person_id", ())}
    frames.setdefault("persons", pd.DataFrame({"person_id": sorted(people), "recorded_at": "2020-01-01"}))
    if "referrals" not in frames:
        bystander = {"person_id": "BYSTANDER", "recorded_at": "2020-01-01"}
        frames["persons"] = pd.concat([frames["persons"], pd.DataFrame([bystander])], ignore_index=True)
        frames["referrals"] = pd.DataFrame([{**bystander, "referral_id": "R0", "referred_on": "2020-01-01"}])
    tables = Tables.from_frames(frames, program=program, extract=Extract(**(extract or {})))
    assert not len(tables.set_aside), tables.set_aside.to_string()
    return tables


@pytest.fixture(name="made")
def _made():
    return made


@pytest.fixture(scope="session")
def geriatric():
    return load_program("geriatric")
