"""Lists are read in the language of the site: every code, flag and sentence that can occur has words."""

from __future__ import annotations

import ast
import csv
import io
from pathlib import Path

import pandas as pd
import pytest

from casestrat.allocation.plan import ledger
from casestrat.allocation.problem.eligibility import RULES
from casestrat.allocation.problem.objective import FIT_TERMS
from casestrat.knowledge import load_program, load_wording
from casestrat.nightly.lists import CELLS, LISTS, list_bytes
from casestrat.tables import OUTPUTS

LANGUAGES = ("en", "fr", "it")
SITES_OWN = {  # ids, and what a site or a file names
    "referral_id", "meeting_id", "person_id", "territory", "key_lottery", "case_id", "cm_id", "runner_up", "team",
    "table", "source", "key", "column", "from_cm", "to_cm", "for_cm", "approver",
    "id", "right", "jurisdiction",
}  # fmt: skip
SECTIONS = {
    "criteria": "criteria",
    "decided_by": "rule",
    "kind": "kind",
    "group_kind": "group_kind",
    "change": "change",
    "reason": "move",
    "how": "cover",
    "because": "because",
    "method": "method",
    "last_contact_kind": "contact",
}


def has_own_words(key: str) -> bool:
    """Whether each language has words of its own: none is said in English for want of them."""
    return all(load_wording(lang).words.get(key) for lang in LANGUAGES)


def table(name: str, rows: dict[str, list[object]], lang: str) -> list[list[str]]:
    content = list_bytes(name, pd.DataFrame(rows), load_program("geriatric"), lang).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(content), delimiter="," if lang == "en" else ";"))


@pytest.mark.parametrize("name", [*LISTS, "difference", "moves", "frontier", "cover", "handover", "step_down"])
def test_every_column_of_words_is_said_or_is_the_sites_own(name: str) -> None:
    of_words = {one.name for one in OUTPUTS[name].columns if one.kind in ("text", "code", "list", "flag", "id")}
    assert of_words - SITES_OWN == set(CELLS[name])
    assert not set(CELLS[name]) & SITES_OWN


def test_every_code_of_a_contract_has_words_in_every_language() -> None:
    for name, said in CELLS.items():
        for column in OUTPUTS[name].columns:
            if column.codes and column.name in said:
                for one in column.codes:
                    assert has_own_words(f"{SECTIONS[column.name]}.{one}"), f"{name}.{column.name}: {one}"


def test_every_reason_of_an_allocation_has_words_in_every_language() -> None:
    alone = (ledger.NO_STAFF, ledger.NO_PAIR)
    for rule in (*(one.id for one in RULES), *alone):
        assert has_own_words(f"pages.rule_{rule}")
        assert has_own_words(f"allocation.reason_{rule}")
        assert has_own_words(f"allocation.relaxation_{rule}")
    assert all(has_own_words(term.words.key) for term in FIT_TERMS)
    keys = [
        str(node.args[0].value)
        for path in Path(ledger.__file__).parent.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "Sentence.of"
        and isinstance(node.args[0], ast.Constant)
    ]
    assert len(keys) > 10
    for key in keys:
        assert has_own_words(key) or (has_own_words(f"{key}.one") and has_own_words(f"{key}.other")), key


@pytest.mark.parametrize(
    ("lang", "row"),
    [
        ("en", "high|criteria met|date of referral|yes|unknown|need; urgency of the referral|2.5"),
        ("fr", "élevé|critères remplis|date de la demande|oui|inconnu|besoin; urgence de la demande|2,5"),
        ("it", "alto|criteri soddisfatti|data della richiesta|sì|non noto|bisogno; urgenza della richiesta|2,5"),
    ],
)
def test_codes_flags_and_numbers_are_said_in_the_language(lang: str, row: str) -> None:
    rows = {"tier": ["high"], "criteria": ["meets"], "decided_by": ["referral_date"], "is_proposed": [True],
            "in_tied_zone": [None], "imputed": ["need;urgency"], "need": [2.5], "key_deadline": [False]}  # fmt: skip
    told = table("waiting_list", rows, lang)
    assert told[1][:7] == row.split("|")
    assert not {"decided_by", "True"} & {cell for line in told for cell in line}


def test_features_are_named_as_the_program_names_them() -> None:
    told = table(
        "assess_first", {"missing_items": ["gir, caregiver", "objects_to_scoring", None], "criteria": "ask"}, "it"
    )
    program = load_program("geriatric")
    assert told[1][0] == f"{program.feature('gir').label['it']}; {program.feature('caregiver').label['it']}"
    assert "si oppone" in told[2][0]
    assert told[3] == ["", "da chiedere"]


def test_an_indicator_is_named_with_its_intensity_and_a_group_by_its_tier() -> None:
    rows = {"indicator": ["referrals_30d", "contacts_done_intensive", "own_measure", "stock"],
            "group_kind": ["tier", "all", "team", "team"], "group": ["low", "all", "mobile", "unassigned"],
            "is_suppressed": [False, True, False, False]}  # fmt: skip
    told = table("caseload", rows, "fr")
    assert told[1] == ["demandes", "niveau", "faible", "non"]
    assert told[2][0].startswith("contacts faits · ")
    assert told[2][1:] == ["ensemble", "ensemble", "oui"]
    assert told[3] == ["own measure", "équipe", "mobile", "non"]
    assert told[4] == ["situations suivies", "équipe", "sans gestionnaire de cas", "non"]


def test_what_has_no_words_is_said_as_its_code() -> None:
    rows = {"kind": ["own_kind"], "rule": ["own_rule"], "reason": ["own words"], "relaxation": ["="]}
    assert table("unassigned", rows, "fr")[1] == ["own_kind", "own_rule", "own words", "'="]
    assert (
        table("waiting_list", {name: ["own"] if name == "tier" else [None] for name in CELLS["waiting_list"]}, "fr")[1][
            0
        ]
        == "own"
    )
