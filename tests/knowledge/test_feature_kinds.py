from __future__ import annotations

from dataclasses import fields

from casestrat.features.definitions import KINDS
from casestrat.knowledge.feature_kinds import FEATURE_KINDS, TIMED_TABLES
from casestrat.tables import CONTRACTS


def test_the_kinds_are_those_that_features_knows() -> None:
    assert set(FEATURE_KINDS) == set(KINDS)


def test_every_option_is_one_of_its_class() -> None:
    for name, kind in FEATURE_KINDS.items():
        assert set(kind.options) <= {field.name for field in fields(KINDS[name])}, name


def test_the_tables_of_dated_rows_have_a_moment() -> None:
    for name in TIMED_TABLES:
        assert name == "responses" or CONTRACTS[name].observed, name
