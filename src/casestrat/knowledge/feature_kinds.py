"""The kinds of features a program may list, and the options each takes: the contract with ``casestrat.features``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# Tables that say when a thing was true; `person_facts`, `persons` and `referrals` have kinds of their own.
TIMED_TABLES: Final = ("events", "measurements", "diagnoses", "assessments", "responses", "contacts")
DOMAINS: Final = ("demographic", "function", "health", "cognition", "mood", "social", "use", "finance", "other")


@dataclass(frozen=True, slots=True)
class FeatureKind:
    """The options that a kind of feature needs, and those it may have.

    Parameters
    ----------
    needs : tuple of str
        Names of the options that must be given.
    may : tuple of str
        Names of those that may be.
    """

    needs: tuple[str, ...]
    may: tuple[str, ...] = ()

    @property
    def options(self) -> tuple[str, ...]:
        """All options, the needed ones first."""
        return self.needs + self.may


_WINDOW = ("where", "window_days")
_OF_VALUES = FeatureKind(("table", "column"), _WINDOW)
_OF_ROWS = FeatureKind(("table",), ("column", *_WINDOW))
_OF_MATCHING = FeatureKind(("table", "of"), ("column", *_WINDOW))
_OF_SPELLS = FeatureKind(("table",), ("column", *_WINDOW, "ends", "open_days"))
_OF_INSTRUMENT = FeatureKind(("instrument",), ("valid_days",))
_VALUES = (
    "sum", "mean", "min", "max", "range", "last", "first", "change", "change_since_first", "slope", "distinct",
    "deviation",
)  # fmt: skip
FEATURE_KINDS: Final[dict[str, FeatureKind]] = {
    "age": FeatureKind(()),
    "person": FeatureKind(("column",)),
    "referral": FeatureKind(("column",)),
    **dict.fromkeys(("waited_days", "status", "status_days"), FeatureKind(())),
    "fact": FeatureKind(("fact",), ("read_as",)),
    "caregiver": FeatureKind(("feature",), ("fact",)),
    "household": FeatureKind(("feature",), ("how", "fact")),
    "household_size": FeatureKind((), ("fact",)),
    **dict.fromkeys(("count", "days_since", "days_since_first", "longest_gap"), _OF_ROWS),
    **dict.fromkeys(_VALUES, _OF_VALUES),
    "nth_last": FeatureKind(("table", "column"), ("n", *_WINDOW)),
    "decayed_count": FeatureKind(("table",), ("column", "half_life_days", *_WINDOW)),
    **dict.fromkeys(("share", "streak", "longest_streak"), _OF_MATCHING),
    **dict.fromkeys(("spell_days", "in_spell"), _OF_SPELLS),
    **dict.fromkeys(("instrument_total", "instrument_band", "instrument_days", "instrument_valid"), _OF_INSTRUMENT),
    "instrument_output": FeatureKind(("instrument", "output"), ("valid_days",)),
    "instrument_item": FeatureKind(("instrument", "item"), ("valid_days",)),
}
WHOLE_OPTIONS: Final = ("window_days", "valid_days", "open_days", "half_life_days", "n")
CONDITION_OPTIONS: Final = ("where", "of")
