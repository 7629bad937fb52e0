from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.features import (
    Age,
    Change,
    ChangeSinceFirst,
    Count,
    DaysSince,
    DaysSinceFirst,
    DecayedCount,
    Deviation,
    Distinct,
    Fact,
    FeatureBuilder,
    First,
    InSpell,
    InstrumentBand,
    InstrumentDays,
    InstrumentItem,
    InstrumentOutput,
    InstrumentTotal,
    InstrumentValid,
    Last,
    LongestGap,
    LongestStreak,
    Max,
    Mean,
    Min,
    NthLast,
    Person,
    Range,
    Referral,
    Share,
    Slope,
    SpellDays,
    Status,
    StatusDays,
    Streak,
    Sum,
    WaitedDays,
)
from casestrat.tables import Extract, Tables

NAN = None
WEIGHT = {"where": {"kind": "weight"}}
STAYS = {"where": {"kind": "hospital_stay"}}
FALLS = {"where": {"kind": "fall"}}

# In the order of the spine: P1, P2 and P3 on 2026-01-01, P1 on 2025-11-05.
CASES = [
    (Count("events", where={"kind": "fall"}, window_days=180), [2, NAN, 0, 1]),
    (Count("events", where={"kind": "fall"}, window_days=31), [1, 0, 0, 0]),
    (Count("events", where={"kind": "hospital_stay"}, window_days=180), [2, 1, 0, 1]),
    (Count("events", where={"kind": "hospital_stay", "is_planned": False}), [1, 0, 0, 1]),
    (Count("events", "amount", window_days=365), [2, 1, 0, 1]),
    (Sum("events", "amount", window_days=180), [150.5, 9, 0, 100]),
    (Sum("events", "amount", where={"kind": "crisis"}, window_days=180), [0, NAN, 0, 0]),
    (Mean("events", "amount", window_days=180), [75.25, 9, NAN, 100]),
    (Min("events", "amount", window_days=180), [50.5, 9, NAN, 100]),
    (Max("events", "amount", window_days=180), [100, 9, NAN, 100]),
    (Range("events", "amount", window_days=180), [49.5, 0, NAN, 0]),
    (Last("measurements", "value", **WEIGHT), [57, 80, NAN, 57]),
    (First("measurements", "value", **WEIGHT), [60, 80, NAN, 60]),
    (First("measurements", "value", window_days=90, **WEIGHT), [58, 80, NAN, 60]),
    (Change("measurements", "value", **WEIGHT), [-1, NAN, NAN, -1]),
    (DaysSince("measurements", **WEIGHT), [62, 12, NAN, 5]),
    (DaysSince("events", where={"kind": "fall"}), [12, NAN, NAN, 35]),
    (Last("events", "is_planned", where={"kind": "hospital_stay"}), [1, NAN, NAN, 0]),
    (Last("events", "kind"), ["fall", "hospital_stay", NAN, "hospital_stay"]),
    (Age(), [85 + 7 / 12, 75.5, NAN, 85 + 5 / 12]),
    (Person("neurodegenerative"), [1, NAN, 0, 1]),
    (Person("birth_year"), [1940, 1950, NAN, 1940]),
    (Fact("lives_alone"), ["yes", NAN, NAN, "no"]),
    (Fact("lives_alone", read_as="flag", name="alone_flag"), [1, NAN, NAN, 0]),
    (Fact("lives_alone", worse="higher"), [1, NAN, NAN, 0]),
    (Fact("setting"), ["home", NAN, NAN, "home"]),
    (Fact("setting", worse="higher", name="no_level"), [NAN, NAN, NAN, NAN]),
    (Fact("caregiver", worse="lower"), [2, NAN, NAN, 2]),
    (Fact("protection"), [NAN, NAN, NAN, NAN]),
    (InstrumentTotal("cesd", valid_days=365), [24, NAN, NAN, 12]),
    (InstrumentTotal("cesd"), [24, 30, NAN, 12]),
    (InstrumentTotal("cesd", valid_days=31), [24, NAN, NAN, NAN]),
    (InstrumentOutput("aggir", "gir"), [NAN, NAN, NAN, NAN]),
    (NthLast("measurements", "value", n=2, **WEIGHT), [58, NAN, NAN, 58]),
    (NthLast("measurements", "value", n=3, **WEIGHT), [60, NAN, NAN, 60]),
    (Distinct("events", "kind"), [2, 1, 0, 2]),
    (Deviation("measurements", "value", **WEIGHT), [1.527525, NAN, NAN, 1.527525]),
    (ChangeSinceFirst("measurements", "value", **WEIGHT), [-3, NAN, NAN, -3]),
    (DaysSinceFirst("measurements", **WEIGHT), [92, 12, NAN, 35]),
    (LongestGap("measurements", **WEIGHT), [62, 12, NAN, 20]),
    (LongestGap("events", window_days=31, **FALLS), [19, 31, 31, 31]),
    (LongestGap("events", window_days=62, **FALLS), [50, NAN, 62, 35]),
    (Share("events", of={"is_planned": True}, **STAYS), [0.5, NAN, NAN, 0]),
    (Streak("events", of={"is_planned": True}, **STAYS), [1, 0, 0, 0]),
    (LongestStreak("events", of={"is_planned": False}, **STAYS), [1, 0, 0, 1]),
    (DecayedCount("events", half_life_days=12, **FALLS), [0.5 + 2 ** -(92 / 12), 0, 0, 2 ** -(35 / 12)]),
    (SpellDays("events", window_days=60, **STAYS), [57, 5, 0, 4]),
    (SpellDays("events", window_days=60, open_days=10, **STAYS), [16, 5, 0, 4]),
    (SpellDays("events", **STAYS), [7 + 51, 5, 0, 4]),
    (InSpell("events", **STAYS), [1, 0, 0, 1]),
    (InSpell("events", open_days=10, **STAYS), [0, 0, 0, 1]),
    (InstrumentDays("cesd"), [31, 579, NAN, 35]),
    (InstrumentDays("cesd", valid_days=31), [31, NAN, NAN, NAN]),
    (InstrumentValid("cesd", valid_days=365), [0, 0, NAN, 1]),
    (InstrumentItem("cesd", "q1"), [NAN, NAN, NAN, NAN]),
    (WaitedDays(), [214, NAN, NAN, 157]),
    (Status(), ["waiting", "no_consent", NAN, "waiting"]),
    (StatusDays(), [214, 214, NAN, 157]),
    (Referral("urgency"), [2, 1, NAN, 2]),
    (Referral("source"), ["gp", "gp", NAN, "gp"]),
    (Referral("no_capable_entourage"), [1, NAN, NAN, 1]),
]


@pytest.fixture(scope="module")
def built(tables, spine):
    features = [feature_named(feature, number) for number, (feature, _) in enumerate(CASES)]
    return FeatureBuilder(features).build(tables, spine)


def feature_named(feature, number):
    return replace(feature, name=f"f{number}")


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{f.kind}-{f.name}" for f, _ in CASES])
def test_each_kind_gives_what_a_reader_of_the_tables_expects(built, number):
    column, expected = built[f"f{number}"], CASES[number][1]
    if any(isinstance(value, str) for value in expected):
        assert [None if pd.isna(value) else value for value in column] == expected
    else:
        np.testing.assert_allclose(column.astype("float64"), [np.nan if v is None else v for v in expected], rtol=1e-6)


def test_a_slope_is_that_of_least_squares_a_day(tables, spine):
    slope = FeatureBuilder([Slope("measurements", "value", **WEIGHT)]).build(tables, spine).iloc[:, 0]
    expected = np.polyfit([0, 10, 30], [60, 58, 57], 1)[0]
    np.testing.assert_allclose(slope, [expected, np.nan, np.nan, expected])


def test_a_band_is_that_of_the_score_shown(tables, spine):
    X = FeatureBuilder([InstrumentTotal("cesd", name="total"), InstrumentBand("cesd", name="band")]).build(
        tables, spine
    )
    assert X["band"].notna().tolist() == X["total"].notna().tolist()
    assert isinstance(X["band"].dtype, pd.StringDtype)


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        (Sum("events", "kind"), "needs numbers"),
        (Sum("events", "amuont"), "did you mean amount"),
        (Count("events", where={"knd": "fall"}), "did you mean kind"),
        (Last("events", "ended_at"), "use days_since"),
        (Referral("urgncy"), "did you mean urgency"),
        (InstrumentOutput("aggir", "girr"), "has no output 'girr'"),
    ],
)
def test_a_column_that_cannot_be_read_is_refused(tables, spine, feature, words):
    with pytest.raises(UsageError, match=words):
        FeatureBuilder([feature]).build(tables, spine)


def test_a_window_that_begins_before_the_data_is_refused_with_both_dates(tables, spine):
    with pytest.raises(UsageError, match=r"2023-11-06.*2024-01-01"):
        FeatureBuilder([Count("events", window_days=730)]).build(tables, spine)


def test_without_a_first_day_of_the_data_no_window_is_too_early(frames, spine):
    tables = Tables.from_frames(frames, extract=Extract())
    X = FeatureBuilder([Count("events", window_days=7300, name="n")]).build(tables, spine)
    assert X["n"].isna().tolist() == [False, False, True, False]


def test_no_questions_give_no_rows(tables, spine):
    X = FeatureBuilder([Count("events", window_days=9999, name="n"), Age()]).build(tables, spine.iloc[:0])
    assert X.shape == (0, 2)


def test_a_table_that_is_empty_for_everybody_is_missing_never_zero(frames, spine):
    without = {name: frame for name, frame in frames.items() if name != "events"}
    tables = Tables.from_frames(without, extract=Extract())
    features = [
        Count("events", window_days=31, name="n"),
        SpellDays("events", name="days"),
        Streak("contacts", of={"kind": "phone"}),
    ]
    assert FeatureBuilder(features).build(tables, spine).isna().all(axis=None)
    late = frames["events"].assign(recorded_at="2026-06-01")
    later = Tables.from_frames({**without, "events": late}, extract=Extract())
    assert FeatureBuilder(features).build(later, spine).isna().all(axis=None)  # in use, but not yet on these dates
