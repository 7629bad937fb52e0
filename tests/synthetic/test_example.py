import hashlib
from pathlib import Path

import pandas as pd
import pytest

from casestrat.errors import OutputError
from casestrat.synthetic import EXAMPLE_PEOPLE, checksums_of, example_as_of, load_example, write_example
from casestrat.tables import read_tables
from casestrat.timeline import status_on

SHIPPED = Path(__file__).parents[2] / "data" / "synthetic" / "geriatric"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_example(tmp_path_factory.mktemp("example"))


def test_the_shipped_files_are_those_that_are_made_here(written):
    assert checksums_of(written) == (SHIPPED / "checksums.sha256").read_text(encoding="utf-8")


def test_the_shipped_checksums_are_those_of_the_shipped_files():
    lines = (SHIPPED / "checksums.sha256").read_text(encoding="utf-8").splitlines()
    assert len(lines) > 20
    for line in lines:
        digest, name = line.split("  ")
        assert hashlib.sha256((SHIPPED / name).read_bytes()).hexdigest() == digest, name


def test_the_files_read_back_to_the_example(written, geriatric, example):
    assert read_tables(written, geriatric).fingerprint == example.fingerprint


def test_the_folder_says_its_day_and_what_it_is(written):
    assert (written / "AS_OF").read_text(encoding="utf-8") == f"{example_as_of().isoformat()}\n"
    assert "made-up" in (written / "DATA_CARD.md").read_text(encoding="utf-8")
    assert 'recorded_at = "column"' in (written / "extract.toml").read_text(encoding="utf-8")


def test_each_call_gives_frames_of_its_own():
    first = load_example()
    first.persons.loc[0, "territory"] = "changed"
    assert load_example().persons.loc[0, "territory"] != "changed"


def test_the_example_shows_every_status_a_reader_meets(example, geriatric):
    status = status_on(example, geriatric, pd.Timestamp(example_as_of()))["status"].value_counts()
    assert len(example.persons) == EXAMPLE_PEOPLE
    assert 50 <= status["waiting"] <= 70
    for name in ("parked", "invalid_form", "withdrawn", "refused", "admitted", "active", "suspended", "watch", "closed",
                 "dead", "other_referral_waiting"):  # fmt: skip
        assert status.get(name, 0) > 0, name


def test_some_who_wait_object_to_scoring_or_have_files_with_gaps(example, geriatric):
    waits = status_on(example, geriatric, pd.Timestamp(example_as_of())).query("status == 'waiting'")
    assert waits["objects_to_scoring"].fillna(False).any()
    unassessed = ~waits["person_id"].isin(example.assessments["person_id"])
    assert 3 <= unassessed.sum() <= 30


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "DATA_CARD.md").mkdir()
    with pytest.raises(OutputError, match="written whole"):
        write_example(tmp_path)
