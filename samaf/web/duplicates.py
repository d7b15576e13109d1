"""The duplicates of a store: found in the background, kept until they are found again."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from samaf.errors import SamafError
from samaf.files import atomic
from samaf.web.workers import Pool


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the duplicates.

    Attributes
    ----------
    state
        "none", "running", "done" or "failed".
    revision
        Of the store that they were found in.
    pairs
        As ``samaf duplicates --json`` prints them.
    """

    state: str = "none"
    revision: int = -1
    finished_at: str = ""
    pairs: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""


@dataclass(slots=True)
class Duplicates:
    """Finds them, one search at a time."""

    path: Path
    pool: Pool
    known: Known = Known()
    _task: asyncio.Task[None] | None = None

    def load(self) -> None:
        """Read what an earlier server found."""
        with suppress(OSError, ValueError, TypeError):
            self.known = Known(**json.loads(self.path.read_bytes()))

    def start(self) -> Known:
        """Start a search unless one runs."""
        if self._task is None or self._task.done():
            self.known = replace(self.known, state="running", error="")
            self._task = asyncio.create_task(self._run())
        return self.known

    async def close(self) -> None:
        """End a search that runs."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            answer = await self.pool.ask("duplicates")
        except SamafError as error:
            self.known = replace(self.known, state="failed", error=str(error))
            return
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        self.known = Known("done", answer["revision"], now, answer["pairs"])
        with suppress(OSError), atomic(self.path) as temporary:  # it can be found again
            temporary.write_text(json.dumps(asdict(self.known)))
