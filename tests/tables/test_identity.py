from __future__ import annotations

import pandas as pd
import pytest

from casestrat.tables.identifiers import looks_like_identifier
from casestrat.tables.identity import PAIR_COLUMNS, doubtful_pairs, keyed_hash, normalised
from casestrat.tables.lookup import is_among, positions_of, values_of

KEY = b"a made-up secret of many bytes"


def people(*rows: tuple[str, str, str]) -> pd.DataFrame:
    """People of one system, each its own person until someone decides otherwise."""
    frame = pd.DataFrame(rows, columns=["last", "first", "born"]).astype("str")
    ids = [f"{number}" for number in range(len(frame))]
    return frame.assign(system="s", id=ids, person_id=[f"P{number}" for number in ids])


@pytest.mark.parametrize(
    ("a", "b", "differ"),
    [
        (("dupre", "jeanpierre", "1940-02-01"), ("dupre", "jean", "1940-02-01"), "first name"),
        (("dupre", "catherine", "1940-02-01"), ("dupre", "katherine", "1940-02-01"), "first name"),
        (("dupre", "anne", "1940-02-01"), ("martin", "anne", "1940-02-01"), "last name"),
        (("dupre", "anne", "1940-02-01"), ("dupre", "anne", "1940-01-02"), "birth date"),
        (("dupre", "anne", "1940-02-01"), ("dupre", "anne", "1940-02-11"), "birth date"),
        (("paul", "andre", "1940-02-01"), ("andre", "paul", "1940-02-01"), ""),
    ],
)
def test_two_who_are_probably_one_are_shown_for_a_decision(a, b, differ):
    found = doubtful_pairs(people(a, b))
    assert found[["id_a", "id_b", "differ"]].values.tolist() == [["0", "1", differ]]
    assert not set(found.to_csv().split(",")) & {a[0], a[1], a[2]}


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (("dupre", "anne", "1940-02-01"), ("dupre", "maurice", "1940-02-01")),  # twins, or a couple
        (("dupre", "anne", "1940-02-01"), ("dupre", "anne", "1951-07-23")),
        (("dupre", "anne", "1940-02-01"), ("martin", "paul", "1940-02-01")),
    ],
)
def test_two_who_have_little_in_common_are_not_shown(a, b):
    found = doubtful_pairs(people(a, b))
    assert found.empty
    assert list(found.columns) == list(PAIR_COLUMNS)


def test_a_pair_that_is_one_person_already_is_not_shown():
    both = people(("dupre", "anne", "1940-02-01"), ("dupre", "ann", "1940-02-01")).assign(person_id="P0")
    assert doubtful_pairs(both).empty


def test_a_keyed_hash_is_the_same_for_the_same_text_and_key_alone():
    names = pd.Series(["dupre", "martin", None, "dupre"])
    hashed = keyed_hash(names, KEY)
    assert hashed.isna().tolist() == [False, False, True, False]
    assert hashed[0] == hashed[3] != hashed[1]
    assert keyed_hash(names, KEY + b"!")[0] != hashed[0]


def test_names_are_compared_without_what_spelling_changes():
    names = pd.Series(["  LEFÈVRE ", "Lefevre", "Œuvrard", "oeuvrard", "Jean-Pierre", "JEAN PIERRE", "-", None])
    assert normalised(names).tolist()[:6] == ["lefevre"] * 2 + ["oeuvrard"] * 2 + ["jeanpierre"] * 2
    assert normalised(names).isna().tolist()[6:] == [True, True]


IDENTIFIERS = """
name; Full Name; firstName; Surname; patient_name; Date of Birth; DOB; SSN; Social Security Number; phone;
mobile phone; e-mail; Email address; Nom; NOM_NAISSANCE; Prénom; Nom de l'usager; Date de naissance; né(e) le; NIR;
N° Sécu; Téléphone; Tél; Courriel; Adresse; nom_2; Cognome; Nome; Data di nascita; Codice Fiscale; telefono; cellulare
"""
OTHERS = """
person_id; birth_year; birth_month; territory; label_en; minutes; kind; observed_at; nombre_places; tel_minutes_total;
programme; nominal_rate; insight; finess; service_name; mail_sent
"""


@pytest.mark.parametrize("header", [header.strip() for header in IDENTIFIERS.split(";")])
def test_a_header_that_names_a_direct_identifier_is_recognised(header):
    assert looks_like_identifier(header)


@pytest.mark.parametrize("header", [header.strip() for header in OTHERS.split(";")])
def test_a_header_that_names_something_else_is_left_alone(header):
    assert not looks_like_identifier(header)


def test_a_lookup_gives_the_first_place_and_leaves_missing_missing():
    among = pd.Series([None, "b", "a", "b"], dtype="str")
    assert positions_of(pd.Series(["a", "b", "c", None], dtype="str"), among).tolist() == [2, 1, -1, -1]
    assert is_among(pd.Series(["a", None], dtype="str"), among).tolist() == [True, False]
    assert positions_of(pd.Series([], dtype="str"), among).tolist() == []
    frame = pd.DataFrame({"k": ["x", "y"], "v": pd.array([1, None], dtype="Int64")})
    assert values_of(pd.Series(["y", "x", "z"]), frame, "k", "v").tolist() == [pd.NA, 1, pd.NA]
    nobody = frame.iloc[:0]
    assert values_of(pd.Series(["y"]), nobody, "k", "v").isna().tolist() == [True]
