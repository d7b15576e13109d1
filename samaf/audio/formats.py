"""What FFmpeg may open: formats that hold sound, and nothing but the bytes that were given.

Some formats are lists that make FFmpeg open other files or addresses (``concat``, ``hls``,
``dash``, ``sdp``), some are devices, image sequences or scripts. So FFmpeg gets a list of the
formats that it may read, no protocol at all, and a function in place of its own way to open
things, which refuses. Only what `monitor` is given as a URL is opened by FFmpeg itself.
"""

from __future__ import annotations

from typing import Any, NoReturn

from samaf.errors import AudioError

# FFmpeg's names of formats with sound. A test walks all formats of the installed FFmpeg and
# checks that none of these is a device or opens anything.
SOUND_FORMATS = frozenset(
    # containers
    "3g2 3gp aiff asf asf_o au avi caf dhav dsf dv ea flv gxf iff kux live_flv lxf m4a matroska"
    " mj2 mmf mov mp4 mpeg mpegts mpegtsraw mxf nc nsv nut nuv ogg oma pva rm rpl swf tta ty voc"
    " w64 wav webm wsd wtv wv xwma"
    # one codec, with or without a header of its own
    " aa aac aax ac3 ac4 act adp ads adx aea aix amr amrnb amrwb apc ape aptx aptx_hd ast bfstm"
    " bit brstm codec2 codec2raw daud dfpwm dts dtshd eac3 epaf flac g722 g723_1 g726 g726le g728"
    " g729 gsm hca hcom iamf ilbc ircam laf lc3 loas mca mlp mp3 mpc mpc8 nistsphere osq paf pvf"
    " qcp qoa rka rso s337m sbc sds sdx shn sln sol sox spdif tak truehd vag vpk vqf wady wavarc"
    " wve xa xvag"
    # samples alone, which FFmpeg knows by the suffix of the file's name
    " alaw mulaw s8 u8 s16be s16le s24be s24le s32be s32le u16be u16le u24be u24le u32be u32le"
    " f32be f32le f64be f64le".split()
)
# What a list of other files or addresses begins with; only for the words of the refusal.
LISTS = (
    (b"#EXTM3U", "an HLS playlist"),
    (b"ffconcat version", "a list of files"),
    (b"v=0", "an SDP session description"),
    (b"<?xml", "an XML document"),
    (b"<MPD", "a DASH manifest"),
    (b"<SmoothStreamingMedia", "a streaming manifest"),
    (b"[playlist]", "a playlist"),
    (b"# VobSub index file", "an index of subtitles"),
)
HEAD_BYTES = 64


# The protocols that FFmpeg may use for a URL of each scheme, and the formats besides. Whatever
# comes over HTTP is fetched by `samaf.audio.http`, and FFmpeg sees its bytes only.
PROTOCOLS = {
    "file": "file",
    "rtp": "rtp,udp",
    "rtsp": "rtsp,rtp,udp,tcp",
    "rtsps": "rtsps,rtp,udp,tcp,tls",
    "rtmp": "rtmp,tcp",
    "rtmps": "rtmps,rtmp,tls,tcp",
    "rtmpt": "rtmpt,rtmp,ffrtmphttp,http,tcp",
    "mmsh": "mmsh,http,tcp",
    "mmst": "mmst,tcp",
    "srt": "srt",
    "rist": "rist",
    "tcp": "tcp",
    "tls": "tls,tcp",
    "udp": "udp",
}
STREAM_FORMATS = {"rtp": ("rtp",), "rtsp": ("rtsp",), "rtsps": ("rtsp",)}


def open_bytes(file: Any, name: str) -> Any:
    """Open a binary file with PyAV; ``name`` stands in messages.

    Raises
    ------
    AudioError
        The bytes are a list of other files, or ask for another file.
    av.error.FFmpegError
        They are in no format that holds sound.
    """
    import av

    _refuse_list(file, name)

    def refuse(url: str, _flags: int, _options: dict[str, str]) -> NoReturn:
        raise AudioError(f"{name}: asks for another file ({url!a}), which is not opened")

    return av.open(
        file,
        mode="r",
        metadata_errors="replace",
        container_options=_walls(SOUND_FORMATS, "none"),
        io_open=refuse,
    )


def open_stream(url: str, timeout: float) -> Any:
    """Open a URL of one of `PROTOCOLS`; nothing may take longer than ``timeout`` seconds."""
    import av

    scheme = url.partition(":")[0].lower()
    formats = SOUND_FORMATS | frozenset(STREAM_FORMATS.get(scheme, ()))
    return av.open(
        url,
        mode="r",
        metadata_errors="replace",
        timeout=(timeout, timeout),
        container_options=_walls(formats, PROTOCOLS[scheme]),
    )


def _walls(formats: frozenset[str], protocols: str) -> dict[str, str]:
    return {"format_whitelist": ",".join(sorted(formats)), "protocol_whitelist": protocols}


def is_playlist(head: bytes) -> bool:
    """Tell whether these first bytes are those of an HLS playlist."""
    return _clean(head).startswith(LISTS[0][0])


def _clean(head: bytes) -> bytes:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()


def _refuse_list(file: Any, name: str) -> None:
    head = _clean(_head(file))
    for start, kind in LISTS:
        if head.startswith(start):
            raise AudioError(
                f"{name}: is {kind}, not sound; what it names is not opened, give those files"
            )


def _head(file: Any) -> bytes:
    """Look at the first bytes; empty where a file can only be read once."""
    if hasattr(file, "peek"):
        return bytes(file.peek(HEAD_BYTES)[:HEAD_BYTES])
    if not (hasattr(file, "seekable") and file.seekable()):
        return b""
    head: bytes = file.read(HEAD_BYTES)
    file.seek(0)
    return head
