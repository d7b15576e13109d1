"""The process that decodes: one that waits, and a child of it for each file.

The one that waits has everything imported and is confined before it sees the first file. A child
takes some milliseconds, gets one open file and a socket, and ends with its file: what a file does
to it reaches no other file.
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
from typing import Any, BinaryIO

from samaf.audio.confinement import confine, limit
from samaf.audio.decode import Restart, Samples, decode
from samaf.audio.source import Opened
from samaf.errors import AudioError

# A message: its kind, a number, and the length of what follows.
HEADER = struct.Struct("<cII")
SAMPLES, RESTART, MEDIA, REFUSED, BUG = b"S", b"R", b"M", b"E", b"B"
REQUEST_BYTES = 1 << 16


def serve(control: socket.socket) -> None:
    """Start a child for each request until ``control`` is closed.

    A request is JSON with the arguments of `decode`, and three open files: the one to decode,
    the socket for what comes of it, and a socket for the exit status.
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
            request, files, _, _ = socket.recv_fds(control, REQUEST_BYTES, 3)
            if not request:
                return
            status = socket.socket(fileno=files[2])
            try:
                child = os.fork()
            except OSError:
                status.close()
            else:
                if not child:
                    signal.set_wakeup_fd(-1)
                    _decode_and_exit(json.loads(request), files[0], files[1])
                statuses[child] = status
            os.close(files[0])
            os.close(files[1])


def _reap(statuses: dict[int, socket.socket]) -> None:
    while statuses:
        child, status = os.waitpid(-1, os.WNOHANG)
        if not child:
            return
        with statuses.pop(child) as teller, suppress(OSError):  # whoever asked has gone
            teller.send(str(os.waitstatus_to_exitcode(status)).encode())


def _decode_and_exit(request: dict[str, Any], source: int, target: int) -> None:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # whoever asked has gone: end
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        with os.fdopen(target, "wb") as out:
            limit(os.fstat(source).st_size)
            file = io.FileIO(source)
            # FFmpeg knows some formats by the suffix of the name, and needs no more of it.
            file.name = f"sound{Path(request['name']).suffix}"
            _answer(request, io.BufferedReader(file), out)
    finally:
        os._exit(0)


def _answer(request: dict[str, Any], file: BinaryIO, out: BinaryIO) -> None:
    source = Opened(file, request.pop("name"), request.pop("path"))
    kind = b""
    try:
        for event in decode(source, **request):
            if isinstance(event, Samples):
                _send(out, SAMPLES, event.samples.tobytes(), event.stream)
            elif isinstance(event, Restart):
                _send(out, RESTART, b"", event.streams)
            else:
                _send(out, MEDIA, json.dumps(event.to_dict()).encode())
        return
    except AudioError as error:
        kind, text = REFUSED, str(error)
    except MemoryError:
        name = source.path or source.name
        kind, text = REFUSED, f"{name}: takes too much memory to decode; convert it to wav or flac"
    except Exception:  # told by whoever asked
        kind, text = BUG, traceback.format_exc()
    _send(out, kind, text.encode())


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
