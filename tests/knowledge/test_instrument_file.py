from __future__ import annotations

from pathlib import Path

import pytest

from casestrat.errors import KnowledgeError, UsageError
from casestrat.knowledge import load_instrument
from casestrat.knowledge.instrument import Item, Step


def test_no_instrument_has_the_name() -> None:
    with pytest.raises(UsageError, match=r"no instrument is called 'phq_9'.*did you mean 'phq9'"):
        load_instrument("phq_9")


def test_a_variant_changes_what_it_declares_and_nothing_else() -> None:
    usual, half = load_instrument("katz"), load_instrument("katz", "half_points")
    assert usual.items[0].allowed == (0.0, 1.0)
    assert half.items[0].allowed == (0.0, 0.5, 1.0)
    assert half.bands == usual.bands
    assert (usual.variant, half.variant) == ("", "half_points")
    assert usual.fingerprint != half.fingerprint


def test_a_variant_that_is_not_declared_is_refused() -> None:
    with pytest.raises(KnowledgeError, match=r"no variant is called 'half'"):
        load_instrument("katz", "half")


def test_every_combination_of_parts_has_a_letter() -> None:
    dressing = next(item for item in load_instrument("aggir").items if item.id == "habillage")
    assert dressing.parts is not None
    assert len(dressing.parts.letter_of) == 27
    assert dressing.parts.letter_of["ABC"] == "B"


@pytest.mark.parametrize(("code", "points"), [(0, 0), (0.5, 0), (1, 1), (3, 1), (4, 5), (99, 5)])
def test_steps_hold_from_their_start_to_the_next(code: float, points: float) -> None:
    item = Item("stay", {"en": "stay"}, minimum=0, steps=(Step(1, 1), Step(4, 5)))
    assert item.points_of(code) == points


def test_a_reversed_item_counts_its_distance_from_the_highest_code() -> None:
    item = Item("hope", {"en": "hope"}, allowed=(0.0, 1.0, 2.0, 3.0), is_reversed=True, weight=2.0)
    assert [item.points_of(code) for code in (0, 1, 3)] == [6.0, 4.0, 0.0]


@pytest.mark.parametrize(
    ("name", "before", "after", "words"),
    [
        ("phq9", 'rule = "complete"', 'rule = "guess"', "no rule of that kind is called 'guess'"),
        ("phq9", "allowed = [0, 1, 2, 3]", 'allowed = [0, "1"]', "mixes words and numbers"),
        ("phq9", "allowed = [0, 1, 2, 3]", "", "either codes or a whole-number range"),
        ("phq9", "allowed = [0, 1, 2, 3]", "allowed = [0, 1]\nminimum = 0", "either codes or a whole-number range"),
        ("phq9", 'id = "q2"', 'id = "q1"', "a name twice"),
        ("phq9", 'item = "q9"', 'item = "q10"', "called 'q10'"),
        ("phq9", "from = 5", "above = 5\nfrom = 5", "exactly one bound"),
        ("phq9", "from = 5", "", "exactly one bound"),
        ("phq9", "from = 5", "from = 11", "do not rise"),
        ("phq9", "from = 0", "from = 1", "do not cover the range"),
        ("phq9", "from = 20", "from = 28", "do not cover the range"),
        ("phq9", "range = [0, 27]", "range = [27, 0]", "lowest and the highest"),
        ("phq9", "range = [0, 27]", "range = [27]", "lowest and the highest"),
        ("phq9", 'type = "sum"', 'type = "sums"', "no type of scoring is called 'sums'.*did you mean 'sum'"),
        ("phq9", "q1 = 3", "q0 = 3", "called 'q0'"),
        ("phq9", 'licence = "', 'license = "', "'licence' is missing.*rename 'license'"),
        ("charlson", '"diabetes_end_organ", "diabetes"]', '"diabetes_end_organ", "sugar"]', "called 'sugar'"),
        ("charlson", '["diabetes_end_organ", "diabetes"]', '["diabetes"]', "list of pairs"),
        ("charlson", 'context = ["age"]', 'context = ["height"]', "called 'height'"),
        ("charlson", "{ from = 60, points = 2 }", "{ from = 50, points = 2 }", "begin at the same value"),
        ("auditc", 'context = ["sex"]', 'context = ["age"]', "column of `context` is called 'sex'"),
        ("aggir", "weights.C = { coherence = 2000", "weights.C = { coherance = 2000", "'coherence'"),
        ("aggir", 'A = ["AA"]', 'A = ["AX"]', "no combination of letters is called 'AX'"),
        ("aggir", 'otherwise = "B"', 'otherwise = "X"', "otherwise"),
    ],
)
def test_a_fault_is_refused_with_its_place(edited, name: str, before: str, after: str, words: str) -> None:
    with pytest.raises(KnowledgeError, match=words) as told:
        load_instrument(edited("instruments", name, before, after))
    assert f"{name}.toml" in str(told.value)


def test_a_sites_own_instrument_is_read_from_its_path(edited) -> None:
    path = edited("instruments", "phq9", "from = 20", "from = 21")
    assert isinstance(path, Path)
    assert load_instrument(path).bands[-1].start == 21.0
    assert load_instrument("phq9").bands[-1].start == 20.0
