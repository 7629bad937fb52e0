"""Reads what a committee decided, from a frame, a file or text, into plain rows; says what no row can be read from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from casestrat.errors import UsageError
from casestrat.tables.decision_files import DecisionFormat, within

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FORMAT: Final = DecisionFormat(
    name="casestrat-decisions/1",
    expected="a JSON object with format, meeting_id, list_fingerprint and a list of decisions",
    do="export the decisions from the committee page again",
    texts=(
        "referral_id", "person_id", "outcome", "reason", "note", "decided_by", "override_reason", "relay",
        "relay_status", "response", "meeting_id", "list_fingerprint",
    ),
    days=("defer_until", "relay_due_on", "relay_confirmed_on", "respond_by"),
    moments=("decided_at",),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DecisionFile:
    """What was read: the list it speaks of, and its rows as they stand.

    Parameters
    ----------
    meeting_id, list_fingerprint : str or None
        What the file says it belongs to; None where a frame says it row by row or not at all.
    rows : list of mapping
        One mapping a decision, values as given.
    """

    meeting_id: str | None
    list_fingerprint: str | None
    rows: list[Mapping[str, Any]]


def read_decisions(source: pd.DataFrame | Mapping[str, Any] | Path | str) -> DecisionFile:
    """Read decisions from a frame, a decision file, its path, its text or its parsed content.

    Parameters
    ----------
    source : pandas.DataFrame, mapping, Path or str
        One row a decision; or a decision file (format ``casestrat-decisions/1``).

    Returns
    -------
    DecisionFile
        The rows, not yet checked.

    Raises
    ------
    UsageError
        There is no such file, it is no JSON, or it has another format.

    Examples
    --------
    >>> head = '{"format": "casestrat-decisions/1", "meeting_id": "M1", "list_fingerprint": "9f", "decisions": []}'
    >>> read_decisions(head)
    DecisionFile(meeting_id='M1', list_fingerprint='9f', rows=[])
    """
    if isinstance(source, pd.DataFrame):
        return DecisionFile(None, None, source.to_dict("records"))  # type: ignore[arg-type]
    file, content, rows = FORMAT.read(source)
    for name in ("meeting_id", "list_fingerprint"):
        if not isinstance(content.get(name), str):
            raise UsageError(f"the decisions have no `{name}`", where=within(file, name), do=FORMAT.do)
    return DecisionFile(content["meeting_id"], content["list_fingerprint"], rows)
