"""What can go wrong, each with the exit code that the command line gives for it.

Every message says what was expected, what was found, where, and what to do. No message ever holds a person's value:
a row is named by its table, its source file and its line.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of the command line."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    TABLES_REFUSED = 3
    TOO_MUCH_SET_ASIDE = 4
    LOCKED = 5
    PARTIAL = 6


class CasestratError(Exception):
    """Anything that casestrat refuses to do, told in words that a program analyst can act on.

    Parameters
    ----------
    what : str
        What was expected and what was found, in one sentence.
    where : str, optional
        The file, table, column or setting that holds the fault.
    do : str, optional
        What the reader can do about it.

    Examples
    --------
    >>> print(UsageError("no program is called 'geriatrics'", do="choose one of: geriatric, medical"))
    no program is called 'geriatrics'. What to do: choose one of: geriatric, medical
    """

    exit_code = ExitCode.FAILED

    def __init__(self, what: str, *, where: str | None = None, do: str | None = None) -> None:
        self.what, self.where, self.do = what, where, do
        super().__init__(what, where, do)

    def __str__(self) -> str:
        parts = [self.what.rstrip(".")]
        if self.where:
            parts.append(f"Where: {self.where.rstrip('.')}")
        if self.do:
            parts.append(f"What to do: {self.do.rstrip('.')}")
        return ". ".join(parts)


class UsageError(CasestratError, ValueError):
    """An argument, option or setting that cannot be used as given."""

    exit_code = ExitCode.USAGE


class KnowledgeError(CasestratError, ValueError):
    """A program, instrument, scorecard or wording file that does not keep its contract."""

    exit_code = ExitCode.USAGE


class TablesError(CasestratError, ValueError):
    """A source of tables that cannot be used at all: a table or a key column is missing, or unreadable."""

    exit_code = ExitCode.TABLES_REFUSED


class GateError(CasestratError):
    """A nightly run stopped before scoring: too many rows set aside, or tables too stale."""

    exit_code = ExitCode.TOO_MUCH_SET_ASIDE


class LockedError(CasestratError):
    """Another run holds the lock of the output folder."""

    exit_code = ExitCode.LOCKED


class PartialError(CasestratError):
    """A run ended before all its parts were done; a re-run resumes it."""

    exit_code = ExitCode.PARTIAL


class StoreError(CasestratError):
    """A model file that cannot be trusted or does not fit the program, the features or the data."""

    exit_code = ExitCode.USAGE


class OutputError(CasestratError, OSError):
    """Output that could not be written whole: a full disk, or a file held open by another program."""

    exit_code = ExitCode.FAILED
