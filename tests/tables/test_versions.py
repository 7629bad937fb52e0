from __future__ import annotations

import pandas as pd


def again(frame: pd.DataFrame, row: int, **changes: str) -> pd.DataFrame:
    """Return the frame with one of its rows repeated, changed."""
    return pd.concat([frame, frame.iloc[[row]].assign(**changes)], ignore_index=True)


def test_the_same_id_recorded_later_is_a_correction_and_both_stay(few, check):
    few["events"] = again(few["events"], 1, amount="900", recorded_at="2026-01-05")
    tables = check(few)
    assert tables.set_aside.empty
    assert tables.events.loc[tables.events["event_id"] == "V2", "amount"].tolist() == [1200.5, 900.0]


def test_of_identical_rows_the_first_stays(few, check, reasons):
    few["events"] = again(again(few["events"], 1), 1)
    tables = check(few)
    assert reasons(tables) == [("events", 5, "event_id", "duplicate_row"), ("events", 6, "event_id", "duplicate_row")]
    assert len(tables.events) == 4


def test_rows_of_one_key_and_moment_that_contradict_each_other_are_all_set_aside(few, check, reasons):
    few["events"] = again(few["events"], 1, amount="900")
    tables = check(few)
    assert reasons(tables) == [
        ("events", 2, "event_id", "conflicting_rows"),
        ("events", 5, "event_id", "conflicting_rows"),
    ]
    assert "V2" not in tables.events["event_id"].tolist()


def test_a_void_row_stays_for_those_who_ask_what_was_known_before(few, check):
    few["events"] = again(few["events"], 1, recorded_at="2026-01-05").assign(is_void=["", "", "", "", "true"])
    tables = check(few)
    assert tables.events["is_void"].tolist() == [False, False, True, False, False]


def test_a_key_that_moves_to_another_person_is_counted(few, check):
    few["events"] = again(few["events"], 1, person_id="P3", recorded_at="2026-01-05")
    tables = check(few)
    assert tables.set_aside.empty
    assert tables.warnings[["table", "rule", "n"]].values.tolist() == [["events", "key_changes_person", 1]]


def test_measurements_that_differ_in_their_id_alone_are_counted_once(frames, check, reasons):
    frames["measurements"] = again(frames["measurements"], 0, measurement_id="B9", recorded_at="2026-02-01")
    tables = check(frames)
    assert reasons(tables) == [("measurements", 3, "measurement_id", "duplicate_rows")]
    assert tables.measurements["measurement_id"].tolist() == ["B1", "B2"]
    assert tables.warnings[["table", "rule", "n"]].values.tolist() == [["measurements", "duplicate_rows", 1]]


def test_a_corrected_measurement_is_no_duplicate_of_itself(frames, check):
    frames["measurements"] = again(frames["measurements"], 0, recorded_at="2026-02-01")
    tables = check(frames)
    assert tables.set_aside.empty
    assert len(tables.measurements) == 3


def test_staff_has_one_row_a_key(frames, check, reasons):
    frames["case_managers"] = again(frames["case_managers"], 1, team="b")
    found = reasons(check(frames))
    assert {row for row in found if row[0] == "case_managers"} == {
        ("case_managers", 2, "cm_id", "conflicting_rows"),
        ("case_managers", 3, "cm_id", "conflicting_rows"),
    }
