import json
from pathlib import Path

import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.knowledge import Outcome
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
        ([_event(30, is_planned=None)], [0, 90, 0]),
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
    with pytest.raises(UsageError, match="an event or an instrument"):
        build_labels(tables, _spine(), Outcome("nothing", horizon_days=30))
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
