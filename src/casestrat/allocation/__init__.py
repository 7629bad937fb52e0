"""Who follows whom: plans within every hard rule, level by level, each with a proven bound."""

from casestrat.allocation.acceptance.acceptance import Acceptance, accept_moves, lead_faults, record_assignments
from casestrat.allocation.admission.admission import Admission, admissible_now, judge_admission
from casestrat.allocation.admission.binding import binding
from casestrat.allocation.admission.hiring import what_would_help
from casestrat.allocation.areas.own_weights import TypePlan, balance_types
from casestrat.allocation.areas.zones import ZonePlan, balance_zones
from casestrat.allocation.moves.cover import backups_of, step_down_candidates
from casestrat.allocation.moves.handover import handover, sensitive_cases
from casestrat.allocation.moves.reallocation import Reallocation, reallocate
from casestrat.allocation.moves.vacancy import Vacancy, vacancy
from casestrat.allocation.plan.checker import check_plan
from casestrat.allocation.plan.plan import Plan
from casestrat.allocation.problem.case_weights import case_weights
from casestrat.allocation.problem.expiring import expiring_licenses
from casestrat.allocation.problem.problem import AllocationProblem
from casestrat.allocation.solve import allocate

__all__ = [
    "Acceptance",
    "Admission",
    "AllocationProblem",
    "Plan",
    "Reallocation",
    "TypePlan",
    "Vacancy",
    "ZonePlan",
    "accept_moves",
    "admissible_now",
    "allocate",
    "backups_of",
    "balance_types",
    "balance_zones",
    "binding",
    "case_weights",
    "check_plan",
    "expiring_licenses",
    "handover",
    "judge_admission",
    "lead_faults",
    "reallocate",
    "record_assignments",
    "sensitive_cases",
    "step_down_candidates",
    "vacancy",
    "what_would_help",
]
