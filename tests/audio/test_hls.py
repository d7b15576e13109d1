"""Playlists of a real server: live ones that move on, ranges, headers, and what is refused."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from media import RATE, encode, sweep

from samaf.audio import hls
from samaf.audio.live import listen
from samaf.errors import AudioError

PART_SECONDS = 2
SWEEP = sweep(8.0)
PARTS = [
    encode(SWEEP[n * PART_SECONDS * RATE :][: PART_SECONDS * RATE], "mp2", "mpegts", 48_000)
    for n in range(4)
]
HEAD = f"#EXTM3U\n#EXT-X-TARGETDURATION:{PART_SECONDS}\n"


def playlist(numbers: range, *, ended: bool, titles: bool = False) -> str:
    lines = [f"#EXT-X-MEDIA-SEQUENCE:{numbers.start}"]
    for number in numbers:
        lines += [f"#EXTINF:{PART_SECONDS},{f'Song {number}' if titles else ''}", f"{number}.ts"]
    return HEAD + "\n".join(lines) + ("\n#EXT-X-ENDLIST\n" if ended else "\n")


class Server(http.server.BaseHTTPRequestHandler):
    """Serves parts, and playlists that go on with each request."""

    playlists: dict[str, list[str]] = {}  # noqa: RUF012
    bodies: dict[str, bytes] = {}  # noqa: RUF012

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:  # noqa: N802  # the name that the base class calls
        """Answer by path."""
        if texts := self.playlists.get(self.path):
            body = (texts.pop(0) if len(texts) > 1 else texts[0]).encode()
            if not body:
                self.send_error(503)
                return
        elif self.path in self.bodies:
            body = self.bodies[self.path]
        else:
            self.send_error(404)
            return
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers["Range"] or "")
        if wanted:
            body = body[int(wanted[1]) : int(wanted[2]) + 1 if wanted[2] else None]
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    Server.bodies = {f"/{number}.ts": part for number, part in enumerate(PARTS)}
    Server.bodies["/all.ts"] = b"".join(PARTS)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again soon."""
    monkeypatch.setattr(hls, "REFRESH_SECONDS", 0.05)
    monkeypatch.setattr(hls, "REFRESH_SHARE", 0.05)


def received(url: str) -> tuple[np.ndarray, list[str], bool]:
    with listen(url) as stream:
        samples = np.concatenate(list(stream.chunks()))
        titles = [stream.title(second + 0.5) for second in range(int(stream.seconds))]
        return samples, titles, stream.complete


def test_a_live_playlist_is_followed_to_its_end(server: str) -> None:
    steps = [range(4), range(4), range(1, 4)]
    texts = [playlist(step, ended=False, titles=True) for step in (range(3), *steps)]
    Server.playlists["/live.m3u8"] = [*texts, playlist(range(2, 4), ended=True, titles=True)]
    samples, titles, complete = received(f"{server}/live.m3u8")
    assert len(samples) == pytest.approx(8 * RATE, abs=0.3 * RATE)
    assert complete
    assert titles == [f"Song {second // PART_SECONDS}" for second in range(len(titles))]
    assert len(titles) >= 7


def test_a_live_playlist_begins_near_its_end(server: str) -> None:
    Server.playlists["/late.m3u8"] = [playlist(range(4), ended=False)] + [
        playlist(range(1, 4), ended=True)
    ]
    samples, _, _ = received(f"{server}/late.m3u8")
    assert len(samples) == pytest.approx(6 * RATE, abs=0.3 * RATE)


def test_a_server_may_fail_for_a_moment(server: str) -> None:
    texts = [playlist(range(2), ended=False), "", "", playlist(range(4), ended=True)]
    Server.playlists["/moment.m3u8"] = texts
    samples, _, _ = received(f"{server}/moment.m3u8")
    assert len(samples) == pytest.approx(8 * RATE, abs=0.3 * RATE)


def test_a_server_that_fails_for_longer_ends_the_stream(server: str) -> None:
    Server.playlists["/longer.m3u8"] = [playlist(range(2), ended=False), ""]
    with pytest.raises(AudioError, match=r"broke off after 4\.\d s \(the server answers 503"):
        received(f"{server}/longer.m3u8")


@pytest.mark.parametrize(
    ("next_one", "reason"),
    [
        (playlist(range(6, 8), ended=False), "3 parts of the playlist were missed"),
        (playlist(range(2), ended=False), "the playlist started again"),
        ("<html>", "sends no playlist any more"),
    ],
)
def test_what_was_missed_is_said(server: str, next_one: str, reason: str) -> None:
    Server.playlists["/gap.m3u8"] = [playlist(range(3), ended=False), next_one]
    with (
        pytest.raises(AudioError, match=reason) as caught,
        listen(f"{server}/gap.m3u8") as stream,
    ):
        for _ in stream.chunks():
            pass
    assert stream.seconds == pytest.approx(6, abs=0.3)
    assert "\n" not in str(caught.value)


def test_ranges_of_one_file(server: str) -> None:
    lines, start = [HEAD], 0
    for part in PARTS:
        lines += [f"#EXTINF:2,\n#EXT-X-BYTERANGE:{len(part)}@{start}\nall.ts"]
        start += len(part)
    Server.playlists["/ranges.m3u8"] = ["\n".join([*lines, "#EXT-X-ENDLIST\n"])]
    samples, _, _ = received(f"{server}/ranges.m3u8")
    assert len(samples) == pytest.approx(8 * RATE, abs=0.3 * RATE)


def test_a_header_comes_before_its_parts(server: str) -> None:
    options = {"movflags": "empty_moov+default_base_moof+frag_keyframe"}
    film = encode(SWEEP, "aac", "mp4", 16_000, container_options=options)
    split = film.index(b"moof") - 4
    Server.bodies["/film.mp4"] = film
    Server.playlists["/film.m3u8"] = [
        f'{HEAD}#EXT-X-MAP:URI="film.mp4",BYTERANGE="{split}@0"\n'
        f"#EXTINF:8,\n#EXT-X-BYTERANGE:{len(film) - split}@{split}\nfilm.mp4\n#EXT-X-ENDLIST\n"
    ]
    samples, _, _ = received(f"{server}/film.m3u8")
    assert len(samples) == pytest.approx(8 * RATE, abs=0.3 * RATE)


def test_sound_without_pictures_is_chosen(server: str) -> None:
    Server.playlists["/sound.m3u8"] = [playlist(range(4), ended=True)]
    Server.playlists["/master.m3u8"] = [
        '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",DEFAULT=YES,URI="sound.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=900000,AUDIO="a"\nfilm-only.m3u8\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=100000,AUDIO="a"\nnowhere.m3u8\n'
    ]
    samples, _, _ = received(f"{server}/master.m3u8")
    assert len(samples) == pytest.approx(8 * RATE, abs=0.3 * RATE)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f'{HEAD}#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXTINF:2,\n0.ts\n', "is encrypted"),
        (f"{HEAD}#EXTINF:2,\nnowhere.ts\n#EXT-X-ENDLIST\n", "404"),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nbad.m3u8\n", "lists playlists that list others"),
        (f"{HEAD}#EXT-X-ENDLIST\n", "cannot be listened to"),
    ],
)
def test_what_cannot_be_read_is_one_line(server: str, text: str, reason: str) -> None:
    Server.playlists["/bad.m3u8"] = [text]
    with pytest.raises(AudioError, match=reason) as caught:
        received(f"{server}/bad.m3u8")
    assert "\n" not in str(caught.value)
