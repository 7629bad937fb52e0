"""How far each person's risk can be trusted: draws of any model, and the intervals that come of them."""

from __future__ import annotations

import warnings
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted

from casestrat.errors import UsageError
from casestrat.models.classifiers.classifier import RiskClassifier
from casestrat.models.inputs.features import persons_of, read_features, read_labels
from casestrat.models.inputs.rows import rank_rows, read_weights
from casestrat.models.inputs.sample_size import SmallSampleWarning
from casestrat.models.measures.bootstrap import PersonDraws
from casestrat.models.measures.calibration import NoSignalWarning
from casestrat.tables.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TRIES = 20  # draws of persons for each that holds both classes: at least every second one does


def risk_interval(draws: Any, level: float = 0.9) -> pd.DataFrame:
    """Return the interval of each person's risk from draws.

    Parameters
    ----------
    draws : array of shape (n_draws, n)
        What ``risk_draws`` of a model returned.
    level : float, default 0.9
        Share of the draws inside, above 0 and below 1. ``rank_uncertainty`` reads risk_low and risk_high as 5–95 %.

    Returns
    -------
    pandas.DataFrame
        One row per column of ``draws``: risk_low, risk_high, as many draws below the one as above the other.

    Raises
    ------
    UsageError
        The draws are no table of finite numbers, or the level lies outside its range.

    Examples
    --------
    >>> risk_interval([[0.1, 0.5], [0.2, 0.5], [0.3, 0.8]], level=0.5)
       risk_low  risk_high
    0      0.15       0.25
    1      0.50       0.65
    """
    table = np.asarray(draws, dtype="float64")
    if table.ndim != 2 or not len(table) or not np.isfinite(table).all():
        raise UsageError(f"expected draws by people, all finite; found an array of shape {table.shape}")
    if not 0 < level < 1:
        raise UsageError(f"level lies above 0 and below 1; found {level}")
    low, high = np.quantile(table, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return pd.DataFrame({"risk_low": low, "risk_high": high})


class BootstrapEnsemble(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A model with as many copies, each learned on persons drawn anew, whose spread tells how far to trust it.

    Risk, reasons and classes are those of the model learned on everybody. A person is drawn with all rows, and counts
    as often as drawn. For models without draws of their own, such as :class:`casestrat.models.ChallengerClassifier`.

    Parameters
    ----------
    estimator : estimator, optional
        What is learned; it takes ``sample_weight``. Without it a :class:`casestrat.RiskClassifier`.
    n_draws : int, default 100
        How many copies, 2 or more.
    random_state : int, default 0
        Seed of the draws of persons.

    Attributes
    ----------
    model_ : estimator
        Learned on everybody.
    members_ : list of estimators
        The copies.
    classes_ : numpy.ndarray
        The two labels, the outcome second.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : numpy.ndarray of str
        Their names, where a DataFrame was given.

    Examples
    --------
    >>> people = pd.DataFrame({"falls": [0, 1, 3] * 20})
    >>> ensemble = BootstrapEnsemble(n_draws=5).fit(people, [0, 0, 1] * 20)
    >>> ensemble.risk_draws(people.head(3), n_draws=5).shape
    (5, 3)
    """

    def __init__(self, estimator: Any = None, n_draws: int = 100, *, random_state: int = 0) -> None:
        self.estimator = estimator
        self.n_draws = n_draws
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Any, y: Any, groups: Any = None, sample_weight: Any = None) -> BootstrapEnsemble:
        """Learn from people whose outcome is known, and again from each draw of them.

        Parameters
        ----------
        X : pandas.DataFrame or array of shape (n, features)
            One row per person and date.
        y : array of shape (n,)
            Two classes, no label missing; as a Series it has the index of X.
        groups : array of shape (n,), optional
            The person of each row. Without it the index level ``person_id`` tells; without that, each row is a person.
        sample_weight : array of shape (n,), optional
            How often each row counts, 0 or more.

        Returns
        -------
        BootstrapEnsemble
            Itself.

        Raises
        ------
        UsageError
            As of the model, or ``n_draws`` is below 2.
        """
        if self.n_draws < 2:
            raise UsageError(f"n_draws must be 2 or more; found {self.n_draws}")
        columns = read_features(self, X, reset=True)
        labels = read_labels(self, X, y)
        weight = read_weights(sample_weight, len(labels))
        base = RiskClassifier() if self.estimator is None else self.estimator
        self.model_ = clone(base).fit(X, y, groups=groups, sample_weight=sample_weight)
        self.classes_ = self.model_.classes_
        is_named = groups is not None or (isinstance(X, pd.DataFrame) and "person_id" in X.index.names)
        event = labels == self.classes_[1]
        persons = persons_of(X, groups, len(labels)) if is_named else rank_rows(columns, event, weight)
        self.members_ = []
        with warnings.catch_warnings():  # what the model said of itself need not be said again of each copy
            warnings.simplefilter("ignore", NoSignalWarning)
            warnings.simplefilter("ignore", SmallSampleWarning)
            for times in islice(self._draws(persons, event, weight), self.n_draws):
                used = np.flatnonzero(times > 0)
                some = X.iloc[used] if isinstance(X, pd.DataFrame) else np.asarray(X)[used]
                member = clone(base).fit(
                    some, labels[used], groups=np.asarray(persons)[used], sample_weight=times[used]
                )
                self.members_.append(member)
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the log-odds of the outcome by the model learned on everybody.

        Parameters
        ----------
        X : pandas.DataFrame or array
            One row per person and date, the columns as in ``fit``.

        Returns
        -------
        numpy.ndarray
            One number per row of X.
        """
        check_is_fitted(self)
        return np.asarray(self.model_.decision_function(X))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the risk by the model learned on everybody.

        Parameters
        ----------
        X : pandas.DataFrame or array
            One row per person and date, the columns as in ``fit``.

        Returns
        -------
        numpy.ndarray of shape (n, 2)
            One row per row of X: probability without and with the outcome.
        """
        check_is_fitted(self)
        return np.asarray(self.model_.predict_proba(X))

    def predict(self, X: Any) -> np.ndarray:
        """Return the likelier class by the model learned on everybody.

        Parameters
        ----------
        X : pandas.DataFrame or array
            One row per person and date, the columns as in ``fit``.

        Returns
        -------
        numpy.ndarray
            One label per row of X.
        """
        check_is_fitted(self)
        return np.asarray(self.model_.predict(X))

    def risk_draws(self, X: Any, n_draws: int = 200, random_state: int = 0) -> np.ndarray:
        """Return the risks by copies of the model; each draw is one copy.

        Parameters
        ----------
        X : pandas.DataFrame or array
            One row per person and date, the columns as in ``fit``.
        n_draws : int, default 200
            How many, 1 or more; where there are fewer copies each stands several times.
        random_state : int, default 0
            Seed of the order of the copies.

        Returns
        -------
        numpy.ndarray of shape (n_draws, n)
            Risks, one column per row of X.

        Raises
        ------
        UsageError
            ``n_draws`` is below 1.
        """
        check_is_fitted(self)
        if n_draws < 1:
            raise UsageError(f"n_draws must be 1 or more; found {n_draws}")
        chosen = np.resize(np.random.default_rng(random_state).permutation(len(self.members_)), n_draws)
        risks = {number: self.members_[number].predict_proba(X)[:, 1] for number in np.unique(chosen)}
        return np.stack([risks[number] for number in chosen])

    def explain(self, X: Any, top: int | None = None, features: Iterable[Any] | None = None) -> pd.DataFrame:
        """Break each person's log-odds down by feature, by the model learned on everybody.

        Parameters
        ----------
        X : pandas.DataFrame or array
            One row per person and date, the columns as in ``fit``.
        top : int, optional
            Keep only this many features of each person, the greatest first; without it all are kept.
        features : iterable, optional
            The program's features, or their definitions: they give domain and is_actionable.

        Returns
        -------
        pandas.DataFrame
            One row per person, date and feature, as of the model.
        """
        check_is_fitted(self)
        reasons: pd.DataFrame = self.model_.explain(X, top=top, features=features)
        return reasons

    @property
    def intercept_(self) -> float:
        """Log-odds of the mean person, to which the reasons are added."""
        check_is_fitted(self)
        return float(self.model_.intercept_)

    @property
    def warnings_(self) -> list[str]:
        """What to keep in mind of the model learned on everybody."""
        check_is_fitted(self)
        return list(self.model_.warnings_)

    @property
    def schema_(self) -> list[dict[str, str]]:
        """The features it takes, in order: name and kind."""
        check_is_fitted(self)
        schema: list[dict[str, str]] = self.model_.schema_
        return schema

    @property
    def fingerprint(self) -> str:
        """Hash of the model and of all its copies."""
        check_is_fitted(self)
        parts = [self.model_.fingerprint, *(member.fingerprint for member in self.members_)]
        return fingerprint_of({"class": type(self).__name__, "seed": self.random_state, "models": parts})

    def _draws(self, persons: Any, event: np.ndarray, weight: np.ndarray) -> Iterator[np.ndarray]:
        """How often each row counts in each draw that holds both classes."""
        for times in PersonDraws(persons, len(event), self.n_draws * _TRIES, self.random_state)():
            weighted = times * weight
            if weighted[event].any() and weighted[~event].any():
                yield weighted
