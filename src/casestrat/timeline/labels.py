"""What then happened: the outcome in ``[as_of, as_of + horizon)``, with competing events and short follow-up kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.knowledge import load_instrument, load_program
from casestrat.timeline.as_of import Asked, checked_spine, known
from casestrat.timeline.matching import choices_like, rows_matching
from casestrat.timeline.observation import followed_until
from casestrat.timeline.scoring import score_assessments
from casestrat.timeline.sorted_rows import DAY, NEVER, bisected, microseconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]

    from casestrat.knowledge.program import Outcome, Program
    from casestrat.tables import Tables

_END = pd.Timestamp("2262-01-01")  # later than anything recorded


def build_labels(
    tables: Tables, spine: pd.DataFrame, outcome: str | Outcome, program: Program | None = None
) -> pd.DataFrame:
    """Say for each person and date what happened within the outcome's horizon.

    The first of the outcome and its competing events counts; where they fall on the same moment, the outcome. All that
    the extract knows is used, each row in its last version. A date of death in `persons` counts as an event ``death``.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    spine : pandas.DataFrame
        Columns ``person_id`` and ``as_of``.
    outcome : str or Outcome
        Name of an outcome of the program, or an outcome.
    program : Program, optional
        Whose outcomes ``outcome`` names; without it, the program that the extract names.

    Returns
    -------
    pandas.DataFrame
        One row per spine row, index ``person_id, as_of``: ``label`` 1 where the outcome came first, 0 where it did not
        come in the whole horizon or a competing event came first, missing where follow-up (``observed_until``,
        `enrollments`, ``data_end``) ended before either was sure; ``days`` from the date to the event or to the end of
        follow-up, at most the horizon; ``event`` 0 none seen, 1 the outcome, 2 and more the competing events in the
        order of the outcome's list. An instrument's outcome is also missing where nothing was assessed.

    Raises
    ------
    UsageError
        The outcome is not the program's, no program is known, or the outcome names neither an event nor an instrument.

    Examples
    --------
    >>> from casestrat.knowledge import Outcome
    >>> from casestrat.tables import Tables
    >>> days = pd.to_datetime(["2026-01-10", "2025-12-31"])
    >>> tables = Tables.from_frames({
    ...     "persons": pd.DataFrame({"person_id": ["P1", "P2", "P3"], "recorded_at": pd.Timestamp("2025-01-01"),
    ...                              "observed_until": pd.to_datetime(["2026-12-31", "2026-12-31", "2026-01-05"])}),
    ...     "referrals": pd.DataFrame({"referral_id": ["R1"], "person_id": ["P1"], "referred_on": days[1:],
    ...                                "recorded_at": days[1:]}),
    ...     "events": pd.DataFrame({"event_id": ["E1", "E2"], "person_id": ["P1", "P2"], "kind": "fall",
    ...                             "observed_at": days, "recorded_at": days}),
    ... })
    >>> spine = pd.DataFrame({"person_id": ["P1", "P2", "P3"], "as_of": pd.Timestamp("2026-01-01")})
    >>> build_labels(tables, spine, Outcome("fall", horizon_days=30, event="fall"))["label"].tolist()
    [1.0, 0.0, nan]
    """
    wanted = _outcome(tables, outcome, program)
    asked = Asked.of(spine)
    frame = checked_spine(spine)
    start = microseconds(frame["as_of"])
    first, is_assessed = _first_outcome(tables, wanted, asked, start, program)
    moments = [first, *(_first_event(tables, kind, asked) for kind in wanted.competing)]
    end = start + wanted.horizon_days * DAY
    earliest, event = np.full(len(start), NEVER), np.zeros(len(start), dtype="int64")
    for code, moment in enumerate(moments, start=1):
        sooner = (moment < end) & (moment < earliest)
        earliest, event = np.where(sooner, moment, earliest), np.where(sooner, code, event)
    followed = np.minimum(followed_until(tables, frame), end)
    label = np.where((followed >= end) & is_assessed | (event > 1), 0.0, np.nan)
    label[event == 1] = 1.0
    days = (np.where(event > 0, earliest, followed) - start) / DAY
    index = pd.MultiIndex.from_frame(frame)
    return pd.DataFrame({"label": label, "days": days, "event": pd.array(event, dtype="Int64")}, index=index)


def _outcome(tables: Tables, outcome: str | Outcome, program: Program | None) -> Outcome:
    """Return the outcome meant, whatever it was named by."""
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
    if (outcome.event is None) == (outcome.instrument is None):
        raise UsageError(f"outcome {outcome.name!r} must name an event or an instrument", do="give one of the two")
    return outcome


def _first_outcome(
    tables: Tables, wanted: Outcome, asked: Asked, start: Whole, program: Program | None
) -> tuple[Whole, NDArray[np.bool_]]:
    """First moment of the outcome from each date on, and whether anything was looked at within the horizon."""
    if wanted.event is not None:
        return _first_event(tables, wanted.event, asked, dict(wanted.where)), np.ones(len(start), dtype=bool)
    scores = score_assessments(tables, program)
    if wanted.output not in scores.columns:  # nobody was assessed with it, or there is no such output
        outputs = load_instrument(str(wanted.instrument)).outputs
        if wanted.output not in outputs:
            what = f"instrument {wanted.instrument!r} has no output {wanted.output!r}"
            raise UsageError(what, do=choices_like(wanted.output, outputs))
        scores = scores.iloc[:0].assign(**{wanted.output: np.nan})
    scores = known(scores, "assessment_id", _END)
    is_meant = (scores["instrument"] == wanted.instrument) & scores["is_valid"].eq(True).fillna(False)
    scores = scores.loc[is_meant.to_numpy(dtype=bool) & scores[wanted.output].notna().to_numpy()]
    hit = scores.loc[scores[wanted.output] >= (-np.inf if wanted.at_least is None else wanted.at_least)]
    looked = _first_moment(asked, scores["person_id"], scores["observed_at"])
    is_assessed = looked < start + wanted.horizon_days * DAY
    return _first_moment(asked, hit["person_id"], hit["observed_at"]), is_assessed


def _first_event(tables: Tables, kind: str, asked: Asked, where: dict[str, Any] | None = None) -> NDArray[np.int64]:
    """First moment of a kind of event from each date on; never where there is none."""
    events = known(tables.events, "event_id", _END)
    met = rows_matching(events, {"kind": kind, **(where or {})}, "events")
    rows = events[["person_id", "observed_at"]].loc[met]
    if kind == "death":
        dead = known(tables.persons, "person_id", _END)[["person_id", "died_on"]].dropna()
        rows = pd.concat([rows, dead.set_axis(rows.columns, axis=1)])
    return _first_moment(asked, rows["person_id"], rows["observed_at"])


def _first_moment(asked: Asked, person_id: pd.Series, moments: pd.Series) -> NDArray[np.int64]:
    """First of a person's moments from each date on, in the order of the spine; never where there is none."""
    codes, when = asked.codes(person_id), microseconds(moments)
    order = np.lexsort((when, codes))
    order = order[codes[order] >= 0]
    codes, when = codes[order], when[order]
    starts = np.searchsorted(codes, np.arange(len(asked.starts)))
    low, high = starts[asked.person], starts[asked.person + 1]
    found = bisected(when, low, high, asked.as_of)
    out = np.full(len(asked), NEVER)
    some = found < high
    out[some] = when[found[some]]
    return asked.restored(out)
