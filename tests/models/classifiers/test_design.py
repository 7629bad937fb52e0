"""The design of a regression: columns that come out of features."""

import numpy as np

from casestrat.models.classifiers.design import design_matrix, learn_design
from casestrat.models.inputs.columns import Column


def test_a_number_that_nobody_in_a_fold_has_is_left_out_of_the_design_of_that_fold():
    column = Column(np.array([np.nan, np.nan, 3.0, 4.0]), None, (), np.array([True, True, False, False]))
    fold = column.take(np.array([0, 1]))
    for splines in ((), ["age"], "auto"):
        assert learn_design([fold], ["age"], splines=splines) == ([], {"age": "all missing"})
    design, dropped = learn_design([column], ["age"])
    assert [part["part"] for part in design] == ["value", "missing"]
    assert not dropped
    assert design_matrix([fold], ["age"], design).shape == (2, 2)
