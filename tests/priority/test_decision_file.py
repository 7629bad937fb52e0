"""Reading decisions: from what, and what is refused before any row is looked at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.priority.decision_file import FORMAT, read_decisions

HEAD = {"format": "casestrat-decisions/1", "meeting_id": "M1", "list_fingerprint": "9f", "decisions": []}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "casestrat-decisions/2"}, "format"), ({"format": None}, "format"),
        ({"meeting_id": 3}, "meeting_id"), ({"list_fingerprint": None}, "list_fingerprint"),
        ({"decisions": {}}, "no list"),
    ],
)  # fmt: skip
def test_a_file_says_what_it_is_and_which_list_it_is_about(change: dict[str, Any], message: str) -> None:
    for source in (HEAD | change, json.dumps(HEAD | change)):
        with pytest.raises(UsageError, match=message):
            read_decisions(source)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("[]", "are not a JSON object"), ("{", "are not JSON"), ("[" * 100_000, "not JSON that can be read"),
        ('{"n": ' + "9" * 5000 + "}", "not JSON that can be read"), (7, "are a frame, a path"),
        (None, "are a frame, a path"), ("no/such/file.json", "no such.*no/such/file.json"),
        (Path("no/such/file"), "no such.*no/such/file"), ("Mrs Smith, 12 High Street", "no such decision file"),
        ("\x00", "cannot be read"), ("x" * 5000, "cannot be read"),
    ],
)  # fmt: skip
def test_what_is_no_decision_file_is_told_apart(source: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_decisions(source)


def test_a_text_that_is_no_path_is_not_repeated() -> None:
    with pytest.raises(UsageError) as told:
        read_decisions("Mrs Smith, 12 High Street")
    assert "Smith" not in str(told.value)


def test_the_message_names_the_file_and_the_place_in_it(tmp_path: Path) -> None:
    path = tmp_path / "exported.json"
    for content, place in (
        ('{"format":\n}', "line 2, column 1"),
        ("{}", "format"),
        (json.dumps(HEAD | {"decisions": 1}), "decisions"),
    ):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(UsageError) as told:
            read_decisions(path)
        assert told.value.where == f"{path}, {place}"
    with pytest.raises(UsageError) as told:
        read_decisions(tmp_path)
    assert told.value.where == str(tmp_path)


def test_a_date_is_asked_for_in_the_forms_that_are_read() -> None:
    _, faults = FORMAT.plain_row({"decided_at": "soon", "defer_until": "later"})
    assert ("decided_at", "type", "YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS") in faults
    assert ("defer_until", "type", "YYYY-MM-DD") in faults


def test_broken_json_is_located(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="line 2, column 1"):
        read_decisions('{"format":\n}')
    path = tmp_path / "latin.json"
    path.write_bytes('{"note": "é"}'.encode("latin-1"))
    with pytest.raises(UsageError, match="UTF-8"):
        read_decisions(path)


def test_missing_values_of_a_frame_are_missing() -> None:
    frame = pd.DataFrame({"referral_id": ["R1"], "note": [np.nan], "reason": [pd.NA], "defer_until": [pd.NaT]})
    [raw] = read_decisions(frame).rows
    row, faults = FORMAT.plain_row(raw)
    assert not faults
    assert [name for name in FORMAT.fields if row[name] is not None] == ["referral_id"]


@pytest.mark.parametrize("value", [3, True, ["x"], {"x": 1}, "\ud800"])
def test_a_text_that_is_none_is_told_and_not_shown(value: Any) -> None:
    row, faults = FORMAT.plain_row({"note": value})
    assert row["note"] is None
    assert faults == [("note", "type", "text")]


def test_a_day_has_no_hour_and_a_moment_has_seconds() -> None:
    row, faults = FORMAT.plain_row({"relay_due_on": "2026-11-01T10:00", "decided_at": "2026-10-12T14:03:22.5"})
    assert not faults
    assert str(row["relay_due_on"]) == "2026-11-01 00:00:00"
    assert str(row["decided_at"]) == "2026-10-12 14:03:22"
    assert FORMAT.plain_row("a word")[1] == [("decisions", "type", "an object with the fields of a decision")]
