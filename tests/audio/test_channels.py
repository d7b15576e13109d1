"""Every channel counts: mixed, turned round where they cancel, side by side where they differ."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from media import RATE, bare_mp3, encode, sweep, wav

import samaf
from samaf.audio import load, read
from samaf.audio.channels import ALL, ChannelStatistics, Mix
from samaf.audio.formats import open_bytes
from samaf.audio.stream_decode import decode_stream
from samaf.errors import AudioError

CLIPS = sorted(Path(samaf.__file__).parent.glob("clips/*.ogg"))
ONE, OTHER = (load(path)[: 10 * RATE] * np.float32(0.5) for path in CLIPS[:2])


def columns(*channels: np.ndarray) -> bytes:
    return wav(np.stack(channels, axis=1).astype(np.float32))


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.mark.parametrize(("count", "which"), [(3, 2), (4, 3), (6, 3), (6, 5), (16, 15), (60, 41)])
def test_sound_on_any_channel_is_heard(count: int, which: int) -> None:
    channels = [np.zeros_like(ONE)] * count
    channels[which] = ONE
    with read(columns(*channels)) as audio:
        assert likeness(audio.samples(), ONE) > 0.9999
        assert audio.media.used_channels == tuple(range(1, count + 1))
        assert audio.media.mixing == "mixed"
        assert not audio.sides


def test_all_channels_weigh_the_same() -> None:
    with read(columns(ONE, ONE * 0.5, ONE * 0.3)) as audio:
        assert np.allclose(audio.samples() * audio.peak, ONE * 0.6, atol=1e-6)


@pytest.mark.parametrize(
    "data",
    [
        columns(ONE, -ONE),
        columns(ONE, -0.9 * ONE),
        columns(ONE + 0.2, -ONE + 0.2),  # with an offset
        columns(ONE, -ONE, ONE, -ONE),
        wav((np.stack([ONE, -ONE], 1) * 30_000).astype("<i2")),
    ],
)
def test_channels_that_cancel_are_turned_round(data: bytes) -> None:
    with read(data) as audio:
        assert abs(likeness(audio.samples(), ONE)) > 0.99
        assert audio.media.mixing == "inverted"
        assert audio.media.inverted_channels
        assert "cancel" in audio.media.notes()[0]


def test_a_lossy_coder_does_not_hide_that_channels_cancel() -> None:
    stereo = np.stack([ONE, -ONE]).astype(np.float32)
    with read(encode(stereo, "libmp3lame", "mp3", layout="stereo")) as audio:
        assert audio.media.mixing == "inverted"
        spectrum = np.abs(np.fft.rfft(ONE)), np.abs(np.fft.rfft(audio.samples()[: len(ONE)]))
        assert likeness(*spectrum) > 0.9


def test_where_only_a_part_cancels_one_channel_is_taken() -> None:
    turned = ONE.copy()
    turned[len(ONE) // 2 :] *= -1
    with read(columns(ONE, turned)) as audio:
        assert likeness(audio.samples(), ONE) > 0.9999
        assert audio.media.mixing == "chosen"
        assert audio.media.used_channels == (1,)


@pytest.mark.parametrize("level", [1.0, 0.3, 0.05])
def test_both_sides_of_a_call_are_heard(level: float) -> None:
    count = min(len(ONE), len(OTHER))
    one, other = ONE[:count], OTHER[:count] * np.float32(level)
    with read(columns(one, other)) as audio:
        assert audio.media.mixing == "apart"
        assert audio.media.sides == ((1,), (2,))
        first, second = audio.sides
        assert likeness(first.samples(), one) > 0.9999
        assert likeness(second.samples(), other) > 0.9999
        assert (first.media.used_channels, second.media.used_channels) == ((1,), (2,))
        assert second.peak == pytest.approx(np.abs(other).max(), rel=1e-4)
        assert audio.count == first.count == second.count
        assert np.allclose(audio.samples() * audio.peak, (one + other) / 2, atol=1e-6)
        assert len({each.media.samples_sha256 for each in (audio, first, second)}) == 3


def test_four_channels_may_be_two_sides() -> None:
    count = min(len(ONE), len(OTHER))
    one, other = ONE[:count], OTHER[:count]
    with read(columns(one, other, one * 0.7, -other)) as audio:
        assert audio.media.sides == ((1, 3), (2, 4))
        assert abs(likeness(audio.sides[1].samples(), other)) > 0.9999


def test_two_microphones_in_one_room_are_no_two_sides() -> None:
    noise = np.random.default_rng(1).normal(0, 0.005, (2, len(ONE)))
    late = np.roll(ONE, 40)  # 2.5 ms, 86 cm
    with read(columns(ONE + noise[0], 0.8 * late + noise[1])) as audio:
        assert audio.media.mixing == "mixed"


@pytest.mark.parametrize("weak", [np.zeros_like(ONE), OTHER[: len(ONE)] * 0.001])
def test_a_side_that_says_nothing_is_none(weak: np.ndarray) -> None:
    weak = np.resize(weak, len(ONE))
    with read(columns(ONE, weak)) as audio:
        assert not audio.sides


def test_a_channel_may_be_chosen() -> None:
    data = columns(ONE, sweep(10.0))
    assert likeness(load(data, channel=2), sweep(10.0)) > 0.9999
    with read(data, channel="apart") as audio:
        assert len(audio.sides) == 2
    with read(data, channel=1) as audio:
        assert audio.media.used_channels == (1,)
        assert audio.media.notes() == ("only channel 1 of 2 is taken",)
    for wrong in (0, 3, -1, "left"):
        with pytest.raises(AudioError, match=f"no channel {wrong}; choose 1 to 2"):
            load(data, channel=wrong)


@pytest.mark.slow
def test_the_number_of_channels_may_change_midway() -> None:
    data = bare_mp3(ONE, 44_100, "stereo") + bare_mp3(ONE, 44_100, "mono")
    for channel in (None, 2):
        samples = load(data, channel=channel)
        assert len(samples) == pytest.approx(2 * len(ONE), abs=0.2 * RATE)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 64), st.data())
def test_weights(count: int, data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, 70), unique=True).map(sorted))
    inverted = [c for c in chosen if data.draw(st.booleans())]
    weights = Mix(tuple(chosen), tuple(inverted)).weights(count)
    assert weights.shape == (count,)
    assert np.abs(weights).sum() == pytest.approx(1, abs=1e-5)
    present = [c for c in chosen if c < count] or range(count)
    assert list(np.flatnonzero(weights)) == list(present)
    assert set(np.flatnonzero(weights < 0)) == {c for c in inverted if c < count}


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000))
def test_decisions_do_not_hang_on_a_scale(seed: int) -> None:
    generator = np.random.default_rng(seed)
    sound = generator.normal(0, 0.1, (2, 40_000)).astype(np.float32)
    decisions = []
    for gain in (1e-3, 1.0, 8.0):
        statistics = ChannelStatistics(2)
        for start in range(0, 40_000, 8000):
            statistics.add(gain * sound[:, start : start + 8000], ALL.weights(2), RATE)
        decisions.append((statistics.sides(), statistics.cancels))
    assert len(set(decisions)) == 1


@pytest.mark.parametrize("times", [1, 5])
def test_a_stream_gives_its_sides_from_where_they_are_known(times: int) -> None:
    """At its end where it is short; else after some seconds, with what came before."""
    one, other = np.tile(ONE, times), 0.3 * np.tile(OTHER, times)
    data = columns(one, other)
    streams: dict[str, list[np.ndarray]] = {}
    for sound in decode_stream(lambda: open_bytes(io.BytesIO(data), "call"), "call"):
        heard = streams.setdefault(sound.channel, [])
        assert sound.start == sum(map(len, heard))  # the first half minute is kept
        heard.append(sound.samples)
    assert list(streams) == ["", "1", "2"]
    for channel, expected in (("", (one + other) / 2), ("1", one), ("2", other)):
        heard = np.concatenate(streams[channel])
        assert len(heard) == len(expected)
        assert likeness(heard, expected) > 0.9999


def test_sides_that_show_late_are_given_from_half_a_minute_before() -> None:
    """The same on both channels, then a call."""
    alike = np.tile(ONE, 2)
    one, other = np.tile(ONE, 16), np.tile(OTHER, 16)
    data = columns(np.concatenate([alike, one]), np.concatenate([alike, other]))
    came, first = 0, dict[str, tuple[float, float]]()
    for sound in decode_stream(lambda: open_bytes(io.BytesIO(data), "call"), "call"):
        if sound.channel:
            first.setdefault(sound.channel, (sound.start / RATE, came / RATE))
        else:
            came = sound.start + len(sound.samples)
    assert first["1"] == first["2"]
    start, known = first["1"]
    assert known - start == pytest.approx(30, abs=1.5)
    assert 10 < start < 150


def test_channels_that_are_alike_give_no_sides() -> None:
    data = columns(ONE, 0.5 * ONE)
    sounds = decode_stream(lambda: open_bytes(io.BytesIO(data), "stereo"), "stereo")
    assert {sound.channel for sound in sounds} == {""}
