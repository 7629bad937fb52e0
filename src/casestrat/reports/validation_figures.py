"""Charts of how far a risk can be trusted: calibration, discrimination, net benefit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.reports.figure_style import (
    BLUE,
    INK,
    LINE,
    QUIET,
    VERMILION,
    Words,
    canvas,
    flags,
    last_useful,
    need,
    number_ticks,
    numbers,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike


def calibration(evaluation: Any, ax: Axes | None = None, *, lang: str = "en") -> Axes:
    """Draw whether a risk of 20 % comes true in 20 of 100: observed against predicted, with intervals and counts.

    Parameters
    ----------
    evaluation : Evaluation or pandas.DataFrame
        An evaluation, or its ``calibration`` frame: one row per bin with ``mean_risk`` (or ``predicted``),
        ``observed``, ``low``, ``high`` and ``n``.
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
        If the frame is empty (points have no calibration) or lacks a column.

    Examples
    --------
    >>> import pandas as pd
    >>> bins = pd.DataFrame({"predicted": [0.1, 0.2, 0.4], "observed": [0.08, 0.25, 0.38], "low": [0.03, 0.15, 0.25],
    ...                      "high": [0.15, 0.36, 0.52], "n": [80, 60, 40]})
    >>> calibration(bins).get_xlabel()
    'predicted risk'
    """
    bins = _frame_of(evaluation, "calibration").rename(columns={"mean_risk": "predicted"})
    need(bins, ("predicted", "observed", "low", "high", "n"), "calibration")
    words = Words(lang)
    x, y, low, high, n = (numbers(bins[name]) for name in ("predicted", "observed", "low", "high", "n"))
    top = min(1.0, 1.1 * max(np.nanmax(x), np.nanmax(high)))
    with canvas(ax, (4.6, 4.6)) as ax:
        ax.plot([0, top], [0, top], linestyle=(0, (4, 3)), color=QUIET, linewidth=1)
        ax.annotate(
            words("perfect"),
            (top, top),
            xytext=(-14, -3),
            textcoords="offset points",
            ha="right",
            va="center",
            color=QUIET,
            fontsize=9,
        )
        ax.bar(x, 0.1 * top * n / np.nanmax(n), bottom=-0.16 * top, width=0.02 * top, color="#9a9a9a")
        shown = -np.inf
        for at, count in zip(x, n, strict=True):
            if at - shown < 0.06 * top:
                continue  # two counts would lie on each other
            shown = at
            ax.annotate(
                words.number(count),
                (at, (0.1 * count / np.nanmax(n) - 0.155) * top),
                ha="center",
                va="bottom",
                fontsize=7,
                color=QUIET,
            )
        ax.vlines(x, low, high, color=BLUE, linewidth=2)
        ax.plot(x, y, "o", color=INK, markersize=5)
        ax.axhline(0, color=LINE, linewidth=0.8)
        ax.annotate(words("people_in_bin"), (top, -0.155 * top), ha="right", va="bottom", fontsize=8, color=QUIET)
        _shares(ax, words, x=True, y=True)
        ticks = [tick for tick in ax.get_yticks() if 0 <= tick <= top]
        ax.set(
            xlim=(0, top), ylim=(-0.16 * top, top), yticks=ticks, xlabel=words("predicted"), ylabel=words("observed")
        )
        ax.set_aspect("equal")
    return ax


def _frame_of(evaluation: Any, name: str) -> pd.DataFrame:
    return evaluation if isinstance(evaluation, pd.DataFrame) else getattr(evaluation, name)


def _shares(ax: Axes, words: Words, *, x: bool, y: bool) -> None:
    """Write the axes' shares as percentages of the language."""
    for wanted, axis in ((x, ax.xaxis), (y, ax.yaxis)):
        if wanted:
            axis.set_major_formatter(lambda value, _: words.wording.percent(value))


def discrimination(y: ArrayLike, risk: ArrayLike, ax: Axes | None = None, *, lang: str = "en") -> Axes:
    """Draw how well risks or points tell apart those who had the outcome: the receiver operating characteristic.

    Parameters
    ----------
    y : array_like of shape (n,)
        1 had the outcome, 0 did not; missing labels are left out.
    risk : array_like of shape (n,)
        Risk or points, higher for more risk.
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
        If one of the two outcomes never occurs.

    Examples
    --------
    >>> discrimination([0, 0, 1], [0.1, 0.3, 0.8]).texts[0].get_text()
    'area under the curve 1.00'
    """
    labels, scores = np.asarray(y, dtype="float64").ravel(), np.asarray(risk, dtype="float64").ravel()
    known = ~(np.isnan(labels) | np.isnan(scores))
    labels, scores = labels[known], scores[known]
    if len(set(labels.tolist())) < 2:
        raise UsageError(
            "only one of the two outcomes occurs", where="y", do="give people with and without the outcome"
        )
    words = Words(lang)
    values, group = np.unique(-scores, return_inverse=True)  # people with the same score are flagged together
    hits = np.bincount(group, weights=labels, minlength=len(values))
    misses = np.bincount(group, weights=1 - labels, minlength=len(values))
    true = np.concatenate([[0.0], np.cumsum(hits) / hits.sum()])
    false = np.concatenate([[0.0], np.cumsum(misses) / misses.sum()])
    area = float(np.sum(np.diff(false) * (true[1:] + true[:-1]) / 2))
    with canvas(ax, (4.6, 4.6)) as ax:
        ax.plot([0, 1], [0, 1], linestyle=(0, (4, 3)), color=QUIET, linewidth=1)
        ax.plot(false, true, color=BLUE, linewidth=2)
        ax.annotate(words("auc", n=words.number(area, 2)), (0.97, 0.06), ha="right", fontsize=10)
        ax.annotate(words("chance"), (0.5, 0.5), xytext=(6, -10), textcoords="offset points", color=QUIET, fontsize=9)
        _shares(ax, words, x=True, y=True)
        ax.set(xlim=(0, 1), ylim=(0, 1.01), xlabel=words("false_share"), ylabel=words("true_share"), aspect="equal")
    return ax


def net_benefit(evaluation: Any, ax: Axes | None = None, *, lang: str = "en") -> Axes:
    """Draw the decision curve: what help by risk is worth against help for all and for none, with the capacity marked.

    Parameters
    ----------
    evaluation : Evaluation or pandas.DataFrame
        An evaluation, or its ``net_benefit`` frame: one row per ``threshold`` with ``net_benefit`` and
        ``net_benefit_all``; ``is_capacity_point`` is drawn if present.
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
        If the frame is empty (points have no net benefit) or lacks a column.

    Examples
    --------
    >>> import pandas as pd
    >>> curve = pd.DataFrame({"threshold": [0.1, 0.2, 0.3], "net_benefit": [0.12, 0.09, 0.07],
    ...                       "net_benefit_all": [0.11, 0.0, -0.14], "is_capacity_point": [False, True, False]})
    >>> [line.get_label() for line in net_benefit(curve).lines]
    ['for none', 'help for all', 'by risk', 'your capacity']
    """
    curve = _frame_of(evaluation, "net_benefit")
    need(curve, ("threshold", "net_benefit", "net_benefit_all"), "net_benefit")
    words = Words(lang)
    curve = curve.sort_values("threshold", kind="stable")
    at, by_risk, for_all = (numbers(curve[name]) for name in ("threshold", "net_benefit", "net_benefit_all"))
    top = max(float(np.nanmax(by_risk)), float(np.nanmax(for_all)), 0.01)
    with canvas(ax, (6, 3.6)) as ax:
        ax.axhline(0, color=QUIET, linewidth=1, label=words("help_none"))
        ax.plot(at, for_all, linestyle=(0, (4, 3)), color=VERMILION, label=words("help_all"))
        ax.plot(at, by_risk, color=BLUE, linewidth=2, label=words("help_risk"))
        points = flags(curve, "is_capacity_point")
        if points.any():
            ax.plot(at[points], by_risk[points], "o", color=INK, markersize=6, label=words("capacity_point"))
        end = last_useful(curve, top)
        ax.set(xlabel=words("threshold"), ylabel=words("net_benefit"), ylim=(-0.25 * top, 1.1 * top), xlim=(0, end))
        _shares(ax, words, x=True, y=False)
        number_ticks(ax, words, x=False, y=True)
        ax.legend(fontsize=9)
    return ax
