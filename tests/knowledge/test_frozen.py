from __future__ import annotations

import pickle

import pytest

from casestrat.knowledge import FrozenMap, freeze


def test_a_frozen_map_reads_as_the_mapping_it_was_made_of() -> None:
    frozen = FrozenMap({"b": 1, "a": 2})
    assert dict(frozen) == {"b": 1, "a": 2}
    assert list(frozen.items()) == [("b", 1), ("a", 2)]
    assert len(frozen) == 2
    assert frozen == {"a": 2, "b": 1}
    assert repr(frozen) == "FrozenMap({'b': 1, 'a': 2})"


def test_a_frozen_map_cannot_be_changed() -> None:
    frozen = FrozenMap({"a": 1})
    with pytest.raises(AttributeError):
        frozen._content = {}
    with pytest.raises(TypeError):
        frozen["a"] = 2  # type: ignore[index]


def test_a_frozen_map_does_not_follow_changes_of_what_it_was_made_of() -> None:
    content = {"a": 1}
    frozen = FrozenMap(content)
    content["a"] = 2
    assert frozen["a"] == 1


def test_a_frozen_map_hashes_by_content_and_travels_by_value() -> None:
    frozen = freeze({"a": {"b": [1, {"c": 2}]}})
    assert hash(frozen) == hash(freeze({"a": {"b": (1, {"c": 2})}}))
    assert pickle.loads(pickle.dumps(frozen)) == frozen
