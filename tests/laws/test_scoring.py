"""Laws of scoring: no answer is counted as zero, order does not matter, and later answers change no earlier score."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from casestrat.knowledge import Instrument, load_instrument
from casestrat.knowledge.toml_file import shipped_names
from casestrat.tables import TEXT, Tables
from casestrat.timeline import known, score_assessments, score_instrument

NAMES = st.sampled_from(shipped_names("instruments"))
SUMS = st.sampled_from([name for name in shipped_names("instruments") if name != "aggir"])
DAY = pd.Timestamp("2026-01-05")
FEWER = settings(max_examples=max(5, settings().max_examples // 3))  # whole extracts take longer than sheets


def codes(instrument: Instrument) -> dict[str, list]:
    return {item.id: list(item.allowed) or [0.0, 1.0, 4.0, 20.0] for item in instrument.scored_items}


def draw_sheets(data: st.DataObject, instrument: Instrument, n: int, blanks: bool = True) -> pd.DataFrame:
    columns = {}
    for name, taken in codes(instrument).items():
        some = st.sampled_from([*taken, None] if blanks else taken)
        columns[name] = data.draw(st.lists(some, min_size=n, max_size=n), label=name)
    return pd.DataFrame(columns, dtype=object)


@given(st.data(), NAMES)
def test_a_score_is_given_exactly_where_every_scored_item_is_answered(data: st.DataObject, name: str) -> None:
    instrument = load_instrument(name)
    sheets = draw_sheets(data, instrument, 4)
    scored = score_instrument(instrument, sheets)
    n_missing = sheets.isna().sum(axis=1)
    assert scored["n_missing"].tolist() == n_missing.tolist()
    assert scored[instrument.outputs[0]].notna().tolist() == n_missing.eq(0).tolist()
    assert scored["is_valid"].tolist() == n_missing.eq(0).tolist()


@given(st.data(), NAMES)
def test_each_sitting_is_scored_by_itself_in_any_order(data: st.DataObject, name: str) -> None:
    instrument = load_instrument(name)
    sheets = draw_sheets(data, instrument, 5)
    order = data.draw(st.permutations(range(5)))
    columns = data.draw(st.permutations(list(sheets.columns)))
    scored = score_instrument(instrument, sheets)
    mixed = score_instrument(instrument, sheets.iloc[order][list(columns)])
    pd.testing.assert_frame_equal(mixed, scored.iloc[order])
    place = data.draw(st.integers(0, 4))
    alone = score_instrument(instrument, sheets.iloc[[place]])
    pd.testing.assert_frame_equal(alone, scored.iloc[[place]])


@given(st.data(), SUMS)
def test_a_total_lies_in_its_range_and_its_band_is_the_highest_reached(data: st.DataObject, name: str) -> None:
    instrument = load_instrument(name)
    scored = score_instrument(instrument, draw_sheets(data, instrument, 5, blanks=False))
    low, high = instrument.score_range
    assert scored["total"].between(low, high).all()
    for total, band in zip(scored["total"], scored["band"], strict=True):
        reached = [b.id for b in instrument.bands if (total > b.start if b.is_open else total >= b.start)]
        assert reached[-1:] == ([] if pd.isna(band) else [band])


@given(st.data(), SUMS)
def test_one_answer_with_more_points_never_lowers_the_total(data: st.DataObject, name: str) -> None:
    instrument = load_instrument(name)
    sheets = draw_sheets(data, instrument, 1, blanks=False)
    item = data.draw(st.sampled_from(instrument.scored_items))
    steps = sorted(codes(instrument)[item.id], key=item.points_of)
    totals = [score_instrument(instrument, sheets.assign(**{item.id: code}))["total"].iloc[0] for code in steps]
    assert totals == sorted(totals)


@given(st.data(), NAMES, st.sampled_from(["?", "-1", "999.5", "yes please"]))
def test_an_answer_that_is_not_taken_is_never_worth_anything(data: st.DataObject, name: str, wrong: str) -> None:
    instrument = load_instrument(name)
    sheets = draw_sheets(data, instrument, 1, blanks=False)
    item = data.draw(st.sampled_from(instrument.scored_items))
    scored = score_instrument(instrument, sheets.assign(**{item.id: wrong}))
    assert np.isnan(scored[instrument.outputs[0]].iloc[0])
    assert not scored["is_valid"].iloc[0]


@FEWER
@given(st.data(), st.sampled_from(["phq9", "katz", "aggir"]))
def test_answers_of_an_extract_are_scored_as_their_sheets(data: st.DataObject, name: str) -> None:
    instrument = load_instrument(name)
    sheets = draw_sheets(data, instrument, 3)
    scored = score_assessments(extract(name, sheets))
    expected = score_instrument(instrument, sheets)
    pd.testing.assert_frame_equal(scored[expected.columns].reset_index(drop=True), expected, check_dtype=False)


@FEWER
@given(st.data())
def test_what_is_recorded_later_changes_no_earlier_score(data: st.DataObject) -> None:
    instrument = load_instrument("phq9")
    before, after = draw_sheets(data, instrument, 3), draw_sheets(data, instrument, 3)
    first, both = extract("phq9", before), extract("phq9", before, after)
    day = DAY + pd.Timedelta(days=3)
    seen = [known(score_assessments(tables), "assessment_id", day).reset_index(drop=True) for tables in (first, both)]
    pd.testing.assert_frame_equal(*seen)
    last = known(score_assessments(both), "assessment_id", "2027-01-01").reset_index(drop=True)
    expected = score_instrument(instrument, after)
    pd.testing.assert_frame_equal(last[expected.columns], expected, check_dtype=False)


PEOPLE, SITTINGS = ["P1", "P2", "P3"], ["A1", "A2", "A3"]
EMPTY = Tables.from_frames(
    {
        "persons": pd.DataFrame({"person_id": PEOPLE, "recorded_at": DAY}),
        "referrals": pd.DataFrame(
            {"referral_id": ["R1"], "person_id": ["P1"], "referred_on": [DAY], "recorded_at": [DAY]}
        ),
    }
)


def extract(name: str, sheets: pd.DataFrame, later: pd.DataFrame | None = None) -> Tables:
    """Three people with a sitting each; their answers, and what they were corrected to a month later."""
    answers = [(sheets, DAY)] + ([] if later is None else [(later, DAY + pd.Timedelta(days=30))])
    rows = [
        frame.set_axis(SITTINGS).rename_axis("assessment_id").reset_index().melt("assessment_id", var_name="item")
        .assign(recorded_at=at)
        for frame, at in answers
    ]  # fmt: skip
    responses = pd.concat(rows, ignore_index=True)
    responses["value"] = pd.array([None if v is None else str(v) for v in responses["value"]], dtype=TEXT)
    sittings = pd.DataFrame(
        {
            "assessment_id": SITTINGS,
            "person_id": PEOPLE,
            "instrument": name,
            "version": pd.array([None] * 3, dtype=TEXT),
        }
        | {"observed_at": DAY, "recorded_at": DAY, "total": np.nan, "is_void": False}
    )
    return replace(EMPTY, assessments=sittings, responses=responses.assign(is_void=False))
