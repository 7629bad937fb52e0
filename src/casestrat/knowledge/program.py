"""A program: one kind of case management and its rules, read from one TOML file.

The objects here are frozen and hold what the file says, checked; they know nothing of tables or people. Each has the
name of the section of the file it was read from.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from casestrat.knowledge.frozen import FrozenMap, FrozenParts, Labels
from casestrat.knowledge.program_allocation import AllocationRules as AllocationRules  # noqa: TC001 - read from here
from casestrat.tables.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from casestrat.knowledge.policy import PriorityPolicy
    from casestrat.knowledge.program_tiers import Intensity, RuleSpec, TierRule


@dataclass(frozen=True, slots=True)
class ReferralRules:
    """``[referral]``: who may refer, and the yes/no/unknown questions of the referral form.

    Parameters
    ----------
    sources : tuple of str
        Who may send a referral: the codes of ``referrals.source``.
    professional_only : bool
        Whether only a professional may refer.
    criteria_inputs : tuple of str
        Columns of ``referrals`` that say yes, no or unknown.
    """

    sources: tuple[str, ...]
    professional_only: bool
    criteria_inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome(FrozenParts):
    """``[outcomes.<name>]``: what a model foretells, inside ``[as_of, as_of + horizon_days)``.

    Its source is something that happens (``event`` with ``where``, ``closed``, or both: the first of the two), or
    something that is looked at (an ``instrument`` or a ``measurement`` with ``at_least``).

    Parameters
    ----------
    name : str
        Its name in the program.
    horizon_days : int
        Days looked ahead, from the date itself on; 1 or more.
    event : str, optional
        The kind of event.
    where : mapping, optional
        Column of ``events`` → the value it must equal.
    instrument : str, optional
        The instrument.
    output : str
        The output of the instrument.
    at_least : float, optional
        The score or the value from which on the outcome has come.
    competing : tuple of str
        Kinds of events, or other outcomes of the program that happen, that end the chance to see it.
    label : mapping of str to str, optional
        What people read, by language.
    closed : tuple of str
        Reasons for which an episode is closed. Alone, it is foretold for people in an open episode only.
    measurement : str, optional
        The kind of measurement.
    which : {"any", "next"}
        Of several sittings or measurements: whether one of them must reach ``at_least``, or the first one on or after
        the date alone decides.
    rivals : mapping of str to Outcome, optional
        What those of the competing names mean that are outcomes of the program; the others are kinds of events.
    is_proxy : bool
        Whether it stands in for what is meant, as cost does for need.
    """

    name: str
    horizon_days: int
    event: str | None = None
    where: Mapping[str, Any] = field(default_factory=FrozenMap)
    instrument: str | None = None
    output: str = "total"
    at_least: float | None = None
    competing: tuple[str, ...] = ()
    label: Labels = field(default_factory=FrozenMap)
    closed: tuple[str, ...] = ()
    measurement: str | None = None
    which: Literal["any", "next"] = "any"
    rivals: Mapping[str, Outcome] = field(default_factory=FrozenMap)
    is_proxy: bool = False

    @property
    def happens(self) -> bool:
        """Whether its source is something that happens, rather than something that is looked at."""
        return self.event is not None or bool(self.closed)


@dataclass(frozen=True, slots=True)
class FeatureSpec(FrozenParts):
    """``[[features]]``: one line of the program's feature list, as written in the file.

    Parameters
    ----------
    name : str
        Name of the column that it becomes.
    kind : str
        A key of ``casestrat.knowledge.FEATURE_KINDS``.
    options : mapping
        The arguments of the feature class of that kind in ``casestrat.features`` (``table``, ``column``, ``where``,
        ``window_days``, ``instrument``, ``output``, …).
    domain : str
        What kind of reason it is, such as ``"function"`` or ``"social"``.
    is_actionable : bool
        Whether help can change it.
    worse : {"higher", "lower"}, optional
        Which way means more need; None: neither.
    label : mapping of str to str, optional
        What people read, by language.
    unit : str
        Its unit, such as ``"days"``; empty where it has none.
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
class CriterionRule(FrozenParts):
    """One named rule of a criteria set: a three-valued expression over columns and features known on the date.

    Parameters
    ----------
    id : str
        Its name in the set.
    expression : str
        As :func:`casestrat.knowledge.parse_expression` reads it, such as ``"age >= 60 or neurodegenerative"``.
    label : mapping of str to str, optional
        What people read, by language.
    """

    id: str
    expression: str
    label: Labels = field(default_factory=FrozenMap)


@dataclass(frozen=True, slots=True)
class CriteriaSet:
    """``[[criteria]]``: a versioned set of admission rules.

    Parameters
    ----------
    id, version : str
        Name of the set, and which version of it this is.
    valid_from, valid_to : datetime.date or None
        First and last day on which it is in force; no last day: until further notice.
    approved_by : str
        Who set it.
    all_of : tuple of str
        Names of the rules that must all hold.
    any_of : tuple of str
        Names of the rules of which one must hold; empty: none is asked.
    rules : tuple of CriterionRule
        The rules that ``all_of`` and ``any_of`` name.
    source : str
        Where the set was taken from.
    """

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
    """``[risk]``: the outcome that is foretold and the scorecard that is used where no model is given.

    Parameters
    ----------
    outcome : str
        Name of one of the program's outcomes.
    scorecard : str
        Name of a shipped card or instrument, or the path of a TOML.
    """

    outcome: str
    scorecard: str


@dataclass(frozen=True, slots=True)
class DecisionReason(FrozenParts):
    """``[[decision_reasons]]``: a reason a committee may give, and what follows from it.

    Parameters
    ----------
    code : str
        Its name in ``decisions.reason``.
    outcome : {"admit", "defer", "refuse"}
        The outcome that it may be given for.
    actor : {"program", "person", "committee"}
        With whom the reason lies.
    days_parked : int, optional
        Days that a deferral lasts where the decision gives no end.
    needs_note : bool
        Whether a decision for this reason needs a note.
    label : mapping of str to str, optional
        What people read, by language.
    """

    code: str
    outcome: Literal["admit", "defer", "refuse"]
    actor: Literal["program", "person", "committee"]
    days_parked: int | None = None
    needs_note: bool = False
    label: Labels = field(default_factory=FrozenMap)


@dataclass(frozen=True, slots=True)
class PrivacyRules(FrozenParts):
    """``[privacy]``: whether a learned model may rank, the small-cell threshold, roles of columns.

    Parameters
    ----------
    learned_ranking : {"allowed", "opt_in"}
        Whether a learned model may rank people and give them tiers as it is, or only with a reason that is recorded.
        A program of the domain ``"juvenile"`` or ``"correctional"`` says ``"opt_in"``.
    small_cell : int
        Counts from 1 to one less than this are not shown.
    column_roles : mapping of str to str, optional
        Column → ``"feature"``, ``"audit"``, ``"both"`` or ``"neither"``, where the program departs from the contract.
    """

    learned_ranking: Literal["allowed", "opt_in"] = "allowed"
    small_cell: int = 11
    column_roles: Mapping[str, str] = field(default_factory=FrozenMap)


@dataclass(frozen=True, slots=True)
class Program(FrozenParts):
    """A kind of case management and its rules.

    Satisfies ``casestrat.tables.Vocabulary``. Load one with :func:`casestrat.load_program`.

    Parameters
    ----------
    id, version : str
        Its name, and which version of it this is.
    label : mapping of str to str
        What people read, by language.
    population : {"referred", "enrolled"}
        Whether it ranks those who were referred, or all who are enrolled.
    event_kinds, measurement_kinds, facts, instruments : tuple of str
        The codes that its tables may hold, and the instruments it uses.
    audit_groups : tuple of str
        Columns of ``persons`` and facts by which its models are audited.
    referral : ReferralRules
        Who may refer, and what the referral form asks.
    outcomes : mapping of str to Outcome
        What its models may foretell, by name.
    features : tuple of FeatureSpec
        Its feature list, in the order of the columns.
    criteria : tuple of CriteriaSet
        Its sets of admission rules, each with the days on which it is in force.
    risk : RiskRules
        The outcome that is foretold, and the scorecard.
    tiers : tuple of TierRule
        Its tiers, the highest first.
    intensities : mapping of str to Intensity
        How closely people are followed, by name.
    priority : PriorityPolicy
        How its waiting list is put in order.
    decision_reasons : tuple of DecisionReason
        The reasons that its committee may give.
    allocation : AllocationRules
        Who may follow whom.
    privacy : PrivacyRules
        What is not shown, and what may not rank.
    domain, licence, status, source : str
        What it is about, on which terms it may be used, how far it was validated, and where it comes from.
    tier_rules : tuple of RuleSpec
        Rules that come before the cut-offs of the tiers, the first first.

    Examples
    --------
    >>> from casestrat.knowledge import load_program
    >>> program = load_program("geriatric")
    >>> program.outcomes["unplanned_stay"].horizon_days, program.feature("gir").worse
    (90, 'lower')
    >>> {tier.id: tier.from_points for tier in program.tiers}
    {'high': 9, 'medium': 5, 'low': None}
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
    tier_rules: tuple[RuleSpec, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Hash of everything the program says; of a scorecard beside the program's file, only the file's name."""
        return fingerprint_of(replace(self, risk=replace(self.risk, scorecard=Path(self.risk.scorecard).name)))

    def feature(self, name: str) -> FeatureSpec:
        """Return a feature of the program by its name.

        Parameters
        ----------
        name : str
            Name of a feature.

        Returns
        -------
        FeatureSpec
            The line of the feature list.

        Raises
        ------
        KeyError
            The program has no feature of that name.
        """
        return {spec.name: spec for spec in self.features}[name]

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the features, in the order of the file."""
        return tuple(spec.name for spec in self.features)
