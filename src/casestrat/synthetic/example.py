"""The shipped example: one made-up agency, the same on every machine, with or without a checkout."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from casestrat.knowledge import Program, load_program
from casestrat.synthetic.agency import AS_OF, Agency, synthesize
from casestrat.synthetic.data_card import data_card
from casestrat.tables import CONTRACTS, Tables, write_tables
from casestrat.tables.writing import writing_whole

if TYPE_CHECKING:
    import datetime as dt

EXAMPLE_PEOPLE = 600
EXAMPLE_SEED = 2026
CHECKSUMS = "checksums.sha256"

_MADE: dict[str, Agency] = {}  # by fingerprint of the program


def example_as_of() -> dt.date:
    """Return the day that the example is seen on.

    Returns
    -------
    datetime.date
        Nothing recorded later is in its tables.

    Examples
    --------
    >>> example_as_of().isoformat()
    '2026-10-01'
    """
    return AS_OF


def load_example(program: Program | str | Path = "geriatric") -> Tables:
    """Load the made-up agency that casestrat is shown on.

    Parameters
    ----------
    program : Program, str or Path, default "geriatric"
        A program, its name, or the path of its TOML. For ``geriatric`` these are the tables of
        ``data/synthetic/geriatric``; they are made anew, so no checkout is needed.

    Returns
    -------
    Tables
        The checked tables; each call gives frames of its own.

    Examples
    --------
    >>> tables = load_example("geriatric")
    >>> len(tables.persons), len(tables.set_aside)
    (600, 0)
    """
    tables = _example(load_program(program)).tables
    return replace(tables, **{name: getattr(tables, name).copy() for name in CONTRACTS})


def write_example(folder: str | Path, program: Program | str | Path = "geriatric") -> Path:
    """Write the example as a folder: tables as CSV, extract.toml, AS_OF, the data card and the checksums.

    Parameters
    ----------
    folder : str or Path
        Made where it is not there; files of the same names are replaced.
    program : Program, str or Path, default "geriatric"
        The program whose example is written.

    Returns
    -------
    Path
        The folder, the same bit for bit each time.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    program = load_program(program)
    agency = _example(program)
    target = write_tables(agency.tables, folder)
    card = data_card(agency, program, EXAMPLE_PEOPLE, EXAMPLE_SEED)
    with writing_whole("the example", target):
        (target / "AS_OF").write_bytes(f"{agency.as_of.isoformat()}\n".encode())
        (target / "DATA_CARD.md").write_bytes(card.encode("utf-8"))
        (target / CHECKSUMS).write_bytes(checksums_of(target).encode("utf-8"))
    return target


def checksums_of(folder: str | Path) -> str:
    """Return the lines of a checksum file: SHA-256 and name of every other file of a folder.

    Parameters
    ----------
    folder : str or Path
        A folder of files.

    Returns
    -------
    str
        One line a file, in order of name, as ``sha256sum`` writes them.
    """
    files = sorted(path for path in Path(folder).iterdir() if path.is_file() and path.name != CHECKSUMS)
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)


def _example(program: Program) -> Agency:
    """Return the example of a program, made once in a process."""
    key = program.fingerprint
    if key not in _MADE:
        _MADE[key] = synthesize(program, people=EXAMPLE_PEOPLE, random_state=EXAMPLE_SEED)
    return _MADE[key]
