"""When an outcome was first seen from each date on: for sure, and perhaps.

A row whose condition cannot be told (a stay of which nobody knows whether it was planned, an episode closed without a
reason) is neither the outcome nor its absence: it is a *possible* sighting. Unknown is not no.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.knowledge import load_instrument
from casestrat.tables import CONTRACTS
from casestrat.timeline.as_of import known
from casestrat.timeline.matching import choices_like, rows_matching
from casestrat.timeline.observation import spans_united, whole_days_end
from casestrat.timeline.scoring import score_assessments
from casestrat.timeline.sorted_rows import NEVER, bisected, microseconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from casestrat.knowledge.program import Outcome, Program
    from casestrat.tables import Tables
    from casestrat.timeline.as_of import Asked

    Whole = NDArray[np.int64]
    Flags = NDArray[np.bool_]

_END = pd.Timestamp("2262-01-01")  # later than anything recorded


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """First moments from each date on, in microseconds; never where there is none.

    Parameters
    ----------
    certain : numpy.ndarray
        First moment at which it was surely so, one per spine row.
    possible : numpy.ndarray
        First moment at which it may have been so.
    absent : numpy.ndarray
        First moment at which it was looked for and surely not found; never for what happens by itself.
    """

    certain: Whole
    possible: Whole
    absent: Whole

    def before(self, limit: Whole) -> Sightings:
        """Return only what was seen before a moment of each row.

        Parameters
        ----------
        limit : numpy.ndarray
            One moment per spine row.

        Returns
        -------
        Sightings
            The same, never where it came at the limit or later.
        """
        parts = (np.where(one < limit, one, NEVER) for one in (self.certain, self.possible, self.absent))
        return Sightings(*parts)


def happenings(tables: Tables, outcome: Outcome, asked: Asked, program_id: str | None) -> Sightings:
    """Return when an outcome that happens came first: an event, the closing of an episode, or the first of both.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    outcome : Outcome
        The outcome.
    asked : Asked
        The spine.
    program_id : str, optional
        Whose episodes count; without it, all do.

    Returns
    -------
    Sightings
        One entry per spine row.
    """
    parts = []
    if outcome.event is not None:
        parts += _events(tables, outcome.event, outcome.where, asked)
    if outcome.closed:
        rows = _episodes(tables, program_id)
        rows = rows.loc[rows["closed_on"].notna()]
        reasons = {"close_reason": list(_as_tuple(outcome.closed))}
        parts.append((rows["person_id"], rows["closed_on"], *_told(rows, reasons, "episodes")))
    moments = [_first(asked, person, when, sure, may) for person, when, sure, may in parts]
    never = np.full(len(asked), NEVER)
    certain, possible = (np.minimum.reduce(one) for one in zip(*moments, strict=True))
    return Sightings(certain, possible, never)


def looked_at(tables: Tables, outcome: Outcome, asked: Asked, program: Program | None) -> Sightings:
    """Return when an instrument's score or a measurement first reached the outcome, and when it first did not.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    outcome : Outcome
        The outcome. Where the ``next`` sitting alone decides, a sitting without a valid score leaves it open.
    asked : Asked
        The spine.
    program : Program, optional
        Whose instruments are scored.

    Returns
    -------
    Sightings
        One entry per spine row.
    """
    frame = _measured(tables, outcome) if outcome.measurement is not None else _scored(tables, outcome, program)
    if outcome.which == "next":
        frame = _one_a_moment(frame)
    value = frame["value"].to_numpy(dtype="float64")
    is_known = ~np.isnan(value)
    is_hit = is_known & (value >= (-np.inf if outcome.at_least is None else outcome.at_least))
    if outcome.which != "next":
        certain, absent = _first(asked, frame["person_id"], frame["observed_at"], is_hit, is_known & ~is_hit)
        return Sightings(certain, np.full(len(asked), NEVER), absent)
    place, when = _first_place(asked, frame["person_id"], frame["observed_at"])
    at = np.maximum(place, 0)
    nothing = np.full(len(asked), NEVER)
    if not len(frame):
        return Sightings(nothing, nothing, nothing)
    return Sightings(
        np.where(is_hit[at], when, NEVER),
        np.where(is_known[at], NEVER, when),
        np.where(is_known[at] & ~is_hit[at], when, NEVER),
    )


def is_in_episode(tables: Tables, asked: Asked, program_id: str | None) -> Flags:
    """Tell who had an open episode on each date, by all that the extract knows.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    asked : Asked
        The spine.
    program_id : str, optional
        Whose episodes count; without it, all do.

    Returns
    -------
    numpy.ndarray of bool
        One entry per spine row.
    """
    rows = _episodes(tables, program_id)
    codes = asked.codes(rows["person_id"])
    starts = microseconds(rows["admitted_on"])
    blocks = spans_united(codes, starts, whole_days_end(rows["closed_on"])).to_numpy(dtype="int64")
    blocks = blocks[blocks[:, 0] >= 0]
    if not len(blocks):
        return np.zeros(len(asked), dtype=bool)
    first = np.searchsorted(blocks[:, 0], np.arange(len(asked.starts)))
    low, high = first[asked.person], first[asked.person + 1]
    place = bisected(blocks[:, 1], low, high, asked.as_of + 1) - 1  # the last that began by then
    is_open = (place >= low) & (blocks[np.maximum(place, 0), 2] > asked.as_of)
    return np.asarray(asked.restored(is_open))


def _events(tables: Tables, kind: str, where: Mapping[str, Any], asked: Asked) -> list[tuple[Any, ...]]:
    """Return person, moment, and whether it was surely or perhaps so, of a kind of event; deaths from all sources."""
    events = known(tables.events, "event_id", _END)
    events = events.loc[(events["kind"] == kind).to_numpy(dtype=bool)]
    parts = [(events["person_id"], events["observed_at"], *_told(events, where, "events"))]
    if kind == "death":
        persons = known(tables.persons, "person_id", _END)
        told = [persons.loc[persons["died_on"].notna(), ["person_id", "died_on"]]]
        episodes = known(tables.episodes, "episode_id", _END)
        is_death = (episodes["close_reason"] == "death") & episodes["closed_on"].notna()
        # The day an episode was closed for a death stands in for the day of death where no other source has it.
        elsewhere = pd.concat([told[0]["person_id"], events["person_id"]])
        told.append(episodes.loc[is_death & ~episodes["person_id"].isin(elsewhere), ["person_id", "closed_on"]])
        for rows in told:
            if where:  # such a death is no event, so nobody knows whether it meets the condition
                rows = rows.loc[~rows["person_id"].isin(events["person_id"])]
            sure = np.full(len(rows), not where)
            parts.append((rows.iloc[:, 0], rows.iloc[:, 1], sure, ~sure))
    return parts


def _told(frame: pd.DataFrame, where: Mapping[str, Any], table: str) -> tuple[Flags, Flags]:
    """Which rows surely meet a condition, and which perhaps do because a value is missing."""
    sure, may = np.ones(len(frame), dtype=bool), np.ones(len(frame), dtype=bool)
    for column, wanted in where.items():
        met = np.asarray(rows_matching(frame, {column: wanted}, table), dtype=bool)
        sure &= met
        may &= met | frame[column].isna().to_numpy()
    return sure, may & ~sure


def _episodes(tables: Tables, program_id: str | None) -> pd.DataFrame:
    """Episodes of the program, those that name none too, each in its last version."""
    rows = known(tables.episodes, "episode_id", _END)
    if program_id is None:
        return rows
    return rows.loc[(rows["program"].isna() | (rows["program"] == program_id)).to_numpy(dtype=bool)]


def _measured(tables: Tables, outcome: Outcome) -> pd.DataFrame:
    """Return the measurements of a kind."""
    rows = known(tables.measurements, CONTRACTS["measurements"].key, _END)
    rows = rows.loc[(rows["kind"] == outcome.measurement).to_numpy(dtype=bool)]
    return rows.assign(id=rows["measurement_id"]).reset_index(drop=True)


def _scored(tables: Tables, outcome: Outcome, program: Program | None) -> pd.DataFrame:
    """Return every sitting of an instrument, with its output as the value, missing where the score is not valid."""
    scores = score_assessments(tables, program)
    if outcome.output not in scores.columns:  # nobody was assessed with it, or there is no such output
        outputs = load_instrument(str(outcome.instrument)).outputs
        if outcome.output not in outputs:
            what = f"instrument {outcome.instrument!r} has no output {outcome.output!r}"
            raise UsageError(what, do=choices_like(outcome.output, outputs))
        scores = scores.iloc[:0].assign(**{outcome.output: np.nan})
    scores = known(scores, "assessment_id", _END)
    scores = scores.loc[(scores["instrument"] == outcome.instrument).to_numpy(dtype=bool)]
    is_valid = scores["is_valid"].eq(True).fillna(False).to_numpy(dtype=bool)
    value = scores[outcome.output].where(is_valid)
    return scores.assign(id=scores["assessment_id"], value=value).reset_index(drop=True)


def _one_a_moment(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep of the rows of a person and moment the last recorded, then the one with the greatest id."""
    rows = rows.sort_values(["person_id", "observed_at", "recorded_at", "id"], kind="stable")
    return rows.drop_duplicates(["person_id", "observed_at"], keep="last").reset_index(drop=True)


def _first(asked: Asked, person_id: pd.Series, moments: pd.Series, *which: Flags) -> tuple[Whole, ...]:
    """First moment of each choice of rows."""
    return tuple(_first_place(asked, person_id[one], moments[one])[1] for one in which)


def _first_place(asked: Asked, person_id: pd.Series, moments: pd.Series) -> tuple[Whole, Whole]:
    """Place and moment of a person's first row from each date on, in the order of the spine; −1 and never for none."""
    codes, when = asked.codes(person_id), microseconds(moments)
    order = np.lexsort((when, codes))
    order = order[codes[order] >= 0]
    codes, when = codes[order], when[order]
    starts = np.searchsorted(codes, np.arange(len(asked.starts)))
    low, high = starts[asked.person], starts[asked.person + 1]
    found = bisected(when, low, high, asked.as_of)
    place, moment = np.full(len(asked), -1), np.full(len(asked), NEVER)
    some = found < high
    place[some], moment[some] = order[found[some]], when[found[some]]
    return asked.restored(place), asked.restored(moment)


def _as_tuple(words: str | tuple[str, ...]) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else tuple(words)
