"""What clips of cases suffer, with parameters drawn per clip.

A condition takes float32 samples (n,) of 16 kHz, peak 1, and gives float32 (m,) or, of two
channels, (m, 2), where m is n / pace. Ranges are the benchmark's own: nothing is trained on them.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import signal

from benchmarks.errors import BenchmarkError
from benchmarks.field.draws import Draws
from benchmarks.field.tools import RAW, sox, webrtc
from benchmarks.surroundings import Surroundings
from samaf.audio import SAMPLE_RATE
from samaf.training import distortions
from samaf.training.codecs import AMR_WB, SPEEX_NARROW, SPEEX_WIDE, burst_losses, transmitted
from samaf.training.distortions import change_speed, mix, normalised, reverberated

FORMAT = 1  # raise when what a condition does changes: answers of two kinds do not mix
PPM = 1e-6
NTSC, PAL = 29.97, 25.0  # frames a second
HEADROOM = 0.7  # of full scale, before what may overshoot

Applied = Callable[[np.ndarray, float, Draws, Surroundings], np.ndarray]


def _unhurried(_: Draws) -> float:
    return 1.0


@dataclass(frozen=True, slots=True)
class Condition:
    """One row of the table.

    Attributes
    ----------
    title
        What happened to the clip, with its ranges.
    apply
        Changes samples; takes the pace that was drawn before.
    pace
        Draws how many times as fast the clip runs as its recording.
    needs
        A key of ``tools.SOURCES``, or nothing.
    babble
        Whether other voices are mixed in: such clips stand apart in the means.
    """

    name: str
    title: str
    apply: Applied
    pace: Callable[[Draws], float] = _unhurried
    needs: str = ""
    babble: bool = False


def select(wanted: str) -> tuple[Condition, ...]:
    """Choose conditions: ``all``, or names with commas between.

    Raises
    ------
    BenchmarkError
        A name is not known.
    """
    if wanted == "all":
        return CONDITIONS
    names = {name.strip() for name in wanted.split(",") if name.strip()}
    known = [c.name for c in CONDITIONS]
    if not names or not names <= set(known):
        raise BenchmarkError(
            f"--conditions {wanted}: no such condition; choose all or some of {', '.join(known)}"
        )
    return tuple(c for c in CONDITIONS if c.name in names)


# Codecs and lines --------------------------------------------------------------------


def _clean(samples: np.ndarray, _: float, __: Draws, ___: Surroundings) -> np.ndarray:
    return samples


def _a_law(samples: np.ndarray, _: float, draws: Draws, __: Surroundings) -> np.ndarray:
    band = draws.between("low_hz", 200, 400), draws.between("high_hz", 3_000, 3_700)
    return transmitted(normalised(_band(samples, *band)), "g711-alaw", 64_000)


def _codec(name: str, bit_rates: Sequence[float]) -> Applied:
    """Change the speed where the pace says so, then encode."""

    def apply(samples: np.ndarray, pace: float, draws: Draws, _: Surroundings) -> np.ndarray:
        fast = samples if pace == 1 else normalised(change_speed(samples, pace))
        return transmitted(fast, name, int(draws.one_of("bit_rate", bit_rates)))

    return apply


def _speex(samples: np.ndarray, _: float, draws: Draws, __: Surroundings) -> np.ndarray:
    wide = draws.one_of("wide_band", (0, 1)) == 1
    name, bit_rates = ("speex-wide", SPEEX_WIDE) if wide else ("speex", SPEEX_NARROW)
    return transmitted(samples, name, int(draws.one_of("bit_rate", bit_rates[1:])))


def _lossy(name: str, low: int, high: int, losses: tuple[float, float]) -> Applied:
    """Encode, and lose packets in bursts that the receiver conceals."""

    def apply(samples: np.ndarray, _: float, draws: Draws, __: Surroundings) -> np.ndarray:
        share, burst = draws.between("loss", *losses), draws.between("burst", 1, 2.5)
        lost = burst_losses(len(samples) / SAMPLE_RATE, share, burst, draws.rng)
        return transmitted(samples, name, round(draws.between("bit_rate", low, high)), lost)

    return apply


# Sounds around, rooms, microphones ---------------------------------------------------


def _noise(samples: np.ndarray, _: float, draws: Draws, around: Surroundings) -> np.ndarray:
    return mix(samples, _some(around.noises, len(samples), draws), draws.between("snr_db", -3, 3))


def _music(samples: np.ndarray, _: float, draws: Draws, around: Surroundings) -> np.ndarray:
    return mix(samples, _some(around.music, len(samples), draws), draws.between("snr_db", -3, 3))


def _babble(samples: np.ndarray, _: float, draws: Draws, around: Surroundings) -> np.ndarray:
    voices = int(draws.one_of("voices", range(4, 9)))
    added = distortions.babble(around.voices, voices, len(samples), draws.rng)
    return mix(samples, added, draws.between("snr_db", -3, 3))


def _room(samples: np.ndarray, _: float, draws: Draws, around: Surroundings) -> np.ndarray:
    wet = _reverberated(samples, draws, around)
    return mix(wet, _some(around.noises, len(wet), draws), draws.between("snr_db", 3, 8))


def _distant(samples: np.ndarray, _: float, draws: Draws, around: Surroundings) -> np.ndarray:
    """A microphone across the room: the tail louder than the voice, high tones lost, noise."""
    direct = 10 ** (draws.between("direct_db", -12, -3) / 20)
    wet = _reverberated(samples, draws, around)
    wet = normalised(wet + direct * samples)
    cut = draws.between("high_hz", 3_500, 6_500)
    dull = signal.sosfilt(_sos(2, cut, "lowpass"), wet)
    noise = distortions.coloured_noise(len(samples), draws.rng)
    return mix(dull.astype(np.float32), noise, draws.between("snr_db", 8, 20))


def _played_back(samples: np.ndarray, _: float, draws: Draws, around: Surroundings) -> np.ndarray:
    """A loudspeaker in a room, recorded by a telephone with gain control, sent as AAC."""
    band = draws.between("low_hz", 200, 500), draws.between("high_hz", 5_000, 7_500)
    drive = draws.between("drive", 1, 4)
    played = np.tanh(drive * normalised(_band(samples, *band))) / np.tanh(drive)
    wet = _reverberated(played.astype(np.float32), draws, around)
    noisy = mix(wet, _some(around.noises, len(wet), draws), draws.between("snr_db", 10, 20))
    level = webrtc(
        normalised(noisy) * draws.between("level", 0.05, 0.5),
        round(draws.between("gain_db", 9, 24)),
        int(draws.one_of("suppression", (1, 2, 3))),
    )
    return transmitted(normalised(level), "aac", round(draws.between("bit_rate", 20e3, 32e3)))


def _webrtc(samples: np.ndarray, _: float, draws: Draws, around: Surroundings) -> np.ndarray:
    noise = _some(around.noises, len(samples), draws)
    noisy = mix(samples, noise, draws.between("snr_db", 5, 20))
    return webrtc(
        normalised(noisy) * draws.between("level", 0.05, 0.5),
        round(draws.between("gain_db", 6, 24)),
        int(draws.one_of("suppression", (1, 2, 3, 4))),
    )


def _denoised(samples: np.ndarray, _: float, draws: Draws, around: Surroundings) -> np.ndarray:
    """Noise, taken away again by a profile of it, as an analyst does with an editor."""
    noise = _some(around.noises, len(samples), draws)
    decibels = draws.between("snr_db", 3, 8)
    noisy = mix(samples, noise, decibels)
    scaled = noisy / np.abs(noisy).max() * HEADROOM
    profile = (noisy - samples) / np.abs(noisy).max() * HEADROOM
    amount = draws.between("amount", 0.15, 0.4)
    with tempfile.NamedTemporaryFile(suffix=".noise") as file:
        sox(profile, "-n", "noiseprof", file.name)
        return sox(scaled, *RAW, "-", "noisered", file.name, f"{amount:.3f}")


def _reverberated(samples: np.ndarray, draws: Draws, around: Surroundings) -> np.ndarray:
    room = int(draws.one_of("room", range(len(around.rooms))))
    return reverberated(samples, around.rooms[room])


def _some(sounds: Sequence[np.ndarray], count: int, draws: Draws) -> np.ndarray:
    return distortions.excerpt(sounds, count, draws.rng)


# Faults of recordings ----------------------------------------------------------------


def _clipped(samples: np.ndarray, _: float, draws: Draws, __: Surroundings) -> np.ndarray:
    gain = 10 ** (draws.between("over_db", 9, 15) / 20)
    hard = np.clip(normalised(samples) * gain, -1, 1).astype(np.float32)
    return transmitted(hard, "mp3", 16_000)


def _hum(samples: np.ndarray, _: float, draws: Draws, __: Surroundings) -> np.ndarray:
    mains = draws.one_of("mains_hz", (50, 60))
    t = np.arange(len(samples)) / SAMPLE_RATE
    hum = np.zeros(len(samples))
    for harmonic in range(1, 11):
        level = draws.rng.uniform(0.3, 1) / harmonic
        hum += level * np.sin(2 * np.pi * (mains * harmonic * t + draws.rng.random()))
    return mix(samples, hum.astype(np.float32), draws.between("snr_db", -5, 10))


def _offset(samples: np.ndarray, _: float, draws: Draws, __: Surroundings) -> np.ndarray:
    scaled = normalised(samples) * draws.between("level", 0.1, 0.5)
    return np.clip(scaled + draws.between("offset", 0.1, 0.6), -1, 1).astype(np.float32)


def _one_channel(samples: np.ndarray, _: float, draws: Draws, __: Surroundings) -> np.ndarray:
    """The voice in one channel, a line's noise in the other."""
    noise = distortions.coloured_noise(len(samples), draws.rng)
    level = 10 ** (draws.between("noise_db", -50, -15) / 20)
    other = normalised(noise) * np.float32(level)
    pair = [normalised(samples), other]
    return np.stack(pair if draws.one_of("channel", (0, 1)) == 0 else pair[::-1], axis=1)


# Time and pitch ----------------------------------------------------------------------


def _speed(samples: np.ndarray, pace: float, _: Draws, __: Surroundings) -> np.ndarray:
    return change_speed(samples, pace)


def _voice_message(samples: np.ndarray, pace: float, draws: Draws, _: Surroundings) -> np.ndarray:
    """An Opus voice message, played faster at its own pitch."""
    bit_rate = round(draws.between("bit_rate", 12e3, 24e3))
    message = transmitted(samples, "opus", bit_rate)
    return sox(message * HEADROOM, *RAW, "-", "tempo", "-s", f"{pace:.6f}")


def _disguised(
    samples: np.ndarray, _: float, draws: Draws, __: Surroundings, up: int
) -> np.ndarray:
    semitones = up * draws.between("semitones", 3, 5)
    return sox(samples * HEADROOM, *RAW, "-", "pitch", f"{100 * semitones:.0f}")


def _faster(low: float, high: float) -> Callable[[Draws], float]:
    return lambda draws: draws.between("pace", low, high)


def _frame_rates(draws: Draws) -> float:
    return draws.one_of("pace", (PAL / NTSC, NTSC / PAL))


def _drift(draws: Draws) -> float:
    sign = draws.one_of("sign", (-1, 1))
    return 1 + sign * PPM * draws.between("ppm", 50, 150)


# Tools -------------------------------------------------------------------------------


def _band(samples: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.asarray(signal.sosfilt(_sos(4, (low, high), "bandpass"), samples), np.float32)


def _sos(order: int, edge: float | tuple[float, float], kind: str) -> np.ndarray:
    return np.asarray(signal.butter(order, edge, kind, fs=SAMPLE_RATE, output="sos"))


def fits(condition: Condition, seconds: float, available: float, draws: Draws) -> float | None:
    """Draw a condition's pace; None where a clip of ``available`` s is too short for it."""
    pace = condition.pace(draws)
    return pace if math.ceil(seconds * pace * SAMPLE_RATE) + 2 <= available * SAMPLE_RATE else None


CONDITIONS = (
    Condition("Clean", "as it is (a clean cut)", _clean),
    Condition("ALaw", "telephone band, A-law", _a_law),
    Condition("AMR4.75", "AMR 4.75", _codec("amr", (4_750,))),
    Condition("Codec2", "codec2 3200", _codec("codec2", (3_200,)), needs="codec2"),
    Condition(
        "G723",
        "speed 1.01-1.05, then G.723.1",
        _codec("g723.1", (6_300,)),
        _faster(1.01, 1.05),
    ),
    Condition(
        "OpusLoss", "Opus 6-8k, 5-15 % of packets lost", _lossy("opus", 6_000, 8_000, (0.05, 0.15))
    ),
    Condition("Noise", "street and household noise, -3..3 dB", _noise),
    Condition("Music", "music, -3..3 dB", _music),
    Condition("Room", "room, noise 3-8 dB", _room),
    Condition(
        "PlayedBack",
        "loudspeaker, room, phone with gain control, AAC 20-32k",
        _played_back,
        needs="webrtc",
    ),
    Condition("Denoised", "noise 3-8 dB, denoised", _denoised, needs="sox"),
    Condition("Clipped", "clipped by 9-15 dB, MP3 16k", _clipped),
    Condition(
        "Message1.5",
        "voice message at 1.5x",
        _voice_message,
        lambda draws: draws.one_of("pace", (1.5,)),
        "sox",
    ),
    Condition(
        "Message2",
        "voice message at 2x",
        _voice_message,
        lambda draws: draws.one_of("pace", (2.0,)),
        "sox",
    ),
    Condition(
        "Slow",
        "speed 0.91-0.95, AMR 12.2",
        _codec("amr", (12_200,)),
        _faster(0.91, 0.95),
    ),
    Condition("Higher", "voice disguised, +3..5 semitones", partial(_disguised, up=1), needs="sox"),
    Condition("Lower", "voice disguised, -3..5 semitones", partial(_disguised, up=-1), needs="sox"),
    Condition(
        "PacketLoss",
        "mu-law, 3-20 % of packets lost and concealed",
        _lossy("g711-mulaw", 64_000, 64_000, (0.03, 0.2)),
    ),
    Condition("G722", "G.722 at 64k", _codec("g722", (64_000,))),
    Condition("Speex", "Speex 4-25k, narrow or wide", _speex, needs="speex"),
    Condition("AMRWB", "AMR-WB 6.6-14.25", _codec("amr-wb", AMR_WB[:4]), needs="amr-wb"),
    Condition("WebRTC", "noise 5-20 dB, WebRTC suppression and gain", _webrtc, needs="webrtc"),
    Condition("Distant", "distant microphone", _distant),
    Condition("Hum", "hum, -5..10 dB", _hum),
    Condition("Offset", "DC offset of 0.1-0.6 of full scale", _offset),
    Condition("OneChannel", "stereo, the voice in one channel", _one_channel),
    Condition("Video", "video at 29.97 against 25 frames a second", _speed, _frame_rates),
    Condition("Drift", "a clock 50-150 ppm off", _speed, _drift),
    Condition("Babble", "babble of 4-8 voices, -3..3 dB", _babble, babble=True),
)
