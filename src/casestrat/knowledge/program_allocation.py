"""``[allocation]`` of a program: who may follow whom, the time of cases and case managers, and what a plan weighs."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from casestrat.knowledge.expression import expression_names
from casestrat.knowledge.frozen import FrozenMap, FrozenParts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casestrat.knowledge.toml_file import Section

FULL_TIME_MINUTES: Final = 35 * 60  # a full-time week in France, the setting of the caseload norm
_WAYS: Final = ("required", "preferred", "ignored")
GUARDIAN_WAYS: Final = ("ignored", "beside", "instead")
_KINDS: Final = ("open", "proposed")


@dataclass(frozen=True, slots=True)
class AllocationCosts:
    """``[allocation.costs]``: what it costs a plan to miss a wish of one kind once, in whole numbers.

    Parameters
    ----------
    continuity : int
        The case leaves its present case manager.
    language : int
        The case manager does not speak the language, where it is only preferred.
    travel : int
        The case manager serves another territory, where it is only preferred.
    wishes : int
        One wish that need not be met is not.
    """

    continuity: int = 4
    language: int = 3
    travel: int = 2
    wishes: int = 1


@dataclass(frozen=True, slots=True)
class CapacityStep:
    """``[[allocation.ramp_up]]`` or ``[[allocation.by_experience]]``: the share of minutes under a number of months.

    Parameters
    ----------
    under_months : int
        The step holds for those with fewer months; 1 or more.
    share : float
        Share of the minutes for cases that they have, in [0, 1].
    """

    under_months: int
    share: float


@dataclass(frozen=True, slots=True)
class CaseMixLimit:
    """``[[allocation.case_mix]]``: the most cases of one sort that a case manager may have at once.

    Parameters
    ----------
    most : int
        Number of cases, 0 or more.
    tier : str, optional
        Only cases of this tier count; none: every tier.
    kind : {"open", "proposed"}, optional
        Only cases of this kind count; none: both.
    """

    most: int
    tier: str | None = None
    kind: Literal["open", "proposed"] | None = None


@dataclass(frozen=True, slots=True)
class SkillNeed:
    """``[[allocation.skills_when]]``: a skill that a person's case manager needs where an expression holds.

    Parameters
    ----------
    skill : str
        A skill, as in ``case_managers.skills``.
    when : str
        Expression over columns of ``persons``, facts of the program and ``tier``; where it is unknown, the skill is
        not asked for.
    """

    skill: str
    when: str


@dataclass(frozen=True, slots=True)
class Clearance:
    """``[[allocation.confidential]]``: records that only those who are cleared for them may see.

    Parameters
    ----------
    clearance : str
        The certificate, as in ``credentials.credential``, that stands for the clearance; ``"A|B"`` is met by either.
    when : str
        Expression over columns of ``persons``, facts of the program and ``tier`` that holds for such records.
    if_unknown : {"asked", "not_asked"}
        Whether the clearance is asked for where the expression is unknown. As a rule it is: what is not known to be
        open is not shown.
    """

    clearance: str
    when: str
    if_unknown: Literal["asked", "not_asked"] = "asked"


@dataclass(frozen=True, slots=True)
class AllocationRules(FrozenParts):
    """``[allocation]``: the program's rules on who may follow whom, and the weights of the objective.

    Parameters
    ----------
    professions : tuple of str
        Who may follow people; empty: any profession.
    licensed_professions : tuple of str
        Professions that need a licence in the person's jurisdiction.
    credentials : tuple of str
        Certificates that every case manager must hold; ``"A|B"`` is met by either.
    language, territory : {"required", "preferred", "ignored"}
        Whether the case manager must speak the person's language (or work with an interpreter), and serve the
        person's territory.
    delta : float
        How far the two measures of even work may be above their best, as a share in [0, 1), for the sake of the wishes
        that come after them.
    caseload_norm : int
        Open cases of one full-time case manager.
    non_case_share : float
        Share of working time not spent on cases, in [0, 1).
    horizon_days : int
        Days of planned follow-up, on every one of which a licence must be valid; 1 or more.
    weights : {"standard", "measured"}
        Whether a case counts with the minutes of its intensity, or with those measured from recorded contacts.
    measured_days : int
        Days of contacts that measured weights are taken from; 7 or more.
    recorded_share : float
        Share of the work on cases that is recorded as contacts, in (0, 1]: measured minutes are divided by it.
    travel : mapping of str to int
        Territory → minutes of travel of one home visit beyond those that the weights hold already.
    full_time_minutes : int
        Minutes a week of full time, for those whose ``minutes_per_week`` is missing.
    ramp_up : tuple of CapacityStep
        Shares of the minutes in the first months in post; the step of fewest months that holds counts.
    by_experience : tuple of CapacityStep
        The same by months of experience in all; both shares are multiplied.
    min_experience_months : int
        Months of experience that every case manager must have.
    experience : mapping of str to int
        Tier → months of experience that its cases ask for.
    skills : tuple of str
        Skills that every case asks for.
    skills_when : tuple of SkillNeed
        Skills that some cases ask for.
    case_mix : tuple of CaseMixLimit
        The most cases of one sort a case manager.
    costs : AllocationCosts
        What missing a wish costs.
    payer_contracts : mapping of str to str
        Payer, as in ``enrollments.payer`` → certificate that stands for a contract with it (``"A|B"``: either; empty
        text: this payer asks for none). Where there are any, a payer that is not among them may be followed by nobody;
        empty: no contracts are asked for.
    guardian_language : {"ignored", "beside", "instead"}
        Whether the guardian's language, the fact ``guardian_language``, counts beside the person's own, or instead of
        it where it is known.
    confidential : tuple of Clearance
        Records that only those who are cleared for them may see.
    """

    professions: tuple[str, ...] = ()
    licensed_professions: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()
    language: Literal["required", "preferred", "ignored"] = "required"
    territory: Literal["required", "preferred", "ignored"] = "required"
    delta: float = 0.005
    caseload_norm: int = 40
    non_case_share: float = 0.25
    horizon_days: int = 90
    weights: Literal["standard", "measured"] = "standard"
    measured_days: int = 182
    recorded_share: float = 1.0
    travel: Mapping[str, int] = field(default_factory=FrozenMap)
    full_time_minutes: int = FULL_TIME_MINUTES
    ramp_up: tuple[CapacityStep, ...] = ()
    by_experience: tuple[CapacityStep, ...] = ()
    min_experience_months: int = 0
    experience: Mapping[str, int] = field(default_factory=FrozenMap)
    skills: tuple[str, ...] = ()
    skills_when: tuple[SkillNeed, ...] = ()
    case_mix: tuple[CaseMixLimit, ...] = ()
    costs: AllocationCosts = field(default_factory=AllocationCosts)
    payer_contracts: Mapping[str, str] = field(default_factory=FrozenMap)
    guardian_language: Literal["ignored", "beside", "instead"] = "ignored"
    confidential: tuple[Clearance, ...] = ()

    @property
    def used_of_cases(self) -> frozenset[str]:
        """Columns of cases, of those that only some programs' rules look at, that a rule looks at."""
        has_guardian = self.guardian_language != "ignored" and self.language != "ignored"
        used = {
            "tier": bool(self.experience) or any(limit.tier is not None for limit in self.case_mix),
            "kind": any(limit.kind is not None for limit in self.case_mix),
            "payer": bool(self.payer_contracts),
            "guardian_language": has_guardian,
            "guardian_interpreter_needed": has_guardian,
        }
        return frozenset(name for name, is_used in used.items() if is_used)

    @property
    def certificates(self) -> frozenset[str]:
        """Every certificate that a rule may ask for, each by its own name."""
        asked = (*self.credentials, *self.payer_contracts.values(), *(one.clearance for one in self.confidential))
        return frozenset(name for names in asked for name in names.split("|") if name)


def read_allocation(section: Section) -> AllocationRules:
    """Return the rules that ``[allocation]`` writes.

    Parameters
    ----------
    section : Section
        The section, empty where the file has none.

    Returns
    -------
    AllocationRules
        The rules, with defaults for what is not written.

    Raises
    ------
    KnowledgeError
        If a key is unknown or a value out of range.
    """
    usual = AllocationRules()
    rules = AllocationRules(
        professions=section.words("professions", usual.professions),
        licensed_professions=section.words("licensed_professions", usual.licensed_professions),
        credentials=section.words("credentials", usual.credentials),
        language=cast("Any", section.choice("language", _WAYS, usual.language)),
        territory=cast("Any", section.choice("territory", _WAYS, usual.territory)),
        delta=section.number("delta", usual.delta),
        caseload_norm=section.whole("caseload_norm", usual.caseload_norm, at_least=1),
        non_case_share=section.number("non_case_share", usual.non_case_share),
        horizon_days=section.whole("horizon_days", usual.horizon_days, at_least=1),
        weights=cast("Any", section.choice("weights", ("standard", "measured"), usual.weights)),
        measured_days=section.whole("measured_days", usual.measured_days, at_least=7),
        recorded_share=section.number("recorded_share", usual.recorded_share),
        travel=_wholes(section.child("travel", required=False)),
        full_time_minutes=section.whole("full_time_minutes", usual.full_time_minutes, at_least=1),
        ramp_up=_steps(section, "ramp_up"),
        by_experience=_steps(section, "by_experience"),
        min_experience_months=section.whole("min_experience_months", usual.min_experience_months, at_least=0),
        experience=_wholes(section.child("experience", required=False)),
        skills=section.words("skills", usual.skills),
        skills_when=tuple(_skill_need(one) for one in section.children("skills_when", required=False)),
        case_mix=tuple(_mix_limit(one) for one in section.children("case_mix", required=False)),
        costs=_costs(section.child("costs", required=False)),
        payer_contracts=_contracts(section.child("payer_contracts", required=False)),
        guardian_language=cast("Any", section.choice("guardian_language", GUARDIAN_WAYS, usual.guardian_language)),
        confidential=tuple(_clearance(one) for one in section.children("confidential", required=False)),
    )
    section.finish()
    _check_shares(rules, section)
    return rules


def _check_shares(rules: AllocationRules, section: Section) -> None:
    """Refuse shares out of range."""
    if not 0 <= rules.non_case_share < 1:
        raise section.fault("`non_case_share` must lie in [0, 1)", "non_case_share")
    if rules.delta < 0:
        raise section.fault("`delta` must not be negative", "delta")
    if not 0 < rules.recorded_share <= 1:
        raise section.fault("`recorded_share` must lie in (0, 1]", "recorded_share")


def _wholes(section: Section) -> FrozenMap[str, int]:
    """Whole numbers of 0 or more by name."""
    found = FrozenMap({name: section.whole(name, at_least=0) for name in section.content})
    section.finish()
    return found


def _steps(section: Section, key: str) -> tuple[CapacityStep, ...]:
    """Return steps of capacity, those of fewest months first."""
    steps = []
    for one in section.children(key, required=False):
        step = CapacityStep(one.whole("under_months", at_least=1), float(one.number("share")))
        one.finish()
        if not 0 <= step.share <= 1:
            raise one.fault("`share` must lie in [0, 1]", "share")
        steps.append(step)
    if len({step.under_months for step in steps}) < len(steps):
        raise section.fault(f"`{key}` has two steps of the same months", key, "keep one of them")
    return tuple(sorted(steps, key=lambda step: step.under_months))


def _skill_need(section: Section) -> SkillNeed:
    need = SkillNeed(section.text("skill"), section.text("when"))
    section.finish()
    expression_names(need.when)
    return need


def _contracts(section: Section) -> FrozenMap[str, str]:
    """Return the certificate of each payer's contract."""
    found = FrozenMap({payer: section.text(payer) for payer in section.content})
    section.finish()
    return found


def _clearance(section: Section) -> Clearance:
    need = Clearance(
        section.text("clearance"),
        section.text("when"),
        cast("Any", section.choice("if_unknown", ("asked", "not_asked"), "asked")),
    )
    section.finish()
    if not need.clearance.strip():
        raise section.fault("`clearance` is empty", "clearance", "name the certificate")
    expression_names(need.when)
    return need


def _mix_limit(section: Section) -> CaseMixLimit:
    limit = CaseMixLimit(
        most=section.whole("most", at_least=0),
        tier=section.text("tier") if section.has("tier") else None,
        kind=cast("Any", section.choice("kind", _KINDS)) if section.has("kind") else None,
    )
    section.finish()
    if limit.tier is None and limit.kind is None:
        raise section.fault("a limit is for a tier, a kind of case, or both", do="give `tier` or `kind`")
    return limit


def _costs(section: Section) -> AllocationCosts:
    usual = AllocationCosts()
    names = [one.name for one in fields(AllocationCosts)]
    costs = AllocationCosts(**{name: section.whole(name, getattr(usual, name), at_least=0) for name in names})
    section.finish()
    return costs
