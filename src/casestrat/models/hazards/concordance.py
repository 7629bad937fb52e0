"""How often, of two people, the one with the higher risk has the outcome first."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import column_or_1d

from casestrat.errors import UsageError
from casestrat.models.hazards.competing_risks import OUTCOME, kaplan_meier, read_follow_up

_PAIRS = 4_000_000  # pairs in memory at a time
_TIED = 1e-8  # risks nearer than this are equal


def concordance_harrell(days: Any, event: Any, risk: Any) -> float:
    """Return Harrell's concordance: of the pairs whose order can be known, how many are in the order of the risk.

    The order of a pair is known where one has the outcome while the other is still seen and free of it. Who has had a
    competing event will never have the outcome, and stays in the comparison. On the same day an outcome comes before
    the end of follow-up; two outcomes of one day have no order. Equal risks count half.

    Parameters
    ----------
    days : array of shape (n,)
        Days to the first event, or to the end of follow-up; 0 or more.
    event : array of shape (n,) or None
        0 censored, 1 the outcome, 2 and more what competes with it; None where everybody had the outcome.
    risk : array of shape (n,)
        Risk, points or any number; greater is sooner.

    Returns
    -------
    float
        0.5 is chance, 1 the best; NaN where no order is known. It depends on how long people were followed:
        :func:`concordance_uno` does so less.

    Raises
    ------
    UsageError
        Days, codes or risks are missing or none, or the lengths differ.

    References
    ----------
    Harrell FE, Lee KL, Mark DB (1996). Multivariable prognostic models. Statistics in Medicine 15, 361–387.
    Wolbers M, Koller MT, Witteman JCM, Steyerberg EW (2009). Prognostic models with competing risks. Epidemiology 20,
    555–561.

    Examples
    --------
    >>> concordance_harrell([10, 20, 30], [1, 1, 0], [0.9, 0.2, 0.4])
    0.6666666666666666
    """
    found, codes, score = _read(days, event, risk)
    return _share(found, codes, score, np.ones(len(found)), np.ones(len(found)), np.inf)


def concordance_uno(days: Any, event: Any, risk: Any, until_days: float | None = None) -> float:
    """Return Uno's concordance: as Harrell's, with pairs weighted by the inverse chance of being seen.

    Parameters
    ----------
    days : array of shape (n,)
        Days to the first event, or to the end of follow-up; 0 or more.
    event : array of shape (n,) or None
        0 censored, 1 the outcome, 2 and more what competes with it; None where everybody had the outcome.
    risk : array of shape (n,)
        Risk, points or any number; greater is sooner.
    until_days : float, optional
        Only outcomes before this day count, where the last of follow-up have too great weights.

    Returns
    -------
    float
        0.5 is chance, 1 the best; NaN where no order is known.

    Raises
    ------
    UsageError
        Days, codes or risks are missing or none, or the lengths differ.

    References
    ----------
    Uno H, Cai T, Pencina MJ, et al. (2011). On the C-statistics for evaluating overall adequacy of risk prediction
    procedures with censored survival data. Statistics in Medicine 30, 1105–1117.
    Wolbers M, Blanche P, Koller MT, et al. (2014). Concordance for prognostic models with competing risks.
    Biostatistics 15, 526–539.

    Examples
    --------
    >>> concordance_uno([10, 20, 30], [1, 1, 0], [0.9, 0.2, 0.4])
    0.6666666666666666
    """
    found, codes, score = _read(days, event, risk)
    seen = kaplan_meier(found, codes, of_censoring=True)
    own, later = seen.before(found), np.where(codes > OUTCOME, seen.before(found), 1.0)
    with np.errstate(divide="ignore"):
        return _share(found, codes, score, 1.0 / own, 1.0 / later, np.inf if until_days is None else until_days)


def _read(days: Any, event: Any, risk: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return days, codes and risks, checked."""
    found, codes, _ = read_follow_up(days, event)
    score = np.asarray(column_or_1d(risk), dtype="float64")
    if len(score) != len(found):
        raise UsageError(f"expected {len(found)} risks, one per row of days; found {len(score)}", where="risk")
    if not np.isfinite(score).all():
        raise UsageError("risks are numbers, none missing or infinite", where="risk", do="leave these rows out")
    return found, codes, score


def _share(
    days: np.ndarray, codes: np.ndarray, score: np.ndarray, own: np.ndarray, later: np.ndarray, until: float
) -> float:
    """Return the weighted share of concordant pairs: weight own² against who is still seen, own × later else."""
    first = np.flatnonzero((codes == OUTCOME) & (days < until))
    competed = codes > OUTCOME
    right, total = 0.0, 0.0
    size = max(1, _PAIRS // len(days))
    for start in range(0, len(first), size):
        i = first[start : start + size, None]
        still = (days > days[i]) | ((days == days[i]) & (codes == 0))
        gone = competed & (days <= days[i])
        weight = own[i] * (still * own[i] + gone * later)
        apart = score[i] - score
        points = np.where(np.abs(apart) <= _TIED, 0.5, apart > 0)
        right += float(np.sum(weight * points))
        total += float(np.sum(weight))
    return right / total if total else float("nan")
