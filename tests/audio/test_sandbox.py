"""What a file does to the process that decodes it stays there, and is told in one line."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from media import RATE, sweep, wav

import samaf
from samaf.audio import load, sandbox
from samaf.audio.confinement import cpu_seconds
from samaf.audio.decode import Samples
from samaf.audio.sandbox import decode_apart
from samaf.audio.source import opened
from samaf.errors import AudioError

CLIP = next(iter(sorted(Path(samaf.__file__).parent.glob("clips/*.ogg"))))
LONG = wav(np.resize(np.array([1000, -1000], "<i2"), 300 * RATE))  # more than a socket holds


@pytest.fixture(autouse=True)
def no_child_waits() -> None:
    while sandbox._decoder.waiting:
        sandbox._decoder.waiting.pop().leave()


def children(process: int) -> list[int]:
    """Those that it started and that have not ended, from the kernel."""
    tasks = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [int(task) for task in tasks]


def server() -> int:
    """The process that waits for files; one child of it waits too."""
    load(wav(sweep()))
    return started().pid


def started() -> subprocess.Popen[bytes]:
    assert sandbox._decoder.server
    assert sandbox._decoder.server.process
    return sandbox._decoder.server.process


def eventually(wanted: object, of: object) -> None:
    for _ in range(200):
        if of() == wanted:  # type: ignore[operator]
            return
        time.sleep(0.02)
    assert of() == wanted  # type: ignore[operator]


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGXCPU])
def test_the_end_of_a_process_is_one_line_for_one_file(number: int, tmp_path: Path) -> None:
    path = tmp_path / "deadly.wav"
    path.write_bytes(LONG)
    waiting = server()
    with opened(path) as file:
        events = decode_apart(file)
        next(events)
        for child in children(waiting):
            os.kill(child, number)
        with pytest.raises(AudioError) as caught:
            list(events)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    expected = "processor time" if number == signal.SIGXCPU else signal.strsignal(number)
    assert str(expected) in message
    assert server() == waiting


def test_a_child_that_ended_while_it_waited_is_replaced() -> None:
    waiting = server()
    (child,) = children(waiting)
    os.kill(child, signal.SIGKILL)
    assert len(load(wav(sweep()))) == len(sweep())
    assert child not in children(waiting)


def test_a_child_ends_after_some_files_and_after_a_bad_one() -> None:
    waiting = server()
    seen = set(children(waiting))
    for _ in range(sandbox.FILES_EACH):
        load(wav(sweep(0.1)))
        seen |= set(children(waiting))
    assert len(seen) == 2
    with pytest.raises(AudioError):
        load(b"no sound")
    eventually([], lambda: children(waiting))


@pytest.mark.slow
def test_a_fork_has_its_own() -> None:
    program = (
        "import os, sys\nfrom samaf.audio import load\n"
        "load(sys.argv[1])\nchild = os.fork()\n"
        "for _ in range(20): load(sys.argv[1])\n"
        "if child: sys.exit(os.waitpid(child, 0)[1])"
    )
    assert alone(program, os.fspath(CLIP)).returncode == 0


@pytest.mark.slow
def test_a_fork_leaves_that_of_its_parent() -> None:
    program = (
        "import os, sys\nfrom samaf.audio import load, sandbox\n"
        "load(sys.argv[1])\nchild = os.fork()\n"
        "if not child: sys.exit(0)\n"
        "os.waitpid(child, 0)\nbefore = sandbox._decoder.server\n"
        "for _ in range(20): load(sys.argv[1])\n"
        "sys.exit(sandbox._decoder.server is not before)"
    )
    assert alone(program, os.fspath(CLIP)).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("ended", [False, True])
def test_another_program_decodes_with_the_same_server(ended: bool) -> None:
    waiting = server()
    program = (
        "import sys\nfrom samaf.audio import load, sandbox\n"
        "sandbox.borrow(int(sys.argv[2]))\nfirst = sandbox._decoder.server\n"
        "load(sys.argv[1])\n"
        "sys.exit(sandbox._decoder.server is not first)"
    )
    if ended:  # it starts one of its own
        lent = os.dup(sandbox.lent())
        os.kill(waiting, signal.SIGKILL)
        started().wait()
    else:
        lent = sandbox.lent()
    assert alone(program, os.fspath(CLIP), str(lent), lent=lent).returncode == int(ended)
    assert len(load(wav(sweep()))) == len(sweep())


def test_a_server_that_was_ended_is_started_again() -> None:
    os.kill(server(), signal.SIGKILL)
    assert len(load(wav(sweep()))) == len(sweep())


@pytest.mark.slow
def test_files_are_decoded_side_by_side(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(LONG)
    with opened(path) as file:
        one, other = decode_apart(file), decode_apart(file)
        next(one)
        next(other)
        assert len(load(wav(sweep()))) == len(sweep())
        for events in (one, other):
            count = sum(len(each.samples) for each in events if isinstance(each, Samples))
            assert count == 300 * RATE


@pytest.mark.slow
def test_a_file_that_nobody_waits_for_is_left() -> None:
    waiting = server()
    with opened(LONG) as file:
        events = decode_apart(file)
        next(events)
        assert children(waiting)
        events.close()
    eventually([], lambda: children(waiting))


def alone(program: str, *args: str, lent: int | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, *args]
    kept = [] if lent is None else [lent]
    return subprocess.run(command, capture_output=True, text=True, check=False, pass_fds=kept)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("act", "error"),
    [
        ("open('/etc/passwd')", "OSError"),
        ("open('/tmp/x', 'w')", "OSError"),
        ("socket.socket()", "OSError"),
        ("bytearray(3 << 30)", "MemoryError"),
        ("os.ftruncate(file, 1)", "OSError|SIGXFSZ"),
    ],
)
def test_limits(act: str, error: str) -> None:
    program = (
        "import os, signal, socket\nfrom samaf.audio.confinement import limit\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "file = os.memfd_create('x')\nlimit(file + 1)\n"
        f"try: {act}\nexcept (OSError, MemoryError) as error: print(type(error).__name__)"
    )
    assert alone(program).stdout.strip() in error.split("|")


@pytest.mark.slow
def test_time_grows_with_the_file_and_ends() -> None:
    assert cpu_seconds(0) < cpu_seconds(1 << 20) < cpu_seconds(1 << 30)
    program = (
        "import samaf.audio.confinement as c\nc.CPU_SECONDS = 0\n"
        "c.limit_time(c.CPU_BYTES_PER_SECOND)\nwhile True: pass"
    )
    assert alone(program).returncode == -signal.SIGXCPU


@pytest.mark.slow
def test_what_the_kernel_takes_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        program = (
            "import socket, sys\nfrom samaf.audio.confinement import confine\n"
            "print(*confine(), sep=',')\n"
            "try: socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5)\n"
            "except OSError: print('no network')\n"
            "try: open('/etc/passwd')\nexcept OSError: print('no files')"
        )
        done = alone(program, str(listening.getsockname()[1])).stdout.split("\n")
    able = done[0].split(",")
    assert ("no network" in done) >= ("network namespace" in able)
    assert ("no files" in done) == ("landlock" in able)
    assert "no new privileges" in able


def test_a_file_that_is_read_as_zip_is_not_the_one_below(tmp_path: Path) -> None:
    import gzip

    path = tmp_path / "sweep.wav.gz"
    path.write_bytes(gzip.compress(wav(sweep())))
    with gzip.open(path) as file:
        assert len(load(file)) == len(sweep())  # type: ignore[arg-type]
