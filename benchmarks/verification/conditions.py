"""What real clips suffer on their way, with the change of time and pitch that it brings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy import signal

from benchmarks.surroundings import Surroundings
from samaf.audio import SAMPLE_RATE
from samaf.records import IDENTITY, Manipulation
from samaf.training import distortions as d

Change = Callable[[np.ndarray, Surroundings, np.random.Generator], np.ndarray]


@dataclass(frozen=True, slots=True)
class Condition:
    """A change of an excerpt, and what it does to time and pitch."""

    name: str
    change: Change
    manipulation: Manipulation = IDENTITY

    def guess(self, rng: np.random.Generator, error: float) -> Manipulation:
        """Give the manipulation as a search finds it: each altered factor a little off."""
        tau, rho = self.manipulation.tau, self.manipulation.rho
        if tau == 1 and rho == 1:
            return IDENTITY
        first, second = np.exp(rng.uniform(-error, error, 2))
        return Manipulation(float(tau * first), float(rho * second))


def _speed(factor: float) -> Manipulation:
    return Manipulation(1 / factor, factor)


def _clean(samples: np.ndarray, _: Surroundings, __: np.random.Generator) -> np.ndarray:
    return samples


def _coded(
    encoder: str,
    container: str,
    rate: int,
    bit_rate: int,
    samples: np.ndarray,
    _: Surroundings,
    __: np.random.Generator,
) -> np.ndarray:
    return d.through_codec(d.normalised(samples), encoder, container, rate, bit_rate)


def _lossy_opus(samples: np.ndarray, _: Surroundings, rng: np.random.Generator) -> np.ndarray:
    """Opus at 6 kbit/s; every tenth packet of 20 ms never arrives and is concealed by silence."""
    coded = d.through_codec(d.normalised(samples), "libopus", "ogg", SAMPLE_RATE, 6_000)
    packet = SAMPLE_RATE // 50
    kept = rng.random(-(-len(coded) // packet)) >= 0.1
    return coded * np.repeat(kept, packet)[: len(coded)].astype(np.float32)


def _noise(
    decibels: float, samples: np.ndarray, around: Surroundings, rng: np.random.Generator
) -> np.ndarray:
    return d.mix(samples, d.excerpt(around.noises, len(samples), rng), decibels)


def _music(
    decibels: float, samples: np.ndarray, around: Surroundings, rng: np.random.Generator
) -> np.ndarray:
    return d.mix(samples, d.excerpt(around.music, len(samples), rng), decibels)


def _babble(samples: np.ndarray, around: Surroundings, rng: np.random.Generator) -> np.ndarray:
    return d.mix(samples, d.babble(around.voices, 6, len(samples), rng), 0)


def _room(samples: np.ndarray, around: Surroundings, rng: np.random.Generator) -> np.ndarray:
    wet = d.reverberated(samples, around.rooms[int(rng.integers(len(around.rooms)))])
    return _noise(5, wet, around, rng)


def _loudspeaker(samples: np.ndarray, around: Surroundings, rng: np.random.Generator) -> np.ndarray:
    """A small loudspeaker, a room, a telephone with gain control, AAC."""
    band = signal.butter(2, (350, 6_000), "bandpass", fs=SAMPLE_RATE, output="sos")
    played = np.tanh(2 * d.normalised(signal.sosfilt(band, samples))).astype(np.float32)
    wet = _noise(15, d.reverberated(played, d.drawn_room(rng)), around, rng)
    power = signal.lfilter([1 / 1600], [1, 1 / 1600 - 1], np.square(wet, dtype=np.float64))
    levelled = d.normalised((wet / np.sqrt(power + 1e-3)).astype(np.float32))
    return d.through_codec(levelled, "aac", "adts", SAMPLE_RATE, 24_000)


def _denoised(samples: np.ndarray, around: Surroundings, rng: np.random.Generator) -> np.ndarray:
    return filtered(_noise(5, samples, around, rng), "afftdn", "nr=20:nf=-25:tn=1")


def _clipped_mp3(samples: np.ndarray, _: Surroundings, __: np.random.Generator) -> np.ndarray:
    hard = np.clip(d.normalised(samples), -0.25, 0.25)  # 12 dB below the peak
    return d.through_codec(d.normalised(hard), "libmp3lame", "mp3", SAMPLE_RATE, 16_000)


def _sped(
    factor: float,
    then: Change,
    samples: np.ndarray,
    around: Surroundings,
    rng: np.random.Generator,
) -> np.ndarray:
    return then(d.change_speed(samples, factor), around, rng)


def _stretched(
    tempo: float, samples: np.ndarray, _: Surroundings, __: np.random.Generator
) -> np.ndarray:
    return filtered(samples, "atempo", str(tempo))


def _pitched(
    semitones: float, samples: np.ndarray, _: Surroundings, __: np.random.Generator
) -> np.ndarray:
    factor = 2 ** (semitones / 12)
    return filtered(d.change_speed(samples, factor), "atempo", str(1 / factor))


def filtered(samples: np.ndarray, name: str, arguments: str) -> np.ndarray:
    """Pass samples through one of FFmpeg's filters: float32 (n,) to float32 (m,)."""
    import av
    from av.filter import Graph

    graph: Any = Graph()
    source = graph.add_abuffer(
        format="flt", sample_rate=SAMPLE_RATE, layout="mono", time_base=f"1/{SAMPLE_RATE}"
    )
    graph.link_nodes(source, graph.add(name, arguments), graph.add("abuffersink")).configure()
    frame = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), "flt", "mono")
    frame.sample_rate, frame.pts = SAMPLE_RATE, 0
    graph.push(frame)
    graph.push(None)
    parts = []
    while True:
        try:
            parts.append(graph.pull().to_ndarray().reshape(-1))
        except (av.error.EOFError, av.error.BlockingIOError):
            return np.concatenate([np.empty(0, np.float32), *parts]).astype(np.float32)


_alaw = partial(_coded, "pcm_alaw", "wav", 8_000, 64_000)
_amr = partial(_coded, "libopencore_amrnb", "amr", 8_000)
_g723 = partial(_coded, "g723_1", "g723_1", 8_000, 6_300)

CONDITIONS: Sequence[Condition] = (
    Condition("clean", _clean),
    Condition("A-law", _alaw),
    Condition("AMR 4.75", partial(_amr, 4_750)),
    Condition("Opus 6k, 10 % lost", _lossy_opus),
    Condition("noise 10 dB", partial(_noise, 10)),
    Condition("noise 0 dB", partial(_noise, 0)),
    Condition("music 0 dB", partial(_music, 0)),
    Condition("babble 0 dB", _babble),
    Condition("room, noise 5 dB", _room),
    Condition("loudspeaker, room, AAC", _loudspeaker),
    Condition("noise 5 dB, denoised", _denoised),
    Condition("clipped, MP3 16k", _clipped_mp3),
    Condition("speed 0.93, AMR 12.2", partial(_sped, 0.93, partial(_amr, 12_200)), _speed(0.93)),
    Condition("speed 1.03, G.723.1", partial(_sped, 1.03, _g723), _speed(1.03)),
    Condition("tempo 1.5", partial(_stretched, 1.5), Manipulation(1 / 1.5)),
    Condition("tempo 2", partial(_stretched, 2), Manipulation(1 / 2)),
    Condition("pitch +4 st", partial(_pitched, 4), Manipulation(1, 2 ** (4 / 12))),
    Condition("pitch -4 st", partial(_pitched, -4), Manipulation(1, 2 ** (-4 / 12))),
)
