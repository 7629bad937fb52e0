"""Features of the rows of a table in a window before the date: one small frozen class a kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from casestrat.errors import UsageError
from casestrat.features.feature import Feature, check_days, check_whole, condition_words, plain_condition
from casestrat.tables import CONTRACTS
from casestrat.timeline.matching import choices_like

if TYPE_CHECKING:
    from collections.abc import Mapping

# Tables whose rows have a moment of their own; answers take that of their sitting.
TIMED_TABLES = (*(name for name, c in CONTRACTS.items() if c.is_about_people and c.observed), "responses")


@dataclass(frozen=True)
class Windowed(Feature):
    """A feature of the rows of a table in a window before the date.

    Parameters
    ----------
    table : str
        A table whose rows have a moment: ``events``, ``measurements``, ``assessments`` ….
    column : str, optional
        The column whose values count; rows without a value do not.
    where : mapping of str to value or list, optional
        Column → the value it must equal, or the values it may equal; an unknown value meets none.
    window_days : int, optional
        Length of the window; without it, all that was known.
    """

    table: str
    column: str | None = None
    where: Mapping[str, Any] = field(default_factory=dict, kw_only=True, hash=False)
    window_days: int | None = field(default=None, kw_only=True)
    needs_column: ClassVar[bool] = True

    def _check(self) -> None:
        if self.table not in TIMED_TABLES:
            raise UsageError(
                f"{self.kind!r} cannot read table {self.table!r}",
                where=self.name or self.kind,
                do=choices_like(str(self.table), TIMED_TABLES),
            )
        if self.needs_column and not self.column:
            raise UsageError(
                f"{self.kind!r} needs the column whose values count", where=self.name or self.kind, do="give `column`"
            )
        check_days(self.window_days, "window_days", self.name or self.kind)
        object.__setattr__(self, "where", plain_condition(self.where))

    def _own_name(self) -> str:
        words = [self.kind, self.table, self.column, *condition_words(self.where)]
        words += [f"{self.window_days}d"] if self.window_days else []
        return "_".join(word for word in words if word)


class Count(Windowed):
    """How many rows: 0 only where the person was observed over the window, else missing."""

    kind, needs_column = "count", False


class Sum(Windowed):
    """The sum of a column: 0 where the person was observed over the window without a row, else missing."""

    kind = "sum"


class Mean(Windowed):
    """The mean of a column; missing where there is no value."""

    kind = "mean"


class Min(Windowed):
    """The least value of a column; missing where there is none."""

    kind = "min"


class Max(Windowed):
    """The greatest value of a column; missing where there is none."""

    kind = "max"


class Range(Windowed):
    """The greatest less the least value of a column; missing where there is none."""

    kind = "range"


class Last(Windowed):
    """The last value of a column; of one moment the last recorded, then the greatest key."""

    kind = "last"


class First(Windowed):
    """The first value of a column; of one moment the first recorded, then the least key."""

    kind = "first"


@dataclass(frozen=True)
class NthLast(Windowed):
    """The n-th last value of a column (1 is the last); missing under n values.

    Parameters
    ----------
    n : int
        Which value, counted from the last.
    """

    kind: ClassVar[str] = "nth_last"
    n: int = field(default=2, kw_only=True)

    def _check(self) -> None:
        super()._check()
        check_whole(self.n, "n", self.name or self.kind)

    def _own_name(self) -> str:
        return f"{super()._own_name()}_{self.n}"


class Distinct(Windowed):
    """How many different values of a column: 0 only where the person was observed over the window, else missing."""

    kind = "distinct"


class Deviation(Windowed):
    """The standard deviation of a column, of a sample; missing under two values."""

    kind = "deviation"


class DaysSince(Windowed):
    """Days from the last row to the date; missing where there is none."""

    kind, needs_column = "days_since", False


class DaysSinceFirst(Windowed):
    """Days from the first row to the date; missing where there is none."""

    kind, needs_column = "days_since_first", False


class LongestGap(Windowed):
    """The most days without a row, between rows or from the last to the date.

    In a window its start counts too: without a row the gap is the whole window where the person was observed over it.
    """

    kind, needs_column = "longest_gap", False


class Change(Windowed):
    """The last value of a column less the one before it; missing under two values."""

    kind = "change"


class ChangeSinceFirst(Windowed):
    """The last value of a column less the first; missing under two values."""

    kind = "change_since_first"


class Slope(Windowed):
    """The least-squares slope of a column a day; missing under two different moments."""

    kind = "slope"


@dataclass(frozen=True)
class _OfMatching(Windowed):
    """A feature of which rows meet a further condition.

    Parameters
    ----------
    of : mapping of str to value or list
        The further condition, written as ``where``; rows in which it is unknown do not count.
    """

    needs_column: ClassVar[bool] = False
    of: Mapping[str, Any] = field(default_factory=dict, kw_only=True, hash=False)

    def _check(self) -> None:
        super()._check()
        if not self.of:
            raise UsageError(
                f"{self.kind!r} needs the condition that is looked for", where=self.name or self.kind, do="give `of`"
            )
        object.__setattr__(self, "of", plain_condition(self.of))

    def _own_name(self) -> str:
        return "_".join([super()._own_name(), "of", *condition_words(self.of)])


class Share(_OfMatching):
    """The share of the rows that meet the condition ``of``, 0 to 1; missing where there is no row."""

    kind = "share"


class Streak(_OfMatching):
    """How many of the last rows in a row meet the condition ``of``.

    0 where the last row does not, and, of a person observed over the window, where there is no row.
    """

    kind = "streak"


class LongestStreak(_OfMatching):
    """The most rows in a row that meet the condition ``of``; 0 as for :class:`Streak`."""

    kind = "longest_streak"


@dataclass(frozen=True)
class DecayedCount(Windowed):
    """The number of rows, each worth half for every half-life that has passed since; 0 only where observed.

    Parameters
    ----------
    half_life_days : int
        Days after which a row is worth one half.
    """

    kind: ClassVar[str] = "decayed_count"
    needs_column: ClassVar[bool] = False
    half_life_days: int = field(default=90, kw_only=True)

    def _check(self) -> None:
        super()._check()
        check_days(self.half_life_days, "half_life_days", self.name or self.kind)

    def _own_name(self) -> str:
        return f"{super()._own_name()}_half_{self.half_life_days}d"


@dataclass(frozen=True)
class _OfSpells(Windowed):
    """A feature of rows that last, from the moment observed to the moment in a column.

    Parameters
    ----------
    ends : str
        The column that says when a row ended.
    open_days : int, optional
        The longest that a row without an end is taken to last; without it, until the date.
    """

    needs_column: ClassVar[bool] = False
    ends: str = field(default="ended_at", kw_only=True)
    open_days: int | None = field(default=None, kw_only=True)

    def _check(self) -> None:
        super()._check()
        check_days(self.open_days, "open_days", self.name or self.kind)


class SpellDays(_OfSpells):
    """Days of the window inside a spell, such as a hospital stay; overlapping spells count once.

    A stay that began before the window or has no end yet counts with the days inside. 0 only where the person was
    observed over the window, else missing.
    """

    kind = "spell_days"


class InSpell(_OfSpells):
    """Whether a spell, such as a hospital stay, lasts on the date; missing where the person was not observed."""

    kind = "in_spell"
