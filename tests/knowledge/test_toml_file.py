from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from casestrat.errors import KnowledgeError, UsageError
from casestrat.knowledge.toml_file import Section, is_path, nearest, read_toml, shipped_names


def section(**content: object) -> Section:
    return Section(content, "own.toml", "features[age]")


def test_shipped_files_are_found_by_name() -> None:
    assert "geriatric" in shipped_names("programs")
    assert read_toml("geriatric", "programs", "program").text("id") == "geriatric"


@pytest.mark.parametrize(("name", "expected"), [("geriatric", False), ("own.toml", True), ("x/own", True)])
def test_a_path_is_told_from_a_name(name: str, expected: bool) -> None:
    assert is_path(name) is expected
    assert is_path(Path(name))


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(UsageError, match=r"no program is called 'geriatrics'.*did you mean 'geriatric'"):
        read_toml("geriatrics", "programs", "program")


def test_a_path_without_a_file_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no file is at 'nowhere/own.toml'"):
        read_toml("nowhere/own.toml", "programs", "program")


@pytest.mark.parametrize(("raw", "words"), [(b"a = \xff", "not UTF-8"), (b"a = = 1", "not TOML.*line 1")])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, raw: bytes, words: str) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(raw)
    with pytest.raises(KnowledgeError, match=f"{words}.*Where: own.toml"):
        read_toml(path, "programs", "program")


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes("a = 'é'".encode("utf-8-sig"))
    assert read_toml(path, "programs", "program").text("a") == "é"


def test_an_unknown_key_is_refused_with_file_place_and_nearest_name() -> None:
    read = section(windo_days=180)
    read.whole("window_days", None)
    with pytest.raises(KnowledgeError, match=r"'windo_days'.*own.toml, features\[age\].windo_days.*'window_days'"):
        read.finish()


def test_a_missing_key_offers_to_rename_a_near_one() -> None:
    with pytest.raises(KnowledgeError, match=r"'label' is missing.*rename 'labels'"):
        section(labels={}).child("label")
    with pytest.raises(KnowledgeError, match=r"'id' is missing.*give `id`"):
        section().text("id")


@pytest.mark.parametrize(
    ("read", "value"),
    [
        ("text", 3),
        ("whole", 1.0),
        ("whole", True),
        ("number", "1"),
        ("number", float("nan")),
        ("number", float("inf")),
        ("flag", 1),
        ("words", "a"),
        ("words", ["a", 1]),
        ("words", ["a", "a"]),
        ("numbers", [1, True]),
        ("values", [[1]]),
        ("mapping", [1]),
        ("child", "a"),
        ("children", [1]),
        ("day", "2015-01-01"),
    ],
)
def test_a_value_of_another_kind_is_refused(read: str, value: object) -> None:
    with pytest.raises(KnowledgeError, match=r"Where: own.toml"):
        getattr(section(key=value), read)("key")


def test_a_moment_is_no_day() -> None:
    read = Section(read_day("2015-01-01T08:00:00"), "own.toml")
    with pytest.raises(KnowledgeError, match=r"without a time"):
        read.day("key")
    assert Section(read_day("2015-01-01"), "own.toml").day("key").year == 2015


def read_day(text: str) -> dict:
    return tomllib.loads(f"key = {text}")


def test_a_whole_number_keeps_to_its_least_value() -> None:
    with pytest.raises(KnowledgeError, match=r"must be 1 or more"):
        section(key=0).whole("key", at_least=1)


def test_labels_need_english_and_words() -> None:
    with pytest.raises(KnowledgeError, match=r"no English words"):
        section(label={"fr": "âge"}).labels()
    with pytest.raises(KnowledgeError, match=r"empty in fr"):
        section(label={"en": "age", "fr": " "}).labels()
    assert dict(section().labels(default="age")) == {"en": "age"}


def test_a_choice_offers_the_nearest() -> None:
    with pytest.raises(KnowledgeError, match=r"did you mean 'required'"):
        section(language="requird").choice("language", ("required", "ignored"))


def test_tables_of_an_array_are_named_by_their_id() -> None:
    first, second = section(rows=[{"id": "a"}, {"x": 1}]).children("rows")
    assert first.path == "features[age].rows[a]"
    assert second.path == "features[age].rows[2]"


def test_a_message_lists_few_names_and_counts_many() -> None:
    assert nearest("x", []) == "choose one of: (none)"
    assert nearest("b", ["a", "b1"]) == "did you mean 'b1'? choose one of: a, b1"
    many = [f"key{n:03d}" for n in range(100)]
    assert nearest("zzz", many) == "choose one of: key000, key001, key002 … (100 in all)"
