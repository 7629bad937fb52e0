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
