import dataclasses

import pandas as pd
import pytest

from casestrat.caseload import process_indicators
from casestrat.caseload.process import STEPS
from casestrat.tables import Tables

AS_OF = pd.Timestamp("2026-10-01")


def list_of(*values):
    return list(values)


@pytest.fixture(scope="module")
def cared(geriatric):
    """Two people followed, one closed; each step done for some and not for others."""
    frames = {
        "persons": pd.DataFrame({"person_id": ["P1", "P2", "P3"], "territory": ["a", "b", "a"],
                                 "recorded_at": "2025-01-01"}),
        "referrals": pd.DataFrame({
            "referral_id": ["R1", "R2", "R3"], "person_id": ["P1", "P2", "P3"],
            "referred_on": list_of("2026-01-01", "2026-01-01", "2026-09-20"), "is_complete": ["true", "true", "false"],
            "recorded_at": list_of("2026-01-01", "2026-01-01", "2026-09-20")}),
        "assessments": pd.DataFrame({
            "assessment_id": ["A1", "A2"], "person_id": ["P1", "P2"], "instrument": "aggir",
            "observed_at": list_of("2026-01-20", "2026-03-20"), "recorded_at": list_of("2026-01-20", "2026-03-20")}),
        "episodes": pd.DataFrame({
            "episode_id": ["E1", "E2"], "person_id": ["P1", "P2"], "admitted_on": list_of("2026-02-01", "2026-02-01"),
            "closed_on": [None, "2026-08-01"], "close_reason": [None, "moved"], "intensity": "standard",
            "recorded_at": "2026-02-01"}),
        "case_managers": pd.DataFrame({"cm_id": ["CM1"], "team": ["x"]}),
        "plans": pd.DataFrame({
            "plan_id": ["L1", "L2"], "episode_id": ["E1", "E2"], "person_id": ["P1", "P2"], "version": "1",
            "starts_on": list_of("2026-03-01", "2026-06-01"), "recorded_at": list_of("2026-03-01", "2026-06-01")}),
        "goals": pd.DataFrame({
            "goal_id": ["O1"], "plan_id": ["L2"], "person_id": ["P2"], "status": ["open"],
            "status_on": ["2026-06-01"], "recorded_at": ["2026-06-01"]}),
        "contacts": pd.DataFrame({
            "contact_id": ["K1", "K2"], "episode_id": "E1", "person_id": "P1", "cm_id": "CM1",
            "occurred_at": list_of("2026-08-15", "2026-05-14"), "kind": ["collateral", "post_transition"],
            "outcome": "reached", "recorded_at": list_of("2026-08-15", "2026-05-14")}),
        "events": pd.DataFrame({
            "event_id": ["V1", "V2", "V3"], "person_id": ["P1", "P1", "P2"], "kind": "hospital_stay",
            "observed_at": list_of("2026-05-01", "2026-06-01", "2026-09-01"),
            "ended_at": list_of("2026-05-10", "2026-06-10", "2026-09-10"),
            "recorded_at": list_of("2026-05-03", "2026-06-20", "2026-09-01")}),
    }  # fmt: skip
    tables = Tables.from_frames(frames, geriatric)
    assert not len(tables.set_aside)
    return tables


def shares(frame):
    total = frame[frame["group_kind"] == "all"].set_index("indicator")
    return {name: (row["numerator"], row["denominator"]) for name, row in total.iterrows()}


def test_each_of_the_nine_steps_is_counted_as_by_hand(cared, geriatric):
    assert shares(process_indicators(cared, geriatric, AS_OF)) == {
        "screening_complete": (2, 3),
        "assessing_in_time": (1, 2),
        "stratifying_complete": (1, 1),
        "planning_in_time": (1, 2),
        "implementing_coordinated": (1, 1),
        "following_up_in_time": (0, 1),
        "transitioning_known_in_time": (1, 2),
        "communicating_in_time": (1, 2),
        "evaluating_complete": (0, 1),
    }


def test_there_is_an_indicator_for_each_step_in_order(example, geriatric):
    found = process_indicators(example, geriatric, AS_OF)
    assert len(STEPS) == 9
    assert found.drop_duplicates("step")["step"].tolist() == list(range(1, 10))
    assert (found["numerator"] <= found["denominator"]).all()
    total = found[found["group_kind"] == "all"].set_index("indicator")
    assert (total["denominator"] > 20).all()
    assert (total["numerator"] < total["denominator"]).all()


def test_territories_add_up_to_all(example, geriatric):
    found = process_indicators(example, geriatric, AS_OF)
    parts = found[found["group_kind"] == "territory"].groupby("indicator")[["numerator", "denominator"]].sum()
    total = found[found["group_kind"] == "all"].set_index("indicator")[["numerator", "denominator"]]
    pd.testing.assert_frame_equal(parts, total.loc[parts.index], check_names=False)


def test_tiers_say_who_is_stratified(cared, geriatric):
    index = pd.MultiIndex.from_tuples([("P1", AS_OF), ("P3", AS_OF)], names=["person_id", "as_of"])
    for tier, expected in (("high", (1, 1)), (None, (0, 1))):
        tiers = pd.DataFrame({"tier": [tier, "low"]}, index=index)
        assert shares(process_indicators(cared, geriatric, AS_OF, tiers))["stratifying_complete"] == expected


def test_a_program_without_instruments_has_nobody_stratified(cared, geriatric):
    bare = dataclasses.replace(geriatric, instruments=())
    assert shares(process_indicators(cared, bare, AS_OF))["stratifying_complete"] == (0, 1)
