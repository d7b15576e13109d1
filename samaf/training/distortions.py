"""What clips suffer, with random strength: noise, rooms, filters, codecs, lines, tempo.

Each distortion is a function of samples (float32 (n,), 16 kHz, peak about 1) and a
random generator and gives samples of the same length. What changes time or pitch is
drawn as a factor; ``distort`` applies it. Ranges are wide and continuous, so that no
value of a test is picked out.
"""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import signal

from samaf.audio import SAMPLE_RATE
from samaf.training import channels, codecs

Generator = np.random.Generator
Link = Callable[[np.ndarray], np.ndarray]
SPEED = np.log(1.3)  # half-width of the ranges of log factors
PITCH = np.log(1.5)
TEMPO = np.log(1.65)


@dataclass(frozen=True, slots=True)
class DistortionSounds:
    """Sounds of one split to distort with, each float32 (n,), peak 1."""

    speech: Sequence[np.ndarray]
    music: Sequence[np.ndarray]
    noise: Sequence[np.ndarray]
    rooms: Sequence[np.ndarray]


@dataclass(frozen=True, slots=True)
class Distorted:
    """A distorted copy.

    The moment t of the original went to t x ``tau``. ``samples`` hold everything but
    the change of tempo: that is left to the features, which take their frames
    ``step`` times as far apart.
    """

    samples: np.ndarray
    tau: float
    step: float


def distort(samples: np.ndarray, rng: Generator, sounds: DistortionSounds) -> Distorted:
    """Lay a random chain of distortions over a clip.

    One copy in three was played by a loudspeaker into a room and recorded there; one in three
    went through noise, perhaps a denoiser, and a line; one in three suffered one to four
    distortions in any order. In half of them speed, pitch or tempo changed, too: before the
    chain, or after it.
    """
    chain = (_replayed, _called, _mixed)[int(rng.integers(3))](rng, sounds)
    changed = not chain or rng.random() < 0.5
    speed, step = time_and_pitch(rng) if changed else (1.0, 1.0)
    first = rng.random() < 0.5
    out = change_speed(samples, speed) if speed != 1 and first else samples
    for link in chain:
        out = normalised(link(out))
    if speed != 1 and not first:
        out = change_speed(out, speed)
    return Distorted(out, 1 / (speed * step), step)


def _some(rng: Generator, *links: tuple[float, Link]) -> list[Link]:
    """Take each link with its probability, in the given order."""
    return [link for share, link in links if rng.random() < share]


def _replayed(rng: Generator, sounds: DistortionSounds) -> list[Link]:
    """A loudspeaker, a room, a microphone, gain control, a codec."""
    return _some(
        rng,
        (0.75, lambda x: channels.loudspeaker(x, rng)),
        (0.9, lambda x: room(x, rng, sounds.rooms)),
        (0.5, lambda x: background(x, rng, sounds)),
        (0.7, lambda x: channels.microphone(x, rng)),
        (0.5, lambda x: channels.gain_control(x, rng)),
        (0.15, lambda x: channels.clipped(x, rng)),
        (0.5, lambda x: codec(x, rng)),
    )


def _called(rng: Generator, sounds: DistortionSounds) -> list[Link]:
    """Noise, a microphone, a denoiser, gain control, one codec or two in a row."""
    return _some(
        rng,
        (0.15, lambda x: channels.hum(x, rng)),
        (0.6, lambda x: background(x, rng, sounds)),
        (0.3, lambda x: channels.microphone(x, rng)),
        (0.35, lambda x: channels.denoised(x, rng)),
        (0.25, lambda x: channels.gain_control(x, rng)),
        (0.2, lambda x: channels.clipped(x, rng)),
        (0.75, lambda x: codec(x, rng)),
        (0.15, lambda x: codec(x, rng)),
    )


def _mixed(rng: Generator, sounds: DistortionSounds) -> list[Link]:
    """Anything in any order, at most four."""
    chain = _some(
        rng,
        (0.6, lambda x: background(x, rng, sounds)),
        (0.3, lambda x: room(x, rng, sounds.rooms)),
        (0.2, lambda x: echo(x, rng)),
        (0.35, lambda x: equaliser(x, rng)),
        (0.15, lambda x: line(x, rng)),
        (0.1, lambda x: channels.hum(x, rng)),
        (0.15, lambda x: codec(x, rng)),
    )
    return [chain[i] for i in rng.permutation(len(chain))[:4]]


def time_and_pitch(rng: Generator) -> tuple[float, float]:
    """Draw a speed factor and a further step factor that undoes or adds tempo."""
    kind = rng.integers(4)
    if kind == 0:  # a tape or a clock that runs off
        return float(np.exp(rng.uniform(-SPEED, SPEED))), 1.0
    if kind == 1:  # pitch: speed, with its duration brought back
        speed = float(np.exp(rng.uniform(-PITCH, PITCH)))
        return speed, 1 / speed
    if kind == 2:
        return 1.0, float(np.exp(rng.uniform(-TEMPO, TEMPO)))
    return float(np.exp(rng.uniform(-0.1, 0.1))), float(np.exp(rng.uniform(-0.2, 0.2)))


def change_speed(samples: np.ndarray, speed: float) -> np.ndarray:
    """Play ``speed`` times as fast: shorter and higher, resampled with a low-pass."""
    count = max(1, round(len(samples) / speed))
    padded = np.pad(samples, (0, SAMPLE_RATE))  # resampling is circular; keep the ends apart
    padded_count = round(len(padded) / speed)
    good = signal.resample(padded, padded_count)[:count]
    return np.asarray(good, np.float32)


def normalised(samples: np.ndarray) -> np.ndarray:
    """Scale to peak 1 (SAMAF eq. 1); digital silence stays as it is."""
    peak = np.abs(samples).max(initial=0)
    return np.asarray(samples / peak if peak else samples, np.float32)


# Background -------------------------------------------------------------------------


def background(samples: np.ndarray, rng: Generator, sounds: DistortionSounds) -> np.ndarray:
    """Add babble, music, recorded or coloured noise at -5 to 25 dB."""
    kind = rng.choice(4, p=[0.35, 0.2, 0.25, 0.2])
    if kind == 0 and sounds.speech:
        added = babble(sounds.speech, int(rng.integers(1, 9)), len(samples), rng)
    elif kind == 1 and sounds.music:
        added = excerpt(sounds.music, len(samples), rng)
    elif kind == 2 and sounds.noise:
        added = excerpt(sounds.noise, len(samples), rng)
    else:
        added = coloured_noise(len(samples), rng)
    return mix(samples, added, float(rng.uniform(-5, 25)))


def babble(speech: Sequence[np.ndarray], voices: int, count: int, rng: Generator) -> np.ndarray:
    """Let several voices talk at once, equally loud; float32 (count,)."""
    layers = [excerpt(speech, count, rng) for _ in range(voices)]
    return np.asarray(sum(x / (_rms(x) + 1e-9) for x in layers), np.float32)


def mix(samples: np.ndarray, added: np.ndarray, decibels: float) -> np.ndarray:
    """Add a sound so that speech / sound is ``decibels`` in mean power."""
    gain = _rms(samples) / (_rms(added) + 1e-9) * 10 ** (-decibels / 20)
    return (samples + np.float32(gain) * added).astype(np.float32)


def coloured_noise(count: int, rng: Generator) -> np.ndarray:
    """Draw noise whose power falls by 0 to 9 dB an octave, or rises by up to 3."""
    spectrum = np.fft.rfft(rng.standard_normal(count).astype(np.float32))
    frequencies = np.maximum(np.fft.rfftfreq(count, 1 / SAMPLE_RATE), 30.0)
    slope = rng.uniform(-0.5, 1.5)
    return np.fft.irfft(spectrum * frequencies**-slope, count).astype(np.float32)


def excerpt(sounds: Sequence[np.ndarray], count: int, rng: Generator) -> np.ndarray:
    """Cut ``count`` samples anywhere out of one of the sounds, repeated as needed."""
    sound = sounds[int(rng.integers(len(sounds)))]
    start = int(rng.integers(len(sound)))
    return np.resize(np.roll(sound, -start), count)


def _rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


# Rooms and echoes -------------------------------------------------------------------


def room(samples: np.ndarray, rng: Generator, rooms: Sequence[np.ndarray]) -> np.ndarray:
    """Convolve with a measured or a drawn impulse response, dry sound mixed in."""
    measured = len(rooms) > 0 and rng.random() < 0.5
    response = rooms[int(rng.integers(len(rooms)))] if measured else drawn_room(rng)
    wet = reverberated(samples, response)
    dry = rng.uniform(0, 0.6) if rng.random() < 0.6 else 0.0
    return (dry * samples + (1 - dry) * wet).astype(np.float32)


def reverberated(samples: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Convolve with an impulse response; same length, peak 1."""
    return normalised(signal.oaconvolve(samples, response)[: len(samples)])


def drawn_room(rng: Generator) -> np.ndarray:
    """Draw a response: direct sound, then noise that decays by 60 dB in 0.15-2.5 s."""
    decay = float(np.exp(rng.uniform(np.log(0.15), np.log(2.5))))
    t = np.arange(int(decay * SAMPLE_RATE)) / SAMPLE_RATE
    tail = rng.standard_normal(len(t)) * 10 ** (-3 * t / decay)
    tail = signal.lfilter([1], [1, -rng.uniform(0, 0.8)], tail)  # high tones die first
    late = int(rng.uniform(0.001, 0.03) * SAMPLE_RATE)
    response = np.concatenate([np.zeros(late), tail])
    response *= 10 ** (rng.uniform(-12, 3) / 20) / np.sqrt(np.sum(response**2))
    response[0] = 1
    return response.astype(np.float32)


def echo(samples: np.ndarray, rng: Generator) -> np.ndarray:
    """Add one to three copies, 0.03-1.6 s late and 0.15-0.85 times as loud."""
    out = samples.copy()
    for _ in range(int(rng.integers(1, 4)) if rng.random() < 0.4 else 1):
        late = int(rng.uniform(0.03, 1.6) * SAMPLE_RATE)
        loudness = np.float32(rng.uniform(0.15, 0.85))
        if late < len(samples):  # else it comes after the clip's end
            out[late:] += loudness * samples[: len(samples) - late]
    return out


# Filters, lines, codecs -------------------------------------------------------------


def equaliser(samples: np.ndarray, rng: Generator) -> np.ndarray:
    """Apply a low-, high- or band-pass, a telephone band, or a tilt."""
    kind = rng.integers(5)
    order = int(rng.integers(1, 5))
    low = float(np.exp(rng.uniform(np.log(80), np.log(1500))))
    high = float(np.exp(rng.uniform(np.log(1500), np.log(7000))))
    if kind == 0:
        sos = signal.butter(order, low, "highpass", fs=SAMPLE_RATE, output="sos")
    elif kind == 1:
        sos = signal.butter(order, high, "lowpass", fs=SAMPLE_RATE, output="sos")
    elif kind == 2:
        band = (low, max(high, 2 * low))
        sos = signal.butter(order, band, "bandpass", fs=SAMPLE_RATE, output="sos")
    elif kind == 3:
        band = (rng.uniform(200, 400), rng.uniform(2600, 3800))
        sos = signal.butter(order + 1, band, "bandpass", fs=SAMPLE_RATE, output="sos")
    else:
        tilt = rng.uniform(-0.9, 0.9)
        return signal.lfilter([1, tilt], [1], samples).astype(np.float32)
    return signal.sosfilt(sos, samples).astype(np.float32)


def line(samples: np.ndarray, rng: Generator) -> np.ndarray:
    """Clip, compress, level automatically, or lose packets without concealment."""
    kind = rng.integers(4)
    if kind == 0:
        return channels.clipped(samples, rng)
    if kind == 1:
        return (np.sign(samples) * np.abs(samples) ** rng.uniform(0.4, 0.9)).astype(np.float32)
    if kind == 2:
        return channels.gain_control(samples, rng)
    packet = int(rng.uniform(0.02, 0.06) * SAMPLE_RATE)
    count = -(-len(samples) // packet)
    lost = rng.random(count) < rng.uniform(0.02, 0.2)
    return samples * ~np.repeat(lost, packet)[: len(samples)]


def codec(samples: np.ndarray, rng: Generator) -> np.ndarray:
    """Send through any codec that this machine has; two times in five packets get lost."""
    names = codecs.available()
    name = names[int(rng.integers(len(names)))]
    kind = codecs.CODECS[name]
    low, high = kind.bit_rates[0], kind.bit_rates[-1]
    rate = channels.log_uniform(rng, low, high) if kind.continuous else rng.choice(kind.bit_rates)
    lost = None
    if rng.random() < 0.4:
        share = channels.log_uniform(rng, 0.01, 0.25)
        seconds = len(samples) / SAMPLE_RATE
        lost = codecs.burst_losses(seconds, share, rng.uniform(1, 4), rng)
    return codecs.transmitted(samples, name, int(rate), lost)


def g711(samples: np.ndarray) -> np.ndarray:
    """Pass through 8 kHz and 8-bit mu-law."""
    narrow = signal.resample_poly(samples, 1, 2)
    level = np.log1p(255 * np.abs(np.clip(narrow, -1, 1))) / np.log(256)
    level = np.rint(level * 127) / 127
    narrow = np.sign(narrow) * np.expm1(level * np.log(256)) / 255
    return _fitted(signal.resample_poly(narrow, 2, 1), len(samples))


def gsm(samples: np.ndarray) -> np.ndarray:
    """Pass through GSM 06.10 at 8 kHz, by SoX."""
    raw = ["-t", "raw", "-r", str(SAMPLE_RATE), "-e", "float", "-b", "32", "-c", "1", "-"]
    squeeze = ["sox", "-R", "-v", "0.7", *raw, "-t", "gsm", "-r", "8000", "-"]
    expand = ["sox", "-R", "-t", "gsm", "-r", "8000", "-c", "1", "-", *raw]
    coded = subprocess.run(squeeze, input=samples.tobytes(), capture_output=True, check=True)
    decoded = subprocess.run(expand, input=coded.stdout, capture_output=True, check=True)
    return _fitted(np.frombuffer(decoded.stdout, np.float32), len(samples))


def through_codec(
    samples: np.ndarray, encoder: str, container: str, rate: int, bit_rate: int
) -> np.ndarray:
    """Encode and decode in memory with FFmpeg; same length, level about kept."""
    import av

    memory = io.BytesIO()
    narrow = signal.resample_poly(samples, rate, SAMPLE_RATE) if rate != SAMPLE_RATE else samples
    pcm = (np.clip(narrow, -1, 1) * 32767).astype(np.int16)[None]
    with av.open(memory, "w", format=container) as out:
        stream: Any = out.add_stream(encoder, rate=rate, layout="mono")
        stream.bit_rate = bit_rate
        frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
        frame.sample_rate = rate
        convert = av.AudioResampler(stream.format, "mono", rate, stream.frame_size or None)
        for part in (*convert.resample(frame), *convert.resample(None)):
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    memory.seek(0)
    back = av.AudioResampler("flt", "mono", SAMPLE_RATE)
    with av.open(memory, "r", format=container) as coded:
        parts = [p.to_ndarray()[0] for f in coded.decode(audio=0) for p in back.resample(f)]
        parts += [p.to_ndarray()[0] for p in back.resample(None)]
    return _fitted(np.concatenate(parts), len(samples))


def _fitted(samples: np.ndarray, count: int) -> np.ndarray:
    """Cut or pad with zeros to ``count`` samples."""
    cut = samples[:count].astype(np.float32)
    return np.pad(cut, (0, count - len(cut)))
