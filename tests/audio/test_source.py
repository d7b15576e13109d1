"""Paths, bytes, file objects, streams and standard input give the same."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media import sweep, wav

from samaf.audio import load, read
from samaf.audio.source import sha256
from samaf.errors import AudioError
from samaf.text import printable

DATA = wav(sweep())


class Pipe(io.RawIOBase):
    """A stream that cannot seek and hands out a few bytes at a time."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        part = self._data.read(min(1000, len(buffer)))
        buffer[: len(part)] = part
        return len(part)


def test_all_sources_are_alike(tmp_path: Path) -> None:
    path = tmp_path / "sweep.wav"
    path.write_bytes(DATA)
    expected = load(DATA)
    with path.open("rb") as file:
        sources = [path, str(path), io.BytesIO(DATA), file, Pipe(DATA)]
        for source in sources:
            assert np.array_equal(load(source), expected)


@pytest.mark.parametrize("position", [500, len(DATA)])
def test_a_file_object_is_read_from_its_start(position: int) -> None:
    file = io.BytesIO(DATA)
    file.seek(position)
    assert np.array_equal(load(file), load(DATA))


def test_a_named_pipe(tmp_path: Path) -> None:
    path = tmp_path / "pipe.wav"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(DATA,), daemon=True)
    writer.start()
    with read(path) as audio:
        assert (audio.name, audio.path) == ("pipe.wav", str(path))
        assert np.array_equal(audio.samples(), load(DATA))
    writer.join()


def test_a_full_temporary_folder_is_told_in_one_line() -> None:
    program = (
        "import resource, sys, samaf.audio.source as source\n"
        "source.MEMORY_BYTES = 1000\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
        "try:\n"
        "    with source.opened('-'): pass\n"
        "except source.AudioError as error: sys.exit(str(error))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=DATA, capture_output=True, check=False
    )
    message = done.stderr.decode()
    assert message.startswith("stdin: ")
    assert message.count("\n") == 1
    assert "does not fit into the temporary folder" in message
    assert "TMPDIR" in message


@pytest.mark.slow
def test_standard_input() -> None:
    program = (
        "from samaf.audio import read\n"
        "with read('-') as audio: print(audio.name, audio.count, audio.sha256)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=DATA, capture_output=True, check=True
    )
    name, count, digest = done.stdout.decode().split()
    with read(DATA) as audio:
        assert (name, int(count), digest) == ("stdin", audio.count, audio.sha256)


def test_names(tmp_path: Path) -> None:
    path = tmp_path / "sweep.wav"
    path.write_bytes(DATA)
    with read(path) as audio:
        assert (audio.name, audio.path) == ("sweep.wav", str(path))
    with read(DATA) as audio:
        assert (audio.name, audio.path) == ("bytes", "")


def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav"))
    path.write_bytes(DATA)
    with read(path) as audio:
        assert audio.name == "caf\\xe9.wav"
        assert np.array_equal(audio.samples(), load(DATA))


def test_empty_standard_input_and_stream() -> None:
    with pytest.raises(AudioError, match="the file is empty"):
        load(Pipe(b""))
    with pytest.raises(AudioError, match="bytes: the file is empty"):
        load(b"")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"nowhere\.wav: no such file"):
        load(tmp_path / "nowhere.wav")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=str(tmp_path)):
        load(tmp_path)


def test_a_name_that_no_file_can_have() -> None:
    with pytest.raises(AudioError, match="no file can have this name"):
        load("a\0b.wav")
    with pytest.raises(AudioError, match="too long"):
        load("a" * 300)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_an_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "locked.wav"
    path.write_bytes(DATA)
    path.chmod(0)
    with pytest.raises(AudioError, match="Permission denied"):
        load(path)


def test_sha256_rewinds() -> None:
    file = io.BytesIO(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256(file) == expected
    assert file.tell() == 0


@given(st.binary(min_size=1).filter(lambda name: b"\0" not in name))
def test_any_name_prints_as_one_line(name: bytes) -> None:
    text = printable(os.fsdecode(name))
    assert text.isprintable()
    text.encode()


def test_plain_names_print_as_they_are() -> None:
    assert printable("Zoë – Gespräch 2.wav") == "Zoë – Gespräch 2.wav"
