"""Small cells: which counts are hidden so that nobody can be told apart, and the proof that hiding them helps.

A table of counts and its margins are unknowns that obey linear equations (each margin is the sum of its cells). A
hidden cell can be worked out from what is shown exactly when its unit vector lies in the row space of the equations,
restricted to the hidden cells. Cells are hidden until none can be.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

THRESHOLD = 11
TOTAL = "all"
_TOLERANCE = 1e-9
_MOST_CELLS = 5_000


def suppress(
    frame: pd.DataFrame, threshold: int = THRESHOLD, *, by: str | Sequence[str], count: str = "n"
) -> pd.DataFrame:
    """Hide small counts of a table, and others beside them, so that no hidden one follows from what is shown.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per cell: the columns ``by`` and the whole number ``count``. A combination that has no row counts 0.
    threshold : int, default 11
        Counts from 1 to ``threshold − 1`` are hidden; 0 is shown. 1 hides nothing.
    by : str or sequence of str
        The columns that make the table; all its margins are shown too, and are named ``all``.
    count : str, default "n"
        The column that is counted.

    Returns
    -------
    pandas.DataFrame
        One row per cell and margin, in order: the columns ``by``, the count (missing where hidden) and is_suppressed.

    Raises
    ------
    UsageError
        A column is missing, a group is called ``all`` or missing, cells repeat, or a count is no whole number from 0.

    Examples
    --------
    >>> cells = pd.DataFrame({"territory": ["north", "south", "west"], "n": [30, 4, 12]})
    >>> suppress(cells, by="territory")
      territory     n  is_suppressed
    0     north    30          False
    1     south  <NA>           True
    2      west  <NA>           True
    3       all    46          False
    """
    columns = [by] if isinstance(by, str) else list(by)
    cells = _checked(frame, columns, count, threshold)
    groups = [sorted(cells[column].unique()) for column in columns]
    keys = list(product(*[[*names, TOTAL] for names in groups]))
    if len(keys) > _MOST_CELLS:
        raise UsageError(
            f"the table has {len(keys)} cells and margins, at most {_MOST_CELLS} can be proved safe",
            do="suppress it in parts that are not shown together",
        )
    equations = margin_equations(keys, groups)
    inside = cells.set_index(columns)[count]
    if len(columns) > 1:
        inside.index = inside.index.to_flat_index()
    else:
        inside.index = pd.Index([(key,) for key in inside.index], tupleize_cols=False)
    lookup = dict(zip(inside.index, inside.astype(int), strict=True))
    counts = np.array([_count_of(key, groups, lookup) for key in keys], dtype=np.int64)
    hidden = hidden_cells(counts, equations, threshold)
    result = pd.DataFrame(keys, columns=columns).astype(TEXT)
    shown = pd.array(np.where(hidden, 0, counts), dtype="Int64")
    shown[hidden] = pd.NA
    result[count] = shown
    return result.assign(is_suppressed=hidden)


def hidden_cells(
    counts: NDArray[np.int64],
    equations: NDArray[np.float64],
    threshold: int = THRESHOLD,
    is_public: NDArray[np.bool_] | None = None,
) -> NDArray[np.bool_]:
    """Return which cells are to be hidden: the small ones, and others until no hidden one can be worked out.

    Parameters
    ----------
    counts : numpy.ndarray
        One whole number per cell, margins among them.
    equations : numpy.ndarray
        One row per equation ``equation · counts = 0``, one column per cell.
    threshold : int, default 11
        Counts from 1 to ``threshold − 1`` are small.
    is_public : numpy.ndarray, optional
        Cells that are shown whatever they count, such as the size of the whole service.

    Returns
    -------
    numpy.ndarray
        One flag per cell. Beside exact recovery, an equation whose hidden cells add up to less than the threshold
        is never left, unless a public cell says so anyway: few people in few cells are told apart too easily.

    Examples
    --------
    >>> hidden_cells(np.array([30, 4, 12, 46]), np.array([[1.0, 1.0, 1.0, -1.0]])).tolist()
    [False, True, True, False]
    """
    public = np.zeros(len(counts), dtype=bool) if is_public is None else is_public
    hidden = (counts >= 1) & (counts < threshold) & ~public
    while hidden.any():
        exposed = recoverable_cells(equations, hidden) | _told_apart(counts, equations, hidden, public, threshold)
        chosen = _next_to_hide(counts, equations, hidden | public, exposed) if exposed.any() else None
        if chosen is None:
            break
        hidden[chosen] = True
    return hidden


def recoverable_cells(equations: NDArray[np.float64], hidden: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which hidden cells can be worked out from the shown ones.

    Parameters
    ----------
    equations : numpy.ndarray
        One row per equation that the cells obey, one column per cell.
    hidden : numpy.ndarray
        Which cells are not shown.

    Returns
    -------
    numpy.ndarray
        One flag per cell: true where the unit vector of a hidden cell lies in the row space of the equations
        restricted to the hidden cells.

    Examples
    --------
    >>> total = np.array([[1.0, 1.0, -1.0]])
    >>> recoverable_cells(total, np.array([True, False, False])).tolist()
    [True, False, False]
    >>> recoverable_cells(total, np.array([True, True, False])).tolist()
    [False, False, False]
    """
    found = np.zeros(len(hidden), dtype=bool)
    places = np.flatnonzero(hidden)
    part = equations[:, places]
    part = part[np.abs(part).sum(axis=1) > 0]
    if not len(places) or not len(part):
        return found
    _, sizes, rows = np.linalg.svd(part, full_matrices=False)
    rows = rows[sizes > _TOLERANCE * sizes.max()]
    # A unit vector lies in the row space when its projection on it is as long as itself.
    found[places] = (rows**2).sum(axis=0) > 1 - 1e-7
    return found


def margin_equations(keys: Sequence[tuple[str, ...]], groups: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Return the equations of a table: each margin over one column is the sum of the cells along it.

    Parameters
    ----------
    keys : sequence of tuple of str
        One per cell and margin; ``all`` marks a margin.
    groups : sequence of sequence of str
        The groups of each column.

    Returns
    -------
    numpy.ndarray
        One row per equation, one column per key.
    """
    place = {key: i for i, key in enumerate(keys)}
    rows = []
    for key in keys:
        for column, names in enumerate(groups):
            if key[column] == TOTAL:
                row = np.zeros(len(keys))
                row[place[key]] = -1.0
                for name in names:
                    row[place[(*key[:column], name, *key[column + 1 :])]] = 1.0
                rows.append(row)
    return np.array(rows).reshape(-1, len(keys))


def _told_apart(
    counts: NDArray[np.int64],
    equations: NDArray[np.float64],
    hidden: NDArray[np.bool_],
    public: NDArray[np.bool_],
    threshold: int,
) -> NDArray[np.bool_]:
    """Return hidden cells of equations whose hidden parts, all on one side, add up to less than the threshold."""
    found = np.zeros(len(counts), dtype=bool)
    small = public & (counts < threshold)
    for equation in equations[~(equations[:, small] != 0).any(axis=1)]:
        mine = hidden & (equation != 0)
        is_one_sided = mine.any() and len(np.unique(np.sign(equation[mine]))) == 1
        if is_one_sided and 0 < counts[mine].sum() < threshold:
            found |= mine
    return found


def _next_to_hide(
    counts: NDArray[np.int64],
    equations: NDArray[np.float64],
    settled: NDArray[np.bool_],
    exposed: NDArray[np.bool_],
) -> int | None:
    """Return the shown cell to hide next: beside an exposed one, smallest first, a margin last.

    None where every cell is hidden or public.
    """
    beside = (equations[(equations[:, exposed] != 0).any(axis=1)] != 0).any(axis=0) & ~settled
    if not beside.any():
        beside = ~settled & (equations != 0).any(axis=0)
    places = np.flatnonzero(beside)
    if not len(places):
        return None
    is_margin = (equations[:, places] < 0).any(axis=0)
    order = np.lexsort((places, counts[places], counts[places] == 0, is_margin))
    return int(places[order[0]])


def _count_of(key: tuple[str, ...], groups: Sequence[Sequence[str]], lookup: dict[tuple[str, ...], int]) -> int:
    """Return the count of a cell, or the sum of a margin."""
    if TOTAL not in key:
        return lookup.get(key, 0)
    parts = [names if part == TOTAL else [part] for part, names in zip(key, groups, strict=True)]
    return sum(lookup.get(cell, 0) for cell in product(*parts))


def _checked(frame: pd.DataFrame, columns: list[str], count: str, threshold: int) -> pd.DataFrame:
    """Return the cells, or say what is wrong with them."""
    missing = [name for name in [*columns, count] if name not in frame]
    if missing or not columns:
        raise UsageError(
            f"the frame lacks {', '.join(missing) or 'columns to group by'}", do="name its columns in `by`"
        )
    if threshold < 1:
        raise UsageError("threshold must be at least 1", do="give 11, or 1 to hide nothing")
    cells = frame[[*columns, count]]
    names = cells[columns].astype(TEXT)
    if cells.isna().any(axis=None) or (names == TOTAL).any(axis=None):
        raise UsageError(f"groups must be named, and none may be called {TOTAL!r}", do="leave out margins; name groups")
    numbers = pd.to_numeric(cells[count])
    if (numbers < 0).any() or (numbers % 1 != 0).any():
        raise UsageError(f"column {count} must hold whole numbers from 0 up", do="give counts of people")
    if names.duplicated().any():
        raise UsageError("a cell is there twice", do="add up the rows of a cell first")
    return names.assign(**{count: numbers.astype("int64")})
