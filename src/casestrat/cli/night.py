"""The night, what changed between two nights, and what a corrected answer would change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import casestrat as cs  # each name loads its room when a command first uses it, so that --help answers at once
from casestrat.cli.console import open_console, print_frame, progress
from casestrat.cli.options import (
    AsOfOption,
    Engine,
    Lang,
    LangOption,
    LearnedReasonOption,
    ModelOption,
    OutOption,
    ProgramOption,
    QuietOption,
    SourceArgument,
)
from casestrat.errors import UsageError
from casestrat.limits import MAX_SET_ASIDE, MAX_STALE_DAYS

if TYPE_CHECKING:
    from rich.console import Console

    from casestrat.nightly import NightlyRun, Recomputed, RunComparison


def demo(
    program: ProgramOption = "geriatric",
    out: OutOption = Path("demo-output"),
    lang: LangOption = Lang.en,
    quiet: QuietOption = False,
) -> None:
    """Run the nightly job on the shipped, made-up agency and say where the pages are."""
    tables = cs.load_example(program)
    with progress(quiet) as tell:
        as_of = str(cs.synthetic.example_as_of())
        run = cs.run_nightly(tables, program, as_of=as_of, out=out, lang=lang.value, progress=tell)
    console = open_console(quiet)
    console.print("The people of this example are made up.")
    _print_run(run, console)


def nightly(
    source: SourceArgument,
    program: ProgramOption,
    as_of: AsOfOption,
    out: OutOption,
    engine: Annotated[Engine, typer.Option(help="Where the partitions are scored.")] = Engine.local,
    workers: Annotated[int | None, typer.Option(help="Processes; one a core by default.")] = None,
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler.")] = None,
    model: ModelOption = None,
    lang: LangOption = Lang.en,
    seed: Annotated[str, typer.Option(help="Published seed of the lottery among those who tie.")] = "",
    max_set_aside: Annotated[float, typer.Option(help="Largest share of a table set aside.")] = MAX_SET_ASIDE,
    max_stale_days: Annotated[int, typer.Option(help="Most days since the newest row.")] = MAX_STALE_DAYS,
    learned_ranking_reason: LearnedReasonOption = "",
    shadow: Annotated[
        Path | None, typer.Option(help="A stored model to score beside the one in service; it ranks nobody.")
    ] = None,
    previous: Annotated[
        Path | None, typer.Option(help="Folder of an earlier run, whose tiers count as those that people had.")
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Score, rank, allocate and report one extract, as of one date."""
    with progress(quiet) as tell:
        run = cs.run_nightly(
            source, program, as_of=as_of, out=out, model=model, workers=workers,
            engine="dask" if engine is Engine.dask else "local", scheduler=scheduler, lang=lang.value,
            seed=seed, gates=cs.nightly.Gates(max_set_aside, max_stale_days),
            learned_ranking_reason=learned_ranking_reason, shadow=shadow, previous=previous, progress=tell,
        )  # fmt: skip
    _print_run(run, open_console(quiet))


def _print_run(run: NightlyRun, console: Console) -> None:
    counts = run.summary
    if not run.is_new:
        console.print(f"Nothing to do: this run stands already in {run.folder}")
    rows = [
        ("people read", f"{counts['people_read']:,}"),
        ("rows set aside", f"{counts['rows_set_aside']:,} of {counts['rows_read'] + counts['rows_set_aside']:,}"),
        ("ranked", f"{counts['ranked']:,}, and {counts['assess_first']:,} to assess first"),
        ("proposed", f"{counts['proposed']:,} for {counts['places']:,} places"),
        *_tier_rows(run),
        *_shadow_rows(run),
        *_allocation_rows(run),
        ("seconds", f"{run.seconds:.1f}"),
    ]
    for name, value in rows:
        console.print(f"{name:<18}{value}")
    if run.manifest["left_out"]:
        console.print(f"left out          {', '.join(run.manifest['left_out'])}: the extract lacks their tables")
    for page in ("committee.html", "caseload.html"):
        console.print(f"{page:<18}{(run.folder / page).resolve()}")


def _tier_rows(run: NightlyRun) -> list[tuple[str, str]]:
    counts = run.summary
    told = {
        "by a rule": counts["tiers_by_rule"], "a rule left open": counts["rules_left_open"],
        "to review for a step down": counts["step_downs_to_review"],
    }  # fmt: skip
    words = "; ".join(f"{n:,} {name}" for name, n in told.items() if n)
    return [("tiers", words)] if words else []


def _shadow_rows(run: NightlyRun) -> list[tuple[str, str]]:
    shadow = run.manifest.get("shadow")
    if shadow is None:
        return []
    told = f"{shadow['enters']:,} would enter the places and {shadow['leaves']:,} leave; it ranks nobody"
    return [("shadow model", told)]


def _allocation_rows(run: NightlyRun) -> list[tuple[str, str]]:
    counts = run.summary
    if "allocation" in run.manifest["left_out"]:
        return []
    return [
        ("allocated", f"{counts['assigned']:,} cases; {counts['unassigned']:,} without a case manager, with reasons"),
        ("minutes balanced", f"{counts['minutes_balanced']:,} a week"),
    ]


def compare(
    run_a: Annotated[Path, typer.Argument(help="The folder of the run before: OUT/AS_OF.")],
    run_b: Annotated[Path, typer.Argument(help="The folder of the run after.")],
    first: Annotated[int | None, typer.Option(help="Places of each list that count; by default its meeting's.")] = None,
    source: Annotated[
        str | None, typer.Option(help="The extract, to count by the audit groups of the program.")
    ] = None,
    program: Annotated[str | None, typer.Option("--program", "-p", help="The program, beside --source.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write every change to this CSV.")] = None,
) -> None:
    """Say who enters and leaves the first places from one run to another, by tier and group, and why."""
    groups, small_cell = None, 11
    if (source is None) != (program is None):
        raise UsageError("groups need the extract and the program", do="give --source and --program, or neither")
    if source is not None and program is not None:
        rules = cs.load_program(program)
        manifest = cs.nightly.manifest.read_manifest(run_b)
        if manifest is not None:  # else the comparison itself says that there is no run
            groups = cs.nightly.audit_groups_of(cs.read_tables(source, rules), rules, manifest["as_of"])
        small_cell = rules.privacy.small_cell
    compared = cs.compare_runs(run_a, run_b, first=first, groups=groups, small_cell=small_cell)
    _print_comparison(compared, open_console())
    if out is not None:
        content = compared.changes.to_csv(index=False, lineterminator="\n").encode()
        cs.nightly.files.write_atomic(out, content)
        open_console().print(f"every change: {out}")


def _print_comparison(compared: RunComparison, console: Console) -> None:
    changed = compared.inputs[compared.inputs["is_changed"]]
    if changed.empty:
        console.print("Nothing that the runs depend on has changed.")
    else:
        console.print(f"Changed: {', '.join(changed['input'])}")
    shown = compared.counts.fillna({"group": ""})
    print_frame(shown.drop(columns="is_suppressed"), "First places: who enters, leaves and stays", console)
    if shown["is_suppressed"].fillna(False).any():
        console.print("A count that is not shown is of few people, or would give one away.")
    moved = compared.changes[compared.changes["was_first"] | compared.changes["is_first"]]
    columns = ["person_id", "change", "rank_before", "rank_after", "why", "moved"]
    print_frame(moved[columns], "Whose place changes, and why", console)
    console.print(f"{compared.n_enter:,} enter, {compared.n_leave:,} leave, {len(compared.changes):,} stand otherwise")


def recompute(
    source: SourceArgument,
    program: ProgramOption,
    person: Annotated[str, typer.Option(help="Whose answers are corrected.")],
    as_of: AsOfOption,
    corrections: Annotated[Path, typer.Option(help="A CSV with the columns table, key, column, value.")],
    model: ModelOption = None,
    learned_ranking_reason: LearnedReasonOption = "",
) -> None:
    """Say what corrected answers of one person would change; nothing is written."""
    rules = cs.load_program(program)
    given = cs.nightly.read_corrections_file(corrections)
    both = cs.recompute_with(
        cs.read_tables(source, rules), rules, person, given, as_of=as_of, model=model,
        learned_ranking_reason=learned_ranking_reason,
    )  # fmt: skip
    _print_recomputed(both, open_console())


def _print_recomputed(both: Recomputed, console: Console) -> None:
    print_frame(both.corrections, "Corrected", console)
    sides = both.scores.T.rename_axis("score").reset_index()
    sides = sides[sides["score"].isin([*both.changed, "points", "risk", "tier", "rank", "list_length"])]
    print_frame(sides, "Before and after", console)
    for name in ("features", "reasons", "criteria"):
        frame = getattr(both, name)
        changed = frame[frame["is_changed"].astype(bool)].drop(columns="is_changed").reset_index()
        print_frame(changed, name.capitalize(), console)
    if not both.changed:
        console.print("Nothing changes.")
