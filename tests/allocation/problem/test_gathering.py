from dataclasses import replace

import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem, allocate, check_plan
from casestrat.knowledge import CapacityStep, Clearance, SkillNeed, load_program
from casestrat.tables import Tables

AS_OF = pd.Timestamp("2026-10-01")
KNOWN = pd.Timestamp("2026-09-01")


def rows(columns, *values, **more):
    return pd.DataFrame([dict(zip(columns.split(), row, strict=True)) for row in values]).assign(**more)


@pytest.fixture(scope="module")
def all_frames():
    """Six people: two followed, one without a lead, one of another program, two waiting."""
    persons = rows("person_id territory language", *[(f"P{i}", "T1", "fr") for i in range(1, 8)], birth_year=1940,
                   sex="f", jurisdiction="J1", interpreter_needed=False, recorded_at=KNOWN)  # fmt: skip
    referrals = rows("referral_id person_id", *[(f"R{i}", f"P{i}") for i in range(1, 8)], referred_on=KNOWN,
                     source="gp", is_professional=True, consent="yes", urgency=1, reasons="", is_complete=True,
                     recorded_at=KNOWN)  # fmt: skip
    episodes = rows(
        "episode_id person_id intensity program",
        ("E1", "P1", "standard", None), ("E2", "P2", None, "geriatric"), ("E3", "P3", "intensive", None),
        ("E4", "P4", "standard", "mental_health"), ("E5", "P5", "standard", None), ("E7", "P7", "watch", None),
        admitted_on=KNOWN, state="active", recorded_at=KNOWN,
    ).assign(closed_on=[pd.NaT] * 4 + [pd.Timestamp("2026-09-20"), pd.NaT])  # fmt: skip
    staff = rows(
        "cm_id profession minutes_per_week program",
        ("CM1", "social_worker", 2100, None), ("CM2", "social_worker", 1050, "geriatric"),
        ("CM3", "social_worker", 2100, "legal"),
        team="a", fte=1.0, languages="fr", skills="", territories="T1", starts_on=pd.Timestamp("2020-01-01"),
    )  # fmt: skip
    assignments = rows(
        "assignment_id episode_id person_id cm_id role",
        ("A1", "E1", "P1", "CM1", "lead"), ("A2", "E2", "P2", "CM2", "lead"), ("A2b", "E2", "P2", "CM1", "backup"),
        ("A4", "E4", "P4", "CM1", "lead"), ("A5", "E5", "P5", "CM2", "lead"), ("A7", "E7", "P7", "CM3", "lead"),
        from_on=KNOWN, recorded_at=KNOWN,
    )  # fmt: skip
    return {
        "persons": persons, "referrals": referrals, "episodes": episodes, "case_managers": staff,
        "assignments": assignments,
    }  # fmt: skip


@pytest.fixture
def frames(all_frames):
    return {name: frame.copy() for name, frame in all_frames.items()}


@pytest.fixture(scope="module")
def program():
    return load_program("geriatric")


@pytest.fixture(scope="module")
def agency(all_frames, program):
    return Tables.from_frames(all_frames, program)


@pytest.fixture
def ranked():
    return pd.DataFrame({
        "rank": [1, 2, 3, 4], "person_id": ["P5", "P6", "P1", "P7"], "referral_id": ["R5", "R6", "R1", "R7"],
        "tier": ["high", "low", "high", "low"], "is_proposed": [True, False, True, False],
        "in_tied_zone": [False, True, False, False],
    })  # fmt: skip


@pytest.fixture
def problem_of(ranked, all_frames, agency, exchanged, program):
    def make(frames, ranked=ranked):
        if set(frames) == set(all_frames):
            changed = {name: frame for name, frame in frames.items() if not frame.equals(all_frames[name])}
            tables = exchanged(agency, **changed)
        else:
            tables = Tables.from_frames(frames, program)
        return AllocationProblem.from_tables(tables, program, ranked, AS_OF)

    return make


def test_open_leads_are_fixed_and_proposals_come_after_open_cases(frames, problem_of):
    cases = problem_of(frames).cases.set_index("case_id")
    assert cases.index.tolist() == ["E1", "E2", "E3", "E7", "R5", "R6"]
    assert cases["is_fixed"].tolist() == [True, True, False, False, False, False]
    assert cases["kind"].tolist() == ["open"] * 4 + ["proposed"] * 2
    assert cases.loc["R5", "priority"] > cases.loc["R6", "priority"]
    assert cases.loc["E3", "priority"] > cases.loc["R5", "priority"] + cases.loc["R6", "priority"]


def test_minutes_come_from_the_intensity_or_the_tier(frames, problem_of):
    cases = problem_of(frames).cases.set_index("case_id")
    weights = {name: i.minutes_per_week for name, i in load_program("geriatric").intensities.items()}
    assert cases["minutes"].tolist() == [
        weights["standard"], weights["standard"], weights["intensive"], weights["watch"], weights["intensive"],
        weights["watch"],
    ]  # fmt: skip
    assert cases["tier"].tolist()[:4] == ["medium", None, "high", "low"] or pd.isna(cases["tier"].iloc[1])


def test_other_programs_use_up_minutes_and_their_staff_stays_away(frames, problem_of):
    problem = problem_of(frames)
    staff = problem.case_managers.set_index("cm_id")
    assert staff.index.tolist() == ["CM1", "CM2"]
    assert staff["capacity_minutes"].tolist() == [1575, 787]
    assert staff["cases_committed"].tolist() == [1, 0]
    assert staff.loc["CM1", "minutes_committed"] == load_program("geriatric").intensities["standard"].minutes_per_week


def test_the_plan_of_an_agency_is_sound(frames, problem_of):
    problem = problem_of(frames)
    plan = allocate(problem)
    assert check_plan(problem, plan).empty
    assert len(plan.assignments) == 6
    assert plan.assignments.set_index("case_id").loc["E1", "cm_id"] == "CM1"


def test_what_was_recorded_later_does_not_count(frames, problem_of):
    frames["episodes"].loc[frames["episodes"]["episode_id"] == "E3", "recorded_at"] = AS_OF
    assert "E3" not in problem_of(frames).cases["case_id"].tolist()


def test_who_has_died_needs_no_case_manager(frames, problem_of):
    frames["persons"]["died_on"] = pd.Series([pd.NaT, pd.NaT, pd.Timestamp("2026-08-20")] + [pd.NaT] * 4)
    assert "E3" not in problem_of(frames).cases["case_id"].tolist()


def test_a_lead_who_has_left_or_ended_is_no_lead(frames, problem_of):
    frames["case_managers"]["ends_on"] = pd.Series([pd.NaT, pd.Timestamp("2026-09-15"), pd.NaT])
    frames["assignments"]["to_on"] = pd.Series([pd.Timestamp("2026-09-20")] + [pd.NaT] * 5)
    cases = problem_of(frames).cases.set_index("case_id")
    assert not cases["is_fixed"].any()
    assert cases["cm_id"].isna().all()


@pytest.mark.parametrize("nobody", [None, "empty"])
def test_without_a_list_only_open_cases_are_placed(frames, problem_of, ranked, nobody):
    problem = problem_of(frames, None if nobody is None else ranked.head(0))
    assert problem.cases["case_id"].tolist() == ["E1", "E2", "E3", "E7"]


def test_a_list_without_a_cut_proposes_everyone_not_yet_followed(frames, problem_of, ranked):
    problem = problem_of(frames, ranked.drop(columns=["is_proposed", "in_tied_zone", "tier"]))
    proposed = problem.cases[problem.cases["kind"] == "proposed"]
    assert proposed["case_id"].tolist() == ["R5", "R6"]


def test_an_agency_without_episodes_or_staff_is_a_ledger(frames, problem_of):
    problem = problem_of({name: frames[name] for name in ("persons", "referrals")})
    plan = allocate(problem)
    assert plan.unassigned["rule"].tolist() == ["no_case_managers"] * len(plan.unassigned)
    assert plan.unassigned["case_id"].tolist() == ["R1", "R5", "R6"]


def test_experience_and_ramp_up_come_from_the_days_in_post(frames):
    program = load_program("geriatric")
    rules = replace(program.allocation, ramp_up=(CapacityStep(3, 0.5),), by_experience=(CapacityStep(12, 0.8),))
    staff = frames["case_managers"].assign(
        starts_on=pd.to_datetime(["2026-08-15", "2026-08-15", "2020-01-01"]), experience_months=[None, 24, None]
    )
    tables = Tables.from_frames(frames | {"case_managers": staff}, program)
    problem = AllocationProblem.from_tables(tables, replace(program, allocation=rules), None, AS_OF)
    assert problem.case_managers["experience_months"].tolist() == [1, 25]
    assert problem.case_managers["capacity_minutes"].tolist() == [int(1575 * 0.4), int(787.5 * 0.5)]


def test_skills_are_asked_for_by_the_program_s_rules(frames):
    program = load_program("geriatric")
    needs = (
        SkillNeed("dementia", "neurodegenerative"),
        SkillNeed("law", "protection == 'guardianship' or tier == 'high'"),
    )
    rules = replace(program.allocation, skills=("home",), skills_when=needs)
    persons = frames["persons"].assign(neurodegenerative=[True, False, None, False, None, None, None])
    facts = rows("person_id fact value valid_from valid_to", ("P2", "protection", "guardianship", KNOWN, None),
                 ("P7", "protection", "guardianship", pd.Timestamp("2020-01-01"), pd.Timestamp("2021-01-01")),
                 recorded_at=KNOWN)  # fmt: skip
    tables = Tables.from_frames(frames | {"persons": persons, "person_facts": facts}, program)
    problem = AllocationProblem.from_tables(tables, replace(program, allocation=rules), None, AS_OF)
    skills = problem.cases.set_index("person_id")["skills"]
    assert skills["P1"] == "home;dementia"
    assert skills["P2"] == "home;law"
    assert skills["P3"] == "home;law"  # an intensive case counts as of the high tier
    assert skills["P7"] == "home"


def test_a_known_move_asks_for_both_jurisdictions(frames):
    program = replace(load_program("geriatric"), facts=("jurisdiction",))
    move = rows("person_id fact value valid_from", ("P1", "jurisdiction", "J0", pd.Timestamp("2020-01-01")),
                ("P1", "jurisdiction", "J1", pd.Timestamp("2025-01-01")),
                ("P1", "jurisdiction", "J2", pd.Timestamp("2026-11-01")),
                ("P2", "jurisdiction", "J2", pd.Timestamp("2027-11-01")), recorded_at=KNOWN)  # fmt: skip
    tables = Tables.from_frames(frames | {"person_facts": move}, program)
    lived = AllocationProblem.from_tables(tables, program, None, AS_OF).cases.set_index("person_id")["jurisdiction"]
    assert (lived["P1"], lived["P2"]) == ("J1;J2", "J1")


@pytest.fixture
def cases_of(agency, exchanged, program):
    """Return the cases of people P1 to P7, by person, with some frames and some of the program's rules changed."""

    def make(frames, **rules):
        changed = replace(program, allocation=replace(program.allocation, **rules))
        problem = AllocationProblem.from_tables(exchanged(agency, **frames), changed, None, AS_OF)
        return problem.cases.set_index("person_id")

    return make


def test_payers_are_those_known_to_cover_some_day_of_the_follow_up(cases_of):
    covers = rows(
        "person_id from_on to_on payer recorded_at",
        ("P1", "2026-01-01", None, "Plan A", KNOWN),
        ("P2", "2026-01-01", "2026-10-31", "Plan A", KNOWN), ("P2", "2026-11-01", None, "Plan B", KNOWN),
        ("P3", "2026-01-01", "2026-09-30", "Plan A", KNOWN), ("P3", "2026-12-30", None, "Plan B", KNOWN),
        ("P7", "2026-01-01", None, None, KNOWN), ("P7", "2026-02-01", None, "Plan B", AS_OF),
    )  # fmt: skip
    covers = covers.assign(**{name: pd.to_datetime(covers[name]) for name in ("from_on", "to_on")})
    payers = cases_of({"enrollments": covers}, payer_contracts={"Plan A": "a"})["payer"]
    assert payers["P1"] == "Plan A"
    assert payers["P2"] == "Plan A;Plan B"
    assert payers[["P3", "P7"]].isna().all()  # before and after the follow-up; not known by the date
    assert cases_of({}, payer_contracts={"Plan A": "a"})["payer"].isna().all()  # no table
    assert cases_of({"enrollments": covers})["payer"].isna().all()  # no rule


def test_clearances_are_asked_for_unless_records_are_known_to_be_open_or_the_program_says_otherwise(cases_of):
    facts = rows("person_id fact value", ("P1", "part2", "yes"), ("P2", "part2", "no"), ("P3", "part2", "unknown"),
                 valid_from=KNOWN, recorded_at=KNOWN)  # fmt: skip
    asked = cases_of({"person_facts": facts}, confidential=(Clearance("part2", "part2"),))["clearances"]
    assert asked["P1"] == asked["P3"] == asked["P7"] == "part2"
    assert pd.isna(asked["P2"])
    more = (Clearance("part2", "part2", "not_asked"), Clearance("vip|all", "territory == 'T1'"))
    asked = cases_of({"person_facts": facts}, confidential=more)["clearances"]
    assert asked[["P1", "P2", "P3"]].tolist() == ["part2;vip|all", "vip|all", "vip|all"]


def test_guardians_languages_are_facts_of_the_day_where_they_count(cases_of):
    facts = rows(
        "person_id fact value valid_from",
        ("P1", "guardian_language", "ar", "2020-01-01"), ("P1", "guardian_language", "pt", "2026-09-01"),
        ("P1", "guardian_interpreter_needed", "yes", "2020-01-01"), ("P2", "guardian_language", "it", "2026-11-01"),
        ("P3", "guardian_language", "unknown", "2020-01-01"), ("P3", "guardian_interpreter_needed", "no", "2020-01-01"),
        recorded_at=KNOWN,
    ).assign(valid_from=lambda one: pd.to_datetime(one["valid_from"]))  # fmt: skip
    cases = cases_of({"person_facts": facts}, guardian_language="beside")
    assert cases.loc["P1", "guardian_language"] == "pt"
    assert pd.isna(cases.loc["P2", "guardian_language"])
    assert cases["guardian_interpreter_needed"][["P1", "P3"]].tolist() == [True, False]
    assert pd.isna(cases.loc["P2", "guardian_interpreter_needed"])
    ignored = cases_of({"person_facts": facts})
    assert ignored[["guardian_language", "guardian_interpreter_needed"]].isna().all(axis=None)
