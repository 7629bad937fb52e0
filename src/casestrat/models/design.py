"""From features to the columns a logistic regression can take, each step told so that it can be read and undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from casestrat.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casestrat.models.inputs import Column

# A design is a list of plain dicts, one per column of the design matrix, because a stored model holds plain things:
# feature (its position), part ("value", "missing" or "level"), level, fill, mean, scale.
Design = list[dict[str, Any]]


def learn_design(columns: Sequence[Column], names: Sequence[str]) -> tuple[Design, dict[str, str]]:
    """Decide the columns of the design matrix from the people it is learned on.

    Numbers: the median where missing, a flag of missingness, standardised. Text: one column a level. Every column is
    centred, so that contributions are told against the mean person.

    Parameters
    ----------
    columns : sequence of Column
        The features.
    names : sequence of str
        Their names.

    Returns
    -------
    tuple of (Design, dict)
        The design, and the features left out with the reason.
    """
    design: Design = []
    dropped: dict[str, str] = {}
    for feature, (column, name) in enumerate(zip(columns, names, strict=True)):
        parts = _parts(column, feature)
        design += parts
        if not parts:
            dropped[name] = "all missing" if column.kind == "unknown" else "constant"
    return design, dropped


def design_matrix(columns: Sequence[Column], names: Sequence[str], design: Design) -> np.ndarray:
    """Return the design matrix.

    Parameters
    ----------
    columns : sequence of Column
        The features.
    names : sequence of str
        Their names.
    design : Design
        What :func:`learn_design` decided.

    Returns
    -------
    numpy.ndarray
        One row per person and date, one column per entry of the design. A text that was not seen when learning is in
        no level.

    Raises
    ------
    UsageError
        A feature that was learned as numbers holds text, or the reverse.
    """
    n = len(columns[0].is_missing) if columns else 0
    matrix = np.empty((n, len(design)))
    for j, part in enumerate(design):
        raw = _raw(columns[part["feature"]], part, names[part["feature"]])
        matrix[:, j] = (raw - part["mean"]) / part["scale"]
    return matrix


def _parts(column: Column, feature: int) -> Design:
    """Return the entries of one feature: none where it cannot tell people apart."""
    parts: Design = []
    if column.kind == "numeric" and column.numbers is not None:
        fill = float(np.median(column.numbers[~column.is_missing]))
        parts.append({"feature": feature, "part": "value", "level": "", "fill": fill})
    if column.kind == "text":
        seen = np.unique(np.asarray(column.codes)[~column.is_missing])
        for level in sorted(column.levels[code] for code in seen):
            parts.append({"feature": feature, "part": "level", "level": level, "fill": 0.0})
    if column.is_missing.any():
        parts.append({"feature": feature, "part": "missing", "level": "", "fill": 0.0})
    return [scaled for part in parts if (scaled := _scaled(part, _raw(column, part, "")))]


def _scaled(part: dict[str, Any], raw: np.ndarray) -> dict[str, Any] | None:
    """Return an entry with its mean and scale; None where it is constant."""
    if raw.max() == raw.min():
        return None
    scale = float(raw.std()) if part["part"] == "value" else 1.0
    return {**part, "mean": float(raw.mean()), "scale": scale}


def _raw(column: Column, part: dict[str, Any], name: str) -> np.ndarray:
    """Return the values of one entry before centring and scaling."""
    if part["part"] == "missing":
        return column.is_missing.astype(float)
    if part["part"] == "value":
        if column.numbers is None:
            raise UsageError(
                "the model learned this feature as numbers and the column holds text", where=f"column {name}"
            )
        return np.where(column.is_missing, part["fill"], column.numbers)
    if column.codes is None:
        raise UsageError("the model learned this feature as text and the column holds numbers", where=f"column {name}")
    same = [code for code, level in enumerate(column.levels) if level == part["level"]]
    return np.isin(column.codes, same).astype(float)
