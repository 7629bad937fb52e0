"""Conditions of a scorecard's rows against columns of numbers and of text."""

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.knowledge.scorecard import parse_condition
from casestrat.models.cards.conditions import holds, probe_columns, strictness_order, write_condition
from casestrat.models.inputs.columns import read_values

NUMBERS = read_values(pd.Series([1.0, 2.0, 3.0, np.nan]), "x")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (">= 2", [False, True, True, False]),
        ("> 2", [False, False, True, False]),
        ("<= 2", [True, True, False, False]),
        ("< 2", [True, False, False, False]),
        ("= 2", [False, True, False, False]),
        ("is missing", [False, False, False, True]),
    ],
)
def test_each_form_holds_where_it_says_and_never_for_a_missing_number(words, expected):
    assert holds(parse_condition(words), NUMBERS, "x").tolist() == expected


def test_a_code_is_compared_as_written_and_a_number_also_as_a_number():
    column = read_values(pd.Series(["1", "01", "one", None]), "x")
    assert holds(parse_condition("= 1"), column, "x").tolist() == [True, True, False, False]
    assert holds(parse_condition("= one"), column, "x").tolist() == [False, False, True, False]


def test_an_all_missing_column_fulfils_only_is_missing():
    column = read_values(pd.Series([None, None], dtype=object), "x")
    assert not holds(parse_condition(">= 1"), column, "x").any()
    assert not holds(parse_condition("= home"), column, "x").any()
    assert holds(parse_condition("is missing"), column, "x").all()


def test_a_code_that_is_no_number_is_refused_on_numbers():
    with pytest.raises(UsageError, match="column x"):
        holds(parse_condition("= home"), NUMBERS, "x")


def test_narrower_thresholds_come_later():
    words = ["< 3", "= 2", ">= 2", "> 2", "< 5", ">= 1"]
    conditions = [parse_condition(text) for text in words]
    assert [words[i] for i in strictness_order(conditions)] == [">= 1", ">= 2", "> 2", "< 5", "< 3", "= 2"]


@pytest.mark.parametrize("words", [">= 2.5", "= heroin", "is missing", "< -1"])
def test_a_condition_reads_back_as_written(words):
    assert write_condition(parse_condition(words)) == words


def test_probes_hold_missing_and_every_code_and_another():
    probes = probe_columns([parse_condition("= a"), parse_condition("= b")])
    assert [probe.is_missing.all() for probe in probes] == [True, False]
    assert probes[1].levels[:2] == ("a", "b")
    assert len(probes[1].levels) == 3
