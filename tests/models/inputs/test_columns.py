"""Columns of a feature frame as numbers or text."""

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.models.inputs.columns import as_frame, read_column, read_values


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([1, 0, None], dtype="Int64"),
        pd.Series([True, False, None], dtype="boolean"),
        pd.Series([True, False, None], dtype=object),
        pd.Series([1.0, 0.0, np.nan]),
        pd.Series([1, 0.0, pd.NA], dtype=object),
    ],
)
def test_numbers_and_flags_are_floats_whatever_they_are_stored_as(values):
    column = read_values(values, "x")
    assert column.kind == "numeric"
    np.testing.assert_array_equal(column.numbers, [1, 0, np.nan])
    assert column.is_missing.tolist() == [False, False, True]


@pytest.mark.parametrize("dtype", [object, "category", pd.StringDtype(na_value=np.nan), pd.StringDtype("python")])
def test_text_is_coded_whatever_it_is_stored_as(dtype):
    column = read_values(pd.Series(["b", None, "a", "b"], dtype=dtype), "x")
    assert column.kind == "text"
    assert [column.levels[code] if code >= 0 else None for code in column.codes] == ["b", None, "a", "b"]


def test_a_column_wholly_missing_is_of_unknown_kind():
    assert read_values(pd.Series([None, None], dtype=object), "x").kind == "unknown"


def test_rows_can_be_taken():
    text = read_values(pd.Series(["b", None, "a"]), "x").take(np.array([2, 1]))
    assert text.codes.tolist() == [1, -1]
    numbers = read_values(pd.Series([1.0, 2.0]), "x").take(np.array([1]))
    assert numbers.numbers.tolist() == [2.0]


def test_moments_infinity_and_columns_that_stand_twice_are_refused():
    with pytest.raises(UsageError, match="moments"):
        read_values(pd.Series(pd.to_datetime(["2026-01-01"])), "x")
    with pytest.raises(UsageError, match="infinity"):
        read_values(pd.Series([np.inf]), "x")
    with pytest.raises(UsageError, match="2 times"):
        read_column(pd.DataFrame([[1, 2]], columns=["x", "x"]), "x")


def test_an_array_of_another_shape_is_refused():
    assert list(as_frame(np.zeros((1, 2)), ["a", "b"]).columns) == ["a", "b"]
    with pytest.raises(UsageError, match="shape"):
        as_frame(np.zeros(3), ["a"])
