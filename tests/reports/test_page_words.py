"""Words of pages: the same keys and placeholders in each language, none missing, none left over."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from casestrat.reports.page_words import page_words

SECTIONS = ("pages", "committee_page", "caseload_page", "figures")
SOURCES = {
    "committee_page": (
        "page.js",
        "local_files.js",
        "committee_state.js",
        "committee_list.js",
        "committee_panel.js",
        "committee_form.js",
        "committee.js",
        "meetings.js",
    ),
    "caseload_page": (
        "page.js",
        "local_files.js",
        "caseload_state.js",
        "caseload_team.js",
        "caseload_moves.js",
        "caseload_people.js",
        "caseload_flow.js",
        "caseload.js",
    ),
}


def placeholders(text):
    return sorted(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("section", SECTIONS)
def test_every_language_has_the_same_keys_and_placeholders(section):
    words = page_words(section)
    assert words["en"]
    for lang in ("fr", "it"):
        assert set(words[lang]) == set(words["en"])
        for key, text in words["en"].items():
            assert placeholders(words[lang][key]) == placeholders(text), f"{lang} {section}.{key}"


@pytest.mark.parametrize("section", SECTIONS)
def test_languages_are_translated_and_not_copied(section):
    words = page_words(section)
    for lang in ("fr", "it"):
        sentences = [key for key, text in words["en"].items() if len(text.split()) > 3]
        assert all(words[lang][key] != words["en"][key] for key in sentences)


@pytest.mark.parametrize("section", SECTIONS)
def test_french_sets_spaces_before_its_double_signs(section):
    for key, text in page_words(section)["fr"].items():
        assert not re.search(r"(?<![\u202f\u00a0])[;!?]|[^\s\u00a0]:(?!\w)|\s:(?<! :)", text.replace("\u00a0:", "")), (
            key
        )
        assert "'" not in text, f"{key}: a straight apostrophe"


@pytest.mark.parametrize("section", SOURCES)
def test_every_word_that_a_page_says_is_there(section):
    words = page_words("pages", section)["en"]
    for name in SOURCES[section]:
        source = (files("casestrat.reports") / "templates" / name).read_text(encoding="utf-8")
        for key in re.findall(r"\bw\(\s*\"([a-z_.]+)\"", source):
            assert key in words or name in {"page.js", "local_files.js"}, f"{name} says {key!r}"
        for key in re.findall(r"\bplural\(\s*\"([a-z_.]+)\"", source):
            assert {f"{key}.one", f"{key}.other"} <= set(words), f"{name} counts {key!r}"


@pytest.mark.parametrize("section", SOURCES)
def test_no_word_is_left_that_nobody_says(section):
    folder = files("casestrat.reports") / "templates"
    names = (*SOURCES[section], "committee.html.j2", "caseload.html.j2")
    source = "".join((folder / name).read_text(encoding="utf-8") for name in names)
    built = re.findall(r"w\(`([a-z_]*)\$\{", source)  # keys put together: `form_${outcome}`
    built += [f"{prefix}_" for prefix in re.findall(r"coded\(\"(\w+)\"", source)]
    hints = re.findall(r"fileButton\(\"\w+\", \"(\w+)\"", source)
    for key in page_words(section)["en"]:
        stem = key.removesuffix(".one").removesuffix(".other")
        is_built = (
            any(start and stem.startswith(start) for start in [*built, "part_", "by_"])
            or stem.removesuffix("_hint") in hints
        )
        assert f'"{stem}"' in source or is_built, f"{section}.{key} is never said"
