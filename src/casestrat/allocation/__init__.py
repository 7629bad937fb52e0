"""Who follows whom: plans within every hard rule, level by level, each with a proven bound."""

from casestrat.allocation.checker import check_plan
from casestrat.allocation.plan import Plan
from casestrat.allocation.problem import AllocationProblem
from casestrat.allocation.solve import allocate

__all__ = ["AllocationProblem", "Plan", "allocate", "check_plan"]
