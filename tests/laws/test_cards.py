"""Laws of learned cards: a worse answer never lowers the points; whole, small, exact, and the same again."""

import warnings

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from casestrat.models import PointScorecard

SEEDS = st.integers(0, 10_000)


def learned(seed, **settings_of_card):
    """A card learned on people of two numbers (one with gaps), a flag and a text, with a random outcome."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(60, 200))
    people = pd.DataFrame(
        {
            "a": rng.integers(0, 8, n).astype(float),
            "b": np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)),
            "flag": rng.integers(0, 2, n).astype(bool),
            "text": rng.choice(["x", "y", "z"], n),
        },
        index=pd.Index([f"P{i:04}" for i in range(n)], name="person_id"),
    )
    odds = rng.normal(size=3) @ [people["a"] / 4, people["b"].fillna(0), people["flag"]] - 1
    label = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(int)
    label[:2] = [0, 1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return PointScorecard(max_rows=4, **{"n_folds": 0, **settings_of_card}).fit(people, label), people, label


@settings(max_examples=5, deadline=None)
@given(SEEDS, st.booleans())
def test_a_worse_answer_never_lowers_the_points_of_a_learned_card(seed, is_declared):
    directions = {"a": "higher", "b": "lower"} if is_declared else {}
    card, people, _ = learned(seed, directions=directions)
    for item, way in (("a", 1), ("b", -1)):
        values = np.sort(people[item].dropna().unique())
        one = people.iloc[[0] * len(values)].assign(**{item: values})
        steps = np.diff(card.points(one).to_numpy(dtype=int))
        assert (steps * way >= 0).all() if is_declared else (steps >= 0).all() or (steps <= 0).all()


@settings(max_examples=5, deadline=None)
@given(SEEDS)
def test_points_are_whole_and_small_and_their_reasons_sum(seed):
    card, people, _ = learned(seed)
    assert all(isinstance(row["points"], int) and 1 <= abs(row["points"]) <= 5 for row in card.rows_)
    points = card.points(people)
    summed = card.explain(people).groupby("person_id")["contribution"].sum().reindex(people.index, fill_value=0)
    assert summed.tolist() == points.tolist()
    assert points.between(card.min_points, card.max_points).all()
    assert np.all(np.diff(card.risk_values_) >= 0)


@settings(max_examples=5, deadline=None)
@given(SEEDS)
def test_the_order_of_people_changes_nothing_and_a_stored_card_is_the_same(seed):
    card, people, label = learned(seed, n_folds=2)
    order = np.random.default_rng(seed).permutation(len(label))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        again = PointScorecard(max_rows=4, n_folds=2).fit(people.iloc[order], label[order])
    assert again.fingerprint == card.fingerprint
    assert PointScorecard.from_json(card.to_json()).fingerprint == card.fingerprint
    assert PointScorecard.from_sql(card.to_sql("t", keys=["person_id"])).fingerprint == card.fingerprint
