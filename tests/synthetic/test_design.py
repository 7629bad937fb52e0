import dataclasses

import pytest

from casestrat.knowledge import load_program
from casestrat.synthetic.design import GERIATRIC, design_for


def test_the_geriatric_numbers_are_those_that_were_designed(geriatric):
    design = design_for(geriatric)
    assert design.age == (82.5, 7.5, 60, 103)
    assert dict(design.exits) == {"death": 0.16, "residential_admission": 0.22, "goals_met": 0.15, "moved": 0.07}
    assert sum(design.sources.values()) == pytest.approx(1)
    assert design.sources["hospital"] == 0.35
    assert (design.cases_per_fte, design.cap_per_fte) == (34, 40)
    assert set(design.sources) == set(geriatric.referral.sources)


def test_a_source_new_to_the_design_gets_a_small_share(geriatric):
    referral = dataclasses.replace(geriatric.referral, sources=("hospital", "court"))
    shares = design_for(dataclasses.replace(geriatric, referral=referral)).sources
    assert shares == {"hospital": 0.35, "court": 0.02}


def test_another_program_uses_its_own_sources_events_and_norm():
    program = load_program("substance_use")
    design = design_for(program)
    assert set(design.sources) == set(program.referral.sources)
    assert set(design.events) == set(program.event_kinds) - {"death"}
    assert [kind for kind, plan in design.events.items() if plan.is_outcome] == [
        program.outcomes[program.risk.outcome].event
    ]
    assert design.cap_per_fte == program.allocation.caseload_norm


def test_a_long_horizon_asks_for_a_longer_history():
    program = load_program("medical")
    horizon = program.outcomes[program.risk.outcome].horizon_days
    design = design_for(program)
    assert design.open_years * 365.25 > horizon + 365
    assert design.history_years > design.open_years


def test_where_death_is_foretold_people_differ_more_in_it():
    assert design_for(load_program("medical")).death_spread > GERIATRIC.death_spread


def test_a_planned_outcome_and_its_detail_are_told_apart(geriatric):
    outcome = dataclasses.replace(
        load_program("substance_use").outcomes["homeless_night"], event="setting_change",
        where={"is_planned": True, "detail": "hostel"},
    )  # fmt: skip
    program = dataclasses.replace(load_program("substance_use"), outcomes={"homeless_night": outcome})
    plan = design_for(program).events["setting_change"]
    assert (plan.planned_share, plan.detail, plan.is_outcome) == (1.0, "hostel", True)


def test_a_program_without_sources_or_professions_still_gets_some(geriatric):
    program = load_program("substance_use")
    bare = dataclasses.replace(
        program,
        referral=dataclasses.replace(program.referral, sources=()),
        allocation=dataclasses.replace(program.allocation, professions=("nurse",)),
    )
    design = design_for(bare)
    assert design.sources == {"other": 1.0}
    assert design.professions == ("nurse",)
