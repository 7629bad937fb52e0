"""Who comes next, and what the committee decided."""

from casestrat.priority.absence import explain_absence, explain_order
from casestrat.priority.committee import Meeting, RecordResult, open_meeting
from casestrat.priority.criteria import check_criteria, criteria_in_force, criteria_status
from casestrat.priority.ranking import assess_first, mark_places, rank_waiting_list
from casestrat.priority.uncertainty import rank_region, rank_uncertainty, topk_probability

__all__ = [
    "Meeting",
    "RecordResult",
    "assess_first",
    "check_criteria",
    "criteria_in_force",
    "criteria_status",
    "explain_absence",
    "explain_order",
    "mark_places",
    "open_meeting",
    "rank_region",
    "rank_uncertainty",
    "rank_waiting_list",
    "topk_probability",
]
