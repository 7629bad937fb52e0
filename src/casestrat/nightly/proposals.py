"""Who could follow whom today, without ranking anybody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from casestrat.allocation import AllocationProblem, Plan, allocate
from casestrat.knowledge import load_program
from casestrat.nightly.files import parquet_bytes, to_contract, write_atomic
from casestrat.nightly.lists import list_bytes
from casestrat.nightly.manifest import locked
from casestrat.nightly.request import check_staff, parse_as_of, read_source
from casestrat.nightly.results import ALLOCATION_SECONDS
from casestrat.tables import OUTPUTS

if TYPE_CHECKING:
    import pandas as pd

    from casestrat.knowledge import Program
    from casestrat.tables import Tables


def allocate_source(
    source: str | Path | Tables,
    program: str | Path | Program,
    *,
    as_of: str | pd.Timestamp,
    out: str | Path,
    lang: str = "en",
) -> Plan:
    """Propose a case manager for each open case that has none, and write the plan.

    Parameters
    ----------
    source : str, path or Tables
        A folder of tables, a ``site.toml``, a database URL, or tables already read.
    program : str, path or Program
        The program.
    as_of : str or pandas.Timestamp
        The date: only what was recorded before it counts.
    out : str or path
        The folder in which ``allocation``, ``unassigned`` and ``workload`` are written, as Parquet and as CSV.
    lang : {"en", "fr", "it"}, optional
        Language of the CSV lists.

    Returns
    -------
    Plan
        The plan, with a reason for each case without a case manager.

    Raises
    ------
    UsageError
        Where the extract has no case managers, was made for another program, or begins later.
    """
    rules = load_program(program)
    date = parse_as_of(as_of)
    tables = read_source(source, rules, date)
    check_staff(tables, source, "be proposed")
    nobody = OUTPUTS["waiting_list"].empty()
    plan = allocate(AllocationProblem.from_tables(tables, rules, nobody, date), time_limit_s=ALLOCATION_SECONDS)
    with locked(Path(out)):
        told = _frames(plan.in_language(lang), date)
        for name, frame in _frames(plan, date).items():
            write_atomic(Path(out) / f"{name}.parquet", parquet_bytes(frame))
            write_atomic(Path(out) / f"{name}.csv", list_bytes(name, told[name], rules, lang))
    return plan


def _frames(plan: Plan, date: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """Return what is written of a plan."""
    frames = {"allocation": plan.assignments, "unassigned": plan.unassigned, "workload": plan.workload}
    return {name: to_contract(frame.assign(as_of=date), name) for name, frame in frames.items()}
