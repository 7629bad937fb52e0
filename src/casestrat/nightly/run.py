"""The night's work: read → check → features → risk → rank → allocate → report, once, whole, and repeatable."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from casestrat.errors import UsageError
from casestrat.knowledge import PriorityPolicy, Program, load_program, load_wording
from casestrat.models import load_model
from casestrat.models.tiers.guard import check_learned
from casestrat.nightly.engine import EngineName, check_engine, run_parts
from casestrat.nightly.files import to_contract
from casestrat.nightly.gates import Gates
from casestrat.nightly.households import joined_people
from casestrat.nightly.manifest import RunFolders, RunInputs, locked, read_manifest
from casestrat.nightly.partition import (
    PartTask,
    feature_builder,
    is_saved,
    process,
    read_receipt,
    save_tables,
    split_people,
)
from casestrat.nightly.publishing import stage
from casestrat.nightly.registry import model_file
from casestrat.nightly.request import Progress, load_scorer, parse_as_of, read_source
from casestrat.nightly.results import assemble
from casestrat.nightly.runlog import append_log, host_line
from casestrat.tables import Tables, split_tables


@dataclass(frozen=True, slots=True)
class NightlyRun:
    """What a nightly run did and where its output stands.

    Parameters
    ----------
    folder : pathlib.Path
        The folder that holds the output.
    manifest : dict
        What ran, on what, with which model: the content of ``manifest.json``.
    is_new : bool
        False where the very same run had already been done and nothing was left to do.
    resumed_parts : int
        How many partitions an earlier, interrupted run had already done.
    seconds : float
        How long it took.
    swept : list of str
        Work folders of runs of the same date that were never finished, which this one removed.
    """

    folder: Path
    manifest: dict[str, Any]
    is_new: bool
    resumed_parts: int = 0
    seconds: float = 0.0
    swept: list[str] = field(default_factory=list)

    @property
    def summary(self) -> dict[str, Any]:
        """Counts of the run: people read, rows set aside, ranked, proposed, minutes balanced."""
        return dict(self.manifest["counts"])


def run_nightly(
    source: str | Path | Tables,
    program: str | Path | Program,
    *,
    as_of: str | pd.Timestamp,
    out: str | Path,
    model: str | Path | None = None,
    engine: EngineName = "local",
    workers: int | None = None,
    scheduler: str | None = None,
    lang: str = "en",
    seed: str = "",
    gates: Gates | None = None,
    learned_ranking_reason: str = "",
    shadow: str | Path | None = None,
    previous: str | Path | None = None,
    progress: Progress | None = None,
) -> NightlyRun:
    """Score, rank, allocate and report one extract, as of one date.

    Parameters
    ----------
    source : str, path or Tables
        A folder of tables, a ``site.toml``, a database URL, or tables already read.
    program : str, path or Program
        The program, its name, or the path of its TOML.
    as_of : str or pandas.Timestamp
        The date: only what was recorded before it counts.
    out : str or path
        The output folder; the run stands in ``out/<as_of>/``, or in ``out/<as_of>.<run id>/`` beside another run of
        that date, which is never touched.
    model : str or path, optional
        A stored model, or the folder of a registry, whose model in service is used; by default the program's scorecard.
    engine : {"local", "dask"}, optional
        Where the partitions are scored.
    workers : int, optional
        How many processes; one a core by default. The output does not depend on it.
    scheduler : str, optional
        Address of a Dask scheduler, for ``engine="dask"``.
    lang : {"en", "fr", "it"}, optional
        Language of the lists and of the pages when opened. The same run in another language writes these anew, in the
        same folder, and keeps its meetings with the decisions recorded.
    seed : str, optional
        The published seed of the lottery among those who tie; by default the year and month of ``as_of``.
    gates : Gates, optional
        Limits past which the run stops before scoring.
    learned_ranking_reason : str, optional
        Why a learned model may rank in a program that asks for a recorded reason.
    shadow : str or path, optional
        A stored model that is scored beside the one in service: ``shadow.parquet`` and the manifest tell who would
        enter and leave the first places. It ranks nobody, and the lists are the same without it.
    previous : str or path, optional
        The folder of an earlier run, whose tiers count as those that people had: they stay until the way out of the
        tier, and a step down is marked for people to review.
    progress : callable, optional
        Called with a step's name, how many of its parts are done, and of how many.

    Returns
    -------
    NightlyRun
        Where the output stands and what it counts. A run on the same inputs does nothing and says so.

    Raises
    ------
    UsageError
        For a date, program, model or engine that cannot be used.
    TablesError
        Where a required table or key column is missing.
    GateError
        Where too many rows were set aside or the extract is too old.
    LockedError
        Where another run is under way in the output folder.
    """
    began = time.perf_counter()
    tell = progress or (lambda _step, _done, _of: None)
    rules = load_program(program)
    date = parse_as_of(as_of)
    check_engine(engine, workers, scheduler)
    load_wording(lang)  # an unknown language is refused before anything is read
    model, shadow = model_file(model), model_file(shadow)
    scorer = load_scorer(model, rules)
    candidate = None if shadow is None else load_model(shadow)
    for one in (scorer, candidate):
        if one is not None:
            check_learned(one, rules, learned_ranking_reason)
    before = None if previous is None else previous_tiers(Path(previous), date)
    with locked(Path(out)):
        tell("read", 0, 1)
        tables = read_source(source, rules, date)
        tell("read", 1, 1)
        limits = gates or Gates()
        limits.check(tables, date)
        policy = PriorityPolicy.from_program(rules, seed=seed or f"{date:%Y-%m}")
        inputs = RunInputs(
            as_of=f"{date:%Y-%m-%d}",
            extract=tables.fingerprint,
            program=rules.fingerprint,
            policy=policy.fingerprint,
            model=scorer.fingerprint,
            lang=lang,
            learned_ranking_reason=learned_ranking_reason,
            shadow="" if candidate is None else candidate.fingerprint,
            previous="" if previous is None else str((read_manifest(Path(previous)) or {}).get("run_id")),
        )
        folders = RunFolders(Path(out), inputs.as_of, inputs.run_id)
        folders.restore()
        standing = folders.published(lang)
        if standing is not None:
            append_log(standing, ["nothing to do: this run stands already"])
            return NightlyRun(standing, read_manifest(standing) or {}, is_new=False, seconds=_since(began))
        swept = folders.sweep_orphans()
        tasks = prepare_parts(tables, rules, date, folders, model)
        resumed = _score(tasks, engine, workers, scheduler, tell)
        shadows = None if candidate is None else (candidate, shadow_tasks(tasks, shadow, folders))
        if shadows is not None:
            _score(shadows[1], engine, workers, scheduler, lambda _step, done, of: tell("shadow", done, of))
        tell("rank", 0, 1)
        results = assemble(tables, rules, policy, scorer, tasks, inputs, previous=before, shadow=shadows)
        tell("rank", 1, 1)
        tell("report", 0, 1)
        manifest = stage(results, folders, lang)
        folder = folders.publish()
        is_cut = results.plan is not None and results.plan.is_cut
        append_log(folder, _log_lines(began, len(tasks), resumed, swept, engine, is_cut=is_cut))
        tell("report", 1, 1)
    return NightlyRun(folder, manifest, True, resumed, _since(began), swept)


def prepare_parts(
    tables: Tables, program: Program, as_of: pd.Timestamp, folders: RunFolders, model: Path | None
) -> list[PartTask]:
    """Write each partition's tables once, unless an interrupted run of the same inputs already did."""
    facts = feature_builder(load_scorer(model, program), program).facts_of_others
    joined = joined_people(tables, facts) if facts else None
    people = split_people(tables.persons["person_id"].drop_duplicates(), joined=joined)
    parts = [folders.work / "parts" / f"{number:05d}" for number in range(len(people))]
    todo = [number for number, folder in enumerate(parts) if not is_saved(folder)]
    for number, part in zip(todo, split_tables(tables, [people[number] for number in todo]), strict=True):
        save_tables(part, parts[number])
    return [
        PartTask(number, folder, folders.work / "results", program, tables.extract, as_of, model, folders.run_id)
        for number, folder in enumerate(parts)
    ]


def shadow_tasks(tasks: list[PartTask], shadow: Path | None, folders: RunFolders) -> list[PartTask]:
    """Return the same partitions, to be scored by a candidate into a folder of its own."""
    return [replace(task, model=shadow, results=folders.work / "shadow") for task in tasks]


def previous_tiers(folder: Path, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the tier that each person had in an earlier run.

    Raises
    ------
    UsageError
        The folder holds no run, or one of a later date.
    """
    manifest = read_manifest(folder)
    path = folder / "risk.parquet"
    if manifest is None or not path.is_file():
        raise UsageError("the folder holds no whole run", where=str(folder), do="name the folder of an earlier run")
    if pd.Timestamp(manifest["as_of"]) > as_of:
        raise UsageError(
            f"the run before, of {manifest['as_of']}, comes after this one, of {as_of:%Y-%m-%d}",
            where=str(folder),
            do="name the folder of an earlier run",
        )
    return to_contract(pd.read_parquet(path), "risk")[["person_id", "tier", "tier_since"]]


def _score(
    tasks: list[PartTask], engine: EngineName, workers: int | None, scheduler: str | None, tell: Progress
) -> int:
    """Score what is not yet scored; return how many partitions were already done."""
    todo = [task for task in tasks if read_receipt(task) is None]
    done = resumed = len(tasks) - len(todo)
    tell("score", done, len(tasks))
    for _receipt in run_parts(process, todo, engine=engine, workers=workers, scheduler=scheduler):
        done += 1
        tell("score", done, len(tasks))
    return resumed


def _log_lines(
    began: float, parts: int, resumed: int, swept: list[str], engine: str, *, is_cut: bool = False
) -> list[str]:
    cut = ["the allocation was cut by its time limit: another run on the same input may propose otherwise"]
    return [
        host_line(),
        f"engine={engine} partitions={parts} resumed={resumed} swept={len(swept)} seconds={_since(began):.1f}",
        *(cut if is_cut else []),
    ]


def _since(began: float) -> float:
    return time.perf_counter() - began
