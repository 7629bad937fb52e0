"""The batch: from a site's files to the committee's page, every night."""

from casestrat.nightly.audited_groups import audit_groups_of
from casestrat.nightly.caseload_frames import reallocation_page
from casestrat.nightly.caseload_report import caseload_report
from casestrat.nightly.comparison import RunComparison, compare_runs
from casestrat.nightly.corrections import read_corrections_file
from casestrat.nightly.engine import ENGINES
from casestrat.nightly.gates import Gates
from casestrat.nightly.proposals import allocate_source
from casestrat.nightly.readiness import Readiness, readiness
from casestrat.nightly.reallocating import Moved, Wanted, reallocate_source, record_assignments_source
from casestrat.nightly.recompute import Recomputed, recompute_with
from casestrat.nightly.recording import record_decisions
from casestrat.nightly.registry import ModelAct, current_model, model_file, model_history, promote, rollback
from casestrat.nightly.run import NightlyRun, run_nightly
from casestrat.nightly.training import Fitted, fit_model, score_labelled
from casestrat.nightly.validation import Validation, print_scorecard, validate
from casestrat.nightly.waiting import make_waiting

__all__ = [
    "ENGINES",
    "Fitted",
    "Gates",
    "ModelAct",
    "Moved",
    "NightlyRun",
    "Readiness",
    "Recomputed",
    "RunComparison",
    "Validation",
    "Wanted",
    "allocate_source",
    "audit_groups_of",
    "caseload_report",
    "compare_runs",
    "current_model",
    "fit_model",
    "make_waiting",
    "model_file",
    "model_history",
    "print_scorecard",
    "promote",
    "read_corrections_file",
    "readiness",
    "reallocate_source",
    "reallocation_page",
    "recompute_with",
    "record_assignments_source",
    "record_decisions",
    "rollback",
    "run_nightly",
    "score_labelled",
    "validate",
]
