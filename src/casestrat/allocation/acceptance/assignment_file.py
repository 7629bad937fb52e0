"""Reads what people decided about proposed moves: a frame, or the file that the caseload page exports.

The file is JSON::

    {"format": "casestrat-assignments/1", "as_of": "2026-10-01",
     "decisions": [{"case_id": "E1", "from_cm": "CM1", "to_cm": "CM2", "decision": "accept", "role": "lead",
                    "reason": "leaver", "note": null, "decided_by": "team lead", "decided_at": "2026-10-01T15:00:00",
                    "from_on": "2026-10-05", "until": null, "told_on": "2026-10-02"}]}

``decision`` is ``accept``, ``change`` (accepted with another ``to_cm``), ``hold`` (nothing happens yet) or ``undo`` (an
acceptance is taken back). ``role`` is ``lead`` (the default) or ``temporary``: the lead stays the lead. ``from_on`` is
the first day with the new case manager, by default the day of the decision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from casestrat.tables.decision_files import DecisionFormat, Fault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DECISIONS: Final = ("accept", "change", "hold", "undo")
ROLES: Final = ("lead", "temporary")
FORMAT: Final = DecisionFormat(
    name="casestrat-assignments/1",
    expected="a JSON object with format casestrat-assignments/1 and a list of decisions",
    do="export the decisions from the caseload page again",
    texts=("case_id", "from_cm", "to_cm", "decision", "role", "reason", "note", "decided_by"),
    days=("from_on", "until", "told_on"),
    moments=("decided_at",),
)

Row = dict[str, Any]


def read_assignment_decisions(source: pd.DataFrame | Mapping[str, Any] | Path | str) -> list[Mapping[str, Any]]:
    """Return the decisions of a frame, of a decision file, of its path or of its text.

    Parameters
    ----------
    source : pandas.DataFrame, mapping, Path or str
        One row a decision; or a file of format ``casestrat-assignments/1``.

    Returns
    -------
    list of mapping
        One a decision, not yet checked.

    Raises
    ------
    UsageError
        There is no such file, it is no JSON, or it has another format.

    Examples
    --------
    >>> read_assignment_decisions('{"format": "casestrat-assignments/1", "decisions": []}')
    []
    """
    if isinstance(source, pd.DataFrame):
        return [{str(name): value for name, value in row.items()} for row in source.to_dict("records")]
    return FORMAT.read(source)[2]


def plain_row(raw: object) -> tuple[Row, list[Fault]]:
    """Return a decision's fields as text, moments and None, with a fault for each that is none of these.

    Parameters
    ----------
    raw : object
        One decision as it stands.

    Returns
    -------
    tuple of dict and list
        Every field (None where it is not given), and the faults.

    Examples
    --------
    >>> row, faults = plain_row({"case_id": "E1", "decision": "accept", "decided_at": "soon"})
    >>> row["decision"], row["role"], faults
    ('accept', None, [('decided_at', 'type', 'YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS')])
    """
    plain, faults = FORMAT.plain_row(raw)
    dates = (*FORMAT.days, *FORMAT.moments)
    return {name: pd.Timestamp(value) if name in dates and value else value for name, value in plain.items()}, faults
