"""Processes that hash files: threads would wait for Python's global lock.

A process is a new Python that reads requests, JSON and one a line, and answers each with a line
of JSON and the bytes of arrays. Not `multiprocessing`: that runs the caller's main module again,
and abandons all files when one process is killed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import LifoQueue
from threading import Lock
from typing import TypeVar

from samaf.audio.sandbox import borrow, lent, stated_seconds
from samaf.audio.source import opened
from samaf.engine.worker_tasks import TASKS, Request, Result, Task, receive, send, send_error
from samaf.errors import AudioError, InterruptedHashingError, SamafError
from samaf.fingerprinters import AnyFingerprinter, load_fingerprinter
from samaf.text import printable

WORTH_A_PROCESS = 60.0  # s of audio: hashing it takes as long as starting a process
LENGTHS_READ = 256  # files whose length is read before that is decided
AHEAD = 16  # files a process that may be done before their turn
Done = TypeVar("Done")

# Ctrl-C reaches the process group; the parent ends the process.
START = (
    "import json, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "sys.path[:] = json.loads(sys.argv[1]); "
    "from samaf.engine.workers import serve; serve(sys.argv[2], int(sys.argv[3]))"
)


def in_order(
    work: Callable[[Path, Callable[[Request], Result]], Done],
    files: Sequence[Path],
    fingerprinter: AnyFingerprinter,
    task: Task[Result],
    jobs: int | None = None,
) -> Iterator[Done]:
    """Do a task with each file, and something with its result; yield that in the files' order.

    Parameters
    ----------
    work
        Is given a file and the function that does the task: in this process one file after the
        other, or in threads that each wait for a process, where there is enough to do.
    jobs
        Processes at most; by default as many as there are processors.
    """
    count = processes(files, jobs)
    if not count:
        yield from (work(path, lambda request: task.run(request, fingerprinter)) for path in files)
        return
    workers = Workers(count, str(fingerprinter.path))
    # Twice as many: the next file is ready when a process has time for it.
    threads = ThreadPoolExecutor(2 * count)
    running: deque[Future[Done]] = deque()
    try:
        for path in files:
            if len(running) >= AHEAD * count:
                yield running.popleft().result()
            running.append(threads.submit(work, path, partial(workers.do, task)))
        while running:
            yield running.popleft().result()
    finally:
        # An interruption must not wait for a file of ten hours.
        workers.close()
        threads.shutdown(cancel_futures=True)


def processes(files: Sequence[Path], jobs: int | None = None) -> int:
    """Tell how many processes are worth starting for files: 0 when hashing is faster without."""
    count = min(jobs or len(os.sched_getaffinity(0)), len(files))
    if count < 2 or any(map(_is_special, files)):
        return 0
    seconds = 0.0
    for path in files[:LENGTHS_READ]:
        seconds += _seconds(path)
        if seconds >= count * WORTH_A_PROCESS:
            return count
    count = int(seconds / WORTH_A_PROCESS)
    return count if count > 1 else 0


def _is_special(path: Path) -> bool:
    """Whether a path may mean another file in another process, such as /dev/stdin."""
    in_system = str(path.absolute()).startswith(("/dev/", "/proc/"))
    return in_system or (path.exists() and not path.is_file())


def _seconds(path: Path) -> float:
    """Give the length in seconds that a file's header states; 0 where it states none."""
    try:
        with opened(path) as file:
            return stated_seconds(file)
    except AudioError:
        return 0.0


class Workers:
    """Some processes with one model, each started when it is first needed.

    Parameters
    ----------
    count
        Processes at most; as many threads may call `do` at once.
    model
        Name of a model or path of its file.
    """

    def __init__(self, count: int, model: str) -> None:
        self._model = model
        self._idle: LifoQueue[_Worker | None] = LifoQueue()
        self._started: list[_Worker] = []
        self._starting = Lock()
        self._closed = False
        for _ in range(count):
            self._idle.put(None)

    def do(self, task: Task[Result], request: Request) -> Result:
        """Do a task with a file in the next process that is free.

        Raises
        ------
        AudioError
            It cannot be decoded.
        InterruptedHashingError
            The process was killed over it.
        """
        worker = self._idle.get()
        try:
            worker = worker or self._start()
            return worker.do(task, request)
        finally:
            self._idle.put(worker if worker and worker.alive else None)

    def close(self) -> None:
        """End all processes, whatever they are doing."""
        with self._starting:
            self._closed = True
            for worker in self._started:
                worker.end()

    def _start(self) -> _Worker:
        with self._starting:
            if self._closed:
                raise AudioError("stopped")
            self._started = [worker for worker in self._started if worker.alive]
            self._started.append(_Worker(self._model))
            return self._started[-1]


class _Worker:
    """One process, as the parent sees it."""

    def __init__(self, model: str) -> None:
        search_path = json.dumps([str(place) for place in sys.path])
        decoder = lent()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", START, search_path, model, str(decoder)],
            pass_fds=[decoder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def do(self, task: Task[Result], request: Request) -> Result:
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(request.to_line(task))
            self._process.stdin.flush()
            return receive(self._process.stdout, task)
        except (EOFError, BrokenPipeError):
            status = self._process.wait()
            how = signal.strsignal(-status) if status < 0 else f"exit status {status}"
            raise InterruptedHashingError(
                f"{printable(request.path)}: the process that hashed it ended ({how}), perhaps for "
                "want of memory; free some and run the command again (samaf add: with --jobs 1)"
            ) from None

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


def serve(model: str, decoder: int) -> None:
    """Hash the files that are listed on standard input; the other side of `Workers`."""
    borrow(decoder)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # the parent is gone: end silently
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # Keep what libraries print out of the answers.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    fingerprinter = load_fingerprinter(model)
    for line in sys.stdin.buffer:
        name, request = Request.from_line(line)
        task = TASKS[name]
        try:
            send(answers, task, task.run(request, fingerprinter))
        except SamafError as error:
            send_error(answers, str(error))
        answers.flush()
