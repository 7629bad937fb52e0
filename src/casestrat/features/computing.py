"""How each kind of feature is computed: one short function a kind, found by the kind's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casestrat.features.compute_others import OF_OTHERS
from casestrat.features.compute_people import OF_PEOPLE
from casestrat.features.compute_rows import OF_ROWS

if TYPE_CHECKING:
    from casestrat.features.computed import Computed
    from casestrat.features.feature import Feature
    from casestrat.features.reading import Reading


def computed(feature: Feature, reading: Reading) -> Computed:
    """Compute one feature.

    Parameters
    ----------
    feature : Feature
        What to compute.
    reading : Reading
        The tables for one spine.

    Returns
    -------
    Computed
        One value per spine row.

    Raises
    ------
    UsageError
        A column is not known or not of the type the kind needs, or the window begins before the data.
    """
    if feature.kind in OF_OTHERS:
        return OF_OTHERS[feature.kind](feature, reading, computed)
    return (OF_ROWS.get(feature.kind) or OF_PEOPLE[feature.kind])(feature, reading)
