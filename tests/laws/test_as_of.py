"""Laws of the as-of engine: nothing after the date counts, and no order, grouping or chunking changes an answer."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casestrat.timeline import Asked, History
from casestrat.timeline.sorted_rows import MISSING

ORIGIN = pd.Timestamp("2026-01-01")
LAW = settings(max_examples=12, deadline=None)


def _day(n):
    return ORIGIN + pd.Timedelta(days=n)


@st.composite
def _frames(draw, max_rows=14):
    """Rows of a small table: few people, ids and days, so that corrections, voids and ties are common."""
    n = draw(st.integers(0, max_rows))
    small = st.integers(0, 8)
    rows = [
        (
            f"E{draw(st.integers(0, 6))}",
            f"P{draw(st.integers(0, 3))}",
            draw(small),
            draw(st.integers(-1, 10)),
            float(draw(st.integers(-3, 9))),
            draw(st.integers(0, 9)) == 0,
        )
        for _ in range(n)
    ]
    frame = pd.DataFrame(rows, columns=["event_id", "person_id", "day", "recorded", "value", "is_void"])
    frame = frame.drop_duplicates(["event_id", "recorded"])  # as checked tables are
    return pd.DataFrame({
        "event_id": frame["event_id"].astype(str),
        "person_id": frame["person_id"].astype(str),
        "observed_at": (ORIGIN + pd.to_timedelta(frame["day"], unit="D")).astype("datetime64[us]"),
        "recorded_at": (ORIGIN + pd.to_timedelta(frame["recorded"], unit="D")).astype("datetime64[us]"),
        "value": frame["value"].astype("float64"),
        "is_void": frame["is_void"].astype("boolean"),
    }).reset_index(drop=True)  # fmt: skip


@st.composite
def _spines(draw):
    asked = draw(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 12)), min_size=1, max_size=8, unique=True))
    return pd.DataFrame({
        "person_id": [f"P{who}" for who, _ in asked],
        "as_of": pd.Series([_day(n) for _, n in asked]).astype("datetime64[us]"),
    })  # fmt: skip


WINDOWS = st.sampled_from([None, 1, 3, 7])


def _answers(frame, spine, window, **options):
    """Every answer the engine gives."""
    windows = History(frame, Asked.of(spine), **options).windows(window)
    values = np.append(frame["value"].to_numpy(), np.nan)
    ids = np.append(frame["event_id"].to_numpy(dtype=object), "")
    return pd.DataFrame({
        "count": windows.count(),
        "sum": windows.reduced(values[:-1], np.add),
        "min": windows.reduced(values[:-1], np.minimum),
        "max": windows.reduced(values[:-1], np.maximum),
        "last_id": ids[windows.last()],
        "last": values[windows.last()],
        "before": values[windows.last(back=1)],
        "first_id": ids[windows.first()],
        "days": windows.days_since_last(),
        "slope": windows.slope(values[:-1]),
        "deviation": windows.deviation(values[:-1]),
        "distinct": windows.distinct(frame["value"].astype("int64").to_numpy() + 3),
        "days_first": windows.days_since_first(),
        "gap": windows.longest_gap(),
        "streak": windows.streak(values[:-1] > 2),
        "longest": windows.longest_streak(values[:-1] > 2),
        "decayed": windows.decayed(2),
        "inside": History(frame, Asked.of(spine), **options).windows().days_inside(_ends(frame), window, 3),
    })  # fmt: skip


def _ends(frame):
    """When each row ended: after as many days as its value says, or not yet."""
    ends = (frame["observed_at"] + pd.to_timedelta(frame["value"].clip(lower=0), unit="D")).to_numpy()
    return np.where(frame["value"] < 0, MISSING, ends.astype("datetime64[us]").astype("int64"))


def _longest_run(flags):
    return max((len(run) for run in "".join("x" if flag else " " for flag in flags).split()), default=0)


def _days_inside(rows, begin, as_of):
    """Days in [begin, as_of) on which a spell lasted: each whole day asked on its own."""
    inside = 0
    for day in pd.date_range(rows["observed_at"].min(), as_of, freq="D", inclusive="left"):
        lasts = [
            row.observed_at <= day < row.observed_at + pd.Timedelta(days=row.value if row.value >= 0 else 3)
            for row in rows.itertuples()
        ]
        inside += any(lasts) and (begin is None or day >= begin)
    return float(inside)


def _by_hand(frame, spine, window):
    """The same answers, one question at a time, in the plainest words."""
    answers = []
    for person, as_of in spine[["person_id", "as_of"]].itertuples(index=False):
        rows = frame[frame["recorded_at"] < as_of].sort_values(["recorded_at"], kind="stable")
        rows = rows.groupby("event_id", as_index=False).last()  # the version known then
        rows = rows[~rows["is_void"].fillna(False).astype(bool)]
        rows = rows[(rows["person_id"] == person) & (rows["observed_at"] < as_of)]
        begin = None if window is None else as_of - pd.Timedelta(days=window)
        inside = _days_inside(rows, begin, as_of) if len(rows) else 0.0
        if window is not None:
            rows = rows[rows["observed_at"] >= as_of - pd.Timedelta(days=window)]
        rows = rows.sort_values(["observed_at", "recorded_at", "event_id"])
        value = rows["value"].to_numpy()
        days = ((rows["observed_at"] - ORIGIN) / pd.Timedelta(days=1)).to_numpy()
        n = len(rows)
        stops = [*([] if begin is None else [begin]), *rows["observed_at"], as_of]
        ages = ((as_of - rows["observed_at"]) / pd.Timedelta(days=1)).to_numpy()
        answers.append({
            "count": n,
            "sum": value.sum() if n else np.nan,
            "min": value.min() if n else np.nan,
            "max": value.max() if n else np.nan,
            "last_id": rows["event_id"].iloc[-1] if n else "",
            "last": value[-1] if n else np.nan,
            "before": value[-2] if n > 1 else np.nan,
            "first_id": rows["event_id"].iloc[0] if n else "",
            "days": (as_of - rows["observed_at"].iloc[-1]) / pd.Timedelta(days=1) if n else np.nan,
            "slope": np.polyfit(days, value, 1)[0] if len(set(days)) > 1 else np.nan,
            "deviation": np.std(value, ddof=1) if n > 1 else np.nan,
            "distinct": len(set(value)),
            "days_first": ages[0] if n else np.nan,
            "gap": max(np.diff(stops)) / pd.Timedelta(days=1) if n or window is not None else np.nan,
            "streak": len(list(itertools.takewhile(lambda x: x > 2, value[::-1]))),
            "longest": _longest_run(value > 2),
            "decayed": float(np.sum(0.5 ** (ages / 2))),
            "inside": inside,
        })  # fmt: skip
    return pd.DataFrame(answers)


@LAW
@given(_frames(), _spines(), WINDOWS)
def test_the_engine_gives_what_a_reader_would_count_by_hand(frame, spine, window):
    engine, hand = _answers(frame, spine, window), _by_hand(frame, spine, window)
    for name in ("slope", "deviation", "decayed"):
        np.testing.assert_allclose(engine.pop(name), hand.pop(name), atol=1e-9)
    pd.testing.assert_frame_equal(engine, hand, check_dtype=False)


@LAW
@given(_frames(), _spines(), WINDOWS, st.data())
def test_rows_recorded_on_or_after_the_dates_change_nothing(frame, spine, window, data):
    future = data.draw(_frames())
    future["recorded_at"] = future["recorded_at"].clip(lower=spine["as_of"].max())
    future = future.drop_duplicates(["event_id", "recorded_at"])
    old = set(zip(frame["event_id"], frame["recorded_at"], strict=True))
    future = future[[pair not in old for pair in zip(future["event_id"], future["recorded_at"], strict=True)]]
    both = pd.concat([frame, future], ignore_index=True)
    pd.testing.assert_frame_equal(_answers(both, spine, window), _answers(frame, spine, window))


@LAW
@given(_frames(), _spines(), WINDOWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_questions_changes_nothing(frame, spine, window, random):
    rows = random.sample(range(len(frame)), len(frame))
    places = random.sample(range(len(spine)), len(spine))
    mixed = _answers(frame.iloc[rows].reset_index(drop=True), spine.iloc[places].reset_index(drop=True), window)
    expected = _answers(frame, spine, window).iloc[places].reset_index(drop=True)
    pd.testing.assert_frame_equal(mixed, expected)


@LAW
@given(_frames(), _spines(), WINDOWS)
def test_many_dates_at_once_equal_one_date_at_a_time(frame, spine, window):
    single = [_answers(frame, spine.iloc[[i]].reset_index(drop=True), window) for i in range(len(spine))]
    pd.testing.assert_frame_equal(_answers(frame, spine, window), pd.concat(single, ignore_index=True))


@LAW
@given(_frames(), _spines(), WINDOWS, st.integers(1, 5))
def test_small_chunks_equal_the_whole(frame, spine, window, chunk):
    chunked = _answers(frame, spine, window, chunk_pairs=chunk)
    pd.testing.assert_frame_equal(chunked, _answers(frame, spine, window))


@LAW
@given(_frames(), _spines(), WINDOWS)
def test_a_condition_equals_leaving_the_other_rows_out(frame, spine, window):
    history = History(frame, Asked.of(spine))
    mask = (frame["value"] > 2).to_numpy()
    values = np.where(mask, frame["value"], np.nan)
    windows = history.windows(window, mask)
    pairs = pd.DataFrame(dict(zip(("row", "place"), history.windows(window).pairs(), strict=True)))
    kept = pairs[mask[pairs["place"]]]
    expected = kept.groupby("row")["place"].agg(lambda p: np.nansum(values[p])).reindex(range(len(spine)))
    np.testing.assert_allclose(windows.reduced(values, np.add), expected)
    assert windows.count().tolist() == kept.groupby("row").size().reindex(range(len(spine)), fill_value=0).tolist()


@LAW
@given(_frames(), _spines(), st.sampled_from([1, 3, 7]))
def test_a_shorter_window_never_counts_more(frame, spine, window):
    history = History(frame, Asked.of(spine))
    assert (history.windows(window).count() <= history.windows(window + 1).count()).all()
    assert (history.windows(window).count() <= history.windows().count()).all()


@pytest.mark.parametrize("moment", ["2026-01-05", "2026-01-05 12:30:00", "2026-01-05 12:30:00.123456"])
def test_moments_of_any_precision_sort_alike(moment):
    base = pd.Timestamp(moment)
    frame = pd.DataFrame({
        "event_id": ["E1", "E2", "E3"],
        "person_id": "P1",
        "observed_at": [base, base + pd.Timedelta(microseconds=1), base - pd.Timedelta(microseconds=1)],
        "recorded_at": pd.Timestamp("2026-01-06"),
        "value": [1.0, 2.0, 3.0],
    })  # fmt: skip
    spine = pd.DataFrame({"person_id": ["P1"], "as_of": pd.to_datetime(["2026-01-07"])})
    assert _answers(frame, spine, None)[["first_id", "last_id"]].iloc[0].tolist() == ["E3", "E2"]
