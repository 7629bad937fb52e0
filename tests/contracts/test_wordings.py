"""Every word that is kept is said somewhere, and what is said is kept."""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest

from casestrat.knowledge import load_wording
from casestrat.tables import OUTPUTS

SOURCE = Path(str(files("casestrat")))
SCRIPTS = "".join(path.read_text(encoding="utf-8") for path in sorted((SOURCE / "reports/templates").iterdir()))
PAGES = ("pages", "committee_page", "caseload_page", "validation_page")
FINGERPRINTS = ("extract", "program", "model", "policy")  # the marks of a page are named by their key: w(part)
WORDS = load_wording("en").words


@cache
def constants() -> tuple[tuple[str, str, bool], ...]:
    """Path, value and whether it begins a longer text, of every text constant of the Python sources."""
    found = []
    for path in SOURCE.rglob("*.py"):
        name = path.relative_to(SOURCE).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append((name, node.value, False))
            elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                found.append((name, str(node.values[0].value), True))
    return tuple(found)


@cache
def texts(name_starts: str = "") -> set[str]:
    """Every text constant of the Python sources, or of those whose path begins so."""
    return {value for name, value, _ in constants() if name.startswith(name_starts)}


@cache
def starts() -> set[str]:
    """The fixed beginnings of keys that are put together: ``allocation.reason_`` of ``f"allocation.reason_{rule}"``."""
    built = {value for _, value, is_start in constants() if is_start}
    given = {text for text in texts() if re.fullmatch(r"[a-z_]+\.([a-z]+_)?", text)}  # code("criteria.")
    return {one for one in built | given if "." in one and one.partition(".")[0] in sections()}


@cache
def starts_of_validation() -> tuple[str, ...]:
    """The fixed beginnings of names put together on the validation page: ``level_`` of ``words(f"level_{side}")``."""
    return tuple(
        value
        for name, value, is_start in constants()
        if is_start and name.startswith("reports/validation_") and re.fullmatch(r"[a-z]+_", value)
    )


@cache
def sections() -> set[str]:
    return {key.partition(".")[0] for key in WORDS}


@cache
def parts_of_pages() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the scripts put names together from, and the hints of their buttons."""
    parts = (
        *re.findall(r"w\(`([a-z_]+)\$\{", SCRIPTS),
        *re.findall(r"`([a-z_]+_)\$\{\w+\}` in data\.words", SCRIPTS),
        *(f"{one}_" for one in re.findall(r"coded\(\"([a-z]+)\"", SCRIPTS)),
        "part_",
        "by_",
    )
    return parts, tuple(f"{one}_hint" for one in re.findall(r"fileButton\(\"\w+\", \"(\w+)\"", SCRIPTS))


def is_said_by_a_page(name: str) -> bool:
    parts, hints = parts_of_pages()
    return (
        f'"{name}"' in SCRIPTS
        or f"words.{name}" in SCRIPTS
        or name in hints
        or any(name.startswith(one) for one in parts)
    )


def test_every_word_that_is_kept_is_said_somewhere() -> None:
    said, beginnings, of_figures = texts(), starts(), texts("reports/")
    columns = {f"columns.{column.name}" for output in OUTPUTS.values() for column in output.columns}
    idle = []
    for key in WORDS:
        section, _, name = key.partition(".")
        stem = key.removesuffix(".one").removesuffix(".other")
        is_whole = [one for one in beginnings if one != f"{section}." or section not in (*PAGES, "figures")]
        is_said = (
            key in columns if section == "columns"
            else stem in said
            or any(stem.startswith(one) for one in is_whole)
            or (section in PAGES and is_said_by_a_page(stem.partition(".")[2]))
            or f'"{stem}"' in SCRIPTS
            or (section in {"figures", "validation_page"} and name in of_figures)
            or (section == "validation_page" and name.startswith(starts_of_validation()))
            or (section == "pages" and name in FINGERPRINTS)
        )  # fmt: skip
        if not is_said:
            idle.append(key)
    assert not idle


def test_a_word_that_nobody_says_would_be_found() -> None:
    assert not is_said_by_a_page("proposes_nothing")
    assert "allocation.reason_" in starts()
    assert "columns." in starts()
    assert "page." not in starts()


@pytest.mark.parametrize("lang", ["fr", "it"])
def test_sentences_are_translated_and_not_copied(lang: str) -> None:
    other = load_wording(lang).words
    same = [
        key
        for key, text in WORDS.items()
        if len(re.findall(r"\w{2,}", re.sub(r"\{.*?\}", "", text))) > 2 and other[key] == text
    ]
    assert not same
