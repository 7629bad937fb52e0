"""What the committee decided, kept with its meeting."""

from __future__ import annotations

from pathlib import Path

from casestrat.errors import UsageError
from casestrat.knowledge import Program, load_program
from casestrat.nightly.files import write_atomic
from casestrat.nightly.manifest import locked
from casestrat.priority import Meeting, RecordResult


def record_decisions(meeting_file: str | Path, file: str | Path, program: str | Path | Program) -> RecordResult:
    """Check what the committee's page exported and keep it in the meeting's file.

    Parameters
    ----------
    meeting_file : str or path
        The meeting: ``OUT/AS_OF/meetings/<meeting_id>.json``.
    file : str or path
        The file that the page exported.
    program : str, path or Program
        The program whose reasons count.

    Returns
    -------
    RecordResult
        The decisions that stand and the rows that could not be recorded, with every reason. Beside the meeting's
        file, ``<meeting_id>.decisions.csv`` holds the decisions as the table ``decisions``, for the site's system.

    Raises
    ------
    UsageError
        Where the meeting's file is not there or cannot be read.
    LockedError
        Where a run or another import is under way.
    """
    path = Path(meeting_file)
    rules = load_program(program)
    if not path.is_file():
        raise UsageError(
            "the meeting's file is not there", where=str(path), do="give OUT/AS_OF/meetings/<meeting_id>.json"
        )
    out = path.parent.parent.parent if path.parent.name == "meetings" else path.parent  # OUT/AS_OF/meetings/
    with locked(out):
        meeting = Meeting.from_json(path.read_text(encoding="utf-8"), program=rules)
        result = meeting.record(Path(file))
        table = meeting.decisions.to_csv(index=False, lineterminator="\n").encode()
        write_atomic(path.with_suffix(".decisions.csv"), table)
        write_atomic(path, meeting.to_json().encode())
    return result
