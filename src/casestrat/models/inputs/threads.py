"""One thread while a model learns: sums are then added in one order, and small work does not wait for idle threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


def one_thread() -> AbstractContextManager[object]:
    """Return a context in which numerical libraries use one thread.

    Returns
    -------
    context manager
        The number of threads is as it was, afterwards.
    """
    limits: AbstractContextManager[object] = threadpool_limits(limits=1)
    return limits
