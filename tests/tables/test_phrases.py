"""What rules ask for is kept by key, and said in every language."""

from __future__ import annotations

import ast
import pickle
import string
import tomllib
from importlib.resources import files

import pandas as pd
import pytest

from casestrat.knowledge import list_programs, load_program
from casestrat.tables import Tables
from casestrat.tables.contracts import contracts_for
from casestrat.tables.phrases import Phrase, in_language, phrase_or

LANGUAGES = ("en", "fr", "it")
WORDS = tomllib.loads(files("casestrat.tables").joinpath("phrases.toml").read_text(encoding="utf-8"))
SOURCES = {one.name: ast.parse(one.read_text(encoding="utf-8")) for one in files("casestrat.tables").iterdir()
           if one.name.endswith(".py")}  # fmt: skip


def calls(*names: str) -> list[ast.Call]:
    return [
        node
        for tree in SOURCES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in names
    ]


def constants(node: ast.AST) -> set[str]:
    return {one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("lang", LANGUAGES[1:])
def test_every_language_has_the_same_words_with_the_same_placeholders(lang: str) -> None:
    for section, words in WORDS["en"].items():
        assert set(WORDS[lang][section]) == set(words), section
        for name, text in words.items():
            assert placeholders(WORDS[lang][section][name]) == placeholders(text), f"{section}.{name}"


def test_every_rule_that_sets_aside_has_a_name_in_words_and_no_name_is_left_over() -> None:
    by_position = [(one.args[2], one) for one in calls("fail", "blank")] + [(one.args[3], one) for one in calls("Lost")]
    by_position += [(one.args[3], one) for one in calls("_failure")]
    rules = set().union(*(constants(rule) for rule, _ in by_position if not isinstance(rule, ast.Name | ast.Attribute)))
    rules |= {"code", "range", "pattern", "missing"}  # what pandera finds
    assert rules == set(WORDS["en"]["rule"])


def test_what_every_rule_expects_is_a_phrase_and_none_is_left_over() -> None:
    said = {text for one in calls("Phrase") for text in constants(one.args[0]) if text.startswith("expected.")}
    built = {f"expected.{kind}" for kind in ("text", "whole", "number", "flag", "date", "moment")}
    built |= {f"expected.{pattern}" for pattern in ("id_pattern", "code_pattern", "language_pattern")}
    assert (said | built) - {"expected."} == {f"expected.{name}" for name in WORDS["en"]["expected"]}
    for one in calls("fail", "blank"):
        words = one.args[3]
        assert isinstance(words, ast.Call | ast.Name | ast.Attribute), ast.unparse(one)  # never a bare text


def test_every_constraint_of_every_column_is_said_in_every_language() -> None:
    for program in list_programs()["name"]:
        for contract in contracts_for(load_program(program)).values():
            for column in contract.columns:
                for words in (column.parse_words, column.range_words(), column.codes_words(), column.pattern_words()):
                    assert not words or isinstance(words, Phrase), column.name
                if column.unit:
                    assert isinstance(column.range_words().values["unit"], Phrase), column.unit
                assert column.in_words("fr")


def test_rows_set_aside_are_told_in_the_language_asked_for() -> None:
    persons = pd.DataFrame({"person_id": ["P1", "P2"], "birth_year": ["1940", "forty"], "sex": ["f", "zz"],
                            "recorded_at": "2026-01-01"})  # fmt: skip
    referrals = pd.DataFrame({"referral_id": ["R1"], "person_id": ["P9"], "referred_on": ["2026-02-01"],
                              "recorded_at": ["2026-02-02"]})  # fmt: skip
    tables = Tables.from_frames({"persons": persons, "referrals": referrals})
    french = tables.set_aside_in("fr")
    assert "un nombre entier" in set(french["expected"])
    assert "person_id présent dans persons" in set(french["expected"])
    assert "ne renvoie à rien" in set(french["rule"])
    kept = ["table", "source", "line", "key", "column"]
    assert french[kept].equals(tables.set_aside[kept])
    assert tables.set_aside_in("en")["expected"].equals(tables.set_aside["expected"])
    again = pickle.loads(pickle.dumps(tables))
    assert again.set_aside_in("it").equals(tables.set_aside_in("it"))


def test_a_text_that_is_no_phrase_stays_as_it_is() -> None:
    rows = pd.DataFrame({"rule": ["own_rule"], "expected": ["own words"]})
    assert in_language(rows, {}, "fr").equals(rows)
    assert phrase_or("own unit", "unit.own_unit") == "own unit"
    assert Phrase("expected.once").said("de") == "each row once"
