"""Laws of stock and flow, of small cells, and of the made-up agency, for any table."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from casestrat.caseload import coefficient_of_variation, gini, suppress, wilson_interval, xmr_limits
from casestrat.caseload.flow import periods
from casestrat.caseload.following import stock_at, within
from casestrat.knowledge import load_program
from casestrat.synthetic import synthesize_frames
from casestrat.tables import fingerprint_of_frame

GERIATRIC = load_program("geriatric")
FIRST = pd.Timestamp("2025-01-01")
LENGTH = st.one_of(st.none(), st.integers(0, 500))
EPISODES = st.lists(st.tuples(st.integers(0, 600), LENGTH), max_size=40)


def episodes_of(rows: list[tuple[int, int | None]]) -> pd.DataFrame:
    admitted = [FIRST + pd.Timedelta(days=start) for start, _ in rows]
    closed = [
        pd.NaT if length is None else day + pd.Timedelta(days=length)
        for day, (_, length) in zip(admitted, rows, strict=True)
    ]
    return pd.DataFrame(
        {
            "admitted_on": pd.Series(admitted, dtype="datetime64[us]"),
            "closed_on": pd.Series(closed, dtype="datetime64[us]"),
        }
    )


@given(EPISODES, st.integers(0, 700), st.integers(0, 700))
def test_stock_is_what_was_there_and_came_less_what_left(rows, one, two):
    episodes = episodes_of(rows)
    start, end = (FIRST + pd.Timedelta(days=day) for day in sorted((one, two)))
    came = within(episodes["admitted_on"], start, end).sum()
    left = within(episodes["closed_on"], start, end).sum()
    assert stock_at(episodes, end).sum() == stock_at(episodes, start).sum() + came - left


@given(st.dates(FIRST.date()), st.integers(1, 60))
def test_periods_follow_each_other_without_gap_or_overlap(day, months):
    found = periods(pd.Timestamp(day), months)
    assert len(found) == months
    assert all(start < end for start, end in found)
    assert all(one[1] == two[0] for one, two in itertools.pairwise(found))
    assert found[-1][1] == pd.Timestamp(day)


@st.composite
def tables_of_counts(draw):
    shape = draw(st.sampled_from([(2,), (5,), (2, 2), (3, 2), (3, 4), (2, 2, 2)]))
    size = int(np.prod(shape))
    counts = draw(st.lists(st.integers(0, 40), min_size=size, max_size=size))
    names = ["a", "b", "c"][: len(shape)]
    keys = [tuple(f"g{i}" for i in place) for place in np.ndindex(*shape)]
    return pd.DataFrame(keys, columns=names).assign(n=counts), names


def exactly_recoverable(shown: pd.DataFrame, names: list[str]) -> list[int]:
    """Hidden cells that follow from the shown ones, by exact elimination over fractions."""
    keys = [tuple(row) for row in shown[names].to_numpy()]
    hidden = [i for i, is_hidden in enumerate(shown["is_suppressed"]) if is_hidden]
    rows = []
    for total, key in enumerate(keys):
        for column in range(len(names)):
            if key[column] == "all":

                def rest(one: tuple[str, ...], column: int = column) -> tuple[str, ...]:
                    return one[:column] + one[column + 1 :]

                parts = [i for i, other in enumerate(keys) if other[column] != "all" and rest(other) == rest(key)]
                rows.append([Fraction((i in parts) - (i == total)) for i in hidden])
    pivots = {}
    for row in rows:
        for place, pivot in pivots.items():
            factor = row[place]
            if factor:
                row = [a - factor * b for a, b in zip(row, pivot, strict=True)]
        lead = next((i for i, value in enumerate(row) if value), None)
        if lead is not None:
            row = [value / row[lead] for value in row]
            for place, pivot in pivots.items():
                factor = pivot[lead]
                pivots[place] = [a - factor * b for a, b in zip(pivot, row, strict=True)]
            pivots[lead] = row
    return [hidden[place] for place, row in pivots.items() if sum(value != 0 for value in row) == 1]


@given(tables_of_counts(), st.integers(1, 15))
def test_no_hidden_cell_can_be_worked_out_from_what_is_shown(table, threshold):
    frame, names = table
    shown = suppress(frame, threshold, by=names)
    assert exactly_recoverable(shown, names) == []


@given(tables_of_counts(), st.integers(1, 15))
def test_every_small_cell_is_hidden_and_every_shown_one_is_true(table, threshold):
    frame, names = table
    shown = suppress(frame, threshold, by=names)
    truth = suppress(frame, 1, by=names)
    assert not truth["is_suppressed"].any()
    small = truth["n"].between(1, threshold - 1)
    assert shown.loc[small, "is_suppressed"].all()
    visible = ~shown["is_suppressed"]
    assert (shown.loc[visible, "n"] == truth.loc[visible, "n"]).all()
    if not small.any():
        assert visible.all()


@given(tables_of_counts(), st.integers(1, 15), st.randoms())
def test_hiding_does_not_depend_on_the_order_of_rows(table, threshold, random):
    frame, names = table
    order = list(range(len(frame)))
    random.shuffle(order)
    pd.testing.assert_frame_equal(
        suppress(frame, threshold, by=names), suppress(frame.iloc[order], threshold, by=names)
    )


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=30), st.floats(0.1, 10))
def test_spread_lies_between_none_and_all_and_has_no_unit(values, factor):
    index = gini(values)
    assert 0 <= index <= 1 - 1 / len(values) + 1e-9
    scaled = [value * factor for value in values]
    assert abs(gini(scaled) - index) < 1e-6
    assert coefficient_of_variation(values) >= 0


@given(st.integers(0, 200), st.integers(1, 200), st.floats(0.5, 0.999))
def test_an_interval_holds_its_share(numerator, denominator, level):
    numerator = min(numerator, denominator)
    low, high = wilson_interval(numerator, denominator, level)
    assert 0 <= low <= numerator / denominator <= high <= 1


@given(st.lists(st.integers(0, 50), min_size=2, max_size=24), st.integers(-20, 20))
def test_shifting_a_series_shifts_its_limits_and_no_signal(values, shift):
    one, two = xmr_limits(values), xmr_limits([value + shift for value in values])
    np.testing.assert_allclose(two["upper"], one["upper"] + shift, atol=1e-9)
    np.testing.assert_allclose(two["range_upper"], one["range_upper"], atol=1e-9)


@settings(max_examples=2)
@given(st.integers(20, 60), st.integers(0, 10_000))
def test_the_same_seed_makes_the_same_agency(people, seed):
    one, two = (synthesize_frames(GERIATRIC, people, seed) for _ in range(2))
    assert fingerprint_of_frame(one[1]) == fingerprint_of_frame(two[1])
    for name in one[0]:
        assert fingerprint_of_frame(one[0][name]) == fingerprint_of_frame(two[0][name]), name
        assert not one[0][name].duplicated().any(), name
