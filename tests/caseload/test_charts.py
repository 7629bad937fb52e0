import numpy as np
import pytest

from casestrat.caseload import xmr_limits
from casestrat.errors import UsageError


def test_limits_are_2_66_and_3_267_mean_moving_ranges():
    limits = xmr_limits([10, 14, 12])
    assert limits["moving_range"].fillna(-1).tolist() == [-1, 4, 2]
    assert limits["centre"].iloc[0] == 12
    assert limits["upper"].iloc[0] == pytest.approx(12 + 2.66 * 3)
    assert limits["lower"].iloc[0] == pytest.approx(12 - 2.66 * 3)
    assert limits["range_upper"].iloc[0] == pytest.approx(3.267 * 3)
    assert not limits["is_signal"].any()


def test_counts_have_no_limit_below_zero():
    assert xmr_limits([1, 5, 0], lowest=0)["lower"].iloc[0] == 0


def test_a_jump_is_a_signal_in_values_and_ranges():
    limits = xmr_limits([5, 6, 5, 6, 5, 6, 5, 30])
    assert limits["is_signal"].tolist() == [False] * 7 + [True]


def test_a_missing_month_is_left_out():
    limits = xmr_limits([4, np.nan, 6])
    assert limits["moving_range"].iloc[2] == 2
    assert limits["centre"].iloc[0] == 5
    assert not limits["is_signal"].iloc[1]


@pytest.mark.parametrize("values", [[], [3], [np.nan]])
def test_too_few_values_have_no_limits(values):
    limits = xmr_limits(values)
    assert len(limits) == len(values)
    assert limits["upper"].isna().all()
    assert not limits["is_signal"].any()


def test_infinite_values_are_refused():
    with pytest.raises(UsageError):
        xmr_limits([1, np.inf])
