"""Models: learned, evaluated, promoted, rolled back; and whether there is enough to learn from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.padding import Padding

import casestrat as cs  # each name loads its room when a command first uses it
from casestrat.cli.console import open_console, print_frame, progress
from casestrat.cli.options import (
    ApproverOption,
    ModelOption,
    OutOption,
    ProgramOption,
    ReasonOption,
    RegistryArgument,
    SourceArgument,
)
from casestrat.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from casestrat.nightly import ModelAct, Readiness


def fit(
    source: SourceArgument,
    program: ProgramOption,
    as_of: Annotated[list[str], typer.Option("--as-of", help="A date to learn from; may be given several times.")],
    out: OutOption,
    kind: Annotated[
        str, typer.Option(help="card (whole points), logistic, boosting, or horizon (time to event).")
    ] = "logistic",
    rows: Annotated[int, typer.Option(help="The most rows of a card.")] = 10,
    seed: Annotated[int, typer.Option(help="Seed of the splits and of the audit.")] = 0,
    audit: Annotated[
        bool, typer.Option(help="Look for features that use what was not known on their date; kept with the model.")
    ] = True,
) -> None:
    """Learn a risk model from past dates and store it; it ranks nobody until `nightly` is told to use it."""
    rules = cs.load_program(program)
    with progress(quiet=False) as tell:
        tables = cs.read_tables(source, rules)
        fitted = cs.nightly.fit_model(
            tables, rules, as_of, kind=kind, max_rows=rows, random_state=seed, audit=audit, progress=tell
        )
    cs.save_model(
        fitted.model, out, builder=fitted.builder, program=rules, evaluation=fitted.evaluation, audit=fitted.audit
    )
    console = open_console()
    if isinstance(fitted.model, cs.PointScorecard):
        print_frame(fitted.model.table_[["item", "condition", "points"]], "The card", console)
        print_frame(fitted.model.choices_, "Cards of fewer rows, on people left out", console)
    print_frame(fitted.evaluation.summary, f"On {fitted.tested_on} than those of the fit", console)
    for note in fitted.model.warnings_:
        console.print(f"Note: {note}", markup=False)
    if fitted.audit is not None:
        console.print(str(fitted.audit), markup=False)
    console.print(f"{fitted.n:,} people and dates, {fitted.events:,} with the outcome {rules.risk.outcome}; {out}")


def evaluate(
    source: SourceArgument,
    program: ProgramOption,
    as_of: Annotated[list[str], typer.Option("--as-of", help="A past date; may be given several times.")],
    model: ModelOption = None,
    capacity: Annotated[int | None, typer.Option(help="Places: precision and recall are given at this cut.")] = None,
    page: Annotated[Path | None, typer.Option(help="Write the validation page too: a file.html.")] = None,
) -> None:
    """Hold a model or the program's scorecard against what then happened."""
    rules = cs.load_program(program)
    tables = cs.read_tables(source, rules)
    scored = cs.nightly.score_labelled(tables, rules, as_of, model=model)
    is_risk = bool(scored.attrs["is_risk"])
    report = cs.evaluate(scored["label"], scored["score"], capacity=capacity, is_probability=is_risk)
    console = open_console()
    if not is_risk:
        words = "The scorecard gives points, not a risk: only figures of order (AUC, precision) mean something."
        console.print(words, soft_wrap=False)
    for name in ("summary", "capacity"):
        print_frame(getattr(report, name), name.capitalize(), console)
    path = cs.nightly.model_file(model)
    if path is not None:
        console.print(_audited(cs.load_model(path).stored_.get("audit")), markup=False)
    if page is not None:
        told = cs.nightly.validate(tables, rules, as_of, model=model, capacity=capacity)
        cs.nightly.files.write_atomic(page, told.page.encode())
        console.print(f"{page.resolve()}", markup=False)


def _audited(audit: dict[str, Any] | None) -> str:
    """Say what the audit for leakage found that is stored with a model."""
    if audit is None:
        return "audited for leakage: no"
    named = ", ".join(dict.fromkeys(row["feature"] for row in audit["findings"] if row["feature"]))
    return f"audited for leakage: {audit['verdict']}" + (f" ({named})" if named else "")


def readiness(
    source: SourceArgument,
    program: ProgramOption,
    as_of: Annotated[
        list[str] | None, typer.Option("--as-of", help="A past date; by default all that the data allow.")
    ] = None,
) -> None:
    """Count the events of each outcome, and say how large a learned card they can carry."""
    rules = cs.load_program(program)
    _print_readiness(cs.readiness(cs.read_tables(source, rules), rules, as_of=as_of or None), open_console())


def _print_readiness(ready: Readiness, console: Console) -> None:
    columns = {
        "outcome": "outcome", "dates": "dates", "rows": "rows", "events": "events", "people_with_event": "people",
        "share_unknown": "unknown", "largest_card": "card",
    }  # fmt: skip
    shown = ready.frame[list(columns)].rename(columns=columns)
    shown["unknown"] = shown["unknown"].map("{:.0%}".format, na_action="ignore")
    print_frame(shown, "Outcomes: events, people who have one, and rows of the largest card", console)
    for row in ready.frame.to_dict("records"):
        outcome, advice = str(row["outcome"]), str(row["advice"])
        console.print(f"{'*' if row['is_of_program'] else ' '} {outcome}")
        for words in (advice, *ready.warnings_of(outcome)):
            console.print(Padding(words, (0, 0, 0, 4)), soft_wrap=False)
    console.print("* the outcome that the program foretells")


def promote(
    model: Annotated[Path, typer.Argument(help="A stored model.")],
    registry: RegistryArgument,
    approver: ApproverOption,
    reason: ReasonOption,
    run: Annotated[
        Path | None, typer.Option(help="A run with this model in the shadow: what it would change is kept.")
    ] = None,
) -> None:
    """Put a model into service: `nightly --model REGISTRY` uses it from then on."""
    shadow = None
    if run is not None:
        shadow = (cs.nightly.manifest.read_manifest(run) or {}).get("shadow")
        if shadow is None or shadow["model"] != cs.load_model(model).fingerprint:
            raise UsageError("this run did not score the model in the shadow", where=str(run), do="run with --shadow")
    _print_act(cs.nightly.promote(model, registry, approver=approver, reason=reason, comparison=shadow))


def rollback(registry: RegistryArgument, approver: ApproverOption, reason: ReasonOption) -> None:
    """Put the model back into service that was there before the present one."""
    _print_act(cs.nightly.rollback(registry, approver=approver, reason=reason))


def _print_act(act: ModelAct) -> None:
    console = open_console()
    console.print(f"{act.act} {act.number}: {act.kind} {act.model} is in service; approved by {act.approver}")
    console.print(f"{act.file}")


def models(registry: RegistryArgument) -> None:
    """List every model that was in service, who approved it and why."""
    history = cs.nightly.model_history(registry)
    shown = history.assign(model=history["model"].str.slice(0, 12), at=history["at"].str.slice(0, 10))
    shown = shown.assign(act=shown["act"].where(~shown["in_service"].astype(bool), shown["act"] + " *"))
    print_frame(shown[["number", "at", "act", "model", "approver", "reason"]], "Models", open_console())
    open_console().print("* in service")
