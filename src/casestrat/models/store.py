"""Models on disk: plain JSON for scorecards, a checked archive for fitted models; no pickle, ever.

A file holds the model, the definitions of its features, and the fingerprints of the model, its features, the feature
builder and the program. It is refused where what it holds does not fit them.
"""

from __future__ import annotations

import copy
import io
import json
import os
import secrets
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import sklearn

from casestrat._version import __version__
from casestrat.errors import OutputError, StoreError, UsageError
from casestrat.models.cards.scorecard import PointScorecard
from casestrat.models.classifiers.challenger import ChallengerClassifier
from casestrat.models.classifiers.classifier import RiskClassifier
from casestrat.models.hazards.survival import HorizonRisk
from casestrat.models.inputs.columns import read_values
from casestrat.models.uncertainty.uncertainty import BootstrapEnsemble
from casestrat.tables.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from casestrat.models.evaluation.evaluation import Evaluation

FORMAT = "casestrat-model/1"
FITTED = (RiskClassifier, ChallengerClassifier, HorizonRisk, BootstrapEnsemble)
TRUSTED = tuple(f"{one.__module__}.{one.__qualname__}" for one in FITTED)
"""The types a model file may hold besides numpy arrays, text, numbers, lists, dicts and estimators of scikit-learn."""

Fitted = RiskClassifier | ChallengerClassifier | HorizonRisk | BootstrapEnsemble
Model = PointScorecard | Fitted
_NAMES = "PointScorecard, RiskClassifier, ChallengerClassifier, HorizonRisk or BootstrapEnsemble"
_DIGITS = 6  # of the figures that are kept: more would differ between machines
_TOLD, _ESTIMATOR = "model.json", "estimator.skops"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def save_model(
    model: Model,
    path: str | Path,
    builder: Any = None,
    program: Any = None,
    *,
    evaluation: Evaluation | None = None,
    audit: Any = None,
) -> Path:
    """Save a model with all that is needed to use it safely elsewhere.

    Parameters
    ----------
    model : PointScorecard, RiskClassifier, ChallengerClassifier, HorizonRisk or BootstrapEnsemble
        Ready to score.
    path : str or path
        The file; one that is there is replaced in one step, so nobody ever reads half a model.
    builder : FeatureBuilder, optional
        What computes the features: its ``definitions()`` and ``fingerprint`` are kept beside the model.
    program : Program, optional
        The program: its ``id`` and ``fingerprint`` are kept.
    evaluation : Evaluation, optional
        How the model did on people left out: its summary, counts and warnings are kept.
    audit : LeakageAudit, optional
        Whether its features look ahead: the ``content()`` of :func:`casestrat.audit_leakage` is kept.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    StoreError
        The builder does not give the features that the model takes, or the model holds an estimator of a type that no
        model file may hold.
    UsageError
        The model is not ready, or of another kind.
    OutputError
        The file could not be written.

    Examples
    --------
    >>> import tempfile
    >>> card = PointScorecard.from_table(pd.DataFrame({"item": ["age"], "condition": [">= 80"], "points": [2]}))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     same = load_model(save_model(card, Path(folder) / "card.json"))
    >>> same.fingerprint == card.fingerprint
    True
    """
    if not isinstance(model, PointScorecard | Fitted):
        raise UsageError(f"expected a {_NAMES}; found {type(model).__name__}")
    told = _describe(model, builder, program)
    told["evaluation"] = None if evaluation is None else _figures(evaluation)
    told["audit"] = None if audit is None else audit.content()
    if isinstance(model, PointScorecard):
        content = _json({**told, "scorecard": json.loads(model.to_json())})
    else:
        content = _archive(model, told)
    target = Path(path)
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OutputError(f"the model could not be written: {error.strerror}", where=target.name) from error
    return target


def load_model(path: str | Path, expect: Any = None) -> Model:
    """Load a model, and refuse one that does not fit.

    Parameters
    ----------
    path : str or path
        A file that :func:`save_model` wrote.
    expect : DataFrame, FeatureBuilder or Program, or a sequence of them, optional
        What the model must fit: the features it will be given, what computes them, the program.

    Returns
    -------
    PointScorecard, RiskClassifier, ChallengerClassifier, HorizonRisk or BootstrapEnsemble
        The model that was saved. Its ``stored_`` tells kind, definitions (of the features; None where no builder was
        given), features, fingerprints (model, schema, builder, program), program, versions, and, where they were given,
        evaluation and audit.

    Raises
    ------
    StoreError
        The file is no model, is damaged, was altered, holds types that are not trusted, does not fit ``expect``, or
        needs a package that is not installed here.
    UsageError
        ``expect`` is, or holds, something of another kind.

    Examples
    --------
    >>> import tempfile
    >>> card = PointScorecard.from_table(pd.DataFrame({"item": ["age"], "condition": [">= 80"], "points": [2]}))
    >>> people = pd.DataFrame({"age": [79, 80, 91]}, index=pd.Index(["P1", "P2", "P3"], name="person_id"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save_model(card, Path(folder) / "card.json")
    ...     load_model(path, expect=people).points(people).to_dict()
    {'P1': 0, 'P2': 2, 'P3': 2}
    """
    source = Path(path)
    try:
        content = source.read_bytes()
    except OSError as error:
        raise StoreError(f"the model file cannot be read: {error.strerror}", where=source.name) from error
    try:
        model, told = _read_archive(content) if content[:2] == b"PK" else _read_json(content)
    except StoreError as error:
        raise StoreError(error.what, where=source.name, do=error.do) from error
    except ImportError as error:
        raise _lacking(error, source.name) from error
    except Exception as error:  # a damaged file can fail anywhere in the readers of its parts
        raise StoreError(f"the file is damaged or no model ({type(error).__name__})", where=source.name) from error
    prints = told["fingerprints"]
    if prints["model"] != model.fingerprint or prints["schema"] != fingerprint_of(_schema(model)):
        raise StoreError("the model is not the one that was saved: fingerprints differ", where=source.name)
    model.stored_ = {name: value for name, value in told.items() if name != "format"}
    for thing in expect if isinstance(expect, Sequence) else [expect]:
        _check_fit(model, told, thing, source.name)
    return model


def _lacking(error: ImportError, where: str) -> StoreError:
    """Return what to say where a file is whole and what reads it is not there."""
    package = (error.name or "").partition(".")[0]
    if package in {"", "casestrat"}:
        return StoreError(
            f"the model needs a part of casestrat that this version lacks: {error.name or error}",
            where=where,
            do="load it with the version that saved it, or fit and save it again",
        )
    return StoreError(
        f"the model cannot be read here: the package {package} is not installed",
        where=where,
        do=f"install {package}, and load the model again",
    )


def _describe(model: Model, builder: Any, program: Any) -> dict[str, Any]:
    """Return what is told beside the model."""
    schema = _schema(model)
    definitions = None if builder is None else builder.definitions()
    if definitions is not None:
        given = [definition["name"] for definition in definitions]
        needed = [feature["name"] for feature in schema]
        lacking = [name for name in needed if name not in given]
        if lacking or (isinstance(model, Fitted) and needed != given):
            fault = f"lacks {', '.join(lacking)}" if lacking else "gives others beside them, or another order"
            raise StoreError(
                f"the builder does not give the features of the model: it {fault}",
                do="save the model with the builder that made the frame it was fitted on",
            )
    return {
        "format": FORMAT,
        "kind": type(model).__name__,
        "features": schema,
        "definitions": definitions,
        "program": None if program is None else {"id": program.id, "version": program.version},
        "fingerprints": {
            "model": model.fingerprint,
            "schema": fingerprint_of(schema),
            "builder": None if builder is None else builder.fingerprint,
            "program": None if program is None else program.fingerprint,
        },
        "versions": {"casestrat": __version__, "numpy": np.__version__, "scikit-learn": sklearn.__version__},
    }


def _figures(evaluation: Evaluation) -> dict[str, Any]:
    """Return what is kept of an evaluation, as plain values."""
    rows = evaluation.summary.round(_DIGITS).to_dict("records")
    return {
        "summary": [{str(key): None if pd.isna(value) else value for key, value in row.items()} for row in rows],
        "n_used": evaluation.n_used,
        "n_events": evaluation.n_events,
        "warnings": list(evaluation.warnings),
    }


def _schema(model: Model) -> list[dict[str, str]]:
    """Return the features a model takes: name and kind."""
    return list(model.schema_)


def _json(told: dict[str, Any]) -> bytes:
    """Plain content as the bytes of a JSON file."""
    return json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True).encode()


def _archive(model: Fitted, told: dict[str, Any]) -> bytes:
    """Return a fitted model and what is told of it, in one archive."""
    import skops.io  # lists every estimator there is, for seconds: only fitted models wait for it

    bare = copy.copy(model)
    if hasattr(bare, "stored_"):
        del bare.stored_
    estimator = skops.io.dumps(bare)
    if strangers := _strangers(estimator):
        raise StoreError(
            f"no model file may hold these types: {', '.join(strangers)}",
            where=type(model).__name__,
            do="use an estimator of linear_model or tree of scikit-learn, or none",
        )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in ((_TOLD, _json(told)), (_ESTIMATOR, estimator)):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _read_archive(content: bytes) -> tuple[Fitted, dict[str, Any]]:
    """Return a fitted model from its archive, if it holds trusted types only."""
    import skops.io  # see _archive

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        told, estimator = _checked(json.loads(archive.read(_TOLD))), archive.read(_ESTIMATOR)
    if strangers := _strangers(estimator):
        raise StoreError(
            f"the file holds types that are not trusted: {', '.join(strangers)}", do="do not use this file"
        )
    model = skops.io.loads(estimator, trusted=list(TRUSTED))
    if not isinstance(model, Fitted) or type(model).__name__ != told["kind"]:
        raise StoreError(f"expected a model of the kind {told['kind']}; found {type(model).__name__}")
    return model, told


def _strangers(estimator: bytes) -> list[str]:
    """Return the types that a file holds and that are not trusted."""
    import skops.io  # see _archive

    return sorted(set(skops.io.get_untrusted_types(data=estimator)) - set(TRUSTED))


def _read_json(content: bytes) -> tuple[PointScorecard, dict[str, Any]]:
    """Return a scorecard from its JSON."""
    told = _checked(json.loads(content.decode()))
    card = PointScorecard.from_json(json.dumps(told.pop("scorecard")))
    return card, told


def _checked(told: Any) -> dict[str, Any]:
    """Return what is told beside a model, if this version can read it."""
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        found = told.get("format") if isinstance(told, dict) else type(told).__name__
        raise StoreError(f"expected a file of the format {FORMAT}; found {found!r}", do="save the model again")
    return told


def _check_fit(model: Model, told: dict[str, Any], thing: Any, where: str) -> None:
    """Refuse a model that does not fit a frame of features, a builder or a program."""
    if thing is None:
        return
    if isinstance(thing, pd.DataFrame):
        _check_frame(model, thing, where)
        return
    if not hasattr(thing, "fingerprint"):
        raise UsageError(f"expected a DataFrame, a feature builder or a program; found {type(thing).__name__}")
    kind = "builder" if hasattr(thing, "definitions") else "program"
    saved = told["fingerprints"][kind]
    if saved != thing.fingerprint:
        found = "was saved without one" if saved is None else "was saved with another"
        raise StoreError(f"the model must fit the {kind} and {found}", where=where, do="fit and save it again")


def _check_frame(model: Model, frame: pd.DataFrame, where: str) -> None:
    """Refuse a frame that lacks a feature, has them in another order, or holds another kind of values."""
    schema = _schema(model)
    lacking = [feature["name"] for feature in schema if feature["name"] not in frame.columns]
    if lacking:
        raise StoreError(f"the frame lacks features of the model: {', '.join(lacking)}", where=where)
    if not isinstance(model, Fitted):
        return
    if [str(name) for name in frame.columns] != [feature["name"] for feature in schema]:
        raise StoreError("the frame has other features than the model, or has them in another order", where=where)
    for feature in schema:
        kind = read_values(frame[feature["name"]], feature["name"]).kind
        if "unknown" not in (kind, feature["kind"]) and kind != feature["kind"]:
            raise StoreError(
                f"feature '{feature['name']}' is {kind} and the model learned it as {feature['kind']}", where=where
            )
