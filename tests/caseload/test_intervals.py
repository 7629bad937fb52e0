import numpy as np
import pytest

from casestrat.caseload import wilson_interval
from casestrat.errors import UsageError


def test_ends_solve_the_score_equation():
    z = 1.959963984540054
    low, high = wilson_interval([7], [20])
    for end in (low[0], high[0]):
        assert abs(7 / 20 - end) == pytest.approx(z * np.sqrt(end * (1 - end) / 20))


def test_none_and_all_touch_the_ends():
    low, high = wilson_interval([0, 20], [20, 20])
    assert low[0] == 0
    assert high[1] == 1
    assert 0 < high[0] < 0.2
    assert 0.8 < low[1] < 1


def test_a_higher_level_is_wider():
    assert wilson_interval(5, 20, 0.99)[1] > wilson_interval(5, 20, 0.9)[1]


def test_nobody_asked_has_no_interval():
    assert np.isnan(wilson_interval([0], [0])).all()


@pytest.mark.parametrize(("numerator", "denominator", "level"), [(-1, 5, 0.95), (6, 5, 0.95), (1, 5, 1.0)])
def test_what_is_no_share_is_refused(numerator, denominator, level):
    with pytest.raises(UsageError):
        wilson_interval(numerator, denominator, level)
