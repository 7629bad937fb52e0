from __future__ import annotations

import pickle
from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import KnowledgeError, UsageError
from casestrat.knowledge import FrozenMap, Wording, load_wording
from casestrat.knowledge.wording import _flat


@pytest.fixture
def own() -> Wording:
    english = load_wording("en")
    return Wording(
        "fr",
        FrozenMap({"own.a": "un", "own.empty": ""}),
        FrozenMap({**english.words, "own.b": "two {x}", "own.empty": "full"}),
    )


def test_words_are_filled_in(own: Wording) -> None:
    assert load_wording("fr")("committee_page.rank_of", n=8, total=9) == "rang 8 sur 9"
    words = {**load_wording("fr").words, "own.head": "{territory} · {date} · {people} personnes"}
    told = Wording("fr", FrozenMap(words), own.fallback)(
        "own.head", territory="Nord", date=date(2026, 10, 1), people=1063
    )
    assert told == "Nord · 1er octobre 2026 · 1\u202f063 personnes"


def test_what_a_language_lacks_is_said_in_english(own: Wording) -> None:
    assert own("own.a") == "un"
    assert own("own.b", x="birds") == "two birds"
    assert own("own.empty") == "full"
    assert "own.b" in own
    assert "own.c" not in own
    assert own.section("own")["empty"] == "full"


def test_a_key_that_no_language_has_is_refused_with_the_nearest() -> None:
    with pytest.raises(KnowledgeError, match=r"'committee_page.titel'.*did you mean 'committee_page.title'"):
        load_wording("en")("committee_page.titel")


def test_a_placeholder_without_a_value_is_refused() -> None:
    with pytest.raises(KnowledgeError, match=r"placeholder {date} has no value"):
        load_wording("en")("pages.as_of")


def test_a_language_that_is_not_kept_is_refused() -> None:
    with pytest.raises(UsageError, match=r"'de'"):
        load_wording("de")


@pytest.mark.parametrize(
    ("language", "value", "decimals", "expected"),
    [
        ("en", 12.5, None, "12.5"),
        ("fr", 12.5, None, "12,5"),
        ("en", 1234567, None, "1,234,567"),
        ("fr", 1234567, None, "1\u202f234\u202f567"),
        ("it", 1234567.891, 1, "1.234.567,9"),
        ("en", -3, None, "−3"),
        ("en", -0.001, None, "0"),
        ("en", -0.001, 1, "0.0"),
        ("fr", 10, None, "10"),
        ("en", 2, 2, "2.00"),
        ("en", 0.105, None, "0.1"),
        ("en", None, None, "–"),
        ("en", float("nan"), None, "–"),
        ("en", np.int64(1500), None, "1,500"),
        ("en", np.float32(0.5), None, "0.5"),
        ("en", pd.NA, None, "–"),
    ],
)
def test_a_number_is_written_as_the_language_does(language: str, value: float, decimals: int, expected: str) -> None:
    assert load_wording(language).number(value, decimals) == expected


@pytest.mark.parametrize(("language", "expected"), [("en", "31%"), ("fr", "31\u202f%"), ("it", "31%")])
def test_a_share_is_a_percentage(language: str, expected: str) -> None:
    assert load_wording(language).percent(0.314) == expected
    assert load_wording(language).percent(None) == "–"


@pytest.mark.parametrize(
    ("language", "expected"), [("en", "1 August 2026"), ("fr", "1er août 2026"), ("it", "1º agosto 2026")]
)
@pytest.mark.parametrize(
    "value",
    [date(2026, 8, 1), datetime(2026, 8, 1, 9, 30), pd.Timestamp("2026-08-01"), "2026-08-01"],  # noqa: DTZ001
)
def test_a_day_is_written_as_the_language_does(language: str, expected: str, value: object) -> None:
    assert load_wording(language).date(value) == expected


@pytest.mark.parametrize("value", [None, pd.NaT])
def test_a_day_that_is_missing_is_a_dash(value: object) -> None:
    assert load_wording("en").date(value) == "–"


def test_a_text_that_is_no_day_is_refused_without_repeating_it() -> None:
    with pytest.raises(UsageError) as told:
        load_wording("en").date("12/10/2026")
    assert "12/10" not in str(told.value)


@pytest.mark.parametrize(
    ("language", "n", "expected"),
    [
        ("en", 0, "0 case managers"),
        ("en", 1, "1 case manager"),
        ("fr", 0, "0 gestionnaire de cas"),
        ("fr", 2, "2 gestionnaires de cas"),
        ("it", 1, "1 case manager"),
    ],
)
def test_the_plural_follows_the_language(language: str, n: int, expected: str) -> None:
    assert load_wording(language).count("units.case_managers", n) == expected


def test_a_format_in_the_words_is_kept(own: Wording) -> None:
    words = Wording("en", FrozenMap({"a": "{x:.1f} {y}"}), load_wording("en").words)
    assert words("a", x=0.25, y=True) == "0.2 True"


def test_words_that_are_no_text_are_refused() -> None:
    with pytest.raises(KnowledgeError, match=r"'a.b' is not words"):
        _flat({"a": {"b": 3}}, "")


def test_a_wording_travels_to_workers() -> None:
    words = load_wording("it")
    assert pickle.loads(pickle.dumps(words)) == words
