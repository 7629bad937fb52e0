"""What a domain expert edits: programs, instruments, scorecards, policies and wordings, checked when loaded."""

from casestrat.knowledge.catalogue import list_instruments, list_programs, list_scorecards
from casestrat.knowledge.expression import expression_names, parse_expression
from casestrat.knowledge.feature_kinds import FEATURE_KINDS, FeatureKind
from casestrat.knowledge.frozen import FrozenMap, freeze
from casestrat.knowledge.instrument import Band, Instrument, Item
from casestrat.knowledge.instrument_file import load_instrument
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
from casestrat.knowledge.program_allocation import (
    AllocationCosts,
    AllocationRules,
    CapacityStep,
    CaseMixLimit,
    Clearance,
    SkillNeed,
)
from casestrat.knowledge.program_file import load_program, minutes_of_weight
from casestrat.knowledge.program_tiers import ContactStandard, Intensity, RuleSpec, TierRule
from casestrat.knowledge.scorecard import Condition, Scorecard, ScorecardRow, parse_condition
from casestrat.knowledge.scorecard_file import card_of_instrument, load_scorecard
from casestrat.knowledge.sentence import Sentence, say_each
from casestrat.knowledge.wording import Wording, load_wording

__all__ = [
    "FEATURE_KINDS",
    "MODES",
    "AllocationCosts",
    "AllocationRules",
    "Band",
    "CapacityStep",
    "CaseMixLimit",
    "Clearance",
    "Component",
    "Condition",
    "ContactStandard",
    "CriteriaSet",
    "CriterionRule",
    "DecisionReason",
    "FeatureKind",
    "FeatureSpec",
    "FrozenMap",
    "Instrument",
    "Intensity",
    "Item",
    "Outcome",
    "PriorityPolicy",
    "PrivacyRules",
    "Program",
    "ReferralRules",
    "RiskRules",
    "RuleSpec",
    "Scorecard",
    "ScorecardRow",
    "Sentence",
    "SkillNeed",
    "TierRule",
    "Wording",
    "card_of_instrument",
    "expression_names",
    "freeze",
    "list_instruments",
    "list_programs",
    "list_scorecards",
    "load_instrument",
    "load_program",
    "load_scorecard",
    "load_wording",
    "minutes_of_weight",
    "parse_condition",
    "parse_expression",
    "say_each",
]
