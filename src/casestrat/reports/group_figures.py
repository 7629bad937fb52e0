"""Charts of groups: one measure in each group with its interval, and what is hidden said to be hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from casestrat.reports.figure_style import BLUE, INK, LINE, QUIET, Words, canvas, flags, need, number_ticks, numbers

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_SHARES = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision", "admission_rate")
_SHORT = {"expected_over_observed": "eo", "calibration_slope": "slope", "calibration_intercept": "intercept",
          "admission_odds": "odds", "median_wait": "wait"}  # fmt: skip
_RIGHT = {"expected_over_observed": 1.0, "calibration_slope": 1.0, "calibration_intercept": 0.0, "exposure": 1.0,
          "admission_odds": 1.0}  # fmt: skip


def group_forest(
    groups: pd.DataFrame,
    measure: str = "auc",
    ax: Axes | None = None,
    *,
    overall: float | None = None,
    lang: str = "en",
) -> Axes:
    """Draw one measure in each group as a point with its interval; groups too small to be told are named as hidden.

    Parameters
    ----------
    groups : pandas.DataFrame
        One row per ``grouping`` and ``group``, as in ``Evaluation.by_group`` or ``Evaluation.selection`` (of one
        capacity): the measure, its bounds, ``is_suppressed``.
    measure : str, default "auc"
        The column drawn.
    ax : matplotlib.axes.Axes, optional
        Where to draw; new axes otherwise.
    overall : float, optional
        The value of everybody, drawn as a dashed line; for a measure with a right value (1 for expected over observed),
        that one is drawn without it.
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
    >>> groups = pd.DataFrame({"grouping": ["sex"] * 3, "group": ["f", "m", "x"], "auc": [0.7, 0.66, None],
    ...                        "auc_low": [0.64, 0.58, None], "auc_high": [0.76, 0.74, None],
    ...                        "is_suppressed": [False, False, True]})
    >>> [text.get_text() for text in group_forest(groups).texts]
    ['sex', '0.70', '0.66', 'hidden: too few people']
    """
    short = _SHORT.get(measure, measure)
    need(groups, ("grouping", "group", measure, f"{short}_low", f"{short}_high"), "groups")
    words = Words(lang)
    lines = _lines(groups)
    values, low, high = (numbers(groups[name]) for name in (measure, f"{short}_low", f"{short}_high"))
    hidden = flags(groups, "is_suppressed") | np.isnan(values)
    with canvas(ax, (6.2, 0.7 + 0.27 * len(lines))) as ax:
        line = _RIGHT.get(measure, overall)
        if line is not None and np.isfinite(line):
            ax.axvline(line, color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
        ends = np.concatenate([values, low, high, [] if line is None else [line]])
        ends = ends[np.isfinite(ends)]
        left, right = (ends.min(), ends.max()) if len(ends) else (0.0, 1.0)
        span = (right - left) or 1.0
        names = []
        for row, (grouping, place) in enumerate(lines):
            if place is None:
                names.append("")
                ax.annotate(grouping, (0, row), xycoords=("axes fraction", "data"), xytext=(-6, 0), ha="right",
                            textcoords="offset points", va="center", fontsize=9, fontweight="bold")  # fmt: skip
                continue
            names.append(str(groups["group"].iloc[place]))
            _draw_group(ax, row, values[place], low[place], high[place], bool(hidden[place]), measure, words)
        ax.set_yticks(range(len(lines)), names, fontsize=9)
        ax.set_ylim(len(lines) - 0.4, -0.6)
        ax.set_xlim(left - 0.05 * span, right + 0.05 * span)
        ax.set_xlabel(words.wording(f"measures.{measure}"))
        _ticks(ax, measure, words)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.grid(axis="x", color=LINE, linewidth=0.5)
    return ax


def _lines(groups: pd.DataFrame) -> list[tuple[str, int | None]]:
    """Return the lines of the chart: a heading per grouping, then its groups by their place in the frame."""
    lines: list[tuple[str, int | None]] = []
    last = None
    for place, grouping in enumerate(groups["grouping"].astype(str)):
        if grouping != last:
            lines.append((grouping.replace("_", " "), None))
            last = grouping
        lines.append((grouping, place))
    return lines


def _draw_group(
    ax: Axes, row: int, value: float, low: float, high: float, is_hidden: bool, measure: str, words: Words
) -> None:
    """Draw one group, or say that it is hidden."""
    right = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "va": "center", "fontsize": 8}
    if is_hidden:
        ax.annotate(words("hidden"), (0, row), xytext=(4, 0), color=QUIET, fontstyle="italic", **right)  # type: ignore[arg-type]
        return
    if np.isfinite(low):
        ax.hlines(row, low, high, color=BLUE, linewidth=2.2)
    ax.plot([value], [row], "o", color=INK, markersize=4.5)
    digits = 0 if measure == "median_wait" else 2
    text = words.wording.percent(value) if measure in _SHARES else words.number(value, digits)
    ax.annotate(text, (1, row), xytext=(4, 0), color=QUIET, **right)  # type: ignore[arg-type]


def _ticks(ax: Axes, measure: str, words: Words) -> None:
    """Write the axis as shares or as numbers, as the language does."""
    if measure in _SHARES:
        ax.xaxis.set_major_formatter(lambda value, _: words.wording.percent(value))
    else:
        number_ticks(ax, words)
