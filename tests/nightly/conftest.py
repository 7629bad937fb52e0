"""A small made-up agency, read once, for tests that score and rank it."""

from __future__ import annotations

import pytest

from casestrat.knowledge import Program, load_program
from casestrat.synthetic import load_example
from casestrat.tables import Tables

AS_OF = "2026-10-01"


@pytest.fixture(scope="session")
def program() -> Program:
    return load_program("geriatric")


@pytest.fixture(scope="session")
def small(program: Program) -> Tables:
    """The first 60 people of the example, held against the contracts again."""
    example = load_example("geriatric")
    part = example.for_persons(example.persons["person_id"].drop_duplicates().head(60))
    return Tables.from_frames({name: getattr(part, name) for name in part.present}, program, example.extract)
