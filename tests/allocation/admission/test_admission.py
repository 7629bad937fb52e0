from dataclasses import replace

import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem, allocate
from casestrat.allocation.admission.admission import admissible_now, judge_admission
from casestrat.knowledge import load_program
from casestrat.tables import Tables

AS_OF = pd.Timestamp("2026-10-01")
KNOWN = pd.Timestamp("2026-09-01")


@pytest.fixture(scope="module")
def program():
    shipped = load_program("geriatric")
    rules = replace(shipped.allocation, professions=("nurse",), licensed_professions=("nurse",), territory="required")
    return replace(shipped, allocation=rules)


@pytest.fixture(scope="module")
def tables(program):
    """One nurse with little time in the north, one in the south; six people wait, one of them speaks Italian."""
    people = pd.DataFrame({"person_id": [f"P{i}" for i in range(1, 7)], "recorded_at": KNOWN})
    persons = people.assign(
        birth_year=1940, sex="f", territory=["north"] * 4 + ["south", "west"], jurisdiction="FR",
        language=["fr", "fr", "it", "fr", "fr", "fr"], interpreter_needed=False,
    )  # fmt: skip
    referrals = people.assign(
        referral_id=[f"R{i}" for i in range(1, 7)], referred_on=KNOWN, source="gp", is_professional=True, consent="yes",
        urgency=1, reasons="", is_complete=True,
    )  # fmt: skip
    staff = pd.DataFrame({
        "cm_id": ["N", "S"], "team": ["north", "south"], "profession": "nurse", "fte": 1.0,
        "minutes_per_week": [80, 400], "languages": "fr", "skills": "", "territories": ["north", "south"],
        "starts_on": pd.Timestamp("2020-01-01"),
    })  # fmt: skip
    licenses = pd.DataFrame({
        "cm_id": ["N", "S"], "profession": "nurse", "jurisdiction": "FR", "valid_from": pd.Timestamp("2020-01-01"),
    })  # fmt: skip
    return Tables.from_frames(
        {"persons": persons, "referrals": referrals, "case_managers": staff, "licenses": licenses}, program
    )


@pytest.fixture(scope="module")
def ranked():
    return pd.DataFrame({
        "rank": range(1, 7), "person_id": [f"P{i}" for i in range(1, 7)],
        "referral_id": [f"R{i}" for i in range(1, 7)], "tier": ["high", "high", "high", "low", "high", "low"],
        "territory": ["north"] * 4 + ["south", "west"], "is_proposed": [True, True, True, False, False, False],
        "in_tied_zone": False,
    })  # fmt: skip


@pytest.fixture(scope="module")
def judged(tables, program, ranked):
    return judge_admission(tables, program, ranked, AS_OF)


@pytest.fixture(scope="module")
def told(judged):
    return judged.in_language("en").set_index("person_id", drop=False)


def test_everyone_on_the_list_is_answered_once_and_in_its_order(told, ranked):
    assert told["referral_id"].tolist() == ranked["referral_id"].tolist()
    assert told["is_proposed"].tolist() == ranked["is_proposed"].tolist()
    assert told["admissible_now"].notna().all()
    assert (told["admissible_now"] == told["cm_id"].notna()).all()
    assert (told["admissible_now"] == told["blocked_by"].isna()).all()
    assert (told["admissible_now"] == (told["reason"] == "")).all()


def test_within_the_places_the_plan_answers_and_beyond_each_is_asked_about_alone(told, tables, program, ranked):
    plan = allocate(AllocationProblem.from_tables(tables, program, ranked, AS_OF))
    placed = dict(zip(plan.assignments["person_id"], plan.assignments["cm_id"], strict=True))
    assert told.loc[["P1", "P2", "P3"], "admissible_now"].tolist() == [p in placed for p in ("P1", "P2", "P3")]
    assert told.loc["P1", "cm_id"] == placed["P1"] == "N"
    assert told.loc["P5", "cm_id"] == "S"  # beyond the places, and there is room in the south
    assert not told.loc["P4", "admissible_now"]  # the north has none left
    assert not told.loc["P6", "admissible_now"]


def test_what_a_person_is_blocked_for_want_of_is_told_in_words(told):
    assert told.loc["P2", "blocked_by"] == "capacity"
    assert told.loc["P2", "reason"] == ("blocked for want of a nurse who serves north, has 54 minutes a week free")
    assert told.loc["P3", "blocked_by"] == "language"
    assert told.loc["P3", "reason"] == "blocked for want of a nurse who speaks Italian"
    assert told.loc["P6", "reason"] == "blocked for want of a nurse who serves west"
    assert told.loc["P6", "relaxation"] == "let another territory’s team follow: opens 2 case managers"


@pytest.mark.parametrize(
    ("lang", "words"), [("fr", "infirmier qui parle italien"), ("it", "infermiere che parli italiano")]
)
def test_reasons_are_told_in_the_reader_s_language(judged, lang, words):
    assert judged.in_language(lang).set_index("person_id").loc["P3", "reason"].endswith(words)


def test_a_plan_that_was_made_already_gives_the_same_answers(judged, tables, program, ranked):
    plan = allocate(AllocationProblem.from_tables(tables, program, ranked, AS_OF))
    same = admissible_now(tables, program, ranked, AS_OF, plan, lang="fr")
    pd.testing.assert_frame_equal(same, judged.in_language("fr"))


def test_handing_one_person_on_makes_room_for_another(tables, program, ranked):
    rules = replace(program, allocation=replace(program.allocation, territory="required"))
    staff = tables.case_managers.assign(territories=["north", "north;south"], minutes_per_week=[80, 60])
    wider = Tables.from_frames(
        {name: getattr(tables, name) for name in ("persons", "referrals", "licenses")} | {"case_managers": staff}, rules
    )
    told = admissible_now(wider, rules, ranked, AS_OF).set_index("person_id")
    assert told.loc["P1", "admissible_now"]
    assert told.loc["P4", "admissible_now"]  # 18 minutes, where one or the other has them


def test_an_empty_list_has_no_answers(tables, program, ranked):
    told = admissible_now(tables, program, ranked.head(0), AS_OF)
    assert told.empty
    assert told["admissible_now"].dtype == "boolean"


def test_without_case_managers_everyone_is_blocked(tables, program, ranked):
    alone = Tables.from_frames({name: getattr(tables, name) for name in ("persons", "referrals")}, program)
    told = admissible_now(alone, program, ranked, AS_OF)
    assert not told["admissible_now"].any()
    assert set(told["reason"]) == {"there are no case managers"}
    assert set(told["blocked_by"]) == {"no_case_managers"}
