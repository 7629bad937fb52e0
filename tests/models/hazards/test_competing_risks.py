"""Plain estimates under competing events, against published values and by hand."""

import json

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.models import aalen_johansen, horizon_labels, kaplan_meier
from casestrat.models.hazards.competing_risks import read_follow_up, supported_day

DAYS = [10, 20, 20, 30, 40, 50]
EVENT = [1, 0, 2, 1, 0, 0]
# Months to relapse (1), death without it (2) or the end of follow-up (0) after a bone marrow transplant, as printed by
# Scrucca, Santucci and Aversa, Bone Marrow Transplantation 40 (2007), 381-387.
TRANSPLANTS = [
    (13, 2), (1, 1), (72, 0), (7, 2), (8, 2), (67, 0), (9, 2), (5, 2), (70, 0), (4, 0), (7, 0), (68, 0), (1, 2),
    (10, 2), (7, 2), (3, 1), (4, 1), (4, 1), (3, 1), (3, 1), (22, 2), (8, 1), (2, 2), (0, 2), (0, 1), (35, 0), (35, 0),
    (4, 2), (14, 2), (26, 2), (3, 2), (2, 0), (8, 0), (32, 0), (12, 1),
]  # fmt: skip


@pytest.fixture(scope="module")
def published(root) -> dict:
    return json.loads((root / "tests/vectors/survival_reference_values.json").read_text())


@pytest.fixture(scope="module")
def data(root) -> dict:
    return json.loads((root / "tests/vectors/survival_data.json").read_text())


def test_kaplan_meier_gives_the_published_survival_of_waltons_flies(published, data):
    curve = kaplan_meier(data["waltons"]["days"], data["waltons"]["event"])
    assert curve.median == published["waltons_km"]["median"]
    told = published["waltons_km"]["S"]
    np.testing.assert_allclose(curve.at([int(day) for day in told]), list(told.values()), atol=5e-7)
    expected = data["waltons_interval"]
    low, high = curve.interval(expected["days"])
    np.testing.assert_allclose(low, expected["low"], atol=1e-12)
    np.testing.assert_allclose(high, expected["high"], atol=1e-12)


def test_aalen_johansen_gives_incidence_variance_and_interval_of_a_peer(data):
    women = pd.DataFrame({name: data["gbsg2"][name] for name in ("days", "event", "menostat=Post")})
    women["event"] *= 1 + women["menostat=Post"]
    women = women.drop_duplicates("days")  # the peer moves tied days apart at random
    expected = data["gbsg2_competing"]
    curve = aalen_johansen(women["days"], women["event"])
    np.testing.assert_allclose(curve.at(expected["days"]), expected["incidence"], atol=1e-12)
    place = np.searchsorted(curve.times, expected["days"], side="right") - 1
    np.testing.assert_allclose(curve.variance[0, place], expected["variance"], atol=1e-12)
    low, high = curve.interval(expected["days"])
    np.testing.assert_allclose(low, expected["low"], atol=1e-10)
    np.testing.assert_allclose(high, expected["high"], atol=1e-10)


def test_aalen_johansen_gives_the_published_incidence_after_transplants(published):
    days, event = zip(*TRANSPLANTS, strict=True)
    curve = aalen_johansen(days, event)
    expected = published["bmt_cif"]
    for number, row in enumerate(expected["cif_rows_total_then_causes"][1:], start=1):
        np.testing.assert_allclose(curve.at(expected["times"], number), row, atol=5e-7)


def test_incidences_by_hand():
    curve = aalen_johansen(DAYS, EVENT)
    assert curve.times.tolist() == [10, 20, 30]
    assert curve.at_risk.tolist() == [6, 5, 3]
    np.testing.assert_allclose(curve.incidence[0], [1 / 6, 1 / 6, 1 / 6 + 5 / 6 * 4 / 5 / 3])
    np.testing.assert_allclose(curve.incidence[1], [0, 1 / 6, 1 / 6])
    np.testing.assert_allclose(curve.survival + curve.incidence.sum(axis=0), 1)
    assert curve.at([0, 9.9, 10, 1000]).tolist() == [0, 0, curve.incidence[0, 0], curve.incidence[0, 2]]
    assert curve.last == 50


def test_without_a_competing_event_incidence_is_one_minus_kaplan_meier_with_greenwoods_variance():
    rng = np.random.default_rng(3)
    days, event = rng.integers(0, 60, 300), rng.integers(0, 2, 300)
    both, alone = aalen_johansen(days, event), kaplan_meier(days, event)
    np.testing.assert_allclose(both.incidence[0], 1 - alone.survival, atol=1e-12)
    np.testing.assert_allclose(both.variance[0], alone.variance, atol=1e-12)
    assert (kaplan_meier(days, event).at(both.times) < alone.before(both.times)).all()


def test_one_minus_kaplan_meier_counts_the_dead_as_if_the_outcome_could_still_come():
    rng = np.random.default_rng(4)
    days, event = rng.exponential(100, 500), rng.choice([1, 2], 500, p=[0.3, 0.7])
    naive = 1 - kaplan_meier(days, event == 1).at(200)
    assert naive > aalen_johansen(days, event).at(200) + 0.1


def test_an_event_at_the_very_start_counts_at_day_0():
    assert aalen_johansen([0, 5], [1, 0]).at(0) == 0.5


def test_bounds_of_a_share_of_0_or_1_are_that_share():
    curve = aalen_johansen([5, 5], [1, 1])
    assert [float(bound) for bound in curve.interval(4)] == [0, 0]
    assert [float(bound) for bound in curve.interval(5)] == [1, 1]
    assert kaplan_meier([5, 5], [1, 1]).median == 5
    assert kaplan_meier([5, 6], [0, 0]).median == np.inf


def test_censoring_on_the_day_of_an_event_comes_after_it():
    seen = kaplan_meier(DAYS, EVENT, of_censoring=True)
    # on day 20 one of the five still there dies first: four are left, of whom one is no longer seen
    assert seen.times.tolist() == [20, 40, 50]
    np.testing.assert_allclose(seen.survival, [3 / 4, 3 / 8, 0])


def test_labels_and_weights_at_a_horizon():
    index = pd.Index(list("abcdef"), name="person_id")
    labels = horizon_labels(pd.Series(DAYS, index=index), EVENT, 35)
    assert labels.index.equals(index)
    assert labels["label"].isna().tolist() == [False, True, False, False, False, False]
    assert labels["label"].fillna(-1).tolist() == [1, -1, 0, 1, 0, 0]
    np.testing.assert_allclose(labels["weight"], [1, 0, 1, 4 / 3, 4 / 3, 4 / 3])


@pytest.mark.parametrize("horizon", [5, 20, 33, 50])
def test_the_weighted_share_of_labels_is_the_incidence(horizon):
    labels = horizon_labels(DAYS, EVENT, horizon).dropna()
    assert labels["weight"].sum() == pytest.approx(6)
    share = np.average(labels["label"], weights=labels["weight"])
    assert share == pytest.approx(float(aalen_johansen(DAYS, EVENT).at(horizon)))


def test_who_is_seen_up_to_the_horizon_is_known():
    labels = horizon_labels([90, 90, 30], [0, 0, 1], 90)
    assert labels["label"].tolist() == [0, 0, 1]
    assert labels["weight"].tolist() == [1, 1, 1]


def test_a_horizon_beyond_follow_up_is_the_last_day_seen():
    pd.testing.assert_frame_equal(horizon_labels(DAYS, EVENT, 400), horizon_labels(DAYS, EVENT, 50))
    ones = np.ones(3)
    assert supported_day(np.array([5.0, 9, 9]), np.array([1, 1, 0]), 30, ones) == 9
    # where something has happened to everybody nothing is left to be seen
    assert supported_day(np.array([5.0, 9, 9]), np.array([1, 1, 2]), 30, ones) == 30


@pytest.mark.parametrize(
    ("days", "event", "weight", "words"),
    [
        ([1, -2], None, None, "1 rows have fewer"),
        ([1, np.nan], None, None, "contains NaN: 1 rows"),
        ([1, np.inf], None, None, "infinity"),
        (["a", "b"], None, None, "expected numbers"),
        ([], None, None, "0 sample"),
        ([1, 2], [0, -1], None, "unknown event code"),
        ([1, 2], [0, 1.5], None, "unknown event code"),
        ([1, 2], [0, None], None, "event contains NaN"),
        ([1, 2], [0, 1, 1], None, "expected 2 values"),
        ([1, 2], None, [0, 0], "not all of them zero"),
        ([1, 2], None, [1, -1], "0 or more"),
        ([1, 2], None, [1], "expected 2 values"),
    ],
)
def test_follow_up_that_cannot_be_used_is_refused(days, event, weight, words):
    with pytest.raises(UsageError, match=words):
        read_follow_up(days, event, weight)


def test_settings_that_cannot_be_used_are_refused():
    curve = aalen_johansen(DAYS, EVENT)
    with pytest.raises(UsageError, match="numbered 1 to 2"):
        curve.at(10, event=3)
    with pytest.raises(UsageError, match="coverage"):
        curve.interval(10, level=95)
    with pytest.raises(UsageError, match="0 or more"):
        horizon_labels(DAYS, EVENT, -1)


def test_nobody_has_any_event():
    curve = aalen_johansen([3, 4], [0, 0])
    assert curve.at([1, 10]).tolist() == [0, 0]
