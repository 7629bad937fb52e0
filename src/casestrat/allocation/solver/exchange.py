"""Exchanges between two case managers: what each could hand over to the other, in up to two cases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.allocation.solver.draft import Draft

    Wholes: TypeAlias = NDArray[np.int64]

_MOST_SIZES = 24  # different case weights that are also tried in twos


@dataclass(frozen=True, slots=True)
class Exchange:
    """Cases that would leave the first case manager, and cases that would come to them."""

    out: tuple[int, ...]
    back: tuple[int, ...]


def offers(draft: Draft, giver: int, taker: int) -> tuple[Wholes, Wholes, list[tuple[int, ...]]]:
    """Return the sums of minutes that one could hand over in none, one or two cases; how many cases; which.

    Parameters
    ----------
    draft : Draft
        The plan.
    giver, taker : int
        The case managers.

    Returns
    -------
    tuple
        Minutes, number of cases, and the cases; one entry per distinct pair of the first two.
    """
    instance = draft.instance
    held = np.flatnonzero(draft.plan == giver)
    held = held[instance.allowed[instance.group[held], taker]]
    held = held[draft.handed_freely(held, taker)]
    if draft.keeps_cost:
        groups = instance.group[held]
        held = held[instance.cost[groups, taker] == instance.cost[groups, giver]]
    weights = instance.weight[instance.group[held], taker]
    sizes, first, number = np.unique(weights, return_index=True, return_counts=True)
    sums: dict[tuple[int, int], tuple[int, ...]] = {(0, 0): ()}
    for at, size in enumerate(sizes):
        sums.setdefault((int(size), 1), (int(held[first[at]]),))
    if len(sizes) <= _MOST_SIZES:
        for at, size in enumerate(sizes):
            same = held[weights == size]
            if number[at] > 1:
                sums.setdefault((2 * int(size), 2), (int(same[0]), int(same[1])))
            for other in range(at + 1, len(sizes)):
                sums.setdefault((int(size + sizes[other]), 2), (int(same[0]), int(held[first[other]])))
    keys = np.array(list(sums), dtype=np.int64)
    return keys[:, 0], keys[:, 1], list(sums.values())


def make(draft: Draft, exchange: Exchange | None, a: int, b: int) -> bool:
    """Make an exchange, if there is one.

    Parameters
    ----------
    draft : Draft
        The plan; changed in place.
    exchange : Exchange or None
        What changes hands.
    a, b : int
        The first and the second case manager.

    Returns
    -------
    bool
        Whether the plan changed.
    """
    if exchange is None:
        return False
    for case in exchange.out:
        draft.put(case, b)
    for case in exchange.back:
        draft.put(case, a)
    return True


def roomiest(draft: Draft, a: int, b: int, needed: int, places: int) -> Exchange | None:
    """Return the exchange that frees enough minutes and places of a, and loads b the least; None where none does.

    Parameters
    ----------
    draft : Draft
        The plan.
    a, b : int
        The case manager who needs room, and the one who gives it.
    needed : int
        Minutes that a must get rid of.
    places : int
        Cases that a must get rid of.

    Returns
    -------
    Exchange or None
        What changes hands.
    """
    if (
        draft.load[b] + needed > draft.limit[b]
        or not (draft.instance.allowed[:, a] & draft.instance.allowed[:, b]).any()
    ):
        return None
    out, n_out, cases_out = offers(draft, a, b)
    back, n_back, cases_back = offers(draft, b, a)
    moved = out[:, None] - back[None, :]
    more = n_out[:, None] - n_back[None, :]
    fits = (moved >= needed) & (draft.load[b] + moved <= draft.limit[b]) & (more >= places) & (more <= draft.places[b])
    if not fits.any():
        return None
    at = np.unravel_index(int(np.argmin(np.where(fits, moved, np.iinfo(np.int64).max))), fits.shape)
    return Exchange(cases_out[int(at[0])], cases_back[int(at[1])])
