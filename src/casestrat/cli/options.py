"""What the commands may be told: the options that several of them share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

Lang = StrEnum("Lang", ["en", "fr", "it"])
Engine = StrEnum("Engine", ["local", "dask"])
Listed = StrEnum("Listed", ["programs", "instruments", "scorecards"])

SourceArgument = Annotated[str, typer.Argument(help="A folder of tables, a site.toml, or a database URL.")]
RegistryArgument = Annotated[Path, typer.Argument(help="The folder of the registry of models.")]

ProgramOption = Annotated[str, typer.Option("--program", "-p", help="A shipped program's name, or the path of a TOML.")]
AsOfOption = Annotated[str, typer.Option("--as-of", help="Only what was recorded before this date counts: 2026-10-01.")]
OutOption = Annotated[Path, typer.Option("--out", "-o", help="Where to write.")]
LangOption = Annotated[Lang, typer.Option("--lang", help="Language of the pages and of the lists.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but faults.")]
ModelOption = Annotated[
    Path | None,
    typer.Option(help="A stored model, or a registry's folder: its model in service. By default the scorecard."),
]
ApproverOption = Annotated[str, typer.Option(help="Who approves; kept in the history.")]
ReasonOption = Annotated[str, typer.Option(help="Why; kept in the history.")]
LearnedReasonOption = Annotated[
    str, typer.Option("--learned-ranking-reason", help="Recorded reason to rank by a learned model.")
]
