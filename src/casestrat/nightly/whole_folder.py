"""A folder of results that is written whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casestrat._version import __version__
from casestrat.errors import UsageError
from casestrat.nightly.files import json_bytes, output_error, put_in_place, write_atomic
from casestrat.nightly.manifest import MANIFEST, list_files, read_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping


def write_folder(out: Path, files: Mapping[str, bytes], schema: str, about: Mapping[str, Any]) -> None:
    """Write files and their manifest into a folder, by one rename; an earlier result of the same kind is replaced.

    Parameters
    ----------
    out : Path
        The folder: new, empty, or an earlier result.
    files : mapping of str to bytes
        Content by file name.
    schema : str
        What kind of result it is.
    about : mapping
        What the manifest says of it beside its files.

    Raises
    ------
    UsageError
        Where the folder holds something else.
    OutputError
        Where it cannot be written; what stood there before is unchanged.
    """
    check_target(out, schema)
    staged: Path | None = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        staged = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        fresh, before = staged / "new", staged / "before"
        fresh.mkdir()
        for name, content in files.items():
            write_atomic(fresh / name, content)
        manifest = {"schema": schema, "casestrat": __version__, **about, "files": list_files(fresh)}
        write_atomic(fresh / MANIFEST, json_bytes(manifest))
        _exchange(fresh, out, before)
    except OSError as fault:
        raise fault if isinstance(fault, UsageError) else output_error(fault, out) from None
    finally:
        if staged is not None:
            shutil.rmtree(staged, ignore_errors=True)


def check_target(out: Path, schema: str) -> None:
    """Refuse a folder that holds something other than an earlier result of the same kind.

    Parameters
    ----------
    out : Path
        The folder.
    schema : str
        The kind of result.

    Raises
    ------
    UsageError
        Where something else is there.
    """
    if out.exists() and not out.is_dir():
        raise UsageError("the output is a file", where=str(out), do="name a folder")
    is_free = not out.exists() or not any(out.iterdir())
    if not is_free and (read_manifest(out) or {}).get("schema") != schema:
        raise UsageError(
            "the folder holds something else, which is not replaced", where=str(out), do="name a new or an empty folder"
        )


def _exchange(fresh: Path, out: Path, before: Path) -> None:
    """Put the new folder in place; put the old one back where that fails."""
    if out.exists():
        put_in_place(out, before)
    try:
        put_in_place(fresh, out)
    except OSError:
        if before.exists():
            put_in_place(before, out)
        raise
