"""Where everyone stood on a date: waiting, parked, followed, closed …, by what was known before it.

A person waits when a referral was made and known before the date, its form is not incomplete and consent not refused,
no admit or refuse stands on it and no withdrawal is known, it is not parked, and the person is not known dead and has
no open episode. An unknown consent, completeness or sender is not a *no*. A referral that an episode followed on is
used up by it. Of several referrals that wait, the earliest counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from casestrat.tables import TEXT, Tables
from casestrat.timeline.as_of import Asked, History, checked_spine
from casestrat.timeline.observation import history_of
from casestrat.timeline.sorted_rows import microseconds

if TYPE_CHECKING:
    from casestrat.knowledge.program import Program

STATUSES = (
    "waiting", "parked", "invalid_form", "out_of_scope", "no_consent", "withdrawn", "refused", "admitted", "active",
    "suspended", "watch", "closed", "dead", "other_referral_waiting",
)  # fmt: skip
FOLLOWED = ("active", "suspended", "watch")
# Which referral speaks for a person that is not followed: the first kind there is; within the rest, the latest.
_PRECEDENCE = {"waiting": 0, "parked": 1, "admitted": 2, "invalid_form": 3, "no_consent": 4}
_ENDED = 5


@dataclass(frozen=True, slots=True)
class ReferralScope:
    """What a program says of whose referrals count.

    Parameters
    ----------
    program : str, optional
        Name of the program; rows that name another do not count. Without it, all rows count.
    professional_only : bool
        Whether a referral that did not come from a professional is an invalid form.
    """

    program: str | None = None
    professional_only: bool = False

    @classmethod
    def of(cls, program: Program) -> ReferralScope:
        """Return a program's scope.

        Parameters
        ----------
        program : Program
            The program.

        Returns
        -------
        ReferralScope
            Its name, and whether it takes referrals of professionals only.
        """
        return cls(program.id, program.referral.professional_only)


# A night asks the same of the same tables at every step; the last answer is kept for as long as the tables are.
_LAST_TOLD: WeakKeyDictionary[Tables, tuple[tuple[ReferralScope, pd.Timestamp], pd.DataFrame]] = WeakKeyDictionary()
_COLUMNS = ("person_id", "referral_id", "episode_id", "status", "reason", "since", "objects_to_scoring")


def status_on(tables: Tables, program: Program, as_of: pd.Timestamp | str) -> pd.DataFrame:
    """Say where each person with a referral or an episode stood on a date.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        Whose referrals and episodes count.
    as_of : Timestamp or str
        The date; the day itself does not count.

    Returns
    -------
    pandas.DataFrame
        One row per person with a referral or episode known on the date, and one more for each further referral that
        waits: person_id, referral_id, episode_id, status, reason, since (day from which the status holds),
        objects_to_scoring (three-valued; it changes no status).

    Examples
    --------
    >>> from casestrat.knowledge import load_program
    >>> tables = Tables.from_frames({
    ...     "persons": pd.DataFrame({"person_id": ["P1", "P2", "P3"], "recorded_at": "2026-01-01"}),
    ...     "referrals": pd.DataFrame({
    ...         "referral_id": ["R1", "R2", "R3"], "person_id": ["P1", "P2", "P3"],
    ...         "referred_on": ["2026-02-01"] * 3, "recorded_at": ["2026-02-01", "2026-02-01", "2026-03-02"],
    ...         "consent": ["yes", "no", "yes"], "is_complete": ["true", "true", "true"]}),
    ... })
    >>> status_on(tables, load_program("geriatric"), "2026-03-01")[["person_id", "status"]].values.tolist()
    [['P1', 'waiting'], ['P2', 'no_consent']]
    """
    asked = (ReferralScope.of(program), pd.Timestamp(as_of))
    told = _LAST_TOLD.get(tables)
    if told is None or told[0] != asked:
        ids = pd.concat([tables.referrals["person_id"], tables.episodes["person_id"]]).drop_duplicates().sort_values()
        spine = pd.DataFrame({"person_id": ids.to_numpy(), "as_of": asked[1]}).astype({"person_id": TEXT})
        told = asked, status_at(tables, asked[0], spine).drop(columns="as_of")
        _LAST_TOLD[tables] = told
    return told[1].copy()


def status_at(tables: Tables, program: Program | ReferralScope, spine: pd.DataFrame) -> pd.DataFrame:
    """Say where each person of a spine stood on the date.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program or ReferralScope
        Whose referrals and episodes count.
    spine : pandas.DataFrame
        Columns ``person_id`` and ``as_of``; any number of dates a person.

    Returns
    -------
    pandas.DataFrame
        One row per spine row about a person with a referral or episode, and one more for each further referral that
        waits; columns as :func:`status_on`, with ``as_of`` after ``person_id``; in the order of the spine.
    """
    questions = checked_spine(spine)
    scope = program if isinstance(program, ReferralScope) else ReferralScope.of(program)
    out = status_rows(tables, scope, Asked.of(questions))
    for name in ("person_id", "as_of"):
        out[name] = questions[name].iloc[out["row"]].to_numpy()
    out = out.astype(dict.fromkeys(("person_id", "referral_id", "episode_id", "status", "reason"), TEXT))
    return out[[_COLUMNS[0], "as_of", *_COLUMNS[1:]]]


def status_rows(tables: Tables, scope: ReferralScope, asked: Asked) -> pd.DataFrame:
    """Say where each person of a spine stood on the date, by the place of the question in the spine.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    scope : ReferralScope
        Whose referrals and episodes count.
    asked : Asked
        The spine.

    Returns
    -------
    pandas.DataFrame
        As :func:`status_at`, with the column ``row`` in place of ``person_id`` and ``as_of``.
    """
    as_of = pd.Series(asked.restored(asked.as_of).astype("datetime64[us]"))
    episodes = _episodes(tables, scope, asked, as_of)
    referrals = _referrals(tables, scope, asked, as_of, episodes)
    people = _people(tables, asked, episodes)
    first = _primary(referrals, episodes, people)
    waits = first.loc[first["status"] == "waiting"]
    others = referrals.loc[(referrals["status"] == "waiting") & referrals["row"].isin(waits["row"])]
    others = others.loc[others["referral_id"] != others["row"].map(waits.set_index("row")["referral_id"])]
    status = pd.Series("other_referral_waiting", others.index, dtype=TEXT)
    others = others.assign(status=status, since=others["referred_on"], rank=1)
    out = pd.concat([first.assign(rank=0), others[[*(set(first) & set(others)), "rank"]]], ignore_index=True)
    out = out.sort_values(["row", "rank"], kind="stable").drop(columns="rank").reset_index(drop=True)
    out["objects_to_scoring"] = people["objects_to_scoring"].iloc[out["row"]].array
    out["since"] = out["since"].astype("datetime64[us]").dt.normalize()
    return out


def _pairs(history: History, frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Rows of a table known for each question: ``row``, its place in the spine, and columns of the table."""
    row, place = history.windows().pairs()
    return frame[columns].iloc[place].reset_index(drop=True).assign(row=row)


def _of_program(frame: pd.DataFrame, scope: ReferralScope) -> pd.Series:
    """Rows of this program; one that names none is."""
    return frame["program"].isna() | (frame["program"] == scope.program) | (scope.program is None)


def _episodes(tables: Tables, scope: ReferralScope, asked: Asked, dates: pd.Series) -> pd.DataFrame:
    """Episodes known for each question, with whether they are open and in which state."""
    columns = ["episode_id", "referral_id", "admitted_on", "closed_on", "close_reason", "state", "program"]
    frame = _pairs(history_of(tables, "episodes", asked), tables.episodes, columns)
    frame = frame.loc[_of_program(frame, scope)].drop(columns="program").reset_index(drop=True)
    as_of = dates.iloc[frame["row"]].reset_index(drop=True)
    frame["is_open"] = frame["closed_on"].isna() | (frame["closed_on"] >= as_of)
    facts = tables.person_facts
    if not (facts["fact"] == "state").any():  # no history at all: the state the episode itself gives
        return frame.assign(state=frame["state"].fillna("active"), state_since=frame["admitted_on"])
    windows = history_of(tables, "person_facts", asked, until="valid_to").windows(
        mask=(facts["fact"] == "state").to_numpy(dtype=bool)
    )
    place = windows.last()[frame["row"].to_numpy()]
    state = facts[["value", "valid_from"]].iloc[np.maximum(place, 0)].reset_index(drop=True)
    holds = (place >= 0) & (state["valid_from"] >= frame["admitted_on"]) & state["value"].isin(FOLLOWED)
    return frame.assign(
        state=state["value"].where(holds, "active"), state_since=state["valid_from"].where(holds, frame["admitted_on"])
    )


def _decisions(tables: Tables, asked: Asked) -> pd.DataFrame:
    """Decisions known for each question that no later known decision replaces, the latest last."""
    columns = ["decision_id", "referral_id", "outcome", "reason", "response", "decided_at", "defer_until", "supersedes"]
    frame = _pairs(history_of(tables, "decisions", asked), tables.decisions, columns)
    replaced = frame[["row", "supersedes"]].dropna().drop_duplicates().set_axis(["row", "decision_id"], axis=1)
    frame = frame.merge(replaced, on=["row", "decision_id"], how="left", indicator="found")
    return frame.loc[frame["found"] == "left_only"].drop(columns=["found", "decision_id", "supersedes"])


def _referrals(
    tables: Tables, scope: ReferralScope, asked: Asked, dates: pd.Series, episodes: pd.DataFrame
) -> pd.DataFrame:
    """Referrals known for each question, each with its own status, reason and day."""
    columns = ["referral_id", "referred_on", "consent", "is_complete", "is_professional", "withdrawn_on", "program"]
    frame = _pairs(history_of(tables, "referrals", asked), tables.referrals, columns)
    decisions = _decisions(tables, asked)
    is_deferred = decisions["outcome"] == "defer"
    key = ["row", "referral_id"]
    final = decisions.loc[~is_deferred].drop_duplicates(key, keep="last").drop(columns="defer_until")
    deferred = decisions.loc[is_deferred].drop_duplicates(key, keep="last")
    deferred = deferred[[*key, "reason", "decided_at", "defer_until"]]
    frame = frame.merge(final, on=key, how="left").merge(deferred, on=key, how="left", suffixes=("", "_deferred"))
    frame = _with_last_episode(frame, episodes)
    as_of = dates.iloc[frame["row"]].reset_index(drop=True)
    is_refused = frame["outcome"] == "refuse"
    is_unprofessional = scope.professional_only & (frame["is_professional"] == False).fillna(False)  # noqa: E712
    is_incomplete = (frame["is_complete"] == False).fillna(False)  # noqa: E712  unknown is not no
    admit_reason = frame["reason"].mask(frame["response"] == "declined", "offer_declined")
    rules = [  # the first that holds: condition, status, reason, since
        (~_of_program(frame, scope), "out_of_scope", "other_program", "referred_on"),
        (frame["is_used_up"], "closed", frame["close_reason"], "closed_on"),
        (frame["withdrawn_on"] < as_of, "withdrawn", None, "withdrawn_on"),
        (is_refused & (frame["reason"] == "out_of_scope"), "out_of_scope", "out_of_scope", "decided_at"),
        (is_refused, "refused", frame["reason"], "decided_at"),
        (frame["outcome"] == "admit", "admitted", admit_reason, "decided_at"),
        (frame["consent"] == "no", "no_consent", "consent_refused", "referred_on"),
        (is_unprofessional, "invalid_form", "not_professional", "referred_on"),
        (is_incomplete, "invalid_form", "form_incomplete", "referred_on"),
        (frame["defer_until"] > as_of, "parked", frame["reason_deferred"], "decided_at_deferred"),
    ]
    first = np.select([rule[0].to_numpy(dtype=bool, na_value=False) for rule in rules], range(len(rules)), len(rules))
    status = pd.array([*(rule[1] for rule in rules), "waiting"], dtype=TEXT).take(first)
    reason, since = pd.Series(np.nan, frame.index, dtype=TEXT), frame["referred_on"].copy()
    for place in np.unique(first[first < len(rules)]):
        _, _, why, day = rules[place]
        is_it = first == place
        reason[is_it] = why[is_it] if isinstance(why, pd.Series) else why
        since[is_it] = frame.loc[is_it, day]
    return frame[["row", "referral_id", "referred_on"]].assign(status=status, reason=reason, since=since)


def _with_last_episode(referrals: pd.DataFrame, episodes: pd.DataFrame) -> pd.DataFrame:
    """Add the person's last episode to each referral, and whether the referral is used up by an episode."""
    last = episodes.drop_duplicates("row", keep="last")[["row", "admitted_on", "closed_on", "close_reason"]]
    linked = episodes[["row", "referral_id"]].dropna().drop_duplicates().assign(is_linked=True)
    frame = referrals.merge(last, on="row", how="left").merge(linked, on=["row", "referral_id"], how="left")
    is_linked = frame["is_linked"].notna()
    return frame.assign(is_used_up=is_linked | (frame["referred_on"] <= frame["admitted_on"]))


def deaths_known(tables: Tables, asked: Asked) -> pd.Series:
    """Return the day of each death known on the date, from `persons` or an event ``death``.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    asked : Asked
        The spine.

    Returns
    -------
    pandas.Series
        One date per spine row, missing where no death is known.
    """
    person = _picked(tables.persons["died_on"], history_of(tables, "persons", asked).windows().last())
    is_death = (tables.events["kind"] == "death").to_numpy(dtype=bool)
    seen = history_of(tables, "events", asked).windows(mask=is_death).first()
    died = person.fillna(_picked(tables.events["observed_at"], seen).dt.normalize())
    # A register may carry the day of a death that the extract learned of later: it takes nobody off an earlier list.
    return died.where(microseconds(died) < asked.restored(asked.as_of))


def _people(tables: Tables, asked: Asked, episodes: pd.DataFrame) -> pd.DataFrame:
    """One row per question: whether the person objects to scoring, and the day of a death that is known."""
    ended = episodes.loc[episodes["close_reason"] == "death"].drop_duplicates("row", keep="last")
    died = deaths_known(tables, asked).fillna(ended.set_index("row")["closed_on"])
    last = history_of(tables, "persons", asked).windows().last()
    return pd.DataFrame({"objects_to_scoring": _picked(tables.persons["objects_to_scoring"], last), "died_on": died})


def _picked(column: pd.Series, places: np.ndarray) -> pd.Series:
    """Values of a column at these places, missing where a place is −1."""
    values = column.array.take(places, allow_fill=True)
    return pd.Series(values, dtype=column.dtype)


def _primary(referrals: pd.DataFrame, episodes: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """One row per question that has any: a death, else an open episode, else the referral that counts."""
    rank = referrals["status"].map(_PRECEDENCE).fillna(_ENDED)
    days = referrals["referred_on"].astype("int64")
    by_id = pd.factorize(referrals["referral_id"], sort=True)[0]
    order = np.lexsort((by_id, days.where(rank < _ENDED, -days), rank, referrals["row"]))
    chosen = referrals.iloc[order].drop_duplicates("row").set_index("row")
    last = episodes.sort_values(["row", "is_open"], kind="stable").drop_duplicates("row", keep="last").set_index("row")
    out = chosen.join(last.rename(columns={"referral_id": "referral_id_episode"}), how="outer")
    is_open = out["is_open"].eq(True)
    is_closed = out["is_open"].eq(False) & (out["status"].isna() | (out["status"] == "closed"))
    shown = is_open | is_closed
    out["referral_id"] = out["referral_id_episode"].where(shown).fillna(out["referral_id"])
    out["reason"] = out["reason"].mask(is_open).mask(is_closed, out["close_reason"])
    out["since"] = out["since"].mask(is_open, out["state_since"]).mask(is_closed, out["closed_on"])
    out["status"] = out["status"].mask(is_open, out["state"]).mask(is_closed, "closed")
    out["episode_id"] = out["episode_id"].where(shown)
    died = people["died_on"].reindex(out.index)
    out["status"] = out["status"].mask(died.notna(), "dead")
    out["since"] = out["since"].mask(died.notna(), died)
    out["reason"] = out["reason"].mask(died.notna())
    return out[["referral_id", "episode_id", "status", "reason", "since"]].rename_axis("row").reset_index()
