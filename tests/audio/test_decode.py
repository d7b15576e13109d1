"""Every format gives the same sound; every bad file gives one clear line."""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from media import (
    RATE,
    bare_mp3,
    encode,
    id3,
    paused,
    piped_aiff,
    silent_video,
    sox,
    sweep,
    video,
    wav,
)

from samaf.audio import load
from samaf.errors import AudioError

needs_sox = pytest.mark.skipif(not shutil.which("sox"), reason="sox is not installed")
SOUND = sweep()
INTEGERS = (SOUND * 32767).astype(np.int16)


def likeness(a: np.ndarray, b: np.ndarray, slack: int = 2400) -> float:
    """The largest normalised correlation over shifts of up to ``slack`` samples."""
    points = 2 * max(len(a), len(b))
    product = np.fft.rfft(a, points).conj() * np.fft.rfft(b, points)
    shifts = np.fft.irfft(product, points)
    best = max(shifts[: slack + 1].max(), shifts[-slack:].max())
    return float(best / np.linalg.norm(a) / np.linalg.norm(b))


def film(container: str) -> Callable[[], bytes]:
    return lambda: video(SOUND, container)


def coded(codec: str, container: str, **options: object) -> Callable[[], bytes]:
    return lambda: encode(SOUND, codec, container, **options)  # type: ignore[arg-type]


def converted(*target: str) -> Callable[[], bytes]:
    return lambda: sox(wav(INTEGERS), *target)


FORMATS = {
    "wav-16": lambda: wav(INTEGERS),
    "wav-float": lambda: wav(SOUND),
    "wav-24": coded("pcm_s24le", "wav"),
    "wav-mulaw": coded("pcm_mulaw", "wav", rate=8000),
    "flac": coded("flac", "flac"),
    "mp3": coded("libmp3lame", "mp3"),
    "mp3-without-tag": coded("libmp3lame", "mp3", container_options={"write_xing": "0"}),
    "opus": coded("libopus", "ogg", rate=48_000),
    "m4a": coded("aac", "ipod", rate=44_100),
    "aac": coded("aac", "adts"),
    "amr": coded("libopencore_amrnb", "amr", rate=8000),
    "amr-dtx": coded("libopencore_amrnb", "amr", rate=8000, codec_options={"dtx": "1"}),
    "mp4": film("mp4"),
    "mkv": film("matroska"),
    "webm": coded("libopus", "webm", rate=48_000),
}
SOX_FORMATS = {
    "ogg-vorbis": converted("-t", "ogg"),
    "gsm": converted("-r", "8000", "-t", "gsm"),
    "wav-gsm": converted("-r", "8000", "-e", "gsm", "-t", "wav"),
    "amr-nb": converted("-r", "8000", "-t", "amr-nb"),
    "aiff": converted("-t", "aiff"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_gives_the_sound(name: str) -> None:
    assert_sound(load(FORMATS[name]()))


@needs_sox
@pytest.mark.parametrize("name", SOX_FORMATS)
def test_a_format_that_sox_writes_gives_the_sound(name: str) -> None:
    assert_sound(load(SOX_FORMATS[name]()))


def assert_sound(samples: np.ndarray) -> None:
    assert samples.dtype == np.float32
    assert abs(len(samples) - len(SOUND)) < 0.2 * RATE
    assert np.abs(samples).max() == pytest.approx(1, abs=1e-6)
    assert likeness(SOUND, samples) > 0.95


def assert_sound_twice(samples: np.ndarray) -> None:
    for half in (samples[: len(samples) // 2], samples[len(samples) // 2 :]):
        assert_sound(half / np.abs(half).max())


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000])
def test_any_rate(rate: int) -> None:
    samples = load(wav(sweep(rate=rate), rate))
    assert len(samples) == pytest.approx(len(SOUND), abs=20)
    assert likeness(SOUND, samples, slack=40) > 0.999


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_channels_are_averaged(channels: int) -> None:
    left_only = np.zeros((len(SOUND), channels), np.float32)
    left_only[:, 0] = SOUND
    assert likeness(SOUND, load(wav(left_only)), slack=10) > 0.999


def test_discontinuous_amr_keeps_its_pauses() -> None:
    # The second in the middle is silent, so its frames are comfort noise or no data at all.
    paused = np.concatenate([SOUND, np.zeros(RATE, np.float32), SOUND])
    coded = encode(paused, "libopencore_amrnb", "amr", 8000, codec_options={"dtx": "1"})
    plain = encode(paused, "libopencore_amrnb", "amr", 8000)
    samples = load(coded)
    assert len(coded) < len(plain)
    assert abs(len(samples) - len(paused)) < 0.1 * RATE
    assert likeness(paused, samples) > 0.9


def test_variable_bit_rate_without_a_count_is_whole() -> None:
    # FFmpeg guesses the length from the first, silent frames and is far off.
    quiet_start = np.concatenate([np.zeros(5 * RATE, np.float32), noise(5)])
    variable = {"flags": "+qscale", "global_quality": "236"}
    data = encode(
        quiet_start,
        "libmp3lame",
        "mp3",
        codec_options=variable,
        container_options={"write_xing": "0"},
    )
    assert len(load(data)) == pytest.approx(10 * RATE, abs=0.2 * RATE)


@pytest.mark.parametrize(
    "announced", [0, 0x7FFF_F000, 0x7FFF_FF00, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFA, 0xFFFF_FFFF]
)
def test_a_wav_from_a_pipe_announces_no_length(announced: int) -> None:
    assert len(load(wav(INTEGERS, announced=announced))) == len(SOUND)


def test_an_aiff_from_a_pipe_announces_no_length() -> None:
    assert_sound(load(piped_aiff(SOUND)))


@pytest.mark.parametrize(("rate", "layout"), [(44_100, "mono"), (48_000, "stereo")])
def test_the_format_may_change_midway(rate: int, layout: str) -> None:
    samples = load(bare_mp3(SOUND, 44_100, "stereo") + bare_mp3(SOUND, rate, layout))
    assert_sound_twice(samples)


TIMED = {
    "webm": ("libopus", "webm", 48_000),
    "mkv": ("aac", "matroska", RATE),
    "mp4": ("aac", "mp4", RATE),
    "mov": ("aac", "mov", RATE),
    "3gp": ("libopencore_amrnb", "3gp", 8000),
}


@pytest.mark.parametrize("name", TIMED)
def test_a_pause_in_the_timestamps_is_silence(name: str) -> None:
    samples = load(paused(SOUND, *TIMED[name], seconds=2.5))
    half = len(SOUND) // 2
    expected = np.concatenate([SOUND[:half], np.zeros(5 * RATE // 2, np.float32), SOUND[half:]])
    assert abs(len(samples) - len(expected)) < 0.1 * RATE
    assert likeness(expected, samples) > 0.9
    assert not samples[2 * RATE : 3 * RATE].any()


@pytest.mark.parametrize("name", TIMED)
def test_a_late_start_is_no_pause(name: str) -> None:
    assert_sound(load(paused(SOUND, *TIMED[name], seconds=2.5, part=0)))


def test_a_time_beyond_the_announced_end_is_not_believed() -> None:
    data = paused(SOUND, *TIMED["webm"], seconds=100_000)
    length = data.index(b"\x44\x89\x88") + 3  # the element of the duration, in ms
    data = data[:length] + struct.pack(">d", 4000) + data[length + 8 :]
    assert len(load(data)) == pytest.approx(len(SOUND), abs=0.1 * RATE)


def test_mp3_files_may_be_joined_with_their_tags() -> None:
    picture = id3(np.random.default_rng(3).bytes(100_000))
    counted = encode(SOUND, "libmp3lame", "mp3")
    for data in (counted * 2, bare_mp3(SOUND) + picture + bare_mp3(SOUND)):
        assert_sound_twice(load(data))


@pytest.mark.parametrize("counted", [True, False])
def test_zeros_behind_an_mp3_are_no_damage(counted: bool) -> None:
    data = encode(SOUND, "libmp3lame", "mp3") if counted else bare_mp3(SOUND)
    assert_sound(load(data + bytes(1 << 16)))


def test_an_mp3_that_ends_in_a_tag_or_in_nonsense_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.mp3"
    for rest in (id3(bytes(range(1, 101)))[:50], np.random.default_rng(4).bytes(5000)):
        path.write_bytes(bare_mp3(SOUND) + rest)
        assert_refused(path, "damaged or cut off")


def noise(seconds: float) -> np.ndarray:
    drawn = np.random.default_rng(1).normal(0, 0.2, int(seconds * RATE))
    return drawn.astype(np.float32)


def tagged(mp3: bytes) -> bytes:
    """Put an ID3 tag of 20,000 bytes before the first frame, as a cover picture does."""
    return b"ID3\x04\x00\x00" + bytes([0, 1, 28, 32]) + bytes(20_000) + mp3


LONG = noise(8)
CUT = {
    "mp3": lambda: encode(LONG, "libmp3lame", "mp3"),
    "mp3-tagged": lambda: tagged(encode(LONG, "libmp3lame", "mp3")),
    "wav-16": lambda: wav((LONG * 32767).clip(-32768, 32767).astype(np.int16)),
    "wav-float": lambda: wav(LONG),
    "flac": lambda: encode(LONG, "flac", "flac"),
    "aiff": lambda: encode(LONG, "pcm_s16be", "aiff"),
    "m4a": lambda: encode(LONG, "aac", "ipod"),
    "amr": lambda: encode(LONG, "libopencore_amrnb", "amr", 8000),
}


@pytest.mark.parametrize("name", CUT)
def test_a_cut_off_file_is_refused(name: str, tmp_path: Path) -> None:
    whole = CUT[name]()
    assert len(load(whole)) == pytest.approx(len(LONG), abs=0.2 * RATE)
    path = tmp_path / f"cut.{name}"
    # An odd number of bytes, so that the last AMR frame is not whole.
    path.write_bytes(whole[: len(whole) // 4 * 2 + 1])
    assert_refused(path, "cut off|cannot be decoded")


def broken_float(value: float) -> bytes:
    samples = SOUND.copy()
    samples[9000] = value
    return wav(samples)


def unknown_codec() -> bytes:
    return encode(SOUND, "libopus", "webm", 48_000).replace(b"A_OPUS", b"A_OPUZ")


BAD = {
    "empty": (lambda: b"", "the file is empty"),
    "text": (lambda: b"no sound, only words\n" * 200, "cannot be decoded as audio"),
    "random": (lambda: np.random.default_rng(2).bytes(50_000), "cannot be decoded as audio"),
    "header-only": (lambda: wav(SOUND)[:44], "cannot be decoded|sound track is empty"),
    "half-header": (lambda: wav(SOUND)[:30], "cannot be decoded"),
    "no-sound": (silent_video, "no sound track"),
    "codec": (unknown_codec, "codec of its sound track is not known"),
    "nan": (lambda: broken_float(np.nan), "not finite"),
    "inf": (lambda: broken_float(np.inf), "not finite"),
    "minus-inf": (lambda: broken_float(-np.inf), "not finite"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused(name: str, tmp_path: Path) -> None:
    make, reason = BAD[name]
    path = tmp_path / f"{name}.wav"
    path.write_bytes(make())
    assert_refused(path, reason)


def assert_refused(path: Path, reason: str) -> None:
    """One line that names the file and the reason."""
    with pytest.raises(AudioError, match=reason) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message


def test_a_bad_file_with_an_odd_name_is_named_in_one_line(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9\nnoir.wav"))
    path.write_bytes(b"no sound")
    with pytest.raises(AudioError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{tmp_path}/caf\\xe9\\nnoir.wav: ")


def test_a_long_error_free_file_decodes_alike_twice() -> None:
    data = encode(noise(4), "libmp3lame", "mp3")
    assert np.array_equal(load(data), load(data))
