"""The contract of every table: from it come the reference page, the validation and the made-up data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from casestrat.tables import contracts_care as care
from casestrat.tables import contracts_committee as committee
from casestrat.tables import contracts_people as people
from casestrat.tables import contracts_staff as staff
from casestrat.tables.columns import TEXT
from casestrat.tables.contract import Contract, contract_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandera.pandas as pa

    from casestrat.tables.vocabulary import Vocabulary

_MODELS: dict[str, type[pa.DataFrameModel]] = {
    "persons": people.Persons,
    "person_facts": people.PersonFacts,
    "enrollments": people.Enrollments,
    "referrals": people.Referrals,
    "assessments": people.Assessments,
    "responses": people.Responses,
    "measurements": people.Measurements,
    "diagnoses": people.Diagnoses,
    "events": people.Events,
    "episodes": care.Episodes,
    "case_managers": staff.CaseManagers,
    "licenses": staff.Licenses,
    "credentials": staff.Credentials,
    "absences": staff.Absences,
    "assignments": care.Assignments,
    "preferences": care.Preferences,
    "conflicts": care.Conflicts,
    "plans": care.Plans,
    "goals": care.Goals,
    "contacts": care.Contacts,
    "services": care.Services,
    "committee_meetings": committee.CommitteeMeetings,
    "decisions": committee.Decisions,
    "contestations": committee.Contestations,
}

CONTRACTS: dict[str, Contract] = {name: contract_of(name, model) for name, model in _MODELS.items()}
"""Name of a table → its contract, in the order in which tables are read and shown."""


def contracts_for(program: Vocabulary | None = None) -> dict[str, Contract]:
    """Return every contract with a program's codes and criteria inputs.

    Parameters
    ----------
    program : Vocabulary, optional
        The program; without it any well-formed code is allowed.

    Returns
    -------
    dict of str to Contract
        One contract a table.

    Examples
    --------
    >>> contracts_for()["persons"].key
    ('person_id',)
    """
    return {name: contract.with_program(program) for name, contract in CONTRACTS.items()}


def describe_tables(program: Vocabulary | None = None, contracts: Mapping[str, Contract] | None = None) -> pd.DataFrame:
    """List every column of every contract, for the reference page and for whoever maps a site's files.

    Parameters
    ----------
    program : Vocabulary, optional
        Adds the program's codes and criteria inputs.
    contracts : mapping of str to Contract, optional
        What to list; the tables where it is not given, or ``OUTPUTS``.

    Returns
    -------
    pandas.DataFrame
        One row per column: table, column, type, is_key, presence (key and needed: a row without it is set aside;
        expected: a warning where the column is absent; optional), codes (the constraint in words), unit, role, why
        (the reason of the role), description, references.

    Examples
    --------
    >>> columns = describe_tables()
    >>> columns.loc[(columns["table"] == "persons") & (columns["column"] == "sex"), "codes"].item()
    'one of: f, m, x, unknown'
    """
    chosen = contracts_for(program) if contracts is None else contracts
    rows = [
        {
            "table": contract.name,
            "column": column.name,
            "type": column.kind,
            "is_key": column.name in contract.key,
            "presence": column.presence,
            "codes": column.in_words(),
            "unit": column.unit,
            "role": column.role,
            "why": column.why,
            "description": column.description,
            "references": dict(contract.references).get(column.name, ""),
        }
        for contract in chosen.values()
        for column in contract.columns
    ]
    frame = pd.DataFrame(rows)
    words = [name for name in frame.columns if name != "is_key"]
    return frame.astype(dict.fromkeys(words, TEXT))
