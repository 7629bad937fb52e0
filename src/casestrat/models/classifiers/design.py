"""From features to the columns a logistic regression can take, each step told so that it can be read and undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from casestrat.errors import UsageError
from casestrat.models.inputs.weighted import weighted_median, weighted_quantiles

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from casestrat.models.inputs.columns import Column

# A design is a list of plain dicts, one per column of the design matrix, because a stored model holds plain things:
# feature (its position), part ("value", "curve", "missing" or "level"), level, fill, mean, scale; a curve has knots.
Design = list[dict[str, Any]]

# Where the knots of a curve stand, as shares of the people: Harrell FE, Regression modeling strategies, 2nd ed., §2.4.
KNOTS_AT = {
    3: (0.10, 0.50, 0.90),
    4: (0.05, 0.35, 0.65, 0.95),
    5: (0.05, 0.275, 0.50, 0.725, 0.95),
    6: (0.05, 0.23, 0.41, 0.59, 0.77, 0.95),
    7: (0.025, 0.1833, 0.3417, 0.50, 0.6583, 0.8167, 0.975),
}
_MANY = 10  # distinct values from which "auto" draws a curve


def learn_design(
    columns: Sequence[Column],
    names: Sequence[str],
    *,
    weight: np.ndarray | None = None,
    splines: Collection[str] | str = (),
    n_knots: int = 4,
) -> tuple[Design, dict[str, str]]:
    """Decide the columns of the design matrix from the people it is learned on.

    Numbers: the median where missing, a flag of missingness, standardised; with a curve, the terms of a restricted
    cubic spline beside them. Text: one column a level. Every column is centred, so that contributions are told against
    the mean person.

    Parameters
    ----------
    columns : sequence of Column
        The features.
    names : sequence of str
        Their names.
    weight : numpy.ndarray, optional
        How often each row counts, above 0.
    splines : collection of str or "auto", optional
        The features that get a curve; "auto": every number of ten distinct values or more.
    n_knots : int, default 4
        Knots of a curve, 3 to 7; a feature of too few distinct values gets fewer, or stays a line.

    Returns
    -------
    tuple of (Design, dict)
        The design, and the features left out with the reason.

    Raises
    ------
    UsageError
        A feature that should get a curve is not there, or holds text.
    """
    weight = np.ones(len(columns[0].is_missing)) if weight is None else weight
    _check_splines(columns, names, splines)
    design: Design = []
    dropped: dict[str, str] = {}
    for feature, (column, name) in enumerate(zip(columns, names, strict=True)):
        knots = _knots(column, weight, n_knots) if _is_curved(column, name, splines) else []
        parts = _parts(column, feature, weight, knots)
        design += parts
        if not parts:
            dropped[name] = "all missing" if column.is_missing.all() else "constant"
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


def curve(values: np.ndarray, knots: Sequence[float], term: int) -> np.ndarray:
    """Return one term of a restricted cubic spline, which is straight outside the outer knots.

    Parameters
    ----------
    values : numpy.ndarray
        Numbers, none missing.
    knots : sequence of float
        Three or more, rising.
    term : int
        1 to two fewer than there are knots.

    Returns
    -------
    numpy.ndarray
        One number per value, in the unit of the values.

    References
    ----------
    Stone CJ, Koo CY (1985). Additive splines in statistics. Proceedings of the Statistical Computing Section, American
    Statistical Association, 45–48.

    Examples
    --------
    >>> curve(np.array([0.0, 1.0, 2.0, 3.0, 4.0]), (1.0, 2.0, 3.0), 1)
    array([0.  , 0.  , 0.25, 1.5 , 3.  ])
    """
    at, before, last = knots[term - 1], knots[-2], knots[-1]
    cubes = [np.clip(values - knot, 0, None) ** 3 for knot in (at, before, last)]
    bent = cubes[0] - cubes[1] * (last - at) / (last - before) + cubes[2] * (before - at) / (last - before)
    return np.asarray(bent / (last - knots[0]) ** 2)


def _check_splines(columns: Sequence[Column], names: Sequence[str], splines: Collection[str] | str) -> None:
    """Refuse curves that cannot be drawn."""
    if isinstance(splines, str):
        if splines != "auto":
            raise UsageError(f"splines is 'auto' or a list of features; found {splines!r}")
        return
    kinds = dict(zip(names, (column.kind for column in columns), strict=True))
    for name in splines:
        if kinds.get(name) in {None, "text"}:
            found = "holds text" if name in kinds else "is not among the features"
            raise UsageError(f"a curve was asked for feature '{name}', which {found}", where="splines")


def _is_curved(column: Column, name: str, splines: Collection[str] | str) -> bool:
    """Whether a feature gets a curve."""
    if column.kind != "numeric" or column.numbers is None:
        return False
    if splines == "auto":
        return len(np.unique(column.numbers[~column.is_missing])) >= _MANY
    return name in splines


def _knots(column: Column, weight: np.ndarray, n_knots: int) -> list[float]:
    """Return the knots of a curve; none where three distinct ones cannot be had."""
    known = ~column.is_missing
    if column.numbers is None or not known.any():
        return []
    for count in range(n_knots, 2, -1):
        at = weighted_quantiles(column.numbers[known], weight[known], np.array(KNOTS_AT[count]))
        if len(np.unique(at)) == count:
            return [float(knot) for knot in at]
    return []


def _parts(column: Column, feature: int, weight: np.ndarray, knots: list[float]) -> Design:
    """Return the entries of one feature: none where it cannot tell people apart."""
    parts: Design = []
    known = ~column.is_missing
    if column.kind == "numeric" and column.numbers is not None and known.any():
        fill = weighted_median(column.numbers[known], weight[known])
        parts.append({"feature": feature, "part": "value", "level": "", "fill": fill})
        for term in range(1, len(knots) - 1):
            parts.append({"feature": feature, "part": "curve", "level": str(term), "fill": fill, "knots": knots})
    if column.kind == "text":
        seen = np.unique(np.asarray(column.codes)[known])
        for level in sorted(column.levels[code] for code in seen):
            parts.append({"feature": feature, "part": "level", "level": level, "fill": 0.0})
    if column.is_missing.any():
        parts.append({"feature": feature, "part": "missing", "level": "", "fill": 0.0})
    return [scaled for part in parts if (scaled := _scaled(part, _raw(column, part, ""), weight))]


def _scaled(part: dict[str, Any], raw: np.ndarray, weight: np.ndarray) -> dict[str, Any] | None:
    """Return an entry with its mean and scale; None where it is constant."""
    if raw.max() == raw.min():
        return None
    mean = float(np.average(raw, weights=weight))
    spread = float(np.sqrt(np.average((raw - mean) ** 2, weights=weight)))
    return {**part, "mean": mean, "scale": spread if part["part"] in {"value", "curve"} else 1.0}


def _raw(column: Column, part: dict[str, Any], name: str) -> np.ndarray:
    """Return the values of one entry before centring and scaling."""
    if part["part"] == "missing":
        return column.is_missing.astype(float)
    if part["part"] in {"value", "curve"}:
        if column.numbers is None:
            raise UsageError(
                "the model learned this feature as numbers and the column holds text", where=f"column {name}"
            )
        filled = np.where(column.is_missing, part["fill"], column.numbers)
        return curve(filled, part["knots"], int(part["level"])) if part["part"] == "curve" else filled
    if column.codes is None:
        raise UsageError("the model learned this feature as text and the column holds numbers", where=f"column {name}")
    same = [code for code, level in enumerate(column.levels) if level == part["level"]]
    return np.isin(column.codes, same).astype(float)
