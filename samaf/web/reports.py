"""Reports on chosen clips: made in the background, kept as folders until they are removed."""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from samaf.errors import SamafError
from samaf.files import atomic
from samaf.web.problems import Problem
from samaf.web.workers import Pool

STATE, FILES = "state.json", "files"
MOST_KEPT = 200
MOST_CLIPS = 200  # of one report


@dataclass(frozen=True, slots=True)
class Made:
    """A report and its state.

    Attributes
    ----------
    number
        Rises from report to report: their order.
    state
        "running", "done" or "failed".
    clips
        Names of the clips.
    files
        Name and SHA-256 of each file, once it is done.
    """

    id: str
    number: int
    created_at: str
    clips: list[str]
    state: str = "running"
    files: dict[str, str] = field(default_factory=dict)
    error: str = ""


@dataclass(slots=True)
class Reports:
    """All reports of a server."""

    folder: Path
    pool: Pool
    _made: dict[str, Made] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def load(self) -> None:
        """Read what earlier servers made; what was not done has failed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        found = []
        for place in self.folder.iterdir():
            with suppress(OSError, ValueError, TypeError):
                found.append(Made(**json.loads((place / STATE).read_bytes())))
        for made in sorted(found, key=lambda each: each.number):
            self._made[made.id] = made
            if made.state == "running":
                self._set(replace(made, state="failed", error="the server ended; make it again"))

    def all(self) -> list[Made]:
        """Give all of them, the newest first."""
        return list(reversed(self._made.values()))

    def get(self, report_id: str) -> Made:
        """Give one; `Problem` where there is none."""
        if report_id not in self._made:
            raise Problem(404, "no such report; it was removed, or is of another server")
        return self._made[report_id]

    def file(self, report_id: str, name: str) -> Path:
        """Give where a file of a report lies."""
        if name not in self.get(report_id).files:
            raise Problem(404, "the report has no such file")
        return self.folder / report_id / FILES / name

    def start(self, clips: list[Path], names: list[str], **arguments: Any) -> Made:
        """Make a report on clips; ``arguments`` are those of the worker's task."""
        number = 1 + max((each.number for each in self._made.values()), default=0)
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        made = Made(secrets.token_hex(8), number, now, names)
        (self.folder / made.id).mkdir(mode=0o700)
        self._set(made)
        task = asyncio.create_task(self._run(made, clips, arguments))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        for old in list(self._made.values())[:-MOST_KEPT]:
            self.remove(old.id)
        return made

    def remove(self, report_id: str) -> None:
        """Remove a report with its files; what the audit log says of it stays."""
        self.get(report_id)
        del self._made[report_id]
        shutil.rmtree(self.folder / report_id, ignore_errors=True)

    async def close(self) -> None:
        """End those that are being made."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, made: Made, clips: list[Path], arguments: dict[str, Any]) -> None:
        out = self.folder / made.id / FILES
        try:
            answer = await self.pool.ask(
                "report", clips=[str(path) for path in clips], out=str(out), **arguments
            )
        except SamafError as error:
            ended = replace(made, state="failed", error=str(error))
        else:
            ended = replace(made, state="done", files=answer["files"])
        if made.id in self._made:
            self._set(ended)

    def _set(self, made: Made) -> None:
        self._made[made.id] = made
        with atomic(self.folder / made.id / STATE) as temporary:
            temporary.write_text(json.dumps(asdict(made)))
