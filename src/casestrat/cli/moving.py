"""Who takes over whom, and what people decided about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import casestrat as cs  # each name loads its room when a command first uses it
from casestrat.cli.console import open_console, print_frame, progress
from casestrat.cli.options import Lang, LangOption, OutOption, QuietOption, SourceArgument
from casestrat.errors import ExitCode, UsageError

if TYPE_CHECKING:
    import pandas as pd

    from casestrat.nightly import Moved

_ROWS = 15  # of a list that is printed; the rest is in the file
_OwnProgram = Annotated[
    str | None,
    typer.Option("--program", "-p", help="A shipped program's name, or the path of a TOML; else the extract's own."),
]


def reallocate(
    source: SourceArgument,
    on: Annotated[str, typer.Option("--on", help="First day without them: 2026-10-05.")],
    leaver: Annotated[
        list[str] | None, typer.Option("--leaver", help="Case manager who leaves; may be given several times.")
    ] = None,
    absent: Annotated[
        list[str] | None, typer.Option("--absent", help="Case manager on leave; may be given several times.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="Last day of the leave.")] = None,
    newcomer: Annotated[
        Path | None, typer.Option("--newcomer", help="CSV with rows of case_managers for those who come.")
    ] = None,
    overloads: Annotated[
        Path | None,
        typer.Option(
            "--overloads",
            help="CSV of agreed overloads: cm_id, limit_minutes, ends_on, approver, reason; limit_cases if need be.",
        ),
    ] = None,
    max_moves: Annotated[int, typer.Option("--max-moves", help="Most moves beyond those that must be.", min=0)] = 30,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write the lists into this folder.")] = None,
    program: _OwnProgram = None,
    lang: LangOption = Lang.en,
    quiet: QuietOption = False,
) -> None:
    """Propose who takes over the cases of those who leave or are away; nobody is moved until people accept it."""
    if until is not None and not absent:
        raise UsageError("--until is the last day of a leave; nobody is on leave", do="add --absent, or drop --until")
    wanted = cs.nightly.Wanted(tuple(leaver or ()), tuple(absent or ()), until, newcomer, overloads, max_moves)
    with progress(quiet) as tell:
        moved = cs.nightly.reallocate_source(
            source, program, on=on, wanted=wanted, out=out, lang=lang.value, progress=tell
        )
    _print_moved(moved, wanted.max_moves, lang.value, out, quiet)


def _print_moved(moved: Moved, max_moves: int, lang: str, out: Path | None, quiet: bool) -> None:
    """Print what is proposed, in the language."""
    console, w = open_console(quiet), cs.knowledge.load_wording(lang)
    plan = moved.plan
    forced = int((plan.moves["kind"] == "forced").sum())
    print_frame(_workload_view(plan.workload, w), w("reallocation.workload"), console)
    print_frame(_few_budgets(plan.frontier, w), w("reallocation.frontier"), console)
    print_frame(_seen_first(moved.handover, w), w("reallocation.handover"), console)
    left = plan.uncovered[["case_id", "reason", "relaxation"]]
    print_frame(_named(left, w).head(_ROWS), w("reallocation.unassigned"), console)
    console.print(w.count("reallocation.moves", len(plan.moves)))
    console.print(w("reallocation.forced", n=forced, m=len(plan.moves) - forced, k=max_moves))
    console.print(w("reallocation.covered", n=len(plan.cover)))
    console.print(w("reallocation.left", n=len(plan.uncovered)))
    console.print(w("reallocation.step_down", n=len(moved.step_down)))
    for name in ("moves", "frontier", "handover", "cover", "step_down", "unassigned", "workload") if out else ():
        console.print(f"{name:<12}{out}/{name}.csv, .parquet")
    if out is not None:
        console.print(f"{'decisions':<12}{out}/decisions.json")
        console.print(f"{'page':<12}{(out / 'caseload.html').resolve()}")


def _named(frame: pd.DataFrame, w: cs.knowledge.Wording) -> pd.DataFrame:
    """Return a frame with its columns in words."""
    return frame.rename(columns={name: w(f"columns.{name}") for name in frame.columns})


def _workload_view(workload: pd.DataFrame, w: cs.knowledge.Wording) -> pd.DataFrame:
    """Return of a workload what fits a terminal of eighty columns."""
    shown = workload[["cm_id", "minutes_before", "minutes_after", "cases_after"]].copy()
    shown["utilisation_after"] = workload["utilisation_after"].map("{:.0%}".format, na_action="ignore")
    return shown.rename(columns={name: w(f"reallocation.short_{name}") for name in shown})


def _few_budgets(frontier: pd.DataFrame, w: cs.knowledge.Wording) -> pd.DataFrame:
    """Return every fifth budget and the last."""
    rows = frontier[(frontier["max_moves"] % 5 == 0) | (frontier["max_moves"] == frontier["max_moves"].max())]
    shown = rows[["max_moves", "n_moves", "unassigned"]].copy()
    shown["largest_utilisation"] = rows["largest_utilisation"].map("{:.1%}".format)
    shown["price"] = rows["price"].round(1)
    named: pd.DataFrame = shown.rename(columns={name: w(f"reallocation.short_{name}") for name in shown})
    return named


def _seen_first(handover: pd.DataFrame, w: cs.knowledge.Wording) -> pd.DataFrame:
    """Return the first handover sheets."""
    shown = handover[["case_id", "from_cm", "to_cm", "see_by", "because"]].head(_ROWS).copy()
    shown["because"] = shown["because"].map(lambda code: w(f"because.{code}"))
    return _named(shown, w)


def record(
    source: SourceArgument,
    file: Annotated[Path, typer.Argument(help="What people decided: a file of format casestrat-assignments/1.")],
    out: OutOption,
    program: _OwnProgram = None,
) -> None:
    """Make assignments of the moves that people accepted; SOURCE is never changed, a second time changes nothing."""
    result = cs.nightly.record_assignments_source(source, file, program, out=out)
    console = open_console()
    n_new = int(result.standing["is_new"].fillna(False).sum())
    lost = result.refused["row"].nunique()
    console.print(f"{len(result.standing):,} decisions of this file stand, {n_new:,} of them new; {lost:,} do not")
    console.print(f"{len(result.rows):,} new rows of assignments: {out}/assignments.csv")
    if lost:
        print_frame(result.refused, "Not recorded, with every reason", console)
        raise typer.Exit(int(ExitCode.PARTIAL))
