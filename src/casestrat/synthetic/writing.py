"""A made-up agency of any size, written shard by shard so that it never has to fit into memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
import pyarrow as arrow
import pyarrow.parquet as parquet

from casestrat.errors import UsageError
from casestrat.knowledge import Program, load_program
from casestrat.synthetic.agency import AS_OF, extract_of, synthesize_frames
from casestrat.tables import CONTRACTS
from casestrat.tables.writing import writing_whole

if TYPE_CHECKING:
    from casestrat.tables.contract import Contract

_LEAST = 20  # people of a shard


def write_agency(
    program: Program | str | Path,
    people: int,
    random_state: int,
    folder: str | Path,
    format: Literal["parquet", "csv"] = "parquet",  # noqa: A002
    shard_people: int = 200_000,
) -> Path:
    """Write a made-up agency of any size into a folder of tables, one shard of people after the other.

    Parameters
    ----------
    program : Program, str or Path
        A program, its name, or the path of its TOML.
    people : int
        How many people there are.
    random_state : int
        Seed.
    folder : str or Path
        Made where it is not there; files of the same names are replaced.
    format : {"parquet", "csv"}, default "parquet"
        Kind of files.
    shard_people : int, default 200000
        How many people are in memory at once. Each shard has its own staff; ids begin with the shard's number. It is
        part of what determines the tables.

    Returns
    -------
    Path
        The folder, which holds one file a table, ``truth`` beside them in a folder of its own, ``extract.toml`` and
        ``AS_OF``.

    Raises
    ------
    UsageError
        A number is too small, or the format is neither.
    OutputError
        A file cannot be written.
    """
    if format not in ("parquet", "csv"):
        raise UsageError("format must be parquet or csv", do="leave it out, or give one of the two")
    if shard_people < _LEAST or people < _LEAST:
        raise UsageError(f"people and shard_people must be at least {_LEAST}", do="give larger numbers")
    program = load_program(program)
    target = Path(folder)
    with writing_whole("the agency", target):
        (target / "truth").mkdir(parents=True, exist_ok=True)
        _write(program, people, random_state, target, format, shard_people)
        (target / "extract.toml").write_bytes(extract_of(program).to_toml().encode("utf-8"))
        (target / "AS_OF").write_bytes(f"{AS_OF.isoformat()}\n".encode())
    return target


def _write(program: Program, people: int, seed: int, target: Path, kind: str, shard_people: int) -> None:
    """Write every shard behind the one before it."""
    sinks: dict[str, _Sink] = {}
    meetings: list[pd.DataFrame] = []
    try:
        for shard, size in enumerate(shard_sizes(people, shard_people)):
            frames, truth = synthesize_frames(program, size, seed, shard)
            meetings.append(frames.pop("committee_meetings"))
            if shard:
                del frames["services"]  # those of the territories are the same for all shards
            for name, frame in frames.items():
                path = target / f"{name}.{kind}"
                sinks.setdefault(name, _Sink(path, kind)).add(_typed(frame, CONTRACTS[name]))
            sinks.setdefault("truth", _Sink(target / "truth" / f"truth.{kind}", kind)).add(truth)
        sinks["meetings"] = _Sink(target / f"committee_meetings.{kind}", kind)
        sinks["meetings"].add(_typed(_together(meetings), CONTRACTS["committee_meetings"]))
    finally:
        for sink in sinks.values():
            sink.close()


def _together(meetings: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the meetings of all shards: one committee a territory, its places added up."""
    every = pd.concat(meetings, ignore_index=True)
    places = every.groupby("meeting_id")["places"].sum()
    once = every.drop_duplicates("meeting_id")
    return once.assign(places=once["meeting_id"].map(places))


def shard_sizes(people: int, shard_people: int) -> list[int]:
    """Return the sizes of the shards; a rest too small for a shard joins the one before it.

    Examples
    --------
    >>> shard_sizes(450, 200), shard_sizes(210, 200)
    ([200, 200, 50], [210])
    """
    whole, rest = divmod(people, shard_people)
    sizes = [shard_people] * whole
    if rest >= _LEAST or not sizes:
        return [*sizes, rest]
    sizes[-1] += rest
    return sizes


def _typed(frame: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    """Return the frame with the contract's types, so that every shard's file has one schema."""
    known = {name: contract.by_name[name].dtype for name in frame if name in contract.by_name}
    flags = {name: "boolean" for name in frame if name not in known}  # the program's questions on the referral form
    return frame.astype({**known, **flags})


class _Sink:
    """One file that grows: a Parquet row group or a stretch of CSV a shard."""

    def __init__(self, path: Path, kind: str) -> None:
        self._path, self._kind = path, kind
        self._writer: parquet.ParquetWriter | None = None
        self._is_new: bool = True

    def add(self, frame: pd.DataFrame) -> None:
        """Append rows."""
        if self._kind == "csv":
            words = pd.DataFrame({name: _words(frame[name]) for name in frame})
            mode: Literal["w", "a"] = "w" if self._is_new else "a"
            words.to_csv(self._path, mode=mode, header=self._is_new, index=False, lineterminator="\n", encoding="utf-8")
            self._is_new = False
            return
        table = arrow.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
        if self._writer is None:
            self._writer = parquet.ParquetWriter(self._path, table.schema, compression="zstd")
        self._writer.write_table(table)

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()


def _words(column: pd.Series) -> pd.Series[Any]:
    """Return what is written of a column: flags as true and false, moments as ISO text."""
    if pd.api.types.is_bool_dtype(column.dtype):
        return column.map({True: "true", False: "false"})
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        words: pd.Series[Any] = column.dt.strftime("%Y-%m-%dT%H:%M:%S")
        return words
    return column
