"""What a measured call cost: time, processor time, memory."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.tables import Line


class Cost:
    """Seconds on the clock, of all processors, and the peak of resident memory in MB."""

    seconds = processor = memory = 0.0

    @property
    def lines(self) -> list[Line]:
        """What a table shows of it."""
        return [
            ("time", f"{self.seconds:.0f} s, {self.processor:.0f} s of processor time"),
            ("memory", f"{self.memory:.0f} MB"),
        ]


@contextmanager
def measured() -> Iterator[Cost]:
    """Measure what is done inside, child processes included.

    Memory is the peak of this process meanwhile, with all that it held before.
    """
    cost = Cost()
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts from here
    began, spent = time.monotonic(), _processor_seconds()
    yield cost
    cost.seconds, cost.processor = time.monotonic() - began, _processor_seconds() - spent
    status = Path("/proc/self/status").read_text()
    cost.memory = int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _processor_seconds() -> float:
    own, others = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime
