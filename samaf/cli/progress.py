"""How far a command is, on standard error."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar


class Progress:
    """A bar that goes by bytes and shows files done, speed and time left.

    Parameters
    ----------
    sizes
        Bytes of each file; they, not the number of files, determine the time left.
    """

    def __init__(self, sizes: list[int]) -> None:
        self._sizes = sizes
        self._done = 0
        self._seconds = 0.0
        self._started = time.monotonic()
        self._bar = _bar()
        self._task = self._bar.add_task("", total=sum(sizes))
        self._bar.start()

    @property
    def speed(self) -> float:
        """Seconds of audio for each second that passed."""
        return self._seconds / max(time.monotonic() - self._started, 1e-9)

    def advance(self, seconds: float) -> None:
        """Count one more file, with so many seconds of audio in it."""
        size = self._sizes[self._done]
        self._done += 1
        self._seconds += seconds
        description = f"{self._done:,} of {len(self._sizes):,} files, {self.speed:,.0f} x real time"
        self._bar.update(self._task, advance=size, description=description)

    def clear(self) -> None:
        """Take the bar away."""
        self._bar.stop()


@contextmanager
def counting(unit: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar; what is given takes how much is done and how much there is to do.

    Parameters
    ----------
    unit
        What is counted, such as hashes. A total of 0 is one that nobody knows.
    """
    with _bar() as bar:
        task = bar.add_task("", total=None)

        def report(done: int, total: int) -> None:
            of = f" of {total:,}" if total else ""
            described = f"{done:,}{of} {unit}"
            bar.update(task, completed=done, total=total or None, description=described)

        yield report


def _bar() -> Bar:
    """Make a bar that a terminal shows, and nothing else."""
    console = Console(stderr=True)
    return Bar(
        BarColumn(),
        TextColumn("{task.description}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
