"""What people read: the committee page, the caseload page, and every figure; frames in, HTML or axes out."""

from casestrat.reports import figures
from casestrat.reports.caseload_page import caseload_page
from casestrat.reports.committee_page import committee_page
from casestrat.reports.meetings_index import meetings_index
from casestrat.reports.missingness_figure import missingness_figure
from casestrat.reports.scorecard_page import scorecard_page
from casestrat.reports.validation_page import validation_page

__all__ = [
    "caseload_page",
    "committee_page",
    "figures",
    "meetings_index",
    "missingness_figure",
    "scorecard_page",
    "validation_page",
]
