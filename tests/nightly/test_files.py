"""Output is written whole or not at all, with the same bytes for the same content."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from casestrat.errors import OutputError
from casestrat.knowledge import load_wording
from casestrat.nightly import files
from casestrat.tables import TEXT


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "list.csv"
    files.write_atomic(target, b"old")
    files.write_atomic(target, b"new")
    assert target.read_bytes() == b"new"
    assert [path.name for path in target.parent.iterdir()] == ["list.csv"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_keeps_what_stood_there_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    target = tmp_path / "list.csv"
    target.write_bytes(b"old")

    def full(_number: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="disk is full") as caught:
        files.write_atomic(target, b"new")
    assert "run again" in str(caught.value)
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["list.csv"]


def test_a_file_held_open_is_tried_again_and_then_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def busy(source: Path, target: Path) -> None:
        calls.append((source, target))
        raise PermissionError(errno.EACCES, "busy")

    monkeypatch.setattr(os, "replace", busy)
    monkeypatch.setattr(files.time, "sleep", lambda _seconds: None)
    with pytest.raises(OutputError, match="close the file in Excel"):
        files.write_atomic(tmp_path / "list.csv", b"new")
    assert len(calls) == 5


def test_a_file_held_open_for_a_moment_is_replaced_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = os.replace, []

    def busy_once(source: Path, target: Path) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise PermissionError(errno.EACCES, "busy")
        real(source, target)

    monkeypatch.setattr(os, "replace", busy_once)
    monkeypatch.setattr(files.time, "sleep", lambda _seconds: None)
    files.write_atomic(tmp_path / "list.csv", b"new")
    assert (tmp_path / "list.csv").read_bytes() == b"new"


def test_any_other_fault_of_the_file_system_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OutputError, match="could not be written"):
        files.write_atomic(tmp_path / "file" / "list.csv", b"new")


def test_parquet_has_the_same_bytes_for_the_same_rows() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": pd.array(["x", None], dtype=TEXT)})
    assert files.parquet_bytes(frame) == files.parquet_bytes(frame.set_index(pd.Index([5, 6])))


@pytest.mark.parametrize(("lang", "separator", "half"), [("en", ",", "0.5"), ("fr", ";", "0,5"), ("it", ";", "0,5")])
def test_a_list_opens_in_the_spreadsheet_of_its_language(lang: str, separator: str, half: str) -> None:
    frame = pd.DataFrame({"risk": [0.5], "referred_on": pd.to_datetime(["2026-10-01"])})
    text = files.csv_bytes(frame, load_wording(lang)).decode("utf-8-sig")
    assert text.splitlines()[1] == separator.join((half, "2026-10-01"))


def test_text_that_a_spreadsheet_would_run_is_made_inert() -> None:
    frame = pd.DataFrame({"reason": pd.array(["=1+1", "@x", "plain", None], dtype=TEXT)})
    text = files.csv_bytes(frame, load_wording("en")).decode("utf-8-sig")
    assert text.splitlines()[1:3] == ["'=1+1", "'@x"]
    assert "plain" in text


def test_a_working_file_keeps_the_types_of_pandas_and_an_output_keeps_no_note_of_what_wrote_it() -> None:
    frame = pd.DataFrame({
        "points": pd.array([3, None], dtype="Int64"), "flag": pd.array([True, None], dtype="boolean"),
    })  # fmt: skip
    working = pq.ParquetFile(io.BytesIO(files.typed_parquet_bytes(frame)))
    assert working.schema_arrow.pandas_metadata is not None
    pd.testing.assert_frame_equal(working.read().to_pandas(), frame)
    assert pq.ParquetFile(io.BytesIO(files.parquet_bytes(frame))).schema_arrow.metadata is None
    assert files.typed_parquet_bytes(frame) == files.typed_parquet_bytes(frame.copy())
