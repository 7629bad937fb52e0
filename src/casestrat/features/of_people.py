"""Features of the person: instruments, columns, facts, referral, place in the life cycle, caregiver, household."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from casestrat.errors import UsageError
from casestrat.features.feature import Feature, check_days
from casestrat.timeline.matching import choices_like


@dataclass(frozen=True)
class OfInstrument(Feature):
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
        check_days(self.valid_days, "valid_days", self.name or self.kind)

    def _own_name(self) -> str:
        output = getattr(self, "output", "")
        return "_".join(word for word in (self.instrument, output or self.kind.removeprefix("instrument_")) if word)


class InstrumentTotal(OfInstrument):
    """The total of the last valid sitting with an instrument."""

    kind = "instrument_total"


class InstrumentBand(OfInstrument):
    """The band of the last valid sitting with an instrument."""

    kind = "instrument_band"


@dataclass(frozen=True)
class InstrumentOutput(OfInstrument):
    """One output, such as ``gir``, of the last valid sitting with an instrument.

    Parameters
    ----------
    output : str
        Name of the output.
    """

    kind: ClassVar[str] = "instrument_output"
    output: str = "total"


@dataclass(frozen=True)
class InstrumentItem(OfInstrument):
    """The last known answer to one item of an instrument, as a number; missing once it has expired.

    Parameters
    ----------
    item : str
        Name of the item, such as ``q9``.
    """

    kind: ClassVar[str] = "instrument_item"
    item: str

    def _own_name(self) -> str:
        return f"{self.instrument}_{self.item}"


class InstrumentDays(OfInstrument):
    """Days since the last valid sitting with an instrument; missing where there is none, or it has expired."""

    kind = "instrument_days"


class InstrumentValid(OfInstrument):
    """Whether the last sitting with an instrument could be scored and stands; missing where there was no sitting."""

    kind = "instrument_valid"


@dataclass(frozen=True)
class Person(Feature):
    """A column of `persons` that does not change, in the version known on the date.

    Parameters
    ----------
    column : str
        Column of `persons`.
    """

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
    """The value of a fact on the date: the latest that was known, had begun and had not ended.

    Parameters
    ----------
    fact : str
        Name of the fact.
    read_as : {"text", "number", "flag"}, optional
        A flag is 1 for yes and 0 for no; a number may be written as either. What cannot be read so is missing. Without
        it, a number where ``worse`` tells a direction, else text.
    """

    kind: ClassVar[str] = "fact"
    fact: str
    read_as: Literal["text", "number", "flag"] | None = field(default=None, kw_only=True)

    def _check(self) -> None:
        allowed = ("text", "number", "flag")
        if self.read_as is not None and self.read_as not in allowed:
            raise UsageError(
                f"a fact cannot be read as {self.read_as!r}",
                where=self.name or self.fact,
                do=choices_like(self.read_as, allowed),
            )

    def _own_name(self) -> str:
        return self.fact

    @property
    def is_read_as(self) -> str:
        """How the value is read, declared or not."""
        return self.read_as or ("text" if self.worse is None else "number")


@dataclass(frozen=True)
class OfProgram(Feature):
    """A feature of the referral that counts on the date: the one that waits, or that the open episode came from.

    Parameters
    ----------
    program : str, optional
        Name of the program whose referrals count; a program's feature list fills it in.
    professional_only : bool
        Whether a referral that did not come from a professional is an invalid form; as above.
    """

    program: str | None = field(default=None, kw_only=True)
    professional_only: bool = field(default=False, kw_only=True)


@dataclass(frozen=True)
class Referral(OfProgram):
    """A column of the referral that counts on the date: the one that waits, or that the open episode came from.

    Parameters
    ----------
    column : str
        Column of `referrals`.
    """

    kind: ClassVar[str] = "referral"
    column: str

    def _own_name(self) -> str:
        return self.column


class WaitedDays(OfProgram):
    """Days from the referral that waits, or is parked, to the date; missing for who does neither."""

    kind = "waited_days"


class Status(OfProgram):
    """Place in the life cycle on the date, such as ``waiting`` or ``active``; missing without referral or episode."""

    kind = "status"


class StatusDays(OfProgram):
    """Days since the place in the life cycle began; missing without referral or episode."""

    kind = "status_days"


@dataclass(frozen=True)
class _OfOthers(Feature):
    """A feature of other people, whom a fact of the person names.

    Parameters
    ----------
    feature : Feature
        What is computed of them, as of the same date; in a TOML file a table with its ``kind`` and options.
    """

    feature: Feature

    def _check(self) -> None:
        if not isinstance(self.feature, Feature):
            raise UsageError(
                f"{self.kind!r} needs the feature that is computed of others",
                where=self.name or self.kind,
                do="give a feature, such as Age()",
            )
        if isinstance(self.feature, _OfOthers | HouseholdSize):
            raise UsageError(
                f"{self.kind!r} of {self.feature.kind!r} goes too far",
                where=self.name or self.kind,
                do="compute of others what is their own: an age, a count, a score",
            )

    def _own_name(self) -> str:
        return f"{self.kind}_{self.feature.name}"


@dataclass(frozen=True)
class Caregiver(_OfOthers):
    """A feature of the caregiver: the person whom a fact named on the date; missing where there is none.

    Parameters
    ----------
    fact : str
        The fact whose value is the caregiver's ``person_id``.
    """

    kind: ClassVar[str] = "caregiver"
    fact: str = field(default="caregiver_id", kw_only=True)


@dataclass(frozen=True)
class Household(_OfOthers):
    """A feature of numbers over the other members of the household on the date.

    Missing where the household is not known, nobody else is in it, or no member has a value.

    Parameters
    ----------
    how : {"sum", "mean", "min", "max"}
        How the members' values become one; of flags, ``max`` is whether any member has it.
    fact : str
        The fact whose value names the household.
    """

    kind: ClassVar[str] = "household"
    how: Literal["sum", "mean", "min", "max"] = field(default="max", kw_only=True)
    fact: str = field(default="household", kw_only=True)

    def _check(self) -> None:
        super()._check()
        if self.how not in (allowed := ("sum", "mean", "min", "max")):
            raise UsageError(
                f"members of a household cannot be united by {self.how!r}",
                where=self.name or self.kind,
                do=choices_like(str(self.how), allowed),
            )


@dataclass(frozen=True)
class HouseholdSize(Feature):
    """How many people, the person included, are in the household on the date; missing where it is not known.

    Parameters
    ----------
    fact : str
        The fact whose value names the household.
    """

    kind: ClassVar[str] = "household_size"
    fact: str = field(default="household", kw_only=True)
