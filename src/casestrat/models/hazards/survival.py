"""The risk of an outcome by each of several days, where other events compete and some people are lost sight of."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from casestrat.errors import UsageError
from casestrat.models.classifiers.design import design_matrix, learn_design
from casestrat.models.hazards.any_classifier import classifier_log_odds, learn_classifier
from casestrat.models.hazards.competing_risks import OUTCOME, supported_day
from casestrat.models.hazards.curves import CurveReader, curves_frame, incidence, shares
from casestrat.models.hazards.follow_up import FollowUpRows, FollowUpWarning, read_rows, read_waited
from casestrat.models.hazards.likelihood import Settings, parameter_draws
from casestrat.models.hazards.periods import choose_cuts, cut_follow_up, shape_within
from casestrat.models.hazards.shrinkage import fit_hazard
from casestrat.models.hazards.tables import baseline_table, check_settings, coefficient_table, design_reasons
from casestrat.models.inputs.features import names_of, read_features
from casestrat.models.inputs.sample_size import small_sample_note
from casestrat.models.measures.calibration import NoSignalWarning
from casestrat.models.measures.own_folds import NO_SIGNAL
from casestrat.tables.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from casestrat.models.classifiers.design import Design

_ROWS = 20_000  # rows whose curves are in memory at a time
_UNREST = "the regression did not come to rest: a feature may part the events wholly"
_NOBODY_LEFT = "nobody lived through the last days of follow-up: there everybody gets the same chances"


class HorizonRisk(BaseEstimator):  # type: ignore[misc]
    """Risk of an outcome by each horizon, with competing events, and given the time already waited.

    Follow-up is cut into intervals. In each, the odds of every event against living on are a level of the interval
    times what the features of the person make of it; the chances of all events are then put together, so that who has
    died is never counted as still to be admitted. Features are prepared as by :class:`RiskClassifier`.

    Within an interval, what happens on a day happens before somebody is last seen on it, and who is no longer seen
    hands the weight on to those who still are. Without features that tell people apart the risks are those of
    :func:`aalen_johansen`, to 1e-8, on every day.

    Parameters
    ----------
    horizons_days : sequence of float, default (90, 365)
        Days by which the risk is told, each above 0. One beyond the last day on which anybody was seen is told for that
        day, with a warning.
    C : float, default 0.1
        Inverse strength of the ridge penalty on the features, above 0; smaller shrinks more. Intervals are not shrunk.
    intervals : int, "events" or sequence of float, default 20
        How many intervals, ending where an equal share of all events has come, fewer where one would have under five;
        or one per distinct day of an event; or their last days. The horizons are always ends of intervals.
    baseline : {"steps", "smooth"}, default "steps"
        A level of its own for each interval, or a cubic curve in the logarithm of the day.
    splines : collection of str or "auto", default ()
        Numbers that get a curve instead of a line, as for :class:`RiskClassifier`.
    estimator : scikit-learn classifier, optional
        Learns each event against living on from the prepared features and four of the interval, on rows summed by
        pattern; it must take ``sample_weight``. Without it: logistic regression. Only this can explain itself.
    n_folds : int, default 5
        Folds of people by which the weights of each event are shrunk to what holds for people held out (their slope);
        the levels are then fitted again. 0 leaves them as the penalty has them.
    random_state : int, default 0
        Seed of the folds.

    Attributes
    ----------
    n_features_in_, feature_names_in_ : int, numpy.ndarray of str
        Number of features, and their names, where a DataFrame was given.
    kinds_ : list of str
        ``numeric``, ``text`` or ``unknown`` (all missing), one per feature.
    design_, dropped_ : list of dict, dict
        The columns of the design matrix; the features left out, with the reason.
    cuts_ : numpy.ndarray
        Last day of each interval; the first begins with day 0.
    levels_ : numpy.ndarray of shape (events, intervals)
        Log-odds of each event for the mean person; −inf where it never came.
    weights_ : numpy.ndarray of shape (events, columns)
        Weight of each column of the design, in log-odds.
    shrinkage_ : list of float
        The slope by which the weights of each event were multiplied; 1 without folds.
    supported_days_ : numpy.ndarray
        The day for which each horizon is told.
    last_day_ : float
        Last day on which anybody was seen.
    n_rows_, n_persons_, n_events_ : int, int, list of int
        What it was learned on; of the events the rows with each, the outcome first.
    warnings_ : list of str
        What a reader must know before trusting the risks.

    Examples
    --------
    >>> people = pd.DataFrame({"falls": [0, 1, 3] * 20})
    >>> model = HorizonRisk(horizons_days=(30, 60)).fit(people, [80, 50, 20] * 20, event=[0, 2, 1] * 20)
    >>> model.predict_risk(people.head(3)).round(2)
    horizon_days    30    60
    0             0.02  0.02
    1             0.12  0.12
    2             0.87  0.87
    """

    def __init__(
        self,
        horizons_days: Sequence[float] = (90, 365),
        *,
        C: float = 0.1,
        intervals: Any = 20,
        baseline: str = "steps",
        splines: Any = (),
        estimator: Any = None,
        n_folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.horizons_days = horizons_days
        self.C = C
        self.intervals = intervals
        self.baseline = baseline
        self.splines = splines
        self.estimator = estimator
        self.n_folds = n_folds
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.positive_only = True
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Any, days: Any, event: Any = None, groups: Any = None, sample_weight: Any = None) -> HorizonRisk:
        """Learn from people of whom it is known what happened first, or until when nothing had.

        Parameters
        ----------
        X : pandas.DataFrame or array of shape (n, features)
            One row per person and date. A frame may have no column: everybody then gets the same risk.
        days : array of shape (n,), or pandas.DataFrame
            Days from the date to the first event, or to the end of follow-up; 0 or more. Or a frame of labels with the
            columns ``days`` and ``event``. With an index it is that of X.
        event : array of shape (n,), optional
            0 censored, 1 the outcome, 2 and more what competes with it; without it everybody had the outcome.
        groups : array of shape (n,), optional
            The person of each row. Without it the index level ``person_id`` tells; without that, each row is a person.
        sample_weight : array of shape (n,), optional
            How often each row counts.

        Returns
        -------
        HorizonRisk
            Itself.

        Raises
        ------
        UsageError
            Days are missing, negative or infinite, a code is none, nobody had the outcome, or a setting lies outside
            its range.

        Warns
        -----
        FollowUpWarning
            A horizon lies beyond the last day on which anybody was seen.
        NoSignalWarning
            On people held out the features ordered nobody better than chance: everybody gets the mean risk.
        """
        check_settings(self.horizons_days, self.C, self.baseline, self.estimator, self.n_folds)
        rows = read_rows(self, X, days, event, groups, sample_weight)
        self.warnings_: list[str] = []
        self.kinds_ = [column.kind for column in rows.columns]
        self.n_rows_, self.n_persons_ = len(rows.days), rows.n_persons
        self.last_day_ = float(rows.days.max())
        self._learn_horizons(rows)
        matrix = self._learn_features(rows)
        self._learn_hazards(rows, matrix)
        self._note_sample(rows)
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the log-odds of the outcome's hazard against the mean person, the same in each interval.

        Parameters
        ----------
        X : pandas.DataFrame or array
            One row per person and date, the columns as in ``fit``.

        Returns
        -------
        numpy.ndarray
            One number per row of X; above 0 the outcome comes sooner.

        Raises
        ------
        UsageError
            An estimator of another kind was given: it has no such number.
        """
        self._check_additive("a hazard of its own")
        return np.asarray(self._matrix(X) @ self.weights_[OUTCOME - 1])

    def predict_risk(self, X: Any, waited_days: Any = None) -> pd.DataFrame:
        """Return the risk that the outcome comes first, within each horizon.

        Parameters
        ----------
        X : pandas.DataFrame or array
            One row per person and date, the columns as in ``fit``.
        waited_days : float or array of shape (n,), optional
            Days since the date of X in which nothing has happened yet; 0 or more. The horizons are then counted from
            the end of this time, and the risk is that of people to whom nothing has happened so far.

        Returns
        -------
        pandas.DataFrame
            One row per row of X, a column per horizon (its name is the number of days), 0 to 1. A horizon beyond
            ``last_day_`` is told up to that day; who has waited as long as it, or longer, gets no risk (NaN).

        Raises
        ------
        UsageError
            ``waited_days`` is missing somewhere, negative, or of another length or index.

        Warns
        -----
        FollowUpWarning
            Somebody has waited so long that a horizon ends beyond ``last_day_``.
        """
        check_is_fitted(self)
        index = X.index if isinstance(X, pd.DataFrame) else pd.RangeIndex(len(X))
        horizons = np.asarray(self.horizons_days, dtype="float64")
        waited = None if waited_days is None else read_waited(waited_days, index, self.last_day_ - horizons.max())
        reader, risk = self._reader(), np.empty((len(index), len(horizons)))
        for part, come in self._curves(self._matrix(X)):
            if waited is None:
                risk[part] = reader.from_start(come, self.supported_days_)
            else:
                risk[part] = reader.after(come, waited[part], horizons)
        return pd.DataFrame(risk, index=index, columns=pd.Index(self.horizons_days, name="horizon_days"))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the risk by the first horizon, in the form of a classifier.

        Parameters
        ----------
        X : pandas.DataFrame or array
            One row per person and date, the columns as in ``fit``.

        Returns
        -------
        numpy.ndarray of shape (n, 2)
            One row per row of X: probability without and with the outcome.
        """
        risk = self.predict_risk(X).to_numpy()[:, 0]
        return np.column_stack([1.0 - risk, risk])

    def cumulative_incidence(self, X: Any, times: Any = None) -> pd.DataFrame:
        """Return each person's curves: the chance of each event to have come first by each day.

        Parameters
        ----------
        X : pandas.DataFrame or array
            One row per person and date, the columns as in ``fit``.
        times : sequence of float, optional
            Days, 0 or more; without it the last days of the intervals. After ``last_day_`` curves stay as they are.

        Returns
        -------
        pandas.DataFrame
            One row per row of X and day: the levels of the index of X and ``day`` as index; ``event_1`` (the outcome)
            and a column for each competing event, none of which ever falls, and ``free``. They sum to 1.

        Raises
        ------
        UsageError
            A day is missing or below 0.
        """
        check_is_fitted(self)
        days = self.cuts_ if times is None else np.atleast_1d(np.asarray(times, dtype="float64"))
        if not (days >= 0).all():
            raise UsageError("times are days, 0 or more, none missing", where="times")
        index = X.index if isinstance(X, pd.DataFrame) else pd.RangeIndex(len(X))
        reader = self._reader()
        found = np.empty((len(index), len(days), len(self.levels_)))
        for part, come in self._curves(self._matrix(X)):
            for j, day in enumerate(days):
                found[part, j] = reader.read(come, np.full(len(come), day))
        return curves_frame(index, days, found)

    def explain(self, X: Any, top: int | None = None, features: Iterable[Any] | None = None) -> pd.DataFrame:
        """Break each person's log-odds of the outcome's hazard down by feature, against the mean person.

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
            value_is_missing, contribution. A person's contributions sum to ``decision_function``; a flag of
            missingness, a curve and all levels of a text count with their feature.

        Raises
        ------
        UsageError
            An estimator of another kind was given: its reasons would not be exact.
        """
        self._check_additive("exact reasons")
        columns = read_features(self, X, reset=False)
        index = X.index if isinstance(X, pd.DataFrame) else pd.RangeIndex(len(X))
        parts = self._matrix_of(columns, len(index)) * self.weights_[OUTCOME - 1]
        return design_reasons(index, parts, columns, names_of(self), self.design_, top=top, features=features)

    def risk_draws(
        self, X: Any, n_draws: int = 200, random_state: int = 0, horizon_days: float | None = None
    ) -> np.ndarray:
        """Draw each person's risk from what the learning left open.

        Levels and weights are drawn from their normal approximation, each event by itself; where persons have several
        rows, they are drawn whole.

        Parameters
        ----------
        X : pandas.DataFrame or array
            One row per person and date, the columns as in ``fit``.
        n_draws : int, default 200
            Number of draws, 1 or more.
        random_state : int, default 0
            Seed; the same gives the same draws.
        horizon_days : float, optional
            One of the horizons; without it the first.

        Returns
        -------
        numpy.ndarray of shape (n_draws, n)
            Risks.

        Raises
        ------
        UsageError
            The horizon is none of the model's, an estimator of another kind was given, or there are too many intervals.
        """
        self._check_additive("draws of the risk")
        horizons = [float(day) for day in self.horizons_days]
        if horizon_days is not None and float(horizon_days) not in horizons:
            raise UsageError(f"the horizons of the model are {horizons}; found {horizon_days}", where="horizon_days")
        if n_draws < 1:
            raise UsageError(f"n_draws is a number of draws, 1 or more; found {n_draws}", where="n_draws")
        place = 0 if horizon_days is None else horizons.index(float(horizon_days))
        day = np.array([self.supported_days_[place]])
        matrix, reader = self._matrix(X), self._reader()
        drawn = np.empty((n_draws, len(matrix)))
        draws = parameter_draws(self.levels_, self.weights_, self.covariance_, n_draws, random_state)
        for draw, (levels, weights) in enumerate(draws):
            for start in range(0, len(matrix), _ROWS):
                part = slice(start, start + _ROWS)
                log_odds = (matrix[part] @ weights.T)[:, :, None] + levels
                drawn[draw, part] = reader.from_start(incidence(shares(log_odds, self.fixed_)), day)[:, 0]
        return drawn

    @property
    def coefficients_(self) -> pd.DataFrame:
        """One row per event and column of the design: event, feature, part, level, weight, fill, mean, scale."""
        check_is_fitted(self)
        return coefficient_table(names_of(self), self.design_, self.weights_)

    @property
    def baseline_(self) -> pd.DataFrame:
        """One row per event and interval: event, from_day, to_day, n_events (seen), chance (of the mean person)."""
        check_is_fitted(self)
        chances = self._chances(np.zeros((1, len(self.design_))))[0]
        return baseline_table(self.cuts_, chances, self.interval_events_)

    @property
    def schema_(self) -> list[dict[str, str]]:
        """The features it takes, in order: name and kind."""
        check_is_fitted(self)
        return [{"name": name, "kind": kind} for name, kind in zip(names_of(self), self.kinds_, strict=True)]

    @property
    def fingerprint(self) -> str:
        """Hash of the settings and of all that was learned; of another estimator, of what it foretells."""
        check_is_fitted(self)
        left_out = {"stored_", "estimators_"}
        learned = {name: value for name, value in vars(self).items() if name.endswith("_") and name not in left_out}
        settings = self.get_params(deep=False)
        if self.estimators_:
            # made-up people: nobody's features are kept in a model
            probe = np.random.default_rng(0).standard_normal((32, len(self.design_)))
            learned["foretold"] = self._chances(probe).round(9)
            settings["estimator"] = {"class": type(self.estimator).__name__, "params": repr(self.estimator)}
        splines = settings["splines"]
        settings["splines"] = splines if isinstance(splines, str) else sorted(splines)
        return fingerprint_of({"class": type(self).__name__, "params": settings, "learned": learned})

    def _learn_horizons(self, rows: FollowUpRows) -> None:
        """Set the day for which each horizon is told, and say where it is an earlier one."""
        self.supported_days_ = np.array(
            [supported_day(rows.days, rows.event, float(day), rows.weight) for day in self.horizons_days]
        )
        for horizon, day in zip(self.horizons_days, self.supported_days_, strict=True):
            if day < horizon:
                note = f"horizon of {horizon:g} days: people were seen for {day:g} at most; the risk is up to there"
                self.warnings_.append(note)
                warnings.warn(note, FollowUpWarning, stacklevel=3)
            if not ((rows.event == OUTCOME) & (rows.days <= day)).any():
                self.warnings_.append(f"horizon of {horizon:g} days: nobody had the outcome by then; its risk is 0")

    def _learn_features(self, rows: FollowUpRows) -> np.ndarray:
        """Set the design, and return its matrix."""
        self.design_: Design = []
        self.dropped_: dict[str, str] = {}
        if rows.columns:
            self.design_, self.dropped_ = learn_design(
                rows.columns, names_of(self), weight=rows.weight, splines=self.splines
            )
        if not self.design_:
            self.warnings_.append("no feature tells people apart: everybody gets the incidence of all")
        return self._matrix_of(rows.columns, len(rows.days))

    def _learn_hazards(self, rows: FollowUpRows, matrix: np.ndarray) -> None:
        """Set cuts, levels and weights of each event, and the shape of the curves within the intervals."""
        cuts = choose_cuts(rows.days, rows.event, rows.weight, self.intervals, self.supported_days_)
        periods = cut_follow_up(rows.days, rows.event, rows.weight, cuts)
        n_events = int(rows.event.max())
        causes = range(1, n_events + 1)
        self.cuts_ = cuts
        self.days_, self.share_ = shape_within(rows.days, rows.event, rows.weight, cuts)
        self.interval_events_ = np.stack([periods.seen(k) for k in causes])
        self.n_events_ = [int((rows.event == k).sum()) for k in causes]
        self.fixed_ = periods.last_chances(n_events)
        if not np.isnan(self.fixed_).all():
            self.warnings_.append(_NOBODY_LEFT)
        smooth = self.baseline == "smooth" and bool(self.design_)
        settings = Settings(1.0 / self.C, smooth, rows.persons)
        n_folds = self.n_folds if self.estimator is None else 0
        found = [fit_hazard(periods, matrix, k, settings, n_folds, self.random_state) for k in causes]
        fits, self.shrinkage_ = [fit for fit, _ in found], [slope for _, slope in found]
        self.levels_ = np.stack([fit.levels for fit in fits])
        self.weights_ = np.stack([fit.weights for fit in fits])
        self.covariance_ = [fit.covariance for fit in fits]
        if self.shrinkage_[OUTCOME - 1] == 0:
            self.warnings_.append(NO_SIGNAL)
            warnings.warn(NO_SIGNAL, NoSignalWarning, stacklevel=3)
        if not all(fit.converged for fit in fits):
            self.warnings_.append(_UNREST)
        self.estimators_: list[Any] = []
        if self.estimator is not None and self.design_:
            self.estimators_ = [learn_classifier(self.estimator, periods, matrix, k) for k in causes]

    def _note_sample(self, rows: FollowUpRows) -> None:
        """Say where there are too few events for so many parameters."""
        note = small_sample_note(len(self.design_), self.n_events_[OUTCOME - 1], len(rows.days))
        if note:
            self.warnings_.append(note)

    def _check_additive(self, what: str) -> None:
        """Refuse what only the logistic form can give."""
        check_is_fitted(self)
        if self.estimators_:
            raise UsageError(
                f"{type(self.estimator).__name__} gives no {what}; only the logistic form does",
                where="estimator",
                do="fit HorizonRisk without an estimator",
            )

    def _matrix(self, X: Any) -> np.ndarray:
        """Return the design matrix of X."""
        check_is_fitted(self)
        return self._matrix_of(read_features(self, X, reset=False), len(X))

    def _matrix_of(self, columns: Any, n_rows: int) -> np.ndarray:
        """Return the design matrix of columns, of which there may be none."""
        return design_matrix(columns, names_of(self), self.design_) if self.design_ else np.empty((n_rows, 0))

    def _chances(self, matrix: np.ndarray) -> np.ndarray:
        """Return the chance of each event in each interval, for rows of the design."""
        if self.estimators_:
            return shares(classifier_log_odds(self.estimators_, matrix, self.cuts_), self.fixed_)
        return shares((matrix @ self.weights_.T)[:, :, None] + self.levels_, self.fixed_)

    def _curves(self, matrix: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Give rows with their incidence at the ends of the intervals."""
        for start in range(0, len(matrix), _ROWS):
            part = slice(start, start + _ROWS)
            yield part, incidence(self._chances(matrix[part]))

    def _reader(self) -> CurveReader:
        """Return what reads curves between the ends of the intervals."""
        return CurveReader(self.cuts_, self.days_, self.share_, self.interval_events_ > 0)
