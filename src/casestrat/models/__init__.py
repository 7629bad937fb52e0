"""How likely, why, and how far to trust it."""

from casestrat.models.cards.scorecard import PointScorecard
from casestrat.models.classifiers.challenger import ChallengerClassifier, worse_directions
from casestrat.models.classifiers.classifier import RiskClassifier
from casestrat.models.evaluation.drift import Drift, drift
from casestrat.models.evaluation.evaluation import Evaluation, evaluate
from casestrat.models.evaluation.held_out import cross_validated_risks
from casestrat.models.evaluation.horizon_evaluation import HorizonEvaluation, evaluate_horizon
from casestrat.models.evaluation.label_warnings import label_warnings
from casestrat.models.evaluation.model_card import CardItem, ModelCard, model_card
from casestrat.models.evaluation.model_comparison import ModelComparison, compare_models
from casestrat.models.evaluation.optimism import Optimism, optimism_corrected
from casestrat.models.evaluation.ranking_fairness import RankingFairness, ranking_fairness
from casestrat.models.hazards.competing_risks import (
    CumulativeIncidence,
    SurvivalCurve,
    aalen_johansen,
    horizon_labels,
    kaplan_meier,
)
from casestrat.models.hazards.concordance import concordance_harrell, concordance_uno
from casestrat.models.hazards.follow_up import FollowUpWarning
from casestrat.models.hazards.survival import HorizonRisk
from casestrat.models.inputs.sample_size import SmallSampleWarning, events_needed
from casestrat.models.measures.calibration import NoSignalWarning
from casestrat.models.measures.small_cells import join_small_groups
from casestrat.models.site_split import JoinedSitesWarning, LeaveSiteOut
from casestrat.models.splits import PersonGroupedSplit, TemporalSplit
from casestrat.models.store import load_model, save_model
from casestrat.models.tiers.changes import expected_moves, tier_churn, tier_probabilities
from casestrat.models.tiers.cut_offs import cut_off_by_cost, cut_off_by_net_benefit
from casestrat.models.tiers.rules import RuleSet
from casestrat.models.tiers.tiers import assign_tiers
from casestrat.models.uncertainty.counterfactual import what_would_change
from casestrat.models.uncertainty.missing_sensitivity import missing_sensitivity
from casestrat.models.uncertainty.uncertainty import BootstrapEnsemble, risk_interval

__all__ = [
    "BootstrapEnsemble",
    "CardItem",
    "ChallengerClassifier",
    "CumulativeIncidence",
    "Drift",
    "Evaluation",
    "FollowUpWarning",
    "HorizonEvaluation",
    "HorizonRisk",
    "JoinedSitesWarning",
    "LeaveSiteOut",
    "ModelCard",
    "ModelComparison",
    "NoSignalWarning",
    "Optimism",
    "PersonGroupedSplit",
    "PointScorecard",
    "RankingFairness",
    "RiskClassifier",
    "RuleSet",
    "SmallSampleWarning",
    "SurvivalCurve",
    "TemporalSplit",
    "aalen_johansen",
    "assign_tiers",
    "compare_models",
    "concordance_harrell",
    "concordance_uno",
    "cross_validated_risks",
    "cut_off_by_cost",
    "cut_off_by_net_benefit",
    "drift",
    "evaluate",
    "evaluate_horizon",
    "events_needed",
    "expected_moves",
    "horizon_labels",
    "join_small_groups",
    "kaplan_meier",
    "label_warnings",
    "load_model",
    "missing_sensitivity",
    "model_card",
    "optimism_corrected",
    "ranking_fairness",
    "risk_interval",
    "save_model",
    "tier_churn",
    "tier_probabilities",
    "what_would_change",
    "worse_directions",
]
