"""What a card learns from beside the labels: the risks of a regression on all features, which vary less than labels do.

Which rows fit the labels best is, among a thousand conditions and some hundred events, largely chance; which rows come
closest to a model of all features is much less so, and people left out are ordered better by them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import expit

from casestrat.models.classifiers.design import design_matrix, learn_design
from casestrat.models.classifiers.ridge import ridge_logistic
from casestrat.models.inputs.threads import one_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casestrat.models.cards.settings import Limits
    from casestrat.models.inputs.rows import TrainingRows

_PENALTY: Final = 10.0  # that of RiskClassifier's C=0.1


def learning_targets(rows: TrainingRows, names: Sequence[str], limits: Limits, share: float) -> np.ndarray:
    """Mix labels with the risks that a ridge regression on these rows gives them.

    Parameters
    ----------
    rows : TrainingRows
        Whom a card is learned on.
    names : sequence of str
        Names of the items.
    limits : Limits
        Items that are excluded, and missing values that may have no row, are kept from the regression as well.
    share : float
        The share of the risks, 0 to 1; the rest is that of the labels.

    Returns
    -------
    numpy.ndarray
        One target from 0 to 1 per row; they sum to the events.

    References
    ----------
    Piironen J, Paasiniemi M, Vehtari A (2020). Projective inference in high-dimensional problems: prediction and
    feature selection. Electronic Journal of Statistics 14, 2155–2197.
    """
    event = rows.event.astype(float)
    kept = [place for place, name in enumerate(names) if name not in limits.excluded]
    if not share or not kept or event.min() == event.max():
        return event
    columns, known = [rows.columns[place] for place in kept], [names[place] for place in kept]
    design, _dropped = learn_design(columns, known, weight=rows.weight)
    if not limits.missing_rows:
        design = [part for part in design if part["part"] != "missing"]
    matrix = np.column_stack([np.ones(len(event)), design_matrix(columns, known, design)])
    penalty = np.full(matrix.shape[1], _PENALTY)
    penalty[0] = 0.0
    with one_thread():
        risk = expit(matrix @ ridge_logistic(matrix, rows.event, rows.weight, penalty))
    return np.asarray(share * risk + (1 - share) * event)
