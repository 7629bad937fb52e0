import dataclasses

import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.timeline import make_spine

PEOPLE = [{"person_id": f"P{n}", "recorded_at": "2026-01-01"} for n in range(1, 7)]
TABLES = {
    "persons": [*PEOPLE[:4], PEOPLE[4] | {"died_on": "2025-12-24"}, PEOPLE[5] | {"recorded_at": "2026-05-01"}],
    "referrals": [
        {"referral_id": f"R{n}", "person_id": f"P{n}", "referred_on": day, "recorded_at": day, "is_complete": True}
        for n, day in ((1, "2026-02-01"), (2, "2026-03-01"))
    ],
    "episodes": [{"episode_id": "C1", "person_id": "P1", "admitted_on": "2026-03-05", "recorded_at": "2026-03-05"}],
    "enrollments": [
        {"person_id": person, "from_on": "2026-01-01", "to_on": last, "recorded_at": "2025-12-01"}
        for person, last in (("P1", None), ("P3", "2026-03-10"), ("P5", None))
    ],
}
DATES = ["2026-03-10", "2026-02-15", "2026-03-11"]


def _people(tables, program, population):
    spine = make_spine(tables, program, DATES, population)
    assert spine["as_of"].dtype == "datetime64[us]"
    return {f"{date:%m-%d}": " ".join(rows["person_id"]) for date, rows in spine.groupby("as_of")}


@pytest.mark.parametrize(
    ("population", "expected"),
    [
        ("waiting", {"02-15": "P1", "03-10": "P2", "03-11": "P2"}),
        ("followed", {"03-10": "P1", "03-11": "P1"}),
        ("enrolled_not_followed", {"02-15": "P1 P3", "03-10": "P3"}),
        ("all", {"02-15": "P1 P2 P3 P4", "03-10": "P1 P2 P3 P4", "03-11": "P1 P2 P3 P4"}),
    ],
)
def test_each_population_holds_whom_it_names_on_each_date(made, geriatric, population, expected):
    assert _people(made(**TABLES), geriatric, population) == expected


def test_a_program_without_referrals_ranks_those_enrolled_and_not_followed(made, geriatric):
    managed = dataclasses.replace(geriatric, population="enrolled")
    assert _people(made(**TABLES), managed, "waiting") == {"02-15": "P1 P3", "03-10": "P3"}


def test_one_date_may_be_given_as_it_is(made, geriatric):
    tables = made(**TABLES)
    one = make_spine(tables, geriatric, "2026-03-10")
    pd.testing.assert_frame_equal(one, make_spine(tables, geriatric, pd.Timestamp("2026-03-10")))
    pd.testing.assert_frame_equal(one, make_spine(tables, geriatric, ["2026-03-10", "2026-03-10"]))


def test_an_unknown_population_is_refused_with_the_nearest(made, geriatric):
    with pytest.raises(UsageError, match="did you mean waiting"):
        make_spine(made(**TABLES), geriatric, "2026-03-10", "waitng")


@pytest.mark.parametrize("as_of", ["no date", pd.Timestamp("2026-03-10", tz="Europe/Paris"), pd.NaT, []])
def test_a_date_that_cannot_be_used_is_refused(made, geriatric, as_of):
    with pytest.raises(UsageError, match="as_of"):
        make_spine(made(**TABLES), geriatric, as_of)
