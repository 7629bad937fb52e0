"""Both engines do every part once and give the same receipts."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import cloudpickle
import pytest

from casestrat.errors import PartialError, UsageError
from casestrat.nightly.engine import run_parts

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # a cluster's workers cannot import a test


def square(number: int) -> dict[str, int]:
    return {"part": number, "square": number * number}


def die_once(path: str) -> dict[str, str]:
    """Kill the own process the first time, as a machine that runs out of memory does."""
    mark = Path(path)
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return {"part": path}


@pytest.mark.parametrize(("workers", "tasks"), [(1, 4), (2, 4), (8, 2), (None, 4)])
def test_every_part_is_done_once_whatever_the_number_of_workers(workers: int | None, tasks: int) -> None:
    receipts = list(run_parts(square, range(1, tasks + 1), workers=workers))
    assert sorted(receipt["square"] for receipt in receipts) == [1, 4, 9, 16][:tasks]


def test_nothing_to_do_starts_nothing() -> None:
    assert list(run_parts(square, [])) == []


def test_an_unknown_engine_is_named_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="local, dask"):
        list(run_parts(square, [1], engine="spark"))  # type: ignore[arg-type]


def test_no_workers_is_refused() -> None:
    with pytest.raises(UsageError, match="1 or more"):
        list(run_parts(square, [1], workers=0))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_killed_worker_of_this_machine_leaves_a_run_that_can_be_resumed(tmp_path: Path) -> None:
    tasks = [str(tmp_path / f"{number}") for number in range(3)]
    with pytest.raises(PartialError, match="run again"):
        list(run_parts(die_once, tasks, workers=2))


@pytest.mark.dask
@pytest.mark.filterwarnings("default")
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_cluster_loses_nothing_when_a_worker_is_killed(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    tasks = [str(tmp_path / "killer"), *(str(tmp_path / f"quiet{number}") for number in range(3))]
    for path in tasks[1:]:
        Path(path).touch()
    receipts = list(run_parts(die_once, tasks, engine="dask", workers=2))
    assert sorted(receipt["part"] for receipt in receipts) == sorted(tasks)


@pytest.mark.dask
@pytest.mark.filterwarnings("default")
def test_a_scheduler_that_does_not_answer_is_named() -> None:
    pytest.importorskip("distributed")
    with pytest.raises(UsageError, match="no Dask scheduler answered"):
        list(run_parts(square, [1], engine="dask", scheduler="tcp://127.0.0.1:9"))
