"""The command line: every command is a few lines around a function that a notebook can call too."""

from __future__ import annotations

from typing import Annotated

import typer

from casestrat._version import __version__
from casestrat.cli.console import open_console
from casestrat.cli.data import check, draft, listing, synthesize
from casestrat.cli.deciding import allocate, record
from casestrat.cli.learning import evaluate, fit, models, promote, readiness, rollback
from casestrat.cli.moving import reallocate
from casestrat.cli.moving import record as record_assignments
from casestrat.cli.night import compare, demo, nightly, recompute
from casestrat.cli.reporting import caseload, scorecard, validation

APP = typer.Typer(
    name="casestrat",
    help="Risk stratification, waiting-list ranking and caseload analytics for case management.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
_DECISIONS = typer.Typer(help="What the committee decided.", no_args_is_help=True)
_ASSIGNMENTS = typer.Typer(help="What people decided about proposed moves.", no_args_is_help=True)
_REPORTS = typer.Typer(help="Pages that are made when they are asked for.", no_args_is_help=True)
_COMMANDS = (
    demo, nightly, compare, recompute, check, fit, evaluate, readiness, promote, rollback, models, allocate, reallocate,
    synthesize,
)  # fmt: skip


def _print_version(wanted: bool) -> None:
    if wanted:
        open_console().print(f"casestrat {__version__}")
        raise typer.Exit


@APP.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Risk stratification, waiting-list ranking and caseload analytics for case management."""


for _command in _COMMANDS:
    APP.command()(_command)
APP.command("init")(draft)
APP.command("list")(listing)
_DECISIONS.command("record")(record)
APP.add_typer(_DECISIONS, name="decisions")
_ASSIGNMENTS.command("record")(record_assignments)
APP.add_typer(_ASSIGNMENTS, name="assignments")
_REPORTS.command("validation")(validation)
_REPORTS.command("scorecard")(scorecard)
_REPORTS.command("caseload")(caseload)
APP.add_typer(_REPORTS, name="report")
