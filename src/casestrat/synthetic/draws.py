"""Random draws that give the same made-up agency on every machine and with every version of the libraries.

Only the uniform numbers of numpy's PCG64 are used (their stream never changed); every other distribution is made from
them here. Each topic has a stream of its own, so that a change in one table leaves the others as they were.
"""

from __future__ import annotations

import math
import zlib
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_STEPS = 400  # more than any count that is drawn


class Draws:
    """A stream of random numbers for one topic.

    Parameters
    ----------
    *seed : int
        Whole numbers, not negative, that name the stream.

    Examples
    --------
    >>> Draws(7).of("people").uniform(3).tolist() == Draws(7).of("people").uniform(3).tolist()
    True
    """

    def __init__(self, *seed: int) -> None:
        self._seed = seed
        self._generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(list(seed))))

    def of(self, topic: str) -> Draws:
        """Return the stream of a topic: the same for the same seed, whatever was drawn before."""
        return Draws(*self._seed, zlib.crc32(topic.encode("utf-8")))

    def uniform(self, n: int) -> Floats:
        """Return n numbers in [0, 1)."""
        return self._generator.random(n)

    def normal(self, n: int) -> Floats:
        """Return n standard normal numbers (Box and Muller 1958)."""
        radius = np.sqrt(-2.0 * np.log1p(-self.uniform(n)))
        return radius * np.cos(2.0 * math.pi * self.uniform(n))

    def exponential(self, mean: float | Floats, n: int) -> Floats:
        """Return n exponential numbers; an infinite mean gives infinity."""
        return -np.log1p(-self.uniform(n)) * mean

    def chance(self, probability: float | Floats, n: int) -> Flags:
        """Return n flags that are true with the probability given."""
        return self.uniform(n) < probability

    def whole(self, low: int, high: int, n: int) -> Ints:
        """Return n whole numbers from low to high, both included."""
        return low + np.floor(self.uniform(n) * (high - low + 1)).astype(np.int64)

    def pick(self, shares: Mapping[str, float], n: int) -> NDArray[np.object_]:
        """Return n codes drawn with their shares, which need not sum to 1."""
        codes = np.array(list(shares), dtype=object)
        edges = np.cumsum(np.array(list(shares.values()), dtype=float))
        place = np.searchsorted(edges / edges[-1], self.uniform(n), side="right")
        return codes[np.minimum(place, len(codes) - 1)]

    def poisson(self, mean: Floats) -> Ints:
        """Return one Poisson count per mean, by inversion."""
        mean = np.asarray(mean, dtype=float)
        left = self.uniform(len(mean))
        count = np.zeros(len(mean), dtype=np.int64)
        term = np.exp(-mean)
        for step in range(1, _STEPS):
            going = left >= term
            if not going.any():
                break
            left = np.where(going, left - term, -1.0)
            count[going] = step
            term = term * mean / step
        return count

    def lag_days(self, n: int, same_day: float, mean_days: float, late: float, late_after: int) -> Ints:
        """Return whole days from a fact to its record: 0, an exponential of at least one day, or very late."""
        kind = self.uniform(n)
        usual = np.clip(np.rint(self.exponential(mean_days, n)), 1, late_after).astype(np.int64)
        very_late = late_after + np.ceil(self.exponential(30.0, n)).astype(np.int64)
        lag = np.where(kind < same_day, 0, usual)
        return np.where(kind >= 1.0 - late, very_late, lag)
