"""The docstring of a kind of feature tells every option, also those that it inherits."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from casestrat.features.definitions import KINDS
from casestrat.features.feature import Feature
from casestrat.features.told_options import tell_inherited


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_kind_tells_each_option_once_in_the_order_of_its_signature(kind):
    told = re.findall(r"^(\w+) : \S", inspect.getdoc(kind), flags=re.MULTILINE)
    assert told == list(inspect.signature(kind).parameters)


def test_what_a_kind_says_itself_counts_before_its_bases_and_its_examples_come_last():
    @dataclass(frozen=True)
    class Shoe(Feature):
        """The size of a shoe.

        Examples
        --------
        >>> 1 + 1
        2

        Parameters
        ----------
        size : int
            From heel to toe,
            in centimetres.
        unit : str
            Of the shoe.
        """

        kind: ClassVar[str] = "shoe"
        size: int = field(default=1, kw_only=True)

    tell_inherited(Shoe)
    once = Shoe.__doc__
    lines = once.splitlines()
    assert lines[:4] == ["The size of a shoe.", "", "Parameters", "----------"]
    assert "    From heel to toe,\n    in centimetres." in once
    assert ("    Of the shoe." in lines, "    Unit of the value." in lines) == (True, False)
    assert lines[-2:] == [">>> 1 + 1", "2"]
    tell_inherited(Shoe)
    assert Shoe.__doc__ == once


def test_without_docstrings_there_is_nothing_to_complete():
    class Bare(Feature):
        pass

    Bare.__doc__ = None
    tell_inherited(Bare)
    assert Bare.__doc__ is None
