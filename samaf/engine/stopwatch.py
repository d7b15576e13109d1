"""How long the parts of a query take, and a log line about it."""

from __future__ import annotations

import logging
import os
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from samaf.records import QueryResult, RankingResult

VARIABLE = "SAMAF_SLOW_QUERY"
SLOW = 1.0  # s; a query that takes longer is logged at the level "info"
PARTS = ("decode", "hash", "search", "verify", "database")

_log = logging.getLogger(__name__)


class Stopwatch:
    """Measures the `PARTS` of one query, in seconds.

    Examples
    --------
    >>> watch = Stopwatch()
    >>> with watch("decode"):
    ...     pass
    """

    def __init__(self) -> None:
        self._seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        """Add what happens inside the ``with`` to a part."""
        started = time.monotonic()
        try:
            yield
        finally:
            self._seconds[part] += time.monotonic() - started

    def report(self, result: QueryResult | RankingResult) -> None:
        """Log the query: a slow one at the level "info", any other at "debug"."""
        answers = result.matches if isinstance(result, QueryResult) else result.ranking
        total = sum(self._seconds.values())  # a clip prepared ahead of its turn waits in between
        is_slow = total > _slow()
        parts = {part: round(self._seconds[part], 4) for part in PARTS}
        _log.log(
            logging.INFO if is_slow else logging.DEBUG,
            "%s: %s took %.3f s (%s), %d matches",
            "slow query" if is_slow else "query",
            result.query,
            total,
            ", ".join(f"{part} {seconds:.3f}" for part, seconds in parts.items()),
            len(answers),
            extra={
                "fields": {
                    "query": result.query,
                    "sha256": result.sha256,
                    "duration": round(result.duration, 3),
                    "matches": len(answers),
                    "slow": is_slow,
                    "seconds": round(total, 4),
                    **parts,
                }
            },
        )


def _slow() -> float:
    try:
        return float(os.environ.get(VARIABLE, SLOW))
    except ValueError:
        return SLOW
