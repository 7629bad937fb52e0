from __future__ import annotations

import csv
import filecmp
import importlib.util
import shutil
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sql

from casestrat.errors import TablesError
from casestrat.tables import Tables, read_tables

KEY = "a made-up secret of many bytes"
MADE_UP = Path(__file__).parents[1] / "data_made_up"


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("CASESTRAT_KEY", KEY)


def lines_of(name: str, encoding: str) -> list[dict[str, str]]:
    with (MADE_UP / name).open(encoding=encoding, newline="") as stream:
        return list(csv.DictReader(stream, delimiter=";"))


@pytest.fixture(scope="module")
def tables(geriatric) -> Tables:
    """The tables that the two made-up exports give."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASESTRAT_KEY", KEY)
        return read_tables(MADE_UP / "site.toml", geriatric)


class TestTwoMadeUpRecordSystems:
    """The exports in tests/data_made_up, mapped by their site.toml."""

    def test_every_bad_row_names_its_file_line_and_original_column(self, tables):
        found = tables.set_aside[["source", "line", "column", "rule"]]
        orientations, events = "orientia/orientations.csv", "medisoc/suivi.csv"
        assert sorted(map(tuple, found.values.tolist())) == sorted(
            [
                (orientations, 5, "Orienteur", "blanked_code"),
                (orientations, 9, "Date d'orientation", "unparsable"),  # of the referral
                (orientations, 9, "Date d'orientation", "unparsable"),  # of the fact that the form states
                (orientations, 13, "Urgence", "range"),
                (events, 4, "Début", "unparsable"),  # of the event
                (events, 4, "Début", "unparsable"),  # of the weight
                (events, 7, "Coût", "blanked"),
                (events, 10, "Type", "unmapped_code"),
            ]
        )

    def test_codes_nobody_mapped_are_listed_with_how_many_rows_have_them(self, tables):
        assert tables.unmapped_codes.values.tolist() == [
            ["orientations", "Orienteur", "Télé-expertise", 1],
            ["suivi", "Type", "Fugue", 1],
        ]

    def test_one_person_of_two_systems_has_one_pseudonym(self, tables):
        forms, events = lines_of("orientia/orientations.csv", "latin-1"), lines_of("medisoc/suivi.csv", "utf-8")
        numbers = {row["N° usager"][1:] for row in forms} | {row["Dossier"].split("/")[1][1:] for row in events}
        assert len(tables.persons) == len({int(number) % 100 for number in numbers})
        referred = set(tables.referrals["person_id"])
        both = {int(row["N° usager"][1:]) for row in forms} & {int(row["Dossier"][-2:]) for row in events}
        assert len(referred & set(tables.events["person_id"])) == len(both) > 5

    def test_the_pair_that_is_probably_one_person_is_listed_for_a_person_to_decide(self, tables):
        pair = ["orientia", "U004", "orientia", "U038", "last name, birth date", "first name"]
        assert tables.doubtful_pairs.values.tolist() == [pair]

    def test_no_name_birth_date_or_phone_is_left_anywhere(self, tables):
        everything = "".join(frame.to_csv() for frame in tables.frames().values())
        everything += tables.set_aside.to_csv() + tables.warnings.to_csv() + tables.doubtful_pairs.to_csv()
        for row in lines_of("orientia/orientations.csv", "latin-1"):
            for column in ("Nom", "Prénom", "Date de naissance", "Téléphone"):
                assert row[column] not in everything

    def test_the_wide_grid_becomes_sittings_and_answers(self, tables):
        grids = [row for row in lines_of("orientia/orientations.csv", "latin-1") if row["N° grille"]]
        assert len(tables.assessments) == len(grids)
        assert len(tables.responses) == 8 * len(grids)
        first = grids[0]
        answers = tables.responses.loc[tables.responses["assessment_id"] == "O:" + first["N° grille"]]
        assert answers.set_index("item")["value"].to_dict()["coherence"] == first["AGGIR Cohérence"]
        given = sum(row[column] == "NR" for row in grids for column in row if column.startswith("AGGIR "))
        assert (tables.responses["missing_reason"] == "not_recorded").sum() == given > 0
        assert (tables.responses["value"].isna() == tables.responses["missing_reason"].notna()).all()

    def test_dates_decimals_codes_and_lists_are_ours(self, tables):
        row = lines_of("orientia/orientations.csv", "latin-1")[0]
        referral = tables.referrals.set_index("referral_id").loc["O:" + row["N° fiche"]]
        assert f"{referral['referred_on']:%d/%m/%Y}" == row["Date d'orientation"]
        assert referral["source"] == "home_care"
        assert referral["reasons"] == "refuses_care;falls"
        assert tables.referrals["problem_medical"].dtype == "boolean"
        costs = {
            row["Id évènement"]: row["Coût"]
            for row in lines_of("medisoc/suivi.csv", "utf-8")
            if row["Coût"] and row["Type"] != "Fugue"
        }
        amounts = tables.events.set_index("event_id")["amount"].dropna()
        assert amounts.to_dict() == {
            f"M:{name}": float(cost.replace(",", ".")) for name, cost in costs.items() if "," in cost
        }

    def test_what_the_second_system_adds_fills_what_the_first_leaves_open(self, tables):
        only_second = tables.persons.loc[tables.persons["territory"].isna()]
        assert len(only_second) > 0
        assert only_second[["birth_year", "sex"]].notna().all(axis=None)

    def test_there_is_a_committee_to_rank_for(self, tables):
        assert (tables.committee_meetings["held_on"] >= "2026-02-01").sum() >= 3
        assert set(tables.committee_meetings["territory"]) == {"north", "south", "coast"}

    def test_the_exports_are_those_that_their_script_writes(self, tmp_path, monkeypatch):
        spec = importlib.util.spec_from_file_location("make_exports", MADE_UP / "make_exports.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        monkeypatch.setattr(module, "HERE", tmp_path)
        module.main()
        for name in ("orientia/orientations.csv", "orientia/commissions.csv", "medisoc/suivi.csv"):
            assert filecmp.cmp(tmp_path / name, MADE_UP / name, shallow=False), name


PEOPLE = "id;nom;prenom;ne_le;sexe\n7/1;Dupré;Éva;01/02/1940;F\n7/2;Noël;Jo;03/04/1935;H\n"
REFERRALS = "fiche;id;date;score\n1;7/1;05/01/2025;1,5\n2;7/2;06/01/2025;2\n"
SITE = """
[extract]
data_start = 2025-01-01
data_end = 2025-12-31
recorded_at = "extract"
{people}
[[sources]]
name = "people"
system = "s"
path = "people.csv"
separator = ";"
decimal = ","
{person}
[[sources.tables]]
table = "persons"
[sources.tables.columns]
birth_year = {{ from = "ne_le", format = "%d/%m/%Y", take = "year" }}
sex = {{ from = "sexe", codes = {{ F = "f", H = "m" }} }}
{persons}
[[sources]]
name = "referrals"
system = "s"
path = "referrals*.csv"
separator = ";"
decimal = ","
[sources.person]
id = "id"
[[sources.tables]]
table = "referrals"
{where}
[sources.tables.columns]
referral_id = "fiche"
referred_on = {{ from = "date", format = "%d/%m/%Y" }}
{referrals}
"""
IDENTITY = (
    '[sources.person]\nid = "id"\nlast_name = "nom"\nfirst_name = "prenom"\n'
    'birth_date = "ne_le"\nbirth_date_format = "%d/%m/%Y"'
)


@pytest.fixture
def site(tmp_path):
    """Write a small site and return its site.toml."""

    def written(**parts: str) -> Path:
        folder = tmp_path / "site"
        folder.mkdir(exist_ok=True)
        (folder / "people.csv").write_text(PEOPLE, encoding="utf-8")
        (folder / "referrals.csv").write_text(REFERRALS, encoding="utf-8")
        names = ("people", "persons", "where", "referrals")
        filled = {**dict.fromkeys(names, ""), "person": '[sources.person]\nid = "id"', **parts}
        (folder / "site.toml").write_text(SITE.format(**filled), encoding="utf-8")
        return folder / "site.toml"

    return written


def test_ids_of_one_system_are_kept_where_no_link_is_asked_for(site):
    tables = read_tables(site())
    assert tables.persons["person_id"].tolist() == ["7/1", "7/2"]
    assert tables.persons["birth_year"].tolist() == [1940, 1935]
    assert tables.set_aside.empty
    assert "neither mapped nor dropped: nom, prenom" in tables.warnings.loc[0, "message"]


def test_hashed_ids_need_a_key_and_depend_on_it(site, monkeypatch):
    path = site(people='[people]\nlink = "hashed_id"\nkey_env = "CASESTRAT_KEY"')
    one = read_tables(path).persons["person_id"].tolist()
    assert all(name.startswith("P-") for name in one)
    monkeypatch.setenv("CASESTRAT_KEY", "another secret of many bytes")
    assert read_tables(path).persons["person_id"].tolist() != one
    monkeypatch.setenv("CASESTRAT_KEY", "short")
    with pytest.raises(TablesError, match=r"missing or shorter than 16 bytes.*CASESTRAT_KEY"):
        read_tables(path)


def write_people(path: Path, text: str) -> None:
    path.with_name("people.csv").write_text(text, encoding="utf-8")


LINKED = '[people]\nlink = "identity"\nkey_env = "CASESTRAT_KEY"'


def test_a_file_with_ids_alone_follows_the_identity_its_system_gives(site):
    path = site(people=LINKED, person=IDENTITY)
    tables = read_tables(path)
    assert set(tables.referrals["person_id"]) == set(tables.persons["person_id"])


def test_accents_case_and_hyphens_do_not_make_two_people(site):
    path = site(people=LINKED, person=IDENTITY)
    write_people(path, PEOPLE + "8/9;DUPRE;eva ;01/02/1940;F\n")
    assert len(read_tables(path).persons) == 2


def test_a_person_without_a_whole_identity_is_known_by_their_id_alone_and_counted(site):
    path = site(people=LINKED, person=IDENTITY)
    write_people(path, PEOPLE + "8/9;DUPRE;;01/02/1940;F\n")
    tables = read_tables(path)
    assert len(tables.persons) == 3
    assert ["persons", "identity_incomplete", 1] in tables.warnings[["table", "rule", "n"]].values.tolist()


def test_a_row_that_says_nothing_of_its_person_is_left_out_and_said_so(site):
    path = site(people=LINKED, person=IDENTITY)
    write_people(path, PEOPLE + ";;;01/02/1940;F\n")
    tables = read_tables(path)
    assert tables.set_aside[["table", "line", "column", "rule"]].values.tolist() == [["persons", 4, "id", "no_person"]]


def test_a_crosswalk_decides_before_anything_else(site):
    path = site(people=LINKED + '\ncrosswalk = "who.csv"', person=IDENTITY)
    path.with_name("who.csv").write_text("system,id,person_id\ns,7/1,ONE\ns,7/2,ONE\n")
    tables = read_tables(path)
    assert tables.persons["person_id"].tolist() == ["ONE"]
    assert set(tables.referrals["person_id"]) == {"ONE"}
    assert ["persons", "sources_disagree", 1] in tables.warnings[["table", "rule", "n"]].values.tolist()
    path.with_name("who.csv").write_text("system,id\ns,7/1\n")
    with pytest.raises(TablesError, match="crosswalk lacks the columns person_id"):
        read_tables(path)
    path.with_name("who.csv").write_text("system,id,person_id\ns,7/1,A\ns,7/1,B\n")
    with pytest.raises(TablesError, match="names one id of one system twice"):
        read_tables(path)


def test_a_key_may_be_in_a_file_but_not_among_the_data(site, tmp_path):
    (tmp_path / "key.txt").write_text(KEY)
    path = site(people='[people]\nlink = "hashed_id"\nkey_file = "../key.txt"')
    assert len(read_tables(path).persons) == 2
    path = site(people='[people]\nlink = "hashed_id"\nkey_file = "key.txt"')
    with pytest.raises(TablesError, match="key file is among the data"):
        read_tables(path)
    path = site(people='[people]\nlink = "hashed_id"')
    with pytest.raises(TablesError, match="hashing needs a secret key"):
        read_tables(path)


def test_identifiers_may_be_hashed_and_constants_given(site):
    path = site(
        people='[people]\nkey_env = "CASESTRAT_KEY"',
        persons='household_id = { from = "nom", hash = true }\nlanguage = { value = "fr" }',
    )
    tables = read_tables(path)
    assert tables.persons["household_id"].str.len().tolist() == [20, 20]
    assert tables.persons["language"].tolist() == ["fr", "fr"]


def test_what_cannot_be_used_of_a_second_row_of_a_person_is_reported_too(site):
    path = site()
    write_people(path, PEOPLE + "7/1;Dupré;Éva;1940;?\n")
    tables = read_tables(path)
    assert len(tables.persons) == 2
    assert tables.set_aside[["line", "column", "rule"]].values.tolist() == [
        [4, "ne_le", "blanked"],
        [4, "sexe", "blanked_code"],
    ]


def test_several_codes_of_one_cell_may_be_taken_as_they_are(site):
    path = site(referrals='reasons = { from = "score", split = "," }')
    assert read_tables(path).referrals["reasons"].tolist() == ["1;5", "2"]


def test_several_files_feed_one_source_and_a_ragged_line_is_said(site):
    path = site(referrals='urgency = "score"')
    path.with_name("referrals_2.csv").write_text("fiche;id;date;score\n9;7/2\n3;7/2;07/01/2025;3\n", encoding="utf-8")
    tables = read_tables(path)
    assert tables.referrals["referral_id"].tolist() == ["1", "2", "3"]
    assert sorted(map(tuple, tables.set_aside[["source", "line", "rule"]].values.tolist())) == [
        ("referrals.csv", 2, "blanked"),
        ("referrals_2.csv", 2, "field_count"),
    ]
    path.with_name("referrals_2.csv").write_text("fiche;id;date\n", encoding="utf-8")
    with pytest.raises(TablesError, match="differ in their columns"):
        read_tables(path)


def test_rows_can_be_chosen_by_what_a_column_holds(site):
    path = site(where='where = { score = ["2", "3"] }\nwhere_filled = ["date"]')
    assert read_tables(path).referrals["referral_id"].tolist() == ["2"]


def test_a_view_of_a_database_is_a_source_too(site, tmp_path):
    engine = sql.create_engine(f"sqlite:///{tmp_path}/records.db")
    with engine.begin() as connection:
        pd.DataFrame({"nr": [5], "wer": ["7/2"], "am": ["2025-03-01"]}).to_sql("eingang", connection, index=False)
    engine.dispose()
    path = site()
    more = f"""
[[sources]]
name = "sql"
url = "sqlite:///{tmp_path}/records.db"
view = "VIEW"
prefix = "x:"
[[sources.tables]]
table = "referrals"
[sources.tables.columns]
person_id = {{ from = "wer", prefix = "" }}
referral_id = "nr"
referred_on = {{ from = "am", format = "%Y-%m-%d" }}
"""
    text = path.read_text(encoding="utf-8")
    path.write_text(text + more.replace("VIEW", "eingang"), encoding="utf-8")
    assert read_tables(path).referrals["referral_id"].tolist() == ["1", "2", "x:5"]
    path.write_text(text + more.replace("VIEW", "ausgang"), encoding="utf-8")
    with pytest.raises(TablesError, match="no such table or view"):
        read_tables(path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('path = "people.csv"', 'path = "nobody.csv"', "source people finds no file"),
        ('"sexe"', '"genre"', "source people lacks the columns genre"),
        ('id = "id"', 'id = "no"', "source people lacks the columns no"),
        ('table = "persons"', 'table = "patients"', "names a table that is not known"),
        ('decimal = ","', 'decimal = "."\ncolour = "red"', "unknown settings in .*: colour"),
        ('decimal = ","', 'decimal = ";"', "decimal of source people must be"),
        ('format = "%d/%m/%Y", take = "year"', 'take = "year"', "is a date and has no format"),
        ('format = "%d/%m/%Y", take = "year"', 'format = "%d/%m/%y", take = "year"', "whose century would be a guess"),
        ('take = "year"', 'take = "day"', "take of persons.birth_year"),
        ('from = "sexe"', 'from = "sexe", value = "f"', "needs either from or value"),
        ('system = "s"\npath = "people.csv"', 'system = "s"', "needs a path, or a url"),
        ('path = "people.csv"', 'url = "sqlite:///a.db"', "has a url and no view"),
        ('name = "referrals"', 'name = "people"', "two sources have the same name"),
        ('sex = {', 'sex = {{', "cannot be read as TOML"),
        ('"ne_le"', '""', r"still to be filled in: sources 1.tables 1.columns.birth_year.from"),
        ("[[sources]]", '[people]\nlink = "name"\n[[sources]]', "link in .people. must be one of"),
        ('[sources.person]\nid = "id"', 'person = 3', "must be a table of settings"),
    ],
)  # fmt: skip
def test_a_slip_in_site_toml_is_told_and_not_guessed_around(site, old, new, words):
    path = site()
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(TablesError, match=words):
        read_tables(path)


def test_a_site_without_sources_or_a_wide_table_without_items_is_refused(site):
    path = site()
    text = path.read_text(encoding="utf-8")
    path.write_text(text.split("[[sources]]")[0], encoding="utf-8")
    with pytest.raises(TablesError, match=r"no \[\[sources\]\] is given"):
        read_tables(path)
    path.write_text(text + '[[sources.wide]]\nitems = { a = "score" }\n[sources.wide.columns]\n', encoding="utf-8")
    with pytest.raises(TablesError, match="wide of source referrals lacks assessment_id, instrument, observed_at"):
        read_tables(path)


def test_the_mapping_does_not_touch_the_site_s_files(tmp_path, geriatric):
    shutil.copytree(MADE_UP, tmp_path / "copy")
    read_tables(tmp_path / "copy" / "site.toml", geriatric)
    same = filecmp.dircmp(MADE_UP, tmp_path / "copy", ignore=["__pycache__"])
    assert not same.diff_files
    assert not same.right_only
