from datetime import date

import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem
from casestrat.allocation.problem.frames import CASES, typed_frame
from casestrat.errors import UsageError
from casestrat.tables import TEXT


def problem(cases, managers, **more):
    return AllocationProblem(cases, managers, **more)


def test_absent_columns_get_their_defaults(three):
    frame = typed_frame("cases", three[0], CASES)
    assert frame["priority"].tolist() == [1.0, 1.0, 1.0]
    assert frame["kind"].tolist() == ["open"] * 3
    assert not frame["is_fixed"].any()
    assert frame["territory"].dtype == TEXT
    assert frame["territory"].isna().all()


def test_other_columns_are_kept(three):
    assert "colour" in typed_frame("cases", three[0].assign(colour="red"), CASES)


def test_the_frames_given_are_not_changed(three):
    before = [frame.copy() for frame in three]
    problem(*three)
    for frame, copy in zip(three, before, strict=True):
        pd.testing.assert_frame_equal(frame, copy)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("case_id", ["C1", "C1", "C3"], "unique"),
        ("case_id", ["C1", None, "C3"], "missing on 1 of 3"),
        ("minutes", [40, None, 40], "missing on 1 of 3"),
        ("minutes", [40, 60.5, 40], "whole numbers"),
        ("minutes", [40, float("inf"), 40], "whole numbers"),
        ("minutes", ["a", "b", "c"], "whole numbers"),
        ("minutes", [40, -60, 40], "0 or more"),
        ("priority", [1.0, 0.0, 1.0], "above 0"),
        ("priority", [1.0, float("inf"), 1.0], "above 0"),
        ("interpreter_needed", ["perhaps", "no", "no"], "true, false or missing"),
        ("is_fixed", [True, False, False], "known case manager"),
    ],
)
def test_cases_that_no_reading_can_allocate_are_refused(three, column, values, message):
    cases, managers = three
    with pytest.raises(UsageError, match=message):
        problem(cases.assign(**{column: values}), managers)


def test_a_gap_in_the_priorities_is_refused(three):
    cases, managers = three
    with pytest.raises(UsageError, match="above 0"):
        problem(cases.assign(priority=[1.0, None, 3.0]), managers)


def test_dates_may_be_dates_text_or_timestamps(three):
    cases, managers = three
    for value in (date(2026, 1, 5), "2026-01-05", pd.Timestamp("2026-01-05 09:00")):
        made = problem(cases, managers.assign(starts_on=[value, None]), starts_on=date(2026, 10, 1))
        assert made.case_managers["starts_on"].dt.normalize().tolist() == [pd.Timestamp("2026-01-05"), pd.NaT]


def test_dates_without_a_first_day_are_refused(three):
    cases, managers = three
    with pytest.raises(UsageError, match="starts_on"):
        problem(cases, managers.assign(starts_on="2026-01-05"))


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("cm_id", ["CM1", "CM1"], "unique"),
        ("capacity_minutes", [100, -1], "0 or more"),
        ("capacity_minutes", [100, None], "missing on 1 of 2"),
        ("max_cases", [-1, 3], "0 or more"),
        ("minutes_committed", [-1, 3], "0 or more"),
        ("ends_on", pd.to_datetime(["2026-01-01", "2024-01-01"]), "on or after"),
        ("starts_on", ["soon", "later"], "dates"),
    ],
)
def test_case_managers_whose_time_makes_no_sense_are_refused(three, column, values, message):
    cases, managers = three
    managers = managers.assign(starts_on=pd.Timestamp("2025-01-01")).assign(**{column: values})
    with pytest.raises(UsageError, match=message):
        problem(cases, managers, starts_on="2026-10-01")


def test_a_licence_that_ends_before_it_begins_is_refused(three):
    licenses = pd.DataFrame({
        "cm_id": ["CM1"], "profession": ["nurse"], "valid_from": ["2026-02-01"], "valid_to": ["2026-01-01"],
    })  # fmt: skip
    with pytest.raises(UsageError, match=r"licenses\.valid_to"):
        problem(*three, licenses=licenses, starts_on="2026-10-01")


@pytest.mark.parametrize(
    ("pins", "message"),
    [
        ([("C1", "CM1"), ("C1", "CM2")], "contradictory"),
        ([("C9", "CM1")], "a case of"),
        ([("C1", "CM9")], "one of"),
        ([("C3", "CM2")], "fixed lead"),
    ],
)
def test_pins_that_contradict_are_refused(three, pins, message):
    cases, managers = three
    cases = cases.assign(cm_id=[None, None, "CM1"], is_fixed=[False, False, True])
    with pytest.raises(UsageError, match=message):
        problem(cases, managers, pins=pd.DataFrame(pins, columns=["case_id", "cm_id"]))


def test_an_absent_column_is_named(three):
    cases, managers = three
    with pytest.raises(UsageError, match="no column minutes"):
        problem(cases.drop(columns="minutes"), managers)


def test_messages_hold_no_value_of_a_row(three):
    cases, managers = three
    with pytest.raises(UsageError) as raised:
        problem(cases.assign(case_id=["SECRET", "SECRET", "C3"]), managers)
    assert "SECRET" not in str(raised.value)
