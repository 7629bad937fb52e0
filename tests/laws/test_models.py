"""Laws of scorecards, splits, tiers and evaluation, on cards and people of any kind."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from casestrat.knowledge import load_program
from casestrat.models import PersonGroupedSplit, PointScorecard, RiskClassifier, assign_tiers, drift, evaluate
from casestrat.models.measures.metrics import at_capacity, count_people, mean_discounts, net_benefit, taken_shares
from casestrat.models.measures.small_cells import hide_complements

ITEMS = ("a", "b", "c")
CONDITIONS = st.sampled_from([">= 0", ">= 1", "> 2", "< 1", "<= 2", "= 1", "is missing"])
CARDS = st.lists(st.tuples(st.sampled_from(ITEMS), CONDITIONS, st.integers(-5, 5)), min_size=1, max_size=9)
VALUES = st.one_of(st.none(), st.integers(-1, 4), st.sampled_from([0.5, 2.5]))
PEOPLE = st.lists(st.tuples(*[VALUES] * len(ITEMS)), min_size=1, max_size=12)
RISKS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 8)), min_size=2, max_size=40)


def make_card(rows):
    return PointScorecard.from_table(pd.DataFrame(rows, columns=["item", "condition", "points"]))


def make_people(values):
    index = pd.Index([f"P{i}" for i in range(len(values))], name="person_id")
    return pd.DataFrame(values, columns=list(ITEMS), index=index, dtype="float64")


@settings(max_examples=20, deadline=None)
@given(CARDS, PEOPLE)
def test_contributions_sum_exactly_to_the_points(rows, values):
    card, people = make_card(rows), make_people(values)
    points = card.points(people)
    total = card.explain(people).groupby("person_id")["contribution"].sum().reindex(people.index, fill_value=0)
    assert total.tolist() == points.tolist()
    by_hand = [sum(p for item, how, p in rows if holds(how, person[item])) for _, person in people.iterrows()]
    assert points.tolist() == by_hand


def holds(how: str, value: float) -> bool:
    """A condition, read the long way."""
    if how == "is missing":
        return bool(np.isnan(value))
    sign, number = how.split()
    tests = {">=": value >= float(number), ">": value > float(number), "<": value < float(number)}
    return bool((tests | {"<=": value <= float(number), "=": value == float(number)})[sign])


@settings(max_examples=20, deadline=None)
@given(CARDS, PEOPLE)
def test_points_lie_within_the_bounds_of_the_card(rows, values):
    card, people = make_card(rows), make_people(values)
    assert card.points(people).between(card.min_points, card.max_points).all()
    assert card.points_share(people).between(0, 1).all()


@settings(max_examples=20, deadline=None)
@given(CARDS, PEOPLE, st.randoms(use_true_random=False))
def test_the_order_of_people_and_of_rows_changes_nothing(rows, values, random):
    card, people = make_card(rows), make_people(values)
    order = random.sample(range(len(people)), len(people))
    pd.testing.assert_series_equal(card.points(people.iloc[order]), card.points(people).iloc[order])
    other = make_card(random.sample(rows, len(rows)))
    pd.testing.assert_series_equal(other.points(people), card.points(people))


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(ITEMS), st.sampled_from([">= 0", "> 1", ">= 3"]), st.integers(0, 5)), min_size=1
    ),
    PEOPLE,
    st.sampled_from(ITEMS),
    st.integers(0, 3),
)
def test_a_worse_answer_never_lowers_the_points_of_a_monotone_card(rows, values, item, worse):
    card, people = make_card(rows), make_people(values)
    assert (card.points(people.assign(**{item: people[item] + worse})) >= card.points(people)).all()


@settings(deadline=None)
@given(RISKS, st.integers(1, 50))
def test_precision_at_capacity_is_ordered_and_ties_alone_part_it(pairs, capacity):
    y, risk = (np.array(values, dtype=float) for values in zip(*pairs, strict=True))
    at, code = np.unique(risk, return_inverse=True)
    row = at_capacity(count_people(at, code, y), [capacity]).iloc[0]
    for measure in ("precision", "recall"):
        worst, expected, best = (row[f"{measure}_{case}"] for case in ("worst", "expected", "best"))
        assert np.isnan(best) or -1e-12 <= worst <= expected + 1e-12 <= best + 2e-12 <= 1 + 1e-9
    if row["n_tied"] == row["n_tied_in"]:
        assert row["precision_worst"] == pytest.approx(row["precision_best"])
    # any order that goes by the risk lies between
    ranked = y[np.lexsort((np.arange(len(y)), -risk))][: int(row["n_taken"])]
    assert row["precision_worst"] - 1e-12 <= ranked.mean() <= row["precision_best"] + 1e-12


@settings(deadline=None)
@given(RISKS, st.integers(1, 99))
def test_net_benefit_is_true_positives_less_weighed_false_ones(pairs, percent):
    y, risk = np.array(pairs, dtype=float).T
    risk, threshold = risk / 8, percent / 100
    at, code = np.unique(risk, return_inverse=True)
    told = net_benefit(count_people(at, code, y), np.array([threshold])).iloc[0]
    chosen = risk >= threshold
    expected = (y[chosen].sum() - (1 - y[chosen]).sum() * threshold / (1 - threshold)) / len(y)
    assert told["net_benefit"] == pytest.approx(expected, abs=1e-12)


@settings(max_examples=6, deadline=None)
@given(RISKS.filter(lambda pairs: len({y for y, _ in pairs}) == 2), st.randoms(use_true_random=False))
def test_an_evaluation_equals_scikit_learn_and_ignores_the_order_of_rows(pairs, random):
    order = random.sample(range(len(pairs)), len(pairs))
    y, risk = np.array(pairs, dtype=float).T
    risk = risk / 8
    report = evaluate(y, risk, capacity=3, groups=y, n_boot=3)
    assert report.value("auc") == pytest.approx(metrics.roc_auc_score(y, risk), abs=1e-12)
    assert report.value("average_precision") == pytest.approx(metrics.average_precision_score(y, risk), abs=1e-12)
    assert report.value("brier") == pytest.approx(metrics.brier_score_loss(y, risk), abs=1e-12)
    other = evaluate(y[order], risk[order], capacity=3, groups=y[order], n_boot=3)
    for name in ("summary", "calibration", "capacity", "by_group", "net_benefit"):
        pd.testing.assert_frame_equal(getattr(other, name), getattr(report, name))


PROGRAM = load_program("geriatric")


@settings(deadline=None)
@given(st.lists(st.integers(0, 20), min_size=1, max_size=30), st.integers(0, 10))
def test_a_capacity_is_never_passed_and_equals_get_equal_tiers(points, capacity):
    index = pd.Index(range(len(points)), name="person_id")
    tiers = assign_tiers(pd.DataFrame({"points": points}, index=index), PROGRAM, capacity=capacity)
    assert (tiers["tier"] == "high").sum() <= capacity
    assert len(tiers[["points", "tier"]].drop_duplicates()) == len(set(points))
    kept = tiers.loc[tiers["tier"] == "high", "points"].min()
    assert not (tiers.loc[tiers["tier"] != "high", "points"] > kept).any()


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_a_higher_risk_never_gives_a_lower_tier(risks):
    rank = {tier.id: i for i, tier in enumerate(PROGRAM.tiers)}
    people = pd.DataFrame({"risk": sorted(risks)}, index=pd.Index(range(len(risks)), name="person_id"))
    places = assign_tiers(people, PROGRAM)["tier"].map(rank).tolist()
    assert places == sorted(places, reverse=True)


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), min_size=2, max_size=60).filter(lambda p: len(set(p)) >= 2), st.integers(0, 5))
def test_no_person_stands_on_both_sides(persons, seed):
    persons = np.array(persons)
    for learn, test in PersonGroupedSplit(n_splits=2, random_state=seed).split(persons, groups=persons):
        assert not set(persons[learn]) & set(persons[test])
        assert sorted([*learn, *test]) == list(range(len(persons)))


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 1000), st.booleans())
def test_reasons_of_a_classifier_sum_whatever_is_missing(seed, with_text):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(60, 2)), columns=["a", "b"]).mask(rng.random((60, 2)) < 0.3)
    if with_text:
        X["c"] = rng.choice(np.array(["x", "y", None], dtype=object), 60)
    y = (X["a"].fillna(1) + rng.normal(size=60) > 0).astype(int)
    model = RiskClassifier(calibration="none").fit(X, y)
    unseen = X.mask(rng.random(X.shape) < 0.3)
    total = model.explain(unseen).groupby("row")["contribution"].sum()
    np.testing.assert_allclose(total, model.decision_function(unseen) - model.intercept_, atol=1e-9)


def test_a_program_is_never_changed_by_using_it():
    before = dataclasses.replace(PROGRAM).fingerprint
    assign_tiers(pd.DataFrame({"risk": [0.5]}), PROGRAM)
    assert PROGRAM.fingerprint == before


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 60), st.booleans()), min_size=1, max_size=8), st.integers(1, 20))
def test_what_is_hidden_is_never_one_alone_nor_few(parts, small_cell):
    counts = np.array([n for n, _ in parts])
    hidden = np.array([flag for _, flag in parts]) & (counts < small_cell)
    told = hide_complements(hidden, counts, small_cell)
    assert (told >= hidden).all()
    if told.any() and not told.all():
        assert told.sum() >= 2
        assert counts[told].sum() >= small_cell
    if not hidden.any():
        assert not told.any()


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=30), st.integers(0, 40))
def test_places_are_dealt_out_whole_from_the_top(scores, capacity):
    n = np.bincount(scores, minlength=7).astype(float)
    share = taken_shares(n, capacity)
    assert n @ share == pytest.approx(min(capacity, len(scores)))
    assert (np.diff(share[n > 0]) >= 0).all()
    assert ((share == 0) | (share == 1))[n > 0].sum() >= (n > 0).sum() - 1  # only those at the cut are parted
    assert n @ mean_discounts(n) == pytest.approx(sum(1 / np.log2(1 + rank) for rank in range(1, len(scores) + 1)))


@settings(max_examples=10, deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(0, 5)), min_size=3, max_size=40), st.randoms(use_true_random=False))
def test_drift_is_none_against_oneself_and_the_order_of_rows_changes_nothing(values, random):
    frame = pd.DataFrame({"x": pd.Series(values, dtype="float64")})
    assert drift(frame, frame).features.loc[0, "psi"] == pytest.approx(0)
    shuffled = frame.iloc[random.sample(range(len(frame)), len(frame))]
    later = frame.assign(x=frame["x"] + 1)
    first, second = drift(frame, later), drift(shuffled, later)
    assert first.features.loc[0, "psi"] == pytest.approx(second.features.loc[0, "psi"])
    assert first.features.loc[0, "psi"] >= 0
