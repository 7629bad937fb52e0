"""Why a person is not on the list, and why one person is above another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.priority.dates import DateLike, moment_of
from casestrat.priority.index import floats_of
from casestrat.priority.ranking import DECIDING
from casestrat.tables import TEXT
from casestrat.timeline import known, status_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from casestrat.knowledge import Program
    from casestrat.priority.index import Floats
    from casestrat.tables import Tables

Found = tuple[str, str | None, Any]  # rule, reason, since
Reason = tuple[str | None, str, str | None, Any]  # referral or episode, and the same

_PREFIX = "days_worth_"
_LARGEST_DRAW = 2.0**64


def explain_absence(tables: Tables, program: Program, person_id: str, as_of: DateLike) -> pd.DataFrame:
    """Say why a person is not on the waiting list: every reason there is, the one that decided first.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        The program whose list it is.
    person_id : str
        Whom it is about.
    as_of : str or date
        The date of the list; only what was recorded before it counts.

    Returns
    -------
    pandas.DataFrame
        One row per reason: person_id, record_id (the referral or episode it comes from), rule, reason (the reason that
        was recorded, where there is one), since and is_first. Rules: not_known, no_referral, not_yet_known (recorded or
        dated on the day of the list or later), dead, active, suspended, watch, closed, withdrawn, out_of_scope,
        refused, admitted, no_consent, invalid_form, parked. No rows: the person waits, and is on the list or among
        those to assess first.

    Examples
    --------
    >>> from casestrat.knowledge import load_program
    >>> from casestrat.tables import Tables
    >>> tables = Tables.from_frames({
    ...     "persons": pd.DataFrame({"person_id": ["P1", "P2", "P3"], "recorded_at": "2026-01-01"}),
    ...     "referrals": pd.DataFrame({
    ...         "referral_id": ["R1", "R2"], "person_id": ["P1", "P2"], "referred_on": "2026-02-01",
    ...         "recorded_at": "2026-02-01", "consent": ["no", "yes"], "is_complete": ["false", "true"]}),
    ... })
    >>> explain_absence(tables, load_program("geriatric"), "P1", "2026-03-01")[["rule", "is_first"]]
               rule  is_first
    0    no_consent      True
    1  invalid_form     False
    """
    on = moment_of(as_of, "as_of")
    mine = tables.for_persons([person_id])
    status = status_on(mine, program, on)
    now = status[status["status"].ne("other_referral_waiting").to_numpy(dtype=bool)]
    if len(now) and now["status"].iloc[0] == "waiting":
        return _reasons_frame(person_id, [], None)
    reasons = [*_about_person(mine, program, on), *_about_referrals(mine, program, on)]
    return _reasons_frame(person_id, reasons, now.iloc[0] if len(now) else None)


def _about_person(mine: Tables, program: Program, on: pd.Timestamp) -> list[Reason]:
    """Reasons that lie in the person: not known, not referred, dead, followed already."""
    persons = known(mine.persons, "person_id", on)
    referrals, episodes = known(mine.referrals, "referral_id", on), _of(program, mine.episodes, "episode_id", on)
    if not len(persons) and not len(referrals) and not len(episodes):
        late = len(mine.persons) or len(mine.referrals)
        return [(None, "not_yet_known" if late else "not_known", None, pd.NaT)]
    reasons: list[Reason] = [(None, "dead", None, day) for day in persons["died_on"].dropna() if day < on]
    deaths = known(mine.events, "event_id", on)
    deaths = deaths[deaths["kind"].eq("death").to_numpy(dtype=bool)]
    reasons += [(None, "dead", None, day.normalize()) for day in deaths["observed_at"] if day < on and not reasons]
    for row in _rows(episodes[~episodes["closed_on"].lt(on).to_numpy(dtype=bool)]):
        reasons.append((row.episode_id, "followed", None, row.admitted_on))
    if not len(referrals) and not len(episodes):
        late_ids = mine.referrals["referral_id"][~mine.referrals["recorded_at"].lt(on).to_numpy(dtype=bool)]
        reasons += [(one, "not_yet_known", None, pd.NaT) for one in late_ids.drop_duplicates()]
        reasons += [] if len(late_ids) else [(None, "no_referral", None, pd.NaT)]
    return reasons


def _of(program: Program, frame: pd.DataFrame, key: str, on: pd.Timestamp) -> pd.DataFrame:
    """Rows of this program known on the date; one that names no program is."""
    rows = known(frame, key, on)
    return rows[(rows["program"].isna() | rows["program"].eq(program.id)).to_numpy(dtype=bool)]


def _about_referrals(mine: Tables, program: Program, on: pd.Timestamp) -> list[Reason]:
    """Every rule that each referral of the person breaks."""
    reasons: list[Reason] = []
    episodes = _of(program, mine.episodes, "episode_id", on)
    decisions = known(mine.decisions, "decision_id", on)
    decisions = decisions[~decisions["decision_id"].isin(decisions["supersedes"].dropna()).to_numpy(dtype=bool)]
    decisions = decisions.sort_values(["decided_at", "recorded_at"], kind="stable")
    referrals = known(mine.referrals, "referral_id", on)
    referrals = referrals[referrals["referred_on"].lt(on).to_numpy(dtype=bool)]
    for row in _rows(referrals.sort_values(["referred_on", "referral_id"])):
        found = [
            *_about_form(row, program),
            *_about_episodes(row, episodes, on),
            *_about_decisions(decisions[decisions["referral_id"].eq(row.referral_id).to_numpy(dtype=bool)], on),
        ]
        reasons += [(row.referral_id, rule, reason, since) for rule, reason, since in found]
    return reasons


def _about_form(row: Any, program: Program) -> list[Found]:
    """Return the rules that the referral itself breaks."""
    rules = [
        (not pd.isna(row.program) and row.program != program.id, "out_of_scope", "other_program", row.referred_on),
        (not pd.isna(row.withdrawn_on), "withdrawn", None, row.withdrawn_on),
        (row.consent == "no", "no_consent", "consent_refused", row.referred_on),
        (_is_no(row.is_professional) and program.referral.professional_only, "invalid_form", "not_professional",
         row.referred_on),
        (_is_no(row.is_complete), "invalid_form", "form_incomplete", row.referred_on),
    ]  # fmt: skip
    return [(rule, reason, since) for holds, rule, reason, since in rules if holds]


def _is_no(flag: Any) -> bool:
    """Say whether it is a definite no; unknown is not one."""
    return not pd.isna(flag) and not flag


def _about_episodes(row: Any, episodes: pd.DataFrame, on: pd.Timestamp) -> list[Found]:
    """Return the episode that followed on the referral and is over: it used the referral up."""
    is_after = episodes["referral_id"].eq(row.referral_id).fillna(False) | episodes["admitted_on"].ge(row.referred_on)
    over = episodes[(is_after & episodes["closed_on"].lt(on)).to_numpy(dtype=bool)]
    return [("closed", _text(one.close_reason), one.closed_on) for one in _rows(over)][-1:]


def _about_decisions(decisions: pd.DataFrame, on: pd.Timestamp) -> list[Found]:
    """Return what the committee decided on the referral, as far as it stands."""
    found: list[Found] = []
    for one in _rows(decisions):
        if one.outcome == "refuse":
            rule = "out_of_scope" if one.reason == "out_of_scope" else "refused"
            found.append((rule, _text(one.reason), one.decided_at))
        elif one.outcome == "admit":
            found.append(
                ("admitted", "offer_declined" if one.response == "declined" else _text(one.reason), one.decided_at)
            )
        elif one.defer_until > on:
            found.append(("parked", _text(one.reason), one.decided_at))
    return found


def _text(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)


def _reasons_frame(person_id: str, reasons: list[Reason], now: Any) -> pd.DataFrame:
    """Return the reasons as a frame, the one that decided the person's status first."""
    rules = [str(now["status"]) if one[1] == "followed" and now is not None else one[1] for one in reasons]
    decided = [now is not None and rule == now["status"] for rule in rules]
    order = sorted(range(len(reasons)), key=lambda i: not decided[i])
    return pd.DataFrame({
        "person_id": pd.array([person_id] * len(order), dtype=TEXT),
        "record_id": pd.array([reasons[i][0] for i in order], dtype=TEXT),
        "rule": pd.array([rules[i] for i in order], dtype=TEXT),
        "reason": pd.array([reasons[i][2] for i in order], dtype=TEXT),
        "since": pd.Series([reasons[i][3] for i in order], dtype="datetime64[us]"),
        "is_first": pd.array([place == 0 for place in range(len(order))], dtype="boolean"),
    })  # fmt: skip


def explain_order(ranked: pd.DataFrame, a: str, b: str) -> pd.DataFrame:
    """Compare two people of a ranked list: every part of the order, and the key that decided.

    Parameters
    ----------
    ranked : pandas.DataFrame
        What :func:`casestrat.rank_waiting_list` returned.
    a, b : str
        The two people, by person_id or referral_id.

    Returns
    -------
    pandas.DataFrame
        One row per part, in the order in which they count: component (override, deadline, the parts of the index and
        their sum ``index``, referral_date, lottery), a, b, difference (a − b; points for the index and its parts, days
        of waiting for the referral date, shares of 1 for the lottery), difference_days (the same in days of waiting, at
        the rate of whoever stands lower: how many days more they would have had to wait to make this part up; missing
        where a day has no price) and decides (True on the one key that decided).

    Raises
    ------
    UsageError
        One of the two is not on the list, or both are the same.

    Examples
    --------
    >>> from casestrat.knowledge.policy import PriorityPolicy
    >>> from casestrat.priority.ranking import rank_waiting_list
    >>> waiting = pd.DataFrame({
    ...     "person_id": ["P1", "P2", "P3"], "referral_id": ["R1", "R2", "R3"], "tier": ["low", "high", "low"],
    ...     "risk": [0.1, 0.4, 0.3], "referred_on": pd.to_datetime(["2026-08-02", "2026-09-21", "2026-09-11"]),
    ...     "completeness": 1.0,
    ... })
    >>> policy = PriorityPolicy(mode="accumulating", rates={"high": 4, "low": 1}, weights={"risk": 100})
    >>> why = explain_order(rank_waiting_list(waiting, policy, "2026-10-01"), "P2", "P1")
    >>> why.loc[why["component"].isin(["risk", "waiting", "index"])].round(1)
      component     a     b  difference  difference_days  decides
    2      risk  40.0  10.0        30.0             30.0    False
    5   waiting  40.0  60.0       -20.0            -20.0    False
    6     index  80.0  70.0        10.0             10.0     True
    """
    places = [_place(ranked, one, name) for name, one in (("a", a), ("b", b))]
    if places[0] == places[1]:
        raise UsageError("`a` and `b` are the same person", do="give two different people of the list")
    pair = ranked.iloc[places]
    price = _prices(ranked, pair)
    parts = [name for name in ranked.columns if name.startswith(_PREFIX)]
    # In a mode without rates the parts are points already, and their price is 1.
    factor = np.where(np.isnan(price), 1.0, price)
    values: dict[str, Floats] = {
        "override": floats_of(pair["key_override"]),
        "deadline": floats_of(pair["key_deadline"]),
        **{name.removeprefix(_PREFIX): floats_of(pair[name]) * factor for name in parts},
        "index": floats_of(pair["key_index"]),
        "referral_date": floats_of(pair["waited_days"]),
        "lottery": np.array([int(draw, 16) / _LARGEST_DRAW for draw in pair["key_lottery"]]),
    }
    lower = int(np.argmax(floats_of(pair["rank"])))
    in_points = {name.removeprefix(_PREFIX) for name in parts} | {"index"}
    per_day = [price[lower] if name in in_points else 1.0 if name == "referral_date" else np.nan for name in values]
    difference = np.array([both[0] - both[1] for both in values.values()])
    return pd.DataFrame({
        "component": pd.array([*values], dtype=TEXT),
        "a": [float(both[0]) for both in values.values()],
        "b": [float(both[1]) for both in values.values()],
        "difference": difference,
        "difference_days": difference / np.array(per_day),
        "decides": pd.array([name == _deciding(pair) for name in values], dtype="boolean"),
    })  # fmt: skip


def _place(ranked: pd.DataFrame, one: str, name: str) -> int:
    for column in ("person_id", "referral_id"):
        found = np.flatnonzero(ranked[column].eq(one).to_numpy(dtype=bool))
        if len(found) == 1:
            return int(found[0])
        if len(found) > 1:
            raise UsageError(f"`{name}` stands on the list more than once", do="give the referral_id")
    raise UsageError(f"`{name}` is not on the list", do="use explain_absence to learn why, or give another person")


def _deciding(pair: pd.DataFrame) -> str:
    """Return the first key on which the two differ."""
    keys = ("key_override", "key_deadline", "key_index", "key_referred_on")
    for word, key in zip(DECIDING, keys, strict=False):
        if pair[key].iloc[0] != pair[key].iloc[1]:
            return word
    return DECIDING[-1]


def _prices(ranked: pd.DataFrame, pair: pd.DataFrame) -> Floats:
    """Points a day of waiting is worth for each of the two; missing where the list's mode has no rates."""
    waited, told = floats_of(ranked["waited_days"]), floats_of(ranked[f"{_PREFIX}waiting"])
    if not (told > 0).any() and (waited > 0).any():
        return np.full(2, np.nan)
    days = np.sum([floats_of(ranked[name]) for name in ranked.columns if name.startswith(_PREFIX)], axis=0)
    rates = np.where(days > 0, floats_of(ranked["priority"]) / np.where(days > 0, days, 1.0), np.nan)
    by_tier = pd.Series(rates).groupby(ranked["tier"].to_numpy(dtype=object)).median()
    return floats_of(by_tier.reindex(pair["tier"].to_numpy(dtype=object)))


def _rows(frame: pd.DataFrame) -> Iterator[Any]:
    """Yield the rows, columns as attributes."""
    return iter(frame.itertuples(index=False))
