import dataclasses

import pandas as pd
import pytest

from casestrat.caseload import contacts_due
from casestrat.knowledge.program_tiers import ContactStandard

AS_OF = pd.Timestamp("2026-10-01")


@pytest.fixture(scope="module")
def due(hand, geriatric):
    return contacts_due(hand, geriatric, AS_OF).set_index("episode_id")


def test_there_is_one_row_an_open_episode_and_standard(due):
    assert due.index.tolist() == ["E1", "E3", "E4"]


def test_an_attempt_that_reached_nobody_or_lies_ahead_is_no_contact(due):
    assert due.loc["E1", "last_on"] == pd.Timestamp("2026-09-10")
    assert due.loc["E1", "due_on"] == pd.Timestamp("2026-09-24")
    assert due.loc["E1", "is_overdue"]
    assert due.loc["E1", "days_overdue"] == 7
    assert not due.loc["E1", "done_in_period"]


def test_a_visit_counts_where_a_call_is_asked_for_and_a_late_record_does_not(due):
    assert due.loc["E3", "kind"] == "phone"
    assert due.loc["E3", "last_on"] == pd.Timestamp("2026-08-01")
    assert due.loc["E3", "done_in_period"]
    assert not due.loc["E3", "is_overdue"]


def test_an_unknown_intensity_counts_as_onboarding_and_runs_from_admission(due):
    assert due.loc["E4", "intensity"] == "onboarding"
    assert pd.isna(due.loc["E4", "last_on"])
    assert due.loc["E4", "due_on"] == pd.Timestamp("2026-09-22")
    assert due.loc["E4", "days_overdue"] == 9
    assert pd.isna(due.loc["E4", "cm_id"])


def test_without_onboarding_an_unknown_intensity_is_the_closest_one(hand, geriatric):
    levels = {name: level for name, level in geriatric.intensities.items() if name != "onboarding"}
    due = contacts_due(hand, dataclasses.replace(geriatric, intensities=levels), AS_OF).set_index("episode_id")
    assert due.loc["E4", "intensity"] == "intensive"


def test_a_contact_due_on_the_day_is_not_overdue_yet(hand, geriatric):
    due = contacts_due(hand, geriatric, "2026-09-24").set_index("episode_id")
    assert not due.loc["E1", "is_overdue"]
    assert due.loc["E1", "days_overdue"] == 0
    assert due.loc["E1", "done_in_period"]


def test_nothing_is_due_while_an_episode_is_suspended(example, geriatric):
    due = contacts_due(example, geriatric, AS_OF)
    suspended = example.episodes.query("state == 'suspended'")["episode_id"]
    rows = due[due["episode_id"].isin(suspended)]
    assert len(rows)
    assert rows["due_on"].isna().all()
    assert not rows["is_overdue"].any()


def test_several_standards_of_an_intensity_are_told_apart(hand, geriatric):
    level = geriatric.intensities["intensive"]
    both = (ContactStandard("home_visit", 14), ContactStandard("provider_meeting", 60))
    levels = {**geriatric.intensities, "intensive": dataclasses.replace(level, contacts=both)}
    due = contacts_due(hand, dataclasses.replace(geriatric, intensities=levels), AS_OF)
    rows = due[due["episode_id"] == "E1"]
    assert rows["kind"].tolist() == ["home_visit", "provider_meeting"]
    assert rows["due_on"].tolist() == [pd.Timestamp("2026-09-24"), pd.Timestamp("2026-04-02")]


def test_a_program_without_standards_asks_for_nothing(hand, geriatric):
    bare = {name: dataclasses.replace(level, contacts=()) for name, level in geriatric.intensities.items()}
    assert contacts_due(hand, dataclasses.replace(geriatric, intensities=bare), AS_OF).empty


def test_the_example_has_contacts_done_and_contacts_overdue(example, geriatric):
    due = contacts_due(example, geriatric, AS_OF)
    assert 0.05 < due["is_overdue"].mean() < 0.4
    assert 0.6 < due["done_in_period"].mean() < 0.95
    assert due["person_id"].is_monotonic_increasing
