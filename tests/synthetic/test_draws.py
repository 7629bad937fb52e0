import numpy as np
import pytest

from casestrat.synthetic.draws import Draws


def test_the_first_uniform_numbers_are_those_of_pcg64_on_every_machine():
    assert Draws(0).uniform(3).tolist() == [0.6369616873214543, 0.2697867137638703, 0.04097352393619469]


def test_topics_have_streams_of_their_own_whatever_was_drawn_before():
    one, two = Draws(4), Draws(4)
    two.uniform(1000)
    assert one.of("events").uniform(5).tolist() == two.of("events").uniform(5).tolist()
    assert one.of("events").uniform(5).tolist() != one.of("people").uniform(5).tolist()


def test_normal_numbers_have_mean_zero_and_spread_one():
    numbers = Draws(1).normal(100_000)
    assert abs(numbers.mean()) < 0.01
    assert abs(numbers.std() - 1) < 0.01
    assert abs((numbers > 1.96).mean() - 0.025) < 0.002


def test_exponential_numbers_have_their_mean():
    assert abs(Draws(1).exponential(6.0, 100_000).mean() - 6) < 0.1


@pytest.mark.parametrize("mean", [0.0, 0.3, 4.0, 60.0])
def test_poisson_counts_have_mean_and_variance_equal(mean):
    counts = Draws(2).poisson(np.full(50_000, mean))
    assert counts.mean() == pytest.approx(mean, rel=0.02, abs=1e-9)
    assert counts.var() == pytest.approx(mean, rel=0.05, abs=1e-9)


def test_codes_come_with_their_shares_whatever_these_sum_to():
    codes = Draws(3).pick({"a": 3, "b": 1}, 40_000)
    assert set(codes) == {"a", "b"}
    assert abs((codes == "a").mean() - 0.75) < 0.01


def test_whole_numbers_reach_both_ends():
    assert set(Draws(3).whole(2, 4, 1000).tolist()) == {2, 3, 4}


def test_records_follow_the_same_day_soon_or_very_late():
    lag = Draws(4).lag_days(200_000, 0.7, 6.0, 0.02, 60)
    assert abs((lag == 0).mean() - 0.70) < 0.005
    assert abs((lag > 60).mean() - 0.02) < 0.002
    assert abs(lag[(lag > 0) & (lag <= 60)].mean() - 6) < 0.2
