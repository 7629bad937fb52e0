"""Cells and labels as a page carries them."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.reports.page_data import check_language, in_all_languages, need_columns, plain, rows_of, script_json


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, None),
        (pd.NA, None),
        (pd.NaT, None),
        (float("nan"), None),
        (float("inf"), None),
        (np.True_, True),
        (np.int64(3), 3),
        (2.0, 2),
        (-0.0, 0),
        (0.1 + 0.2, 0.3),
        (pd.Timestamp("2026-10-01 09:30"), "2026-10-01"),
        (date(2026, 1, 2), "2026-01-02"),
        ("text", "text"),
    ],
)
def test_a_cell_is_told_as_json_can_hold_it(value, told):
    found = plain(value)
    assert found == told
    assert type(found) is type(told)


def test_only_columns_that_are_there_are_told_in_the_order_asked_for():
    frame = pd.DataFrame({"b": [1, 2], "a": ["x", None]})
    assert rows_of(frame, ("a", "c", "b")) == {"columns": ["a", "b"], "rows": [["x", 1], [None, 2]]}


def test_no_frame_is_no_row():
    assert rows_of(None, ("a",)) == {"columns": [], "rows": []}


def test_an_empty_frame_keeps_its_columns():
    assert rows_of(pd.DataFrame({"a": []}), ("a",)) == {"columns": ["a"], "rows": []}


def test_json_in_a_script_holds_the_same_content_and_nothing_that_ends_it():
    content = {"text": "</script><!-- & \u2028 é"}
    text = script_json(content)
    assert json.loads(text) == content
    assert not set("<>&\u2028") & set(text)


def test_a_label_missing_in_a_language_is_said_in_english():
    assert in_all_languages({"en": "high", "fr": "élevé"}, "h") == {"en": "high", "fr": "élevé", "it": "high"}


def test_a_name_without_labels_is_made_readable():
    assert in_all_languages({}, "falls_180d")["it"] == "falls 180d"


def test_a_language_is_checked():
    assert check_language("it") == "it"
    with pytest.raises(UsageError, match="no page speaks"):
        check_language("es")


def test_lacking_columns_are_all_named():
    with pytest.raises(UsageError, match="`x` lacks the columns a, b"):
        need_columns(pd.DataFrame({"c": [1]}), ("a", "b", "c"), "x")
