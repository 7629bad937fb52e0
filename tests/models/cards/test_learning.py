"""Learning a card: what it finds, what a committee may ask of it, and what it says where people are few."""

import warnings

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.features import Count
from casestrat.models import PointScorecard
from casestrat.models.inputs.sample_size import SmallSampleWarning

RNG = np.random.default_rng(0)
N = 1_200


def made_up(n=N, seed=0):
    """People whose log-odds are known: three falls or more +1.6, GIR under 3 +1.2, alone +.8."""
    rng = np.random.default_rng(seed)
    people = pd.DataFrame(
        {
            "falls": rng.poisson(1.2, n).astype(float),
            "gir": rng.integers(1, 7, n).astype(float),
            "alone": rng.integers(0, 2, n).astype(bool),
            "setting": rng.choice(["home", "hospital", "residence"], n),
            "noise": rng.normal(size=n),
        },
        index=pd.Index([f"P{i:05}" for i in range(n)], name="person_id"),
    )
    odds = -2 + 1.6 * (people["falls"] >= 3) + 1.2 * (people["gir"] < 3) + 0.8 * people["alone"]
    return people, pd.Series((rng.random(n) < 1 / (1 + np.exp(-odds))).astype(int), index=people.index)


@pytest.fixture(scope="module")
def data():
    return made_up()


@pytest.fixture(scope="module")
def card(data):
    return PointScorecard(max_rows=4, n_folds=3).fit(*data)


def conditions(card):
    return list(zip(card.table_["item"], card.table_["condition"], strict=True))


def test_it_finds_the_conditions_that_made_the_outcome(data):
    card = PointScorecard(max_rows=3, n_folds=0).fit(*data)
    assert set(conditions(card)) == {("falls", ">= 3"), ("gir", "< 3"), ("alone", "= 1")}
    points = card.table_.set_index("item")["points"]
    assert points["falls"] > points["gir"] > points["alone"] > 0


def test_the_path_has_a_card_of_every_size_measured_on_people_left_out(card, data):
    path = pd.DataFrame(card.path_)
    assert path["n_rows"].tolist() == [1, 2, 3, 4]
    assert path["auc"].between(0.55, 0.9).all()
    assert path["auc"].iloc[2] > path["auc"].iloc[0]
    assert (path["brier"] > 0).all()
    assert path["calibration_slope"].between(0.5, 1.6).all()
    pd.testing.assert_frame_equal(card.choices_, path[card.choices_.columns])
    three = card.at(3)
    assert len(three.rows_) == 3
    assert len(card.rows_) == 4
    assert three.fingerprint != card.fingerprint
    assert three.at(4).fingerprint == card.fingerprint
    with pytest.raises(UsageError, match="1, 2, 3, 4 rows"):
        card.at(9)
    with pytest.raises(UsageError, match="not learned"):
        PointScorecard.from_table("geriatric_default").at(3)


def test_the_risk_table_has_every_number_of_points_and_rises(card, data):
    people, label = data
    table = card.risk_table_
    assert table["points"].tolist() == list(range(card.min_points, card.max_points + 1))
    assert table["risk"].is_monotonic_increasing
    assert table["risk"].between(0, 1).all()
    risk = card.predict_proba(people)[:, 1]
    assert risk.mean() == pytest.approx(label.mean(), abs=0.02)
    assert set(card.predict(people)) <= {0, 1}


def test_points_are_whole_small_and_without_a_common_divisor(card):
    points = card.table_["points"].to_numpy()
    assert (np.abs(points) <= 5).all()
    assert (points != 0).all()
    assert np.gcd.reduce(points) == 1
    least = PointScorecard(max_rows=3, max_row_points=2, n_folds=0).fit(*made_up())
    assert np.abs(least.table_["points"]).max() <= 2


def test_what_the_features_say_reaches_the_rows_and_their_direction(data):
    people, label = data
    told = [
        {"name": "falls", "domain": "function", "is_actionable": True, "worse": "lower"},
        Count("events", name="noise", domain="other", worse="higher"),
        {"name": "not_in_this_frame", "worse": "higher"},
    ]
    card = PointScorecard(max_rows=5, features=told, n_folds=0).fit(people, label)
    assert not [how for item, how in conditions(card) if item == "falls" and how.startswith(">")]
    free = PointScorecard(max_rows=3, features=told, directions={"falls": "either"}, n_folds=0).fit(people, label)
    row = free.table_.set_index("item").loc["falls"]
    assert (row["condition"], row["domain"], bool(row["is_actionable"])) == (">= 3", "function", True)


def test_forced_items_come_in_and_excluded_ones_stay_out(data):
    card = PointScorecard(max_rows=3, forced=("noise", "setting"), excluded=("falls",), n_folds=0).fit(*data)
    items = {item for item, _ in conditions(card)}
    assert {"noise", "setting"} <= items
    assert "falls" not in items
    assert [step["n_rows"] for step in card.path_] == [2, 3]


def test_an_item_may_be_kept_to_few_rows(data):
    card = PointScorecard(max_rows=5, max_rows_per_item=1, n_folds=0).fit(*data)
    assert card.table_["item"].is_unique


def test_a_worse_declared_level_never_has_fewer_points():
    rng = np.random.default_rng(1)
    health = rng.choice(["good", "fair", "poor"], 1_500)
    odds = pd.Series(health).map({"good": -2.0, "fair": 0.3, "poor": -0.2}).to_numpy()
    people = pd.DataFrame({"health": health, "age": rng.normal(80, 6, 1_500)})
    label = (rng.random(1_500) < 1 / (1 + np.exp(-odds))).astype(int)
    card = PointScorecard(max_rows=3, levels={"health": ["good", "fair", "poor"]}, n_folds=0).fit(people, label)
    points = card.points(pd.DataFrame({"health": ["good", "fair", "poor"], "age": 80.0})).tolist()
    assert points[0] <= points[1] <= points[2]
    assert points[1] > points[0]
    free = PointScorecard(max_rows=3, n_folds=0).fit(people, label)
    found = free.points(pd.DataFrame({"health": ["fair", "poor"], "age": 80.0})).tolist()
    assert found[0] > found[1]


def test_thresholds_of_an_item_point_one_way_unless_that_is_not_asked():
    rng = np.random.default_rng(2)
    x = rng.uniform(-3, 3, 3_000)
    label = (rng.random(3_000) < np.where(np.abs(x) > 1.5, 0.6, 0.1)).astype(int)
    people = pd.DataFrame({"x": x})
    one_way = PointScorecard(max_rows=4, n_folds=0).fit(people, label)
    assert len({how.split()[0] for _, how in conditions(one_way)}) == 1
    both = PointScorecard(max_rows=4, monotone=False, n_folds=0).fit(people, label)
    assert {how.split()[0] for _, how in conditions(both)} == {">=", "<"}


def test_a_missing_value_has_a_row_of_its_own_or_is_unknown(data):
    people, label = data
    rng = np.random.default_rng(3)
    gone = rng.random(N) < 0.3
    told = people.assign(falls=people["falls"].mask(gone))
    worse = label.mask(gone & (rng.random(N) < 0.7), 1)
    row = PointScorecard(max_rows=4, n_folds=0).fit(told, worse)
    assert ("falls", "is missing") in conditions(row)
    assert row.completeness(told).min() == 1.0
    unknown = PointScorecard(max_rows=4, missing="unknown", n_folds=0).fit(told, worse)
    assert "is missing" not in unknown.table_["condition"].tolist()
    assert unknown.completeness(told).min() < 1.0


def test_rows_come_in_any_order_and_twice_or_weighted(data):
    people, label = data
    card = PointScorecard(max_rows=3, n_folds=3).fit(people, label)
    order = np.random.default_rng(4).permutation(N)
    again = PointScorecard(max_rows=3, n_folds=3).fit(people.iloc[order], label.iloc[order])
    assert again.fingerprint == card.fingerprint
    weighted = PointScorecard(max_rows=3, n_folds=3).fit(people, label, sample_weight=np.full(N, 2.0))
    double = PointScorecard(max_rows=3, n_folds=3).fit(pd.concat([people, people]), pd.concat([label, label]))
    assert weighted.rows_ == double.rows_
    np.testing.assert_allclose(weighted.risk_values_, double.risk_values_, atol=2e-6)


@pytest.mark.parametrize("by", ["age", "label"])
def test_a_sorted_file_loses_nothing(by):
    people, label = made_up(seed=5)
    people["age"] = np.random.default_rng(6).normal(80, 8, N)
    order = label.sort_values(kind="stable").index if by == "label" else people.sort_values("age").index
    card = PointScorecard(max_rows=3, n_folds=5).fit(people.reset_index(drop=True), label.reset_index(drop=True))
    sorted_ = people.loc[order].reset_index(drop=True), label.loc[order].reset_index(drop=True)
    other = PointScorecard(max_rows=3, n_folds=5).fit(*sorted_)
    assert abs(other.path_[-1]["auc"] - card.path_[-1]["auc"]) <= 0.005
    assert other.path_[-1]["slope"] > 0


def test_arrays_are_taken_with_names_made_for_them(data):
    people, label = data
    numbers = people[["falls", "gir", "noise"]].to_numpy()
    card = PointScorecard(max_rows=2, n_folds=0).fit(numbers, label.to_numpy())
    assert set(card.items_) == {"x0", "x1"}
    assert PointScorecard.from_json(card.to_json()).points(numbers).tolist() == card.points(numbers).tolist()
    with pytest.raises(ValueError, match="2 features"):
        card.points(numbers[:, :2])


def test_a_frame_without_names_is_taken_as_the_array_it_was_learned_from(data):
    array = data[0][["falls", "gir"]].to_numpy()
    card = PointScorecard(max_rows=2, n_folds=0).fit(array, data[1].to_numpy())
    points = card.points(array).tolist()
    assert card.points(pd.DataFrame(array)).tolist() == points
    assert card.points(pd.DataFrame(array[:, ::-1], columns=["x1", "x0"])).tolist() == points


def test_draws_are_about_the_risk_and_the_same_for_a_seed(card, data):
    people, _ = data
    draws = card.risk_draws(people.head(50), n_draws=400, random_state=1)
    assert draws.shape == (400, 50)
    assert ((draws > 0) & (draws < 1)).all()
    np.testing.assert_allclose(draws.mean(axis=0), card.predict_proba(people.head(50))[:, 1], atol=0.02)
    assert (draws == card.risk_draws(people.head(50), n_draws=400, random_state=1)).all()
    with pytest.raises(UsageError, match="not learned"):
        PointScorecard.from_table("geriatric_default").risk_draws(people)


def test_few_people_are_told_and_carry_few_rows():
    people, label = made_up(40, seed=7)
    label = label.mask(label.cumsum() > 4, 0)
    with pytest.warns(SmallSampleWarning, match="would be needed"):
        card = PointScorecard(max_rows=30, n_folds=0).fit(people, label)
    assert len(card.rows_) <= min(label.sum(), (1 - label).sum())
    assert any("were asked for" in note or "no further row" in note for note in card.warnings_)


@pytest.mark.filterwarnings("ignore::casestrat.models.inputs.sample_size.SmallSampleWarning")
def test_a_class_too_small_for_folds_is_said():
    people, label = made_up(60, seed=8)
    label[:] = 0
    label.iloc[[3]] = 1
    card = PointScorecard(max_rows=1, least_people=1).fit(people, label)
    assert any("too few people for folds" in note for note in card.warnings_)
    assert np.isnan(card.path_[0]["auc"])
    assert json_has_no_nan(card)


def json_has_no_nan(card):
    return "NaN" not in card.to_json()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_rows": 0}, "max_rows is a whole number"),
        ({"max_row_points": 2.5}, "max_row_points is a whole number"),
        ({"max_rows_per_item": 0}, "max_rows_per_item"),
        ({"missing": "zero"}, "'row' or 'unknown'"),
        ({"forced": "falls"}, "list of items"),
        ({"forced": ("fals",)}, "does not have: fals"),
        ({"directions": {"falls": "up"}}, "higher, lower, either"),
        ({"forced": ("falls",), "excluded": ("falls",)}, "forced and excluded: falls"),
        ({"levels": {"setting": ["home"]}}, "leave out 2 levels"),
        ({"forced": ("falls", "gir"), "max_rows": 1}, "no place"),
        ({"excluded": ("falls", "gir", "alone", "setting", "noise")}, "no feature tells people apart"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(data, settings, message):
    with pytest.raises(UsageError, match=message):
        PointScorecard(**settings).fit(*data)


def test_labels_and_values_that_cannot_be_used_are_refused(data):
    people, label = data
    with pytest.raises(UsageError, match="one class"):
        PointScorecard().fit(people, label * 0)
    with pytest.raises(UsageError, match="missing"):
        PointScorecard().fit(people, label.astype(float).where(label == 1))
    with pytest.raises(UsageError, match="infinity"):
        PointScorecard().fit(people.assign(noise=np.inf), label)
    with pytest.raises(UsageError, match="no feature tells"):
        PointScorecard().fit(people[["noise"]] * 0 + 1, label)


def test_constant_and_empty_columns_are_passed_over_and_strange_levels_count_as_none(data):
    people, label = data
    card = PointScorecard(max_rows=3, n_folds=0).fit(people.assign(same=1.0, empty=np.nan), label)
    assert {"same", "empty"}.isdisjoint(card.items_)
    with_level = PointScorecard(max_rows=5, forced=("setting",), n_folds=0).fit(people, label)
    strange = people.assign(setting="boat")
    assert with_level.points(strange).notna().all()
    other_order = people[people.columns[::-1]]
    pd.testing.assert_series_equal(with_level.points(other_order), with_level.points(people))
    with pytest.raises(UsageError, match="needs a column"):
        card.points(people.rename(columns={"falls": "tumbles"}))


def test_thresholds_are_round_numbers_near_the_quantiles():
    rng = np.random.default_rng(9)
    people = pd.DataFrame({"income": rng.lognormal(7, 1, 4_000)})
    label = (rng.random(4_000) < np.where(people["income"] < 800, 0.5, 0.2)).astype(int)
    card = PointScorecard(max_rows=1, n_folds=0).fit(people, label)
    words = card.table_["condition"].iloc[0].split()
    assert words[0] == "<"
    assert 600 <= float(words[1]) <= 1_000
    assert len(words[1].strip("0").replace(".", "")) <= 2


def test_no_signal_is_said():
    rng = np.random.default_rng(11)
    people = pd.DataFrame(rng.normal(size=(400, 6)))
    label = rng.integers(0, 2, 400)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        card = PointScorecard(max_rows=3).fit(people.rename(columns=str), label)
    shrunk = card.path_[-1]["slope"] / card.path_[-1]["line"][1]
    assert shrunk < 0.5
    assert bool([w for w in caught if "no signal" in str(w.message)]) == (shrunk == 0)
