"""What a meeting leaves to be followed up: admissions out of sequence, and relays that are due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.priority.decisions import TO_FIND, decisions_frame

if TYPE_CHECKING:
    from casestrat.priority.frozen_list import Entry
from casestrat.tables import TEXT

Standing = Mapping[str, Mapping[str, Any]]  # referral → the decision that stands on it
_SHOWN = ("decision_id", "referral_id", "person_id", "rank_shown", "is_override", "override_reason")


def out_of_sequence(entries: Sequence[Entry], standing: Standing) -> pd.DataFrame:
    """Return everyone who was admitted although someone above them was not; see :meth:`Meeting.out_of_sequence`."""
    is_admitted = np.array([_outcome(standing, entry) == "admit" for entry in entries], dtype=bool)
    passed = np.cumsum(~is_admitted)
    first = entries[int(np.argmin(is_admitted))].rank if len(entries) and not is_admitted.all() else None
    chosen = [i for i in range(len(entries)) if is_admitted[i] and passed[i]]
    frame = decisions_frame([dict(standing[entries[i].referral_id]) for i in chosen]).assign(
        n_passed_over=pd.array([int(passed[i]) for i in chosen], dtype="Int64"),
        first_passed_over=pd.array([first] * len(chosen), dtype="Int64"),
    )
    return frame[[*_SHOWN[:4], "n_passed_over", "first_passed_over", *_SHOWN[4:]]]


def _outcome(standing: Standing, entry: Entry) -> str | None:
    decision = standing.get(entry.referral_id)
    return None if decision is None else str(decision["outcome"])


def overdue_relays(standing: Standing, day: pd.Timestamp) -> pd.DataFrame:
    """Return the refused whose relay is due and not confirmed; see :meth:`Meeting.overdue_relays`."""
    frame = decisions_frame([dict(row) for row in standing.values() if row["outcome"] == "refuse"])
    is_open = frame["relay_confirmed_on"].isna() & ~frame["relay_status"].eq("confirmed").fillna(False).astype(bool)
    late = frame[(is_open & frame["relay_due_on"].lt(day)).to_numpy(dtype=bool)]
    late = late.sort_values(["relay_due_on", "decision_id"], ignore_index=True)
    columns = ["decision_id", "referral_id", "person_id", "relay", "relay_due_on"]
    return late[columns].assign(
        days_overdue=(day - late["relay_due_on"]).dt.days.astype("Int64"),
        is_to_find=late["relay"].eq(TO_FIND).astype("boolean"),
    )


def log_frame(rows: Sequence[Mapping[str, Any]], texts: Sequence[str], moment: str) -> pd.DataFrame:
    """Return a log of the meeting as a frame: its texts, and the moment of each row."""
    columns = {name: pd.Series([row[name] for row in rows], dtype=object).astype(TEXT) for name in texts}
    return pd.DataFrame(columns).assign(**{moment: pd.Series([row[moment] for row in rows], dtype="datetime64[us]")})
