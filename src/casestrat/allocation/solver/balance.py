"""Level 2 by exchange: two case managers give each other up to two cases each, to even out their utilisation.

The sums of minutes that can change hands are few, so each pair of case managers is settled by looking at all of them
at once. Evening out the squares also brings the largest utilisation down: over fractions, one plan has the least of
both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from casestrat.allocation.problem.objective import largest_utilisation
from casestrat.allocation.solver.exchange import Exchange, make, offers
from casestrat.allocation.solver.relaxation import minute_unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.allocation.solver.draft import Draft

    Numbers: TypeAlias = NDArray[np.float64]
    Wholes: TypeAlias = NDArray[np.int64]

_EASE = 1e-9
_ROUNDS = 40
_PAIRS = 50_000  # of case managers tried by one call, the most uneven first: all there are in a service of fifty


def even_out(draft: Draft) -> None:
    """Lower the sum of squares until no exchange of two case managers lowers it, within the limits.

    Parameters
    ----------
    draft : Draft
        The plan; changed in place.
    """
    instance = draft.instance
    unit = minute_unit(instance)
    both = np.matmul(instance.allowed.T.astype(np.float32), instance.allowed.astype(np.float32)) > 0  # share a class
    changed, left = np.ones(instance.m, dtype=bool), _PAIRS
    for _ in range(_ROUNDS):
        use = _use(draft)
        firsts, seconds = np.nonzero(np.triu(both & (changed[:, None] | changed[None, :]), 1))
        order = np.argsort(-np.abs(use[firsts] - use[seconds]), kind="stable")[:left]
        left -= len(order)
        changed = np.zeros(instance.m, dtype=bool)
        for a, b in zip(firsts[order].tolist(), seconds[order].tolist(), strict=True):
            if _is_uneven(draft, a, b, unit) and _even_pair(draft, a, b):
                changed[[a, b]] = True
        if not changed.any():
            return


def lower_peak(draft: Draft) -> None:
    """Lower the largest utilisation until no exchange with the busiest case manager lowers it.

    Parameters
    ----------
    draft : Draft
        The plan; changed in place.
    """
    for _ in range(min(50 * draft.instance.m, _PAIRS // max(draft.instance.m, 1) + 1)):
        use = _use(draft)
        peak = int(np.argmax(use))
        if not any(_lower_pair(draft, peak, int(other)) for other in np.argsort(use, kind="stable")[:-1]):
            return


def balance(draft: Draft) -> Wholes:
    """Return the plan with its peak lowered and, below the peak, evened out.

    Parameters
    ----------
    draft : Draft
        A plan within its limits; changed in place.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        The plan, no worse on either value of level 2.
    """
    even_out(draft)
    lower_peak(draft)
    instance = draft.instance
    peak = largest_utilisation(draft.load, instance.capacity)
    draft.limit = np.minimum(draft.limit, np.maximum(peak_limit(instance.capacity, peak), draft.load))
    even_out(draft)
    return draft.plan


def peak_limit(capacity: Wholes, peak: float) -> Wholes:
    """Return the most whole minutes of each case manager within a utilisation.

    Parameters
    ----------
    capacity : numpy.ndarray of int, shape (m,)
        Minutes a week.
    peak : float
        Largest utilisation.

    Returns
    -------
    numpy.ndarray of int, shape (m,)
        Minutes a week.
    """
    return np.asarray(np.floor(peak * capacity + 1e-6), dtype=np.int64)


def _use(draft: Draft) -> Numbers:
    """Utilisation of each case manager; none where there are no minutes."""
    capacity = draft.instance.capacity
    return np.where(capacity > 0, draft.load / np.maximum(capacity, 1), 0.0)


def _best(draft: Draft, a: int, b: int, *, by_peak: bool) -> Exchange | None:
    """Find the exchange of a and b that lowers the squares, or the peak, the most; None where none does."""
    instance = draft.instance
    load_a, load_b = float(draft.load[a]), float(draft.load[b])
    cap_a, cap_b = float(max(instance.capacity[a], 1)), float(max(instance.capacity[b], 1))
    out, n_out, cases_out = offers(draft, a, b)
    back, n_back, cases_back = offers(draft, b, a)
    moved = out[:, None] - back[None, :]
    more = n_out[:, None] - n_back[None, :]
    fits = (load_a - moved <= draft.limit[a]) & (load_b + moved <= draft.limit[b])
    fits &= (-more <= draft.places[a]) & (more <= draft.places[b])
    if by_peak:
        value = np.maximum((load_a - moved) / cap_a, (load_b + moved) / cap_b)
        now = max(load_a / cap_a, load_b / cap_b)
    else:
        value = (load_a - moved) ** 2 / cap_a + (load_b + moved) ** 2 / cap_b
        now = load_a**2 / cap_a + load_b**2 / cap_b
    value = np.where(fits, value, np.inf)
    at = np.unravel_index(int(np.argmin(value)), value.shape)
    if value[at] >= now - _EASE * max(now, 1.0):
        return None
    return Exchange(cases_out[int(at[0])], cases_back[int(at[1])])


def _is_uneven(draft: Draft, a: int, b: int, unit: int) -> bool:
    """Whether moving the smallest number of minutes there is could lower the squares of the two."""
    capacity = draft.instance.capacity
    slope = abs(draft.load[a] * capacity[b] - draft.load[b] * capacity[a])
    return bool(2 * slope > unit * (capacity[a] + capacity[b]))


def _even_pair(draft: Draft, a: int, b: int) -> bool:
    """Make the exchange of a and b that lowers the squares the most."""
    return make(draft, _best(draft, a, b, by_peak=False), a, b)


def _lower_pair(draft: Draft, peak: int, other: int) -> bool:
    """Make the exchange that lowers the busier of the two the most."""
    return make(draft, _best(draft, peak, other, by_peak=True), peak, other)
