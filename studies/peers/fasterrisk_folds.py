"""FasterRisk on folds that were made elsewhere: it needs versions of its own, so it runs by itself.

    python fasterrisk_folds.py IN.npz OUT.npz

IN holds X (binary, people by conditions), y (0 or 1), learn_0, test_0, learn_1 …; OUT risk_0 …, seconds and megabytes.
"""

import resource
import sys
import time

import numpy as np
from fasterrisk.fasterrisk import RiskScoreClassifier, RiskScoreOptimizer

given = np.load(sys.argv[1])
X, y = given["X"].astype(float), 2.0 * given["y"] - 1
found, seconds = {}, []
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
n_folds = sum(name.startswith("learn_") for name in given.files)
for fold in range(n_folds):
    learn, test = given[f"learn_{fold}"], given[f"test_{fold}"]
    start = time.process_time()
    search = RiskScoreOptimizer(X=X[learn], y=y[learn], k=10)
    search.optimize()
    multiplier, intercept, points = search.get_models(model_index=0)
    seconds.append(time.process_time() - start)
    found[f"risk_{fold}"] = RiskScoreClassifier(multiplier, intercept, points).predict_prob(X[test])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
np.savez(sys.argv[2], seconds=np.array(seconds), megabytes=peak / 1024, **found)
