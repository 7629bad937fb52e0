from dataclasses import replace

import pandas as pd
import pytest

from casestrat.allocation.problem.expiring import expiring_licenses
from casestrat.errors import UsageError
from casestrat.knowledge import Clearance, load_program
from casestrat.tables import Tables

AS_OF = pd.Timestamp("2026-10-01")
KNOWN = pd.Timestamp("2026-01-01")
START = pd.Timestamp("2020-01-01")


@pytest.fixture(scope="module")
def program():
    shipped = load_program("geriatric")
    return replace(
        shipped, allocation=replace(shipped.allocation, licensed_professions=("nurse",), credentials=("CCM",))
    )


@pytest.fixture(scope="module")
def agency(program):
    """Three nurses and a social worker who lead four people."""
    people = pd.DataFrame({"person_id": [f"P{i}" for i in range(1, 5)], "recorded_at": KNOWN})
    persons = people.assign(birth_year=1940, sex="f", territory="T", jurisdiction=["FR", "FR", "IT", "FR"],
                            language="fr", interpreter_needed=False)  # fmt: skip
    referrals = people.assign(referral_id=[f"R{i}" for i in range(1, 5)], referred_on=KNOWN)
    episodes = people.assign(episode_id=[f"E{i}" for i in range(1, 5)], admitted_on=KNOWN, intensity="watch",
                             state="active")  # fmt: skip
    assignments = people.assign(assignment_id=[f"A{i}" for i in range(1, 5)], role="lead", from_on=KNOWN,
                                episode_id=[f"E{i}" for i in range(1, 5)],
                                cm_id=["N1", "N1", "N1", "S"])  # fmt: skip
    staff = pd.DataFrame({
        "cm_id": ["N1", "N2", "S"], "team": "a", "profession": ["nurse", "nurse", "social_worker"], "fte": 1.0,
        "minutes_per_week": 2100, "languages": "fr", "skills": "", "territories": "T", "starts_on": START,
    })  # fmt: skip
    held = pd.DataFrame({"cm_id": ["N1"], "credential": "CCM", "valid_from": START})
    right = pd.DataFrame({"cm_id": "N1", "jurisdiction": ["FR", "IT"], "valid_from": START})
    return Tables.from_frames({
        "persons": persons, "referrals": referrals, "episodes": episodes, "assignments": assignments,
        "case_managers": staff, "credentials": held, "licenses": right.assign(profession="nurse"),
    }, program)  # fmt: skip


@pytest.fixture
def report(program, agency, exchanged):
    """Return the report on the agency, with licences of one's own."""

    def make(licenses, credentials=(), within_days=90, **staff_changes):
        rights = pd.DataFrame(licenses, columns=["cm_id", "jurisdiction", "valid_from", "valid_to"])
        held = pd.DataFrame(credentials or [(one, None) for one in ("N1", "N2", "S")], columns=["cm_id", "valid_to"])
        tables = exchanged(
            agency, licenses=rights, credentials=held.assign(valid_from=START),
            case_managers=agency.case_managers.assign(**staff_changes),
        )  # fmt: skip
        return expiring_licenses(tables, program, AS_OF, within_days)

    return make


def day(text):
    return pd.Timestamp(text)


NOBODY_ELSE = {"profession": ["nurse", "nurse", "nurse"]}


def test_who_depends_on_a_licence_is_counted_and_who_is_left_without_anybody(report):
    told = report([("N1", "FR", START, day("2026-11-01")), ("N1", "IT", START, None)], **NOBODY_ELSE)
    assert told[["cm_id", "kind", "jurisdiction", "days_left", "n_cases", "n_stranded"]].to_numpy().tolist() == [
        ["N1", "licence", "FR", 31, 2, 2]
    ]
    told = report([
        ("N1", "FR", START, day("2026-11-01")), ("N1", "IT", START, None), ("N2", "FR", START, None),
    ], **NOBODY_ELSE)  # fmt: skip
    assert told["n_stranded"].tolist() == [0]


def test_a_renewal_on_record_takes_a_licence_off_the_list(report):
    told = report([("N1", "FR", START, day("2026-11-01")), ("N1", "FR", day("2026-11-02"), None),
                   ("N1", "IT", START, None)])  # fmt: skip
    assert told.empty
    told = report([("N1", "FR", START, day("2026-11-01")), ("N1", "FR", day("2026-11-09"), None),
                   ("N1", "IT", START, None)])  # fmt: skip
    assert told["valid_to"].tolist() == [day("2026-11-01")]  # a week is not covered


def test_only_the_days_ahead_are_looked_at(report):
    licenses = [("N1", "FR", START, day("2026-12-30")), ("N1", "IT", START, day("2026-12-31"))]
    assert report(licenses)["jurisdiction"].tolist() == ["FR"]
    assert report(licenses, within_days=91)["jurisdiction"].tolist() == ["FR", "IT"]
    assert report(licenses, within_days=0).empty


def test_an_ended_licence_is_told_while_cases_depend_on_it(report):
    told = report([("N1", "FR", START, day("2026-09-01")), ("N2", "IT", START, day("2026-09-01"))], within_days=0)
    assert told[["cm_id", "days_left", "n_cases"]].to_numpy().tolist() == [["N1", -30, 2]]


def test_a_social_worker_can_take_over_without_a_licence(report):
    told = report([("N1", "FR", START, day("2026-11-01")), ("N1", "IT", START, None)])
    assert told[["n_cases", "n_stranded"]].to_numpy().tolist() == [[2, 0]]


def test_certificates_of_the_program_are_told_with_all_cases(report):
    licenses = [("N1", "FR", START, None), ("N1", "IT", START, None)]
    told = report(licenses, [("N1", day("2026-10-15")), ("N2", None), ("S", None)])
    assert told[["kind", "name", "n_cases", "n_stranded"]].to_numpy().tolist() == [["credential", "CCM", 3, 0]]


def test_contracts_and_clearances_are_told_with_the_cases_that_ask_for_them(program, agency, exchanged):
    rules = replace(
        program.allocation, credentials=(), licensed_professions=(), payer_contracts={"A": "contract"},
        confidential=(Clearance("part2", "jurisdiction == 'IT'"),),
    )  # fmt: skip
    ends = [("N1", "contract"), ("N1", "part2"), ("N1", "CCM"), ("S", "contract")]
    held = pd.DataFrame(ends, columns=["cm_id", "credential"]).assign(valid_to=day("2026-10-15"), valid_from=START)
    covers = pd.DataFrame({"person_id": ["P1", "P3"], "from_on": START, "payer": "A", "recorded_at": KNOWN})
    told = expiring_licenses(
        exchanged(agency, credentials=held, enrollments=covers), replace(program, allocation=rules), AS_OF
    )
    assert told[["cm_id", "name", "n_cases", "n_stranded"]].to_numpy().tolist() == [
        ["N1", "contract", 2, 2], ["N1", "part2", 1, 1], ["S", "contract", 0, 0],
    ]  # fmt: skip


def test_a_negative_number_of_days_is_refused(report):
    with pytest.raises(UsageError, match="within_days"):
        report([], within_days=-1)
