"""Queries as jobs: they wait, run in the pool, and are kept on disk until they are forgotten.

A job is a folder with ``job.json``, written whole or not at all, and the clip. What was waiting
or running when the server ended is listed as failed by the next one.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import shutil
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from samaf.engine.options import QueryOptions
from samaf.errors import SamafError
from samaf.files import atomic
from samaf.media import Selection
from samaf.web.answers import ranked
from samaf.web.problems import Problem
from samaf.web.settings import MOST_KEPT, MOST_SECONDS, MOST_STREAMS, MOST_WAITING
from samaf.web.workers import Pool

QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"
STATES = (QUEUED, RUNNING, DONE, FAILED, CANCELLED)
OPEN = (QUEUED, RUNNING)
MOST_UNREAD = 10_000  # events for a page that does not read them
ENDED = "the server ended before this was done; ask again"
JOB, CLIP = "job.json", "clip"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A query and what became of it.

    Attributes
    ----------
    number
        Rises from job to job: their order.
    clip
        Name of the clip.
    path
        Of a clip below a root, which is not copied; empty for one that was uploaded.
    size
        Bytes of the clip.
    audit
        Whether question and answer go into the store's audit log.
    kind
        "matches" or "ranking" once it is done.
    result
        As ``samaf query --json`` prints it, once it is done.
    reason
        Why the clip could not be searched for, although nothing failed: too short, silent.
    error
        Why it failed.
    """

    id: str
    number: int
    clip: str
    path: str
    size: int
    options: dict[str, Any]
    created_at: str
    audit: bool = False
    state: str = QUEUED
    started_at: str = ""
    finished_at: str = ""
    kind: str = ""
    result: dict[str, Any] | None = None
    reason: str = ""
    error: str = ""

    @property
    def selection(self) -> Selection:
        """Which sound of the clip is searched for."""
        return Selection(self.options["track"], self.options["channel"])

    def to_record(self) -> dict[str, Any]:
        """Give the JSON object of the API."""
        record = asdict(self)
        del record["path"]
        return record


@dataclass(slots=True)
class Jobs:
    """All jobs of a server."""

    folder: Path
    pool: Pool
    most_bytes: int
    _jobs: dict[str, Job] = field(default_factory=dict)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _listeners: set[asyncio.Queue[Job]] = field(default_factory=set)
    _number: int = 0

    def load(self) -> None:
        """Read what an earlier server left; what it had not done has failed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        found = []
        for place in self.folder.iterdir():
            try:
                found.append(Job(**json.loads((place / JOB).read_bytes())))
            except (OSError, ValueError, TypeError):
                shutil.rmtree(place, ignore_errors=True)  # an upload that broke off
        for job in sorted(found, key=lambda each: each.number):
            self._jobs[job.id] = job
            self._number = max(self._number, job.number)
            if job.state in OPEN:
                self._set(replace(job, state=FAILED, finished_at=_now(), error=ENDED))

    # Reading --------------------------------------------------------------------------

    def get(self, job_id: str) -> Job:
        """Give one job; `Problem` where there is none."""
        job = self._jobs.get(job_id)
        if job is None:
            raise Problem(404, "no such query; it was forgotten, or is of another server")
        return job

    def page(self, before: int | None, limit: int) -> list[Job]:
        """Give jobs, the newest first, from before a number on."""
        return [
            job for job in reversed(self._jobs.values()) if before is None or job.number < before
        ][:limit]

    def waiting(self) -> int:
        """Count those that wait or run."""
        return len(self._tasks)

    def clip(self, job: Job) -> Path:
        """Give where the clip of a job lies."""
        return Path(job.path) if job.path else clip_path(self.folder / job.id, job.clip)

    def matching(self, recording_id: int) -> list[Job]:
        """Give the jobs with a match in a recording, the newest first."""
        return [
            job
            for job in reversed(self._jobs.values())
            if job.result
            and any(found["reference_id"] == recording_id for found in ranked(job.result))
        ]

    # Changing -------------------------------------------------------------------------

    def new_folder(self) -> Path:
        """Make the folder of a job to come; `Problem` where there are too many."""
        if self.waiting() >= MOST_WAITING:
            raise Problem(429, "too many queries wait; try again later", {"retry-after": "10"})
        place = self.folder / secrets.token_hex(8)
        (place / CLIP).mkdir(mode=0o700, parents=True)
        return place

    def start(
        self,
        place: Path,
        clip: str,
        options: QueryOptions,
        path: Path | None = None,
        *,
        audit: bool = False,
    ) -> Job:
        """Ask about the clip that lies in a new folder, or elsewhere."""
        self._number += 1
        size = (path or clip_path(place, clip)).stat().st_size
        about = (place.name, self._number, clip, str(path or ""), size, asdict(options), _now())
        job = Job(*about, audit=audit)
        self._set(job)
        task = asyncio.create_task(self._run(job))
        self._tasks[job.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(job.id, None))
        self._make_room()
        return job

    def cancel(self, job_id: str) -> Job:
        """End a job that waits or runs."""
        job = self.get(job_id)
        if task := self._tasks.get(job_id):
            task.cancel()
            self._set(replace(job, state=CANCELLED, finished_at=_now()))
        return self.get(job_id)

    def forget(self, job_id: str) -> None:
        """End a job, and delete it with its clip."""
        job = self.cancel(job_id)
        del self._jobs[job_id]
        shutil.rmtree(self.folder / job_id, ignore_errors=True)
        self._tell(replace(job, state="forgotten"))

    async def _run(self, job: Job) -> None:
        def started() -> None:
            self._set(replace(self._jobs[job.id], state=RUNNING, started_at=_now()))

        try:
            answer = await self.pool.ask(
                "query",
                MOST_SECONDS,
                started,
                path=str(self.clip(job)),
                name=job.clip,
                options=job.options,
                audit=job.audit,
            )
        except SamafError as error:
            change: dict[str, Any] = {"state": FAILED, "error": str(error)}
        except asyncio.CancelledError:
            raise
        except Exception:
            _log.exception("query %s", job.id)
            change = {"state": FAILED, "error": "internal error; the log of the server says more"}
        else:
            change = {
                "state": DONE,
                "kind": answer["kind"],
                "result": answer["record"],
                "reason": answer["reason"],
            }
        if job.id in self._jobs:
            self._set(replace(self._jobs[job.id], finished_at=_now(), **change))

    def _set(self, job: Job) -> None:
        with atomic(self.folder / job.id / JOB) as temporary:
            temporary.write_text(json.dumps(asdict(job)))
        self._jobs[job.id] = job
        self._tell(job)

    def _make_room(self) -> None:
        """Forget the oldest jobs that are done where there are too many, or too large ones."""
        size = sum(job.size for job in self._jobs.values() if not job.path)
        count = len(self._jobs)
        for job in list(self._jobs.values()):
            if size <= self.most_bytes and count <= MOST_KEPT:
                return
            if job.state not in OPEN:
                self.forget(job.id)
                size -= 0 if job.path else job.size
                count -= 1

    # Listening ------------------------------------------------------------------------

    def listen(self) -> asyncio.Queue[Job]:
        """Give a queue that gets each job whenever it changes."""
        if len(self._listeners) >= MOST_STREAMS:
            raise Problem(503, "too many pages are open; close some", {"retry-after": "10"})
        queue: asyncio.Queue[Job] = asyncio.Queue(MOST_UNREAD)
        self._listeners.add(queue)
        return queue

    def leave(self, queue: asyncio.Queue[Job]) -> None:
        """Fill a queue of `listen` no more."""
        self._listeners.discard(queue)

    def _tell(self, job: Job) -> None:
        for queue in list(self._listeners):
            try:
                queue.put_nowait(job)
            except asyncio.QueueFull:  # a page that does not read; it loads again
                self._listeners.discard(queue)

    async def close(self) -> None:
        """End what runs; the next server lists it as failed."""
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


def clip_path(place: Path, name: str) -> Path:
    """Give where the clip of this name lies in the folder of its job."""
    return place / CLIP / name


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")
