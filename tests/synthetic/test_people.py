import numpy as np
import pytest

from casestrat.synthetic.people import gir_of, numbered


def test_ids_have_one_length_and_sort_as_their_numbers_do():
    assert numbered("P", 3).tolist() == ["P0001", "P0002", "P0003"]
    ids = numbered("P", 12_000).tolist()
    assert ids == sorted(ids)
    assert ids[-1] == "P12000"


def test_the_heaviest_have_gir_1_and_the_lightest_gir_6():
    assert gir_of(np.array([0.99, 0.5, 0.0])).tolist() == [1, 3, 6]


def test_gir_has_its_shares_in_20_000_people(many):
    shares = many[1]["gir"].value_counts(normalize=True).sort_index()
    np.testing.assert_allclose(shares, [0.04, 0.32, 0.26, 0.30, 0.05, 0.03], atol=0.01)


def test_ages_are_those_of_the_design_and_the_young_all_have_a_disease(many):
    persons, _ = many[0]["persons"], many[1]
    age = 2026 - persons["birth_year"]
    young = age < 59
    assert abs(young.mean() - 0.03) < 0.005
    assert age[~young].mean() == pytest.approx(82.5, abs=0.6)
    assert age[~young].std() == pytest.approx(7.5, abs=0.4)
    assert age.max() <= 104
    assert persons.loc[young, "neurodegenerative"].dropna().all()


def test_the_true_risk_is_what_the_rate_says(many):
    truth = many[1]
    np.testing.assert_allclose(truth["risk"], 1 - np.exp(-truth["outcomes_per_year"] * 90 / 365.25), atol=2e-6)


@pytest.mark.parametrize("driver", ["lives_alone", "severity", "falls_per_year"])
def test_the_true_risk_rises_with_what_drives_it(many, driver):
    truth = many[1]
    high = truth[driver].astype(float) > truth[driver].astype(float).median() - (driver == "lives_alone") * 0.5
    assert truth.loc[high, "risk"].mean() > 1.1 * truth.loc[~high, "risk"].mean()


def test_having_no_caregiver_raises_the_true_risk(many):
    truth = many[1]
    means = truth.groupby("caregiver")["risk"].mean()
    assert means["none"] > 1.2 * means["spouse"]


def test_languages_are_mostly_french_with_an_italian_minority(many):
    shares = many[0]["persons"]["language"].value_counts(normalize=True)
    assert shares["fr"] > 0.8
    assert 0.02 < shares["it"] < 0.06
    assert {"ar", "pt"} <= set(shares.index)
