"""Handing a case over: what the next case manager must know first, and who should not be moved just now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from casestrat.allocation.moves.days import days_of
from casestrat.tables import TEXT
from casestrat.timeline import known

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from casestrat.allocation.plan.plan import Plan
    from casestrat.knowledge.program import Program
    from casestrat.tables import Tables

CRISIS_DAYS = 30  # a crisis without a recorded end counts as open for so long
SENSITIVE_DAYS = 30  # after a stay in hospital or a move, by default
HANDOVER_COLUMNS = (
    "case_id", "person_id", "from_cm", "to_cm", "kind", "until", "see_by", "because", "open_crisis", "crisis_on",
    "last_contact_on", "last_contact_kind", "next_contact_on", "contact_due_on", "review_due_on", "was_told",
)  # fmt: skip
_CRISES = ("crisis", "relapse")
_NOT_SEEN = ("no_show", "admin", "provider_meeting", "collateral")
_DAYS = ("until", "see_by", "crisis_on", "last_contact_on", "next_contact_on", "contact_due_on", "review_due_on")


def handover(
    tables: Tables,
    program: Program,
    moves: Plan | pd.DataFrame,
    as_of: date | str | pd.Timestamp,
    told: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Return one handover sheet a case, those who must be seen first at the top.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        Its intensities say how often people are to be seen.
    moves : Reallocation or DataFrame
        The moves, or the plan that has them.
    as_of : date
        Only what was recorded before it counts.
    told : iterable of str, optional
        Cases whose person was told of the change; without it that is unknown.

    Returns
    -------
    pandas.DataFrame
        One row per moved case: case_id, person_id, from_cm, to_cm, kind, until, see_by, because (crisis,
        planned_contact, contact_due, plan_review or nothing_due), open_crisis (missing where there are no events),
        crisis_on, last_contact_on and last_contact_kind (contacts that reached the person), next_contact_on (planned),
        contact_due_on (by the standard of the intensity), review_due_on, was_told. Open crises come first, then the
        earliest ``see_by``.
    """
    day = pd.Timestamp(as_of).normalize()
    rows = pd.DataFrame(moves if isinstance(moves, pd.DataFrame) else getattr(moves, "moves"))  # noqa: B009
    sheet = rows[["case_id", "person_id", "from_cm", "to_cm", "kind", "until"]].reset_index(drop=True)
    sheet = _with_contacts(sheet, tables, program, day)
    sheet = _with_crisis(sheet, tables, day)
    review = _last_review(tables, day)
    sheet["review_due_on"] = days_of(sheet["case_id"], review)
    known_told = None if told is None else set(map(str, told))
    is_told = [pd.NA if known_told is None else case in known_told for case in sheet["case_id"]]
    sheet["was_told"] = pd.array(is_told, dtype="boolean")
    sheet["see_by"], sheet["because"] = _first_reason(sheet, day)
    sheet = sheet.astype(dict.fromkeys(_DAYS, "datetime64[us]") | {"because": TEXT})
    is_calm = ~sheet["open_crisis"].fillna(value=False).astype(bool)
    order = sheet.assign(_calm=is_calm).sort_values(["_calm", "see_by", "case_id"], ignore_index=True)
    return order[list(HANDOVER_COLUMNS)]


def _with_contacts(sheet: pd.DataFrame, tables: Tables, program: Program, day: pd.Timestamp) -> pd.DataFrame:
    """Add the last contact that reached the person, the next one planned, and the day by which one is due."""
    contacts = known(tables.contacts, "contact_id", day)
    contacts = contacts[contacts["episode_id"].isin(sheet["case_id"])].sort_values(["occurred_at", "contact_id"])
    reached = contacts["outcome"].isna() | (contacts["outcome"] == "reached").fillna(value=False)
    past = contacts[(contacts["occurred_at"] < day) & reached & ~contacts["kind"].isin(_NOT_SEEN)]
    last = past.drop_duplicates("episode_id", keep="last").set_index("episode_id")
    ahead = contacts[(contacts["occurred_at"] >= day) & contacts["is_planned"].fillna(value=True).astype(bool)]
    following = ahead.drop_duplicates("episode_id").set_index("episode_id")["occurred_at"].dt.normalize()
    episodes = known(tables.episodes, "episode_id", day).set_index("episode_id")
    strictest = {
        name: min((standard.every_days for standard in level.contacts), default=None)
        for name, level in program.intensities.items()
    }
    every = sheet["case_id"].map(episodes["intensity"]).map(strictest).astype("float64")
    seen = days_of(sheet["case_id"], last["occurred_at"].dt.normalize())
    since = seen.fillna(days_of(sheet["case_id"], episodes["admitted_on"]))
    return sheet.assign(
        last_contact_on=seen, last_contact_kind=sheet["case_id"].map(last["kind"]).astype(TEXT),
        next_contact_on=days_of(sheet["case_id"], following),
        contact_due_on=since + pd.to_timedelta(every, unit="D"),
    )  # fmt: skip


def _with_crisis(sheet: pd.DataFrame, tables: Tables, day: pd.Timestamp) -> pd.DataFrame:
    """Add whether a crisis is open, and since when."""
    if not tables.has("events"):
        never = pd.Series(pd.NaT, index=sheet.index, dtype="datetime64[us]")
        return sheet.assign(open_crisis=pd.array([pd.NA] * len(sheet), dtype="boolean"), crisis_on=never)
    since = _open_crises(tables, day)
    crisis_on = days_of(sheet["person_id"], since)
    return sheet.assign(open_crisis=crisis_on.notna().astype("boolean"), crisis_on=crisis_on)


def _open_crises(tables: Tables, day: pd.Timestamp) -> pd.Series:
    """Day on which the open crisis of each person began."""
    events = known(tables.events, "event_id", day)
    begun = (events["observed_at"] < day) & (events["observed_at"] >= day - pd.Timedelta(days=CRISIS_DAYS))
    is_open = events["kind"].isin(_CRISES) & begun & ~(events["ended_at"] < day)
    since: pd.Series = events[is_open].groupby("person_id")["observed_at"].max().dt.normalize()
    return since


def _last_review(tables: Tables, day: pd.Timestamp) -> pd.Series:
    """Day on which the plan of each episode is to be reviewed."""
    plans = known(tables.plans, "plan_id", day).sort_values(["episode_id", "starts_on", "version", "plan_id"])
    return plans.drop_duplicates("episode_id", keep="last").set_index("episode_id")["review_due_on"]


def _first_reason(sheet: pd.DataFrame, day: pd.Timestamp) -> tuple[pd.Series, pd.Series]:
    """Return the day by which each person must be seen, and what asks for it."""
    asks = pd.DataFrame({
        "planned_contact": sheet["next_contact_on"], "contact_due": sheet["contact_due_on"],
        "plan_review": sheet["review_due_on"],
    }).astype("datetime64[us]")  # fmt: skip
    is_crisis = sheet["open_crisis"].fillna(value=False).astype(bool)
    see_by = asks.min(axis=1).mask(is_crisis, day)
    because = pd.Series("nothing_due", index=sheet.index, dtype=TEXT)
    for name in reversed(asks.columns):
        because = because.mask(asks[name] == see_by, name)
    return see_by, because.mask(is_crisis, "crisis")


def sensitive_cases(
    tables: Tables, program: Program, as_of: date | str | pd.Timestamp, days: int = SENSITIVE_DAYS
) -> pd.DataFrame:
    """Return the open cases that should not be moved just now, unless they must.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        Only its episodes count.
    as_of : date
        Only what was recorded before it counts.
    days : int, optional
        How long after a stay in hospital or a move to another setting a person counts as in transition.

    Returns
    -------
    pandas.DataFrame
        One row per case and reason: case_id, person_id, reason (crisis, hospital_stay or setting_change), since (first
        day), until (missing while it lasts).
    """
    day = pd.Timestamp(as_of).normalize()
    events, span = known(tables.events, "event_id", day), pd.Timedelta(days=days)
    begun = events["observed_at"].dt.normalize()
    ended = events["ended_at"].dt.normalize()
    parts = []
    for kind in ("hospital_stay", "setting_change"):
        last = ended if kind == "hospital_stay" else begun
        lasts = last.isna() & (begun >= day - 3 * span) if kind == "hospital_stay" else pd.Series(False, events.index)
        recent = (events["kind"] == kind).fillna(value=False) & (begun < day) & (lasts | (last >= day - span))
        rows = events[recent.astype(bool)]
        parts.append(
            pd.DataFrame(
                {
                    "person_id": rows["person_id"],
                    "reason": kind,
                    "since": begun[rows.index],
                    "until": last[rows.index] + span,
                }
            )
        )
    crises = _open_crises(tables, day)
    parts.append(
        pd.DataFrame({"person_id": crises.index, "reason": "crisis", "since": crises.to_numpy(), "until": pd.NaT})
    )
    told = pd.concat([part.astype({"since": "datetime64[us]", "until": "datetime64[us]"}) for part in parts])
    told = told.sort_values(["person_id", "reason", "since"]).drop_duplicates(["person_id", "reason"], keep="last")
    episodes = known(tables.episodes, "episode_id", day)
    is_open = (episodes["admitted_on"] <= day) & ~(episodes["closed_on"] <= day)
    is_ours = episodes["program"].isna() | (episodes["program"] == program.id).fillna(value=False)
    cases = episodes[(is_open & is_ours).astype(bool)][["episode_id", "person_id"]].rename(
        columns={"episode_id": "case_id"}
    )
    rows = cases.merge(told, on="person_id").sort_values(["case_id", "reason"], ignore_index=True)
    return rows[["case_id", "person_id", "reason", "since", "until"]].astype({"reason": TEXT})
