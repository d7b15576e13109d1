"""Decoding in a process of its own: what a file does to the decoder, it does to that alone."""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from samaf.audio.confinement import cpu_seconds
from samaf.audio.decode import SAMPLE_RATE, Event, Restart, Samples
from samaf.audio.decoder_process import BUG, HEADER, MEDIA, REFUSED, RESTART, SAMPLES
from samaf.audio.source import Opened
from samaf.errors import AudioError
from samaf.media import MediaInfo

START = (
    "import json, socket, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from samaf.audio.decoder_process import serve; serve(socket.socket(fileno=int(sys.argv[2])))"
)
# Threads of these would keep the process from giving up its rights.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
STOP_SECONDS = 5.0


def decode_apart(
    source: Opened,
    sample_rate: int = SAMPLE_RATE,
    *,
    track: int | None = None,
    channel: int | str | None = None,
) -> Iterator[Event]:
    """Yield what `samaf.audio.decode.decode` does, decoded in a limited process.

    Raises
    ------
    AudioError
        As there, or the process ended: of a crash, or of its limits of memory and time.
    """
    name = source.path or source.name
    request = {
        "name": source.name,
        "path": source.path,
        "sample_rate": sample_rate,
        "track": track,
        "channel": channel,
    }
    source.file.flush()
    size = os.fstat(source.file.fileno()).st_size
    with _asked(request, source.file.fileno()) as (answers, status):
        try:
            yield from _events(answers)
        except EOFError:
            raise AudioError(_death(name, size, status.recv(64))) from None


def _events(answers: Any) -> Iterator[Event]:
    while True:
        header = answers.read(HEADER.size)
        if len(header) < HEADER.size:
            raise EOFError
        kind, number, length = HEADER.unpack(header)
        content = answers.read(length)
        if len(content) < length:
            raise EOFError
        if kind == SAMPLES:
            yield Samples(number, np.frombuffer(content, np.float32))
        elif kind == RESTART:
            yield Restart(number)
        elif kind == MEDIA:
            yield MediaInfo.from_dict(json.loads(content))
            return
        elif kind == REFUSED:
            raise AudioError(content.decode())
        else:
            assert kind == BUG
            raise RuntimeError(f"while decoding:\n{content.decode()}")


def _death(name: str, size: int, status: bytes) -> str:
    code = int(status or b"1")
    if code == -signal.SIGXCPU:
        return (
            f"{name}: not decoded within {cpu_seconds(size)} s of processor time, which no sound "
            "of its size needs; convert it to wav or flac"
        )
    how = signal.strsignal(-code) if code < 0 else f"exit status {code}"
    return (
        f"{name}: the process that decoded it ended ({how}); it is damaged, or memory is short: "
        "convert it to wav or flac"
    )


@dataclass(frozen=True, slots=True)
class _Server:
    """The process that waits for files."""

    process: subprocess.Popen[bytes]
    control: socket.socket

    @property
    def alive(self) -> bool:
        """Whether it still waits."""
        return self.process.poll() is None

    def stop(self) -> None:
        """End it; children end when nobody reads what they give."""
        self.control.close()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


_lock = threading.Lock()
_server: _Server | None = None


@contextmanager
def _asked(request: dict[str, Any], file: int) -> Iterator[tuple[Any, socket.socket]]:
    """Send a request; give the file of the answers and the socket of the exit status."""
    mine, yours = socket.socketpair()
    status, teller = socket.socketpair()
    with mine, status, mine.makefile("rb") as answers:
        with yours, teller:
            # Opened anew: its position is not that of this process.
            own = os.open(f"/proc/self/fd/{file}", os.O_RDONLY | os.O_CLOEXEC)
            try:
                files = [own, yours.fileno(), teller.fileno()]
                _send(json.dumps(request).encode(), files)
            finally:
                os.close(own)
        yield answers, status


def _send(request: bytes, files: list[int]) -> None:
    global _server  # noqa: PLW0603  # one for the whole program, started when first needed
    with _lock:
        for _ in range(2):
            if _server is None or not _server.alive:
                _server = _started()
            try:
                socket.send_fds(_server.control, [request], files)
                return
            except BrokenPipeError:  # it has just ended
                _server = None
    raise AudioError("the process that decodes does not start; is there memory for it?")


def _started() -> _Server:
    mine, yours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    search_path = json.dumps([str(place) for place in sys.path])
    with yours:
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", START, search_path, str(yours.fileno())],
            pass_fds=[yours.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # a crash is told in one line
            env=os.environ | ONE_THREAD,
        )
    server = _Server(process, mine)
    atexit.register(server.stop)
    return server
