import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.tables import TEXT
from casestrat.timeline.matching import choices_like, rows_matching

STAYS = pd.DataFrame({
    "kind": pd.array(["fall", "hospital_stay", None], dtype=TEXT),
    "is_planned": pd.array([True, None, False], dtype="boolean"),
    "amount": [1.0, 2.0, float("nan")],
    "observed_at": pd.to_datetime(["2026-01-01"] * 3),
})  # fmt: skip


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"kind": "fall"}, [True, False, False]),
        ({"kind": ["fall", "hospital_stay"]}, [True, True, False]),
        ({"is_planned": False}, [False, False, True]),
        ({"is_planned": [True, False]}, [True, False, True]),
        ({"amount": 2}, [False, True, False]),
        ({"kind": "fall", "is_planned": False}, [False, False, False]),
    ],
)
def test_an_unknown_value_meets_no_condition(where, expected):
    assert rows_matching(STAYS, where, "events").tolist() == expected


def test_no_condition_lets_every_row_through():
    assert rows_matching(STAYS, {}, "events") is None


@pytest.mark.parametrize(
    "where", [{"kind": True}, {"is_planned": "no"}, {"amount": "2"}, {"observed_at": "2026-01-01"}]
)
def test_a_value_of_another_type_than_the_column_is_refused(where):
    with pytest.raises(UsageError, match="values of the column's type"):
        rows_matching(STAYS, where, "events")


def test_an_unknown_column_is_refused_with_the_nearest_name():
    with pytest.raises(UsageError, match="did you mean is_planned"):
        rows_matching(STAYS, {"is_plannd": True}, "events")


def test_where_no_name_is_near_all_are_offered():
    assert choices_like("zzz", ["a", "b"]) == "use one of: a, b"
