import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.timeline import Asked, History, known
from casestrat.timeline.sorted_rows import microseconds, sorted_order


def _events(rows):
    frame = pd.DataFrame(rows, columns=["event_id", "person_id", "observed_at", "recorded_at", "value"])
    for name in ("observed_at", "recorded_at"):
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[us]")
    return frame


def _spine(*questions):
    return pd.DataFrame(questions, columns=["person_id", "as_of"]).assign(
        as_of=lambda f: pd.to_datetime(f["as_of"]).astype("datetime64[us]")
    )


def _last(frame, spine, window=None, **options):
    windows = History(frame, Asked.of(spine), **options).windows(window)
    return np.append(frame["value"].to_numpy(), -1)[windows.last()].tolist()


def test_a_row_recorded_on_the_day_itself_is_not_known():
    events = _events([("E1", "P1", "2026-01-01", "2026-01-05", 1)])
    assert _last(events, _spine(("P1", "2026-01-05"), ("P1", "2026-01-06"))) == [-1, 1]


def test_a_window_holds_its_first_day_and_not_the_date():
    events = _events([("E1", "P1", "2026-01-01", "2026-01-01", 1), ("E2", "P1", "2026-01-08", "2026-01-08", 2)])
    windows = History(events, Asked.of(_spine(("P1", "2026-01-08"), ("P1", "2026-01-09")))).windows(7)
    assert windows.count().tolist() == [1, 1]
    assert windows.last().tolist() == [0, 1]


def test_of_rows_of_one_moment_the_last_recorded_comes_last_and_then_the_greatest_key():
    same = "2026-01-01"
    events = _events([
        ("E2", "P1", same, "2026-01-02", 2),
        ("E9", "P1", same, "2026-01-01", 9),
        ("E3", "P1", same, "2026-01-02", 3),
        ("E1", "P1", same, "2026-01-02", 1),
    ])  # fmt: skip
    windows = History(events, Asked.of(_spine(("P1", "2026-02-01")))).windows()
    assert events["event_id"][windows.last()].tolist() == ["E3"]
    assert events["event_id"][windows.last(back=1)].tolist() == ["E2"]
    assert events["event_id"][windows.first()].tolist() == ["E9"]


def test_a_correction_counts_from_the_day_after_it_was_recorded():
    events = _events([("E1", "P1", "2026-01-01", "2026-01-01", 1), ("E1", "P1", "2026-01-01", "2026-01-10", 5)])
    spine = _spine(("P1", "2026-01-05"), ("P1", "2026-01-10"), ("P1", "2026-01-11"))
    assert _last(events, spine) == [1, 1, 5]
    assert History(events, Asked.of(spine)).windows().count().tolist() == [1, 1, 1]


def test_a_void_version_retracts_the_row_and_a_later_one_restores_it():
    events = _events([
        ("E1", "P1", "2026-01-01", "2026-01-01", 1),
        ("E1", "P1", "2026-01-01", "2026-01-10", 5),
        ("E1", "P1", "2026-01-01", "2026-01-20", 7),
    ]).assign(is_void=pd.array([False, True, None], dtype="boolean"))  # fmt: skip
    spine = _spine(("P1", "2026-01-05"), ("P1", "2026-01-15"), ("P1", "2026-01-25"))
    assert _last(events, spine) == [1, -1, 7]


def test_a_correction_may_move_a_row_to_another_person():
    events = _events([("E1", "P1", "2026-01-01", "2026-01-01", 1), ("E1", "P2", "2026-01-01", "2026-01-10", 2)])
    spine = _spine(("P1", "2026-01-05"), ("P1", "2026-01-15"), ("P2", "2026-01-05"), ("P2", "2026-01-15"))
    assert _last(events, spine) == [1, -1, -1, 2]


def test_a_row_is_true_up_to_and_with_its_last_day():
    facts = _events([("F1", "P1", "2026-01-01", "2026-01-01", 1)]).assign(
        valid_to=pd.to_datetime(["2026-01-10"]).astype("datetime64[us]")
    )
    spine = _spine(("P1", "2026-01-10"), ("P1", "2026-01-11"))
    assert _last(facts, spine, until="valid_to") == [1, -1]


def test_rows_without_a_moment_never_count():
    events = _events([("E1", "P1", None, "2026-01-01", 1), ("E2", "P1", "2026-01-01", None, 2)])
    assert _last(events, _spine(("P1", "2026-02-01"))) == [-1]


def test_moments_too_fine_to_pack_into_one_number_sort_alike():
    people = [f"P{n}" for n in range(4)]
    events = _events([
        (f"E{n}", people[n % 4], pd.Timestamp("1900-01-01") + pd.Timedelta(microseconds=n), "2026-01-01", n)
        for n in (9, 3, 5, 7, 1)
    ])  # fmt: skip
    far = _events([("E99", "P1", "2100-01-01 00:00:00.000001", "2026-01-01", 99)])
    spine = _spine(*((p, "2200-01-01") for p in people))
    assert _last(pd.concat([events, far], ignore_index=True), spine) == [-1, 99, -1, 7]


def test_too_many_people_and_moments_to_pack_are_sorted_by_both():
    person = np.array([4000, 4000, 0, 4000, 0])
    moment = np.array([2**52, 5, 2**52, 5, 1])
    ids = pd.DataFrame({"event_id": ["E0", "E9", "E2", "E3", "E4"]})
    order, packing, _ = sorted_order(person, moment, np.zeros(5, dtype="int64"), ids, ["event_id"], np.arange(5))
    assert packing is None
    assert order.tolist() == [4, 2, 3, 1, 0]


def test_no_rows_and_no_questions_give_empty_answers():
    events = _events([("E1", "P1", "2026-01-01", "2026-01-01", 1)])
    assert History(events, Asked.of(_spine())).windows().count().tolist() == []
    windows = History(events.iloc[:0], Asked.of(_spine(("P1", "2026-01-05")))).windows(30)
    assert windows.count().tolist() == [0]
    assert np.isnan(windows.reduced(np.array([]), np.add)).all()
    assert np.isnan(windows.slope(np.array([]))).all()


def test_pairs_name_each_row_that_counts_for_each_question():
    events = _events([("E1", "P1", "2026-01-01", "2026-01-03", 1), ("E2", "P1", "2026-01-02", "2026-01-02", 2)])
    spine = _spine(("P1", "2026-01-09"), ("P1", "2026-01-03"))
    row, place = History(events, Asked.of(spine)).windows().pairs()
    assert sorted(zip(row.tolist(), place.tolist(), strict=True)) == [(0, 0), (0, 1), (1, 1)]


def test_known_keeps_one_version_a_key_in_the_order_of_the_table():
    events = _events([
        ("E2", "P1", "2026-01-01", "2026-01-09", 20),
        ("E1", "P1", "2026-01-01", "2026-01-01", 1),
        ("E2", "P1", "2026-01-01", "2026-01-02", 2),
        ("E3", "P1", "2026-01-01", "2026-02-02", 3),
    ])  # fmt: skip
    assert known(events, "event_id", "2026-01-09")["value"].tolist() == [1, 2]
    assert known(events, ["event_id"], "2026-01-10")["value"].tolist() == [20, 1]
    assert known(events, ("person_id", "observed_at"), "2026-03-01")["value"].tolist() == [3]


def test_known_leaves_out_what_was_retracted():
    events = _events([("E1", "P1", "2026-01-01", "2026-01-01", 1), ("E1", "P1", "2026-01-01", "2026-01-10", 1)])
    events["is_void"] = pd.array([None, True], dtype="boolean")
    assert len(known(events, "event_id", "2026-01-10")) == 1
    assert len(known(events, "event_id", "2026-01-11")) == 0


@pytest.mark.parametrize(
    ("spine", "words"),
    [
        (pd.DataFrame({"person_id": ["P1"]}), "needs person_id and as_of"),
        (pd.DataFrame({"person_id": ["P1", None], "as_of": pd.to_datetime(["2026-01-01"] * 2)}), "without a person"),
        (pd.DataFrame({"person_id": ["P1"], "as_of": pd.to_datetime(["2026-01-01"], utc=True)}), "time zone"),
    ],
)
def test_a_spine_that_cannot_be_used_is_refused(spine, words):
    with pytest.raises(UsageError, match=words) as error:
        Asked.of(spine)
    assert "P1" not in str(error.value)


def test_a_spine_may_be_the_index_of_features():
    index = pd.MultiIndex.from_frame(_spine(("P1", "2026-01-05")))
    assert len(Asked.of(pd.DataFrame({"age": [80.0]}, index=index))) == 1


def test_microseconds_of_any_resolution_agree():
    days = pd.Series(pd.to_datetime(["2026-01-01", None]))
    for unit in ("s", "ms", "us", "ns"):
        assert microseconds(days.dt.as_unit(unit)).tolist() == microseconds(days).tolist()
