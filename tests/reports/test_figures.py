"""Figures: axes in, axes out; what is drawn is what the frame says; the words are those of the language."""

from __future__ import annotations

import subprocess
import sys

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.reports import figures

mpl.use("Agg")
BINS = pd.DataFrame(
    {"mean_risk": [0.1, 0.3], "observed": [0.12, 0.25], "low": [0.05, 0.1], "high": [0.2, 0.4], "n": [50, 20]}
)
CURVE = pd.DataFrame(
    {
        "threshold": [0.1, 0.2],
        "net_benefit": [0.1, 0.05],
        "net_benefit_all": [0.09, -0.1],
        "is_capacity_point": [False, True],
    }
)
GROUPS = pd.DataFrame(
    {
        "grouping": ["sex", "sex", "territory"],
        "group": ["f", "m", "north"],
        "auc": [0.7, 0.6, np.nan],
        "auc_low": [0.65, 0.5, np.nan],
        "auc_high": [0.75, 0.7, np.nan],
        "is_suppressed": [False, False, True],
    }
)
FOLDS = pd.DataFrame(
    {
        "model": ["card", "card", "own"],
        "fold": ["all", "fold 1", "all"],
        "metric": "auc",
        "value": [0.66, 0.6, 0.7],
        "low": [0.6, np.nan, 0.65],
        "high": [0.7, np.nan, 0.75],
    }
)


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


@pytest.fixture
def ax():
    return plt.subplots()[1]


def words(ax):
    return [text.get_text() for text in ax.texts]


def draw_all(made_up, ax, lang):
    made, load = made_up.make_meeting(n=15), made_up.make_caseload()
    person = made.ranked["person_id"].iloc[4]
    return {
        "ranked_list": lambda: figures.ranked_list(made.ranked, ax, lang=lang),
        "days_worth": lambda: figures.days_worth(made.ranked, person, ax, lang=lang),
        "workload": lambda: figures.workload(load["workload"], ax, lang=lang),
        "flow": lambda: figures.flow(load["flow"], ax, lang=lang),
        "calibration": lambda: figures.calibration(BINS, ax, lang=lang),
        "discrimination": lambda: figures.discrimination([0, 1, 0, 1], [0.1, 0.9, 0.4, 0.3], ax, lang=lang),
        "net_benefit": lambda: figures.net_benefit(CURVE, ax, lang=lang),
        "card_path": lambda: figures.card_path([{"n_rows": 1, "auc": 0.6}, {"n_rows": 2, "auc": 0.7}], ax, lang=lang),
        "decision_curves": lambda: figures.decision_curves(CURVE.assign(model="card"), ax, lang=lang),
        "drift_bars": lambda: figures.drift_bars(pd.DataFrame({"feature": ["age"], "psi": [0.3]}), ax, lang=lang),
        "group_forest": lambda: figures.group_forest(GROUPS, "auc", ax, overall=0.7, lang=lang),
        "models_compared": lambda: figures.models_compared(FOLDS, "auc", ax, lang=lang),
        "tier_mix": lambda: figures.tier_mix(made.ranked, ax, lang=lang),
    }


@pytest.mark.parametrize("lang", ["en", "fr", "it"])
@pytest.mark.parametrize("name", [name for name in figures.__all__ if name != "style"])
def test_every_figure_draws_on_the_axes_it_is_given(made_up, ax, name, lang):
    assert draw_all(made_up, ax, lang)[name]() is ax
    assert ax.has_data() or ax.patches


def test_importing_reports_loads_no_matplotlib():
    code = "import sys, casestrat.reports; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_style_ends_with_its_block():
    before = mpl.rcParams["savefig.dpi"]
    with figures.style():
        assert mpl.rcParams["savefig.dpi"] == 300
    assert mpl.rcParams["savefig.dpi"] == before


def test_the_list_names_its_places_and_its_hatched_zone(made_up, ax):
    figures.ranked_list(made_up.make_meeting(n=15).ranked, ax, lang="fr")
    assert words(ax) == ["trop serré", "8 places"]
    assert len(ax.get_yticks()) == 15


def test_a_list_without_intervals_shows_the_index(made_up, ax):
    ranked = made_up.make_meeting(n=5, places=None, with_ranks=False).ranked
    figures.ranked_list(ranked, ax)
    assert ax.get_xlabel() == "priority index"
    assert words(ax) == []
    assert sorted(ax.lines[0].get_xdata()) == pytest.approx(sorted(ranked["key_index"]))


def test_the_waterfall_ends_at_the_sum_of_its_parts(made_up, ax):
    ranked = made_up.make_meeting(n=5).ranked
    row = ranked.iloc[0]
    figures.days_worth(ranked, row["person_id"], ax)
    total = sum(row[name] for name in ranked.columns if name.startswith("days_worth_"))
    assert ax.patches[-1].get_width() == pytest.approx(total)
    assert ax.patches[-2].get_x() + ax.patches[-2].get_width() == pytest.approx(total)


def test_an_unknown_person_has_no_waterfall_and_is_not_named(made_up):
    with pytest.raises(UsageError, match="not on the list") as refusal:
        figures.days_worth(made_up.make_meeting(n=5).ranked, "P-SECRET")
    assert "P-SECRET" not in str(refusal.value)


def test_workload_is_in_hours(made_up, ax):
    workload = made_up.make_caseload()["workload"].sort_values("cm_id")
    figures.workload(workload, ax)
    assert [patch.get_width() for patch in ax.patches[:9]] == pytest.approx((workload["minutes_after"] / 60).tolist())


def test_those_who_left_are_drawn_downwards(made_up, ax):
    flow = made_up.make_caseload()["flow"]
    figures.flow(flow, ax, lang="it")
    assert [patch.get_height() for patch in ax.patches[24:48]] == (-flow["outflow"]).tolist()
    assert words(ax) == ["ingressi", "uscite", "saldo"]


def test_flow_without_months_is_refused():
    with pytest.raises(UsageError, match="period_start"):
        figures.flow(pd.DataFrame({"inflow": [1], "outflow": [1]}))


def test_an_evaluation_is_drawn_by_its_frame(ax):
    class Evaluation:
        calibration = BINS
        net_benefit = CURVE

    figures.calibration(Evaluation(), ax)
    assert [0.12, 0.25] in [list(line.get_ydata()) for line in ax.lines]
    other = plt.subplots()[1]
    figures.net_benefit(Evaluation(), other)
    assert "your capacity" in [text.get_text() for text in other.get_legend().get_texts()]


def test_points_have_no_calibration():
    with pytest.raises(UsageError, match="no row to draw"):
        figures.calibration(BINS.head(0))


def test_a_curve_without_capacity_marks_none(ax):
    figures.net_benefit(CURVE.drop(columns="is_capacity_point"), ax)
    assert "your capacity" not in [text.get_text() for text in ax.get_legend().get_texts()]


def test_ties_are_flagged_together_in_the_area_under_the_curve(ax):
    figures.discrimination([0, 1, 0, 1, np.nan], [1, 1, 0, 2, 5], ax, lang="fr")
    assert words(ax)[0] == "aire sous la courbe 0,88"


def test_one_outcome_alone_cannot_be_told_apart():
    with pytest.raises(UsageError, match="only one of the two outcomes"):
        figures.discrimination([1, 1], [0.2, 0.4])


def test_tiers_stand_in_the_programs_order_and_others_after(ax):
    figures.tier_mix(pd.DataFrame({"tier": ["low", "very_low", "high", "low"]}), ax)
    assert words(ax) == ["high 1", "low 2", "very low 1"]


def test_a_frame_that_lacks_a_column_is_refused():
    with pytest.raises(UsageError, match="lacks the columns cm_id"):
        figures.workload(pd.DataFrame({"capacity_minutes": [1]}))


def test_new_axes_are_made_where_none_are_given():
    assert figures.tier_mix(pd.DataFrame({"tier": ["low"]})).figure.axes


def test_groups_too_small_to_be_told_are_named_as_hidden(ax):
    figures.group_forest(GROUPS, "auc", ax, overall=0.68)
    assert words(ax) == ["sex", "0.70", "0.60", "territory", "hidden: too few people"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["", "f", "m", "", "north"]
    assert 0.68 in [line.get_xdata()[0] for line in ax.lines if len(line.get_xdata()) == 2]


def test_shares_of_groups_are_percentages_and_what_is_right_is_drawn(ax):
    shares = GROUPS.rename(columns={name: name.replace("auc", "true_positive_rate") for name in GROUPS})
    figures.group_forest(shares, "true_positive_rate", ax, lang="fr")
    assert "70\u202f%" in [text.replace("\xa0", "\u202f") for text in words(ax)]
    other = plt.subplots()[1]
    exposure = GROUPS.rename(columns={name: name.replace("auc", "exposure") for name in GROUPS})
    figures.group_forest(exposure, "exposure", other)
    assert any(line.get_xdata()[0] == 1 for line in other.lines)


def test_tests_of_a_model_are_hollow_and_all_together_has_its_interval(ax):
    figures.models_compared(FOLDS, ax=ax)
    hollow = [line for line in ax.lines if line.get_markerfacecolor() == "white"]
    assert [line.get_xdata().tolist() for line in hollow] == [[0.6], []]
    assert ax.collections[0].get_segments()[0][:, 0].tolist() == [0.6, 0.7]
    with pytest.raises(UsageError, match="no model is judged by 'gini'"):
        figures.models_compared(FOLDS, "gini")


def test_the_flat_tail_of_a_decision_curve_is_not_drawn(ax):
    at = np.arange(1, 100) / 100
    curve = pd.DataFrame(
        {"model": "a", "threshold": at, "net_benefit": np.maximum(0, 0.2 - at), "net_benefit_all": 0.2 - at}
    )
    figures.decision_curves(curve, ax)
    assert 0.2 < ax.get_xlim()[1] < 0.25


def test_features_that_changed_most_stand_on_top_and_are_marked(ax):
    figures.drift_bars(pd.DataFrame({"feature": ["age", "falls", "gir"], "psi": [0.02, 0.4, 0.15]}), ax)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["falls", "gir", "age"]
    assert words(ax)[:2] == ["some", "much"]
    assert len({patch.get_facecolor() for patch in ax.patches}) == 3


def test_the_kept_card_is_marked_on_its_path(ax):
    figures.card_path([{"n_rows": n, "auc": 0.6 + n / 100, "rows": []} for n in (1, 2, 3)], ax, chosen=2)
    assert words(ax) == ["this card"]
    assert ax.lines[1].get_xdata().tolist() == [2]
