"""An extract: checked, drafted, made up; and what is shipped."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

import casestrat as cs  # each name loads its room when a command first uses it
from casestrat.cli.console import open_console, print_frame
from casestrat.cli.options import Lang, LangOption, Listed, OutOption, ProgramOption, SourceArgument
from casestrat.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from casestrat.tables import Tables


def check(
    source: SourceArgument,
    program: ProgramOption,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write the rows set aside to this CSV.")] = None,
) -> None:
    """Read and check an extract; list what was set aside and what each missing table would add."""
    tables = cs.read_tables(source, cs.load_program(program))
    console = open_console()
    _print_tables(tables, console)
    print_frame(_by_rule(tables.set_aside), "Set aside, by rule", console)
    print_frame(tables.warnings, "Warnings", console)
    print_frame(tables.unmapped_codes, "Codes that nobody has mapped", console)
    if len(tables.doubtful_pairs):
        console.print(
            f"{len(tables.doubtful_pairs):,} pairs of ids might be one person each: decide in a crosswalk file"
        )
    print_frame(_by_rule(tables.illegal_steps), "Steps that the life cycle does not allow, by rule", console)
    if out is not None:
        cs.nightly.files.write_atomic(out, tables.set_aside.to_csv(index=False, lineterminator="\n").encode())
        console.print(f"rows set aside: {out}")
    rows = int(tables.rows_set_aside().sum())
    console.print(f"{len(tables.persons):,} people, {rows:,} rows set aside, fingerprint {tables.fingerprint}")


def _print_tables(tables: Tables, console: Console) -> None:
    view = Table(title="Tables", title_justify="left", box=None)
    view.add_column("table", no_wrap=True)
    view.add_column("rows", no_wrap=True, justify="right")
    view.add_column("")
    for name, contract in cs.tables.CONTRACTS.items():
        note = "" if tables.has(name) else f"absent; it would add {contract.adds}"
        view.add_row(name, f"{len(getattr(tables, name)):,}" if tables.has(name) else "–", note)
    console.print(view, soft_wrap=False)


def _by_rule(set_aside: pd.DataFrame) -> pd.DataFrame:
    columns = ["table", "source", "column", "rule", "expected"]
    return set_aside.groupby(columns, dropna=False, as_index=False).size().rename(columns={"size": "rows"})


def draft(
    folder: Annotated[Path, typer.Argument(help="A folder of exports.")],
    program: ProgramOption,
    lang: LangOption = Lang.en,
) -> None:
    """Draft a site.toml from a folder of exports, with empty templates and code lists beside it."""
    path = cs.tables.draft_site(folder, cs.load_program(program), lang.value)
    console = open_console()
    console.print(f"{path}: a draft; fill in what is marked, then run:")
    console.print(f"casestrat check {path} --program {program}")


def synthesize(
    out: OutOption,
    program: ProgramOption = "geriatric",
    people: Annotated[int, typer.Option(help="How many people.", min=1)] = 2_000,
    seed: Annotated[int, typer.Option(help="Seed.")] = 0,
    example: Annotated[bool, typer.Option("--example", help="The shipped example, bit for bit.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a folder that holds something.")] = False,
) -> None:
    """Write the tables of a made-up agency whose true risks are known."""
    if out.exists() and not out.is_dir():
        raise UsageError("the output is a file", where=str(out), do="name a folder")
    if out.exists() and any(out.iterdir()) and not force:
        raise UsageError(
            "the folder is not empty", where=str(out), do="name a new folder, or add --force to replace it"
        )
    if force and out.exists():
        shutil.rmtree(out)
    if example:
        cs.synthetic.write_example(out, program)
    else:
        cs.synthetic.write_agency(program, people=people, random_state=seed, folder=out)
    open_console().print(f"{out}: a made-up agency of program {program}")


def listing(
    kind: Annotated[Listed, typer.Argument(help="What to list.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the shipped programs, instruments or scorecards."""
    shipped = {"programs": cs.list_programs, "instruments": cs.list_instruments, "scorecards": cs.list_scorecards}
    frame = shipped[kind.value]()
    if as_json:
        json.dump(frame.astype(object).where(frame.notna(), None).to_dict(orient="records"), sys.stdout, default=str)
        return
    shown = [name for name in ("name", "label", "domain", "licence", "status") if name in frame.columns]
    print_frame(frame[shown], kind.value, open_console())
