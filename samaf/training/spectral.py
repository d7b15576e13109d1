"""Distortions in the mel spectrum, drawn again for every batch.

Prepared copies are few and their voices fewer. Frames with as many coefficients as bands can
be turned back into band powers; there a voice becomes another one, and further sounds, echoes
and rooms are laid over a copy at the cost of some array arithmetic. Powers of different sounds
are added as if they were uncorrelated.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import log

import numpy as np

from samaf.features import FeatureParameters
from samaf.features.mfcc import liftered_dct

CONTEXT_FRAMES = 60  # context before a block: what its echoes and its room repeat
SHARE = 0.5  # of pairs that get another voice, and of copies that get each distortion below
BACKWARDS = 0.2  # of pairs that run backwards
SPLICED = 0.35  # of pairs that go on as another pair from a frame on
SPLICE_FRAMES = (20, 80)  # where
VOICE_TIME, VOICE_FREQUENCY = 0.22, 0.13  # largest log factor of a voice's pace and spectrum
MOVED = 0.35  # of copies whose tempo, pitch or speed is changed
TIME, FREQUENCY = 0.5, 0.3  # largest log factor of that
STEP = VOICE_FREQUENCY / 8  # of the grid of log frequency factors
VOICES = 2 * round((VOICE_FREQUENCY + FREQUENCY) / STEP) + 1  # steps of it
SNR_DB = (-3.0, 22.0)
SOUNDS = 4  # mixed into one background at most
ECHO_DB, ECHO_FRAMES = (-20.0, 0.0), (3, CONTEXT_FRAMES)
ROOM_DB, ROOM_SECONDS = (-12.0, 5.0), (0.15, 1.3)


def powers(frames: np.ndarray, parameters: FeatureParameters) -> np.ndarray:
    """Turn frames back into band powers.

    Parameters
    ----------
    frames
        float32 (..., mel_bands): MFCCs with as many coefficients as bands, the first one
        being the logarithm of the frame's energy.

    Returns
    -------
    float32 (..., mel_bands); triangular bands share the spectrum out, so that they add up
    to the frame's energy.
    """
    deviation = frames[..., 1:] @ _inverse_dct(parameters)[1:]
    power = np.exp(deviation)
    return power * (np.exp(frames[..., :1]) / power.sum(axis=-1, keepdims=True))


def cepstra(power: np.ndarray, parameters: FeatureParameters) -> np.ndarray:
    """Turn band powers into frames of ``parameters.coefficients``: the way of `powers`, back."""
    floored = np.maximum(power, parameters.floor)
    frames = np.log(floored) @ liftered_dct(parameters)
    frames[..., 0] = np.log(floored.sum(axis=-1))
    return frames


@lru_cache(maxsize=4)
def _inverse_dct(parameters: FeatureParameters) -> np.ndarray:
    forward = liftered_dct(parameters).astype(np.float64)
    return np.linalg.inv(forward).astype(np.float32)


@lru_cache(maxsize=4)
def voices(parameters: FeatureParameters) -> np.ndarray:
    """Build maps of log band powers to those of a voice with another vocal tract.

    float32 (53, mel_bands, mel_bands): frequencies are multiplied by factors from
    exp(-0.42) to exp(0.42), 1 in the middle; beyond the last band, its value is repeated.
    """
    bands = np.arange(parameters.mel_bands)
    top = _mel(parameters.high_hz)
    hertz = 700 * (10 ** ((bands + 1) / (parameters.mel_bands + 1) * top / 2595) - 1)
    maps = np.zeros((VOICES, parameters.mel_bands, parameters.mel_bands), np.float32)
    factors = np.exp(STEP * (np.arange(VOICES) - VOICES // 2))
    for chart, factor in zip(maps, factors, strict=True):
        at = _mel(hertz * factor) / top * (parameters.mel_bands + 1) - 1
        at = np.clip(at, 0, parameters.mel_bands - 1)
        low = np.minimum(at.astype(int), parameters.mel_bands - 2)
        chart[low, bands] = 1 - (at - low)
        chart[low + 1, bands] = at - low
    return maps


def _mel(hertz: np.ndarray | float) -> np.ndarray:
    return np.asarray(2595 * np.log10(1 + np.asarray(hertz) / 700))


def with_voice(power: np.ndarray, voice: np.ndarray, parameters: FeatureParameters) -> np.ndarray:
    """Give each block of band powers (n, frames, bands) the voice of that number (n,)."""
    changed = power.copy()
    for number in np.unique(voice):
        if number != VOICES // 2:
            own = voice == number
            logs = np.log(np.maximum(power[own], parameters.floor))
            changed[own] = np.exp(logs @ voices(parameters)[number])
    return changed


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """What is drawn for each pair, arrays (n,).

    ``pace``, ``voice`` and the splice belong to original and copy alike; the rest to the
    copy: levels are powers relative to the copy's, 0 where there is no such distortion.
    ``tau`` is the time factor from original to copy, NaN where the prepared copy's is kept, and
    ``shift`` is added to the number of the copy's voice.
    ``sounds`` counts what the background is mixed from. A negative ``pace`` runs backwards.
    From frame ``cut`` on, each pair in the ring ``spliced``, int (m,), goes on as the next one
    in it.
    """

    pace: np.ndarray
    voice: np.ndarray
    tau: np.ndarray
    shift: np.ndarray
    background: np.ndarray
    sounds: np.ndarray
    echo: np.ndarray
    delay: np.ndarray
    room: np.ndarray
    decay: np.ndarray
    spliced: np.ndarray
    cut: int


def draw(count: int, rng: np.random.Generator) -> Draw:
    """Draw the distortions of ``count`` pairs."""

    def level(decibels: tuple[float, float]) -> np.ndarray:
        drawn = 10 ** (rng.uniform(*decibels, count) / 10)
        return np.where(rng.random(count) < SHARE, drawn, 0).astype(np.float32)

    other = rng.random(count) < SHARE
    pace = np.exp(rng.uniform(-VOICE_TIME, VOICE_TIME, count))
    half = round(VOICE_FREQUENCY / STEP)
    voice = VOICES // 2 + rng.integers(-half, half + 1, count)
    tau, shift = _moved(count, rng)
    background = level((-SNR_DB[1], -SNR_DB[0]))
    echo, delay = level(ECHO_DB), rng.integers(*ECHO_FRAMES, count)
    room = level(ROOM_DB)
    seconds = np.exp(rng.uniform(log(ROOM_SECONDS[0]), log(ROOM_SECONDS[1]), count))
    # An echo and a room at once would leave little of most copies.
    room = np.where(echo > 0, 0, room).astype(np.float32)
    backwards = np.where(rng.random(count) < BACKWARDS, -1, 1)
    spliced = rng.permutation(np.flatnonzero(rng.random(count) < SPLICED))
    return Draw(
        backwards * np.where(other, pace, 1.0),
        np.where(other, voice, VOICES // 2),
        tau,
        shift,
        background,
        np.where(background > 0, rng.integers(1, SOUNDS + 1, count), 0),
        echo,
        delay,
        room,
        (10 ** (-6 * 0.01 / seconds)).astype(np.float32),
        spliced,
        int(rng.integers(*SPLICE_FRAMES)),
    )


def _moved(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw the time factors and frequency steps of copies: tempo, pitch or speed changes."""
    time, frequency = rng.uniform(-TIME, TIME, count), rng.uniform(-FREQUENCY, FREQUENCY, count)
    kind = np.where(rng.random(count) < MOVED, rng.integers(3, size=count), 3)
    # Tempo; pitch, which keeps the time; speed: what reads at 1.1 f is lower and 1.1 times as long.
    log_tau = np.select([kind == 0, kind == 1, kind == 2], [time, np.nan, frequency], np.nan)
    shift = np.where((kind == 1) | (kind == 2), np.rint(frequency / STEP), 0)
    return np.exp(log_tau), shift.astype(np.int64)


def splice(originals: np.ndarray, copies: np.ndarray, drawn: Draw) -> None:
    """Let pairs go on as others, in place: speech that nobody said, but could have.

    Parameters
    ----------
    originals, copies
        (n, frames, bands) and (n, context + frames, bands). What follows the cut is brought
        to the level of the original that it follows, by the same factor in both.
    """
    these, others = drawn.spliced, np.roll(drawn.spliced, -1)
    means = originals.mean(axis=(1, 2)) + np.finfo(np.float32).tiny
    gain = np.clip(means[these] / means[others], 1e-3, 1e3)[:, None, None]
    for power, frame in ((originals, drawn.cut), (copies, CONTEXT_FRAMES + drawn.cut)):
        power[these, frame:] = power[others, frame:] * gain


def distorted(power: np.ndarray, sounds: np.ndarray, drawn: Draw) -> np.ndarray:
    """Lay echo or room, then a background over copies.

    Parameters
    ----------
    power
        (n, context + frames, bands): each copy with its context before it.
    sounds
        (n, frames, bands): backgrounds, at any level.

    Returns
    -------
    (n, frames, bands), without the context.
    """
    power = _in_rooms(_echoed(power, drawn), drawn)[:, CONTEXT_FRAMES:]
    own = power.mean(axis=(1, 2))
    theirs = np.maximum(sounds.mean(axis=(1, 2)), np.finfo(np.float32).tiny)
    return np.asarray(power + sounds * (drawn.background * own / theirs)[:, None, None])


def _echoed(power: np.ndarray, drawn: Draw) -> np.ndarray:
    echoed = power.copy()
    for n in np.flatnonzero(drawn.echo):
        delay = drawn.delay[n]
        echoed[n, delay:] += drawn.echo[n] * power[n, :-delay]
    return echoed


def _in_rooms(power: np.ndarray, drawn: Draw) -> np.ndarray:
    """Add an exponential tail whose power is ``room`` times that of the direct sound."""
    chosen = np.flatnonzero(drawn.room)
    decay = drawn.decay[chosen, None]
    gain = drawn.room[chosen, None] * (1 - decay)
    tail = np.zeros((len(chosen), power.shape[2]), np.float32)
    result = power.copy()
    for frame in range(1, power.shape[1]):
        tail = decay * tail + gain * power[chosen, frame - 1]
        result[chosen, frame] += tail
    return result
