"""Tables, features and tiers → the frame that is ranked: one row per waiting referral."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.priority import check_criteria, criteria_status
from casestrat.tables import TEXT, Tables
from casestrat.timeline import known, status_on

if TYPE_CHECKING:
    from casestrat.knowledge import Program

_MOST_URGENT = 3  # the referral form's scale is 0–3


def make_waiting(
    tables: Tables,
    program: Program,
    X: pd.DataFrame,
    tiers: pd.DataFrame,
    as_of: str | pd.Timestamp,
    *,
    criteria: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the waiting list, not yet in order, with everything that its order rests on.

    Parameters
    ----------
    tables : Tables
        The checked tables of one extract.
    program : Program
        The program whose list it is.
    X : pandas.DataFrame
        Features, one row a spine row, index (person_id, as_of).
    tiers : pandas.DataFrame
        Risk, points, completeness and tier of the same people: what :func:`casestrat.assign_tiers` returns.
    as_of : str or pandas.Timestamp
        The date of the list.
    criteria : pandas.DataFrame, optional
        What :func:`casestrat.check_criteria` returned for that date, where it is at hand.

    Returns
    -------
    pandas.DataFrame
        One row per waiting referral: person_id, referral_id, territory, tier, risk, risk_low, risk_high, points,
        points_share, need, urgency, referred_on, waited_days, completeness, criteria, override_tier, deadline_on, and a
        column a component of the program's policy, by the name of the component. What is not known is missing, never
        low.

    Examples
    --------
    >>> from casestrat.knowledge import load_program
    >>> people = {"person_id": ["P1", "P2", "P3"], "recorded_at": "2026-08-25"}
    >>> persons = pd.DataFrame({**people, "birth_year": [1932, 1940, 1928]})
    >>> referrals = pd.DataFrame({**people, "referral_id": ["R1", "R2", "R3"], "urgency": ["3", "0", ""],
    ...                           "referred_on": ["2026-08-03", "2026-08-10", "2026-08-24"]})
    >>> tables = Tables.from_frames({"persons": persons, "referrals": referrals})
    >>> spine = pd.MultiIndex.from_product([["P1", "P2", "P3"], [pd.Timestamp("2026-09-01")]],
    ...                                    names=["person_id", "as_of"])
    >>> X = pd.DataFrame({"gir": [1.0, 6.0, None]}, index=spine)
    >>> tiers = pd.DataFrame({"points": [9, 4, 6], "completeness": [1.0, 0.9, 0.4]}, index=spine)
    >>> criteria = pd.DataFrame({"person_id": ["P1"], "referral_id": ["R1"], "criteria_set": ["cnsa 2015"],
    ...                          "criterion": ["aged"], "result": [True]})
    >>> waiting = make_waiting(tables, load_program("geriatric"), X, tiers, "2026-09-01", criteria=criteria)
    >>> waiting[["referral_id", "points", "waited_days", "need", "urgency", "criteria"]]
      referral_id  points  waited_days  need  urgency criteria
    0          R1       9           29   1.0      1.0    meets
    1          R2       4           22   0.0      0.0      ask
    2          R3       6            8   NaN      NaN      ask
    """
    date = pd.Timestamp(as_of)
    status = status_on(tables, program, date)
    waiting = status.loc[status["status"] == "waiting", ["person_id", "referral_id"]]
    referrals = known(tables.referrals, "referral_id", date)
    listed = waiting.merge(referrals[["referral_id", "referred_on", "urgency"]], on="referral_id", how="left")
    scores = _on(tiers, date).reindex(listed["person_id"])
    features = _on(X, date).reindex(listed["person_id"])
    if criteria is None:
        criteria = check_criteria(tables, program, date, features=X)
    verdict = criteria_status(criteria).set_index("referral_id")["status"]
    listed = listed.assign(
        territory=territory_on(tables, listed["person_id"], date),
        tier=_column(scores, "tier").astype(TEXT),
        risk=_column(scores, "risk").astype("float64"),
        risk_low=_column(scores, "risk_low").astype("float64"),
        risk_high=_column(scores, "risk_high").astype("float64"),
        points=_column(scores, "points").astype("Int64"),
        points_share=_column(scores, "points_share").astype("float64"),
        urgency=listed["urgency"].astype("float64") / _MOST_URGENT,
        waited_days=(date - listed["referred_on"]).dt.days.astype("Int64"),
        completeness=_column(scores, "completeness").astype("float64").fillna(0.0),  # not scored: assess first
        criteria=verdict.reindex(listed["referral_id"]).astype(TEXT).to_numpy(),
        override_tier=pd.Series(0, index=listed.index, dtype="Int64"),
        deadline_on=pd.Series(pd.NaT, index=listed.index, dtype="datetime64[us]"),
        need=np.nan,
    )
    listed["criteria"] = listed["criteria"].astype(TEXT).fillna("ask")
    for name, component in program.priority.components.items():
        if component.feature in features.columns:
            raw = features[component.feature].astype("float64").to_numpy()
        else:
            raw = listed[component.feature].astype("float64").to_numpy()
        scaled = (raw - component.best) / (component.worst - component.best)
        listed[name] = np.clip(scaled, 0.0, 1.0) + 0.0  # no minus zero
    return listed.sort_values("referral_id", ignore_index=True)


def territory_on(tables: Tables, person_ids: pd.Series, as_of: pd.Timestamp) -> np.ndarray:
    """Return the territory of each person on a date: the dated fact where there is one, else the snapshot."""
    facts = known(tables.person_facts, ["person_id", "fact", "valid_from"], as_of)
    facts = facts[(facts["fact"] == "territory") & (facts["valid_from"] < as_of)]
    facts = facts[facts["valid_to"].isna() | (facts["valid_to"] >= as_of)].sort_values("valid_from")
    dated = facts.drop_duplicates("person_id", keep="last").set_index("person_id")["value"]
    snapshot = tables.persons.drop_duplicates("person_id").set_index("person_id")["territory"]
    chosen = dated.reindex(person_ids).astype(TEXT)
    return chosen.fillna(snapshot.reindex(person_ids).astype(TEXT)).to_numpy()


def _on(frame: pd.DataFrame, date: pd.Timestamp) -> pd.DataFrame:
    """Return the rows of one date, by person."""
    return frame[frame.index.get_level_values("as_of") == date].droplevel("as_of")


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return a column by position, or all missing where the model gives none."""
    if name in frame.columns:
        return frame[name].reset_index(drop=True)
    return pd.Series(np.nan, index=range(len(frame)))
