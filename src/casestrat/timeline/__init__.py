"""What was known, and where everyone stood, on a date."""

from casestrat.timeline.as_of import Asked, History, known
from casestrat.timeline.labels import build_labels
from casestrat.timeline.landmarks import landmarks
from casestrat.timeline.matching import rows_matching
from casestrat.timeline.observation import Observation, followed_until, history_of, is_observed
from casestrat.timeline.scoring import score_assessments, score_instrument
from casestrat.timeline.spine import make_spine
from casestrat.timeline.status import ReferralScope, deaths_known, status_at, status_on, status_rows
from casestrat.timeline.windows import Windows

__all__ = [
    "Asked",
    "History",
    "Observation",
    "ReferralScope",
    "Windows",
    "build_labels",
    "deaths_known",
    "followed_until",
    "history_of",
    "is_observed",
    "known",
    "landmarks",
    "make_spine",
    "rows_matching",
    "score_assessments",
    "score_instrument",
    "status_at",
    "status_on",
    "status_rows",
]
