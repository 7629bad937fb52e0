"""Tests of licences, certificates, payers' contracts and clearances: each valid on every day of the follow-up."""

import pandas as pd
import pytest


def licence(cm_id, jurisdiction, valid_to="2030-01-01", valid_from="2020-01-01", compact=None, profession="nurse"):
    return {"cm_id": cm_id, "profession": profession, "jurisdiction": jurisdiction, "compact": compact,
                "valid_from": pd.Timestamp(valid_from), "valid_to": pd.Timestamp(valid_to)}  # fmt: skip


@pytest.mark.parametrize(
    ("licenses", "expected"),
    [
        ([licence("CM0", "J1")], [[True], [False], [False]]),
        ([licence("CM0", "J1", valid_to="2026-12-28")], [[False], [False], [False]]),
        ([licence("CM0", "J1", valid_to="2026-12-29")], [[True], [False], [False]]),
        ([licence("CM0", "J1", valid_from="2026-10-02")], [[False], [False], [False]]),
        ([licence("CM0", "J1", valid_to="2026-11-15"), licence("CM0", "J1", valid_from="2026-11-16")],
         [[True], [False], [False]]),
        ([licence("CM0", "J1", valid_to="2026-11-15"), licence("CM0", "J1", valid_from="2026-11-17")],
         [[False], [False], [False]]),
        ([licence("CM0", "J1", profession="lawyer")], [[False], [False], [False]]),
        ([licence("CM0", "J1", compact="NLC"), licence("CM9", "J2", compact="NLC")], [[True], [True], [False]]),
        ([licence("CM0", "J1", compact="NLC"), licence("CM9", "J2")], [[True], [False], [False]]),
        ([], [[False], [False], [False]]),
    ],
)  # fmt: skip
def test_a_licensed_profession_needs_the_jurisdiction_on_every_day(verdict, licenses, expected):
    frame = pd.DataFrame(licenses) if licenses else None
    cases, managers = {"jurisdiction": ["J1", "J2", None]}, {"profession": ["nurse"]}
    found = verdict("licence", cases, managers, {"licensed_professions": ("nurse",)}, licenses=frame)
    assert found == expected


def test_a_profession_that_needs_no_licence_is_not_asked_for_one(verdict):
    rule = {"licensed_professions": ("nurse",)}
    assert verdict("licence", {"jurisdiction": ["J1"]}, {"profession": ["social_worker", None]}, rule) == [[True, True]]


def test_a_person_of_several_jurisdictions_needs_them_all(verdict):
    frame = pd.DataFrame([licence("CM0", "J1"), licence("CM0", "J2"), licence("CM1", "J1")])
    cases, managers = {"jurisdiction": ["J1;J2", "J1", ";"]}, {"profession": ["nurse", "nurse"]}
    found = verdict("licence", cases, managers, {"licensed_professions": ("nurse",)}, licenses=frame)
    assert found == [[True, False], [True, True], [False, False]]


def test_one_of_several_certificates_can_be_enough(verdict):
    held = pd.DataFrame({
        "cm_id": ["CM0", "CM1", "CM2", "CM2"], "credential": ["A", "B", "A", "B"],
        "valid_from": pd.to_datetime(["2020-01-01", "2020-01-01", "2020-01-01", "2026-11-01"]),
        "valid_to": pd.to_datetime([None, None, "2026-10-31", None]),
    })  # fmt: skip
    found = verdict("credentials", {"person_id": ["P"]}, {"team": ["a", "b", "c", "d"]}, {"credentials": ("A|B",)},
                    credentials=held)  # fmt: skip
    assert found == [[True, True, False, False]]  # each certificate by itself, on every day


def test_every_certificate_is_needed_on_every_day(verdict):
    held = pd.DataFrame({
        "cm_id": ["CM0", "CM0", "CM1", "CM2", "CM2"], "credential": ["DIU", "CCM", "DIU", "DIU", "CCM"],
        "valid_from": pd.Timestamp("2020-01-01"), "valid_to": pd.to_datetime([None, None, None, None, "2026-10-15"]),
    })  # fmt: skip
    found = verdict("credentials", {"person_id": ["P"]}, {"team": ["a", "b", "c"]}, {"credentials": ("DIU", "CCM")},
                    credentials=held)  # fmt: skip
    assert found == [[True, False, False]]


def certificate(cm_id, name, valid_to=None, valid_from="2020-01-01"):
    return {
        "cm_id": cm_id, "credential": name, "valid_from": pd.Timestamp(valid_from), "valid_to": pd.Timestamp(valid_to),
    }  # fmt: skip


CONTRACTS = {"payer_contracts": {"Plan A": "contract_a", "Plan B": "contract_b|contract_all", "State": ""}}
NOBODY, EVERYONE = [False] * 4, [True] * 4


@pytest.fixture
def contracted(verdict):
    """Return who may follow members of payers: four case managers, of whom the last has a contract that ends."""
    held = pd.DataFrame([
        certificate("CM0", "contract_a"), certificate("CM1", "contract_all"), certificate("CM2", "contract_a"),
        certificate("CM2", "contract_b"), certificate("CM3", "contract_a", "2026-12-28"),
    ])  # fmt: skip

    def judge(*payers, rules=CONTRACTS):
        return verdict("payer", {"payer": list(payers)}, {"team": list("abcd")}, rules, credentials=held)

    return judge


def test_a_member_of_a_payer_needs_a_contract_with_it_on_every_day(contracted):
    assert contracted("Plan A", "Plan B") == [[True, False, True, False], [False, True, True, False]]


def test_a_member_of_several_payers_needs_a_contract_with_each(contracted):
    assert contracted("Plan A;Plan B", "State;Plan A") == [[False, False, True, False], [True, False, True, False]]


def test_a_payer_not_known_asks_for_none_and_one_without_contracts_can_be_followed_by_nobody(contracted):
    assert contracted(None, "unknown", "State") == [EVERYONE] * 3
    assert contracted("Plan Z", "Plan A;Plan Z") == [NOBODY] * 2
    assert contracted("Plan Z", "Plan A", rules={}) == [EVERYONE] * 2


def test_confidential_records_are_for_those_who_are_cleared_on_every_day(verdict):
    held = pd.DataFrame([
        certificate("CM0", "part2", "2026-11-15"), certificate("CM0", "part2", None, "2026-11-16"),
        certificate("CM1", "part2", None, "2026-10-02"), certificate("CM2", "part2"), certificate("CM2", "hiv_ny"),
        certificate("CM3", "hiv"),
    ])  # fmt: skip
    cases = {"clearances": ["part2", "part2;hiv|hiv_ny", "hiv|hiv_ny", None]}
    assert verdict("confidentiality", cases, {"team": list("abcd")}, credentials=held) == [
        [True, False, True, False], [False, False, True, False], [False, False, True, True], EVERYONE,
    ]  # fmt: skip
    assert verdict("confidentiality", cases, {"team": list("abcd")})[:3] == [NOBODY] * 3
