"""Three-valued expressions: Kleene's tables, intervals, codes, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import KnowledgeError
from casestrat.knowledge.three_valued import NotAtHand, Numbers, Words, read_expression

NAN = float("nan")
YES, NO, UNKNOWN = 1.0, 0.0, NAN


def numbers(*values: float) -> Numbers:
    array = np.array(values, dtype="float64")
    return Numbers(array, array)


def words(*values: str | None) -> Words:
    codes = np.array([value or "unknown" for value in values], dtype=object)
    return Words(codes, np.array([value is not None for value in values]))


def answers(text: str, n: int, **values: object) -> list[object]:
    result = read_expression(text).evaluate(values, n)  # type: ignore[arg-type]
    return [None if value is pd.NA else bool(value) for value in result]


PAIRS = [(a, b) for a in (YES, NO, UNKNOWN) for b in (YES, NO, UNKNOWN)]


def test_and_or_not_follow_kleenes_tables() -> None:
    a, b = numbers(*[pair[0] for pair in PAIRS]), numbers(*[pair[1] for pair in PAIRS])
    assert answers("a and b", 9, a=a, b=b) == [True, False, None, False, False, False, None, False, None]
    assert answers("a or b", 9, a=a, b=b) == [True, True, True, True, False, None, True, None, None]
    assert answers("not a", 3, a=numbers(YES, NO, UNKNOWN)) == [False, True, None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x >= 60", [True, None, False, None]),
        ("x > 60", [True, False, False, None]),
        ("x <= 60", [False, True, True, None]),
        ("x < 60", [False, None, True, None]),
        ("x == 60", [False, None, False, None]),
        ("x != 60", [True, None, True, None]),
        ("60 <= x", [True, None, False, None]),
        ("59 <= x <= 60", [False, True, False, None]),
        ("x in [59, 61]", [True, None, False, None]),
        ("x not in (59, 61)", [False, None, True, None]),
        ("x > -1", [True, True, True, None]),
    ],
)
def test_a_number_between_two_ends_is_compared_with_both(text: str, expected: list[object]) -> None:
    x = Numbers(np.array([61.0, 59.0, 40.0, NAN]), np.array([61.0, 60.0, 41.0, NAN]))
    assert answers(text, 4, x=x) == expected


def test_codes_are_compared_and_an_unknown_code_is_unknown() -> None:
    source = words("gp", "family", None)
    assert answers("source == 'gp'", 3, source=source) == [True, False, None]
    assert answers("source != 'gp'", 3, source=source) == [False, True, None]
    assert answers("source in ['gp', 'nurse']", 3, source=source) == [True, False, None]
    assert answers("source not in ['gp']", 3, source=source) == [False, True, None]


def test_a_code_as_a_flag_says_yes_no_or_nothing() -> None:
    assert answers("lives_alone", 4, lives_alone=words("yes", "no", "perhaps", None)) == [True, False, None, None]


def test_an_input_that_was_not_computed_is_unknown_for_everyone() -> None:
    assert answers("falls > 2", 2, falls=NotAtHand()) == [None, None]
    assert answers("falls or True", 2, falls=NotAtHand()) == [True, True]
    assert answers("falls and False", 2, falls=NotAtHand()) == [False, False]


def test_names_come_in_the_order_written() -> None:
    assert read_expression("average > 2 and (age >= 60 or average < 1)").names == ("average", "age")


@pytest.mark.parametrize("text", ["age > 'old'", "source > 'gp'", "age in 60", "age in []", "(age > 1) == True"])
def test_what_cannot_be_compared_is_refused(text: str) -> None:
    with pytest.raises(KnowledgeError, match="a rule"):
        read_expression(text, "rule x").evaluate({"age": numbers(1.0), "source": words("gp")}, 1)


@pytest.mark.parametrize("text", ["", "age >=", "open('x')", "age + 1 > 2", "__import__('os')", "age if age else 1"])
def test_what_is_not_of_the_small_language_is_refused(text: str) -> None:
    with pytest.raises(KnowledgeError):
        read_expression(text)
