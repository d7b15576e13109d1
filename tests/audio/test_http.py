"""A URL is listened to on its own server: redirections, playlists, passwords, parts of files."""

from __future__ import annotations

import base64
import http.server
import re
import socketserver
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from media import RATE, encode, sweep, video, wav

from samaf.audio import load
from samaf.audio.live import listen
from samaf.errors import AudioError

SWEEP = sweep(6.0)
FILES = {
    "/sweep.wav": wav((SWEEP * 30_000).astype("<i2")),
    "/part.ts": encode(SWEEP, "mp2", "mpegts", 48_000),
    "/film.mp4": video(SWEEP, "mp4"),
    "/end.m3u8": b"#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n/part.ts\n#EXT-X-ENDLIST\n",
    "/master.m3u8": b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=64000\n/end.m3u8\n",
    "/file.m3u8": b"#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nfile:///etc/passwd\n"
    b"#EXT-X-ENDLIST\n",
}


class Server(http.server.BaseHTTPRequestHandler):
    """Serves `FILES`, redirections, and parts of files."""

    asked: list[str] = []  # noqa: RUF012
    elsewhere = ""

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:  # noqa: N802  # the name that the base class calls
        """Answer by path."""
        host = self.headers["Host"]
        self.asked.append(f"{host}{self.path}")
        path = self.path
        if path.startswith("/to/"):
            self._redirect(f"/{path[4:]}")
        elif path.startswith("/away/"):
            self._redirect(f"{self.elsewhere}/{path[6:]}")
        elif path == "/loop":
            self._redirect("/loop")
        elif path == "/away.m3u8":
            self._send(
                FILES["/end.m3u8"].replace(b"/part.ts", self.elsewhere.encode() + b"/part.ts")
            )
        elif path == "/locked.wav" and self.headers["Authorization"] != (
            f"Basic {base64.b64encode(b'eve:a b').decode()}"
        ):
            self.send_error(401)
        else:
            self._send(FILES.get(path.replace("locked", "sweep"), b""))

    def _redirect(self, target: str) -> None:
        self.send_response(302)
        self.send_header("Location", target)
        self.end_headers()

    def _send(self, body: bytes) -> None:
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or "")
        first = int(wanted[1]) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(body) - first))
        self.end_headers()
        self.wfile.write(body[first:])


@pytest.fixture(scope="module")
def servers() -> Iterator[str]:
    """Two servers on two ports, the address of the first; the first leads to the second."""
    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as one,
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as other,
    ):
        for each in (one, other):
            threading.Thread(target=each.serve_forever, daemon=True).start()
        Server.elsewhere = f"http://127.0.0.1:{other.server_port}"
        yield f"http://127.0.0.1:{one.server_port}"
        one.shutdown()
        other.shutdown()


def heard(url: str, follow: bool = False) -> np.ndarray:
    with listen(url, follow=follow) as stream:
        return np.concatenate(list(stream.chunks()))


@pytest.mark.parametrize(
    "path", ["sweep.wav", "to/sweep.wav", "to/to/sweep.wav", "end.m3u8", "master.m3u8", "film.mp4"]
)
def test_what_lies_on_the_server_is_heard(servers: str, path: str) -> None:
    assert len(heard(f"{servers}/{path}")) == pytest.approx(len(SWEEP), abs=0.2 * RATE)


@pytest.mark.parametrize("path", ["away/sweep.wav", "to/away/sweep.wav", "away.m3u8"])
def test_another_server_is_asked_only_when_told_to_follow(servers: str, path: str) -> None:
    Server.asked.clear()
    with pytest.raises(AudioError, match="leads to another server, http.*--follow") as caught:
        heard(f"{servers}/{path}")
    assert "\n" not in str(caught.value)
    assert all(servers.endswith(each.partition("/")[0]) for each in Server.asked)
    assert len(heard(f"{servers}/{path}", follow=True)) > 5 * RATE


def test_a_playlist_does_not_read_files(servers: str) -> None:
    for follow in (False, True):
        with pytest.raises(AudioError, match="not opened|cannot be listened to"):
            heard(f"{servers}/file.m3u8", follow)


def test_redirections_without_end_are_an_error(servers: str) -> None:
    with pytest.raises(AudioError, match="302"):
        heard(f"{servers}/loop")


def test_a_password_is_given_to_its_server_alone(servers: str) -> None:
    address = servers.replace("//", "//eve:a%20b@")
    assert len(heard(f"{address}/locked.wav")) == len(SWEEP)
    with pytest.raises(AudioError, match="401"):
        heard(f"{address}/away/locked.wav", follow=True)


def test_an_old_radio_server_is_understood() -> None:
    class Icy(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass
            self.wfile.write(b"ICY 200 OK\r\nicy-name: radio\r\n\r\n" + FILES["/sweep.wav"])

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Icy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        samples = heard(f"http://127.0.0.1:{server.server_address[1]}/")
        server.shutdown()
    np.testing.assert_allclose(
        samples / np.abs(samples).max(), load(FILES["/sweep.wav"]), atol=1e-6
    )
