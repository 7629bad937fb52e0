"""The list that a meeting is shown, frozen."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.priority.ranking import mark_places
from casestrat.tables import TEXT, fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NEEDED = ("rank", "referral_id", "person_id", "tier", "priority", "completeness", "criteria", "tie_group")
LIST_DTYPES: Final[dict[str, Any]] = {
    "rank": "Int64", "referral_id": TEXT, "person_id": TEXT, "tier": TEXT, "priority": np.dtype("float64"),
    "completeness": np.dtype("float64"), "criteria": TEXT, "is_proposed": "boolean", "in_tied_zone": "boolean",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the frozen list, or someone added to it (who has no rank).

    Parameters
    ----------
    referral_id, person_id : str
        Whom it is about.
    rank : int or None
        Place on the list that was shown.
    tier, criteria : str or None
        Tier, and meets, fails or ask.
    priority, completeness : float or None
        The index, and the share of the score's inputs that are known.
    is_proposed, in_tied_zone : bool
        Within the places; at the cut, too close to call.
    """

    referral_id: str
    person_id: str
    rank: int | None = None
    tier: str | None = None
    priority: float | None = None
    completeness: float | None = None
    criteria: str | None = None
    is_proposed: bool = False
    in_tied_zone: bool = False


def freeze(ranked: pd.DataFrame, places: int | None) -> tuple[Entry, ...]:
    """Return the rows of a ranked list as they are frozen, first first.

    Parameters
    ----------
    ranked : pandas.DataFrame
        What :func:`casestrat.rank_waiting_list` returned; a tied zone already marked is kept.
    places : int or None
        Places to be given.

    Returns
    -------
    tuple of Entry
        One entry per ranked referral.

    Raises
    ------
    UsageError
        A column is missing, or a rank or referral stands twice.
    """
    absent = [name for name in _NEEDED if name not in ranked.columns]
    if absent:
        raise UsageError(
            f"the ranked list has no column {', '.join(absent)}", do="give what rank_waiting_list returned"
        )
    if ranked["rank"].duplicated().any() or ranked["referral_id"].duplicated().any():
        raise UsageError("the ranked list holds a rank or a referral twice", do="give the list of one meeting")
    marked = mark_places(ranked, places)
    if "in_tied_zone" in ranked.columns:
        before = ranked["in_tied_zone"].astype("boolean").fillna(False)
        marked["in_tied_zone"] = (marked["in_tied_zone"] | before).astype("boolean")
    rows = marked.sort_values("rank", kind="stable")
    columns: dict[str, list[Any]] = {
        "referral_id": rows["referral_id"].astype(str).tolist(),
        "person_id": rows["person_id"].astype(str).tolist(),
        "rank": rows["rank"].astype(int).tolist(),
        **{name: _plain(rows[name].astype(TEXT)) for name in ("tier", "criteria")},
        **{name: _plain(rows[name].astype("float64")) for name in ("priority", "completeness")},
        **{name: rows[name].astype(bool).tolist() for name in ("is_proposed", "in_tied_zone")},
    }
    return tuple(Entry(*values) for values in zip(*(columns[f.name] for f in fields(Entry)), strict=True))


def _plain(column: pd.Series[Any]) -> list[Any]:
    return column.astype(object).where(column.notna(), None).tolist()


def list_fingerprint(entries: Sequence[Entry], fingerprints: Mapping[str, str]) -> str:
    """Return the hash of a frozen list and of what it was made from.

    Parameters
    ----------
    entries : sequence of Entry
        The list, first first.
    fingerprints : mapping of str to str
        Fingerprints of program, policy, model and extract.

    Returns
    -------
    str
        32 hexadecimal digits.
    """
    return fingerprint_of({"list": [asdict(entry) for entry in entries], "fingerprints": fingerprints})


def list_frame(entries: Sequence[Entry]) -> pd.DataFrame:
    """Return a frozen list as a frame.

    Parameters
    ----------
    entries : sequence of Entry
        The list, first first.

    Returns
    -------
    pandas.DataFrame
        One row per ranked referral.
    """
    frame = pd.DataFrame([asdict(entry) for entry in entries], columns=[*LIST_DTYPES])
    return frame.astype(LIST_DTYPES)
