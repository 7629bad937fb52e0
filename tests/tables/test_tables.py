from __future__ import annotations

import datetime as dt
from enum import Enum

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import TablesError
from casestrat.tables import Extract, Tables, fingerprint_of, fingerprint_of_frame
from casestrat.tables.extract import extract_of, read_extract


def test_tables_about_some_people_hold_their_rows_and_all_that_is_not_about_people(frames, check):
    tables = check(frames)
    some = tables.for_persons(["P2", "P3"])
    assert some.persons["person_id"].tolist() == ["P2", "P3"]
    assert some.events["event_id"].tolist() == ["V2", "V3", "V4"]
    assert some.episodes.empty
    assert len(some.case_managers) == len(tables.case_managers)
    assert some.has("episodes")
    assert len(tables.persons) == 3, "the tables asked stay as they are"


def test_rows_left_out_are_counted_once_and_blanked_cells_not_at_all(few, check):
    few["events"].loc[0, ["kind", "observed_at"]] = ["?!", "soon"]
    few["events"].loc[1, "amount"] = "much"
    tables = check(few)
    assert len(tables.set_aside) == 3
    assert tables.rows_set_aside().to_dict() == {"events": 1}


def test_the_fingerprint_is_that_of_the_content_not_of_order_or_storage(few, check):
    tables = check(few)
    shuffled = {name: frame.iloc[::-1] for name, frame in few.items()}
    typed = {
        **few,
        "events": few["events"].assign(observed_at=pd.to_datetime(few["events"]["observed_at"], format="ISO8601")),
    }
    assert check(shuffled).fingerprint == tables.fingerprint
    assert check(typed).fingerprint == tables.fingerprint


def test_another_value_or_extract_is_another_fingerprint(few, check):
    before = check(few).fingerprint
    assert check(few, data_end="2026-01-01").fingerprint != before
    few["events"].loc[0, "observed_at"] = "2025-05-02"
    assert check(few).fingerprint != before


def test_rows_are_sorted_by_key_then_by_when_they_were_known(few, check):
    events = few["events"]
    late = events.iloc[[0]].assign(recorded_at="2026-01-09")
    tables = check({**few, "events": pd.concat([late, events.iloc[::-1]], ignore_index=True)})
    assert tables.events["event_id"].tolist() == ["V1", "V1", "V2", "V3", "V4"]
    assert tables.events["recorded_at"].is_monotonic_increasing is False
    assert tables.events["recorded_at"].iloc[0] < tables.events["recorded_at"].iloc[1]


def test_fingerprints_of_frames_tell_missing_from_text_and_ignore_the_index():
    frame = pd.DataFrame({"a": ["x", None], "b": [1.0, float("nan")], "c": pd.to_datetime(["2025-01-01", None])})
    other = frame.set_index(pd.Index([5, 6]))
    assert fingerprint_of_frame(frame) == fingerprint_of_frame(other)
    assert fingerprint_of_frame(frame) != fingerprint_of_frame(frame.fillna({"a": "missing"}))
    assert fingerprint_of_frame(frame) != fingerprint_of_frame(frame.rename(columns={"a": "z"}))
    assert fingerprint_of_frame(frame[["b"]]) == fingerprint_of_frame(frame[["b"]].astype("Float64"))


def test_fingerprints_of_content_do_not_depend_on_the_order_of_keys():
    assert fingerprint_of({"a": 1, "b": {2, 3}}) == fingerprint_of({"b": {3, 2}, "a": 1.0})
    assert fingerprint_of([1, 2]) != fingerprint_of([2, 1])
    with pytest.raises(TypeError, match="no canonical form"):
        fingerprint_of(object())


def test_an_extract_says_what_its_file_says(tmp_path):
    extract = Extract("geriatric", "2025-01-01", "2026-01-31", "Europe/Paris", "extract")
    path = tmp_path / "extract.toml"
    path.write_text(extract.to_toml(), encoding="utf-8")
    assert read_extract(path) == extract
    assert extract.data_end == pd.Timestamp("2026-01-31")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"recorded_at": "yesterday"}, "recorded_at must be one of"),
        ({"data_start": "01/01/2025"}, "data_start must be a date"),
        ({"data_start": "2025-02-01", "data_end": "2025-01-01"}, "data_end is before data_start"),
        ({"timezone": "Atlantis"}, "timezone is not a known zone"),
        ({"datastart": "2025-01-01"}, "unknown settings: datastart"),
    ],
)
def test_an_extract_that_cannot_be_is_refused(content, words):
    with pytest.raises(TablesError, match=words):
        extract_of(content, "extract.toml")


def test_an_extract_file_that_is_no_toml_is_refused(tmp_path):
    path = tmp_path / "extract.toml"
    path.write_text("data_start = ", encoding="utf-8")
    with pytest.raises(TablesError, match="cannot be read as TOML"):
        read_extract(path)


def test_the_program_of_the_tables_is_written_in_the_extract(few, check, geriatric):
    tables = check(few, geriatric)
    assert tables.extract.program == "geriatric"
    assert "other_program" not in tables.warnings["rule"].tolist()
    other = Tables.from_frames(few, geriatric, Extract(program="nurse"))
    assert "other_program" in other.warnings["rule"].tolist()


def test_every_kind_of_plain_content_has_a_fingerprint():
    class Colour(Enum):
        RED = "red"

    assert fingerprint_of(Colour.RED) == fingerprint_of("red")
    assert fingerprint_of(np.array([1, 2])) == fingerprint_of([1, 2])
    assert fingerprint_of(dt.date(2026, 1, 1)) == fingerprint_of("2026-01-01")
    assert fingerprint_of(Extract(program="a")) != fingerprint_of(Extract(program="b"))
    assert fingerprint_of({"a": None, "b": True}) != fingerprint_of({"a": None, "b": False})
    assert fingerprint_of(0.1 + 0.2) != fingerprint_of(0.3)
