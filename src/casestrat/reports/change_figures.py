"""Charts that hold one thing beside another: models on the same people, features then and now, sizes of cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.reports.figure_style import (
    BLUE,
    GREEN,
    INK,
    LINE,
    ORANGE,
    PURPLE,
    QUIET,
    SKY,
    VERMILION,
    Words,
    canvas,
    last_useful,
    need,
    number_ticks,
    numbers,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

_SERIES = ((BLUE, "-"), (VERMILION, (0, (5, 2))), (GREEN, (0, (1, 1.5))), (ORANGE, "-."), (PURPLE, "-"), (SKY, "-"))
_SOME, _MUCH = 0.1, 0.25


def models_compared(by_fold: pd.DataFrame, metric: str = "auc", ax: Axes | None = None, *, lang: str = "en") -> Axes:
    """Draw how several models did: the tests as hollow dots, all together as a point with its interval.

    Parameters
    ----------
    by_fold : pandas.DataFrame
        One row per ``model``, ``fold`` and ``metric`` with ``value``, ``low`` and ``high``, as in
        ``ModelComparison.by_fold``.
    metric : str, default "auc"
        The measure drawn.
    ax : matplotlib.axes.Axes, optional
        Where to draw; new axes otherwise.
    lang : {"en", "fr", "it"}
        Language of the labels.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Raises
    ------
    UsageError
        If no model has the measure, or a column is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [("card", "all", 0.66, 0.6, 0.71), ("card", "fold 1", 0.64, None, None), ("own", "all", 0.7, 0.64, 0.76)]
    >>> frame = pd.DataFrame(rows, columns=["model", "fold", "value", "low", "high"]).assign(metric="auc")
    >>> [label.get_text() for label in models_compared(frame).get_yticklabels()]
    ['card', 'own']
    """
    need(by_fold, ("model", "fold", "metric", "value", "low", "high"), "by_fold")
    chosen = by_fold[by_fold["metric"] == metric]
    if chosen.empty:
        raise UsageError(f"no model is judged by {metric!r}", where="by_fold", do="choose a metric of the frame")
    words = Words(lang)
    models = list(dict.fromkeys(chosen["model"].astype(str)))
    with canvas(ax, (6.2, 0.8 + 0.42 * len(models))) as ax:
        for row, model in enumerate(models):
            own = chosen[chosen["model"] == model]
            pooled, tests = own[own["fold"] == "all"], own[own["fold"] != "all"]
            ax.plot(numbers(tests["value"]), np.full(len(tests), row), "o", markersize=5, markerfacecolor="white",
                    markeredgecolor="#8a8a8a")  # fmt: skip
            ax.hlines([row] * len(pooled), numbers(pooled["low"]), numbers(pooled["high"]), color=BLUE, linewidth=2.4)
            ax.plot(numbers(pooled["value"]), [row] * len(pooled), "o", color=INK, markersize=5)
            for value in numbers(pooled["value"]):
                ax.annotate(words.number(value, 3), (1, row), xycoords=("axes fraction", "data"), xytext=(4, 0),
                            textcoords="offset points", va="center", fontsize=8, color=QUIET)  # fmt: skip
        ax.set_yticks(range(len(models)), models, fontsize=9)
        ax.set_ylim(len(models) - 0.5, -0.5)
        ax.set_xlabel(words("measure_of_tests", measure=words.wording(f"measures.{metric}")))
        number_ticks(ax, words)
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x", color=LINE, linewidth=0.5)
    return ax


def decision_curves(curves: pd.DataFrame, ax: Axes | None = None, *, lang: str = "en") -> Axes:
    """Draw the decision curves of several models on the same people, against help for all and for none.

    Parameters
    ----------
    curves : pandas.DataFrame
        One row per ``model`` and ``threshold`` with ``net_benefit`` and ``net_benefit_all``, as in
        ``ModelComparison.net_benefit``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; new axes otherwise.
    lang : {"en", "fr", "it"}
        Language of the labels.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Raises
    ------
    UsageError
        If no model gives a risk, or a column is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> curves = pd.DataFrame({"model": ["a", "a", "b", "b"], "threshold": [0.1, 0.2] * 2,
    ...                        "net_benefit": [0.1, 0.08, 0.09, 0.07], "net_benefit_all": [0.1, 0.0] * 2})
    >>> [line.get_label() for line in decision_curves(curves).lines]
    ['for none', 'help for all', 'a', 'b']
    """
    need(curves, ("model", "threshold", "net_benefit", "net_benefit_all"), "curves")
    words = Words(lang)
    models = list(dict.fromkeys(curves["model"].astype(str)))
    first = curves[curves["model"] == models[0]]
    top = max(
        float(np.nanmax(numbers(curves["net_benefit"]))), float(np.nanmax(numbers(first["net_benefit_all"]))), 0.01
    )
    with canvas(ax, (6.2, 3.6)) as ax:
        ax.axhline(0, color=QUIET, linewidth=1, label=words("help_none"))
        ax.plot(numbers(first["threshold"]), numbers(first["net_benefit_all"]), color="#8a8a8a", linewidth=1,
                linestyle=(0, (4, 3)), label=words("help_all"))  # fmt: skip
        for place, model in enumerate(models):
            own = curves[curves["model"] == model]
            color, dashes = _SERIES[place % len(_SERIES)]
            ax.plot(numbers(own["threshold"]), numbers(own["net_benefit"]), color=color, linestyle=dashes, label=model)
        ax.set(
            xlabel=words("threshold"), ylabel=words("net_benefit"), ylim=(-0.25 * top, 1.1 * top),
            xlim=(0, last_useful(curves, top)),
        )  # fmt: skip
        ax.xaxis.set_major_formatter(lambda value, _: words.wording.percent(value))
        number_ticks(ax, words, x=False, y=True)
        ax.legend(fontsize=9)
    return ax


def drift_bars(features: pd.DataFrame, ax: Axes | None = None, *, first: int = 20, lang: str = "en") -> Axes:
    """Draw how much each feature changed between two extracts: its population stability index, the greatest first.

    Parameters
    ----------
    features : pandas.DataFrame
        One row per ``feature`` with ``psi``, as in ``Drift.features``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; new axes otherwise.
    first : int, default 20
        How many features.
    lang : {"en", "fr", "it"}
        Language of the labels.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Raises
    ------
    UsageError
        If the frame is empty or lacks a column.

    Examples
    --------
    >>> import pandas as pd
    >>> features = pd.DataFrame({"feature": ["age", "falls"], "psi": [0.02, 0.31]})
    >>> [label.get_text() for label in drift_bars(features).get_yticklabels()]
    ['falls', 'age']
    """
    need(features, ("feature", "psi"), "features")
    words = Words(lang)
    shown = features.sort_values(["psi", "feature"], ascending=[False, True], kind="stable").head(first)
    values, rows = numbers(shown["psi"]), np.arange(len(shown))
    colors = np.select([values >= _MUCH, values >= _SOME], [VERMILION, ORANGE], BLUE)
    with canvas(ax, (6.2, 0.9 + 0.25 * len(shown))) as ax:
        ax.barh(rows, values, height=0.6, color=colors.tolist())
        for limit, key in ((_SOME, "psi_some"), (_MUCH, "psi_much")):
            if values.max() >= 0.6 * limit:
                ax.axvline(limit, color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
                ax.annotate(words(key), (limit, -0.7), xytext=(3, 0), textcoords="offset points", fontsize=8,
                            color=QUIET, va="bottom")  # fmt: skip
        for row, value in zip(rows, values, strict=True):
            ax.annotate(words.number(value, 2), (value, row), xytext=(4, 0), textcoords="offset points", va="center",
                        fontsize=8, color=QUIET,
                        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5})  # fmt: skip
        ax.set_yticks(rows, shown["feature"].astype(str).tolist(), fontsize=9)
        ax.set_ylim(len(shown) - 0.5, -1.2)
        ax.set_xlabel(words("psi"))
        ax.margins(x=0.1)
        number_ticks(ax, words)
        ax.tick_params(axis="y", length=0)
    return ax


def card_path(path: Sequence[dict[str, Any]], ax: Axes | None = None, *, chosen: int | None = None,
              lang: str = "en") -> Axes:  # fmt: skip
    """Draw what each further row of a scorecard brings: the AUC of cards by their number of rows.

    Parameters
    ----------
    path : sequence of dict
        One per size of card: ``n_rows`` and ``auc``, as in ``PointScorecard.path_``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; new axes otherwise.
    chosen : int, optional
        The number of rows of the card that was kept, marked.
    lang : {"en", "fr", "it"}
        Language of the labels.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Raises
    ------
    UsageError
        If the path is empty, or lacks n_rows or auc.

    Examples
    --------
    >>> card_path([{"n_rows": 1, "auc": 0.6}, {"n_rows": 3, "auc": 0.68}], chosen=3).get_xlabel()
    'rows of the card'
    """
    frame = pd.DataFrame([{name: step[name] for name in ("n_rows", "auc") if name in step} for step in path])
    need(frame, ("n_rows", "auc"), "path")
    words = Words(lang)
    frame = frame.sort_values("n_rows", kind="stable")
    rows, values = numbers(frame["n_rows"]), numbers(frame["auc"])
    with canvas(ax, (4.4, 2.6)) as ax:
        ax.plot(rows, values, "-o", color=BLUE, markersize=4)
        is_chosen = rows == chosen
        ax.plot(rows[is_chosen], values[is_chosen], "o", color=INK, markersize=7)
        for at, value in zip(rows[is_chosen], values[is_chosen], strict=True):
            ax.annotate(words("this_card"), (at, value), xytext=(0, -14), textcoords="offset points", ha="center",
                        fontsize=8)  # fmt: skip
        ax.set(xlabel=words("card_rows"), ylabel=words.wording("measures.auc"))
        ax.set_xticks(rows[:: max(1, len(rows) // 10)])
        ax.xaxis.set_major_formatter(lambda value, _: words.number(value))
        ax.margins(y=0.2)
        number_ticks(ax, words, x=False, y=True)
        ax.grid(axis="y", color=LINE, linewidth=0.5)
    return ax
