"""What the solver can read of a sparse array."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy import sparse


def in_32_bits(rows: sparse.csc_array) -> None:
    """Give an array the narrow indices that HiGHS counts in; not every scipy narrows them for it.

    Parameters
    ----------
    rows : scipy.sparse.csc_array
        Any array; it is changed in place.
    """
    rows.indices, rows.indptr = rows.indices.astype(np.int32), rows.indptr.astype(np.int32)
