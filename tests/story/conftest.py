"""One run of the shipped example, shared by the tests that only look at it."""

from __future__ import annotations

from pathlib import Path

import pytest

from casestrat.nightly import NightlyRun, run_nightly
from casestrat.synthetic import example_as_of, load_example
from casestrat.tables import Tables, write_tables

AS_OF = str(example_as_of())


@pytest.fixture(scope="session")
def example() -> Tables:
    return load_example("geriatric")


@pytest.fixture(scope="session")
def run(example: Tables, tmp_path_factory: pytest.TempPathFactory) -> NightlyRun:
    return run_nightly(example, "geriatric", as_of=AS_OF, out=tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="session")
def few(example: Tables, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of 90 people of the example, quick to read."""
    people = example.persons["person_id"].drop_duplicates().head(90)
    return write_tables(example.for_persons(people), tmp_path_factory.mktemp("few") / "geriatric")


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file of a run but its log."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "run.log"
    }
