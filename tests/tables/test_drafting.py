from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from casestrat.errors import TablesError, UsageError
from casestrat.tables import CONTRACTS, draft_site, read_tables
from casestrat.tables.sniffing import date_formats, sniff

MADE_UP = Path(__file__).parents[1] / "data_made_up"


@pytest.fixture
def exports(tmp_path):
    """The two made-up exports, not mapped yet."""
    folder = tmp_path / "exports"
    for name in ("orientia", "medisoc"):
        shutil.copytree(MADE_UP / name, folder / name)
    return folder


@pytest.mark.parametrize("lang", ["en", "fr", "it"])
def test_a_draft_is_toml_and_the_check_says_what_is_still_missing(exports, geriatric, lang):
    path = draft_site(exports, geriatric, lang)
    assert path == exports / "site.toml"
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    assert content["people"]["link"] == "identity"
    with pytest.raises(TablesError, match=r"still to be filled in: extract\.data_start; extract\.data_end\. Where"):
        read_tables(path, geriatric)


def test_a_draft_whose_days_are_filled_in_reads_both_exports(exports, geriatric, monkeypatch):
    monkeypatch.setenv("CASESTRAT_KEY", "a made-up secret of many bytes")
    path = draft_site(exports, geriatric, "fr")
    text = path.read_text(encoding="utf-8")
    assert 'encoding = "cp1252"' in text
    assert 'decimal = ","' in text
    assert 'drop = ["Téléphone"]' in text
    text = text.replace('data_start = ""', "data_start = 2025-01-01").replace('data_end = ""', "data_end = 2026-01-31")
    path.write_text(text, encoding="utf-8")
    tables = read_tables(path, geriatric)
    finished = read_tables(MADE_UP / "site.toml", geriatric)
    assert {"persons", "referrals", "assessments", "responses", "events", "committee_meetings"} <= tables.present
    assert tables.persons["person_id"].tolist() == finished.persons["person_id"].tolist()
    assert tables.responses["value"].tolist() == finished.responses["value"].tolist()
    assert tables.referrals["source"].tolist() == finished.referrals["source"].tolist()
    assert "Télé-expertise" in tables.unmapped_codes["code"].tolist(), "an empty code maps nothing"


def test_templates_have_the_contract_s_columns_and_the_program_s_codes(exports, geriatric):
    draft_site(exports, geriatric)
    templates = exports / "templates"
    for name, contract in CONTRACTS.items():
        header = (templates / f"{name}.csv").read_text(encoding="utf-8").strip().split(",")
        assert set(contract.names) <= set(header)
    assert "problem_medical" in (templates / "referrals.csv").read_text(encoding="utf-8")
    codes = pd.read_csv(templates / "CODES.csv").set_index(["table", "column"])
    assert codes.loc[("events", "kind"), "codes"].startswith("one of: hospital_stay")


def test_a_site_toml_is_never_overwritten(exports, geriatric):
    (exports / "site.toml").write_text("# mine")
    with pytest.raises(UsageError, match=r"there is a site.toml already"):
        draft_site(exports, geriatric)
    assert (exports / "site.toml").read_text() == "# mine"


def test_an_empty_folder_gets_templates_and_a_draft_that_asks_for_sources(tmp_path, geriatric):
    with pytest.raises(UsageError, match="no such folder"):
        draft_site(tmp_path / "new", geriatric)
    (tmp_path / "new").mkdir()
    path = draft_site(tmp_path / "new", geriatric)
    with pytest.raises(TablesError, match="still to be filled in"):
        read_tables(path, geriatric)
    assert (tmp_path / "new" / "templates" / "persons.csv").is_file()
    with pytest.raises(UsageError, match="no drafts in that language"):
        draft_site(tmp_path / "other", geriatric, "xx")


def test_what_is_not_recognised_is_to_be_filled_in_or_named(tmp_path, geriatric):
    (tmp_path / "a.csv").write_text(
        "patient_id\tdate demande\turgence\tsexe\thumeur\n1\tlundi\t3\tF\tbonne\n2\tmardi\t1\t?\tbonne\n",
        encoding="utf-8",
    )
    text = draft_site(tmp_path, geriatric).read_text(encoding="utf-8")
    source = tomllib.loads(text)["sources"][0]
    assert source["separator"] == "\t"
    referrals = next(table["columns"] for table in source["tables"] if table["table"] == "referrals")
    assert referrals["referral_id"] == ""
    assert referrals["referred_on"] == {"from": "date demande", "format": ""}
    persons = next(table["columns"] for table in source["tables"] if table["table"] == "persons")
    assert persons["sex"]["codes"] == {"F": "f", "?": ""}
    assert 'not recognised, and so not read: "humeur"' in text


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["31/12/2025", "01/02/2025"], ["%d/%m/%Y"]),
        (["01/02/2025"], ["%d/%m/%Y", "%m/%d/%Y"]),
        (["2025-12-31"], ["%Y-%m-%d"]),
        (["31.12.2025"], ["%d.%m.%Y"]),
        (["monday"], []),
        ([None], []),
    ],
)
def test_date_formats_that_fit_are_proposed(cells, found):
    assert date_formats(pd.Series(cells, dtype="str")) == found


@pytest.mark.parametrize(
    ("text", "encoding", "separator", "decimal"),
    [
        ("a;b\n1,5;é\n", "utf-8", ";", ","),
        ("a;b\n1,5;é\n", "cp1252", ";", ","),
        ("a,b\n1.5,2\n", "utf-8", ",", "."),
        ("a|b\n1.5|2\n", "utf-8", "|", "."),
        ("a\nx\n", "utf-8", ",", "."),
    ],
)
def test_a_file_is_told_by_its_bytes(tmp_path, text, encoding, separator, decimal):
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(encoding))
    seen = sniff(path)
    assert (seen.encoding, seen.separator, seen.decimal) == (encoding, separator, decimal)


def test_bytes_that_fit_no_usual_encoding_are_read_as_latin_1(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"a;b\n\x81;2\n")
    assert sniff(path).encoding == "latin-1"
