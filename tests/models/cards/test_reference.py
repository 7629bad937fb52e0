"""What a card learns from beside the labels: a regression on all features, and what it may not look at."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from casestrat.errors import UsageError
from casestrat.models import PointScorecard, RiskClassifier
from casestrat.models.cards.reference import learning_targets
from casestrat.models.cards.settings import read_settings
from casestrat.models.inputs.rows import read_training
from casestrat.models.measures.metrics import count_people, order_metrics


def wide(n, seed):
    """Thirty numbers, six of which matter a little, one of them often missing."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n, 30))).add_prefix("f")
    y = (rng.random(n) < expit(-1 + 0.5 * X.iloc[:, :6].sum(axis=1))).astype(int)
    X.loc[rng.random(n) < 0.3, "f0"] = np.nan
    return X, y


def targets(X, y, share, **settings):
    """Targets in the order of X, which is that of the persons."""
    card = PointScorecard(**settings)
    rows, _classes = read_training(card, X, y, np.arange(len(X)), None)
    limits, _how = read_settings(card.get_params(deep=False), list(X))
    return learning_targets(rows, list(X), limits, share)


def test_the_share_mixes_labels_with_the_risks_of_a_ridge_regression():
    X, y = wide(300, seed=0)
    regression = RiskClassifier(C=0.1, calibration="none").fit(X, y, groups=np.arange(300))
    risk = regression.predict_proba(X)[:, 1]
    assert targets(X, y, 1.0) == pytest.approx(risk, abs=1e-9)
    assert targets(X, y, 0.25) == pytest.approx(0.25 * risk + 0.75 * y, abs=1e-9)
    assert targets(X, y, 0.0).tolist() == y.tolist()
    assert targets(X, y, 1.0).sum() == pytest.approx(y.sum(), abs=1e-6)


def test_an_excluded_item_and_a_missing_value_without_a_row_tell_nothing():
    X, y = wide(300, seed=0)
    other = X.assign(f1=0.0)
    assert targets(X, y, 1.0, excluded=("f1",)) == pytest.approx(targets(other, y, 1.0, excluded=("f1",)), abs=1e-12)
    assert not np.allclose(targets(X, y, 1.0), targets(other, y, 1.0))
    filled = X.fillna({"f0": X["f0"].median()})
    assert targets(X, y, 1.0, missing="unknown") == pytest.approx(targets(filled, y, 1.0), abs=1e-9)
    assert not np.allclose(targets(X, y, 1.0), targets(filled, y, 1.0))
    assert targets(X, y, 1.0, excluded=tuple(X)).tolist() == y.tolist()


def test_where_people_are_few_and_features_many_others_are_ordered_better():
    X_test, y_test = wide(3_000, seed=99)
    gains = []
    for seed in range(2):
        X, y = wide(200, seed)
        auc = {}
        for share in (0.0, 0.8):
            card = PointScorecard(max_rows=6, beam_width=1, n_folds=0, reference_share=share).fit(X, y)
            at, code = np.unique(card.points(X_test), return_inverse=True)
            counts = count_people(at.astype(float), code, y_test.to_numpy(float), np.ones(len(y_test)))
            auc[share] = order_metrics(counts)["auc"]
        gains.append(auc[0.8] - auc[0.0])
    assert np.mean(gains) > 0.01


@pytest.mark.parametrize("share", [-0.1, 1.1, True, "half"])
def test_a_share_outside_its_range_is_refused(share):
    with pytest.raises(UsageError, match="reference_share is a number from 0 to 1"):
        PointScorecard(reference_share=share).fit(*wide(50, seed=0))
