"""The inputs of the admission criteria: what each name of a rule means for each waiting referral, and where it is from.

A name is, in this order: the age, a column of the referral, a dated fact, a column of the person, a feature.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import KnowledgeError
from casestrat.knowledge.three_valued import NotAtHand, Numbers, Value, Words, value_of
from casestrat.timeline import known

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.knowledge import Program
    from casestrat.tables import Tables

_UNKNOWN = "unknown"  # a code that says that nobody knows


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a rule for everyone who waits.

    Parameters
    ----------
    name : str
        As the rule writes it.
    value : Numbers, Words or NotAtHand
        What is known, one value a waiting referral.
    told : list of str
        The value as the evidence tells it: yes, no, unknown, a number, or `given` for a text.
    source : list of str
        Table and date of each value.
    is_missing : numpy.ndarray of bool
        Where nothing is known.
    is_open : numpy.ndarray of bool
        Where it is known between two ends only.
    """

    name: str
    value: Value
    told: list[str]
    source: list[str]
    is_missing: NDArray[np.bool_]
    is_open: NDArray[np.bool_]


class Inputs:
    """Everything a rule may read about the people who wait, as known on one date.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        The program, for its facts and features.
    waiting : pandas.DataFrame
        One row per waiting referral: person_id, referral_id.
    as_of : pandas.Timestamp
        The date.
    features : pandas.DataFrame, optional
        Features with index (person_id, as_of) or person_id.
    """

    def __init__(
        self,
        tables: Tables,
        program: Program,
        waiting: pd.DataFrame,
        as_of: pd.Timestamp,
        features: pd.DataFrame | None = None,
    ) -> None:
        self.program, self.as_of, self.tables, self.waiting = program, as_of, tables, waiting
        referrals = known(tables.referrals, "referral_id", as_of).drop_duplicates("referral_id", keep="last")
        self.referrals = _aligned(referrals.set_index("referral_id"), waiting["referral_id"])
        persons = known(tables.persons, "person_id", as_of).drop_duplicates("person_id", keep="last")
        self.persons = _aligned(persons.set_index("person_id"), waiting["person_id"])
        self.features = None if features is None else _aligned(_on(features, as_of), waiting["person_id"])
        self._facts: pd.DataFrame | None = None
        self._read: dict[str, Input] = {}

    def __getitem__(self, name: str) -> Input:
        """Return the input of that name, read once."""
        if name not in self._read:
            self._read[name] = self._resolved(name)
        return self._read[name]

    def _resolved(self, name: str) -> Input:
        if name == "age":
            low, high = ages(self.persons["birth_year"], self.persons["birth_month"], self.as_of)
            return _input(name, Numbers(low, high), "persons", self.persons["recorded_at"])
        if name in self.referrals.columns:
            return _input(name, value_of(self.referrals[name], name), "referrals", self.referrals["referred_on"])
        if name in self.program.facts:
            rows = self._fact(name)
            return _input(name, value_of(rows["value"], name), "person_facts", rows["valid_from"])
        if name in self.persons.columns:
            return _input(name, value_of(self.persons[name], name), "persons", self.persons["recorded_at"])
        if self.features is not None and name in self.features.columns:
            dates = pd.Series(self.as_of, index=self.features.index)
            return _input(name, value_of(self.features[name], name), "features", dates)
        if any(spec.name == name for spec in self.program.features):
            dates = pd.Series(pd.NaT, index=range(len(self.waiting)), dtype="datetime64[us]")
            return _input(name, NotAtHand(), "features", dates)
        raise KnowledgeError(
            f"a rule reads `{name}`, which is no column, fact or feature",
            where=f"program {self.program.id}",
            do="mend the rule, or give the column",
        )

    def _fact(self, name: str) -> pd.DataFrame:
        """Return the fact that holds on the date, the latest begun where several do."""
        if self._facts is None:
            rows = known(self.tables.person_facts, ["person_id", "fact", "valid_from"], self.as_of)
            rows = rows[rows["valid_from"].lt(self.as_of) & ~rows["valid_to"].lt(self.as_of)]
            self._facts = rows.sort_values(["valid_from", "recorded_at"], kind="stable")
        rows = self._facts[self._facts["fact"].eq(name).to_numpy(dtype=bool, na_value=False)]
        last = rows.drop_duplicates("person_id", keep="last").set_index("person_id")
        return _aligned(last, self.waiting["person_id"])


def ages(
    birth_year: pd.Series[Any], birth_month: pd.Series[Any], as_of: pd.Timestamp
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least and the greatest age in whole years that a birth year, and a month where known, leave open.

    Parameters
    ----------
    birth_year, birth_month : pandas.Series
        Whole numbers, missing where unknown.
    as_of : pandas.Timestamp
        The date.

    Returns
    -------
    tuple of numpy.ndarray
        Least and greatest age, one per person; NaN where the year is unknown.

    Examples
    --------
    >>> born = pd.Series([1966, 1966, 1966], dtype="Int64")
    >>> ages(born, pd.Series([None, 3, 11], dtype="Int64"), pd.Timestamp("2026-10-01"))
    (array([59., 60., 59.]), array([60., 60., 59.]))
    """
    year = birth_year.to_numpy(dtype="float64", na_value=np.nan)
    month = birth_month.to_numpy(dtype="float64", na_value=np.nan)
    turning = as_of.year - year
    low = np.where(month < as_of.month, turning, turning - 1)
    high = np.where(month > as_of.month, turning - 1, turning)
    return low, high


def _on(features: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the features of the date, indexed by person."""
    if features.index.nlevels == 1:
        return features
    dates = features.index.get_level_values("as_of")
    return features[dates == as_of].droplevel("as_of")


def _aligned(frame: pd.DataFrame, ids: pd.Series[Any]) -> pd.DataFrame:
    """Return the rows of these ids, missing where there is none."""
    return frame.reindex(ids.array).reset_index(drop=True)


def _input(name: str, value: Value, table: str, dates: pd.Series[Any]) -> Input:
    days = dates.dt.strftime("%Y-%m-%d").to_numpy(dtype=object, na_value=None)
    source = [table if day is None else f"{table} {day}" for day in days]
    n = len(source)
    if isinstance(value, NotAtHand):
        return Input(name, value, [_UNKNOWN] * n, source, np.ones(n, dtype=bool), np.zeros(n, dtype=bool))
    if isinstance(value, Words):
        told = [str(word) if word in _FLAG_WORDS else "given" for word in value.codes]
        told = [word if is_known else _UNKNOWN for word, is_known in zip(told, value.is_known, strict=True)]
        return Input(name, value, told, source, ~value.is_known, np.zeros(n, dtype=bool))
    is_flag = bool(np.isin(value.low[~np.isnan(value.low)], (0.0, 1.0)).all()) and name != "age"
    told = [_told(low, high, is_flag) for low, high in zip(value.low, value.high, strict=True)]
    return Input(name, value, told, source, np.isnan(value.low), value.low < value.high)


_FLAG_WORDS = frozenset(("yes", "no", "true", "false"))


def _told(low: float, high: float, is_flag: bool) -> str:
    if np.isnan(low):
        return _UNKNOWN
    if is_flag:
        return "yes" if low else "no"
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
