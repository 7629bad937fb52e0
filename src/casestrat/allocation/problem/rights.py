"""Rules about what the law and contracts allow: licences, certificates, payers' contracts, confidential records.

A right counts where it is valid on every day of the planned follow-up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from casestrat.allocation.problem.listed_text import EITHER, UNKNOWN, tokens
from casestrat.allocation.problem.periods import covers_every_day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from casestrat.allocation.problem.eligibility import Question

    Flags: TypeAlias = NDArray[np.bool_]


def judge_licence(question: Question) -> Flags:
    """Ask for a licensed profession, valid in each of the person's jurisdictions on every day of the follow-up."""
    rules, staff = question.problem.rules, question.case_managers
    needs = staff["profession"].isin(rules.licensed_professions).to_numpy(dtype=bool)
    allowed = question.everyone
    if needs.any():
        covered = _licensed_jurisdictions(question)
        codes, values = pd.factorize(question.classes["jurisdiction"])
        asked = [frozenset(tokens(value)) for value in values]
        rows = [
            [not needs[j] or (bool(all_of) and all_of <= covered[j]) for j in range(len(staff))] for all_of in asked
        ]
        table = np.array([*rows, (~needs).tolist()], dtype=bool)  # a jurisdiction not known proves no licence
        allowed &= table[codes]
    return allowed


def _licensed_jurisdictions(question: Question) -> list[set[str]]:
    """For each case manager, the jurisdictions in which the own profession is licensed on every day."""
    staff, licenses = question.case_managers, question.problem.licenses
    members = _compact_members(licenses)
    profession = dict(zip(staff["cm_id"], staff["profession"], strict=True))
    own = licenses[licenses["cm_id"].map(profession) == licenses["profession"]]
    spans: dict[tuple[str, str], list[tuple[pd.Timestamp, pd.Timestamp]]] = {}
    row: Any
    for row in own.itertuples(index=False):
        for place in {row.jurisdiction} | {p for name in tokens(row.compact) for p in members[row.profession, name]}:
            if isinstance(place, str):
                spans.setdefault((row.cm_id, place), []).append((row.valid_from, row.valid_to))
    covered: list[set[str]] = [set() for _ in range(len(staff))]
    row_of = {cm_id: row for row, cm_id in enumerate(staff["cm_id"])}
    for (cm_id, place), periods in spans.items():
        if covers_every_day(periods, question.problem.first_day, question.last_day):
            covered[row_of[cm_id]].add(place)
    return covered


def _compact_members(licenses: pd.DataFrame) -> dict[tuple[str, str], set[str]]:
    """Jurisdictions of each profession's compact: those that issue its licences, as the table of licences shows."""
    members: dict[tuple[str, str], set[str]] = {}
    row: Any
    for row in licenses.itertuples(index=False):
        for name in tokens(row.compact):
            places = members.setdefault((row.profession, name), set())
            if isinstance(row.jurisdiction, str):
                places.add(row.jurisdiction)
    return members


def judge_credentials(question: Question) -> Flags:
    """Ask for every certificate that the program asks for, valid on every day of the planned follow-up."""
    allowed = question.everyone
    for names in question.problem.rules.credentials:
        allowed &= holders(question, names)[None, :]
    return allowed


def judge_payer(question: Question) -> Flags:
    """Ask for a contract with each of the person's payers, valid on every day; a payer not known asks for none."""
    contracts, allowed = question.problem.rules.payer_contracts, question.everyone
    if contracts:
        payers = [[name for name in tokens(text) if name != UNKNOWN] for text in question.classes["payer"]]
        told = [[contracts.get(name) for name in own] for own in payers]
        allowed &= _hold_all(question, [[names for names in own if names] for own in told])
        allowed[[row for row, own in enumerate(told) if None in own]] = False  # there is no contract to hold
    return allowed


def judge_confidentiality(question: Question) -> Flags:
    """Ask for every clearance that the person's records ask for, valid on every day of the planned follow-up."""
    return _hold_all(question, [list(tokens(text)) for text in question.classes["clearances"]])


def holders(question: Question, names: str) -> Flags:
    """Return who holds a certificate, or one of several, on every day of the planned follow-up.

    Parameters
    ----------
    question : Question
        The case managers, and the certificates of the problem.
    names : str
        A certificate; ``"A|B"``: either.

    Returns
    -------
    numpy.ndarray of bool
        One value per case manager.
    """
    held, start, end = question.problem.credentials, question.problem.first_day, question.last_day
    of_these = held[held["credential"].isin(names.split(EITHER))]
    found = {
        cm_id
        for (cm_id, _), own in of_these.groupby(["cm_id", "credential"])
        if covers_every_day(list(zip(own["valid_from"], own["valid_to"], strict=True)), start, end)
    }
    return np.asarray(question.case_managers["cm_id"].isin(found), dtype=bool)


def _hold_all(question: Question, asked: Sequence[Sequence[str]]) -> Flags:
    """Return who holds all certificates that each class asks for."""
    allowed = question.everyone
    for names in sorted({names for of_class in asked for names in of_class}):
        asks = np.array([names in of_class for of_class in asked], dtype=bool)
        allowed[asks] &= holders(question, names)[None, :]
    return allowed
