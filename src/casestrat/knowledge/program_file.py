"""Reads a program's TOML into a :class:`Program`, strictly: an unknown key or a dangling reference is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

from casestrat.knowledge.expression import expression_names
from casestrat.knowledge.feature_kinds import (
    CONDITION_OPTIONS,
    DOMAINS,
    FEATURE_KINDS,
    TIMED_TABLES,
    WHOLE_OPTIONS,
)
from casestrat.knowledge.frozen import FrozenMap
from casestrat.knowledge.policy import MODES, Component, PriorityPolicy
from casestrat.knowledge.program import (
    CriteriaSet,
    CriterionRule,
    DecisionReason,
    FeatureSpec,
    Outcome,
    PrivacyRules,
    Program,
    ReferralRules,
    RiskRules,
)
from casestrat.knowledge.program_allocation import FULL_TIME_MINUTES, AllocationRules, read_allocation
from casestrat.knowledge.program_checks import check_program
from casestrat.knowledge.program_tiers import ContactStandard, Intensity, RuleSpec, TierRule
from casestrat.knowledge.toml_file import Section, is_path, read_toml
from casestrat.tables.contracts_care import CLOSE_REASONS

CONTACT_KINDS: Final = (
    "home_visit", "phone", "office", "provider_meeting", "collateral", "outreach", "post_transition", "admin",
)  # fmt: skip
_HOWS: Final = ("is", "at_least", "at_most")
PROTECTED_DOMAINS: Final = ("juvenile", "correctional")
"""Domains in which a learned model neither ranks nor gives tiers unless a reason is recorded."""


def load_program(name_or_path: str | Path | Program) -> Program:
    """Load a program: one kind of case management and its rules.

    Parameters
    ----------
    name_or_path : str, Path or Program
        The name of a shipped program, such as ``"geriatric"``, or the path of a site's own TOML. A scorecard that such
        a file names by a path is looked for beside it. A program that is loaded already is returned as it is.

    Returns
    -------
    Program
        The checked, frozen program.

    Raises
    ------
    UsageError
        If no program has that name, or no file is at that path.
    KnowledgeError
        If the file breaks a rule; the message names the file, the key and the nearest known name.

    Examples
    --------
    >>> program = load_program("geriatric")
    >>> [tier.id for tier in program.tiers]
    ['high', 'medium', 'low']
    """
    if isinstance(name_or_path, Program):
        return name_or_path
    file = read_toml(name_or_path, "programs", "program")
    program = _program(file, Path(name_or_path).parent if is_path(name_or_path) else None)
    file.finish()
    check_program(program, file)
    return program


def minutes_of_weight(weight: float, caseload_norm: int, non_case_share: float) -> int:
    """Return the minutes a week of a relative case weight.

    A weight of 1.0 is the average case of a caseload at its norm: the minutes at which ``caseload_norm`` such cases
    fill one full-time week of 35 hours, less the share that is not spent on cases.

    Parameters
    ----------
    weight : float
        Relative case weight, 1.0 = the average case.
    caseload_norm : int
        Open cases of one full-time case manager.
    non_case_share : float
        Share of working time not spent on cases, in [0, 1).

    Returns
    -------
    int
        Whole minutes a week, at least 1.

    Examples
    --------
    >>> minutes_of_weight(1.0, 40, 0.25), minutes_of_weight(1.6, 40, 0.25)
    (39, 63)
    """
    return max(1, round(weight * FULL_TIME_MINUTES * (1 - non_case_share) / caseload_norm))


def _program(file: Section, folder: Path | None) -> Program:
    allocation = read_allocation(file.child("allocation", required=False))
    return Program(
        id=file.text("id"),
        version=file.text("version"),
        label=file.labels(),
        population=cast("Any", file.choice("population", ("referred", "enrolled"), "referred")),
        event_kinds=file.words("event_kinds"),
        measurement_kinds=file.words("measurement_kinds", ()),
        facts=file.words("facts", ()),
        instruments=file.words("instruments", ()),
        audit_groups=file.words("audit_groups", ()),
        referral=_referral(file.child("referral")),
        outcomes=_outcomes(file.named("outcomes")),
        features=tuple(_feature(section) for section in file.children("features")),
        criteria=tuple(_criteria(section) for section in file.children("criteria", required=False)),
        risk=_risk(file.child("risk"), folder),
        tiers=tuple(_tier(section) for section in file.children("tiers")),
        intensities=FrozenMap(
            {name: _intensity(name, section, allocation) for name, section in file.named("intensities").items()}
        ),
        priority=_priority(file.child("priority", required=False)),
        decision_reasons=tuple(_reason(section) for section in file.children("decision_reasons")),
        allocation=allocation,
        privacy=_privacy(file.child("privacy", required=False), file.text("domain", "")),
        domain=file.text("domain", ""),
        licence=file.text("licence", ""),
        status=file.text("status", ""),
        source=file.text("source", ""),
        tier_rules=tuple(_tier_rule(section) for section in file.children("tier_rules", required=False)),
    )


def _referral(section: Section) -> ReferralRules:
    rules = ReferralRules(
        sources=section.words("sources"),
        professional_only=section.flag("professional_only", False),
        criteria_inputs=section.words("criteria_inputs", ()),
    )
    section.finish()
    return rules


def _outcomes(sections: dict[str, Section]) -> FrozenMap[str, Outcome]:
    """Return the outcomes by name; each carries the meaning of the outcomes that compete with it."""
    plain = {name: _outcome(name, section) for name, section in sections.items()}
    rivals = {
        name: {other: plain[other] for other in outcome.competing if other in plain} for name, outcome in plain.items()
    }
    return FrozenMap({name: replace(outcome, rivals=rivals[name]) for name, outcome in plain.items()})


def _outcome(name: str, section: Section) -> Outcome:
    happens = section.has("event") or section.has("closed")
    if happens + section.has("instrument") + section.has("measurement") != 1:
        raise section.fault(
            "an outcome is an event or the closing of an episode, or an instrument's score, or a measurement",
            do="give `event`, `closed` or both, or `instrument`, or `measurement`",
        )
    outcome = Outcome(
        name=name,
        horizon_days=section.whole("horizon_days", at_least=1),
        competing=section.words("competing", ()),
        label=section.labels(default=name.replace("_", " ")),
        is_proxy=section.flag("is_proxy", False),
        **(_what_happens(section) if happens else _what_is_seen(section)),
    )
    section.finish()
    return outcome


def _what_happens(section: Section) -> dict[str, Any]:
    """Return the kind of event, the reasons of closing, or both."""
    has_event = section.has("event")
    reasons = (
        (section.text("closed"),) if isinstance(section.content.get("closed"), str) else section.words("closed", ())
    )
    return {
        "event": section.text("event") if has_event else None,
        "where": section.mapping("where") if has_event else FrozenMap(),
        "closed": tuple(section.refer(reason, CLOSE_REASONS, "reason of closing", "closed") for reason in reasons),
    }


def _what_is_seen(section: Section) -> dict[str, Any]:
    """Return the instrument or the kind of measurement, and the value from which on the outcome has come."""
    seen: dict[str, Any] = {"at_least": section.number("at_least")}
    seen["which"] = section.choice("which", ("any", "next"), "any")
    if section.has("measurement"):
        return seen | {"measurement": section.text("measurement")}
    return seen | {"instrument": section.text("instrument"), "output": section.text("output", "total")}


def _feature(section: Section) -> FeatureSpec:
    name = section.text("name")
    kind, options = _kind_and_options(section)
    worse = section.choice("worse", ("higher", "lower", "neither"), "neither")
    spec = FeatureSpec(
        name=name,
        kind=kind,
        options=options,
        domain=section.choice("domain", DOMAINS, "other"),
        is_actionable=section.flag("is_actionable", False),
        worse=None if worse == "neither" else cast("Any", worse),
        label=section.labels(default=name.replace("_", " ")),
        unit=section.text("unit", ""),
    )
    section.finish()
    return spec


def _kind_and_options(section: Section) -> tuple[str, FrozenMap[str, Any]]:
    """Return the kind of a feature and its options."""
    kind = section.refer(section.text("kind"), FEATURE_KINDS, "kind of feature", "kind")
    options = {key: _option(section, key) for key in FEATURE_KINDS[kind].options if section.has(key)}
    for key in FEATURE_KINDS[kind].needs:
        if key not in options:
            raise section.fault(f"a feature of kind {kind!r} needs `{key}`", key, f"give `{key}`")
    section.asked.update(FEATURE_KINDS[kind].options)
    return kind, FrozenMap(options)


def _of_others(section: Section) -> FrozenMap[str, Any]:
    """Return the feature that is computed of other people, as its kind and options."""
    kind, options = _kind_and_options(section)
    section.finish()
    return FrozenMap({"kind": kind, **options})


def _option(section: Section, key: str) -> Any:
    """Return one option of a feature, checked for its form."""
    if key in WHOLE_OPTIONS:
        return section.whole(key, at_least=1)
    if key in CONDITION_OPTIONS:
        return section.mapping(key)
    if key == "feature":
        return _of_others(section.child(key))
    value = section.text(key)
    return section.refer(value, TIMED_TABLES, "table of dated rows", key) if key == "table" else value


def _criteria(section: Section) -> CriteriaSet:
    rules = tuple(_criterion(name, rule) for name, rule in section.named("rules").items())
    chosen = CriteriaSet(
        id=section.text("id"),
        version=section.text("version"),
        valid_from=section.day("valid_from"),
        valid_to=section.day("valid_to", None),
        approved_by=section.text("approved_by"),
        all_of=section.words("all_of", ()),
        any_of=section.words("any_of", ()),
        rules=rules,
        source=section.text("source", ""),
    )
    section.finish()
    known = [rule.id for rule in rules]
    for key in ("all_of", "any_of"):
        for rule in getattr(chosen, key):
            section.refer(rule, known, "rule", key)
    if chosen.valid_to is not None and chosen.valid_to <= chosen.valid_from:
        raise section.fault("`valid_to` must come after `valid_from`", "valid_to")
    return chosen


def _criterion(name: str, section: Section) -> CriterionRule:
    rule = CriterionRule(name, section.text("expression"), section.labels(default=name.replace("_", " ")))
    section.finish()
    expression_names(rule.expression)
    return rule


def _risk(section: Section, folder: Path | None) -> RiskRules:
    card = section.text("scorecard")
    if folder is not None and is_path(card):
        card = (folder / card).resolve().as_posix()
    rules = RiskRules(section.text("outcome"), card)
    section.finish()
    return rules


def _tier(section: Section) -> TierRule:
    name = section.text("id")
    tier = TierRule(
        id=name,
        intensity=section.text("intensity"),
        from_points=section.whole("from_points", None),
        from_risk=section.number("from_risk", None),
        label=section.labels(default=name),
        leave_points=section.whole("leave_points", None),
        leave_risk=section.number("leave_risk", None),
        least_stay_days=section.whole("least_stay_days", None, at_least=1),
    )
    section.finish()
    return tier


def _tier_rule(section: Section) -> RuleSpec:
    name = section.text("id")
    rule = RuleSpec(
        id=name,
        expression=section.text("expression"),
        tier=section.text("tier") if section.has("tier") else None,
        how=cast("Any", section.choice("how", _HOWS, "is")),
        override=section.whole("override", 0, at_least=0),
        label=section.labels(default=name.replace("_", " ")),
    )
    section.finish()
    if rule.tier is None and not rule.override:
        raise section.fault("a rule gives a tier, an override or both", do="give `tier`, or `override` of 1 or more")
    expression_names(rule.expression)
    return rule


def _intensity(name: str, section: Section, allocation: AllocationRules) -> Intensity:
    if section.has("weight") == section.has("minutes_per_week"):
        raise section.fault(
            "an intensity has either minutes a week or a weight", do="give `minutes_per_week` or `weight`"
        )
    if section.has("weight"):
        weight = section.number("weight")
        if not weight > 0:
            raise section.fault("`weight` must be above 0", "weight")
        minutes = minutes_of_weight(weight, allocation.caseload_norm, allocation.non_case_share)
    else:
        minutes = section.whole("minutes_per_week", at_least=1)
    contacts = tuple(_contact(contact) for contact in section.children("contacts", required=False))
    intensity = Intensity(name, minutes, contacts, section.labels(default=name))
    section.finish()
    return intensity


def _contact(section: Section) -> ContactStandard:
    kind = section.refer(section.text("kind"), CONTACT_KINDS, "kind of contact", "kind")
    standard = ContactStandard(kind, section.whole("every_days", at_least=1))
    section.finish()
    return standard


def _priority(section: Section) -> PriorityPolicy:
    mode = section.choice("mode", MODES, "score")
    components = {name: _component(part) for name, part in section.named("components", required=False).items()}
    rates, weights = (
        {name: float(part.number(name)) for name in part.content}
        for part in (section.child("rates", required=False), section.child("weights", required=False))
    )
    policy = PriorityPolicy(
        mode=cast("Any", mode),
        rates=rates,
        weights=weights,
        components=components,
        decimals=section.whole("decimals", 6),
        min_completeness=section.number("min_completeness", 0.7),
        seed=section.text("seed", ""),
    )
    section.finish()
    return policy


def _component(section: Section) -> Component:
    component = Component(section.text("feature"), section.number("best"), section.number("worst"))
    section.finish()
    if component.best == component.worst:
        raise section.fault("`best` and `worst` are the same", "worst", "give the ends of the scale")
    return component


def _reason(section: Section) -> DecisionReason:
    reason = DecisionReason(
        code=section.text("code"),
        outcome=cast("Any", section.choice("outcome", ("admit", "defer", "refuse"))),
        actor=cast("Any", section.choice("actor", ("program", "person", "committee"))),
        days_parked=section.whole("days_parked", None, at_least=0),
        needs_note=section.flag("needs_note", False),
        label=section.labels(default=section.text("code").replace("_", " ")),
    )
    section.finish()
    return reason


def _privacy(section: Section, domain: str) -> PrivacyRules:
    is_protected = domain in PROTECTED_DOMAINS
    usual = PrivacyRules(learned_ranking="opt_in" if is_protected else "allowed")
    roles = section.child("column_roles", required=False)
    rules = PrivacyRules(
        learned_ranking=cast("Any", section.choice("learned_ranking", ("allowed", "opt_in"), usual.learned_ranking)),
        small_cell=section.whole("small_cell", usual.small_cell, at_least=1),
        column_roles={name: roles.choice(name, ("feature", "audit", "both", "neither")) for name in roles.content},
    )
    section.finish()
    if is_protected and rules.learned_ranking != "opt_in":
        raise section.fault(
            f"a program of the domain {domain!r} gives no rank or tier by a learned model unless a reason is recorded",
            "learned_ranking",
            "write learned_ranking = 'opt_in'",
        )
    return rules
