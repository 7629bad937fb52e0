"""The probability of an outcome within its horizon, by a logistic regression whose every step can be read."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from casestrat.errors import UsageError
from casestrat.models.classifiers.design import KNOTS_AT, design_matrix, learn_design
from casestrat.models.classifiers.ridge import ridge_logistic
from casestrat.models.explanation import describe_items, reasons_frame
from casestrat.models.inputs.features import names_of, read_features
from casestrat.models.inputs.rows import TrainingRows, read_training
from casestrat.models.inputs.sample_size import SmallSampleWarning, small_sample_note
from casestrat.models.inputs.threads import one_thread
from casestrat.models.measures.calibration import log_odds
from casestrat.models.measures.own_folds import (
    best_candidate,
    calibrate,
    check_calibration,
    foretell_held_out,
    line_draws,
    make_folds,
    not_calibrated,
    risk_of,
    warn_no_signal,
)
from casestrat.models.measures.posterior import normal_draws, posterior_covariance
from casestrat.tables.columns import TEXT
from casestrat.tables.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from casestrat.models.classifiers.design import Design

STRENGTHS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # tried by C="cv", the most cautious first


class RiskClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Risk of an outcome within its horizon: penalised logistic regression, calibrated on people held out.

    Numbers take the median where missing, with a flag of missingness, and are standardised; text and bands get one
    column a level, and a level not seen when learning counts as none. Constant and all-missing features are left out
    and recorded. The folds of calibration and of ``C="cv"`` keep a person's rows together and are shuffled, and rows
    are put in an order of their own first: how the file is sorted changes nothing.

    Parameters
    ----------
    C : float or "cv", default 0.1
        Inverse strength of the ridge penalty, above 0; smaller shrinks more. "cv": the one of .001 to 10 with the least
        deviance on people held out.
    splines : sequence of str or "auto", default ()
        Features whose risk may bend: they get a restricted cubic spline, straight at both ends. "auto": every number of
        ten distinct values or more.
    n_knots : int, default 4
        Knots of a spline, 3 to 7.
    calibration : {"sigmoid", "isotonic", "none"}, default "sigmoid"
        Sigmoid: a line on the log-odds, fitted on people held out; not done where a class has fewer than two people.
        Isotonic: steps, for 200 rows of each class or more. Reasons then sum to the log-odds before the steps, which
        never change who comes before whom but may set people equal.
    calibration_split : {"shuffled", "temporal"}, default "shuffled"
        Who is held out: persons at random, or, by the index level ``as_of``, later dates than those learned on.
    gap_days : int, optional
        Days until a label is known, needed by ``temporal``: what was not known by then is not learned on.
    n_folds : int, default 10
        Folds held out, 2 or more; fewer are used where a class has fewer people or the dates allow no more. With few
        folds the models that are judged learn from fewer people than the one that is kept, and the line shrinks too
        much.
    class_weight : dict or "balanced", optional
        How much the rows of a class count while the weights of features are learned. It falsifies risks, so it is
        refused where no calibration sets them right afterwards.
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
        The columns of the design matrix: feature, part, level, fill, mean, scale; of a spline, knots as well.
    weights_ : numpy.ndarray
        Calibrated weight of each column of the design, in log-odds.
    intercept_ : float
        Calibrated log-odds of the mean person.
    C_ : float
        The strength that was used.
    raw_ : numpy.ndarray
        Intercept and weights before the calibrating line.
    covariance_ : numpy.ndarray
        Their covariance.
    dropped_ : dict
        Features left out, with the reason.
    calibrator_ : dict
        kind, intercept, slope, slope_se, covariance, n_folds; of isotonic steps at and risk.
    n_rows_, n_persons_, n_events_ : int
        What it was learned on.
    warnings_ : list of str
        What to keep in mind: a small sample, no signal, no calibration.

    Examples
    --------
    >>> people = pd.DataFrame({"falls": [0, 1, 3] * 20, "alone": [0.0, 1.0, None] * 20})
    >>> model = RiskClassifier().fit(people, [0, 0, 1] * 20)
    >>> [round(float(risk)) for risk in model.predict_proba(people.head(3))[:, 1]]
    [0, 0, 1]
    """

    def __init__(
        self,
        C: float | str = 0.1,
        *,
        splines: Sequence[str] | str = (),
        n_knots: int = 4,
        calibration: str = "sigmoid",
        calibration_split: str = "shuffled",
        gap_days: int | None = None,
        n_folds: int = 10,
        class_weight: Mapping[Any, float] | str | None = None,
        random_state: int = 0,
    ) -> None:
        self.C = C
        self.splines = splines
        self.n_knots = n_knots
        self.calibration = calibration
        self.calibration_split = calibration_split
        self.gap_days = gap_days
        self.n_folds = n_folds
        self.class_weight = class_weight
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Any, y: Any, groups: Any = None, sample_weight: Any = None) -> RiskClassifier:
        """Learn from people whose outcome is known.

        Parameters
        ----------
        X : pandas.DataFrame or array of shape (n, features)
            One row per person and date.
        y : array of shape (n,)
            Two classes, no label missing; as a Series it has the index of X.
        groups : array of shape (n,), optional
            The person of each row. Without it the index level ``person_id`` tells; without that, each row is a person.
        sample_weight : array of shape (n,), optional
            How often each row counts, 0 or more: 2 is the same as the row twice, for the same person.

        Returns
        -------
        RiskClassifier
            Itself.

        Raises
        ------
        UsageError
            A label is missing, there is only one class, no feature varies, a setting cannot be used, or the calibrator
            came out inverted.
        """
        self._check_parameters()
        rows, self.classes_ = read_training(self, X, y, groups, sample_weight)
        self.design_, self.dropped_ = self._learn_design(rows)
        if not self.design_:
            raise UsageError(f"no feature tells people apart: all {self.n_features_in_} are constant or missing")
        self.kinds_ = [column.kind for column in rows.columns]
        self.n_rows_, self.n_events_ = len(rows.event), int(rows.event.sum())
        self.n_persons_ = len(np.unique(rows.persons))
        self.warnings_: list[str] = []
        self._warn_small()
        with one_thread():
            self.C_, self.calibrator_ = self._choose_and_calibrate(rows)
            self._learn_weights(rows)
        self.warnings_ += warn_no_signal(self.calibrator_)
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the log-odds of the outcome: calibrated, unless the calibration is isotonic, whose steps come after.

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
        return np.asarray(self.intercept_ + self._matrix(X) @ self.weights_)

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
        risk = risk_of(self.decision_function(X), self.calibrator_)
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
        likelier = self.predict_proba(X)[:, 1] > 0.5
        return np.asarray(self.classes_[likelier.astype(int)])

    def risk_draws(self, X: Any, n_draws: int = 200, random_state: int = 0) -> np.ndarray:
        """Draw risks that fit what was learned about as well: how far each person's risk can be trusted.

        Weights are drawn from the normal approximation of their posterior (persons with several rows count as one
        source), and the calibrating line from its own. A draw is one world: the risks of two people move together in
        it.

        Parameters
        ----------
        X : pandas.DataFrame or array
            One row per person and date, the columns as in ``fit``.
        n_draws : int, default 200
            How many, 1 or more.
        random_state : int, default 0
            Seed: the same draws each time, whoever is in X.

        Returns
        -------
        numpy.ndarray of shape (n_draws, n)
            Risks, one column per row of X.

        Raises
        ------
        UsageError
            The calibration is isotonic: its steps have no such draws.
        """
        matrix = self._matrix(X)
        if n_draws < 1:
            raise UsageError(f"n_draws must be 1 or more; found {n_draws}")
        if self.calibrator_["kind"] == "isotonic":
            raise UsageError(
                "isotonic calibration has no draws of its own", do="fit BootstrapEnsemble(RiskClassifier(...)) instead"
            )
        noise = np.random.default_rng(random_state).standard_normal((n_draws, len(self.raw_) + 2))
        line = line_draws(self.calibrator_, noise[:, :2])
        raw = normal_draws(self.raw_, self.covariance_, noise[:, 2:])
        # the line sets the level anew, so its draws carry what is not known of the level
        level = raw[:, 0] if self.calibrator_["kind"] == "none" else np.full(n_draws, self.raw_[0])
        return np.asarray(expit(line[:, :1] + line[:, 1:] * (level[:, None] + raw[:, 1:] @ matrix.T)))

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
        if self.C != "cv" and (isinstance(self.C, str) or not self.C > 0):
            raise UsageError(f"C must be above 0, or 'cv'; found {self.C!r}")
        if self.n_knots not in KNOTS_AT:
            raise UsageError(f"n_knots must be 3 to 7; found {self.n_knots}")
        check_calibration(self.calibration, self.calibration_split, self.n_folds, self.gap_days)
        if self.class_weight is not None and self.calibration == "none":
            raise UsageError(
                "class_weight falsifies the risks, and calibration='none' would leave them so",
                do="use calibration='sigmoid', or no class_weight",
            )

    def _learn_design(self, rows: TrainingRows) -> tuple[Design, dict[str, str]]:
        """Decide the columns of the design on these rows."""
        return learn_design(
            rows.columns, names_of(self), weight=rows.weight, splines=self.splines, n_knots=self.n_knots
        )

    def _matrix(self, X: Any) -> np.ndarray:
        """Return the design matrix of people to score."""
        check_is_fitted(self)
        return design_matrix(read_features(self, X, reset=False), names_of(self), self.design_)

    def _warn_small(self) -> None:
        """Say that there are too few events; aloud where there are fewer than parameters."""
        n_parameters = len(self.design_)
        note = small_sample_note(n_parameters, self.n_events_, self.n_rows_)
        if note is None:
            return
        self.warnings_.append(note)
        if min(self.n_events_, self.n_rows_ - self.n_events_) < n_parameters:
            warnings.warn(note, SmallSampleWarning, stacklevel=3)

    def _choose_and_calibrate(self, rows: TrainingRows) -> tuple[float, dict[str, Any]]:
        """Return the strength of the penalty and the calibrator, both judged on people held out."""
        strengths = STRENGTHS if self.C == "cv" else (float(self.C),)
        if self.calibration == "none" and len(strengths) == 1:
            return strengths[0], not_calibrated()
        folds = make_folds(rows, self.calibration_split, self.n_folds, self.gap_days, self.random_state)
        if not folds:
            return self._without_folds(strengths)
        held_out = foretell_held_out(rows, folds, lambda learn, test: self._foretell(learn, test, strengths))
        best = best_candidate(held_out, rows)
        if self.calibration == "none":
            return strengths[best], not_calibrated()
        return strengths[best], calibrate(held_out[:, best], rows, self.calibration, len(folds))

    def _without_folds(self, strengths: Sequence[float]) -> tuple[float, dict[str, Any]]:
        """Do without people held out, where a class has fewer than two, or refuse what cannot do without."""
        asked = {"class_weight": self.class_weight is not None, "isotonic": self.calibration == "isotonic"}
        asked["C='cv'"] = self.C == "cv"
        if any(asked.values()):
            names = ", ".join(name for name, is_asked in asked.items() if is_asked)
            raise UsageError(f"{names} needs two people of each class or more, and a class has fewer")
        if self.calibration != "none":
            self.warnings_.append("not calibrated: a class has fewer than two people")
        return strengths[0], not_calibrated()

    def _learn_weights(self, rows: TrainingRows) -> None:
        """Learn the weights on all rows, and put the calibrating line into them."""
        whole = _with_ones(design_matrix(rows.columns, names_of(self), self.design_))
        weight, penalty = self._class_weighted(rows), _penalty(whole, self.C_)
        self.raw_ = ridge_logistic(whole, rows.event, weight, penalty)
        self.covariance_ = posterior_covariance(
            whole, expit(whole @ self.raw_), rows.event.astype(float), weight, penalty, rows.persons
        )
        self.weights_ = self.calibrator_["slope"] * self.raw_[1:]
        self.intercept_ = float(self.calibrator_["intercept"] + self.calibrator_["slope"] * self.raw_[0])

    def _class_weighted(self, rows: TrainingRows) -> np.ndarray:
        """How often each row counts, the weight of its class included."""
        if self.class_weight is None:
            return rows.weight
        if self.class_weight == "balanced":
            total = rows.weight.sum()
            of_event = rows.weight[rows.event].sum()
            return np.asarray(
                rows.weight * np.where(rows.event, total / (2 * of_event), total / (2 * (total - of_event)))
            )
        if isinstance(self.class_weight, str):
            raise UsageError(f"class_weight is 'balanced' or a weight per class; found {self.class_weight!r}")
        lower, upper = (float(self.class_weight.get(label, 1.0)) for label in self.classes_.tolist())
        if not (lower > 0 and upper > 0):
            raise UsageError("class_weight gives each class a number above 0")
        return np.asarray(rows.weight * np.where(rows.event, upper, lower))

    def _foretell(self, learn: TrainingRows, test: TrainingRows, strengths: Sequence[float]) -> np.ndarray:
        """Log-odds of one fold by regressions on the others, one column a strength."""
        design, _ = self._learn_design(learn)
        if not design or learn.event.all() or not learn.event.any():
            mean = np.average(learn.event, weights=learn.weight)
            return np.full((len(test.event), len(strengths)), log_odds(np.array(mean)))
        names = names_of(self)
        seen, unseen = (_with_ones(design_matrix(rows.columns, names, design)) for rows in (learn, test))
        weight = self._class_weighted(learn)
        fits = [ridge_logistic(seen, learn.event, weight, _penalty(seen, strength)) for strength in strengths]
        return np.asarray(unseen @ np.column_stack(fits))


def _with_ones(matrix: np.ndarray) -> np.ndarray:
    """Return a design with the column of the intercept before it."""
    return np.column_stack([np.ones(len(matrix)), matrix])


def _penalty(matrix: np.ndarray, strength: float) -> np.ndarray:
    """Return what each coefficient costs; the intercept costs nothing."""
    penalty = np.full(matrix.shape[1], 1 / strength)
    penalty[0] = 0.0
    return penalty
