"""The rules between the parts of a program: every name that is used must be defined."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

from casestrat.knowledge.expression import expression_names
from casestrat.knowledge.feature_kinds import CONDITION_OPTIONS
from casestrat.knowledge.instrument_file import load_instrument
from casestrat.knowledge.program import FeatureSpec
from casestrat.knowledge.scorecard_file import load_scorecard
from casestrat.knowledge.toml_file import Section, shipped_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casestrat.knowledge.instrument import Instrument
    from casestrat.knowledge.program import Program

PERSON_COLUMNS: Final = (
    "birth_year", "sex", "territory", "jurisdiction", "language", "interpreter_needed", "neurodegenerative",
)  # fmt: skip
REFERRAL_COLUMNS: Final = ("source", "is_professional", "consent", "urgency", "reasons", "is_complete")
SCORE_COLUMNS: Final = ("points", "points_share", "risk", "completeness")
WAITING_COLUMNS: Final = ("tier", "risk", "points", "points_share", "need", "urgency", "waited_days", "completeness")


def check_program(program: Program, file: Section) -> None:
    """Refuse a program that uses a name it does not define.

    Parameters
    ----------
    program : Program
        What the file says.
    file : Section
        The file's outermost section, for messages.

    Raises
    ------
    KnowledgeError
        At the first dangling name, with the nearest defined one.
    """
    _check_names(program, file)
    instruments = {name: load_instrument(name) for name in program.instruments}
    for spec in program.features:
        _check_feature(program, instruments, spec, file)
    _check_outcomes(program, instruments, file)
    _check_criteria(program, file)
    _check_risk(program, file)
    _check_tiers(program, file)
    _check_priority(program, file)
    _check_allocation(program, file)


def _check_names(program: Program, file: Section) -> None:
    for name in program.instruments:
        file.refer(name, shipped_names("instruments"), "instrument", "instruments")
    for key, names in (
        ("features", program.feature_names),
        ("tiers", [tier.id for tier in program.tiers]),
        ("tier_rules", [rule.id for rule in program.tier_rules]),
        ("decision_reasons", [reason.code for reason in program.decision_reasons]),
        ("criteria", [f"{chosen.id} {chosen.version}" for chosen in program.criteria]),
    ):
        twice = sorted({name for name in names if list(names).count(name) > 1})
        if twice:
            raise file.fault(f"`{key}` has {twice[0]!r} twice", key, "rename one of them")
    audited = (*PERSON_COLUMNS, *program.facts, "age_band")
    for name in program.audit_groups:
        file.refer(name, audited, "column or fact to audit by", "audit_groups")


def _check_feature(program: Program, instruments: dict[str, Instrument], spec: FeatureSpec, file: Section) -> None:
    where, options = f"features[{spec.name}]", spec.options
    if "instrument" in options:
        instrument = instruments[file.refer(options["instrument"], instruments, "instrument of the program", where)]
        file.refer(options.get("output", instrument.outputs[0]), instrument.outputs, "output of the instrument", where)
    if "feature" in options:
        inner = dict(options["feature"])
        _check_feature(program, instruments, FeatureSpec(spec.name, inner.pop("kind"), inner), file)
    if "item" in options:
        items = [item.id for item in instrument.items]
        file.refer(options["item"], items, f"item of {instrument.name!r}", where)
    if "fact" in options:
        file.refer(options["fact"], program.facts, "fact of the program", where)
    if spec.kind == "referral":
        known = (*REFERRAL_COLUMNS, *program.referral.criteria_inputs)
        file.refer(options["column"], known, "column of referrals", where)
    if spec.kind == "person":
        file.refer(options["column"], PERSON_COLUMNS, "column of persons", where)
    if program.privacy.column_roles.get(options.get("column", "")) in ("audit", "neither") and spec.kind == "person":
        column = options["column"]
        raise file.fault(
            f"{column!r} is not a feature by its role", where, f"set privacy.column_roles.{column} = 'both'"
        )
    for key in CONDITION_OPTIONS:
        _check_where(program, options.get("table", ""), options.get(key, {}), file, f"{where}.{key}")


def _check_where(program: Program, table: str, where: Any, file: Section, path: str) -> None:
    """Check the codes by which rows are chosen against the program's lists."""
    lists = {
        ("events", "kind"): ("kind of event of the program", program.event_kinds),
        ("measurements", "kind"): ("kind of measurement of the program", program.measurement_kinds),
        ("assessments", "instrument"): ("instrument of the program", program.instruments),
    }
    for column, value in where.items():
        if (table, column) in lists:
            what, known = lists[table, column]
            for code in value if isinstance(value, tuple) else (value,):
                file.refer(code, known, what, path)


def _check_outcomes(program: Program, instruments: dict[str, Instrument], file: Section) -> None:
    may_compete = (*program.event_kinds, *(name for name, one in program.outcomes.items() if one.happens))
    for name, outcome in program.outcomes.items():
        path = f"outcomes.{name}"
        if outcome.event is not None:
            file.refer(outcome.event, program.event_kinds, "kind of event of the program", path)
        if outcome.measurement is not None:
            file.refer(outcome.measurement, program.measurement_kinds, "kind of measurement of the program", path)
        if outcome.instrument is not None:
            instrument = instruments[file.refer(outcome.instrument, instruments, "instrument of the program", path)]
            file.refer(outcome.output, instrument.outputs, "output of the instrument", path)
        for rival in outcome.competing:
            file.refer(rival, may_compete, "kind of event or outcome that happens", path)
        if name in outcome.competing:
            raise file.fault("an outcome cannot compete with itself", path, f"take {name!r} out of `competing`")


def _check_criteria(program: Program, file: Section) -> None:
    known = {"age", *program.feature_names, *program.facts, *PERSON_COLUMNS, *REFERRAL_COLUMNS}
    known.update(program.referral.criteria_inputs)
    for chosen in program.criteria:
        for rule in chosen.rules:
            for name in expression_names(rule.expression):
                file.refer(name, known, "column, fact or feature", f"criteria[{chosen.id}].rules.{rule.id}")


def _check_risk(program: Program, file: Section) -> None:
    file.refer(program.risk.outcome, program.outcomes, "outcome", "risk.outcome")
    card = load_scorecard(program.risk.scorecard)
    for row in card.rows:
        file.refer(row.item, program.feature_names, f"feature (item of scorecard {card.id!r})", "risk.scorecard")


def _check_tiers(program: Program, file: Section) -> None:
    """Tiers stand highest first, each bound below the one before; only the lowest has none."""
    if not program.tiers:
        raise file.fault("a program needs at least one tier", "tiers")
    for tier in program.tiers:
        file.refer(tier.intensity, program.intensities, "intensity", f"tiers[{tier.id}]")
        is_lowest = tier is program.tiers[-1]
        if is_lowest != (tier.from_points is None and tier.from_risk is None):
            raise file.fault(
                "the lowest tier, and it alone, has neither bound", f"tiers[{tier.id}]", "write tiers highest first"
            )
    for bound in ("from_points", "from_risk"):
        _check_falling((getattr(tier, bound) for tier in program.tiers[:-1]), file, bound)
    for measure in ("points", "risk"):
        _check_ways_out(program, file, measure)
    _check_tier_rules(program, file)


def _check_ways_out(program: Program, file: Section, measure: str) -> None:
    """Refuse a way out above the way in of its tier, and ways out that do not fall from tier to tier."""
    leave, begin = f"leave_{measure}", f"from_{measure}"
    for tier in program.tiers:
        out, into = getattr(tier, leave), getattr(tier, begin)
        if out is not None and (into is None or out > into):
            what = f"`{leave}` is the way out of a tier: it needs `{begin}` and does not lie above it"
            raise file.fault(what, f"tiers[{tier.id}].{leave}", f"give a lower `{leave}`, or leave it out")
        if out is not None and measure == "risk" and out < 0:
            raise file.fault("`leave_risk` must lie in [0, 1]", f"tiers[{tier.id}]")
    if program.tiers[-1].least_stay_days is not None:
        what = "nobody steps down from the lowest tier, so it has no least stay"
        raise file.fault(what, f"tiers[{program.tiers[-1].id}].least_stay_days", "leave it out")
    outs = [getattr(tier, begin) if getattr(tier, leave) is None else getattr(tier, leave) for tier in program.tiers]
    known = [value for value in outs if value is not None]
    if any(after >= before for before, after in itertools.pairwise(known)):
        raise file.fault(f"`{leave}` does not fall from tier to tier", "tiers", "keep the ways out in the tiers' order")


def _check_tier_rules(program: Program, file: Section) -> None:
    known = (*program.feature_names, *SCORE_COLUMNS)
    for rule in program.tier_rules:
        where = f"tier_rules[{rule.id}]"
        if rule.tier is not None:
            file.refer(rule.tier, [tier.id for tier in program.tiers], "tier", f"{where}.tier")
        for name in expression_names(rule.expression):
            file.refer(name, known, "feature or score", f"{where}.expression")


def _check_falling(bounds: Iterable[float | None], file: Section, bound: str) -> None:
    given = list(bounds)
    if any(value is None for value in given) and any(value is not None for value in given):
        raise file.fault(f"`{bound}` is given for some tiers only", "tiers", "give it for all tiers but the lowest")
    known = [value for value in given if value is not None]
    if any(after >= before for before, after in itertools.pairwise(known)):
        raise file.fault(f"`{bound}` does not fall from tier to tier", "tiers", "write tiers highest first")
    if bound == "from_risk" and any(not 0 <= value <= 1 for value in known):
        raise file.fault("`from_risk` must lie in [0, 1]", "tiers")


def _check_priority(program: Program, file: Section) -> None:
    tiers = [tier.id for tier in program.tiers]
    for name in program.priority.rates:
        file.refer(name, tiers, "tier", "priority.rates")
    missing = [name for name in tiers if name not in program.priority.rates]
    if program.priority.mode == "accumulating" and missing:
        raise file.fault(f"no rate is given for tier {missing[0]!r}", "priority.rates", "give every tier a rate")
    known = [*program.feature_names, *WAITING_COLUMNS]
    for name, component in program.priority.components.items():
        file.refer(component.feature, known, "feature or waiting-list column", f"priority.components.{name}")
    for name in program.priority.weights:
        file.refer(name, [*program.priority.components, *WAITING_COLUMNS], "component", "priority.weights")


def _check_allocation(program: Program, file: Section) -> None:
    rules, tiers = program.allocation, [tier.id for tier in program.tiers]
    for name in rules.experience:
        file.refer(name, tiers, "tier", "allocation.experience")
    for limit in rules.case_mix:
        if limit.tier is not None:
            file.refer(limit.tier, tiers, "tier", "allocation.case_mix.tier")
    asked = {f"allocation.skills_when[{need.skill}].when": need.when for need in rules.skills_when}
    asked |= {f"allocation.confidential[{need.clearance}].when": need.when for need in rules.confidential}
    for where, when in asked.items():
        for name in expression_names(when):
            file.refer(name, (*PERSON_COLUMNS, *program.facts, "tier"), "column of persons or fact", where)
    if rules.guardian_language != "ignored":
        file.refer("guardian_language", program.facts, "fact of the program", "allocation.guardian_language")
