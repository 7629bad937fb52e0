"""The last resort of a search: seconds of computing, not of the wall, so that a busy machine cuts no search short.

Searches are bounded by steps that a time limit buys beforehand. The clock ends only what takes far longer than that,
and says so.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SLOWEST = 50.0  # shares of a core below one fiftieth are not made up for
_EASE = 2.0  # a solver that watches the wall is given so many times what is left, even of a whole core
_SPENT = 0.99  # share of a solver's seconds from which they count as used up
_LEAST_SECONDS = 0.05


@dataclass(slots=True)
class Clock:
    """Counts the seconds that this thread has computed since the clock was made, and knows what it has cut short."""

    began: float = field(default_factory=time.thread_time)
    wall_began: float = field(default_factory=time.monotonic)
    has_cut: bool = False  # whether a search with steps left was ended

    @property
    def used(self) -> float:
        """Seconds computed so far."""
        return time.thread_time() - self.began

    @property
    def stretch(self) -> float:
        """Seconds of the wall that one second of computing may take, going by what it took so far."""
        passed = time.monotonic() - self.wall_began
        return _EASE * min(max(passed / max(self.used, 1e-3), 1.0), _SLOWEST)

    def after(self, seconds: float) -> Deadline:
        """Return the moment at which so many seconds have been computed."""
        return Deadline(self, seconds)

    @contextmanager
    def watching(self, seconds: float) -> Iterator[float]:
        """Give a solver seconds of the wall for so many of computing; note where it used them up.

        Parameters
        ----------
        seconds : float
            Seconds of computing that the solver may take.

        Yields
        ------
        float
            The seconds of the wall to allow it.
        """
        given = max(seconds * self.stretch, _LEAST_SECONDS)
        began = time.monotonic()
        yield given
        self.has_cut |= time.monotonic() - began >= _SPENT * given


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment of a clock."""

    clock: Clock
    at: float

    @property
    def left(self) -> float:
        """Seconds of computing that are left, 0 or more."""
        return max(self.at - self.clock.used, 0.0)

    def is_over(self, least: float = 0.0) -> bool:
        """Whether no more than a few seconds are left; asked by those who would go on, so it is noted."""
        is_over = self.left <= least
        self.clock.has_cut |= is_over
        return is_over
