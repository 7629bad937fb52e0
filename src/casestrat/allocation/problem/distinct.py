"""Which rows of some columns are alike: numbered without a table of groups, which small problems ask for often."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Wholes: TypeAlias = NDArray[np.int64]


def numbered(frame: pd.DataFrame, columns: Sequence[str]) -> Wholes:
    """Return the number of each row's values in some columns, by first appearance; gaps are one value.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any rows.
    columns : sequence of str
        The columns that tell rows apart; none: all rows are alike.

    Returns
    -------
    numpy.ndarray of int
        One number per row, from 0.

    Examples
    --------
    >>> frame = pd.DataFrame({"tier": ["high", None, "high", None], "kind": ["open", "open", "open", "proposed"]})
    >>> numbered(frame, ["tier", "kind"]).tolist()
    [0, 1, 0, 2]
    """
    number = np.zeros(len(frame), dtype=np.int64)
    for column in columns:
        codes, values = pd.factorize(frame[column])
        number = pd.factorize(number * (len(values) + 1) + codes + 1)[0].astype(np.int64)
    return number


def firsts(number: Wholes) -> Wholes:
    """Return the first row of each number.

    Parameters
    ----------
    number : numpy.ndarray of int
        Numbers from 0, by first appearance.

    Returns
    -------
    numpy.ndarray of int
        One row per number.
    """
    return np.asarray(np.unique(number, return_index=True)[1], dtype=np.int64)
