"""Where the parts of a night's work are done: on this machine, or on a Dask cluster.

Both engines do the same thing with the same function, one part at a time, and hand back each receipt as it comes. What
a part writes does not depend on the engine or on the number of workers.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from joblib import Parallel, delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError

from casestrat.errors import PartialError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from distributed import Client

EngineName = Literal["local", "dask"]
ENGINES: tuple[EngineName, ...] = ("local", "dask")
Task = TypeVar("Task")
Receipt = dict[str, Any]


def run_parts(
    work: Callable[[Task], Receipt],
    tasks: Sequence[Task],
    *,
    engine: EngineName = "local",
    workers: int | None = None,
    scheduler: str | None = None,
) -> Iterator[Receipt]:
    """Do the work on every task and yield the receipts as they come, in no particular order.

    Parameters
    ----------
    work : callable
        A function of one task that returns a receipt; it must be importable by a worker process.
    tasks : sequence
        The tasks, each small enough to send (paths and settings, not data).
    engine : {"local", "dask"}, optional
        This machine's processes, or a Dask cluster.
    workers : int, optional
        How many processes; by default one a core, and never more than there are tasks.
    scheduler : str, optional
        Address of a running Dask scheduler; without it a cluster is started on this machine.

    Yields
    ------
    dict
        One receipt a task.

    Raises
    ------
    UsageError
        For an unknown engine, or ``dask`` without the package it needs.
    PartialError
        Where a worker process was killed; what is done stays done, and a re-run goes on from there.
    """
    check_engine(engine, workers, scheduler)
    if not tasks:
        return
    if engine == "dask":
        yield from _on_dask(work, tasks, workers, scheduler)
    else:
        yield from _on_this_machine(work, tasks, workers)


def check_engine(engine: str, workers: int | None, scheduler: str | None) -> None:
    """Refuse settings that no engine can follow, before anything is read.

    Raises
    ------
    UsageError
        For an unknown engine, no workers, or a scheduler without the engine that has one.
    """
    if engine not in ENGINES:
        raise UsageError(f"no engine is called {engine!r}", do=f"use one of: {', '.join(ENGINES)}")
    if workers is not None and workers < 1:
        raise UsageError("the number of workers must be 1 or more", do="leave `workers` out for one a core")
    if scheduler is not None and engine != "dask":
        raise UsageError("a scheduler is given, but the engine is this machine", do="add --engine dask")


def _on_this_machine(work: Callable[[Task], Receipt], tasks: Sequence[Task], workers: int | None) -> Iterator[Receipt]:
    count = min(workers or os.cpu_count() or 1, len(tasks))
    if count == 1:  # no process to start, nothing to send
        yield from map(work, tasks)
        return
    try:
        parallel = Parallel(n_jobs=count, backend="loky", return_as="generator_unordered", pre_dispatch="2*n_jobs")
        yield from parallel(delayed(work)(task) for task in tasks)
    except TerminatedWorkerError:
        raise PartialError(
            "a worker process ended before its part was done (killed, or out of memory)",
            do="run again: the parts already done are kept; use fewer workers if memory was short",
        ) from None


def _on_dask(
    work: Callable[[Task], Receipt], tasks: Sequence[Task], workers: int | None, scheduler: str | None
) -> Iterator[Receipt]:
    try:
        from distributed import as_completed  # an extra: only who asks for a cluster needs it
    except ImportError:
        raise UsageError(
            "the engine 'dask' needs the package distributed", do="install it: pip install 'casestrat[dask]'"
        ) from None
    with ExitStack() as stack:
        client = stack.enter_context(_client(stack, min(workers or os.cpu_count() or 1, len(tasks)), scheduler))
        # A part that was lost with its worker is done again elsewhere; `pure=False` keeps equal tasks apart.
        futures = client.map(work, tasks, pure=False, retries=2)
        for future in as_completed(futures, loop=client.loop):
            yield future.result()


def _client(stack: ExitStack, workers: int, scheduler: str | None) -> Client:
    from distributed import Client, LocalCluster

    if scheduler is not None:
        try:
            return Client(scheduler, timeout="10s", set_as_default=False)
        except (OSError, ValueError, TypeError):
            raise UsageError(
                "no Dask scheduler answered", where=scheduler, do="check the address, such as tcp://127.0.0.1:8786"
            ) from None
    cluster = stack.enter_context(
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address="127.0.0.1:0", host="127.0.0.1")
    )
    return Client(cluster, set_as_default=False)
