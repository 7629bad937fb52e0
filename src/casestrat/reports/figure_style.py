"""One style for every figure, and the axes and words they share; matplotlib loads only when something is drawn."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from casestrat.errors import UsageError
from casestrat.knowledge.wording import Wording, load_wording

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from matplotlib.axes import Axes

# Okabe and Ito (2008): told apart with any colour vision. Order of use; lightness falls so that grey prints differ too.
BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7"
INK, QUIET, LINE = "#1b1b1b", "#575757", "#d4d4d4"
GREYS = ("#2b2b2b", "#8f8f8f", "#d9d9d9", "#f1f1f1")  # tiers, highest first

_SETTINGS: dict[str, Any] = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.labelcolor": QUIET,
    "axes.edgecolor": "#8a8a8a",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "axes.axisbelow": True,
    "text.color": INK,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "grid.color": LINE,
    "lines.linewidth": 1.6,
    "hatch.linewidth": 0.5,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 300,
}


@contextmanager
def style() -> Iterator[None]:
    """Draw in the house style inside a ``with`` block: quiet axes, 300 dpi when saved.

    Yields
    ------
    None
        Nothing; matplotlib's settings are as before at the end of the block.

    Examples
    --------
    >>> from casestrat.reports import figures
    >>> with figures.style():
    ...     pass
    """
    import matplotlib as mpl  # drawing is loaded only when something is drawn
    from cycler import cycler

    cycle = cycler(color=[BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE])
    settings: Any = {**_SETTINGS, "axes.prop_cycle": cycle}
    with mpl.rc_context(settings):
        yield


@contextmanager
def canvas(ax: Axes | None, size: tuple[float, float]) -> Iterator[Axes]:
    """Give the axes to draw on in the house style: those given, or new ones of a size in inches."""
    with style():
        if ax is None:
            import matplotlib.pyplot as plt  # drawing is loaded only when something is drawn

            ax = plt.subplots(figsize=size)[1]
        yield ax


class Words:
    """The words of figures in a language."""

    def __init__(self, lang: str) -> None:
        self.wording: Wording = load_wording(lang)

    def __call__(self, key: str, **values: object) -> str:
        """Return the words of a key of the section ``figures``."""
        return self.wording(f"figures.{key}", **values)

    def number(self, value: float, decimals: int = 0) -> str:
        """Return a number as the language writes it."""
        return self.wording.number(value, decimals)


def need(frame: pd.DataFrame, columns: tuple[str, ...], name: str) -> None:
    """Refuse a frame that lacks what is to be drawn, or that has no row."""
    lacking = [column for column in columns if column not in frame.columns]
    if lacking:
        raise UsageError(f"`{name}` lacks the columns {', '.join(lacking)}", do="give the frame as its step returns it")
    if frame.empty:
        raise UsageError(f"`{name}` has no row to draw", do="give a frame with at least one row")


def last_useful(curves: pd.DataFrame, top: float) -> float:
    """Return the threshold up to which a decision curve tells anything, so that its flat tail is not drawn."""
    told = numbers(curves["threshold"])[np.abs(numbers(curves["net_benefit"])) > 0.01 * top]
    return float(min(1.0, max(0.2, 1.1 * told.max()))) if len(told) else 1.0


def _tick(value: float, _place: int | None, words: Words, digits: int) -> str:
    """Write one number of an axis."""
    return words.number(value, digits)


def number_ticks(ax: Axes, words: Words, *, x: bool = True, y: bool = False) -> None:
    """Write an axis' numbers as the language does, with as many digits as its steps need."""
    for wanted, axis in ((x, ax.xaxis), (y, ax.yaxis)):
        if not wanted:
            continue
        ticks = axis.get_majorticklocs()
        step = float(np.diff(ticks).min()) if len(ticks) > 1 else 1.0
        digits = next((n for n in range(5) if abs(round(step, n) - step) < 1e-9 * max(1.0, step)), 3)
        axis.set_major_formatter(partial(_tick, words=words, digits=digits))


def flags(frame: pd.DataFrame, column: str) -> np.ndarray:
    """Return a column of flags, missing or absent ones as no."""
    if column not in frame.columns:
        return np.zeros(len(frame), dtype=bool)
    return frame[column].fillna(False).to_numpy(dtype=bool)


def numbers(column: pd.Series) -> np.ndarray:
    """Return a column as plain numbers, missing as NaN."""
    return column.to_numpy(dtype="float64", na_value=np.nan)
