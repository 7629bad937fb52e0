"""What is printed: tables that fit a terminal, progress, the counts of a run."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

_WIDEST = 8  # columns of a table that one row is not printed upright for


def open_console(quiet: bool = False) -> Console:
    """Return where a command prints."""
    return Console(quiet=quiet, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def progress(quiet: bool) -> Iterator[Any]:
    """Show a bar on a terminal, plain lines in a log, nothing when quiet."""
    console = Console(stderr=True, quiet=quiet)
    if quiet or not console.is_terminal:
        began = time.perf_counter()

        def say(step: str, done: int, of: int) -> None:
            if not quiet and done == of:
                console.print(f"{step}: {done} of {of} done after {time.perf_counter() - began:.1f} s")

        yield say
        return
    columns = (TextColumn("{task.description:<8}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        tasks: dict[str, Any] = {}

        def show(step: str, done: int, of: int) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step, total=of)
            bar.update(tasks[step], completed=done, total=of)

        yield show


def print_frame(frame: pd.DataFrame, title: str, console: Console) -> None:
    """Print a table: ids and numbers are never cut, words go on in the next line; one long row stands upright."""
    if frame.empty:
        return
    tidy = frame.copy()
    for name in frame.columns:
        if str(frame[name].dtype).lower().startswith("float"):
            tidy[name] = frame[name].map(short, na_action="ignore")
        elif str(frame[name].dtype).startswith("datetime"):
            tidy[name] = frame[name].dt.strftime("%Y-%m-%d")
    cells = tidy.astype(object).where(frame.notna(), "").map(lambda value: str(value).replace("[", r"\["))
    view = Table(
        title=title, title_justify="left", box=None, show_header=len(frame) > 1 or len(cells.columns) <= _WIDEST
    )
    if not view.show_header:
        cells = cells.T.reset_index()
    for number, name in enumerate(cells.columns):
        is_figure = bool(cells[name].str.fullmatch(r"[-\d.,%e]*").all())
        view.add_column(str(name), no_wrap=is_figure or number == 0, justify="right" if is_figure else "left",
                        overflow="fold")  # fmt: skip
    for row in cells.itertuples(index=False):
        view.add_row(*row)
    console.print(view, soft_wrap=False)


def short(number: float) -> str:
    """Write a number with up to four decimals."""
    return f"{round(number, 4) + 0.0:.4f}".rstrip("0").rstrip(".")
