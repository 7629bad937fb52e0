"""The answer sheets of sittings: what each sitting's answers were known to be, at each moment they changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.timeline.coded_answers import AskedOfPerson, answer_columns, codes_of
from casestrat.timeline.sorted_rows import microseconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.knowledge.instrument import Instrument

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]

_BLANK = -np.inf  # an answer that was given up again, or recorded as missing: not the same as none yet


@dataclass(frozen=True)
class Answers:
    """All answers of an extract as arrays, in the order they were recorded.

    Parameters
    ----------
    sittings : pandas.Index
        The different assessment ids.
    sitting, item, value : numpy.ndarray
        Places of the assessment, the item and the value; -1 where there is none, for values also where retracted.
    items : pandas.Index
        The different items.
    values : pandas.Series
        The different values.
    recorded : numpy.ndarray
        Moments recorded, in microseconds, rising.
    """

    sittings: pd.Index
    sitting: Whole
    item: Whole
    value: Whole
    items: pd.Index
    values: pd.Series
    recorded: Whole

    @classmethod
    def of(cls, responses: pd.DataFrame, assessments: pd.DataFrame) -> Answers:
        """Sort the table `responses` by the moment recorded.

        Parameters
        ----------
        responses, assessments : pandas.DataFrame
            The two tables, all versions of their rows.

        Returns
        -------
        Answers
            The same answers as arrays.
        """
        recorded = microseconds(responses["recorded_at"])
        order = np.argsort(recorded, kind="stable")
        sittings = pd.Index(assessments["assessment_id"].unique())
        item, items = pd.factorize(responses["item"])
        value, values = pd.factorize(responses["value"])
        is_void = responses["is_void"].fillna(False).to_numpy(dtype=bool)
        return cls(
            sittings=sittings,
            sitting=sittings.get_indexer(pd.Index(responses["assessment_id"]))[order],
            item=item[order],
            value=np.where(is_void, -1, value)[order],
            items=pd.Index(items),
            values=pd.Series(values),
            recorded=recorded[order],
        )


@dataclass(frozen=True)
class Sheets:
    """The sheets of an instrument's sittings: one row per sitting and moment at which something of it changed.

    Parameters
    ----------
    row : numpy.ndarray
        Place in the sittings' rows of the version that holds.
    recorded : numpy.ndarray
        The moment, in microseconds.
    codes : numpy.ndarray
        One column per name of :func:`answer_columns`: what the answers were known to be.
    has_answers : numpy.ndarray
        Whether any answer was recorded by then, blank ones too.
    """

    row: Whole
    recorded: Whole
    codes: Floats
    has_answers: NDArray[np.bool_]


def sheets_of(instrument: Instrument, sittings: pd.DataFrame, answers: Answers, persons: pd.DataFrame) -> Sheets:
    """Lay out the answers of an instrument's sittings.

    Parameters
    ----------
    instrument : Instrument
        The instrument of all these sittings.
    sittings : pandas.DataFrame
        Rows of `assessments`, all versions, at least one, sorted by assessment_id and recorded_at.
    answers : Answers
        All answers of the extract.
    persons : pandas.DataFrame
        The table `persons`; a later version of a person gives a further row where the instrument asks of the person.

    Returns
    -------
    Sheets
        One row per sitting and moment.
    """
    place, ids = pd.factorize(sittings["assessment_id"])  # rises, for the rows are sorted
    moment = microseconds(sittings["recorded_at"])
    first = moment[np.append(True, place[1:] != place[:-1])]
    local = np.full(len(answers.sittings) + 1, -1)  # the last stands for answers without a sitting
    local[answers.sittings.get_indexer(pd.Index(ids))] = np.arange(len(ids))
    mine = np.flatnonzero(local[answers.sitting] >= 0)
    sitting = local[answers.sitting[mine]]
    known = np.maximum(answers.recorded[mine], first[sitting])
    is_late = known > first[sitting]
    changes = [(place, moment), (sitting[is_late], known[is_late])]
    if instrument.context:
        changes.append(_changes_of_persons(sittings, place, first, persons))
    of, when = _different(np.concatenate([pair[0] for pair in changes]), np.concatenate([pair[1] for pair in changes]))
    codes = _codes(instrument, answers, mine, _last_before(of, when, sitting, known), len(of))
    if len(of) > len(ids):
        codes = _carried(codes, np.searchsorted(of, of))
    has_answers = np.asarray(~np.isnan(codes).all(axis=1))
    codes[codes == _BLANK] = np.nan
    return Sheets(_last_before(place, moment, of, when), when, codes, has_answers)


def asked_of_person(
    instrument: Instrument, sittings: pd.DataFrame, sheets: Sheets, persons: pd.DataFrame
) -> AskedOfPerson:
    """Return age and sex as they were known with each sheet.

    Parameters
    ----------
    instrument : Instrument
        The instrument; nothing is looked up where it asks nothing of the person.
    sittings : pandas.DataFrame
        Rows of `assessments`, as given to :func:`sheets_of`.
    sheets : Sheets
        The sheets.
    persons : pandas.DataFrame
        The table `persons`, all versions.

    Returns
    -------
    AskedOfPerson
        One value per sheet; the year of birth leaves an age open by one year where the month is not known.
    """
    n = len(sheets.row)
    if not instrument.context or persons.empty:
        return AskedOfPerson(np.full(n, np.nan), np.full(n, np.nan), np.full(n, "unknown", dtype=object))
    rows = sittings.iloc[sheets.row]
    people = persons.sort_values(["person_id", "recorded_at"], kind="stable", ignore_index=True)
    place, ids = pd.factorize(people["person_id"])
    of = pd.Index(ids).get_indexer(pd.Index(rows["person_id"]))
    found = _last_before(place, microseconds(people["recorded_at"]), of, sheets.recorded)
    known = people.iloc[np.maximum(found, 0)]
    is_known = (found >= 0) & ~known["is_void"].fillna(False).to_numpy(dtype=bool)
    sex = known["sex"].fillna("unknown").to_numpy(dtype=object)
    low, high = _ages(rows["observed_at"], known)
    return AskedOfPerson(
        np.where(is_known, low, np.nan), np.where(is_known, high, np.nan), np.where(is_known, sex, "unknown")
    )


def _ages(observed: pd.Series, people: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return the least and the greatest age in whole years that the year and month of birth allow."""
    month = people["birth_month"].to_numpy(dtype="float64", na_value=np.nan)
    year = people["birth_year"].to_numpy(dtype="float64", na_value=np.nan)
    years = observed.dt.year.to_numpy(dtype="float64") - year
    months = observed.dt.month.to_numpy(dtype="float64")
    return years - ~(month < months), years - (month > months)


def _changes_of_persons(
    sittings: pd.DataFrame, place: Whole, first: Whole, persons: pd.DataFrame
) -> tuple[Whole, Whole]:
    """Return the sittings and moments at which a person's age or sex became known or was corrected."""
    about = pd.DataFrame({"place": place, "person_id": sittings["person_id"].array}).drop_duplicates()
    versions = pd.DataFrame({"person_id": persons["person_id"], "moment": microseconds(persons["recorded_at"])})
    both = about.merge(versions, on="person_id")
    of, moment = both["place"].to_numpy(dtype="int64"), both["moment"].to_numpy(dtype="int64")
    is_late = moment > first[of]
    return of[is_late], moment[is_late]


def _different(of: Whole, when: Whole) -> tuple[Whole, Whole]:
    """Return the different pairs, sorted."""
    order = np.lexsort((when, of))
    of, when = of[order], when[order]
    is_new = np.ones(len(of), dtype=bool)
    is_new[1:] = (of[1:] != of[:-1]) | (when[1:] != when[:-1])
    return of[is_new], when[is_new]


def _last_before(of: Whole, when: Whole, asked_of: Whole, asked_when: Whole) -> Whole:
    """Return the place of the last sorted pair of the same thing at or before each moment, -1 where there is none."""
    moments = np.unique(when)
    key = of * (len(moments) + 1) + np.searchsorted(moments, when) + 1
    wanted = asked_of * (len(moments) + 1) + np.searchsorted(moments, asked_when, side="right")
    found = np.searchsorted(key, wanted, side="right") - 1
    is_same = (found >= 0) & (asked_of >= 0)
    is_same[is_same] &= of[found[is_same]] == asked_of[is_same]
    return np.where(is_same, found, -1)


def _codes(instrument: Instrument, answers: Answers, mine: Whole, row: Whole, n: int) -> Floats:
    """Write each answer in the row of its moment; a later one at the same moment stands."""
    columns = answer_columns(instrument)
    table = np.full((len(columns) + 1, len(answers.values) + 1), _BLANK)
    alike: dict[object, Floats] = {}  # items that take the same answers, as most of an instrument do, are read once
    for place, item in enumerate(columns.values()):
        taken = (item.allowed, item.minimum, item.maximum)
        if taken not in alike:
            codes = codes_of(item, answers.values)
            alike[taken] = np.where(np.isnan(codes), _BLANK, codes)
        table[place, :-1] = alike[taken]
    column = pd.Index(list(columns)).get_indexer(answers.items)[answers.item[mine]]
    is_ours = column >= 0
    codes = np.full((n, len(columns)), np.nan)
    codes[row[is_ours], column[is_ours]] = table[column[is_ours], answers.value[mine][is_ours]]
    return codes


def _carried(codes: Floats, begins: Whole) -> Floats:
    """Carry each answer on to the later rows of its sitting, until it is replaced."""
    rows = np.arange(len(codes))
    carried = np.empty_like(codes)
    for place in range(codes.shape[1]):
        last = np.maximum.accumulate(np.where(np.isnan(codes[:, place]), begins, rows))
        carried[:, place] = codes[last, place]
    return carried
