"""Drift: the index by hand, bins of their own for what is missing and new, calibration, and silence about few."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from casestrat.errors import UsageError
from casestrat.models import drift


def index_of(before, after):
    """The population stability index of counts, written out."""
    p, q = np.array(before) / sum(before), np.array(after) / sum(after)
    return float(np.sum((q - p) * np.log(q / p)))


def test_the_index_is_its_formula_and_missing_is_a_bin():
    before = pd.DataFrame({"gir": [1.0] * 50 + [4.0] * 40 + [None] * 10})
    after = pd.DataFrame({"gir": [1.0] * 30 + [4.0] * 40 + [None] * 30})
    told = drift(before, after)
    row = told.features.iloc[0]
    assert row["psi"] == pytest.approx(index_of([50, 40, 10], [30, 40, 30]), abs=1e-12)
    assert (row["missing_before"], row["missing_after"], row["moved_most"]) == (0.1, 0.3, "(missing)")
    assert told.bins["bin"].tolist() == ["> 1", "≤ 1", "(missing)"]
    assert told.bins["contribution"].isna().all() or told.bins["n_before"].dropna().sum() <= 100


def test_codes_that_were_not_there_before_are_a_bin_and_are_counted():
    before = pd.DataFrame({"source": ["gp"] * 60 + ["family"] * 40})
    after = pd.DataFrame({"source": ["gp"] * 50 + ["family"] * 30 + ["court"] * 12 + ["school"] * 8})
    told = drift(before, after)
    row = told.features.iloc[0]
    assert (row["n_new_levels"], row["share_new"], row["finding"]) == (2, 0.2, "much")
    # nobody was in the new bin: it counts as half a person
    q, p = np.array([0.5, 0.3, 0.2]), np.array([0.6, 0.4, 0.005])
    assert row["psi"] == pytest.approx(float(np.sum((q - p) * np.log(q / p))), abs=1e-12)
    assert "source: 2 codes" in " ".join(told.warnings)
    assert "beaucoup" in " ".join(one.said(_words("fr")) for one in told.statements)


def _words(lang):
    from casestrat.knowledge import load_wording

    return load_wording(lang)


def test_numbers_are_cut_at_the_tenths_of_before_and_more_is_outside():
    rng = np.random.default_rng(0)
    before, after = rng.normal(size=5000), rng.normal(0.5, 1, 4000)
    told = drift(pd.DataFrame({"x": before}), pd.DataFrame({"x": after}))
    cuts = np.quantile(before, np.arange(1, 10) / 10)
    counts = [np.bincount(np.searchsorted(cuts, side, side="left"), minlength=10) for side in (before, after)]
    row = told.features.iloc[0]
    assert row["psi"] == pytest.approx(index_of(*counts), abs=1e-12)
    assert row["share_outside"] == ((after < before.min()) | (after > before.max())).mean()
    assert len(told.bins) == 10


def test_two_like_samples_are_stable_and_few_people_are_called_chance():
    rng = np.random.default_rng(1)
    like = drift(pd.DataFrame({"x": rng.normal(size=3000)}), pd.DataFrame({"x": rng.normal(size=3000)}))
    assert like.features.loc[0, "finding"] == "stable"
    assert like.features.loc[0, "psi"] < 0.02
    assert like.warnings == ()
    findings = {
        drift(pd.DataFrame({"x": rng.normal(size=60)}), pd.DataFrame({"x": rng.normal(size=60)})).features.loc[
            0, "finding"
        ]
        for _ in range(20)
    }
    assert "chance" in findings


def test_the_greatest_change_stands_first_and_columns_that_are_all_missing_are_no_fault():
    before = pd.DataFrame({"a": [1.0] * 50 + [2.0] * 50, "b": [1.0] * 50 + [2.0] * 50, "c": [np.nan] * 100})
    after = pd.DataFrame({"a": [1.0] * 48 + [2.0] * 52, "b": [1.0] * 10 + [2.0] * 90, "c": [np.nan] * 100})
    told = drift(before, after)
    assert told.features["feature"].tolist() == ["b", "a", "c"]
    assert told.features["kind"].tolist() == ["numeric", "numeric", "unknown"]
    assert told.features.loc[2, ["psi", "psi_by_chance"]].tolist() == [0, 0]
    appears = drift(before[["c"]], before[["a"]].rename(columns={"a": "c"}))
    assert appears.features.loc[0, "finding"] == "much"


@pytest.fixture(scope="module")
def scored():
    rng = np.random.default_rng(2)
    x = rng.normal(-1, 1, 2000)
    index = pd.Index([f"P{i // 2:04}" for i in range(2000)], name="person_id")
    frame = pd.DataFrame({"x": x}, index=index)
    y = (rng.random(2000) < expit(x)).astype(float)
    later = (rng.random(2000) < expit(0.4 * x - 1.2)).astype(float)
    return frame, expit(x), y, later


def test_calibration_that_moved_is_told_with_intervals(scored):
    frame, risk, y, later = scored
    told = drift(frame, frame, risk_before=risk, risk_after=risk, y_before=y, y_after=later, n_boot=80)
    rows = told.calibration.set_index("metric")
    slope = rows.loc["calibration_slope"]
    assert slope["before"] == pytest.approx(1, abs=0.15)
    assert slope["after"] == pytest.approx(0.4, abs=0.15)
    assert slope["difference"] == pytest.approx(slope["after"] - slope["before"])
    assert slope["difference_high"] < 0
    assert slope["before_low"] < slope["before"] < slope["before_high"]
    assert rows.loc["expected_over_observed", "before"] == pytest.approx(risk.sum() / y.sum())
    assert any("slope moved" in one for one in told.warnings)
    assert told.risk.loc[0, "finding"] == "stable"


def test_calibration_that_was_never_right_is_told_as_such(scored):
    frame, risk, y, _ = scored
    told = drift(frame, frame, risk_before=risk**2, risk_after=risk**2, y_before=y, y_after=y, n_boot=40)
    assert any("expected over observed is now" in one for one in told.warnings)


def test_risks_that_moved_are_told_and_unknown_labels_left_out(scored):
    frame, risk, y, _ = scored
    unknown = np.where(np.arange(2000) < 500, np.nan, y)
    told = drift(frame, frame, risk_before=risk, risk_after=risk**2, y_before=unknown, y_after=y, n_boot=5)
    assert told.risk.loc[0, "finding"] == "much"
    assert "the risks are distributed otherwise" in " ".join(told.warnings)
    known = ~np.isnan(unknown)
    assert told.calibration.set_index("metric").loc["expected_over_observed", "before"] == pytest.approx(
        risk[known].sum() / y[known].sum()
    )


def test_small_bins_are_hidden_with_what_would_give_them_away():
    before = pd.DataFrame({"setting": ["home"] * 80 + ["home with help"] * 40 + ["street"] * 4})
    told = drift(before, before).bins.set_index("bin")
    assert told["is_suppressed"].to_dict() == {"home": False, "home with help": True, "street": True}
    assert told.loc["street", ["n_before", "n_after", "share_before", "contribution"]].isna().all()
    assert not drift(before, before, small_cell=0).bins["is_suppressed"].any()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"after": pd.DataFrame({"z": [1.0]})}, "after has no x; before has no z"),
        ({"after": pd.DataFrame({"x": pd.Series(dtype=float)})}, "100 before and 0 after"),
        ({"after": pd.DataFrame({"x": ["a"] * 9})}, "numeric and text"),
        ({"risk_before": np.full(100, 0.1)}, "risk of both sides"),
        ({"risk_before": [0.1], "risk_after": np.full(100, 0.1)}, "expected 100 values"),
        ({"y_before": np.ones(100), "y_after": np.ones(100)}, "labels without risks"),
        ({"n_bins": 1}, "2 or more"),
        (
            {
                "risk_before": np.full(100, 0.1),
                "risk_after": np.full(100, 0.1),
                "y_before": np.full(100, np.nan),
                "y_after": np.ones(100),
            },
            "no row has both",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(changes, words):
    frame = pd.DataFrame({"x": np.arange(100.0)})
    with pytest.raises(UsageError, match=words):
        drift(frame, **{"after": frame, **changes})
