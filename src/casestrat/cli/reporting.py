"""Pages that are made when they are asked for: how far a model can be trusted, and a card to be printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import casestrat as cs  # each name loads its room when a command first uses it
from casestrat.cli.console import open_console, print_frame, progress
from casestrat.cli.options import (
    AsOfOption,
    Lang,
    LangOption,
    LearnedReasonOption,
    ModelOption,
    ProgramOption,
    SourceArgument,
)

if TYPE_CHECKING:
    from casestrat.nightly import Validation

FileOption = Annotated[Path, typer.Option("--out", "-o", help="The page to write: a file.html.")]


def validation(
    source: SourceArgument,
    program: ProgramOption,
    as_of: Annotated[list[str], typer.Option("--as-of", help="A past date; may be given several times.")],
    out: FileOption = Path("validation.html"),
    model: ModelOption = None,
    capacity: Annotated[
        list[int] | None, typer.Option(help="Places, all dates together; may be given several times.")
    ] = None,
    beside: Annotated[
        bool, typer.Option("--beside", help="Hold the program's card and a classifier beside it, learned anew.")
    ] = False,
    lang: LangOption = Lang.en,
) -> None:
    """Write the page that says how far a model or the program's scorecard can be trusted on past dates."""
    rules = cs.load_program(program)
    with progress(quiet=False) as tell:
        tables = cs.read_tables(source, rules)
        told = cs.nightly.validate(
            tables, rules, as_of, model=model, capacity=capacity or None, beside=beside, lang=lang.value, progress=tell
        )
    cs.nightly.files.write_atomic(out, told.page.encode())
    _say(told, out)


def _say(told: Validation, out: Path) -> None:
    """Print the figures and where the page is."""
    console = open_console()
    print_frame(told.evaluation.summary, "Summary", console)
    for warning in told.evaluation.warnings:
        console.print(f"Note: {warning}", markup=False)
    console.print(f"{told.card.n_reported} of {len(told.card.items)} items of the model card are reported")
    console.print(f"{out.resolve()}", markup=False)


def scorecard(
    program: ProgramOption,
    out: FileOption = Path("scorecard.html"),
    model: ModelOption = None,
    lang: LangOption = Lang.en,
) -> None:
    """Write a stored card, or the program's scorecard, as one page to be printed."""
    page = cs.nightly.print_scorecard(cs.load_program(program), model=model, lang=lang.value)
    cs.nightly.files.write_atomic(out, page.encode())
    open_console().print(f"{out.resolve()}", markup=False)


def caseload(
    source: SourceArgument,
    program: ProgramOption,
    as_of: AsOfOption,
    out: FileOption = Path("caseload.html"),
    model: ModelOption = None,
    learned_ranking_reason: LearnedReasonOption = "",
    lang: LangOption = Lang.en,
) -> None:
    """Write the team's page: hours against capacity, proposed moves to decide on, who cannot be followed and why."""
    page = cs.nightly.caseload_report(
        source, program, as_of=as_of, model=model, lang=lang.value, learned_ranking_reason=learned_ranking_reason
    )
    cs.nightly.files.write_atomic(out, page.encode())
    open_console().print(f"{out.resolve()}", markup=False)
