"""A chart as a part of a page: SVG whose text is text, the same bytes for the same chart."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, cast

from markupsafe import Markup, escape

from casestrat.reports.figure_style import style

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def svg_figure(draw: Callable[..., Axes], name: str, alt: str, size: tuple[float, float] | None = None) -> Markup:
    """Return a chart as an SVG element.

    Parameters
    ----------
    draw : callable
        Takes ``ax`` and draws on it.
    name : str
        What parts of this chart are called by: unlike any other on the page.
    alt : str
        What the chart shows, for those who do not see it.
    size : tuple of float, optional
        Width and height in inches; as the chart likes it, where not given.

    Returns
    -------
    Markup
        The element; texts stay texts, in the font of the page.
    """
    import matplotlib as mpl  # drawing is loaded only when something is drawn
    import matplotlib.pyplot as plt

    with style(), mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        ax = draw(ax=None if size is None else plt.subplots(figsize=size)[1])
        figure = cast("Figure", ax.figure)
        figure.set_layout_engine("none")  # the tight box crops as well, in half the time
        out = io.StringIO()
        figure.savefig(
            out, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight", pad_inches=0.04
        )
        plt.close(figure)
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :].rstrip()
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.S)
    svg = re.sub(r"<style type=\"text/css\">.*?</style>", "", svg, flags=re.S)  # it would reach beyond the chart
    svg = re.sub(r'\bid="([^"]+)"', lambda found: f'id="{name}-{found[1]}"', svg)
    svg = re.sub(r"(url\(#|href=\"#)", lambda found: f"{found[1]}{name}-", svg)
    width = re.search(r'viewBox="0 0 ([\d.]+) ', svg)
    points = float(width[1]) if width else 400.0
    head = f'<svg role="img" aria-label="{escape(alt)}" style="max-width: {points * 4 / 3:.0f}px"'
    svg = re.sub(r'(<svg[^>]*?) (?:width|height)="[^"]*"', r"\1", svg)
    svg = re.sub(r'(<svg[^>]*?) (?:width|height)="[^"]*"', r"\1", svg)
    return Markup(svg.replace("<svg", head, 1))
