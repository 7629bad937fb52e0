"""Every public estimator keeps scikit-learn's contract; found by discovery."""

import inspect

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.utils.estimator_checks import check_estimator

from casestrat import models
from casestrat.knowledge import list_scorecards

ESTIMATORS = [
    thing
    for name in models.__all__
    if inspect.isclass(thing := getattr(models, name)) and issubclass(thing, BaseEstimator)
]
LEARNERS = [estimator for estimator in ESTIMATORS if hasattr(estimator, "fit")]
# check → reason; a check may be listed only where the folds of the calibration, or what is learned, make it fail.
EXPECTED_FAILED_CHECKS: dict[str, dict[str, str]] = {
    "HorizonRisk": {
        "check_fit_score_takes_y": "the second argument of fit is called days: what is learned is a time, not a label",
        "check_sample_weight_equivalence_on_dense_data": "gives the time by the name y; tests/laws/test_survival.py "
        "asks the same by its own name",
    }
}


def test_estimators_are_found():
    assert {"PointScorecard", "RiskClassifier"} <= {estimator.__name__ for estimator in ESTIMATORS}
    assert models.RiskClassifier in LEARNERS


# Some checks learn from noise: that there is no signal is then said, as it should be.
@pytest.mark.filterwarnings("ignore::casestrat.models.NoSignalWarning")
@pytest.mark.filterwarnings("ignore::casestrat.models.FollowUpWarning")  # and of times of a few days, no year is told
@pytest.mark.parametrize("estimator", LEARNERS)
def test_every_learner_passes_the_checks_of_scikit_learn(estimator):
    expected = EXPECTED_FAILED_CHECKS.get(estimator.__name__, {})
    done = check_estimator(estimator(), expected_failed_checks=expected, on_skip=None)
    assert sum(check["status"] == "passed" for check in done) > 40
    assert {check["check_name"] for check in done if check["status"] == "xfail"} == set(expected)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_estimator_gives_points_or_risk_reasons_and_a_fingerprint(estimator):
    assert {"predict_proba", "explain", "fingerprint"} <= set(dir(estimator))


@pytest.mark.parametrize("name", list_scorecards()["name"])
def test_every_shipped_card_can_be_applied_and_sums(name):
    card = models.PointScorecard.from_table(name)
    nobody_known = pd.DataFrame({item: [np.nan, np.nan] for item in card.feature_names_in_})
    assert card.min_points <= card.points(nobody_known).iloc[0] <= card.max_points
    assert card.min_points < card.max_points
    assert models.PointScorecard.from_json(card.to_json()).fingerprint == card.fingerprint
