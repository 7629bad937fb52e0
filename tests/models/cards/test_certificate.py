"""What is proven of a card: against every card there is, where they can be counted."""

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.models import PointScorecard
from casestrat.models.measures.calibration import calibration_intercept


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    people = pd.DataFrame(rng.integers(0, 2, (400, 5)).astype(float), columns=list("abcde"))
    odds = -1.5 + people @ [1.4, 0.9, 0.5, 0.0, -0.4]
    return people, (rng.random(400) < 1 / (1 + np.exp(-odds))).astype(int)


def best_of_all(people, label, n_rows, slope, most):
    """The least loss of any card of so many rows, by trying them all."""
    columns = [people[name] == value for name in people for value in (0.0, 1.0)]
    least = np.inf
    for rows in combinations(range(len(columns)), n_rows):
        if len({row // 2 for row in rows}) < n_rows:
            continue
        for points in product(range(1, most + 1), repeat=n_rows):
            shown = slope * sum(p * columns[row].to_numpy(float) for row, p in zip(rows, points, strict=True))
            odds = shown + calibration_intercept(shown, label.astype(float))
            least = min(least, float(np.mean(np.logaddexp(0, odds) - label * odds)))
    return least


def test_a_proven_card_is_the_best_of_all_there_are(data):
    people, label = data
    card = PointScorecard(max_rows=2, max_row_points=3, n_folds=0).fit(people, label)
    proof = card.certify(people, label)
    assert proof.is_optimal
    assert proof.gap == pytest.approx(0, abs=1e-6)
    assert proof.better_rows == []
    least = best_of_all(people, label, 2, card.path_[card.step_]["line"][1], 3)
    assert proof.loss == pytest.approx(least, rel=1e-6)
    assert proof.bound <= proof.loss


def test_a_card_that_is_not_the_best_is_found_out(data):
    people, label = data
    card = PointScorecard(max_rows=2, max_row_points=3, n_folds=0, excluded=("a",)).fit(people, label)
    card.set_params(excluded=())
    proof = card.certify(people, label)
    assert not proof.is_optimal
    assert proof.gap > 0.01
    assert "a" in {row["item"] for row in proof.better_rows}


def test_a_short_time_still_gives_a_bound(data):
    people, label = data
    card = PointScorecard(max_rows=4, n_folds=0).fit(people, label)
    proof = card.certify(people, label, time_limit_s=0.05)
    assert proof.bound <= proof.loss
    assert proof.gap >= 0
    assert proof.n_conditions == 10
    assert proof.n_planes >= 1


def test_limits_hold_in_the_proof(data):
    people, label = data
    card = PointScorecard(max_rows=2, max_row_points=3, forced=("e",), max_rows_per_item=1, n_folds=0)
    proof = card.fit(people, label).certify(people, label)
    assert proof.is_optimal or "e" in {row["item"] for row in proof.better_rows}


def test_what_cannot_be_certified_is_refused(data):
    people, label = data
    with pytest.raises(UsageError, match="only a learned card"):
        PointScorecard.from_table("geriatric_default").certify(people, label)
    card = PointScorecard(max_rows=1, n_folds=0).fit(people, label)
    with pytest.raises(UsageError, match="above 0"):
        card.certify(people, label, time_limit_s=0)
    with pytest.raises(UsageError, match="do not offer"):
        card.certify(people.assign(**{card.items_[0]: 1.0}), label)
