"""The length in a wav header, chunk by chunk."""

from __future__ import annotations

import io
import struct

import av
import numpy as np
import pytest
from media import RATE, encode, piped_aiff, sweep, wav

from samaf.audio.announced import announced_seconds


def announced(data: bytes) -> float:
    file = io.BytesIO(data)
    with av.open(file) as container:
        before = file.tell()
        seconds = announced_seconds(file, container, container.streams.audio[0])
        assert file.tell() == before
        return seconds


def with_chunk(data: bytes, content: bytes) -> bytes:
    """Put a chunk before the format, padded to an even length."""
    chunk = b"LIST" + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
    return data[:12] + chunk + data[12:]


@pytest.mark.parametrize("missing", [0, 1000, 60_000])
def test_wav_counts_what_was_written(missing: int) -> None:
    data = wav((sweep(2) * 32767).astype(np.int16))
    assert announced(data[: len(data) - missing]) == 2.0


@pytest.mark.parametrize("size", [4, 7, 300])
def test_other_wav_chunks_are_passed_over(size: int) -> None:
    assert announced(with_chunk(wav(sweep(2)), bytes(size))) == 2.0


def test_channels_and_rate() -> None:
    assert announced(wav(np.zeros((8000, 2), np.int16), 8000)) == 1.0


@pytest.mark.parametrize(
    ("codec", "container"),
    [("flac", "flac"), ("libmp3lame", "mp3"), ("aac", "ipod"), ("pcm_s16be", "aiff")],
)
def test_counted_formats(codec: str, container: str) -> None:
    assert announced(encode(sweep(2), codec, container)) == pytest.approx(2, abs=0.2)


@pytest.mark.parametrize(
    ("codec", "container"), [("libopus", "ogg"), ("aac", "adts"), ("libopencore_amrnb", "amr")]
)
def test_formats_without_a_count_announce_nothing(codec: str, container: str) -> None:
    rate = 8000 if container == "amr" else RATE
    assert announced(encode(sweep(2), codec, container, rate)) == 0


def test_mp3_without_a_tag_announces_nothing() -> None:
    data = encode(sweep(2), "libmp3lame", "mp3", container_options={"write_xing": "0"})
    assert announced(data) == 0


def test_an_aiff_from_a_pipe_announces_nothing() -> None:
    assert announced(piped_aiff(sweep(2))) == 0


def test_an_mp3_keeps_its_count_when_the_file_is_far_longer() -> None:
    # FFmpeg would drop the count and take the bit rate of the first, silent frames.
    variable = {"flags": "+qscale", "global_quality": "236"}
    quiet = encode(np.zeros(2 * RATE, np.float32), "libmp3lame", "mp3", codec_options=variable)
    assert announced(quiet + 4 * encode(sweep(6), "libmp3lame", "mp3")) == pytest.approx(2, abs=0.2)
