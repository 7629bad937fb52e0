"""The command line: every command is a few lines around a function that a notebook can call too."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import casestrat as cs  # each name loads its room when a command first uses it, so that --help answers at once
from casestrat.errors import ExitCode, UsageError
from casestrat.limits import MAX_SET_ASIDE, MAX_STALE_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from casestrat.nightly import NightlyRun
    from casestrat.tables import Tables

app = typer.Typer(
    name="casestrat",
    help="Risk stratification, waiting-list ranking and caseload analytics for case management.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
decisions_app = typer.Typer(help="What the committee decided.", no_args_is_help=True)
app.add_typer(decisions_app, name="decisions")

Lang = StrEnum("Lang", ["en", "fr", "it"])
Engine = StrEnum("Engine", ["local", "dask"])
Kind = StrEnum("Kind", ["programs", "instruments", "scorecards"])

SourceArgument = Annotated[str, typer.Argument(help="A folder of tables, a site.toml, or a database URL.")]
_WIDEST = 8  # columns of a table that one row is not printed upright for

ProgramOption = Annotated[str, typer.Option("--program", "-p", help="A shipped program's name, or the path of a TOML.")]
AsOfOption = Annotated[str, typer.Option("--as-of", help="Only what was recorded before this date counts: 2026-10-01.")]
OutOption = Annotated[Path, typer.Option("--out", "-o", help="Where to write.")]
LangOption = Annotated[Lang, typer.Option("--lang", help="Language of the pages and of the lists.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but faults.")]


def _console(quiet: bool = False) -> Console:
    return Console(quiet=quiet, highlight=False, soft_wrap=True)


def _print_version(wanted: bool) -> None:
    if wanted:
        _console().print(f"casestrat {cs.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Risk stratification, waiting-list ranking and caseload analytics for case management."""


@contextlib.contextmanager
def _progress(quiet: bool) -> Iterator[Any]:
    """Show a bar on a terminal, plain lines in a log, nothing when quiet."""
    console = Console(stderr=True, quiet=quiet)
    if quiet or not console.is_terminal:
        began = time.perf_counter()

        def say(step: str, done: int, of: int) -> None:
            if not quiet and done == of:
                console.print(f"{step}: {done} of {of} done after {time.perf_counter() - began:.1f} s")

        yield say
        return
    columns = (TextColumn("{task.description:<8}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        tasks: dict[str, Any] = {}

        def show(step: str, done: int, of: int) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step, total=of)
            bar.update(tasks[step], completed=done, total=of)

        yield show


def _print_run(run: NightlyRun, console: Console) -> None:
    counts = run.summary
    if not run.is_new:
        console.print(f"Nothing to do: this run stands already in {run.folder}")
    rows = [
        ("people read", f"{counts['people_read']:,}"),
        ("rows set aside", f"{counts['rows_set_aside']:,} of {counts['rows_read'] + counts['rows_set_aside']:,}"),
        ("ranked", f"{counts['ranked']:,}, and {counts['assess_first']:,} to assess first"),
        ("proposed", f"{counts['proposed']:,} for {counts['places']:,} places"),
        *_allocation_rows(run),
        ("seconds", f"{run.seconds:.1f}"),
    ]
    for name, value in rows:
        console.print(f"{name:<18}{value}")
    if run.manifest["left_out"]:
        console.print(f"left out          {', '.join(run.manifest['left_out'])}: the extract lacks their tables")
    for page in ("committee.html", "caseload.html"):
        console.print(f"{page:<18}{(run.folder / page).resolve()}")


def _allocation_rows(run: NightlyRun) -> list[tuple[str, str]]:
    counts = run.summary
    if "allocation" in run.manifest["left_out"]:
        return []
    return [
        ("allocated", f"{counts['assigned']:,} cases; {counts['unassigned']:,} without a case manager, with reasons"),
        ("minutes balanced", f"{counts['minutes_balanced']:,} a week"),
    ]


@app.command()
def demo(
    program: ProgramOption = "geriatric",
    out: OutOption = Path("demo-output"),
    lang: LangOption = Lang.en,
    quiet: QuietOption = False,
) -> None:
    """Run the nightly job on the shipped, made-up agency and say where the pages are."""
    tables = cs.load_example(program)
    with _progress(quiet) as tell:
        as_of = str(cs.synthetic.example_as_of())
        run = cs.run_nightly(tables, program, as_of=as_of, out=out, lang=lang.value, progress=tell)
    console = _console(quiet)
    console.print("The people of this example are made up.")
    _print_run(run, console)


@app.command()
def nightly(
    source: SourceArgument,
    program: ProgramOption,
    as_of: AsOfOption,
    out: OutOption,
    engine: Annotated[Engine, typer.Option(help="Where the partitions are scored.")] = Engine.local,
    workers: Annotated[int | None, typer.Option(help="Processes; one a core by default.")] = None,
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler.")] = None,
    model: Annotated[Path | None, typer.Option(help="A stored model; by default the program's scorecard.")] = None,
    lang: LangOption = Lang.en,
    seed: Annotated[str, typer.Option(help="Published seed of the lottery among those who tie.")] = "",
    max_set_aside: Annotated[float, typer.Option(help="Largest share of a table set aside.")] = MAX_SET_ASIDE,
    max_stale_days: Annotated[int, typer.Option(help="Most days since the newest row.")] = MAX_STALE_DAYS,
    learned_ranking_reason: Annotated[str, typer.Option(help="Recorded reason to rank by a learned model.")] = "",
    quiet: QuietOption = False,
) -> None:
    """Score, rank, allocate and report one extract, as of one date."""
    with _progress(quiet) as tell:
        run = cs.run_nightly(
            source, program, as_of=as_of, out=out, model=model, workers=workers,
            engine="dask" if engine is Engine.dask else "local", scheduler=scheduler, lang=lang.value,
            seed=seed, gates=cs.nightly.Gates(max_set_aside, max_stale_days),
            learned_ranking_reason=learned_ranking_reason, progress=tell,
        )  # fmt: skip
    _print_run(run, _console(quiet))


@app.command()
def check(
    source: SourceArgument,
    program: ProgramOption,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write the rows set aside to this CSV.")] = None,
) -> None:
    """Read and check an extract; list what was set aside and what each missing table would add."""
    tables = cs.read_tables(source, cs.load_program(program))
    console = _console()
    _print_tables(tables, console)
    _print_frame(_by_rule(tables.set_aside), "Set aside, by rule", console)
    _print_frame(tables.warnings, "Warnings", console)
    _print_frame(tables.unmapped_codes, "Codes that nobody has mapped", console)
    if len(tables.doubtful_pairs):
        console.print(
            f"{len(tables.doubtful_pairs):,} pairs of ids might be one person each: decide in a crosswalk file"
        )
    _print_frame(_by_rule(tables.illegal_steps), "Steps that the life cycle does not allow, by rule", console)
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


def _print_frame(frame: pd.DataFrame, title: str, console: Console) -> None:
    """Print a table: ids and numbers are never cut, words go on in the next line; one long row stands upright."""
    if frame.empty:
        return
    tidy = frame.copy()
    for name in frame.columns:
        if str(frame[name].dtype).lower().startswith("float"):
            tidy[name] = frame[name].map(_short, na_action="ignore")
        elif str(frame[name].dtype).startswith("datetime"):
            tidy[name] = frame[name].dt.strftime("%Y-%m-%d")
    cells = tidy.astype(object).where(frame.notna(), "").map(lambda value: str(value).replace("[", r"\["))
    view = Table(
        title=title, title_justify="left", box=None, show_header=len(frame) > 1 or len(cells.columns) <= _WIDEST
    )
    if not view.show_header:
        cells = cells.T.reset_index()
    for number, name in enumerate(cells.columns):
        is_figure = bool(cells[name].str.fullmatch(r"[-\d.,%e]*").all())
        view.add_column(str(name), no_wrap=is_figure or number == 0, justify="right" if is_figure else "left",
                        overflow="fold")  # fmt: skip
    for row in cells.itertuples(index=False):
        view.add_row(*row)
    console.print(view, soft_wrap=False)


def _short(number: float) -> str:
    """Write a number with up to four decimals."""
    return f"{round(number, 4) + 0.0:.4f}".rstrip("0").rstrip(".")


def _workload_view(workload: pd.DataFrame) -> pd.DataFrame:
    """Return of a workload what fits a terminal."""
    used = workload["utilisation_after"].map("{:.0%}".format, na_action="ignore")
    shown = workload.assign(used=used).rename(columns={
        "cm_id": "manager", "capacity_minutes": "capacity", "minutes_before": "before", "minutes_after": "after",
        "cases_after": "cases", "n_high": "high", "n_medium": "medium", "n_low": "low",
    })  # fmt: skip
    return shown[["manager", "team", "capacity", "before", "after", "used", "cases", "high", "medium", "low"]]


@app.command("init")
def draft(
    folder: Annotated[Path, typer.Argument(help="A folder of exports.")],
    program: ProgramOption,
    lang: LangOption = Lang.en,
) -> None:
    """Draft a site.toml from a folder of exports, with empty templates and code lists beside it."""
    path = cs.tables.draft_site(folder, cs.load_program(program), lang.value)
    console = _console()
    console.print(f"{path}: a draft; fill in what is marked, then run:")
    console.print(f"casestrat check {path} --program {program}")


@app.command()
def fit(
    source: SourceArgument,
    program: ProgramOption,
    as_of: Annotated[list[str], typer.Option("--as-of", help="A date to learn from; may be given several times.")],
    out: OutOption,
    seed: Annotated[int, typer.Option(help="Seed of the splits and of the audit.")] = 0,
    audit: Annotated[
        bool, typer.Option(help="Look for features that use what was not known on their date; kept with the model.")
    ] = True,
) -> None:
    """Learn a risk model from past dates and store it; it ranks nobody until `nightly` is told to use it."""
    rules = cs.load_program(program)
    with _progress(quiet=False) as tell:
        tables = cs.read_tables(source, rules)
        fitted = cs.nightly.fit_model(tables, rules, as_of, random_state=seed, audit=audit, progress=tell)
    cs.save_model(
        fitted.model, out, builder=fitted.builder, program=rules, evaluation=fitted.evaluation, audit=fitted.audit
    )
    console = _console()
    _print_frame(fitted.evaluation.summary, "On people left out of the fit", console)
    if fitted.audit is not None:
        console.print(str(fitted.audit), markup=False)
    console.print(f"{fitted.n:,} people and dates, {fitted.events:,} with the outcome {rules.risk.outcome}; {out}")


@app.command()
def evaluate(
    source: SourceArgument,
    program: ProgramOption,
    as_of: Annotated[list[str], typer.Option("--as-of", help="A past date; may be given several times.")],
    model: Annotated[Path | None, typer.Option(help="A stored model; by default the program's scorecard.")] = None,
    capacity: Annotated[int | None, typer.Option(help="Places: precision and recall are given at this cut.")] = None,
) -> None:
    """Hold a model or the program's scorecard against what then happened."""
    rules = cs.load_program(program)
    scored = cs.nightly.score_labelled(cs.read_tables(source, rules), rules, as_of, model=model)
    is_risk = bool(scored.attrs["is_risk"])
    report = cs.evaluate(scored["label"], scored["score"], capacity=capacity, is_probability=is_risk)
    console = _console()
    if not is_risk:
        words = "The scorecard gives points, not a risk: only figures of order (AUC, precision) mean something."
        console.print(words, soft_wrap=False)
    for name in ("summary", "capacity"):
        _print_frame(getattr(report, name), name.capitalize(), console)
    if model is not None:
        console.print(_audited(cs.load_model(model).stored_.get("audit")), markup=False)


def _audited(audit: dict[str, Any] | None) -> str:
    """Say what the audit for leakage found that is stored with a model."""
    if audit is None:
        return "audited for leakage: no"
    named = ", ".join(dict.fromkeys(row["feature"] for row in audit["findings"] if row["feature"]))
    return f"audited for leakage: {audit['verdict']}" + (f" ({named})" if named else "")


@app.command()
def allocate(
    source: SourceArgument, program: ProgramOption, as_of: AsOfOption, out: OutOption, lang: LangOption = Lang.en
) -> None:
    """Propose who could follow whom among open cases, without ranking the waiting list."""
    plan = cs.nightly.allocate_source(source, program, as_of=as_of, out=out, lang=lang.value)
    console = _console()
    _print_frame(plan.levels, "Objective", console)
    _print_frame(_workload_view(plan.workload), "Workload, minutes a week before and after", console)
    _print_frame(plan.unassigned[["case_id", "reason", "relaxation"]], "Without a case manager", console)
    n_new = int(plan.assignments["is_new"].fillna(False).sum())
    console.print(
        f"{len(plan.assignments):,} cases with a case manager, {n_new:,} of them new; {len(plan.unassigned):,} without"
    )
    for name in ("allocation", "unassigned", "workload"):
        console.print(f"{name:<12}{out / name}.csv and .parquet")


@decisions_app.command("record")
def record(
    meeting: Annotated[Path, typer.Argument(help="The meeting's file: OUT/AS_OF/meetings/<meeting_id>.json.")],
    file: Annotated[Path, typer.Argument(help="The file that the committee page exported.")],
    program: ProgramOption,
) -> None:
    """Check what the committee decided and keep it with its meeting; importing twice changes nothing."""
    result = cs.nightly.record_decisions(meeting, file, program)
    console = _console()
    lost = result.refused["row"].nunique()
    console.print(
        f"{len(result.decisions):,} decisions of this file stand, {result.n_new:,} of them new; {lost:,} do not"
    )
    console.print(f"kept in {meeting}")
    if len(result.refused):
        _print_frame(result.refused, "Not recorded, with every reason", console)
        raise typer.Exit(int(ExitCode.PARTIAL))


@app.command()
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
    _console().print(f"{out}: a made-up agency of program {program}")


@app.command("list")
def listing(
    kind: Annotated[Kind, typer.Argument(help="What to list.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the shipped programs, instruments or scorecards."""
    shipped = {"programs": cs.list_programs, "instruments": cs.list_instruments, "scorecards": cs.list_scorecards}
    frame = shipped[kind.value]()
    if as_json:
        json.dump(frame.astype(object).where(frame.notna(), None).to_dict(orient="records"), sys.stdout, default=str)
        return
    shown = [name for name in ("name", "label", "domain", "licence", "status") if name in frame.columns]
    _print_frame(frame[shown], kind.value, _console())
