"""Sound files of every kind, made on the fly from a synthetic signal."""

from __future__ import annotations

import io
import struct
import subprocess
import tempfile
from collections.abc import Mapping
from fractions import Fraction

import av
import numpy as np

RATE = 16_000  # Hz


def sweep(seconds: float = 3.0, rate: int = RATE) -> np.ndarray:
    """A rising tone whose level swells three times a second; float32 (n,), peak about 0.5."""
    t = np.arange(int(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * (300 + 60 * t) * t) * np.sin(3 * np.pi * t) ** 2).astype("f4")


def encode(
    samples: np.ndarray,
    codec: str,
    container: str,
    rate: int = RATE,
    layout: str = "mono",
    codec_options: Mapping[str, str] | None = None,
    container_options: Mapping[str, str] | None = None,
) -> bytes:
    """Encode samples at 16 kHz, (n,) for the same in every channel, or (channels, n)."""
    out = io.BytesIO()
    with av.open(out, "w", format=container, options=dict(container_options or {})) as file:
        stream = file.add_stream(codec, rate=rate, layout=layout, options=dict(codec_options or {}))
        planes = np.ascontiguousarray(np.atleast_2d(samples))
        given = layout if len(planes) > 1 else "mono"
        frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=given)
        frame.sample_rate = RATE
        file.mux([*stream.encode(frame), *stream.encode(None)])
    return out.getvalue()


def paused(
    samples: np.ndarray, codec: str, container: str, rate: int, seconds: float, part: float = 0.5
) -> bytes:
    """Encode mono samples at 16 kHz; from a part on, the times come ``seconds`` later."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
        packets = [*stream.encode(frame), *stream.encode(None)]
        for packet in packets[int(part * len(packets)) :]:
            packet.pts += round(seconds / packet.time_base)
            packet.dts += round(seconds / packet.time_base)
        file.mux(packets)
    return out.getvalue()


def bare_mp3(samples: np.ndarray, rate: int = RATE, layout: str = "mono") -> bytes:
    """An mp3 of frames only, without any tag."""
    options = {"write_xing": "0", "id3v2_version": "0"}
    return encode(samples, "libmp3lame", "mp3", rate, layout, container_options=options)


def id3(content: bytes) -> bytes:
    """An ID3 tag of any content."""
    size = len(content)
    return b"ID3\x04\x00\x00" + bytes(size >> bits & 127 for bits in (21, 14, 7, 0)) + content


def piped_aiff(samples: np.ndarray) -> bytes:
    """A 16-bit aiff as SoX writes it into a pipe: its sizes are those of 2 GB."""
    data = bytearray(encode(samples, "pcm_s16be", "aiff"))
    frames, sound = data.index(b"COMM") + 10, data.index(b"SSND") + 4
    data[frames : frames + 4] = struct.pack(">I", 0x7F00_0000 // 2)
    data[sound : sound + 4] = struct.pack(">I", 0x7F00_0008)
    return bytes(data)


def wav(samples: np.ndarray, rate: int = RATE, announced: int | None = None) -> bytes:
    """A wav of float32 (n,) or (n, channels) as it stands, or of 16-bit integers.

    ``announced`` is the size that the header gives for the data, by default the true one.
    """
    columns = 1 if samples.ndim == 1 else samples.shape[1]
    data, size = samples.tobytes(), samples.itemsize
    code = 3 if samples.dtype == np.float32 else 1
    layout = struct.pack(
        "<HHIIHH", code, columns, rate, rate * columns * size, columns * size, 8 * size
    )
    length = len(data) if announced is None else announced
    head = (
        b"WAVEfmt " + struct.pack("<I", len(layout)) + layout + b"data" + struct.pack("<I", length)
    )
    return b"RIFF" + struct.pack("<I", min(len(head) + length, 0xFFFF_FFFF)) + head + data


def sox(source: bytes, *target: str) -> bytes:
    """Convert a wav with SoX; ``target`` are its options for the output."""
    with tempfile.NamedTemporaryFile() as out:
        command = ["sox", "-q", "-t", "wav", "-", *target, out.name]
        subprocess.run(command, input=source, check=True, capture_output=True)
        return out.read()


def silent_video() -> bytes:
    """An mp4 with pictures and no sound track."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as file:
        stream = file.add_stream("mpeg4", rate=10, width=64, height=64, pix_fmt="yuv420p")
        _draw(file, stream)
    return out.getvalue()


def video(samples: np.ndarray, container: str) -> bytes:
    """A film of black pictures with a sound track, at 16 kHz."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        pictures = file.add_stream("mpeg4", rate=10, width=64, height=64, pix_fmt="yuv420p")
        sound = file.add_stream("aac", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
        frame.sample_rate = RATE
        _draw(file, pictures)
        file.mux([*sound.encode(frame), *sound.encode(None)])
    return out.getvalue()


def _draw(file: av.container.OutputContainer, stream: av.VideoStream) -> None:
    for _ in range(10):
        black = np.zeros((64, 64, 3), np.uint8)
        file.mux(stream.encode(av.VideoFrame.from_ndarray(black, format="rgb24")))
    file.mux(stream.encode(None))
