"""Streams from real servers and pipes: what comes, how they end, what is said."""

from __future__ import annotations

import http.server
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from media import RATE, bare_mp3, encode, paused, sweep, wav

from samaf.audio import load
from samaf.audio.live import Stream, listen
from samaf.audio.stream_decode import Sound
from samaf.errors import AudioError

SWEEP = sweep(6.0)
WAV = wav((SWEEP * 30_000).astype("<i2"))
MP3 = encode(SWEEP, "mp3", "mp3")


class Radio(http.server.BaseHTTPRequestHandler):
    """Serves sound, whole or not."""

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:  # noqa: N802  # the name that the base class calls
        """Answer by path."""
        if self.path == "/nothing":
            self.send_error(404)
            return
        body = WAV if self.path.endswith("wav") else MP3
        announced = len(body)
        if "half" in self.path:
            body = body[: len(body) // 2]
        if "joined" in self.path:
            body = body[777:]
            announced = len(body)
        if "text" in self.path:
            body = b"no sound at all\n" * 100
            announced = len(body)
        self.send_response(200)
        self.send_header("Content-Length", str(announced))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def radio() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Radio) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def heard(source: str | Path | bytes) -> np.ndarray:
    with listen(source) as stream:
        return np.concatenate(list(stream.chunks()))


@pytest.mark.slow
def test_a_file_an_url_and_a_pipe_give_the_same(radio: str, tmp_path: Path) -> None:
    path = tmp_path / "sweep.wav"
    path.write_bytes(WAV)
    program = (
        "import sys\nfrom samaf.audio.live import listen\n"
        "with listen('-') as stream:\n"
        "    for samples in stream.chunks(): sys.stdout.buffer.write(samples.tobytes())"
    )
    piped = subprocess.run(
        [sys.executable, "-c", program], input=WAV, capture_output=True, check=True
    )
    expected = heard(path)
    assert len(expected) == len(SWEEP)
    np.testing.assert_allclose(expected / np.abs(expected).max(), load(path), atol=1e-6)
    np.testing.assert_array_equal(heard(WAV), expected)
    np.testing.assert_array_equal(heard(f"{radio}/sweep.wav"), expected)
    np.testing.assert_array_equal(np.frombuffer(piped.stdout, np.float32), expected)


def test_one_may_join_in_the_middle_of_a_packet(radio: str) -> None:
    assert len(heard(f"{radio}/joined.mp3")) == pytest.approx(len(SWEEP), abs=RATE / 2)


def test_what_came_before_a_break_is_given(radio: str) -> None:
    came = 0
    with (
        pytest.raises(AudioError, match=r"broke off after 3\.\d s .*what was found until then"),
        listen(f"{radio}/half.wav") as stream,
    ):
        for samples in stream.chunks():
            came += len(samples)
    assert came == pytest.approx(3 * RATE, abs=0.1 * RATE)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("{radio}/nothing", "404"),
        ("{radio}/text", "cannot be listened to"),
        ("http://127.0.0.1:1/x", "refused"),
        ("http://", "names no server"),
        ("http:///x.mp3", "names no server"),
        ("rtp://", "names no server"),
        ("http://[::1/x", "is no URL"),
        ("bogus://server/x", "Protocol not found"),
        ("file:///no/such/file", "No such file"),
    ],
)
def test_bad_urls_are_refused_in_one_line(radio: str, url: str, reason: str) -> None:
    with pytest.raises(AudioError, match=reason) as raised:
        heard(url.format(radio=radio))
    assert "\n" not in str(raised.value)


def test_passwords_are_not_told() -> None:
    with pytest.raises(AudioError) as raised:
        heard("http://eve:secret@127.0.0.1:1/x")
    assert "secret" not in str(raised.value)
    assert "http://127.0.0.1:1/x" in str(raised.value)


def test_cut_off_and_missing_files(tmp_path: Path) -> None:
    path = tmp_path / "cut.wav"
    path.write_bytes(WAV[: len(WAV) // 2])
    with pytest.raises(AudioError, match="cut off"):
        heard(path)
    with pytest.raises(AudioError, match="no such file"):
        heard(tmp_path / "none.wav")


def test_the_format_may_change_midway(tmp_path: Path) -> None:
    path = tmp_path / "mixed.mp3"
    path.write_bytes(bare_mp3(SWEEP, 44_100, "stereo") + bare_mp3(SWEEP, 48_000))
    for source in (path, f"file://{path}"):
        assert len(heard(source)) == pytest.approx(2 * len(SWEEP), abs=0.2 * RATE)


def test_pauses_count_in_a_file_and_not_in_a_stream(tmp_path: Path) -> None:
    path = tmp_path / "pause.webm"
    path.write_bytes(paused(SWEEP, "libopus", "webm", 48_000, seconds=4))
    assert len(heard(path)) == pytest.approx(len(SWEEP) + 4 * RATE, abs=0.1 * RATE)
    assert len(heard(f"file://{path}")) == pytest.approx(len(SWEEP), abs=0.1 * RATE)


class Broken:
    """A source with a fault of its own."""

    name, network, live, complete = "broken", False, False, True

    def title(self, _seconds: float) -> str:
        return ""

    def sounds(self) -> Iterator[Sound]:
        yield Sound(np.ones(RATE, np.float32))
        raise ZeroDivisionError

    def abandon(self) -> None:
        pass


def test_an_error_that_nobody_foresaw_reaches_the_listener() -> None:
    stream = Stream(Broken())
    stream.fill()
    chunks = stream.chunks()
    assert len(next(chunks)) == RATE
    with pytest.raises(ZeroDivisionError):
        next(chunks)


def test_a_stream_that_is_left_early_ends_its_thread(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    path.write_bytes(wav(np.zeros(200 * RATE, "<i2")))
    before = threading.active_count()
    with listen(path) as stream:
        next(stream.chunks())
        assert stream.lag == 0  # files wait for their reader
    for _ in range(100):
        if threading.active_count() <= before:
            break
        time.sleep(0.05)
    assert threading.active_count() <= before


def test_a_slow_reader_of_a_network_stream_is_late(radio: str) -> None:
    with listen(f"{radio}/sweep.wav") as stream:
        chunks = stream.chunks()
        next(chunks)
        taken = stream.seconds
        time.sleep(taken + 0.3)
        # It waited longer than the sound that it took lasts.
        assert stream.lag > 0
