"""A made-up team whose colleague leaves on a Friday: small enough to follow every minute by hand."""

from __future__ import annotations

import pandas as pd

from casestrat.tables import Extract, Tables

ON = "2026-10-05"
BEFORE = {"recorded_at": "2026-01-10"}


def make_team(program) -> Tables:
    """Make the tables: four case managers in two teams, seven open episodes, one crisis, one licence that ends."""
    people = [f"P{i}" for i in range(7)]
    episodes = [f"E{i}" for i in range(7)]
    leads = ["A", "A", "A", "B", "B", "C"]
    languages = ["fr", "fr", "fr", "fr", "fr", "fr", "it"]
    frames = {
        "persons": pd.DataFrame(
            {"person_id": people, "jurisdiction": "FR", "territory": "north", "language": languages, **BEFORE}
        ),
        "referrals": pd.DataFrame(
            {"referral_id": ["R1"], "person_id": ["P1"], "referred_on": ["2026-01-02"], **BEFORE}
        ),
        "episodes": pd.DataFrame(
            {
                "episode_id": episodes,
                "person_id": people,
                "admitted_on": "2026-01-09",
                "intensity": ["intensive", "intensive", "standard", "standard", "standard", "standard", "intensive"],
                **BEFORE,
            }
        ),
        "events": pd.DataFrame(
            {
                "event_id": ["V1", "V2"],
                "person_id": ["P1", "P3"],
                "kind": "crisis",
                "observed_at": ["2026-10-01", "2026-10-02"],
                "recorded_at": ["2026-10-02", "2026-10-03"],
            }
        ),
        "contacts": pd.DataFrame(
            {
                "contact_id": ["K1", "K2", "K3"],
                "episode_id": ["E0", "E0", "E2"],
                "person_id": ["P0", "P0", "P2"],
                "cm_id": "A",
                "occurred_at": ["2026-09-20", "2026-10-07", "2026-09-28"],
                "kind": ["home_visit", "phone", "phone"],
                "is_planned": "yes",
                "recorded_at": "2026-10-01",
            }
        ),
        "plans": pd.DataFrame(
            {
                "plan_id": ["L1"],
                "episode_id": ["E1"],
                "person_id": ["P1"],
                "version": 1,
                "starts_on": ["2026-04-20"],
                "review_due_on": ["2026-10-20"],
                "recorded_at": ["2026-04-21"],
            }
        ),
        "case_managers": pd.DataFrame(
            {
                "cm_id": ["A", "B", "C", "D"],
                "team": ["north", "north", "north", "south"],
                "minutes_per_week": [500, 260, 260, 300],
                "languages": "fr",
                "starts_on": "2024-01-01",
                "ends_on": ["2026-10-04", None, None, None],
                "profession": ["social_worker", "social_worker", "nurse", "social_worker"],
                "experience_months": 30,
            }
        ),
        "licenses": pd.DataFrame(
            {
                "cm_id": ["C"],
                "profession": ["nurse"],
                "jurisdiction": ["FR"],
                "valid_from": ["2020-01-01"],
                "valid_to": ["2026-11-15"],
            }
        ),
        "assignments": pd.DataFrame(
            {
                "assignment_id": episodes[:6],
                "episode_id": episodes[:6],
                "person_id": people[:6],
                "cm_id": leads,
                "role": "lead",
                "from_on": "2026-01-10",
                **BEFORE,
            }
        ),
    }
    return Tables.from_frames(frames, program, Extract(program.id, None, pd.Timestamp(ON), None, "column"))
