from __future__ import annotations

import pytest

from casestrat.errors import KnowledgeError
from casestrat.knowledge import expression_names, parse_expression


@pytest.mark.parametrize(
    "text",
    [
        "age >= 60 or neurodegenerative",
        "not (housing in ['street', 'shelter']) and urgency != 0",
        "60 <= age < 75",
        "score > -1",
        "  fact == 'yes'  ",
    ],
)
def test_an_expression_of_the_allowed_parts_is_taken(text: str) -> None:
    assert parse_expression(text) is not None


@pytest.mark.parametrize(
    "text",
    ["", "age >=", "age + 1 > 3", "open('x')", "a.b", "lambda: 1", "a if b else c", "f'{a}'", "a := 1", "x[0]", "\x00"],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(KnowledgeError, match=r"expression|not allowed"):
        parse_expression(text)


def test_names_are_told_once_in_the_order_written() -> None:
    assert expression_names("b and (a or b) and c >= 1") == ("b", "a", "c")
