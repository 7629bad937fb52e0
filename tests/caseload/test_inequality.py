import numpy as np
import pytest

from casestrat.caseload import coefficient_of_variation, gini
from casestrat.errors import UsageError


def test_gini_is_half_the_mean_difference_over_the_mean():
    values = np.array([3.0, 8.0, 1.0, 20.0, 0.0])
    by_pairs = np.abs(values[:, None] - values[None, :]).mean() / 2 / values.mean()
    assert gini(values) == pytest.approx(by_pairs)


def test_one_who_has_everything_gives_one_minus_one_nth():
    assert gini([0, 0, 0, 40]) == pytest.approx(0.75)


def test_gini_does_not_depend_on_unit_or_order():
    assert gini([5, 1, 9]) == pytest.approx(gini([90, 50, 10]))


def test_no_values_have_no_index_and_no_work_is_spread_evenly():
    assert np.isnan(gini([]))
    assert np.isnan(gini([np.nan]))
    assert gini([0, 0]) == 0
    assert coefficient_of_variation([0, 0]) == 0


def test_missing_values_do_not_count():
    assert gini([1, np.nan, 3]) == gini([1, 3])
    assert coefficient_of_variation([2, 4, np.nan]) == coefficient_of_variation([2, 4])


def test_one_value_has_no_spread():
    assert np.isnan(coefficient_of_variation([5]))


@pytest.mark.parametrize("values", [[-1, 2], [np.inf, 1]])
def test_amounts_that_cannot_be_are_refused(values):
    with pytest.raises(UsageError):
        gini(values)
