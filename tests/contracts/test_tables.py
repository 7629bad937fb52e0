"""Every table and output keeps its contract, found by discovery."""

from __future__ import annotations

import re

import pandas as pd
import pandera.pandas as pa
import pytest

from casestrat import tables
from casestrat.knowledge import list_programs, load_program
from casestrat.tables import CONTRACTS, OUTPUTS, TEXT, Tables, describe_tables
from casestrat.tables.contracts import contracts_for
from casestrat.tables.identifiers import looks_like_identifier

TABLES = [
    "persons", "person_facts", "enrollments", "referrals", "assessments", "responses", "measurements", "diagnoses",
    "events", "episodes", "case_managers", "licenses", "credentials", "absences", "assignments", "preferences",
    "conflicts", "plans", "goals", "contacts", "services", "committee_meetings", "decisions", "contestations",
]  # fmt: skip
EVERY = {**CONTRACTS, **{f"output {name}": contract for name, contract in OUTPUTS.items()}}


def test_the_tables_are_those_of_the_design_and_each_is_an_attribute():
    assert list(CONTRACTS) == TABLES
    assert set(TABLES) <= set(Tables.__dataclass_fields__)


def test_persons_and_referrals_alone_are_required():
    assert [name for name, contract in CONTRACTS.items() if contract.is_required] == ["persons", "referrals"]


def test_the_outputs_are_those_of_a_nightly_run_and_of_a_reallocation():
    assert set(OUTPUTS) == {
        "waiting_list", "assess_first", "risk", "reasons", "criteria", "allocation", "unassigned", "workload",
        "caseload", "set_aside", "difference", "shadow", "moves", "frontier", "cover", "handover", "step_down",
        "admissible", "hiring", "binding", "expiring",
    }  # fmt: skip


@pytest.mark.parametrize("name", EVERY)
class TestEachContract:
    def test_says_what_a_row_is_and_what_the_table_adds(self, name):
        contract = EVERY[name]
        assert contract.description.endswith(".")
        assert contract.adds
        assert not contract.adds.endswith(".")

    def test_has_its_key_first_and_no_column_twice(self, name):
        contract = EVERY[name]
        assert set(contract.key) <= set(contract.names)
        assert len(set(contract.names)) == len(contract.names)

    def test_describes_each_column_in_one_sentence_with_role_and_constraint_in_words(self, name):
        for column in EVERY[name].columns:
            assert re.fullmatch(r"[A-Z].*\.?", column.description), column.name
            assert column.role in ("feature", "audit", "both", "neither")
            assert column.in_words(), column.name
            assert column.why or column.role in ("feature", "both"), f"{column.name} has no reason for its role"
            assert column.unit or column.kind not in ("whole", "number"), f"{column.name} has no unit"

    def test_accepts_an_empty_frame_by_its_pandera_model_and_by_its_schema(self, name):
        contract = EVERY[name]
        empty = contract.empty()
        contract.model.validate(empty)
        contract.schema().validate(empty)
        assert "object" not in empty.dtypes.astype(str).tolist()

    def test_declares_its_columns_in_the_pandera_model_with_their_metadata(self, name):
        contract = EVERY[name]
        fields = contract.model.to_schema().columns
        assert set(fields) == set(contract.names)
        for column in contract.columns:
            assert fields[column.name].description == column.description
            assert fields[column.name].metadata["role"] == column.role
            assert fields[column.name].nullable is not column.is_filled

    def test_has_no_column_that_looks_like_a_direct_identifier(self, name):
        assert not [column for column in EVERY[name].names if looks_like_identifier(column)]

    def test_points_to_tables_and_columns_that_are_there(self, name):
        contract = EVERY[name]
        for column, target in contract.references:
            assert column in contract.by_name
            assert target in CONTRACTS
        for start, end in contract.spans:
            assert {start, end} <= set(contract.names)
        assert contract.observed is None or contract.observed in contract.by_name


@pytest.mark.parametrize("name", TABLES)
def test_a_table_about_people_says_whom_and_when_it_was_known(name):
    contract = CONTRACTS[name]
    is_about = "person_id" in contract.by_name
    assert contract.is_about_people is is_about
    assert ("is_void" in contract.by_name) is is_about


def test_a_column_that_audits_alone_says_so():
    roles = describe_tables().set_index(["table", "column"])["role"]
    for column in ("sex", "territory", "language", "interpreter_needed"):
        assert roles["persons", column] == "audit"


@pytest.mark.parametrize("name", list_programs()["name"].tolist() if "name" in list_programs() else ["geriatric"])
def test_every_shipped_program_is_a_vocabulary(name):
    program = load_program(name)
    contracts = contracts_for(program)
    assert set(program.referral.criteria_inputs) <= set(contracts["referrals"].names)
    if program.event_kinds:
        assert contracts["events"].by_name["kind"].codes == tuple(program.event_kinds)
    assert contracts["referrals"].schema().validate(contracts["referrals"].empty()).empty


def test_the_description_has_one_row_a_column_in_our_text_type():
    described = describe_tables()
    assert len(described) == sum(len(contract.columns) for contract in CONTRACTS.values())
    assert set(described.dtypes.astype(str)) == {str(TEXT), "bool"}
    assert len(describe_tables(contracts=OUTPUTS)) == sum(len(contract.columns) for contract in OUTPUTS.values())


def test_constraints_say_themselves_in_words():
    words = describe_tables().set_index(["table", "column"])["codes"]
    assert words["persons", "sex"] == "one of: f, m, x, unknown"
    assert words["contacts", "minutes"] == "0–600 minutes"
    assert words["persons", "died_on"] == "1900-01-01–2100-12-31"
    assert words["persons", "person_id"] == "1 to 64 letters, digits or . _ : / -"


def test_pandera_itself_refuses_what_the_contract_refuses():
    columns = CONTRACTS["persons"].columns
    frame = pd.DataFrame({column.name: pd.Series([None], dtype=column.dtype) for column in columns})
    with pytest.raises(pa.errors.SchemaErrors):
        CONTRACTS["persons"].model.validate(frame, lazy=True)


def test_the_room_shows_its_public_names():
    assert set(tables.__all__) >= {
        "Tables", "Extract", "read_tables", "write_tables", "describe_tables", "draft_site", "CONTRACTS", "OUTPUTS",
        "TEXT", "Vocabulary", "fingerprint_of", "fingerprint_of_frame",
    }  # fmt: skip
    assert all(hasattr(tables, name) for name in tables.__all__)
