"""The run's log: clock times and host facts, the one file whose bytes differ from run to run."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from casestrat.nightly.manifest import RUN_LOG

if TYPE_CHECKING:
    from pathlib import Path

_LIBRARIES = ("casestrat", "pandas", "numpy", "scipy", "scikit-learn", "pyarrow", "pandera")


def append_log(folder: Path, lines: list[str]) -> None:
    """Add lines to the log of a run, each with the moment it was written.

    Parameters
    ----------
    folder : pathlib.Path
        The run's folder.
    lines : list of str
        What happened; counts and names of files, never a person's value.
    """
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with (folder / RUN_LOG).open("a", encoding="utf-8") as log:
        log.writelines(f"{moment} {line}\n" for line in lines)


def host_line() -> str:
    """Return what the run ran on: Python, system, libraries."""
    libraries = " ".join(f"{name}={version(name)}" for name in _LIBRARIES)
    return f"python={platform.python_version()} system={platform.system()} {libraries}"
