"""What is asked of a night is refused in words where it cannot be used."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.knowledge import load_program
from casestrat.models import PointScorecard, save_model
from casestrat.nightly import Wanted, caseload_report, reallocate_source
from casestrat.nightly.proposals import allocate_source
from casestrat.nightly.request import check_staff, load_scorer, parse_as_of, read_source

if TYPE_CHECKING:
    from pathlib import Path

    from casestrat.knowledge import Program
    from casestrat.tables import Tables

ON = "2026-10-01"


def test_a_date_is_read_at_midnight_whatever_it_came_as() -> None:
    assert parse_as_of(ON) == parse_as_of(pd.Timestamp(ON)) == pd.Timestamp(2026, 10, 1)


@pytest.mark.parametrize(
    "date", ["01/10/2026", "2026-10", "", None, pd.NaT, "2026-10-01T08:00", pd.Timestamp(ON, tz="UTC")]
)
def test_a_date_that_could_be_read_two_ways_is_refused(date: object) -> None:
    with pytest.raises(UsageError, match="write it as 2026-10-01"):
        parse_as_of(date)


def test_a_program_that_is_loaded_already_is_taken_as_it_is(program: Program) -> None:
    assert load_program(program) is program


def test_without_a_model_the_programs_card_scores_and_a_stored_one_otherwise(program: Program, tmp_path: Path) -> None:
    card = load_scorer(None, program)
    assert isinstance(card, PointScorecard)
    save_model(card, tmp_path / "card.json")
    assert load_scorer(tmp_path / "card.json", program).fingerprint == card.fingerprint


def test_whoever_asks_is_told_that_the_extract_is_of_another_program(small: Tables, tmp_path: Path) -> None:
    other = replace(small, extract=replace(small.extract, program="medical"))
    asked = [
        lambda: read_source(other, load_program("geriatric"), pd.Timestamp(ON)),
        lambda: allocate_source(other, "geriatric", as_of=ON, out=tmp_path / "plan"),
        lambda: reallocate_source(other, "geriatric", on=ON, wanted=Wanted(), out=tmp_path / "moves"),
        lambda: caseload_report(other, "geriatric", as_of=ON),
    ]
    for ask in asked:
        with pytest.raises(UsageError, match="was made for the program medical, and the run is of geriatric"):
            ask()
    assert not list(tmp_path.iterdir())


def test_a_date_before_the_data_is_refused_with_both_dates(small: Tables, program: Program) -> None:
    begun = replace(small, extract=replace(small.extract, data_start="2026-10-01"))
    with pytest.raises(UsageError, match="2026-09-01, is not after the start of the data, 2026-10-01"):
        read_source(begun, program, pd.Timestamp("2026-09-01"))


def test_without_case_managers_it_is_said_what_cannot_be_done(small: Tables) -> None:
    check_staff(small, small, "be proposed")
    with pytest.raises(UsageError, match="nobody can be proposed"):
        check_staff(replace(small, present=small.present - {"case_managers"}), "folder", "be proposed")
