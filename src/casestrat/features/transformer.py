"""Features as a scikit-learn transformer: a spine in, features out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from casestrat.timeline.as_of import checked_spine

if TYPE_CHECKING:
    import pandas as pd

    from casestrat.features.builder import FeatureBuilder
    from casestrat.tables import Tables


class SpineFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A builder bound to tables, for a ``Pipeline``; clones share the tables.

    Parameters
    ----------
    builder : FeatureBuilder
        The features.
    tables : Tables
        The checked tables.
    """

    def __init__(self, builder: FeatureBuilder, tables: Tables) -> None:
        self.builder = builder
        self.tables = tables

    def fit(self, spine: pd.DataFrame, y: Any = None) -> SpineFeatures:
        """Check the spine; nothing is learned.

        Parameters
        ----------
        spine : pandas.DataFrame
            Columns ``person_id`` and ``as_of``.
        y : object, optional
            Ignored.

        Returns
        -------
        SpineFeatures
            Itself.
        """
        checked_spine(spine)
        self.n_features_in_ = 2
        self.feature_names_in_ = np.asarray(["person_id", "as_of"], dtype=object)
        return self

    def transform(self, spine: pd.DataFrame) -> pd.DataFrame:
        """Compute the features.

        Parameters
        ----------
        spine : pandas.DataFrame
            Columns ``person_id`` and ``as_of``.

        Returns
        -------
        pandas.DataFrame
            One row per spine row, one column per feature.
        """
        return self.builder.build(self.tables, spine)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the features.

        Parameters
        ----------
        input_features : object, optional
            Ignored.

        Returns
        -------
        numpy.ndarray of str
            One name per column.
        """
        return np.asarray(self.builder.feature_names, dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        """Tell that there is nothing to fit."""
        return True

    def __sklearn_clone__(self) -> SpineFeatures:
        """Return a copy that shares the tables, which never change."""
        copy = type(self)(self.builder, self.tables)
        chosen = getattr(self, "_sklearn_output_config", None)  # what set_output was told
        return copy if chosen is None else copy.set_output(**chosen)
