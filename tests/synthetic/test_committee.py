import numpy as np
import pandas as pd

AS_OF = pd.Timestamp("2026-10-01")


def test_every_refusal_has_a_reason_and_a_relay_of_the_own_territory(many):
    frames, _ = many
    refused = frames["decisions"].query("outcome == 'refuse'")
    assert refused["reason"].notna().all()
    assert refused["relay"].notna().all()
    named = refused[refused["relay"] != "to_find"].merge(frames["services"], left_on="relay", right_on="service_id")
    assert (named["meeting_id"].str.split("-").str[1] == named["territory"]).all()
    assert refused.loc[refused["relay"] == "to_find", "relay_due_on"].notna().all()


def test_reasons_are_those_the_program_has_for_that_outcome(geriatric, many):
    allowed = {(r.outcome, r.code) for r in geriatric.decision_reasons}
    assert set(map(tuple, many[0]["decisions"][["outcome", "reason"]].drop_duplicates().to_numpy())) <= allowed


def test_notes_stand_where_the_reason_needs_one(geriatric, many):
    needs = [r.code for r in geriatric.decision_reasons if r.needs_note]
    decisions = many[0]["decisions"]
    assert (decisions["note"].notna() == decisions["reason"].isin(needs)).all()


def test_deferrals_are_until_a_later_day_and_overrides_have_a_reason(many):
    decisions = many[0]["decisions"]
    deferred = decisions[decisions["outcome"] == "defer"]
    assert (deferred["defer_until"] > deferred["decided_at"].dt.normalize()).all()
    assert decisions.loc[decisions["is_override"].astype(bool), "override_reason"].notna().all()
    assert 0.02 < decisions.loc[decisions["outcome"] != "defer", "is_override"].mean() < 0.06


def test_ranks_shown_begin_at_one_in_each_meeting(many):
    shown = many[0]["decisions"].groupby("meeting_id")["rank_shown"]
    assert (shown.min() == 1).all()
    assert (shown.max() == shown.size()).all()


def test_decisions_are_taken_in_meetings_that_were_held(many):
    frames, _ = many
    assert set(frames["decisions"]["meeting_id"]) <= set(frames["committee_meetings"]["meeting_id"])


def test_the_next_meetings_are_planned_with_places(example):
    ahead = example.committee_meetings[example.committee_meetings["held_on"] >= AS_OF]
    first = ahead.sort_values("held_on").drop_duplicates("territory").set_index("territory")
    assert first["places"].to_dict() == {"north": 8, "south": 6}
    assert first["list_fingerprint"].isna().all()
    held = example.committee_meetings[example.committee_meetings["held_on"] < AS_OF]
    assert held["list_fingerprint"].str.fullmatch("[0-9a-f]{32}").all()


def test_newcomers_begin_with_the_intensity_of_newcomers(example):
    episodes = example.episodes[example.episodes["closed_on"].isna()]
    new = (AS_OF - episodes["admitted_on"]).dt.days < 90
    assert (episodes.loc[new, "intensity"] == "onboarding").all()
    assert not (episodes.loc[~new, "intensity"] == "onboarding").any()


def test_open_episodes_have_no_reason_to_close_and_closed_ones_have_one(example):
    episodes = example.episodes
    assert np.array_equal(episodes["closed_on"].isna(), episodes["close_reason"].isna())
