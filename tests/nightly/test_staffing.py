"""What a night tells of staffing keeps its contracts, in every language."""

from __future__ import annotations

import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem, allocate
from casestrat.knowledge import Program
from casestrat.nightly.files import to_contract
from casestrat.nightly.lists import list_bytes
from casestrat.nightly.staffing import STAFFING, Staffing, admissible_in, staffing_of
from casestrat.tables import OUTPUTS, Tables

DAY = pd.Timestamp("2026-10-01")


@pytest.fixture(scope="module")
def ranked(small: Tables) -> pd.DataFrame:
    """Ten people who wait: half of them within the places."""
    rows = small.referrals[~small.referrals["person_id"].isin(small.episodes["person_id"])].head(10)
    return rows[["referral_id", "person_id"]].assign(
        rank=range(1, len(rows) + 1), territory="north", tier="high", is_proposed=[at < 5 for at in range(len(rows))],
        in_tied_zone=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def staffing(small: Tables, program: Program, ranked: pd.DataFrame) -> Staffing:
    few = small.case_managers.assign(minutes_per_week=160)  # so that some are left over
    tables = Tables.from_frames(
        {name: getattr(small, name) for name in small.present} | {"case_managers": few}, program, small.extract
    )
    problem = AllocationProblem.from_tables(tables, program, ranked, DAY)
    return staffing_of(tables, program, ranked, DAY, allocate(problem), problem)


def test_every_report_keeps_its_contract(staffing: Staffing) -> None:
    frames = staffing.frames("en")
    assert tuple(frames) == STAFFING
    for name, frame in frames.items():
        shaped = to_contract(frame if "as_of" in frame else frame.assign(as_of=DAY), name)
        assert list(shaped.columns) == list(OUTPUTS[name].names)
        OUTPUTS[name].schema().validate(shaped, lazy=True)


def test_somebody_is_blocked_and_something_binds(staffing: Staffing) -> None:
    frames = staffing.frames("en")
    assert not frames["admissible"]["admissible_now"].all()
    assert len(frames["binding"])
    assert frames["hiring"]["cases_placed"].max() > 0


@pytest.mark.parametrize("lang", ["fr", "it"])
def test_lists_are_said_in_the_language(staffing: Staffing, program: Program, lang: str) -> None:
    rows = admissible_in(staffing, lang, DAY)
    blocked = rows.loc[~rows["admissible_now"], "reason"]
    assert blocked.str.startswith({"fr": "bloqué", "it": "bloccato"}[lang]).all()
    for name, frame in (staffing.frames(lang) | {"admissible": rows}).items():
        shaped = to_contract(frame if "as_of" in frame else frame.assign(as_of=DAY), name)
        said = list_bytes(name, shaped, program, lang).decode("utf-8-sig")
        for word in ("full-time", "handed_on", "no hours left", "blocked", "True"):
            assert word not in said
