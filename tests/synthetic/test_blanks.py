import numpy as np

from casestrat.synthetic.blanks import flags_where, numbers_where, only_where, taken

KNOWN = np.array([True, False, True])


def test_unknown_values_are_missing_and_known_ones_stay():
    assert only_where(KNOWN, "x").tolist() == ["x", None, "x"]
    assert numbers_where(KNOWN, [1, 2, 3]).tolist()[::2] == [1, 3]
    assert numbers_where(KNOWN, [1, 2, 3]).isna().tolist() == [False, True, False]
    assert flags_where(KNOWN, [True, True, False]).dtype == "boolean"
    assert flags_where(KNOWN, [True, True, False]).isna().tolist() == [False, True, False]


def test_text_is_taken_by_place_and_minus_one_is_missing():
    column = taken(["a", "b"], np.array([1, -1, 0]))
    assert column.fillna("?").tolist() == ["b", "?", "a"]
