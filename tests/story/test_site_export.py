"""Two made-up record systems run through one site.toml to the same committee page."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from casestrat.knowledge import load_program
from casestrat.nightly import run_nightly
from casestrat.tables import draft_site, read_tables

pytestmark = pytest.mark.story
AS_OF = "2026-02-01"


@pytest.fixture
def site(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CASESTRAT_KEY", "a key of this test, 32 bytes long")
    target = tmp_path / "exports"
    shutil.copytree(root / "tests" / "data_made_up", target, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return target


def test_a_sites_own_exports_become_the_committees_page(site: Path, tmp_path: Path) -> None:
    run = run_nightly(site / "site.toml", "geriatric", as_of=AS_OF, out=tmp_path / "out", lang="fr")
    counts = run.manifest["counts"]
    assert counts["people_read"] >= 30
    assert counts["ranked"] + counts["assess_first"] >= 10
    page = next(run.folder.glob("committee*.html")).read_text(encoding="utf-8")
    assert "Commission" in page
    risk = pd.read_parquet(run.folder / "risk.parquet")
    assert risk["points"].notna().all()


def test_no_name_birth_date_or_telephone_reaches_any_output(site: Path, tmp_path: Path) -> None:
    run = run_nightly(site / "site.toml", "geriatric", as_of=AS_OF, out=tmp_path / "out")
    raw = pd.read_csv(site / "orientia" / "orientations.csv", sep=";", encoding="latin-1", dtype=str)
    secrets = {*raw["Nom"].dropna(), *raw["Téléphone"].dropna(), *raw["Date de naissance"].dropna()}
    written = b"".join(path.read_bytes() for path in run.folder.rglob("*") if path.is_file())
    assert not [secret for secret in secrets if len(secret) > 4 and secret.encode() in written]


def test_the_draft_of_a_site_parses_and_never_replaces_one(site: Path) -> None:
    program = load_program("geriatric")
    (site / "site.toml").unlink()
    path = draft_site(site, program, "fr")
    assert tomllib.loads(path.read_text(encoding="utf-8"))["program"] == "geriatric"
    assert list((site / "templates").glob("*.csv"))
    before = path.read_bytes()
    with pytest.raises(Exception, match=r"site\.toml"):
        draft_site(site, program, "fr")
    assert path.read_bytes() == before


def test_rows_set_aside_name_the_sites_file_line_and_column(site: Path) -> None:
    path = site / "orientia" / "orientations.csv"
    lines = path.read_text(encoding="latin-1").splitlines()
    at = lines[0].split(";").index("Date d'orientation")
    cells = lines[3].split(";")
    cells[at] = "2025-12-31"
    lines[3] = ";".join(cells)
    path.write_text("\n".join(lines) + "\n", encoding="latin-1")
    aside = read_tables(site / "site.toml", load_program("geriatric")).set_aside
    found = aside[aside["source"].str.contains("orientations") & (aside["line"] == 4)]
    assert "Date d'orientation" in set(found["column"])
