"""Boosted trees, small and monotone, that challenge the logistic regression, kept as tables that can be read."""

from __future__ import annotations

import warnings
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.utils.validation import check_is_fitted

from casestrat.errors import UsageError
from casestrat.models.classifiers.effects import main_effects, pair_effects
from casestrat.models.explanation import describe_items, reasons_frame
from casestrat.models.inputs.bins import code_of, learn_bins, n_codes
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
    make_folds,
    not_calibrated,
    risk_of,
    warn_no_signal,
)
from casestrat.tables.columns import TEXT
from casestrat.tables.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_WAYS = {"higher": 1, "lower": -1, "either": 0, 1: 1, -1: -1, 0: 0}
_STEP = 5  # trees between two sizes that are tried


class ChallengerClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Risk of an outcome by small boosted trees: what a flexible model would gain over the logistic regression.

    Each tree looks at one feature (with ``interactions``, at two), so that the whole is a sum of one table a feature
    (and one a pair), read off the trees exactly. The tables are the model: they are stored, they score, and reasons are
    exact. Numbers are put into a few bins, text into its levels; a level not seen when learning counts as missing. The
    number of trees and the calibration are judged on people held out, a person's rows together.

    Parameters
    ----------
    directions : dict, optional
        Feature → 1 or "higher" (a higher value never lowers the risk), −1 or "lower" (a lower value never lowers it),
        0 or "either"; see :func:`casestrat.models.worse_directions`.
    interactions : bool, default False
        Whether two features may act together. Reasons then give half of what a pair adds to each of its features.
    max_trees : int, default 150
        The most trees; fewer are kept where they do better on people held out.
    learning_rate : float, default 0.1
        How much of each tree counts, above 0 and up to 1.
    max_leaf_nodes : int, default 6
        Leaves of a tree, 2 or more.
    min_rows : int, default 20
        The fewest rows of a leaf.
    l2 : float, default 1.0
        Ridge on the leaves, 0 or more.
    max_bins : int, default 32
        Bins of a number, 2 to 255.
    calibration : {"sigmoid", "isotonic", "none"}, default "sigmoid"
        As of :class:`casestrat.RiskClassifier`.
    calibration_split : {"shuffled", "temporal"}, default "shuffled"
        As of :class:`casestrat.RiskClassifier`.
    gap_days : int, optional
        Days until a label is known, needed by ``temporal``.
    n_folds : int, default 5
        Folds held out, 2 or more.
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
    bins_ : list of dict
        feature, and edges or levels.
    effects_ : list of numpy.ndarray
        What each bin of a feature adds to the log-odds, missing last; 0 on average.
    pairs_ : list of dict
        Of two features that act together: first, second (positions in ``bins_``), effect (bins by bins).
    intercept_ : float
        Calibrated log-odds of the mean person.
    n_trees_ : int
        Trees that the tables add up.
    dropped_ : dict
        Features left out, with the reason.
    calibrator_ : dict
        As of :class:`casestrat.RiskClassifier`.
    n_rows_, n_persons_, n_events_ : int
        What it was learned on.
    warnings_ : list of str
        What to keep in mind: a small sample, no signal, no calibration.

    Examples
    --------
    >>> people = pd.DataFrame({"falls": [0, 1, 3, 0] * 30, "setting": ["home", None, "hospital", "home"] * 30})
    >>> model = ChallengerClassifier(directions={"falls": "higher"}).fit(people, [0, 0, 1, 0] * 30)
    >>> [round(float(risk)) for risk in model.predict_proba(people.head(3))[:, 1]]
    [0, 0, 1]
    """

    def __init__(
        self,
        *,
        directions: Mapping[str, Any] | None = None,
        interactions: bool = False,
        max_trees: int = 150,
        learning_rate: float = 0.1,
        max_leaf_nodes: int = 6,
        min_rows: int = 20,
        l2: float = 1.0,
        max_bins: int = 32,
        calibration: str = "sigmoid",
        calibration_split: str = "shuffled",
        gap_days: int | None = None,
        n_folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.directions = directions
        self.interactions = interactions
        self.max_trees = max_trees
        self.learning_rate = learning_rate
        self.max_leaf_nodes = max_leaf_nodes
        self.min_rows = min_rows
        self.l2 = l2
        self.max_bins = max_bins
        self.calibration = calibration
        self.calibration_split = calibration_split
        self.gap_days = gap_days
        self.n_folds = n_folds
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Any, y: Any, groups: Any = None, sample_weight: Any = None) -> ChallengerClassifier:
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
            How often each row counts, 0 or more; whole numbers are the same as repeated rows.

        Returns
        -------
        ChallengerClassifier
            Itself.

        Raises
        ------
        UsageError
            A label is missing, there is only one class, no feature varies, a setting cannot be used, or the calibrator
            came out inverted.
        """
        self._check_parameters()
        rows, self.classes_ = read_training(self, X, y, groups, sample_weight)
        names = names_of(self)
        self.kinds_ = [column.kind for column in rows.columns]
        self.bins_, self.dropped_ = learn_bins(rows.columns, names, rows.weight, self.max_bins)
        if not self.bins_:
            raise UsageError(f"no feature tells people apart: all {self.n_features_in_} are constant or missing")
        ways = self._ways(names)
        self.n_rows_, self.n_events_ = len(rows.event), int(rows.event.sum())
        self.n_persons_ = len(np.unique(rows.persons))
        self.warnings_: list[str] = []
        self._warn_small()
        with one_thread():
            self.n_trees_, self.calibrator_ = self._choose_and_calibrate(rows, ways)
            self._read_tables(self._boost(rows, self.n_trees_, ways), rows)
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
        return np.asarray(self.intercept_ + self._contributions(self._codes(X)).sum(axis=1))

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
        """Refuse: trees have no draws of their own, and a bootstrap of them is fitted where it is asked for.

        Parameters
        ----------
        X : pandas.DataFrame or array
            Not used.
        n_draws : int, default 200
            Not used.
        random_state : int, default 0
            Not used.

        Returns
        -------
        numpy.ndarray
            Never.

        Raises
        ------
        UsageError
            Always.
        """
        check_is_fitted(self)
        raise UsageError(
            "boosted trees hold no draws of their risk", do="fit BootstrapEnsemble(ChallengerClassifier(...)) instead"
        )

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
            half of what two features add together counts with each of them.
        """
        codes = self._codes(X)
        names = names_of(self)
        return reasons_frame(
            X.index if isinstance(X, pd.DataFrame) else pd.RangeIndex(len(codes)),
            self._contributions(codes),
            describe_items([names[one["feature"]] for one in self.bins_], features),
            is_missing=codes == np.array([n_codes(one) for one in self.bins_]),
            keep_zeros=True,
            top=top,
        )

    @property
    def shapes_(self) -> pd.DataFrame:
        """One row per feature and bin: feature, bin (in words), effect in log-odds."""
        check_is_fitted(self)
        names = names_of(self)
        parts = [
            pd.DataFrame({"feature": names[one["feature"]], "bin": _words(one), "effect": effect})
            for one, effect in zip(self.bins_, self.effects_, strict=True)
        ]
        return pd.concat(parts, ignore_index=True).astype({"feature": TEXT, "bin": TEXT})

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
        ranges = {
            "max_trees": (1, 10_000), "learning_rate": (1e-6, 1), "max_leaf_nodes": (2, 1_000),
            "min_rows": (1, 1_000_000), "l2": (0, 1e9), "max_bins": (2, 255),
        }  # fmt: skip
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise UsageError(f"{name} must be {low:g} to {high:g}; found {getattr(self, name)}")
        check_calibration(self.calibration, self.calibration_split, self.n_folds, self.gap_days)

    def _ways(self, names: list[str]) -> list[int]:
        """Return 1, −1 or 0 for each feature with bins."""
        given = dict(self.directions or {})
        strangers = sorted(str(name) for name in given if name not in names)
        if strangers:
            raise UsageError(f"a direction is given for what is no feature: {', '.join(strangers)}", where="directions")
        for name, way in given.items():
            if way not in _WAYS:
                raise UsageError(
                    f"a direction is 'higher', 'lower' or 'either'; found {way!r}", where=f"feature {name}"
                )
            if self.kinds_[names.index(name)] == "text" and _WAYS[way]:
                raise UsageError("a direction is given for text, which has no order", where=f"feature {name}")
        return [_WAYS[given.get(names[one["feature"]], 0)] for one in self.bins_]

    def _warn_small(self) -> None:
        """Say that there are too few events; aloud where there are fewer than parameters."""
        # a tree can tell so many bins of a feature apart as it has leaves
        n_parameters = sum(min(n_codes(one), self.max_leaf_nodes) - 1 or 1 for one in self.bins_)
        note = small_sample_note(n_parameters, self.n_events_, self.n_rows_)
        if note is None:
            return
        self.warnings_.append(note)
        if min(self.n_events_, self.n_rows_ - self.n_events_) < len(self.bins_):
            warnings.warn(note, SmallSampleWarning, stacklevel=3)

    def _codes(self, X: Any) -> np.ndarray:
        """Return the bin of each value of the features with bins, rows by features."""
        check_is_fitted(self)
        return self._codes_of(read_features(self, X, reset=False))

    def _codes_of(self, columns: list[Any]) -> np.ndarray:
        names = names_of(self)
        parts = [code_of(one, columns[one["feature"]], names[one["feature"]]) for one in self.bins_]
        return np.column_stack(parts)

    def _contributions(self, codes: np.ndarray) -> np.ndarray:
        """Return what each feature adds to the log-odds of each row."""
        parts = np.column_stack([effect[codes[:, j]] for j, effect in enumerate(self.effects_)])
        for pair in self.pairs_:
            half = pair["effect"][codes[:, pair["first"]], codes[:, pair["second"]]] / 2
            parts[:, pair["first"]] += half
            parts[:, pair["second"]] += half
        return parts

    def _choose_and_calibrate(self, rows: TrainingRows, ways: list[int]) -> tuple[int, dict[str, Any]]:
        """Return the number of trees and the calibrator, both judged on people held out."""
        folds = make_folds(rows, self.calibration_split, self.n_folds, self.gap_days, self.random_state)
        sizes = [*range(_STEP, self.max_trees, _STEP), self.max_trees]
        if not folds:
            if self.calibration == "isotonic":
                raise UsageError("isotonic needs two people of each class or more, and a class has fewer")
            if self.calibration != "none":
                self.warnings_.append("not calibrated: a class has fewer than two people")
            return sizes[0], not_calibrated()
        held_out = foretell_held_out(rows, folds, lambda learn, test: self._foretell(learn, test, sizes, ways))
        best = best_candidate(held_out, rows)
        if self.calibration == "none":
            return sizes[best], not_calibrated()
        return sizes[best], calibrate(held_out[:, best], rows, self.calibration, len(folds))

    def _foretell(self, learn: TrainingRows, test: TrainingRows, sizes: list[int], ways: list[int]) -> np.ndarray:
        """Log-odds of one fold by trees learned on the others, one column a number of trees."""
        if learn.event.all() or not learn.event.any():
            mean = np.average(learn.event, weights=learn.weight)
            return np.full((len(test.event), len(sizes)), log_odds(np.array(mean)))
        trees = self._boost(learn, self.max_trees, ways)
        kept = set(sizes)
        staged = trees.staged_decision_function(_as_floats(self._codes_of(test.columns), self.bins_))
        return np.column_stack([score for count, score in enumerate(staged, start=1) if count in kept])

    def _boost(self, rows: TrainingRows, n_trees: int, ways: list[int]) -> HistGradientBoostingClassifier:
        """Grow trees on the bins."""
        codes, event, weight = self._codes_of(rows.columns), rows.event, rows.weight
        if (weight == np.round(weight)).all() and (weight != 1).any():
            times = weight.astype(int)  # so that the fewest rows of a leaf count them as what they stand for
            codes, event, weight = np.repeat(codes, times, axis=0), np.repeat(event, times), np.ones(times.sum())
        trees = HistGradientBoostingClassifier(
            learning_rate=self.learning_rate, max_iter=n_trees, max_leaf_nodes=self.max_leaf_nodes, max_depth=None,
            min_samples_leaf=self.min_rows, l2_regularization=self.l2, early_stopping=False, max_bins=255,
            categorical_features=[j for j, one in enumerate(self.bins_) if "levels" in one],
            monotonic_cst=ways, interaction_cst="pairwise" if self.interactions else "no_interactions",
            random_state=self.random_state,
        )  # fmt: skip
        return trees.fit(_as_floats(codes, self.bins_), event, sample_weight=weight)

    def _read_tables(self, trees: HistGradientBoostingClassifier, rows: TrainingRows) -> None:
        """Read the tables off the trees, calibrated and centred on the mean person."""
        sizes = [n_codes(one) for one in self.bins_]
        codes = self._codes_of(rows.columns)

        def score(some: np.ndarray) -> np.ndarray:
            return np.asarray(trees.decision_function(_as_floats(some, self.bins_)))

        base, mains = main_effects(score, sizes)
        pairs = pair_effects(score, sizes, base, mains) if self.interactions else []
        slope = self.calibrator_["slope"]
        level = base
        self.effects_ = []
        for j, effect in enumerate(mains):
            mean = np.average(effect[codes[:, j]], weights=rows.weight)
            self.effects_.append(np.round(slope * (effect - mean), 10) + 0.0)
            level += mean
        self.pairs_: list[dict[str, Any]] = []
        for first, second, effect in pairs:
            mean = np.average(effect[codes[:, first], codes[:, second]], weights=rows.weight)
            table = np.round(slope * (effect - mean), 10) + 0.0
            self.pairs_.append({"first": first, "second": second, "effect": table})
            level += mean
        self.intercept_ = float(np.round(self.calibrator_["intercept"] + slope * level, 10))


def worse_directions(program: Any) -> dict[str, str]:
    """Return which way each of a program's features means more need, where it says so.

    Parameters
    ----------
    program : Program
        Its features say ``worse``.

    Returns
    -------
    dict of str to str
        Feature → "higher" or "lower", for ``ChallengerClassifier(directions=…)``.

    Examples
    --------
    >>> from casestrat.knowledge import load_program
    >>> worse_directions(load_program("geriatric"))["gir"]
    'lower'
    """
    return {feature.name: feature.worse for feature in program.features if feature.worse is not None}


def _as_floats(codes: np.ndarray, bins: list[dict[str, Any]]) -> np.ndarray:
    """Bins as the trees take them: missing as NaN."""
    last = np.array([n_codes(one) for one in bins])
    return np.where(codes == last, np.nan, codes.astype(float))


def _words(one: dict[str, Any]) -> list[str]:
    """Return what each bin of a feature is called, missing last."""
    if "levels" in one:
        return [*(f"= {level}" for level in one["levels"]), "is missing"]
    edges = [f"{edge:g}" for edge in one["edges"]]
    if not edges:
        return ["is known", "is missing"]
    inner = [f"{low} to < {high}" for low, high in pairwise(edges)]
    return [f"< {edges[0]}", *inner, f">= {edges[-1]}", "is missing"]
