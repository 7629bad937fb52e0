"""The field of what is not known shows each share, and hides cells of few people."""

from types import SimpleNamespace

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.reports import missingness_figure

mpl.use("Agg")


@pytest.fixture
def report():
    by_feature = pd.DataFrame({"feature": ["age", "gir"], "n_missing": [0, 60], "share_missing": [0.0, 0.6]})
    by_group = pd.DataFrame(
        [("sex", "f", "age", 0.0, False), ("sex", "m", "age", 0.0, False), ("sex", "f", "gir", 0.5, False),
         ("sex", "m", "gir", None, True)],
        columns=["grouping", "group", "feature", "share_missing", "is_suppressed"],
    )  # fmt: skip
    yield SimpleNamespace(by_feature=by_feature, by_group=by_group, least_n=11)
    plt.close("all")


def words(ax):
    return [text.get_text() for text in ax.texts]


def test_bars_are_of_the_shares_most_often_missing_first(report):
    ax = plt.subplots()[1]
    assert missingness_figure(report, ax) is ax
    assert [label.get_text() for label in ax.get_yticklabels()] == ["gir", "age"]
    assert [bar.get_width() for bar in ax.patches] == [0.6, 0.0]
    assert words(ax) == ["60%", "0%"]
    assert len(missingness_figure(report, first=1).patches) == 1


def test_each_group_has_a_column_and_a_small_cell_no_number(report):
    ax = missingness_figure(report, grouping="sex", lang="fr")
    assert [label.get_text() for label in ax.get_xticklabels()] == ["tout le monde", "f", "m"]
    assert [text.replace("\u202f", " ").replace("\xa0", " ") for text in words(ax)] == [
        "60 %", "50 %", "0 %", "0 %", "0 %",
    ]  # fmt: skip
    assert "moins de 11" in ax.get_xlabel()
    assert sum(bool(patch.get_hatch()) for patch in ax.collections) == 1
    report.by_group["is_suppressed"] = False
    assert missingness_figure(report, grouping="sex").get_xlabel() == "share not known"


def test_a_grouping_that_is_not_there_is_refused(report):
    with pytest.raises(UsageError, match="choose one of: sex"):
        missingness_figure(report, grouping="territory")
    report.by_group = report.by_group.iloc[:0]
    with pytest.raises(UsageError, match="give groups"):
        missingness_figure(report, grouping="sex")
    report.by_feature = report.by_feature.iloc[:0]
    with pytest.raises(UsageError, match="no row to draw"):
        missingness_figure(report)
