import numpy as np
import pytest


def test_sources_have_their_shares_in_20_000_people(many):
    shares = many[0]["referrals"]["source"].value_counts(normalize=True)
    groups = {
        "hospital": ["hospital"], "person or family": ["self", "family"], "liberal": ["gp", "nurse"],
        "social": ["social_worker"], "medico-social": ["home_care", "memory_clinic"], "other": ["community", "other"],
    }  # fmt: skip
    found = [shares[names].sum() for names in groups.values()]
    np.testing.assert_allclose(found, [0.35, 0.17, 0.15, 0.14, 0.08, 0.11], atol=0.01)


def test_answers_on_the_form_are_missing_at_random_and_more_for_the_isolated_who_refuse(geriatric, many):
    frames, truth = many
    names = list(geriatric.referral.criteria_inputs)
    forms = frames["referrals"].merge(truth[["person_id", "lives_alone", "refuses_help"]], on="person_id")
    blank = forms[names].isna().mean(axis=1)
    alone, refuses = forms["lives_alone"], forms["refuses_help"]
    assert blank.mean() == pytest.approx(0.16, abs=0.02)
    assert blank[~alone & ~refuses].mean() == pytest.approx(0.04, abs=0.01)
    assert blank[alone & refuses].mean() > 0.35


def test_those_refused_fail_a_question_more_often_than_those_admitted(geriatric, many):
    frames, _ = many
    names = list(geriatric.referral.criteria_inputs)
    fails = (frames["referrals"].set_index("referral_id")[names] == False).fillna(False).any(axis=1)  # noqa: E712
    last = frames["decisions"].query("outcome != 'defer'").set_index("referral_id")
    share = last.join(fails.rename("fails")).groupby("reason")["fails"].mean()
    assert share["criteria_not_met"] > 0.6
    assert share["criteria_met"] < 0.35


def test_urgency_leans_on_how_heavy_the_situation_is(many):
    frames, truth = many
    forms = frames["referrals"].merge(truth[["person_id", "severity"]], on="person_id").dropna(subset="urgency")
    means = forms.groupby("urgency")["severity"].mean()
    assert means.is_monotonic_increasing
    assert set(means.index) == {0, 1, 2, 3}


def test_only_requests_not_yet_heard_are_incomplete_or_without_consent(many):
    frames, _ = many
    heard = frames["referrals"]["referral_id"].isin(frames["decisions"]["referral_id"])
    forms = frames["referrals"]
    assert forms.loc[heard, "is_complete"].all()
    assert not (forms.loc[heard, "consent"] == "no").any()
    assert not forms.loc[~heard, "is_complete"].all()
    assert (forms.loc[~heard, "consent"] == "no").any()
