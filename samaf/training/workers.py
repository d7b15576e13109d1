"""Work spread over processes, as many as there are cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any, TypeVar

Job = TypeVar("Job")
Shared = TypeVar("Shared")
Result = TypeVar("Result")
WORTHWHILE = 16  # jobs a process; fewer are done before it has started

_kept: list[Any] = []  # what the jobs of this process share


def spread(
    work: Callable[[Job, Shared], Result],
    jobs: Sequence[Job],
    share: Callable[..., Shared],
    *arguments: Any,
) -> Iterator[Result]:
    """Yield ``work(job, share(*arguments))`` for each job, in order.

    ``share`` is called once in each process. Processes are spawned, not forked: the
    caller may have loaded TensorFlow, whose threads a fork does not survive.
    """
    count = min(os.cpu_count() or 1, len(jobs) // WORTHWHILE)
    if count <= 1:
        shared = share(*arguments)
        yield from (work(job, shared) for job in jobs)
        return
    with ProcessPoolExecutor(
        count, get_context("spawn"), initializer=_keep, initargs=(share, arguments)
    ) as pool:
        yield from pool.map(partial(_with_kept, work), jobs, chunksize=4)


def _keep(share: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    _kept[:] = [share(*arguments)]


def _with_kept(work: Callable[[Any, Any], Result], job: object) -> Result:
    return work(job, _kept[0])
