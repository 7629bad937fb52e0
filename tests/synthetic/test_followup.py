import dataclasses

import pandas as pd

from casestrat.synthetic import synthesize_frames

AS_OF = pd.Timestamp("2026-10-01")


def test_contacts_are_made_by_who_leads_on_the_day(example):
    contacts = example.contacts[example.contacts["occurred_at"] < AS_OF]
    leads = example.assignments[example.assignments["role"] == "lead"]
    both = contacts.merge(leads[["episode_id", "cm_id", "from_on", "to_on"]], on=["episode_id", "cm_id"])
    day = both["occurred_at"].dt.normalize()
    inside = (day >= both["from_on"]) & (both["to_on"].isna() | (day <= both["to_on"] + pd.Timedelta(days=1)))
    assert set(both.loc[inside, "contact_id"]) == set(contacts["contact_id"])


def test_some_contacts_are_missed_and_some_lie_ahead(example):
    contacts = example.contacts
    ahead = contacts["occurred_at"] >= AS_OF
    assert ahead.any()
    assert contacts.loc[ahead, "outcome"].isna().all()
    assert contacts.loc[ahead, "minutes"].isna().all()
    made = contacts[~ahead]
    assert 0.03 < (made["outcome"] != "reached").mean() < 0.2
    assert (made.loc[made["kind"] == "no_show", "outcome"] != "reached").all()


def test_only_home_visits_are_travelled_to(example):
    contacts = example.contacts[example.contacts["occurred_at"] < AS_OF]
    travelled = contacts["travel_minutes"] > 0
    assert set(contacts.loc[travelled, "kind"]) <= {"home_visit", "no_show"}
    assert contacts["minutes"].between(0, 600).all()


def test_contacts_after_a_stay_come_within_nine_days(example):
    calls = example.contacts[example.contacts["kind"] == "post_transition"]
    stays = example.events[example.events["kind"] == "hospital_stay"].dropna(subset="ended_at")
    both = calls.merge(stays[["person_id", "ended_at"]], on="person_id")
    days = (both["occurred_at"].dt.normalize() - both["ended_at"].dt.normalize()).dt.days
    assert set(both.loc[days.between(1, 9), "contact_id"]) == set(calls["contact_id"])


def test_plans_are_reviewed_each_half_year_and_goals_belong_to_plans(example):
    plans = example.plans.sort_values(["episode_id", "starts_on"])
    apart = plans.groupby("episode_id")["starts_on"].diff().dropna().dt.days
    assert (apart % 180 == 0).all()
    assert set(example.goals["plan_id"]) <= set(plans["plan_id"])
    assert {"open", "met", "not_met", "partly_met"} == set(example.goals["status"])


def test_services_are_named_in_three_languages(example):
    assert example.services[["label_en", "label_fr", "label_it"]].notna().all(axis=None)


def test_a_program_without_contact_standards_has_other_contacts_only(geriatric):
    bare = {name: dataclasses.replace(level, contacts=()) for name, level in geriatric.intensities.items()}
    frames, _ = synthesize_frames(dataclasses.replace(geriatric, intensities=bare), 200, 1)
    kinds = set(frames["contacts"]["kind"])
    assert "phone" in kinds
    assert "home_visit" not in kinds
