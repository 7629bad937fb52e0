"""Every chart: takes a frame and axes, returns the axes. One style, in the reader's language, readable in grey."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.reports.caseload_page import monthly_flow
from casestrat.reports.change_figures import card_path, decision_curves, drift_bars, models_compared
from casestrat.reports.figure_style import (
    BLUE,
    GREYS,
    INK,
    LINE,
    ORANGE,
    QUIET,
    SKY,
    Words,
    canvas,
    flags,
    need,
    numbers,
    style,
)
from casestrat.reports.group_figures import group_forest
from casestrat.reports.validation_figures import calibration, discrimination, net_benefit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "calibration",
    "card_path",
    "days_worth",
    "decision_curves",
    "discrimination",
    "drift_bars",
    "flow",
    "group_forest",
    "models_compared",
    "net_benefit",
    "ranked_list",
    "style",
    "tier_mix",
    "workload",
]

_PARTS = ("waiting", "need", "risk", "urgency")


def ranked_list(ranked: pd.DataFrame, ax: Axes | None = None, *, lang: str = "en", first: int = 40) -> Axes:
    """Draw the first people of a list as a caterpillar: rank with interval, the cut, the zone too close to call.

    Parameters
    ----------
    ranked : pandas.DataFrame
        One row per person: ``rank``, ``person_id``; ``rank_low``, ``rank_high``, ``is_proposed`` and ``in_tied_zone``
        are drawn if present. Without rank intervals the priority index is drawn.
    ax : matplotlib.axes.Axes, optional
        Where to draw; new axes otherwise.
    lang : {"en", "fr", "it"}
        Language of the labels.
    first : int, default 40
        How many people from the top.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Raises
    ------
    UsageError
        If the list is empty or lacks a column.

    Examples
    --------
    >>> import pandas as pd
    >>> people = pd.DataFrame({"rank": [1, 2, 3], "person_id": ["P1", "P2", "P3"], "rank_low": [1, 1, 2],
    ...                        "rank_high": [2, 3, 3], "is_proposed": [True, False, False]})
    >>> ranked_list(people).get_xlabel()
    'rank (interval)'
    """
    need(ranked, ("rank", "person_id"), "ranked")
    words = Words(lang)
    shown = ranked.sort_values("rank", kind="stable").head(first)
    rows = np.arange(len(shown))
    with canvas(ax, (6.4, 1.2 + 0.2 * len(shown))) as ax:
        has_interval = {"rank_low", "rank_high"} <= set(shown.columns)
        column = "rank" if has_interval else "key_index"
        if not has_interval:
            need(shown, ("key_index",), "ranked")
        at = numbers(shown[column])
        if has_interval:
            ax.hlines(rows, numbers(shown["rank_low"]), numbers(shown["rank_high"]), color=BLUE, linewidth=2.5)
        else:
            ax.hlines(rows, 0, at, color=LINE, linewidth=1)
        ax.plot(at, rows, "o", color=INK, markersize=4.5)
        _mark_zone(ax, shown, rows, words)
        _mark_cut(ax, shown, rows, words)
        ax.set_yticks(rows, shown["person_id"].astype(str).tolist(), fontsize=8)
        ax.set_ylim(len(shown) - 0.5, -0.9)
        ax.set_xlabel(words("rank_interval" if has_interval else "index"))
        ax.tick_params(axis="y", length=0)
    return ax


def _mark_zone(ax: Axes, shown: pd.DataFrame, rows: np.ndarray, words: Words) -> None:
    """Hatch the rows that are too close to call, and name them."""
    tied = rows[flags(shown, "in_tied_zone")]
    if len(tied) == 0:
        return
    ax.axhspan(
        tied.min() - 0.5, tied.max() + 0.5, facecolor="none", edgecolor="#bdbdbd", hatch="///", linewidth=0, zorder=0
    )
    _note(ax, words("too_close"), tied.max() + 0.4, color=QUIET)


def _mark_cut(ax: Axes, shown: pd.DataFrame, rows: np.ndarray, words: Words) -> None:
    """Draw the line after the last place, and say how many places there are."""
    within = rows[flags(shown, "is_proposed")]
    if len(within) == 0 or len(within) == len(rows):
        return
    ax.axhline(within.max() + 0.5, color=INK, linewidth=1.2)
    _note(ax, words("places", n=len(within)), within.max() + 0.5, fontweight="bold")


def _note(ax: Axes, text: str, row: float, **look: Any) -> None:
    """Write at the right edge, above a row, on white."""
    ax.annotate(
        text,
        (1, row),
        xycoords=("axes fraction", "data"),
        ha="right",
        va="bottom",
        fontsize=9,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
        **look,
    )


def days_worth(ranked: pd.DataFrame, person_id: str, ax: Axes | None = None, *, lang: str = "en") -> Axes:
    """Draw one person's index as a waterfall: what each part is worth in days of waiting, and all together.

    Parameters
    ----------
    ranked : pandas.DataFrame
        One row per person, with ``days_worth_*`` columns.
    person_id : str
        Whose index.
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
        If the person is not on the list, or it tells no parts.

    Examples
    --------
    >>> import pandas as pd
    >>> people = pd.DataFrame({"rank": [1, 2, 3], "person_id": ["P1", "P2", "P3"], "days_worth_need": [12.0, 9.0, 3.0],
    ...                        "days_worth_waiting": [40.0, 12.0, 8.0]})
    >>> [text.get_text() for text in days_worth(people, "P1").texts]
    ['+12', '+40', '+52']
    """
    columns = sorted((name for name in ranked.columns if name.startswith("days_worth_")), key=_part_order)
    row = ranked[ranked["person_id"] == person_id]
    if not columns or row.empty:
        raise UsageError(
            "that person's parts are not on the list", where="ranked", do="give a ranked list and a person on it"
        )
    words = Words(lang)
    parts = row[columns].iloc[0].fillna(0.0).to_numpy(dtype="float64")
    order = np.argsort(parts, kind="stable")
    names = [columns[i].removeprefix("days_worth_") for i in order]
    sizes, starts = parts[order], np.concatenate([[0.0], np.cumsum(parts[order])])
    with canvas(ax, (6.4, 1.1 + 0.42 * (len(sizes) + 1))) as ax:
        rows = np.arange(len(sizes) + 1)
        ax.barh(
            rows[:-1], sizes, left=starts[:-1], height=0.6, color=[SKY if name == "waiting" else BLUE for name in names]
        )
        ax.barh(rows[-1], starts[-1], height=0.6, color=INK)
        ax.vlines(starts[1:], rows[:-1] - 0.3, rows[1:] + 0.3, color=QUIET, linewidth=0.8)
        for i, end in enumerate([*starts[1:], starts[-1]]):
            size = sizes[i] if i < len(sizes) else end
            ax.annotate(f"+{words.number(size)}" if size > 0 else words.number(size), (end, i), xytext=(4, 0),
                        textcoords="offset points", va="center", fontsize=9)  # fmt: skip
        known = {key: words(key) for key in ("risk", "need", "urgency", "waiting")}
        ax.set_yticks(rows, [*(known.get(name, name.replace("_", " ")) for name in names), words("total")])
        ax.invert_yaxis()
        ax.margins(x=0.1)
        ax.set_xlabel(words("days_of_waiting"))
        ax.tick_params(axis="y", length=0)
    return ax


def _part_order(column: str) -> tuple[int, str]:
    name = column.removeprefix("days_worth_")
    return (_PARTS.index(name) if name in _PARTS else len(_PARTS), name)


def workload(workload: pd.DataFrame, ax: Axes | None = None, *, lang: str = "en") -> Axes:
    """Draw hours against capacity, one row per case manager in alphabetical order of id: hollow before, filled after.

    Parameters
    ----------
    workload : pandas.DataFrame
        One row per case manager: ``cm_id``, ``capacity_minutes``, ``minutes_before``, ``minutes_after`` (a week).
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
        If the frame is empty or lacks a column.

    Examples
    --------
    >>> import pandas as pd
    >>> staff = pd.DataFrame({"cm_id": ["C2", "C1", "C3"], "capacity_minutes": [1200, 1200, 600],
    ...                       "minutes_before": [900, 1100, 500], "minutes_after": [1000, 1100, 560]})
    >>> [label.get_text() for label in workload(staff).get_yticklabels()]
    ['C1', 'C2', 'C3']
    """
    need(workload, ("cm_id", "capacity_minutes", "minutes_before", "minutes_after"), "workload")
    words = Words(lang)
    staff = workload.sort_values("cm_id", kind="stable")
    before, after, capacity = (
        numbers(staff[name]) / 60 for name in ("minutes_before", "minutes_after", "capacity_minutes")
    )
    rows = np.arange(len(staff))
    with canvas(ax, (6.4, 1.2 + 0.32 * len(staff))) as ax:
        ax.barh(rows, after, height=0.4, color=BLUE, label=words("after"))
        ax.barh(rows, before, height=0.66, facecolor="none", edgecolor=QUIET, linewidth=1, label=words("before"))
        ax.vlines(capacity, rows - 0.42, rows + 0.42, color=INK, linewidth=2.2, label=words("capacity"))
        ax.set_yticks(rows, staff["cm_id"].astype(str).tolist())
        ax.invert_yaxis()
        ax.set_xlabel(words("hours_week"))
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, fontsize=9)
        ax.tick_params(axis="y", length=0)
    return ax


def flow(flow: pd.DataFrame, ax: Axes | None = None, *, lang: str = "en") -> Axes:
    """Draw who came (up), who left (down) and the balance, month by month.

    Parameters
    ----------
    flow : pandas.DataFrame
        One row per month (``period_start``, ``inflow``, ``outflow``), or the long frame of ``casestrat.caseload.flow``.
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
        If there is no whole month, or a column is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> months = pd.DataFrame({"period_start": pd.date_range("2026-01-01", periods=3, freq="MS"), "inflow": [3, 4, 2],
    ...                        "outflow": [2, 2, 3]})
    >>> flow(months).get_ylabel()
    'cases'
    """
    wide = monthly_flow(flow)
    if wide is None:
        raise UsageError("`flow` lacks the column period_start", do="give the frame as its step returns it")
    need(wide, ("inflow", "outflow"), "flow")
    words = Words(lang)
    came, left = numbers(wide["inflow"]), numbers(wide["outflow"])
    at = np.arange(len(wide))
    with canvas(ax, (6.4, 3.2)) as ax:
        ax.bar(at, came, width=0.7, color=BLUE)
        ax.bar(at, -left, width=0.7, color=ORANGE)
        ax.plot(at, came - left, "-o", color=INK, markersize=3.5)
        ax.axhline(0, color=QUIET, linewidth=0.8)
        for y, key, color in (
            (came[-1], "flow_in", BLUE),
            (-left[-1], "flow_out", "#8a5f00"),
            (came[-1] - left[-1], "flow_net", INK),
        ):
            ax.annotate(
                words(key),
                (at[-1] + 0.5, y),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
                color=color,
                fontsize=9,
            )
        chosen = at[:: max(1, len(at) // 6)]
        months = pd.DatetimeIndex(wide["period_start"])
        ax.set_xticks(chosen, [f"{months[i].month:02d}/{months[i].year}" for i in chosen])
        ax.set_ylabel(words("cases"))
        ax.yaxis.set_major_formatter(lambda value, _: words.number(abs(value)))
        ax.margins(x=0.02)
    return ax


def tier_mix(
    people: pd.DataFrame,
    ax: Axes | None = None,
    *,
    tiers: tuple[str, ...] = ("high", "medium", "low"),
    lang: str = "en",
) -> Axes:
    """Draw how many people are in each tier, as one bar with its counts.

    Parameters
    ----------
    people : pandas.DataFrame
        One row per person, with ``tier``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; new axes otherwise.
    tiers : tuple of str
        The program's tiers, highest first; others follow in alphabetical order.
    lang : {"en", "fr", "it"}
        Language of the labels.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Raises
    ------
    UsageError
        If the frame is empty or has no tier.

    Examples
    --------
    >>> import pandas as pd
    >>> [text.get_text() for text in tier_mix(pd.DataFrame({"tier": ["low", "high", "low"]})).texts]
    ['high 1', 'low 2']
    """
    need(people, ("tier",), "people")
    words = Words(lang)
    counts = people["tier"].dropna().astype(str).value_counts()
    order = [*(tier for tier in tiers if tier in counts.index), *sorted(set(counts.index) - set(tiers))]
    with canvas(ax, (6.4, 1.1)) as ax:
        start = 0
        for tier in order:
            n = int(counts[tier])
            shade = GREYS[min(tiers.index(tier) if tier in tiers else len(tiers), len(GREYS) - 1)]
            ax.barh(0, n, left=start, height=0.6, color=shade, edgecolor="white")
            word = words.wording(f"tier.{tier}") if f"tier.{tier}" in words.wording else tier.replace("_", " ")
            ax.annotate(f"{word} {words.number(n)}", (start + n / 2, 0), ha="center", va="center", fontsize=9,
                        color="white" if shade == GREYS[0] else INK)  # fmt: skip
            start += n
        ax.set(xlim=(0, start), yticks=[], xlabel=words("people"))
        ax.spines["left"].set_visible(False)
    return ax
