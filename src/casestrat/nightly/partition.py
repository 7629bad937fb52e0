"""One partition of people: written once, scored by any worker, receipted.

The source is read once. Its people are split by a hash of their id into partitions of a size that does not depend on
the engine or the number of workers, so that every engine makes the same bytes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import StoreError, UsageError
from casestrat.features import FeatureBuilder
from casestrat.models import PointScorecard, risk_interval
from casestrat.nightly.files import json_bytes, typed_parquet_bytes, write_atomic
from casestrat.nightly.request import load_scorer
from casestrat.tables import (
    CONTRACTS,
    TEXT,
    Extract,
    ObservationRecorded,
    Tables,
    fingerprint_of_frame,
    observation_recorded,
)
from casestrat.timeline import known, make_spine

if TYPE_CHECKING:
    from pathlib import Path

    from casestrat.knowledge import Program

PEOPLE_A_PART = 25_000  # about 200 MB of memory for thirty features and ten events a person
_DRAWS = 200  # of a model's risks, for their range
_WHOLE = "whole.json"  # written last: a partition without it was cut short
_FIRST = "first row of "
RESULTS = ("features", "scores", "reasons")
_REASON_COLUMNS = ["person_id", "as_of", "reason", "domain", "is_actionable", "contribution", "value", "source",
                   "observed_on"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class PartTask:
    """What a worker is told: where its people are, and how to score them."""

    number: int
    tables: Path
    results: Path
    program: Program
    extract: Extract
    as_of: pd.Timestamp
    model: Path | None  # a stored model; None: the program's scorecard
    run_id: str


def split_people(
    person_ids: pd.Series, people_a_part: int = PEOPLE_A_PART, joined: pd.Series | None = None
) -> list[pd.Series]:
    """Return the ids of each partition, by a hash that is the same on every machine.

    Parameters
    ----------
    person_ids : pandas.Series
        Distinct ids.
    people_a_part : int, optional
        About how many people a partition holds.
    joined : pandas.Series, optional
        Person → the one by whom they are dealt out, for those who must stand together.

    Returns
    -------
    list of pandas.Series
        One series of ids a partition, each sorted; together each id exactly once.
    """
    ids = person_ids.astype(TEXT).sort_values(ignore_index=True)
    count = max(1, -(-len(ids) // people_a_part))
    by = ids if joined is None else ids.map(joined).fillna(ids)
    part = pd.util.hash_array(by.to_numpy(dtype=object), categorize=False) % np.uint64(count)
    return [ids[part == number] for number in range(count)]


def save_tables(tables: Tables, folder: Path) -> None:
    """Write the tables of one partition, already checked, so that a worker need not check them again."""
    for name in sorted(tables.present):
        write_atomic(folder / f"{name}.parquet", typed_parquet_bytes(getattr(tables, name)))
    since = observation_recorded(tables)
    first_rows = {f"{_FIRST}{name}": moment for name, moment in since.first_rows.items()}
    moments = {"persons": since.persons, "enrollments": since.enrollments, **first_rows}
    whole = {
        "present": sorted(tables.present),
        "observation": {name: None if moment is None else moment.isoformat() for name, moment in moments.items()},
    }
    write_atomic(folder / _WHOLE, json_bytes(whole))


def load_tables(folder: Path, extract: Extract) -> Tables:
    """Read back the tables of one partition."""
    whole = json.loads((folder / _WHOLE).read_text(encoding="utf-8"))
    present = whole["present"]
    since = {name: None if moment is None else pd.Timestamp(moment) for name, moment in whole["observation"].items()}
    frames: dict[str, Any] = {name: contract.empty() for name, contract in CONTRACTS.items()}
    frames |= {name: _as_text(pd.read_parquet(folder / f"{name}.parquet")) for name in present}
    nothing = pd.DataFrame()
    return Tables(
        **frames,
        extract=extract,
        set_aside=nothing,
        warnings=nothing,
        illegal_steps=nothing,
        present=frozenset(present),
        observation=ObservationRecorded(
            since["persons"],
            since["enrollments"],
            {name.removeprefix(_FIRST): moment for name, moment in since.items() if moment and name.startswith(_FIRST)},
        ),
    )


def is_saved(folder: Path) -> bool:
    """Tell whether a partition's tables were written whole."""
    return (folder / _WHOLE).is_file()


def _as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Give text columns the one type that the tables use, whatever pandas chose on reading."""
    text = [
        name for name in frame.columns if frame[name].dtype == object or isinstance(frame[name].dtype, pd.StringDtype)
    ]
    return frame.astype(dict.fromkeys(text, TEXT))


def feature_builder(model: Any, program: Program) -> FeatureBuilder:
    """Return the builder that the model was stored with, or the program's own.

    Raises
    ------
    StoreError
        Where a stored model brings no feature definitions, so that its features could only be guessed.
    """
    stored = getattr(model, "stored_", None)
    if stored is None:
        return FeatureBuilder(program)
    definitions = stored.get("definitions")
    if definitions:
        return FeatureBuilder.from_definitions(definitions, program)
    if isinstance(model, PointScorecard):
        return FeatureBuilder(program)
    raise StoreError(
        "the stored model has no feature definitions, so its features cannot be rebuilt",
        do="save it with save_model(model, path, builder=builder)",
    )


def score_people(model: Any, X: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score one row a person and say why.

    Parameters
    ----------
    model : estimator
        What scores.
    X : pandas.DataFrame
        Features, index (person_id, as_of).

    Returns
    -------
    scores : pandas.DataFrame
        One row per row of X: points, points_share, risk, risk_low and risk_high (5–95 % of the model's draws; missing
        where the model gives none), completeness.
    reasons : pandas.DataFrame
        One row per person and reason; contributions sum to the points, or to the log-odds less the intercept.
    """
    if isinstance(model, PointScorecard):
        points = model.points(X)
        span = max(model.max_points - model.min_points, 1)
        share = (points.astype("float64") - model.min_points) / span
        risk = model.predict_proba(X)[:, 1] if len(model.risk_table_) else np.full(len(X), np.nan)
        completeness = model.completeness(X)
    else:
        points = pd.Series(pd.NA, index=X.index, dtype="Int64")
        risk = model.predict_proba(X)[:, 1]
        share = pd.Series(np.nan, index=X.index)
        completeness = X[list(model.feature_names_in_)].notna().mean(axis=1)
    low, high = _risk_range(model, X, risk)
    scores = pd.DataFrame({
        "points": points, "points_share": share, "risk": risk, "risk_low": low, "risk_high": high,
        "completeness": completeness,
    })  # fmt: skip
    return scores.set_index(X.index), model.explain(X)


def _risk_range(model: Any, X: pd.DataFrame, risk: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the range of each person's risk; missing where the model has no draws, or there is nobody."""
    nothing = np.full(len(X), np.nan)
    draw = getattr(model, "risk_draws", None)
    if draw is None or not len(X) or np.isnan(risk).all():
        return nothing, nothing
    try:
        bounds = risk_interval(draw(X, n_draws=_DRAWS))
    except UsageError:  # a model without draws says so; its risk is then told without a range
        return nothing, nothing
    # the middle of the draws is not the risk itself: the range is to hold it
    return np.minimum(bounds["risk_low"], risk).to_numpy(), np.maximum(bounds["risk_high"], risk).to_numpy()


def process(task: PartTask) -> dict[str, Any]:
    """Score one partition and leave its results and its receipt in the work folder.

    Parameters
    ----------
    task : PartTask
        The partition and how to score it.

    Returns
    -------
    dict
        The receipt: number, people, fingerprint of each result.
    """
    done = read_receipt(task)
    if done is not None:
        return done
    tables = load_tables(task.tables, task.extract)
    model = load_scorer(task.model, task.program)
    builder = feature_builder(model, task.program)
    spine = scored_spine(tables, task.program, task.as_of)
    X, sources = builder.build_with_sources(tables, spine)
    scores, reasons = score_people(model, X)
    frames = {
        "features": X.reset_index(),
        "scores": scores.reset_index(),
        "reasons": with_sources(reasons, sources),
    }
    for name, frame in frames.items():
        write_atomic(_result(task, name), typed_parquet_bytes(frame))
    receipt = {
        "part": task.number,
        "run_id": task.run_id,
        "people": len(tables.persons),
        "scored": len(X),
        "results": {name: fingerprint_of_frame(frame) for name, frame in frames.items()},
    }
    write_atomic(_receipt_path(task), json_bytes(receipt))
    return receipt


def scored_spine(tables: Tables, program: Program, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return whom a night scores: those who wait and those who are followed, but nobody who objects to it."""
    populations = [make_spine(tables, program, as_of, population=name) for name in ("waiting", "followed")]
    spine = pd.concat(populations, ignore_index=True).drop_duplicates(ignore_index=True)
    spine = spine[~spine["person_id"].isin(objecting(tables, as_of))]
    return spine.sort_values(["person_id", "as_of"], ignore_index=True)


def read_receipt(task: PartTask) -> dict[str, Any] | None:
    """Return the receipt of a part that was done by an earlier, interrupted run of the same inputs."""
    try:
        receipt = json.loads(_receipt_path(task).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    whole = all(_result(task, name).is_file() for name in RESULTS)
    return receipt if whole and receipt.get("run_id") == task.run_id else None


def collect(tasks: list[PartTask], name: str) -> pd.DataFrame:
    """Return one kind of result of all parts, in an order that does not depend on how people were split."""
    frame = _as_text(pd.concat([pd.read_parquet(_result(task, name)) for task in tasks], ignore_index=True))
    keys = [column for column in ("person_id", "as_of", "reason") if column in frame.columns]
    return frame.sort_values(keys, kind="stable", ignore_index=True)


def objecting(tables: Tables, as_of: pd.Timestamp) -> list[str]:
    """Return the people known on a date to object to being scored: they are listed to be assessed by people."""
    persons = known(tables.persons, "person_id", as_of)
    objects = persons["objects_to_scoring"].fillna(False).astype(bool)
    return [str(name) for name in persons.loc[objects, "person_id"]]


def with_sources(reasons: pd.DataFrame, sources: pd.DataFrame) -> pd.DataFrame:
    """Add to each reason the value shown for it, its source and its date."""
    shown = sources.rename(columns={"feature": "item"})
    joined = reasons.merge(shown, on=["person_id", "as_of", "item"], how="left")
    return joined[_REASON_COLUMNS]


def _result(task: PartTask, name: str) -> Path:
    return task.results / f"{name}-{task.number:05d}.parquet"


def _receipt_path(task: PartTask) -> Path:
    return task.results / f"receipt-{task.number:05d}.json"
