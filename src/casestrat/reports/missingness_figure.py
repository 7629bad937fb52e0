"""The chart of what is not known: by feature, and by group where groups are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from casestrat.errors import UsageError
from casestrat.reports.figure_style import BLUE, INK, LINE, QUIET, Words, canvas, flags, need, numbers

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_MOST = 30  # features drawn
_DARK = 0.4  # shares from here on are written in white


def missingness_figure(
    report: Any, ax: Axes | None = None, *, grouping: str | None = None, lang: str = "en", first: int = _MOST
) -> Axes:
    """Draw how much is not known: bars by feature, or a field of shares by feature and group.

    Parameters
    ----------
    report : MissingnessReport
        With the frames ``by_feature`` and ``by_group``, and ``least_n``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; new axes otherwise.
    grouping : str, optional
        Which grouping of ``by_group`` to draw beside everybody; without it, bars alone. Cells of few people are
        hatched, without a number.
    lang : {"en", "fr", "it"}
        Language of the labels.
    first : int, default 30
        How many features, those most often missing first.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Raises
    ------
    UsageError
        If there is no feature to draw, or no such grouping.

    Examples
    --------
    >>> import pandas as pd
    >>> from types import SimpleNamespace
    >>> by_feature = pd.DataFrame({"feature": ["gir", "katz", "age"], "n_missing": [20, 12, 0],
    ...                            "share_missing": [0.5, 0.3, 0.0]})
    >>> report = SimpleNamespace(by_feature=by_feature, by_group=pd.DataFrame(), least_n=11)
    >>> [label.get_text() for label in missingness_figure(report).get_yticklabels()]
    ['gir', 'katz', 'age']
    """
    need(report.by_feature, ("feature", "n_missing", "share_missing"), "by_feature")
    by_feature = report.by_feature.sort_values("n_missing", ascending=False, kind="stable").head(first)
    words = Words(lang)
    if grouping is None:
        return _bars(by_feature, ax, words)
    return _field(by_feature, _cells(report.by_group, grouping), int(report.least_n), ax, words)


def _cells(by_group: pd.DataFrame, grouping: str) -> pd.DataFrame:
    """Return the rows of one grouping, or say which there are."""
    known = list(by_group["grouping"].unique()) if "grouping" in by_group else []
    if grouping not in known:
        do = f"choose one of: {', '.join(known)}" if known else "give groups to missingness_report"
        raise UsageError(f"the report has no grouping {grouping!r}", do=do)
    need(by_group, ("group", "feature", "share_missing", "is_suppressed"), "by_group")
    return by_group.loc[by_group["grouping"] == grouping]


def _bars(by_feature: pd.DataFrame, ax: Axes | None, words: Words) -> Axes:
    shares, rows = numbers(by_feature["share_missing"]), np.arange(len(by_feature))
    with canvas(ax, (6.4, 1.0 + 0.28 * len(rows))) as ax:
        ax.barh(rows, shares, height=0.6, color=BLUE)
        for row, share in zip(rows, shares, strict=True):
            ax.annotate(words.wording.percent(share), (share, row), xytext=(4, 0), textcoords="offset points",
                        va="center", fontsize=9)  # fmt: skip
        ax.set_yticks(rows, by_feature["feature"].astype(str).tolist())
        ax.set(xlim=(0, 1), ylim=(len(rows) - 0.5, -0.5), xlabel=words("missing_share"))
        ax.xaxis.set_major_formatter(lambda value, _: words.wording.percent(value))
        ax.tick_params(axis="y", length=0)
        return ax


def _field(by_feature: pd.DataFrame, cells: pd.DataFrame, least_n: int, ax: Axes | None, words: Words) -> Axes:
    """Draw one cell per feature and group, everybody in the first column."""
    from matplotlib.colors import LinearSegmentedColormap  # drawing is loaded only when something is drawn

    features = by_feature["feature"].astype(str).tolist()
    groups = list(cells["group"].unique())
    by_cell = cells.assign(is_hidden=flags(cells, "is_suppressed")).set_index(["feature", "group"])
    by_cell = by_cell.reindex([(feature, group) for feature in features for group in groups])
    shape = (len(features), len(groups))
    shares = np.column_stack([
        numbers(by_feature["share_missing"]), numbers(by_cell["share_missing"]).reshape(shape)
    ])  # fmt: skip
    is_hidden = np.column_stack([np.zeros(len(features), dtype=bool), flags(by_cell, "is_hidden").reshape(shape)])
    shades = LinearSegmentedColormap.from_list("missing", ["#ffffff", BLUE, "#003a5c"])
    with canvas(ax, (2.6 + 0.75 * shares.shape[1], 1.2 + 0.3 * len(features))) as ax:
        ax.pcolormesh(
            np.arange(shares.shape[1] + 1) - 0.5, np.arange(len(features) + 1) - 0.5, np.nan_to_num(shares),
            cmap=shades, vmin=0, vmax=1, edgecolors=LINE, linewidth=0.6,
        )  # fmt: skip
        for row, column in np.ndindex(shares.shape):
            _write(ax, row, column, float(shares[row, column]), bool(is_hidden[row, column]), words)
        names = [words("everybody"), *map(str, groups)]
        ax.set_xticks(range(len(names)), names, rotation=30, ha="left", rotation_mode="anchor")
        ax.xaxis.tick_top()
        ax.set_yticks(range(len(features)), features)
        ax.set_ylim(len(features) - 0.5, -0.5)
        ax.axvline(0.5, color=INK, linewidth=1.2)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        told = words("missing_share")
        if is_hidden.any():
            told += f" · ///// {words.wording('caseload_page.suppressed', n=least_n)}"
        ax.set_xlabel(told, fontsize=9)
        return ax


def _write(ax: Axes, row: int, column: int, share: float, is_hidden: bool, words: Words) -> None:
    """Write the share of a cell, or hatch it."""
    if is_hidden:
        ax.fill_between([column - 0.5, column + 0.5], row - 0.5, row + 0.5, facecolor="none", edgecolor="#8a8a8a",
                        hatch="/////", linewidth=0)  # fmt: skip
        return
    color = "white" if share >= _DARK else (QUIET if share == 0 else INK)
    ax.annotate(words.wording.percent(share), (column, row), ha="center", va="center", fontsize=9, color=color)
