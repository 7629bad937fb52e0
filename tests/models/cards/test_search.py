"""The search for rows: each fit ends at its optimum, from any start, and exchanges find what first steps missed."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from casestrat.models import PointScorecard
from casestrat.models.cards.candidates import make_candidates
from casestrat.models.cards.points import to_points
from casestrat.models.cards.search import Chosen, Patterns, People, fit_weights, improve
from casestrat.models.cards.settings import read_settings
from casestrat.models.inputs.columns import read_column

TWO_GROUPS = np.array([[[1.0, 0.0], [1.0, 1.0]]])


def log_odds(risk):
    return np.log(risk / (1 - risk))


@pytest.mark.parametrize("start", [(0.0, 0.0), (-3.0, 4.0), (-6.0, 9.0), (5.0, 5.0)])
def test_weights_come_out_the_same_from_any_start(start):
    people, events = np.array([[1_800.0, 200.0]]), np.array([[36.0, 80.0]])
    weights, loss = fit_weights(TWO_GROUPS, people, events, np.array([start]), ridge=1e-9)
    assert weights[0] == pytest.approx([log_odds(0.02), log_odds(0.4) - log_odds(0.02)], abs=1e-5)
    odds = weights[0] @ TWO_GROUPS[0].T
    assert loss[0] == pytest.approx(float((people * np.logaddexp(0, odds) - events * odds).sum()), abs=1e-6)


@pytest.mark.parametrize(("share", "high", "low"), [(0.1, 0.4, 0.02), (0.02, 0.5, 0.02), (0.05, 0.3, 0.005)])
def test_a_rare_outcome_does_not_turn_the_line_of_points_upside_down(share, high, low):
    held = np.array([1 - share, share]) * 2_000
    patterns = Patterns(np.zeros(0, dtype=int), np.array([[0.0], [1.0]]), held, held * np.array([low, high]))
    candidates = People.of(*rare(50)).candidates
    chosen = Chosen((0,), np.array([1.0]), -3.0, 0.0)
    card = to_points(candidates, patterns, chosen, max_points=5)
    assert card.intercept == pytest.approx(log_odds(low), abs=1e-4)
    assert card.slope == pytest.approx(log_odds(high) - log_odds(low), abs=1e-4)


def test_a_card_of_a_rare_outcome_gives_those_who_have_the_condition_more_risk():
    rng = np.random.default_rng(3)
    flag = (rng.random(3_000) < 0.1).astype(float)
    came = rng.random(3_000) < np.where(flag == 1, 0.4, 0.02)
    card = PointScorecard(max_rows=1).fit(pd.DataFrame({"flag": flag}), came.astype(int))
    assert card.risk_points_.tolist() == [0, 1]
    assert card.risk_values_ == pytest.approx([0.02, 0.4], abs=0.05)


def rare(n):
    """Conditions of one flag, events and weights."""
    X = pd.DataFrame({"flag": np.arange(n) % 2 * 1.0})
    limits = read_settings(PointScorecard(least_people=1).get_params(deep=False), ["flag"])[0]
    return (
        make_candidates([read_column(X, name) for name in X], ["flag"], np.ones(n), limits),
        np.arange(n) % 3 == 0,
        np.ones(n),
    )


@pytest.mark.parametrize("seed", [9, 11])
def test_after_the_exchanges_no_single_one_would_gain(seed):
    people, limits = correlated_flags(seed)
    conditions = range(len(people.candidates.item))
    start = fit(people, [i for i in conditions if people.candidates.way[i] == 1][:3])
    found = improve(people, limits, start, most_rows=3)
    assert found.loss < start.loss
    for place in range(3):
        rest = found.rows[:place] + found.rows[place + 1 :]
        taken = set(people.candidates.item[list(rest)])
        for row in conditions:
            other = fit(people, [*rest, row]) if people.candidates.item[row] not in taken else start
            assert other.loss > found.loss - 1e-4 or (other.weights <= 0).any()


def correlated_flags(seed, n=600):
    """Eight flags that go together, from common to rare, and an outcome of all of them."""
    rng = np.random.default_rng(seed)
    common, names = rng.normal(size=n), list("abcdefgh")
    cuts = zip(names, np.linspace(-1.3, 1.3, 8), strict=True)
    X = pd.DataFrame({name: ((common * 0.7 + rng.normal(size=n)) > cut).astype(float) for name, cut in cuts})
    event = (rng.random(n) < expit(-2 + X.to_numpy() @ rng.normal(0.5, 0.5, 8))).astype(float)
    limits = read_settings(PointScorecard().get_params(deep=False), names)[0]
    columns = [read_column(X, name) for name in X]
    return People.of(make_candidates(columns, names, np.ones(n), limits), event, np.ones(n)), limits


def fit(people, rows):
    """Fit these conditions from nothing."""
    patterns = people.patterns(rows)
    design = np.column_stack([np.ones(len(patterns.people)), patterns.design])[None]
    start = np.zeros((1, len(rows) + 1))
    weights, loss = fit_weights(design, patterns.people[None], patterns.events[None], start)
    return Chosen(tuple(rows), weights[0, 1:], float(weights[0, 0]), float(loss[0]))
