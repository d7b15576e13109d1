"""A pool of processes that answer requests one at a time; cancelling one ends its process.

A process is a new Python that reads requests as lines of JSON and answers each with a line. It
keeps the store, the model and the index open, so a query costs only the query.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from samaf.errors import SamafError

START = (
    "import json, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "sys.path[:] = json.loads(sys.argv[1]); "
    "from samaf.web.worker_process import serve; serve()"
)
LONGEST_LINE = 256 << 20  # bytes; the duplicates of a large store are one answer
END_SECONDS = 5.0

Answer = dict[str, Any]


class Pool:
    """So many processes at most, each started when first needed.

    Parameters
    ----------
    setup
        First line of each process; see `samaf.web.worker_process.Worker`.
    """

    def __init__(self, count: int, setup: Mapping[str, Any]) -> None:
        self._setup = json.dumps(setup)
        self._free = asyncio.Semaphore(count)
        self._idle: list[_Process] = []
        self._all: set[_Process] = set()
        self.count = count

    async def warm_up(self) -> None:
        """Start all processes and have them load model and index."""
        await asyncio.gather(*(self.ask("warm_up") for _ in range(self.count)))

    async def ask(
        self,
        task: str,
        timeout: float | None = None,
        on_start: Callable[[], None] = lambda: None,
        **arguments: Any,
    ) -> Answer:
        """Have a task done; see `samaf.web.worker_process.Worker`.

        Parameters
        ----------
        timeout
            Seconds; a task that takes longer is ended with its process, as is one whose caller
            is cancelled.
        on_start
            Called when a process has time for it.

        Raises
        ------
        SamafError
            The task failed; in one line.
        """
        async with self._free:
            process = await self._taken()
            on_start()
            try:
                answer = await asyncio.wait_for(process.ask(task, arguments), timeout)
            except asyncio.TimeoutError:
                self._end(process)
                raise SamafError(
                    f"took longer than {timeout:,.0f} s and was ended; ask about a shorter clip"
                ) from None
            except BaseException:
                self._end(process)
                raise
            self._idle.append(process)
        if "error" in answer:
            raise SamafError(answer["error"])
        return answer

    async def close(self) -> None:
        """End all processes."""
        processes = list(self._all)
        for process in processes:
            self._end(process)
        await asyncio.gather(*(process.wait() for process in processes))

    async def _taken(self) -> _Process:
        while self._idle:
            process = self._idle.pop()
            if process.alive:
                return process
            self._all.discard(process)
        process = await _Process.started(self._setup)
        self._all.add(process)
        return process

    def _end(self, process: _Process) -> None:
        process.end()
        self._all.discard(process)
        if process in self._idle:
            self._idle.remove(process)


class _Process:
    """One process, as the server sees it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def started(cls, setup: str) -> _Process:
        search_path = json.dumps([str(place) for place in sys.path])
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-c",
            START,
            search_path,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LONGEST_LINE,
        )
        assert process.stdin
        process.stdin.write(setup.encode() + b"\n")
        return cls(process)

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def ask(self, task: str, arguments: Mapping[str, Any]) -> Answer:
        assert self._process.stdin
        assert self._process.stdout
        line = b""
        with suppress(ConnectionError):
            self._process.stdin.write(json.dumps({"task": task, **arguments}).encode() + b"\n")
            await self._process.stdin.drain()
            line = await self._process.stdout.readline()
        if not line.endswith(b"\n"):
            code = await self._process.wait()
            how = signal.strsignal(-code) if code < 0 else f"exit status {code}"
            raise SamafError(
                f"the process that worked on it ended ({how}), perhaps for want of memory; free "
                "some and ask again"
            )
        answer: Answer = json.loads(line)
        return answer

    async def wait(self) -> None:
        await self._process.wait()

    def end(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
