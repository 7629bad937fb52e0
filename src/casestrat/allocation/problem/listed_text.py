"""Lists in text: what stands between ``;``, who has it, and what says that nothing is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Flags: TypeAlias = NDArray[np.bool_]

UNKNOWN = "unknown"
EITHER = "|"  # between certificates of which one is enough
_SEPARATOR = ";"


def tokens(text: object) -> tuple[str, ...]:
    """Return the parts of `;`-separated text, stripped; missing text has none.

    Parameters
    ----------
    text : object
        Text or a missing value.

    Returns
    -------
    tuple of str
        The parts, in the order written.

    Examples
    --------
    >>> tokens("fr; it;"), tokens(None)
    (('fr', 'it'), ())
    """
    if not isinstance(text, str):
        return ()
    return tuple(part.strip() for part in text.split(_SEPARATOR) if part.strip())


def holds(lists: Iterable[object], wanted: pd.Series) -> Flags:
    """Return which lists hold each wanted value.

    Parameters
    ----------
    lists : iterable
        `;`-separated text, one per case manager.
    wanted : pandas.Series
        One value per class; a missing value is held by no list.

    Returns
    -------
    numpy.ndarray of bool, shape (classes, case managers)
        True where the list holds the value.
    """
    sets = [frozenset(tokens(text)) for text in lists]
    codes, values = pd.factorize(wanted)
    rows = np.array([[value in held for held in sets] for value in values], dtype=bool).reshape(len(values), len(sets))
    nobody = np.zeros((1, len(sets)), dtype=bool)
    return np.asarray(np.vstack([rows, nobody])[codes], dtype=bool)


def has_no_wish(wanted: pd.Series) -> Flags:
    """Return True for the classes whose value is missing or unknown, as one column.

    Parameters
    ----------
    wanted : pandas.Series
        One value per class.

    Returns
    -------
    numpy.ndarray of bool, shape (classes, 1)
        True where nothing is asked for.
    """
    return (wanted.isna() | (wanted == UNKNOWN).fillna(value=False)).to_numpy(dtype=bool)[:, None]
