"""Who follows whom, and what the committee decided."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import casestrat as cs  # each name loads its room when a command first uses it
from casestrat.cli.console import open_console, print_frame
from casestrat.cli.options import AsOfOption, Lang, LangOption, OutOption, ProgramOption, SourceArgument
from casestrat.errors import ExitCode

if TYPE_CHECKING:
    import pandas as pd


def allocate(
    source: SourceArgument, program: ProgramOption, as_of: AsOfOption, out: OutOption, lang: LangOption = Lang.en
) -> None:
    """Propose who could follow whom among open cases, without ranking the waiting list."""
    plan = cs.nightly.allocate_source(source, program, as_of=as_of, out=out, lang=lang.value)
    console = open_console()
    print_frame(plan.levels, "Objective", console)
    print_frame(_workload_view(plan.workload), "Workload, minutes a week before and after", console)
    print_frame(plan.unassigned[["case_id", "reason", "relaxation"]], "Without a case manager", console)
    n_new = int(plan.assignments["is_new"].fillna(False).sum())
    console.print(
        f"{len(plan.assignments):,} cases with a case manager, {n_new:,} of them new; {len(plan.unassigned):,} without"
    )
    for name in ("allocation", "unassigned", "workload"):
        console.print(f"{name:<12}{out / name}.csv and .parquet")


def record(
    meeting: Annotated[Path, typer.Argument(help="The meeting's file: OUT/AS_OF/meetings/<meeting_id>.json.")],
    file: Annotated[Path, typer.Argument(help="The file that the committee page exported.")],
    program: ProgramOption,
) -> None:
    """Check what the committee decided and keep it with its meeting; importing twice changes nothing."""
    result = cs.nightly.record_decisions(meeting, file, program)
    console = open_console()
    lost = result.refused["row"].nunique()
    console.print(
        f"{len(result.decisions):,} decisions of this file stand, {result.n_new:,} of them new; {lost:,} do not"
    )
    console.print(f"kept in {meeting}")
    if len(result.refused):
        print_frame(result.refused, "Not recorded, with every reason", console)
        raise typer.Exit(int(ExitCode.PARTIAL))


def _workload_view(workload: pd.DataFrame) -> pd.DataFrame:
    """Return of a workload what fits a terminal."""
    used = workload["utilisation_after"].map("{:.0%}".format, na_action="ignore")
    shown = workload.assign(used=used).rename(columns={
        "cm_id": "manager", "capacity_minutes": "capacity", "minutes_before": "before", "minutes_after": "after",
        "cases_after": "cases", "n_high": "high", "n_medium": "medium", "n_low": "low",
    })  # fmt: skip
    return shown[["manager", "team", "capacity", "before", "after", "used", "cases", "high", "medium", "low"]]
