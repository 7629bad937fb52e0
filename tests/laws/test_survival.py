"""Laws of curves, labels and hazards, on people of any kind."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casestrat.models import (
    FollowUpWarning,
    HorizonRisk,
    NoSignalWarning,
    aalen_johansen,
    concordance_harrell,
    evaluate_horizon,
    horizon_labels,
    kaplan_meier,
)

ROWS = st.tuples(st.integers(0, 40), st.integers(0, 3), st.one_of(st.none(), st.integers(0, 3)), st.integers(0, 2))
PEOPLE = st.lists(ROWS, min_size=3, max_size=40).filter(lambda rows: any(event == 1 for _, event, _, _ in rows))
INTERVALS = st.sampled_from([20, 3, "events", [7.0, 15.0]])
BASELINES = st.sampled_from(["steps", "smooth"])


def parted(rows) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Features, days and events."""
    days, event, number, level = zip(*rows, strict=True)
    X = pd.DataFrame({"a": pd.array(number, dtype="Float64"), "b": np.array(["x", "y", "z"])[list(level)]})
    return X, np.array(days, dtype=float), np.array(event)


def learn(rows, **settings_of) -> HorizonRisk:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FollowUpWarning)
        warnings.simplefilter("ignore", NoSignalWarning)
        return HorizonRisk((10, 30), **{"n_folds": 0, **settings_of}).fit(*parted(rows))


@given(PEOPLE)
def test_incidences_never_fall_and_sum_to_one_with_who_is_free(rows):
    _, days, event = parted(rows)
    curve = aalen_johansen(days, event)
    assert (np.diff(curve.incidence, axis=1) >= 0).all()
    np.testing.assert_allclose(curve.incidence.sum(axis=0) + curve.survival, 1, atol=1e-12)
    np.testing.assert_allclose(kaplan_meier(days, event).survival, curve.survival, atol=1e-12)
    for number in range(1, len(curve.incidence) + 1):
        low, high = curve.interval(curve.times, number)
        share = curve.at(curve.times, number)
        assert ((low >= 0) & (low <= share + 1e-12) & (share <= high + 1e-12) & (high <= 1)).all()


@given(PEOPLE, st.floats(0.5, 60))
def test_labels_weighted_by_the_chance_of_being_seen_give_the_incidence(rows, horizon):
    _, days, event = parted(rows)
    labels = horizon_labels(days, event, horizon)
    assert labels["weight"].sum() == pytest.approx(len(days))
    assert (labels["weight"] > 0).eq(labels["label"].notna()).all()
    expected = float(aalen_johansen(days, event).at(horizon))
    assert (labels["label"] * labels["weight"]).sum() / len(days) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=4, deadline=None)
@given(PEOPLE, INTERVALS, BASELINES, st.lists(st.floats(0, 60), min_size=2, max_size=6))
def test_curves_lie_between_0_and_1_never_fall_and_sum_to_1(rows, intervals, baseline, times):
    model = learn(rows, intervals=intervals, baseline=baseline)
    X, _, _ = parted(rows)
    curves = model.cumulative_incidence(X, sorted(times))
    assert np.isfinite(curves.to_numpy()).all()
    assert ((curves >= 0) & (curves <= 1)).all(axis=None)
    np.testing.assert_allclose(curves.sum(axis=1), 1, atol=1e-9)
    rises = curves.drop(columns="free").groupby(level="row").diff().fillna(0)
    assert (rises >= -1e-12).all(axis=None)


@settings(max_examples=4, deadline=None)
@given(PEOPLE, INTERVALS)
def test_nothing_waited_is_the_plain_risk(rows, intervals):
    model = learn(rows, intervals=intervals)
    X, days, _ = parted(rows)
    plain, waited = model.predict_risk(X), model.predict_risk(X, waited_days=0)
    at_the_start = model.cumulative_incidence(X, [0.0])["event_1"].to_numpy()  # events of day 0 are waited through
    if at_the_start.max() == 0 and (days > 0).any():
        told = waited.notna().to_numpy()
        free = model.cumulative_incidence(X, [0.0])["free"].to_numpy()[:, None]
        np.testing.assert_allclose(waited.to_numpy()[told], (plain / free).to_numpy()[told], atol=1e-9)


@settings(max_examples=4, deadline=None)
@given(PEOPLE, INTERVALS)
def test_without_features_the_risk_is_aalen_johansens(rows, intervals):
    _, days, event = parted(rows)
    none = pd.DataFrame(index=range(len(days)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FollowUpWarning)
        model = HorizonRisk((10, 30), intervals=intervals).fit(none, days, event)
    at = np.arange(0, 41)
    found = model.cumulative_incidence(none.head(1), at)
    curve = aalen_johansen(days, event)
    for number in range(1, event.max() + 1):
        np.testing.assert_allclose(found[f"event_{number}"], curve.at(at, number), atol=1e-8)


@settings(max_examples=4, deadline=None)
@given(PEOPLE, INTERVALS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(rows, intervals, random):
    mixed = random.sample(rows, len(rows))
    one, other = (learn(those, intervals=intervals, n_folds=2) for those in (rows, mixed))
    assert one.fingerprint == other.fingerprint
    _, days, event = parted(rows)
    order = random.sample(range(len(rows)), len(rows))
    risk = one.predict_risk(parted(rows)[0])[10].to_numpy()
    for judge in (concordance_harrell,):
        np.testing.assert_allclose(judge(days, event, risk), judge(days[order], event[order], risk[order]), rtol=1e-9)
    reports = [evaluate_horizon(days[o], event[o], risk[o], 10, n_boot=2) for o in (slice(None), order)]
    pd.testing.assert_frame_equal(reports[0].summary, reports[1].summary)


@settings(max_examples=4, deadline=None)
@given(PEOPLE, INTERVALS, BASELINES, st.data())
def test_a_row_that_stands_twice_is_a_row_of_weight_2_and_one_of_weight_0_is_none(rows, intervals, baseline, data):
    weight = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows))), dtype=float)
    weight[next(i for i, row in enumerate(rows) if row[1] == 1)] = 1
    X, days, event = parted(rows)
    often = np.repeat(np.arange(len(rows)), weight.astype(int))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FollowUpWarning)
        own = HorizonRisk((10, 30), intervals=intervals, baseline=baseline, n_folds=0)
        weighted = own.fit(X, days, event, sample_weight=weight).predict_risk(X)
        repeated = own.fit(X.iloc[often], days[often], event[often]).predict_risk(X)
    np.testing.assert_allclose(weighted, repeated, atol=1e-6)
    plain = horizon_labels(days[often], event[often], 10)
    told = horizon_labels(days, event, 10, weight)
    assert told["weight"].sum() == pytest.approx(plain["weight"].sum())


@settings(max_examples=4, deadline=None)
@given(PEOPLE, INTERVALS, BASELINES)
def test_reasons_sum_exactly(rows, intervals, baseline):
    model = learn(rows, intervals=intervals, baseline=baseline)
    X, _, _ = parted(rows)
    total = model.explain(X).groupby("row")["contribution"].sum().reindex(range(len(X)), fill_value=0)
    np.testing.assert_allclose(total, model.decision_function(X), atol=1e-9)
