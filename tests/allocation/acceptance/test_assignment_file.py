"""Tests of the file that the caseload page exports: read as it stands, refused in words."""

import json

import numpy as np
import pandas as pd
import pytest

from casestrat.allocation.acceptance.assignment_file import plain_row, read_assignment_decisions
from casestrat.errors import UsageError

GOOD = {"format": "casestrat-assignments/1", "decisions": [{"case_id": "E1"}]}


def test_a_file_is_read_by_its_path_its_text_its_content_or_as_a_frame(tmp_path):
    path = tmp_path / "decisions.json"
    path.write_text("\ufeff" + json.dumps(GOOD), encoding="utf-8")
    for source in (
        path,
        str(path),
        json.dumps(GOOD),
        "\ufeff" + json.dumps(GOOD),
        GOOD,
        pd.DataFrame(GOOD["decisions"]),
    ):
        assert read_assignment_decisions(source) == [{"case_id": "E1"}]


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"decisions": []}', '{"format": "other", "decisions": []}', '{"decisions": 3}']
)
def test_other_content_is_refused(text):
    with pytest.raises(UsageError, match="the decisions"):
        read_assignment_decisions(text)


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path):
    with pytest.raises(UsageError, match="there is no such decision file"):
        read_assignment_decisions(tmp_path / "none.json")
    (tmp_path / "image.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not text in UTF-8"):
        read_assignment_decisions(tmp_path / "image.json")


def test_missing_values_of_every_kind_are_none_and_days_lose_their_hour():
    row, faults = plain_row({
        "case_id": " E1 ", "note": np.nan, "to_cm": pd.NA, "until": pd.NaT, "from_on": "2026-10-05T09:00",
        "decided_at": "2026-10-05T09:00:00.5+02:00", "told_on": "",
    })  # fmt: skip
    assert faults == []
    assert row["case_id"] == "E1"
    assert row["note"] is row["to_cm"] is row["until"] is row["told_on"] is None
    assert row["from_on"] == pd.Timestamp("2026-10-05")
    assert row["decided_at"] == pd.Timestamp("2026-10-05T09:00:00")


def test_what_is_no_object_text_or_date_is_a_fault():
    assert plain_row("E1")[1] == [("decisions", "type", "an object with the fields of a decision")]
    assert plain_row({"case_id": 5, "until": 3, "told_on": "2026-13-01", "from_on": ["x"]})[1] == [
        ("case_id", "type", "text"), ("from_on", "type", "YYYY-MM-DD"), ("until", "type", "YYYY-MM-DD"),
        ("told_on", "type", "YYYY-MM-DD"),
    ]  # fmt: skip
