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
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from samaf.audio.confinement import cpu_seconds
from samaf.audio.decode import SAMPLE_RATE, Event, Restart, Samples
from samaf.audio.decoder_process import (
    BUG,
    HEADER,
    LENGTH,
    MEDIA,
    REFUSED,
    RESTART,
    SAMPLES,
    SOUND,
)
from samaf.audio.source import Opened
from samaf.audio.stream_decode import Sound
from samaf.errors import AudioError
from samaf.media import MediaInfo

START = (
    "import json, socket, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from samaf.audio.decoder_process import serve; serve(socket.socket(fileno=int(sys.argv[2])))"
)
# Threads of these would keep the process from giving up its rights.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
STOP_SECONDS = 5.0
PIPE_BYTES = 1 << 16  # read at once, as many as a pipe holds
FILES_EACH = 16  # that a child decodes before it is replaced


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
    yield from _asked(source, {"sample_rate": sample_rate, "track": track, "channel": channel})


def stated_seconds(source: Opened) -> float:
    """Give the length that a file's header tells, in s; 0 where it tells none.

    The header is read in a limited process too.
    """
    try:
        (seconds,) = _asked(source, {"only_length": True})
    except AudioError:
        return 0.0
    assert isinstance(seconds, float)
    return seconds


class Bytes(Protocol):
    """A binary file that gives what has come: empty at its end."""

    def read(self, size: int) -> bytes:
        """Read at most ``size`` bytes."""
        ...

    def abandon(self) -> None:
        """Let another thread's read end."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


def decode_bytes_apart(source: Bytes, name: str) -> Iterator[Sound]:
    """Yield what `samaf.audio.stream_decode.decode_pipe` does, decoded in a limited process.

    The process has a minute of processor time for each piece of sound.

    Raises
    ------
    AudioError
        As there, or the process ended.
    Exception
        What ``source`` raises.
    """
    child = _Child()
    theirs, ours = os.pipe()
    pump = _Pump(source, ours)
    try:
        try:
            child.ask(json.dumps({"name": name, "stream": True}).encode(), theirs)
        finally:
            os.close(theirs)
            pump.start()
        for event in child.events():
            if isinstance(event, Sound):
                yield event
    except (EOFError, ConnectionError):
        raise AudioError(_death(name, 0, child.status.recv(64))) from None
    except AudioError:
        if pump.error:  # why the bytes ended, not what they mean to a decoder
            raise pump.error from None
        raise
    finally:
        child.leave()  # the pump ends when nobody takes its bytes
        source.abandon()
    if pump.error:
        raise pump.error


class _Pump(threading.Thread):
    """Copies bytes into a pipe until they end or nobody takes them; closes both."""

    def __init__(self, source: Bytes, pipe: int) -> None:
        # A daemon: nothing wakes it from standard input.
        super().__init__(daemon=True)
        self._source = source
        self._pipe = os.fdopen(pipe, "wb", buffering=0)
        self.error: Exception | None = None

    def run(self) -> None:
        """Copy."""
        with closing(self._source), self._pipe:
            while data := self._read():
                try:
                    while data:
                        data = data[self._pipe.write(data) :]
                except BrokenPipeError:
                    return

    def _read(self) -> bytes:
        try:
            return self._source.read(PIPE_BYTES)
        except Exception as error:  # raised where the samples are taken
            self.error = error
            return b""


def _asked(source: Opened, arguments: dict[str, Any]) -> Iterator[Any]:
    """Yield what a child answers to a request."""
    name = source.path or source.name
    request = json.dumps({"name": source.name, "path": source.path, **arguments}).encode()
    source.file.flush()
    number = source.file.fileno()
    size = os.fstat(number).st_size
    while True:
        child = _decoder.child()
        # Something else may have ended one that has waited: whoever is new decides.
        fresh, begun, kept = not child.files, False, False
        try:
            child.ask(request, number)
            for event in child.events():
                begun = True
                yield event
            kept = child.files < FILES_EACH
            return
        except (EOFError, ConnectionError):
            if fresh or begun:
                raise AudioError(_death(name, size, child.status.recv(64))) from None
        finally:
            if kept:
                _decoder.put_back(child)
            else:
                child.leave()


class _Child:
    """A process that decodes files, one after the other."""

    def __init__(self) -> None:
        self._socket, yours = socket.socketpair()
        self.status, teller = socket.socketpair()
        self._answers = self._socket.makefile("rb")
        self.files = 0
        with yours, teller:
            _decoder.send([yours.fileno(), teller.fileno()])

    def ask(self, request: bytes, file: int) -> None:
        """Give it a file, by the number under which it is open here."""
        self.files += 1
        # Opened again: its position is not that of this process.
        own = os.open(f"/proc/self/fd/{file}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            socket.send_fds(self._socket, [request], [own])
        finally:
            os.close(own)

    def events(self) -> Iterator[Any]:
        """Yield its answers; `EOFError` where it has ended."""
        return _events(self._answers)

    def leave(self) -> None:
        """Let it end."""
        self._answers.close()
        self._socket.close()
        self.status.close()


def _events(answers: Any) -> Iterator[Any]:
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
        elif kind == SOUND:
            head, _, data = content.partition(b"\n")
            yield Sound(np.frombuffer(data, np.float32), **json.loads(head))
        elif kind == RESTART:
            yield Restart(number)
        elif kind == MEDIA:
            yield MediaInfo.from_dict(json.loads(content))
            return
        elif kind == LENGTH:
            yield float(content)
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
    """The process that waits for files; ``process`` is None where another program started it."""

    process: subprocess.Popen[bytes] | None
    control: socket.socket

    @property
    def alive(self) -> bool:
        """Whether it still waits, as far as is known here."""
        return self.process is None or self.process.poll() is None

    def stop(self) -> None:
        """End it; children end when nobody reads what they give."""
        assert self.process
        with suppress(OSError):  # it has ended
            self.control.shutdown(socket.SHUT_RDWR)  # also for those that it was lent to
        self.control.close()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class _Decoder:
    """The server of this program, started when first needed, and the children that wait."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.server: _Server | None = None
        self.waiting: list[_Child] = []

    def forget(self) -> None:
        """After a fork: what the other process has is not shared with it."""
        if self.server:
            atexit.unregister(self.server.stop)
        self.lock, self.server = threading.Lock(), None
        self.waiting.clear()

    def running(self) -> _Server:
        """Give the server; the lock is held."""
        if self.server is None or not self.server.alive:
            self.server = _started()
        return self.server

    def child(self) -> _Child:
        """Give a child that waits, or a new one."""
        with self.lock:
            if self.waiting:
                return self.waiting.pop()
        return _Child()

    def put_back(self, child: _Child) -> None:
        """Keep a child for the next file."""
        with self.lock:
            self.waiting.append(child)

    def send(self, files: list[int]) -> None:
        """Have a child started that is given these open files."""
        with self.lock:
            for _ in range(2):
                try:
                    socket.send_fds(self.running().control, [b"+"], files)
                    return
                except ConnectionError:  # it has just ended
                    self.server = None
        raise AudioError("the process that decodes does not start; is there memory for it?")


_decoder = _Decoder()
os.register_at_fork(after_in_child=_decoder.forget)


def start() -> None:
    """Start the process that decodes, to be ready when whatever else is needed is loaded."""
    with _decoder.lock:
        _decoder.running()


def lent() -> int:
    """Give the open file that another process can `borrow`: it need not start its own decoder."""
    with _decoder.lock:
        return _decoder.running().control.fileno()


def borrow(control: int) -> None:
    """Decode with the process that another program has started and `lent`."""
    with _decoder.lock:
        _decoder.server = _Server(None, socket.socket(fileno=control))


def _started() -> _Server:
    mine, yours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    search_path = json.dumps([str(place) for place in sys.path])
    with yours:
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", START, search_path, str(yours.fileno())],
            pass_fds=[yours.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # a crash is reported in one line
            env=os.environ | ONE_THREAD,
        )
    server = _Server(process, mine)
    atexit.register(server.stop)
    return server
