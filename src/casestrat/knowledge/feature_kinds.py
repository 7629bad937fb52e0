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


_OF_VALUES = FeatureKind(("table", "column"), ("where", "window_days"))
_OF_ROWS = FeatureKind(("table",), ("column", "where", "window_days"))
FEATURE_KINDS: Final[dict[str, FeatureKind]] = {
    "age": FeatureKind(()),
    "person": FeatureKind(("column",)),
    "referral": FeatureKind(("column",)),
    "fact": FeatureKind(("fact",)),
    "count": _OF_ROWS,
    "days_since": _OF_ROWS,
    **dict.fromkeys(("sum", "mean", "min", "max", "range", "last", "first", "change", "slope"), _OF_VALUES),
    "instrument_total": FeatureKind(("instrument",), ("valid_days",)),
    "instrument_band": FeatureKind(("instrument",), ("valid_days",)),
    "instrument_output": FeatureKind(("instrument", "output"), ("valid_days",)),
}
