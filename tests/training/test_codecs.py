"""Codecs: length, alignment, damage and concealment."""

from __future__ import annotations

import numpy as np
import pytest

from samaf.training import codecs
from tests.training.training_data import RATE, babbling

SPEECH = babbling(2.0, 3)


def envelope(samples: np.ndarray) -> np.ndarray:
    """Mean power every 5 ms, without its mean."""
    power = np.square(samples.astype(np.float64)).reshape(-1, RATE // 200).mean(axis=1) ** 0.5
    return power - power.mean()


@pytest.mark.parametrize("name", codecs.available())
def test_codec_keeps_length_and_place(name: str) -> None:
    codec = codecs.CODECS[name]
    out = codecs.transmitted(SPEECH, name, codec.bit_rates[-1])
    assert out.shape == SPEECH.shape
    assert out.dtype == np.float32
    assert not np.array_equal(out, SPEECH)
    whole = np.correlate(envelope(out), envelope(SPEECH), "full")
    assert abs(int(whole.argmax()) - (len(envelope(SPEECH)) - 1)) <= 2  # 10 ms
    assert np.corrcoef(envelope(out), envelope(SPEECH))[0, 1] > 0.6


@pytest.mark.parametrize("name", ["amr", "opus", "g711-alaw", "g726"])
def test_lost_packets_change_only_what_follows_them(name: str) -> None:
    lost = np.zeros(100, bool)
    lost[60:63] = True
    rate = codecs.CODECS[name].bit_rates[0]
    with_loss = codecs.transmitted(SPEECH, name, rate, lost)
    without = codecs.transmitted(SPEECH, name, rate)
    first = np.flatnonzero(np.abs(with_loss - without) > 1e-3)[0] / RATE
    assert 1.15 < first < 1.27
    assert np.isfinite(with_loss).all()


def test_concealment_repeats_the_last_period_and_dies_away() -> None:
    tone = np.sin(2 * np.pi * 200 * np.arange(RATE) / RATE).astype(np.float32)
    lost = np.zeros(50, bool)
    lost[20:26] = True  # from 0.4 s to 0.52 s
    out = codecs.concealed(tone, lost)
    np.testing.assert_array_equal(out[:6400], tone[:6400])
    np.testing.assert_allclose(
        out[6400:6480], tone[6400:6480] * (1 - np.arange(80) / 960), atol=0.02
    )
    assert not out[7360:8320].any()  # 60 ms after the loss began
    np.testing.assert_array_equal(out[8320:], tone[8320:])


def test_nothing_to_repeat_gives_silence() -> None:
    lost = np.zeros(50, bool)
    lost[1:3] = True
    assert not codecs.concealed(np.ones(RATE, np.float32), lost)[320:960].any()


def test_losses_come_in_bursts_of_the_given_mean() -> None:
    lost = codecs.burst_losses(2000, 0.2, 4, np.random.default_rng(5))
    bursts = np.count_nonzero(np.diff(lost.astype(int)) == 1)
    assert abs(lost.mean() - 0.2) < 0.02
    assert abs(lost.sum() / bursts - 4) < 0.4
