"""The rows of a card: read, checked, and what those of one item add up to."""

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.models.cards.rows import check_items, checked_risk, checked_rows, rows_by_item, rows_of_frame
from casestrat.models.inputs.columns import read_values


def rows(*given):
    return checked_rows(rows_of_frame(pd.DataFrame(given, columns=["item", "condition", "points"])))


GIR = rows(("gir", "< 3", 2), ("falls", ">= 1", 1), ("gir", "< 5.0", 2), ("gir", "is missing", 1), ("gir", "< 2", 0))


def test_rows_of_one_item_are_gathered_with_the_narrowest_threshold_last():
    gir, falls = rows_by_item(GIR)
    assert (gir.item, falls.item, falls.positions) == ("gir", "falls", [1])
    assert [str(GIR[i]["condition"]) for i in gir.positions] == ["< 5", "< 3", "< 2", "is missing"]
    assert gir.declares_missing
    assert not falls.declares_missing


def test_every_row_that_holds_adds_its_points_and_the_narrowest_with_points_gives_the_reason():
    gir = rows_by_item(GIR)[0]
    column = read_values(pd.Series([6.0, 4.0, 1.0, np.nan]), "gir")
    assert gir.add_up(column).tolist() == [0, 2, 4, 1]
    assert gir.narrowest(column).tolist() == [2, 2, 0, 3]
    assert gir.point_range() == (0, 4)


def test_a_card_without_rows_or_with_broken_points_is_refused():
    with pytest.raises(UsageError, match="at least one row"):
        checked_rows([])
    for points in (1.5, True):
        with pytest.raises(UsageError, match="points are whole numbers"):
            checked_rows([{**GIR[0], "points": points}])


def test_an_item_compared_with_a_number_and_with_a_word_is_refused():
    with pytest.raises(UsageError, match="a number in one row and with a text in another"):
        check_items(rows_by_item(rows(("drug", ">= 2", 1), ("drug", "= heroin", 1))))


def test_a_risk_table_is_put_in_order_and_gives_each_number_of_points_once():
    points, risks = checked_risk([(4, 0.3), (0, 0.1)])
    assert (points.tolist(), risks.tolist()) == ([0, 4], [0.1, 0.3])
    for broken in ([(1, 0.1), (1, 0.2)], [(1, 1.2)]):
        with pytest.raises(UsageError, match="each number of points once"):
            checked_risk(broken)
