"""A program: one kind of case management and its rules, read from one TOML file.

The objects here are frozen and hold what the file says, checked; they know nothing of tables or people. Each has the
name of the section of the file it was read from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from casestrat.knowledge.frozen import FrozenMap, freeze
from casestrat.tables.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from datetime import date

    from casestrat.knowledge.policy import PriorityPolicy

Labels = Mapping[str, str]  # language → words; "en" is always there


class _Frozen:
    """Makes the mappings and lists that a frozen object was given immutable, so that it can be hashed and pickled."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for part in fields(self):  # type: ignore[arg-type]  # every subclass is a dataclass
            object.__setattr__(self, part.name, freeze(getattr(self, part.name)))


@dataclass(frozen=True, slots=True)
class ReferralRules:
    """``[referral]``: who may refer, and the yes/no/unknown questions of the referral form."""

    sources: tuple[str, ...]
    professional_only: bool
    criteria_inputs: tuple[str, ...]  # columns of `referrals`, three-valued


@dataclass(frozen=True, slots=True)
class Outcome(_Frozen):
    """``[outcomes.<name>]``: what a model foretells.

    Either an event (``event``, ``where``) or an instrument's score (``instrument``, ``output``, ``at_least``) inside
    ``[as_of, as_of + horizon_days)``; ``competing`` are event kinds that end the chance to see it.
    """

    name: str
    horizon_days: int
    event: str | None = None
    where: Mapping[str, Any] = field(default_factory=FrozenMap)  # column → value it must equal
    instrument: str | None = None
    output: str = "total"
    at_least: float | None = None
    competing: tuple[str, ...] = ()
    label: Labels = field(default_factory=FrozenMap)


@dataclass(frozen=True, slots=True)
class FeatureSpec(_Frozen):
    """``[[features]]``: one line of the program's feature list, as written in the file.

    ``options`` are the arguments of the feature class of that kind in ``casestrat.features`` (``table``, ``column``,
    ``where``, ``window_days``, ``instrument``, ``output``, …).
    """

    name: str
    kind: str
    options: Mapping[str, Any]
    domain: str = "other"
    is_actionable: bool = False
    worse: Literal["higher", "lower"] | None = None
    label: Labels = field(default_factory=FrozenMap)
    unit: str = ""


@dataclass(frozen=True, slots=True)
class CriterionRule(_Frozen):
    """One named rule of a criteria set: a three-valued expression over columns and features known on the date."""

    id: str
    expression: str
    label: Labels = field(default_factory=FrozenMap)


@dataclass(frozen=True, slots=True)
class CriteriaSet:
    """``[[criteria]]``: a versioned set of admission rules; all of ``all_of`` and one of each ``any_of`` must hold."""

    id: str
    version: str
    valid_from: date
    valid_to: date | None
    approved_by: str
    all_of: tuple[str, ...]
    any_of: tuple[str, ...]
    rules: tuple[CriterionRule, ...]
    source: str = ""


@dataclass(frozen=True, slots=True)
class RiskRules:
    """``[risk]``: the outcome that is foretold and the scorecard that is used where no model is given."""

    outcome: str
    scorecard: str


@dataclass(frozen=True, slots=True)
class TierRule(_Frozen):
    """``[[tiers]]``, highest first: where the tier begins, in points and in risk, and its starting intensity."""

    id: str
    intensity: str
    from_points: int | None = None  # the lowest tier has neither bound
    from_risk: float | None = None
    label: Labels = field(default_factory=FrozenMap)


@dataclass(frozen=True, slots=True)
class ContactStandard:
    """One contact that an intensity asks for: its kind, and the most days between two of them."""

    kind: str
    every_days: int


@dataclass(frozen=True, slots=True)
class Intensity(_Frozen):
    """``[intensities.<name>]``: how closely a person is followed; owns the contact standard and the case weight."""

    id: str
    minutes_per_week: int
    contacts: tuple[ContactStandard, ...]
    label: Labels = field(default_factory=FrozenMap)


@dataclass(frozen=True, slots=True)
class DecisionReason(_Frozen):
    """``[[decision_reasons]]``: a reason a committee may give, and what follows from it."""

    code: str
    outcome: Literal["admit", "defer", "refuse"]
    actor: Literal["program", "person", "committee"]
    days_parked: int | None = None
    needs_note: bool = False
    label: Labels = field(default_factory=FrozenMap)


@dataclass(frozen=True, slots=True)
class AllocationRules:
    """``[allocation]``: the program's rules on who may follow whom, and the weights of the objective."""

    professions: tuple[str, ...] = ()  # empty: any
    licensed_professions: tuple[str, ...] = ()  # these need a licence in the person's jurisdiction
    credentials: tuple[str, ...] = ()
    language: Literal["required", "preferred", "ignored"] = "required"
    territory: Literal["required", "preferred", "ignored"] = "required"
    delta: float = 0.005
    caseload_norm: int = 40
    non_case_share: float = 0.25
    horizon_days: int = 90  # a licence must be valid on every day of this planned follow-up


@dataclass(frozen=True, slots=True)
class PrivacyRules(_Frozen):
    """``[privacy]``: whether a learned model may rank, the small-cell threshold, roles of columns."""

    learned_ranking: Literal["allowed", "opt_in"] = "allowed"
    small_cell: int = 11
    column_roles: Mapping[str, str] = field(default_factory=FrozenMap)  # column → feature, audit, both, neither


@dataclass(frozen=True, slots=True)
class Program(_Frozen):
    """A kind of case management and its rules.

    Satisfies ``casestrat.tables.Vocabulary``. Load one with :func:`casestrat.load_program`.
    """

    id: str
    version: str
    label: Labels
    population: Literal["referred", "enrolled"]
    event_kinds: tuple[str, ...]
    measurement_kinds: tuple[str, ...]
    facts: tuple[str, ...]
    instruments: tuple[str, ...]
    audit_groups: tuple[str, ...]
    referral: ReferralRules
    outcomes: Mapping[str, Outcome]
    features: tuple[FeatureSpec, ...]
    criteria: tuple[CriteriaSet, ...]
    risk: RiskRules
    tiers: tuple[TierRule, ...]
    intensities: Mapping[str, Intensity]
    priority: PriorityPolicy
    decision_reasons: tuple[DecisionReason, ...]
    allocation: AllocationRules
    privacy: PrivacyRules
    domain: str = ""
    licence: str = ""
    status: str = ""
    source: str = ""

    @property
    def fingerprint(self) -> str:
        """Hash of everything the program says; of a scorecard beside the program's file, only the file's name."""
        return fingerprint_of(replace(self, risk=replace(self.risk, scorecard=Path(self.risk.scorecard).name)))

    def feature(self, name: str) -> FeatureSpec:
        """Return a feature of the program by its name; a ``KeyError`` where it has none of that name."""
        return {spec.name: spec for spec in self.features}[name]

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the features, in the order of the file."""
        return tuple(spec.name for spec in self.features)
