"""Models in service: promoted and rolled back on a record that cannot be rewritten."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from casestrat.errors import StoreError, UsageError
from casestrat.models import PointScorecard, load_model, save_model
from casestrat.nightly import current_model, model_file, model_history, promote, rollback
from casestrat.nightly.registry import HISTORY

WHO = {"approver": "A. Lead", "reason": "held against the card in May"}


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    cards = [
        PointScorecard.from_table(pd.DataFrame({"item": ["age"], "condition": [">= 80"], "points": [points]}))
        for points in (1, 2, 3)
    ]
    return [save_model(card, tmp_path / f"card_{number}.json") for number, card in enumerate(cards, start=1)]


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    return tmp_path / "models"


def points_in_service(registry: Path) -> int:
    return load_model(current_model(registry).file).max_points


def test_a_promoted_model_is_in_service_though_its_file_is_gone(files: list[Path], registry: Path) -> None:
    act = promote(files[0], registry, **WHO, at="2026-05-03T10:00:00+02:00")
    files[0].unlink()
    assert (act.number, act.act, act.at) == (1, "promote", "2026-05-03T08:00:00Z")
    assert points_in_service(registry) == 1
    assert model_file(registry) == act.file
    assert model_file(files[1]) == files[1]
    assert model_file(None) is None


def test_each_rollback_goes_one_model_further_back(files: list[Path], registry: Path) -> None:
    for file in files:
        promote(file, registry, **WHO)
    rollback(registry, approver="B", reason="too many ties")
    assert points_in_service(registry) == 2
    rollback(registry, approver="B", reason="the same")
    assert points_in_service(registry) == 1
    with pytest.raises(UsageError, match="no model was in service before"):
        rollback(registry, approver="B", reason="again")
    promote(files[2], registry, **WHO)
    rollback(registry, approver="B", reason="no")
    assert points_in_service(registry) == 1
    history = model_history(registry)
    assert history["act"].tolist() == ["promote"] * 3 + ["rollback"] * 2 + ["promote", "rollback"]
    assert history["in_service"].tolist() == [False] * 6 + [True]
    assert history["approver"].tolist()[3] == "B"


def test_the_history_only_grows(files: list[Path], registry: Path) -> None:
    promote(files[0], registry, **WHO, comparison={"enters": 3, "leaves": 2})
    before = (registry / HISTORY).read_bytes()
    promote(files[1], registry, **WHO)
    assert (registry / HISTORY).read_bytes().startswith(before)
    assert model_history(registry)["enters"].tolist()[0] == 3
    assert model_history(registry)["enters"].isna().tolist() == [False, True]


@pytest.mark.parametrize("how", ["change", "drop", "swap", "garble", "renumber"])
def test_a_history_that_was_altered_is_refused(files: list[Path], registry: Path, how: str) -> None:
    for file in files:
        promote(file, registry, **WHO)
    path = registry / HISTORY
    lines = path.read_text("utf-8").splitlines()
    if how == "change":
        lines[1] = lines[1].replace("A. Lead", "Nobody")
    elif how == "drop":
        del lines[1]
    elif how == "swap":
        lines[0], lines[1] = lines[1], lines[0]
    elif how == "garble":
        lines[2] = "[1, 2]"
    else:
        record = json.loads(lines[2])
        lines[2] = json.dumps(record | {"number": 9}, sort_keys=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for use in (current_model, model_history):
        with pytest.raises(StoreError, match="was altered"):
            use(registry)


def test_a_model_that_was_altered_in_the_registry_is_refused_and_can_be_rolled_back(
    files: list[Path], registry: Path
) -> None:
    promote(files[0], registry, **WHO)
    act = promote(files[1], registry, **WHO)
    act.file.write_bytes(files[2].read_bytes())
    with pytest.raises(StoreError, match="gone from the registry, or was altered"):
        current_model(registry)
    rollback(registry, approver="B", reason="the file was altered")
    assert points_in_service(registry) == 1


def test_what_cannot_be_recorded_is_refused_and_leaves_nothing(files: list[Path], registry: Path) -> None:
    with pytest.raises(UsageError, match="an approver"):
        promote(files[0], registry, approver=" ", reason="good")
    with pytest.raises(UsageError, match="a reason"):
        promote(files[0], registry, approver="A", reason="")
    with pytest.raises(UsageError, match="moment cannot be read"):
        promote(files[0], registry, **WHO, at="yesterday")
    with pytest.raises(UsageError, match="comparison"):
        promote(files[0], registry, **WHO, comparison={"enters": object()})
    with pytest.raises(UsageError, match="no model was promoted"):
        current_model(registry)
    assert model_history(registry).empty
    promote(files[0], registry, **WHO)
    with pytest.raises(UsageError, match="in service already"):
        promote(files[0], registry, **WHO)


def test_what_is_no_registry_or_no_model_is_refused(files: list[Path], tmp_path: Path) -> None:
    for use in (current_model, model_history):
        with pytest.raises(UsageError, match="no such registry"):
            use(tmp_path / "none")
    with pytest.raises(UsageError, match="no such registry"):
        rollback(tmp_path / "none", **WHO)
    files[0].write_text("{}", encoding="utf-8")
    with pytest.raises(StoreError):
        promote(files[0], tmp_path / "models", **WHO)
    assert not (tmp_path / "models" / HISTORY).exists()
