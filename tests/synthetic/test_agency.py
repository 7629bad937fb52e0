import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.knowledge import list_programs, load_program
from casestrat.synthetic import synthesize, synthesize_frames
from casestrat.tables import fingerprint_of_frame
from casestrat.timeline import status_on


def test_the_same_seed_gives_the_same_agency_and_another_seed_another(geriatric):
    made = [synthesize_frames(geriatric, 200, seed) for seed in (5, 5, 6)]
    one, again, other = [
        {"truth": fingerprint_of_frame(truth), **{name: fingerprint_of_frame(frame) for name, frame in frames.items()}}
        for frames, truth in made
    ]
    assert one == again
    for name in ("truth", "persons", "referrals", "events", "responses", "contacts"):
        assert one[name] != other[name], name


def test_every_row_keeps_the_contract(small):
    assert len(small.tables.set_aside) == 0


def test_there_is_one_truth_a_person(small):
    assert small.truth["person_id"].tolist() == small.tables.persons["person_id"].tolist()
    assert small.truth["risk"].between(0, 1).all()


@pytest.mark.parametrize("name", list_programs()["name"])
def test_every_program_has_a_runnable_agency(name):
    program = load_program(name)
    agency = synthesize(program, people=120, random_state=2)
    tables = agency.tables
    assert len(tables.set_aside) == 0
    assert set(tables.events["kind"]) <= set(program.event_kinds)
    assert set(tables.assessments["instrument"]) == set(program.instruments)
    assert set(tables.measurements["kind"]) == set(program.measurement_kinds)
    assert set(tables.person_facts["fact"]) <= set(program.facts)
    assert set(tables.referrals["source"]) <= set(program.referral.sources)
    status = status_on(tables, program, pd.Timestamp(agency.as_of))["status"]
    assert {"active", "closed"} <= set(status)
    if program.population == "referred":
        assert (status == "waiting").any()
    else:
        assert tables.has("enrollments")


@pytest.mark.parametrize("arguments", [(5, 0), (10_000_000, 0), (100, -1)])
def test_numbers_that_cannot_be_used_are_refused(geriatric, arguments):
    with pytest.raises(UsageError):
        synthesize_frames(geriatric, *arguments)
