"""Which contacts each person's intensity asks for, when the last one was, and which are overdue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.caseload.following import Standing
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from casestrat.knowledge import Program
    from casestrat.tables import Tables

# What also counts where a kind is asked for: seeing a person is worth a call.
_COUNTS_AS = {"phone": ("phone", "home_visit", "office"), "office": ("office", "home_visit")}
_ONBOARDING = "onboarding"
_COLUMNS = (
    "person_id", "episode_id", "cm_id", "team", "territory", "intensity", "kind", "every_days", "last_on", "due_on",
    "is_overdue", "days_overdue", "done_in_period",
)  # fmt: skip


def contacts_due(tables: Tables, program: Program, as_of: pd.Timestamp | str) -> pd.DataFrame:
    """Say for each open episode and contact standard when the last contact was made and when the next is due.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        Whose intensities hold the contact standards.
    as_of : pandas.Timestamp or str
        The date; the day itself does not count.

    Returns
    -------
    pandas.DataFrame
        One row per open episode × contact standard of its intensity, in order of person, episode and kind: person_id,
        episode_id, cm_id (lead), team, territory, intensity, kind, every_days, last_on (last contact that reached the
        person), due_on (every_days after it, or after admission), is_overdue (due before the date), days_overdue,
        done_in_period (one was made in the last every_days). While an episode is suspended nothing is due, and
        nobody known dead is listed. An unknown intensity counts as onboarding, or as the closest one, for missing is
        not low.

    Examples
    --------
    >>> from casestrat.knowledge import load_program
    >>> from casestrat.tables import Tables
    >>> tables = Tables.from_frames({
    ...     "persons": pd.DataFrame({"person_id": ["P1", "P2", "P3"], "recorded_at": "2026-01-01"}),
    ...     "referrals": pd.DataFrame({"referral_id": ["R1"], "person_id": ["P1"], "referred_on": ["2026-01-02"],
    ...                                "recorded_at": ["2026-01-02"]}),
    ...     "episodes": pd.DataFrame({"episode_id": ["E1"], "person_id": ["P1"], "admitted_on": ["2026-01-10"],
    ...                               "intensity": ["intensive"], "recorded_at": ["2026-01-10"]})})
    >>> contacts_due(tables, load_program("geriatric"), "2026-03-01")[["kind", "due_on", "days_overdue"]]
             kind     due_on  days_overdue
    0  home_visit 2026-01-24            36
    """
    return contacts_due_on(Standing(tables, program, pd.Timestamp(as_of)))


def contacts_due_on(day: Standing) -> pd.DataFrame:
    """Return the contacts due, as :func:`contacts_due`, of a date that is asked about several things."""
    episodes = day.open_episodes
    status = day.status.dropna(subset="episode_id").set_index("episode_id")["status"]
    episodes = episodes.assign(
        status=episodes["episode_id"].map(status), intensity=_intensity(episodes["intensity"], day.program)
    )
    episodes = episodes[episodes["status"] != "dead"]
    asked = episodes.merge(_standards(day.program), on="intensity", how="inner")
    asked = _with_last(asked, _made(day), day.as_of)
    return _typed(_with_due(asked, day.as_of))


def _intensity(intensity: pd.Series, program: Program) -> pd.Series:
    """Return the intensity that counts: the one on file where the program has it, else a close one."""
    levels = program.intensities
    closest = _ONBOARDING if _ONBOARDING in levels else max(levels, key=lambda name: levels[name].minutes_per_week)
    return intensity.where(intensity.isin(list(levels)), closest)


def _standards(program: Program) -> pd.DataFrame:
    """Return the program's contact standards: one row per intensity and kind."""
    rows = [
        (name, standard.kind, standard.every_days)
        for name, level in program.intensities.items()
        for standard in level.contacts
    ]
    frame = pd.DataFrame(rows, columns=["intensity", "kind", "every_days"])
    return frame.astype({"intensity": TEXT, "kind": TEXT, "every_days": "int64"})


def _made(day: Standing) -> pd.DataFrame:
    """Return the contacts that reached people: episode_id, kind asked for, day; later days last."""
    rows = day.contacts
    reached = rows["outcome"].isna() | (rows["outcome"] == "reached")
    rows = rows[(rows["occurred_at"] < day.as_of) & reached & (rows["kind"] != "no_show")]
    kinds = sorted({standard.kind for level in day.program.intensities.values() for standard in level.contacts})
    parts = [rows[rows["kind"].isin(_COUNTS_AS.get(kind, (kind,)))].assign(kind=kind) for kind in kinds]
    every = pd.concat(parts) if parts else rows
    days = every["occurred_at"].dt.normalize()
    made = every.assign(day=days)[["episode_id", "kind", "day"]].astype({"kind": TEXT})
    return made.sort_values("day", kind="stable")


def _with_last(asked: pd.DataFrame, made: pd.DataFrame, date: pd.Timestamp) -> pd.DataFrame:
    """Return the standards with the last contact made, and whether one was made in the last period."""
    last = made.drop_duplicates(["episode_id", "kind"], keep="last").rename(columns={"day": "last_on"})
    asked = asked.merge(last, on=["episode_id", "kind"], how="left")
    begin = date - pd.to_timedelta(asked["every_days"], unit="D")
    return asked.assign(done_in_period=(asked["last_on"] >= begin).fillna(False).astype(bool))


def _with_due(asked: pd.DataFrame, date: pd.Timestamp) -> pd.DataFrame:
    """Return the standards with the day the next contact is due; nothing is due while an episode is suspended."""
    since = asked["last_on"].fillna(asked["admitted_on"])
    due = since + pd.to_timedelta(asked["every_days"], unit="D")
    due = due.where(asked["status"] != "suspended")
    late = (date - due).dt.days
    overdue = (due < date).fillna(False).astype(bool)
    return asked.assign(due_on=due, is_overdue=overdue, days_overdue=np.where(overdue, late, 0).astype("int64"))


def _typed(asked: pd.DataFrame) -> pd.DataFrame:
    """Return the columns in their order, with their types."""
    frame = asked[list(_COLUMNS)].sort_values(["person_id", "episode_id", "kind"], kind="stable", ignore_index=True)
    days = {"last_on": "datetime64[us]", "due_on": "datetime64[us]", "days_overdue": "Int64", "every_days": "Int64"}
    return frame.astype({**days, "is_overdue": "boolean", "done_in_period": "boolean"})
