import json
from pathlib import Path

import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.knowledge import Outcome, load_program
from casestrat.timeline import build_labels

STAY = Outcome("stay", horizon_days=90, event="hospital_stay", where={"is_planned": False}, competing=("death",))
AS_OF = pd.Timestamp("2026-01-01")
VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "triage_labels.json"


def _spine(*people):
    return pd.DataFrame({"person_id": list(people) or ["P1"], "as_of": AS_OF})


def _event(day, kind="hospital_stay", number=1, is_planned=False, **columns):
    return {"event_id": f"E{number}", "person_id": "P1", "kind": kind, "observed_at": AS_OF + pd.Timedelta(days=day),
            "recorded_at": AS_OF + pd.Timedelta(days=day), "is_planned": is_planned} | columns  # fmt: skip


def _one(tables, outcome=STAY):
    row = build_labels(tables, _spine(), outcome).iloc[0]
    return [None if pd.isna(row["label"]) else row["label"], row["days"], row["event"]]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([_event(-1)], [0, 90, 0]),
        ([_event(0)], [1, 0, 1]),
        ([_event(89.5)], [1, 89.5, 1]),
        ([_event(90)], [0, 90, 0]),
        ([_event(30, is_planned=True)], [0, 90, 0]),
        ([_event(30, is_planned=None)], [None, 30, 0]),
        ([_event(90, is_planned=None)], [0, 90, 0]),
        ([_event(30, is_planned=None), _event(60, number=2)], [1, 60, 1]),
        ([_event(60, is_planned=None), _event(30, number=2)], [1, 30, 1]),
        ([_event(60, is_planned=None), _event(30, "death", 2)], [0, 30, 2]),
        ([_event(30, is_planned=None), _event(60, "death", 2)], [None, 30, 0]),
        ([_event(30), _event(20, number=2)], [1, 20, 1]),
        ([_event(30, "death")], [0, 30, 2]),
        ([_event(30), _event(20, "death", 2)], [0, 20, 2]),
        ([_event(20), _event(30, "death", 2)], [1, 20, 1]),
        ([_event(20), _event(20, "death", 2)], [1, 20, 1]),
        ([_event(30), _event(30, recorded_at=pd.Timestamp("2026-09-01"), is_void=True)], [0, 90, 0]),
        ([_event(300), _event(40, recorded_at=pd.Timestamp("2027-09-01"))], [1, 40, 1]),
    ],
)
def test_the_first_of_outcome_and_competing_events_inside_the_horizon_counts(made, events, expected):
    assert _one(made(events=[_event(-500, "ed_visit", 99), *events])) == expected


@pytest.mark.parametrize(
    ("last_day", "events", "expected"),
    [
        ("2026-03-31", [], [0, 90, 0]),
        ("2026-03-30", [], [None, 89, 0]),
        ("2026-02-01", [_event(10)], [1, 10, 1]),
        ("2026-02-01", [_event(10, "death")], [0, 10, 2]),
        ("2025-12-01", [], [None, 0, 0]),
    ],
)
def test_short_follow_up_leaves_the_label_missing_unless_an_event_was_seen(made, last_day, events, expected):
    events = [_event(-500, "ed_visit", 99), *events]
    person = {"person_id": "P1", "recorded_at": "2020-01-01"}
    by_person = made(persons=[person | {"observed_until": last_day}], events=events)
    by_extract = made(persons=[person], events=events, extract={"data_start": "2020-01-01", "data_end": last_day})
    cover = {"person_id": "P1", "from_on": "2020-01-01", "to_on": last_day, "recorded_at": "2020-01-01"}
    by_enrolment = made(persons=[person], events=events, enrollments=[cover])
    expected = expected if last_day != "2026-03-31" else [0, 90, 0]
    for tables in (by_person, by_extract, by_enrolment):
        assert _one(tables) == expected


def test_a_date_of_death_in_persons_counts_as_the_event(made):
    died = {"person_id": "P1", "recorded_at": "2026-06-01", "died_on": "2026-01-31"}
    tables = made(persons=[died], events=[_event(-500, "ed_visit")])
    assert _one(tables) == [0, 30, 2]
    assert _one(tables, Outcome("death", horizon_days=365, event="death")) == [1, 30, 1]


def test_several_competing_events_have_codes_in_their_order(made):
    outcome = Outcome("stay", horizon_days=90, event="hospital_stay", competing=("death", "setting_change"))
    assert _one(made(events=[_event(9, "setting_change")]), outcome) == [0, 9, 3]


def test_the_index_is_that_of_the_spine_in_its_order(made):
    tables = made(events=[_event(10)], persons=[{"person_id": p, "recorded_at": "2020-01-01"} for p in ("P1", "P2")])
    labels = build_labels(tables, _spine("P2", "P1"), STAY)
    assert labels.index.tolist() == [("P2", AS_OF), ("P1", AS_OF)]
    assert labels["label"].tolist() == [0.0, 1.0]


def test_an_outcome_is_named_in_the_program_given_or_in_that_of_the_extract(made, geriatric):
    events = [_event(10)]
    assert _one(made(events=events, extract={"program": "geriatric"}), "unplanned_stay")[0] == 1
    assert build_labels(made(events=events), _spine(), "unplanned_stay", geriatric)["label"].tolist() == [1.0]


def test_an_outcome_that_cannot_be_known_is_refused(made, geriatric):
    tables = made(events=[_event(10)])
    with pytest.raises(UsageError, match="no program"):
        build_labels(tables, _spine(), "unplanned_stay")
    with pytest.raises(UsageError, match="did you mean unplanned_stay"):
        build_labels(tables, _spine(), "unplaned_stay", geriatric)
    with pytest.raises(UsageError, match="must name an event or a closing, an instrument, or a measurement"):
        build_labels(tables, _spine(), Outcome("nothing", horizon_days=30))
    with pytest.raises(UsageError, match="any or next; found 'last'"):
        build_labels(tables, _spine(), Outcome("low_mood", 30, instrument="cesd", which="last"))
    with pytest.raises(UsageError, match="has no output 'girr'"):
        build_labels(tables, _spine(), Outcome("gir", horizon_days=30, instrument="aggir", output="girr"))


def _sitting(day, total, number=1, **columns):
    when = AS_OF + pd.Timedelta(days=day)
    return {"assessment_id": f"A{number}", "person_id": "P1", "instrument": "cesd", "observed_at": when,
            "recorded_at": when, "total": total} | columns  # fmt: skip


@pytest.mark.parametrize(
    ("sittings", "expected"),
    [
        ([_sitting(10, 20)], 1),
        ([_sitting(10, 16)], 1),
        ([_sitting(10, 15)], 0),
        ([_sitting(10, 15), _sitting(20, 40, 2)], 1),
        ([_sitting(-10, 40)], None),
        ([_sitting(90, 40)], None),
        ([_sitting(10, None)], None),
    ],
)
def test_an_instrument_outcome_is_missing_where_nothing_was_assessed(made, sittings, expected):
    outcome = Outcome("low_mood", horizon_days=90, instrument="cesd", at_least=16)
    assert _one(made(assessments=sittings), outcome)[0] == expected


def test_an_output_that_nobody_has_gives_missing_labels(made):
    outcome = Outcome("dependent", horizon_days=90, instrument="aggir", output="gir", at_least=1)
    assert _one(made(assessments=[_sitting(10, 20)]), outcome)[0] is None


def test_labels_agree_with_the_published_vectors_of_dssg_triage(made):
    if not VECTORS.is_file():
        pytest.skip("the vectors of dssg/triage are not beside this checkout")
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    sittings = [
        _sitting(0, 60 if outcome else 0, number, person_id=f"P{entity}", observed_at=date, recorded_at=date)
        for number, (entity, date, outcome) in enumerate(vectors["events"])
    ]
    tables = made(assessments=sittings)
    people = sorted({row["person_id"] for row in sittings})
    found = []
    for as_of, span in {(row[1], row[2]) for row in vectors["expected"]}:
        start = pd.Timestamp(as_of)
        days = (start + pd.DateOffset(months=int(span[0])) - start).days
        outcome = Outcome("any", horizon_days=days, instrument="cesd", at_least=16)
        labels = build_labels(tables, pd.DataFrame({"person_id": people, "as_of": start}), outcome)["label"].dropna()
        found += [[int(person[1:]), as_of, span, int(label)] for (person, _), label in labels.items()]
    assert sorted(found) == sorted(vectors["expected"])


def test_what_came_after_the_end_of_follow_up_counts_for_nothing(made):
    person = {"person_id": "P1", "recorded_at": "2020-01-01", "observed_until": "2026-02-01"}
    tables = made(persons=[person], events=[_event(31.5), _event(32, number=2)])
    assert _one(tables) == [1, 31.5, 1]
    tables = made(persons=[person], events=[_event(32), _event(33, "death", number=2)])
    assert _one(tables) == [None, 32, 0]


@pytest.mark.parametrize(
    ("columns", "extract", "person", "why"),
    [
        ({}, {}, "P9", "unknown_person"),
        ({}, {"data_end": "2025-12-31"}, "P1", "not_observed"),
        ({"observed_from": "2026-01-02"}, {}, "P1", "not_observed"),
        ({"observed_until": "2026-02-01"}, {}, "P1", "short_follow_up"),
        ({}, {"data_end": "2026-02-01"}, "P1", "short_follow_up"),
        ({}, {"data_end": "2026-03-31"}, "P1", ""),
    ],
)
def test_a_missing_label_says_why(made, columns, extract, person, why):
    tables = made(persons=[{"person_id": "P1", "recorded_at": "2020-01-01", **columns}],
                  events=[_event(-500, "ed_visit")], extract=extract)  # fmt: skip
    row = build_labels(tables, _spine(person), STAY).iloc[0]
    assert (row["why_missing"], pd.isna(row["label"])) == (why, why != "")


def test_a_spine_that_asks_twice_is_refused(made):
    with pytest.raises(UsageError, match="drop_duplicates"):
        build_labels(made(events=[_event(10)]), _spine("P1", "P1"), STAY)


def _episode(first, last=None, reason=None, number=1, **columns):
    day = [None if one is None else AS_OF + pd.Timedelta(days=one) for one in (first, last)]
    return {"episode_id": f"C{number}", "person_id": "P1", "admitted_on": day[0], "closed_on": day[1],
            "close_reason": reason, "recorded_at": day[1] or day[0]} | columns  # fmt: skip


LOST = Outcome("lost", horizon_days=90, closed=("lost",), competing=("death",))


@pytest.mark.parametrize(
    ("episodes", "expected"),
    [
        ([_episode(-30, 10, "lost")], [1, 10, 1]),
        ([_episode(-30, 0, "lost")], [1, 0, 1]),
        ([_episode(-30, 90, "lost")], [0, 90, 0]),
        ([_episode(-30, 10, "goals_met")], [0, 90, 0]),
        ([_episode(-30)], [0, 90, 0]),
        ([_episode(0)], [0, 90, 0]),
        ([_episode(-30, 10, "death")], [0, 10, 2]),
        ([_episode(-30, 10)], [None, 10, 0]),  # closed, nobody knows why
        ([_episode(-30, 10), _episode(20, 40, "lost", 2)], [1, 40, 1]),
        ([_episode(-30, -1, "lost")], [None, 0, 0]),
        ([_episode(1, 10, "lost")], [None, 0, 0]),
        ([_episode(-90, -60, "goals_met"), _episode(-30, 10, "lost", 2)], [1, 10, 1]),
        ([_episode(-90, -60, "goals_met"), _episode(10, 20, "lost", 2)], [None, 0, 0]),
        ([_episode(-30, 10, "lost", program="other")], [None, 0, 0]),
        ([_episode(-30, 10, "lost", program="geriatric")], [1, 10, 1]),
    ],
)
def test_a_closing_is_foretold_for_people_in_an_episode(made, episodes, expected):
    assert _one(made(episodes=episodes, extract={"program": "geriatric"}), LOST) == expected


def test_nobody_can_be_lost_where_nobody_is_followed(made):
    labels = build_labels(made(events=[_event(10)]), _spine(), LOST)
    assert labels["why_missing"].tolist() == ["not_followed"]


def test_a_closing_is_known_after_the_person_was_last_seen_but_not_after_the_end_of_the_data(made):
    person = {"person_id": "P1", "recorded_at": "2020-01-01", "observed_until": "2026-01-05"}
    episodes = [_episode(-30, 40, "lost")]
    assert _one(made(persons=[person], episodes=episodes), LOST) == [1, 40, 1]
    assert _one(made(persons=[person], episodes=episodes, extract={"data_end": "2026-02-01"}), LOST) == [None, 32, 0]


@pytest.mark.parametrize(
    ("events", "episodes", "expected"),
    [
        ([_event(50, "setting_change", detail="residential", is_planned=True)], [], [1, 50, 1]),
        ([_event(50, "setting_change", detail="residential")], [_episode(-9, 40, "residential_admission")], [1, 40, 1]),
        ([_event(50, "setting_change", detail="home")], [], [0, 365, 0]),
        ([_event(50, "setting_change", detail=None)], [], [None, 50, 0]),
        ([_event(50, "setting_change", detail=None)], [_episode(-9, 70, "residential_admission")], [1, 70, 1]),
        ([_event(50, "setting_change", detail=None), _event(20, "death", 2)], [], [0, 20, 2]),
    ],
)
def test_a_residential_admission_is_an_event_or_a_closing_whichever_came_first(
    made, geriatric, events, episodes, expected
):
    assert _one(made(events=events, episodes=episodes), geriatric.outcomes["residential_admission"]) == expected


@pytest.mark.parametrize(
    ("rival", "expected"),
    [
        (_event(20, "setting_change", 2, detail="residential"), [0, 20, 3]),
        (_event(20, "setting_change", 2, detail="home"), [1, 30, 1]),
        (_event(20, "setting_change", 2, detail=None), [None, 20, 0]),
        (_event(30, "setting_change", 2, detail=None), [1, 30, 1]),
        (_event(40, "setting_change", 2, detail=None), [1, 30, 1]),
    ],
)
def test_another_outcome_may_compete_and_leaves_the_label_open_where_it_is_unclear(made, geriatric, rival, expected):
    tables = made(events=[_event(30), rival])
    assert _one(tables, geriatric.outcomes["unplanned_stay"]) == expected
    if rival["detail"] is None:  # without a stay, what is unclear decides nothing
        assert _one(made(events=[rival]), geriatric.outcomes["unplanned_stay"]) == [0, 90, 0]


def test_a_death_told_by_a_closing_alone_is_a_death_and_known_dates_of_death_come_first(made):
    death = Outcome("death", horizon_days=365, event="death")
    closed = [_episode(-30, 10, "death")]
    assert _one(made(episodes=closed), death) == [1, 10, 1]
    assert _one(made(episodes=closed, events=[_event(12, "death")]), death) == [1, 12, 1]
    died = {"person_id": "P1", "recorded_at": "2020-01-01", "died_on": "2026-01-21"}
    assert _one(made(episodes=closed, persons=[died]), death) == [1, 20, 1]


def test_a_death_of_which_no_event_tells_the_kind_leaves_a_kind_of_death_open(made):
    fall = Outcome("deadly_fall", horizon_days=365, event="death", where={"detail": "fall"})
    died = {"person_id": "P1", "recorded_at": "2020-01-01", "died_on": "2026-01-21"}
    assert _one(made(persons=[died]), fall) == [None, 20, 0]
    assert _one(made(persons=[died], events=[_event(20, "death", detail="fall")]), fall) == [1, 20, 1]
    assert _one(made(persons=[died], events=[_event(20, "death", detail="cancer")]), fall) == [0, 365, 0]


NEXT = Outcome("low_mood", horizon_days=90, instrument="cesd", at_least=16, which="next", competing=("death",))


@pytest.mark.parametrize(
    ("sittings", "events", "expected"),
    [
        ([_sitting(10, 20)], [], [1, 10, 1]),
        ([_sitting(0, 20), _sitting(5, 3, 2)], [], [1, 0, 1]),
        ([_sitting(10, 15), _sitting(20, 40, 2)], [], [0, 10, 0]),
        ([_sitting(10, None), _sitting(20, 40, 2)], [], [None, 10, 0]),
        ([_sitting(90, 40)], [], [None, 90, 0]),
        ([_sitting(-10, 40)], [], [None, 90, 0]),
        ([_sitting(10, 40), _sitting(10, 3, 2)], [], [0, 10, 0]),  # of one moment: the greater id
        ([_sitting(10, 3), _sitting(10, 40, 2)], [], [1, 10, 1]),
        ([_sitting(10, 40, instrument="phq9")], [], [None, 90, 0]),
        ([_sitting(40, 40)], [_event(30, "death")], [0, 30, 2]),
        ([_sitting(20, 3)], [_event(30, "death")], [0, 20, 0]),
        ([_sitting(20, 40)], [_event(30, "death")], [1, 20, 1]),
    ],
)
def test_the_next_sitting_alone_decides(made, sittings, events, expected):
    assert _one(made(assessments=sittings, events=[_event(-500, "ed_visit", 99), *events]), NEXT) == expected


def test_the_next_sitting_needs_no_follow_up_beyond_its_own_day(made):
    person = {"person_id": "P1", "recorded_at": "2020-01-01", "observed_until": "2026-01-11"}
    assert _one(made(persons=[person], assessments=[_sitting(10, 3)]), NEXT) == [0, 10, 0]
    labels = build_labels(made(persons=[person], assessments=[_sitting(11, 40)]), _spine(), NEXT)
    assert labels["why_missing"].tolist() == ["short_follow_up"]


@pytest.mark.parametrize(
    ("which", "values", "expected"),
    [
        ("next", [(10, 1)], 1), ("next", [(10, 0), (20, 1)], 0), ("next", [(10, None), (20, 1)], None),
        ("next", [(-1, 1)], None), ("any", [(10, 0), (20, 1)], 1), ("any", [(10, None), (20, 0)], 0),
        ("any", [(10, None)], None), ("any", [(90, 1)], None),
    ],
)  # fmt: skip
def test_a_measurement_may_be_the_outcome(made, which, values, expected):
    rows = [
        {"measurement_id": f"M{number}", "person_id": "P1", "kind": "homeless", "value": value, "unit": "flag",
         "observed_at": AS_OF + pd.Timedelta(days=day), "recorded_at": AS_OF + pd.Timedelta(days=day)}
        for number, (day, value) in enumerate(values)
    ]  # fmt: skip
    outcome = Outcome("homeless", horizon_days=90, measurement="homeless", at_least=1, which=which)
    assert _one(made(measurements=rows), outcome)[0] == expected
    if expected is None and which == "any":
        assert build_labels(made(measurements=rows), _spine(), outcome)["why_missing"].tolist() == ["not_assessed"]


@pytest.mark.parametrize("program", ["geriatric", "medical", "substance_use"])
def test_every_outcome_of_every_program_is_labelled(made, program):
    rules = load_program(program)
    tables = made(events=[_event(10)], episodes=[_episode(-30)], extract={"program": program})
    for name in rules.outcomes:
        labels = build_labels(tables, _spine(), name)
        assert len(labels) == 1
        assert labels["event"].isin([0, 1]).all()


def test_the_outcomes_of_the_tables_page_are_in_the_geriatric_program(geriatric):
    told = {
        name: (outcome.horizon_days, outcome.competing, "is_planned" in outcome.where)
        for name, outcome in geriatric.outcomes.items()
    }
    both = ("death", "residential_admission")
    assert told == {
        "unplanned_stay": (90, both, True),
        "residential_admission": (365, ("death",), False),
        "death": (365, (), False),
        "crisis": (30, both, False),
        "lost_to_follow_up": (90, both, False),
    }
