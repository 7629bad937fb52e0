"""How many events a model of so many parameters needs before its risks can be trusted."""

from __future__ import annotations

from math import ceil, exp, log

from casestrat.errors import UsageError

_SHARE_EXPLAINED = 0.15  # of the greatest R² there can be: what Riley et al. advise where no earlier model tells
_SHRINKAGE = 0.9  # at most a tenth of what was learned is to be chance
_OPTIMISM = 0.05  # of Nagelkerke's R²
_MARGIN = 0.05  # of the mean risk, either way


class SmallSampleWarning(UserWarning):
    """There are fewer events than the model has parameters."""


def events_needed(
    n_parameters: int, prevalence: float, *, r2: float | None = None, shrinkage: float = _SHRINKAGE
) -> int:
    """Return how many events a logistic model without penalty needs, by the three criteria of Riley et al.

    The greatest of: people enough that predictions shrink by a tenth at most; that the share of variation explained is
    overstated by .05 at most; and that the mean risk is known within .05.

    Parameters
    ----------
    n_parameters : int
        Candidate parameters, 1 or more: a feature of three levels is two, a curve of four knots three.
    prevalence : float
        Share of rows with the outcome, above 0 and below 1.
    r2 : float, optional
        Cox and Snell's R² that is expected; without it 15 % of the greatest that this prevalence allows.
    shrinkage : float, default 0.9
        Calibration slope aimed at on new people, above 0 and below 1.

    Returns
    -------
    int
        Events; of the rarer class where the outcome is the commoner one.

    Raises
    ------
    UsageError
        A number lies outside its range.

    References
    ----------
    Riley RD, Ensor J, Snell KIE, et al. (2020). Calculating the sample size required for developing a clinical
    prediction model. BMJ 368, m441.

    Examples
    --------
    >>> events_needed(24, 0.174, r2=0.288)  # 662 people
    116
    """
    if n_parameters < 1 or not 0 < prevalence < 1 or not 0 < shrinkage < 1:
        raise UsageError(
            "expected 1 parameter or more, and a prevalence and a shrinkage between 0 and 1; found "
            f"{n_parameters}, {prevalence:g}, {shrinkage:g}"
        )
    rarer = min(prevalence, 1 - prevalence)
    greatest = 1 - exp(2 * (rarer * log(rarer) + (1 - rarer) * log(1 - rarer)))
    expected = _SHARE_EXPLAINED * greatest if r2 is None else r2
    if not 0 < expected < greatest:
        raise UsageError(f"r2 lies above 0 and below {greatest:.3f} at this prevalence; found {expected:g}")
    for_slope = _people_for(n_parameters, expected, shrinkage)
    for_optimism = _people_for(n_parameters, expected, expected / (expected + _OPTIMISM * greatest))
    for_mean = (1.96 / _MARGIN) ** 2 * rarer * (1 - rarer)
    people = max(ceil(for_slope), ceil(for_optimism), ceil(for_mean))
    return ceil(people * rarer)


def small_sample_note(n_parameters: int, n_events: int, n_rows: int) -> str | None:
    """Say that there are too few events for so many parameters, and how many there should be.

    Parameters
    ----------
    n_parameters : int
        Candidate parameters.
    n_events, n_rows : int
        Rows with the outcome, of all rows.

    Returns
    -------
    str or None
        A sentence; None where there are enough, or no row tells.

    Examples
    --------
    >>> small_sample_note(24, 40, 230)
    'small sample: 40 events for 24 candidate parameters, where 395 would be needed'
    """
    if n_parameters < 1 or not 0 < n_events < n_rows:
        return None
    rarer = min(n_events, n_rows - n_events)
    needed = events_needed(n_parameters, n_events / n_rows)
    if rarer >= needed:
        return None
    what = "events" if rarer == n_events else "rows without the outcome"
    return f"small sample: {rarer} {what} for {n_parameters} candidate parameters, where {needed} would be needed"


def _people_for(n_parameters: int, r2: float, shrinkage: float) -> float:
    """Return the people at whom the expected shrinkage is this."""
    if r2 >= shrinkage:  # so much is explained that no size is too small by this criterion
        return 0.0
    return n_parameters / ((shrinkage - 1) * log(1 - r2 / shrinkage))
