"""How fast and how large: adding, hashing, querying, starting, searching, training.

``program`` times whole processes and the training step, ``hashing`` its parts and ``searching`` the
indexes alone, both beside the machine's limits.
"""

from __future__ import annotations

import time
from collections.abc import Callable


def timed(action: Callable[[], object], times: int = 5) -> tuple[float, float]:
    """Give the least CPU time and the least time by the clock, in seconds."""
    taken = []
    for _ in range(times):
        cpu, begun = time.process_time(), time.perf_counter()
        action()
        taken.append((time.process_time() - cpu, time.perf_counter() - begun))
    return min(t[0] for t in taken), min(t[1] for t in taken)


def clock(action: Callable[[], object], times: int = 3) -> float:
    """Give the least time by the clock, in seconds."""
    return timed(action, times)[1]
