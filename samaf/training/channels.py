"""What stands between a voice and a file: loudspeakers, microphones, gain control, denoisers.

Each function takes samples (float32 (n,), 16 kHz, peak about 1) and a random generator,
draws its parameters from wide continuous ranges, and gives samples of the same length.
"""

from __future__ import annotations

import numpy as np
from scipy import signal

from samaf.audio import SAMPLE_RATE

Generator = np.random.Generator
DENOISER_WINDOW = 512  # samples, 32 ms
DENOISER_HOP = 128


def log_uniform(rng: Generator, low: float, high: float) -> float:
    """Draw a positive number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def loudspeaker(samples: np.ndarray, rng: Generator) -> np.ndarray:
    """Play through a small loudspeaker: no bass, resonances, soft saturation."""
    low = log_uniform(rng, 100, 700)
    out = _filtered(samples, "highpass", low, int(rng.integers(1, 5)))
    out = _filtered(out, "lowpass", log_uniform(rng, 3_000, 7_800), int(rng.integers(1, 4)))
    for _ in range(int(rng.integers(0, 4))):
        out = _peaking(out, log_uniform(rng, 300, 6_000), rng.uniform(1, 6), rng.uniform(-8, 8))
    drive = log_uniform(rng, 0.3, 4) / (np.abs(out).max() + 1e-9)
    return np.tanh(drive * out).astype(np.float32)


def microphone(samples: np.ndarray, rng: Generator) -> np.ndarray:
    """Record with a small microphone: band limits, a tilt, noise of its own."""
    out = _filtered(samples, "highpass", log_uniform(rng, 40, 350), int(rng.integers(1, 3)))
    out = _filtered(out, "lowpass", log_uniform(rng, 3_300, 7_900), int(rng.integers(1, 4)))
    out = signal.lfilter([1, rng.uniform(-0.6, 0.6)], [1], out)
    level = np.sqrt(np.mean(out**2)) * 10 ** (-rng.uniform(15, 50) / 20)
    return (out + level * rng.standard_normal(len(out))).astype(np.float32)


def gain_control(samples: np.ndarray, rng: Generator) -> np.ndarray:
    """Level automatically: fast attack, slow release, limited gain."""
    block = 80  # 5 ms: gains change no faster
    padded = np.pad(samples, (0, -len(samples) % block)).astype(np.float64)
    power = (padded.reshape(-1, block) ** 2).mean(axis=1)
    attack = np.exp(-0.005 / log_uniform(rng, 0.003, 0.1))
    release = np.exp(-0.005 / log_uniform(rng, 0.05, 2))
    level, levels = power[:40].mean(), np.empty(len(power))
    for i, now in enumerate(power):
        weight = attack if now > level else release
        level = weight * level + (1 - weight) * now
        levels[i] = level
    most = 10 ** (rng.uniform(10, 35) / 20)
    gain = np.minimum((np.sqrt(levels) + 1e-4) ** -rng.uniform(0.4, 1.0), most)
    places = np.arange(len(gain)) * block
    return (samples * np.interp(np.arange(len(samples)), places, gain)).astype(np.float32)


def denoised(samples: np.ndarray, rng: Generator) -> np.ndarray:
    """Suppress noise by spectral subtraction (Boll 1979) or a Wiener filter (Ephraim 1984).

    The noise spectrum is a low quantile over time of each bin; what is left of a bin has a
    floor. Strong settings leave musical tones and eat weak speech, as such programs do.
    """
    window = np.hanning(DENOISER_WINDOW + 1)[:-1].astype(np.float32)
    overlap = DENOISER_WINDOW - DENOISER_HOP
    _, _, spectrum = signal.stft(
        samples, window=window, nperseg=DENOISER_WINDOW, noverlap=overlap, padded=True
    )
    power = np.abs(spectrum) ** 2
    noise = np.quantile(power, rng.uniform(0.05, 0.35), axis=1, keepdims=True)
    noise = rng.uniform(1, 4) * noise + 1e-12
    floor = 10 ** (-rng.uniform(6, 30) / 20)
    if rng.random() < 0.5:
        gain = np.sqrt(np.maximum(1 - noise / np.maximum(power, 1e-12), 0))
    else:
        gain = _wiener(power / noise, rng.uniform(0.8, 0.99))
    _, clean = signal.istft(
        spectrum * np.maximum(gain, floor),
        window=window,
        nperseg=DENOISER_WINDOW,
        noverlap=overlap,
    )
    return np.resize(clean, len(samples)).astype(np.float32)


def _wiener(posterior: np.ndarray, memory: float) -> np.ndarray:
    """Compute gains from ratios of power to noise by the decision-directed rule."""
    gains = np.empty_like(posterior)
    before = np.ones(len(posterior), posterior.dtype)
    for frame in range(posterior.shape[1]):
        prior = memory * before + (1 - memory) * np.maximum(posterior[:, frame] - 1, 0)
        gains[:, frame] = prior / (1 + prior)
        before = gains[:, frame] ** 2 * posterior[:, frame]
    return gains


def hum(samples: np.ndarray, rng: Generator) -> np.ndarray:
    """Add mains hum with harmonics, rumble or an offset, -30 to 0 dB against the speech."""
    kind = rng.integers(3)
    t = np.arange(len(samples)) / SAMPLE_RATE
    if kind == 0:
        mains = rng.uniform(49.5, 60.5)
        added = sum(
            rng.uniform(0, 1) / k * np.sin(2 * np.pi * (k * mains * t + rng.random()))
            for k in range(1, int(rng.integers(2, 14)))
        )
    elif kind == 1:
        noise = rng.standard_normal(len(samples))
        added = _filtered(noise, "lowpass", log_uniform(rng, 20, 200), 2)
    else:
        added = np.ones(len(samples))
    added = np.asarray(added) / (np.sqrt(np.mean(np.square(added))) + 1e-9)
    level = np.sqrt(np.mean(np.square(samples, dtype=np.float64)))
    return (samples + level * 10 ** (-rng.uniform(0, 30) / 20) * added).astype(np.float32)


def clipped(samples: np.ndarray, rng: Generator) -> np.ndarray:
    """Cut peaks off, at 0.4 to 3 times the effective value; sometimes of one sign only."""
    limit = np.sqrt(np.mean(np.square(samples, dtype=np.float64))) * log_uniform(rng, 0.4, 3)
    low = -limit if rng.random() < 0.8 else -np.inf
    return np.clip(samples, low, limit).astype(np.float32)


def _filtered(samples: np.ndarray, kind: str, hertz: float, order: int) -> np.ndarray:
    sos = signal.butter(order, hertz, kind, fs=SAMPLE_RATE, output="sos")
    return np.asarray(signal.sosfilt(sos, samples))


def _peaking(samples: np.ndarray, hertz: float, quality: float, decibels: float) -> np.ndarray:
    """Raise or lower a band by a second-order section (RBJ's Audio EQ Cookbook)."""
    a = 10 ** (decibels / 40)
    w = 2 * np.pi * hertz / SAMPLE_RATE
    alpha = np.sin(w) / (2 * quality)
    b = [1 + alpha * a, -2 * np.cos(w), 1 - alpha * a]
    return np.asarray(signal.lfilter(b, [1 + alpha / a, -2 * np.cos(w), 1 - alpha / a], samples))
