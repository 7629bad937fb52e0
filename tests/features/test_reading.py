import pandas as pd
import pytest

from casestrat.features import Count, DaysSince, FeatureBuilder, Last, Max, Mean
from casestrat.features.reading import answers_with_moments
from casestrat.tables import CONTRACTS, Tables


def _frame(table, *rows):
    contract = CONTRACTS[table]
    frame = pd.DataFrame(list(rows)).reindex(columns=list(contract.names))
    for column in contract.columns:
        values = pd.to_datetime(frame[column.name]) if str(column.dtype).startswith("date") else frame[column.name]
        frame[column.name] = values.astype(column.dtype)
    return frame


def _answer(value, recorded_at, is_void=False, item="q1", sitting="A1"):
    return {"assessment_id": sitting, "person_id": "P1", "item": item, "value": value, "recorded_at": recorded_at,
            "is_void": is_void}  # fmt: skip


def _sitting(recorded_at, observed_at="2026-01-01", is_void=False, sitting="A1"):
    return {"assessment_id": sitting, "person_id": "P1", "instrument": "cesd", "observed_at": observed_at,
            "recorded_at": recorded_at, "is_void": is_void}  # fmt: skip


def test_an_answer_is_known_when_it_and_its_sitting_are():
    joined = answers_with_moments(
        _frame("responses", _answer("1", "2026-01-02"), _answer("2", "2026-01-09", item="q2")),
        _frame("assessments", _sitting("2026-01-05")),
    )
    assert joined["recorded_at"].dt.strftime("%d").tolist() == ["05", "09"]
    assert joined["number"].tolist() == [1.0, 2.0]
    assert joined["replaced_at"].isna().all()


def test_each_span_in_which_one_version_of_both_held_is_a_row():
    joined = answers_with_moments(
        _frame("responses", _answer("1", "2026-01-02"), _answer("3", "2026-01-20")),
        _frame("assessments", _sitting("2026-01-05"), _sitting("2026-01-10", observed_at="2026-01-03")),
    )
    rows = joined.sort_values("recorded_at")
    assert rows["value"].tolist() == ["1", "1", "3"]
    assert rows["recorded_at"].dt.day.tolist() == [5, 10, 20]
    assert rows["replaced_at"].dt.day.dropna().tolist() == [10, 20]
    assert rows["observed_at"].dt.day.tolist() == [1, 3, 3]


@pytest.fixture(scope="module")
def sat():
    people = pd.DataFrame({"person_id": ["P1"], "recorded_at": ["2025-01-01"]})
    frames = {
        "persons": people,
        "referrals": people.assign(referral_id="R1", referred_on="2025-01-01"),
        "assessments": pd.DataFrame([_sitting("2026-01-05"), _sitting("2026-02-05", "2026-02-01", sitting="A2")]),
        "responses": pd.DataFrame([
            _answer("1", "2026-01-05"),
            _answer("3", "2026-01-20"),
            _answer("x", "2026-01-05", item="q2"),
            _answer("2", "2026-02-05", sitting="A2"),
            _answer("2", "2026-02-10", sitting="A2", is_void=True),
        ]),
    }  # fmt: skip
    return Tables.from_frames(frames)


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2026-01-05", [None, None, None, None]),
        ("2026-01-06", [1, 1.0, "1", 5]),
        ("2026-01-21", [1, 3.0, "3", 20]),
        ("2026-02-06", [2, 2.5, "2", 5]),
        ("2026-02-11", [1, 3.0, "3", 41]),
    ],
)
def test_answers_count_at_the_moment_of_their_sitting_in_the_version_known(sat, date, expected):
    q1 = {"where": {"item": "q1", "instrument": "cesd"}}
    builder = FeatureBuilder([
        Count("responses", **q1, name="n"),
        Mean("responses", "value", **q1, name="mean"),
        Last("responses", "value", **q1, name="last"),
        DaysSince("responses", **q1, name="days"),
        Max("responses", "value", where={"item": "q2"}, name="words"),
    ])  # fmt: skip
    X = builder.build(sat, pd.DataFrame({"person_id": ["P1"], "as_of": pd.to_datetime([date])}))
    row = X.iloc[0]
    assert [None if pd.isna(value) else value for value in row.iloc[:4]] == expected
    assert pd.isna(row["words"])
