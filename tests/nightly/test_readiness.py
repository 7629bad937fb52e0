"""Events are counted once, and a card is only as large as they can carry."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.knowledge import Program
from casestrat.models.inputs.sample_size import events_needed
from casestrat.nightly import audit_groups_of, readiness
from casestrat.nightly.readiness import largest_card
from casestrat.tables import Extract, Tables

EXTRACT = Extract(program="geriatric", data_start=pd.Timestamp("2024-01-01"), data_end=pd.Timestamp("2026-09-30"))


def an_agency(program: Program, falls_in: int, n: int = 250) -> Tables:
    """People watched for years, of whom so many had a crisis in September 2026 and again in August."""
    people = [f"P{number:04d}" for number in range(n)]
    known = {"recorded_at": "2024-01-02"}
    crises = [
        {"event_id": f"E{person}{day}", "person_id": person, "kind": "crisis", "observed_at": day, "recorded_at": day}
        for person in people[:falls_in]
        for day in ("2026-08-20", "2026-09-20", "2026-09-25")
    ]
    frames = {
        "persons": pd.DataFrame(
            {"person_id": people, "sex": "f", "birth_year": 1940, "observed_from": "2024-01-01", **known}
        ),
        "referrals": pd.DataFrame(
            {"referral_id": ["R1"], "person_id": [people[0]], "referred_on": "2024-01-02", **known}
        ),
    }
    if crises:
        frames["events"] = pd.DataFrame(crises)
    return Tables.from_frames(frames, program, EXTRACT)


@pytest.fixture(scope="module")
def program(program: Program) -> Program:
    """The program with three of its outcomes: one that happens often, one that is use, one of the followed alone."""
    kept = ("crisis", "unplanned_stay", "lost_to_follow_up")
    return dataclasses.replace(program, outcomes={name: program.outcomes[name] for name in kept})


def of(ready, outcome: str) -> pd.Series:
    return ready.frame.set_index("outcome").loc[outcome]


def test_no_event_counts_twice_and_each_person_once(program: Program) -> None:
    crisis = of(readiness(an_agency(program, 120), program), "crisis")
    assert crisis["last_on"] == pd.Timestamp("2026-09-01")  # 30 days to the end of the data, that day included
    assert crisis["people_with_event"] == 120
    assert crisis["events"] == 240  # August and September; the second one of September lies in the same horizon
    assert crisis["rows"] == crisis["dates"] * 250
    assert crisis["prevalence"] == pytest.approx(240 / crisis["rows"])
    assert crisis["largest_card"] == largest_card(120, crisis["prevalence"])
    assert crisis["largest_card"] >= 3
    assert "can be learned" in crisis["advice"]


def test_dates_leave_room_for_the_longest_window_and_the_horizon(program: Program) -> None:
    ready = readiness(an_agency(program, 5), program)
    for row in ready.frame.itertuples():
        assert row.first_on >= EXTRACT.data_start + pd.Timedelta(days=365)
        assert row.last_on + pd.Timedelta(days=row.horizon_days) <= EXTRACT.data_end + pd.Timedelta(days=1)


def test_too_few_events_keep_the_default_card(program: Program) -> None:
    ready = readiness(an_agency(program, 20), program)
    assert of(ready, "crisis")["largest_card"] == 0
    assert of(ready, "crisis")["advice"].startswith("keep the default card geriatric_default: 20 people")
    assert ready.default_card == "geriatric_default"
    assert ready.advice == of(ready, "unplanned_stay")["advice"]
    none = of(readiness(an_agency(program, 0), program), "crisis")
    assert (none["events"], none["largest_card"]) == (0, 0)
    assert none["advice"].endswith("0 people with the outcome, and 30 are the least")
    assert pd.isna(none["events_for_default"])


def test_an_extract_too_short_for_a_date_says_so(program: Program) -> None:
    short = dataclasses.replace(EXTRACT, data_start=pd.Timestamp("2026-08-01"))
    tables = dataclasses.replace(an_agency(program, 3), extract=short)
    row = of(readiness(tables, program), "crisis")
    assert (row["dates"], row["rows"], row["largest_card"]) == (0, 0, 0)
    assert "too short" in row["advice"]


def test_labels_that_stand_in_for_need_are_warned_of(program: Program) -> None:
    ready = readiness(an_agency(program, 20), program)
    assert any("stands in for need" in note for note in ready.warnings_of("unplanned_stay"))
    assert ready.warnings_of("crisis") == ()
    assert any("can be known only" in note for note in ready.warnings_of("lost_to_follow_up"))
    proxy = dataclasses.replace(program.outcomes["crisis"], is_proxy=True)
    told = dataclasses.replace(program, outcomes={**program.outcomes, "crisis": proxy})
    assert any("stands in for need" in note for note in readiness(an_agency(program, 20), told).warnings_of("crisis"))


def test_given_dates_are_the_ones_asked_about(program: Program) -> None:
    row = of(readiness(an_agency(program, 40), program, as_of=["2026-08-01", "2026-09-01"]), "crisis")
    assert (row["dates"], row["events"], row["people_with_event"]) == (2, 80, 40)


@pytest.mark.parametrize("prevalence", [0.01, 0.1, 0.3, 0.5, 0.9])
def test_a_card_is_as_large_as_the_stricter_rule_allows(prevalence: float) -> None:
    sizes = [largest_card(events, prevalence) for events in range(0, 800, 20)]
    assert sizes == sorted(sizes)
    for events, rows in zip(range(0, 800, 20), sizes, strict=True):
        assert rows == 0 or (rows >= 3 and 10 * rows <= events and events_needed(rows, prevalence) <= events)
    assert largest_card(10_000, prevalence) == 30
    assert largest_card(10_000, float("nan")) == 0


def test_what_cannot_be_asked_is_refused(program: Program) -> None:
    tables = an_agency(program, 1, n=5)
    with pytest.raises(UsageError, match="1 or more"):
        readiness(tables, program, events_a_row=0)
    with pytest.raises(UsageError, match="cannot be read"):
        readiness(tables, program, as_of=["01/10/2026"])
    with pytest.raises(UsageError, match="was made for the program"):
        readiness(tables, dataclasses.replace(program, id="other"))


def test_audit_groups_are_those_known_on_the_date(program: Program) -> None:
    people = {"person_id": ["P1", "P2", "P3"], "recorded_at": "2026-01-01"}
    tables = Tables.from_frames(
        {
            "persons": pd.DataFrame({**people, "sex": ["f", "m", None], "territory": ["north", "south", "north"],
                                     "birth_year": [1930, 1975, None]}),
            "referrals": pd.DataFrame({"referral_id": ["R1"], "person_id": ["P1"], "referred_on": "2026-02-01",
                                       "recorded_at": "2026-02-01"}),
            "person_facts": pd.DataFrame({
                "person_id": ["P1", "P1", "P2"], "fact": ["lives_alone", "territory", "lives_alone"],
                "value": ["yes", "south", "no"], "valid_from": ["2026-03-01", "2026-04-01", "2026-12-01"],
                "recorded_at": ["2026-03-01", "2026-04-01", "2026-06-01"],
            }),
        },
        program,
    )  # fmt: skip
    banded = dataclasses.replace(program, audit_groups=("sex", "territory", "lives_alone", "age_band"))
    groups = audit_groups_of(tables, banded, "2026-10-01")
    assert groups["sex"].astype(object).where(groups["sex"].notna(), None).tolist() == ["f", "m", None]
    assert groups["territory"].tolist() == ["south", "south", "north"]
    assert groups["lives_alone"].isna().tolist() == [False, True, True]  # not yet so for the second
    assert groups["age_band"].tolist()[:2] == ["85 or over", "under 60"]
    assert audit_groups_of(tables, banded, "2026-02-15")["territory"].tolist() == ["north", "south", "north"]
    assert np.all(groups.index == ["P1", "P2", "P3"])


def test_an_extract_that_names_no_last_day_ends_with_its_newest_row(program: Program) -> None:
    tables = dataclasses.replace(an_agency(program, 30, n=60), extract=Extract(program="geriatric"))
    row = of(readiness(tables, program), "crisis")
    assert row["last_on"] == pd.Timestamp("2026-08-27")  # the newest row is of 25 September
    assert row["people_with_event"] == 30
