"""The probability of an outcome within its horizon, by a logistic regression whose every step can be read."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted

from casestrat.errors import UsageError
from casestrat.models.calibration import NoSignalWarning, fit_calibrator, log_odds
from casestrat.models.design import design_matrix, learn_design
from casestrat.models.explanation import describe_items, reasons_frame
from casestrat.models.splits import PersonGroupedSplit, folds_for
from casestrat.models.training_data import names_of, persons_of, read_features, read_labels
from casestrat.tables.columns import TEXT
from casestrat.tables.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casestrat.models.inputs import Column


class RiskClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Risk of an outcome within its horizon: penalised logistic regression, calibrated on people held out.

    Numbers take the median where missing, with a flag of missingness, and are standardised; text and bands get one
    column a level, and a level not seen when learning counts as none. Constant and all-missing features are left out
    and recorded. Classes are never weighted: weights would spoil the calibration. The calibrating folds keep a person's
    rows together and are shuffled, so the order of the file does no harm.

    Parameters
    ----------
    C : float, default 0.1
        Inverse strength of the ridge penalty, above 0; smaller shrinks more.
    calibration : {"sigmoid", "none"}, default "sigmoid"
        A line on the log-odds, fitted on people held out; it keeps the reasons exact. Not done where a class has fewer
        than two people.
    n_folds : int, default 10
        Folds for the calibration, 2 or more; fewer are used where a class has fewer people. With few folds the models
        that are judged learn from fewer people than the one that is kept, and the line shrinks too much.
    random_state : int, default 0
        Seed of the shuffle of people into folds.

    Attributes
    ----------
    classes_ : numpy.ndarray
        The two labels, the outcome second.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : numpy.ndarray of str
        Their names, where a DataFrame was given.
    kinds_ : list of str
        ``numeric``, ``text`` or ``unknown`` (all missing), one per feature.
    design_ : list of dict
        The columns of the design matrix: feature, part, level, fill, mean, scale.
    weights_ : numpy.ndarray
        Calibrated weight of each column of the design, in log-odds.
    intercept_ : float
        Calibrated log-odds of the mean person.
    dropped_ : dict
        Features left out, with the reason.
    calibrator_ : dict
        kind, intercept, slope, slope_se, n_folds.
    n_rows_, n_persons_, n_events_ : int
        What it was learned on.

    Examples
    --------
    >>> people = pd.DataFrame({"falls": [0, 1, 3] * 20, "alone": [0.0, 1.0, None] * 20})
    >>> model = RiskClassifier().fit(people, [0, 0, 1] * 20)
    >>> [round(float(risk)) for risk in model.predict_proba(people.head(3))[:, 1]]
    [0, 0, 1]
    """

    def __init__(
        self, C: float = 0.1, *, calibration: str = "sigmoid", n_folds: int = 10, random_state: int = 0
    ) -> None:
        self.C = C
        self.calibration = calibration
        self.n_folds = n_folds
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Any, y: Any, groups: Any = None) -> RiskClassifier:
        """Learn from people whose outcome is known.

        Parameters
        ----------
        X : pandas.DataFrame or array of shape (n, features)
            One row per person and date.
        y : array of shape (n,)
            Two classes, no label missing; as a Series it has the index of X.
        groups : array of shape (n,), optional
            The person of each row. Without it the index level ``person_id`` tells; without that, each row is a person.

        Returns
        -------
        RiskClassifier
            Itself.

        Raises
        ------
        UsageError
            A label is missing, there is only one class, no feature varies, or the calibrator came out inverted.
        """
        self._check_parameters()
        columns = read_features(self, X, reset=True)
        labels = read_labels(self, X, y)
        self.classes_ = np.unique(labels)
        check_consistent_length(labels, columns[0].is_missing)
        persons = persons_of(X, groups, len(labels))
        check_consistent_length(labels, persons)
        event = labels == self.classes_[1]
        names = names_of(self)
        design, dropped = learn_design(columns, names)
        if not design:
            raise UsageError(f"no feature tells people apart: all {len(names)} are constant or missing")
        weights, intercept = self._regress(design_matrix(columns, names, design), event)
        line = self._calibrate(columns, event, persons)
        self.kinds_ = [column.kind for column in columns]
        self.design_, self.dropped_, self.calibrator_ = design, dropped, line
        self.weights_ = line["slope"] * weights
        self.intercept_ = float(line["intercept"] + line["slope"] * intercept)
        self.n_rows_, self.n_events_ = len(event), int(event.sum())
        self.n_persons_ = len(np.unique(pd.factorize(persons)[0]))
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the calibrated log-odds of the outcome.

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
        matrix = design_matrix(read_features(self, X, reset=False), names_of(self), self.design_)
        return np.asarray(self.intercept_ + matrix @ self.weights_)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the risk.

        Parameters
        ----------
        X : pandas.DataFrame or array
            One row per person and date, the columns as in ``fit``.

        Returns
        -------
        numpy.ndarray of shape (n, 2)
            One row per row of X: probability without and with the outcome.
        """
        risk = expit(self.decision_function(X))
        return np.column_stack([1.0 - risk, risk])

    def predict(self, X: Any) -> np.ndarray:
        """Return the likelier class; for case management use the risk and tiers instead.

        Parameters
        ----------
        X : pandas.DataFrame or array
            One row per person and date, the columns as in ``fit``.

        Returns
        -------
        numpy.ndarray
            One label per row of X.
        """
        likelier = self.decision_function(X) > 0
        return np.asarray(self.classes_[likelier.astype(int)])

    def explain(self, X: Any, top: int | None = None, features: Iterable[Any] | None = None) -> pd.DataFrame:
        """Break each person's log-odds down by feature, against the mean person that the model was learned on.

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
            One row per person, date and feature: the levels of the index of X, reason, item, domain, is_actionable,
            value_is_missing, contribution. A person's contributions sum to ``decision_function`` minus ``intercept_``;
            a flag of missingness and all levels of a text count with their feature.
        """
        check_is_fitted(self)
        columns, names = read_features(self, X, reset=False), names_of(self)
        parts = design_matrix(columns, names, self.design_) * self.weights_
        used = list(dict.fromkeys(part["feature"] for part in self.design_))
        gathers = np.array([[float(part["feature"] == feature) for feature in used] for part in self.design_])
        return reasons_frame(
            X.index if isinstance(X, pd.DataFrame) else pd.RangeIndex(len(parts)),
            parts @ gathers,
            describe_items([names[feature] for feature in used], features),
            is_missing=np.column_stack([columns[feature].is_missing for feature in used]),
            keep_zeros=True,
            top=top,
        )

    @property
    def coefficients_(self) -> pd.DataFrame:
        """One row per column of the design: feature, part, level, weight (log-odds), fill, mean, scale."""
        check_is_fitted(self)
        names = names_of(self)
        frame = pd.DataFrame(self.design_).assign(weight=self.weights_)
        frame["feature"] = [names[feature] for feature in frame["feature"]]
        frame = frame[["feature", "part", "level", "weight", "fill", "mean", "scale"]]
        return frame.astype(dict.fromkeys(("feature", "part", "level"), TEXT))

    @property
    def schema_(self) -> list[dict[str, str]]:
        """The features it takes, in order: name and kind."""
        check_is_fitted(self)
        return [{"name": name, "kind": kind} for name, kind in zip(names_of(self), self.kinds_, strict=True)]

    @property
    def fingerprint(self) -> str:
        """Hash of the settings and of all that was learned."""
        check_is_fitted(self)
        learned = {name: value for name, value in vars(self).items() if name.endswith("_") and name != "stored_"}
        plain = {name: v.tolist() if isinstance(v, np.ndarray) else v for name, v in learned.items()}
        return fingerprint_of({"class": type(self).__name__, "params": self.get_params(), "learned": plain})

    def _check_parameters(self) -> None:
        """Refuse settings outside their range."""
        if not self.C > 0:
            raise UsageError(f"C must be above 0; found {self.C}")
        if self.calibration not in {"sigmoid", "none"}:
            raise UsageError(f"calibration must be 'sigmoid' or 'none'; found {self.calibration!r}")
        if self.n_folds < 2:
            raise UsageError(f"n_folds must be 2 or more; found {self.n_folds}")

    def _regress(self, matrix: np.ndarray, event: np.ndarray) -> tuple[np.ndarray, float]:
        """Weights and intercept of the penalised regression."""
        base = LogisticRegression(C=self.C, solver="newton-cholesky", max_iter=200, tol=1e-8).fit(matrix, event)
        return base.coef_[0], float(base.intercept_[0])

    def _calibrate(self, columns: list[Column], event: np.ndarray, persons: Any) -> dict[str, Any]:
        """Return the calibrating line, from log-odds of people whom the regression of their fold had not seen."""
        n_folds = folds_for(self.n_folds, persons, event)
        if self.calibration == "none" or not n_folds:
            return {"kind": "none", "intercept": 0.0, "slope": 1.0, "slope_se": float("nan"), "n_folds": 0}
        held_out = np.empty(len(event))
        names = names_of(self)
        split = PersonGroupedSplit(n_folds, random_state=self.random_state)
        for learn, test in split.split(event, event, groups=persons):
            held_out[test] = self._foretell(columns, names, event, learn, test)
        line = fit_calibrator(held_out, event.astype(float))
        if line.slope == 0:
            warnings.warn(
                "no signal: on people held out the features ordered nobody better than chance; all get the mean risk",
                NoSignalWarning,
                stacklevel=3,
            )
        told = {"intercept": line.intercept, "slope": line.slope, "slope_se": line.slope_se}
        return {"kind": "sigmoid", **told, "n_folds": n_folds}

    def _foretell(
        self, columns: list[Column], names: list[str], event: np.ndarray, learn: np.ndarray, test: np.ndarray
    ) -> np.ndarray:
        """Log-odds of one fold by a regression on the others."""
        seen = [column.take(learn) for column in columns]
        design, _ = learn_design(seen, names)
        if not design or event[learn].all() or not event[learn].any():
            return np.full(len(test), log_odds(np.array(event[learn].mean())))
        weights, intercept = self._regress(design_matrix(seen, names, design), event[learn])
        unseen = design_matrix([column.take(test) for column in columns], names, design)
        return np.asarray(intercept + unseen @ weights)
