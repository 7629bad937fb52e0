"""Whether an extract has events enough to learn from, and how large a card they can carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.knowledge import load_scorecard, load_wording
from casestrat.models.evaluation.label_warnings import label_warnings
from casestrat.models.inputs.sample_size import events_needed
from casestrat.nightly.gates import newest_row
from casestrat.nightly.request import check_program, parse_as_of
from casestrat.tables import TEXT
from casestrat.timeline import build_labels, make_spine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casestrat.knowledge import Outcome, Program
    from casestrat.tables import Tables

EVENTS_A_ROW = 10
_SEPARATOR = " · "  # between warnings; a sentence may hold a semicolon
LEAST_ROWS = 3  # a card of fewer rows puts people into two or three groups: no better than a rule
_MOST_ROWS = 30
_MOST_DATES = 40
_COLUMNS: dict[str, Any] = {
    "outcome": TEXT, "is_of_program": "boolean", "horizon_days": "Int64", "first_on": "datetime64[us]",
    "last_on": "datetime64[us]", "dates": "Int64", "rows": "Int64", "people": "Int64", "events": "Int64",
    "people_with_event": "Int64", "prevalence": "float64", "share_unknown": "float64", "largest_card": "Int64",
    "events_for_default": "Int64", "advice": TEXT, "warnings": TEXT,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Readiness:
    """How many events there are of each outcome, and what they can carry.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per outcome of the program: outcome, is_of_program (whether it is the one that the program foretells),
        horizon_days, first_on and last_on (of the dates asked about), dates, rows (people and dates whose outcome is
        known), people, events (rows with the outcome), people_with_event, prevalence, share_unknown (of rows whose
        outcome is not known), largest_card (rows that a learned card may have; 0: keep the default), events_for_default
        (people with the outcome that a learned card as large as the program's would need), advice, and warnings
        (what the labels stand in for, parted by `` · ``).
    default_card : str
        Name of the program's card.

    Examples
    --------
    >>> frame = pd.DataFrame({"outcome": ["fall"], "is_of_program": [True], "advice": ["keep the default card"]})
    >>> Readiness(frame, "geriatric_default").advice
    'keep the default card'
    """

    frame: pd.DataFrame
    default_card: str

    @property
    def advice(self) -> str:
        """What to do about the outcome that the program foretells."""
        return str(self.frame.loc[self.frame["is_of_program"].astype(bool), "advice"].iloc[0])

    def warnings_of(self, outcome: str) -> tuple[str, ...]:
        """Return what the labels of an outcome stand in for, and whom they are known of.

        Parameters
        ----------
        outcome : str
            Name of an outcome of the program.

        Returns
        -------
        tuple of str
            Sentences; none where nothing is known against the labels.
        """
        told = self.frame.loc[self.frame["outcome"].eq(outcome), "warnings"].iloc[0]
        return tuple(filter(None, str(told).split(_SEPARATOR)))


def readiness(
    tables: Tables,
    program: Program,
    *,
    as_of: Sequence[str | pd.Timestamp] | None = None,
    events_a_row: int = EVENTS_A_ROW,
) -> Readiness:
    """Count the events of each outcome, and say how large a learned card they can carry.

    Everyone known is asked about on past dates one horizon apart, so that no event counts twice. Two rules bound the
    card, and the stricter one holds: ten people with the outcome a row (of the rarer class; events of one person are
    not independent, so each person counts once), and the number that a model of as many parameters needs for its risks
    to be trusted. Where not even three rows can be carried, the advice is to keep the program's card.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        The program, for its outcomes and its card.
    as_of : sequence of str or pandas.Timestamp, optional
        The past dates to ask about; by default as many as the data allow, one horizon apart, from the last date whose
        outcome can be known back to the first that every feature's window fits before.
    events_a_row : int, default 10
        People with the outcome for each row; 1 or more.

    Returns
    -------
    Readiness
        The counts and the advice.

    Raises
    ------
    UsageError
        The extract is of another program, or a date or ``events_a_row`` cannot be used.

    References
    ----------
    Peduzzi P, Concato J, Kemper E, Holford TR, Feinstein AR (1996). A simulation study of the number of events per
    variable in logistic regression analysis. Journal of Clinical Epidemiology 49, 1373–1379.

    Riley RD, Ensor J, Snell KIE, et al. (2020). Calculating the sample size required for developing a clinical
    prediction model. BMJ 368, m441.

    Examples
    --------
    >>> from casestrat.knowledge import load_program
    >>> from casestrat.tables import Extract, Tables
    >>> when = {"recorded_at": "2024-01-02"}
    >>> people = ["P1", "P2", "P3"]
    >>> when |= {"observed_from": "2024-01-01", "observed_until": "2026-09-30"}
    >>> persons = pd.DataFrame({"person_id": people, **when})
    >>> referrals = pd.DataFrame({"referral_id": ["R1"], "person_id": ["P1"], "referred_on": "2024-01-02",
    ...                           "recorded_at": "2024-01-02"})
    >>> events = pd.DataFrame({"event_id": ["E1"], "person_id": ["P2"], "kind": "crisis", "observed_at": "2026-05-04",
    ...                        "recorded_at": "2026-05-05"})
    >>> tables = Tables.from_frames({"persons": persons, "referrals": referrals, "events": events})
    >>> ready = readiness(tables, load_program("geriatric"), as_of=["2026-05-01", "2026-06-01"])
    >>> ready.frame.set_index("outcome").loc["crisis", ["rows", "events", "largest_card"]].tolist()
    [6, 1, 0]
    >>> ready.advice
    'keep the default card geriatric_default: 0 people with the outcome, and 30 are the least'
    """
    if events_a_row < 1:
        raise UsageError(f"events a row are 1 or more; found {events_a_row}", where="events_a_row")
    check_program(tables, program)
    given = None if as_of is None else [parse_as_of(date) for date in as_of]
    card = load_scorecard(program.risk.scorecard)
    rows = [_one_outcome(tables, program, outcome, given, events_a_row, card) for outcome in program.outcomes.values()]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)
    return Readiness(frame, card.id)


def _one_outcome(
    tables: Tables,
    program: Program,
    outcome: Outcome,
    given: list[pd.Timestamp] | None,
    events_a_row: int,
    card: Any,
) -> dict[str, Any]:
    """Count one outcome."""
    dates = given if given is not None else _past_dates(tables, program, outcome.horizon_days)
    about = {
        "outcome": outcome.name, "is_of_program": outcome.name == program.risk.outcome,
        "horizon_days": outcome.horizon_days, "dates": len(dates),
        "first_on": min(dates, default=pd.NaT), "last_on": max(dates, default=pd.NaT),
    }  # fmt: skip
    labels, is_followed = _labels(tables, program, outcome, dates)
    known = labels[labels["label"].notna()]
    with_event = known[known["label"].eq(1)]
    person = known.index.get_level_values("person_id")
    people_with_event = with_event.index.get_level_values("person_id").nunique()
    rarer = min(people_with_event, len(known) - len(with_event))
    prevalence = len(with_event) / len(known) if len(known) else np.nan
    largest = largest_card(rarer, prevalence, events_a_row)
    notes = label_warnings(outcome, y=labels["label"], is_followed=is_followed) if len(labels) else ()
    return {
        **about,
        "rows": len(known),
        "people": person.nunique(),
        "events": len(with_event),
        "people_with_event": people_with_event,
        "prevalence": prevalence,
        "share_unknown": 1 - len(known) / len(labels) if len(labels) else np.nan,
        "largest_card": largest,
        "events_for_default": _events_for(len(card.rows), prevalence, events_a_row),
        "advice": _advice(largest, rarer, prevalence, events_a_row, card.id, len(dates)),
        "warnings": _SEPARATOR.join(note.said(load_wording("en")) for note in notes),
    }


def largest_card(events: int, prevalence: float, events_a_row: int = EVENTS_A_ROW) -> int:
    """Return how many rows a card may have that is learned from so many events.

    Parameters
    ----------
    events : int
        People with the outcome, or without it where they are fewer.
    prevalence : float
        Share of rows with the outcome.
    events_a_row : int, default 10
        Events for each row.

    Returns
    -------
    int
        Rows; 0 where a card cannot be learned.

    Examples
    --------
    >>> largest_card(29, 0.2), largest_card(120, 0.2)
    (0, 6)
    """
    rows = 0
    for number in range(1, _MOST_ROWS + 1):
        needed = _events_for(number, prevalence, events_a_row)
        if needed is None or needed > events:
            break
        rows = number
    return rows if rows >= LEAST_ROWS else 0


def _events_for(rows: int, prevalence: float, events_a_row: int) -> int | None:
    """Return the events that a card of so many rows needs; None where no prevalence is known."""
    if not 0 < prevalence < 1:
        return None
    return max(events_a_row * rows, events_needed(rows, prevalence))


def _advice(largest: int, events: int, prevalence: float, events_a_row: int, card: str, n_dates: int) -> str:
    """Say what to do."""
    keep = f"keep the default card {card}"
    if not n_dates:
        return f"{keep}: the extract is too short for one past date with its windows and its horizon"
    if largest:
        return f"a card of up to {largest} rows can be learned; hold it against {card} on people left out"
    least = _events_for(LEAST_ROWS, prevalence, events_a_row) or LEAST_ROWS * events_a_row
    people = "1 person" if events == 1 else f"{events} people"
    return f"{keep}: {people} with the outcome, and {least} are the least"


def _labels(
    tables: Tables, program: Program, outcome: Outcome, dates: list[pd.Timestamp]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the labels of everyone known on the dates, and who was followed then."""
    if not dates:
        return pd.DataFrame({"label": []}, index=pd.MultiIndex.from_arrays([[], []], names=["person_id", "as_of"])), (
            np.zeros(0, dtype=bool)
        )
    labels = build_labels(tables, make_spine(tables, program, dates, population="all"), outcome, program)
    followed = pd.MultiIndex.from_frame(make_spine(tables, program, dates, population="followed"))
    return labels, labels.index.isin(followed)


def _past_dates(tables: Tables, program: Program, horizon_days: int) -> list[pd.Timestamp]:
    """Return dates one horizon apart: back from the last whose outcome is known to the first with whole windows."""
    end = tables.extract.data_end
    if end is None:
        newest = newest_row(tables, pd.Timestamp.max)
        end = pd.Timestamp(0) if newest is None else newest.normalize()
    last = end + pd.Timedelta(days=1 - horizon_days)
    start = tables.extract.data_start
    first = last - pd.Timedelta(days=horizon_days * (_MOST_DATES - 1))
    if start is not None:
        first = max(first, start + pd.Timedelta(days=_longest_window(program)))
    return [last - pd.Timedelta(days=horizon_days * n) for n in range(_MOST_DATES)
            if last - pd.Timedelta(days=horizon_days * n) >= first]  # fmt: skip


def _longest_window(program: Program) -> int:
    """Return the longest window of the program's features, in days; at least one day is past."""
    return max([1, *(_window(spec.options) for spec in program.features)])


def _window(options: Mapping[str, Any]) -> int:
    inner = options.get("feature")
    return max(int(options.get("window_days") or 0), _window(inner) if isinstance(inner, Mapping) else 0)
