"""The tables as a spine sees them: each is sorted once and then read for every feature that needs it."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.tables import CONTRACTS, Tables, observation_recorded
from casestrat.timeline import (
    Asked,
    History,
    Observation,
    ReferralScope,
    Windows,
    history_of,
    rows_matching,
    score_assessments,
    status_rows,
)
from casestrat.timeline.as_of import checked_spine
from casestrat.timeline.matching import known_column
from casestrat.timeline.sorted_rows import NEVER, microseconds, replaced_at

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from casestrat.knowledge.program import Program

ANSWER_KEY = ("assessment_id", "item", "recorded_at")


class Reading:
    """The tables for one spine, sorted when first asked for.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    spine : pandas.DataFrame
        Columns ``person_id`` and ``as_of``.
    program : Program, optional
        The program whose instruments are scored.
    """

    def __init__(self, tables: Tables, spine: pd.DataFrame, program: Program | None) -> None:
        self.tables, self.spine, self._program = tables, checked_spine(spine), program
        self.asked = Asked.of(self.spine)
        self._histories: dict[str, History] = {}
        self._frames: dict[str, pd.DataFrame] = {}
        self._windows: dict[object, Windows] = {}
        self._observed: dict[int | None, NDArray[np.bool_]] = {}
        self._stands: dict[ReferralScope, pd.DataFrame] = {}
        self._referrals: dict[ReferralScope, NDArray[np.int64]] = {}

    @cached_property
    def as_of(self) -> NDArray[np.int64]:
        """The dates, in microseconds, in the order of the spine."""
        return self.asked.restored(self.asked.as_of)

    @cached_property
    def index(self) -> pd.MultiIndex:
        """The spine as an index, made of the codes that are known already."""
        people = pd.Index(pd.array(self.asked.people, dtype=self.spine["person_id"].dtype))
        return spine_index(people, self.asked.restored(self.asked.person), self.spine["as_of"])

    @cached_property
    def _observation(self) -> Observation:
        return Observation(self.tables, self.asked)

    @cached_property
    def _first_rows(self) -> Mapping[str, pd.Timestamp]:
        return observation_recorded(self.tables).first_rows

    def frame(self, table: str) -> pd.DataFrame:
        """Return a table's rows; `responses` with the moment of their sitting, `scores` one row a sitting scored."""
        if table not in self._frames:
            if table == "scores":
                self._frames[table] = score_assessments(self._of_people("assessments", "responses"), self._program)
            elif table == "responses":
                self._frames[table] = answers_with_moments(self.tables.responses, self.tables.assessments)
            else:
                self._frames[table] = getattr(self.tables, table)
        return self._frames[table]

    def _of_people(self, *names: str) -> Tables:
        """Return the tables, of these named only the rows about the people asked for."""
        about = {name: getattr(self.tables, name) for name in names}
        about = {name: rows.loc[self.asked.codes(rows["person_id"]) >= 0] for name, rows in about.items()}
        return replace(self.tables, **about)

    def moments(self, table: str) -> pd.Series:
        """Return when each row of a table was true."""
        named = CONTRACTS[table].observed if table in CONTRACTS else None
        frame = self.frame(table)
        return frame[named or ("observed_at" if "observed_at" in frame.columns else "recorded_at")]

    def history(self, table: str) -> History:
        """Return a table sorted for the spine."""
        if table not in self._histories:
            self._histories[table] = self._sorted(table)
        return self._histories[table]

    def _sorted(self, table: str) -> History:
        if table == "scores":
            return History(self.frame(table), self.asked, key=("assessment_id",))
        if table == "responses":
            return History(self.frame(table), self.asked, key=ANSWER_KEY, until="replaced_at")
        return history_of(self.tables, table, self.asked, until="valid_to" if table == "person_facts" else None)

    def windows(
        self,
        table: str,
        columns: str | Sequence[str] | None = None,
        where: Mapping[str, Any] | None = None,
        days: int | None = None,
    ) -> Windows:
        """Return the rows that count for each question: those that meet a condition and have a value in each column."""
        columns = () if columns is None else (columns,) if isinstance(columns, str) else tuple(columns)
        key = (table, columns, repr(sorted((where or {}).items())), days)
        if key not in self._windows:
            frame = self.frame(table)
            mask = rows_matching(frame, where or {}, table)
            for column in columns:
                has_value = known_column(frame, column, table).notna().to_numpy()
                if not has_value.all():
                    mask = has_value if mask is None else mask & has_value
            self._windows[key] = self.history(table).windows(days, mask)
        return self._windows[key]

    def check_window(self, days: int | None, name: str) -> None:
        """Refuse a window that reaches before the first day of the data.

        Parameters
        ----------
        days : int or None
            Length of the window.
        name : str
            The feature, for the message.

        Raises
        ------
        UsageError
            The window of the earliest date begins before ``extract.data_start``.
        """
        start = self.tables.extract.data_start
        if days is None or start is None or not len(self.asked):
            return
        earliest = pd.Timestamp(int(self.asked.as_of.min()), unit="us")
        begins = earliest - pd.Timedelta(days=days)
        if begins < start:
            raise UsageError(
                f"the window of {days} days before {earliest:%Y-%m-%d} begins on {begins:%Y-%m-%d}, "
                f"but the data start on {start:%Y-%m-%d}",
                where=f"feature {name!r}",
                do=f"ask for dates from {start + pd.Timedelta(days=days):%Y-%m-%d} on, or shorten the window",
            )

    def is_observed(self, days: int | None, table: str) -> NDArray[np.bool_]:
        """Return whether each person was observed over the window, and the table was in use by the date."""
        if days not in self._observed:
            self._observed[days] = self._observation.over(days)
        first = self._first_rows.get(table)
        if first is None:  # nobody has a row: it tells nothing of anybody
            return np.zeros(len(self.asked), dtype=bool)
        in_use = np.asarray(self.as_of > microseconds(pd.Series([first]))[0])
        return np.asarray(self._observed[days] & in_use)

    def about(self, spine: pd.DataFrame) -> Reading:
        """Return the same tables for another spine, such as that of caregivers."""
        return Reading(self.tables, spine, self._program)

    def stands(self, scope: ReferralScope) -> pd.DataFrame:
        """Return where each person stood on the date: status, referral_id and since, one row per spine row."""
        if scope not in self._stands:
            rows = status_rows(self.tables, scope, self.asked)
            rows = rows.loc[rows["status"] != "other_referral_waiting"].set_index("row")
            self._stands[scope] = rows[["status", "referral_id", "since"]].reindex(range(len(self.asked)))
        return self._stands[scope]

    def referral_places(self, scope: ReferralScope) -> NDArray[np.int64]:
        """Return the place in `referrals` of the referral that counts for each question, −1 where there is none."""
        if scope not in self._referrals:
            row, place = self.history("referrals").windows().pairs()
            ids = self.tables.referrals["referral_id"].iloc[place].reset_index(drop=True)
            shown = self.stands(scope)["referral_id"].iloc[row].reset_index(drop=True)
            is_shown = (ids == shown).to_numpy(dtype=bool, na_value=False)
            out = np.full(len(self.asked), -1, dtype="int64")
            out[row[is_shown]] = place[is_shown]
            self._referrals[scope] = out
        return self._referrals[scope]

    def when(self, table: str, places: NDArray[np.int64]) -> NDArray[np.datetime64]:
        """Return when the rows at these places were true, missing where a place is −1."""
        found = self.moments(table).array.take(places, allow_fill=True)
        return np.asarray(found.to_numpy(dtype="datetime64[us]"))


def spine_index(people: pd.Index, person: NDArray[np.int64], as_of: pd.Series) -> pd.MultiIndex:
    """Return a spine as an index, from the people's codes, which are known already and cost most to find."""
    dates, code = np.unique(microseconds(as_of), return_inverse=True)
    levels: Any = [people, pd.DatetimeIndex(dates.astype("datetime64[us]"))]
    codes: Any = [person, code]
    return pd.MultiIndex(
        levels=levels,
        codes=codes,
        names=["person_id", "as_of"],
        verify_integrity=False,
    )


def answers_with_moments(responses: pd.DataFrame, assessments: pd.DataFrame) -> pd.DataFrame:
    """Give each answer the moment and the instrument of its sitting; it is known when both are.

    Parameters
    ----------
    responses, assessments : pandas.DataFrame
        The two tables, all versions of their rows.

    Returns
    -------
    pandas.DataFrame
        One row per answer and span of time in which one version of both held: the columns of `responses`,
        ``number`` (the value where it is one), ``instrument``, ``observed_at``, ``recorded_at`` (the later of the two)
        and ``replaced_at``.
    """
    sittings = _with_end(assessments, ["assessment_id"])
    sittings = sittings[["assessment_id", "instrument", "observed_at", "recorded_at", "replaced", "is_void"]]
    answers = _with_end(responses, ["assessment_id", "item"])
    both = answers.merge(sittings, on="assessment_id", suffixes=("", "_sitting"))
    recorded = both[["recorded_at", "recorded_at_sitting"]].max(axis=1)
    ends = both[["replaced", "replaced_sitting"]].min(axis=1)
    is_void = both[["is_void", "is_void_sitting"]].fillna(False).any(axis=1)
    ended = pd.Series(np.where(ends == NEVER, np.iinfo(np.int64).min, ends).astype("datetime64[us]"), index=both.index)
    number = pd.to_numeric(both["value"], errors="coerce").astype("float64")
    both = both.assign(number=number, recorded_at=recorded, replaced_at=ended, is_void=False)
    both = both.loc[~is_void & (ended.isna() | (recorded < ended))]
    return both.drop(columns=[name for name in map(str, both) if name.endswith("_sitting") or name == "replaced"])


def _with_end(frame: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Add when each version of a row was replaced by the next."""
    recorded = microseconds(frame["recorded_at"])
    return frame.assign(replaced=replaced_at(frame, key, recorded, recorded))
