"""Which track is heard, and when: defaults, silence, late starts, pauses, what a header hides."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from hypothesis import given, settings
from hypothesis import strategies as st
from media import RATE, encode, paused, sweep, wav

import samaf
from samaf.audio import load, read
from samaf.audio.announced import stated_part
from samaf.audio.live import listen
from samaf.errors import AudioError
from samaf.media import MediaInfo

CLIPS = sorted(Path(samaf.__file__).parent.glob("clips/*.ogg"))
SPEECH = load(CLIPS[0])[: 8 * RATE] * np.float32(0.5)
SILENCE = np.zeros(4 * RATE, np.float32)
INTEGERS = (SPEECH * 32_767).astype("<i2")


def frames(stream: av.AudioStream, samples: np.ndarray, late: float = 0) -> list[av.Packet]:
    frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
    frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), round(late * RATE)
    return [*stream.encode(frame), *stream.encode(None)]


def tracks(*samples: np.ndarray, default: int | None = None) -> bytes:
    """A Matroska file with several sound tracks."""
    out = io.BytesIO()
    with av.open(out, "w", format="matroska") as file:
        streams = [file.add_stream("flac", rate=RATE, layout="mono") for _ in samples]
        for index, stream in enumerate(streams):
            stream.disposition = Disposition.default if index == default else Disposition(0)
        for stream, each in zip(streams, samples, strict=True):
            file.mux(frames(stream, each))
    return out.getvalue()


def late(container: str, codec: str, seconds: float) -> bytes:
    """A film whose sound starts later than its picture."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        pictures = file.add_stream("mpeg4", rate=10, width=64, height=64, pix_fmt="yuv420p")
        sound = file.add_stream(codec, rate=RATE, layout="mono")
        black = np.zeros((64, 64, 3), np.uint8)
        packets = [
            packet
            for _ in range(round(10 * (seconds + 8)))
            for packet in pictures.encode(av.VideoFrame.from_ndarray(black, format="rgb24"))
        ]
        packets += [*pictures.encode(None), *frames(sound, SPEECH, seconds)]
        for packet in sorted(packets, key=lambda each: each.dts * each.time_base):
            file.mux(packet)
    return out.getvalue()


def place(samples: np.ndarray) -> float:
    """Seconds at which the speech is best found in samples."""
    points = len(samples) + len(SPEECH)
    product = np.fft.rfft(samples, points) * np.fft.rfft(SPEECH, points).conj()
    return int(np.argmax(np.fft.irfft(product, points)[: len(samples)])) / RATE


@pytest.mark.parametrize(
    ("data", "track"),
    [
        (tracks(SILENCE, SPEECH), 2),
        (tracks(SILENCE, SPEECH, default=0), 2),  # the default one is silent
        (tracks(sweep(), SPEECH, default=1), 2),
        (tracks(SPEECH, sweep(), default=0), 1),
        (tracks(SPEECH, sweep()), 1),
        (tracks(SILENCE, SILENCE, SPEECH, sweep()), 3),
    ],
)
def test_the_default_track_with_sound_is_heard(data: bytes, track: int) -> None:
    with read(data) as audio:
        assert audio.media.track == track
        assert abs(audio.duration - 8) < 0.1
        assert f"sound track {track} of {audio.media.tracks} is taken" in audio.media.warnings()


def test_a_track_may_be_chosen() -> None:
    data = tracks(SPEECH, sweep(), SILENCE)
    assert len(load(data, track=2)) == pytest.approx(3 * RATE, abs=100)
    assert not load(data, track=3).any()
    for wrong in (0, 4):
        with pytest.raises(AudioError, match=f"no sound track {wrong}; choose 1 to 3"):
            load(data, track=wrong)
    with pytest.raises(AudioError, match="no sound track 2, only one"):
        load(wav(SPEECH), track=2)


def test_where_all_tracks_are_silent_the_first_is_taken() -> None:
    with read(tracks(SILENCE, SILENCE, default=1)) as audio:
        assert (audio.media.track, audio.peak) == (2, 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("container", "codec"),
    [("mp4", "aac"), ("mov", "aac"), ("matroska", "aac"), ("mpegts", "mp2")],
)
def test_sound_after_the_picture_keeps_its_time(container: str, codec: str, tmp_path: Path) -> None:
    rate = 4.0
    data = late(container, codec, rate)
    with read(data) as audio:
        assert place(audio.samples()) == pytest.approx(4, abs=0.1)
        assert audio.media.start_s == pytest.approx(4, abs=0.1)
    path = tmp_path / "late"
    path.write_bytes(data)
    for source in (path, f"file://{path}"):
        with listen(source) as stream:
            assert place(np.concatenate(list(stream.chunks()))) == pytest.approx(4, abs=0.1)


@pytest.mark.parametrize(
    ("container", "codec", "rate"),
    [
        ("mpegts", "mp2", RATE),
        ("flv", "aac", 44_100),
        ("asf", "libmp3lame", RATE),
        ("ogg", "libopus", 48_000),
    ],
)
def test_a_pause_in_the_timestamps_is_silence(container: str, codec: str, rate: int) -> None:
    with read(paused(SPEECH, codec, container, rate, seconds=20)) as audio:
        assert audio.duration == pytest.approx(28, abs=0.2)
        assert audio.media.pauses_s == pytest.approx(20, abs=0.2)


def chunk(kind: bytes, content: bytes) -> bytes:
    return kind + len(content).to_bytes(4, "little") + content + b"\0" * (len(content) % 2)


@pytest.mark.parametrize(
    ("data", "behind"),
    [
        (wav(INTEGERS, announced=INTEGERS.nbytes // 2), INTEGERS.nbytes // 2),
        (wav(INTEGERS[:RATE]) + wav(INTEGERS), len(wav(INTEGERS))),
        (wav(INTEGERS) + b"\0" * 100_000, 0),
        (wav(INTEGERS) + chunk(b"LIST", b"INFOISFT\x04\0\0\0abc\0") + chunk(b"id3 ", b"x" * 9), 0),
        (wav(INTEGERS) + b"\0", 0),
        (wav(INTEGERS), 0),
        (encode(SPEECH, "flac", "flac"), 0),
    ],
)
def test_what_lies_behind_the_end_of_a_wav_is_counted(data: bytes, behind: int) -> None:
    with read(data) as audio:
        # Silence at the very end is not told from padding.
        assert audio.media.bytes_behind_end == pytest.approx(behind, abs=2000 if behind else 0)
        assert bool(audio.media.warnings()) == bool(behind)


def test_zeros_behind_a_wav_are_not_searched_for_chunks() -> None:
    file = io.BytesIO(wav(INTEGERS) + bytes(1 << 20))
    part, behind = stated_part(file)
    assert behind == 0
    assert len(part.read()) == len(wav(INTEGERS))


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_may_follow_a_wav(rest: bytes) -> None:
    data = wav(INTEGERS[:100])
    part, behind = stated_part(io.BytesIO(data + rest))
    assert behind in (0, len(rest.rstrip(b"\0")))
    assert part.read()[: len(data)] == data


OFFSET: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "offset": lambda t: np.full_like(t, 0.05),
    "large offset": lambda t: np.full_like(t, 0.37),
    "rumble": lambda t: 0.09 * np.sin(2 * np.pi * 8 * t + 1),
}


@pytest.mark.parametrize("rate", [RATE, 8000, 44_100])
@pytest.mark.parametrize("name", OFFSET)
def test_what_lies_below_speech_is_taken_out(name: str, rate: int) -> None:
    plain = load(wav(SPEECH / 8), rate)  # the clip at another rate
    level = plain / 8
    t = np.arange(len(level)) / rate
    with read(wav((level + OFFSET[name](t)).astype(np.float32), rate)) as audio:
        assert audio.media.high_passed
        samples, expected = audio.samples(), load(wav(level, rate))
    count = min(len(samples), len(expected))
    samples, expected = samples[:count], expected[:count]
    assert samples @ expected / np.linalg.norm(samples) / np.linalg.norm(expected) > 0.9
    # Phases aside, nothing above the corner differs.
    spectra = np.abs(np.fft.rfft(np.stack([samples, expected])))[:, round(75 * count / RATE) :]
    assert spectra[0] @ spectra[1] / np.prod(np.linalg.norm(spectra, axis=1)) > 0.995
    assert np.linalg.norm(samples) == pytest.approx(np.linalg.norm(expected), rel=0.3)


def test_ordinary_speech_is_left_as_it_is() -> None:
    for path in CLIPS:
        with read(path) as audio:
            assert not audio.media.high_passed
            assert not audio.media.notes()
    assert np.array_equal(load(wav(SPEECH)), SPEECH * np.float32(1 / float(np.abs(SPEECH).max())))


def test_what_was_decoded_is_told_and_survives_json() -> None:
    with read(tracks(SILENCE, SPEECH)) as audio:
        media = audio.media
    assert (media.container, media.codec, media.sample_rate) == ("matroska,webm", "flac", RATE)
    assert (media.channels, media.layout, media.mixing) == (1, "mono", "mono")
    assert media.samples == audio.count
    assert MediaInfo.from_dict(json.loads(json.dumps(media.to_dict()))) == media
    stereo = wav(np.stack([SPEECH, np.resize(load(CLIPS[1]), len(SPEECH))], axis=1))
    with read(stereo) as audio:
        assert audio.media.sides == ((1,), (2,))
        assert MediaInfo.from_dict(json.loads(json.dumps(audio.media.to_dict()))) == audio.media


def test_the_digest_is_that_of_the_samples_before_their_level_is_set() -> None:
    import hashlib

    with read(wav(SPEECH)) as audio:
        digest = hashlib.sha256(SPEECH.astype("<f4").tobytes()).hexdigest()
        assert audio.media.samples_sha256 == digest
