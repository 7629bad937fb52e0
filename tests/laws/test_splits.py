"""Laws of splits: no label of a learning row reaches into the test, and no tested person or site was learned from."""

import itertools
import warnings

import numpy as np
import pandas as pd
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from casestrat.errors import UsageError
from casestrat.models import JoinedSitesWarning, LeaveSiteOut, TemporalSplit

LAW = settings(max_examples=25, deadline=None)
ORIGIN = pd.Timestamp("2025-01-01")
ROWS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 3), st.integers(0, 400)), min_size=3, max_size=40, unique=True
)
GAPS = st.integers(0, 200)


def people(rows):
    index = pd.MultiIndex.from_arrays(
        [
            [f"P{p}" for p, _, _ in rows],
            [f"S{s}" for _, s, _ in rows],
            [ORIGIN + pd.Timedelta(days=d) for *_, d in rows],
        ],
        names=["person_id", "site", "as_of"],
    )
    return pd.DataFrame({"x": np.arange(len(rows))}, index=index)


def folds_of(split, X):
    """The folds, or none where the split says that it cannot be made."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", JoinedSitesWarning)
        try:
            return list(split.split(X))
        except UsageError:
            return []


@LAW
@given(ROWS, GAPS, st.integers(1, 4))
def test_no_label_of_a_learning_row_reaches_into_the_test(rows, gap, n_splits):
    X = people(rows)
    dates = X.index.get_level_values("as_of")
    folds = folds_of(TemporalSplit(n_splits=n_splits, gap_days=gap), X)
    assume(folds)
    seen = []
    for learn, test in folds:
        known_by = dates[learn] + pd.Timedelta(days=gap)  # the end of the label's window, itself not in it
        assert known_by.max() <= dates[test].min()
        left_out = np.setdiff1d(np.arange(len(X)), learn)
        assert (dates[left_out] + pd.Timedelta(days=gap) > dates[test].min()).all()  # and all that was known is used
        seen.append((dates[test].min(), dates[test].max()))
    for (_, before), (after, _) in itertools.pairwise(seen):
        assert before < after
    tested = np.concatenate([test for _, test in folds])
    assert len(set(tested)) == len(tested)


@LAW
@given(ROWS, GAPS, st.integers(1, 4), st.booleans(), st.randoms(use_true_random=False))
def test_no_tested_person_or_site_was_learned_from_and_row_order_changes_nothing(rows, gap, least, apart, random):
    X = people(rows)
    split = LeaveSiteOut(min_people=least, gap_days=gap if apart else None)
    folds = folds_of(split, X)
    assume(folds)
    person, site, dates = (X.index.get_level_values(name) for name in X.index.names)
    for learn, test in folds:
        assert not set(person[learn]) & set(person[test])
        assert not set(site[learn]) & set(site[test])
        if apart:
            assert dates[learn].max() + pd.Timedelta(days=gap) <= dates[test].min()
    tested = [i for _, test in folds for i in test]
    assert len(set(tested)) == len(tested)
    assert apart or sorted(tested) == list(range(len(X)))
    assert len(folds) == split.get_n_splits(X) == len(split.blocks(X))
    order = list(range(len(X)))
    random.shuffle(order)
    again = folds_of(split, X.iloc[order])
    assert [{order[i] for i in test} for _, test in again] == [set(test) for _, test in folds]
    assert [{order[i] for i in learn} for learn, _ in again] == [set(learn) for learn, _ in folds]
