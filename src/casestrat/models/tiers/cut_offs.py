"""Where a tier begins: the risk at which acting costs less than waiting, or at which people gain most by acting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from casestrat.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def cut_off_by_cost(false_negative_cost: float, false_positive_cost: float) -> float:
    """Return the risk from which it costs less to act than not to.

    At a risk ``p`` acting in vain costs ``(1 − p) · false_positive_cost`` and not acting costs
    ``p · false_negative_cost``; both are equal at the cut-off. It holds for risks that are calibrated.

    Parameters
    ----------
    false_negative_cost : float
        Cost of not acting for someone who has the outcome, in any unit; above 0.
    false_positive_cost : float
        Cost of acting for someone who would not have had it, in the same unit; above 0.

    Returns
    -------
    float
        The cut-off, between 0 and 1.

    Raises
    ------
    UsageError
        A cost is not above 0, or is infinite.

    References
    ----------
    Elkan C (2001). The foundations of cost-sensitive learning. IJCAI 2001: 973–978.

    Examples
    --------
    >>> cut_off_by_cost(false_negative_cost=9, false_positive_cost=1)
    0.1
    """
    for name, cost in (("false_negative_cost", false_negative_cost), ("false_positive_cost", false_positive_cost)):
        if not 0 < cost < np.inf:
            raise UsageError(f"a cost is a number above 0; found {cost}", where=name)
    return float(false_positive_cost / (false_positive_cost + false_negative_cost))


def cut_off_by_net_benefit(y: ArrayLike, risk: ArrayLike, threshold: float) -> float:
    """Return the cut-off of a risk at which past people would have gained most, at a given exchange rate.

    The net benefit of acting from a cut-off on is the share of true positives less the share of false positives times
    ``threshold / (1 − threshold)``. Of a calibrated risk the best cut-off is the threshold itself; of one that is not,
    this finds where to cut. Of several that are equally good the lowest is taken: more people are helped.

    Parameters
    ----------
    y : array-like
        1 where the outcome came, else 0; one a person, on people that the model did not learn from.
    risk : array-like
        Their risks, 0 to 1.
    threshold : float
        The risk at which one would be in two minds whether to act, between 0 and 1, both left out.

    Returns
    -------
    float
        The cut-off: one of the risks; 1.0 where nobody should be acted for.

    Raises
    ------
    UsageError
        The threshold does not lie between 0 and 1, or outcomes and risks do not fit each other.

    References
    ----------
    Vickers AJ, Elkin EB (2006). Decision curve analysis. Medical Decision Making 26: 565–574.

    Examples
    --------
    >>> cut_off_by_net_benefit([0, 1, 0, 1], [0.1, 0.4, 0.5, 0.8], threshold=0.2)
    0.4
    """
    if not 0 < threshold < 1:
        raise UsageError(f"a threshold lies between 0 and 1; found {threshold}", where="threshold")
    outcome, values = _checked(y, risk)
    order = np.argsort(-values, kind="stable")
    falling = values[order]
    gain = np.cumsum(outcome[order]) - np.cumsum(1 - outcome[order]) * threshold / (1 - threshold)
    is_last = np.append(falling[1:] != falling[:-1], True)  # a cut stands below all who share its risk
    benefit, cuts = gain[is_last], falling[is_last]
    best = benefit.max()
    if best < 0:
        return 1.0
    return float(cuts[np.flatnonzero(benefit >= best - 1e-12)[-1]])


def _checked(y: ArrayLike, risk: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return outcomes and risks as floats, if they fit each other."""
    outcome: Any = np.asarray(y, dtype="float64")
    values: Any = np.asarray(risk, dtype="float64")
    if outcome.ndim != 1 or outcome.shape != values.shape or not len(outcome):
        raise UsageError(f"expected one outcome and one risk a person; found {outcome.shape} and {values.shape}")
    if not np.isin(outcome, (0.0, 1.0)).all():
        raise UsageError("an outcome is 0 or 1", where="y", do="leave out people whose outcome is not known")
    if not ((values >= 0) & (values <= 1)).all():
        raise UsageError("risks lie from 0 to 1, none missing", where="risk")
    return outcome, values
