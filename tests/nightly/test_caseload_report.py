"""The caseload page made on its own is the page of the night, and that of a re-allocation stands in its folder."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path

import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.knowledge import load_program
from casestrat.nightly import caseload_report, run_nightly
from casestrat.nightly.caseload_frames import team_counts
from casestrat.tables import TEXT


@pytest.fixture(scope="module")
def made_up_team():
    """The generator of a made-up team; tests are no package, so it is loaded by its path."""
    name = "made_up_team"
    if name not in sys.modules:
        path = Path(__file__).resolve().parents[1] / "reports" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="module")
def program():
    return load_program("geriatric")


@pytest.fixture(scope="module")
def tables(made_up_team, program):
    return made_up_team.make_team(program)


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])


def records(table):
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


def test_the_page_on_its_own_is_that_of_the_night_without_its_link(made_up_team, tables, program, tmp_path):
    run = run_nightly(tables, program, as_of=made_up_team.ON, out=tmp_path, workers=1)
    night = (run.folder / "caseload.html").read_text(encoding="utf-8")
    alone = caseload_report(tables, program, as_of=made_up_team.ON)
    assert alone == night.replace('"links":{"committee":"committee.html"}', '"links":{}')
    data = data_of(alone)
    assert data["levels"]["rows"][0][0] == "unassigned"
    assert {row["case_id"] for row in records(data["unassigned"])} == {"E6"}  # speaks Italian
    assert {(row["kind"], row["value"]) for row in records(data["hiring"])} >= {("language", "it")}
    assert [row["cm_id"] for row in records(data["expiring"])] == ["C"]
    assert data["waiting"]["waiting"] == len(pd.read_parquet(run.folder / "waiting_list.parquet"))


def test_an_unknown_language_is_refused_before_anything_is_read(program, tmp_path):
    with pytest.raises(UsageError):
        caseload_report(tmp_path / "nothing", program, as_of="2026-10-05", lang="de")


def test_a_team_counts_who_waits_where_it_works(tables):
    admission = pd.DataFrame(
        {
            "territory": ["north", "south", None],
            "admissible_now": pd.array([True, False, True], dtype="boolean"),
            "cm_id": ["B", None, "D"],
        }
    )
    at_home = tables.case_managers.assign(territories=["north", "north", "north", "south"])
    counted = team_counts(admission, type("Staff", (), {"case_managers": at_home})())
    assert counted.to_numpy().tolist() == [["north", 2, 1], ["south", 2, 1]]
    anywhere = tables.case_managers.assign(territories=pd.array([None] * 4, dtype=TEXT))
    counted = team_counts(admission, type("Staff", (), {"case_managers": anywhere})())
    assert counted["waiting"].tolist() == [3, 3]
