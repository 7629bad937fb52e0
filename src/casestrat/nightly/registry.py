"""Models in service: promoted by somebody, for a reason, on a record that cannot be rewritten; nothing learns at night.

A registry is a folder: ``models/`` holds a copy of every model that was ever promoted, ``history.jsonl`` one line an
act. Each line holds the hash of the line before it, so that a line that was changed or taken out is found.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from casestrat.errors import StoreError, UsageError
from casestrat.models import load_model
from casestrat.nightly.comparison import RunComparison
from casestrat.nightly.files import write_atomic
from casestrat.nightly.manifest import locked
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HISTORY, MODELS = "history.jsonl", "models"
_FORMAT = "casestrat-registry/1"
_FIRST = "0" * 32


@dataclass(frozen=True, slots=True)
class ModelAct:
    """One act by which a model came into service.

    Parameters
    ----------
    number : int
        Which act of the registry this is, 1 the first.
    act : {"promote", "rollback"}
        What was done.
    model : str
        Fingerprint of the model that is in service from then on.
    kind : str
        Class of the model.
    file : pathlib.Path
        Its file in the registry.
    at : str
        When, in UTC.
    approver, reason : str
        Who did it, and why.
    """

    number: int
    act: str
    model: str
    kind: str
    file: Path
    at: str
    approver: str
    reason: str


def promote(
    model_file: str | Path,
    registry: str | Path,
    *,
    approver: str,
    reason: str,
    comparison: RunComparison | Mapping[str, Any] | None = None,
    at: str | None = None,
) -> ModelAct:
    """Put a model into service: keep a copy of it, and who approved it and why.

    Parameters
    ----------
    model_file : str or path
        What :func:`casestrat.save_model` or ``casestrat fit`` wrote.
    registry : str or path
        The folder of the registry; it is made where there is none.
    approver : str
        Who approves.
    reason : str
        Why.
    comparison : RunComparison or mapping, optional
        What the model would change, as :func:`casestrat.compare_runs` or the ``shadow`` of a run's manifest tells it:
        counts, never people.
    at : str, optional
        The moment, in UTC (``2026-10-01T09:00:00Z``); now by default.

    Returns
    -------
    ModelAct
        What was recorded.

    Raises
    ------
    UsageError
        Approver or reason is empty, or the model is in service already.
    StoreError
        The file holds no model that can be trusted, or the history was altered.
    LockedError
        Somebody else is changing the registry.

    Examples
    --------
    >>> import tempfile
    >>> from casestrat.models import PointScorecard, save_model
    >>> table = pd.DataFrame({"item": ["age"], "condition": [">= 80"], "points": [2]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cards = [PointScorecard.from_table(table.assign(points=points)) for points in (2, 3)]
    ...     files = [save_model(card, Path(folder) / f"{card.max_points}.json") for card in cards]
    ...     for file in files:
    ...         _ = promote(file, Path(folder) / "models", approver="A. Lead", reason="validated in May")
    ...     back = rollback(Path(folder) / "models", approver="A. Lead", reason="too many ties")
    ...     acts = model_history(Path(folder) / "models")["act"].tolist()
    >>> acts, back.model == cards[0].fingerprint
    (['promote', 'promote', 'rollback'], True)
    """
    model = load_model(model_file)
    content = Path(model_file).read_bytes()
    folder = Path(registry)
    with locked(folder):
        acts = _read(folder)
        if acts and acts[-1]["model"] == model.fingerprint:
            raise UsageError("this model is in service already", where=str(model_file), do="give another model")
        name = f"{MODELS}/{model.fingerprint}{Path(model_file).suffix}"
        write_atomic(folder / name, content)
        record = {
            "model": model.fingerprint,
            "kind": type(model).__name__,
            "file": name,
            "file_hash": _hash(content),
            "program": model.stored_.get("program"),
            "comparison": comparison.content() if isinstance(comparison, RunComparison) else dict(comparison or {}),
        }
        return _append(folder, acts, "promote", record, approver, reason, at)


def rollback(registry: str | Path, *, approver: str, reason: str, at: str | None = None) -> ModelAct:
    """Put the model back into service that was there before the present one.

    Parameters
    ----------
    registry : str or path
        The folder of the registry.
    approver : str
        Who approves.
    reason : str
        Why.
    at : str, optional
        The moment, in UTC; now by default.

    Returns
    -------
    ModelAct
        What was recorded.

    Raises
    ------
    UsageError
        There is no registry, no model came before, or approver or reason is empty.
    StoreError
        The history or the model's file was altered.
    LockedError
        Somebody else is changing the registry.
    """
    folder = _existing(registry)
    with locked(folder):
        acts = _read(folder)
        before = _stack(acts)[:-1]
        if not before:
            raise UsageError("no model was in service before this one", where=str(folder), do="promote another model")
        kept = {name: before[-1][name] for name in ("model", "kind", "file", "file_hash", "program")}
        _check_file(folder, kept)
        return _append(folder, acts, "rollback", kept, approver, reason, at)


def current_model(registry: str | Path) -> ModelAct:
    """Return the act that put the present model into service; its ``file`` can be loaded.

    Parameters
    ----------
    registry : str or path
        The folder of the registry.

    Returns
    -------
    ModelAct
        The last act.

    Raises
    ------
    UsageError
        There is no registry, or nothing was promoted.
    StoreError
        The history or the model's file was altered.
    """
    folder = _existing(registry)
    acts = _read(folder)
    if not acts:
        raise UsageError("no model was promoted in this registry", where=str(folder), do="use `casestrat promote`")
    _check_file(folder, acts[-1])
    return _act(folder, acts[-1])


def model_history(registry: str | Path) -> pd.DataFrame:
    """Return every act of a registry, the first first.

    Parameters
    ----------
    registry : str or path
        The folder of the registry.

    Returns
    -------
    pandas.DataFrame
        One row per act: number, at, act, model, kind, approver, reason, enters and leaves (of the comparison, where
        one was kept), in_service (of the last).

    Raises
    ------
    UsageError
        There is no registry.
    StoreError
        The history was altered.
    """
    acts = _read(_existing(registry))
    rows = [
        {
            **{name: act[name] for name in ("number", "at", "act", "model", "kind", "approver", "reason")},
            "enters": act.get("comparison", {}).get("enters"),
            "leaves": act.get("comparison", {}).get("leaves"),
            "in_service": act is acts[-1],
        }
        for act in acts
    ]
    words = dict.fromkeys(("at", "act", "model", "kind", "approver", "reason"), TEXT)
    types: Any = {"number": "Int64", **words, "enters": "Int64", "leaves": "Int64", "in_service": "boolean"}
    return pd.DataFrame(rows, columns=list(types)).astype(types)


def model_file(model: str | Path | None) -> Path | None:
    """Return the file of a model: of a registry's folder, that of the model in service.

    Parameters
    ----------
    model : str, path or None
        A stored model, or the folder of a registry.

    Returns
    -------
    pathlib.Path or None
        The file; None where no model is given.
    """
    if model is None:
        return None
    return current_model(model).file if Path(model).is_dir() else Path(model)


def _existing(registry: str | Path) -> Path:
    folder = Path(registry)
    if not folder.is_dir():
        raise UsageError("there is no such registry of models", where=str(folder), do="use `casestrat promote` first")
    return folder


def _append(
    folder: Path,
    acts: Sequence[dict[str, Any]],
    act: str,
    about: Mapping[str, Any],
    approver: str,
    reason: str,
    at: str | None,
) -> ModelAct:
    """Add a line to the history."""
    for name, value in (("approver", approver), ("reason", reason)):
        if not value.strip():
            raise UsageError(f"a change of models has an {name}" if name == "approver" else "a change of models has a "
                             "reason", where=name, do=f"say it in --{name}")  # fmt: skip
    record = {
        "format": _FORMAT, "number": len(acts) + 1, "act": act, **about, "approver": approver.strip(),
        "reason": reason.strip(), "at": _moment(at), "before": acts[-1]["hash"] if acts else _FIRST,
    }  # fmt: skip
    try:
        record["hash"] = _hash(_line(record))
    except (TypeError, ValueError):
        what = "the comparison holds something other than text, numbers, lists and mappings"
        raise UsageError(what, where="comparison", do="give what compare_runs returned") from None
    path = folder / HISTORY
    standing = path.read_bytes() if path.is_file() else b""
    write_atomic(path, standing + _line(record) + b"\n")
    return _act(folder, record)


def _moment(at: str | None) -> str:
    if at is None:
        return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise UsageError("the moment cannot be read", where="at", do="write it as 2026-10-01T09:00:00Z") from None
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment.tzinfo else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _read(folder: Path) -> list[dict[str, Any]]:
    """Return the acts of a registry, if no line was changed, added or taken out."""
    path = folder / HISTORY
    if not path.is_file():
        return []
    acts: list[dict[str, Any]] = []
    before = _FIRST
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        where = f"{path.name}, line {number}"
        try:
            act = json.loads(line)
            told = {name: value for name, value in act.items() if name != "hash"}
            is_whole = act["format"] == _FORMAT and act["hash"] == _hash(_line(told))
            is_whole = is_whole and (act["before"], act["number"]) == (before, number)
        except (ValueError, KeyError, TypeError, AttributeError):
            is_whole = False
        if not is_whole:
            raise StoreError(
                "the history of models was altered: a line does not fit the one before it",
                where=where,
                do="restore the folder from a copy; until then give a model file instead of the registry",
            )
        acts.append(act)
        before = act["hash"]
    return acts


def _stack(acts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the promotions that stand, the present one last."""
    standing: list[dict[str, Any]] = []
    for act in acts:
        if act["act"] == "promote":
            standing.append(act)
        else:
            standing.pop()
    return standing


def _check_file(folder: Path, act: Mapping[str, Any]) -> None:
    """Refuse a model whose file is gone or is no longer the one that was promoted."""
    path = folder / act["file"]
    if not path.is_file() or _hash(path.read_bytes()) != act["file_hash"]:
        raise StoreError(
            "the model in service is gone from the registry, or was altered",
            where=str(path),
            do="restore the file, or roll back",
        )


def _act(folder: Path, record: Mapping[str, Any]) -> ModelAct:
    names = ("number", "act", "model", "kind", "at", "approver", "reason")
    return ModelAct(file=folder / record["file"], **{name: record[name] for name in names})


def _line(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()


def _hash(content: bytes) -> str:
    return blake2b(content, digest_size=16).hexdigest()
