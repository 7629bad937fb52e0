"""What then happened: the outcome in ``[as_of, as_of + horizon)``, with competing events and short follow-up kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.knowledge import Outcome, load_program
from casestrat.tables import TEXT
from casestrat.timeline.as_of import Asked, checked_spine
from casestrat.timeline.matching import choices_like
from casestrat.timeline.observation import data_ends, followed_until
from casestrat.timeline.sightings import Sightings, happenings, is_in_episode, looked_at
from casestrat.timeline.sorted_rows import DAY, NEVER, microseconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.knowledge.program import Program
    from casestrat.tables import Tables

    Whole = NDArray[np.int64]
    Flags = NDArray[np.bool_]

WHY_MISSING: Final = ("unknown_person", "not_followed", "not_observed", "event_unclear", "short_follow_up",
                      "not_assessed")  # fmt: skip
"""Why a label is missing; the first that holds is told."""


def build_labels(
    tables: Tables, spine: pd.DataFrame, outcome: str | Outcome, program: Program | None = None
) -> pd.DataFrame:
    """Say for each person and date what happened within the outcome's horizon.

    The first of the outcome and its competing events counts; where they fall on the same moment, the outcome. All that
    the extract knows is used, each row in its last version, up to the end of the person's follow-up: what came after it
    was not looked for in everybody, and a stay that is only planned has not happened. A date of death in `persons`, and
    the closing of an episode for a death that no other table has, count as an event ``death``.

    Unknown is not no: an event of which nobody knows whether it meets the outcome's condition (a hospital stay whose
    ``is_planned`` is missing, an episode closed without a reason) leaves the label missing, unless what is certain
    decides it, such as an unplanned stay in the same horizon.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    spine : pandas.DataFrame
        Columns ``person_id`` and ``as_of``, each pair once.
    outcome : str or Outcome
        Name of an outcome of the program, or an outcome.
    program : Program, optional
        Whose outcomes ``outcome`` names, whose instruments are scored and whose episodes count; without it, where the
        outcome is named, the program that the extract names.

    Returns
    -------
    pandas.DataFrame
        One row per spine row, index ``person_id, as_of``: ``label`` 1 where the outcome came first, 0 where it did not
        come in the whole horizon or a competing event came first, else missing; ``days`` from the date to the event, to
        the first event that is unclear, or to the end of follow-up, at most the horizon; ``event`` 0 none seen, 1 the
        outcome, 2 and more the competing events in the order of the outcome's list; ``why_missing``, empty where the
        label is known: ``unknown_person`` (not in `persons`), ``not_followed`` (the outcome is the closing of an
        episode, and none was open), ``not_observed`` (the date lies outside ``observed_from`` to ``observed_until``,
        `enrollments`, or after ``data_end``), ``event_unclear``, ``short_follow_up`` (one of these ends within the
        horizon), ``not_assessed`` (no valid sitting or measurement within it).

        Of an outcome with ``which = "next"`` the first sitting within the horizon decides alone: the label is known
        from that day on, and missing where it has no valid score. The closing of an episode is known to the program
        whether or not the person is still observed, so that only ``data_end`` cuts it short.

    Raises
    ------
    UsageError
        The outcome is not the program's, no program is known, the outcome does not name one source, or the spine asks
        twice about the same person and date.

    Examples
    --------
    >>> days = pd.to_datetime(["2026-01-10", "2025-12-31"])
    >>> from casestrat.tables import Tables
    >>> tables = Tables.from_frames({
    ...     "persons": pd.DataFrame({"person_id": ["P1", "P2", "P3"], "recorded_at": pd.Timestamp("2025-01-01"),
    ...                              "observed_until": pd.to_datetime(["2026-12-31", "2026-12-31", "2026-01-05"])}),
    ...     "referrals": pd.DataFrame({"referral_id": ["R1"], "person_id": ["P1"], "referred_on": days[1:],
    ...                                "recorded_at": days[1:]}),
    ...     "events": pd.DataFrame({"event_id": ["E1", "E2"], "person_id": ["P1", "P2"], "kind": "fall",
    ...                             "observed_at": days, "recorded_at": days}),
    ... })
    >>> spine = pd.DataFrame({"person_id": ["P1", "P2", "P3"], "as_of": pd.Timestamp("2026-01-01")})
    >>> labels = build_labels(tables, spine, Outcome("fall", horizon_days=30, event="fall"))
    >>> labels["label"].tolist(), labels["why_missing"].tolist()
    ([1.0, 0.0, nan], ['', '', 'short_follow_up'])
    """
    wanted, program_id = _outcome(tables, outcome, program)
    asked = Asked.of(spine)
    frame = checked_spine(spine)
    start = microseconds(frame["as_of"])
    end = start + wanted.horizon_days * DAY
    followed, is_followed = _follow_up(tables, wanted, asked, frame, program_id)
    until = np.minimum(followed, end)
    if wanted.happens:
        seen = happenings(tables, wanted, asked, program_id).before(until)
    else:
        seen = looked_at(tables, wanted, asked, program).before(until)
    upto, is_whole = _looked_until(seen, wanted, until, end)
    rivals = [happenings(tables, one, asked, program_id).before(upto) for one in _rivals(wanted)]
    label, moment, event, is_unclear = _first_of(seen, rivals)
    label[np.isnan(label) & ~is_unclear & is_whole] = 0.0
    ended = np.where(moment < NEVER, moment, np.minimum(upto, until))
    is_known = frame["person_id"].isin(tables.persons["person_id"]).to_numpy()
    reasons = [~is_known, ~is_followed, until <= start, is_unclear, until < end, np.ones(len(start), dtype=bool)]
    why = np.where(np.isnan(label), np.select(reasons, WHY_MISSING, ""), "")
    columns = {"label": label, "days": (ended - start) / DAY, "event": pd.array(event, dtype="Int64")}
    return pd.DataFrame({**columns, "why_missing": pd.array(why, dtype=TEXT)}, index=pd.MultiIndex.from_frame(frame))


def _follow_up(
    tables: Tables, wanted: Outcome, asked: Asked, frame: pd.DataFrame, program_id: str | None
) -> tuple[Whole, Flags]:
    """End of each row's follow-up, and whether the outcome can be asked of the person at all."""
    if not wanted.closed or wanted.event is not None:
        return followed_until(tables, frame), np.ones(len(frame), dtype=bool)
    start = asked.restored(asked.as_of)
    is_followed = is_in_episode(tables, asked, program_id)
    return np.where(is_followed, np.maximum(data_ends(tables), start), start), is_followed


def _looked_until(seen: Sightings, wanted: Outcome, until: Whole, end: Whole) -> tuple[Whole, Flags]:
    """End of the time in which a competing event counts, and whether the outcome was looked for in all of it."""
    if wanted.happens:
        return until, until >= end
    if wanted.which == "any":
        return until, (until >= end) & (seen.absent < NEVER)
    sitting = np.minimum.reduce([seen.certain, seen.possible, seen.absent])
    return np.where(sitting < NEVER, sitting, until), seen.absent < NEVER


def _first_of(seen: Sightings, rivals: list[Sightings]) -> tuple[NDArray[np.float64], Whole, NDArray[np.int64], Flags]:
    """Label where an event decides it, moment of what came first, its code, and whether what came first is unclear."""
    never = np.full(len(seen.certain), NEVER)
    rival, code, doubt = never.copy(), np.zeros(len(never), dtype="int64"), never.copy()
    for number, one in enumerate(rivals, start=2):
        code = np.where(one.certain < rival, number, code)
        rival, doubt = np.minimum(rival, one.certain), np.minimum(doubt, one.possible)
    is_sure = (seen.certain < NEVER) & (seen.certain <= rival) & (seen.certain <= doubt)
    perhaps = np.minimum(seen.certain, seen.possible)
    is_unclear = (perhaps < NEVER) & (perhaps <= rival) & ~is_sure
    is_beaten = ~is_sure & ~is_unclear & (rival < NEVER)
    label = np.where(is_sure, 1.0, np.where(is_beaten, 0.0, np.nan))
    moment = np.select([is_sure, is_beaten, is_unclear], [seen.certain, rival, np.minimum(seen.possible, doubt)], NEVER)
    return label, moment, np.select([is_sure, is_beaten], [1, code], 0), is_unclear


def _rivals(wanted: Outcome) -> list[Outcome]:
    """Return what competes with an outcome: another outcome, or the events of a kind."""
    return [
        wanted.rivals.get(name) or Outcome(name, horizon_days=wanted.horizon_days, event=name)
        for name in wanted.competing
    ]


def _outcome(tables: Tables, outcome: str | Outcome, program: Program | None) -> tuple[Outcome, str | None]:
    """Return the outcome meant, whatever it was named by, and whose episodes count."""
    program_id = program.id if program is not None else tables.extract.program
    if isinstance(outcome, str):
        if program is None:
            if not tables.extract.program:
                raise UsageError(
                    "an outcome is named, but no program that has it", do="give `program`, or an Outcome(…)"
                )
            program = load_program(tables.extract.program)
        if outcome not in program.outcomes:
            do = choices_like(outcome, program.outcomes)
            raise UsageError(f"program {program.id!r} has no outcome {outcome!r}", do=do)
        outcome = program.outcomes[outcome]
    if outcome.happens + (outcome.instrument is not None) + (outcome.measurement is not None) != 1:
        what = f"outcome {outcome.name!r} must name an event or a closing, an instrument, or a measurement"
        raise UsageError(what, do="give one of them")
    if outcome.which not in ("any", "next"):
        raise UsageError(f"an outcome's `which` is any or next; found {outcome.which!r}", where=outcome.name)
    return outcome, program_id or None
