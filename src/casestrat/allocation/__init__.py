"""Who follows whom: plans within every hard rule, level by level, each with a proven bound."""

from casestrat.allocation.acceptance import Acceptance, accept_moves, lead_faults, record_assignments
from casestrat.allocation.admission import Admission, admissible_now, judge_admission
from casestrat.allocation.binding import binding
from casestrat.allocation.case_weights import case_weights
from casestrat.allocation.checker import check_plan
from casestrat.allocation.cover import backups_of, step_down_candidates
from casestrat.allocation.expiring import expiring_licenses
from casestrat.allocation.handover import handover, sensitive_cases
from casestrat.allocation.hiring import what_would_help
from casestrat.allocation.own_weights import TypePlan, balance_types
from casestrat.allocation.plan import Plan
from casestrat.allocation.problem import AllocationProblem
from casestrat.allocation.reallocation import Reallocation, reallocate
from casestrat.allocation.solve import allocate
from casestrat.allocation.vacancy import Vacancy, vacancy
from casestrat.allocation.zones import ZonePlan, balance_zones

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
