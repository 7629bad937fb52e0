"""A run in the language of the site: lists and pages that a case manager reads, and codes that a program reads."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.knowledge import load_wording
from casestrat.nightly import NightlyRun, run_nightly
from casestrat.nightly.lists import CELLS, LISTS
from casestrat.synthetic import example_as_of
from casestrat.tables import OUTPUTS, Tables

pytestmark = pytest.mark.story
AS_OF = str(example_as_of())
French = tuple[NightlyRun, dict[str, bytes]]


def cells(path: Path, lang: str) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.reader(handle, delimiter="," if lang == "en" else ";"))


@pytest.fixture(scope="module")
def french(run: NightlyRun, example: Tables, tmp_path_factory: pytest.TempPathFactory) -> French:
    """The English run told again in French, with a decision recorded between; and its meetings before."""
    out = tmp_path_factory.mktemp("french")
    shutil.copytree(run.folder, out / AS_OF)
    meeting = next((out / AS_OF / "meetings").glob("*.json"))
    meeting.write_text(meeting.read_text(encoding="utf-8") + " ", encoding="utf-8")  # as if a decision stood there
    meeting.with_suffix(".decisions.csv").write_text("kept\n", encoding="utf-8")
    before = {path.name: path.read_bytes() for path in meeting.parent.iterdir()}
    return run_nightly(example, "geriatric", as_of=AS_OF, out=out, lang="fr"), before


def test_another_language_is_the_same_run_and_keeps_its_meetings(
    run: NightlyRun, french: French, example: Tables
) -> None:
    told, before = french
    assert told.folder.name == AS_OF
    assert [path.name for path in told.folder.parent.iterdir() if path.is_dir()] == [AS_OF]
    assert told.manifest["run_id"] == run.manifest["run_id"]
    assert (run.manifest["lang"], told.manifest["lang"]) == ("en", "fr")
    assert {path.name: path.read_bytes() for path in (told.folder / "meetings").iterdir()} == before
    for path in run.folder.glob("*.parquet"):
        assert (told.folder / path.name).read_bytes() == path.read_bytes(), path.name
    log = (told.folder / "run.log").read_text(encoding="utf-8")
    assert log.startswith((run.folder / "run.log").read_text(encoding="utf-8"))
    again = run_nightly(example, "geriatric", as_of=AS_OF, out=told.folder.parent, lang="fr")
    assert not again.is_new


def test_lists_are_in_french_and_parquet_keeps_its_codes(run: NightlyRun, french: French) -> None:
    folder = french[0].folder
    wording = load_wording("fr")
    for name in LISTS:
        frame = pd.read_parquet(folder / f"{name}.parquet")
        assert list(frame.columns) == list(OUTPUTS[name].names)
        header, *rows = cells(folder / f"{name}.csv", "fr")
        assert header == [wording(f"columns.{column}") for column in frame.columns]
        assert len(rows) == len(frame)
        for column in CELLS[name]:
            at = list(frame.columns).index(column)
            codes = {str(code) for code in frame[column].dropna().unique()} - {""}
            said = {row[at] for row in rows} - {""}
            same = codes & said - {"north", "south", "mobile"}  # a group that is a territory or team is the site's own
            assert not {one for one in same if one not in {"index"}}, f"{name}.{column}"
            assert not said & {"True", "False", "<NA>", "nan"}
    waiting = pd.read_parquet(folder / "waiting_list.parquet")
    assert set(waiting["tier"]) <= {"high", "medium", "low"}
    assert waiting.equals(pd.read_parquet(run.folder / "waiting_list.parquet"))


def test_pages_tell_the_reasons_of_a_proposal_in_each_language(french: French) -> None:
    page = (french[0].folder / "caseload.html").read_text(encoding="utf-8")
    for words in (
        "misses nothing asked for",
        "répond à tout ce qui est demandé",
        "risponde a tutto ciò che è richiesto",
    ):
        assert words in page
    assert re.search(r'"columns":\[[^]]*"why_fr"', page)


def test_a_language_that_is_not_kept_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'de'"):
        run_nightly(tmp_path / "nowhere", "geriatric", as_of=AS_OF, out=tmp_path / "out", lang="de")
    assert not (tmp_path / "out").exists()
