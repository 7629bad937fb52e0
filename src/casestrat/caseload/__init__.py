"""How the service flows: stock and flow, contacts due, the spread of work, the nine steps, small cells."""

from casestrat.caseload.charts import xmr_limits
from casestrat.caseload.contacts import contacts_due
from casestrat.caseload.disclosure import hidden_cells, recoverable_cells, suppress
from casestrat.caseload.flow import flow
from casestrat.caseload.indicators import indicators
from casestrat.caseload.inequality import coefficient_of_variation, gini
from casestrat.caseload.intervals import wilson_interval
from casestrat.caseload.process import process_indicators
from casestrat.caseload.spread import workload_now

__all__ = [
    "coefficient_of_variation",
    "contacts_due",
    "flow",
    "gini",
    "hidden_cells",
    "indicators",
    "process_indicators",
    "recoverable_cells",
    "suppress",
    "wilson_interval",
    "workload_now",
    "xmr_limits",
]
