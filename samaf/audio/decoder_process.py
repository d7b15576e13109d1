"""The processes that decode: one that waits, and its children, which are given the files.

The one that waits has everything imported and is confined; it never sees a file. A child gets
open files, one after the other, through a socket, and ends after some of them or after the first
that is not sound: starting it takes a quarter of the time that decoding ten seconds does.
"""

from __future__ import annotations

import io
import json
import os
import select
import signal
import socket
import struct
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from samaf.audio.confinement import confine, limit, limit_time
from samaf.audio.decode import SAMPLE_RATE, Restart, Samples, decode, header_seconds
from samaf.audio.source import Opened
from samaf.audio.stream_decode import Pipe, decode_pipe
from samaf.errors import AudioError

# A message: its kind, a number, and the length of what follows.
HEADER = struct.Struct("<cII")
SAMPLES, RESTART, MEDIA, LENGTH, REFUSED, BUG = b"S", b"R", b"M", b"L", b"E", b"B"
SOUND = b"O"  # of a stream: a line of JSON with channel and start, and the samples
REQUEST_BYTES = 1 << 16
SOCKET, FILE = 3, 4  # the numbers of all that a child has open
HIGHEST_FILE = 1 << 10  # more than the one that waits ever has


def serve(control: socket.socket) -> None:
    """Start a child for each message until ``control`` is closed.

    A message comes with two open files: the socket of the child's requests and answers, and one
    for its exit status.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group
    _warm_up()
    confine()
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    statuses: dict[int, socket.socket] = {}
    while True:
        files: list[Any] = [control, woken]
        ready, _, _ = select.select(files, [], [])
        if woken in ready:
            os.read(woken, 1 << 10)
            _reap(statuses)
        if control in ready:
            message, given, _, _ = socket.recv_fds(control, 1, 2)
            if not message:
                return
            status = socket.socket(fileno=given[1])
            try:
                child = os.fork()
            except OSError:
                status.close()
            else:
                if not child:
                    signal.set_wakeup_fd(-1)
                    _work_and_exit(given[0])
                statuses[child] = status
            os.close(given[0])


def _reap(statuses: dict[int, socket.socket]) -> None:
    while statuses:
        child, status = os.waitpid(-1, os.WNOHANG)
        if not child:
            return
        with statuses.pop(child) as teller, suppress(OSError):  # the parent has gone
            teller.send(str(os.waitstatus_to_exitcode(status)).encode())


def _work_and_exit(requests: int) -> NoReturn:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # the parent has gone: end
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(requests, SOCKET)
    os.closerange(SOCKET + 1, HIGHEST_FILE)
    limit(FILE + 1)
    try:
        with socket.socket(fileno=SOCKET) as connection, connection.makefile("wb") as out:
            while _answered(connection, out):
                pass
    finally:
        os._exit(0)


def _answered(connection: socket.socket, out: BinaryIO) -> bool:
    """Decode the next file; tell whether it was sound, and another may come.

    A request is JSON with the arguments of `decode`, or `only_length` or `stream`, and the open
    file.
    """
    message, files, _, _ = socket.recv_fds(connection, REQUEST_BYTES, 1)
    if not message:
        return False
    request = json.loads(message)
    if request.pop("stream", False):
        with io.FileIO(files[0]) as pipe:
            return _answer_stream(request["name"], Pipe(pipe), out)
    limit_time(os.fstat(files[0]).st_size)
    with io.FileIO(files[0]) as file:
        # FFmpeg knows some formats by the suffix of the name, and needs no more of it.
        file.name = f"sound{Path(request['name']).suffix}"
        return _answer(request, io.BufferedReader(file), out)


def _answer_stream(name: str, pipe: Pipe, out: BinaryIO) -> bool:
    """Decode what has no known end; each piece of sound gives time for the next."""
    seconds = 0.0
    try:
        limit_time(0)
        for sound in decode_pipe(pipe, name):
            seconds += 0 if sound.channel else len(sound.samples) / SAMPLE_RATE
            head = json.dumps({"channel": sound.channel, "start": sound.start}).encode()
            _send(out, SOUND, head + b"\n" + sound.samples.tobytes())
            limit_time(0)
        _send(out, LENGTH, repr(seconds).encode())
    except AudioError as error:
        _send(out, REFUSED, str(error).encode())
    except MemoryError:
        _send(out, REFUSED, f"{name}: takes too much memory to decode".encode())
    except Exception:  # reported by whoever sent the request
        _send(out, BUG, traceback.format_exc().encode())
    return False


def _answer(request: dict[str, Any], file: BinaryIO, out: BinaryIO) -> bool:
    source = Opened(file, request.pop("name"), request.pop("path"))
    kind = b""
    try:
        if request.pop("only_length", False):
            _send(out, LENGTH, repr(header_seconds(source)).encode())
            return True
        for event in decode(source, **request):
            if isinstance(event, Samples):
                _send(out, SAMPLES, event.samples.tobytes(), event.stream)
            elif isinstance(event, Restart):
                _send(out, RESTART, b"", event.streams)
            else:
                _send(out, MEDIA, json.dumps(event.to_dict()).encode())
        return True
    except AudioError as error:
        kind, text = REFUSED, str(error)
    except MemoryError:
        name = source.path or source.name
        kind, text = REFUSED, f"{name}: takes too much memory to decode; convert it to wav or flac"
    except Exception:  # the parent reports it
        kind, text = BUG, traceback.format_exc()
    _send(out, kind, text.encode())
    return False


def _send(out: BinaryIO, kind: bytes, content: bytes, number: int = 0) -> None:
    out.write(HEADER.pack(kind, number, len(content)))
    out.write(content)
    out.flush()


def _warm_up() -> None:
    """Decode a little of everything, since nothing can be imported later."""
    layout = struct.pack("<HHIIHH", 1, 2, 16_000, 64_000, 4, 16)
    # Two channels that cancel, above an offset: all that may happen to them happens.
    data = b"".join(
        struct.pack("<hh", 20_000 + level, 20_000 - level) for level in (9000, -9000) * 12_000
    )
    head = b"WAVEfmt " + struct.pack("<I", 16) + layout + b"data" + struct.pack("<I", len(data))
    wav = b"RIFF" + struct.pack("<I", len(head) + len(data)) + head + data
    for content in (wav, wav[:99], b"no sound", b"#EXTM3U"):
        try:
            for _ in decode(Opened(io.BytesIO(content), "warm-up", "")):
                pass
        except AudioError:
            traceback.format_exc()
