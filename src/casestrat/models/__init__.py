"""How likely, why, and how far to trust it."""

from casestrat.models.calibration import NoSignalWarning
from casestrat.models.classifier import RiskClassifier
from casestrat.models.evaluation import Evaluation, evaluate
from casestrat.models.scorecard import PointScorecard
from casestrat.models.site_split import JoinedSitesWarning, LeaveSiteOut
from casestrat.models.splits import PersonGroupedSplit, TemporalSplit
from casestrat.models.store import load_model, save_model
from casestrat.models.tiers import assign_tiers

__all__ = [
    "Evaluation",
    "JoinedSitesWarning",
    "LeaveSiteOut",
    "NoSignalWarning",
    "PersonGroupedSplit",
    "PointScorecard",
    "RiskClassifier",
    "TemporalSplit",
    "assign_tiers",
    "evaluate",
    "load_model",
    "save_model",
]
