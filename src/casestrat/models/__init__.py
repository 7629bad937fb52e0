"""How likely, why, and how far to trust it."""

from casestrat.models.calibration import NoSignalWarning
from casestrat.models.card import CardItem, ModelCard, model_card
from casestrat.models.challenger import ChallengerClassifier, worse_directions
from casestrat.models.classifier import RiskClassifier
from casestrat.models.competing_risks import (
    CumulativeIncidence,
    SurvivalCurve,
    aalen_johansen,
    horizon_labels,
    kaplan_meier,
)
from casestrat.models.concordance import concordance_harrell, concordance_uno
from casestrat.models.counterfactual import what_would_change
from casestrat.models.cut_offs import cut_off_by_cost, cut_off_by_net_benefit
from casestrat.models.drift import Drift, drift
from casestrat.models.evaluation import Evaluation, evaluate
from casestrat.models.follow_up import FollowUpWarning
from casestrat.models.held_out import cross_validated_risks
from casestrat.models.horizon_evaluation import HorizonEvaluation, evaluate_horizon
from casestrat.models.label_warnings import label_warnings
from casestrat.models.missing_sensitivity import missing_sensitivity
from casestrat.models.model_comparison import ModelComparison, compare_models
from casestrat.models.optimism import Optimism, optimism_corrected
from casestrat.models.ranking_fairness import RankingFairness, ranking_fairness
from casestrat.models.rules import RuleSet
from casestrat.models.sample_size import SmallSampleWarning, events_needed
from casestrat.models.scorecard import PointScorecard
from casestrat.models.site_split import JoinedSitesWarning, LeaveSiteOut
from casestrat.models.small_cells import join_small_groups
from casestrat.models.splits import PersonGroupedSplit, TemporalSplit
from casestrat.models.store import load_model, save_model
from casestrat.models.survival import HorizonRisk
from casestrat.models.tier_changes import expected_moves, tier_churn, tier_probabilities
from casestrat.models.tiers import assign_tiers
from casestrat.models.uncertainty import BootstrapEnsemble, risk_interval

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
