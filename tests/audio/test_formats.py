"""No file makes FFmpeg open anything else, whatever it says of itself."""

from __future__ import annotations

import http.server
import io
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from av.format import ContainerFormat, Flags, formats_available
from media import encode, sweep, wav

from samaf.audio import load
from samaf.audio.formats import SOUND_FORMATS, open_bytes
from samaf.errors import AudioError

SOUND = sweep()
WAV = wav(SOUND)
# Those that FFmpeg's documentation and source say open other files, addresses or devices.
OPENERS = set(
    "alias_pix alsa brender_pix concat dash dvdvideo fbdev hls image2 image2pipe imf kmsgrab lavfi"
    " mlv oss rtp rtsp sap sbg sdp v4l2 video4linux2 vobsub webm_dash_manifest x11grab".split()
)


def readable() -> dict[str, ContainerFormat]:
    """All names of formats that the installed FFmpeg reads."""
    formats = {}
    for given in formats_available:
        try:
            each = ContainerFormat(given, "r")
        except ValueError:  # written only
            continue
        formats |= dict.fromkeys(each.name.split(","), each)
    return formats


FORMATS = readable()


class Secrets(http.server.BaseHTTPRequestHandler):
    """Serves sound and counts who asks."""

    asked: list[str] = []  # noqa: RUF012

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:  # noqa: N802  # the name that the base class calls
        """Answer anything."""
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(WAV)


@pytest.fixture(scope="module")
def secrets() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Secrets) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def lures(url: str, path: Path) -> dict[str, bytes]:
    """Files that name other files and addresses, in the words of each such format."""
    segment = f"{url}/secret.ts"
    mpd = (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT9S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011">'
        '<Period><AdaptationSet mimeType="audio/mp4"><Representation id="1" bandwidth="9">'
        f"<BaseURL>{segment}</BaseURL></Representation></AdaptationSet></Period></MPD>"
    )
    return {
        "concat": f"ffconcat version 1.0\nfile '{path}'\n".encode(),
        "concat-url": f"ffconcat version 1.0\nfile '{segment}'\n".encode(),
        "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{segment}\n".encode(),
        "hls-file": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{path}\n".encode(),
        "hls-master": f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9\n{url}/list.m3u8\n".encode(),
        "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
        b"m=audio 8766 RTP/AVP 0\n",
        "dash": mpd.encode(),
        "vobsub": b"# VobSub index file, v7 (do not modify this line!)\nid: en, index: 0\n"
        b"timestamp: 00:00:01:000, filepos: 000000000\n",
        "image-pattern": b"%d.png\n" * 40,
        "m3u": f"{segment}\n".encode() * 20,
        "pls": f"[playlist]\nFile1={segment}\nNumberOfEntries=1\n".encode(),
        "asx": f'<asx version="3.0"><entry><ref href="{segment}"/></entry></asx>'.encode(),
        "sbg": b"-SE\nbase: 100+10/50\nNOW base\n",
    }


LURES = list(lures("", Path()))


@pytest.mark.parametrize("name", LURES)
@pytest.mark.parametrize("suffix", ["wav", "m3u8", "txt"])
def test_text_is_refused_and_nothing_else_is_read(
    name: str, suffix: str, secrets: str, tmp_path: Path
) -> None:
    Secrets.asked.clear()
    other = tmp_path / "other.wav"
    other.write_bytes(WAV)
    path = tmp_path / f"lure.{suffix}"
    path.write_bytes(lures(secrets, other)[name])
    with pytest.raises(AudioError) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")
    assert not Secrets.asked


def test_a_movie_with_sound_in_another_file_is_not_given_it(tmp_path: Path) -> None:
    (tmp_path / "other.mov").write_bytes(encode(SOUND, "pcm_s16le", "mov"))
    data = encode(SOUND, "pcm_s16le", "mov")
    # Its data reference becomes an alias: the entry is not marked as lying in the file itself.
    at = data.index(b"dref") + 4 + 8 + 8
    path = tmp_path / "alias.mov"
    path.write_bytes(data[:at] + b"\0\0\0\0" + data[at + 4 :])
    assert len(load(path)) == len(SOUND)  # its own


def test_no_device_and_no_format_that_opens_others_is_read() -> None:
    no_file = {name for name, each in FORMATS.items() if each.flags & Flags.no_file.value}
    assert no_file  # the flags are read
    assert not SOUND_FORMATS & (no_file | OPENERS)
    assert set(FORMATS) >= SOUND_FORMATS, "names that FFmpeg does not know"


def opened_by(name: str, content: bytes, folder: Path) -> list[str]:
    """What a format asks for when these bytes are taken for one of its files."""
    asked: list[str] = []

    def note(url: str, _flags: int, _options: dict[str, str]) -> io.BytesIO:
        asked.append(url)
        return io.BytesIO(WAV)

    file = io.BytesIO(content)
    file.name = str(folder / "lure.bin")  # type: ignore[attr-defined]
    av.logging.set_level(av.logging.ERROR)
    try:
        with (
            av.logging.Capture(local=False) as logs,
            av.open(
                file,
                format=name,
                io_open=note,
                timeout=2,
                container_options={"protocol_whitelist": "none", "probesize": "4096"},
            ) as container,
        ):
            for _ in zip(container.demux(), range(20), strict=False):
                pass
    except (av.error.FFmpegError, ValueError, MemoryError, OSError):
        pass
    finally:
        av.logging.set_level(None)
    # Some open by themselves, which the list of protocols stops.
    return asked + [text for _, _, text in logs if "not on whitelist" in text]


@pytest.mark.parametrize("name", sorted(SOUND_FORMATS))
def test_a_format_that_is_read_asks_for_nothing_else(name: str, tmp_path: Path) -> None:
    contents = [*lures("http://127.0.0.1:1", Path("other.wav")).values(), WAV]
    assert not [asked for content in contents for asked in opened_by(name, content, tmp_path)]


@pytest.mark.parametrize("name", ["concat", "hls"])
def test_the_trap_sees_a_format_that_opens_others(name: str, tmp_path: Path) -> None:
    content = lures("http://127.0.0.1:1", Path("other.wav"))[name]
    assert opened_by(name, content, tmp_path)


@pytest.mark.parametrize("name", sorted(set(FORMATS) - SOUND_FORMATS))
def test_a_format_off_the_list_is_not_opened(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = av.open
    monkeypatch.setattr(av, "open", lambda *args, **named: plain(*args, format=name, **named))
    with pytest.raises((AudioError, av.error.FFmpegError, ValueError)):
        open_bytes(io.BytesIO(WAV), "file")


def test_a_format_is_still_known_by_the_suffix_of_the_name(tmp_path: Path) -> None:
    path = tmp_path / "call.al"
    path.write_bytes(encode(SOUND, "pcm_alaw", "alaw", 8000))
    # Nothing tells its rate, and FFmpeg assumes 44.1 kHz.
    assert len(load(path)) == pytest.approx(3 * 8000 * 16_000 / 44_100, abs=20)
