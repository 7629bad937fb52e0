from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from casestrat.tables import CONTRACTS
from casestrat.tables.columns import DTYPES, TEXT, Column
from casestrat.tables.parsing import missing_text, parse_column


def column(kind: str) -> Column:
    return Column("x", kind, "optional", "feature", "", "")


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("whole", "12", 12),
        ("whole", " -3 ", -3),
        ("whole", "3.0", 3),
        ("number", "1.5", 1.5),
        ("number", "-.5", -0.5),
        ("number", "2e3", 2000.0),
        ("flag", "TRUE", True),
        ("flag", "no", False),
        ("flag", "0", False),
        ("date", "2025-12-31", pd.Timestamp("2025-12-31")),
        ("date", "2025-12-31 00:00:00", pd.Timestamp("2025-12-31")),
        ("moment", "2025-12-31T23:59", pd.Timestamp("2025-12-31 23:59")),
        ("moment", "2025-12-31 23:59:01.5", pd.Timestamp("2025-12-31 23:59:01.5")),
        ("moment", "2025-12-31", pd.Timestamp("2025-12-31")),
        ("text", "  two words ", "two words"),
    ],
)
def test_a_cell_that_keeps_the_form_is_read(kind, cell, value):
    parsed, is_bad = parse_column(column(kind), pd.Series([cell, None, ""], dtype=TEXT))
    assert parsed.dtype == DTYPES[kind]
    assert parsed[0] == value
    assert parsed.isna().tolist() == [False, True, True]
    assert not is_bad.any()


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        ("whole", "3.5"),
        ("whole", "1e3"),
        ("whole", "forty"),
        ("number", "1,5"),
        ("number", "inf"),
        ("number", "nan"),
        ("number", "1_000"),
        ("number", "1e999"),
        ("flag", "maybe"),
        ("date", "31/12/2025"),
        ("date", "2025-02-30"),
        ("date", "2025-1-5"),
        ("date", "20251231"),
        ("date", "2025-12-31T10:00"),
        ("date", "9999-12-31"),
        ("moment", "2025-12-31T10:00:00Z"),
        ("moment", "2025-12-31T25:00"),
    ],
)
def test_a_cell_in_another_form_is_blanked_and_told(kind, cell):
    parsed, is_bad = parse_column(column(kind), pd.Series([cell]))
    assert parsed.isna().all()
    assert is_bad.tolist() == [True]
    assert parsed.dtype == DTYPES[kind]


@pytest.mark.parametrize("cell", ["unknown", "U"])
def test_an_unknown_flag_is_missing_and_no_fault(cell):
    parsed, is_bad = parse_column(column("flag"), pd.Series([cell]))
    assert parsed.isna().all()
    assert not is_bad.any()


def test_typed_columns_are_read_without_passing_through_text():
    whole, bad = parse_column(column("whole"), pd.Series([1.0, np.nan, 2.5, np.inf]))
    assert whole.tolist() == [1, pd.NA, pd.NA, pd.NA]
    assert bad.tolist() == [False, False, True, True]
    number, bad = parse_column(column("number"), pd.Series([1, 2], dtype="Int64"))
    assert number.tolist() == [1.0, 2.0]
    number, bad = parse_column(column("number"), pd.Series([np.inf, 1.0]))
    assert bad.tolist() == [True, False]
    assert number.isna().tolist() == [True, False]
    flag, bad = parse_column(column("flag"), pd.Series([1, 0, 2]))
    assert flag.tolist() == [True, False, pd.NA]
    assert bad.tolist() == [False, False, True]
    flag, bad = parse_column(column("flag"), pd.Series([True, False]))
    assert flag.tolist() == [True, False]
    when, bad = parse_column(column("date"), pd.Series([pd.Timestamp("2025-01-01"), pd.Timestamp("2025-01-01 10:00")]))
    assert bad.tolist() == [False, True]
    assert when.dtype == DTYPES["date"]
    days, bad = parse_column(column("date"), pd.Series([dt.date(2025, 1, 1), None]))
    assert days[0] == pd.Timestamp("2025-01-01")
    assert not bad.any()


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("whole", pd.Series([True, False])),
        ("number", pd.Series([True, False])),
        ("flag", pd.Series(pd.to_datetime(["2025-01-01", "2025-01-01"]))),
        ("moment", pd.Series([20250101, 20250102])),
        ("moment", pd.Series(pd.to_datetime(["2025-01-01", "2025-01-02"], utc=True))),
    ],
)
def test_a_column_of_another_type_is_wholly_unreadable(kind, values):
    parsed, is_bad = parse_column(column(kind), values)
    assert parsed.isna().all()
    assert parsed.dtype == DTYPES[kind]
    assert is_bad.all()


def test_ids_that_were_read_as_numbers_lose_their_decimal_point():
    assert missing_text(pd.Series([12.0, np.nan, 1.5])).tolist()[0::2] == ["12", "1.5"]
    assert missing_text(pd.Series([1, 2], dtype="category")).tolist() == ["1", "2"]
    assert missing_text(pd.Series([True, None], dtype=object)).tolist()[0] == "True"


@pytest.mark.parametrize("kind", ["observed_at", "recorded_at"])
def test_moments_with_a_zone_become_the_local_time_of_the_agency(kind):
    column = CONTRACTS["events"].by_name[kind]
    text = pd.Series(["2026-03-29T00:30:00Z", "2026-03-29T23:30:00+02:00", "2026-07-01", None], dtype=TEXT)
    local, is_bad = parse_column(column, text, "Europe/Paris")
    assert local.dropna().dt.strftime("%Y-%m-%d %H:%M").tolist() == [
        "2026-03-29 01:30",
        "2026-03-29 23:30",
        "2026-07-01 00:00",
    ]
    assert not is_bad.any()
    zoned = pd.Series(pd.to_datetime(["2026-03-29T00:30:00Z"], utc=True))
    assert parse_column(column, zoned, "America/New_York")[0].tolist() == [pd.Timestamp("2026-03-28 20:30")]
    assert parse_column(column, text)[1].tolist() == [True, True, False, False]
