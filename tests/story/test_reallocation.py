"""A colleague leaves on Friday: the commands as a team lead meets them."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pandas as pd
import pytest

from casestrat.__main__ import main
from casestrat.errors import ExitCode

pytestmark = [pytest.mark.story]
ON = "2026-10-02"


def call(*arguments: object) -> tuple[int, str, str]:
    """Run a command in this process on a terminal of eighty columns; return exit code, output, errors."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["casestrat", *map(str, arguments)])
        patch.setenv("COLUMNS", "80")
        try:
            code = main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 0
    assert "Traceback" not in out.getvalue() + err.getvalue()
    return code, out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def source(few: Path) -> Path:
    return few


@pytest.fixture(scope="module")
def friday(source: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[tuple[int, str, str], Path]:
    """What the command says, in Italian, and the folder that it writes."""
    out = tmp_path_factory.mktemp("friday") / "moves"
    done = call("reallocate", source, "--leaver", "CM01", "--on", ON, "--max-moves", 2, "--lang", "it", "--out", out)
    return done, out


def test_every_case_of_the_leaver_changes_hands_or_is_told_of(friday, source) -> None:
    (code, said, progress), out = friday
    assert code == 0
    assert "casi cambiano mano" in said
    assert "moves: 1 of 1 done" in progress
    assert max(len(line) for line in said.splitlines() if str(out) not in line and "caseload.html" not in line) <= 80
    moves = pd.read_parquet(out / "moves.parquet")
    left = pd.read_parquet(out / "unassigned.parquet")
    own = pd.read_csv(source / "assignments.csv")
    own = own[(own["cm_id"] == "CM01") & (own["role"] == "lead") & own["to_on"].isna()]
    assert set(own["episode_id"]) <= set(moves["case_id"]) | set(left["case_id"])
    assert (moves["kind"] == "voluntary").sum() <= 2
    assert not moves["to_cm"].eq("CM01").any()


def test_what_the_lead_accepts_is_recorded_and_what_is_stale_is_not(friday, source, tmp_path) -> None:
    file = json.loads((friday[1] / "decisions.json").read_text(encoding="utf-8"))
    first, second = file["decisions"][:2]
    for row in (first, second):
        row |= {"decision": "accept", "decided_by": "team lead", "decided_at": f"{ON}T16:00:00"}
    second["from_cm"] = "CM05" if second["from_cm"] != "CM05" else "CM02"
    (tmp_path / "decided.json").write_text(json.dumps(file), encoding="utf-8")
    code, said, _ = call("assignments", "record", source, tmp_path / "decided.json", "--out", tmp_path / "out")
    assert code == ExitCode.PARTIAL
    assert "stale" in said
    assert first["case_id"] in set(pd.read_csv(tmp_path / "out" / "new_rows.csv")["episode_id"])


def test_a_source_that_is_none_is_told_as_that(source, tmp_path) -> None:
    code, _, said = call("reallocate", tmp_path / "nowhere", "--leaver", "CM01", "--on", ON)
    assert code == ExitCode.USAGE
    assert "does not exist" in said
    code, _, said = call("reallocate", source / "persons.csv", "--leaver", "CM01", "--on", ON)
    assert code == ExitCode.USAGE
    assert "neither a folder of tables nor a site.toml" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--leaver", "CM99", "--on", ON), "no case manager is called 'CM99'"),
        (("--leaver", "CM01", "--on", "Friday"), "as_of"),
        (("--leaver", "CM01", "--on", ON, "--until", ON), "nobody is on leave"),
        (("--leaver", "CM01", "--on", ON, "--max-moves", "-1"), "max-moves"),
        (("--leaver", "CM01"), "--on"),
    ],
)
def test_a_wrong_option_is_a_usage_error_that_says_what_to_do(source, arguments, message) -> None:
    code, _, said = call("reallocate", source, *arguments)
    assert code == ExitCode.USAGE
    assert message in said
    if "CM99" in message:
        assert "CM01, CM02" in said
