"""What a feature is, as data: one small frozen class a kind, each with the options of the program's TOML."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from casestrat.errors import UsageError
from casestrat.tables import CONTRACTS
from casestrat.timeline.matching import choices_like

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casestrat.knowledge.program import FeatureSpec

# Tables whose rows have a moment of their own; answers take that of their sitting.
TIMED_TABLES = (*(name for name, c in CONTRACTS.items() if c.is_about_people and c.observed), "responses")


@dataclass(frozen=True, kw_only=True)
class Feature:
    """What every feature says of itself.

    Parameters
    ----------
    name : str
        Column of the feature; without it, a name made of the options.
    domain : str
        Part of life it belongs to, such as ``function`` or ``social``.
    is_actionable : bool
        Whether something can be done about it.
    worse : {"higher", "lower"}, optional
        Which direction means more need.
    label : mapping of str to str
        Language → words for people; a plain text counts as English.
    unit : str
        Unit of the value.
    """

    kind: ClassVar[str] = ""
    name: str = ""
    domain: str = "other"
    is_actionable: bool = False
    worse: Literal["higher", "lower"] | None = None
    label: Mapping[str, str] = field(default_factory=dict, hash=False)
    unit: str = ""

    def __post_init__(self) -> None:
        label = {"en": self.label} if isinstance(self.label, str) else dict(self.label)
        object.__setattr__(self, "label", label)
        if self.worse not in (None, "higher", "lower"):
            raise UsageError(f"`worse` must be 'higher' or 'lower', found {self.worse!r}", where=self.name)
        self._check()
        if not self.name:
            object.__setattr__(self, "name", self._own_name())

    def _check(self) -> None:
        """Refuse options that cannot be used."""

    def _own_name(self) -> str:
        """Make a name of the options."""
        return self.kind

    def options(self) -> dict[str, Any]:
        """Return the options of this kind that differ from their defaults, as plain values."""
        out = {}
        for one in fields(self):
            value = getattr(self, one.name)
            default = one.default_factory() if one.default_factory is not MISSING else one.default
            if one.name not in _COMMON and value != default:
                out[one.name] = value
        return out


_COMMON = frozenset(f.name for f in fields(Feature))


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
        _check_days(self.window_days, "window_days", self.name or self.kind)
        plain = {key: list(v) if isinstance(v, tuple | set | frozenset) else v for key, v in dict(self.where).items()}
        object.__setattr__(self, "where", plain)

    def _own_name(self) -> str:
        values = [v if isinstance(v, list) else [v] for v in self.where.values()]
        words = [self.kind, self.table, self.column, *(str(one) for several in values for one in several)]
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


class DaysSince(Windowed):
    """Days from the last row to the date; missing where there is none."""

    kind, needs_column = "days_since", False


class Change(Windowed):
    """The last value of a column less the one before it; missing under two values."""

    kind = "change"


class Slope(Windowed):
    """The least-squares slope of a column a day; missing under two different moments."""

    kind = "slope"


@dataclass(frozen=True)
class _OfInstrument(Feature):
    """A feature of an instrument's last valid score.

    Parameters
    ----------
    instrument : str
        Name of the instrument.
    valid_days : int, optional
        How long a score stands; an older one is missing. Without it, for ever.
    """

    instrument: str
    valid_days: int | None = field(default=None, kw_only=True)

    def _check(self) -> None:
        _check_days(self.valid_days, "valid_days", self.name or self.kind)

    def _own_name(self) -> str:
        output = getattr(self, "output", "")
        return "_".join(word for word in (self.instrument, output or self.kind.removeprefix("instrument_")) if word)


class InstrumentTotal(_OfInstrument):
    """The total of the last valid sitting with an instrument."""

    kind = "instrument_total"


class InstrumentBand(_OfInstrument):
    """The band of the last valid sitting with an instrument."""

    kind = "instrument_band"


@dataclass(frozen=True)
class InstrumentOutput(_OfInstrument):
    """One output, such as ``gir``, of the last valid sitting with an instrument."""

    kind: ClassVar[str] = "instrument_output"
    output: str = "total"


@dataclass(frozen=True)
class Person(Feature):
    """A column of `persons` that does not change, in the version known on the date."""

    kind: ClassVar[str] = "person"
    column: str

    def _own_name(self) -> str:
        return self.column


@dataclass(frozen=True)
class Age(Feature):
    """Age in years: by month where the month of birth is known, else the difference of years less one half."""

    kind: ClassVar[str] = "age"


@dataclass(frozen=True)
class Fact(Feature):
    """The value of a fact on the date: the latest that was known, had begun and had not ended."""

    kind: ClassVar[str] = "fact"
    fact: str

    def _own_name(self) -> str:
        return self.fact


@dataclass(frozen=True)
class Referral(Feature):
    """A column of the referral that counts on the date: the one that waits, or that the open episode came from.

    Parameters
    ----------
    column : str
        Column of `referrals`.
    program : str, optional
        Name of the program whose referrals count; a program's feature list fills it in.
    professional_only : bool
        Whether a referral that did not come from a professional is an invalid form; as above.
    """

    kind: ClassVar[str] = "referral"
    column: str
    program: str | None = field(default=None, kw_only=True)
    professional_only: bool = field(default=False, kw_only=True)

    def _own_name(self) -> str:
        return self.column


KINDS: dict[str, type[Feature]] = {
    kind.kind: kind
    for kind in (
        Age, Person, Referral, Fact, Count, Sum, Mean, Min, Max, Range, Last, First, DaysSince, Change, Slope,
        InstrumentTotal, InstrumentBand, InstrumentOutput,
    )
}  # fmt: skip


def feature_of(kind: str, name: str = "", **options: Any) -> Feature:
    """Make a feature of a kind's name and its options, as the program's TOML writes them.

    Parameters
    ----------
    kind : str
        Such as ``count`` or ``instrument_total``.
    name : str, optional
        Column of the feature.
    **options
        The kind's options and what every feature may say of itself.

    Returns
    -------
    Feature
        The feature.

    Raises
    ------
    UsageError
        The kind or an option is not known, an option is missing, or a value cannot be used.

    Examples
    --------
    >>> feature_of("count", table="events", where={"kind": "fall"}, window_days=180).name
    'count_events_fall_180d'
    """
    if kind not in KINDS:
        raise UsageError(f"there is no feature kind {kind!r}", where=name or None, do=choices_like(str(kind), KINDS))
    cls = KINDS[kind]
    known = [one.name for one in fields(cls)]
    for option in options:
        if option not in known:
            do = choices_like(option, sorted(set(known) - _COMMON) or ["no option"])
            raise UsageError(f"a feature of kind {kind!r} has no option {option!r}", where=name or None, do=do)
    needed = [f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING]
    absent = [option for option in needed if option not in options]
    if absent:
        raise UsageError(
            f"a feature of kind {kind!r} needs {', '.join(absent)}", where=name or None, do=f"give {absent[0]}"
        )
    return cls(name=name, **options)


def feature_from_spec(spec: FeatureSpec) -> Feature:
    """Make a feature of one line of a program's feature list."""
    return feature_of(
        spec.kind,
        name=spec.name,
        domain=spec.domain,
        is_actionable=spec.is_actionable,
        worse=spec.worse,
        label=dict(spec.label),
        unit=spec.unit,
        **spec.options,
    )


def definition_of(feature: Feature) -> dict[str, Any]:
    """Return a feature as plain values that JSON can hold, and :func:`feature_of` can read."""
    common = {one.name: getattr(feature, one.name) for one in fields(Feature) if one.name != "name"}
    defaults = {"domain": "other", "is_actionable": False, "worse": None, "label": {}, "unit": ""}
    told = {key: value for key, value in common.items() if value != defaults[key]}
    return {"kind": feature.kind, "name": feature.name, **feature.options(), **told}


def _check_days(days: object, option: str, where: str) -> None:
    """Refuse a length that is not a whole number of days above 0."""
    if days is None:
        return
    if isinstance(days, bool) or not isinstance(days, int) or days <= 0:
        raise UsageError(f"{option} must be a whole number of days above 0", where=where, do=f"mend {option}")
