"""The models that are compared: those of this library, and peers. Each learns one fold and gives risks to the rest."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from casestrat.models import ChallengerClassifier, HorizonRisk, PointScorecard, RiskClassifier, horizon_labels

if TYPE_CHECKING:
    from cohorts import Cohort

Told = dict[str, np.ndarray]  # name → risks of the people of a test


def learn_and_tell(name: str, cohort: Cohort, learn: np.ndarray, test: np.ndarray) -> Told:
    """Return the risks that one contender gives the people of a test; a card gives those of three sizes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return CONTENDERS[name](cohort, learn, test)


def contenders_of(cohort: Cohort) -> list[str]:
    """Return who can learn on a cohort: Cox and hazards need days, FasterRisk and EBM a label for all."""
    timed = ["card", "logistic", "horizon", "peer: Cox", "peer: boosted survival"]
    labelled = ["card", "logistic", "challenger", "peer: logistic", "peer: boosting", "peer: EBM", "peer: FasterRisk"]
    if not cohort.is_timed:
        return labelled
    return [*timed, *(name for name in labelled[2:] if (cohort.days[cohort.event == 0] >= cohort.horizon_days).all())]


def labels(cohort: Cohort, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows whose outcome is known, their labels and weights."""
    if cohort.days is None:
        return rows, cohort.event[rows], np.ones(len(rows))
    told = horizon_labels(cohort.days[rows], cohort.event[rows], cohort.horizon_days)
    known = told["label"].notna().to_numpy()
    return rows[known], told["label"][known].to_numpy(int), told["weight"][known].to_numpy(float)


def _ours(make: Any) -> Any:
    def learn_fold(cohort: Cohort, learn: np.ndarray, test: np.ndarray) -> Told:
        rows, y, weight = labels(cohort, learn)
        X, persons = cohort.X.iloc[rows], cohort.persons[rows]
        model = make().fit(X, y, groups=persons, sample_weight=None if (weight == 1).all() else weight)
        return {"": model.predict_proba(cohort.X.iloc[test])[:, 1]}

    return learn_fold


def _card(cohort: Cohort, learn: np.ndarray, test: np.ndarray) -> Told:
    rows, y, weight = labels(cohort, learn)
    weights = None if (weight == 1).all() else weight
    card = PointScorecard(max_rows=10).fit(cohort.X.iloc[rows], y, groups=cohort.persons[rows], sample_weight=weights)
    sizes, best = card.choices_["n_rows"].tolist(), int(card.choices_["auc"].argmax())
    asked = {", 10 rows": min(10, max(sizes)), ", 5 rows": min(5, max(sizes)), ", rows by its folds": sizes[best]}
    return {name: card.at(rows).predict_proba(cohort.X.iloc[test])[:, 1] for name, rows in asked.items()}


def _horizon(cohort: Cohort, learn: np.ndarray, test: np.ndarray) -> Told:
    model = HorizonRisk(horizons_days=(cohort.horizon_days,))
    model.fit(cohort.X.iloc[learn], cohort.days[learn], cohort.event[learn], groups=cohort.persons[learn])
    return {"": model.predict_proba(cohort.X.iloc[test])[:, 1]}


def _prepared() -> Any:
    """Return the usual preparation: medians and flags, standardised; one column a level."""
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    return make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), make_column_selector(dtype_exclude="number")),
    )


def _scikit(make: Any) -> Any:
    def learn_fold(cohort: Cohort, learn: np.ndarray, test: np.ndarray) -> Told:
        rows, y, _weight = labels(cohort, learn)
        model = make_pipeline(_prepared(), make()).fit(cohort.X.iloc[rows], y)
        return {"": model.predict_proba(cohort.X.iloc[test])[:, 1]}

    return learn_fold


def _boosting(cohort: Cohort, learn: np.ndarray, test: np.ndarray) -> Told:
    rows, y, _weight = labels(cohort, learn)
    X = cohort.X.copy()
    for name in X.select_dtypes(exclude="number"):
        X[name] = X[name].astype("category")
    model = HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=0).fit(X.iloc[rows], y)
    return {"": model.predict_proba(X.iloc[test])[:, 1]}


def _ebm(cohort: Cohort, learn: np.ndarray, test: np.ndarray) -> Told:
    from interpret.glassbox import ExplainableBoostingClassifier  # a peer, installed for the study alone

    rows, y, _weight = labels(cohort, learn)
    model = ExplainableBoostingClassifier(random_state=0, n_jobs=1).fit(cohort.X.iloc[rows], y)
    return {"": model.predict_proba(cohort.X.iloc[test])[:, 1]}


def _cox(cohort: Cohort, learn: np.ndarray, test: np.ndarray) -> Told:
    from lifelines import CoxPHFitter  # a peer, installed for the study alone

    prepared = _prepared().fit(cohort.X.iloc[learn])
    values = prepared.transform(cohort.X.iloc[learn])
    varies = values.std(axis=0) > 0
    frame = pd.DataFrame(values[:, varies]).add_prefix("x")
    frame["days"], frame["event"] = np.maximum(cohort.days[learn], 0.5), cohort.event[learn]
    # with its default of 0.95, lifelines' steps run away on three folds in five of NAFLD, whose laboratory values have outliers
    model = CoxPHFitter(penalizer=0.01).fit(frame, "days", "event", fit_options={"step_size": 0.25})
    unseen = pd.DataFrame(prepared.transform(cohort.X.iloc[test])[:, varies]).add_prefix("x")
    return {"": 1 - model.predict_survival_function(unseen, times=[cohort.horizon_days]).to_numpy()[0]}


def _boosted_survival(cohort: Cohort, learn: np.ndarray, test: np.ndarray) -> Told:
    from sksurv.ensemble import GradientBoostingSurvivalAnalysis  # a peer, installed for the study alone
    from sksurv.util import Surv

    prepared = _prepared().fit(cohort.X.iloc[learn])
    came = Surv.from_arrays(cohort.event[learn] == 1, np.maximum(cohort.days[learn], 0.5))
    model = GradientBoostingSurvivalAnalysis(random_state=0).fit(prepared.transform(cohort.X.iloc[learn]), came)
    curves = model.predict_survival_function(prepared.transform(cohort.X.iloc[test]), return_array=True)
    place = np.searchsorted(model.unique_times_, cohort.horizon_days, side="right") - 1
    return {"": 1 - curves[:, place]}


CONTENDERS: dict[str, Any] = {
    "card": _card,
    "logistic": _ours(RiskClassifier),
    "challenger": _ours(ChallengerClassifier),
    "horizon": _horizon,
    "peer: logistic": _scikit(lambda: LogisticRegression(max_iter=3000)),
    "peer: boosting": _boosting,
    "peer: EBM": _ebm,
    "peer: Cox": _cox,
    "peer: boosted survival": _boosted_survival,
}
